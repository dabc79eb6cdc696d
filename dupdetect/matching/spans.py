"""Text to words and where they stand in it.

Input    a text (str), as it was written, and what a word is to be
Output   `Spans`: for each word the characters that it was made of, its hash, whether it is of main content
Cost     O(length of the text): some 20 MB/s; a table of characters (0.3 s, once) where normalisation moves any

Words are cut from a text that has been cleaned, normalised and casefolded (`dupdetect.text.clean` and
`dupdetect.text.words`); each of these may take characters away, or make several of one and one of several. What became
of each character is kept beside, so that every word knows where it came from. Words that came from one character ("½"
is "1" and "2") have the same span.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import regex

from dupdetect._compiled import kernels
from dupdetect.matching.shingle_rows import HASH, MAIN_CONTENT
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import buffers, marked_shingles
from dupdetect.text.clean import BREAK, UNSEEN, VEILED, left_of
from dupdetect.text.words import LONE_CHARACTER, PATTERNS, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Codes = NDArray[np.uint32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]
    Bool = NDArray[np.bool_]

SOFT = regex.compile("\u00ad")

#: Marks and the like that cleaning takes away.
POINTS = regex.compile(rf"[[\p{{M}}\p{{Lm}}]&&{UNSEEN.pattern}]", regex.V1)

#: What a character is: none of a word, one of a longer word, a word on its own.
BETWEEN, PART, ALONE = range(3)


class Spans(NamedTuple):
    """The words of a text, n of them, in reading order.

    Attributes
    ----------
    starts, ends : int64[n]
        Word i was made of ``text[starts[i]:ends[i]]``.
    hashes : uint64[n]
        Equal where words are.
    alone : bool[n]
        Whether it is a character of a script that is written without spaces.
    main_content : bool[n]
        Whether it stands in a sentence, and not in a menu (`dupdetect.text.main_content`); all, where the unit is a
        character.
    """

    starts: Int
    ends: Int
    hashes: Hashes
    alone: Bool
    main_content: Bool


@lru_cache(maxsize=2)  # two texts are often looked at in several ways
def find_spans(text: str, unit: str = "word") -> Spans:
    r"""Find the words of a text.

    Parameters
    ----------
    text : str
        Without lone surrogates.
    unit : str
        "word" or "character", as `dupdetect.text.words.words` has it.

    Returns
    -------
    Spans
        As many as ``words(clean(text), unit)`` has, one for each.

    Examples
    --------
    >>> text = "Two ﬁsh-\nes"
    >>> spans = find_spans(text)
    >>> [text[start:end] for start, end in zip(spans.starts, spans.ends)]
    ['Two', 'ﬁsh-\nes']
    """
    cleaned = _cleaned(_Trace.of(text))
    folded = _folded(cleaned)
    codes = _codes(folded.text)
    classes = _classes(codes, unit)
    if unit == "character":
        first = last = np.flatnonzero(classes)
        hashes, main_content = codes[first].astype(np.uint64), np.ones(len(first), np.bool_)
    else:
        part = classes == PART
        before, after = np.append(False, part[:-1])[: len(part)], np.append(part[1:], False)[: len(part)]
        first = np.flatnonzero((classes == ALONE) | part & ~before)
        last = np.flatnonzero((classes == ALONE) | part & ~after)
        marked = _marked(cleaned.text)
        hashes, main_content = marked & HASH, marked & MAIN_CONTENT != 0
    ends = folded.last[last]
    if cleaned.text != text:
        ends = _with_points(text)[ends]
    return Spans(folded.first[first], ends, hashes, classes[first] == ALONE, main_content)


def _with_points(text: str) -> Int:
    """Return where a word ends, its last letter's points with it, that ends at each place of a text: int64[n + 1].

    Cleaning takes points away; what is cut from a text keeps them.
    """
    places = np.arange(len(text) + 1)
    places[[match.start() for match in POINTS.finditer(text)]] = len(text)
    return np.minimum.accumulate(places[::-1])[::-1]


class _Trace(NamedTuple):
    """A text and where it came from: its character i was made of ``[first[i]:last[i]]`` of another."""

    text: str
    first: Int
    last: Int

    @classmethod
    def of(cls, text: str) -> _Trace:
        places = np.arange(len(text) + 1)
        return cls(text, places[:-1], places[1:])

    def rewritten(self, text: str, starts: Int, ends: Int, sizes: Int) -> _Trace:
        """Return the trace of a text in which each piece [starts[i]:ends[i]] has become sizes[i] characters."""
        if len(starts) == 0:
            return self._replace(text=text)
        count = np.ones(len(self.text) + 1, np.int64)
        inside = np.zeros(len(self.text) + 1, np.int64)
        np.add.at(inside, starts, 1)
        np.add.at(inside, ends, -1)
        count[np.cumsum(inside) > 0] = 0
        count[-1] = 0
        count[starts] = sizes
        last = np.arange(1, len(self.text) + 2)
        last[starts] = ends
        made = np.repeat(np.arange(len(count)), count)
        return _Trace(text, self.first[made], self.last[last[made] - 1])


def _cleaned(trace: _Trace) -> _Trace:
    """Take away what `clean.clean` does."""
    if not trace.text.isascii():
        found = [(*match.span(), len(left_of(match))) for match in VEILED.finditer(trace.text)]
        if found:
            trace = trace.rewritten(VEILED.sub(left_of, trace.text), *_columns(found))
    for pattern in (BREAK, SOFT):
        found = [(*match.span(), 0) for match in pattern.finditer(trace.text)]
        if found:
            trace = trace.rewritten(pattern.sub("", trace.text), *_columns(found))
    return trace


def _columns(rows: Iterable[tuple[int, int, int]]) -> Int:
    return np.array(list(rows), np.int64).reshape(-1, 3).T


def _folded(trace: _Trace) -> _Trace:
    """Normalise and casefold; what `words.normalize` does."""
    text, folded = trace.text, normalize(trace.text)
    if len(folded) == len(text) and unicodedata.is_normalized("NFKC", text):
        return trace._replace(text=folded)  # casefolding leaves of each character one at least
    codes = _codes(text)
    starts, tangled = _segments(codes)
    ends = np.append(starts[1:], len(codes))
    # Characters that make another number of characters, each on its own; and segments that only make sense whole.
    sizes = _sizes(codes)
    sizes[np.repeat(tangled, ends - starts)] = 1
    single = np.flatnonzero(sizes != 1)
    whole: dict[str, int] = {}
    pieces = [text[start:end] for start, end in zip(starts[tangled].tolist(), ends[tangled].tolist(), strict=True)]
    for piece in set(pieces):
        whole[piece] = len(normalize(piece))
    made = np.array([whole[piece] for piece in pieces], np.int64)
    return trace.rewritten(
        folded,
        np.concatenate([single, starts[tangled]]),
        np.concatenate([single + 1, ends[tangled]]),
        np.concatenate([sizes[single], made]),
    )


def _segments(codes: Codes) -> tuple[Int, Bool]:
    """Return where segments begin, which are normalised each on its own, and whether their characters are not.

    See `dupdetect._compiled.unicode_tables`.
    """
    from dupdetect._compiled import unicode_tables as characters

    tables = characters.load()
    page = tables.pages[codes >> characters.PAGE_BITS].astype(np.int64)
    entries = tables.entries[page << characters.PAGE_BITS | codes & ((1 << characters.PAGE_BITS) - 1)]
    lead, trail = entries >> characters.LCCC_SHIFT & 255, entries >> characters.TCCC_SHIFT & 255
    before = np.append(0, trail[:-1])
    moved = (lead == characters.IRREGULAR) | (lead > 0) & (lead < before)
    head = lead == 0
    head[:1] = True
    starts = np.flatnonzero(head)
    return starts, np.logical_or.reduceat(moved, starts) if len(starts) else np.empty(0, np.bool_)


def _sizes(codes: Codes) -> Int:
    """Return how many characters each is, normalised and casefolded."""
    sizes = np.ones(0x110000, np.uint8)
    for code in _distinct(codes):
        sizes[code] = len(normalize(chr(code)))
    return sizes[codes].astype(np.int64)


def _classes(codes: Codes, unit: str) -> Byte:
    """Return what each character is."""
    classes, part = np.zeros(0x110000, np.uint8), PATTERNS[unit]
    for code in _distinct(codes):
        character = chr(code)
        classes[code] = ALONE if LONE_CHARACTER.match(character) else PART if part.match(character) else BETWEEN
    return classes[codes]


def _distinct(codes: Codes) -> list[int]:
    seen = np.zeros(0x110000, np.bool_)
    seen[codes] = True
    return np.flatnonzero(seen).tolist()


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le"), np.dtype("<u4"))


def _marked(text: str) -> Hashes:
    """Return the hash of each word, with the marks of its line in the lowest bits (`shingle_rows`)."""
    import pyarrow as pa

    texts = pa.array([text], pa.large_string())
    blocks = sys.modules.get("dupdetect._compiled.blocks")
    if blocks is not None and blocks.marked_block.signatures:  # loaded already: thirty times as fast
        return next(kernels.marked(*buffers(texts), np.arange(1), lambda _, values: values, shingle_size=1, workers=1))
    return marked_shingles(texts, np.arange(1), Settings(shingle_size=1)).values
