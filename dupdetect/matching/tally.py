"""Pairs to sums: how many of them share each shingle.

Input    pairs, marks of what they share, and which shingles are asked for
Output   shingles (uint64[n], sorted, distinct) and how many pairs share each (int32[n])
Cost     a pass over the marks, and a look-up of each shingle that they share
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect._compiled.dispatch import Compilable, on_threads
from dupdetect._compiled.forks import Lock
from dupdetect._compiled.kernels import fixed
from dupdetect.matching.boilerplate import NEVER, look_up, presence
from dupdetect.matching.shared_marks import WORD
from dupdetect.matching.shingle_rows import HASH, row_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.shared_marks import Marks, SharedMarks
    from dupdetect.matching.shingle_rows import Rows

    Byte = NDArray[np.uint8]
    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Hashes = NDArray[np.uint64]

#: Parts that shingles are summed in at the most: each is put together from all blocks of pairs.
PARTS = 256

#: Bits of the number of places of tables of shingles, one tried after the other: the last has some MB, as a cache has.
TABLES = (8, 12, 15, 18)

#: What stands in a table where no shingle is: no hash does, for in rows the lowest bits are marks.
EMPTY = np.uint64(2**64 - 1)

_NONE, _ONE = np.uint64(0), np.uint64(1)


def tally(marks: SharedMarks, found: Overlaps, among: Hashes | None = None) -> tuple[Hashes, Int32]:
    """Count the pairs that share each shingle, or each of those in a table: uint64[n], sorted, and int32[n].

    Shingles are parted by their highest bits, and each part is summed by itself: sums do not depend on which
    block of pairs is counted first.
    """
    storage, workers = marks.shingles.context.storage, marks.shingles.context.workers
    total = int(found.shared.sum(dtype=np.int64))
    parts = min(PARTS, 1 << max(4 * workers, total // marks.shingles.block).bit_length())
    limits = np.arange(1, parts, dtype=np.uint64) << np.uint64(64 - parts.bit_length() + 1)
    # What blocks have counted, one behind the other, and where the parts of each begin and end.
    counted, counts_of = storage.growing_array(np.uint64), storage.growing_array(np.int32)
    bounds: list[Int] = []
    filter_ = None if among is None else presence.faster_for(2.0 * len(among))(among)
    run, look, lock = marked_values.faster_for(3.0 * total), look_up.faster_for(total), Lock()

    def count(some: Marks, rows: Rows, _: Any) -> None:
        values = run(rows, some, int(found.shared[some.places].sum()))
        if among is not None and filter_ is not None:
            values = values[look(among, filter_, values) > NEVER]
        values, counts = summed(values)
        inner = np.searchsorted(values, limits)
        with lock:
            bounds.append(len(counted) + np.concatenate([[0], inner, [len(values)]]))
            counted.append(values)
            counts_of.append(counts)

    marks.each(found.pairs, count)
    starts = np.array(bounds, np.int64).reshape(-1, parts + 1)

    def sum_part(part: int) -> tuple[Hashes, Int32]:
        begins, lengths = starts[:, part], starts[:, part + 1] - starts[:, part]
        return summed(counted.gather(begins, lengths), counts_of.gather(begins, lengths))

    hashes, votes = storage.growing_array(np.uint64), storage.growing_array(np.int32)
    for first in range(0, parts, workers):
        some = range(first, min(first + workers, parts))
        rest = len(counted) - int(starts[:, first].sum() - starts[:, 0].sum())
        for values, counts in on_threads(sum_part, some, workers):
            hashes.append(values, rest)
            votes.append(counts, rest)
    return hashes.values, votes.values


def summed(values: Hashes, counts: Int32 | None = None) -> tuple[Hashes, Int32]:
    """Return the distinct values, sorted, and the sum of the counts of each; without counts it is one each.

    What pages of one site share is there again and again, so that most values are few distinct ones: these are put
    into a table, which is in the order of the values, for they are hashes and evenly spread. Where there are more than
    fit in a cache all are sorted.
    """
    if len(values) == 0:
        return values, np.empty(0, np.int32)
    low = values.min()
    span = int(values.max() - low).bit_length()
    done, sums, totals = 0, values[:0], np.empty(0, np.int32)
    for bits in TABLES:
        table, of_place = np.full(2 << bits, EMPTY), np.zeros(2 << bits, np.int32)
        shift = np.uint64(max(0, span - bits))
        add = add_equal.faster_for(3.0 * (len(sums) + len(values) - done))
        rest = np.ones(1, np.int32) if counts is None else counts[done:]
        add(fixed(sums, np.uint64), fixed(totals, np.int32), low, shift, table, of_place)
        done += add(fixed(values[done:], np.uint64), fixed(rest, np.int32), low, shift, table, of_place)
        sums, totals = list_places.faster_for(3.0 * len(table))(table, of_place)
        if done == len(values):
            return sums, totals
    return _sorted(values, counts)


def _sorted(values: Hashes, counts: Int32 | None) -> tuple[Hashes, Int32]:
    """Return what `summed` does; without counts, `values`, which may be very many, are sorted where they are."""
    if counts is None:
        values.sort()
    else:
        order = np.argsort(values)
        values, counts = values[order], counts[order]
    new = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    first = np.flatnonzero(new)
    if counts is not None:
        return values[first], np.add.reduceat(counts, first, dtype=np.int32)
    return values[first], np.diff(first, append=len(values)).astype(np.int32)


@Compilable
def marked_values(rows: Rows, marks: Marks, total: int) -> Hashes:
    """Return the hashes of the shingles that are marked, `total`, pair after pair."""
    values, found = np.empty(total, np.uint64), 0
    for pair in range(len(marks.places)):
        row, at = row_of(rows, marks.documents[pair]), marks.starts[pair]
        for first in range(0, len(row), WORD):
            word, position = marks.words[at], first
            at += 1
            while word != _NONE:
                if word & _ONE:
                    values[found] = row[position] & HASH
                    found += 1
                word >>= _ONE
                position += 1
    return values


@Compilable
def add_equal(values: Hashes, counts: Int32, low: np.uint64, shift: np.uint64, table: Hashes, sums: Int32) -> int:
    """Add the counts of values to those of equal ones in a table; return of how many there was room.

    Parameters
    ----------
    values : uint64[n]
    counts : int32[n] or int32[1]
        One for all, if it is one.
    low, shift : uint64
        A value belongs at ``value - low >> shift``, or where the next free place is: the first half of the table.
    table, sums : uint64[m], int32[m]
        Filled; places of no value are `EMPTY`. A quarter of them may be taken.
    """
    room, last = len(table) // 4, len(counts) - 1
    for value in table:
        room -= 1 if value != EMPTY else 0
    for at in range(len(values)):
        value = values[at]
        place = value - low >> shift
        while table[place] != EMPTY and table[place] != value:
            place = place + _ONE
        if table[place] != value:
            if room == 0:
                return at
            room -= 1
            table[place] = value
        sums[place] += counts[min(at, last)]
    return len(values)


@Compilable
def list_places(table: Hashes, sums: Int32) -> tuple[Hashes, Int32]:
    """Return the values of a table, sorted, and the sums: next to each other they may be out of order."""
    count = 0
    for value in table:
        count += 1 if value != EMPTY else 0
    values, totals = np.empty(count, np.uint64), np.empty(count, np.int32)
    end = 0
    for at in range(len(table)):
        value = table[at]
        if value == EMPTY:
            continue
        place = end
        while place > 0 and values[place - 1] > value:
            values[place], totals[place] = values[place - 1], totals[place - 1]
            place -= 1
        values[place], totals[place] = value, sums[at]
        end += 1
    return values, totals
