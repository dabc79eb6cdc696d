"""Votes to weights: which shared text came with the page, and not with the article.

Input    what candidate pairs share, and the documents' layouts
Output   the same with `Weights`: what it is worth as evidence of a copy
Cost     a look at each shingle of the documents of pairs in doubt, and O(shingles) for each such pair

Two strangers in the same suit share its menus, teasers and legal notices; one article in two suits shares little else
than its text. Four things tell the one from the other, all learned from the corpus itself:

* **Lines.** Menus are short lines among short lines; sentences are main content (`dupdetect.text.main_content`). A shingle that is of
  main content in neither document weighs `SHORT`: what they share anywhere, what a document has of its own where that first
  stands before or behind all that is shared, and some of it does both, for chrome stands around a text.
* **Frames.** Where a suit is worn by two, each has text of its own between what they share (`dupdetect.matching.interleaving`).
* **Votes.** A interleaved pair says of each shingle it shares: *boilerplate*. One that is clear, or one of whose documents is
  inside the other, says: *content*. With more than two thirds of the votes for it, a shingle is boilerplate, and weighs
  `BOILERPLATE`. A pair's own vote is left out when it is judged itself, lest it convict itself.
* **The threshold.** A interleaved pair is no text inside another: as much of it must be shared as of any two near
  duplicates (`Settings.threshold`), and not `Settings.containment`.

A clear pair is judged as it is, unless shingles of it are boilerplate. So a family of copies is never in doubt, and where
no pair is interleaved nothing votes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Loop, on_threads, part
from dupdetect.matching.candidates import missing, unpack
from dupdetect.matching.interleaving import CLEAR, FULL, INSIDE, INTERLEAVED, OWN, SHORT, WITHIN, read_pairs
from dupdetect.matching.shingle_rows import (
    MAIN_CONTENT,
    REPEAT,
    SAME,
    documents_of,
    even_cuts,
    hold,
    lay_out,
    mark_partners,
    places_for,
    row_of,
    scratch,
    shared_values,
    whole_cuts,
)
from dupdetect.matching.verify import NONE, ROUNDED, Overlaps, Verifier, is_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dupdetect._storage.arrays import Storage
    from dupdetect.matching.candidates import Pairs
    from dupdetect.matching.shingle_rows import Pages, Visit
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Kept, Texts

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Weight of a shingle that is boilerplate, a hundredth of main content being 1. Not nothing: two pages that are boilerplate and no
#: more are still copies.
BOILERPLATE = 2

#: Votes for boilerplate that one for content outweighs.
AGAINST = 2

#: Share of the smaller document below which a pair is no match whatever its weights (0.2 to 0.4).
FLOOR = 0.25

#: Votes of each kind that a document takes part in at the most: a large family votes no more often than a small one.
VOTES = 16

#: Grades of shingles: boilerplate for no pair; for one that voted content; for all but one that voted boilerplate; for all.
NEVER, DOUBTED, PLAIN, ALWAYS = range(4)

#: Parts that shingles are counted in at the most: each has two files open where they stand on disk.
PARTS = 256

#: An odd number that makes of pairs an order that has nothing to do with them.
_SHUFFLE = np.uint64(0x9E3779B97F4A7C15)


_GRADE = np.uint64(3)
_BITS, _ONE = np.uint64(2), np.uint64(1)


@dataclass(frozen=True, eq=False)
class Boilerplate:
    """What a corpus says of its shingles.

    Attributes
    ----------
    shingles : uint64[n]
        Those that a interleaved pair shares: hashes (`layouts.HASH`), sorted, distinct.
    margin : int32[n]
        Votes for boilerplate, less `AGAINST` times those for content.
    pairs : uint64[m], optional
        The pairs that voted, packed; sorted. None where this is not known: each pair then counts as one that voted.
    votes : int32[m]
        What each of them added to the margin of the shingles it shares.
    """

    shingles: Hashes
    margin: Int32
    pairs: Pairs | None
    votes: Int32

    @classmethod
    def none(cls) -> Boilerplate:
        """Return what a corpus says that has no interleaved pairs."""
        empty = np.empty(0, np.uint64)
        return cls(empty, np.empty(0, np.int32), empty, np.empty(0, np.int32))

    @cached_property
    def grades(self) -> Hashes:
        """A table of the shingles that are boilerplate for some pair, with their grades: see `grade_of`."""
        some = self.margin > -AGAINST
        margin = self.margin[some]
        grades = DOUBTED + (margin > 0).astype(np.uint64) + (margin > 1)
        return tabled(self.shingles[some], grades)

    def least(self, pairs: Pairs, kinds: Byte) -> Byte:
        """Return the grade from which on what each pair shares is boilerplate, its own vote left out."""
        if self.pairs is None:
            return np.select([kinds == INTERLEAVED, is_content(kinds)], [ALWAYS, DOUBTED], PLAIN).astype(np.uint8)
        least = np.full(len(pairs), PLAIN, np.uint8)
        voted = ~missing(pairs, self.pairs)
        votes = self.votes[np.searchsorted(self.pairs, pairs[voted])]
        least[voted] = np.where(votes > 0, ALWAYS, DOUBTED)
        return least


class Graded(NamedTuple):
    """Shingles that are laid out, and how far they are boilerplate.

    Attributes
    ----------
    starts : int64[documents]
        The grades of the shingles of document d are ``values[starts[d]:]``; -1 where they were not asked for.
    counts : int32[documents]
        How many distinct shingles of each are boilerplate for most pairs.
    values : uint8[...]
    """

    starts: Int
    counts: Int32
    values: Byte


class Judge(Verifier):
    """A verifier that weighs what pairs share.

    Parameters
    ----------
    texts, rows, settings, workers, kept, storage
        As `Verifier` has them; with ``settings.weighs`` false it is no more than that.
    boilerplate : Boilerplate, optional
        What is known already, of other documents: `learn` adds to it what the corpus says.
    """

    def __init__(
        self,
        texts: Texts,
        rows: Int,
        settings: Settings,
        workers: int,
        *,
        kept: Sequence[Kept | None] | Kept | None = None,
        boilerplate: Boilerplate | None = None,
        storage: Storage | None = None,
    ) -> None:
        super().__init__(texts, rows, settings, workers, kept=kept, storage=storage)
        self._n = len(rows)
        self.adopt(boilerplate or Boilerplate.none())

    def adopt(self, boilerplate: Boilerplate) -> None:
        """Weigh by what is known already, and not by what `learn` would find."""
        self.boilerplate = boilerplate
        self._starts, self._counts = np.full(self._n, -1, np.int64), np.zeros(self._n, np.int32)
        self._grades = self._storage.column(np.uint8)

    def matches(self, pairs: Pairs, settings: Settings) -> Overlaps:
        """Return the pairs that are copies, weighed by what has been learned."""
        found = self.sharing(pairs, settings)
        return self.weighed(found).matches(settings)

    def sharing(self, pairs: Pairs, settings: Settings, *, floor: float = FLOOR) -> Overlaps:
        """Return the pairs that share enough to be judged."""
        return super().sharing(pairs, settings, floor=floor if settings.weighs else 1.0)

    def weighed(self, found: Overlaps) -> Overlaps:
        """Weigh pairs, from `sharing`, by what has been learned."""
        return self._weighed(found, self._kinds(found)) if self._settings.weighs else found

    def certain(self, found: Overlaps) -> Bool:
        """Mark pairs, from `sharing`, that are matches however they are weighed: what `weighed` would find, for less.

        Where a document has next to nothing of its own, what it shares weighs at least what all of it weighs at worst,
        less one for each shingle of its own. So a family of copies is known by its members, and not by their pairs.
        """
        clear = (found.smaller - found.shared < OWN) & (found.shared > INSIDE * found.smaller)
        if not self._settings.weighs or len(self.boilerplate.shingles) == 0:
            return np.asarray(clear & (found.relations(self._settings) != NONE))
        rows = np.flatnonzero(clear)
        some = found.where(rows)
        graded, smaller = self._graded(some.pairs), np.where(some.size_a <= some.size_b, some.a, some.b)
        sums = sum_worst.worth(float(some.smaller.sum()))(self._layouts.pages, graded, smaller)
        own = some.smaller - some.shared
        least, content = sums[:, 0] / FULL - own, sums[:, 1] - own
        share = least / np.maximum(least + own, BOILERPLATE / FULL)
        clear[rows] = is_inside(share - ROUNDED, some.smaller, content - ROUNDED, False, self._settings)
        return clear

    def learn(self, found: Overlaps) -> Overlaps:
        """Let pairs vote; return them weighed.

        Parameters
        ----------
        found : Overlaps
            Candidates, from `sharing`.
        """
        if not self._settings.weighs:
            return found
        kinds = self._kinds(found)
        boilerplate, known = _sample(found.pairs[kinds == INTERLEAVED]), self.boilerplate
        if len(boilerplate) or len(known.shingles):
            content = _sample(found.pairs[is_content(kinds)])
            shingles, margin = self._tally(_among(found, boilerplate))
            if len(known.shingles):
                shingles, margin = np.concatenate([known.shingles, shingles]), np.concatenate([known.margin, margin])
                shingles, margin = _counted(shingles, margin)
            noes, votes = self._tally(_among(found, content), tabled(shingles, PLAIN))
            margin = margin.copy()
            margin[np.searchsorted(shingles, noes)] -= AGAINST * votes
            pairs = np.concatenate([boilerplate, content])
            cast = np.repeat(np.array([1, -AGAINST], np.int32), [len(boilerplate), len(content)])
            order = np.argsort(pairs)
            self.adopt(Boilerplate(shingles, margin, pairs[order], cast[order]))
        return self._weighed(found, kinds)

    def _count(self, pairs: Pairs, need: Int) -> Overlaps:
        """Count what each pair shares, and read how, in one visit."""
        if not self._settings.weighs:
            return super()._count(pairs, need)
        shared, kinds, pages = np.empty(len(pairs), np.int32), np.empty(len(pairs), np.uint8), self._layouts.pages
        self._visit(pairs, read_pairs, lambda visit: (visit, need, shared, kinds))
        a, b = unpack(pairs)
        return Overlaps(pairs, shared, pages.sizes[a], pages.sizes[b], None, kinds)

    def _kinds(self, found: Overlaps) -> Byte:
        """Return the kinds of pairs; they are read if they were not."""
        if found.kinds is not None:
            return found.kinds
        self._layouts.meet(found.pairs)
        kinds = self._count(found.pairs, np.zeros(len(found.pairs), np.int64)).kinds
        assert kinds is not None
        return kinds

    def _tally(self, found: Overlaps, among: Hashes | None = None) -> tuple[Hashes, Int32]:
        """Count the pairs that share each shingle, or each of those in a table: uint64[n], sorted, and int32[n].

        Shingles are parted by their highest bits, and each part is sorted by itself.
        """
        most, total = self._layouts.block, int(found.shared.sum(dtype=np.int64))
        parts = min(PARTS, 1 << max(4 * self._workers, total // most).bit_length())
        limits = np.arange(1, parts, dtype=np.uint64) << np.uint64(64 - parts.bit_length() + 1)
        columns = [(self._storage.column(np.uint64), self._storage.column(np.int32)) for _ in range(parts)]
        for first, last in whole_cuts(found.shared, most):
            for values, counts in self._shared(found.where(np.arange(first, last)), among):
                bounds = [0, *np.searchsorted(values, limits).tolist(), len(values)]
                for place, (shingles, votes) in enumerate(columns):
                    shingles.append(values[bounds[place] : bounds[place + 1]])
                    votes.append(counts[bounds[place] : bounds[place + 1]])
        shingles, votes = self._storage.column(np.uint64), self._storage.column(np.int32)
        for start in range(0, parts, self._workers):
            some = columns[start : start + self._workers]
            for values, counts in on_threads(
                lambda pair: _counted(pair[0].values, pair[1].values), some, self._workers
            ):
                shingles.append(values)
                votes.append(counts)
        return shingles.values, votes.values

    def _shared(self, found: Overlaps, among: Hashes | None) -> list[tuple[Hashes, Int32]]:
        """Count shared shingles, block by block."""
        visits, pages = self._layouts.visits(found.pairs), self._layouts.pages
        run = shared_values.worth(sum(visit.steps(pages) for visit in visits))

        look = look_up.worth(float(found.shared.sum(dtype=np.int64)))

        def count(visit: Visit) -> tuple[Hashes, Int32]:
            values = run(pages, visit, int(found.shared[visit.rows].sum()))
            if among is not None:
                values = values[look(among, values) > NEVER]
            return _counted(values)

        return on_threads(count, visits, self._workers)

    def _weighed(self, found: Overlaps, kinds: Byte) -> Overlaps:
        """Weigh pairs: those in doubt, and those that hold boilerplate."""
        weighed = kinds != CLEAR
        if len(self.boilerplate.shingles):
            clear = np.flatnonzero(~weighed)
            counts = self._graded(found.pairs[clear]).counts
            weighed[clear] = np.logical_or(*(counts[side] > 0 for side in unpack(found.pairs[clear])))
        chosen = np.flatnonzero(weighed)
        if len(chosen) == 0:
            return found
        pairs = found.pairs[chosen]
        self._layouts.meet(pairs)
        graded, least, weights = self._graded(pairs), self.boilerplate.least(found.pairs, kinds), found.weights
        columns = weights.shared, weights.size_a, weights.size_b, weights.boilerplate
        self._visit(
            pairs, weigh_pairs, lambda visit: (visit._replace(rows=chosen[visit.rows]), graded, least, *columns)
        )
        weights.interleaved[chosen] = kinds[chosen] == INTERLEAVED
        return Overlaps(found.pairs, found.shared, found.size_a, found.size_b, weights, kinds)

    def _graded(self, pairs: Pairs) -> Graded:
        """Look up the shingles of the documents of pairs, those not looked up before."""
        self._layouts.meet(pairs)
        new = documents_of(pairs, self._n)
        new = new[self._starts[new] < 0]
        pages, table = self._layouts.pages, self.boilerplate.grades
        for first, last in whole_cuts(pages.lengths[new], self._layouts.block):
            self._grade(new[first:last], pages, table)
        return Graded(self._starts, self._counts, self._grades.values)

    def _grade(self, documents: Int, pages: Pages, table: Hashes) -> None:
        """Look up the shingles of documents."""
        lengths = pages.lengths[documents]
        bounds = np.append(0, np.cumsum(lengths, dtype=np.int64))
        grades = np.empty(bounds[-1], np.uint8)
        run = grade_rows.worth(2.0 * len(grades))
        cuts = even_cuts(lengths, 8 * self._workers)
        counts = on_threads(
            lambda cut: run(pages, documents[slice(*cut)], table, grades[bounds[cut[0]] :]), cuts, self._workers
        )
        self._starts[documents] = len(self._grades) + bounds[:-1]
        self._counts[documents] = np.concatenate(counts)
        self._grades.append(grades)


def is_content(kinds: Byte) -> Bool:
    """Mark the kinds of pairs that vote content."""
    return np.asarray((kinds == CLEAR) | (kinds == WITHIN))


def _among(found: Overlaps, pairs: Pairs) -> Overlaps:
    """Return some of the pairs."""
    return found.where(np.searchsorted(found.pairs, pairs))


def tabled(hashes: Hashes, grades: Hashes | int) -> Hashes:
    """Make a table of hashes with grades above 0; see `grade_of`."""
    return fill_table.worth(2.0 * len(hashes))(
        hashes | np.asarray(grades, np.uint64), 1 << (2 * len(hashes)).bit_length()
    )


@Loop
def fill_table(entries: Hashes, size: int) -> Hashes:
    """Return a table of `size` places, a power of two; 0 where there is no entry."""
    table = np.zeros(size, np.uint64)
    mask = np.uint64(size - 1)
    for entry in entries:
        place = entry >> _BITS & mask
        while table[place] != 0:
            place = place + _ONE & mask
        table[place] = entry
    return table


@part
def grade_of(table: Hashes, value: np.uint64) -> int:
    """Return the grade of a shingle: the two lowest bits of its entry in a table of hashes; `NEVER` if it has none."""
    mask = np.uint64(len(table) - 1)
    place = value >> _BITS & mask
    entry = table[place]
    while (entry != 0) & (entry ^ value >= SAME):
        place = place + _ONE & mask
        entry = table[place]
    return int(entry & _GRADE)


@Loop
def look_up(table: Hashes, values: Hashes) -> Byte:
    """Return the grade of each value."""
    grades = np.empty(len(values), np.uint8)
    for place in range(len(values)):
        grades[place] = grade_of(table, values[place])
    return grades


@Loop
def grade_rows(pages: Pages, documents: Int, table: Hashes, grades: Byte) -> Int32:
    """Look up the shingles of documents, end to end; repeats have no grade. Count those that are boilerplate."""
    counts = np.zeros(len(documents), np.int32)
    mask = np.uint64(len(table) - 1)
    most = 0
    for document in documents:
        most = max(most, pages.lengths[document])
    seen = np.empty(most, np.uint64)
    start = 0
    for index in range(len(documents)):
        row = row_of(pages, documents[index])
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


@Loop
def sum_worst(pages: Pages, graded: Graded, documents: Int) -> Int:
    """Sum up documents at worst, all that may be boilerplate being it: their weight, and what is content; int64[n, 2]."""
    sums = np.zeros((len(documents), 2), np.int64)
    for index in range(len(documents)):
        row, start = row_of(pages, documents[index]), graded.starts[documents[index]]
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


@part
def less_than_full(value: np.uint64, grade: int) -> int:
    """Return what a shingle lacks to the weight that it would have if it were of main content."""
    return 0 if value & (MAIN_CONTENT | REPEAT) or grade >= PLAIN else FULL - SHORT


@part
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


@Loop
def weigh_pairs(
    pages: Pages,
    visit: Visit,
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
    table, firsts, repeats, partners = scratch(pages, visit)
    marks = np.empty(len(firsts), np.uint8)
    laid, size, repeated, row = -1, 1, 0, pages.values[:0]
    for pair in range(len(visit.rows)):
        if visit.hub[pair] != laid:
            laid = visit.hub[pair]
            row, size = row_of(pages, laid), places_for(pages.lengths[laid])
            repeated = lay_out(row, table, size, firsts, repeats)
        number, place = visit.other[pair], visit.rows[pair]
        other, grades = row_of(pages, number), graded.values[graded.starts[number] :]
        hold(row, table, size, firsts, other, partners, 0)
        both, taken, count, convicted = 0, 0, 0, 0
        first, last, first_hub, last_hub = -1, -1, len(row), -1
        for position in range(len(other)):
            partner = partners[position]
            if partner < 0:
                continue
            first, last = position if first < 0 else first, position
            first_hub, last_hub = min(first_hub, partner), max(last_hub, partner)
            if other[position] & REPEAT:
                continue
            count += 1
            taken += BOILERPLATE if grades[position] >= PLAIN else FULL
            if grades[position] >= least[place]:
                both += BOILERPLATE
                convicted += 1
            else:
                both += FULL if (other[position] | row[partner]) & MAIN_CONTENT else SHORT
        if repeated > 0:
            mark_partners(len(row), firsts, repeats[:repeated], partners[: len(other)], marks)
            for position in repeats[:repeated]:
                if marks[position]:
                    last_hub = max(last_hub, position)
        start = graded.starts[laid]
        whole = FULL * pages.sizes[laid] - (FULL - BOILERPLATE) * graded.counts[laid] - taken
        own_hub = own_weight(row, graded.values[start:], first_hub, last_hub, whole)
        whole = FULL * pages.sizes[number] - (FULL - BOILERPLATE) * graded.counts[number] - taken
        own = own_weight(other, grades, first, last, whole)
        shared[place], boilerplate[place] = both / FULL, convicted / max(count, 1)
        size_a[place] = (both + (own_hub if laid < number else own)) / FULL
        size_b[place] = (both + (own if laid < number else own_hub)) / FULL


def _counted(values: Hashes, counts: Int32 | None = None) -> tuple[Hashes, Int32]:
    """Return the distinct values, sorted, and the sum of the counts of each, one each if not given."""
    order = np.argsort(values) if counts is not None else slice(None)
    values = np.sort(values)
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
    if counts is None:
        return values[first], np.diff(np.append(first, len(values))).astype(np.int32)
    return values[first], np.add.reduceat(counts[order], first, dtype=np.int32) if len(first) else counts


def _sample(pairs: Pairs) -> Pairs:
    """Return pairs such that no document is in more than `VOTES` of them; which, depends on the pairs alone."""
    shuffled = pairs[np.argsort(pairs * _SHUFFLE)]
    documents = np.stack(unpack(shuffled), axis=1).ravel()
    order = np.argsort(documents, kind="stable")
    start = np.searchsorted(documents[order], documents[order])
    turn = np.empty(len(documents), np.int64)
    turn[order] = np.arange(len(documents)) - start
    return np.sort(shuffled[turn.reshape(-1, 2).max(axis=1) < VOTES])
