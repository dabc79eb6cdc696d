"""A table to some of its rows, whatever types its columns have.

Input    a table, and which rows
Output   these rows, in the types that the columns have
Cost     a copy; of types that Arrow has no function for (views, runs, unions) a slice for each run of rows
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def taken(table: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """Return the rows at some places, in their order."""
    indices = pa.array(places)
    try:
        return table.take(indices)
    except pa.ArrowNotImplementedError:
        columns = [_taken(column, places, indices) for column in table.columns]
        return pa.table(columns, schema=table.schema)


def filtered(table: pa.Table, chosen: NDArray[np.bool_]) -> pa.Table:
    """Return the rows that are chosen, bool[n]."""
    try:
        return table.filter(pa.array(chosen))
    except pa.ArrowNotImplementedError:
        return taken(table, np.flatnonzero(chosen))


def _taken(column: pa.ChunkedArray, places: NDArray[np.int64], indices: pa.Array) -> pa.ChunkedArray:
    try:
        return column.take(indices)
    except pa.ArrowNotImplementedError:
        slices = [chunk for first, last in _runs(places) for chunk in column.slice(first, last - first).chunks]
        return pa.chunked_array([pa.concat_arrays(slices)] if slices else [], column.type)


def _runs(places: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield where runs of places that follow one another begin and end."""
    breaks: list[Any] = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(places)]
    for first, last in pairwise(breaks):
        if last > first:
            yield int(places[first]), int(places[last - 1]) + 1


def size_of(table: pa.Table) -> int:
    """Return how many bytes a table has; of unions, with what it shares with others."""
    try:
        return int(table.nbytes)
    except pa.ArrowNotImplementedError:
        return int(table.get_total_buffer_size())


def empty(schema: pa.Schema) -> pa.Table:
    """Return a table of a schema, without rows."""
    return pa.Table.from_batches([], schema)
