"""Find all matches of sampled documents, exactly.

Input    texts, the cluster of each, which of them are the sample, and what the corpus says is boilerplate
Output   `Compared`: how many matches each sampled document has, and those that are of different clusters
Cost     one pass over the texts, cut into shingles a block at a time; another over those of pairs that are not plainly
         copies or strangers

The sampled documents' shingles are an inverted index, through which the shingles of all documents pass. Nothing is left
out for being no candidate, so what the search overlooks shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.compute as pc

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage.context import Context
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import FLOOR, Overlaps, least_shared
from dupdetect.matching.pairs import packed
from dupdetect.matching.removal import decided
from dupdetect.matching.verify import Verifier
from dupdetect.sketches.sketches import Ragged, shingle_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Texts

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]

#: Bytes of text that pass through the index at once, in each thread.
BLOCK_BYTES = 16 << 20

#: Pairs of documents counted at once, in each thread: what they share takes some 40 bytes a pair.
BLOCK_PAIRS = 1 << 22

#: Slots of the table that tells at a glance which shingles no sampled document has: 16 MB, and with a sample of a
#: thousand articles one shingle in twenty that is none of theirs passes it.
SLOTS = 1 << 24


class Matches(NamedTuple):
    """Pairs of a sampled document a and any other b.

    Attributes
    ----------
    a, b : int64[m]
    relation : int8[m]
        Of a to b: codes of `verify.RELATIONS`.
    score, jaccard, containment : float64[m]
        What was held against the threshold; exact, each shingle counting alike, and containment of the smaller.
    """

    a: Int
    b: Int
    relation: NDArray[np.int8]
    score: Share
    jaccard: Share
    containment: Share

    def where(self, chosen: NDArray[np.bool_] | Int) -> Matches:
        """Return some of the pairs."""
        return Matches(*(column[chosen] for column in self))  # type: ignore[arg-type]


class Compared(NamedTuple):
    """Of each sampled document's matches, how many there are and were put together; and those that were not."""

    pairs: Int
    together: Int
    missed: Matches


def compare_sample(
    texts: Texts, rows: Int, cluster: Int, sample: Int, settings: Settings, boilerplate: Boilerplate, *, workers: int
) -> Compared:
    """Compare the sampled documents with all.

    Only what is missed is kept: of a family of 100,000, a sample of a thousand has a hundred million matches.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
    rows : int64[n]
        Where in `texts` each document stands, ascending.
    cluster : int64[n]
        What each was put into.
    sample : int64[m]
        The documents to compare with all, ascending.
    settings : Settings
        Of the run: they say what a match is.
    boilerplate : Boilerplate
        What the run learned.
    workers : int
    """
    sets = shingle_sets(texts, rows[sample], settings, workers=workers)
    index = _Index(sets)

    def compare(block: Int) -> Compared:
        documents = np.concatenate([sample, block])
        overlaps = index.count(shingle_sets(texts, rows[block], settings))
        # Documents of a block are judged among themselves: the rows of them go with the block.
        verifier = Verifier(PairCounter(texts, rows[documents], Context(settings, 1)), boilerplate)
        overlaps = _enough(overlaps, documents, settings)
        certain = verifier.certain(overlaps) & (cluster[documents[overlaps.a]] == cluster[documents[overlaps.b]])
        matches = decided(verifier.weigh(overlaps.where(~certain)), settings)
        a, b = documents[matches.a], documents[matches.b]
        together = cluster[a] == cluster[b]
        right = np.concatenate([overlaps.a[certain], matches.a[together]])
        missed = matches.where(~together)
        shown = *missed.judged(settings), missed.jaccard, missed.containment
        pairs, right = (np.bincount(place, minlength=len(sample)) for place in (np.append(right, missed.a), right))
        return Compared(pairs, right, Matches(a[~together], b[~together], *shown))

    zeros = np.zeros(len(sample), np.int64)
    none = Matches(zeros[:0], zeros[:0], np.empty(0, np.int8), *[np.empty(0)] * 3)
    parts = [Compared(zeros, zeros, none)]
    parts += on_threads(compare, _blocks(texts, rows, len(sample)), workers)
    pairs, together = (np.sum([part[place] for part in parts], axis=0) for place in (0, 1))
    missed = Matches(*map(np.concatenate, zip(*(part.missed for part in parts), strict=True)))
    return Compared(pairs, together, missed.where(np.lexsort((missed.b, missed.a))))


def _enough(overlaps: Overlaps, documents: Int, settings: Settings) -> Overlaps:
    """Return the pairs of two documents that share enough to be judged."""
    floor = FLOOR if settings.weighs else 1.0
    enough = overlaps.shared >= least_shared(overlaps.size_a, overlaps.size_b, settings, floor)
    return overlaps.where(enough & (documents[overlaps.a] != documents[overlaps.b]))


def _blocks(texts: Texts, rows: Int, sample: int) -> list[Int]:
    """Cut the documents into blocks of some `BLOCK_BYTES`, and of no more than `BLOCK_PAIRS` with the sample."""
    lengths = np.asarray(pc.binary_length(texts), np.int64)[rows]
    numbers = np.cumsum(lengths / BLOCK_BYTES + sample / BLOCK_PAIRS).astype(np.int64)
    return [block for block in np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(numbers)) + 1) if len(block)]


class _Index:
    """Sampled documents by shingle.

    Shingles that the same sampled documents have (those of a menu, or those of one document alone) are counted as one
    group, so that what a thousand documents have in common costs no more than what two have.
    """

    def __init__(self, sets: Ragged) -> None:
        from scipy.sparse import csr_matrix

        sample = len(sets.lengths)
        self._sizes = sets.lengths
        self._shingles, columns = np.unique(sets.values, return_inverse=True)
        ones = np.ones(len(columns), np.int32)
        having = csr_matrix((ones, columns, sets.offsets), (sample, len(self._shingles))).T.tocsr()
        # A set of documents as the sum of their random numbers: equal sums are equal sets, but for one pair in 2**64.
        numbers = np.random.default_rng(0).integers(0, 2**64, sample, np.uint64)
        sums = np.zeros(len(self._shingles), np.uint64)
        np.add.at(sums, columns, np.repeat(numbers, self._sizes))
        _, first, self._groups = np.unique(sums, return_index=True, return_inverse=True)
        self._having = having[first]
        self._glance = np.zeros(SLOTS, np.bool_)
        self._glance[self._slots(self._shingles)] = True

    @staticmethod
    def _slots(shingles: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return shingles & np.uint64(SLOTS - 1)

    def count(self, sets: Ragged) -> Overlaps:
        """Count what documents share with each sampled one: all pairs that share anything.

        In the pairs, sampled documents are numbered before the others.
        """
        from scipy.sparse import csr_matrix

        perhaps = np.flatnonzero(self._glance[self._slots(sets.values)])
        values = sets.values[perhaps]
        place = np.searchsorted(self._shingles, values)
        place[place == len(self._shingles)] = 0
        known = self._shingles[place] == values
        groups, bounds = self._groups[place[known]], np.searchsorted(perhaps[known], sets.offsets)
        ones = np.ones(len(groups), np.int32)
        mine = csr_matrix((ones, groups, bounds), (len(sets.lengths), self._having.shape[0]))
        mine.sum_duplicates()
        shared = (mine @ self._having).T.tocsr().tocoo()  # so that pairs of one sampled document are together
        a, b = shared.row.astype(np.int64), shared.col.astype(np.int64)
        pairs = packed(a, b + len(self._sizes))
        return Overlaps(pairs, shared.data.astype(np.int64), self._sizes[a], sets.lengths[b])
