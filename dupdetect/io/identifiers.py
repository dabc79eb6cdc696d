"""Ids, whatever their type: as values that can be ordered and looked up, and as text.

Input    a column of ids of any type that is not nested
Output   the same ids in a type that Arrow can order and look up, and back in their own; or one text for each, never one
         for two
Cost     none for strings and integers; else a copy
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.io.moments import is_moment, spelled_moments
from dupdetect.io.schema import plain_column
from dupdetect.io.selection import empty

#: Columns of ids, in whatever table of a result.
ID_COLUMNS = ("id", "cluster", "a", "b")

#: Ids that are looked at for what they begin with: those of rejects are known nowhere.
TRIED = 1_000


def workable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids in a type that Arrow's functions take: without dictionaries, views and extensions."""
    column = plain_column(column)
    while isinstance(column.type, pa.BaseExtensionType):
        column = plain_column(column.cast(column.type.storage_type))
    if pa.types.is_decimal32(column.type) or pa.types.is_decimal64(column.type):
        return column.cast(pa.decimal128(column.type.precision, column.type.scale))
    return column


def workable_columns(table: pa.Table, *names: str) -> pa.Table:
    """Return a table whose columns of ids are `workable`."""
    for name in names:
        table = table.set_column(table.column_names.index(name), name, workable(table[name]))
    return table


def as_type(ids: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Return workable ids in the type that they came in, but for views; as they are where it cannot hold them all."""
    if ids.type == type_ or "view" in str(type_):
        return ids
    try:
        if isinstance(type_, pa.BaseExtensionType):
            return as_type(ids, type_.storage_type).cast(type_)
        if not pa.types.is_dictionary(type_):
            return ids.cast(type_)
        return pa.chunked_array([_of_dictionary(chunk.dictionary_encode(), type_) for chunk in ids.chunks], type_)
    except pa.ArrowException:
        return ids


def _of_dictionary(ids: pa.DictionaryArray, type_: pa.DataType) -> pa.DictionaryArray:
    indices, values = ids.indices.cast(type_.index_type), ids.dictionary.cast(type_.value_type)
    return pa.DictionaryArray.from_arrays(indices, values, ordered=type_.ordered)


def check_id_type(type_: pa.DataType, name: str, where: str) -> None:
    """Refuse ids of a type whose values cannot be told apart for sure."""
    whole = type_
    while isinstance(type_, pa.BaseExtensionType) or pa.types.is_dictionary(type_):
        type_ = type_.value_type if pa.types.is_dictionary(type_) else type_.storage_type
    if pa.types.is_nested(type_) or any(name in str(type_) for name in ("halffloat", "interval", "run_end")):
        raise InputError(
            f"{where}: column {name!r} is {whole}, expected ids that are strings, numbers, dates or bytes; name "
            "another column, or convert it"
        )


def spelled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids as large_string, two that differ as two texts: bytes in base64, times in UTC without zeros at the end.

    Raises
    ------
    pyarrow.ArrowException
        Their type has no text.
    """
    if str(column.type) == "extension<arrow.uuid>":
        values = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.large_string())])
    column = workable(column)
    type_ = column.type
    if "binary" in str(type_):
        values = [None if value is None else base64.b64encode(value).decode() for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.large_string())])
    if is_moment(type_):
        return spelled_moments(column)
    return column.cast(pa.large_string())


def as_spelled(texts: list[str], type_: pa.DataType) -> pa.ChunkedArray:
    """Return the ids that `spelled` wrote so, in their type; of strings, these.

    Raises
    ------
    ValueError, ArithmeticError, pyarrow.ArrowException
        One is no such id.
    """
    whole, texts_ = type_, pa.array(texts, pa.string())
    type_ = workable(pa.chunked_array([], type_)).type
    if str(whole) == "extension<arrow.uuid>":
        ids = pa.array([UUID(text).bytes for text in texts], type_)
    elif "binary" in str(type_):
        ids = pa.array([base64.b64decode(text, validate=True) for text in texts], pa.binary()).cast(type_)
    elif pa.types.is_time(type_):
        moments = pa.array([f"1970-01-01T{text}" for text in texts]).cast(pa.timestamp(type_.unit)).cast(pa.int64())
        ids = moments.cast(pa.int32() if pa.types.is_time32(type_) else pa.int64()).cast(type_)
    elif pa.types.is_duration(type_):
        places = 3 * ("s", "ms", "us", "ns").index(type_.unit)
        ids = pa.array([int(Decimal(text).scaleb(places)) for text in texts], pa.int64()).cast(type_)
    else:
        ids = texts_.cast(type_)
    return as_type(pa.chunked_array([ids]), whole)


class Written:
    """Rows of documents as JSON Lines and CSV are to have them: ids as in the tables, texts that came as bytes as text.

    Parameters
    ----------
    rows : pyarrow.Table, or an iterable of such with a `schema`
    ids : collection of str
        Columns of ids.
    text : str, optional
        The column of texts.

    Attributes
    ----------
    schema : pyarrow.Schema
    """

    def __init__(self, rows: Any, ids: Collection[str], text: str | None) -> None:
        self._parts = [rows] if isinstance(rows, pa.Table) else rows
        self._ids, self._text = ids, text
        self.schema: pa.Schema = rows_written(empty(rows.schema), ids, text).schema

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the rows of one part after the other."""
        return (rows_written(part, self._ids, self._text) for part in self._parts)


def rows_written(rows: pa.Table, ids: Collection[str], text: str | None) -> pa.Table:
    """Return rows of documents as `Written` has them."""
    if text in rows.column_names and "binary" in str(rows.schema.field(text).type):
        texts = plain_column(rows[text]).cast(pa.large_binary()).cast(pa.large_string())
        rows = rows.set_column(rows.column_names.index(text), text, texts)
    return written(rows, ids)


def written(table: pa.Table, ids: Collection[str] = ID_COLUMNS) -> pa.Table:
    """Return a table as JSON Lines and CSV are to have it: ids that are neither strings nor integers as text."""
    for name in ids:
        if name in table.column_names and not _is_plain(table[name].type):
            table = table.set_column(table.column_names.index(name), name, spelled(table[name]))
    return table


def shown(column: pa.ChunkedArray) -> list[Any]:
    """Return ids as they are printed: strings and integers as they are, others as text."""
    return (column if _is_plain(column.type) else spelled(column)).to_pylist()  # type: ignore[no-any-return]


def _is_plain(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_string(type_) or pa.types.is_large_string(type_))


def folder_of(ids: pa.ChunkedArray, known: pa.ChunkedArray) -> str:
    """Return what names of text files begin with here, and did not where they were read as those of a folder.

    Parameters
    ----------
    ids, known : ChunkedArray of large_string
        The ids here, of which the first may have none there; and those there.
    """
    for name in ids.slice(0, TRIED).to_pylist():
        folders = [name[:at] for at in range(len(name)) if at == 0 or name[at - 1] == "/"]
        tails = pa.array([name[len(folder) :] for folder in folders], pa.large_string())
        found: list[str] = [
            folder for folder, there in zip(folders, pc.is_in(tails, value_set=known).to_pylist(), strict=True) if there
        ]
        if found:  # several, where a folder has one of its own name in it
            counts = [pc.sum(pc.is_in(within(ids, folder), value_set=known)).as_py() for folder in found]
            return found[counts.index(max(counts))]
    return ""


def within(ids: pa.ChunkedArray, folder: str) -> pa.ChunkedArray:
    """Return ids without the folder that they begin with."""
    if not folder:
        return ids
    return pc.if_else(pc.starts_with(ids, folder), pc.utf8_slice_codeunits(ids, len(folder)), ids)
