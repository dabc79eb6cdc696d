"""Candidate to match.

Input    candidate pairs, the documents' texts
Output   `Matches`: the pairs that are copies, with what they share
Cost     a pass over the shingles of the documents in question, or their texts, and O(shingles) a pair

What two documents share is counted on their real shingles, not estimated: similarities are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from dupdetect.candidates import missing, unpack
from dupdetect.loops import Loop, on_threads
from dupdetect.sketches import shingle_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.candidates import Pairs
    from dupdetect.settings import Settings
    from dupdetect.sketches import Kept, Texts

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Relations of a to b, by their codes in `Overlaps.relations`; "identical" is known before, from the digests.
RELATIONS = ("none", "identical", "near_duplicate", "contains", "contained")
NONE, IDENTICAL, NEAR_DUPLICATE, CONTAINS, CONTAINED = range(5)

#: Less than any shingle weighs: a document of none has nothing to divide by.
_LEAST_WEIGHT = 1e-9

#: Counts closer than this are equal: a share of a count is rounded.
ROUNDED = 1e-9


class Limits(Protocol):
    """What decides whether a pair is a match: those three of `Settings`."""

    @property
    def threshold(self) -> float: ...  # noqa: D102
    @property
    def containment(self) -> float: ...  # noqa: D102
    @property
    def least(self) -> int: ...  # noqa: D102


class Weights(NamedTuple):
    """What pairs are worth as evidence of a copy; see `dupdetect.templates`.

    Attributes
    ----------
    shared, size_a, size_b : float64[n]
        Weight of the shingles of both, of a, of b.
    template : float64[n]
        Share of the shared shingles that count as template.
    framed : bool[n]
        Whether both documents have text of their own between what they share.
    """

    shared: Share
    size_a: Share
    size_b: Share
    template: Share
    framed: Bool

    def where(self, chosen: Bool | Int | slice) -> Weights:
        """Return some of the pairs; a copy."""
        shared, size_a, size_b, template = (column[chosen].copy() for column in self[:4])
        return Weights(shared, size_a, size_b, template, self.framed[chosen].copy())


@dataclass(frozen=True, eq=False)
class Overlaps:
    """What pairs of documents share.

    Attributes
    ----------
    pairs : uint64[n]
        Packed (`candidates.pack`), sorted, distinct.
    shared, size_a, size_b : int64[n]
        Distinct shingles: of both, of a, of b.
    given : Weights, optional
        Left out where each shingle weighs 1.
    """

    pairs: Pairs
    shared: Int
    size_a: Int
    size_b: Int
    given: Weights | None = None

    @property
    def weights(self) -> Weights:
        """What each pair is worth; a copy."""
        if self.given is not None:
            return self.given.where(slice(None))
        shared, size_a, size_b = (column.astype(np.float64) for column in (self.shared, self.size_a, self.size_b))
        return Weights(shared, size_a, size_b, np.zeros(len(shared)), np.zeros(len(shared), np.bool_))

    @property
    def a(self) -> Int:
        """The lesser document of each pair."""
        return unpack(self.pairs)[0]

    @property
    def b(self) -> Int:
        """The greater document of each pair."""
        return unpack(self.pairs)[1]

    @property
    def jaccard(self) -> Share:
        """Share of the shingles of either that are of both."""
        return self.shared / np.maximum(self.size_a + self.size_b - self.shared, 1)  # type: ignore[no-any-return]

    @property
    def containment_a(self) -> Share:
        """Share of a inside b."""
        return self.shared / np.maximum(self.size_a, 1)

    @property
    def containment_b(self) -> Share:
        """Share of b inside a."""
        return self.shared / np.maximum(self.size_b, 1)

    @property
    def containment(self) -> Share:
        """Share of the smaller inside the larger."""
        return self.shared / np.maximum(np.minimum(self.size_a, self.size_b), 1)

    @property
    def smaller(self) -> Int:
        """Shingles of the smaller document."""
        return np.minimum(self.size_a, self.size_b)

    @property
    def content(self) -> Share:
        """Shared shingles that are no template."""
        if self.given is None:
            return self.shared.astype(np.float64)
        return self.shared * (1 - self.given.template)

    @property
    def weighted_jaccard(self) -> Share:
        """`jaccard`, shingles weighed."""
        if self.given is None:
            return self.jaccard
        shared, size_a, size_b, *_ = self.given
        return shared / np.maximum(size_a + size_b - shared, _LEAST_WEIGHT)

    @property
    def weighted_containment(self) -> Share:
        """`containment`, shingles weighed."""
        if self.given is None:
            return self.containment
        shared, size_a, size_b, *_ = self.given
        return shared / np.maximum(np.minimum(size_a, size_b), _LEAST_WEIGHT)

    def relations(self, settings: Settings) -> NDArray[np.int8]:
        """Judge each pair: codes of `RELATIONS`."""
        near = self.weighted_jaccard >= settings.threshold
        framed = False if self.given is None else self.given.framed
        inside = is_inside(self.weighted_containment, self.smaller, self.content, framed, settings)
        larger_a = self.size_a > self.size_b
        codes = np.select([near, inside & larger_a, inside], [NEAR_DUPLICATE, CONTAINS, CONTAINED], NONE)
        return codes.astype(np.int8)

    def scores(self, settings: Settings) -> Share:
        """What was held against the threshold: Jaccard of near duplicates, containment of the others; weighed."""
        jaccard = self.weighted_jaccard
        return np.where(jaccard >= settings.threshold, jaccard, self.weighted_containment)

    def where(self, chosen: Bool | Int) -> Overlaps:
        """Return some of the pairs."""
        given = None if self.given is None else self.given.where(chosen)
        return Overlaps(self.pairs[chosen], self.shared[chosen], self.size_a[chosen], self.size_b[chosen], given)

    def matches(self, settings: Settings) -> Overlaps:
        """Return the pairs that are copies of one another."""
        return self.where(self.relations(settings) != NONE)

    def __or__(self, other: Overlaps) -> Overlaps:
        other = other.where(missing(other.pairs, self.pairs))
        place = np.searchsorted(self.pairs, other.pairs)

        def joined(mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
            return np.insert(mine, place, theirs)

        given = None
        if self.given is not None or other.given is not None:
            given = Weights(*map(joined, self.weights, other.weights))
        return Overlaps(
            joined(self.pairs, other.pairs),
            joined(self.shared, other.shared),
            joined(self.size_a, other.size_a),
            joined(self.size_b, other.size_b),
            given,
        )


def least_shared(size_a: Int, size_b: Int, settings: Settings, floor: float) -> Int:
    """Return how much documents of such sizes share at least that `Verifier.sharing` lets pass: int64[n]."""
    near = settings.threshold / (1 + settings.threshold) * (size_a + size_b)
    inside = min(settings.containment, floor) * np.minimum(size_a, size_b)
    return np.floor(np.minimum(near, inside)).astype(np.int64)  # type: ignore[no-any-return]


def is_inside(containment: Share, smaller: Int, content: Share, framed: Bool | bool, limits: Limits) -> Bool:
    """Whether one document of each pair is inside the other.

    Parameters
    ----------
    containment : float64[n]
        Weighted, of the smaller inside the larger.
    smaller, content : int64[n], float64[n]
        Shingles of the smaller document; shared ones that are no template.
    framed : bool[n], or one for all
    limits : Limits
        A framed pair must share as much as near duplicates do.
    """
    needed = np.where(framed, max(limits.containment, limits.threshold), limits.containment)
    enough = (smaller >= limits.least) & (content >= limits.containment * limits.least - ROUNDED)
    return np.asarray(enough & (containment >= needed))


class Verifier:
    """Counts what pairs of documents share; keeps the shingles of the documents it has met.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
        Of all documents, in input order.
    rows : int64[n]
        Where in `texts` each document of the pairs' numbering stands.
    settings : Settings
        They say what a shingle is.
    workers : int
    kept : Kept, optional
        Shingles kept from sketching the texts.
    """

    def __init__(self, texts: Texts, rows: Int, settings: Settings, workers: int, *, kept: Kept | None = None) -> None:
        self._texts, self._rows, self._settings, self._workers = texts, rows, settings, workers
        self._kept = kept
        none = np.full(len(rows), -1, np.int64)
        # Where the shingles of each document stand and how many they are, in reading order or sorted: those that were
        # kept, or else behind them those cut since. Its distinct shingles are counted once.
        self._starts, self._lengths, self._sizes = none, none.copy(), none.copy()
        self._slots = np.empty(0, np.uint64) if kept is None else kept.slots
        self._cut = np.empty(0, np.uint64)

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares."""
        self._meet(pairs)
        return self._count(pairs, np.zeros(len(pairs), np.int64))

    def matches(self, pairs: Pairs, settings: Settings) -> Overlaps:
        """Return the pairs that are copies; of others no more is counted than shows it."""
        return self.sharing(pairs, settings).matches(settings)

    def sharing(self, pairs: Pairs, settings: Settings, *, floor: float = 1.0) -> Overlaps:
        """Return the pairs that share enough to be copies, or this share of the smaller document at least."""
        self._meet(pairs)
        a, b = unpack(pairs)
        need = least_shared(self._sizes[a], self._sizes[b], settings, floor)
        counted = self._count(pairs, need)
        return counted.where(counted.shared >= need)

    def _count(self, pairs: Pairs, need: Int) -> Overlaps:
        """Count what each pair shares, those of one document after the other: it is laid out once for all of them."""
        a, b = unpack(pairs)
        degree = np.bincount(a, minlength=len(self._rows)) + np.bincount(b, minlength=len(self._rows))
        hub, other = np.where(degree[a] >= degree[b], (a, b), (b, a))
        order = np.argsort(hub, kind="stable")
        count = count_shared.worth(float((self._lengths[a] + self._lengths[b]).sum()))
        arrays = (self._slots, self._cut, self._starts, self._lengths)
        blocks = np.array_split(order, 8 * self._workers)
        counted = on_threads(lambda s: count(*arrays, hub[s], other[s], need[s]), blocks, self._workers)
        shared = np.empty(len(pairs), np.int64)
        shared[order] = np.concatenate(counted)
        return Overlaps(pairs, shared, self._sizes[a], self._sizes[b])

    def _meet(self, pairs: Pairs) -> None:
        """Find the shingles of the documents that are met for the first time; cut those that were not kept."""
        met = np.zeros(len(self._rows), np.bool_)
        for side in unpack(pairs):
            met[side] = True
        new = np.flatnonzero(met & (self._starts < 0))
        if self._kept is not None:
            rows = self._rows[new]
            fits = self._kept.sizes[rows] <= self._kept.room[rows]
            here, rows, new = new[fits], rows[fits], new[~fits]
            self._starts[here], self._lengths[here] = self._kept.places[rows], self._kept.sizes[rows]
            self._sizes[here] = self._distinct(here)
        if len(new):
            new = new[np.argsort(self._rows[new])]
            sets = shingle_sets(self._texts, self._rows[new], self._settings, workers=self._workers)
            self._starts[new] = len(self._slots) + len(self._cut) + sets.offsets[:-1]
            self._lengths[new] = self._sizes[new] = sets.lengths
            self._cut = np.concatenate([self._cut, sets.values])

    def _distinct(self, documents: Int) -> Int:
        """Count the distinct shingles of documents, of those that were kept."""
        starts, lengths = self._starts[documents], self._lengths[documents]
        count = count_distinct.worth(float(lengths.sum()))
        blocks = np.array_split(np.arange(len(documents)), 8 * self._workers)
        counted = on_threads(lambda s: count(self._slots, starts[s], lengths[s]), blocks, self._workers)
        return np.concatenate(counted)


#: Steps of a count between two looks at whether it can still reach what is needed.
STRIDE = 64

#: Places in a table of hashes for each that it holds, at least: most are found at the first look.
ROOM = 4


@Loop
def count_distinct(slots: NDArray[np.uint64], starts: Int, lengths: Int) -> Int:
    """Count the distinct hashes among ``slots[starts[i]:starts[i] + lengths[i]]``, for each i."""
    counts = np.zeros(len(starts), np.int64)
    size = 1
    while size < ROOM * (lengths.max() if len(lengths) else 0):
        size *= 2
    held, mark = np.empty(size, np.uint64), np.full(size, -1, np.int64)
    for row in range(len(starts)):
        size = 1
        while size < ROOM * lengths[row]:
            size *= 2
        mask = np.uint64(size - 1)
        for value in slots[starts[row] : starts[row] + lengths[row]]:
            place = np.int64(value & mask)
            while mark[place] == row and held[place] != value:
                place = (place + 1) & (size - 1)
            counts[row] += mark[place] != row
            held[place], mark[place] = value, row
    return counts


@Loop
def count_shared(  # noqa: C901 (one loop, compiled whole)
    slots: NDArray[np.uint64], cut: NDArray[np.uint64], starts: Int, lengths: Int, a: Int, b: Int, need: Int
) -> Int:
    """Count the distinct hashes that two rows share, for each pair of rows; pairs with the same a together.

    Row i is ``values[starts[i]:starts[i] + lengths[i]]``, values being `slots` and, behind them, `cut`; a row does not
    reach from one into the other. A count that cannot reach `need` any more is given up: it is then less than `need`,
    and not exact.
    """
    counts = np.zeros(len(a), np.int64)
    most = lengths[a].max() if len(a) else 0
    size = 1
    while size < ROOM * most:
        size *= 2
    # The distinct hashes of the row that is laid out, in its order; when each was last counted; where in it a hash is.
    laid, mark, table = np.empty(most, np.uint64), np.zeros(most, np.int64), np.empty(size, np.int32)
    for pair in range(len(a)):
        if pair == 0 or a[pair] != a[pair - 1]:
            start, length = starts[a[pair]], lengths[a[pair]]
            size = 1
            while size < ROOM * length:
                size *= 2
            mask = np.uint64(size - 1)
            table[:size] = -1
            held = 0
            for value in slots[start : start + length] if start < len(slots) else cut[start - len(slots) :][:length]:
                place = np.int64(value & mask)
                while table[place] >= 0 and laid[table[place]] != value:
                    place = (place + 1) & (size - 1)
                if table[place] < 0:
                    table[place], laid[held] = held, value
                    held += 1
        start, length = starts[b[pair]], lengths[b[pair]]
        row = slots[start : start + length] if start < len(slots) else cut[start - len(slots) :][:length]
        count, found = 0, -1
        for done in range(0, length, STRIDE):
            if count + length - done < need[pair]:
                break
            for value in row[done : done + STRIDE]:
                found += 1  # rows that are alike go on alike
                if found >= held or laid[found] != value:
                    place = np.int64(value & mask)
                    while table[place] >= 0 and laid[table[place]] != value:
                        place = (place + 1) & (size - 1)
                    found = table[place]
                if found >= 0:
                    count += mark[found] != pair + 1
                    mark[found] = pair + 1
        counts[pair] = count
    return counts
