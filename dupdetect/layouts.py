"""Documents to layouts: what votes and weights are read from.

Input    texts, and which documents
Output   `Layouts`: each document's distinct shingles, which of them are of prose, and the order they are read in
Cost     a pass over those texts; then O(shingles) a pair

Only documents of pairs in doubt are laid out, each once.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect.loops import Loop, on_threads
from dupdetect.sketches import marked_shingles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.settings import Settings
    from dupdetect.sketches import Texts

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Share = NDArray[np.float64]

#: Places in a table of hashes for each that it holds, at least.
ROOM = 4

#: Shingles of pairs that are in memory at once, in each thread.
BLOCK = 1 << 22


class Pages(NamedTuple):
    """Documents laid out, as the compiled loops take them.

    Attributes
    ----------
    starts, sizes, lengths : int64[documents]
        The distinct shingles of document d are ``values[starts[d]:starts[d] + sizes[d]]``, in the order of their first
        occurrence; what it reads are ``order[starts[d]:starts[d] + lengths[d]]``, their numbers.
    values : uint64[...]
        Hashes, their lowest bit cleared.
    prose : uint8[...]
        Beside `values`: 1 for a shingle of prose.
    order : int32[...]
    """

    starts: Int
    sizes: Int
    lengths: Int
    values: Hashes
    prose: Byte
    order: Int32


class Met(NamedTuple):
    """Pairs of documents, and where they meet.

    Attributes
    ----------
    pages : Pages
    a, b : int64[pairs]
        Documents.
    bounds, partners : int64[pairs + 1], int32[...]
        For each distinct shingle of b its number in a, or -1; those of pair i are
        ``partners[bounds[i]:bounds[i + 1]]``.
    """

    pages: Pages
    a: Int
    b: Int
    bounds: Int
    partners: Int32


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
    """

    def __init__(self, texts: Texts, rows: Int, settings: Settings, workers: int) -> None:
        self._texts, self._rows, self._settings, self._workers = texts, rows, settings, workers
        none = np.full(len(rows), -1, np.int64)
        empty = np.empty(0, np.uint64), np.empty(0, np.uint8), np.empty(0, np.int32)
        self.pages = Pages(none, none.copy(), none.copy(), *empty)

    def meet(self, documents: Int) -> None:
        """Lay out the documents that are met for the first time."""
        met = np.zeros(len(self._rows), np.bool_)
        met[documents] = True
        new = np.flatnonzero(met & (self.pages.starts < 0))
        if len(new) == 0:
            return
        new = new[np.argsort(self._rows[new])]
        offsets, marked = marked_shingles(self._texts, self._rows[new], self._settings, workers=self._workers)
        starts, sizes, lengths = self.pages[:3]
        starts[new], lengths[new] = len(self.pages.values) + offsets[:-1], np.diff(offsets)
        values, prose, order = np.empty_like(marked), np.empty(len(marked), np.uint8), np.empty(len(marked), np.int32)
        number = number_shingles.worth(3.0 * len(marked))
        cuts = np.linspace(0, len(new), 8 * self._workers + 1).astype(np.int64)
        bounds = [offsets[first : last + 1] for first, last in pairwise(cuts.tolist())]
        numbered = on_threads(lambda bound: number(bound, marked, values, prose, order), bounds, self._workers)
        sizes[new] = np.concatenate(numbered)
        self.pages = Pages(
            starts,
            sizes,
            lengths,
            np.concatenate([self.pages.values, values]),
            np.concatenate([self.pages.prose, prose]),
            np.concatenate([self.pages.order, order]),
        )


@Loop
def number_shingles(offsets: Int, marked: Hashes, values: Hashes, prose: Byte, order: Int32) -> Int:
    """Number the distinct shingles of rows of marked shingles; return how many each row has.

    `values`, `prose` and `order` are filled at the same places.
    """
    sizes = np.zeros(len(offsets) - 1, np.int64)
    room = 1
    for row in range(len(sizes)):
        while room < ROOM * (offsets[row + 1] - offsets[row]):
            room *= 2
    table = np.empty(room, np.int32)
    one = np.uint64(1)
    for row in range(len(sizes)):
        start, end = offsets[row], offsets[row + 1]
        room = 1
        while room < ROOM * (end - start):
            room *= 2
        table[:room] = -1
        held = 0
        for position in range(start, end):
            value = marked[position] & ~one
            place = np.int64(value >> one) & (room - 1)
            while table[place] >= 0 and values[start + table[place]] != value:
                place = (place + 1) & (room - 1)
            if table[place] < 0:
                table[place] = held
                values[start + held], prose[start + held] = value, 0
                held += 1
            order[position] = table[place]
            prose[start + table[place]] |= np.uint8(marked[position] & one)
        sizes[row] = held
    return sizes


@Loop
def find_partners(pages: Pages, a: Int, b: Int, bounds: Int) -> Int32:
    """Return where pairs meet (`Met.partners`); pairs with the same first document are best together."""
    partners = np.empty(bounds[-1], np.int32)
    room = 1
    for document in a:
        while room < ROOM * pages.sizes[document]:
            room *= 2
    table = np.empty(room, np.int32)
    one = np.uint64(1)
    for pair in range(len(a)):
        start, size = pages.starts[a[pair]], pages.sizes[a[pair]]
        if pair == 0 or a[pair] != a[pair - 1]:
            room = 1
            while room < ROOM * size:
                room *= 2
            table[:room] = -1
            for number in range(size):
                place = np.int64(pages.values[start + number] >> one) & (room - 1)
                while table[place] >= 0:
                    place = (place + 1) & (room - 1)
                table[place] = number
        other = pages.starts[b[pair]]
        for number in range(pages.sizes[b[pair]]):
            value = pages.values[other + number]
            place = np.int64(value >> one) & (room - 1)
            while table[place] >= 0 and pages.values[start + table[place]] != value:
                place = (place + 1) & (room - 1)
            partners[bounds[pair] + number] = table[place]
    return partners


@Loop
def read_frames(  # noqa: C901 (one loop, compiled whole)
    pages: Pages, a: Int, b: Int, bounds: Int, partners: Int32, short: float, least: int, edge: int
) -> Share:
    """Read how the documents of each pair share what they share: float64[pairs, 16].

    For a and for b. In weight, a shingle of prose being 1 and any other `short`: how much of it is in the other; the
    longest stretch of shared shingles, with no text of its own within; how much text of its own stands between shared
    ones. In shingles: how much of that stands before them; how much behind them; how much else is its own; how
    much stands before the longest shared stretch, and how much behind it. Text of its own are stretches of `least`
    shingles and more; what it stands between are `edge` shingles in a row and more.
    """
    read = np.zeros((len(a), 16))
    most = 1
    for pair in range(len(a)):
        most = max(most, pages.sizes[a[pair]], pages.sizes[b[pair]])
    shared, seen = np.zeros(most, np.bool_), np.zeros(most, np.bool_)
    for pair in range(len(a)):
        for side in range(2):
            document = a[pair] if side == 0 else b[pair]
            start, size = pages.starts[document], pages.sizes[document]
            shared[:size] = False
            for slot in range(bounds[pair], bounds[pair + 1]):
                if partners[slot] >= 0:
                    shared[partners[slot] if side == 0 else slot - bounds[pair]] = True
            seen[:size] = False
            whole = 0.0
            for number in range(size):
                weight = 1.0 if pages.prose[start + number] else short
                whole += weight
                if shared[number]:
                    read[pair, side] += weight
            if whole > 0:
                read[pair, side] /= whole
            stretch, run, length, since, words, held, edged = 0.0, 0.0, 0, 0.0, 0, 0, False
            owned = 0
            for position in range(start, start + pages.lengths[document]):
                number = pages.order[position]
                weight = 0.0 if seen[number] else 1.0 if pages.prose[start + number] else short
                seen[number] = True
                if not shared[number]:
                    run += weight
                    length += 1
                    held = 0
                    continue
                if length >= least:
                    since += run
                    words += length
                    owned += length
                    stretch = 0.0
                else:
                    read[pair, 10 + side] += length
                stretch += weight
                if stretch > read[pair, 2 + side]:
                    read[pair, 2 + side], read[pair, 12 + side] = stretch, owned
                run, length = 0.0, 0
                held += 1
                if held == edge:
                    if edged:
                        read[pair, 4 + side] += since
                    else:
                        read[pair, 6 + side] += words
                    since, words, edged = 0.0, 0, True
            read[pair, (8 if length >= least else 10) + side] += length
            read[pair, 8 + side] += words
            read[pair, 14 + side] = owned + (length if length >= least else 0) - read[pair, 12 + side]
    return read


@Loop
def weigh_pairs(  # noqa: C901 (one loop, compiled whole)
    pages: Pages,
    a: Int,
    b: Int,
    bounds: Int,
    partners: Int32,
    lead: Int32,
    votes: Int32,
    short: float,
    template: float,
) -> Share:
    """Weigh what the documents of each pair have: float64[pairs, 4].

    In weight, what they share, and all of a, and all of b; then how many shared shingles are template. A shingle is
    that if its `lead` (beside `Pages.values`) is positive, after the pair's own vote is taken from it. What a document
    has of its own is as good as prose unless it stands before or behind all that is shared, and some of it does both.
    """
    weighed = np.zeros((len(a), 4))
    most = 1
    for pair in range(len(a)):
        most = max(most, pages.sizes[a[pair]], pages.sizes[b[pair]])
    shared, framed = np.zeros(most, np.bool_), np.zeros(most, np.bool_)
    for pair in range(len(a)):
        for side in range(2):
            document = a[pair] if side == 0 else b[pair]
            start, size = pages.starts[document], pages.sizes[document]
            shared[:size] = False
            framed[:size] = False
            for slot in range(bounds[pair], bounds[pair + 1]):
                if partners[slot] >= 0:
                    shared[partners[slot] if side == 0 else slot - bounds[pair]] = True
            first, last = start, start + pages.lengths[document] - 1
            while first < last and not shared[pages.order[first]]:
                first += 1
            while last > first and not shared[pages.order[last]]:
                last -= 1
            if first == start or last == start + pages.lengths[document] - 1:
                first, last = start, start + pages.lengths[document]
            for position in range(first, last):
                framed[pages.order[position]] = True
            for number in range(size):
                if not shared[number]:
                    weight = 1.0 if pages.prose[start + number] or framed[number] else short
                    weighed[pair, 1 + side] += min(weight, template) if lead[start + number] > 0 else weight
        start, other = pages.starts[a[pair]], pages.starts[b[pair]]
        for number in range(pages.sizes[b[pair]]):
            partner = partners[bounds[pair] + number]
            if partner < 0:
                continue
            weight = 1.0 if pages.prose[other + number] or pages.prose[start + partner] else short
            if lead[other + number] - votes[pair] > 0:
                weight = min(weight, template)
                weighed[pair, 3] += 1
            weighed[pair, :3] += weight
    return weighed
