"""Cleaning, against a scan by character, and compiled against the reference, whatever the text."""

from __future__ import annotations

import sys
import unicodedata

import oracles
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dupdetect.sketches.cleaning import clean_compiled
from dupdetect.text.clean import clean
from dupdetect.text.words import words

#: What a cleaner of texts can stumble over, breaks of lines often.
HOSTILE = (
    "abÀé\u0301ßΣბ漢ぁกदि한\u1160\u3164\uffa0אب1١.“’😀\u0730\u0734\u0741ﬁ\x00\x1f\x7f\u0080\u00a0\u2028",
    "-¬֊‐⸗\u2011–—־؛",
    " \t\r\n\x0c",
    "\u00ad\u200b\u200d\u2060\ufeff\u034f\u061c\u180e\ufe0f\U000e0041\u17b4\u0640\u064b\u0651\u0670\u06e5\u08f0\u05b4\u0654"
    "\ufb1d\ufb2a\ufb1e\ufc5b\ufc60\ufcf2\ufd3c\ufe70\ufe77\ufe8d\U0001d173\U000102e0\u0711\u0816",
)
PIECE = st.one_of(
    st.sampled_from("".join(HOSTILE)),
    st.sampled_from(HOSTILE[1] + HOSTILE[2] + "\u00ad"),
    st.sampled_from(
        ["e-\ne", "e\u00ad\ne", "e‐ \r\n\te", "e-\u200b\nE", "word " * 20, "مكتبة " * 12, "x" * 61, "漢" * 21]
    ),
)
TEXT = st.lists(PIECE, max_size=40).map("".join) | st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=40)


@given(TEXT)
@example("e\u00ad\u00ad-\u00ad \u00ad\r\u00ad\n\t\u00ade")
@example("a-\nb-\nc\u00ad-\n-\n-d")
def test_a_text_is_cleaned_as_a_scan_by_character_does(text: str) -> None:
    assert clean(text) == oracles.clean(text)


@given(TEXT)
def test_a_clean_text_is_clean(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert len(cleaned.encode()) <= len(text.encode())


@given(TEXT, st.data())
def test_the_unseen_makes_no_difference(text: str, data: st.DataObject) -> None:
    """Put it anywhere into a text that has no soft hyphens: these break words."""
    unseen = st.sampled_from("\u200b\u200d\u2060\ufeff\ufe0f\u0640\u064b\U000e0041")
    at = data.draw(st.integers(0, len(text)))
    assert clean(text[:at] + data.draw(unseen) + text[at:]) == clean(text)


@given(st.text(st.sampled_from("aZ09 .,;é漢かกहिд\n“”’😀"), max_size=60))
def test_what_has_nothing_unseen_is_left(text: str) -> None:
    assert clean(text) == text


@given(TEXT)
def test_composed_or_not_the_words_are_the_same(text: str) -> None:
    """Cleaning goes before normalising: composing before it, or after, leads to the same words."""
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert words(clean(composed)) == words(clean(decomposed))


# ---- compiled ----


def cleaned_compiled(texts: list[str]) -> list[str]:
    pytest.importorskip("numba")
    given = pa.array(["before them", *texts], pa.large_string()).slice(1)
    made = clean_compiled(given)
    made.validate(full=True)
    assert (made is given) == (made.to_pylist() == texts)
    return made.to_pylist()  # type: ignore[no-any-return]


@settings(max_examples=150)
@given(st.lists(TEXT, max_size=5))
def test_compiled_equals_the_reference(texts: list[str]) -> None:
    assert cleaned_compiled(texts) == [clean(text) for text in texts]


def every_character() -> list[str]:
    return [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


@pytest.mark.parametrize("pattern", ["{}", "e{}\ne", "e-{}\ne", "{}-\n{}"])
def test_every_character_as_the_reference_has_it(pattern: str) -> None:
    texts = [pattern.replace("{}", character) for character in every_character()[:: 1 if pattern == "{}" else 7]]
    assert cleaned_compiled(texts) == [clean(text) for text in texts]


@pytest.mark.parametrize("unclean", ["\u00ad", "\u200b", "e-\ne", "e‐\ne", "\u0640", "\ufe0f", "\ufb2a", "\U000e0041"])
def test_every_position_in_a_block(unclean: str) -> None:
    texts = ["w" * at + unclean + "v" * rest for at in range(131) for rest in (0, 1, 63, 70)]
    texts += ["é" * at + unclean + "漢" * rest for at in range(70) for rest in (0, 1, 21, 40)]
    assert cleaned_compiled(texts) == [clean(text) for text in texts]
    for text in texts:  # each at the end of memory
        assert cleaned_compiled([text]) == [clean(text)]
