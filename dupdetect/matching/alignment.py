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
_ONE = np.uint64(1)

#: Bits of a word that are used: a sum of two words and a carry has one more, and none is negative.
BITS = 62
_FULL = (1 << BITS) - 1


class Placed(NamedTuple):
    """The runs of a document, and where they are.

    Attributes
    ----------
    runs, longest : uint64[n], uint64[m]
        Hashes of the run that begins at each place; and of those of `MOST` shingles, none where no run that both
        have is repeated.
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
def any_there(runs: Hashes, repeated: Byte, others: Hashes, other_table: Int32) -> bool:
    """Whether another document has any of the runs of a document that are repeated."""
    there = False
    for place in np.flatnonzero(repeated):
        there |= place_of(others, other_table, runs[place]) >= 0
    return there


@compilable_helper
def mark_elsewhere(row: Hashes, shared: Byte, other: Hashes, of_other: Byte, shingle_size: int) -> float:
    """Mark what either of two documents shares elsewhere than the other has it: changes `shared` and `of_other`.

    Returned is which share of what they share stands at the same place: of whichever document that is less.
    """
    one, two = np.count_nonzero(shared), np.count_nonzero(of_other)  # they share something, or all were in order
    runs, others = runs_of(row, LEAST, shingle_size), runs_of(other, LEAST, shingle_size)
    table, repeated, repeats = table_of(runs)
    other_table, other_repeated, other_repeats = table_of(others)
    steps = max(run_steps(row, repeats, shingle_size), run_steps(other, other_repeats, shingle_size))
    if steps > LEAST:
        runs, others = runs_of(row, steps, shingle_size), runs_of(other, steps, shingle_size)
        table, repeated, _ = table_of(runs)
        other_table, other_repeated, _ = table_of(others)
    longest, of_longest = runs[:0], runs[:0]
    # Else there is no run that only a longer one can tell.
    if any_there(runs, repeated, others, other_table) or any_there(others, other_repeated, runs, table):
        longest, of_longest = runs_of(row, MOST, shingle_size), runs_of(other, MOST, shingle_size)
    mine = Placed(runs, table, repeated, longest, table_of(longest)[0])
    theirs = Placed(others, other_table, other_repeated, of_longest, table_of(of_longest)[0])
    _mark_side(row, shared, mine, other, theirs, steps, shingle_size)
    _mark_side(other, of_other, theirs, row, mine, steps, shingle_size)
    return min(np.count_nonzero(shared == SHARED) / one, np.count_nonzero(of_other == SHARED) / two)


@compilable_helper
def _mark_side(
    row: Hashes, shared: Byte, mine: Placed, other: Hashes, theirs: Placed, steps: int, shingle_size: int
) -> None:
    """Mark what one document shares elsewhere."""
    # Taken out of their tuples once: at each place this would cost more than all that is looked up.
    runs, table, repeated, longest, _ = mine
    others, other_table, other_repeated, other_longest, longest_table = theirs
    reach = (steps - 1) * shingle_size  # a run covers the shingle that it begins at, and so many more
    # Up to where the last run reached in both documents, and where it began in the other.
    end, end_of_other, before = 0, 0, -1
    for place in range(len(runs)):
        if not shared[place]:
            before = -1
            continue
        found = before + 1  # runs that are alike go on alike
        if not 0 < found < len(others) or others[found] != runs[place]:
            found = place_of(others, other_table, runs[place])
            # One that is repeated does not tell where it stands, but as the beginning of a longer one.
            if found >= 0 and (other_repeated[found] or repeated[place_of(runs, table, runs[place])]):
                found = place_of(other_longest, longest_table, longest[place]) if place < len(longest) else -1
        before = found
        if found < 0:
            continue
        if place > end:
            mark_between(row, shared, end, place, other, end_of_other, found)
        end, end_of_other = place + reach + 1, found + reach + 1
    if end == 0 and (steps > LEAST or len(row) * len(other) > WITHOUT):
        shared[shared > 0] = ELSEWHERE
    elif end < len(row):
        mark_between(row, shared, end, len(row), other, end_of_other, len(other))


@compilable_helper
def slot_of(row: Hashes, table: Int32, value: np.uint64) -> np.uint64:
    """Return which entry of a table of places of a row has a shingle, or would have it."""
    mask = np.uint64(len(table) - 1)
    slot = value >> MARK_BITS & mask
    while table[slot] >= 0 and row[table[slot]] ^ value >= SAME:
        slot = slot + _ONE & mask
    return slot


@compilable_helper
def mark_between(row: Hashes, shared: Byte, begin: int, end: int, other: Hashes, first: int, last: int) -> None:
    """Mark what of ``row[begin:end]`` is shared, but not in the order of ``other[first:last]``."""
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
    # A table of where each of its shingles is first, of the places that were looked at, and where it is again behind.
    others, inserted = other[first:last], width
    table, again = np.full(table_size(width), -1, np.int32), np.empty(width, np.int32)
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
            slot = slot_of(others, table, others[inserted])
            again[inserted], table[slot] = table[slot], inserted
        place = int(table[slot_of(others, table, row[some[one]])])
        while 0 <= place < begins[one] + band:
            same[(width - 1 - place) // BITS] |= 1 << (width - 1 - place) % BITS
            place = int(again[place])
        carry = 0
        for word in range(words):
            before = state[lowest[one] + word]
            both = before & same[lowest[one] + word]
            after = before + both + carry
            carry = after >> BITS
            kept[one, word] = after & _FULL | before & ~both
            state[lowest[one] + word], same[lowest[one] + word] = kept[one, word], 0
    # From the start on: each shingle that is the other's at the next such place is in order.
    bit, is_next = width, False
    for one in range(len(some)):
        while not is_next and bit > lowest[one] * BITS:
            bit -= 1
            word = bit // BITS - lowest[one]
            is_next = word < words and not kept[one, word] >> bit % BITS & 1
        place = width - 1 - bit
        here = is_next and begins[one] <= place < begins[one] + band
        if here and row[some[one]] ^ others[place] < SAME:
            is_next = False
        else:
            shared[some[one]] = ELSEWHERE
