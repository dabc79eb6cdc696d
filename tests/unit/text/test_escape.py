"""Text that can be shown: what deceives is spelled out, the rest is as it was."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.text.escape import escape_for_page, escape_for_terminal, one_line


@pytest.mark.parametrize(
    "text",
    [
        "plain words\n\tand lines",
        "بسم الله ۝ می‌خواهم",  # Persian is written with a joiner
        "क्‍ष हिन्दी",
        "ภาษาไทย",
        "日本語 中文",
        "👩‍👩‍👧 🏴󠁧󠁢󠁷󠁬󠁳󠁿",
        "soft\u00adhyphen",
        "left\u200eto right",
    ],
)
def test_what_languages_are_written_with_stays(text: str) -> None:
    assert escape_for_page(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x00\x1b[31m", "\\x00\\x1b[31m"),
        ("\u202eexe.txt\u202c", "\\u202eexe.txt\\u202c"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud83d", "\\ud83d"),
        ("a\r\nb\rc", "a\nb\nc"),
    ],
)
def test_what_acts_unseen_is_spelled_out(text: str, expected: str) -> None:
    assert escape_for_page(text) == expected


@given(st.text(st.characters()))
def test_nothing_unseen_is_left(text: str) -> None:
    safe = escape_for_page(text)
    safe.encode()
    assert all(character in "\n\t" for character in safe if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"))
    assert not set(safe) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(st.characters(), max_size=60), st.integers(1, 40))
def test_openings_are_one_line_of_bounded_length(text: str, length: int) -> None:
    line = one_line(text, length)
    assert len(line) <= length
    assert not set(line) & set("\n\t")
    if len(escape_for_page(" ".join(text.split()))) <= length and len(text) <= length:
        assert line == escape_for_page(" ".join(text.split()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcödé, 漢字, हिन्दी", "plain, ünïcödé, 漢字, हिन्दी"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian is written with the zero-width non-joiner
        ("a\nb\tc", "a\nb\tc"),
        ("\x00\x1b\x7f\x9b", r"\x00\x1b\x7f\x9b"),
        ("\u2066\u2028\ufeff", r"\u2066\u2028\ufeff"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_drives_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert escape_for_terminal(text) == shown
