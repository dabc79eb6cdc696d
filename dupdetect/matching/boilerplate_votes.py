"""Pairs to votes: what a corpus says is boilerplate.

Input    pairs that share something, with their patterns; what is known already
Output   `Boilerplate`
Cost     a pass over the documents of the pairs that vote, and a sort of the shingles that they share
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect._compiled.dispatch import on_threads
from dupdetect.matching.boilerplate import (
    AGAINST,
    NEVER,
    PLAIN,
    Boilerplate,
    are_strangers,
    grade_table,
    is_content,
    look_up,
)
from dupdetect.matching.hash_join import join_orders, shared_values
from dupdetect.matching.pairs import unpack
from dupdetect.matching.shingle_rows import whole_cuts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.counter import PairCounter
    from dupdetect.matching.hash_join import JoinOrder
    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.pairs import Pairs

    Int32 = NDArray[np.int32]
    Hashes = NDArray[np.uint64]

#: Votes for boilerplate, and votes for content, that a document takes part in at the most: a large family votes no
#: more often than a small one.
VOTES = 16

#: Parts that shingles are counted in at the most: each has two files open where they stand on disk.
PARTS = 256

#: An odd number that makes of pairs an order that has nothing to do with them.
_SHUFFLE = np.uint64(0x9E3779B97F4A7C15)


def learn(counter: PairCounter, found: Overlaps, known: Boilerplate | None = None) -> Boilerplate:
    """Let pairs vote.

    Parameters
    ----------
    counter : PairCounter
        It has the shingles of the documents.
    found : Overlaps
        Pairs that share enough to be judged (`PairCounter.sharing`).
    known : Boilerplate, optional
        What is known already, of other documents; the votes are added to it.

    Returns
    -------
    Boilerplate
        `known` itself where no two documents are strangers and nothing is known, where nothing is weighed, or where
        what is known is settled.
    """
    known = known or Boilerplate.none()
    if not counter.context.settings.weighs or known.is_settled:
        return known
    patterns = counter.patterns(found)
    boilerplate = _sample(found.pairs[are_strangers(patterns)])
    if len(boilerplate) == 0 and len(known.shingles) == 0:
        return known
    content = _sample(found.pairs[is_content(patterns)])
    shingles, margin = _tally(counter, _among(found, boilerplate))
    if len(known.shingles):
        shingles, margin = np.concatenate([known.shingles, shingles]), np.concatenate([known.margin, margin])
        shingles, margin = _counted(shingles, margin)
    # Votes for content count only for shingles that somebody says are boilerplate.
    noes, votes = _tally(counter, _among(found, content), grade_table(shingles, PLAIN))
    margin = margin.copy()
    margin[np.searchsorted(shingles, noes)] -= AGAINST * votes
    pairs = np.concatenate([boilerplate, content])
    cast = np.repeat(np.array([1, -AGAINST], np.int32), [len(boilerplate), len(content)])
    order = np.argsort(pairs)
    return Boilerplate(shingles, margin, pairs[order], cast[order])


def _tally(counter: PairCounter, found: Overlaps, among: Hashes | None = None) -> tuple[Hashes, Int32]:
    """Count the pairs that share each shingle, or each of those in a table: uint64[n], sorted, and int32[n].

    Shingles are parted by their highest bits, and each part is sorted by itself.
    """
    storage, workers = counter.context.storage, counter.context.workers
    most, total = counter.shingles.block, int(found.shared.sum(dtype=np.int64))
    parts = min(PARTS, 1 << max(4 * workers, total // most).bit_length())
    limits = np.arange(1, parts, dtype=np.uint64) << np.uint64(64 - parts.bit_length() + 1)
    columns = [(storage.growing_array(np.uint64), storage.growing_array(np.int32)) for _ in range(parts)]
    for first, last in whole_cuts(found.shared, most):
        for values, counts in _shared(counter, found.where(np.arange(first, last)), among):
            bounds = [0, *np.searchsorted(values, limits).tolist(), len(values)]
            for place, (shingles, votes) in enumerate(columns):
                shingles.append(values[bounds[place] : bounds[place + 1]])
                votes.append(counts[bounds[place] : bounds[place + 1]])
    shingles, votes = storage.growing_array(np.uint64), storage.growing_array(np.int32)
    for start in range(0, parts, workers):
        some = columns[start : start + workers]
        for values, counts in on_threads(lambda pair: _counted(pair[0].values, pair[1].values), some, workers):
            shingles.append(values)
            votes.append(counts)
    return shingles.values, votes.values


def _shared(counter: PairCounter, found: Overlaps, among: Hashes | None) -> list[tuple[Hashes, Int32]]:
    """Count shared shingles, block by block."""
    rows, workers = counter.shingles.rows, counter.context.workers
    orders = join_orders(found.pairs, rows, 8 * workers)
    run = shared_values.faster_for(sum(order.steps(rows) for order in orders))
    look = look_up.faster_for(float(found.shared.sum(dtype=np.int64)))

    def count(order: JoinOrder) -> tuple[Hashes, Int32]:
        values = run(rows, order, int(found.shared[order.places].sum()))
        if among is not None:
            values = values[look(among, values) > NEVER]
        return _counted(values)

    return on_threads(count, orders, workers)


def _among(found: Overlaps, pairs: Pairs) -> Overlaps:
    """Return some of the pairs."""
    return found.where(np.searchsorted(found.pairs, pairs))


def _counted(values: Hashes, counts: Int32 | None = None) -> tuple[Hashes, Int32]:
    """Return the distinct values, sorted, and the sum of the counts of each, one each if not given."""
    order = np.argsort(values) if counts is not None else slice(None)
    values = np.sort(values)
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
    if counts is None:
        return values[first], np.diff(np.append(first, len(values))).astype(np.int32)
    return values[first], np.add.reduceat(counts[order], first, dtype=np.int32) if len(first) else counts


def _sample(pairs: Pairs) -> Pairs:
    """Return pairs such that no document is in more than `VOTES` of them; which, depends on the pairs alone."""
    shuffled = pairs[np.argsort(pairs * _SHUFFLE)]
    documents = np.stack(unpack(shuffled), axis=1).ravel()
    order = np.argsort(documents, kind="stable")
    start = np.searchsorted(documents[order], documents[order])
    turn = np.empty(len(documents), np.int64)
    turn[order] = np.arange(len(documents)) - start
    return np.sort(shuffled[turn.reshape(-1, 2).max(axis=1) < VOTES])
