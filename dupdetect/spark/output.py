"""Where a result on Spark is written to: folders of tables in a folder, and a manifest.

Input    a folder, what is to be written there, and the files that were read
Output   errors, before the work is done
Cost     a look at each name
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dupdetect.errors import OutputError
from dupdetect.results.folder import MANIFEST, check_apart

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: The tables, but for the rows that stay.
TABLES = ("clusters", "matches", "digests", "rejects", "boilerplate", "superseded")

#: Formats of tables, and of rows that stay.
FORMATS = {"tables": ("parquet", "jsonl"), "kept": ("parquet", "jsonl", "csv")}


def check_place(
    spark: SparkSession, folder: str, inputs: Iterable[str], *, kept: str, format: str, overwrite: bool
) -> None:
    """Refuse a folder to write to, before the work is done.

    Parameters
    ----------
    spark : SparkSession
    folder : str
    inputs : iterable of str
        The files that were read, as the manifest names them.
    kept, format : str
        The formats of the rows that stay, and of the tables.
    overwrite : bool
        Whether what is there may be replaced.

    Raises
    ------
    OutputError
        An input is in it; or there is something already that may not be replaced, or would be mixed with other tables.
    """
    check_apart(folder, inputs)
    named = {f"{name}.{each}": each == format for name in TABLES for each in FORMATS["tables"]}
    named |= {f"kept.{each}": each == kept for each in FORMATS["kept"]} | {MANIFEST: True}
    for name, replaced in named.items():
        if (overwrite and replaced) or not exists(spark, f"{folder}/{name}"):
            continue
        if not overwrite:
            raise OutputError(
                f"{folder}: exists already; name another folder, or overwrite it (overwrite=True, --overwrite)"
            )
        raise OutputError(
            f"{folder}: {name} is of a run in other formats and would stay; remove it, or name another folder"
        )


def exists(spark: SparkSession, path: str) -> bool:
    """Whether there is a file or a folder, or something that a glob matches."""
    from pyspark.errors import AnalysisException

    try:
        spark.read.format("binaryFile").load(path).schema  # noqa: B018 - it is looked for now
    except AnalysisException:
        return False
    return True
