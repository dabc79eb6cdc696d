"""What is cleaned and what is left."""

from __future__ import annotations

import unicodedata

import pytest

from dupdetect.text.clean import clean
from dupdetect.text.words import words


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("", ""),
        ("soft\u00adness and zero\u200bwidth", "softness and zerowidth"),
        ("\ufeffA mark\u200e of\u202b direction\u2069", "A mark of direction"),
        ("word\u2060joiner, graph\u034feme joiner", "wordjoiner, grapheme joiner"),
        ("می\u200cخواهم", "میخواهم"),  # Persian: a joint that is not joined
        ("क\u094d\u200dष, क\u094d\u200cष", "क\u094dष, क\u094dष"),  # Hindi: how a conjunct is drawn
        ("ශ\u0dca\u200dරී", "ශ\u0dcaරී"),  # Sinhala
        ("ᠠ\u180b ᠠ\u180e", "ᠠ ᠠ"),  # Mongolian: forms of letters
        ("ភាសា\u200bខ្មែរ", "ភាសាខ្មែរ"),  # Khmer: where a line may be broken
        ("葛\U000e0100城", "葛城"),  # a variant of the character
        ("❤\ufe0f 👩\u200d💻 🏴\U000e0067\U000e0062\U000e007f", "❤ 👩💻 🏴"),
        ("مُحَمَّـــدٌ", "محمد"),
        ("ٱلرَّحْمَٰنِ", "ٱلرحمن"),
        ("قُرْءَانٌۭ ۖ", "قرءان "),
        ("أسئلة مؤمن آخر إلى", "أسئلة مؤمن آخر إلى"),  # hamza and madda make letters,
        ("ا\u0654سئلة", "ا\u0654سئلة"),  # decomposed too
        ("שָׁלוֹם עַל־יִשְׂרָאֵל", "שלום על־ישראל"),
        ("\ufb2aלום \ufb4bלם", "שלום ולם"),  # letters that hold their points
        ("\ufe8d\ufe77\ufee0\ufd3c", "\ufe8d\ufee0ا"),  # a mark by itself, a letter that holds one
        ("ܫܠܳܡܳܐ", "ܫܠܡܐ"),
        ("ދިވެހި ไทย น้ำ हिंदी বাংলা", "ދިވެހި ไทย น้ำ हिंदी বাংলা"),  # vowels that are always written
        ("cafe\u0301, naïve, Việt", "cafe\u0301, naïve, Việt"),
        ("a\ufffcb\ufffd\x00\x0c", "a\ufffcb\ufffd\x00\x0c"),  # these a reader sees, or they part words
        ("“smart” ‘quotes’ – dash… don’t", "“smart” ‘quotes’ – dash… don’t"),
    ],
)
def test_what_is_not_seen_is_taken_away(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("An exam-\nple", "An example"),
        ("An exam-\r\nple", "An example"),
        ("An exam- \t\n  ple", "An example"),
        ("exam\u2010\nple exam\u00ad\nple exam¬\nple exam⸗\nple", "example example example example"),
        ("exam\u00ad-\u00ad\n\u00adple exam\u00ad \u00ad\r\u00ad\n \u00adple", "example example"),
        ("an ex-\nam-\nple", "an example"),
        ("Größ-\nße, caf\u00e9-\nteria, cafe\u0301-\nteria", "Größße, caf\u00e9teria, cafe\u0301teria"),
        ("обще-\nство, κοινω-\nνία, հասարա֊\nկություն", "общество, κοινωνία, հասարակություն"),
        ("საზოგა-\nდოება", "საზოგადოება"),
        ("exam\u200b-\u200b\n\u200bple", "example"),
    ],
)
def test_words_broken_at_the_end_of_a_line_are_joined(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "1990-\n1995",
        "covid-\n19, 20-\nyear",
        "UN-\nbacked",
        "Anglo-\nAmerican",
        "EXAM-\nPLE",
        "exam-\n\nple",
        "exam-\r\n\r\nple",
        "exam-\x0cple",
        "exam-ple, well - known",
        "word -\nword",
        "word--\nword, word—\nword, word–\nword, word\u2011\nword",
        "- item\n- item\n-\nitem",
        "---\ntitle\n---\n",
        "exam-\n(ple)",
        "माता-\nपिता",
        "كتاب-\nكتاب",
        "東京-\n大阪",
        "한국-\n어",
        "exam-",
        "exam-\n",
        "-\nple",
    ],
)
def test_other_hyphens_are_left(text: str) -> None:
    assert clean(text) == text


def test_a_soft_hyphen_without_a_second_half_is_but_taken_away() -> None:
    assert clean("exam\u00ad\n\nple, ex\u00ad am\u00ad\n") == "exam\n\nple, ex am\n"


def test_emoji_leave_no_words() -> None:
    flag = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    emoji = "👩\u200d👩\u200d👧\u200d👦 ❤\ufe0f\u200d🔥 👍🏽 ☃\ufe0e 🇮🇸 "
    assert words(clean(emoji + flag)) == []


@pytest.mark.parametrize("korean", ["한국어 문장", "ㅤㄱㅏㅤ", "가\u3164나", "\u115fᅡ\u11a8 \u1100\u1160", "ﾤﾡￂﾠ"])
def test_korean_is_left_as_it_is(korean: str) -> None:
    for text in (korean, unicodedata.normalize("NFD", korean)):
        assert clean(text) == text


def test_a_text_of_nothing_but_the_unseen() -> None:
    assert clean("\u00ad\u200b\ufeff\u0640\u064b\U000e0020") == ""


def test_a_lone_surrogate_is_no_matter() -> None:
    assert clean("\ud800a\u00adb") == "\ud800ab"


@pytest.mark.parametrize(
    ("run", "left"),
    [("\u00ad", ""), ("-", "-"), ("- ", "- "), ("\u00ad ", " "), ("-\u00ad", "-"), ("e-\n", "e"), ("\u0640", "")],
)
def test_no_run_is_tried_again_and_again(run: str, left: str) -> None:
    assert clean("e" + run * 200_000 + "e") == "e" + left * 200_000 + "e"
