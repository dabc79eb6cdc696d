import unicodedata

import oracles
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dupdetect.settings import UNITS
from dupdetect.text.words import PATTERNS, SCRIPTS_WITHOUT_SPACES, normalize, words

# Characters of every kind, so that short texts mix scripts, marks, case, widths and what is no word.
MIXED = st.text(alphabet="aBéßÅﬁ１٣९_' .-\n\x00漢かカﾊﾟ한กิຂខម่русЖعَدहिंि😀👩‍💻\u200d\u0301\ufeffİǅΣς½Ⅷ", max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n ... !? -- ", []),
        ("Word", ["word"]),
        ("The FIrst Draft, again!", ["the", "first", "draft", "again"]),
        ("don't e-mail snake_case", ["don", "t", "e", "mail", "snake_case"]),
        ("3.14 and 1,000", ["3", "14", "and", "1", "000"]),
        ("Straße ﬁnde ＡＢＣ １２", ["strasse", "finde", "abc", "12"]),
        ("北京欢迎你。", ["北", "京", "欢", "迎", "你"]),
        ("東京タワーへ行くABC社", ["東", "京", "タ", "ワ", "ー", "へ", "行", "く", "abc", "社"]),
        ("สวัสดี", list("สวัสดี")),
        ("ສະບາຍ", list("ສະບາຍ")),
        ("សួស្តី", list("សួស្តី")),
        ("မြန်မာ", list("မြန်မာ")),
        ("السلام عليكم، مرحبا", ["السلام", "عليكم", "مرحبا"]),
        ("كِتَاب", ["كِتَاب"]),
        ("Привет, МИР!", ["привет", "мир"]),
        ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("😀 😀😀 👍🏽 ☃", []),
        ("a😀b", ["a", "b"]),
        ("nul\x00byte", ["nul", "byte"]),
        ("\ufeffmark", ["mark"]),
    ],
)
def test_words_of_many_scripts(text, expected):
    assert words(text) == [unicodedata.normalize("NFKC", word) for word in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\n ... !? --", ""),
        ("C++ and C#, 👍 or 👎, -5 € or +5 $", "c++andc👍or👎5€or+5$"),
        ("I", "i"),
        ("Don't e-mail snake_case", "dontemailsnake_case"),
        ("The foun-\ndry, f o u n d", "thefoundryfound"),
        ("Straße ﬁnde ＡＢ １２ ½", "strassefindeab121⁄2"),
        ("北京 ABC 欢迎", "北京abc欢迎"),
        ("สวัสดี ชาว", "สวัสดีชาว"),
        ("مرحبا ﻻ", "مرحبالا"),
        ("Привет, МИР!", "приветмир"),
        ("नमस्ते दुनिया।", "नमस्तेदुनिया"),
        ("한국어 각", "한국어각"),
    ],
)
def test_characters_of_many_scripts(text, expected):
    assert words(text, unit="character") == list(unicodedata.normalize("NFKC", expected))


@given(st.one_of(MIXED, st.text(max_size=30)), st.sampled_from(UNITS))
def test_words_are_those_of_a_scan_by_character(text, unit):
    assert words(text, unit) == oracles.words(text, unit)


@given(st.one_of(MIXED, st.text(max_size=30)))
@example("\ufbc3")  # a symbol of a later Unicode version than Python's
def test_characters_are_those_of_the_words(text):
    found = [character for character in words(text, "character") if not oracles.is_symbol(character)]
    assert found == [character for word in words(text) for character in word]


@given(MIXED)
def test_words_do_not_depend_on_case_width_or_composition(text):
    assert words(unicodedata.normalize("NFKD", text)) == words(unicodedata.normalize("NFKC", text))
    assert words(normalize(text)) == words(text) or normalize(normalize(text)) != normalize(text)


@given(st.lists(st.sampled_from(["one", "漢", "две", "तीन", "ก"])))
def test_words_joined_by_spaces_come_back(cut):
    assert words(" ".join(cut)) == [piece for word in cut for piece in words(word)]


def test_half_and_full_width_katakana_are_the_same_words():
    assert words("ﾊﾟﾝ") == words("パン") == ["パ", "ン"]


def test_scripts_without_spaces_are_known_to_the_regular_expressions():
    assert set(SCRIPTS_WITHOUT_SPACES) == set(oracles.WITHOUT_SPACES)


def test_lone_surrogates_are_passed_over():
    assert words("one\ud800two \udfff") == ["one", "two"]
    assert words("o\ud800ne\udfff", "character") == ["o", "n", "e"]


def test_every_unit_that_settings_take_has_a_pattern():
    assert tuple(PATTERNS) == UNITS


def test_a_huge_word_and_a_huge_text_are_cut():
    assert words("x" * 1_000_000) == ["x" * 1_000_000]
    assert len(words("two words " * 100_000)) == 200_000
    assert words("x" * 1_000_000, "character") == ["x"] * 1_000_000
