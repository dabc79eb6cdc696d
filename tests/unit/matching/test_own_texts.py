"""What of a page's own lines is a text, and what is furniture."""

import numpy as np

from dupdetect.matching.own_lines import SENTENCE
from dupdetect.matching.own_texts import (
    ARTICLE,
    LEAST_LINE,
    LINES,
    LONG_LINE,
    MANY,
    OwnText,
    is_no_furniture,
    with_line,
)
from dupdetect.matching.own_texts import line_length as measured
from dupdetect.matching.shingle_rows import LINE_START, SYMBOLS

#: How long the lines of the article are; and where they are long.
LENGTH, LINE = 30, 90


def row(*lines: int, marks: int = 0) -> np.ndarray:
    """Make a row of shingles of lines of so many words."""
    starts = np.cumsum([0, *lines])
    made = np.full(starts[-1], marks, np.uint64)
    made[starts[:-1]] |= LINE_START
    return made


def lines(*of: tuple[int, int, int], length: int = LENGTH, marks: int = 0) -> list[bool]:
    """Read lines, given how many words each has, how many of them are own, and new; say after each if it is a text."""
    text, begin, found = OwnText(0, 0, 0), 0, []
    whole = row(*(words for words, _, _ in of), marks=marks)
    for words, own, new in of:
        text = with_line(text, whole, begin, begin + words, own, new, length)
        found.append(is_no_furniture(text, length))
        begin += words
    return found


def own(words: int) -> tuple[int, int, int]:
    return words, words, words


def test_lines_as_long_as_the_article_s_are_a_text():
    assert lines(*[own(40)] * 3) == [False, False, True]
    assert lines(*[own(40)] * 2, own(LENGTH - 1)) == [False, False, False]
    assert lines(*[own(LINE)] * (LINES + 1), length=LINE) == [*[False] * LINES, True]
    assert lines(*[own(8)] * (ARTICLE // 8 + 1), length=8)[-2:] == [False, True]


def test_many_sentences_are_a_text_however_long_the_article_s_lines_are():
    many = MANY // SENTENCE + 1
    assert lines(*[own(SENTENCE)] * many)[-2:] == [False, True]
    assert not any(lines(*[own(SENTENCE - 1)] * 4 * many))


def test_one_shorter_line_may_stand_between_two():
    assert lines(own(60), own(2), own(60)) == [False, False, True]
    assert not any(lines(own(60), own(2), own(2), own(60)))


def test_what_is_shared_or_boilerplate_ends_a_text():
    assert not any(lines(own(60), (40, 20, 20), own(60)))
    assert not any(lines(own(60), (40, 40, 20), own(60)))


def test_lines_of_symbols_are_of_no_text():
    assert not any(lines(*[own(40)] * 9, marks=int(SYMBOLS)))


def test_how_long_the_lines_of_an_article_are():
    counts = np.empty(LONG_LINE + 1, np.int64)
    assert measured(row(10, 20, 30, 40), counts) == 20
    assert measured(row(*[11] * 40), counts) == 11
    assert measured(row(3, 3), counts) == LEAST_LINE
    assert measured(row(3000), counts) == LONG_LINE
    assert measured(row(), counts) == LEAST_LINE
