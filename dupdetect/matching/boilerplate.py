"""Which text is boilerplate: what a corpus says of its shingles, and of which pairs it says so.

Input    votes (`boilerplate_votes`), or what earlier outputs say
Output   `Boilerplate`: the vote margin of each shingle, and a table by which shingles are looked up
Cost     O(shingles that were voted on)

Two articles of one site share its menus, teasers and legal notices; two modules of one project share their licence;
one article on two sites shares little else than its text. What tells these apart is learned from the corpus itself:

* **Strangers.** Two documents that each have much text of their own, between what they share
  (`dupdetect.matching.interleaving`) or beyond it at the same end (`dupdetect.matching.own_lines`), share boilerplate.
* **Filled forms.** Documents of one wording that differ in what is filled in share boilerplate
  (`dupdetect.matching.filled_forms`).
* **Votes.** Strangers and filled forms vote *boilerplate* for each shingle that they share. A pair that is clear, or
  one of whose documents is inside the other, votes *content*; and where one stands whole in the other, in one piece
  amid other text, it votes for all pages that this may be a stranger to. With more than two thirds of the votes for
  it, a shingle is boilerplate. A pair is judged with its own vote left out.
* **Page furniture.** What a page has around an article that is a document too stands in shorter lines than the article,
  and has few symbols (`dupdetect.matching.own_lines`). It needs no votes.

Words that are boilerplate or furniture are no content: a document that has nothing else of its own loses nothing if it
is removed; but boilerplate between what a short document shares is taken for values of a record (`side_weights`). How
much it would lose, and what follows, is told in `dupdetect.matching.overlaps`; how the figures were measured, in
docs/concepts/boilerplate.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper
from dupdetect.matching.interleaving import CLEAR, INTERLEAVED, ONE_END, PATTERN, WITHIN
from dupdetect.matching.pairs import missing
from dupdetect.matching.shingle_rows import MARK_BITS, SAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.pairs import Pairs

    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Bool = NDArray[np.bool_]

#: Votes for boilerplate that one for content outweighs.
AGAINST = 2

#: Grades of shingles: boilerplate for no pair; for one that voted content; for all but one that voted boilerplate; for
#: all. The grade is in the two lowest bits of an entry of a table.
NEVER, DOUBTED, PLAIN, ALWAYS = range(4)

_GRADE = np.uint64(3)
# Numba makes float64 of int64 with uint64: what meets hashes is typed.
_ONE = np.uint64(1)

# Of the number of a bit: how far to shift for that of its byte, and its place within.
_BYTE, _WITHIN = np.uint64(3), np.uint64(7)


@dataclass(frozen=True, eq=False)
class Boilerplate:
    """What a corpus says of its shingles.

    Attributes
    ----------
    shingles : uint64[n]
        Those that an interleaved pair shares: hashes (`shingle_rows.HASH`), sorted, distinct.
    margin : int32[n]
        Votes for boilerplate, less `AGAINST` times those for content.
    pairs : uint64[m], optional
        The pairs that voted, packed; sorted. None where this is not known: each pair then counts as one that voted.
    votes : int32[m]
        What each of them added to the margin of the shingles it shares.
    is_settled : bool
        Whether that is all: no pair votes any more (`boilerplate_votes.learn`).
    """

    shingles: Hashes
    margin: Int32
    pairs: Pairs | None
    votes: Int32
    is_settled: bool = False

    @classmethod
    def none(cls) -> Boilerplate:
        """Return what a corpus says that has no interleaved pairs."""
        empty = np.empty(0, np.uint64)
        return cls(empty, np.empty(0, np.int32), empty, np.empty(0, np.int32))

    @classmethod
    def settled(cls, shingles: Hashes, margin: Int32) -> Boilerplate:
        """Return what is taken as it stands, whatever the documents at hand say: shingles sorted, distinct."""
        return cls(shingles, margin, None, np.empty(0, np.int32), is_settled=True)

    def trimmed(self) -> Boilerplate:
        """Return what decides of any pair: without the shingles that are boilerplate for none."""
        some = self.margin > -AGAINST
        return replace(self, shingles=self.shingles[some], margin=self.margin[some])

    @cached_property
    def is_empty(self) -> bool:
        """Whether no shingle is boilerplate for any pair."""
        return not (self.margin > -AGAINST).any()

    @cached_property
    def grades(self) -> Hashes:
        """A table of the shingles that are boilerplate for some pair, with their grades: see `grade_of`."""
        some = self.trimmed()
        grades = DOUBTED + (some.margin > 0).astype(np.uint64) + (some.margin > 1)
        return grade_table(some.shingles, grades)

    def voted_by(self, pairs: Pairs, votes: Int32) -> Boilerplate:
        """Return the same of other pairs that voted, packed and sorted; where voters are not known, they stay so."""
        return self if self.pairs is None else replace(self, pairs=pairs[votes != 0], votes=votes[votes != 0])

    def votes_of(self, pairs: Pairs) -> Int32:
        """Return how each pair voted, 0 where it did not, or where this is not known: int32[n]."""
        votes = np.zeros(len(pairs), np.int32)
        if self.pairs is not None:
            voted = ~missing(pairs, self.pairs)
            votes[voted] = self.votes[np.searchsorted(self.pairs, pairs[voted])]
        return votes

    def least(self, pairs: Pairs, patterns: Byte) -> Byte:
        """Return the grade from which on what each pair shares is boilerplate, its own vote left out."""
        if self.pairs is None:
            against, content = are_strangers(patterns), is_content(patterns)
        else:
            votes = self.votes_of(pairs)
            against, content = votes > 0, votes < 0
        return np.where(against, np.uint8(ALWAYS), np.where(content, np.uint8(DOUBTED), np.uint8(PLAIN)))


def is_content(patterns: Byte) -> Bool:
    """Mark the pairs that vote content, by their patterns."""
    pattern = patterns & np.uint8(PATTERN)
    return np.asarray((pattern == CLEAR) | (pattern == WITHIN))


def are_strangers(patterns: Byte) -> Bool:
    """Mark the pairs that vote boilerplate: each document has much text of its own beside what they share."""
    pattern = patterns & np.uint8(PATTERN)
    return np.asarray((pattern == INTERLEAVED) | (pattern == ONE_END))


def grade_table(hashes: Hashes, grades: Hashes | int) -> Hashes:
    """Make a table of hashes with grades above 0; see `grade_of`."""
    return fill_table.faster_for(2.0 * len(hashes))(
        hashes | np.asarray(grades, np.uint64), 1 << (2 * len(hashes)).bit_length()
    )


@Compilable
def fill_table(entries: Hashes, size: int) -> Hashes:
    """Return a table of `size` places, a power of two; 0 where there is no entry."""
    table = np.zeros(size, np.uint64)
    mask = np.uint64(size - 1)
    # Entries are hashes with a grade above 0 in the bits of the grade: none is 0, so that 0 can mean an empty place.
    for entry in entries:
        place = entry >> MARK_BITS & mask
        while table[place] != 0:
            place = place + _ONE & mask
        table[place] = entry
    return table


@compilable_helper
def grade_of(table: Hashes, value: np.uint64) -> int:
    """Return the grade of a shingle: the two lowest bits of its entry in a table of hashes; `NEVER` if it has none."""
    mask = np.uint64(len(table) - 1)
    place = value >> MARK_BITS & mask
    entry = table[place]
    while (entry != 0) & (entry ^ value >= SAME):
        place = place + _ONE & mask
        entry = table[place]
    return int(entry & _GRADE)


@Compilable
def presence(table: Hashes) -> Byte:
    """Return a filter for a table of hashes: four bits for each place, set where a hash is; see `may_have`."""
    filter_ = np.zeros(max(1, len(table) // 2), np.uint8)
    mask = np.uint64(8 * len(filter_) - 1)
    for entry in table:
        if entry != 0:
            bit = entry >> MARK_BITS & mask
            filter_[bit >> _BYTE] |= np.uint8(_ONE << (bit & _WITHIN))
    return filter_


@compilable_helper
def may_have(filter_: Byte, value: np.uint64) -> bool:
    """Whether a table may have a value, given its filter: small enough for a cache, it spares most look-ups."""
    bit = value >> MARK_BITS & np.uint64(8 * len(filter_) - 1)
    return bool(np.uint64(filter_[bit >> _BYTE]) >> (bit & _WITHIN) & _ONE != 0)


@Compilable
def look_up(table: Hashes, filter_: Byte, values: Hashes) -> Byte:
    """Return the grade of each value, given a table and its filter."""
    grades = np.empty(len(values), np.uint8)
    for place in range(len(values)):
        grades[place] = grade_of(table, values[place]) if may_have(filter_, values[place]) else NEVER
    return grades
