"""Documents to layouts: what pairs are counted, read and weighed on.

Input    texts, or the shingles kept from sketching them, and which documents
Output   `Pages`: each document's shingles in reading order, with what is of main content and what is a repeat
Cost     a pass over those shingles, or else those texts; 8 bytes a shingle, on a storage; then a pass for each pair

Documents are laid out when they are first met, each once. Pairs are visited by *hub*, the document of more pairs: it is
put into a table once for all of them, and each other document is held against it in one pass.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Loop, on_threads, part
from dupdetect.matching.candidates import unpack
from dupdetect.sketches.sketches import chunks, marked_shingles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dupdetect._storage.arrays import Storage
    from dupdetect.matching.candidates import Pairs
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Kept, Texts

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Count = Int32 | Int
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

#: The two lowest bits of a shingle that is laid out: whether it is of main content, and whether it was there before.
MAIN_CONTENT, REPEAT = np.uint64(1), np.uint64(2)

#: The other bits are the hash: shingles that differ in less than `SAME` are the same.
HASH, SAME = ~(MAIN_CONTENT | REPEAT), np.uint64(4)
# Numba makes float64 of int64 with uint64: what meets hashes is typed.
_BITS, _ONE = np.uint64(2), np.uint64(1)

#: Steps of a count between two looks at whether it can still reach what is needed.
STRIDE = 64

#: Places in a table for each shingle that it holds, at least: most are found at the first look.
ROOM = 4

#: The same for a document of so many shingles, which no cache holds.
LONG, LONG_ROOM = 1 << 20, 1.5

#: Shingles in memory at a time, beside what is on the storage; and bytes of each.
BLOCK, BYTES = 1 << 23, 32

#: Bytes of text to a shingle, at the least, but for what normalisation makes longer.
TEXT = 2


class Pages(NamedTuple):
    """Documents laid out, as the compiled loops take them.

    Attributes
    ----------
    starts, lengths, sizes : int64[documents], int32[documents], int32[documents]
        The shingles of document d are ``values[starts[d]:starts[d] + lengths[d]]``, in reading order; `sizes[d]` of
        them are distinct.
    values : uint64[...]
        Hashes, their two lowest bits being `MAIN_CONTENT` and `REPEAT`. A shingle that is of main content anywhere in a document is
        so where it first occurs.
    """

    starts: Int
    lengths: Int32
    sizes: Int32
    values: Hashes


class Visit(NamedTuple):
    """Pairs in the order in which they are visited.

    Attributes
    ----------
    rows : int64[n]
        Where each pair stood before.
    hub, other : int32[n]
        Its documents.
    """

    rows: Int
    hub: Int32
    other: Int32

    def steps(self, pages: Pages) -> float:
        """Return how many steps a loop over these pairs takes, about."""
        return 3.0 * float(pages.lengths[self.other].sum(dtype=np.int64)) + 100 * len(self.rows)


class Layouts:
    """Lays documents out as they are met.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
    rows : int64[n]
        Where in `texts` each document stands.
    settings : Settings
        They say what a shingle is.
    workers : int
    kept : sequence of Kept or None
        Shingles kept from sketching, of each chunk of `texts` or of all; none of those beyond.
    storage : Storage
        Where layouts stand.
    """

    def __init__(
        self, texts: Texts, rows: Int, settings: Settings, workers: int, kept: Sequence[Kept | None], storage: Storage
    ) -> None:
        self._given, self._rows, self._settings, self._workers, self._kept = texts, rows, settings, workers, kept
        self.block = BLOCK if storage.room is None else max(1, min(BLOCK, storage.room // BYTES))
        self._starts = np.full(len(rows), -1, np.int64)
        self._lengths, self._sizes = np.zeros(len(rows), np.int32), np.zeros(len(rows), np.int32)
        self._values = storage.column(np.uint64)

    @property
    def pages(self) -> Pages:
        """What has been laid out."""
        return Pages(self._starts, self._lengths, self._sizes, self._values.values)

    def meet(self, pairs: Pairs) -> None:
        """Lay out the documents of pairs, those that are met for the first time."""
        new = documents_of(pairs, len(self._rows))
        new = new[self._starts[new] < 0]
        if len(new):
            self._lay_out(new[np.argsort(self._rows[new])])

    def visits(self, pairs: Pairs) -> list[Visit]:
        """Return pairs, whose documents are laid out, in blocks to be visited."""
        lengths, n = self._lengths, len(self._rows)
        a, b = (side.astype(np.int32) for side in unpack(pairs))
        # The hub is in more pairs; but of what no cache holds, nothing should be put into a table.
        fit = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
        fit[lengths >= LONG] = -lengths[lengths >= LONG]
        swap = fit[a] < fit[b]
        hub, other = np.where(swap, b, a), np.where(swap, a, b)
        rows = np.argsort(hub, kind="stable")
        visit = Visit(rows, hub[rows], other[rows])
        cost = lengths[visit.other].astype(np.int64) + np.where(
            np.diff(visit.hub, prepend=-1) != 0, lengths[visit.hub], 0
        )
        cuts = even_cuts(cost + STRIDE, 8 * self._workers)
        return [Visit(rows[slice(*cut)], visit.hub[slice(*cut)], visit.other[slice(*cut)]) for cut in cuts]

    def _lay_out(self, documents: Int) -> None:
        """Lay out documents, ordered by row: of those whose shingles were not kept, the texts are cut."""
        rows, first = self._rows[documents], 0
        for chunk, kept in zip(getattr(self._given, "chunks", [self._given]), self._kept, strict=False):
            end = first + len(chunk if kept is None else kept.sizes)
            here = slice(*np.searchsorted(rows, [first, end]))
            if kept is not None:
                self._lay_kept(documents[here], rows[here] - first, kept)
            first = end
        cut = documents[self._starts[documents] < 0]
        sizes = self._bytes[self._rows[cut]] // TEXT
        for begin, end in whole_cuts(sizes, self.block):
            block = cut[begin:end]
            found = marked_shingles(self._texts, self._rows[block], self._settings, workers=self._workers)
            self._number(block, found.values, found.offsets[:-1], found.lengths)

    def _lay_kept(self, documents: Int, rows: Int, kept: Kept) -> None:
        """Lay out the documents of a chunk of which all shingles were kept."""
        fits = kept.sizes[rows] <= kept.room[rows]
        documents, places, lengths = documents[fits], kept.places[rows[fits]], kept.sizes[rows[fits]]
        for begin, end in whole_cuts(lengths, self.block):
            self._number(documents[begin:end], kept.slots, places[begin:end], lengths[begin:end])

    def _number(self, documents: Int, marked: Hashes, places: Int, lengths: Int) -> None:
        """Lay out documents, given their shingles."""
        bounds = np.append(0, np.cumsum(lengths, dtype=np.int64))
        values = np.empty(bounds[-1], np.uint64)
        number = mark_repeats.worth(3.0 * len(values))
        cuts = even_cuts(lengths + STRIDE, 8 * self._workers)
        sizes = on_threads(
            lambda cut: number(marked, places[slice(*cut)], lengths[slice(*cut)], values[bounds[cut[0]] :]),
            cuts,
            self._workers,
        )
        self._starts[documents] = len(self._values) + bounds[:-1]
        self._lengths[documents], self._sizes[documents] = lengths, np.concatenate(sizes)
        self._values.append(values)

    @cached_property
    def _texts(self) -> Texts:
        """The texts, small chunks made one: once, and only if any must be cut."""
        import pyarrow as pa

        return pa.chunked_array(chunks(self._given))

    @cached_property
    def _bytes(self) -> Int32:
        """How long each text is."""
        import pyarrow.compute as pc

        return np.asarray(pc.binary_length(self._given))


def documents_of(pairs: Pairs, n: int) -> Int:
    """Return the documents, of n, that pairs are of: distinct, ascending."""
    met = np.zeros(n, np.bool_)
    for side in unpack(pairs):
        met[side] = True
    return np.flatnonzero(met)


def even_cuts(costs: Count, blocks: int) -> list[tuple[int, int]]:
    """Cut a row of costs into up to so many blocks (first, last) of about the same cost."""
    ends = np.cumsum(costs, dtype=np.int64)
    if len(ends) == 0:
        return []
    cuts = np.searchsorted(ends, np.linspace(0, ends[-1], blocks + 1)[1:-1]) + 1
    return _blocks(cuts, len(ends))


def whole_cuts(costs: Count, most: int) -> list[tuple[int, int]]:
    """Cut a row of costs into blocks (first, last) that cost so much at the most; or each no more than one."""
    cuts, first, ends = [], 0, np.cumsum(costs, dtype=np.int64)
    while first < len(ends):
        spent = ends[first - 1] if first else 0
        first = max(first + 1, int(np.searchsorted(ends, spent + most, side="right")))
        cuts.append(first)
    return _blocks(np.array(cuts, np.int64), len(ends))


def _blocks(cuts: Int, n: int) -> list[tuple[int, int]]:
    bounds = np.unique(np.concatenate([[0], cuts[cuts < n], [n]]))
    return list(pairwise(bounds.tolist())) if n else []


@part
def places_for(length: int) -> int:
    """Return how many places a table for so many shingles has, a power of two."""
    wanted = ROOM * length if length < LONG else LONG_ROOM * length
    size = 1
    while size < wanted:
        size *= 2
    return size


@Loop
def mark_repeats(marked: Hashes, places: Int, lengths: Int, values: Hashes) -> Int32:
    """Copy rows of marked shingles to `values`, end to end, their repeats marked too; count what each row has distinct.

    Row i is ``marked[places[i]:places[i] + lengths[i]]``. The bit for `REPEAT` is overwritten.
    """
    sizes = np.zeros(len(lengths), np.int32)
    most = 0
    for length in lengths:
        most = max(most, length)
    table = np.empty(places_for(most), np.int32)
    start = 0
    for row in range(len(lengths)):
        size = places_for(lengths[row])
        table[:size] = -1
        mask = np.uint64(size - 1)
        given = marked[places[row] : places[row] + lengths[row]]
        laid = values[start : start + lengths[row]]
        for position in range(len(given)):
            value = given[position] & ~REPEAT
            place = value >> _BITS & mask
            first = table[place]
            while first >= 0 and laid[first] ^ value >= SAME:
                place = place + _ONE & mask
                first = table[place]
            if first < 0:
                table[place] = position
                sizes[row] += 1
            else:
                laid[first] |= value & MAIN_CONTENT
                value |= REPEAT
            laid[position] = value
        start += lengths[row]
    return sizes


@part
def lay_out(row: Hashes, table: Int32, size: int, firsts: Int32, repeats: Int32) -> int:
    """Put a row of shingles into a table of `size` places; return how many repeats it has.

    Fills `firsts`, where each shingle occurs first, and `repeats`, where the repeats are.
    """
    table[:size] = -1
    mask = np.uint64(size - 1)
    count = 0
    for position in range(len(row)):
        value = row[position]
        place = value >> _BITS & mask
        if value & REPEAT:
            while row[table[place]] ^ value >= SAME:
                place = place + _ONE & mask
            firsts[position] = table[place]
            repeats[count] = position
            count += 1
        else:
            while table[place] >= 0:
                place = place + _ONE & mask
            firsts[position] = position
            table[place] = position
    return count


@part
def hold(row: Hashes, table: Int32, size: int, firsts: Int32, other: Hashes, partners: Int32, need: int) -> int:
    """Hold another row against one that is laid out; return how many distinct shingles they share.

    Fills `partners`: of each shingle of the other row, where it first occurs in this one, or -1. A count that cannot
    reach `need` any more is given up: it is -1, and partners are not complete.
    """
    shared, found = 0, np.int64(-1)
    mask = np.uint64(size - 1)
    for done in range(0, len(other), STRIDE):
        if shared + len(other) - done < need:
            return -1
        some, into = other[done : done + STRIDE], partners[done : done + STRIDE]
        for step in range(len(some)):  # from 0 on: an index that may be negative costs a third more
            value = some[step]
            found += 1  # rows that are alike go on alike
            if found >= len(row) or row[found] ^ value >= SAME:
                place = value >> _BITS & mask
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


@part
def mark_partners(length: int, firsts: Int32, repeats: Int32, partners: Int32, shared: Byte) -> None:
    """Mark in shared[:length], beside the row that is laid out, what the other row has too."""
    shared[:length] = 0
    for partner in partners:
        if partner >= 0:
            shared[partner] = 1
    for position in repeats:
        shared[position] = shared[firsts[position]]


@part
def scratch(pages: Pages, visit: Visit) -> tuple[Int32, Int32, Int32, Int32]:
    """Return what `lay_out` and `hold` fill, large enough for all pairs: table, firsts, repeats, partners."""
    most_hub, most_other = 0, 0
    for pair in range(len(visit.rows)):
        most_hub = max(most_hub, pages.lengths[visit.hub[pair]])
        most_other = max(most_other, pages.lengths[visit.other[pair]])
    return (
        np.empty(places_for(most_hub), np.int32),
        np.empty(most_hub, np.int32),
        np.empty(most_hub, np.int32),
        np.empty(most_other, np.int32),
    )


@part
def row_of(pages: Pages, document: int) -> Hashes:
    """Return the shingles of a document."""
    start = pages.starts[document]
    return pages.values[start : start + pages.lengths[document]]


@Loop
def count_shared(pages: Pages, visit: Visit, need: Int, shared: Int32) -> None:
    """Count the distinct shingles that the documents of each pair share; -1 if they cannot be as many as it needs.

    `need` and `shared`, which is filled, have an entry for each pair, where it stood before.
    """
    table, firsts, repeats, partners = scratch(pages, visit)
    laid, size, row = -1, 1, pages.values[:0]
    for pair in range(len(visit.rows)):
        if visit.hub[pair] != laid:
            laid = visit.hub[pair]
            row, size = row_of(pages, laid), places_for(pages.lengths[laid])
            lay_out(row, table, size, firsts, repeats)
        place, other = visit.rows[pair], row_of(pages, visit.other[pair])
        shared[place] = hold(row, table, size, firsts, other, partners, need[place])


@Loop
def shared_values(pages: Pages, visit: Visit, total: int) -> Hashes:
    """Return the hashes of the distinct shingles that the documents of each pair share, `total`, pair after pair."""
    table, firsts, repeats, partners = scratch(pages, visit)
    laid, size, row = -1, 1, pages.values[:0]
    values, found = np.empty(total, np.uint64), 0
    for pair in range(len(visit.rows)):
        if visit.hub[pair] != laid:
            laid = visit.hub[pair]
            row, size = row_of(pages, laid), places_for(pages.lengths[laid])
            lay_out(row, table, size, firsts, repeats)
        other = row_of(pages, visit.other[pair])
        hold(row, table, size, firsts, other, partners, 0)
        for position in range(len(other)):
            if partners[position] >= 0 and not other[position] & REPEAT:
                values[found] = other[position] & HASH
                found += 1
    return values
