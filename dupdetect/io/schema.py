"""
Tables whose columns differ to tables that go below one another.

Input    tables, or the schemas of many that are not in memory at once
Output   one schema for all of them, and each table in that schema
Cost     none where a column has that type already; else a copy of the column
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.io.moments import values_of
from dupdetect.io.selection import empty

#: What columns become whose types are guessed and disagree.
TEXT = pa.large_string()

#: Integers from here on are not all there among floating-point numbers.
INEXACT = 1 << 53

#: Characters of a name of a column that a message shows, and of all together.
NAME, NAMES = 40, 240


class Columns:
    """
    The types that columns have in tables seen one by one, and where each was seen first.

    They are few, however many tables there are: types that go together without a change of any value are one.
    """

    def __init__(self) -> None:
        self._seen: dict[str, list[tuple[pa.Field, str]]] = {}
        self._metadata: Mapping[bytes, bytes] | None = None
        self._tables = 0
        self._large: set[str] = set()

    @property
    def names(self) -> list[str]:
        """In the order in which they were seen."""
        return list(self._seen)

    def type(self, name: str) -> pa.DataType:
        """The first type that a column was seen with."""
        return self._seen[name][0][0].type

    def add(self, schema: pa.Schema, where: str, large: Collection[str] = ()) -> bool:
        """
        See another table.

        Parameters
        ----------
        schema : pyarrow.Schema
        where : str
            What to call the table in a message.
        large : collection of str
            Columns of integers that floating-point numbers cannot all be (`large_integers`).

        Returns
        -------
        bool
            Whether it goes below the others as it is, but for nulls.
        """
        if not schema.names:
            return True
        self._large.update(large)
        alike = [self._add(field, where) for field in schema]
        for name in self._seen.keys() - set(schema.names):
            self._seen[name] = [(field.with_nullable(True), where) for field, where in self._seen[name]]
        if not self._tables:
            self._metadata = schema.metadata
        self._tables += 1
        return all(alike)

    def _add(self, field: pa.Field, where: str) -> bool:
        seen = self._seen.get(field.name)
        if seen is None:
            self._seen[field.name] = [(field.with_nullable(True) if self._tables else field, where)]
            return True
        for place, (other, first) in enumerate(seen):
            type_ = _joined(other.type, field.type)
            if type_ is not None and where != first:
                type_ = _roomy(type_)
            if type_ is not None:
                nullable = other.nullable or field.nullable
                seen[place] = other.with_type(type_).with_nullable(nullable), first
                return len(seen) == 1
        seen.append((field, where))
        return False

    def schema(self, *, inferred: bool, agreed: Collection[str] | None = None) -> pa.Schema:
        """
        The schema of all tables together: narrower numbers become wider.

        Parameters
        ----------
        inferred : bool
            Types were guessed: where they disagree the column becomes text. Else that is an error.
        agreed : collection of str, optional
            The columns in which it is an error; by default all.

        Raises
        ------
        InputError
            A column has types that do not go together.
        """
        fields = [
            seen[0][0].with_type(TEXT).with_nullable(True)
            if inferred and name in self._large and any(pa.types.is_floating(field.type) for field, _ in seen)
            else _agreed(seen, inferred, inferred or not (agreed is None or name in agreed))
            for name, seen in self._seen.items()
        ]
        return pa.schema(fields, self._metadata)

    def note(self) -> Any:
        """What has been seen, as JSON; `from_note` reads it."""
        fields = [(field, where) for seen in self._seen.values() for field, where in seen]
        schema = pa.schema([field for field, _ in fields], self._metadata)
        return [_packed(schema), [where for _, where in fields], self._tables, sorted(self._large)]

    @classmethod
    def from_note(cls, note: Any) -> Columns:
        """Go on where `note` was taken."""
        columns = cls()
        schema = unpacked(note[0])
        for field, where in zip(schema, note[1], strict=True):
            columns._seen.setdefault(field.name, []).append((field, where))
        columns._metadata, columns._tables, columns._large = schema.metadata, note[2], set(note[3])
        return columns


def _packed(schema: pa.Schema) -> str:
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def packed(fields: Sequence[pa.Field]) -> str:
    """Spell fields so that JSON can hold them."""
    return _packed(pa.schema(fields))


def unpacked(text: str) -> pa.Schema:
    """Read what `packed` spelled."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text)))


def _joined(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """Return the type of values of both types as they are, but for nulls; None if there is none."""
    if a == b or pa.types.is_null(b):
        return a
    if pa.types.is_null(a):
        return b
    if pa.types.is_dictionary(a) and pa.types.is_dictionary(b) and a.value_type == b.value_type:
        roomier = max(_roomy(a), _roomy(b), key=lambda type_: type_.index_type.bit_width)
        return roomier if a.ordered == b.ordered else None
    if pa.types.is_list(a) and pa.types.is_list(b):
        inner = _joined(a.value_type, b.value_type)
        return None if inner is None else pa.list_(inner)  # a struct without members is false
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        members = {field.name: field for field in _children(a)}
        for field in _children(b):
            if field.name not in members:
                members[field.name] = field.with_nullable(True)
            elif (inner := _joined(members[field.name].type, field.type)) is None:
                return None
            else:
                members[field.name] = members[field.name].with_type(inner)
        return pa.struct(list(members.values()))
    return None


def _roomy(type_: pa.DataType) -> pa.DataType:
    """Return a type of which the dictionaries of several files are one: each has few values, and all may have many."""
    if pa.types.is_dictionary(type_):
        narrow = type_.index_type.bit_width < pa.int32().bit_width
        return pa.dictionary(pa.int32(), type_.value_type, ordered=type_.ordered) if narrow else type_
    if pa.types.is_list(type_):
        return pa.list_(type_.value_field.with_type(_roomy(type_.value_type)))
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(_roomy(field.type)) for field in _children(type_)])
    return type_


def _children(type_: pa.DataType) -> list[pa.Field]:
    return [type_.field(i) for i in range(type_.num_fields)]


def _agreed(seen: Sequence[tuple[pa.Field, str]], inferred: bool, lenient: bool) -> pa.Field:
    """Return the field of a column that has been seen with some types; text if they do not agree and may differ."""
    first, where = seen[0]
    if len(seen) == 1:
        return first
    for plain in (False, True):
        agreed = first.with_type(_plain_type(first.type)) if plain else first
        for field, other in seen[1:]:
            further = field.with_type(_plain_type(field.type)) if plain else field
            try:
                agreed = _unified(agreed, further, exact=lenient and not inferred)
            except (pa.ArrowTypeError, pa.ArrowInvalid):
                clash = f"{agreed.type} in {where} and {further.type} in {other}"
                break
        else:
            return agreed
    if lenient:
        return first.with_type(TEXT).with_nullable(True)
    raise InputError(f"column {first.name!r} is {clash}: expected one type; convert one, or leave the column out")


def _unified(a: pa.Field, b: pa.Field, *, exact: bool) -> pa.Field:
    decimals = pa.types.is_decimal(a.type) or pa.types.is_decimal(b.type)
    if (exact or decimals) and (_may_round(a.type, b.type) or _may_round(b.type, a.type)):
        raise pa.ArrowTypeError("one of them cannot hold all values of the other")
    return pa.unify_schemas([pa.schema([a]), pa.schema([b])], promote_options="permissive").field(0)


def large_integers(table: pa.Table) -> set[str]:
    """Return the columns with integers that are not all there among floating-point numbers."""
    found = set()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_int64(column.type) or pa.types.is_uint64(column.type):
            least, most = pc.min_max(column).values()
            if most.is_valid and not -INEXACT < least.as_py() <= most.as_py() < INEXACT:
                found.add(name)
    return found


def _may_round(whole: pa.DataType, other: pa.DataType) -> bool:
    """Tell whether integers or decimals would lose something among numbers of another type."""
    if pa.types.is_decimal(whole):
        return bool(pa.types.is_floating(other))
    if not (pa.types.is_int64(whole) or pa.types.is_uint64(whole)):
        return False
    return bool(pa.types.is_floating(other) or (pa.types.is_uint64(whole) and pa.types.is_signed_integer(other)))


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """
    Put a table into a schema of `Columns` that have seen it.

    Parameters
    ----------
    table : pyarrow.Table
    schema : pyarrow.Schema

    Returns
    -------
    pyarrow.Table
        Columns that the table lacks are null. Those that have their type already are not copied.
    """
    if table.schema.equals(schema):
        return table.replace_schema_metadata(schema.metadata)
    own = dict(zip(table.column_names, table.columns, strict=True))
    columns = [
        _fitted(own[field.name], field) if field.name in own else pa.nulls(len(table), field.type) for field in schema
    ]
    return pa.table(columns, schema=schema) if columns else table


def _fitted(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return _cast(column, field.type)
    except pa.ArrowInvalid as error:  # such as a day of the year 9999 among nanoseconds
        raise InputError(
            f"column {field.name!r} is {column.type} in one place and {field.type} in another, which cannot hold all "
            f"values ({error}): convert one, or leave the column out"
        ) from None


def _cast(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    if column.type == type_:
        return column
    if not pa.types.is_dictionary(type_):
        column = plain_column(column)
    if type_ == TEXT:
        return _to_text(column)
    field = pa.field("", type_)
    whole = pa.concat_tables([empty(pa.schema([field])), pa.table({"": column})], promote_options="permissive").column(
        0
    )
    return pa.chunked_array([chunk for chunk in whole.chunks if len(chunk)], type_)


def unify(tables: Sequence[pa.Table], names: Sequence[str], *, inferred: bool) -> pa.Table:
    """
    Put tables below one another; a column that one lacks is null there, narrower numbers become wider.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
    names : sequence of str
        What to call each in a message.
    inferred : bool
        Types were guessed: where they disagree the column becomes text. Else that is an error.

    Raises
    ------
    InputError
        A column has types that do not go together.
    """
    columns = Columns()
    for table, name in zip(tables, names, strict=True):
        columns.add(table.schema, name)
    return stacked(tables, columns.schema(inferred=inferred))


def stacked(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Put tables below one another, in a schema; those that have neither rows nor columns are left out."""
    return pa.concat_tables([empty(schema), *(conform(table, schema) for table in tables if table.num_columns)])


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse a table in which two columns have one name."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InputError(f"{where}: column {twice[0]!r} occurs twice, expected distinct names; rename one")


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decode a dictionary or a view to the plain type of its values."""
    while column.type != _plain_type(column.type):
        if pa.types.is_dictionary(column.type):
            column = with_plain_values(column)
        column = column.cast(
            column.type.value_type if pa.types.is_dictionary(column.type) else _plain_type(column.type)
        )
    return column


def with_plain_values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a dictionary of views, which cannot be decoded, as one of plain values: polars gives its categories so."""
    type_ = column.type
    plain = _plain_type(type_.value_type)
    if plain == type_.value_type or pa.types.is_dictionary(type_.value_type):
        return column
    chunks = [
        pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(plain), ordered=type_.ordered)
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, pa.dictionary(type_.index_type, plain, ordered=type_.ordered))


def without_null_values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a dictionary whose values have nulls among them as one where these rows are null instead."""
    if not any(chunk.dictionary.null_count for chunk in column.chunks):
        return column
    chunks = []
    for chunk in column.chunks:
        there = np.asarray(chunk.dictionary.is_valid())
        moved = pa.array(np.cumsum(there) - 1, mask=~there).take(chunk.indices).cast(column.type.index_type)
        values = chunk.dictionary.drop_null()
        chunks.append(pa.DictionaryArray.from_arrays(moved, values, ordered=column.type.ordered))
    return pa.chunked_array(chunks, column.type)


def _plain_type(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type_):
        return _plain_type(type_.value_type)
    # Views came to pyarrow late, and many of its functions do not take them.
    return {"string_view": pa.large_string(), "binary_view": pa.large_binary()}.get(str(type_), type_)


def _to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([as_json(value) for value in values_of(column)], TEXT)])
    try:
        return column.cast(TEXT)
    except pa.ArrowException:  # bytes, and types that have no text
        values = [None if value is None else as_json(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, TEXT)])


def as_json(value: Any) -> str | None:
    """
    Text for a value of a column of mixed types: strings as they are, others in JSON.

    Members of objects are in order and null ones left out, so that it does not matter what other rows have.
    """
    if value is None or isinstance(value, str):
        return value
    return json.dumps(_without_nulls(value), ensure_ascii=False, sort_keys=True, default=str)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def names_shown(names: Iterable[str]) -> str:
    """Return names of columns as messages list them: of a file that is no table they may be of any length."""
    shown: list[str] = []
    length = 0
    all_names = [repr(name if len(name) <= NAME else f"{name[:NAME]}…") for name in names]
    for name in all_names:
        length += len(name)
        if length > NAMES and shown:
            return f"{', '.join(shown)} and {len(all_names) - len(shown):,} more"
        shown.append(name)
    return ", ".join(shown)
