"""A session of Spark on two threads, for all tests of a process, and what compares its results."""

import os
import shutil
import sys
import warnings
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import dupdetect

#: Columns by which a table is put in order.
ORDER = {
    "clusters": ["id"],
    "matches": ["a", "b"],
    "digests": ["id", "cluster"],
    "rejects": ["row"],
    "boilerplate": ["shingle"],
}


@pytest.fixture(scope="session")
def spark():
    """Return a session; the real thing, but for the machines."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("java is not installed, which Spark runs on")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    options = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "1g",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in options.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pyspark's own start
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture
def framed(spark):
    """Return what makes a frame of a table, in so many partitions and in the same order."""

    def frame(table, partitions):
        numbered = table.append_column("place in order", pa.array(range(table.num_rows), pa.int64()))
        made = spark.createDataFrame(numbered).repartitionByRange(partitions, "place in order")
        return made.sortWithinPartitions("place in order").drop("place in order")

    return frame


def plain(table, order):
    """Return a table in order, of the types that Spark has."""
    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_uint64(column.type):
            column = pc.cast(column, pa.int64(), safe=False)
        columns[name] = column.cast(pa.string()) if pa.types.is_large_string(column.type) else column
    return pa.table(columns).sort_by([(name, "ascending") for name in order]).combine_chunks()


@pytest.fixture
def same():
    """Return what asserts that a result is that of one machine, byte for byte."""

    def compare(found, table, id="id", **settings):
        here = dupdetect.dedup(table, id=id, **settings)
        for name, order in {**ORDER, "kept": [table.column_names[0]]}.items():
            there = plain(getattr(found, name).toArrow(), order)
            assert there.equals(plain(getattr(here, name), order)), name
        for name in ("counts", "caps", "settings", "fingerprint", "bands"):
            assert found.manifest[name] == here.manifest[name], name
        return SimpleNamespace(here=here, there=found)

    return compare
