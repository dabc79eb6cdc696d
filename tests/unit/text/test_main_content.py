import textwrap

import numpy as np
import pytest
from generated_sites import LANGUAGES, Writer

from dupdetect.text.main_content import halves, main_content, main_content_shingles
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
