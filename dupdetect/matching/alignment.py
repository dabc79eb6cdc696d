"""Which of the shingles that two documents share stand in the same place in both.

Input    the rows of two documents, and which shingles they share
Output   the same marks, but that what one has elsewhere than the other is `ELSEWHERE`
Cost     a pass over the shared shingles, where these have one order in both documents; else O(n log n), and `AROUND`
         comparisons for each shingle between runs

A shingle is five words, and some phrases recur: "shall be borne by the buyer", "I strongly agree with this", "yes no no
yes no". That another document has it somewhere does not say that it has it there. What does are *runs*: as many words
in a row as two shingles end to end have, or in documents of few different words, such as answers of yes and no, so many
that no more than `REPEATED` of a document's runs are repeats. Of these, runs that either document repeats tell nothing,
unless they go on from one that it has once, or are as long as `MOST` shingles. Runs may stand in any order: paragraphs
and functions are moved. What is shared besides must be between the same two runs, in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.shingle_rows import HASH, SAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

#: Marks of a shingle that the other document has: at the same place, or elsewhere.
SHARED, ELSEWHERE = 1, 2

#: Shingles of a run, end to end, at the least and at the most.
LEAST, MOST = 2, 8

#: Share of a document's runs that may be repeats of others.
REPEATED = 1 / 8

#: Of the repeats, how many are still some where runs are twice as long, if passages are repeated.
PASSAGES = 3 / 4

#: Comparisons between two runs, each shingle with all of the other document. Where these would be more, it is compared
#: with so many on either side of where it should stand; and where these are too many, nothing is in place.
ALL, AROUND, MOST_OF_SOME = 1 << 16, 128, 1 << 22

#: Odd, so that the hash of a run tells the order of its shingles.
_BASE = np.uint64(0x9E3779B97F4A7C15)


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
def count_repeats(runs: Hashes) -> int:
    """Count the runs that repeat another."""
    ordered, repeats = np.sort(runs), 0
    for place in range(1, len(ordered)):
        repeats += 1 if ordered[place] == ordered[place - 1] else 0
    return repeats


@compilable_helper
def run_steps(row: Hashes, shingle_size: int) -> int:
    """Return how many shingles a run of a document must have.

    Where longer runs are repeats as often, whole passages are repeated, and not a few words in any order.
    """
    steps, repeats = LEAST, count_repeats(runs_of(row, LEAST, shingle_size))
    while steps < MOST and repeats > REPEATED * len(row) and len(row) > (2 * steps - 1) * shingle_size:
        fewer = count_repeats(runs_of(row, 2 * steps, shingle_size))
        if fewer > PASSAGES * repeats:
            break
        steps, repeats = 2 * steps, fewer
    return steps


@compilable_helper
def mark_elsewhere(row: Hashes, shared: Byte, other: Hashes, of_other: Byte, shingle_size: int) -> float:
    """Mark what either of two documents shares elsewhere than the other has it: changes `shared` and `of_other`.

    Returned is which share of what they share stands at the same place: of whichever document that is less.
    """
    one, two = np.count_nonzero(shared), np.count_nonzero(of_other)  # they share something, or all were in order
    steps = max(run_steps(row, shingle_size), run_steps(other, shingle_size))
    runs, others = runs_of(row, steps, shingle_size), runs_of(other, steps, shingle_size)
    longest, of_longest = runs_of(row, MOST, shingle_size), runs_of(other, MOST, shingle_size)
    _mark_side(row, shared, (runs, longest), other, (others, of_longest), steps, shingle_size)
    _mark_side(other, of_other, (others, of_longest), row, (runs, longest), steps, shingle_size)
    return min(np.count_nonzero(shared == SHARED) / one, np.count_nonzero(of_other == SHARED) / two)


@compilable_helper
def place_of(ordered: Hashes, value: np.uint64) -> int:
    """Return where a value stands among ordered ones, if it is there once; else -1."""
    at = np.searchsorted(ordered, value)
    if at == len(ordered) or ordered[at] != value or (at + 1 < len(ordered) and ordered[at + 1] == value):
        return -1
    return int(at)


@compilable_helper
def _mark_side(
    row: Hashes,
    shared: Byte,
    of_row: tuple[Hashes, Hashes],
    other: Hashes,
    of_other: tuple[Hashes, Hashes],
    steps: int,
    shingle_size: int,
) -> None:
    """Mark what one document shares elsewhere, given the runs of both: of `steps` shingles, and of `MOST`."""
    (runs, longest), (others, of_longest) = of_row, of_other
    reach = (steps - 1) * shingle_size  # a run covers the shingle that it begins at, and so many more
    mine, order, order_of_longest = np.sort(runs), np.argsort(others), np.argsort(of_longest, kind="mergesort")
    ordered, longest_ordered = others[order], of_longest[order_of_longest]
    # Up to where the last run reached in both documents, and where it began in the other.
    end, end_of_other, before = 0, 0, -2
    for place in range(len(runs)):
        if not shared[place]:
            before = -2
            continue
        found = before + 1  # runs that are alike go on alike
        if not 0 < found < len(others) or others[found] != runs[place]:
            at = place_of(ordered, runs[place])
            found = int(order[at]) if at >= 0 and place_of(mine, runs[place]) >= 0 else -2
            if found < 0 and place < len(longest):
                at = np.searchsorted(longest_ordered, longest[place])
                if at < len(longest_ordered) and longest_ordered[at] == longest[place]:
                    found = int(order_of_longest[at])
        before = found
        if found < 0:
            continue
        if place > end:
            _mark_between(row, shared, end, place, other, end_of_other, found)
        end, end_of_other = place + reach + 1, found + reach + 1
    if end == 0 and steps > LEAST:
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
