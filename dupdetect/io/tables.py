"""Tables of ids and labels, from wherever they are kept.

Input    an Arrow table, a mapping or files
Output   an Arrow table in memory; columns of ids as text, so that those of a file can be compared with those of a table
Cost     reading it
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.io.identifiers import spelled
from dupdetect.io.paths import find
from dupdetect.io.readers import read
from dupdetect.io.schema import names_shown, plain_column, unify


def as_table(source: Any, name: str, columns: Sequence[str], *, empty: bool = False) -> pa.Table:
    """Return a table from wherever it is kept.

    Parameters
    ----------
    source : mapping, Arrow stream, str or Path
        A mapping goes from the first of `columns` to the second.
    name : str
        What messages call it.
    columns : sequence of str
        Their values are never taken for numbers or dates where a file leaves that open.
    empty : bool
        Whether an empty value of theirs in CSV is an id like others, and not none.

    Raises
    ------
    InputError
        It is of another type, cannot be read, or has rows that cannot.
    """
    if isinstance(source, str | os.PathLike):
        return _from_files(Path(source), columns, empty)
    if hasattr(source, "__arrow_c_stream__"):
        return pa.table(source)
    if isinstance(source, Mapping):
        try:
            return pa.table({columns[0]: list(source), columns[1]: list(source.values())})
        except (pa.ArrowException, TypeError) as error:
            raise InputError(f"ids or clusters of the {name} mix types ({error}); give them as one type") from None
    raise InputError(
        f"a {type(source).__name__} was given for the {name}: expected a table, a mapping from {columns[0]} to "
        f"{columns[1]}, or a path"
    )


def _from_files(path: Path, columns: Sequence[str], empty: bool) -> pa.Table:
    text, id = columns[0], "" if empty else columns[1]
    pieces = []
    for file in find([path]):
        # Only CSV leaves open whether 007 is a number; told that a column of JSON is text, its reader refuses numbers.
        for piece in read([file], text=text if file.format == "CSV" else "", id=id):
            for reject in piece.rejects:
                raise InputError(f"{reject.file}:{reject.row}: {reject.reason}; mend the row")
            pieces.append(piece)
    inferred = all(piece.inferred for piece in pieces)
    table = unify([piece.table for piece in pieces], [piece.name for piece in pieces], inferred=inferred)
    try:
        table.validate(full=True)
    except pa.ArrowException as error:
        raise InputError(f"{path}: cannot be read ({error}), expected UTF-8; mend the file") from None
    return table


def with_empty(table: pa.Table, name: str | None) -> pa.Table:
    """Return a table with empty strings for nulls in a column: rows that stayed have ids, and CSV has no nulls."""
    if name not in table.column_names or not pa.types.is_string(table.schema.field(name).type):
        return table
    return table.set_column(table.column_names.index(name), name, table[name].fill_null(""))


def require(table: pa.Table, columns: Sequence[str], name: str) -> None:
    """Raise an `InputError` where a table lacks columns, or has rows without a value in them."""
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        shown = names_shown(table.column_names) or "none"
        raise InputError(
            f"there is no column {missing[0]!r} in the {name}; expected {' and '.join(map(repr, columns))}, there are "
            f"{shown}"
        )
    for column in columns:
        if table[column].null_count:
            row = pc.index(table[column].is_null(), True).as_py() + 1
            raise InputError(f"row {row} of the {name} has no value in column {column!r}; give it one or leave it out")


def comparable(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return ids or labels as large_string; whole numbers are equal whatever type holds them."""
    if pa.types.is_dictionary(column.type):
        column = plain_column(column)
    if pa.types.is_floating(column.type):  # integers with a gap, as a data frame gives them
        column = _if_castable(column, pa.int64())
    try:
        return spelled(column)
    except pa.ArrowException:
        raise InputError(f"the {name} are of type {column.type}; expected strings, numbers, dates or bytes") from None


def comparable_value(id: Any) -> str:
    """Return one id as `comparable` has it."""
    if isinstance(id, str | int):
        return str(id)
    try:
        return str(comparable(pa.chunked_array([pa.array([id])]), "ids")[0].as_py())
    except (pa.ArrowException, InputError, OverflowError, TypeError):
        return str(id)


def _if_castable(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(type_)
    except pa.ArrowInvalid:
        return column
