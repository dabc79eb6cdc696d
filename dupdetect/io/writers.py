"""Tables to files: Parquet, JSON Lines and CSV.

Input    an Arrow table, or an iterable of such of one schema, which need not be in memory together
Output   one file; the same rows make the same bytes, whatever parts they come in
Cost     that of pyarrow's writers, a table or two in memory; JSON Lines are written row by row
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice, pairwise
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from dupdetect._storage import memory
from dupdetect.errors import OutputError
from dupdetect.io.moments import has_far, has_moments, spelled_moments, values_of
from dupdetect.io.read_ahead import one_ahead
from dupdetect.io.schema import plain_column, with_plain_values, without_null_values
from dupdetect.io.selection import empty

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows of JSON Lines that are Python objects at a time.
ROWS_AT_ONCE = 8192

#: Bytes of a row group, about.
ROW_GROUP_BYTES = 64 << 20

#: Types of columns of which rows have different sizes; of others that have, few are large.
VARIABLE = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())

#: Mean length from which strings are not looked up in a dictionary: they are texts, and few have equals.
LONG = 64


class Tables(Protocol):
    """A table in parts, that need not be in memory together."""

    schema: pa.Schema

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the parts, in that schema."""


Table: TypeAlias = "pa.Table | Tables"


def write_table(table: Table, path: Path, format: str) -> None:
    """Write one table to one file.

    Parameters
    ----------
    table : pyarrow.Table, or an iterable of such with a `schema`
    path : Path
    format : {"parquet", "jsonl", "csv"}
        Nested values are JSON in CSV; bytes are base64 in CSV and JSON Lines.

    Raises
    ------
    OSError
    """
    WRITERS[format](table, path)


def plain(value: Any) -> Any:
    """Spell a value that JSON does not know: bytes in base64, dates, numpy's numbers; others as text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    return str(value)


def _parts(table: Table) -> Iterator[pa.Table]:
    for part in [table] if isinstance(table, pa.Table) else table:
        if part.num_rows:
            yield part


# ---- Parquet ----


def check_parquet(schema: pa.Schema) -> None:
    """Refuse columns that Parquet has no type for.

    Raises
    ------
    OutputError
    """
    for field in schema:
        if not _fits_parquet(field):
            raise OutputError(
                f"column {field.name!r} is {field.type}, which Parquet cannot hold; write JSON Lines or CSV, or leave "
                "the column out"
            )


def _fits_parquet(field: pa.Field) -> bool:
    if pa.types.is_nested(field.type) and re.search("dictionary<values=(string|binary)_view", str(field.type)):
        return False  # what its writer finds out only when there are rows
    try:
        pyarrow.parquet.ParquetWriter(pa.BufferOutputStream(), pa.schema([field])).close()
    except (pa.ArrowException, OSError, ValueError):
        return False
    return True


def _write_parquet(table: Table, path: Path) -> None:
    check_parquet(table.schema)
    with path.open("wb") as file:
        write_parquet(table, file, compression="zstd", compression_level=1)


def write_parquet(table: Table, file: Any, **options: Any) -> None:
    """Write a table to an open file; options are those of `pyarrow.parquet.ParquetWriter`.

    A table without rows has no row group: `datasets` does not read those that are empty.
    """
    groups = map(_writable, _groups(table))
    waiting = [next(groups, _writable(empty(table.schema)))]
    with pyarrow.parquet.ParquetWriter(
        file, waiting[0].schema, use_dictionary=_repeating(waiting[0]), store_schema=True, **options
    ) as writer:
        while waiting:
            if waiting[0].num_rows:
                writer.write_table(waiting[0], row_group_size=waiting[0].num_rows)
            large = waiting[0].nbytes > ROW_GROUP_BYTES // 2
            waiting.clear()  # a group is let go of before the next is put together
            if large:
                memory.give_back()
            waiting.extend(islice(groups, 1))


def _writable(table: pa.Table) -> pa.Table:
    """Return a table with dictionaries that Parquet's writer takes: of plain strings, not views, and not of nulls."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = without_null_values(with_plain_values(table.column(place)))
            table = table.set_column(place, field.with_type(column.type), column)
    return table


def _groups(table: Table) -> Iterator[pa.Table]:
    """Yield tables for row groups that are about equally large; the next is read while one is written.

    Where a group ends depends on the rows alone, and not on the parts they come in: the same rows make the same file.
    """
    for _, slices in groupby(_numbered(one_ahead(_parts(table))), key=itemgetter(0)):
        group = pa.concat_tables([rows for _, rows in slices])
        try:
            yield group.combine_chunks()
        except pa.ArrowInvalid:  # dictionaries that together have more values than their indices can number
            yield from (pa.Table.from_batches([batch]) for batch in group.to_batches())


def _numbered(parts: Iterable[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    """Yield parts cut where a row group ends, with the number of their group."""
    before = 0
    for part in parts:
        ends = before + np.cumsum(_row_bytes(part))
        groups = ends // ROW_GROUP_BYTES
        bounds = [0, *(np.flatnonzero(np.diff(groups)) + 1).tolist(), part.num_rows]
        for first, last in pairwise(bounds):
            yield int(groups[first]), part.slice(first, last - first)
        before = int(ends[-1])


def _row_bytes(table: pa.Table) -> NDArray[np.int64]:
    """Return about how many bytes each row has."""
    sizes = np.full(table.num_rows, 8 * table.num_columns, np.int64)
    for column in table.columns:
        if column.type in VARIABLE:
            sizes += pc.fill_null(pc.binary_length(column), 0).to_numpy()
    return sizes


def _repeating(table: pa.Table) -> list[str]:
    """Return the columns that a dictionary may shorten: all but long strings."""
    return [
        field.name
        for field in table.schema
        if not (_is_string(field.type) and table[field.name].nbytes > LONG * table.num_rows)
    ]


def _is_string(type_: pa.DataType) -> bool:
    return any(kind in str(type_) for kind in ("string", "binary")) and not pa.types.is_nested(type_)


# ---- JSON Lines and CSV ----


def _write_jsonl(table: Table, path: Path) -> None:
    with path.open("wb") as file:
        write_lines(table, file)


def write_lines(table: Table, file: Any) -> None:
    """Write a table as JSON Lines to an open file of bytes."""
    for part in _parts(table):
        for batch in part.to_batches(max_chunksize=ROWS_AT_ONCE):
            file.write("".join(_json(row) + "\n" for row in _rows(batch)).encode())


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows with moments as text: Python has none of nanoseconds, nor of the year 10000."""
    if not any(has_moments(field.type) for field in batch.schema):
        return batch.to_pylist()  # type: ignore[no-any-return]
    columns = [values_of(column) for column in batch.columns]
    return [dict(zip(batch.schema.names, values, strict=True)) for values in zip(*columns, strict=True)]


def _write_csv(table: Table, path: Path) -> None:
    with path.open("wb") as file, pyarrow.csv.CSVWriter(file, _as_csv(empty(table.schema)).schema) as writer:
        for part in _parts(table):
            writer.write_table(_as_csv(part))


def _as_csv(table: pa.Table) -> pa.Table:
    return pa.table({name: _csv_column(table[name]) for name in table.column_names})


def _csv_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return _csv_column(plain_column(column))
    if pa.types.is_run_end_encoded(type_):
        return _csv_column(pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], type_.value_type))
    if pa.types.is_duration(type_) or has_far(column):
        return spelled_moments(column)
    if str(type_) == "string_view":
        return column.cast(pa.large_string())
    if pa.types.is_nested(type_) or "binary" in str(type_) or not _has_text(type_):
        spell = _json if pa.types.is_nested(type_) else plain
        values = [None if value is None else spell(value) for value in values_of(column)]
        return pa.chunked_array([pa.array(values, pa.large_string())])
    return column


def _has_text(type_: pa.DataType) -> bool:
    """Tell whether Arrow itself spells values of a type."""
    try:
        pa.nulls(1, type_).cast(pa.large_string())
    except pa.ArrowException:
        return False
    return not isinstance(type_, pa.BaseExtensionType)


def _json(value: Any) -> str:
    try:
        return _encoder.encode(value)
    except ValueError:  # JSON has neither NaN nor infinity
        return _encoder.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=plain)

#: What writes each format.
WRITERS: dict[str, Callable[[Table, Path], None]] = {
    "parquet": _write_parquet,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
