"""Pairs to counts: how many shingles two documents share, and how.

Input    pairs of documents, and the texts of these
Output   `Overlaps`: counts of distinct shingles, and the pattern in which they are shared
Cost     a pass over the shingles of the documents in question, or their texts, and O(shingles) a pair

What two documents share is counted on their real shingles, not estimated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dupdetect._compiled.dispatch import on_threads
from dupdetect.matching.filled_forms import are_filled_forms
from dupdetect.matching.hash_join import JoinOrder, count_shared, join_orders
from dupdetect.matching.overlaps import FLOOR, Overlaps, least_shared
from dupdetect.matching.pairs import unpack
from dupdetect.matching.patterns import read_pairs
from dupdetect.matching.shared_marks import SharedMarks
from dupdetect.matching.shingle_rows import ShingleRows
from dupdetect.matching.tally import tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dupdetect._compiled.dispatch import Compilable
    from dupdetect._storage.context import Context
    from dupdetect._storage.texts import TextsElsewhere
    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.shingle_rows import Rows
    from dupdetect.sketches.sketches import Texts

    Int = NDArray[np.int64]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Bool = NDArray[np.bool_]


#: Pairs whose order is kept until others come, at the most: those that were read are mostly weighed next.
KEPT = 1 << 16


class Counter(Protocol):
    """Whatever counts what pairs of documents share: a `PairCounter`, or a driver that lets many of them count."""

    context: Context

    @property
    def n(self) -> int: ...  # noqa: D102
    def expect(self, pairs: Pairs) -> None: ...  # noqa: D102
    def named(self, pairs: Pairs) -> Pairs: ...  # noqa: D102
    def overlaps(self, pairs: Pairs) -> Overlaps: ...  # noqa: D102
    def sharing(self, pairs: Pairs) -> Overlaps: ...  # noqa: D102
    def patterns(self, found: Overlaps) -> Byte: ...  # noqa: D102
    def filled_forms(self, pairs: Pairs) -> Bool: ...  # noqa: D102
    def tally(self, found: Overlaps, among: Hashes | None = None) -> tuple[Hashes, NDArray[np.int32]]: ...  # noqa: D102


class PairCounter:
    """Counts what pairs of documents share; keeps the rows of the documents it has counted.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not; or TextsElsewhere
        Of all documents, in input order.
    rows : int64[n]
        Where in `texts` each document of the pairs' numbering stands.
    context : Context
        Its settings say what a shingle is, and how much a pair must share to be judged.

    Attributes
    ----------
    context : Context
    shingles : ShingleRows
    marks : SharedMarks
        What the documents of pairs share, of those that have been read.
    """

    def __init__(self, texts: Texts | TextsElsewhere, rows: Int, context: Context) -> None:
        self.context = context
        self.shingles = ShingleRows(texts, rows, context)
        self.marks = SharedMarks(self.shingles)
        self._ordered: tuple[Pairs, list[JoinOrder]] | None = None

    @classmethod
    def of(cls, shingles: ShingleRows) -> PairCounter:
        """Return what counts on rows that have been made."""
        made = cls.__new__(cls)
        made.context, made.shingles, made.marks = shingles.context, shingles, SharedMarks(shingles)
        made._ordered = None
        return made

    @property
    def n(self) -> int:
        """How many documents there are."""
        return self.shingles.n

    def expect(self, pairs: Pairs) -> None:
        """Be told of all pairs that will be counted: texts are then read once, in their order."""
        self.shingles.load(pairs)

    def named(self, pairs: Pairs) -> Pairs:
        """Return the pairs by the numbers that their documents have among those of the whole run: here, the same."""
        return pairs

    def filled_forms(self, pairs: Pairs) -> Bool:
        """Mark which pairs of documents of one wording, all that there are, are filled forms."""
        return are_filled_forms(self.shingles, pairs)

    def tally(self, found: Overlaps, among: Hashes | None = None) -> tuple[Hashes, NDArray[np.int32]]:
        """Count the pairs that share each shingle, or each of those in a table: uint64[n], sorted, and int32[n]."""
        return tally(self.marks, found, among)

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares."""
        self.shingles.load(pairs)
        shared, need = np.empty(len(pairs), np.int32), np.zeros(len(pairs), np.int64)
        self.run(pairs, count_shared, lambda order, *_: (order, need, shared))
        return self._counted(pairs, shared, None)

    def sharing(self, pairs: Pairs) -> Overlaps:
        """Count, and read, the pairs that share enough to be judged; of others no more is counted than shows it."""
        self.shingles.load(pairs)
        settings, sizes, (a, b) = self.context.settings, self.shingles.sizes, unpack(pairs)
        need = least_shared(sizes[a], sizes[b], settings, FLOOR if settings.weighs else 1.0)
        shared, patterns = np.empty(len(pairs), np.int32), None
        if settings.weighs:
            patterns = np.empty(len(pairs), np.uint8)
            self._read(pairs, need, shared, patterns)
        else:
            self.run(pairs, count_shared, lambda order, *_: (order, need, shared))
        return self._counted(pairs, shared, patterns).where(shared >= need)

    def patterns(self, found: Overlaps) -> Byte:
        """Return in which pattern each pair shares what it shares; it is read where it was not before."""
        if found.patterns is not None:
            return found.patterns
        self.shingles.load(found.pairs)
        n = len(found.pairs)
        shared, patterns = np.empty(n, np.int32), np.empty(n, np.uint8)
        self._read(found.pairs, np.zeros(n, np.int64), shared, patterns)
        return patterns

    def run(
        self,
        pairs: Pairs,
        loop: Compilable[..., Any],
        arguments: Callable[[JoinOrder, Int | None, Rows], tuple[Any, ...]],
        then: Callable[[JoinOrder, Any], None] | None = None,
    ) -> None:
        """Run a loop over pairs on threads: ``loop(rows, *arguments(order, documents, rows))``.

        `documents` are those of the rows, None if each has its own number; the order names documents by their rows.
        `then` is called, on the threads, with the order and what the loop returned.
        """
        orders = self._orders(pairs)
        run = loop.faster_for(sum(order.steps(self.shingles.lengths) for order in orders))

        def work(order: JoinOrder) -> None:
            rows, documents, (build, probe) = self.shingles.held(order.build, order.probe)
            found = run(rows, *arguments(JoinOrder(order.places, build, probe), documents, rows))
            if then is not None:
                then(order, found)

        on_threads(work, orders, self.context.workers)

    def _orders(self, pairs: Pairs) -> list[JoinOrder]:
        """Return the order in which pairs are joined: of the same array as before, if it was of few, the same again."""
        kept = self._ordered
        if kept is not None and kept[0] is pairs:
            return kept[1]
        orders = join_orders(pairs, self.shingles)
        self._ordered = (pairs, orders) if len(pairs) <= KEPT else None
        return orders

    def _read(self, pairs: Pairs, need: Int, shared: NDArray[np.int32], patterns: Byte) -> None:
        limits = self.context.settings.threshold, self.context.settings.shingle_size
        marks, room, starts = self.marks, self.marks.room(pairs), np.empty(len(pairs), np.int64)
        self.run(
            pairs,
            read_pairs,
            lambda order, *_: (order, need, limits, shared, patterns, starts),
            lambda order, words: marks.append(order, starts, words, room),
        )
        marks.keep(pairs, starts)

    def _counted(self, pairs: Pairs, shared: NDArray[np.int32], patterns: Byte | None) -> Overlaps:
        sizes, (a, b) = self.shingles.sizes, unpack(pairs)
        return Overlaps(pairs, shared, sizes[a], sizes[b], None, patterns)
