"""Ids to those that occurred before.

Input    a column of ids, in chunks
Output   the places of ids that are not the first of their value, and the place of that first
Cost     a hash of 8 bytes for each id and a sort of these; only ids whose hashes are equal are compared
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dupdetect.io.identifiers import spelled, workable

#: Ids that are Python objects at a time.
AT_ONCE = 1 << 16


def find_duplicates(ids: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find ids that repeat.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray
        n ids of any type that is not nested; nulls repeat nothing.

    Returns
    -------
    int64[m]
        The positions of ids that occurred before, ascending.
    int64[m]
        The positions of their first occurrences.
    """
    hashes = _hashed(ids)
    ordered = np.sort(hashes)
    doubtful = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    if not len(doubtful):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    places = np.searchsorted(doubtful, hashes)
    places[places == len(doubtful)] = 0
    candidates = np.flatnonzero(doubtful[places] == hashes)
    values = workable(ids.take(pa.array(candidates)))
    first = pc.index_in(values, value_set=values, skip_nulls=True)
    repeats = pc.fill_null(pc.less(first, pa.array(np.arange(len(candidates)), pa.int32())), False).to_numpy()
    return candidates[repeats], candidates[first.filter(pa.array(repeats)).to_numpy()]


def _hashed(ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Hash ids, so that equal ones have equal hashes: those that are neither strings nor integers as text."""
    if not (pa.types.is_integer(ids.type) or pa.types.is_binary(ids.type) or pa.types.is_large_binary(ids.type)):
        ids = spelled(ids)
    hashes = np.empty(len(ids), np.int64)
    for first in range(0, len(ids), AT_ONCE):
        part = ids.slice(first, AT_ONCE).to_pylist()
        hashes[first : first + len(part)] = np.fromiter(map(hash, part), np.int64, len(part))
    return hashes
