"""
Anything that holds texts to ids and texts.

Input    an iterable of str, a mapping id -> text, whatever speaks the Arrow C stream, or files (`reading`)
Output   `Documents`: the rows that can be used as an Arrow table, their ids and texts, and the rejects
Cost     one pass over the texts to check their UTF-8 (some GB/s) and a hash of each id; Arrow columns are
         not copied, lists of str are encoded once; rows are looked at one by one only where a check fails

Rows are counted from 0 for data in memory, from 1 for files. Rows read = accepted + rejected, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.reading import Piece, Reject, batches, check_names, find, label, plain_column, read, unify

REJECTS = pa.schema([("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())])

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


def collect(data: Any, *, text: str = "text", id: str | None = None, strict: bool = False) -> Documents:
    """
    Read all documents of an input.

    Parameters
    ----------
    data : iterable of str, mapping, Arrow stream, str, Path or list of Path
        Texts; ids and texts; a table (pandas, polars, pyarrow, duckdb, datasets); or files: a path, folder
        or glob, several of them as a list of `Path`, ``Path("-")`` for JSON Lines on standard input.
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
    pieces, inputs = _pieces(data, text, id or "id")
    named = _id_column(pieces, id)
    checked = [_check(piece, text, named) for piece in pieces]
    documents, rejects = _join(checked, named)
    ordered = [reject for faults in rejects for reject in sorted(faults, key=lambda reject: reject.row)]
    if strict and ordered:
        raise InputError(_first(ordered))
    return Documents(*documents, _reject_table(ordered), inputs)


def _first(rejects: list[Reject]) -> str:
    first = rejects[0]
    where = f"{first.file}:{first.row}" if first.file else f"row {first.row}"
    more = f" ({len(rejects) - 1} more rows like it or otherwise bad)" if len(rejects) > 1 else ""
    return f"{where}: {first.reason}{more}; mend the row, or read without strict to have it rejected"


def _reject_table(rejects: list[Reject]) -> pa.Table:
    return pa.Table.from_pylist([reject._asdict() for reject in rejects], schema=REJECTS)


# ---- what kind of data ----


def _pieces(data: Any, text: str, id: str) -> tuple[list[Piece], list[str]]:
    kind = type(data).__name__
    if isinstance(data, str | Path):
        return _from_files([data], text, id)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return [_from_arrow(data, text, id)], [kind]
    if isinstance(data, Mapping):
        return [_from_mapping(data, text, id)], [kind]
    if isinstance(data, bytes | bytearray) or not isinstance(data, Iterable):
        raise InputError(
            f"the data are of type {kind}: expected an iterable of str, a mapping of ids to texts, "
            "a table that speaks the Arrow C stream, or the path of a file"
        )
    items = iter(data)
    head = list(islice(items, 1))
    if head and isinstance(head[0], Path):
        return _from_files([*head, *items], text, id)
    return [_from_strings(chain(head, items), text, id)], [kind]


def _from_files(paths: list[Any], text: str, id: str) -> tuple[list[Piece], list[str]]:
    wrong = next((path for path in paths if not isinstance(path, str | Path)), None)
    if wrong is not None:
        raise InputError(f"the list of paths holds a {type(wrong).__name__}: expected nothing but paths")
    found = find(paths)
    return list(read(found, text=text, id=id)), list(dict.fromkeys(label(file.path) for file in found))


def _in_memory(table: pa.Table, faults: Faults | None = None) -> Piece:
    return Piece(table, np.arange(table.num_rows), [None], faults=faults or {})


def _from_arrow(data: Any, text: str, id: str) -> Piece:
    try:
        column = pa.chunked_array(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"the {type(data).__name__} cannot be read as Arrow data ({error}): expected a table"
        ) from error
    if not pa.types.is_struct(column.type):  # a column of texts without a table
        return _in_memory(pa.table({id: np.arange(len(column)), text: column}))
    names = [column.type.field(i).name for i in range(column.type.num_fields)]
    check_names(names, "the data")
    schema = pa.schema([column.type.field(i) for i in range(column.type.num_fields)])
    parts = [pa.RecordBatch.from_struct_array(chunk) for chunk in column.chunks if len(chunk)]
    return _in_memory(pa.Table.from_batches(parts, schema))


def _from_strings(items: Iterable[Any], text: str, id: str) -> Piece:
    texts, faults = _strings(items, text)
    return _in_memory(pa.table({id: np.arange(len(texts)), text: texts}), faults)


def _from_mapping(data: Mapping[Any, Any], text: str, id: str) -> Piece:
    texts, faults = _strings(data.values(), text)
    ids, id_faults = _keys(list(data), id)
    return _in_memory(pa.table({id: ids, text: texts}), faults | id_faults)


def _strings(items: Iterable[Any], name: str) -> tuple[pa.ChunkedArray, Faults]:
    """Python strings as Arrow; null where there is a fault."""
    chunks: list[pa.Array] = []
    faults: Faults = {}
    start = 0
    for batch in batches(items, STRINGS_AT_ONCE):
        try:
            chunk = pa.array(batch, pa.large_string())
        except (pa.ArrowException, UnicodeEncodeError, TypeError, ValueError):
            found = {row: fault for row, item in enumerate(batch) if (fault := _fault(item, name))}
            chunk = pa.array([None if row in found else item for row, item in enumerate(batch)], pa.large_string())
            faults |= {start + row: fault for row, fault in found.items()}
        chunks.append(chunk)
        start += len(batch)
    return pa.chunked_array(chunks, pa.large_string()), faults


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


@dataclass(frozen=True, eq=False)
class _Checked:
    """The rows of a piece that can be used."""

    piece: Piece
    table: pa.Table
    ids: pa.ChunkedArray | None  # None: they are a column of the table
    texts: pa.ChunkedArray
    positions: NDArray[np.int64]  # their places in the piece
    rejects: list[Reject]


def _id_column(pieces: Sequence[Piece], id: str | None) -> str | None:
    """The column of ids, None if rows are to be numbered."""
    tables = [piece for piece in pieces if piece.table.num_columns]
    lacking = [piece for piece in tables if (id or "id") not in piece.table.column_names]
    if not lacking:
        return id or "id"
    if id is not None:
        raise _missing(lacking[0], id)
    if len(lacking) == len(tables):
        return None
    having = next(piece for piece in tables if "id" in piece.table.column_names)
    raise InputError(
        f"{lacking[0].name}: there is no column 'id', but {having.name} has one; its columns are "
        f"{_listed(lacking[0])}: give all files ids, or read them separately"
    )


def _missing(piece: Piece, name: str) -> InputError:
    return InputError(f"{piece.name}: there is no column {name!r}; the columns are {_listed(piece)}: name one of these")


def _listed(piece: Piece) -> str:
    return ", ".join(repr(name) for name in piece.table.column_names)


def _check(piece: Piece, text: str, id: str | None) -> _Checked:
    table = _without_views(piece.table)
    if not table.num_columns:  # an empty file, or nothing but rejects
        return _Checked(piece, table, None, _no_texts(), np.empty(0, np.int64), piece.rejects)
    if text not in table.column_names:
        raise _missing(piece, text)
    texts = _as_text(table[text], text, piece)
    faults = _faults(table, texts, text, id, piece) | piece.faults
    positions = np.arange(table.num_rows)
    if faults:
        keep = np.ones(table.num_rows, bool)
        keep[list(faults)] = False
        positions = positions[keep]
        table, texts = table.filter(pa.array(keep)), texts.filter(pa.array(keep))
    rejects = [Reject(piece.file_of(at), int(piece.rows[at]), reason) for at, reason in faults.items()]
    ids = None if id else _numbered(piece, positions)
    return _Checked(piece, table, ids, texts, positions, piece.rejects + rejects)


def _no_texts() -> pa.ChunkedArray:
    return pa.chunked_array([], pa.large_string())


def _without_views(table: pa.Table) -> pa.Table:
    for place, column in enumerate(table.schema):
        if str(column.type) in ("string_view", "binary_view"):
            table = table.set_column(place, column.name, plain_column(table.column(place)))
    return table


def _as_text(column: pa.ChunkedArray, name: str, piece: Piece) -> pa.ChunkedArray:
    """A column of strings, or bytes that may be strings, as large_string; not checked yet."""
    type_ = column.type
    column = plain_column(column)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        wide = column.cast(pa.large_binary())
        return pa.chunked_array([chunk.view(pa.large_string()) for chunk in wide.chunks], pa.large_string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_null(column.type):
        return column.cast(pa.large_string())
    raise InputError(f"{piece.name}: column {name!r} is {type_}, expected string; name another column or convert it")


def _faults(table: pa.Table, texts: pa.ChunkedArray, text: str, id: str | None, piece: Piece) -> Faults:
    """What is wrong with which rows: nulls and invalid UTF-8."""
    faults: Faults = {}
    for name in table.column_names:
        column = texts if name == text else table[name]
        if name == id:
            _check_id_type(column, name, piece)
            faults |= dict.fromkeys(_nulls(column), f"column {name!r} is null, expected an id")
        faults |= _invalid(column, name, piece)
    return faults | dict.fromkeys(_nulls(texts), f"column {text!r} is null, expected a string")


def _nulls(column: pa.ChunkedArray) -> list[int]:
    return np.flatnonzero(column.is_null().to_numpy()).tolist() if column.null_count else []


def _check_id_type(column: pa.ChunkedArray, name: str, piece: Piece) -> None:
    if pa.types.is_nested(column.type) or pa.types.is_float16(column.type):
        raise InputError(f"{piece.name}: column {name!r} is {column.type}, expected ids that are strings or integers")


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


def _numbered(piece: Piece, positions: NDArray[np.int64]) -> pa.ChunkedArray:
    rows = pa.array(piece.rows[positions])
    if piece.files[0] is not None:
        rows = pc.binary_join_element_wise(piece.files[0], rows.cast(pa.string()), ":")
    return pa.chunked_array([rows])


# ---- one table ----


def _join(checked: Sequence[_Checked], id: str | None) -> tuple[tuple[Any, Any, Any], list[list[Reject]]]:
    """Put the pieces below one another, without the rows whose id was there before."""
    names = [part.piece.name for part in checked]
    table = unify([part.table for part in checked], names, inferred=all(part.piece.inferred for part in checked))
    texts = pa.chunked_array(list(chain.from_iterable(part.texts.chunks for part in checked)), pa.large_string())
    rejects = [list(part.rejects) for part in checked]
    if id is None or not table.num_columns:  # numbers are distinct by themselves
        ids = list(chain.from_iterable(part.ids.chunks for part in checked if part.ids is not None))
        return (table, pa.chunked_array(ids, None if ids else pa.int64()), texts), rejects
    ids = plain_column(table[id])
    if pa.types.is_null(ids.type):  # no row had an id, thus no row is left
        ids = ids.cast(pa.string())
    repeated = _repeated(ids)
    if not len(repeated):
        return (table, ids, texts), rejects
    _reject_repeated(checked, ids, repeated, id, rejects)
    keep = np.ones(len(ids), bool)
    keep[repeated] = False
    mask = pa.array(keep)
    return (table.filter(mask), ids.filter(mask), texts.filter(mask)), rejects


def _repeated(ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Positions of ids that occurred before."""
    if pc.count_distinct(ids).as_py() == len(ids):
        return np.empty(0, np.int64)
    return np.flatnonzero(_first_positions(ids, ids) != np.arange(len(ids)))


def _first_positions(ids: pa.ChunkedArray, all_ids: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(pc.index_in(ids, value_set=all_ids).to_numpy())


def _reject_repeated(
    checked: Sequence[_Checked],
    ids: pa.ChunkedArray,
    repeated: NDArray[np.int64],
    name: str,
    rejects: list[list[Reject]],
) -> None:
    starts = np.cumsum([0, *(len(part.positions) for part in checked)])

    def place(position: int) -> tuple[int, str | None, int]:
        which = int(np.searchsorted(starts, position, side="right")) - 1
        at = int(checked[which].positions[position - starts[which]])
        return which, checked[which].piece.file_of(at), int(checked[which].piece.rows[at])

    values = ids.take(pa.array(repeated))
    for position, value, first in zip(
        repeated.tolist(), values.to_pylist(), _first_positions(values, ids).tolist(), strict=True
    ):
        which, file, row = place(position)
        _, first_file, first_row = place(first)
        where = f"row {first_row}" if first_file == file else f"{first_file}:{first_row}"
        rejects[which].append(Reject(file, row, f"column {name!r} repeats the id {value!r} of {where}"))
