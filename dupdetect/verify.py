"""Candidate to match.

Input    candidate pairs, the documents' texts
Output   `Matches`: the pairs that are copies, with what they share
Cost     a pass over the texts of the documents in question, and O(shingles) a pair

What two documents share is counted on their real shingles, not estimated: similarities are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dupdetect.candidates import distinct, unpack
from dupdetect.loops import Loop, on_threads
from dupdetect.sketches import Ragged, shingle_sets

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


@dataclass(frozen=True, eq=False)
class Overlaps:
    """What pairs of documents share.

    Attributes
    ----------
    pairs : uint64[n]
        Packed (`candidates.pack`), sorted, distinct.
    shared, size_a, size_b : int64[n]
        Distinct shingles: of both, of a, of b.
    """

    pairs: Pairs
    shared: Int
    size_a: Int
    size_b: Int

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

    def relations(self, settings: Settings) -> NDArray[np.int8]:
        """Judge each pair: codes of `RELATIONS`."""
        near = self.jaccard >= settings.threshold
        enough = np.minimum(self.size_a, self.size_b) >= settings.least
        inside = enough & (self.containment >= settings.containment)
        larger_a = self.size_a > self.size_b
        codes = np.select([near, inside & larger_a, inside], [NEAR_DUPLICATE, CONTAINS, CONTAINED], NONE)
        return codes.astype(np.int8)

    def scores(self, settings: Settings) -> Share:
        """What was held against the threshold: Jaccard of near duplicates, containment of the others."""
        jaccard = self.jaccard
        return np.where(jaccard >= settings.threshold, jaccard, self.containment)

    def where(self, chosen: Bool | Int) -> Overlaps:
        """Return some of the pairs."""
        return Overlaps(self.pairs[chosen], self.shared[chosen], self.size_a[chosen], self.size_b[chosen])

    def matches(self, settings: Settings) -> Overlaps:
        """Return the pairs that are copies of one another."""
        return self.where(self.relations(settings) != NONE)

    def __or__(self, other: Overlaps) -> Overlaps:
        pairs, first = np.unique(np.concatenate([self.pairs, other.pairs]), return_index=True)
        return Overlaps(
            pairs,
            np.concatenate([self.shared, other.shared])[first],
            np.concatenate([self.size_a, other.size_a])[first],
            np.concatenate([self.size_b, other.size_b])[first],
        )


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
        self._place = np.full(len(rows), -1, np.int64)
        self._sets = Ragged.of([])

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares."""
        a, b = self._placed(pairs)
        return self._count(pairs, a, b, np.zeros(len(pairs), np.int64))

    def matches(self, pairs: Pairs, settings: Settings) -> Overlaps:
        """Return the pairs that are copies; of others no more is counted than shows it."""
        a, b = self._placed(pairs)
        size_a, size_b = self._sets.lengths[a], self._sets.lengths[b]
        near = settings.threshold / (1 + settings.threshold) * (size_a + size_b)
        inside = settings.containment * np.minimum(size_a, size_b)
        need = np.floor(np.minimum(near, inside)).astype(np.int64)
        return self._count(pairs, a, b, need).matches(settings)

    def _placed(self, pairs: Pairs) -> tuple[Int, Int]:
        """Return where the shingles of each pair's documents stand."""
        a, b = unpack(pairs)
        self._meet(distinct(np.concatenate([a, b])))
        return self._place[a], self._place[b]

    def _count(self, pairs: Pairs, a: Int, b: Int, need: Int) -> Overlaps:
        lengths = self._sets.lengths
        count = count_shared.worth(float((lengths[a] + lengths[b]).sum()))
        cuts = np.linspace(0, len(pairs), 8 * self._workers + 1).astype(np.int64).tolist()
        blocks = [slice(*cut) for cut in pairwise(cuts)]
        counted = on_threads(lambda s: count(*self._sets, a[s], b[s], need[s]), blocks, self._workers)
        return Overlaps(pairs, np.concatenate(counted), lengths[a], lengths[b])

    def _meet(self, documents: Int) -> None:
        """Cut the documents into shingles that are met for the first time."""
        new = documents[self._place[documents] < 0]
        if len(new) == 0:
            return
        new = new[np.argsort(self._rows[new])]
        sets = shingle_sets(self._texts, self._rows[new], self._settings, kept=self._kept, workers=self._workers)
        self._place[new] = np.arange(len(new)) + len(self._sets.lengths)
        self._sets = Ragged.end_to_end([self._sets, sets]) if len(self._sets.values) else sets


#: Steps of a count between two looks at whether it can still reach what is needed.
STRIDE = 64


@Loop
def count_shared(offsets: Int, values: NDArray[np.uint64], a: Int, b: Int, need: Int) -> Int:
    """Count the values that two rows of a ragged array share, for each pair of rows; rows are sorted, distinct.

    A count that cannot reach `need` any more is given up: it is then less than `need`, and not exact.
    """
    counts = np.zeros(len(a), np.int64)
    for pair in range(len(a)):
        left, left_end = offsets[a[pair]], offsets[a[pair] + 1]
        right, right_end = offsets[b[pair]], offsets[b[pair] + 1]
        count = 0
        rest = min(left_end - left, right_end - right)
        while rest > 0 and count + rest >= need[pair]:
            for _ in range(min(rest, STRIDE)):
                x, y = values[left], values[right]
                count += x == y
                left += x <= y
                right += y <= x
            rest = min(left_end - left, right_end - right)
        counts[pair] = count
    return counts
