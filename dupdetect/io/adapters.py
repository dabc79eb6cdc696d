"""What other libraries give, as something that is read.

Input    a dataset of pyarrow, a lazy frame of polars, a cursor of a database
Output   the same as Arrow data that come batch by batch, or as rows; all else as it is
Cost     that of the library; a lazy frame is collected
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from dupdetect.errors import InputError

#: Rows that are fetched from a database at once.
ROWS_AT_ONCE = 8192


def adapted(data: Any) -> Any:
    """Return data in a form that `sources` reads.

    Raises
    ------
    InputError
        A cursor that has executed no query.
    """
    if hasattr(data, "to_reader") and hasattr(data, "projected_schema"):  # a scanner
        return data.to_reader()
    if hasattr(data, "to_batches") and hasattr(data, "schema") and not hasattr(data, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_batches(data.schema, data.to_batches())
    if hasattr(data, "collect") and hasattr(data, "collect_schema"):
        return data.collect()
    if hasattr(data, "fetchmany") and hasattr(data, "description"):
        return _fetched(data)
    return data


def unaltered(data: Any) -> Any:
    """Return a table with all that it holds as Arrow data, where its library would leave something out or alter it.

    Raises
    ------
    InputError
        A column of polars holds objects of Python: what comes out of it are their addresses.
    """
    types = getattr(data, "schema", None)
    objects = [name for name, type_ in types.items() if str(type_) == "Object"] if isinstance(types, Mapping) else []
    if objects:
        raise InputError(
            f"column {objects[0]!r} holds Python objects, which no table can; leave it out, or convert its values"
        )
    return pa.Table.from_pandas(data, preserve_index=True) if _has_ids_in_range(data) else data


def named_levels(data: Any) -> dict[str, Any]:
    """Return what the index of a column of pandas says of its values, where it has a name: columns, as of a frame."""
    names = getattr(getattr(data, "index", None), "names", None) or ()
    return {str(name): data.index.get_level_values(at) for at, name in enumerate(names) if name is not None}


def _has_ids_in_range(data: Any) -> bool:
    """Whether the index of a frame of pandas is a range, which becomes no column, and says more than 0, 1, 2 and so on.

    Whether ids that were made the index are a range depends on their values alone.
    """
    if not hasattr(data, "reset_index") or not hasattr(data, "columns"):
        return False
    levels = [data.index.get_level_values(number) for number in range(data.index.nlevels)]
    ranges = [level for level in levels if type(level).__name__ == "RangeIndex"]
    return any(len(levels) > 1 or level.name is not None or level.start or level.step != 1 for level in ranges)


def _fetched(cursor: Any) -> Any:
    if cursor.description is None:
        raise InputError("the cursor has no result: execute a query that selects the texts, then give the cursor")
    if hasattr(cursor, "fetch_record_batch"):  # ADBC, and DuckDB
        return cursor.fetch_record_batch()
    return QueryRows([column[0] for column in cursor.description], cursor)


class QueryRows:
    """The rows of a query, as mappings.

    Parameters
    ----------
    names : list of str
    cursor : cursor of DB-API 2.0
    """

    def __init__(self, names: list[str], cursor: Any) -> None:
        self._names, self._cursor = names, cursor

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while rows := self._cursor.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                yield dict(zip(self._names, row, strict=True))
