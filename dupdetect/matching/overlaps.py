"""What pairs of documents share, and what relation follows from it.

Input    counts of shared shingles, and weights (`boilerplate_weights`)
Output   `Overlaps`: Jaccard, containment, relations and scores of pairs
Cost     O(pairs)

This module is the definition of a match. Counts are of real shingles, not estimates: similarities are exact.

Two documents are *near duplicates* if their Jaccard similarity reaches `threshold`. They are *syndicated* if that of
their content reaches it where the other does not, and `EXPLAINED` of what either has of its own is boilerplate. One
*contains* the other if no more than ``1 - containment`` of the content of the latter is new, and the former has at
least twice as much of its own: two forms with other names filled in do not contain one another. Where more than
`SUSPECT` of what they share is boilerplate, the rest may be, too: such a pair is a near duplicate or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from dupdetect.matching.pairs import greater, lesser, missing

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
RELATIONS = ("none", "identical", "near_duplicate", "contains", "contained", "syndicated")
NONE, IDENTICAL, NEAR_DUPLICATE, CONTAINS, CONTAINED, SYNDICATED = range(6)

#: Share of the own words of two syndicated pages that is boilerplate, at least.
EXPLAINED = 0.5

#: Share of boilerplate in what two documents share from which on the rest of it may be boilerplate, too: they are near
#: duplicates or nothing.
SUSPECT = 0.25

#: New words of main content that both of two strangers have who are no near duplicates, whatever else they share.
ARTICLE = 64

#: Words in a row that are a passage, and no edit.
PASSAGE = 32

#: Share of the smaller document below which a pair is no match, however its shingles are weighed.
FLOOR = 0.25

#: Less than any shingle weighs: a document of none has nothing to divide by.
_LEAST_WEIGHT = 1e-9

#: Counts closer than this are equal: a share of a count is rounded.
ROUNDED = 1e-9


def turned(relation: NDArray[np.int8]) -> NDArray[np.int8]:
    """Turn relations of a to b, by their codes, into relations of b to a."""
    codes = np.arange(len(RELATIONS), dtype=np.int8)
    codes[CONTAINS], codes[CONTAINED] = CONTAINED, CONTAINS
    return codes[relation]


def relation_names(codes: NDArray[np.int8]) -> pa.Array:
    """Return relations by their names, null where there is none."""
    import pyarrow as pa

    return pa.array([None, *RELATIONS[1:]], pa.string()).take(pa.array(codes))


class Inside(Protocol):
    """What decides whether a document is inside another: those two of `Settings`."""

    @property
    def containment(self) -> float: ...  # noqa: D102
    @property
    def min_shingles(self) -> int: ...  # noqa: D102


class Limits(Inside, Protocol):
    """What decides whether a pair is a match, and what may be removed: those of `Settings`."""

    @property
    def threshold(self) -> float: ...  # noqa: D102
    @property
    def max_lost(self) -> float: ...  # noqa: D102


class Weights(NamedTuple):
    """What the documents of pairs have, in words; see `dupdetect.matching.boilerplate`.

    Attributes
    ----------
    content_a, content_b : float64[n]
        Words of a, of b that both have and that are content.
    own_a, own_b : float64[n]
        Words that the other does not have, but for two that are one word in it: a lost space.
    new_a, new_b : float64[n]
        Those of them that are not boilerplate.
    lost_a, lost_b : float64[n]
        Those of them that are not furniture either: what would be lost of a, of b, if only the other stayed.
    main_a, main_b : float64[n]
        New words that are main content, in lines of few symbols.
    run_a, run_b : float64[n]
        The most words of a, of b, that would be lost and have nothing shared between them.
    boilerplate : float64[n]
        Share of the shared shingles that count as boilerplate.
    in_place : float64[n]
        Share of the shared shingles that stand at the same place in both (`dupdetect.matching.alignment`).
    strangers : bool[n]
        Whether each document has much text of its own beside what they share.
    """

    content_a: Share
    content_b: Share
    own_a: Share
    own_b: Share
    new_a: Share
    new_b: Share
    lost_a: Share
    lost_b: Share
    main_a: Share
    main_b: Share
    run_a: Share
    run_b: Share
    boilerplate: Share
    in_place: Share
    strangers: Bool

    def where(self, chosen: Bool | Int | slice) -> Weights:
        """Return some of the pairs; a copy."""
        is_view = isinstance(chosen, slice)
        return Weights._make(column[chosen].copy() if is_view else column[chosen] for column in self)


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
        How each pair shares what it shares (`dupdetect.matching.patterns`); left out where it was not read.
    verdicts : uint8[n], optional
        What `removal.decided` says of matches. Left out where nothing was decided.
    """

    pairs: Pairs
    shared: Count
    size_a: Count
    size_b: Count
    given: Weights | None = None
    patterns: Byte | None = None
    verdicts: Byte | None = None

    @cached_property
    def weights(self) -> Weights:
        """What each pair is worth; where nothing is weighed, shingles stand for words."""
        if self.given is not None:
            return self.given
        shared = self.shared.astype(np.float64)
        own_a, own_b = self.size_a - shared, self.size_b - shared
        zeros = np.zeros(len(shared))
        return Weights(shared, shared, *(own_a, own_b) * 3, *(zeros, zeros) * 2, zeros, zeros + 1, zeros > 0)

    @property
    def a(self) -> Int:
        """The lesser document of each pair."""
        return lesser(self.pairs)

    @property
    def b(self) -> Int:
        """The greater document of each pair."""
        return greater(self.pairs)

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
        """Shared words that are content."""
        return np.minimum(self.weights.content_a, self.weights.content_b)

    @property
    def weighted_jaccard(self) -> Share:
        """What is compared with the threshold: `jaccard`, or that of the content where boilerplate decides."""
        return self._weighted(self.jaccard, self.content)

    def _weighted(self, plain: Share, content: Share) -> Share:
        """Return `weighted_jaccard`, given `jaccard` and `content`."""
        if self.given is None:
            return plain
        w = self.given
        content = content / np.maximum(content + w.lost_a + w.lost_b, _LEAST_WEIGHT)
        explained = (w.own_a - w.new_a >= EXPLAINED * w.own_a) & (w.own_b - w.new_b >= EXPLAINED * w.own_b)
        explained &= w.boilerplate <= SUSPECT
        apart = w.strangers & (np.minimum(w.main_a, w.main_b) >= ARTICLE)
        return np.where(apart, np.minimum(plain, content), np.where(explained, np.maximum(plain, content), plain))

    @property
    def weighted_containment(self) -> Share:
        """Share of the content of a document that is inside the other; 0 where neither is the larger one."""
        if self.given is None:
            return self.content_inside
        return np.where(self._one_is_larger, self.content_inside, 0.0)

    @property
    def _one_is_larger(self) -> Bool:
        w = self.weights
        return np.asarray(2 * np.minimum(w.own_a, w.own_b) <= np.maximum(w.own_a, w.own_b))

    @property
    def content_inside(self) -> Share:
        """Share of the content of whichever document has less of its own that is inside the other; 0 of strangers."""
        w = self.weights
        if self.given is None:
            return self.containment
        inside_a = (w.content_a / np.maximum(w.content_a + w.new_a, _LEAST_WEIGHT)) * (w.own_a <= w.own_b)
        inside_b = (w.content_b / np.maximum(w.content_b + w.new_b, _LEAST_WEIGHT)) * (w.own_b <= w.own_a)
        return np.where(w.strangers | (w.boilerplate > SUSPECT), 0.0, np.maximum(inside_a, inside_b))

    @property
    def shares_lost(self) -> tuple[Share, Share]:
        """What of the content of a, and of b, would be lost if only the other stayed."""
        w = self.weights
        return (
            w.lost_a / np.maximum(w.content_a + w.lost_a, _LEAST_WEIGHT),
            w.lost_b / np.maximum(w.content_b + w.lost_b, _LEAST_WEIGHT),
        )

    def relations(self, limits: Limits) -> NDArray[np.int8]:
        """Judge each pair: codes of `RELATIONS`."""
        return self.judged(limits)[0]

    def judged(self, limits: Limits) -> tuple[NDArray[np.int8], Share]:
        """Judge each pair: `relations` and `scores`."""
        plain, content = self.jaccard, self.content
        weighted, contained = self._weighted(plain, content), self.compared_containment(limits)
        alike, near = weighted >= limits.threshold, plain >= limits.threshold
        inside = is_inside(contained, self.smaller, content, limits)
        enough = content >= limits.containment * limits.min_shingles - ROUNDED
        held = np.where(self.weights.own_a > self.weights.own_b, np.int8(CONTAINS), np.int8(CONTAINED))
        codes = np.where(inside, held, np.where(alike & enough, np.int8(SYNDICATED), np.int8(NONE)))
        codes = np.where(near, np.int8(NEAR_DUPLICATE), codes)
        scores = np.where(codes == SYNDICATED, weighted, contained)
        return codes, np.where(near, np.maximum(weighted, plain), scores)

    def most_boilerplate(self, limits: Limits) -> Share:
        """What share of what each pair shares may be boilerplate: if more is, it is no match, however it is weighed."""
        return np.where(self.jaccard >= limits.threshold, 1.0, SUSPECT)

    def compared_containment(self, limits: Limits) -> Share:
        """What is compared with the containment: of two edits of one text, as long as each other, what both have."""
        if self.given is None:
            return self.weighted_containment
        edits = np.maximum(*self.shares_lost) <= limits.max_lost + ROUNDED
        edits &= np.minimum(self.weights.run_a, self.weights.run_b) < PASSAGE
        return np.where(edits | self._one_is_larger, self.content_inside, 0.0)

    def scores(self, limits: Limits) -> Share:
        """What was compared with the threshold, or with the containment."""
        return self.judged(limits)[1]

    def where(self, chosen: Bool | Int) -> Overlaps:
        """Return some of the pairs; if all are marked, the same."""
        if chosen.dtype == np.bool_ and chosen.all():
            return self
        given = None if self.given is None else self.given.where(chosen)
        patterns = None if self.patterns is None else self.patterns[chosen]
        verdicts = None if self.verdicts is None else self.verdicts[chosen]
        columns = self.pairs[chosen], self.shared[chosen], self.size_a[chosen], self.size_b[chosen]
        return Overlaps(*columns, given, patterns, verdicts)

    def _knows_no_more_than(self, other: Overlaps) -> bool:
        """Whether nothing is known of these pairs that is not of others, and whether both are weighed or neither."""
        more = ((self.patterns, other.patterns), (self.verdicts, other.verdicts))
        return (self.given is None) == (other.given is None) and all(
            mine is None or theirs is not None for mine, theirs in more
        )

    def __or__(self, other: Overlaps) -> Overlaps:
        if len(other.pairs) == 0 and self._knows_no_more_than(other):
            return self
        if len(self.pairs) == 0 and other._knows_no_more_than(self):
            return other
        other = other.where(missing(other.pairs, self.pairs))
        place = np.searchsorted(self.pairs, other.pairs) + np.arange(len(other.pairs))
        is_mine = np.ones(len(self.pairs) + len(place), np.bool_)
        is_mine[place] = False

        def joined(mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
            both = np.empty(len(is_mine), mine.dtype)
            both[place], both[is_mine] = theirs, mine
            return both

        given = None
        if self.given is not None or other.given is not None:
            given = Weights(*map(joined, self.weights, other.weights))
        patterns = None if self.patterns is None or other.patterns is None else joined(self.patterns, other.patterns)
        verdicts = None if self.verdicts is None or other.verdicts is None else joined(self.verdicts, other.verdicts)
        names = ("pairs", "shared", "size_a", "size_b")
        pairs, shared, size_a, size_b = (joined(getattr(self, name), getattr(other, name)) for name in names)
        return Overlaps(pairs, shared, size_a, size_b, given, patterns, verdicts)


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


def is_inside(containment: Share, smaller: Int, content: Share, limits: Inside) -> Bool:
    """Whether one document of each pair is inside the other.

    Parameters
    ----------
    containment : float64[n]
        Share of its content (`Overlaps.weighted_containment`).
    smaller, content : int64[n], float64[n]
        Shingles of the smaller document; words that are shared content.
    limits : Inside
    """
    enough = (smaller >= limits.min_shingles) & (content >= limits.containment * limits.min_shingles - ROUNDED)
    return np.asarray(enough & (containment >= limits.containment - ROUNDED))
