import textwrap

import numpy as np
import pytest
from generated_sites import LANGUAGES, Writer

from dupdetect.text.main_content import (
    ITEM,
    LINE_START,
    OF_MAIN_CONTENT,
    SYMBOLS,
    halves,
    line_marks,
    main_content,
    main_content_shingles,
    shingle_marks,
)
from dupdetect.text.words import words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n \n", " 😀\n"])
def test_menus_are_told_from_sentences(language, end):
    writer = Writer(language, "lines")
    menu, story = writer.menu(10), writer.paragraph(40)
    marks = main_content("\n".join([menu, story, menu]).replace("\n", end))
    count = len(words(story))
    before = len(words(menu))
    assert marks[before : before + count].all()
    assert not marks[: len(words("\n".join(menu.split("\n")[:8])))].any()
    assert not marks[-len(words("\n".join(menu.split("\n")[2:]))) :].any()


def test_lines_broken_to_a_width_are_main_content():
    menu, story = "\n".join(["Home", "News", "Sport"] * 4), Writer("en", "wrapped").paragraph(60)
    assert main_content(f"{menu}\n{story}").sum() == 60 + 2  # the two lines above it are next to it
    broken = main_content(f"{menu}\n{textwrap.fill(story, 72)}")
    assert not broken[:10].any()
    assert broken[12:-12].all()


@pytest.mark.parametrize("text", ["", "\n\n", "!!!\n…", "😀"])
def test_texts_without_words_have_no_marks(text):
    assert main_content(text).tolist() == []


@pytest.mark.parametrize("text", ["word", "语", "one\ntwo\nthree", "la la la\n" * 40])
def test_where_no_line_is_main_content_all_are(text):
    assert main_content(text).tolist() == [True] * len(words(text))


def test_twenty_four_words_in_three_lines_are_main_content():
    story, blank = "word " * 40, "\nx\nx\nx\n"
    for row, expected in (("word " * 8, True), ("word " * 7, False), ("漢" * 16, True), ("漢" * 15, False)):
        lines = f"{row}\n\n{row}\n\n{row}"
        marks = main_content(f"{story}{blank}{lines}{blank}{story}")
        middle = len(marks) // 2
        assert marks[middle] == expected


def test_a_character_of_three_bytes_is_half_a_word():
    assert [halves(word) for word in ("語", "ไ", "𠀀", "a", "é", "ab", "東京")] == [1, 1, 1, 2, 2, 2, 2]


def test_a_shingle_of_main_content_holds_a_word_of_main_content():
    marks = np.array([False, False, True, False, False, False])
    assert main_content_shingles(marks, 2).tolist() == [False, True, True, False, False]
    assert main_content_shingles(marks, 9).tolist() == [True]
    assert main_content_shingles(marks[:0], 2).tolist() == []


def symbols(text):
    """Say of each line whether it has many symbols, as its first word has it."""
    return [bool(mark & SYMBOLS) for mark in line_marks(text) if mark & LINE_START]


def items(text):
    """Say of each line of several words whether it is an item of a menu, as its other words have it."""
    marks = np.split(found := line_marks(text), np.flatnonzero(found & LINE_START))[1:]
    lines = [{bool(mark & ITEM) for mark in line[1:]} for line in marks]
    assert all(len(line) < 2 for line in lines)
    return [line.pop() if line else None for line in lines]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("def total(x):", True),  # three symbols, three words
        ("return sum(x)", False),
        ("x = {1, 2, 3};", True),
        ("| 12.5 | 13.0 |", True),
        ("She said: no, never!", False),
        ("Главная | Погода", False),
        ("首页｜新闻", False),  # each of these characters is half a word
        ("首｜新", True),
        ("😀 one", True),
        ("a\0\t\x0b\x0c b", False),  # blanks are no symbols
        ("a\x1cb\x85", True),
        ("... one two three", True),
        ("…", None),  # normalised to three full stops, but without words
    ],
)
def test_a_line_has_many_symbols_if_as_many_as_words(line, expected):
    """Of its normalised characters."""
    assert symbols(line) == ([] if expected is None else [expected])


def test_symbols_of_lines_without_words_are_nobodys():
    assert symbols("one two\n(((((\n{}{}{}\nthree four") == [False] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("About us\nAll the news\nSport", [True, False, None]),
        ("Новости дня\nВсе новости дня", [True, False]),
        ("国际新闻天气\n今日天气预报。请", [True, False]),  # three of these characters are a word
        ("お問い合わせ\nトップページへ", [True, False]),
        ("ข่าววันนี้ๆ\nพยากรณ์อากาศวัน", [True, False]),  # and six of these
        ("खेल समाचार\nआज की खबर", [True, False]),
        ("أخبار اليوم\nكل أخبار اليوم", [True, False]),
        ("新聞紙 one\n新聞紙面 one\n新 one two", [True, False, False]),
        ("😀 Good morning 😀", [True]),
        ("", []),
    ],
)
def test_an_item_of_a_menu_has_two_words_at_most(text, expected):
    assert items(text) == expected


def test_the_first_word_of_each_line_is_marked():
    starts = [bool(mark & LINE_START) for mark in line_marks("\n\none two\n!\nthree\r\n\r\n漢字\nfour five")]
    assert starts == [True, False, True, True, False, True, False]


def test_marks_have_main_content_as_defined():
    text = "Home\nNews\n" + "word " * 40 + "\nx\ny\nz\n"
    assert [bool(mark & OF_MAIN_CONTENT) for mark in line_marks(text)] == main_content(text).tolist()


def test_a_shingle_has_the_line_of_its_first_word():
    marks = line_marks("Home\nNews\n" + "word " * 30 + "\nf(x) = y;\n")
    assert len(marks) == 35
    made = shingle_marks(marks, 3)
    assert len(made) == 33
    assert [bool(mark & LINE_START) for mark in made.tolist()] == [
        bool(mark & LINE_START) for mark in marks[:33].tolist()
    ]
    assert [bool(mark & SYMBOLS) for mark in made.tolist()] == [False] * 32 + [True]
    assert made[0] & OF_MAIN_CONTENT
