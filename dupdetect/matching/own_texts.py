"""Whole texts of its own that a page has, beside the one that it carries.

Input    the lines of a document one after the other, how much of each is its own and new, and the other document
Output   `OwnText`: what lines that follow one another have together, and whether that is no furniture
Cost     of a line constant; of the other document a pass over its shingles

Furniture are many lines, and they tell of the page what it is (`own_lines`). What stands among them may be another
article, or what readers say of this one, and is lost with the page if only the article stays: lines that follow one
another, of `SENTENCE` words or more, or of fewer if those of the article have fewer. One shorter line may stand between
two, such as a heading, or who says it and when. They are a text, and no ticker or teasers, if those as long as the
article's have more than `ARTICLE` new words, and more than `LINES` such lines, or all of them more than `MANY`,
and than `LINES`: in scripts without spaces each character is a word, and lines have more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.own_lines import SENTENCE
from dupdetect.matching.shingle_rows import LINE_START, SYMBOLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

#: Words of a line that may be of a text at least, however short the lines of the article are, and from which on it is
#: as long as any; more than any line has: no text is looked for.
LEAST_LINE, LONG_LINE, NO_LINE = 8, 160, 1 << 40

#: New words of a text, in lines as long as the article's, and in all; and of how many lines of the article, each.
ARTICLE, MANY = 64, 192
LINES = 3


class OwnText(NamedTuple):
    """What lines that follow one another have.

    Attributes
    ----------
    new : int
        New words.
    alike : int
        Those of them in lines as long as the article's.
    shorter : int
        Shorter lines since the last one.
    """

    new: int
    alike: int
    shorter: int


@compilable_helper
def with_line(text: OwnText, row: Hashes, begin: int, end: int, own: int, new: int, length: int) -> OwnText:
    """Return a text with the line behind it, ``row[begin:end]``, of which so many words are own, and new.

    `length` is that of the article's lines (`line_length`). Of a line most of whose words are shared, or boilerplate,
    nothing goes on, nor of one that has many symbols.
    """
    words = end - begin
    is_own = 2 * own > words
    if is_own and 2 * new > words >= min(length, SENTENCE) and (begin >= len(row) or not row[begin] & SYMBOLS):
        return OwnText(text.new + new, text.alike + (new if words >= length else 0), 0)
    if is_own and words < min(length, SENTENCE) and text.shorter == 0:
        return OwnText(text.new, text.alike, 1)
    return OwnText(0, 0, 0)


@compilable_helper
def is_no_furniture(text: OwnText, length: int) -> bool:
    """Whether what a page has of its own is a text, and no furniture, given the length of the article's lines."""
    return text.alike > max(ARTICLE, LINES * length) or text.new > max(MANY, LINES * length)


@compilable_helper
def line_length(row: Hashes, counts: Int) -> int:
    """Return how many words lines have, so that these and longer ones hold three quarters of a document.

    That is from `LEAST_LINE` to `LONG_LINE`; `counts` is a buffer of `LONG_LINE` and one.
    """
    counts[:] = 0
    begin = 0
    for word in range(1, len(row) + 1):
        if word == len(row) or row[word] & LINE_START:
            counts[min(word - begin, LONG_LINE)] += word - begin
            begin = word
    length, below = 0, 0
    while length < LONG_LINE and 4 * (below + counts[length]) < len(row):
        below += counts[length]
        length += 1
    return max(length, LEAST_LINE)
