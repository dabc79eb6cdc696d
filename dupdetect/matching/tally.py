"""Pairs to sums: how many of them share each shingle.

Input    pairs, the shingles of their documents, and which shingles are asked for
Output   shingles (uint64[n], sorted, distinct) and how many pairs share each (int32[n])
Cost     a pass over the documents of the pairs, and a sort of the shingles that they share
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect._compiled.dispatch import on_threads
from dupdetect.matching.boilerplate import NEVER, look_up, presence
from dupdetect.matching.hash_join import JoinOrder, join_orders, shared_values
from dupdetect.matching.shingle_rows import whole_cuts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.shingle_rows import ShingleRows

    Byte = NDArray[np.uint8]
    Int32 = NDArray[np.int32]
    Hashes = NDArray[np.uint64]

#: Parts that shingles are counted in at the most: each has two files open where they stand on disk.
PARTS = 256


def tally(shingles: ShingleRows, found: Overlaps, among: Hashes | None = None) -> tuple[Hashes, Int32]:
    """Count the pairs that share each shingle, or each of those in a table: uint64[n], sorted, and int32[n].

    Shingles are parted by their highest bits, and each part is sorted by itself.
    """
    storage, workers = shingles.context.storage, shingles.context.workers
    shingles.load(found.pairs)
    most, total = shingles.block, int(found.shared.sum(dtype=np.int64))
    parts = min(PARTS, 1 << max(4 * workers, total // most).bit_length())
    filter_ = None if among is None else presence.faster_for(2.0 * len(among))(among)
    limits = np.arange(1, parts, dtype=np.uint64) << np.uint64(64 - parts.bit_length() + 1)
    columns = [(storage.growing_array(np.uint64), storage.growing_array(np.int32)) for _ in range(parts)]
    for first, last in whole_cuts(found.shared, most):
        for values, counts in _shared(shingles, found.where(np.arange(first, last)), among, filter_):
            bounds = [0, *np.searchsorted(values, limits).tolist(), len(values)]
            for place, (hashes, votes) in enumerate(columns):
                hashes.append(values[bounds[place] : bounds[place + 1]])
                votes.append(counts[bounds[place] : bounds[place + 1]])
            del values, counts  # they may be as large as all the rest
    hashes, votes = storage.growing_array(np.uint64), storage.growing_array(np.int32)
    while columns:  # those that are done are let go
        some, columns = columns[:workers], columns[workers:]
        rest = sum(len(each) for each, _ in columns)
        for values, counts in on_threads(lambda pair: summed(pair[0].values, pair[1].values), some, workers):
            hashes.append(values, rest)
            votes.append(counts, rest)
    return hashes.values, votes.values


def _shared(
    shingles: ShingleRows, found: Overlaps, among: Hashes | None, filter_: Byte | None
) -> list[tuple[Hashes, Int32]]:
    """Count shared shingles, block by block."""
    orders = join_orders(found.pairs, shingles)
    run = shared_values.faster_for(sum(order.steps(shingles.lengths) for order in orders))
    look = look_up.faster_for(float(found.shared.sum(dtype=np.int64)))

    def count(order: JoinOrder) -> tuple[Hashes, Int32]:
        rows, _, (build, probe) = shingles.held(order.build, order.probe)
        values = run(rows, JoinOrder(order.places, build, probe), int(found.shared[order.places].sum()))
        if among is not None and filter_ is not None:
            values = values[look(among, filter_, values) > NEVER]
        return summed(values)

    return on_threads(count, orders, shingles.context.workers)


def summed(values: Hashes, counts: Int32 | None = None) -> tuple[Hashes, Int32]:
    """Return the distinct values, sorted, and the sum of the counts of each.

    Without counts it is one each, and `values`, which may be very many, are sorted where they are.
    """
    if counts is None:
        values.sort()
        new = np.ones(len(values), np.bool_)
        np.not_equal(values[1:], values[:-1], out=new[1:])
        if new.all():
            return values, np.ones(len(values), np.int32)
        first = np.flatnonzero(new)
        return values[first], np.diff(first, append=len(values)).astype(np.int32)
    order = np.argsort(values)
    values = values[order]
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
    return values[first], np.add.reduceat(counts[order], first, dtype=np.int32) if len(first) else counts
