"""Which shingles two documents share, kept for a second look.

Input    pairs, and what a hash join finds of them (`hash_join`)
Output   of each pair a bit for each shingle of one of its documents: whether the other has it, too
Cost     those bits, in a spilled array; where a pair was not joined before, a join

Pairs are joined when they are first read (`patterns.read_pairs`). For whom they vote, and how much of what they share
is boilerplate, is asked later, and needs no second join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper, on_threads
from dupdetect._compiled.forks import Lock
from dupdetect.matching.hash_join import JoinOrder, build_table, join_buffers, join_orders, probe_table
from dupdetect.matching.pairs import greater, lesser, missing, unpack
from dupdetect.matching.shingle_rows import REPEAT, STRIDE, even_cuts, row_of, table_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.shingle_rows import Rows, ShingleRows

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Hashes = NDArray[np.uint64]

#: Bits in a word.
WORD = 64

# Numba makes float64 of int64 with uint64: what meets words is typed.
_NONE = np.uint64(0)


class Marks(NamedTuple):
    """Pairs with their marks, as the compiled loops take them.

    Attributes
    ----------
    places : int64[n]
        Where each pair stood before.
    documents : int32[n]
        The one of its documents whose shingles are marked: its row.
    starts : int64[n]
        Where its marks begin among the words.
    words : uint64[...]
        Bit b of the word w of a pair is shingle ``64 * w + b`` of the row: whether both have it; of repeats it is 0.
    """

    places: Int
    documents: Int32
    starts: Int
    words: Hashes


class SharedMarks:
    """Keeps what the documents of pairs share.

    Parameters
    ----------
    shingles : ShingleRows

    Attributes
    ----------
    shingles : ShingleRows
    """

    def __init__(self, shingles: ShingleRows) -> None:
        self.shingles = shingles
        self._words = shingles.context.storage.growing_array(np.uint64)
        self._known: list[tuple[Pairs, Int]] = []
        self._lock = Lock()

    def room(self, pairs: Pairs) -> int:
        """Return how many words the marks of pairs, whose documents have rows, take at the most."""
        a, b = (self.shingles.lengths[side] for side in unpack(pairs))
        return int((-(-np.maximum(a, b) // WORD)).sum(dtype=np.int64))

    def append(self, order: JoinOrder, starts: Int, words: Hashes, room: int) -> None:
        """Keep what a loop has marked; several may be kept at a time, in any order.

        Parameters
        ----------
        order : JoinOrder
            Of its pairs.
        starts : int64[n]
            For each pair, where it stood before, twice where its marks begin among the words, and 1 more if the greater
            document is marked; -1 if neither is. Changed to where they are kept.
        words : uint64[...]
        room : int
            That of all loops together.
        """
        here = order.places[starts[order.places] >= 0]
        with self._lock:
            starts[here] += 2 * len(self._words)
            self._words.append(words, room)

    def keep(self, pairs: Pairs, starts: Int) -> None:
        """Keep where the marks of pairs are, which are sorted: what all loops have left in `starts`."""
        marked = starts >= 0
        self._known.append((pairs[marked], starts[marked]))

    def each(self, pairs: Pairs, work: Callable[[Marks, Rows, Int | None], Any]) -> list[Any]:
        """Call ``work(marks, rows, documents)`` for some of the pairs at a time, on threads; return what it returns.

        `documents` are those of the rows, None if each has its own number.
        """
        shingles, starts = self.shingles, self._starts(pairs)
        documents = np.where(starts & 1, greater(pairs), lesser(pairs)).astype(np.int32)
        starts >>= 1
        # As they were joined: documents that pairs connect are near one another, and share the same shingles.
        order = np.argsort(starts)
        cost = shingles.lengths[documents[order]].astype(np.int64) + STRIDE

        def some(cut: tuple[int, int]) -> Any:
            places = order[slice(*cut)]
            rows, named, (numbers,) = shingles.held(documents[places])
            marks = Marks(places, numbers, *self._held(starts[places], shingles.lengths[documents[places]]))
            return work(marks, rows, named)

        return on_threads(some, even_cuts(cost, shingles.blocks(cost.sum())), shingles.context.workers)

    def _held(self, starts: Int, lengths: Int32) -> tuple[Int, Hashes]:
        """Return where the marks of rows of such lengths begin, and words that are in memory."""
        if not self._words.is_spilled:
            return starts, self._words.values
        counts = -(-lengths.astype(np.int64) // WORD)
        return np.cumsum(counts) - counts, self._words.gather(starts, counts)

    def _starts(self, pairs: Pairs) -> Int:
        """Return `starts` of pairs, as `keep` has them; those that were not joined before are."""
        starts = np.full(len(pairs), -1, np.int64)
        for known, kept in self._known:
            there = ~missing(pairs, known)
            starts[there] = kept[np.searchsorted(known, pairs[there])]
        new = starts < 0
        if new.any():
            self._join(pairs[new])
            known, kept = self._known[-1]
            starts[new] = kept
        return starts

    def _join(self, pairs: Pairs) -> None:
        self.shingles.load(pairs)
        orders, starts = join_orders(pairs, self.shingles), np.empty(len(pairs), np.int64)
        run = mark_pairs.faster_for(sum(order.steps(self.shingles.lengths) for order in orders))
        room = self.room(pairs)

        def work(order: JoinOrder) -> None:
            rows, _, (build, probe) = self.shingles.held(order.build, order.probe)
            self.append(order, starts, run(rows, JoinOrder(order.places, build, probe), starts), room)

        on_threads(work, orders, self.shingles.context.workers)
        self.keep(pairs, starts)


@compilable_helper
def words_for(rows: Rows, order: JoinOrder) -> Hashes:
    """Return room for the marks of the probe sides of all pairs."""
    count = 0
    for pair in range(len(order.probe)):
        count += -(-rows.lengths[order.probe[pair]] // WORD)
    return np.empty(count, np.uint64)


@compilable_helper
def mark_shared(row: Hashes, partners: Int32, words: Hashes, start: int) -> int:
    """Mark the distinct shingles of a row, the probe side, that have a partner; return where the marks end."""
    for first in range(0, len(row), WORD):
        word = _NONE
        for bit in range(min(WORD, len(row) - first)):
            both = (partners[first + bit] >= 0) & (row[first + bit] & REPEAT == _NONE)
            word |= np.uint64(both) << np.uint64(bit)
        words[start] = word
        start += 1
    return start


@Compilable
def mark_pairs(rows: Rows, order: JoinOrder, starts: Int) -> Hashes:
    """Mark what the documents of each pair share; fill `starts`, return words: as `SharedMarks.append` takes them."""
    table, firsts, repeats, partners = join_buffers(rows, order)
    built, size, row = -1, 1, rows.values[:0]
    words, used = words_for(rows, order), 0
    for pair in range(len(order.places)):
        if order.build[pair] != built:
            built = order.build[pair]
            row, size = row_of(rows, built), table_size(rows.lengths[built])
            build_table(row, table, size, firsts, repeats)
        other = row_of(rows, order.probe[pair])
        probe_table(row, table, size, firsts, other, partners, 0)
        starts[order.places[pair]] = 2 * used + (1 if order.probe[pair] > built else 0)
        used = mark_shared(other, partners, words, used)
    return words
