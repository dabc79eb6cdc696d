"""Python's own strings and rows to Arrow: what a caller has in a list or makes one by one.

Input    an iterable of str; or of rows: mappings of columns to values, or pairs of an id and a text
Output   arrays and tables of a batch of them, with what is wrong with which
Cost     strings are encoded once; rows are turned into columns in Python
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import pyarrow as pa

from dupdetect.errors import InputError
from dupdetect.io.lists import LISTS
from dupdetect.io.readers import Faults
from dupdetect.io.schema import as_json

TEXT = pa.large_string()

#: Strings that are made Arrow at once: twice as fast as all (the buffer never moves), and few to repeat at a fault.
STRINGS_AT_ONCE = 8192


def batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut an iterable into lists of at most `STRINGS_AT_ONCE` items, fewer where these are long."""
    iterator = iter(items)
    count = 1
    while batch := list(islice(iterator, min(count, STRINGS_AT_ONCE))):
        yield batch
        length = sum(map(_length, batch))
        count = max(1, min(2 * count, size * len(batch) // (4 * length + 1)))


def _length(item: Any) -> int:
    if isinstance(item, str | bytes):
        return len(item)
    values = item.values() if isinstance(item, Mapping) else item if isinstance(item, tuple) else ()
    return sum(len(value) for value in values if isinstance(value, str | bytes))


# ---- strings ----


def encoded(batch: list[Any], name: str, type_: pa.DataType = TEXT) -> tuple[pa.Array, Faults]:
    """Return strings of a column, or lists of words, as Arrow; null where there is a fault."""
    if type_ == LISTS:
        return _listed(batch, name)
    try:
        return pa.array(batch, TEXT), {}
    except (pa.ArrowException, UnicodeEncodeError, TypeError, ValueError):
        faults = {row: fault for row, item in enumerate(batch) if (fault := fault_of(item, name))}
        kept = [None if row in faults else item for row, item in enumerate(batch)]
        return pa.array(kept, TEXT), faults


def _listed(batch: list[Any], name: str) -> tuple[pa.Array, Faults]:
    """Return lists of words as Arrow; of whole numbers, their digits."""
    faults: Faults = {}
    kept: list[list[str] | None] = []
    for row, item in enumerate(batch):
        words = item.tolist() if hasattr(item, "tolist") else item
        fault = _fault_of_list(words, name)
        kept.append(None if fault else [str(word) for word in words])
        if fault:
            faults[row] = fault
    return pa.array(kept, LISTS), faults


def _fault_of_list(words: Any, name: str) -> str | None:
    if words is None or words != words:
        return f"column {name!r} is null, expected a list of words"
    if not isinstance(words, list | tuple):
        return f"column {name!r} is of type {type(words).__name__}, expected a list of words"
    wrong = next((word for word in words if type(word) not in (str, int)), None) if words else None
    if wrong is not None or None in words:
        return f"column {name!r} has a {type(wrong).__name__} among its words, expected str or int"
    return next((fault for word in words if isinstance(word, str) and (fault := fault_of(word, name))), None)


def fault_of(item: Any, name: str) -> str | None:
    """Say what keeps an object from being a text, if anything does."""
    if isinstance(item, str):
        try:
            item.encode()
        except UnicodeEncodeError as error:
            where = f"U+{ord(item[error.start]):04X}, character {error.start}"
            return f"column {name!r} holds a lone surrogate ({where}), expected valid Unicode"
        return None
    if isinstance(item, bytes):
        return utf8_fault(item, name)
    if _is_null(item):
        return f"column {name!r} is null, expected a string"
    return f"column {name!r} is of type {type(item).__name__}, expected a string"


def _is_null(item: Any) -> bool:
    """Tell whether something is no value: None, or what pandas writes instead, NaN or NA."""
    try:
        return item is None or bool(item != item)
    except (TypeError, ValueError):  # neither like nor unlike itself: NA, or an array
        return type(item).__name__ == "NAType"


def utf8_fault(raw: bytes, name: str) -> str | None:
    """Say where bytes of a column are not UTF-8, if anywhere."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"column {name!r} is not valid UTF-8 (byte {error.start}: 0x{raw[error.start]:02X})"
    return None


# ---- rows ----


def is_record(item: Any) -> bool:
    """Whether an object is a row: a mapping, or something like a tuple."""
    return isinstance(item, Mapping | tuple) or hasattr(item, "keys")


def read(
    items: Iterable[Any], text: str, id: str, size: int, type_: pa.DataType = TEXT
) -> Iterator[tuple[pa.Table, Faults]]:
    """Read rows.

    Parameters
    ----------
    items : iterable of mappings, named tuples or (id, text)
        What is none of these is a fault.
    text, id : str
        The columns of texts and ids.
    size : int
        Bytes of a table, about.
    type_ : pyarrow.DataType
        That of texts.

    Yields
    ------
    pyarrow.Table
        Some rows; of columns whose values are of several types, the values as text (`schema.as_json`).
    Faults

    Raises
    ------
    InputError
        Ids are of several types, or a column holds what no table can.
    """
    id_types: set[str] = set()
    for batch in batches(items, size):
        rows, faults = [], {}
        for number, item in enumerate(batch):
            row = _row(item, text, id)
            if isinstance(row, str):
                faults[number] = row
            rows.append({} if isinstance(row, str) else row)
        columns = {}
        for name in dict.fromkeys(name for row in rows for name in row):
            values = [row.get(name) for row in rows]
            if name == text:
                columns[name], wrong = encoded(values, name, type_)
            elif name == id:
                id_types |= {type(value).__name__ for value in values if value is not None}
                columns[name], wrong = _ids(values, name, id_types)
            else:
                columns[name], wrong = _column(values, name)
            faults = wrong | faults
        if not columns:  # faults alone
            columns[text] = pa.nulls(len(rows), type_)
        yield pa.table(columns), faults


def _row(item: Any, text: str, id: str) -> dict[str, Any] | str:
    """Return the values of a row by column, or what is wrong with it."""
    if hasattr(item, "_asdict"):
        item = item._asdict()
    if isinstance(item, Mapping) or hasattr(item, "keys"):
        row = dict(item)
        odd = next((name for name in row if not isinstance(name, str)), None)
        if odd is not None:
            return f"the row has a column {odd!r}, expected names that are strings"
        odd = next((name for name in row if not name.isascii() and fault_of(name, name)), None)
        return row if odd is None else f"the row has a column {odd!r}, expected a name in valid Unicode"
    if isinstance(item, tuple):
        if len(item) == 2:
            return {id: item[0], text: item[1]}
        return f"the row is a tuple of {len(item)} values, expected (id, text); or give rows as mappings"
    return f"the row is of type {type(item).__name__}, expected a mapping, or a tuple (id, text)"


def _ids(values: list[Any], name: str, types: set[str]) -> tuple[pa.Array, Faults]:
    """Return ids as they are: of several types they could not be told apart for sure."""
    try:
        if len(types) < 2:
            return pa.array(values), {}
    except UnicodeEncodeError:
        return encoded(values, name)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    named = " and ".join(sorted(types))
    raise InputError(f"the ids are of types {named}: expected all strings or all integers of 64 bits")


def _column(values: list[Any], name: str) -> tuple[pa.Array, Faults]:
    try:
        return pa.array(values), {}
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        try:
            spelled = [None if value is None else _spelled(value) for value in values]
        except (TypeError, ValueError) as error:
            raise InputError(
                f"column {name!r} cannot be put into a table ({error}): leave it out, or convert its values"
            ) from None
        return encoded(spelled, name)


def _spelled(value: Any) -> str | None:
    json.dumps(value)  # an error, and not some text, of what JSON does not know
    return as_json(value)
