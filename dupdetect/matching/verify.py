"""Candidate to match.

Input    candidate pairs, the documents' texts
Output   `Overlaps`: the pairs that are copies, with what they share
Cost     a pass over the shingles of the documents in question, or their texts, and O(shingles) a pair

What two documents share is counted on their real shingles, not estimated: similarities are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage.arrays import Storage
from dupdetect.matching.candidates import missing, unpack
from dupdetect.matching.shingle_rows import Layouts, count_shared
from dupdetect.sketches.sketches import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dupdetect._compiled.dispatch import Loop
    from dupdetect.matching.candidates import Pairs
    from dupdetect.matching.shingle_rows import Visit
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Texts

    Int = NDArray[np.int64]
    Count = NDArray[np.signedinteger[Any]]
    Byte = NDArray[np.uint8]
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
    def min_shingles(self) -> int: ...  # noqa: D102


class Weights(NamedTuple):
    """What pairs are worth as evidence of a copy; see `dupdetect.matching.boilerplate`.

    Attributes
    ----------
    shared, size_a, size_b : float64[n]
        Weight of the shingles of both, of a, of b.
    boilerplate : float64[n]
        Share of the shared shingles that count as boilerplate.
    interleaved : bool[n]
        Whether both documents have text of their own between what they share.
    """

    shared: Share
    size_a: Share
    size_b: Share
    boilerplate: Share
    interleaved: Bool

    def where(self, chosen: Bool | Int | slice) -> Weights:
        """Return some of the pairs; a copy."""
        shared, size_a, size_b, boilerplate = (column[chosen].copy() for column in self[:4])
        return Weights(shared, size_a, size_b, boilerplate, self.interleaved[chosen].copy())


@dataclass(frozen=True, eq=False)
class Overlaps:
    """What pairs of documents share.

    Attributes
    ----------
    pairs : uint64[n]
        Packed (`candidates.pack`), sorted, distinct.
    shared, size_a, size_b : int32[n] or int64[n]
        Distinct shingles: of both, of a, of b.
    given : Weights, optional
        Left out where each shingle weighs 1.
    kinds : uint8[n], optional
        Of each pair, as `dupdetect.matching.interleaving` tells them; left out where they were not read.
    """

    pairs: Pairs
    shared: Count
    size_a: Count
    size_b: Count
    given: Weights | None = None
    kinds: Byte | None = None

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
        return np.minimum(self.size_a, self.size_b).astype(np.int64)

    @property
    def content(self) -> Share:
        """Shared shingles that are no boilerplate."""
        if self.given is None:
            return self.shared.astype(np.float64)
        return self.shared * (1 - self.given.boilerplate)

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
        interleaved = False if self.given is None else self.given.interleaved
        inside = is_inside(self.weighted_containment, self.smaller, self.content, interleaved, settings)
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
        kinds = None if self.kinds is None else self.kinds[chosen]
        return Overlaps(self.pairs[chosen], self.shared[chosen], self.size_a[chosen], self.size_b[chosen], given, kinds)

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
        kinds = None if self.kinds is None or other.kinds is None else joined(self.kinds, other.kinds)
        return Overlaps(
            joined(self.pairs, other.pairs),
            joined(self.shared, other.shared),
            joined(self.size_a, other.size_a),
            joined(self.size_b, other.size_b),
            given,
            kinds,
        )


def least_shared(size_a: Count, size_b: Count, settings: Settings, floor: float) -> Int:
    """Return how much documents of such sizes share at least that `Verifier.sharing` lets pass: int64[n]."""
    near = settings.threshold / (1 + settings.threshold) * (size_a + size_b)
    inside = min(settings.containment, floor) * np.minimum(size_a, size_b)
    return np.floor(np.minimum(near, inside)).astype(np.int64)  # type: ignore[no-any-return]


def is_inside(containment: Share, smaller: Int, content: Share, interleaved: Bool | bool, limits: Limits) -> Bool:
    """Whether one document of each pair is inside the other.

    Parameters
    ----------
    containment : float64[n]
        Weighted, of the smaller inside the larger.
    smaller, content : int64[n], float64[n]
        Shingles of the smaller document; shared ones that are no boilerplate.
    interleaved : bool[n], or one for all
    limits : Limits
        A interleaved pair must share as much as near duplicates do.
    """
    needed = np.where(interleaved, max(limits.containment, limits.threshold), limits.containment)
    enough = (smaller >= limits.min_shingles) & (content >= limits.containment * limits.min_shingles - ROUNDED)
    return np.asarray(enough & (containment >= needed))


class Verifier:
    """Counts what pairs of documents share; keeps the layouts of the documents it has met.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
        Of all documents, in input order.
    rows : int64[n]
        Where in `texts` each document of the pairs' numbering stands.
    settings : Settings
        They say what a shingle is.
    workers : int
    kept : Kept, or sequence of Kept or None, optional
        `Sketches.kept`, of all texts or of each chunk of them: shingles that need not be cut again.
    storage : Storage, optional
        Where layouts stand; in memory if left out.
    """

    def __init__(
        self,
        texts: Texts,
        rows: Int,
        settings: Settings,
        workers: int,
        *,
        kept: Sequence[Kept | None] | Kept | None = None,
        storage: Storage | None = None,
    ) -> None:
        self._settings, self._workers, self._storage = settings, workers, storage or Storage()
        parts = [kept] if kept is None or isinstance(kept, Kept) else kept
        self._layouts = Layouts(texts, rows, settings, workers, parts, self._storage)

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares."""
        self._layouts.meet(pairs)
        return self._count(pairs, np.zeros(len(pairs), np.int64))

    def matches(self, pairs: Pairs, settings: Settings) -> Overlaps:
        """Return the pairs that are copies; of others no more is counted than shows it."""
        return self.sharing(pairs, settings).matches(settings)

    def sharing(self, pairs: Pairs, settings: Settings, *, floor: float = 1.0) -> Overlaps:
        """Return the pairs that share enough to be copies, or this share of the smaller document at least."""
        self._layouts.meet(pairs)
        sizes, (a, b) = self._layouts.pages.sizes, unpack(pairs)
        need = least_shared(sizes[a], sizes[b], settings, floor)
        counted = self._count(pairs, need)
        return counted.where(counted.shared >= need)

    def _count(self, pairs: Pairs, need: Int) -> Overlaps:
        """Count what each pair shares, whose documents are laid out."""
        shared, pages = np.empty(len(pairs), np.int32), self._layouts.pages
        self._visit(pairs, count_shared, lambda visit: (visit, need, shared))
        a, b = unpack(pairs)
        return Overlaps(pairs, shared, pages.sizes[a], pages.sizes[b])

    def _visit(self, pairs: Pairs, loop: Loop[..., Any], arguments: Callable[[Visit], tuple[Any, ...]]) -> list[Any]:
        """Run a loop over pairs, whose documents are laid out, on threads."""
        visits, pages = self._layouts.visits(pairs), self._layouts.pages
        run = loop.worth(sum(visit.steps(pages) for visit in visits))
        return on_threads(lambda visit: run(pages, *arguments(visit)), visits, self._workers)
