"""Rows of a frame to sketches: the first stage, on the executors.

Input    a frame of texts
Output   a row for each of its rows: where it stands, its sketch, its text cleaned and compressed; or why it is a reject
Cost     that of `sketch_texts`; nothing is shuffled

Rows are known by their place: the number of their partition, and their number in it. Put together these are the order
of the input.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute

from dupdetect.errors import InputError
from dupdetect.io.checks import check
from dupdetect.io.identifiers import check_id_type
from dupdetect.io.readers import Piece
from dupdetect.io.seen import NUMBERED
from dupdetect.matching.grouping import check_comparable
from dupdetect.settings import GROUPING
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.sketches.sketches import identities, sketch_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

    from dupdetect.settings import Settings

    Int = NDArray[np.int64]

#: The highest bit: without it, unsigned numbers are in the same order as the signed ones of Spark.
SIGN = np.uint64(1 << 63)

#: Columns that hold where a row came from, in frames that were read from files, and why it cannot be used.
FILE, ROW, REASON = "dupdetect_file", "dupdetect_row", "dupdetect_reason"

#: The column of the number of a row's file, of files that may be named twice.
NUMBER = "dupdetect_number"

#: What is said of a file that was read twice: rows are known by their file and their number in it.
NAMED_TWICE = "{} is named twice, by itself, a folder or a glob; name each file once"

#: Columns of what is sketched.
COLUMNS = (
    *("part", "place", "id", "words", "high", "low", "bands", "fingerprints"),
    *("bytes", "text", "value", "preferred", *GROUPING, "file", "row", "reason"),
)

#: How texts are compressed.
CODEC = pa.Codec("zstd", 1)


class Request(NamedTuple):
    """Which documents are to be read.

    Attributes
    ----------
    settings : Settings
    text : str
    id : str, optional
        None where rows are numbered.
    max_text : int
    files : tuple of str, optional
        The files that rows were read from, in order, where rows know theirs (`FILE`, `ROW`): they go by these.
    prefixed : bool
        Whether the name of its file goes before each id.
    numbered : bool
        Whether rows are to be numbered, though there may be a column of ids.
    """

    settings: Settings
    text: str
    id: str | None
    max_text: int
    files: tuple[str, ...] | None = None
    prefixed: bool = False
    numbered: bool = False

    @property
    def columns(self) -> dict[str, str | None]:
        """What the manifest says of columns."""
        named = {"text": self.text, "id": NUMBERED if self.numbered else self.id}
        return named | ({"id_prefix": "file"} if self.prefixed else {})


def request_of(frame: DataFrame, settings: Settings, text: str, id: str | None, max_text: int) -> Request:
    """Check that a frame has the columns that are asked for; `files` are those that Spark knows.

    Raises
    ------
    InputError
        It has not, or they are of types that cannot be used.
    """
    if not hasattr(frame, "sparkSession"):
        given = type(frame)
        raise InputError(
            f"the frame is of type {given.__module__}.{given.__qualname__}: expected a DataFrame of Spark; other data "
            "are for dupdetect.dedup, or made one with createDataFrame"
        )
    names, numbered = frame.columns, id == NUMBERED
    id = ("id" if "id" in names else None) if id is None else None if id == NUMBERED else id
    wanted = [(text, "texts"), *([] if id is None else [(id, "ids")]), *settings.columns.items()]
    for name, what in wanted:
        if name not in names:
            raise InputError(f"the frame: there is no column {name!r} ({what}); the columns are {', '.join(names)}")
        if names.count(name) > 1:
            raise InputError(f"the frame: there are {names.count(name)} columns {name!r} ({what}); rename all but one")
    if (type_ := frame.schema[text].dataType.typeName()) not in ("string", "binary"):
        raise InputError(f"the frame: column {text!r} is {type_}, expected string; name another column or convert it")
    own = {FILE, ROW, NUMBER, REASON} & set(names)
    if own not in (set(), {FILE, ROW}, {FILE, ROW, NUMBER, REASON}):  # as rows of Parquet and of records have them
        raise InputError(f"the frame: a column {min(own)!r} would be taken for one that is made here; rename it")
    _check_types(frame, settings, id)
    files = None
    if FILE in names:
        files = tuple(sorted((re.sub("^file:/+", "file:/", name) for name in frame.inputFiles()), key=unquote))
    return Request(settings, text, id, max_text, files, numbered=numbered)


def _check_types(frame: DataFrame, settings: Settings, id: str | None) -> None:
    """Refuse columns whose values Python does not get, or that cannot be ids, or say which may be compared."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does
    from pyspark.errors import PySparkException

    renamed, known = by_number(frame)
    for name in [*([] if id is None else [id]), *settings.columns]:
        spark_type = frame.schema[name].dataType
        try:
            column = renamed.limit(0).select(known[name])
            type_ = column.toArrow().schema[0].type
            column.select(F.xxhash64(known[name])).schema  # noqa: B018 - no map can be hashed, nor what holds one
        except PySparkException as error:
            raise InputError(
                f"the frame: column {name!r} is {spark_type.simpleString()}, expected strings, numbers, dates or "
                "bytes; name another column, or convert it"
            ) from error
        if name == id:
            check_id_type(type_, name, "the frame")
        if any(getattr(settings, grouping) == name for grouping in GROUPING):
            check_comparable(type_, name, "the frame: ")


def shown(url: str) -> str:
    """Return what messages and tables call a file: a local one by its path."""
    return unquote(re.sub("^file:/+", "/", url)) if url.startswith("file:") else url


def by_number(frame: DataFrame) -> tuple[DataFrame, dict[str, str]]:
    """Name the columns of a frame by numbers; return it, and by which name each is known there.

    Spark takes a dot in a name for a field, a backtick for a quote, and names that differ in case for one.
    """
    names = [f"c{at}" for at in range(len(frame.columns))]
    return frame.toDF(*names), dict(zip(frame.columns, names, strict=True))


def sketched(frame: DataFrame, request: Request) -> DataFrame:
    """Sketch the rows of a frame."""
    settings, id = request.settings, request.id
    columns = [request.text, id, *settings.columns, NUMBER, FILE, ROW, REASON]
    wanted = frame.columns if callable(settings.canonical) else columns
    names = [name for name in dict.fromkeys(wanted) if name in frame.columns]
    given, known = by_number(frame)
    return given.select(*(known[name] for name in names)).mapInArrow(
        _sketcher(request, names), schema_of(frame, request)
    )


def schema_of(frame: DataFrame, request: Request) -> Any:
    """Return the columns of what is sketched."""
    from pyspark.sql import types as T  # noqa: N812 - as everybody does

    numbered = T.LongType() if request.files is None else T.StringType()
    of_id = numbered if request.id is None or request.prefixed else type_of(frame, request.id)
    longs, binary = T.LongType(), T.BinaryType()
    types: dict[str, Any] = dict.fromkeys(COLUMNS, longs) | dict.fromkeys(("bands", "fingerprints", "text"), binary)
    types |= dict.fromkeys(("file", "reason"), T.StringType()) | {
        "id": of_id,
        **{name: T.BinaryType() if c is None else type_of(frame, c) for name, c in read_by(request.settings)},
    }
    return T.StructType([T.StructField(name, type_) for name, type_ in types.items()])


def type_of(frame: DataFrame, name: str) -> DataType:
    """Return the type of a column; of a string without its collation, by which two that differ may be equal."""
    from pyspark.sql.types import StringType

    type_ = frame.schema[name].dataType
    return StringType() if isinstance(type_, StringType) else type_


def read_by(settings: Settings) -> list[tuple[str, str | None]]:
    """Return the columns of what is sketched that hold columns of the input, and of which: None where nothing is read.

    These are what the policy orders by, what is preferred, and what says which documents may be compared.
    """
    preferred = None if settings.prefer is None else next(iter(settings.ranking_columns))
    return [
        ("value", settings.column),
        ("preferred", preferred),
        *((name, getattr(settings, name)) for name in GROUPING),
    ]


def _sketcher(request: Request, names: list[str]) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def sketch_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        part, first = partition(), 0
        for batch in batches:
            yield from _sketch(pa.Table.from_batches([batch]).rename_columns(names), part, first, request)
            first += batch.num_rows

    return sketch_batches


def partition() -> int:
    """Return the number of the partition that this process works on."""
    from pyspark import TaskContext

    context = TaskContext.get()
    assert context is not None, "within a task"
    return int(context.partitionId())


def _sketch(table: pa.Table, part: int, first: int, request: Request) -> Iterator[pa.RecordBatch]:
    """Sketch some rows, from number `first` of the partition on."""
    settings, id, n = request.settings, request.id, table.num_rows
    if id is not None:
        check_id_type(table.schema.field(id).type, id, "the frame")
    looked_at = table.select(list(dict.fromkeys(name for name in (request.text, id) if name is not None)))
    known = table[REASON].to_pylist() if REASON in table.column_names else []
    faults = {at: reason for at, reason in enumerate(known) if reason is not None}
    piece = Piece(looked_at, np.arange(first, first + n), np.zeros(n, np.int32), "the frame", faults=faults)
    checked = check(piece, request.text, id, [None], request.max_text)
    rows = table.take(pa.array(checked.positions))
    texts = clean_texts(pa.chunked_array(checked.texts.chunks, pa.large_string()).combine_chunks())
    sketches = sketch_texts(texts, settings)
    digests = signed(identities(texts, sketches))
    values = {
        "place": first + checked.positions,
        "id": None if id is None else rows[id],
        "words": sketches.words,
        "high": digests[:, 0],
        "low": digests[:, 1],
        "bands": binaries(sketches.band_keys, settings.banding[0] * np.arange(len(rows) + 1)),
        "fingerprints": binaries(sketches.fingerprints.values, sketches.fingerprints.offsets),
        "bytes": pa.compute.binary_length(texts),
        "text": compressed(texts),
        **{name: None if column is None else rows[column] for name, column in read_by(settings)},
    }
    if callable(settings.canonical):
        values["value"] = pa.array([pickle.dumps(settings.canonical(row)) for row in rows.to_pylist()], pa.binary())
    yield from _batches(values, part, rows, request)
    if checked.rejects:
        at = np.array([reject.row for reject in checked.rejects], np.int64)
        wrong = {"place": at, "reason": pa.array([reject.reason for reject in checked.rejects])}
        yield from _batches(wrong, part, table.take(pa.array(at - first)), request)


def _batches(values: dict[str, Any], part: int, rows: pa.Table, request: Request) -> Iterator[pa.RecordBatch]:
    """Yield columns in the order of `schema_of`; those that are not given are null."""
    n, own = rows.num_rows, rows.schema
    types = dict.fromkeys(("part", "place", "words", "high", "low", "bytes", "row"), pa.int64())
    types |= dict.fromkeys(("bands", "fingerprints", "text"), pa.large_binary())
    types |= dict.fromkeys(("file", "reason"), pa.string())
    made = request.id is None or request.prefixed
    types["id"] = _NUMBERED[request.files is None] if made else own.field(request.id).type
    for name, given in read_by(request.settings):
        types[name] = pa.binary() if given is None else own.field(given).type
    values = {"part": np.full(n, part, np.int64), **values}
    if request.files is not None:
        values |= _of_files(rows, request)
    columns = {}
    for name in COLUMNS:
        given = values.get(name)
        given = pa.nulls(n, types[name]) if given is None else given
        columns[name] = (given if isinstance(given, pa.ChunkedArray) else pa.array(given)).cast(types[name])
    yield from pa.table(columns).combine_chunks().to_batches()


#: Types of ids that are made: of rows that know their file, or not.
_NUMBERED = (pa.string(), pa.int64())


def _of_files(rows: pa.Table, request: Request) -> dict[str, Any]:
    """Return where rows stand that know their file, and their ids if they have none."""
    assert request.files is not None, "they know them"
    if NUMBER in rows.column_names:
        place = rows[NUMBER]
    else:
        place = pa.compute.index_in(rows[FILE].cast(pa.string()), value_set=pa.array(request.files, pa.string()))
    names, row = pa.array(map(shown, request.files), pa.string()).take(place), rows[ROW]
    where = {"part": place.cast(pa.int64()), "place": pa.compute.subtract(row, 1), "file": names, "row": row}
    if request.id is None or request.prefixed:
        after = row if request.id is None else rows[request.id]
        where["id"] = pa.compute.binary_join_element_wise(names, after.cast(pa.string()), ":")
    return where


def signed(digests: NDArray[np.uint64]) -> Int:
    """Return digests as numbers of Spark, which are in the same order."""
    return (digests ^ SIGN).view(np.int64)


def digests_of(table: pa.Table) -> NDArray[np.uint64]:
    """Return the digests of documents: uint64[n, 2]."""
    return np.stack([table[name].to_numpy().view(np.uint64) for name in ("high", "low")], axis=1) ^ SIGN


def binaries(values: NDArray[Any], offsets: Int) -> pa.Array:
    """Return rows of numbers, end to end, as their bytes."""
    size = values.dtype.itemsize
    buffers = pa.py_buffer(np.ascontiguousarray(offsets * size, np.int64)), pa.py_buffer(np.ascontiguousarray(values))
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, [None, *buffers])


def compressed(texts: pa.LargeStringArray) -> pa.LargeBinaryArray:
    """Compress texts, each by itself; what it needs to be read again goes before it."""
    return pa.array([_compress(text.as_buffer()) for text in texts], pa.large_binary())


def _compress(data: pa.Buffer) -> bytes:
    return int(data.size).to_bytes(8, "little") + bytes(CODEC.compress(data, asbytes=True))


def size_of_text(data: Any) -> int:
    """Return how many bytes a text has that was compressed."""
    return int.from_bytes(memoryview(data)[:8], "little")


def decompress(data: Any) -> Any:
    """Return a text that was compressed, as UTF-8."""
    size = size_of_text(data)
    # Arrow's own pool keeps what is freed, which may be as much as all the rest.
    return CODEC.decompress(memoryview(data)[8:], size, memory_pool=pa.system_memory_pool()) if size else b""
