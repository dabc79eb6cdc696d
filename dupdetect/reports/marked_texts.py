"""Mark in two texts what they share, and what is boilerplate.

Input    two texts
Output   `Pair`: each text in parts that say what they are: shared, changed within what is shared, boilerplate, its own
Cost     O(length of the texts), of which `MOST` characters are looked at: 5 ms for two of 5 KB

Boilerplate is what a run has learned to be, and lines like those of menus (`dupdetect.text.main_content`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect.matching import removal
from dupdetect.matching.own_texts import LONG_LINE, OwnText, is_no_furniture, line_length, with_line
from dupdetect.matching.passages import align
from dupdetect.matching.shingle_rows import HASH, LINE_START
from dupdetect.matching.spans import find_spans
from dupdetect.settings import Settings
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.sketches.sketches import marked_shingles
from dupdetect.text.clean import clean
from dupdetect.text.escape import escape_for_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

#: Characters of a text that are looked at, and of a part of it from which on its middle is folded.
MOST, FOLD = 60_000, 2_400

#: Characters of what follows those that are looked at, up to which it is there, to be unfolded; of a middle that is
#: there where room is short; and within which of a fold a word ends.
REST, SHORT, WORD_END = 1_000_000, 6_000, 60

#: The number of a passage, of what was not looked at.
UNSEEN = -2

#: What a part of a text is: the sum of these.
SHARED, BOILERPLATE, FOLDED, CHANGED, HIDDEN = 1, 2, 4, 8, 16


class Pair(NamedTuple):
    """Two texts, or one alone, in parts.

    Attributes
    ----------
    a, b : list of (int, int, str)
        For each part what it is (the sum of `SHARED` and so on), the number of its passage or -1, and its text; of what
        is folded, how many characters that are. What is hidden is folded with its text. `UNSEEN` was not looked at.
    passages : list of (int, float, float)
        Words, similarity and share of boilerplate of each.
    """

    a: list[tuple[int, int, str]]
    b: list[tuple[int, int, str]]
    passages: list[tuple[int, float, float]]

    def shortened(self) -> Pair:
        """Return the pair with long parts that are folded counted, and without their text."""
        return Pair(_counted(self.a), _counted(self.b), self.passages)


def _counted(parts: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    return [
        ((role & ~HIDDEN) | FOLDED, number, f"{len(text):,}")
        if role & HIDDEN and len(text) > SHORT
        else (role, number, text)
        for role, number, text in parts
    ]


class Marker:
    """Marks in texts what two share, and what is boilerplate.

    Parameters
    ----------
    settings : Settings
        Of the run; by default those of `compare`.
    boilerplate : uint64[n]
        The shingles that the run learned are boilerplate (`shingle_rows.HASH`), ordered.
    most, fold : int
        Characters of a text that are looked at; of a part from which on its middle is folded.
    """

    def __init__(
        self, settings: Settings | None = None, boilerplate: Hashes | None = None, *, most: int = MOST, fold: int = FOLD
    ) -> None:
        self._settings = settings or Settings()
        self._most, self._fold = most, fold
        self._boilerplate = np.empty(0, np.uint64) if boilerplate is None else boilerplate
        self._known: dict[str, Hashes] = {}

    def expect(self, texts: Iterable[str]) -> None:
        """Look at many texts at once, for what is asked of them later: then compiled code does it."""
        wanted = sorted({_cut(text, self._most)[0] for text in texts})
        if self._settings.weighs and len(self._boilerplate) and wanted:
            column = clean_texts(pa.array(wanted, pa.large_string()))
            rows = marked_shingles(column, np.arange(len(wanted)), self._settings)
            self._known = dict(zip(wanted, np.split(rows.values & HASH, rows.offsets[1:-1]), strict=True))

    def pair(self, a: str, b: str) -> Pair:
        """Mark two texts, without lone surrogates."""
        (a, more_a), (b, more_b) = _cut(a, self._most), _cut(b, self._most)
        aligned = sorted(align(a, b, self._settings.unit), key=lambda found: found.passage.a_start)
        passages = [found.passage for found in aligned]
        in_a = [_Run(p.a_start, p.a_end, found.equal[:, :2]) for p, found in zip(passages, aligned, strict=True)]
        in_b = [_Run(p.b_start, p.b_end, found.equal[:, 2:]) for p, found in zip(passages, aligned, strict=True)]
        return Pair(
            _parts(a, in_a, self.boilerplate(a), self._fold) + more_a,
            _parts(b, in_b, self.boilerplate(b), self._fold) + more_b,
            [(p.words, round(p.similarity, 3), round(p.boilerplate, 3)) for p in passages],
        )

    def alone(self, a: str) -> Pair:
        """Mark what is boilerplate in one text."""
        a, more = _cut(a, self._most)
        return Pair(_parts(a, [], self.boilerplate(a), self._fold) + more, [], [])

    def boilerplate(self, text: str) -> list[tuple[int, int]]:
        """Find what is boilerplate in a text, where it begins and ends: what the run learned, and lines like menus."""
        if not self._settings.weighs:
            return []
        spans, size = find_spans(text, "word"), self._settings.shingle_size
        count = len(spans.starts)
        learned = np.zeros(count, np.bool_)
        learned[self._learned(text)] = True
        inside = _covered(learned, size, count) | ~spans.main_content
        edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
        return list(zip(spans.starts[edges[::2]].tolist(), spans.ends[edges[1::2] - 1].tolist(), strict=True))

    def lost(self, a: str, b: str, words: int) -> list[str]:
        """Find the words of a that would be lost with it if b stayed: runs of them, the longest first.

        `words` is how many there are (the column `lost`). Where there are more that are neither in b nor boilerplate,
        the others are furniture of a page: only those in lines that both have, and of its other texts, are meant.
        """
        spans, size = find_spans(a, self._settings.unit), self._settings.shingle_size
        mine, theirs = (self._shingles(text) for text in (a, b))
        count = len(spans.starts)
        shared = np.isin(mine & HASH, theirs & HASH)
        own, told = ~_covered(shared, size, count), _covered(np.isin(mine & HASH, self._boilerplate), size, count)
        if count <= removal.SHORT and shared.any():  # there boilerplate counts, between what is shared (`side_weights`)
            told[slice(*np.flatnonzero(shared)[[0, -1]])] = False
        new = own & ~told
        if words < new.sum():
            begins = np.zeros(count, np.bool_)
            begins[: len(mine)] = mine & LINE_START != 0
            line = np.cumsum(begins)
            edited = 2 * np.bincount(line, own) <= np.bincount(line)
            of_page = new & (edited | _in_texts(mine, theirs, line, own, new))[line]
            # A word that is two in the other document is not lost, so that neither count need be that of the words.
            new = min(new, of_page, key=lambda some: abs(int(some.sum()) - words))
        edges = np.flatnonzero(np.diff(np.concatenate([[False], new, [False]])))
        runs = sorted(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True), key=lambda run: run[0] - run[1])
        return [a[int(spans.starts[first]) : int(spans.ends[last - 1])] for first, last in runs]

    def _shingles(self, text: str) -> Hashes:
        """Return the shingles of a text, with their marks."""
        return marked_shingles(pa.array([clean(text)], pa.large_string()), np.arange(1), self._settings).values

    def _learned(self, text: str) -> Int:
        """Find the shingles of a text that the run learned are boilerplate: their places."""
        if not len(self._boilerplate):
            return np.empty(0, np.int64)
        hashes = self._known.get(text)
        if hashes is None:
            hashes = self._shingles(text) & HASH
        place = np.searchsorted(self._boilerplate, hashes)
        return np.flatnonzero(np.append(self._boilerplate, ~np.uint64(0))[place] == hashes)


def _in_texts(
    mine: Hashes, theirs: Hashes, line: NDArray[Any], own: NDArray[np.bool_], new: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark the lines of a page that are of texts, and no furniture: bool[lines], given the line of each word."""
    length = line_length(theirs, np.empty(LONG_LINE + 1, np.int64))
    ends = np.cumsum(np.bincount(line)).tolist()
    marked, text, begin, first = np.zeros(len(ends), np.bool_), OwnText(0, 0, 0), 0, 0
    counts = zip(ends, *(np.bincount(line, words).astype(int).tolist() for words in (own, new)), strict=True)
    for number, (end, of_own, of_new) in enumerate(counts):
        first = first if text.new else number
        text = with_line(text, mine, begin, end, of_own, of_new, length)
        marked[first : number + 1] |= text.shorter == 0 and is_no_furniture(text, length)
        begin = end
    return marked


def _covered(shingles: NDArray[np.bool_], size: int, count: int) -> NDArray[np.bool_]:
    """Mark the words that are in any of the shingles that are marked: bool[count]."""
    first = np.flatnonzero(shingles)
    turns = np.zeros(count + 1, np.int64)
    np.add.at(turns, first, 1)
    np.add.at(turns, np.minimum(first + size, count), -1)
    return np.cumsum(turns[:-1]) > 0


def _cut(text: str, most: int) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the beginning of a text, and what more there is of it, folded."""
    text = text.replace("\r\n", "\n")
    rest = text[most:]
    if len(rest) > REST:
        return text[:most], [(FOLDED, UNSEEN, f"{len(rest):,}")]
    return text[:most], [(HIDDEN, UNSEEN, escape_for_page(rest))] if rest else []


class _Run(NamedTuple):
    """A passage in one of its texts: where it begins and ends, and where what is equal does (int64[n, 2])."""

    start: int
    end: int
    equal: Int


def _parts(
    text: str, passages: list[_Run], boilerplate: list[tuple[int, int]], fold: int
) -> list[tuple[int, int, str]]:
    """Cut a text where anything begins or ends. Where passages overlap, the first has what both have."""
    number = np.full(len(text) + 1, -1, np.int32)
    role = np.zeros(len(text) + 1, np.int32)
    for place in reversed(range(len(passages))):
        start, end, equal = passages[place]
        number[start:end], role[start:end] = place, SHARED
        for first, last in zip(equal[:-1, 1].tolist(), equal[1:, 0].tolist(), strict=True):
            if any(map(str.isalnum, text[first:last])):  # and not just what stands between words
                role[first:last] |= CHANGED
    for start, end in boilerplate:
        role[start:end] |= BOILERPLATE
    number[-1] = -2
    cuts = [0, *(np.flatnonzero((np.diff(number) != 0) | (np.diff(role) != 0)) + 1).tolist()]
    found: list[tuple[int, int, str]] = []
    for start, end in pairwise(cuts):
        found += _folded(int(role[start]), int(number[start]), text[start:end], fold)
    return found


def _folded(role: int, number: int, text: str, fold: int) -> list[tuple[int, int, str]]:
    """Fold the middle of a long part, between words if there are any near."""
    if len(text) <= fold:
        return [(role, number, escape_for_page(text))]
    start, end = fold // 3, len(text) - fold // 3
    start -= next((back for back in range(WORD_END) if text[start - back].isspace()), 0)
    end += next((on for on in range(WORD_END) if text[end + on - 1].isspace()), 0)
    return [
        (role, number, escape_for_page(text[:start])),
        (role | HIDDEN, number, escape_for_page(text[start:end])),
        (role, number, escape_for_page(text[end:])),
    ]
