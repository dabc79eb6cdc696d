"""Stages are written so that they cost little: of most of what they hold, no bit can be saved."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dupdetect.errors import OutputError
from dupdetect.spark import dedup
from dupdetect.spark.session import Session
from dupdetect.spark.work import Work


def test_neither_hashes_nor_bytes_go_into_dictionaries_or_are_compressed_anew(spark, tmp_path):
    rows = {"hash": [1, 1, 2], "count": pa.array([1, 1, 1], pa.int32()), "text": [b"x" * 99] * 3, "file": ["a"] * 3}
    for name, table, compression in (
        ("bytes", pa.table(rows), "UNCOMPRESSED"),
        ("none", pa.table(rows).drop("text"), "SNAPPY"),
    ):
        session = Session(spark)
        work = Work(session, str(tmp_path / name), {}, resume=False)
        frame = work.stage("stage", lambda session=session, table=table: session.frame(table))
        assert frame.toArrow().sort_by("hash").to_pylist() == table.to_pylist()
        groups = [pq.ParquetFile(file).metadata for file in (tmp_path / name / "stage").glob("*.parquet")]
        columns = [
            group.row_group(place).column(at)
            for group in groups
            for place in range(group.num_row_groups)
            for at in range(table.num_columns)
        ]
        assert {column.compression for column in columns} == {compression}
        assert {column.path_in_schema for column in columns if column.has_dictionary_page} <= {"file"}


def test_a_place_that_can_be_no_work_folder_is_refused(spark, tmp_path):
    frame = spark.createDataFrame([("a text",)], "text string")
    for work in ("", "/", None, tmp_path / "work"):
        with pytest.raises(OutputError, match="expected a string, the name of a folder of its own"):
            dedup(frame, work=work)
    (tmp_path / "file").write_text("not ours")
    with pytest.raises(OutputError, match="file: cannot be written to"):
        dedup(frame, work=str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "not ours"
