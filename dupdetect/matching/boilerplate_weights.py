"""Pairs to weights: what they share as evidence of a copy.

Input    pairs that share something, the rows of their documents, and `Boilerplate`
Output   the same pairs with `Weights`
Cost     a look-up of each shingle of the documents, and O(shingles) for each pair

What is content is told in `dupdetect.matching.boilerplate`, what follows from it in `dupdetect.matching.overlaps`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper, on_threads
from dupdetect.matching.alignment import LEAST, Numbered, are_in_order, mark_elsewhere, placed
from dupdetect.matching.boilerplate import NEVER, are_strangers, grade_of, may_have, presence
from dupdetect.matching.hash_join import build_table, join_buffers, mark_partners, probe_table
from dupdetect.matching.interleaving import FULL, INSIDE, INTERLEAVED, OWN, STRETCH
from dupdetect.matching.joined_lines import count_joined
from dupdetect.matching.overlaps import Overlaps, Weights
from dupdetect.matching.own_lines import CLASSES, SENTENCE, read_own_lines
from dupdetect.matching.own_texts import (
    LONG_LINE,
    NO_LINE,
    line_length,
)
from dupdetect.matching.pairs import documents_of
from dupdetect.matching.patterns import FURNITURE_A, FURNITURE_B, own_marks
from dupdetect.matching.removal import FEW_WORDS, decided
from dupdetect.matching.shared_marks import WORD, mark_shared
from dupdetect.matching.shingle_rows import (
    blocks_for,
    even_cuts,
    row_of,
    run_ends,
    table_size,
    whole_cuts,
)
from dupdetect.matching.side_weights import SideWeights, ends_alone, weigh_side, without_joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.counter import PairCounter
    from dupdetect.matching.hash_join import JoinOrder
    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.shared_marks import Marks
    from dupdetect.matching.shingle_rows import Rows
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

_NONE, _ONE = np.uint64(0), np.uint64(1)

#: Share of an article that may not be on a page that carries it; and in lines of its own, beyond `FEW_WORDS`.
CARRIED, CARRIED_LINES = 0.1, 0.02

#: New words that a page may have around its article, however short that is, and as a multiple of it; of main content;
#: and in paragraphs, which are lines of `SENTENCE` words and more that are as long as the article's: as a multiple of
#: these, for in scripts without spaces each character is a word.
AROUND, TIMES_AROUND = 1024, 8
BESIDE, TIMES = 512, 4
PARAGRAPHS, LINES_OF_ARTICLE = 256, 6

#: The rows of what `weigh_pairs` fills: the fields of `Weights` in their order, but for the last, `strangers`.
CONTENT_A, CONTENT_B, OWN_A, OWN_B, NEW_A, NEW_B, LOST_A, LOST_B, MAIN_A, MAIN_B, RUN_A, RUN_B = range(12)
BOILERPLATE, IN_PLACE = 12, 13


class Graded(NamedTuple):
    """How far the shingles of documents are boilerplate.

    Attributes
    ----------
    starts : int64[documents]
        The grades of the shingles in the row of document d are ``values[starts[d]:]``; -1 where nobody asked.
    values : uint8[...]
    """

    starts: Int
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
        self._starts = np.full(n, -1, np.int64)
        self._grades = counter.context.storage.growing_array(np.uint8)

    def matches(self, found: Overlaps) -> Overlaps:
        """Return the pairs that are copies, weighed; those that boilerplate shows to be none are not weighed."""
        if self._settings.weighs and len(found.pairs):
            if self._boilerplate.is_empty:
                may = may_match(found, self._counter.patterns(found), self._settings)
            else:
                may = self._boilerplate_of(found) <= found.most_boilerplate(self._settings)
            found = found.where(may)
        return decided(self.weigh(found), self._settings)

    def weigh(self, found: Overlaps) -> Overlaps:
        """Weigh pairs that share enough to be judged."""
        if not self._settings.weighs or len(found.pairs) == 0:
            return found
        patterns, pairs = self._counter.patterns(found).copy(), found.pairs
        self._load(pairs)
        least = self._boilerplate.least(pairs, patterns)
        columns, strangers = np.empty((len(Weights._fields) - 1, len(pairs))), are_strangers(patterns)
        is_weighed = not self._boilerplate.is_empty
        given = least, patterns, strangers, is_weighed, self._settings.shingle_size, columns
        self._counter.run(pairs, weigh_pairs, lambda order, some, rows: (order, self._graded(some, rows), *given))
        weights = Weights._make([*columns, strangers])
        return Overlaps(pairs, found.shared, found.size_a, found.size_b, weights, patterns)

    def _boilerplate_of(self, found: Overlaps) -> Share:
        """Return the share of what each pair shares that is boilerplate, as in `Weights`."""
        self._load(found.pairs)
        least = self._boilerplate.least(found.pairs, self._counter.patterns(found))
        counts = np.empty(len(found.pairs), np.int32)
        run = count_boilerplate.faster_for(float(found.size_a.sum(dtype=np.int64)))
        self._counter.marks.each(
            found.pairs, lambda marks, rows, some: run(rows, marks, self._graded(some, rows), least, counts)
        )
        return counts / np.maximum(found.shared, 1)

    def _graded(self, documents: Int | None, rows: Rows) -> Graded:
        """Return the grades of documents, whose rows these are; of all, if None."""
        if self._boilerplate.is_empty:  # the grades of one document are those of all
            grades = np.full(rows.lengths.max(initial=0), NEVER, np.uint8)
            grades.flags.writeable = False  # as others are, or there would be compiled code for these
            return Graded(np.zeros(len(rows.lengths), np.int64), grades)
        if documents is None:
            return Graded(self._starts, self._grades.values)
        # Rows that are read for some pairs at a time are graded then, too: that costs less than to spill the grades.
        grades = np.empty(len(rows.values), np.uint8)
        some = np.arange(len(documents), dtype=np.int32)
        grade_rows.faster_for(2.0 * len(grades))(rows, some, *self._table, grades)
        grades.flags.writeable = False
        return Graded(rows.starts, grades)

    @cached_property
    def _table(self) -> tuple[Hashes, Byte]:
        """The table of what is boilerplate, and its filter."""
        table = self._boilerplate.grades
        return table, presence.faster_for(2.0 * len(table))(table)

    def _load(self, pairs: Pairs) -> None:
        """Look up the shingles of the documents of pairs, those not looked up before; of spilled ones none is kept."""
        shingles = self._counter.shingles
        shingles.load(pairs)
        if self._boilerplate.is_empty:
            return
        if shingles.is_spilled:
            self._table  # noqa: B018 - made here, once, and not by each thread
            return
        new = documents_of(pairs, shingles.n)
        new = new[self._starts[new] < 0]
        for first, last in whole_cuts(shingles.lengths[new], shingles.block):
            self._grade(new[first:last])

    def _grade(self, documents: Int) -> None:
        """Look up the shingles of documents."""
        shingles, workers = self._counter.shingles, self._counter.context.workers
        lengths = shingles.lengths[documents]
        rows, _, (some,) = shingles.held(documents.astype(np.int32))
        bounds = np.append(0, np.cumsum(lengths, dtype=np.int64))
        grades = np.empty(bounds[-1], np.uint8)
        run, table = grade_rows.faster_for(2.0 * len(grades)), self._table
        cuts = even_cuts(lengths, blocks_for(len(grades), workers))
        on_threads(lambda cut: run(rows, some[slice(*cut)], *table, grades[bounds[cut[0]] :]), cuts, workers)
        self._starts[documents] = len(self._grades) + bounds[:-1]
        self._grades.append(grades)


def are_certain(found: Overlaps, settings: Settings) -> Bool:
    """Mark pairs that are matches whatever is boilerplate: what `Weigher.weigh` would find, for less.

    Near duplicates of which one has next to nothing of its own are no strangers. So a family of copies is known by
    its members, and not by their pairs.
    """
    clear = (found.smaller - found.shared < OWN) & (found.shared > INSIDE * found.smaller)
    return np.asarray(clear & (found.jaccard >= settings.threshold))


def may_match(found: Overlaps, patterns: Byte, settings: Settings) -> Bool:
    """Mark pairs that may be matches where nothing is boilerplate: that others are none weighing would find, for more.

    Strangers contain no one, and are no near duplicates unless their shingles say so. They may be syndicated, if half
    of what each has of its own is boilerplate; where nothing is, all of it is new, but for a last word that may be cut
    short. Each has `STRETCH` shingles in a row of its own at least, and so more words than two, if shingles are short.
    """
    if settings.shingle_size > STRETCH - 2:
        return np.ones(len(found.pairs), np.bool_)
    return ~are_strangers(patterns) | (found.jaccard >= settings.threshold)


@Compilable
def grade_rows(rows: Rows, documents: Int32, table: Hashes, filter_: Byte, grades: Byte) -> None:
    """Look up the shingles of documents, end to end."""
    start = 0
    for index in range(len(documents)):
        row = row_of(rows, documents[index])
        into = grades[start : start + len(row)]
        for position in range(len(row)):
            value = row[position]
            into[position] = grade_of(table, value) if may_have(filter_, value) else NEVER
        start += len(row)


@compilable_helper
def first_place(firsts: Int32, position: int, partners: Int32) -> int:
    """Return where the other document first has the shingle of a place of a row; it has it."""
    place = 0
    while partners[place] != firsts[position]:
        place += 1
    return place


@compilable_helper
def is_page_of(page: SideWeights, other: SideWeights, line: int) -> bool:
    """Whether a document that has furniture around what is shared is a page that carries the other.

    The other must be an article, and no stub under a footer, and have next to nothing else. Nor may it have more than
    `FEW_WORDS` in lines of its own, or `CARRIED_LINES` of it, boilerplate or not: those are two lists of credits above
    one licence, or two records with one abstract; an address in front, rulers and headings are less. And what the page
    has around it must not be many times the article, as a register of names with one sentence in front, nor many
    paragraphs, as a later version of it. Its lines have `line` words.
    """
    article = other.content >= FULL * SENTENCE and 2 * other.own <= page.own
    article = article and FULL * other.lines <= max(FULL * FEW_WORDS, CARRIED_LINES * other.content)
    article = article and FULL * page.main <= max(FULL * BESIDE, TIMES * other.content)
    article = article and FULL * page.new <= max(FULL * AROUND, TIMES_AROUND * other.content)
    article = article and page.paragraphs <= max(PARAGRAPHS, LINES_OF_ARTICLE * line)
    return article and FULL * other.new <= CARRIED * (FULL * other.new + other.content)


@compilable_helper
def count_graded(words: Hashes, start: int, grades: Byte, least: int) -> int:
    """Count the shingles of a row, with these grades, that are marked and are boilerplate from the grade `least` on."""
    count = 0
    for first in range(0, len(grades), WORD):
        word = words[start + first // WORD]
        for bit in range(min(WORD, len(grades) - first)):
            count += int(word >> np.uint64(bit) & _ONE) & int(grades[first + bit] >= least)
    return count


@Compilable
def count_boilerplate(rows: Rows, marks: Marks, graded: Graded, least: Byte, counts: Int32) -> None:
    """Count the distinct shingles that the documents of each pair share, and that are boilerplate; fill `counts`."""
    for pair in range(len(marks.places)):
        place, document = marks.places[pair], marks.documents[pair]
        grades = graded.values[graded.starts[document] :][: rows.lengths[document]]
        counts[place] = count_graded(marks.words, marks.starts[pair], grades, least[place])


@Compilable
def weigh_pairs(
    rows: Rows,
    order: JoinOrder,
    graded: Graded,
    least: Byte,
    patterns: Byte,
    strangers: Bool,
    is_weighed: bool,
    shingle_size: int,
    columns: Share,
) -> None:
    """Weigh what the documents of each pair have; fill `columns`, a row for each field of `Weights` but `strangers`.

    `patterns` have all their marks then. `is_weighed` tells whether any shingle is boilerplate.
    """
    # Sums are of whole numbers until the very end, so that they do not depend on the order of pairs or shingles.
    table, firsts, repeats, partners = join_buffers(rows, order)
    of_build, of_probe = np.empty(len(firsts), np.uint8), np.empty(len(partners), np.uint8)
    ends, other_ends = np.empty(len(firsts), np.int32), np.empty(len(partners), np.int32)
    lengths, words = np.empty(LONG_LINE + 1, np.int64), np.empty(len(partners) // WORD + 1, np.uint64)
    own_lines, shared_words = np.empty(CLASSES, np.int64), np.empty(CLASSES, np.int64)
    places, short, has_runs = np.full(len(firsts), -1, np.int32), placed(rows.values[:0], LEAST, shingle_size), False
    built, size, repeated, row = -1, 1, 0, rows.values[:0]
    for pair in range(len(order.places)):
        if order.build[pair] != built:
            built = order.build[pair]
            row, size = row_of(rows, built), table_size(rows.lengths[built])
            repeated, has_runs = build_table(row, table, size, firsts, repeats), False
        number, place = order.probe[pair], order.places[pair]
        other, pattern = row_of(rows, number), int(patterns[place])
        shared = probe_table(row, table, size, firsts, other, partners, 0)
        of_other = graded.values[graded.starts[number] :][: len(other)]
        mark_partners(len(row), firsts, repeats[:repeated], partners[: len(other)], of_build, of_probe)
        mine, theirs = of_build[: len(row)], of_probe[: len(other)]
        of_row = graded.values[graded.starts[built] :][: len(row)]
        runs, other_runs = run_ends(row, mine, of_row, ends), run_ends(other, theirs, of_other, other_ends)
        # Where shingles are single words, the order of words is not asked for.
        in_order = shingle_size == 1 or are_in_order(row, mine, ends, runs, other, theirs)
        columns[BOILERPLATE, place] = 0
        if is_weighed:
            mark_shared(other, partners, words, 0)
            columns[BOILERPLATE, place] = count_graded(words, 0, of_other, least[place]) / max(shared, 1)
        if pattern == INTERLEAVED:
            first = read_own_lines(row, mine, ends, runs, shingle_size, own_lines, shared_words)
            second = read_own_lines(other, theirs, other_ends, other_runs, shingle_size, own_lines, shared_words)
            pattern |= own_marks(first, second, built > number)
            patterns[place] = pattern
        joined_a, joined_b = count_joined(
            row, mine, other, partners[: len(other)], other_ends, other_runs, shingle_size
        )
        columns[IN_PLACE, place] = 1
        if not in_order:
            if not has_runs:
                short, has_runs = placed(row, LEAST, shingle_size), True
            one_side = Numbered(row, firsts[: len(row)], short)
            other_side = Numbered(other, partners[: len(other)], placed(other, LEAST, shingle_size))
            columns[IN_PLACE, place] = mark_elsewhere(one_side, mine, other_side, theirs, places, shingle_size)
            runs, other_runs = run_ends(row, mine, of_row, ends), run_ends(other, theirs, of_other, other_ends)
        settled = least[place], shingle_size, strangers[place]
        # Texts of its own are looked for where one of the two may be a page, and have lines as long as the other's.
        a_line, b_line = NO_LINE, NO_LINE
        if pattern & (FURNITURE_A | FURNITURE_B):
            a_line, b_line = line_length(other, lengths), line_length(row, lengths)
        # A text is cut short where another goes on behind what it ends in, by a sentence and more.
        a_cut = ends_alone(mine) and len(other) - first_place(firsts, len(row) - 2, partners) > SENTENCE
        b_cut = ends_alone(theirs) and len(row) - partners[len(other) - 2] > SENTENCE
        a = weigh_side(row, mine, of_row, ends, runs, *settled, a_line, a_cut)
        b = weigh_side(other, theirs, of_other, other_ends, other_runs, *settled, b_line, b_cut)
        if built > number:
            a, b, joined_a, joined_b, a_line, b_line = b, a, joined_b, joined_a, b_line, a_line
        a, b = without_joined(a, joined_a), without_joined(b, joined_b)
        page_a = pattern & FURNITURE_A != 0 and is_page_of(a, b, a_line)
        page_b = pattern & FURNITURE_B != 0 and is_page_of(b, a, b_line)
        columns[CONTENT_A, place], columns[CONTENT_B, place] = a.content / FULL, b.content / FULL
        columns[OWN_A, place], columns[OWN_B, place] = a.own, b.own
        columns[NEW_A, place], columns[NEW_B, place] = a.new, b.new
        columns[LOST_A, place], columns[LOST_B, place] = a.lost if page_a else a.new, b.lost if page_b else b.new
        columns[MAIN_A, place], columns[MAIN_B, place] = a.main, b.main
        columns[RUN_A, place] = a.page_run if page_a else a.run
        columns[RUN_B, place] = b.page_run if page_b else b.run
