"""A session of Spark, classic or Connect: options, tables to frames and back, bytes that were shuffled.

Input    a `SparkSession`
Output   `Session`
Cost     none

Nothing here needs more than Spark Connect has: no RDD, no JVM, no file of the driver's own. Where there is a classic
session, its own metrics say how many bytes were shuffled; a Connect server does not tell its clients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

#: Bytes and rows of a batch that goes to Python. Spark 4.0 knows no bound by bytes, hence the few rows.
BATCH_BYTES, BATCH_ROWS = 16 << 20, 1024

#: Options while a run lasts. Texts may have more bytes than the plain types of Arrow can count.
OPTIONS = {
    "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.execution.arrow.useLargeVarTypes": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}

#: Options of Parquet files. Rows may be large, so that sizes are looked at from the first one on.
PARQUET = {
    "parquet.block.size": str(64 << 20),
    "parquet.block.size.row.check.min": "1",
    "parquet.page.size.row.check.min": "1",
}

#: Types of columns whose values do not repeat, or are few: hashes, counts, and bytes that are compressed already.
PLAIN = ("long", "integer", "binary")


def parquet(schema: StructType) -> dict[str, str]:
    """Return options of the files of a stage, which is read by later stages.

    To put hashes and large cells of bytes into dictionaries would cost more than all the rest of writing them, and to
    compress them anew brings nothing.
    """
    types = {field.name: field.dataType.typeName() for field in schema.fields}
    options = {f"parquet.enable.dictionary#{name}": "false" for name, type_ in types.items() if type_ in PLAIN}
    if "binary" in types.values():
        options["compression"] = "uncompressed"
    return PARQUET | options


def spark_errors() -> tuple[type[Exception], ...]:
    """Return what Spark raises: some of it by py4j, where there is a JVM beside."""
    from pyspark.errors import PySparkException

    try:
        from py4j.protocol import Py4JError
    except ImportError:  # of a client of Spark Connect alone
        return (PySparkException,)
    return PySparkException, Py4JError


def reason(error: Exception) -> str:
    """Return what an error of Spark says, in a sentence."""
    text = str(error)
    said = re.search(r"\[[A-Z_.]+\] .+", text)
    line = text.splitlines()[0] if said is None else said[0]
    return re.sub(r"\.? SQLSTATE: \w+.*", "", line).rstrip(".")


@contextmanager
def setting(spark: SparkSession, name: str, value: str) -> Iterator[None]:
    """Set an option of Spark, and in the end what it was before."""
    before = spark.conf.get(name, None)
    spark.conf.set(name, value)
    try:
        yield
    finally:
        if before is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, before)


class Session:
    """A session of Spark.

    Parameters
    ----------
    spark : SparkSession

    Attributes
    ----------
    spark : SparkSession
    shuffled : dict
        Bytes that were shuffled, by stage, as far as Spark tells.
    """

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.shuffled: dict[str, int] = {}

    @property
    def usual_partitions(self) -> int:
        """Into how many partitions Spark shuffles, where nothing else is said."""
        return int(self.spark.conf.get("spark.sql.shuffle.partitions", "200") or 200)

    @contextmanager
    def options(self) -> Iterator[None]:
        """Set the options of a run, and in the end what they were before."""
        with ExitStack() as stack:
            for name, value in OPTIONS.items():
                stack.enter_context(setting(self.spark, name, value))
            yield

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is shuffled meanwhile."""
        before = self._shuffled()
        yield
        after = self._shuffled()
        if before is not None and after is not None:
            self.shuffled[name] = self.shuffled.get(name, 0) + after - before

    def frame(self, table: pa.Table) -> DataFrame:
        """Return a table as a frame."""
        from pyspark.sql.pandas.types import from_arrow_schema

        # Left to itself, Spark would take a moment of no time zone for one of the session's.
        schema = from_arrow_schema(table.schema, prefer_timestamp_ntz=True)
        if table.num_rows:
            return self.spark.createDataFrame(table.combine_chunks(), schema)  # at a chunk without rows it would stop
        return self.spark.createDataFrame([], schema)

    def line(self, text: str) -> DataFrame:
        """Return a frame of one text: a constant, for which nothing need go to executors."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        return self.spark.range(0, 1, 1, 1).select(F.lit(text).alias("value"))

    def _shuffled(self) -> int | None:
        """Return the bytes that this application has shuffled so far; None where nobody says it."""
        context = getattr(self.spark, "_jsc", None)  # of a classic session alone
        if context is None:
            return None
        store: Any = context.sc().statusStore()
        executors = store.executorList(False)
        return sum(int(executors.apply(place).totalShuffleWrite()) for place in range(executors.size()))
