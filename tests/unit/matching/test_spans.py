from __future__ import annotations

import pytest

from dupdetect.matching.spans import find_spans
from dupdetect.text.clean import clean
from dupdetect.text.main_content import main_content
from dupdetect.text.words import words


def slices(text: str, unit: str = "word") -> list[str]:
    spans = find_spans(text, unit)
    return [text[start:end] for start, end in zip(spans.starts, spans.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("... !", []),
        ("One, TWO three", ["One", "TWO", "three"]),
        ("Straße… ½ cup", ["Straße", "½", "½", "cup"]),  # of one character, two words
        ("an exam-\n  ple of soft\u00adness", ["an", "exam-\n  ple", "of", "soft\u00adness"]),
        ("zero\u200bwidth \ufeffmark", ["zero\u200bwidth", "mark"]),
        ("e\u0301te\u0301 a\u0323\u0302", ["e\u0301te\u0301", "a\u0323\u0302"]),
        ("東京2025年", ["東", "京", "2025", "年"]),
        ("ガ か\u3099", ["ガ", "か\u3099"]),
        ("ｶﾞｲﾄﾞ", ["ｶﾞ", "ｲ", "ﾄﾞ"]),
        ("น้ำ", ["น", "้", "ำ", "ำ"]),
        ("مُحَمَّـــد هنا", ["مُحَمَّـــد", "هنا"]),
        ("ﷺ", ["ﷺ"] * 4),
        ("क्षेत्र क\u093cलम", ["क्षेत्र", "क\u093cलम"]),
        ("Съешь же ещё", ["Съешь", "же", "ещё"]),
        ("\u1112\u1161\u11ab 한글", ["\u1112\u1161\u11ab", "한글"]),
        ("😀 so 👩‍👩‍👧 so", ["so", "so"]),
    ],
)
def test_a_word_knows_the_characters_it_was_made_of(text: str, found: list[str]) -> None:
    assert slices(text) == found
    assert len(found) == len(words(clean(text)))


def test_where_the_unit_is_a_character_each_is_a_word() -> None:
    assert slices("An e\u0301-\nté ½!", "character") == ["A", "n", "e\u0301", "t", "é", "½", "½", "½"]
    assert find_spans("An", "character").main_content.all()


def test_equal_words_have_equal_hashes_whatever_they_look_like() -> None:
    hashes = find_spans("STRASSE straße ﬁn fin other").hashes.tolist()
    assert hashes[0] == hashes[1]
    assert hashes[2] == hashes[3]
    assert len(set(hashes)) == 3


def test_main_content_is_what_lines_say_it_is() -> None:
    text = "Home\nNews\nSport\n\n" + "It rained on the whole of the island for a week, " * 3 + "\nPrivacy\nTerms\n"
    assert find_spans(text).main_content.tolist() == main_content(text).tolist()
    assert set(main_content(text).tolist()) == {False, True}


def test_characters_of_scripts_without_spaces_are_told() -> None:
    assert find_spans("東 abc ไ 3").alone.tolist() == [True, False, True, False]
