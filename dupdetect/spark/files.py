"""Files to a frame: what the command reads.

Input    paths or URLs, of one format
Output   a frame of Parquet or ORC, as Spark reads it, or `RecordFiles`; rows of Parquet files, and of files of records,
         know their file and their number in it
Cost     none until it is evaluated; of files of records the beginning of the first is read
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dupdetect.errors import InputError
from dupdetect.io.archives import ending_of
from dupdetect.io.paths import find
from dupdetect.io.streams import MAX_TEXT, check_max_text
from dupdetect.spark.records import RecordFiles, read_records
from dupdetect.spark.session import reason, setting, spark_errors
from dupdetect.spark.sketching import FILE, NAMED_TWICE, ROW

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from dupdetect.settings import Settings

#: Formats by the endings of names; whatever ends otherwise is Parquet.
FORMATS = dict.fromkeys(("jsonl", "ndjson", "json"), "json") | dict.fromkeys(("csv", "tsv"), "csv") | {"orc": "orc"}

#: The option of Spark by which folders such as ``day=01`` become numbers, and 01 is 1.
INFERRED = "spark.sql.sources.partitionColumnTypeInference.enabled"

#: Endings of compressed files.
COMPRESSED = ("gz", "zst", "bz2", "snappy", "lz4", "xz")


def read_files(
    spark: SparkSession,
    names: Sequence[str],
    settings: Settings,
    text: str = "text",
    id: str | None = None,
    max_text: int | str | None = None,
) -> DataFrame | RecordFiles:
    """Read files.

    Parameters
    ----------
    spark : SparkSession
    names : sequence of str
        Files, folders or globs.
    settings, text, id, max_text
        As for `dupdetect.spark.dedup`.

    Raises
    ------
    InputError
        They are of several formats, or cannot be read.
    """
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    packed = next((name for name in names if ending_of(name)), None)
    if packed is not None:
        raise InputError(f"{packed}: is an archive, which executors cannot divide among themselves; unpack it")
    formats = {format for name in names for format in _formats(name)}
    if len(formats) > 1:
        raise InputError(f"the inputs are {' and '.join(sorted(formats))}; give files of one format at a time")
    format = formats.pop()
    if format in ("json", "csv"):
        most = check_max_text(MAX_TEXT if max_text is None else max_text)
        return read_records(spark, find(names), text, id, settings, most)
    twice = next((name for name, count in Counter(map(os.path.normpath, names)).items() if count > 1), None)
    if twice is not None:
        raise InputError(NAMED_TWICE.format(twice))
    try:
        with setting(spark, INFERRED, "false"):  # of folders such as day=01
            frame = spark.read.format(format).load(list(names))
            frame.schema  # noqa: B018 - it is inferred here
        if format != "parquet":
            return frame
        known = {
            FILE: F.regexp_replace("_metadata.file_path", "^file:/+", "file:/"),
            ROW: F.col("_metadata.row_index") + 1,
        }
        return frame.select("*", *(column.alias(name) for name, column in known.items()))
    except spark_errors() as error:
        raise InputError(
            f"{', '.join(names)}: cannot be read ({reason(error)}); name files that Spark can reach"
        ) from error


def _formats(name: str) -> set[str]:
    """Return the formats of what is named: of a folder on the disk, of the files in it."""
    if not Path(name).is_dir():
        return {_format(name)}
    inside = (path for path in Path(name).rglob("*") if path.is_file())
    shown = [path for path in inside if not any(part[0] in "._" for part in path.relative_to(name).parts)]
    return {_format(path.name) for path in shown} or {_format(name)}


def _format(name: str) -> str:
    endings = [part for part in name.rstrip("/*").lower().split("/")[-1].split(".")[1:] if part not in COMPRESSED]
    return FORMATS.get(endings[-1] if endings else "", "parquet")
