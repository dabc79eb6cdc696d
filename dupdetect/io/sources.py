"""Whatever holds texts, to pieces of it.

Input    an iterable of str, a mapping of ids to texts, whatever speaks the Arrow C stream, or paths and URLs of files
Output   `Source`: an iterator over `readers.Piece`, rows as Arrow tables; not checked yet but for what is not Unicode
Cost     files: that of their readers; Arrow data are not copied; str are encoded once
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dupdetect.errors import InputError
from dupdetect.io.paths import find, label
from dupdetect.io.readers import Faults, Piece, Place, cut, read
from dupdetect.io.schema import check_names

#: Strings that are made Arrow at once: twice as fast as all (the buffer never moves), and few to repeat at a fault.
STRINGS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class Source:
    """Something to read.

    Attributes
    ----------
    inputs : list of str
        The files, or the type of the object in memory.
    files : list of str or None
        The name of each file; [None] for data in memory.
    pieces : callable
        Given a `Place`, yields the `Piece` objects that follow it.
    patient : bool
        Whether a thread may read them ahead.
    once : bool
        Whether they are pipes, and cannot be read again.
    """

    inputs: list[str]
    files: list[str | None]
    pieces: Callable[[Place], Iterator[Piece]]
    patient: bool = False
    once: bool = False


def open_source(data: Any, text: str, id: str, size: int) -> Source:
    """Tell what data are.

    Parameters
    ----------
    data : iterable of str, mapping, Arrow stream, str, Path or list of Path
    text, id : str
        The columns of texts and ids; names of those of data that have none.
    size : int
        Bytes of a piece, about.

    Raises
    ------
    InputError
        They are of another type, or a file is not there.
    """
    if isinstance(data, str | Path):
        return _files([data], text, id, size)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _in_memory(data, _arrow(data, text, id, size))
    if isinstance(data, Mapping):
        return _in_memory(data, _mapping(data, text, id, size))
    if isinstance(data, bytes | bytearray) or not isinstance(data, Iterable):
        raise InputError(
            f"the data are of type {type(data).__name__}: expected an iterable of str, a mapping of ids to texts, "
            "a table that speaks the Arrow C stream, or the path of a file"
        )
    items = iter(data)
    head = list(islice(items, 1))
    if head and isinstance(head[0], Path):
        return _files([*head, *items], text, id, size)
    return _in_memory(data, _strings(chain(head, items), text, id, size))


def _files(paths: list[Any], text: str, id: str, size: int) -> Source:
    wrong = next((path for path in paths if not isinstance(path, str | Path)), None)
    if wrong is not None:
        raise InputError(f"the list of paths holds a {type(wrong).__name__}: expected nothing but paths")
    found = find(paths)
    files: list[str | None] = [label(file.path) for file in found]
    return Source(
        list(dict.fromkeys(label(file.path) for file in found)),
        files,
        lambda start: read(found, text=text, id=id, size=size, start=start),
        # A pipe may never end, and a thread that waits for it could not be interrupted.
        patient=not any(file.piped for file in found),
        once=any(file.piped for file in found),
    )


def _in_memory(data: Any, tables: Iterator[tuple[pa.Table, Faults]]) -> Source:
    """Number the rows of tables. All are made, those before the start too: they may come from a caller's code."""

    def pieces(start: Place) -> Iterator[Piece]:
        row, passed = 0, start[1] or 0
        for table, faults in tables:
            first, row = row, row + table.num_rows
            if row > passed or not row:
                files = np.zeros(table.num_rows, np.int32)
                yield Piece(table, np.arange(first, row), files, "the data", faults=faults, end=(0, row))

    return Source([type(data).__name__], [None], pieces)


# ---- Arrow ----


def _arrow(data: Any, text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
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
        batches = (pa.Table.from_batches([batch]).replace_schema_metadata() for batch in reader)
        return reader.schema.remove_metadata(), batches
    if pa.types.is_struct(column.type):
        schema = pa.schema([column.type.field(i) for i in range(column.type.num_fields)])
        structs = (pa.RecordBatch.from_struct_array(chunk) for chunk in column.chunks)
        return schema, (pa.Table.from_batches([batch], schema) for batch in structs)
    table = pa.table({id: np.arange(len(column)), text: column})
    return table.schema, iter([table])


# ---- Python's strings ----


def _strings(items: Iterable[Any], text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
    row = 0
    for chunk, faults in _encoded(items, text, size):
        yield pa.table({id: np.arange(row, row + len(chunk)), text: chunk}), faults
        row += len(chunk)


def _mapping(data: Mapping[Any, Any], text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
    ids, wrong = _keys(list(data), id)
    row = 0
    for chunk, faults in _encoded(data.values(), text, size):
        bad_ids = {at: wrong[row + at] for at in range(len(chunk)) if row + at in wrong} if wrong else {}
        yield pa.table({id: ids.slice(row, len(chunk)), text: chunk}), faults | bad_ids
        row += len(chunk)


def _encoded(items: Iterable[Any], name: str, size: int) -> Iterator[tuple[pa.Array, Faults]]:
    """Yield strings as Arrow, first none; null where there is a fault."""
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
    if item is None or item != item:  # NaN is how pandas writes a null
        return f"column {name!r} is null, expected a string"
    return f"column {name!r} is of type {type(item).__name__}, expected a string"


def utf8_fault(raw: bytes, name: str) -> str | None:
    """Say where bytes of a column are not UTF-8, if anywhere."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"column {name!r} is not valid UTF-8 (byte {error.start}: 0x{raw[error.start]:02X})"
    return None


def _keys(keys: list[Any], name: str) -> tuple[pa.Array, Faults]:
    """Return the keys of a mapping as Arrow; null where there is a fault."""
    try:
        return pa.array(keys), {}
    except UnicodeEncodeError:
        found = {row: fault for row, key in enumerate(keys) if isinstance(key, str) and (fault := _fault(key, name))}
        return _keys([None if row in found else key for row, key in enumerate(keys)], name)[0], found
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        types = " and ".join(sorted({type(key).__name__ for key in keys}))
        raise InputError(f"the ids are of types {types}: expected all strings or all integers of 64 bits") from error
