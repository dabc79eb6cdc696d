"""Row groups of Parquet files, in batches of about a given size.

Input    a Parquet file, and the number of a row group
Output   its rows as tables, texts that a dictionary holds still folded; `unfolded`: as the file says they are
Cost     that of pyarrow's reader; a batch in memory
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from dupdetect.io.paths import Found
from dupdetect.io.remote import as_url
from dupdetect.io.schema import plain_column

#: Rows that are read at once at most: their texts may turn out longer than those before.
ROWS_AT_ONCE = 1 << 16

#: Bytes that are read at once, for each column: from the disk, and from far away.
BUFFER_BYTES = 1 << 20
FAR_BUFFER_BYTES = 8 << 20

#: Microseconds from 1970 on, and before, that are nanoseconds of 64 bits, too.
_MOST = (1 << 63) // 1000

#: Mean length of a row (in bytes as encoded) below which its text may be one that a dictionary holds once.
TERSE = 256


def row_group(
    file: Found,
    source: Any,
    metadata: Any,
    number: int,
    text: str,
    size: int,
    columns: Sequence[str] | None = None,
    unit: str | None = None,
) -> Iterator[pa.Table]:
    """Read a row group, or some of its columns, in batches that are about as large as `size`, in bytes.

    `unit` is that of moments of the type INT96 (`unit_of_int96`).
    """
    group = metadata.row_group(number)
    # Texts that repeat are encoded once, and may unfold to any size: they are not unfolded before they are cut.
    folded = [text] if _is_folded(source, metadata, number, text) else []
    pieces = -(-group.total_byte_size // size)
    rows = min(ROWS_AT_ONCE, max(1, -(-group.num_rows // max(1, pieces))))
    reader = pyarrow.parquet.ParquetFile(
        source,
        metadata=metadata,
        coerce_int96_timestamp_unit=unit,
        buffer_size=FAR_BUFFER_BYTES if file.member is None and as_url(file.path) else BUFFER_BYTES,
        pre_buffer=False,  # else the whole row group is in memory before its first batch is
        read_dictionary=folded or None,
    )
    for batch in reader.iter_batches(batch_size=rows, row_groups=[number], columns=columns):
        yield pa.Table.from_batches([batch])


def schema_of(source: Any, metadata: Any, unit: str | None = None) -> pa.Schema:
    """Return the schema that `row_group` reads: with UUIDs, JSON and other extensions of its types."""
    reader = pyarrow.parquet.ParquetFile(source, metadata=metadata, pre_buffer=False, coerce_int96_timestamp_unit=unit)
    return reader.schema_arrow


def unit_of_int96(source: Any, metadata: Any) -> str | None:
    """Return the unit in which moments of the old type INT96 are to be read; None: it does not matter.

    Nanoseconds, in which the type counts, end in the year 2262, and pyarrow makes days of the past of what is later:
    Spark writes 9999-12-31 so, and counts microseconds.
    """
    names = int96_columns(metadata)
    if not names:
        return None
    reader = pyarrow.parquet.ParquetFile(
        source, metadata=metadata, pre_buffer=False, buffer_size=BUFFER_BYTES, coerce_int96_timestamp_unit="us"
    )
    for batch in reader.iter_batches(batch_size=ROWS_AT_ONCE, columns=names):
        for moments in (found for column in batch.columns for found in _moments(column)):
            bounds = pc.min_max(moments.cast(pa.int64())).as_py()
            if bounds["min"] is not None and not -_MOST < bounds["min"] <= bounds["max"] < _MOST:
                return "us"
    return "ns"


def int96_columns(metadata: Any) -> list[str]:
    """Return the paths of the columns of a file that are of the old type INT96."""
    columns = (metadata.schema.column(place) for place in range(metadata.num_columns))
    return [column.path for column in columns if column.physical_type == "INT96"]


def is_all_int96(metadata: Any) -> bool:
    """Tell whether a file has moments, and all of them are of the old type INT96."""
    columns = (metadata.schema.column(place) for place in range(metadata.num_columns))
    return bool(int96_columns(metadata)) and not any(column.logical_type.type == "TIMESTAMP" for column in columns)


def _moments(column: pa.Array) -> Iterator[pa.Array]:
    """Yield the timestamps in a column, which may be nested."""
    if pa.types.is_timestamp(column.type):
        yield column
    elif pa.types.is_map(column.type):
        yield from (found for part in (column.keys, column.items) for found in _moments(part))
    elif pa.types.is_struct(column.type):
        yield from (found for part in column.flatten() for found in _moments(part))
    elif pa.types.is_nested(column.type):
        yield from _moments(column.flatten())


def unfolded(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give columns that were read as dictionaries the types that the file says they have."""
    for place, column in enumerate(schema):
        if table.schema.field(place).type != column.type:
            table = table.set_column(place, column, plain_column(table.column(place)).cast(column.type))
    return table


def _is_folded(source: Any, metadata: Any, number: int, name: str) -> bool:
    """Tell whether the texts of a row group are in a dictionary, and short as encoded.

    What a damaged file says of a column ends the process when pyarrow is asked for it, but is an error when the column
    is read. So a row is read first.
    """
    group = metadata.row_group(number)
    paths = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
    if name not in paths:
        return False
    rows = pyarrow.parquet.ParquetFile(source, metadata=metadata, pre_buffer=False, buffer_size=BUFFER_BYTES)
    next(rows.iter_batches(batch_size=1, row_groups=[number], columns=[name]), None)
    column = group.column(paths.index(name))
    return bool(column.has_dictionary_page and column.total_uncompressed_size < TERSE * group.num_rows)
