"""Earlier outputs that Spark wrote, as results on the driver.

Input    what a run is to be compared with: folders, URLs, results
Output   the same, with a `Result` for each output that Spark wrote or that only Spark reaches
Cost     all that such an output has comes to the driver, the rows that stay included
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dupdetect._storage.checksums import checksum
from dupdetect.errors import InputError
from dupdetect.io.remote import as_url
from dupdetect.pipeline.manifest import identity
from dupdetect.results.folder import MANIFEST
from dupdetect.results.result import Result
from dupdetect.spark.output import exists
from dupdetect.spark.result import NO_ROWS, result_of
from dupdetect.spark.session import reason, spark_errors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from dupdetect.pipeline.earlier_runs import Given
    from dupdetect.pipeline.rules import Plain


def with_results(spark: SparkSession, given: Given | Iterable[Given]) -> Given | list[Given]:
    """Read the outputs that Spark wrote; all others stay what they are.

    Parameters
    ----------
    spark : SparkSession
    given : path, Result or iterable of these
        As `Earlier` takes them; a folder may be a URL that Spark reaches.

    Raises
    ------
    InputError
        An output of Spark cannot be read, or is none that new documents can be compared with.
    """
    if isinstance(given, Result) or not isinstance(given, str | os.PathLike | Iterable):
        return given  # what is no output is refused where outputs are opened
    several = [given] if isinstance(given, str | os.PathLike) else given
    return [each for one in several for each in _outputs(spark, one)]


def identities(rules: Plain) -> list[dict[str, Any]]:
    """Return what tells that earlier outputs are as they were, also of files that are written anew for each run."""
    told = []
    for path in map(Path, rules.files):
        if path.parent not in rules.temporary:
            told.append(identity(str(path)))
        elif path.name != MANIFEST:  # which says how long its writing took
            told.append({"name": path.name, "checksum": checksum(path)})
    return told


def _outputs(spark: SparkSession, given: Given) -> Iterator[Given]:
    """Yield the outputs that are named: where one in a folder is of Spark, each of those in it."""
    if not isinstance(given, str | os.PathLike) or not os.fspath(given):
        yield given  # one of an empty name is refused, too
        return
    name = os.fspath(given)
    if as_url(name):
        yield read_output(spark, name)
        return
    inside = [Path(name)]
    if not inside[0].joinpath(MANIFEST).exists():
        inside = sorted(each.parent for each in Path(name).glob(f"[!.]*/{MANIFEST}"))
    if not any(map(_is_of_spark, inside)):
        yield given
        return
    for folder in inside:
        yield read_output(spark, str(folder)) if _is_of_spark(folder) else folder


def _is_of_spark(folder: Path) -> bool:
    return any(folder.joinpath(f"clusters.{format}").is_dir() for format in ("parquet", "jsonl"))


def read_output(spark: SparkSession, folder: str) -> Result:
    """Read an output that `SparkResult.write` wrote.

    Raises
    ------
    InputError
        It is none; its tables are not Parquet; what stays are records of files; or as for `SparkResult.to_result`.
    """
    try:
        return result_of(lambda name: _table(spark, folder, name), _manifest(spark, folder))
    except InputError as error:
        raise InputError(f"{folder}: {error}") from error
    except spark_errors() as error:
        raise InputError(
            f"{folder}: cannot be read ({reason(error)}); expected the output of an earlier run"
        ) from error


def _manifest(spark: SparkSession, folder: str) -> dict[str, Any]:
    lines = spark.read.text(f"{folder}/{MANIFEST}", wholetext=True).collect()
    try:
        manifest = json.loads("".join(line.value for line in lines))
    except ValueError as error:
        raise InputError(f"{MANIFEST} is damaged ({error})") from error
    if not isinstance(manifest, dict) or not {"columns", "counts"} <= manifest.keys():
        raise InputError(f"{MANIFEST} is not that of a run")
    return manifest


def _table(spark: SparkSession, folder: str, name: str) -> pa.Table:
    place = f"{folder}/{name}.parquet"
    if exists(spark, place):
        return spark.read.parquet(place).toArrow()
    if name == "kept":
        raise InputError(NO_ROWS)
    raise InputError(f"there is no {name}.parquet, which format='parquet' writes")
