"""
Ids to those that occurred before.

Input    a column of ids, in chunks
Output   the places of ids that are not the first of their value, and the place of that first
Cost     a hash of 8 bytes for each id and a sort of these; only ids whose hashes are equal are compared
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_MULTIPLIER = np.uint64(0x9FB21C651E98DF25)
_SHIFT = np.uint64(29)


def repeated(ids: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Find ids that repeat.

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
    hashes = np.concatenate([np.empty(0, np.uint64), *map(hashed, ids.chunks)])
    ordered = np.sort(hashes)
    doubtful = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    if not len(doubtful):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    places = np.searchsorted(doubtful, hashes)
    places[places == len(doubtful)] = 0
    candidates = np.flatnonzero(doubtful[places] == hashes)
    values = ids.take(pa.array(candidates))
    first = pc.index_in(values, value_set=values, skip_nulls=True)
    repeats = pc.fill_null(pc.less(first, pa.array(np.arange(len(candidates)), pa.int32())), False).to_numpy()
    return candidates[repeats], candidates[first.filter(pa.array(repeats)).to_numpy()]


def hashed(ids: pa.Array) -> NDArray[np.uint64]:
    """Hash ids: uint64[n]; equal ids have equal hashes."""
    type_ = ids.type
    if pa.types.is_integer(type_):
        return np.asarray(pc.fill_null(ids, 0).to_numpy(zero_copy_only=False)).astype(np.uint64)
    if pa.types.is_string(type_) or pa.types.is_binary(type_):
        ids = ids.cast(pa.large_binary())
    elif not (pa.types.is_large_string(type_) or pa.types.is_large_binary(type_)):
        ids = ids.cast(pa.large_string())
    return _hashed_bytes(ids)


def _hashed_bytes(texts: pa.Array) -> NDArray[np.uint64]:
    """Hash strings eight bytes at a time, all strings at once."""
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    lengths = np.diff(offsets)
    first, last = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    data = np.zeros(last - first + 8, np.uint8)
    if last > first:
        data[: last - first] = np.frombuffer(texts.buffers()[2], np.uint8)[first:last]
    words = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))  # one from every byte on
    hashes = lengths.astype(np.uint64)
    rows, starts, left = np.arange(len(texts)), offsets[:-1] - first, lengths
    while len(rows):
        going = left > 0
        rows, starts, left = rows[going], starts[going], left[going]
        word = words[starts] & (np.uint64(2**64 - 1) >> (np.uint64(8) * np.clip(8 - left, 0, 7).astype(np.uint64)))
        mixed = (hashes[rows] ^ word) * _MULTIPLIER
        hashes[rows] = mixed ^ (mixed >> _SHIFT)
        starts, left = starts + 8, left - 8
    return hashes
