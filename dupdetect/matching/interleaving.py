"""Pairs to frames: how two documents share what they share.

Input    documents laid out, and pairs of them
Output   of each pair how many shingles it shares, and its kind: clear, interleaved, inside, or none of these
Cost     a pass over the shingles of either document for each pair

Where a suit is worn by two, each has text of its own *between* what they share; where an article is, its pages differ
around it. A pair is *interleaved* if both documents have so `OWN` words of main content of their own, in stretches of `STRETCH`
shingles and more, and it is, in one of them at least, a `PART` of the longest stretch that they share (a long story
with a teaser or two inside is no suit). Fewer than `EDGE` shared shingles in a row are chance, and no frame. What they
share must not stand *within*, that is, text of its own before it in one of them, and behind it in one: chrome reaches
an edge of both. Nor may the longest stretch stand *amid* own text in both, `AMID` times as long: that is a story
between an outlet's teasers, whatever else the outlets have in common. And edits are no text of one's own: where more
than `BITS` of that comes in shorter stretches, one must have more than the other, by `TURN`.

One document is *inside* the other if more than `INSIDE` of its main content is, or `HALF` of it, which stands within, with no
`PART` of it own text between. A pair of which the smaller has next to nothing of its own is *clear*, and is not read.

Weights are whole numbers, of which a shingle of main content has `FULL`: their sums depend on no order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Loop, part
from dupdetect.matching.shingle_rows import (
    MAIN_CONTENT,
    REPEAT,
    hold,
    lay_out,
    mark_partners,
    places_for,
    row_of,
    scratch,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.shingle_rows import Pages, Visit

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

# The figures below were measured on 3,908 web pages and clean texts, and on the 1,954 pages alone, as they are and with
# their lines broken at 72 characters; each is from the middle of a range in which little changes.

#: Weight of a shingle of main content.
FULL = 100

#: Weight of a shingle that is of main content in neither document (2 to 20 do the same).
SHORT = 5

#: Words of main content of its own that a interleaved document has at least (25 to 50).
OWN = 32

#: Shingles in a row that are text of its own (16 to 24).
STRETCH = 16

#: What of the longest shared stretch this must be (0.2 to 0.33).
PART = 0.25

#: How many times as long as the own text between shared ones a story amid teasers is, at least (1 to 2).
AMID = 2.0

#: What of its own between shared text comes in shorter stretches, at the most, unless one has more than the other.
BITS = 0.5

#: How much more own text one of them has than the other, where it comes in bits (a word changed leaves both as long).
TURN = 0.1

#: Shingles in a row that are shared where a frame begins and ends (1 to 3).
EDGE = 3

#: Share of the main content of the smaller document that makes it content of the larger (0.9 to 0.95).
INSIDE = 0.9

#: Share of the main content of either that makes what stands within content (0.5; at 0.6 fewer articles are kept).
HALF = 0.5

#: Kinds of pairs.
OTHER, CLEAR, INTERLEAVED, WITHIN = range(4)


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


@part
def weight_of(value: np.uint64) -> int:
    """Return the weight of a shingle; that of a repeat is 0."""
    if value & REPEAT:
        return 0
    return FULL if value & MAIN_CONTENT else SHORT


@part
def read_side(row: Hashes, shared: Byte) -> Side:
    """Read how a row of shingles shares those that are marked beside it.

    Text of its own are stretches of `STRETCH` shingles and more; what it stands between are `EDGE` shingles in a row
    and more.
    """
    whole, common, stretch, longest, between, before, behind, bits = 0, 0, 0, 0, 0, 0, 0, 0
    # Of its own: the weight and length of the run that goes on; what has come since the last shared edge, and in all.
    run, length, since, words, owned, ahead = 0, 0, 0, 0, 0, 0
    held, edged = 0, False
    for position in range(len(row)):
        weight = weight_of(row[position])
        whole += weight
        if not shared[position]:
            run += weight
            length += 1
            held = 0
            continue
        common += weight
        if length >= STRETCH:
            since += run
            words += length
            owned += length
            stretch = 0
        else:
            bits += length
        stretch += weight
        if stretch > longest:
            longest, ahead = stretch, owned
        run, length = 0, 0
        held += 1
        if held == EDGE:
            if edged:
                between += since
            else:
                before += words
            since, words, edged = 0, 0, True
    if length >= STRETCH:
        behind += length
        owned += length
    else:
        bits += length
    return Side(common / max(whole, 1), longest, between, before, behind + words, bits, ahead, owned - ahead)


@part
def is_wide(side: Side) -> bool:
    """Whether own text between shared ones is much beside the longest shared stretch."""
    return side.between >= PART * side.stretch


@part
def is_amid(side: Side) -> bool:
    """Whether the longest shared stretch stands amid own text, and is much beside it."""
    return side.ahead > 0 and side.after > 0 and side.stretch >= AMID * side.between


@part
def is_in_bits(one: Side, two: Side) -> bool:
    """Whether too much of what either has of its own comes in bits, and is replaced in the other."""
    if FULL * one.bits <= BITS * one.between and FULL * two.bits <= BITS * two.between:
        return False
    first, second = one.between + FULL * one.bits, two.between + FULL * two.bits
    return abs(first - second) < TURN * max(first, second)


@part
def kind_of(one: Side, two: Side) -> int:
    """Return the kind of a pair that is not clear."""
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


@Loop
def read_pairs(pages: Pages, visit: Visit, need: Int, shared: Int32, kinds: Byte) -> None:
    """Count the distinct shingles that the documents of each pair share, and tell its kind.

    `need`, `shared` and `kinds`, which are filled, have an entry for each pair, where it stood before. What cannot
    reach what it needs has -1 for a count, and no kind.
    """
    table, firsts, repeats, partners = scratch(pages, visit)
    of_hub, of_other = np.empty(len(firsts), np.uint8), np.empty(len(partners), np.uint8)
    laid, size, repeated, row = -1, 1, 0, pages.values[:0]
    for pair in range(len(visit.rows)):
        if visit.hub[pair] != laid:
            laid = visit.hub[pair]
            row, size = row_of(pages, laid), places_for(pages.lengths[laid])
            repeated = lay_out(row, table, size, firsts, repeats)
        place, other = visit.rows[pair], row_of(pages, visit.other[pair])
        count = hold(row, table, size, firsts, other, partners, need[place])
        shared[place], kinds[place] = count, OTHER
        if count < need[place]:
            continue
        smaller = min(pages.sizes[laid], pages.sizes[visit.other[pair]])
        if smaller - count < OWN and count > INSIDE * smaller:
            kinds[place] = CLEAR
            continue
        mark_partners(len(row), firsts, repeats[:repeated], partners[: len(other)], of_hub)
        for position in range(len(other)):
            of_other[position] = partners[position] >= 0
        kinds[place] = kind_of(read_side(row, of_hub), read_side(other, of_other))
