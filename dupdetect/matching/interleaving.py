"""Whether two documents have text of their own between what they share.

Input    the shingles of two documents in reading order, and which of them are shared
Output   the pattern of the pair: interleaved, within, or other
Cost     a pass over the shingles of either document

Two articles in one site's boilerplate have text of their own *between* what they share (menu, article, footer). One
article on two sites has the text that differs *around* it. The patterns:

* **Interleaved**: both documents have text of their own between shared text. It is main content of `OWN` words and
  more, counted in stretches of `STRETCH` shingles and more, and in one document at least it is a `PART` of the longest
  stretch that is shared (a long story with a teaser or two inside is not interleaved). Fewer than `EDGE` shared
  shingles in a row are chance, and nothing stands between them. Three things must not be so:

  - what is shared stands *within*: text of its own before it in one of the documents, and behind it in one.
    Boilerplate reaches an edge of both;
  - the longest shared stretch stands *amid* own text in both, and is `AMID` times as long: that is a story between an
    outlet's teasers, whatever else the outlets have in common;
  - own text comes in *bits*: more than `BITS` of it in shorter stretches, and neither has more than the other by
    `TURN`. Those are edits of one text.
* **Within**: more than `INSIDE` of the main content of one document is in the other; or `HALF` of it is, stands within
  in the sense above, and has no `PART` of it own text between.
* **Clear**: the smaller document has next to nothing of its own (`dupdetect.matching.patterns`).

Weights are whole numbers, so that sums do not depend on an order; a shingle of main content has `FULL`. How the figures
below were measured is told in docs/concepts/boilerplate.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.shingle_rows import MAIN_CONTENT, REPEAT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

# Numba makes float64 of int64 with uint64: what meets hashes is typed.
_NONE, _FIRST_OR_MAIN = np.uint64(0), REPEAT | MAIN_CONTENT

#: Weight of a shingle of main content.
FULL = 100

#: Weight of a shingle that is of main content in neither document.
SHORT = 5

#: Words of main content of its own that each document of an interleaved pair has at least.
OWN = 32

#: Shingles in a row that are text of its own.
STRETCH = 16

#: What of the longest shared stretch this must be.
PART = 0.25

#: How many times as long as the own text between shared ones a story amid teasers is, at least.
AMID = 2.0

#: What of its own between shared text comes in shorter stretches, at the most, unless one has more than the other.
BITS = 0.5

#: How much more own text one of them has than the other, where it comes in bits (a word changed leaves both as long).
TURN = 0.1

#: Shared shingles in a row that text of its own can stand between.
EDGE = 3

#: Share of the main content of the smaller document that makes it content of the larger.
INSIDE = 0.9

#: The same where what is shared stands within.
HALF = 0.5

#: Patterns of pairs: in the lowest bits of what is read of a pair.
OTHER, CLEAR, INTERLEAVED, WITHIN, ONE_END = range(5)
PATTERN = 7


class Side(NamedTuple):
    """How one document of a pair shares what it shares.

    Attributes
    ----------
    share : float
        How much of its weight is in the other.
    stretch : int
        The longest stretch of shared shingles, with no text of its own within, in weight.
    between : int
        How much text of its own stands between shared ones, in weight.
    before, behind : int
        How much stands before them and behind them, in shingles.
    bits : int
        How much else is its own, in shingles.
    ahead, after : int
        How much text of its own stands before the longest shared stretch, and behind it, in shingles.
    """

    share: float
    stretch: int
    between: int
    before: int
    behind: int
    bits: int
    ahead: int
    after: int


@compilable_helper
def weight_of(run: Hashes) -> int:
    """Return the weight of shingles in a row; that of repeats is 0."""
    first, main = 0, 0
    for place in range(len(run)):  # without a branch, so that it becomes vectors
        first += run[place] & REPEAT == _NONE
        main += run[place] & _FIRST_OR_MAIN == MAIN_CONTENT
    return SHORT * first + (FULL - SHORT) * main


@compilable_helper
def read_side(row: Hashes, shared: Byte, ends: Int32, runs: int) -> Side:
    """Read how a row of shingles shares those that are marked beside it, given where its runs end (`run_ends`).

    Text of its own are stretches of `STRETCH` shingles and more; what it stands between are `EDGE` shingles in a row
    and more.
    """
    # Run by run. Its own text is settled when the next shared shingle ends it: long enough, it is text of its own;
    # shorter, it is a bit, and the shared stretch around it goes on.
    whole, common, stretch, longest, between, before, behind, bits = 0, 0, 0, 0, 0, 0, 0, 0
    # Of its own: the weight and length of the text that goes on; what has come since the last shared edge, and in all.
    own, length, since, words, owned, ahead = 0, 0, 0, 0, 0, 0
    together, edged, begin = 0, False, 0
    for turn in range(runs):
        end = int(ends[turn])
        weight, size, is_shared = weight_of(row[begin:end]), end - begin, shared[begin] != 0
        begin = end
        whole += weight
        if not is_shared:
            own += weight
            length += size
            together = 0
            continue
        common += weight
        if length >= STRETCH:
            since += own
            words += length
            owned += length
            stretch = 0
        else:
            bits += length
        stretch += weight
        if stretch > longest:
            longest, ahead = stretch, owned
        own, length = 0, 0
        if together < EDGE <= together + size:
            # An edge: what has come since the last one stands between two edges, or before the first.
            if edged:
                between += since
            else:
                before += words
            since, words, edged = 0, 0, True
        together += size
    if length >= STRETCH:
        behind += length
        owned += length
    else:
        bits += length
    return Side(common / max(whole, 1), longest, between, before, behind + words, bits, ahead, owned - ahead)


@compilable_helper
def is_wide(side: Side) -> bool:
    """Whether own text between shared ones is much beside the longest shared stretch."""
    return side.between >= PART * side.stretch


@compilable_helper
def is_amid(side: Side) -> bool:
    """Whether the longest shared stretch stands amid own text, and is much beside it."""
    return side.ahead > 0 and side.after > 0 and side.stretch >= AMID * side.between


@compilable_helper
def is_in_bits(one: Side, two: Side) -> bool:
    """Whether too much of what either has of its own comes in bits, and is replaced in the other."""
    if FULL * one.bits <= BITS * one.between and FULL * two.bits <= BITS * two.between:
        return False
    first, second = one.between + FULL * one.bits, two.between + FULL * two.bits
    return abs(first - second) < TURN * max(first, second)


@compilable_helper
def pattern_of(one: Side, two: Side) -> int:
    """Return the pattern of a pair that is not clear."""
    wide = is_wide(one) or is_wide(two)
    within = (one.before > 0 or two.before > 0) and (one.behind > 0 or two.behind > 0)
    if (
        min(one.between, two.between) >= FULL * OWN
        and wide
        and not within
        and not (is_amid(one) and is_amid(two))
        and not is_in_bits(one, two)
    ):
        return INTERLEAVED
    most = max(one.share, two.share)
    return WITHIN if most > INSIDE or (within and not wide and most >= HALF) else OTHER
