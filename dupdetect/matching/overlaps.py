"""What pairs of documents share, and what relation follows from it.

Input    counts of shared shingles, and weights of them (`boilerplate_weights`)
Output   `Overlaps`: Jaccard, containment, relations and scores of pairs
Cost     O(pairs)

This module is the definition of a match. Counts are of real shingles, not estimates: similarities are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from dupdetect.matching.pairs import missing, unpack

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]
    Count = NDArray[np.signedinteger[Any]]
    Byte = NDArray[np.uint8]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Relations of a to b, by their codes in `Overlaps.relations`; "identical" is known before, from the digests.
RELATIONS = ("none", "identical", "near_duplicate", "contains", "contained")
NONE, IDENTICAL, NEAR_DUPLICATE, CONTAINS, CONTAINED = range(5)

#: Share of the smaller document below which a pair is no match, however its shingles are weighed.
FLOOR = 0.25

#: Less than any shingle weighs: a document of none has nothing to divide by.
_LEAST_WEIGHT = 1e-9

#: Counts closer than this are equal: a share of a count is rounded.
ROUNDED = 1e-9


def turned(relation: NDArray[np.int8]) -> NDArray[np.int8]:
    """Turn relations of a to b, by their codes, into relations of b to a."""
    return np.select([relation == CONTAINS, relation == CONTAINED], [CONTAINED, CONTAINS], relation).astype(np.int8)


def relation_names(codes: NDArray[np.int8]) -> pa.Array:
    """Return relations by their names, null where there is none."""
    import pyarrow as pa

    return pa.array([None, *RELATIONS[1:]], pa.string()).take(pa.array(codes))


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
        Packed (`pairs.pack`), sorted, distinct.
    shared, size_a, size_b : int32[n] or int64[n]
        Distinct shingles: of both, of a, of b.
    given : Weights, optional
        Left out where each shingle weighs 1.
    patterns : uint8[n], optional
        How each pair shares what it shares (`dupdetect.matching.interleaving`); left out where it was not read.
    """

    pairs: Pairs
    shared: Count
    size_a: Count
    size_b: Count
    given: Weights | None = None
    patterns: Byte | None = None

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

    def relations(self, limits: Limits) -> NDArray[np.int8]:
        """Judge each pair: codes of `RELATIONS`."""
        near = self.weighted_jaccard >= limits.threshold
        interleaved = False if self.given is None else self.given.interleaved
        inside = is_inside(self.weighted_containment, self.smaller, self.content, interleaved, limits)
        larger_a = self.size_a > self.size_b
        codes = np.select([near, inside & larger_a, inside], [NEAR_DUPLICATE, CONTAINS, CONTAINED], NONE)
        return codes.astype(np.int8)

    def scores(self, limits: Limits) -> Share:
        """What was compared with the threshold: Jaccard of near duplicates, containment of the others; weighed."""
        jaccard = self.weighted_jaccard
        return np.where(jaccard >= limits.threshold, jaccard, self.weighted_containment)

    def where(self, chosen: Bool | Int) -> Overlaps:
        """Return some of the pairs."""
        given = None if self.given is None else self.given.where(chosen)
        patterns = None if self.patterns is None else self.patterns[chosen]
        return Overlaps(
            self.pairs[chosen], self.shared[chosen], self.size_a[chosen], self.size_b[chosen], given, patterns
        )

    def matches(self, limits: Limits) -> Overlaps:
        """Return the pairs that are copies of one another."""
        return self.where(self.relations(limits) != NONE)

    def __or__(self, other: Overlaps) -> Overlaps:
        other = other.where(missing(other.pairs, self.pairs))
        place = np.searchsorted(self.pairs, other.pairs)

        def joined(mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
            return np.insert(mine, place, theirs)

        given = None
        if self.given is not None or other.given is not None:
            given = Weights(*map(joined, self.weights, other.weights))
        patterns = None if self.patterns is None or other.patterns is None else joined(self.patterns, other.patterns)
        return Overlaps(
            joined(self.pairs, other.pairs),
            joined(self.shared, other.shared),
            joined(self.size_a, other.size_a),
            joined(self.size_b, other.size_b),
            given,
            patterns,
        )


class Matcher(Protocol):
    """Whatever says what pairs of documents share, and which are copies: a `Verifier`, for one."""

    def overlaps(self, pairs: Pairs) -> Overlaps: ...  # noqa: D102
    def matches(self, pairs: Pairs) -> Overlaps: ...  # noqa: D102


def least_shared(size_a: Count, size_b: Count, limits: Limits, floor: float) -> Int:
    """Return how many shingles documents of such sizes must share to be judged at all: int64[n].

    As many as near duplicates of these sizes do, or a share of the smaller one: that which containment needs, or
    `floor`, whichever is less.
    """
    near = limits.threshold / (1 + limits.threshold) * (size_a + size_b)
    inside = min(limits.containment, floor) * np.minimum(size_a, size_b)
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
        An interleaved pair must share as much as near duplicates do.
    """
    needed = np.where(interleaved, max(limits.containment, limits.threshold), limits.containment)
    enough = (smaller >= limits.min_shingles) & (content >= limits.containment * limits.min_shingles - ROUNDED)
    return np.asarray(enough & (containment >= needed))
