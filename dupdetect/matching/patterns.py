"""Pairs to counts and patterns: how many shingles two documents share, and how.

Input    rows of shingles, and pairs of documents
Output   of each pair how many shingles it shares, its pattern, and marks of what either document has of its own
Cost     a pass over the shingles of either document for each pair, and two more unless they are all but equal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper
from dupdetect.matching.hash_join import build_table, join_buffers, mark_partners, probe_table
from dupdetect.matching.interleaving import CLEAR, INSIDE, INTERLEAVED, ONE_END, OTHER, OWN, pattern_of, read_side
from dupdetect.matching.own_lines import CLASSES, OwnLines, is_at_one_end, read_own_lines, stands_amid, stands_whole
from dupdetect.matching.shared_marks import mark_shared, words_for
from dupdetect.matching.shingle_rows import row_of, run_ends, table_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.hash_join import JoinOrder
    from dupdetect.matching.shingle_rows import Rows

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

#: Marks of a pair, beside its pattern (`interleaving.PATTERN`): whether what the lesser, or the greater document has of
#: its own is furniture; whether what is shared stands amid it; whether one of them stands whole in the other.
FURNITURE_A, FURNITURE_B, AMID_A, AMID_B, WHOLE = 8, 16, 32, 64, 128

#: Shingles of its own that a document has at the most which is not read.
TRIFLE = 12


@compilable_helper
def own_marks(one: OwnLines, two: OwnLines, turned: bool) -> int:
    """Return the marks of what two documents have of their own; if `turned`, the second is the lesser of them."""
    if turned:
        one, two = two, one
    marks = (FURNITURE_A if one.furniture else 0) | (FURNITURE_B if two.furniture else 0)
    marks |= WHOLE if stands_whole(one, two) or stands_whole(two, one) else 0
    return marks | (AMID_A if stands_amid(one) else 0) | (AMID_B if stands_amid(two) else 0)


@Compilable
def read_pairs(
    rows: Rows, order: JoinOrder, need: Int, limits: tuple[float, int], shared: Int32, patterns: Byte, starts: Int
) -> Hashes:
    """Count the distinct shingles that the documents of each pair share, and read how; return which they are.

    `need`, `shared`, `patterns` and `starts`, all but the first filled, have an entry for each pair, where it stood
    before; `starts` and what is returned are as `SharedMarks.append` takes them. What cannot reach what it needs has -1
    for a count, no pattern and no marks. `limits` are the threshold and the size of shingles. What interleaved pairs
    have of their own is not marked: they are many, and few are ever asked for it (`weigh_pairs`).
    """
    threshold, shingle_size = limits
    table, firsts, repeats, partners = join_buffers(rows, order)
    of_build, of_probe = np.empty(len(firsts), np.uint8), np.empty(len(partners), np.uint8)
    ends, other_ends = np.empty(len(firsts), np.int32), np.empty(len(partners), np.int32)
    own_lines, shared_words = np.empty(CLASSES, np.int64), np.empty(CLASSES, np.int64)
    built, size, repeated, row = -1, 1, 0, rows.values[:0]
    words, used = words_for(rows, order), 0
    for pair in range(len(order.places)):
        if order.build[pair] != built:
            built = order.build[pair]
            row, size = row_of(rows, built), table_size(rows.lengths[built])
            repeated = build_table(row, table, size, firsts, repeats)
        place, other = order.places[pair], row_of(rows, order.probe[pair])
        count = probe_table(row, table, size, firsts, other, partners, need[place])
        shared[place], patterns[place], starts[place] = count, OTHER, -1
        if count < need[place]:
            continue
        starts[place] = 2 * used + (1 if order.probe[pair] > built else 0)
        used = mark_shared(other, partners, words, used)
        one, two = rows.sizes[built] - count, rows.sizes[order.probe[pair]] - count
        clear = min(one, two) < OWN and count > INSIDE * (count + min(one, two))
        # Near copies of each other have nothing that is worth reading: a family of them is large.
        if clear and max(one, two) < TRIFLE and count >= threshold * (count + one + two):
            patterns[place] = CLEAR
            continue
        mark_partners(len(row), firsts, repeats[:repeated], partners[: len(other)], of_build, of_probe)
        runs, other_runs = run_ends(row, of_build, of_build, ends), run_ends(other, of_probe, of_probe, other_ends)
        pattern = CLEAR
        if not clear:
            pattern = pattern_of(
                read_side(row, of_build, ends, runs), read_side(other, of_probe, other_ends, other_runs)
            )
        patterns[place] = pattern
        if pattern == INTERLEAVED:
            continue
        first = read_own_lines(row, of_build, ends, runs, shingle_size, own_lines, shared_words)
        second = read_own_lines(other, of_probe, other_ends, other_runs, shingle_size, own_lines, shared_words)
        if not clear and is_at_one_end(first, second):
            pattern = ONE_END
        patterns[place] = pattern | own_marks(first, second, built > order.probe[pair])
    return words[:used]
