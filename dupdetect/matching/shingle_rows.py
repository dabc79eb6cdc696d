"""Documents to rows of shingles: what pairs are counted, read and weighed on.

Input    texts, and which documents
Output   `Rows`: each document's shingles in reading order, with what is main content and what is a repeat
Cost     a pass over those texts; 8 bytes a shingle, in a spilled array

A document's row is made when it is first needed, once.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper
from dupdetect._storage.texts import are_elsewhere, text_lengths
from dupdetect.io.read_ahead import one_ahead
from dupdetect.matching.pairs import documents_of
from dupdetect.sketches.sketches import chunks, marked_parts
from dupdetect.text import main_content as marks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.context import Context
    from dupdetect._storage.texts import TextsElsewhere
    from dupdetect.matching.pairs import Pairs
    from dupdetect.sketches.sketches import Ragged, Texts

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Count = Int32 | Int
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

#: The lowest bits of a shingle in a row: whether it is of main content, whether it was there before, and of its first
#: word whether it begins a line. Where it does, the last one tells whether the line has many symbols; of other words,
#: whether their line has no more words than an item of a menu (`dupdetect.text.main_content`).
MAIN_CONTENT, REPEAT = np.uint64(marks.OF_MAIN_CONTENT), np.uint64(2)
LINE_START, SYMBOLS, ITEM = np.uint64(marks.LINE_START), np.uint64(marks.SYMBOLS), np.uint64(marks.ITEM)

#: The other bits are the hash: shingles that differ in less than `SAME` are the same.
HASH, SAME = ~np.uint64(2**marks.MARK_BITS - 1), np.uint64(2**marks.MARK_BITS)

#: How many bits these are, before the hash. Numba makes float64 of int64 with uint64: what meets hashes is typed.
MARK_BITS, _ONE = np.uint64(marks.MARK_BITS), np.uint64(1)

#: Steps of a count between two looks at whether it can still reach what is needed.
STRIDE = 64

#: Places of a hash table for each shingle in it, at least: most are found, or found missing, at the first look.
ROOM = 8

#: The same for a document of so many shingles, whose table is in no cache of one core; and for one too large for any.
MIDDLE, MIDDLE_ROOM = 1 << 17, 4
LONG, LONG_ROOM = 1 << 20, 1.5

#: Shingles in memory at a time, beside the spilled arrays; and bytes of each.
BLOCK, BYTES = 1 << 23, 32

#: Shingles from which on work is worth a block of its own: to begin one takes as long as some thousand of them. Where
#: one thread does them all, one after the other, there is nothing to share: blocks only keep what is in memory small.
WORTH, WORTH_ALONE = 1 << 14, 1 << 20

#: Room for the shingles of further documents, as a multiple of what would do if all texts were alike.
SPARE = 1.1

#: Bytes of text to a shingle, at the least, but for what normalisation makes longer.
TEXT = 2


class Rows(NamedTuple):
    """Rows of shingles, as the compiled loops take them.

    Attributes
    ----------
    starts, lengths, sizes : int64[documents], int32[documents], int32[documents]
        The shingles of document d are ``values[starts[d]:starts[d] + lengths[d]]``, in reading order; `sizes[d]` of
        them are distinct.
    values : uint64[...]
        Hashes with their marks in the lowest bits. A shingle that is of main content anywhere in a
        document is so where it first occurs.
    """

    starts: Int
    lengths: Int32
    sizes: Int32
    values: Hashes


class ShingleRows:
    """Makes rows of documents as they are needed, and keeps them.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not; or TextsElsewhere
    rows : int64[n]
        Where in `texts` each document stands.
    context : Context
        Its settings say what a shingle is.

    Attributes
    ----------
    context : Context
    n : int
        How many documents there are.
    block : int
        Shingles that a stage may hold in memory at a time.
    """

    def __init__(self, texts: Texts | TextsElsewhere, rows: Int, context: Context) -> None:
        self._given, self._rows = texts, rows
        self.context, self.n, storage = context, len(rows), context.storage
        self.block = BLOCK if storage.array_bytes is None else max(1, min(BLOCK, storage.array_bytes // BYTES))
        self._starts = np.full(len(rows), -1, np.int64)
        self._lengths, self._sizes = np.zeros(len(rows), np.int32), np.zeros(len(rows), np.int32)
        self._values = storage.growing_array(np.uint64)

    @property
    def is_spilled(self) -> bool:
        """Whether rows are in a file, and read for some pairs at a time."""
        return self._values.is_spilled

    @property
    def lengths(self) -> Int32:
        """How many shingles each document has, of those whose rows have been made."""
        return self._lengths

    @property
    def sizes(self) -> Int32:
        """How many distinct shingles each document has, of those whose rows have been made."""
        return self._sizes

    def blocks(self, cost: float) -> int:
        """Return into how many blocks work on so many shingles is cut: enough for all threads, and for memory."""
        blocks = blocks_for(cost, self.context.workers)
        return blocks + int(cost // self.block)

    def held(self, *documents: Int32) -> tuple[Rows, Int | None, tuple[Int32, ...]]:
        """Return rows that are in memory: those of documents that have been made.

        Returns
        -------
        Rows
        int64[n], optional
            The document of each row; None if each has its own number.
        tuple of int32[...]
            The rows of the documents that were given.
        """
        if not self._values.is_spilled:
            return Rows(self._starts, self._lengths, self._sizes, self._values.values), None, documents
        some = np.unique(np.concatenate(documents)).astype(np.int64)
        starts, lengths = self._starts[some], self._lengths[some]
        values = self._values.gather(starts, lengths)
        rows = Rows(np.cumsum(lengths, dtype=np.int64) - lengths, lengths, self._sizes[some], values)
        return rows, some, tuple(np.searchsorted(some, each).astype(np.int32) for each in documents)

    @classmethod
    def of(cls, lengths: Int32, sizes: Int32, values: Hashes, context: Context) -> ShingleRows:
        """Return rows that were made before, of all documents, end to end: what `all` returned."""
        import pyarrow as pa

        made = cls(pa.array([], pa.large_string()), np.arange(len(lengths)), context)
        # Copies can be written to, as others can, or there would be compiled code for these alone.
        made._starts = np.cumsum(lengths, dtype=np.int64) - lengths
        made._lengths, made._sizes = lengths.copy(), sizes.copy()
        made._values.append(values)
        return made

    def all(self) -> Rows:
        """Return the rows of all documents."""
        self._make(np.arange(self.n))
        return Rows(self._starts, self._lengths, self._sizes, self._values.values)

    def load(self, pairs: Pairs) -> None:
        """Make the rows of the documents of pairs, where they are not there."""
        self._make(documents_of(pairs, self.n))

    def _make(self, documents: Int) -> None:
        """Make the rows of documents, where they are not there."""
        new = documents[self._starts[documents] < 0]
        if len(new):
            self._load(new[np.argsort(self._rows[new])])

    def _load(self, documents: Int) -> None:
        """Make the rows of documents, which are in the order of `texts`."""
        sizes = self._bytes[self._rows[documents]] // TEXT
        before, first, left = len(self._values), 0, sizes.sum(dtype=np.int64)
        total = left
        blocks = (self._some_texts(self._rows[documents[slice(*cut)]]) for cut in whole_cuts(sizes, self.block))
        for texts, rows in one_ahead(blocks) if are_elsewhere(self._given) else blocks:
            found = marked_parts(texts, rows, self.context.settings, with_repeats, workers=self.context.workers)
            for lengths, distinct, values in found:
                last = first + len(lengths)
                left -= sizes[first:last].sum(dtype=np.int64)
                some, start = documents[first:last], len(self._values)
                self._starts[some] = start + np.cumsum(lengths) - lengths
                self._lengths[some], self._sizes[some] = lengths, distinct
                # About as many as the others will have: what is there is not moved for them.
                made = start - before + len(values)
                self._values.append(values, int(SPARE * made * left / max(1, total - left)))
                first = last
            del texts, rows, found  # which may be as large as all the rest

    def _some_texts(self, rows: Int) -> tuple[Texts, Int]:
        """Return texts that have some texts among them, and where."""
        if are_elsewhere(self._given):
            return self._given.some(rows, self.context.workers), np.arange(len(rows))
        return self._texts, rows

    @cached_property
    def _texts(self) -> Texts:
        """The texts, small chunks made one: once, and only if any must be cut."""
        import pyarrow as pa

        return pa.chunked_array(chunks(self._given))

    @cached_property
    def _bytes(self) -> Int:
        """How long each text is."""
        return text_lengths(self._given)


def with_repeats(marked: Ragged) -> tuple[Int, Int32, Hashes]:
    """Mark the repeats of rows, where they stand if they can be written to: lengths, distinct shingles, values."""
    bounds, lengths = marked.offsets, marked.lengths
    values = marked.values if marked.values.flags.writeable else marked.values.copy()
    return lengths, mark_repeats.faster_for(3.0 * len(values))(values, bounds, values[bounds[0] :]), values


def blocks_for(cost: float, workers: int) -> int:
    """Return into how many blocks work on so many shingles is cut: several for each thread, but no small ones."""
    return max(1, min(8 * workers, int(cost // (WORTH if workers > 1 else WORTH_ALONE))))


def even_cuts(costs: Count, blocks: int) -> list[tuple[int, int]]:
    """Cut a row of costs into up to so many blocks (first, last) of about the same cost."""
    ends = np.cumsum(costs, dtype=np.int64)
    if len(ends) == 0:
        return []
    if blocks == 1:
        return [(0, len(ends))]
    cuts = np.searchsorted(ends, np.linspace(0, ends[-1], blocks + 1)[1:-1]) + 1
    return _blocks(cuts, len(ends))


def whole_cuts(costs: Count, most: int) -> list[tuple[int, int]]:
    """Cut a row of costs into blocks (first, last) that cost so much at the most; or each no more than one."""
    cuts, first, ends = [], 0, np.cumsum(costs, dtype=np.int64)
    if len(ends) and ends[-1] <= most:
        return [(0, len(ends))]
    while first < len(ends):
        spent = ends[first - 1] if first else 0
        first = max(first + 1, int(np.searchsorted(ends, spent + most, side="right")))
        cuts.append(first)
    return _blocks(np.array(cuts, np.int64), len(ends))


def _blocks(cuts: Int, n: int) -> list[tuple[int, int]]:
    bounds = np.unique(np.concatenate([[0], cuts[cuts < n], [n]]))
    return list(pairwise(bounds.tolist())) if n else []


@compilable_helper
def table_size(length: int) -> int:
    """Return how many places a table for so many shingles has, a power of two."""
    wanted = ROOM * length if length < MIDDLE else MIDDLE_ROOM * length if length < LONG else LONG_ROOM * length
    size = 1
    while size < wanted:
        size *= 2
    return size


@Compilable
def mark_repeats(marked: Hashes, bounds: Int, values: Hashes) -> Int32:
    """Copy rows of marked shingles to `values`, end to end, their repeats marked too; count what each row has distinct.

    Row i is ``marked[bounds[i]:bounds[i + 1]]``. The bit for `REPEAT` is overwritten. Rows that stand where they would
    be copied to are marked there.
    """
    # One table for all rows, as large as the longest needs; a row uses so much of it as it needs, and stays in cache.
    lengths = np.diff(bounds)
    sizes = np.zeros(len(lengths), np.int32)
    most = 0
    for length in lengths:
        most = max(most, length)
    table = np.empty(table_size(most), np.int32)
    start = 0
    for row in range(len(lengths)):
        size = table_size(lengths[row])
        table[:size] = -1
        mask = np.uint64(size - 1)
        given = marked[bounds[row] : bounds[row + 1]]
        copied = values[start : start + lengths[row]]
        for position in range(len(given)):
            value = given[position] & ~REPEAT
            place = value >> MARK_BITS & mask
            first = table[place]
            while first >= 0 and copied[first] ^ value >= SAME:
                place = place + _ONE & mask
                first = table[place]
            if first < 0:
                table[place] = position
                sizes[row] += 1
            else:
                copied[first] |= value & MAIN_CONTENT  # the first occurrence speaks for all of them
                value |= REPEAT
            copied[position] = value
        start += lengths[row]
    return sizes


@compilable_helper
def row_of(rows: Rows, document: int) -> Hashes:
    """Return the shingles of a document."""
    start = rows.starts[document]
    return rows.values[start : start + rows.lengths[document]]


@compilable_helper
def run_ends(row: Hashes, one: Byte, two: Byte, ends: Int32) -> int:
    """Write where the runs of a row end; return how many there are.

    A run is shingles of one line of which two marks, `one` and `two`, stay as they are. There are many times fewer runs
    than shingles: what is read or weighed of a pair goes from run to run.
    """
    if len(row) == 0:
        return 0
    count, mine, other = 0, one[0], two[0]
    for position in range(1, len(row)):  # without a branch: it would often be guessed wrong
        ends[count] = position
        before, beside = mine, other
        mine, other = one[position], two[position]
        count += 1 if (mine != before) | (other != beside) | (row[position] & LINE_START != 0) else 0
    ends[count] = len(row)
    return count + 1
