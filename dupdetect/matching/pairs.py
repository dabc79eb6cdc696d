"""Pairs of documents as sorted arrays of single numbers.

Input    document numbers, below 2**32
Output   packed pairs: uint64, the lesser document in the upper half; sorted and distinct wherever they are passed on
Cost     a sort
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Pairs = NDArray[np.uint64]

#: A pair (a, b), a < b < 2**32, is the number ``a << HALF | b``.
HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Sort and drop repeats; `numpy.unique` does it by hashing, several times as slow for many integers."""
    values = np.sort(values)
    first = np.ones(len(values), np.bool_)
    first[1:] = values[1:] != values[:-1]
    return values[first]


def pack(a: NDArray[Any], b: NDArray[Any]) -> Pairs:
    """Pack pairs of document numbers, either order, into sorted distinct uint64."""
    return distinct(packed(a, b))


def packed(a: NDArray[Any], b: NDArray[Any]) -> Pairs:
    """Pack pairs of document numbers, either order, each at its place."""
    low, high = np.minimum(a, b).astype(np.uint64), np.maximum(a, b).astype(np.uint64)
    return low << HALF | high  # type: ignore[no-any-return]


def unpack(pairs: Pairs) -> tuple[Int, Int]:
    """Return the lesser and the greater document of each pair: int64[n], int64[n]."""
    return lesser(pairs), greater(pairs)


def lesser(pairs: Pairs) -> Int:
    """Return the lesser document of each pair."""
    return (pairs >> HALF).view(np.int64)


def greater(pairs: Pairs) -> Int:
    """Return the greater document of each pair."""
    return (pairs & _LOW).view(np.int64)


def union(*pairs: Pairs) -> Pairs:
    """Return the pairs that are in any."""
    return distinct(np.concatenate(pairs))


def without(pairs: Pairs, others: Pairs) -> Pairs:
    """Return the pairs that are not in the others."""
    return pairs[missing(pairs, others)]


def missing(pairs: Pairs, others: Pairs) -> NDArray[np.bool_]:
    """Mark the pairs that are not in the others, which are sorted."""
    if len(others) == 0:
        return np.ones(len(pairs), np.bool_)
    place = np.minimum(np.searchsorted(others, pairs), len(others) - 1)
    return others[place] != pairs  # type: ignore[no-any-return]


def proper(pairs: Pairs) -> Pairs:
    """Drop the pairs of a document with itself."""
    a, b = unpack(pairs)
    return pairs[a != b]  # type: ignore[no-any-return]


def documents_of(pairs: Pairs, n: int) -> Int:
    """Return the documents, of n, that pairs are of: distinct, ascending."""
    seen = np.zeros(n, np.bool_)
    for side in unpack(pairs):
        seen[side] = True
    return np.flatnonzero(seen)


def spread(first: Int, count: Int) -> Int:
    """Return the numbers of runs: from each `first` on, `count` of them.

    >>> spread(np.array([7, 1]), np.array([2, 3])).tolist()
    [7, 8, 1, 2, 3]
    """
    return np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
