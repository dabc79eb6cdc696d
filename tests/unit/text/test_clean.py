"""What is cleaned and what is left, by the definition; how the compiled twin hands texts back."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from dupdetect._compiled import kernels
from dupdetect.text import clean as cleaning
from dupdetect.text.clean import clean, clean_texts
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


# ---- many texts ----

MIXED = ["plain", "soft\u00adness", "", "exam-\nple", "تُفَّاح", "東京", "\u200b", "x" * 100] * 30
CLEAN = ["plain", "", "東京 “quoted”", "well-known\n- item", "x" * 100] * 30


@pytest.fixture(params=["definition", "twin"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Clean by the definition, then compiled."""
    name: str = request.param
    if name == "twin":
        pytest.importorskip("numba")
    monkeypatch.setattr(cleaning, "patient", lambda _: name == "definition")
    return name


def large(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


@pytest.mark.usefixtures("way")
def test_texts_are_each_cleaned() -> None:
    assert clean_texts(large(MIXED)).equals(large([clean(text) for text in MIXED]))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("texts", [large(CLEAN), pa.chunked_array([large(CLEAN), large([]), large(CLEAN)]), large([])])
def test_clean_texts_are_handed_back(texts: pa.Array | pa.ChunkedArray) -> None:
    assert clean_texts(texts) is texts


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("workers", [1, 3])
def test_chunks_slices_and_threads(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "BLOCK_BYTES", 50)
    whole = large(MIXED)
    texts = pa.chunked_array([whole.slice(5, 70), large([]), whole.slice(0, 1), whole.slice(100)])
    cleaned = clean_texts(texts, workers=workers)
    assert cleaned.type == texts.type
    assert cleaned.to_pylist() == [clean(text) for text in texts.to_pylist()]
    cleaned.validate(full=True)
    assert clean_texts(whole.slice(3), workers=workers).to_pylist() == [clean(text) for text in MIXED[3:]]


@pytest.mark.usefixtures("way")
def test_no_texts_at_all() -> None:
    nothing = pa.chunked_array([], pa.large_string())
    assert clean_texts(nothing) is nothing


@pytest.mark.usefixtures("way")
def test_chunks_with_nothing_to_clean_are_not_copied() -> None:
    clean_one, other = large(CLEAN), large(["soft\u00adness"])
    cleaned = clean_texts(pa.chunked_array([clean_one, other]))
    assert cleaned.chunk(0).buffers()[2].address == clean_one.buffers()[2].address
    assert cleaned.chunk(1).to_pylist() == ["softness"]


def test_many_texts_wait_for_the_compiler_only_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "available", lambda: False)
    many = large(["soft\u00adness " * 100] * 1_000)
    assert clean_texts(many).to_pylist() == ["softness " * 100] * 1_000


def test_characters_that_the_quick_look_does_not_know_are_cleaned_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they will be of a Unicode that is yet to come."""
    pytest.importorskip("numba")
    from dupdetect._compiled import clean as scrubbing

    monkeypatch.setattr(cleaning, "patient", lambda _: False)
    monkeypatch.setattr(scrubbing, "is_sought", lambda _: False)
    cleaning._kinds.cache_clear()
    try:
        assert clean_texts(large(MIXED)).to_pylist() == [clean(text) for text in MIXED]
    finally:
        monkeypatch.undo()
        cleaning._kinds.cache_clear()


def test_the_quick_look_knows_all_that_is_to_be_cleaned() -> None:
    pytest.importorskip("numba")
    assert cleaning._kinds()[1]


def test_what_lies_beyond_the_texts_is_no_matter() -> None:
    """Buffers of Arrow may be longer than their texts, by bytes of any kind."""
    pytest.importorskip("numba")
    text = "exam-\nple é\u200b".encode()
    for rest in (b"", b"\xff" * 80, b"\xf7\xbf\xbf\xbf" * 20, b"-\n\xc2\xad" * 20):
        data, offsets = pa.py_buffer(text + rest), pa.py_buffer(np.array([0, len(text)], np.int64))
        assert cleaning._scrub(pa.LargeStringArray.from_buffers(1, offsets, data)).to_pylist() == ["example é"]
