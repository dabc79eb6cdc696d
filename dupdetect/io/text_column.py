"""Columns that a table has by another name: a nested field; of texts, several columns together, too.

Input    a table, and a name: of a column; of a field in a nested one, ``content.body``; of several, ``title + body``
Output   the table with a column of that name
Cost     none for a field; several columns are joined, a copy of their texts
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.io.schema import plain_column

#: What stands between the names of several columns, and between their texts.
JOINT, BETWEEN = " + ", "\n\n"

#: What says of a column that the input does not have it.
MADE = {b"dupdetect": b"made of other columns"}


def text_name(text: str | Sequence[str]) -> str:
    """Return the name of the column of texts: of several columns, one for all.

    Raises
    ------
    InputError
        It is no name.
    """
    names = [text] if isinstance(text, str) else list(text) if isinstance(text, Sequence) else [text]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise InputError(f"text is {text!r}; expected the name of a column, or a list of names")
    return JOINT.join(names)


def with_text(table: pa.Table, name: str, *, loose: bool = False) -> pa.Table:
    """Return a table with a column of texts of this name, if it can be had; a `loose` one may lack some of several."""
    if name in table.column_names or not table.num_columns:
        return table
    parts = [field_of(table, part) for part in name.split(JOINT)]
    found = [part for part in parts if part is not None]
    if not found or (len(found) < len(parts) and not loose):
        return table
    texts = found[0] if len(parts) == 1 else _joined(found)
    return table.append_column(pa.field(name, texts.type, metadata=MADE), texts)


def sources_of(name: str, columns: Sequence[str]) -> list[str]:
    """Return those of the columns that a column of this name is, or is made of."""
    if name in columns:
        return [name]
    roots = (root_of(part, columns) for part in name.split(JOINT))
    return list(dict.fromkeys(root for root in roots if root is not None))


def lacking(name: str, columns: Sequence[str]) -> str | None:
    """Return the first of the columns that a text is made of which is not there; None if all are."""
    if name not in columns:
        return name
    others = [column for column in columns if column != name]
    parts = name.split(JOINT)
    return next((part for part in parts if len(parts) > 1 and root_of(part, others) is None), None)


def is_made(name: str, schema: pa.Schema) -> bool:
    """Whether the column of this name is one that `with_text` made."""
    return name in schema.names and MADE.items() <= (schema.field(name).metadata or {}).items()


def has_column(schema: pa.Schema, name: str) -> bool:
    """Whether a table has a column of this name, or a field in a nested one."""
    return field_of(schema.empty_table(), name) is not None


def root_of(path: str, columns: Sequence[str]) -> str | None:
    """Return the column that a path begins with, the longest that there is."""
    names = path.split(".")
    for length in range(len(names), 0, -1):
        if ".".join(names[:length]) in columns:
            return ".".join(names[:length])
    return None


def field_of(table: pa.Table, path: str) -> pa.ChunkedArray | None:
    """Return a column, or a field of a nested one."""
    root = root_of(path, table.column_names)
    if root is None:
        return None
    column = table[root]
    for name in path[len(root) + 1 :].split(".") if len(path) > len(root) else ():
        if pa.types.is_null(column.type):
            return pa.chunked_array([pa.nulls(table.num_rows, pa.large_string())])
        if not pa.types.is_struct(column.type) or column.type.get_field_index(name) < 0:
            return None
        column = pc.struct_field(column, name)
    return column


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Join texts, a row each; what is null is left out, and of nothing but nulls the text is null."""
    between = pa.scalar(BETWEEN, pa.large_string())

    def join(first: pa.Array, second: pa.Array) -> pa.Array:
        both = pc.and_(first.is_valid(), second.is_valid())
        return pc.if_else(both, pc.binary_join_element_wise(first, second, between), pc.coalesce(first, second))

    return pa.chunked_array([reduce(join, map(_as_text, columns))])


def _as_text(column: pa.ChunkedArray) -> pa.Array:
    plain = plain_column(column)
    if pa.types.is_string(plain.type) or pa.types.is_large_string(plain.type) or pa.types.is_null(plain.type):
        chunks = plain.cast(pa.large_string()).chunks
        return pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string())
    raise InputError(f"a column of texts is {column.type}; expected strings in each of the columns that are joined")
