"""Pairs to weights: what they share as evidence of a copy.

Input    pairs that share something, the rows of their documents, and `Boilerplate`
Output   the same pairs with `Weights`
Cost     a look-up of each shingle of the documents of pairs in doubt, and O(shingles) for each such pair

The rules are told in `dupdetect.matching.boilerplate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper, on_threads
from dupdetect.matching.boilerplate import BOILERPLATE, NEVER, PLAIN, grade_of
from dupdetect.matching.hash_join import build_table, join_buffers, mark_partners, probe_table
from dupdetect.matching.interleaving import CLEAR, FULL, INSIDE, INTERLEAVED, OWN, SHORT
from dupdetect.matching.overlaps import NONE, ROUNDED, Overlaps, is_inside
from dupdetect.matching.pairs import documents_of, unpack
from dupdetect.matching.shingle_rows import MAIN_CONTENT, REPEAT, SAME, even_cuts, row_of, table_size, whole_cuts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.counter import PairCounter
    from dupdetect.matching.hash_join import JoinOrder
    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.shingle_rows import Rows

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

# Numba makes float64 of int64 with uint64: what meets hashes is typed.
_GRADE, _BITS = np.uint64(3), np.uint64(2)


class Graded(NamedTuple):
    """How far the shingles of documents are boilerplate.

    Attributes
    ----------
    starts : int64[documents]
        The grades of the shingles in the row of document d are ``values[starts[d]:]``; -1 where nobody asked.
    counts : int32[documents]
        How many distinct shingles of each are boilerplate for most pairs.
    values : uint8[...]
    """

    starts: Int
    counts: Int32
    values: Byte


class Weigher:
    """Weighs pairs; keeps the grades of the documents it has looked up.

    Parameters
    ----------
    counter : PairCounter
        It has the shingles of the documents; where its settings do not weigh, pairs stay as they are.
    boilerplate : Boilerplate
    """

    def __init__(self, counter: PairCounter, boilerplate: Boilerplate) -> None:
        self._counter, self._boilerplate, self._settings = counter, boilerplate, counter.context.settings
        n = counter.shingles.n
        self._starts, self._counts = np.full(n, -1, np.int64), np.zeros(n, np.int32)
        self._grades = counter.context.storage.growing_array(np.uint8)

    def weigh(self, found: Overlaps) -> Overlaps:
        """Weigh pairs that share enough to be judged: those in doubt, and those with boilerplate."""
        if not self._settings.weighs:
            return found
        patterns, rows = self._counter.patterns(found), self._counter.shingles
        weighed = patterns != CLEAR
        if len(self._boilerplate.shingles):
            clear = np.flatnonzero(~weighed)
            counts = self._graded(found.pairs[clear]).counts
            weighed[clear] = np.logical_or(*(counts[side] > 0 for side in unpack(found.pairs[clear])))
        chosen = np.flatnonzero(weighed)
        if len(chosen) == 0:
            return found
        pairs = found.pairs[chosen]
        rows.load(pairs)
        graded, least, weights = self._graded(pairs), self._boilerplate.least(found.pairs, patterns), found.weights
        columns = weights.shared, weights.size_a, weights.size_b, weights.boilerplate
        # Pairs that are weighed stand among others: each fills its own place of the columns.
        self._counter.run(
            pairs, weigh_pairs, lambda order: (order._replace(places=chosen[order.places]), graded, least, *columns)
        )
        weights.interleaved[chosen] = patterns[chosen] == INTERLEAVED
        return Overlaps(found.pairs, found.shared, found.size_a, found.size_b, weights, patterns)

    def certain(self, found: Overlaps) -> Bool:
        """Mark pairs that are matches however they are weighed: what `weigh` would find, for less.

        Where a document has next to nothing of its own, what it shares weighs at least what all of it weighs at worst,
        less one for each shingle of its own. So a family of copies is known by its members, and not by their pairs.
        """
        clear = (found.smaller - found.shared < OWN) & (found.shared > INSIDE * found.smaller)
        if not self._settings.weighs or len(self._boilerplate.shingles) == 0:
            return np.asarray(clear & (found.relations(self._settings) != NONE))
        rows = np.flatnonzero(clear)
        some = found.where(rows)
        graded, smaller = self._graded(some.pairs), np.where(some.size_a <= some.size_b, some.a, some.b)
        sums = sum_worst.faster_for(float(some.smaller.sum()))(self._counter.shingles.rows, graded, smaller)
        own = some.smaller - some.shared
        least, content = sums[:, 0] / FULL - own, sums[:, 1] - own
        share = least / np.maximum(least + own, BOILERPLATE / FULL)
        clear[rows] = is_inside(share - ROUNDED, some.smaller, content - ROUNDED, False, self._settings)
        return clear

    def _graded(self, pairs: Pairs) -> Graded:
        """Look up the shingles of the documents of pairs, those not looked up before."""
        shingles = self._counter.shingles
        shingles.load(pairs)
        new = documents_of(pairs, shingles.n)
        new = new[self._starts[new] < 0]
        rows, table = shingles.rows, self._boilerplate.grades
        for first, last in whole_cuts(rows.lengths[new], shingles.block):
            self._grade(new[first:last], rows, table)
        return Graded(self._starts, self._counts, self._grades.values)

    def _grade(self, documents: Int, rows: Rows, table: Hashes) -> None:
        """Look up the shingles of documents."""
        lengths, workers = rows.lengths[documents], self._counter.context.workers
        bounds = np.append(0, np.cumsum(lengths, dtype=np.int64))
        grades = np.empty(bounds[-1], np.uint8)
        run = grade_rows.faster_for(2.0 * len(grades))
        cuts = even_cuts(lengths, 8 * workers)
        counts = on_threads(
            lambda cut: run(rows, documents[slice(*cut)], table, grades[bounds[cut[0]] :]), cuts, workers
        )
        self._starts[documents] = len(self._grades) + bounds[:-1]
        self._counts[documents] = np.concatenate(counts)
        self._grades.append(grades)


@Compilable
def grade_rows(rows: Rows, documents: Int, table: Hashes, grades: Byte) -> Int32:
    """Look up the shingles of documents, end to end; repeats have no grade. Count those that are boilerplate."""
    counts = np.zeros(len(documents), np.int32)
    mask = np.uint64(len(table) - 1)
    most = 0
    for document in documents:
        most = max(most, rows.lengths[document])
    seen = np.empty(most, np.uint64)
    start = 0
    for index in range(len(documents)):
        row = row_of(rows, documents[index])
        into = grades[start : start + len(row)]
        for position in range(len(row)):  # without a branch, so that the processor waits for many at a time
            seen[position] = table[row[position] >> _BITS & mask]
        for position in range(len(row)):
            value, entry = row[position], seen[position]
            grade = int(entry & _GRADE)
            if (entry != 0) & (entry ^ value >= SAME):
                grade = grade_of(table, value)
            if value & REPEAT:
                grade = NEVER
            counts[index] += grade >= PLAIN
            into[position] = grade
        start += len(row)
    return counts


@Compilable
def sum_worst(rows: Rows, graded: Graded, documents: Int) -> Int:
    """Sum up the weight of documents, all that may be boilerplate being it, and their other shingles: int64[n, 2]."""
    sums = np.zeros((len(documents), 2), np.int64)
    for index in range(len(documents)):
        row, start = row_of(rows, documents[index]), graded.starts[documents[index]]
        grades = graded.values[start : start + len(row)]
        for position in range(len(row)):
            if row[position] & REPEAT:
                continue
            if grades[position] > NEVER:
                sums[index, 0] += BOILERPLATE
            else:
                sums[index, 0] += FULL if row[position] & MAIN_CONTENT else SHORT
                sums[index, 1] += 1
    return sums


@compilable_helper
def less_than_full(value: np.uint64, grade: int) -> int:
    """Return what a shingle lacks to the weight that it would have if it were of main content."""
    return 0 if value & (MAIN_CONTENT | REPEAT) or grade >= PLAIN else FULL - SHORT


@compilable_helper
def own_weight(row: Hashes, grades: Byte, first: int, last: int, whole: int) -> int:
    """Return what a document's own text weighs, `whole` if all of it were main content.

    It is as good as that unless it stands before or behind all that is shared, which is between `first` and `last`, and
    some of it does both.
    """
    if first <= 0 or last == len(row) - 1:
        return whole
    for position in range(first):
        whole -= less_than_full(row[position], grades[position])
    for position in range(last + 1, len(row)):
        whole -= less_than_full(row[position], grades[position])
    return whole


@Compilable
def weigh_pairs(
    rows: Rows,
    order: JoinOrder,
    graded: Graded,
    least: Byte,
    shared: Share,
    size_a: Share,
    size_b: Share,
    boilerplate: Share,
) -> None:
    """Weigh what the documents of each pair have; fill the last four, which have an entry for each pair (`Weights`).

    What is shared is boilerplate from the grade `least` on, and what is not from `PLAIN` on.
    """
    # Sums are of whole numbers until the very end, so that they do not depend on the order of pairs or shingles.
    table, firsts, repeats, partners = join_buffers(rows, order)
    marks = np.empty(len(firsts), np.uint8)
    built, size, repeated, row = -1, 1, 0, rows.values[:0]
    for pair in range(len(order.places)):
        if order.build[pair] != built:
            built = order.build[pair]
            row, size = row_of(rows, built), table_size(rows.lengths[built])
            repeated = build_table(row, table, size, firsts, repeats)
        number, place = order.probe[pair], order.places[pair]
        other, grades = row_of(rows, number), graded.values[graded.starts[number] :]
        probe_table(row, table, size, firsts, other, partners, 0)
        both, taken, count, voted_out = 0, 0, 0, 0
        first, last, first_built, last_built = -1, -1, len(row), -1
        for position in range(len(other)):
            partner = partners[position]
            if partner < 0:
                continue
            first, last = position if first < 0 else first, position
            first_built, last_built = min(first_built, partner), max(last_built, partner)
            if other[position] & REPEAT:
                continue
            count += 1
            # What of the documents' own text is shared, as `whole` below counts it; then what the pair shares, by its
            # own grade, for its own vote is left out.
            taken += BOILERPLATE if grades[position] >= PLAIN else FULL
            if grades[position] >= least[place]:
                both += BOILERPLATE
                voted_out += 1
            else:
                both += FULL if (other[position] | row[partner]) & MAIN_CONTENT else SHORT
        if repeated > 0:  # of a repeated shingle, only the first occurrence has been a partner so far
            mark_partners(len(row), firsts, repeats[:repeated], partners[: len(other)], marks)
            for position in repeats[:repeated]:
                if marks[position]:
                    last_built = max(last_built, position)
        start = graded.starts[built]
        whole = FULL * rows.sizes[built] - (FULL - BOILERPLATE) * graded.counts[built] - taken
        own_built = own_weight(row, graded.values[start:], first_built, last_built, whole)
        whole = FULL * rows.sizes[number] - (FULL - BOILERPLATE) * graded.counts[number] - taken
        own = own_weight(other, grades, first, last, whole)
        shared[place], boilerplate[place] = both / FULL, voted_out / max(count, 1)
        size_a[place] = (both + (own_built if built < number else own)) / FULL
        size_b[place] = (both + (own if built < number else own_built)) / FULL
