"""A text to its lines: which of its words stand in sentences, and which in menus and lists.

Input    a text (str)
Output   for each of its words, whether it is of main content (bool[words]), and marks of its line (uint8[words])
Cost     O(length of the text)

Menus, tickers, bylines and lists of links are short lines among short lines; sentences are long, or where lines are
broken to a width, fill them. So a line is *main content* if it and two lines next to it hold `MAIN_CONTENT` words
together; lines without words do not count as lines. A character that is a word on its own is half a word here. Where no
line is main content all are: a poem, a chat or a single sentence is what its page is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect.text.words import WORD, normalize, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Words that three lines of main content have together.
MAIN_CONTENT = 24

#: Marks of a word: it is of main content; it begins a line; of the first word of a line, that this has as many symbols
#: as words, or more; of every other word, that its line holds `ITEM_WORDS` at most.
OF_MAIN_CONTENT, LINE_START, SYMBOLS = 1, 4, 8
ITEM = SYMBOLS

#: How many of the lowest bits of a shingle's hash are its marks. One is left between those above: whether the shingle
#: is a repeat, which is known later (`dupdetect.matching.shingle_rows`).
MARK_BITS = 4

#: Words of a line that may be an item of a menu.
ITEM_WORDS = 2

#: What a word counts for in the size of such a line; a character that is a word on its own, of Han, Kana and the like,
#: whose words have some two or three; and one of Thai, Khmer and the like, whose words have some five.
WORD_SIZE, CHARACTER_SIZE, LETTER_SIZE = 6, 2, 1

#: What is neither a word nor a symbol.
BLANKS = "\0 \t\n\r\x0b\x0c"

#: The first character whose UTF-8 has three bytes: those of the scripts written without spaces. And the first behind
#: those of these scripts that have letters.
THREE_BYTES, BEYOND_LETTERS = "\u0800", "\u2000"


def main_content(text: str) -> NDArray[np.bool_]:
    r"""Mark the words of a text that are of main content: bool[len(words(text))].

    Examples
    --------
    >>> menu, story = "Home\nNews\nSport\n", "It rained on the whole of the island for a week, and then it rained again"
    >>> main_content(menu + story + ", until the ferries stopped and even the gulls went home.").tolist()[:3]
    [False, True, True]
    """
    lines = [row for row in map(words, text.split("\n")) if row]
    # Two lines that are not there on either side, so that each line has its three threes.
    sizes = np.array([0, 0, *(sum(map(halves, row)) for row in lines), 0, 0])
    threes = sizes[:-2] + sizes[1:-1] + sizes[2:]
    fullest = np.maximum(np.maximum(threes[:-2], threes[1:-1]), threes[2:])
    full = fullest >= 2 * MAIN_CONTENT
    return np.repeat(full if full.any() else ~full, [len(row) for row in lines])


def line_marks(text: str) -> NDArray[np.uint8]:
    r"""Mark the words of a text by their lines: uint8[len(words(text))], of the marks above.

    A symbol is any character of the normalised line that is of no word and no blank. Code has as many as words, and so
    have tables of figures; menus, verse and sentences have few.

    Examples
    --------
    >>> line_marks("def total(x):\n    return x\n").tolist()
    [13, 1, 1, 5, 9]
    """
    marks = main_content(text) * np.uint8(OF_MAIN_CONTENT)
    first = 0
    for line in map(normalize, text.split("\n")):
        row = WORD.findall(line)
        if row:
            symbols = sum(character not in BLANKS for character in WORD.sub("", line))
            marks[first] |= np.uint8(LINE_START | SYMBOLS * (2 * symbols >= sum(map(halves, row))))
            is_item = sum(map(_size, row)) <= ITEM_WORDS * WORD_SIZE
            marks[first + 1 : first + len(row)] |= np.uint8(ITEM * is_item)
            first += len(row)
    return marks


def halves(word: str) -> int:
    """Return how many half words a word counts for: one if it is a single character of three bytes or more, else two.

    >>> halves("word"), halves("語")
    (2, 1)
    """
    return 1 if len(word) == 1 and word >= THREE_BYTES else 2


def _size(word: str) -> int:
    """Return what a word counts for in the size of a line that may be an item of a menu."""
    if halves(word) == 2:
        return WORD_SIZE
    return LETTER_SIZE if word < BEYOND_LETTERS else CHARACTER_SIZE


def main_content_shingles(of_main_content: NDArray[np.bool_], shingle_size: int) -> NDArray[np.bool_]:
    """Mark the shingles that hold a word of main content: bool[max(words - shingle_size + 1, 1)]; of no words, none.

    >>> main_content_shingles(np.array([False, False, True, False]), 2).tolist()
    [False, True, True]
    """
    size = min(shingle_size, len(of_main_content))
    if size == 0:
        return np.empty(0, np.bool_)
    windows = np.lib.stride_tricks.sliding_window_view(of_main_content, size)
    return np.asarray(windows.any(axis=1))


def shingle_marks(marks: NDArray[np.uint8], shingle_size: int) -> NDArray[np.uint64]:
    """Return the marks of shingles: those of their first word, and `OF_MAIN_CONTENT` where any of their words has it.

    >>> shingle_marks(np.array([4, 0, 1, 8], np.uint8), 2).tolist()
    [4, 1, 1]
    """
    of_main_content = main_content_shingles((marks & OF_MAIN_CONTENT).astype(np.bool_), shingle_size)
    others = marks[: len(of_main_content)] & np.uint8(LINE_START | SYMBOLS)
    return (others | of_main_content * np.uint8(OF_MAIN_CONTENT)).astype(np.uint64)
