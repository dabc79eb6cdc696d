"""What two documents share: a hash join of their shingles.

Input    rows of shingles (`shingle_rows`), and pairs of documents
Output   for each pair, how many distinct shingles both have, and where they stand
Cost     a pass over the shingles of either document for each pair

Of each pair one document is the *build side*, whose shingles are put into a hash table, and the other the *probe side*,
whose shingles are looked up. The document of more pairs is the build side: its table serves all of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper
from dupdetect.matching.pairs import unpack
from dupdetect.matching.shingle_rows import LONG, MARK_BITS, REPEAT, SAME, STRIDE, even_cuts, row_of, table_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.shingle_rows import Rows, ShingleRows

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

# Numba makes float64 of int64 with uint64: what meets hashes is typed.
_ONE = np.uint64(1)


class JoinOrder(NamedTuple):
    """Pairs in the order in which they are joined.

    Attributes
    ----------
    places : int64[n]
        Where each pair stood before.
    build, probe : int32[n]
        Its documents; equal ones on the build side are together.
    """

    places: Int
    build: Int32
    probe: Int32

    def steps(self, lengths: Int32) -> float:
        """Return how many steps a loop over these pairs takes, about, given how many shingles documents have."""
        return 3.0 * float(lengths[self.probe].sum(dtype=np.int64)) + 100 * len(self.places)


def join_orders(pairs: Pairs, shingles: ShingleRows) -> list[JoinOrder]:
    """Order pairs, whose documents have rows, in blocks of about the same cost."""
    lengths, n = shingles.lengths, shingles.n
    a, b = (side.astype(np.int32) for side in unpack(pairs))
    # The document of more pairs is the build side; but no table is built of one that is too large for any cache.
    fit = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
    large = lengths >= LONG
    if large.any():
        fit[large] = -lengths[large]
    swap = fit[a] < fit[b]
    build, probe = np.where(swap, b, a), np.where(swap, a, b)
    places = _together(build, probe) if shingles.is_spilled else np.argsort(build, kind="stable")
    build, probe = build[places], probe[places]
    cost, new = lengths[probe].astype(np.int64), np.ones(len(build), np.bool_)
    new[1:] = build[1:] != build[:-1]
    cost[new] += lengths[build[new]]
    cuts = (slice(*cut) for cut in even_cuts(cost + STRIDE, shingles.blocks(cost.sum())))
    return [JoinOrder(places[cut], build[cut], probe[cut]) for cut in cuts]


def _together(build: Int32, probe: Int32) -> Int:
    """Order pairs by build side, and documents such that those that pairs connect are near one another.

    A block of pairs then has most pairs of its documents, and each document is read about once: in a component that is
    much larger than a block, too, for the order of Cuthill and McKee goes from each document to its neighbours.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    if len(build) == 0:
        return np.empty(0, np.int64)  # scipy has no order of nothing
    some, local = np.unique(np.concatenate([build, probe]), return_inverse=True)
    both = local, np.concatenate(np.split(local, 2)[::-1])
    graph = coo_array((np.ones(len(local), np.int8), both), shape=(len(some), len(some))).tocsr()
    place = np.empty(len(some), np.int64)
    place[reverse_cuthill_mckee(graph, symmetric_mode=True)] = np.arange(len(some))
    return np.argsort(place[local[: len(build)]], kind="stable")


@compilable_helper
def build_table(row: Hashes, table: Int32, size: int, firsts: Int32, repeats: Int32) -> int:
    """Put a row of shingles, the build side, into a table of `size` places; return how many repeats it has.

    Fills `firsts`, where each shingle occurs first, and `repeats`, where the repeats are.
    """
    table[:size] = -1
    mask = np.uint64(size - 1)
    count = 0
    for position in range(len(row)):
        value = row[position]
        place = value >> MARK_BITS & mask
        if value & REPEAT:  # its first occurrence is in the table, for rows are read forwards
            while row[table[place]] ^ value >= SAME:
                place = place + _ONE & mask
            firsts[position] = table[place]
            repeats[count] = position
            count += 1
        else:  # new to the row, so no place needs to be compared: any free one will do
            while table[place] >= 0:
                place = place + _ONE & mask
            firsts[position] = position
            table[place] = position
    return count


@compilable_helper
def probe_table(row: Hashes, table: Int32, size: int, firsts: Int32, other: Hashes, partners: Int32, need: int) -> int:
    """Look up the shingles of another row, the probe side, in a table; return how many distinct ones both have.

    Fills `partners`: of each shingle of the other row, where it first occurs in this one, or -1. A count that cannot
    reach `need` any more is given up: it is -1, and partners are not complete.
    """
    shared, found = 0, np.int64(-1)
    mask = np.uint64(size - 1)
    for done in range(0, len(other), STRIDE):
        if shared + len(other) - done < need:  # looked at now and then only: a test in the inner loop costs more
            return -1
        some, into = other[done : done + STRIDE], partners[done : done + STRIDE]
        for step in range(len(some)):  # from 0 on: an index that may be negative costs a third more
            value = some[step]
            found += 1  # rows that are alike go on alike
            if found >= len(row) or row[found] ^ value >= SAME:
                place = value >> MARK_BITS & mask
                found = np.int64(table[place])
                while found >= 0 and row[found] ^ value >= SAME:
                    place = place + _ONE & mask
                    found = np.int64(table[place])
            if found >= 0:
                into[step] = firsts[found]
                shared += 0 if value & REPEAT else 1
            else:
                into[step] = -1
    return shared


@compilable_helper
def mark_partners(length: int, firsts: Int32, repeats: Int32, partners: Int32, of_build: Byte, of_probe: Byte) -> None:
    """Mark what either row has of the other: in of_build[:length], and in of_probe[: len(partners)]."""
    of_build[:length] = 0
    for position in range(len(partners)):
        of_probe[position] = partners[position] >= 0
    for position in range(len(partners)):
        if partners[position] >= 0:
            of_build[partners[position]] = 1
    for position in repeats:
        of_build[position] = of_build[firsts[position]]


@compilable_helper
def join_buffers(rows: Rows, order: JoinOrder) -> tuple[Int32, Int32, Int32, Int32]:
    """Return what `build_table` and `probe_table` fill, large enough for all pairs.

    These are a table, and `firsts`, `repeats` and `partners`.
    """
    most_build, most_probe = 0, 0
    for pair in range(len(order.places)):
        most_build = max(most_build, rows.lengths[order.build[pair]])
        most_probe = max(most_probe, rows.lengths[order.probe[pair]])
    return (
        np.empty(table_size(most_build), np.int32),
        np.empty(most_build, np.int32),
        np.empty(most_build, np.int32),
        np.empty(most_probe, np.int32),
    )


@Compilable
def count_shared(rows: Rows, order: JoinOrder, need: Int, shared: Int32) -> None:
    """Count the distinct shingles that the documents of each pair share; -1 if they cannot be as many as it needs.

    `need` and `shared`, which is filled, have an entry for each pair, where it stood before.
    """
    table, firsts, repeats, partners = join_buffers(rows, order)
    built, size, row = -1, 1, rows.values[:0]
    for pair in range(len(order.places)):
        if order.build[pair] != built:  # the table serves all pairs of one build side
            built = order.build[pair]
            row, size = row_of(rows, built), table_size(rows.lengths[built])
            build_table(row, table, size, firsts, repeats)
        place, other = order.places[pair], row_of(rows, order.probe[pair])
        shared[place] = probe_table(row, table, size, firsts, other, partners, need[place])
