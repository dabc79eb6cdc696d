"""Which of the shingles that two documents share stand in the same place in both.

Input    the rows of two documents, and which shingles they share
Output   the same marks, but that what one has elsewhere than the other is `ELSEWHERE`
Cost     a pass over the shared shingles, where these have one order in both documents; else O(n), and comparisons of
         what is shared between runs: up to `ALL`, or twice `AROUND` for each shingle

A shingle is five words, and some phrases recur: "shall be borne by the buyer", "I strongly agree with this", "yes no no
yes no". That another document has it somewhere does not say that it has it there. What does are *runs*: as many words
in a row as two shingles end to end have, or in documents of few different words, such as answers of yes and no, so many
that no more than `REPEATED` of a document's runs are repeats. Of these, runs that either document repeats tell nothing,
unless they go on from one that it has once, or are as long as `MOST` shingles. Runs may stand in any order: paragraphs
and functions are moved. What is shared besides must be between the same two runs, in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.shingle_rows import HASH, MARK_BITS, SAME, table_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

#: Marks of a shingle that the other document has: at the same place, or elsewhere.
SHARED, ELSEWHERE = 1, 2

#: Shingles of a run, end to end, at the least and at the most.
LEAST, MOST = 2, 8

#: Share of a document's runs that may be repeats of others.
REPEATED = 1 / 8

#: Of the repeats, how many are still some where runs are twice as long, if passages are repeated.
PASSAGES = 1 / 2

#: Comparisons between two runs, each shingle with all of the other document. Where these would be more, it is compared
#: with so many on either side of where it should stand; and where these are too many, nothing is in place.
ALL, AROUND, MOST_OF_SOME = 1 << 16, 128, 1 << 22

#: Shingles of one document times those of the other up to which they are compared in order without any run: in longer
#: ones that share no ten words in a row an order is found by chance.
WITHOUT = 1 << 14

#: Odd, so that the hash of a run tells the order of its shingles.
_BASE = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)


class Placed(NamedTuple):
    """The runs of a document, and where they are.

    Attributes
    ----------
    runs, longest : uint64[n], uint64[m]
        Hashes of the run that begins at each place; and of those of `MOST` shingles, none where no run is repeated.
    table, longest_table : int32[...]
        Where each run is first (`table_of`).
    repeated : uint8[n]
        Which of these are repeated.
    """

    runs: Hashes
    table: Int32
    repeated: Byte
    longest: Hashes
    longest_table: Int32


@compilable_helper
def are_in_order(row: Hashes, shared: Byte, other: Hashes, of_other: Byte) -> bool:
    """Whether what two documents share is the same sequence of shingles in both."""
    there = 0
    for here in range(len(row)):
        if not shared[here]:
            continue
        while there < len(other) and not of_other[there]:
            there += 1
        if there == len(other) or row[here] ^ other[there] >= SAME:
            return False
        there += 1
    return not of_other[there:].any()


@compilable_helper
def runs_of(row: Hashes, steps: int, shingle_size: int) -> Hashes:
    """Return the hash of the run of `steps` shingles, end to end, that begins at each place of a row where one can."""
    count = max(0, len(row) - (steps - 1) * shingle_size)
    runs = row[:count] & HASH
    for step in range(1, steps):
        first = step * shingle_size
        runs = runs * _BASE + (row[first : first + count] & HASH)
    return runs


@compilable_helper
def table_of(runs: Hashes) -> tuple[Int32, Byte, int]:
    """Return a table of where each run first is, which of these are repeated, and how many runs are repeats."""
    table, repeated, repeats = np.full(table_size(len(runs)), -1, np.int32), np.zeros(len(runs), np.uint8), 0
    mask = np.uint64(len(table) - 1)
    for place in range(len(runs)):
        slot = runs[place] >> MARK_BITS & mask
        while table[slot] >= 0 and runs[table[slot]] != runs[place]:
            slot = slot + _ONE & mask
        if table[slot] < 0:
            table[slot] = place
        else:
            repeated[table[slot]] = 1
            repeats += 1
    return table, repeated, repeats


@compilable_helper
def place_of(runs: Hashes, table: Int32, value: np.uint64) -> int:
    """Return where a run first is, given the table of runs; -1 if nowhere."""
    mask = np.uint64(len(table) - 1)
    slot = value >> MARK_BITS & mask
    while table[slot] >= 0 and runs[table[slot]] != value:
        slot = slot + _ONE & mask
    return int(table[slot])


@compilable_helper
def run_steps(row: Hashes, distinct: int, shingle_size: int) -> int:
    """Return how many shingles a run of a document must have, of which so many are distinct.

    Where longer runs are repeats nearly as often, passages are repeated, and not a few words in any order.
    """
    steps = LEAST
    if len(row) - distinct <= REPEATED * len(row):  # so are no more of its runs
        return steps
    repeats = table_of(runs_of(row, LEAST, shingle_size))[2]
    while steps < MOST and repeats > REPEATED * len(row) and len(row) > (2 * steps - 1) * shingle_size:
        fewer = table_of(runs_of(row, 2 * steps, shingle_size))[2]
        if fewer > PASSAGES * repeats:
            break
        steps, repeats = 2 * steps, fewer
    return steps


@compilable_helper
def mark_elsewhere(
    row: Hashes, shared: Byte, other: Hashes, of_other: Byte, sizes: tuple[int, int], shingle_size: int
) -> float:
    """Mark what either of two documents shares elsewhere than the other has it: changes `shared` and `of_other`.

    `sizes` are how many distinct shingles they have. Returned is which share of what they share stands at the same
    place: of whichever document that is less.
    """
    one, two = np.count_nonzero(shared), np.count_nonzero(of_other)  # they share something, or all were in order
    steps = max(run_steps(row, sizes[0], shingle_size), run_steps(other, sizes[1], shingle_size))
    runs, others = runs_of(row, steps, shingle_size), runs_of(other, steps, shingle_size)
    table, repeated, repeats = table_of(runs)
    other_table, other_repeated, other_repeats = table_of(others)
    longest, of_longest = runs[:0], runs[:0]
    if repeats + other_repeats > 0:  # else there is no run that only a longer one can tell
        longest, of_longest = runs_of(row, MOST, shingle_size), runs_of(other, MOST, shingle_size)
    mine = Placed(runs, table, repeated, longest, table_of(longest)[0])
    theirs = Placed(others, other_table, other_repeated, of_longest, table_of(of_longest)[0])
    _mark_side(row, shared, mine, other, theirs, steps, shingle_size)
    _mark_side(other, of_other, theirs, row, mine, steps, shingle_size)
    return min(np.count_nonzero(shared == SHARED) / one, np.count_nonzero(of_other == SHARED) / two)


@compilable_helper
def partner_of(place: int, mine: Placed, theirs: Placed) -> int:
    """Return where the other document has the run of a place, if that tells where it stands; else -2."""
    value = mine.runs[place]
    found = place_of(theirs.runs, theirs.table, value)
    if found >= 0 and not theirs.repeated[found] and not mine.repeated[place_of(mine.runs, mine.table, value)]:
        return found
    if found >= 0 and place < len(mine.longest):
        found = place_of(theirs.longest, theirs.longest_table, mine.longest[place])
        return found if found >= 0 else -2
    return -2


@compilable_helper
def _mark_side(
    row: Hashes, shared: Byte, mine: Placed, other: Hashes, theirs: Placed, steps: int, shingle_size: int
) -> None:
    """Mark what one document shares elsewhere."""
    reach = (steps - 1) * shingle_size  # a run covers the shingle that it begins at, and so many more
    # Up to where the last run reached in both documents, and where it began in the other.
    end, end_of_other, before = 0, 0, -2
    for place in range(len(mine.runs)):
        if not shared[place]:
            before = -2
            continue
        found = before + 1  # runs that are alike go on alike
        if not 0 < found < len(theirs.runs) or theirs.runs[found] != mine.runs[place]:
            found = partner_of(place, mine, theirs)
        before = found
        if found < 0:
            continue
        if place > end:
            _mark_between(row, shared, end, place, other, end_of_other, found)
        end, end_of_other = place + reach + 1, found + reach + 1
    if end == 0 and (steps > LEAST or len(row) * len(other) > WITHOUT):
        shared[shared > 0] = ELSEWHERE
    elif end < len(row):
        _mark_between(row, shared, end, len(row), other, end_of_other, len(other))


@compilable_helper
def _mark_between(row: Hashes, shared: Byte, begin: int, end: int, other: Hashes, first: int, last: int) -> None:
    """Mark what of ``row[begin:end]`` is shared, but not in the order of ``other[first:last]``."""
    some = np.flatnonzero(shared[begin:end]) + begin
    width = last - first
    if len(some) == 0:
        return
    band = width if len(some) * width <= ALL else min(width, 2 * AROUND)
    if width <= 0 or len(some) * band > MOST_OF_SOME:
        shared[some] = ELSEWHERE
        return
    # The longest common subsequence, from the end on: how many can still be matched from each place of both on. Of the
    # other document those places are looked at that are about as far from either end; `starts` are the first of them.
    starts = np.append((some - begin) * width // (end - begin) - AROUND, width)
    starts = np.maximum(0, np.minimum(starts, width - band))
    starts[-1] = width
    left = np.zeros((len(some) + 1, band + 2), np.int32)
    for one in range(len(some) - 1, -1, -1):
        value, start, shift = row[some[one]], starts[one], starts[one + 1] - starts[one]
        stop = min(band, width - start)
        for two in range(stop - 1, -1, -1):
            below = left[one + 1, max(0, two - shift)]
            if value ^ other[first + start + two] < SAME:
                below = max(below, left[one + 1, max(0, two + 1 - shift)] + 1)
            left[one, two] = max(below, left[one, two + 1])
    two = 0
    for one in range(len(some)):
        start, shift = starts[one], starts[one + 1] - starts[one]
        stop = min(band, width - start)
        two = max(two, start)
        while two - start < stop and left[one, two - start] == left[one, two - start + 1]:
            two += 1
        here = two - start
        is_taken = here < stop and row[some[one]] ^ other[first + two] < SAME
        if is_taken and left[one, here] == left[one + 1, max(0, here + 1 - shift)] + 1:
            two += 1
        else:
            shared[some[one]] = ELSEWHERE
