"""
Anything that holds texts to ids and texts, all at once or part by part.

Input    an iterable of str, a mapping id -> text, whatever speaks the Arrow C stream, or files (`reading`)
Output   `Documents`: the rows that can be used as an Arrow table, their ids and texts, and the rejects; or a `Stream`
         of `Part`s, which have the same of some rows each
Cost     one pass over the texts to check their UTF-8 (some GB/s) and a hash of each id; Arrow columns are
         not copied, lists of str are encoded once; rows are looked at one by one only where a check fails.
         A stream holds two parts at a time, and 8 bytes a row to find ids that repeat

Rows are counted from 0 for data in memory, from 1 for files. Rows read = accepted + rejected, always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io.duplicate_ids import repeated
from dupdetect.io.paths import find, label
from dupdetect.io.read_ahead import one_ahead
from dupdetect.io.readers import Piece, Place, Reject, cut, read
from dupdetect.io.remote import as_url
from dupdetect.io.schema import Columns, check_names, conform, plain_column, stacked

REJECTS = pa.schema([("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())])

PART_BYTES = 64 << 20

REJECT_BYTES = 256  # what one takes in memory, about

STRINGS_AT_ONCE = 8192  # str to Arrow: twice as fast as all at once (the buffer never moves), and bounds a retry
SEARCHED_AT_ONCE = 1024  # rows among which a row of invalid UTF-8 is looked for one by one

Faults = dict[int, str]
"""What is wrong with a row, by its position."""


@dataclass(frozen=True, eq=False, repr=False)
class Documents:
    """
    n documents, in the order of the input.

    Attributes
    ----------
    table : pyarrow.Table
        The n accepted rows, every input column.
    ids : pyarrow.ChunkedArray
        n ids, unique, without nulls. Integers, strings or whatever type the input had.
    texts : pyarrow.ChunkedArray of large_string
        n texts, valid UTF-8, without nulls.
    rejects : pyarrow.Table
        ``file`` (string, null for data in memory), ``row`` (int64), ``reason`` (string), in input order.
    inputs : list of str
        The files, or the type of the object in memory.
    """

    table: pa.Table
    ids: pa.ChunkedArray
    texts: pa.ChunkedArray
    rejects: pa.Table
    inputs: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Documents({len(self)} accepted, {self.rejects.num_rows} rejected)"


@dataclass(frozen=True, eq=False)
class Part:
    """
    n rows of an input that follow one another and can be used.

    Attributes
    ----------
    table : pyarrow.Table
        The rows, every column. Parts may differ in columns and types: `conform` gives them those of `Stream.schema`.
    texts : pyarrow.LargeStringArray
        n texts, valid UTF-8, without nulls.
    file : int32[n]
        The number of each row's file, among `Stream.files`.
    row : int64[n]
        Its number there.
    rejects : pyarrow.Table
        Of `REJECTS`: the rows among them that cannot be used.
    note : dict
        Where to go on, as JSON.
    """

    table: pa.Table
    texts: pa.Array
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    rejects: pa.Table
    note: dict[str, Any]

    def __len__(self) -> int:
        return len(self.row)


def collect(data: Any, *, text: str = "text", id: str | None = None, strict: bool = False) -> Documents:
    """
    Read all documents of an input.

    Parameters
    ----------
    data : iterable of str, mapping, Arrow stream, str, Path or list of Path
        Texts; ids and texts; a table (pandas, polars, pyarrow, duckdb, datasets); or files: a path, folder
        or glob, or the URL of such (s3://, gs://, hf://, https://); several of them as a list of `Path`;
        ``Path("-")`` for JSON Lines on standard input.
    text : str
        The column of texts.
    id : str, optional
        The column of ids. By default the column ``id`` if there is one, else the row number (data in memory,
        int64), ``"file:row"`` (files) or the relative path (text files).
    strict : bool
        Whether a row that cannot be used is an error. By default it is a row of `Documents.rejects`.

    Returns
    -------
    Documents

    Raises
    ------
    InputError
        The data are of a type, or the files in a state, that cannot be read; a column is missing or no text;
        with `strict`, a row cannot be used.
    """
    reader = stream(data, text=text, id=id, strict=strict)
    parts = list(reader)
    table = stacked([part.table for part in parts], reader.schema)
    texts = pa.chunked_array([part.texts for part in parts], pa.large_string())
    file = np.concatenate([np.empty(0, np.int32), *(part.file for part in parts)])
    row = np.concatenate([np.empty(0, np.int64), *(part.row for part in parts)])
    ids = reader.ids(table, file, row)
    late, rejects = reader.late(ids, file, row)
    if len(late):
        keep = np.ones(len(row), np.bool_)
        keep[late] = False
        table, ids, texts = (column.filter(pa.array(keep)) for column in (table, ids, texts))
    return Documents(table, ids, texts, reader.rejects([*(part.rejects for part in parts), rejects]), reader.inputs)


def stream(
    data: Any,
    *,
    text: str = "text",
    id: str | None = None,
    strict: bool = False,
    part_bytes: int = PART_BYTES,
    after: Mapping[str, Any] | None = None,
) -> Stream:
    """
    Read the documents of an input part by part.

    Parameters
    ----------
    data, text, id, strict
        As for `collect`.
    part_bytes : int
        Bytes of rows in a part, about: between half and one and a half as many, unless one row has more.
    after : mapping, optional
        The `Part.note` of a part: begin after it. Data and parameters must be as they were.

    Returns
    -------
    Stream

    Raises
    ------
    InputError
        The data are of a type that cannot be read, or files are not there; further errors come as it is read.
    """
    source = _source(data, text, id or "id", part_bytes)
    return Stream(source, text, id, strict, part_bytes, after)


class Stream:
    """
    The parts of an input, to be iterated over once, and what only all of them tell.

    Attributes
    ----------
    inputs : list of str
        The files, or the type of the object in memory.
    files : list of str or None
        The name of each file; [None] for data in memory.
    """

    def __init__(
        self, source: _Source, text: str, id: str | None, strict: bool, part_bytes: int, after: Mapping[str, Any] | None
    ) -> None:
        self.inputs = source.inputs
        self.files = source.files
        self._source = source
        self._text = text
        self._strict = strict
        self._size = part_bytes
        self._seen = _Seen(text, id)
        self._start: Place = (0, None)
        if after is not None:
            self._seen.go_on(after)
            self._start = after["next"][0], after["next"][1]

    def __iter__(self) -> Iterator[Part]:
        parts = self._parts()
        return one_ahead(parts) if self._source.patient else parts

    @property
    def id(self) -> str | None:
        """The column of ids, None if rows are numbered. Known for sure after the last part, like all that follows."""
        return self._seen.id

    @property
    def schema(self) -> pa.Schema:
        """That of all rows together; `conform` puts tables into it.

        Raises
        ------
        InputError
            Files that say what types they have do not agree.
        """
        return self._seen.columns.schema(inferred=self._seen.inferred)

    def ids(self, table: pa.Table, file: NDArray[np.int32], row: NDArray[np.int64]) -> pa.ChunkedArray:
        """
        The ids of rows.

        Parameters
        ----------
        table : pyarrow.Table
            n rows of a part; of its columns that of ids is enough.
        file, row : int32[n], int64[n]
            Of the same rows.

        Returns
        -------
        pyarrow.ChunkedArray
            n ids of the type that all have. Null where `late` says so.
        """
        if self.id is None:
            return self._numbers(file, row)
        column = conform(table.select({self.id} & set(table.column_names)), pa.schema([self.schema.field(self.id)]))
        ids = plain_column(column[self.id]) if len(row) else pa.chunked_array([], column.schema.field(0).type)
        return ids.cast(pa.string()) if pa.types.is_null(ids.type) else ids  # no row had an id, thus none is left

    def _numbers(self, file: NDArray[np.int32], row: NDArray[np.int64]) -> pa.ChunkedArray:
        numbers = pa.array(row)
        if self.files != [None] and self.files:
            files = pa.array(self.files, pa.string()).take(pa.array(file))
            numbers = pc.binary_join_element_wise(files, numbers.cast(pa.string()), ":")
        return pa.chunked_array([numbers])

    def late(
        self, ids: pa.ChunkedArray, file: NDArray[np.int32], row: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], pa.Table]:
        """
        Find rows that turn out to be no documents: their ids repeat others, or are null.

        Parameters
        ----------
        ids : pyarrow.ChunkedArray
            The ids of all n rows of all parts.
        file, row : int32[n], int64[n]
            Of all rows.

        Returns
        -------
        int64[m]
            The positions of such rows, ascending.
        pyarrow.Table
            Of `REJECTS`: m rows, in the same order.

        Raises
        ------
        InputError
            There are such rows, and the stream is strict.
        """
        reasons: Faults = {}
        if self.id is not None:
            again, first = repeated(ids)
            values = ids.take(pa.array(again)).to_pylist()
            for position, earlier, value in zip(again.tolist(), first.tolist(), values, strict=True):
                where = f"row {row[earlier]}"
                if file[earlier] != file[position]:
                    where = f"{self.files[file[earlier]]}:{row[earlier]}"
                reasons[position] = f"column {self.id!r} repeats the id {value!r} of {where}"
            reasons |= dict.fromkeys(_nulls(ids), _NO_ID.format(self.id))
        late = sorted(reasons)
        rejects = _reject_table([Reject(self.files[file[at]], int(row[at]), reasons[at]) for at in late])
        self._hold(self.rejects([rejects]))
        return np.array(late, np.int64), rejects

    def rejects(self, tables: Sequence[pa.Table]) -> pa.Table:
        """Put tables of rejects below one another, in the order of the input."""
        table = pa.concat_tables([REJECTS.empty_table(), *tables])
        files = pa.array(self.files, pa.string())
        order = np.lexsort((table["row"].to_numpy(), pc.index_in(table["file"], value_set=files).to_numpy()))
        return table.take(pa.array(order)).combine_chunks()

    def _hold(self, rejects: pa.Table) -> None:
        if self._strict and rejects.num_rows:
            raise InputError(_first(rejects))

    def _parts(self) -> Iterator[Part]:
        waiting: list[_Checked] = []
        columns = Columns()
        for piece in map(_without_views, self._source.pieces(self._start)):
            if not columns.add(piece.table.schema, piece.name):  # put together they would not be what they are
                yield self._part(waiting)
                waiting, columns = [], Columns()
                columns.add(piece.table.schema, piece.name)
            self._seen.see(piece)
            if piece.table.num_columns or piece.rejects:
                waiting.append(self._check(piece))
            if 2 * sum(checked.size for checked in waiting) >= self._size:
                yield self._part(waiting)
                waiting, columns = [], Columns()
        if any(len(checked.table) or checked.rejects for checked in waiting):
            yield self._part(waiting)

    def _part(self, waiting: Sequence[_Checked]) -> Part:
        columns = Columns()
        for checked in waiting:
            columns.add(checked.table.schema, checked.piece.name)
        table = stacked([checked.table for checked in waiting], columns.schema(inferred=True))
        table, texts = _one_array(
            table, self._text, [chunk for checked in waiting for chunk in checked.texts.chunks if len(chunk)]
        )
        rejects = self.rejects([_reject_table([reject for checked in waiting for reject in checked.rejects])])
        self._hold(rejects)
        file = np.concatenate([checked.piece.files[checked.positions] for checked in waiting])
        row = np.concatenate([checked.piece.rows[checked.positions] for checked in waiting])
        return Part(table, texts, file, row, rejects, {"next": waiting[-1].piece.end, **self._seen.note()})

    def _check(self, piece: Piece) -> _Checked:
        """Divide the rows of a piece into those that can be used and rejects."""
        table = piece.table
        positions = np.arange(table.num_rows)
        if not table.num_columns:  # nothing but rejects
            return _Checked(piece, table, _no_texts(), positions, piece.rejects, REJECT_BYTES * len(piece.rejects))
        texts = _texts(piece, self._text)
        size = table.nbytes + REJECT_BYTES * len(piece.rejects)
        faults = _faults(table, texts, self._text, self._seen.named, piece) | piece.faults
        if faults:
            keep = np.ones(table.num_rows, bool)
            keep[list(faults)] = False
            positions = positions[keep]
            table, texts = table.filter(pa.array(keep)), texts.filter(pa.array(keep))
        rejects = [Reject(self.files[piece.files[at]], int(piece.rows[at]), reason) for at, reason in faults.items()]
        return _Checked(piece, table, texts, positions, piece.rejects + rejects, size)


def _first(rejects: pa.Table) -> str:
    first = rejects.slice(0, 1).to_pylist()[0]
    where = f"{first['file']}:{first['row']}" if first["file"] else f"row {first['row']}"
    more = f" ({len(rejects) - 1} more rows like it or otherwise bad)" if len(rejects) > 1 else ""
    return f"{where}: {first['reason']}{more}; mend the row, or read without strict to have it rejected"


def _reject_table(rejects: list[Reject]) -> pa.Table:
    return pa.table([list(column) for column in zip(*rejects, strict=True)] or [[], [], []], schema=REJECTS)


def _one_array(table: pa.Table, text: str, chunks: list[pa.Array]) -> tuple[pa.Table, pa.Array]:
    """Put texts end to end; strings of the table are then the same bytes."""
    if len(chunks) == 1:
        return table, chunks[0]
    if not chunks:
        return table, pa.array([], pa.large_string())
    column = table.schema.field(text)
    wide = pa.types.is_large_string(column.type)
    if not wide and not (pa.types.is_string(column.type) and sum(chunk.nbytes for chunk in chunks) < 2**31):
        return table, pa.concat_arrays(chunks)
    joined = pa.concat_arrays(table[text].chunks)
    table = table.set_column(table.column_names.index(text), column, joined)
    return table, joined if wide else joined.cast(pa.large_string())


class _Seen:
    """What a stream has seen of columns, across its files."""

    def __init__(self, text: str, id: str | None) -> None:
        self.columns = Columns()
        self.inferred = True
        self.named = id or "id"
        self._text = text
        self._wanted = id is not None
        self._having: str | None = None  # the first file with ids
        self._lacking: list[str] | None = None  # the first without, and its columns
        self._file = Columns()  # the one that is being read

    @property
    def id(self) -> str | None:
        return self.named if self.named in self.columns.names else None

    def see(self, piece: Piece) -> None:
        self.inferred &= piece.inferred
        self.columns.add(piece.table.schema, piece.name)
        self._file.add(piece.table.schema, piece.name)
        if not piece.loose:
            self._settle(piece.name)
            self._file = Columns()

    def _settle(self, name: str) -> None:
        """Hold that a file has the columns that are needed."""
        names = self._file.names
        if not names:  # empty
            return
        listed = ", ".join(map(repr, names))
        if self.named in names:
            self._having = self._having or name
            _check_id_type(self._file.schema(inferred=True).field(self.named).type, self.named, name)
        else:
            self._lacking = self._lacking or [name, listed]
            if self._wanted:
                raise _missing(name, self.named, listed)
        if self._text not in names:
            raise _missing(name, self._text, listed)
        if self._having and self._lacking:
            raise InputError(
                f"{self._lacking[0]}: there is no column 'id', but {self._having} has one; its columns are "
                f"{self._lacking[1]}: give all files ids, or read them separately"
            )

    def note(self) -> dict[str, Any]:
        return {
            "columns": self.columns.note(),
            "inferred": self.inferred,
            "having": self._having,
            "lacking": self._lacking,
            "file": self._file.note(),
        }

    def go_on(self, note: Mapping[str, Any]) -> None:
        self.columns, self._file = Columns.from_note(note["columns"]), Columns.from_note(note["file"])
        self.inferred, self._having, self._lacking = note["inferred"], note["having"], note["lacking"]


def _missing(where: str, name: str, listed: str) -> InputError:
    return InputError(f"{where}: there is no column {name!r}; the columns are {listed}: name one of these")


# ---- what kind of data ----


@dataclass(frozen=True, eq=False)
class _Source:
    """Something to read: its pieces from a place on, and whether a thread may read them."""

    inputs: list[str]
    files: list[str | None]
    pieces: Callable[[Place], Iterator[Piece]]
    patient: bool = False


def _source(data: Any, text: str, id: str, size: int) -> _Source:
    if isinstance(data, str | Path):
        return _from_files([data], text, id, size)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _in_memory(data, _from_arrow(data, text, id, size))
    if isinstance(data, Mapping):
        return _in_memory(data, _from_mapping(data, text, id, size))
    if isinstance(data, bytes | bytearray) or not isinstance(data, Iterable):
        raise InputError(
            f"the data are of type {type(data).__name__}: expected an iterable of str, a mapping of ids to texts, "
            "a table that speaks the Arrow C stream, or the path of a file"
        )
    items = iter(data)
    head = list(islice(items, 1))
    if head and isinstance(head[0], Path):
        return _from_files([*head, *items], text, id, size)
    return _in_memory(data, _from_strings(chain(head, items), text, id, size))


def _from_files(paths: list[Any], text: str, id: str, size: int) -> _Source:
    wrong = next((path for path in paths if not isinstance(path, str | Path)), None)
    if wrong is not None:
        raise InputError(f"the list of paths holds a {type(wrong).__name__}: expected nothing but paths")
    found = find(paths)
    files: list[str | None] = [label(file.path) for file in found]
    return _Source(
        list(dict.fromkeys(label(file.path) for file in found)),
        files,
        lambda start: read(found, text=text, id=id, size=size, start=start),
        # A pipe may never end, and a thread that waits for it could not be interrupted.
        patient=all(as_url(file.path) or Path(file.path).is_file() for file in found),
    )


def _in_memory(data: Any, tables: Iterator[tuple[pa.Table, Faults]]) -> _Source:
    """Number the rows of tables. They are made here whatever part comes next: it may take code of others."""

    def pieces(start: Place) -> Iterator[Piece]:
        row, passed = 0, start[1] or 0
        for table, faults in tables:
            first, row = row, row + table.num_rows
            if row > passed or not row:
                files = np.zeros(table.num_rows, np.int32)
                yield Piece(table, np.arange(first, row), files, "the data", faults=faults, end=(0, row))

    return _Source([type(data).__name__], [None], pieces)


def _from_arrow(data: Any, text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
    try:
        schema, tables = _arrow_tables(data, text, id)
        check_names(schema.names, "the data")
        yield schema.empty_table(), {}
        for table in tables:
            for part in cut(table, text, size):
                yield part, {}
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"the {type(data).__name__} cannot be read as Arrow data ({error}): expected a table"
        ) from error


def _arrow_tables(data: Any, text: str, id: str) -> tuple[pa.Schema, Iterator[pa.Table]]:
    try:
        reader = pa.RecordBatchReader.from_stream(data)
    except (pa.ArrowException, TypeError):  # a column without a table, or an array
        column = pa.chunked_array(data)
    else:
        return reader.schema.remove_metadata(), (
            pa.Table.from_batches([batch]).replace_schema_metadata() for batch in reader
        )
    if pa.types.is_struct(column.type):
        schema = pa.schema([column.type.field(i) for i in range(column.type.num_fields)])
        batches = (pa.RecordBatch.from_struct_array(chunk) for chunk in column.chunks)
        return schema, (pa.Table.from_batches([batch], schema) for batch in batches)
    table = pa.table({id: np.arange(len(column)), text: column})
    return table.schema, iter([table])


def _from_strings(items: Iterable[Any], text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
    row = 0
    for chunk, faults in _strings(items, text, size):
        yield pa.table({id: np.arange(row, row + len(chunk)), text: chunk}), faults
        row += len(chunk)


def _from_mapping(data: Mapping[Any, Any], text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
    ids, wrong = _keys(list(data), id)
    row = 0
    for chunk, faults in _strings(data.values(), text, size):
        bad_ids = {at: wrong[row + at] for at in range(len(chunk)) if row + at in wrong} if wrong else {}
        yield pa.table({id: ids.slice(row, len(chunk)), text: chunk}), faults | bad_ids
        row += len(chunk)


def _strings(items: Iterable[Any], name: str, size: int) -> Iterator[tuple[pa.Array, Faults]]:
    """Python strings as Arrow; null where there is a fault."""
    for batch in chain([[]], _batches(items, size)):
        faults: Faults = {}
        try:
            chunk = pa.array(batch, pa.large_string())
        except (pa.ArrowException, UnicodeEncodeError, TypeError, ValueError):
            faults = {row: fault for row, item in enumerate(batch) if (fault := _fault(item, name))}
            chunk = pa.array([None if row in faults else item for row, item in enumerate(batch)], pa.large_string())
        yield chunk, faults


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut an iterable into lists of at most `STRINGS_AT_ONCE` items, fewer where these are long."""
    iterator = iter(items)
    count = 1
    while batch := list(islice(iterator, min(count, STRINGS_AT_ONCE))):
        yield batch
        length = sum(len(item) for item in batch if isinstance(item, str | bytes))
        count = max(1, min(2 * count, size * len(batch) // (4 * length + 1)))


def _fault(item: Any, name: str) -> str | None:
    """What keeps an object from being a text, if anything."""
    if isinstance(item, str):
        try:
            item.encode()
        except UnicodeEncodeError as error:
            where = f"U+{ord(item[error.start]):04X}, character {error.start}"
            return f"column {name!r} holds a lone surrogate ({where}), expected valid Unicode"
        return None
    if isinstance(item, bytes):
        return _utf8_fault(item, name)
    if item is None or item != item:  # NaN is how pandas writes a null
        return f"column {name!r} is null, expected a string"
    return f"column {name!r} is of type {type(item).__name__}, expected a string"


def _utf8_fault(raw: bytes, name: str) -> str | None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"column {name!r} is not valid UTF-8 (byte {error.start}: 0x{raw[error.start]:02X})"
    return None


def _keys(keys: list[Any], name: str) -> tuple[pa.Array, Faults]:
    """The keys of a mapping as Arrow; null where there is a fault."""
    try:
        return pa.array(keys), {}
    except UnicodeEncodeError:
        found = {row: fault for row, key in enumerate(keys) if isinstance(key, str) and (fault := _fault(key, name))}
        return _keys([None if row in found else key for row, key in enumerate(keys)], name)[0], found
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        kinds = " and ".join(sorted({type(key).__name__ for key in keys}))
        raise InputError(f"the ids are of types {kinds}: expected all strings or all integers of 64 bits") from error


# ---- which rows can be used ----

_NO_ID = "column {!r} is null, expected an id"


@dataclass(frozen=True, eq=False)
class _Checked:
    """The rows of a piece that can be used."""

    piece: Piece
    table: pa.Table
    texts: pa.ChunkedArray
    positions: NDArray[np.int64]  # their places in the piece
    rejects: list[Reject]
    size: int  # bytes of all rows of the piece, and of its rejects


def _no_texts(count: int = 0) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(count, pa.large_string())] if count else [], pa.large_string())


def _without_views(piece: Piece) -> Piece:
    table = piece.table
    for place, column in enumerate(table.schema):
        if str(column.type) in ("string_view", "binary_view"):
            table = table.set_column(place, column.name, plain_column(table.column(place)))
    return piece if table is piece.table else replace(piece, table=table)


def _texts(piece: Piece, name: str) -> pa.ChunkedArray:
    """The column of strings, or bytes that may be strings, as large_string; not checked yet."""
    if name not in piece.table.column_names:  # other rows of the file have it
        return _no_texts(piece.table.num_rows)
    column = plain_column(piece.table[name])
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        wide = column.cast(pa.large_binary())
        return pa.chunked_array([chunk.view(pa.large_string()) for chunk in wide.chunks], pa.large_string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_null(column.type):
        return column.cast(pa.large_string())
    type_ = piece.table.schema.field(name).type
    raise InputError(f"{piece.name}: column {name!r} is {type_}, expected string; name another column or convert it")


def _faults(table: pa.Table, texts: pa.ChunkedArray, text: str, id: str, piece: Piece) -> Faults:
    """What is wrong with which rows: nulls and invalid UTF-8."""
    faults: Faults = {}
    for name in table.column_names:
        column = texts if name == text else table[name]
        if name == id:
            faults |= dict.fromkeys(_nulls(column), _NO_ID.format(name))
        faults |= _invalid(column, name, piece)
    return faults | dict.fromkeys(_nulls(texts), f"column {text!r} is null, expected a string")


def _nulls(column: pa.ChunkedArray) -> list[int]:
    return np.flatnonzero(column.is_null().to_numpy()).tolist() if column.null_count else []


def _check_id_type(type_: pa.DataType, name: str, where: str) -> None:
    if pa.types.is_nested(type_) or pa.types.is_float16(type_):
        raise InputError(f"{where}: column {name!r} is {type_}, expected ids that are strings or integers")


def _invalid(column: pa.ChunkedArray, name: str, piece: Piece) -> Faults:
    """Rows whose strings are not UTF-8: Parquet and Arrow files promise it, and nobody checks."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        column = plain_column(column)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise InputError(f"{piece.name}: column {name!r} is damaged ({error}): write the file anew") from error
        return dict(_search(column, name))
    return {}


def _search(column: pa.ChunkedArray, name: str) -> Iterator[tuple[int, str]]:
    for start in range(0, len(column), SEARCHED_AT_ONCE):
        part = column.slice(start, SEARCHED_AT_ONCE)
        try:
            part.validate(full=True)
        except pa.ArrowInvalid:
            for row, raw in enumerate(part.cast(pa.large_binary()).to_pylist(), start):
                fault = raw is not None and _utf8_fault(raw, name)
                if fault:
                    yield row, fault
