"""What is known to be true of documents, and clusters as they were found, from wherever they are kept.

Input    a result, a table, a mapping, a file or the output folder of a run
Output   an Arrow table whose ids can be compared
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
from dupdetect.io.paths import find, label
from dupdetect.io.readers import Reject, read_table
from dupdetect.io.schema import unify
from dupdetect.results.result import Result

#: Where an output folder keeps its clusters, matches and so on.
SUFFIXES = (".parquet", ".jsonl", ".csv")

_YES = ("true", "1", "1.0", "yes", "y", "same", "duplicate", "match")
_NO = ("false", "0", "0.0", "no", "n", "different", "distinct", "none")


def as_table(source: Any, name: str, columns: Sequence[str]) -> pa.Table:
    """Return a table from wherever it is kept.

    Parameters
    ----------
    source : mapping, Arrow stream, str or Path
        A mapping goes from the first of `columns` to the second.
    name : str
        What messages call it.
    columns : sequence of str
        Their values are never taken for numbers or dates where a file leaves that open.

    Raises
    ------
    InputError
        It is of another type, cannot be read, or has rows that cannot.
    """
    if isinstance(source, str | os.PathLike):
        return _from_files(Path(source), columns)
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


def of_run(source: Any, table: str) -> pa.Table:
    """Return a table of a run ("clusters", "matches"), which is a `Result`, an output folder, or that table itself."""
    columns = ("id", "cluster") if table == "clusters" else ("a", "b")
    if isinstance(source, Result):
        return getattr(source, table)
    if isinstance(source, str | os.PathLike) and Path(source).is_dir():
        source = in_folder(Path(source), table)
    return as_table(source, table, columns)


def in_folder(folder: Path, table: str) -> Path:
    """Return the file of a table in the output folder of a run."""
    for suffix in SUFFIXES:
        if (folder / (table + suffix)).is_file():
            return folder / (table + suffix)
    raise InputError(
        f"{folder}: there is no {table}.parquet, .jsonl or .csv in this folder, expected the output folder of dedup"
    )


def _from_files(path: Path, columns: Sequence[str]) -> pa.Table:
    found = find([path])
    text, id = columns[:2]
    # Only CSV leaves open whether 007 is a number; told that a column of JSON is text, its reader refuses numbers.
    read = [read_table(file, text=text if file.format == "CSV" else "", id=id) for file in found]
    for _, rejects, _ in read:
        _refuse(rejects)
    names = [label(file.path) for file in found]
    return unify([table for table, _, _ in read], names, inferred=all(inferred for _, _, inferred in read))


def _refuse(rejects: list[Reject]) -> None:
    if rejects:
        first = rejects[0]
        raise InputError(f"{first.file}:{first.row}: {first.reason}; mend the row")


def require(table: pa.Table, columns: Sequence[str], name: str) -> None:
    """Raise an `InputError` where a table lacks columns, or has rows without a value in them."""
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        listed = ", ".join(map(repr, table.column_names)) or "none"
        raise InputError(
            f"there is no column {missing[0]!r} in the {name}; expected {' and '.join(map(repr, columns))}, there are "
            f"{listed}"
        )
    for column in columns:
        if table[column].null_count:
            row = pc.index(table[column].is_null(), True).as_py() + 1
            raise InputError(f"row {row} of the {name} has no value in column {column!r}; give it one or leave it out")


def comparable(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return ids or labels as text, so that those of a file can be compared with those of a table."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):  # integers with a gap, as a data frame gives them
        column = _if_castable(column, pa.int64())
    try:
        return column.cast(pa.large_string())
    except pa.ArrowException:
        raise InputError(f"the {name} are of type {column.type}; expected strings or whole numbers") from None


def _if_castable(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(type_)
    except pa.ArrowInvalid:
        return column


def yes_or_no(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return labels of pairs as booleans.

    >>> yes_or_no(pa.chunked_array([["yes", "0", "Same"]])).to_pylist()
    [True, False, True]
    """
    said = pc.utf8_lower(comparable(column, "labels"))
    true = pc.is_in(said, value_set=pa.array(_YES, pa.large_string()))
    known = pc.or_(true, pc.is_in(said, value_set=pa.array(_NO, pa.large_string())))
    if not pc.all(known).as_py():
        value = said.filter(pc.invert(known))[0].as_py()
        raise InputError(f"a pair is labelled {value!r}; expected 1 or 0, true or false, yes or no")
    return true
