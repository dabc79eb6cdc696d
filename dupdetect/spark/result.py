"""What a run on Spark found, as frames.

Input    the driver's tables, and where its documents stand
Output   `SparkResult`
Cost     clusters: a pass over the ids; kept: a pass over the input, which is not shuffled where few documents go
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute

from dupdetect.errors import InputError, OutputError
from dupdetect.io.checks import NO_ID, NO_TEXT, REJECTS
from dupdetect.io.identifiers import written
from dupdetect.io.rows import Rows
from dupdetect.io.seen import NUMBERED
from dupdetect.io.writers import plain, write_lines
from dupdetect.results.folder import MANIFEST
from dupdetect.results.result import Result
from dupdetect.spark.output import TABLES, check_place, exists
from dupdetect.spark.records import records_kept
from dupdetect.spark.sketching import FILE, ROW, by_number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from dupdetect.spark.decision import Decided
    from dupdetect.spark.records import RecordFiles
    from dupdetect.spark.sketching import Request
    from dupdetect.spark.work import Work

#: Why a result of files of records is none of rows.
NO_ROWS = "what stays are records of files, and no rows; read the files into a frame first"

#: The column of what says which rows go.
GONE = "dupdetect_gone"

#: Bits of `monotonically_increasing_id` that count the rows of a partition.
PLACE_BITS = 33


class Run(Protocol):
    """A run that has decided who stands for whom; `frames` says what it is asked for.

    Attributes
    ----------
    frame, sketched : DataFrame
        The input, and what was sketched.
    request : Request
    work : Work
    starts : int64[...]
        The number of the first row of each partition.
    few : bool
        Whether all documents are known to the driver.
    repeated, rejects : pyarrow.Table
        Where rows stand whose ids repeat others; the table `rejects`.
    records : RecordFiles, optional
        The files that the input is, if these are JSON Lines or CSV.
    """

    frame: DataFrame
    sketched: DataFrame
    request: Request
    work: Work
    starts: NDArray[np.int64]
    few: bool
    repeated: pa.Table
    rejects: pa.Table
    records: RecordFiles | None


@dataclass(frozen=True, eq=False)
class SparkResult:
    """The copies in a frame; they are made of what stands in the work folder, and of the input.

    Attributes
    ----------
    clusters, matches, digests, rejects : DataFrame
        As `Result` has them, in no order.
    kept : DataFrame
        The rows of the input that stay, with its columns; of files of JSON Lines and CSV their records, as they
        stand there: ``file``, ``record``.
    boilerplate : DataFrame
        As `Result.boilerplate`; a shingle's hash is signed here, the same bits.
    superseded : DataFrame
        As `Result.superseded`; empty where there were no earlier runs.
    manifest : dict
        As `Result.manifest`; ``spark`` holds the version, and the bytes that were shuffled by stage where a classic
        session tells them.
    records : tuple of str, optional
        Of files of JSON Lines and CSV how the names of such files end, and what Spark compresses records with.
    """

    clusters: DataFrame
    matches: DataFrame
    digests: DataFrame
    kept: DataFrame
    rejects: DataFrame
    boilerplate: DataFrame
    superseded: DataFrame
    manifest: dict[str, Any]
    records: tuple[str, str] | None = None

    def to_result(self) -> Result:
        """Return the same as a `dupdetect.Result`: for reports, for later runs against this one.

        All of it comes to the driver, the rows that stay included.

        Raises
        ------
        InputError
            The documents have no column of ids of their own, by which the rows that stay could be put in order; or the
            frame gives other rows than before.
        """
        if self.records is not None:
            raise InputError(NO_ROWS)
        return result_of(lambda name: getattr(self, name).toArrow(), self.manifest)

    def write(self, folder: str, *, overwrite: bool = False, format: str = "parquet") -> None:
        """Write the frames as folders of Parquet, and the manifest.

        Records of files of JSON Lines and CSV that stay are written as they came, a file for each, in their order.

        Parameters
        ----------
        folder : str
            A path or URL that Spark can write to. The manifest comes last: where the path is one of this machine it
            is a file, anywhere else a folder of text.
        overwrite : bool
            Replace what is there.
        format : {"parquet", "jsonl"}
            That of the tables; of ``kept`` it is that of the input.

        Raises
        ------
        OutputError
            There is something already, or an input.
        InputError
            The frame gives other rows than before: what was written has no manifest then, or behind a URL an empty one.
        """
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does
        from pyspark.errors import AnalysisException
        from pyspark.sql import Observation

        mode, kept = (
            "overwrite" if overwrite else "error",  # the name that Spark Connect knows, too
            "parquet" if self.records is None else self.records[0],
        )
        session = self.clusters.sparkSession
        check_place(session, folder, self.manifest["inputs"], kept=kept, format=format, overwrite=overwrite)
        manifest = Path(folder, MANIFEST)
        # Until all is written anew there is none: that of the run before would be taken for one of these tables.
        if overwrite and manifest.is_file():
            manifest.unlink()
        elif overwrite and exists(session, f"{folder}/{MANIFEST}"):
            session.createDataFrame([], "value string").write.mode(mode).text(f"{folder}/{MANIFEST}")
        try:
            if self.records is None:
                stay = Observation()
                observed = self.kept.observe(stay, F.count(F.lit(1)).alias("rows"))
                observed.write.mode(mode).parquet(f"{folder}/kept.parquet")
                check_kept(int(stay.get["rows"]), self.manifest)
            else:
                ending, compression = self.records
                records = self.kept.select("record").write.option("compression", compression)
                records.mode(mode).text(f"{folder}/kept.{ending}")
            for name in TABLES if "against" in self.manifest else TABLES[:-1]:
                if format == "jsonl":
                    rows = getattr(self, name).mapInArrow(_as_lines, "line string")
                    rows.write.mode(mode).text(f"{folder}/{name}.jsonl")
                else:
                    getattr(self, name).write.mode(mode).parquet(f"{folder}/{name}.parquet")
            text = json.dumps(self.manifest, indent=2, ensure_ascii=False, default=plain)
            # It is elsewhere: behind a URL, or on the disk of executors; or was, when what is replaced was written.
            if not Path(folder).is_dir() or manifest.is_dir():
                lines = session.createDataFrame([(text,)], "value string")
                lines.coalesce(1).write.mode(mode).text(f"{folder}/{MANIFEST}")
            else:
                manifest.write_text(text + "\n", encoding="utf-8")
        except AnalysisException as error:
            if "PATH_ALREADY_EXISTS" not in str(error):
                raise
            raise OutputError(
                f"{folder}: exists already; name another folder, or overwrite it (overwrite=True, --overwrite)"
            ) from error


def check_kept(rows: int, manifest: Mapping[str, Any]) -> None:
    """Refuse a frame that gave other rows when those that stay were taken of it."""
    if rows != (expected := manifest["counts"]["kept"]):
        raise InputError(
            f"the frame: of its rows {rows:,} stay, and {expected:,} were to; it gives others, or in another order "
            "each time: write it to Parquet, and begin anew with what stands there"
        )


def result_of(table: Callable[[str], pa.Table], manifest: dict[str, Any]) -> Result:
    """Return a result on Spark as one of this process.

    Parameters
    ----------
    table : callable
        Gives the tables of `SparkResult` by name, and the rows that stay as ``kept``.
    manifest : dict

    Raises
    ------
    InputError
        As for `SparkResult.to_result`.
    """
    id = manifest["columns"]["id"]
    if id in (None, NUMBERED):
        raise InputError("rows are numbered, and nothing says which of them stayed; name a column of ids")
    if "id_prefix" in manifest["columns"]:
        raise InputError("ids begin with names of files, which rows that stay do not tell; leave id_prefix out")
    clusters = table("clusters").sort_by([("file", "ascending"), ("row", "ascending")]).combine_chunks()
    kept = table("kept")
    check_kept(kept.num_rows, manifest)
    place = pa.compute.index_in(clusters.filter(clusters["canonical"])["id"], value_set=kept[id])
    boilerplate = table("boilerplate")
    shingles = boilerplate["shingle"].to_numpy().view(np.uint64)
    return Result(
        clusters=clusters,
        matches=table("matches").sort_by([("a", "ascending"), ("b", "ascending")]),
        digests=table("digests"),
        rows=Rows.of(kept.take(place)),
        rejects=table("rejects").cast(REJECTS),
        boilerplate=pa.table({"shingle": shingles, "margin": boilerplate["margin"]}).sort_by("shingle"),
        manifest=manifest,
        superseded=table("superseded") if "against" in manifest else None,
    )


def _as_lines(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Spell rows as JSON Lines."""
    for batch in batches:
        data = BytesIO()
        write_lines(written(pa.Table.from_batches([batch])), data)
        yield pa.record_batch([pa.array(data.getvalue().decode().split("\n")[:-1], pa.string())], ["line"])


def frames(run: Run, table: pa.Table, decided: Decided) -> dict[str, DataFrame]:
    """Make the frames of a result, by name.

    Parameters
    ----------
    run : Run
    table : pyarrow.Table
        Where the documents stand.
    decided : Decided
    """
    found, shingles = decided.found, decided.boilerplate["shingle"].to_numpy().view(np.int64)
    others = {
        "matches": found["matches"],
        "digests": found["digests"],
        "rejects": run.rejects,
        "boilerplate": pa.table({"shingle": shingles, "margin": decided.boilerplate["margin"]}),
        "superseded": found["superseded"],
    }
    gone = table.filter(pa.array(~decided.canonical))
    made = {name: _data_frame(run, name, each) for name, each in others.items()}
    return {"clusters": _clusters(run, found["clusters"], table), "kept": _kept(run, gone), **made}


def _data_frame(run: Run, name: str, found: pa.Table | DataFrame) -> DataFrame:
    """Return as a frame what may be a table of the driver's."""
    return run.work.kept(name, found) if isinstance(found, pa.Table) else found


def _places(*tables: pa.Table) -> pa.Table:
    """Return where the rows of tables stand."""
    return pa.concat_tables([each.select(["part", "place"]) for each in tables])


def _clusters(run: Run, involved: pa.Table | DataFrame, table: pa.Table) -> DataFrame:
    """Put the documents that share something with another to those that do not."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    whole = _data_frame(run, "clustered", involved)
    if run.few:
        return whole
    others = run.work.kept("elsewhere", _places(table, run.repeated))
    alone = run.sketched.where("reason is null").select("part", "place", "id", "file", "row")
    alone = alone.join(others, ["part", "place"], "left_anti")
    starts = F.broadcast(run.work.session.frame(pa.table({"part": np.arange(len(run.starts)), "start": run.starts})))
    number = F.coalesce(F.col("row"), F.col("start") + F.col("place"))
    alone = alone.join(starts, "part").withColumn("row", number)
    id = F.col("row") if run.request.id is None and run.request.files is None else F.col("id")
    own = {"id": id, "cluster": id, "canonical": F.lit(True), "file": F.col("file"), "row": F.col("row")}
    types = {field.name: field.dataType for field in whole.schema.fields}
    return whole.union(alone.select(*(own.get(n, F.lit(None)).cast(type_).alias(n) for n, type_ in types.items())))


def _kept(run: Run, gone: pa.Table) -> DataFrame:
    """Return the rows of the input that stay: by their ids where these tell them apart, else by their places."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    id, text, columns = run.request.id, run.request.text, run.frame.columns
    frame, known = by_number(run.frame)

    def as_named(rows: DataFrame) -> DataFrame:
        own = [name for name in columns if run.request.files is None or name not in (FILE, ROW)]
        return rows.select(*(known[name] for name in own)).toDF(*own)

    by_id = run.records is None and not run.request.prefixed
    if id is not None and by_id and set(run.rejects["reason"].to_pylist()) <= {NO_TEXT.format(text), NO_ID.format(id)}:
        there = frame[known[text]].isNotNull() & frame[known[id]].isNotNull()
        ids = run.work.kept("removed", pa.table({"id": gone["id"]}))
        removed = ids.select(_compared(F.col("id"), run.frame, id).alias(GONE))
        same = _compared(frame[known[id]], run.frame, id) == removed[GONE]
        return as_named(frame.where(there).join(removed, same, "left_anti"))
    removed = run.work.kept("removed", _places(gone, run.repeated))
    if run.records is not None:
        rows = (
            run.sketched.where("reason is null").select("part", "place").join(removed, ["part", "place"], "left_anti")
        )
        return records_kept(run.work.session.spark, run.records.found, rows, run.request.max_text)
    places = run.sketched.where("reason is not null").select("part", "place").union(removed)
    if run.request.files is not None:
        files = pa.table({"part": np.arange(len(run.request.files)), FILE: run.request.files})
        named = places.join(F.broadcast(run.work.session.frame(files)), "part")
        gone_rows = named.select(F.col(FILE).alias(known[FILE]), (F.col("place") + 1).alias(known[ROW]))
        return as_named(frame.join(gone_rows, [known[FILE], known[ROW]], "left_anti"))
    # What is observed has to be executed: else Spark would number rows that it has at hand as those of one partition.
    given = frame.observe(GONE, F.count(F.lit(1))).withColumn(GONE, F.monotonically_increasing_id())
    at = (F.shiftleft(F.col("part"), PLACE_BITS) + F.col("place")).alias(GONE)
    return as_named(given.join(places.select(at), GONE, "left_anti"))


def _compared(id: Column, frame: DataFrame, name: str) -> Column:
    """Return ids as Spark compares them as we do: strings whatever their collation, and 0.0 apart from -0.0."""
    as_text = frame.schema[name].dataType.typeName() in ("string", "char", "varchar", "float", "double")
    return id.cast("string") if as_text else id
