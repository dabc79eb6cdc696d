"""A text to its main content: which of its words stand in sentences, and which in menus and lists.

Input    a text (str)
Output   for each of its words, whether it is of main content (bool[words])
Cost     O(length of the text)

Menus, tickers, bylines and lists of links are short lines among short lines; sentences are long, or where lines are
broken to a width, fill them. So a line is *main content* if it and two lines next to it hold `MAIN_CONTENT` words
together; lines without words do not count as lines. A character that is a word on its own is half a word here. Where no
line is main content all are: a poem, a chat or a single sentence is what its page is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect.text.words import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Words that three lines of main content have together.
MAIN_CONTENT = 24

#: The first character whose UTF-8 has three bytes: those of the scripts written without spaces.
THREE_BYTES = "\u0800"


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


def halves(word: str) -> int:
    """Return how many half words a word counts for: one if it is a single character of three bytes or more, else two.

    >>> halves("word"), halves("語")
    (2, 1)
    """
    return 1 if len(word) == 1 and word >= THREE_BYTES else 2


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
