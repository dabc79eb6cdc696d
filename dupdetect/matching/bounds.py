"""Pairs that are no match, as is seen before they are weighed.

Input    two documents of a pair, and which of their shingles are shared, or boilerplate
Output   whether the pair can still be a match
Cost     a pass over the marks of either document

What is weighed of a pair costs several times as much as to see that neither document can be inside the other. Bounds
hold whatever follows: what stands elsewhere in the other document (`alignment`) is shared no more, so that more words
are a document's own and none less; and words that were joined (`joined_lines`) stand in gaps that are no longer than a
shingle and one. No result depends on whether a pair is seen to be no match here or weighed and found to be none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.boilerplate import ALWAYS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]

#: How much a bound is on the safe side of what it is compared with: more than sums of shares are rounded.
SAFE = 1e-6

#: A threshold that all pairs reach: none is then seen to be no match.
ANY = -1.0


class MatchLimits(NamedTuple):
    """What decides whether a pair is a match: those of `Settings`.

    Attributes
    ----------
    threshold, containment, max_lost : float
    """

    threshold: float
    containment: float
    max_lost: float


class OwnWords(NamedTuple):
    """Words of a document that are neither shared nor boilerplate, as far as its gaps tell.

    Attributes
    ----------
    words : int
        All words of the document.
    new : int
        Its new words, at the least, but for a last one that may be cut short.
    own : int
        Its own words, at the most, where what is shared stands in the same order in both documents.
    """

    words: int
    new: int
    own: int


class Sharing(NamedTuple):
    """How a pair shares what it shares.

    Attributes
    ----------
    in_order : bool
        Whether it is the same sequence of shingles in both documents.
    strangers : bool
        Whether they are strangers: these contain no one.
    furniture : bool
        Whether either may be a page, of which not all that is new would be lost.
    weighed : bool
        Whether any shingle is boilerplate, so that not all that is a document's own is new.
    """

    in_order: bool
    strangers: bool
    furniture: bool
    weighed: bool


@compilable_helper
def words_of_gap(gap: int, is_edge: bool, shingle_size: int) -> int:
    """Return how many words are in no other shingle than so many in a row: fewer, but at either end of a document."""
    return gap if is_edge else max(0, gap - shingle_size + 1)


@compilable_helper
def own_words_of(shared: Byte, grades: Byte, ends: Int32, runs: int, known: int, shingle_size: int) -> OwnWords:
    """Count the words of a document that are its own, given its runs, which are shared, and their grades.

    So many of them are known to be joined ones of the other document.
    """
    new, own, joined, gap, rest, is_edge, is_first, begin = 0, 0, 0, 0, 0, True, True, 0
    for turn in range(runs):
        length, is_shared, grade = int(ends[turn]) - begin, shared[begin] != 0, grades[begin]
        begin += length
        if is_shared:
            words = words_of_gap(gap, is_edge, shingle_size)
            own += words
            joined += words if not is_edge and gap <= shingle_size + 1 else 0
            gap, is_edge = 0, False
        else:
            gap += length
        if is_shared or grade >= ALWAYS:
            # Of shorter gaps all words may be joined ones of the other document.
            if rest > shingle_size + 1 or is_first:
                new += words_of_gap(rest, is_first, shingle_size)
            rest, is_first = 0, False
        else:
            rest += length
    # The last words begin no shingle: they are in the last ones.
    beyond = shingle_size - 1
    own += gap + (beyond if is_edge else 0)
    new += rest + (beyond if is_first else 0)
    if own > new + joined:  # joined words are no new ones, be they boilerplate or not
        new = max(0, new - joined)
    return OwnWords(begin + beyond, max(0, new - known), own)


@compilable_helper
def most_inside(document: OwnWords) -> float:
    """Return what share of its content a document may have inside the other, at the most."""
    content = document.words - document.new
    return content / max(content + max(0, document.new - 1), 1)


@compilable_helper
def may_be_match(one: OwnWords, two: OwnWords, sharing: Sharing, limits: MatchLimits) -> bool:
    """Whether two documents that are no near duplicates by their shingles may be a match."""
    lost_one, lost_two = max(0, one.new - 1), max(0, two.new - 1)
    # Syndicated: half of what either has of its own is boilerplate, and the content of both is alike.
    if sharing.weighed or max(one.new, two.new) <= 2:
        content = min(one.words - one.new, two.words - two.new)
        if sharing.furniture or content >= (limits.threshold - SAFE) * (content + lost_one + lost_two):
            return True
    if limits.containment <= SAFE:
        return True
    if sharing.strangers or max(most_inside(one), most_inside(two)) < limits.containment - SAFE:
        return False
    # One inside the other: it has no more than edits of its own, or half as much as the other.
    if sharing.furniture or max(lost_one / one.words, lost_two / two.words) <= limits.max_lost + SAFE:
        return True
    return not sharing.in_order or 2 * min(lost_one, lost_two) <= max(one.own, two.own)
