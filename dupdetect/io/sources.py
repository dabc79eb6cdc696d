"""Whatever holds texts, to pieces of it.

Input    an iterable of str or of rows (`io.records`), a mapping of ids to texts, whatever speaks the Arrow C stream, a
         dataset of `datasets` or a mapping of its splits, or paths and URLs of files
Output   `Source`: an iterator over `readers.Piece`, rows as Arrow tables; not checked yet but for what is not Unicode
Cost     files: that of their readers; Arrow data are not copied; str are encoded once
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dupdetect.errors import InputError
from dupdetect.io import records
from dupdetect.io.adapters import adapted, named_levels, unaltered
from dupdetect.io.lists import LISTS
from dupdetect.io.paths import AS_NAMED, Found, ReadAs, find, label
from dupdetect.io.readers import Faults, Piece, Place, closing, cut, read
from dupdetect.io.sample import First, limited
from dupdetect.io.schema import check_names
from dupdetect.io.selection import empty
from dupdetect.io.streams import MAX_TEXT, PipeCopy

#: Rows of a dataset that are read at once.
ROWS_AT_ONCE = 8192


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
    found : list of Found
        The files; none of data in memory.
    named : list of str
        What they were found by.
    """

    inputs: list[str]
    files: list[str | None]
    pieces: Callable[[Place], Iterator[Piece]]
    patient: bool = False
    once: bool = False
    found: list[Found] = field(default_factory=list)
    named: list[str] = field(default_factory=list)


def open_source(data: Any, text: str, id: str, size: int, max_text: int = MAX_TEXT, how: ReadAs = AS_NAMED) -> Source:
    """Tell what data are.

    Parameters
    ----------
    data : iterable of str, of mappings or of (id, text); mapping, Arrow stream, str, Path or list of Path
    text, id : str
        The columns of texts and ids; names of those of data that have none.
    size : int
        Bytes of a piece, about.
    max_text : int
        Bytes that a line or record of a file may have.
    how : ReadAs
        What is said of files.

    Raises
    ------
    InputError
        They are of another type, or a file is not there.
    """
    data, type_ = adapted(data), LISTS if how.listed else records.TEXT
    if isinstance(data, str | Path | First):
        return _files([data], text, id, size, max_text, how)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _in_memory(data, _arrow(data, text, id, size))
    if isinstance(data, Mapping):
        if data and all(_is_dataset(value) for value in data.values()):
            return _splits(data, text, id, size)
        return _in_memory(data, _mapping(data, text, id, size, type_))
    if isinstance(data, bytes | bytearray) or not isinstance(data, Iterable):
        raise InputError(
            f"the data are of type {type(data).__name__}: expected an iterable of str or of rows (mappings, or pairs "
            "of id and text), a mapping of ids to texts, a table that speaks the Arrow C stream, or the path of a file"
        )
    if _is_dataset(data):
        return _in_memory(data, _dataset(data, text, id, size))
    items = iter(data)
    head = list(islice(items, 1))
    if head and isinstance(head[0], Path):
        return _files([*head, *items], text, id, size, max_text, how)
    if head and records.is_record(head[0]):
        return _in_memory(data, records.read(chain(head, items), text, id, size, type_), loose=True)
    if head and _is_table(head[0]):
        return _in_memory(data, chain.from_iterable(_arrow(each, text, id, size) for each in chain(head, items)))
    return _in_memory(data, _strings(chain(head, items), text, id, size, type_))


def _files(paths: list[Any], text: str, id: str, size: int, max_text: int, how: ReadAs) -> Source:
    first = paths[0] if isinstance(paths[0], First) else None
    paths = list(first.paths) if first else paths
    wrong = next((path for path in paths if not isinstance(path, str | Path)), None)
    if wrong is not None:
        raise InputError(f"the list of paths holds a {type(wrong).__name__}: expected nothing but paths")
    found = [file._replace(copy=PipeCopy()) if file.piped else file for file in find(paths, how)]
    files: list[str | None] = [label(file.path) for file in found]
    return Source(
        list(dict.fromkeys(label(file.given or file.path) for file in found)),
        files,
        lambda start: limited(read(found, text=text, id=id, size=size, start=start, most=max_text), first),
        # A pipe may never end, and a thread that waits for it could not be interrupted.
        patient=not any(file.piped for file in found),
        once=any(file.piped for file in found),
        found=found,
        named=[os.fspath(path) for path in paths],
    )


def _in_memory(data: Any, tables: Iterator[tuple[pa.Table, Faults]], *, loose: bool = False) -> Source:
    """Number the rows of tables; of `loose` ones each may have other columns."""
    return Source([type(data).__name__], [None], lambda start: _pieces(tables, start, 0, "the data", loose))


def _pieces(
    tables: Iterator[tuple[pa.Table, Faults]], start: Place, number: int, name: str, loose: bool
) -> Iterator[Piece]:
    """Yield tables from a place on. All are made, those before it too: they may come from a caller's code."""
    row, passed = 0, start[1] or 0
    for table, faults in tables:
        first, row = row, row + table.num_rows
        if row > passed or not row:
            files = np.full(table.num_rows, number, np.int32)
            rows = np.arange(first, row)
            end = (number, row)
            yield Piece(table, rows, files, name, faults=faults, inferred=loose, loose=loose, end=end)
    if loose:
        yield closing(name, inferred=True, end=(number, row))


# ---- datasets ----


def _is_table(item: Any) -> bool:
    return hasattr(item, "__arrow_c_stream__") or hasattr(item, "__arrow_c_array__")


def _is_dataset(data: Any) -> bool:
    """Whether it is a `datasets.Dataset` or `IterableDataset`: these give Arrow tables when they are asked to."""
    return hasattr(data, "with_format") and hasattr(data, "iter") and hasattr(data, "column_names")


def _dataset(data: Any, text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
    """Read a dataset: its rows as they are now, those filtered out left out."""
    if data.column_names:
        features = getattr(data, "features", None)  # such as names of classes: in metadata, where `datasets` looks
        metadata = features.arrow_schema.metadata if features else None
        columns = {name: pa.array([], pa.null()) for name in data.column_names}
        yield pa.table(columns).replace_schema_metadata(metadata), {}
    for batch in data.with_format("arrow").iter(batch_size=ROWS_AT_ONCE):
        yield from islice(_arrow(batch, text, id, size), 1, None)


def _splits(data: Mapping[Any, Any], text: str, id: str, size: int) -> Source:
    """Read a mapping of datasets: the name of each is what the file is elsewhere."""
    names = [str(name) for name in data]

    def pieces(start: Place) -> Iterator[Piece]:
        for number, (name, dataset) in enumerate(zip(names, data.values(), strict=True)):
            if number >= start[0]:
                place = start if number == start[0] else (number, None)
                yield from _pieces(_dataset(dataset, text, id, size), place, number, name, False)

    return Source([type(data).__name__], list(names), pieces)


# ---- Arrow ----


def _arrow(data: Any, text: str, id: str, size: int) -> Iterator[tuple[pa.Table, Faults]]:
    try:
        schema, tables = _arrow_tables(data, text, id)
        check_names(schema.names, "the data")
        yield empty(schema), {}
        for table in tables:
            for part in cut(table, text, size):
                yield part, {}
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"the {type(data).__name__} cannot be read as Arrow data ({error}): expected a table"
        ) from error


def _arrow_tables(data: Any, text: str, id: str) -> tuple[pa.Schema, Iterator[pa.Table]]:
    try:
        reader = pa.RecordBatchReader.from_stream(unaltered(data))
    except (pa.ArrowException, TypeError):  # a column without a table, or an array
        column = pa.chunked_array(data)
    else:
        return reader.schema, (pa.Table.from_batches([batch]) for batch in reader)
    if pa.types.is_struct(column.type):
        schema = pa.schema([column.type.field(i) for i in range(column.type.num_fields)])
        structs = (pa.RecordBatch.from_struct_array(chunk) for chunk in column.chunks)
        return schema, (pa.Table.from_batches([batch], schema) for batch in structs)
    table = pa.table({id: np.arange(len(column)), **named_levels(data), text: column})
    return table.schema, iter([table])


# ---- Python's strings ----


def _strings(
    items: Iterable[Any], text: str, id: str, size: int, type_: pa.DataType
) -> Iterator[tuple[pa.Table, Faults]]:
    row = 0
    for chunk, faults in _encoded(items, text, size, type_):
        yield pa.table({id: np.arange(row, row + len(chunk)), text: chunk}), faults
        row += len(chunk)


def _mapping(
    data: Mapping[Any, Any], text: str, id: str, size: int, type_: pa.DataType
) -> Iterator[tuple[pa.Table, Faults]]:
    ids, wrong = _keys(list(data), id)
    row = 0
    for chunk, faults in _encoded(data.values(), text, size, type_):
        bad_ids = {at: wrong[row + at] for at in range(len(chunk)) if row + at in wrong} if wrong else {}
        yield pa.table({id: ids.slice(row, len(chunk)), text: chunk}), faults | bad_ids
        row += len(chunk)


def _encoded(items: Iterable[Any], name: str, size: int, type_: pa.DataType) -> Iterator[tuple[pa.Array, Faults]]:
    """Yield strings as Arrow, first none; null where there is a fault."""
    for batch in chain([[]], records.batches(items, size)):
        yield records.encoded(batch, name, type_)


def _keys(keys: list[Any], name: str) -> tuple[pa.Array, Faults]:
    """Return the keys of a mapping as Arrow; null where there is a fault."""
    try:
        return pa.array(keys), {}
    except UnicodeEncodeError:
        found = {
            row: fault
            for row, key in enumerate(keys)
            if isinstance(key, str) and (fault := records.fault_of(key, name))
        }
        return _keys([None if row in found else key for row, key in enumerate(keys)], name)[0], found
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        types = " and ".join(sorted({type(key).__name__ for key in keys}))
        raise InputError(f"the ids are of types {types}: expected all strings or all integers of 64 bits") from error
