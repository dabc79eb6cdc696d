"""Ids of documents as an index stores them: as text, with their type beside them.

Input    ids of any type that `dedup` takes
Output   strings, and of these the same ids
Cost     a cast
"""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dupdetect.errors import InputError
from dupdetect.io.identifiers import as_type, check_id_type, workable
from dupdetect.io.schema import plain_column

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUL = "an id has a NUL character in it, which cannot be stored; take it out"
#: What Parquet makes of types that it lacks: an output of a run has them so.
_IN_PARQUET = {pa.date64(): pa.date32(), pa.timestamp("s"): pa.timestamp("ms")}
_PLAIN = {"string": pa.string(), "int64": pa.int64()}


class Identifiers:
    """Ids of one type, which the first of them has.

    Parameters
    ----------
    stored : str, optional
        The type as `stored` gives it; None until there is an id.

    Attributes
    ----------
    type : pyarrow.DataType, optional
        What ids of that type and of those like it are stored as.
    given : pyarrow.DataType, optional
        The type that the first ids had, in which all come back.
    """

    def __init__(self, stored: str | None = None) -> None:
        self.type: pa.DataType | None = None
        self.given: pa.DataType | None = None
        self._width: int | None = None
        if stored is not None:
            given = _PLAIN.get(stored)
            if given is None:
                given = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored))).field(0).type
            self._settle(given)

    def _settle(self, given: pa.DataType) -> None:
        plain = workable(pa.chunked_array([], given)).type
        self.given, self.type = given, _common(plain)
        self._width = plain.byte_width if pa.types.is_fixed_size_binary(plain) else None

    @property
    def stored(self) -> str | None:
        """The type, as the index stores it."""
        for name, type_ in _PLAIN.items():
            if self.given == type_:
                return name
        if self.given is None:
            return None
        return base64.b64encode(pa.schema([("id", self.given)]).serialize()).decode()

    @property
    def shown(self) -> pa.DataType:
        """The type of columns of ids; of strings, if there is no id yet."""
        return self.as_given(self.decoded([])).type

    def encoded(self, ids: Any, given: pa.DataType | None = None) -> list[str]:
        """Return ids as strings; the first ones say which type all have: `given`, or else their own.

        Raises
        ------
        InputError
            They are of another type than those before, or of none that can be an id.
        """
        if self.given == _PLAIN["string"] and type(ids) is list and type(ids[0]) is str and len(ids) == 1:
            if "\0" in ids[0]:
                raise InputError(_NUL)
            return ids
        if self.given == _PLAIN["int64"] and type(ids) is list and len(ids) == 1 and type(ids[0]) is int:
            return [str(ids[0])] if -(1 << 63) <= ids[0] < 1 << 63 else self._refused(ids[0])
        column, came = self._column(ids)
        own = _common(column.type)
        if self.type is None:
            self._settle(came if given is None or pa.types.is_null(given) else given)
        if own != self.type:
            raise InputError(
                f"these ids are {own}, and the index has ids that are {self.type}; give all documents ids of one type"
            )
        if pa.types.is_binary(own):
            values = [bytes(value) for value in column.to_pylist()]
            if self._width is not None and any(len(value) != self._width for value in values):
                raise InputError(f"these ids are bytes, and the index has ids that are {self.given}; give such ones")
            return [value.hex() for value in values]
        if _is_counted(own):
            column = column.cast(_counts(own))
            own = column.type
        found: list[str] = column.cast(own).cast(pa.string()).to_pylist()
        if any("\0" in value for value in found):
            raise InputError(_NUL)
        return found

    def _refused(self, id: int) -> list[str]:
        raise InputError(f"the id {id} does not fit into 64 bits; give strings")

    def decoded(self, values: Sequence[str | None]) -> pa.ChunkedArray:
        """Return the ids of strings, in a type that stages can order and look up; None stays null."""
        own = self.type or pa.string()
        if pa.types.is_binary(own):
            made = pa.array([None if value is None else bytes.fromhex(value) for value in values], own)
        elif _is_counted(own):
            made = pa.array(values, pa.string()).cast(_counts(own)).cast(own)
        else:
            made = pa.array(values, pa.string()).cast(own)
        return pa.chunked_array([made])

    def as_given(self, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return decoded ids in the type that they came in."""
        return ids if self.given is None else as_type(ids, self.given)

    def values(self, values: list[str]) -> list[Any]:
        """Return the ids of strings, as Python has them."""
        if self.given == _PLAIN["string"]:
            return values
        if self.given == _PLAIN["int64"]:
            return [int(value) for value in values]
        return self.as_given(self.decoded(values)).to_pylist()  # type: ignore[no-any-return]

    def _column(self, ids: Any) -> tuple[pa.ChunkedArray, pa.DataType]:
        """Return ids in a type that can be worked with, and the type that they came in."""
        try:
            column = ids if isinstance(ids, pa.ChunkedArray) else pa.chunked_array([self._array(ids)])
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"the ids cannot be stored ({error}); expected all strings or all integers of 64 bits"
            ) from None
        came, column = column.type, workable(plain_column(column))
        if column.null_count:
            raise InputError("an id is missing; give every document an id")
        check_id_type(column.type, "id", "the index")
        if pa.types.is_null(column.type):
            column = column.cast(self.type or pa.string())
            came = column.type
        return column, came

    def _array(self, ids: list[Any]) -> pa.Array:
        """Return ids that Python has as the index has them, if they are these then; else of what type they are.

        Arrow makes bytes of a string, and a date of a moment, where these are wanted: two ids would become one.
        """
        for type_ in (self.given, self.type):
            if type_ is not None and not pa.types.is_dictionary(type_):
                with suppress(pa.ArrowException, TypeError, ValueError, OverflowError):
                    made = pa.array(ids, type_)
                    if made.to_pylist() == ids:
                        return made
        return pa.array(ids)


def _is_counted(type_: pa.DataType) -> bool:
    """Whether ids of a type are stored as the number that they are inside: from text Arrow would not read them."""
    return bool(pa.types.is_time(type_) or pa.types.is_duration(type_))


def _counts(type_: pa.DataType) -> pa.DataType:
    return pa.int32() if pa.types.is_time32(type_) else pa.int64()


def _common(type_: pa.DataType) -> pa.DataType:
    """Return the type that ids of a type and of those like it have."""
    if pa.types.is_integer(type_) and not pa.types.is_uint64(type_):
        return pa.int64()
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return pa.string()
    if pa.types.is_large_binary(type_) or pa.types.is_fixed_size_binary(type_):
        return pa.binary()
    if type_ in _IN_PARQUET:
        return _IN_PARQUET[type_]
    if pa.types.is_decimal128(type_):  # of so many places behind the point, however many digits
        return pa.decimal128(38, type_.scale)
    return type_
