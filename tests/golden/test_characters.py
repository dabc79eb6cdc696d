"""Settings for noisy texts and for short ones, in every language: what they find, and what they keep apart."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import dupdetect

NEWSROOM = Path(__file__).resolve().parents[2] / "fixtures" / "newsroom"
NOISY = dupdetect.Settings(unit="character", shingle_size=5, threshold=0.55, containment=0.9, min_shingles=100)
SHORT = dupdetect.Settings(
    unit="character", shingle_size=3, threshold=0.625, containment=0.85, min_shingles=100, window=8
)

STORIES = (
    *("article", "rewrite", "family_1", "family_2", "family_3"),
    *("same_site_a", "same_site_b", "other_story_1", "other_story_2"),
)


def clusters(texts: dict[str, str], settings: dupdetect.Settings) -> dict[str, str]:
    """Deduplicate: the cluster of each text."""
    table = dupdetect.dedup(texts, settings=settings).clusters
    return dict(zip(table["id"].to_pylist(), table["cluster"].to_pylist(), strict=True))


def scanned(text: str, error: float, seed: str) -> str:
    """Read a text as a machine reads print: letters lost, doubled and mistaken, words broken and run together."""
    chooser = random.Random(seed)
    letters = [character for character in text if character.isalnum()]
    changes = (
        lambda _: "",
        lambda _: chooser.choice(letters),
        lambda character: character + chooser.choice(letters),
        lambda character: character + chooser.choice((" ", "-\n")),
        lambda character: character if character.isalnum() else "",
    )
    return "".join(chooser.choice(changes)(one) if chooser.random() < error else one for one in text)


@pytest.mark.parametrize("language", ["ar", "en", "hi", "ja", "ru", "th", "zh"])
def test_noisy_texts(language: str) -> None:
    """Each text and its scan are one, and so are the copies; others in the same boilerplate are not."""
    clean = {name: (NEWSROOM / language / f"{name}.txt").read_text("utf-8") for name in STORIES}
    noisy = {f"{name}, scanned": scanned(text, 0.05, name) for name, text in clean.items()}
    found = clusters(clean | noisy, NOISY)
    assert [name for name in clean if found[f"{name}, scanned"] != found[name]] == []
    assert found["family_1"] == found["family_2"] == found["family_3"]
    assert len(set(found.values())) == len(STORIES) - 2


def test_words_do_not_find_noisy_texts() -> None:
    clean = (NEWSROOM / "en" / "article.txt").read_text("utf-8")
    found = dupdetect.compare(clean, scanned(clean, 0.05, "article"), settings=NOISY.replace(unit="word"))
    assert found.relation is None


#: The same reference, as two catalogues have it, and another of the same author and year.
RECORDS = {
    "en": (
        "Tides and timetables: how ferry towns keep time. Harrow, J., Quill, M. Journal of Island Studies 2011, 91-105",
        "Harrow J, Quill M. Tides and time-tables: How ferry towns keep time. J. Island Stud. 2011: 91-105.",
        "Lamps of the northern piers, a catalogue. Harrow, J., Quill, M. Journal of Island Studies 2011, 12-30",
    ),
    "ru": (
        "Приливы и расписания: как города ведут счёт времени. Горин, И. и Перова, М. Островной журнал 2011, 91-105",
        "Горин И., Перова М. Приливы и расписания: Как города ведут счет времени // Остров. журн. 2011. 91-105",
        "Фонари северных причалов, каталог. Горин, И. и Перова, М. Островной журнал 2011, 12-30",
    ),
    "ar": (
        "المد والمواعيد: كيف تحفظ مدن العبارات الوقت. حداد، ي. ونجار، م. مجلة دراسات الجزر 2011 4 91-105",
        "حداد ي، نجار م. المد والمواعيد: كيف تحفظ مدن العبّارات الوقت؟ دراسات الجزر 2011؛ 4: 91-105",
        "مصابيح الأرصفة الشمالية، فهرس مصور. حداد، ي. ونجار، م. مجلة دراسات الجزر 2011 4 12-30",
    ),
    "hi": (
        "ज्वार और समय-सारणी: नौका नगर समय कैसे रखते हैं। वर्मा, ज. और नायर, म. द्वीप अध्ययन पत्रिका 2011 4 91-105",
        "वर्मा ज, नायर म. ज्वार और समय सारणी: नौका नगर समय कैसे रखते हैं? द्वीप अध्ययन 2011; 4: 91-105",
        "उत्तरी घाटों के दीपक, एक सूची। वर्मा, ज. और नायर, म. द्वीप अध्ययन पत्रिका 2011 4 12-30",
    ),
    "zh": (
        "潮汐与时刻表：渡口小镇如何守时。何立新，钱敏。海岛研究学报 2011年第4期 91-105页",
        "《潮汐与时刻表——渡口小镇如何守时》 何立新、钱敏，海岛研究学报 2011(4): 91-105",
        "北方码头的灯火图录。何立新，钱敏。海岛研究学报 2011年第4期 12-30页",
    ),
    "ja": (
        "潮汐と時刻表：渡し船の町はいかに時を守るか。堀江純、久留美緒。島嶼研究 2011年 4号 91-105頁",
        "「潮汐と時刻表 渡し船の町はいかに時を守るか」堀江純・久留美緒『島嶼研究』2011年4号、91-105",
        "北の桟橋の灯り目録。堀江純、久留美緒。島嶼研究 2011年 4号 12-30頁",
    ),
    "th": (
        "น้ำขึ้นน้ำลงกับตารางเวลา เมืองท่าเรือข้ามฟากรักษาเวลาอย่างไร จิตรา หาญ และ มานะ กล้า วารสารเกาะศึกษา 2011 4 91-105",
        "จิตรา หาญ, มานะ กล้า. น้ำขึ้นน้ำลงกับตารางเวลา: เมืองท่าเรือข้ามฟากรักษาเวลาอย่างไร. ว.เกาะศึกษา 2011;4:91-105.",
        "โคมไฟท่าเรือเหนือ บัญชีภาพ จิตรา หาญ และ มานะ กล้า วารสารเกาะศึกษา 2011 4 12-30",
    ),
}  # fmt: skip


def test_bibliographic_records() -> None:
    texts = {f"{language} {number}": text for language, three in RECORDS.items() for number, text in enumerate(three)}
    found = clusters(texts, SHORT)
    assert [language for language in RECORDS if found[f"{language} 0"] != found[f"{language} 1"]] == []
    assert len(set(found.values())) == 2 * len(RECORDS)


def test_titles() -> None:
    texts = {
        "title": "The Lighthouse Keepers of Sable Point",
        "misprint": "The Light-house Keepers of Sabel Point",
        "capitals": "THE LIGHTHOUSE KEEPERS OF SABLE POINT!",
        "another": "The Fortune Tellers of Marble Street",
        "same head": "The Lighthouse Keepers of the Far Northern Banks",
    }
    found = clusters(texts, SHORT)
    assert found["title"] == found["misprint"] == found["capitals"]
    assert len(set(found.values())) == 3


@pytest.mark.parametrize("settings", [dupdetect.Settings(), SHORT])
def test_texts_shorter_than_a_shingle_have_exact_copies_only(settings: dupdetect.Settings) -> None:
    texts = {
        "a": "No.",
        "b": "no",
        "c": "to",
        "d": "no 1",
        "e": "東",
        "f": "「東」",
        "g": "京",
        "h": "😀",
        "i": "👍",
        "j": "",
    }
    found = clusters(texts, settings)
    assert found["a"] == found["b"]
    assert found["e"] == found["f"]
    assert len(set(found.values())) == len(texts) - 2


def test_a_short_text_is_a_quotation_in_a_longer_one() -> None:
    title = "Tides and timetables in the ferry towns"
    longer = f"{title}. A long summary follows, which the title alone is no copy of, however much of it stands here."
    assert dupdetect.compare(title, longer, settings=SHORT).containment_a > 0.9
    assert dupdetect.compare(title, longer, settings=SHORT).relation is None
    assert dupdetect.compare(title, longer, settings=SHORT, min_shingles=10).relation == "contained"
