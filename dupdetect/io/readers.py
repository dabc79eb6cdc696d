"""
Files to tables, bit by bit.

Input    files that were found
Output   `Piece`s of about a given size: rows of one file as a table, their numbers, its rejects; of text files, many
Cost     that of pyarrow's readers

A row that cannot be read is a reject and reading goes on; a file that cannot be read is an `InputError`.
Rows are counted from 1. For JSON Lines and CSV that is the line an editor shows (where the record starts), in
Parquet and Arrow files the row, in a text file always 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io import csv as csvfiles
from dupdetect.io import jsonlines
from dupdetect.io.first_bytes import check_first_bytes
from dupdetect.io.parquet import BUFFER_BYTES, row_group, unfolded, unit_of_int96
from dupdetect.io.parquet import schema_of as schema_of_parquet
from dupdetect.io.paths import ONE_TEXT, Found, label, partition_of
from dupdetect.io.schema import check_names
from dupdetect.io.selection import empty, size_of
from dupdetect.io.streams import MAX_TEXT, Mapped, as_file, as_stream, reported, seekable
from dupdetect.io.web import pages_of, text_of

TEXT_FILES_AT_ONCE = 1024


class Reject(NamedTuple):
    """A row that could not be used: its file (None: data in memory), its number, and why."""

    file: str | None
    row: int
    reason: str


Faults = dict[int, str]
"""What is wrong with rows, by their positions in a table."""

Place = tuple[int, Any]
"""The number of a file, and how far it has been read: None not at all, else what its format says."""


@dataclass(frozen=True, eq=False)
class Piece:
    """
    Rows of one file, of several text files, or of one object in memory.

    Attributes
    ----------
    table : pyarrow.Table
        The n rows that could be read, every column.
    rows : int64[n]
        Their row numbers.
    files : int32[n]
        The numbers of their files, among those found.
    name : str
        What messages call it.
    rejects : list of Reject
        The rows that could not be read.
    faults : dict of int to str
        What is already known to be wrong with rows of the table, by position.
    inferred : bool
        Column types were guessed from values (JSON, CSV) and may give way to text; else they were declared.
    loose : bool
        Further pieces of the file may have other columns.
    end : tuple, optional
        Where reading goes on after it, as JSON; None: it cannot go on here.
    encoding : str, optional
        What it was decoded from; None: it was in UTF-8.
    """

    table: pa.Table
    rows: NDArray[np.int64]
    files: NDArray[np.int32]
    name: str
    rejects: list[Reject] = field(default_factory=list)
    faults: Faults = field(default_factory=dict)
    inferred: bool = False
    loose: bool = False
    end: Place | None = None
    encoding: str | None = None


class _Cut(NamedTuple):
    """What readers of formats yield."""

    table: pa.Table
    rows: NDArray[np.int64]
    end: Any
    rejects: Sequence[tuple[int, str]] = ()


class _Options(NamedTuple):
    text: str
    id: str
    size: int
    most: int


def read(
    found: Sequence[Found],
    *,
    text: str = "text",
    id: str = "id",
    size: int = 64 << 20,
    start: Place = (0, None),
    most: int = MAX_TEXT,
) -> Iterator[Piece]:
    """
    Read files.

    Parameters
    ----------
    found : sequence of Found
        From `paths.find`.
    text, id : str
        The columns of texts and ids: their values are never taken for a date or a number. Names of
        the columns made of text files. Whether a table has them is for the caller to check.
    size : int
        Bytes that a piece should not exceed, unless one row does; compressed JSON Lines and CSV come in blocks of
        their own.
    start : tuple
        The `end` of a piece: begin after it.
    most : int
        Bytes that a line or record, or a text file, may have: more are a reject, and not held in memory.

    Yields
    ------
    Piece
        Each file ends with one that has neither rows nor columns.

    Raises
    ------
    InputError
        A file cannot be read or is not what its name says.
    """
    options = _Options(text, id, size, most)
    number, place = start
    while number < len(found):
        if found[number].fault is not None:
            yield _unread(found[number], number)
            number += 1
        elif found[number].format in ONE_TEXT:
            piece = _read_texts(found, number, options)
            number += len(piece.files) + len(piece.rejects)
            yield piece
        else:
            yield from _pieces(found[number], number, options, place)
            number += 1
        place = None


def _pieces(file: Found, number: int, options: _Options, place: Any) -> Iterator[Piece]:
    name, partition = label(file.path), partition_of(file.path)
    inferred = file.format in ("JSON Lines", "CSV", "lines")
    with reported(file):
        if place is None:
            check_first_bytes(file, name)
        source = file if file.format == "JSON Lines" else seekable(file)
        for cut in _READERS[file.format](source, options, place):
            rejects = [Reject(name, row, reason) for row, reason in cut.rejects]
            files = np.full(len(cut.rows), number, np.int32)
            yield Piece(
                _with_partition(cut.table, partition, options),
                cut.rows,
                files,
                name,
                rejects,
                inferred=inferred,
                loose=file.format == "JSON Lines",
                end=(number, cut.end),
                encoding=file.encoding,
            )
    yield closing(name, inferred=inferred, end=(number + 1, None))


def _unread(file: Found, number: int) -> Piece:
    """Reject a member of an archive that is not read."""
    name = label(file.path)
    return replace(closing(name, inferred=True, end=(number + 1, None)), rejects=[Reject(name, 1, str(file.fault))])


def _with_partition(table: pa.Table, partition: dict[str, str | None], options: _Options) -> pa.Table:
    """Add the columns that the file's folders name; those that it has itself stay, and ids and texts are its own."""
    for name, value in partition.items() if table.num_columns else ():
        if name not in (options.id, options.text, *table.column_names):
            column = pa.nulls(len(table), pa.string()) if value is None else pa.repeat(pa.scalar(value), len(table))
            table = table.append_column(name, column)
    return table


def closing(name: str, *, inferred: bool, end: Place) -> Piece:
    """Say that a file ends."""
    return Piece(pa.table({}), np.empty(0, np.int64), np.empty(0, np.int32), name, inferred=inferred, end=end)


def cut(table: pa.Table, text: str, size: int) -> Iterator[pa.Table]:
    """
    Cut a table into slices of at most `size` bytes, or of one row.

    Rows are as long as their texts are, and other columns are taken to be equally long in all rows.
    """
    if table.num_rows == 0:
        return
    lengths = _lengths(table, text)
    if lengths.sum() <= size:
        yield table
        return
    ends = np.cumsum(lengths)
    first = 0
    while first < table.num_rows:
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + size, side="right")))
        yield table.slice(first, last - first)
        first = last


def _lengths(table: pa.Table, text: str) -> NDArray[np.float64]:
    """Bytes that each row takes once it is decoded, about."""
    column = table[text] if text in table.column_names else None
    if column is None or not (_is_string(column.type) or pa.types.is_dictionary(column.type)):
        return np.full(table.num_rows, max(1, size_of(table) / table.num_rows))
    others = size_of(table.drop_columns([text])) / table.num_rows if table.num_columns > 1 else 0
    return np.concatenate([_text_lengths(chunk) for chunk in column.chunks]) + (others + 8)


def _is_string(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_)
        or pa.types.is_large_string(type_)
        or pa.types.is_binary(type_)
        or pa.types.is_large_binary(type_)
        or "view" in str(type_)
    )


def _text_lengths(texts: pa.Array) -> NDArray[np.float64]:
    if pa.types.is_dictionary(texts.type):
        lengths = _text_lengths(texts.dictionary)
        known = pc.fill_null(texts.indices, 0).to_numpy(zero_copy_only=False)
        return lengths[known] if len(lengths) else np.zeros(len(texts))
    if not _is_string(texts.type):
        return np.zeros(len(texts))
    if "view" in str(texts.type):
        texts = texts.cast(pa.large_binary() if "binary" in str(texts.type) else pa.large_string())
    return np.asarray(pc.fill_null(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False), np.float64)


# ---- formats ----


def _read_parquet(file: Found, options: _Options, place: Any) -> Iterator[_Cut]:
    passed, row = place or 0, 0
    source = as_file(file)
    metadata = pyarrow.parquet.read_metadata(source)
    unit = unit_of_int96(source, metadata)
    schema = schema_of_parquet(source, metadata, unit)
    check_names(schema.names, label(file.path))
    for number in range(metadata.num_row_groups):
        rows = metadata.row_group(number).num_rows
        if row + rows <= passed:
            row += rows
            continue
        for table in row_group(file, source, metadata, number, options.text, options.size, unit=unit):
            for part in cut(table, options.text, options.size):
                row += part.num_rows
                if row > passed:
                    yield _Cut(unfolded(part, schema), np.arange(row - part.num_rows + 1, row + 1), row)
    if row == 0:
        yield _Cut(empty(schema), np.empty(0, np.int64), 0)


def _read_arrow(file: Found, options: _Options, place: Any) -> Iterator[_Cut]:
    passed, row = place or 0, 0
    mapped = Mapped(file)
    magic = mapped.source.read(6)
    mapped.source.seek(0)
    schema, batches = (_batches_of_file if magic == b"ARROW1" else _batches_of_stream)(mapped.source)
    check_names(schema.names, label(file.path))
    for batch in batches:
        _validate(batch)
        for part in cut(pa.Table.from_batches([batch]), options.text, options.size):
            row += part.num_rows
            if row > passed:
                yield _Cut(mapped.copied(part), np.arange(row - part.num_rows + 1, row + 1), row)
    if magic != b"ARROW1":
        _check_end(mapped.source, label(file.path))
    if row == 0:
        yield _Cut(empty(schema), np.empty(0, np.int64), 0)


def schema_of(file: Found) -> pa.Schema:
    """Return the schema that an Arrow file says it has."""
    with reported(file):
        mapped = Mapped(file)
        is_file = mapped.source.read(6) == b"ARROW1"
        mapped.source.seek(0)
        return (_batches_of_file if is_file else _batches_of_stream)(mapped.source)[0]


def _validate(batch: pa.RecordBatch) -> None:
    """Look at all offsets of a batch, which come from outside, and would be followed anywhere.

    Bytes that are no UTF-8 are looked for later: in a column they make rejects.
    """
    binary = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    batch.validate()
    for column in batch.columns:
        (column.view(binary[column.type]) if column.type in binary else column).validate(full=True)


def _batches_of_file(source: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    reader = pyarrow.ipc.open_file(source)
    return reader.schema, (reader.get_batch(number) for number in range(reader.num_record_batches))


def _batches_of_stream(source: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    reader = pyarrow.ipc.open_stream(source)
    return reader.schema, iter(reader)


def _check_end(source: Any, name: str) -> None:
    """Refuse a stream that anything follows but zeros: a reader stops where it ends, and says nothing of what comes."""
    while more := source.read(BUFFER_BYTES):
        if more.strip(b"\0"):
            raise InputError(
                f"{name}: further data follow the end of the stream, expected one Arrow stream; "
                "if they are another, give it as a file of its own"
            )


def _read_json_lines(file: Found, options: _Options, place: Any) -> Iterator[_Cut]:
    with as_stream(file) as stream:
        for block in jsonlines.read_blocks(
            stream, label(file.path), options.text, place, options.most, listed=file.listed
        ):
            yield _Cut(block.table, block.lines, block.end, block.rejects)


def _read_csv(file: Found, options: _Options, place: Any) -> Iterator[_Cut]:
    blocks = csvfiles.read_blocks(
        lambda: as_stream(file), label(file.path), csvfiles.delimiter_of(file), options.id, options.most
    )
    for number, block in enumerate(blocks, 1):
        if number > (place or 0):
            yield _Cut(block.table, block.lines, number, block.rejects)


def _read_orc(file: Found, options: _Options, place: Any) -> Iterator[_Cut]:
    from pyarrow.orc import ORCFile

    passed, row = place or 0, 0
    reader = ORCFile(as_file(file))
    check_names(reader.schema.names, label(file.path))
    for number in range(reader.nstripes):
        for part in cut(pa.Table.from_batches([reader.read_stripe(number)]), options.text, options.size):
            row += part.num_rows
            if row > passed:
                yield _Cut(part, np.arange(row - part.num_rows + 1, row + 1), row)
    if row == 0:
        yield _Cut(reader.schema.empty_table(), np.empty(0, np.int64), 0)


def _read_lines(file: Found, options: _Options, place: Any) -> Iterator[_Cut]:
    """Read a file of which each line is a text."""
    passed, row = place or 0, 0
    with as_stream(file) as stream:
        for block, passed_over in jsonlines.whole_lines(stream, options.most):
            lines = block.removeprefix(jsonlines.BOM if row == 0 else b"").split(b"\n")
            lines = [line.removesuffix(b"\r") for line in (lines if lines[-1] else lines[:-1])]
            rows = row + 1 + np.arange(len(lines))
            row += len(lines) + bool(passed_over)
            long = f"the line has more than {options.most:,} bytes (max_text)"
            if row > passed:
                texts = pa.array(lines, pa.large_binary()).view(pa.large_string())  # not checked yet: documents does
                yield _Cut(pa.table({options.text: texts}), rows, row, [(row, long)] if passed_over else [])


def _read_pages(file: Found, options: _Options, place: Any) -> Iterator[_Cut]:
    """Read a WARC file."""
    passed, main = place or 0, file.format == "main WARC"
    with as_stream(file) as stream:
        for table, rows in pages_of(stream, options.text, most=options.most, main=main):
            last = int(rows[-1]) if len(rows) else passed
            if last > passed or not len(rows):
                yield _Cut(table.filter(pa.array(rows > passed)), rows[rows > passed], last)


_READERS: dict[str, Callable[[Found, _Options, Any], Iterator[_Cut]]] = {
    "Parquet": _read_parquet,
    "JSON Lines": _read_json_lines,
    "CSV": _read_csv,
    "Arrow": _read_arrow,
    "ORC": _read_orc,
    "lines": _read_lines,
    "WARC": _read_pages,
    "main WARC": _read_pages,
}


def _read_texts(found: Sequence[Found], first: int, options: _Options) -> Piece:
    """Read text files that follow one another: as many as a piece holds."""
    contents: list[bytes] = []
    files: list[int] = []
    rejects: list[Reject] = []
    length = 0
    end = first
    for file in found[first : first + TEXT_FILES_AT_ONCE]:
        if file.format not in ONE_TEXT or file.fault is not None or length >= options.size:
            break
        with reported(file), as_stream(file) as stream:
            content = _content(stream, options.most)
        if content is None:
            rejects.append(Reject(label(file.path), 1, f"the file has more than {options.most:,} bytes (max_text)"))
        else:
            contents.append(_as_text(file, content))
            files.append(end)
            length += len(content)
        end += 1
    texts = pa.array(contents, pa.large_binary()).view(pa.large_string())  # not checked yet: documents does
    table = pa.table({options.id: pa.array([found[at].name for at in files], pa.string()), options.text: texts})
    return Piece(
        table,
        np.ones(len(files), np.int64),
        np.array(files, np.int32),
        label(found[first].path),
        rejects,
        inferred=True,
        end=(end, None),
        encoding=found[first].encoding,
    )


def _as_text(file: Found, content: bytes) -> bytes:
    if file.format == "text":
        return content.removeprefix(jsonlines.BOM)
    return text_of(content, main=file.format == "main HTML").encode()


def _content(stream: Any, most: int) -> bytes | None:
    """Return all of a stream; None if that is more than it may be."""
    read, length = [], 0
    while content := stream.read(BUFFER_BYTES):
        read.append(content)
        length += len(content)
        if length > most:
            return None
    return b"".join(read)
