"""What other libraries give, as something that is read.

Input    a dataset of pyarrow, a lazy frame of polars, a cursor of a database
Output   the same as Arrow data that come batch by batch, or as rows; all else as it is
Cost     that of the library; a lazy frame is collected
"""

from __future__ import annotations

from collections.abc import Iterator
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
