"""Which of the shingles that two documents share stand in the same place in both.

Input    the rows of two documents, and which shingles they share
Output   the same marks, but that what one has elsewhere than the other is `ELSEWHERE`
Cost     a pass over the shared shingles, where these have one order in both documents; else O(n), and for each shingle
         that is shared between runs a word for every `BITS` places of the other document: up to `ALL` places for all of
         them, or twice `AROUND` for each

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

    Int = NDArray[np.int64]
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

#: Places between two runs that each shingle is compared with, all of the other document, together. Where these would be
#: more, it is compared with so many on either side of where it should stand; and where these are too many, nothing is
#: in place.
ALL, AROUND, MOST_OF_SOME = 1 << 16, 128, 1 << 22

#: Shingles of one document times those of the other up to which they are compared in order without any run: in longer
#: ones that share no ten words in a row an order is found by chance.
WITHOUT = 1 << 14

#: Odd, so that the hash of a run tells the order of its shingles.
_BASE = np.uint64(0x9E3779B97F4A7C15)
_NONE, _ONE = np.uint64(0), np.uint64(1)

#: Bits of a word that are used: a sum of two words and a carry has one more, and none is negative.
BITS = 62
_FULL = (1 << BITS) - 1


class Placed(NamedTuple):
    """The runs of a document, and where they are.

    Attributes
    ----------
    runs : uint64[n]
        The hash of the run that begins at each place.
    table : int32[...]
        Where each run is first (`table_of`).
    repeated : uint8[n]
        Which of these are repeated.
    repeats : int
        How many runs are repeats.
    """

    runs: Hashes
    table: Int32
    repeated: Byte
    repeats: int


class Numbered(NamedTuple):
    """A document of a pair.

    Attributes
    ----------
    row : uint64[n]
        Its shingles.
    numbers : int32[n]
        A number for each different one that both have; of others, -1.
    short : Placed
        Its runs of `LEAST` shingles.
    """

    row: Hashes
    numbers: Int32
    short: Placed


@compilable_helper
def differ(some: Hashes, others: Hashes) -> bool:
    """Whether any of as many shingles differ."""
    found = _NONE
    for place in range(len(some)):  # without a branch, so that it becomes vectors
        found |= some[place] ^ others[place]
    return bool(found >= SAME)


@compilable_helper
def are_in_order(row: Hashes, shared: Byte, ends: Int32, runs: int, other: Hashes, of_other: Byte) -> bool:
    """Whether what two documents share is the same sequence of shingles in both; of one the runs are given."""
    there, begin = 0, 0
    for turn in range(runs):
        here, begin = begin, int(ends[turn])
        while here < begin and shared[here]:
            while there < len(other) and not of_other[there]:
                there += 1
            end = there
            while end < len(other) and end - there < begin - here and of_other[end]:
                end += 1
            if end == there or differ(row[here : here + end - there], other[there:end]):
                return False
            here, there = here + end - there, end
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
def run_steps(row: Hashes, repeats: int, shingle_size: int) -> int:
    """Return how many shingles a run of a document must have, of which so many of `LEAST` shingles are repeats.

    Where longer runs are repeats nearly as often, passages are repeated, and not a few words in any order.
    """
    steps = LEAST
    while steps < MOST and repeats > REPEATED * len(row) and len(row) > (2 * steps - 1) * shingle_size:
        fewer = table_of(runs_of(row, 2 * steps, shingle_size))[2]
        if fewer > PASSAGES * repeats:
            break
        steps, repeats = 2 * steps, fewer
    return steps


@compilable_helper
def placed(row: Hashes, steps: int, shingle_size: int) -> Placed:
    """Return the runs of so many shingles of a document."""
    runs = runs_of(row, steps, shingle_size)
    table, repeated, repeats = table_of(runs)
    return Placed(runs, table, repeated, repeats)


@compilable_helper
def any_there(mine: Placed, theirs: Placed) -> bool:
    """Whether another document has any of the runs of a document that are repeated."""
    there = False
    if mine.repeats:
        for place in np.flatnonzero(mine.repeated):
            there |= place_of(theirs.runs, theirs.table, mine.runs[place]) >= 0
    return there


@compilable_helper
def mark_elsewhere(
    mine: Numbered, shared: Byte, theirs: Numbered, of_other: Byte, places: Int32, shingle_size: int
) -> float:
    """Mark what either of two documents shares elsewhere than the other has it: changes `shared` and `of_other`.

    `places` is a buffer of `mark_between`. Returned is which share of what they share stands at the same place: of
    whichever document that is less.
    """
    one, two = np.count_nonzero(shared), np.count_nonzero(of_other)  # they share something, or all were in order
    row, other = mine.row, theirs.row
    runs, others = mine.short, theirs.short
    steps = max(run_steps(row, runs.repeats, shingle_size), run_steps(other, others.repeats, shingle_size))
    if steps > LEAST:
        runs, others = placed(row, steps, shingle_size), placed(other, steps, shingle_size)
    longest, of_longest = runs, others
    # Else there is no run that only a longer one can tell.
    some = any_there(runs, others) or any_there(others, runs)
    if some:
        longest, of_longest = placed(row, MOST, shingle_size), placed(other, MOST, shingle_size)
    _mark_side(mine.numbers, shared, runs, longest, theirs.numbers, others, of_longest, places, (steps, shingle_size))
    _mark_side(theirs.numbers, of_other, others, of_longest, mine.numbers, runs, longest, places, (steps, shingle_size))
    return min(np.count_nonzero(shared == SHARED) / one, np.count_nonzero(of_other == SHARED) / two)


@compilable_helper
def _mark_side(
    row: Int32,
    shared: Byte,
    mine: Placed,
    longest: Placed,
    other: Int32,
    theirs: Placed,
    of_longest: Placed,
    places: Int32,
    sizes: tuple[int, int],
) -> None:
    """Mark what one document shares elsewhere; the runs of `MOST` shingles are looked at where any run is repeated.

    `sizes` are those of a run, in shingles, and of a shingle.
    """
    # Taken out of their tuples once: at each place this would cost more than all that is looked up.
    steps, shingle_size = sizes
    runs, table, repeated, _ = mine
    others, other_table, other_repeated, _ = theirs
    long_runs, other_longest, longest_table = longest.runs, of_longest.runs, of_longest.table
    reach = (steps - 1) * shingle_size  # a run covers the shingle that it begins at, and so many more
    # Up to where the last run reached in both documents, and where it began in the other.
    end, end_of_other, before = 0, 0, -1
    for place in range(len(runs)):
        if not (shared[place] and shared[place + reach]):  # one that the other has is shared to its end
            before = -1
            continue
        found = before + 1  # runs that are alike go on alike
        if not 0 < found < len(others) or others[found] != runs[place]:
            found = place_of(others, other_table, runs[place])
            # One that is repeated does not tell where it stands, but as the beginning of a longer one.
            if found >= 0 and (other_repeated[found] or repeated[place_of(runs, table, runs[place])]):
                found = place_of(other_longest, longest_table, long_runs[place]) if place < len(long_runs) else -1
        before = found
        if found < 0:
            continue
        if place > end:
            mark_between(row, shared, end, place, other, end_of_other, found, places)
        end, end_of_other = place + reach + 1, found + reach + 1
    if end == 0 and (steps > LEAST or len(row) * len(other) > WITHOUT):
        shared[shared > 0] = ELSEWHERE
    elif end < len(row):
        mark_between(row, shared, end, len(row), other, end_of_other, len(other), places)


@compilable_helper
def mark_between(  # noqa: C901 - one loop after the other
    row: Int32, shared: Byte, begin: int, end: int, other: Int32, first: int, last: int, places: Int32
) -> None:
    """Mark what of ``row[begin:end]`` is shared, but not in the order of ``other[first:last]``.

    Both are given as numbers: one for each different shingle that both have; of others, -1. `places` is a buffer of an
    entry for each number, -1, and is left so.
    """
    some = np.flatnonzero(shared[begin:end]) + begin
    width = last - first
    if len(some) == 0:
        return
    band = width if len(some) * width <= ALL else min(width, 2 * AROUND)
    if width <= 0 or len(some) * band > MOST_OF_SOME:
        shared[some] = ELSEWHERE
        return
    # Of the other document those places are looked at that are about as far from either end.
    begins = np.maximum(0, np.minimum((some - begin) * width // (end - begin) - AROUND, width - band))
    # Where each of its shingles is first, of the places that were looked at, and where it is again behind.
    others, inserted, again = other[first:last], width, np.empty(width, np.int32)
    # The longest common subsequence, from the end on, by bits (Hyyrö 2004), which stand for places in turned order. A
    # bit is 0 if from its place on one more can be matched than from the next. A carry beyond the words that are looked
    # at would meet no such bit.
    state, same = np.full(-(-width // BITS), _FULL), np.zeros(-(-width // BITS), np.int64)
    words = min(len(state), band // BITS + 2)
    lowest = np.minimum((width - band - begins) // BITS, len(state) - words)
    kept = np.empty((len(some), words), np.int64)
    for one in range(len(some) - 1, -1, -1):
        while inserted > begins[one]:
            inserted -= 1
            number = others[inserted]
            if number >= 0:
                again[inserted], places[number] = places[number], inserted
        place = int(places[row[some[one]]])
        while 0 <= place < begins[one] + band:
            turned = width - 1 - place
            word = turned // BITS
            same[word] |= 1 << turned - word * BITS
            place = int(again[place])
        carry, low = 0, lowest[one]
        for word in range(words):
            before = state[low + word]
            both = before & same[low + word]
            after = before + both + carry
            carry = after >> BITS
            after = after & _FULL | before & ~both
            state[low + word], kept[one, word], same[low + word] = after, after, 0
    for number in others[inserted:]:
        if number >= 0:
            places[number] = -1
    # From the start on: each shingle that is the other's at the next such place is in order.
    bit, word, is_next = width, width // BITS, False
    for one in range(len(some)):
        low = lowest[one]
        while not is_next and bit > low * BITS:
            bit -= 1
            if bit < word * BITS:
                word -= 1
            is_next = word - low < words and not kept[one, word - low] >> bit - word * BITS & 1
        place = width - 1 - bit
        here = is_next and begins[one] <= place < begins[one] + band
        if here and row[some[one]] == others[place]:
            is_next = False
        else:
            shared[some[one]] = ELSEWHERE
