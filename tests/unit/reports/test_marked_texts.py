"""Texts side by side: the parts are the text, and say of it what is true."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from collections_of_texts import Tongue
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.matching.shingle_rows import HASH
from dupdetect.reports.marked_texts import BOILERPLATE, CHANGED, FOLDED, HIDDEN, MOST, REST, SHARED, UNSEEN, Marker
from dupdetect.settings import Settings
from dupdetect.sketches import sketches
from dupdetect.sketches.sketches import marked_shingles
from dupdetect.text.escape import escape_for_page

QUOTES = {
    "en": "We shall repair the old weir before the winter comes to the upper valley",
    "ru": "До зимы мы починим старую плотину в верхней долине и вернём людям воду",
    "ar": "سوف نصلح السد القديم قبل أن يأتي الشتاء إلى الوادي الأعلى ونعيد المياه",
    "hi": "सर्दी आने से पहले हम ऊपरी घाटी के पुराने बाँध की मरम्मत कर देंगे और पानी लौटाएँगे",
    "zh": "我们会在冬天到来之前修好上游山谷里的旧水坝让村民重新用上水",
    "ja": "冬が来る前に上流の谷の古い堰を直して村に水を取り戻すつもりだ",
    "th": "เราจะซ่อมฝายเก่าก่อนที่ฤดูหนาวจะมาถึงหุบเขาด้านบนและคืนน้ำให้ชาวบ้าน",
}


def whole(parts: list[tuple[int, int, str]]) -> str:
    return "".join(text for _, _, text in parts)


def marked(parts: list[tuple[int, int, str]], kind: int) -> str:
    return "".join(text for what, _, text in parts if what & kind)


@pytest.mark.parametrize("language", QUOTES)
def test_what_two_texts_share_is_marked_in_both(language: str) -> None:
    quote = QUOTES[language]
    a, b, passages = Marker().pair(f"👍 A first text: «{quote}», and an end.", f"🎉 Other words before it\n\n{quote}!")
    assert len(passages) == 1
    for parts in (a, b):
        assert marked(parts, SHARED) == quote
        assert {number for kind, number, _ in parts if kind & SHARED} == {0}
        assert {number for kind, number, _ in parts if not kind & SHARED} == {-1}


def test_what_was_changed_in_a_passage_is_marked_and_does_not_end_it() -> None:
    quote = QUOTES["en"]
    a, b, passages = Marker().pair(quote, quote.replace("old weir", "broken weir").replace("comes to", "comes down to"))
    assert len(passages) == 1
    assert marked(a, CHANGED).split() == ["old"]
    assert marked(b, CHANGED).split() == ["broken", "down"]
    assert marked(b, SHARED) == quote.replace("old weir", "broken weir").replace("comes to", "comes down to")


def test_learned_boilerplate_and_menus_are_marked_and_main_content_is_not() -> None:
    settings = Settings()
    chrome = "Our readers' council meets on the first Tuesday of each month in the old town hall"
    story = "The bell founder of Lund has cast a bell that nobody will ever hear, for it hangs under water in a harbour"
    learned = marked_shingles(pa.chunked_array([[chrome]], pa.large_string()), np.arange(1), settings).values
    boilerplate = np.sort(learned & HASH)
    (parts, _, _) = Marker(settings, boilerplate).alone(f"{story}.\n{chrome}.\n{story}.\nHome\nNews\nSport\nTides")
    assert marked(parts, BOILERPLATE).startswith(chrome)
    assert story not in marked(parts, BOILERPLATE)
    assert "Sport" in marked(parts, BOILERPLATE)
    plain = Marker(settings.replace(boilerplate=False), boilerplate).alone(chrome)[0]
    assert marked(plain, BOILERPLATE) == ""


def test_what_is_expected_is_found_as_it_would_be_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    column = pa.array(list(QUOTES.values()), pa.large_string())
    learned = marked_shingles(column, np.arange(len(QUOTES)), Settings()).values
    boilerplate = np.unique(learned & HASH)
    texts = [f"{one}\r\n{other}\u00ad" for one, other in zip(QUOTES.values(), reversed(QUOTES.values()), strict=True)]
    plain, ahead = Marker(Settings(), boilerplate), Marker(Settings(), boilerplate)
    monkeypatch.setattr(sketches, "BREAK_EVEN", 0)
    ahead.expect(texts)
    monkeypatch.undo()
    assert [ahead.alone(text) for text in texts] == [plain.alone(text) for text in texts]
    assert all(marked(plain.alone(text).a, BOILERPLATE) for text in texts)


def test_long_parts_are_folded_and_long_texts_cut() -> None:
    words = " ".join(f"word{number}" for number in range(20_000))
    a, b, passages = Marker().pair(words, "Something else that is short")
    assert not passages
    assert whole(b) == "Something else that is short"
    assert whole(a) == words
    assert [(kind, place, len(text)) for kind, place, text in a][-1] == (HIDDEN, UNSEEN, len(words) - MOST)
    assert sum(len(text) for kind, _, text in a if not kind & HIDDEN) < 4_000


def test_where_there_is_no_room_long_parts_are_counted() -> None:
    words = " ".join(f"шаг{number}" for number in range(20_000))
    short = Marker().pair(words, "短い文章です。").shortened()
    folded = [int(text.replace(",", "")) for kind, _, text in short.a if kind & FOLDED]
    assert not any(kind & HIDDEN for kind, _, _ in short.a)
    assert sum(folded) + sum(len(text) for kind, _, text in short.a if not kind & FOLDED) == len(words)
    assert folded[-1] == len(words) - MOST
    assert sum(len(text) for _, _, text in short.a) < 4_000
    endless = "x" * (MOST + REST + 1)
    assert Marker().alone(endless).a[-1] == (FOLDED, UNSEEN, f"{REST + 1:,}")


pieces = st.one_of(
    st.sampled_from([*QUOTES.values(), "\n", "\r\n", "Home News Sport", "\x00\u202e", "½ ﬁsh"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
texts = st.lists(pieces, max_size=8).map(" ".join)


@given(texts, texts)
def test_the_parts_are_the_text(a: str, b: str) -> None:
    pair = Marker().pair(a, b)
    for text, parts in ((a, pair.a), (b, pair.b)):
        assert whole(parts) == escape_for_page(text)
        assert all(part for _, _, part in parts)
    for number in range(len(pair.passages)):
        assert any(place == number for _, place, _ in pair.a)
    assert whole(Marker().alone(a).a) == escape_for_page(a)


def test_a_middle_that_is_not_too_long_can_be_unfolded_and_ends_between_words() -> None:
    text = " ".join(f"word{number}" for number in range(1_000))
    before, middle, after = Marker().alone(text).a
    assert [part[0] & HIDDEN for part in (before, middle, after)] == [0, HIDDEN, 0]
    assert before[2] + middle[2] + after[2] == text
    assert middle[2].startswith(" word")
    assert after[2].startswith("word")
    assert len(middle[2]) > len(text) / 2
    unbroken = "x" * 8_000
    assert "".join(part for _, _, part in Marker().alone(unbroken).a) == unbroken


def test_of_a_page_edits_and_passages_are_lost_and_its_furniture_is_not():
    article, *others = (Tongue("en", ("text", n)).paragraph(90 + n) for n in range(5))
    menu = "\n".join(Tongue("en", ("menu", n)).line(2) for n in range(30))
    words = article.split()
    page = "\n".join([menu, *others, " ".join([*words[:40], "edited", *words[40:]])])
    assert Marker(Settings(), ()).lost(page, article, 371) == ["\n".join(others).rstrip("."), "edited"]


def test_of_a_short_record_a_value_that_many_have_is_lost_between_what_is_shared():
    """As `weigh_side` counts; amid a long document it is boilerplate."""
    value, other = (Tongue("en", name).line(12) for name in ("value", "other"))
    learned = marked_shingles(pa.array([value], pa.large_string()), np.arange(1), Settings()).values & HASH
    for words, lost in ((30, [value]), (60, [])):
        first, last = (Tongue("en", (name, words)).line(words) for name in ("first", "last"))
        texts = (f"{first}\n{some}\n{last}" for some in (value, other))
        assert Marker(Settings(), np.unique(learned)).lost(*texts, len(lost) * 12) == lost
