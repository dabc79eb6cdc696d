"""Files of JSON Lines and CSV: read and copied by the library's own readers, a task for each file.

Input    files that executors reach by the same paths or URLs
Output   `RecordFiles`: a frame of their rows, with what is wrong with those that cannot be used; records that stay
Cost     a pass over the files for the rows, and one for the records

Spark's own readers would give numbers other digits, and rows that they cannot read no reason. Here rows are those of a
run on one machine, numbered alike, and a record that stays is the bytes that it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect.errors import InputError
from dupdetect.io.documents import Part, Stream, stream
from dupdetect.io.originals import records_of, staying
from dupdetect.io.paths import ReadAs, label
from dupdetect.io.seen import NUMBERED
from dupdetect.io.text_column import field_of
from dupdetect.spark.sketching import FILE, NUMBER, REASON, ROW

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

    from dupdetect.io.paths import Found
    from dupdetect.settings import Settings

    Batches = Iterator[pa.RecordBatch]

#: Formats of files of records, and how their names end.
ENDINGS = {"JSON Lines": "jsonl", "CSV": "csv"}

#: Compressions that Spark writes everywhere, as it calls them.
COMPRESSIONS = {"gzip": "gzip", "bz2": "bzip2"}

#: Bytes of rows that are read at a time.
PART_BYTES = 16 << 20


class RecordFiles(NamedTuple):
    """Files of records of one format.

    Attributes
    ----------
    frame : DataFrame
        A row for each of theirs: `NUMBER`, that of its file among those found, `FILE`, `ROW`, `REASON` where it cannot
        be used, and the columns that a run reads.
    found : tuple of Found
    """

    frame: DataFrame
    found: tuple[Found, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What messages and tables call the files."""
        return tuple(label(file.path) for file in self.found)

    @property
    def ending(self) -> str:
        """How the names of such files end."""
        return ENDINGS[self.found[0].format]

    @property
    def compression(self) -> str:
        """What Spark is to compress records with: as all files are, if it can."""
        all_ = {file.compression for file in self.found}
        return COMPRESSIONS.get(str(all_.pop()), "none") if len(all_) == 1 else "none"


class _Reading(NamedTuple):
    """How one of the files is read."""

    text: str
    id: str | None
    max_text: int
    others: tuple[str, ...]

    def stream(self, file: Found) -> Stream:
        """Return its rows."""
        needed = dict.fromkeys(self.others, "a setting")
        return stream(
            [Path(file.path)],
            text=self.text,
            id=self.id,
            max_text=self.max_text,
            how=ReadAs(ENDINGS[file.format], file.encoding, file.delimiter),
            part_bytes=PART_BYTES,
            needed=needed,
        )


def read_records(
    spark: SparkSession, found: Sequence[Found], text: str, id: str | None, settings: Settings, max_text: int
) -> RecordFiles:
    """Read files of records.

    Parameters
    ----------
    spark : SparkSession
    found : sequence of Found
        Of one of the formats in `ENDINGS`.
    text, id, settings, max_text
        As for `dupdetect.spark.dedup`.

    Raises
    ------
    InputError
        The first file cannot be read, or lacks a column. What is wrong with others is said when they are read.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    given = _Reading(text, id, max_text, tuple(settings.columns))
    known, chosen = pa.schema([]), given
    for file in found:  # one that has rows says which columns there are
        reader = given.stream(file)
        part = next(iter(reader), None)
        if part is not None and len(part):
            chosen = given._replace(id=reader.id or NUMBERED)
            known = _columns(part, chosen).schema
            break
    else:
        known = _columns(None, chosen._replace(id=NUMBERED)).schema
    names = spark.range(0, len(found), 1, len(found))
    frame = names.mapInArrow(_reader(tuple(found), chosen, known), from_arrow_schema(known))
    return RecordFiles(frame, tuple(found))


def _columns(part: Part | None, reading: _Reading) -> pa.Table:
    """Return the columns that are read of a part, those of files still to come."""
    columns: dict[str, Any] = {reading.text: pa.array([], pa.large_string()) if part is None else part.texts}
    wanted = reading.others if reading.id in (None, NUMBERED) else (reading.id, *reading.others)
    for name in wanted:
        column = None if part is None else field_of(part.table, str(name))
        columns[str(name)] = pa.nulls(len(columns[reading.text]), pa.string()) if column is None else column
    table = pa.table(columns)
    for at, field in enumerate(table.schema):
        if pa.types.is_null(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.string()))
    extra = pa.schema([(NUMBER, pa.int64()), (FILE, pa.string()), (ROW, pa.int64()), (REASON, pa.string())])
    return pa.table(
        [*table.columns, *(pa.nulls(len(table), field.type) for field in extra)], pa.schema([*table.schema, *extra])
    )


def _reader(found: tuple[Found, ...], reading: _Reading, known: pa.Schema) -> Callable[[Batches], Batches]:
    def read_files(batches: Batches) -> Batches:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for part in reading.stream(found[number]):
                    yield from _rows(part, reading, known, (number, label(found[number].path)))

    return read_files


def _rows(part: Part, reading: _Reading, known: pa.Schema, file: tuple[int, str]) -> Batches:
    """Return the rows of a part, and its rejects; given the number and the name of its file."""
    number, name = file
    columns = dict(zip(known.names, _columns(part, reading).columns, strict=True))
    # Two files may have one name: what is named twice is read twice, and its rows repeat ids.
    columns |= {NUMBER: pa.repeat(number, len(part)), FILE: pa.repeat(name, len(part)), ROW: pa.array(part.row)}
    for field in known:
        if columns[field.name].type != field.type:
            columns[field.name] = _cast(columns[field.name], field, name)
    yield from pa.table(columns, known).to_batches(max_chunksize=1024)
    n = part.rejects.num_rows
    if n:
        wrong = {NUMBER: pa.repeat(number, n)}
        wrong |= {FILE: part.rejects["file"], ROW: part.rejects["row"], REASON: part.rejects["reason"]}
        nothing = {field.name: pa.nulls(n, field.type) for field in known}
        yield from pa.table(nothing | wrong, known).to_batches()


def _cast(column: Any, field: pa.Field, name: str) -> Any:
    """Return a column in its type, if it is the same values."""
    was = column.type
    if pa.types.is_null(was) or (str(was), str(field.type)) in (("string", "large_string"), ("large_string", "string")):
        return column.cast(field.type)
    raise InputError(
        f"{name}: column {field.name!r} is {was}, and {field.type} in files before; give all rows values of one type, "
        "or number the rows (--id none)"
    )


def records_kept(spark: SparkSession, found: tuple[Found, ...], rows: DataFrame, max_text: int) -> DataFrame:
    """Return the records that stay, file after file, as they are written there.

    Parameters
    ----------
    spark : SparkSession
    found : tuple of Found
    rows : DataFrame
        ``part`` and ``place`` of rows that stay: the number of the file, and that of the row less one.
    max_text : int

    Returns
    -------
    DataFrame
        ``file``, and ``record`` without the end of its line; a partition for each file.
    """
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    lists = rows.groupBy("part").agg(F.collect_list("place").alias("places"))
    names = spark.range(len(found)).withColumnRenamed("id", "part")
    each = names.join(lists, "part", "left").repartitionByRange(len(found), "part").sortWithinPartitions("part")
    return each.mapInArrow(_copier(found, max_text), "file string, record string")


def _copier(found: tuple[Found, ...], max_text: int) -> Callable[[Batches], Batches]:
    def copy(batches: Batches) -> Batches:
        for batch in batches:
            for part, places in zip(batch.column("part").to_pylist(), batch.column("places"), strict=True):
                rows = np.sort(places.values.to_numpy()) + 1 if places.is_valid else np.empty(0, np.int64)
                yield from _copied(found[part], rows, max_text)

    return copy


def _copied(file: Found, rows: NDArray[np.int64], max_text: int) -> Batches:
    for data, ends, numbers in records_of(file, max_text):
        starts, stays = np.append(0, ends[:-1]), np.flatnonzero(staying(numbers, rows))
        lines = [data[starts[at] : ends[at]].removesuffix(b"\n") for at in stays.tolist()]
        columns = [pa.repeat(label(file.path), len(lines)), pa.array(lines, pa.binary()).view(pa.string())]
        yield pa.record_batch(columns, ["file", "record"])
