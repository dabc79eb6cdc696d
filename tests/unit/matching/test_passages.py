from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dupdetect import compare
from dupdetect.matching.passages import Passage, align, find_passages
from dupdetect.text.clean import clean
from dupdetect.text.words import words

QUOTE = "We shall repair the old weir before the winter comes and the ice breaks it"
MENU = "Home\nNews\nSport\nWeather\nContact\nImprint\nPrivacy\nTerms\nJobs\nHelp"


def filler(word: str, count: int = 30) -> str:
    return " ".join(f"{word}{n}" for n in range(count))


def quoted(text: str, passages: tuple[Passage, ...], side: str = "a") -> list[str]:
    return [text[getattr(found, f"{side}_start") : getattr(found, f"{side}_end")] for found in passages]


def test_a_quotation_is_found_where_it_stands_in_both() -> None:
    a, b = f"{filler('x')}. “{QUOTE}”, she said. {filler('y')}", f"{filler('z', 7)} — {QUOTE.upper()}!"
    (found,) = compare(a, b).passages
    assert a[found.a_start : found.a_end] == QUOTE
    assert b[found.b_start : found.b_end] == QUOTE.upper()
    assert (found.words, found.similarity, found.boilerplate) == (15, 1.0, 0.0)


@pytest.mark.parametrize(
    ("edited", "shared", "similarity"),
    [
        (QUOTE.replace("old", "broken"), 14, 14 / 15),
        (QUOTE.replace("old ", ""), 14, 14 / 15),
        (QUOTE.replace("old", "old and broken"), 15, 15 / 17),
        (QUOTE.replace("old weir", "mill"), 13, 13 / 15),
        (QUOTE.replace("winter", "cold").replace("shall", "will"), 13 - 1, 12 / 13),  # "We" is not worth two edits
    ],
)
def test_a_word_changed_added_or_dropped_does_not_end_a_passage(edited: str, shared: int, similarity: float) -> None:
    (found,) = compare(f"{filler('x')} {QUOTE} {filler('y')}", f"{filler('z')} {edited}").passages
    assert (found.words, found.similarity) == (shared, pytest.approx(similarity))


def test_what_is_equal_in_a_passage_is_told() -> None:
    a, b = f"So: {QUOTE}.", QUOTE.replace("old", "broken old").replace("before", "until")
    ((found, equal),) = align(a, b)
    assert [(a[i:j], b[k:m]) for i, j, k, m in equal.tolist()] == [
        ("We shall repair the", "We shall repair the"),
        ("old weir", "old weir"),
        ("the winter comes and the ice breaks it", "the winter comes and the ice breaks it"),
    ]
    assert (found.words, found.similarity) == (14, 14 / 16)


def test_moved_paragraphs_are_found_the_longest_first() -> None:
    one, two, three = filler("one", 20), filler("two", 40), filler("three", 30)
    a, b = f"{one}\n\n{two}\n\n{three}", f"{three}\n\n{one}\n\n{two}"
    found = compare(a, b).passages
    assert quoted(a, found) == [one + "\n\n" + two, three]
    assert quoted(b, found, "b") == [one + "\n\n" + two, three]


def test_seven_words_are_a_phrase_and_eight_a_passage() -> None:
    words = QUOTE.split()
    for count, passages in ((7, 0), (8, 1)):
        quote = " ".join(words[:count])
        assert len(compare(f"{filler('x')} {quote} {filler('y')}", f"{filler('z')} {quote}").passages) == passages
    assert len(find_passages(" ".join(words[:5]), QUOTE, least=5)) == 1


def test_a_longer_insertion_ends_a_passage() -> None:
    teaser = "Related news Ministers killed in a crash The army arrests three of them Read on to learn what comes next"
    article = f"{filler('one', 40)} {filler('two', 30)}"
    page = f"{MENU}\n{filler('one', 40)}\n{teaser}\n{filler('two', 30)}\n{MENU}"
    found = compare(article, page).passages
    assert quoted(page, found, "b") == [filler("one", 40), filler("two", 30)]


def test_what_both_have_twice_is_shared_twice_and_what_one_has_twice_is_marked_there() -> None:
    twice, once = f"{QUOTE}. {filler('x')} {QUOTE}. {filler('y')}", f"{filler('z')} {QUOTE}"
    there = compare(twice, f"{QUOTE}! {filler('z')} {QUOTE}").passages
    assert len({found.b_start for found in there}) == len({found.a_start for found in there}) == 2
    assert len(compare(twice, once).passages) == 2
    assert len(compare(once, twice).passages) == 1


def test_the_longer_passage_has_the_words_that_two_could_have() -> None:
    a = filler("w", 40)
    b = f"{' '.join(a.split()[:25])} {filler('x')} {' '.join(a.split()[10:])}"
    found = compare(a, b).passages
    assert quoted(a, found) == [" ".join(a.split()[10:]), " ".join(a.split()[:10])]


def test_menus_are_template_and_sentences_are_not() -> None:
    story = (
        "It rained on the whole of the island for a week until the ferries stopped and even the gulls went home again"
    )
    a, b = (f"{MENU}\n{filler(word)}\n{filler(word + word)}\n{story}\n{filler(word * 3)}" for word in "xy")
    found = compare(a, b).passages
    assert quoted(a, found) == [story, MENU]
    assert found[0].boilerplate == 0.0
    assert found[1].boilerplate == 0.8  # all but its last two lines, which stand beside a long one


SAME = {
    "zh": ("清晨的江面上起了大雾渡船晚了一个小时才靠岸乘客们在甲板上喝着热茶等待天亮", "记者昨日获悉", "另据本报消息"),
    "ja": (
        "朝の川には深い霧が立ちこめて渡し船は一時間も遅れ乗客は甲板で熱いお茶を飲んでいた",
        "取材によると",
        "なお別の報告では",
    ),
    "th": ("เช้าวันนั้นหมอกลงจัดเหนือแม่น้ำและเรือข้ามฟากมาช้าหนึ่งชั่วโมงผู้โดยสารจึงดื่มชาอยู่บนดาดฟ้า", "ข่าวด่วน", "รายงานพิเศษ"),
    "ar": (
        "في الصباح كان الضباب كثيفا فوق النهر وتأخرت العبارة ساعة كاملة وشرب الركاب الشاي",
        "وقال مراسلنا",
        "أفاد شاهد",
    ),
    "ru": (
        "Утром над рекой стоял туман и паром опоздал на целый час а пассажиры пили чай",
        "Сообщает газета",
        "По словам",
    ),
    "hi": ("सुबह नदी पर घना कोहरा था और नाव एक घंटे देर से पहुँची तब तक यात्री चाय पीते रहे", "संवाददाता ने कहा", "खबर है कि"),
    "emoji": ("🌫️ over the river 🚢 and the ferry ☕ came an hour late 😀 while all drank tea", "👀 look", "🗞️ news"),
}


@pytest.mark.parametrize("script", SAME)
@pytest.mark.parametrize("unit", ["word", "character"])
def test_in_any_script(script: str, unit: str) -> None:
    quote, before, after = SAME[script]
    a, b = f"{before} « {quote} » {before}", f"{after}: {quote}"
    (found,) = compare(a, b, unit=unit).passages
    cut = words(clean(quote), unit)
    assert words(clean(a[found.a_start : found.a_end]), unit) == cut
    assert words(clean(b[found.b_start : found.b_end]), unit) == cut
    assert found.words == len(cut)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            "مُحَمَّدٌ كَتَبَ رِسَالَةً طَوِيلَةً إِلَى صَدِيقِهِ فِي المَدِينَةِ البَعِيدَةِ",
            "محمد كتب رسالة طويلة إلى صديقه في المدينة البعيدة",
        ),
        (
            "The ﬁrst ﬂight of the new air-\nship was de\u00adlayed by fog\u200b and rain",
            "THE FIRST FLIGHT OF THE NEW AIRSHIP WAS DELAYED BY FOG AND RAIN",
        ),
        (
            "Ｈａｌｆ and full width ｌｅｔｔｅｒｓ are the same … in all that follows №7 here",
            "half AND full width letters are the same in all that follows No7 here",
        ),
        (
            "cafe\u0301 cre\u0300me bru\u0302le\u0301e Ga\u0308ste ko\u0308nnen o\u0308fter u\u0308ben mo\u0308gen",
            "café crème brûlée Gäste können öfter üben mögen",
        ),
    ],
)
def test_offsets_are_of_the_texts_as_they_were_given(a: str, b: str) -> None:
    x, y = f"«{a}» 🙂", f"\ufeff… {b} —"
    (found,) = compare(x, y).passages
    assert x[found.a_start : found.a_end] == a
    assert y[found.b_start : found.b_end] == b


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", QUOTE), (QUOTE, "..."), ("one", "two"), ("😀", "😀"), ("½", "⅓")])
def test_little_text_has_no_passages(a: str, b: str) -> None:
    assert compare(a, b).passages == ()


def test_passages_are_found_when_asked_for_and_once() -> None:
    found = compare(QUOTE, QUOTE)
    assert "aligned" not in vars(found)
    assert found.passages == found.passages
    assert found.aligned is found.aligned


def test_the_dictionary_has_all_fields_and_the_passages() -> None:
    found = compare(QUOTE, f"{filler('x')} {QUOTE}")
    (passage,) = found.as_dict()["passages"]
    assert passage["words"] == 15
    assert set(found.as_dict()) == {
        "relation", "jaccard", "containment_a", "containment_b", "score", "strangers", "removable",
        "passages",
    }  # fmt: skip


def test_a_comparison_can_be_sent_elsewhere() -> None:
    import pickle

    found = compare(QUOTE, f"{QUOTE} {filler('x')}")
    assert pickle.loads(pickle.dumps(found)).passages == found.passages


def test_passages_of_short_texts_need_no_compiler() -> None:
    code = (
        "import sys, dupdetect\n"
        f"assert dupdetect.compare({QUOTE!r}, 'x ' + {QUOTE!r}).passages\n"
        "assert not {'numba', 'rich', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("period", ["a ", "a b ", "the cat sat on a mat and ", "天地玄黄宇宙洪荒"])
def test_repeats_cost_no_more_than_other_texts(period: str) -> None:
    a, b = period * (100_000 // len(period)), period * (75_000 // len(period))
    start = time.process_time()
    found = find_passages(a, b)
    assert time.process_time() - start < 30  # compiling included
    assert len(found) <= 16
    assert found[0].words == len(words(b))


def test_a_rewrite_shares_its_quotations_and_is_no_duplicate(shared: Path) -> None:
    a, b = ((shared / "seeds" / name).read_text() for name in ("000_3acf3293c0f10806.txt", "001_1fd35a24e129e164.txt"))
    comparison = compare(a, b)
    assert comparison.relation is None
    first, second = words(clean(a)), words(clean(b))
    marked: set[int] = set()
    for found in comparison.passages:
        start, end = (len(words(clean(a[:place]))) for place in (found.a_start, found.a_end))
        marked.update(range(start, end))
    eights = {tuple(second[n : n + 8]) for n in range(len(second) - 7)}
    quotations = [n for n in range(len(first) - 7) if tuple(first[n : n + 8]) in eights]
    assert quotations
    assert all(marked.issuperset(range(n, n + 8)) for n in quotations)


def test_of_a_page_the_article_is_marked_and_its_menus_are_not(shared: Path) -> None:
    a, b = ((shared / "seeds" / name).read_text() for name in ("000_3acf3293c0f10806.txt", "002_c78ab29ff55faa17.txt"))
    found = compare(a, b).passages
    assert len(found) <= 4
    assert sum(passage.words for passage in found) >= 0.99 * len(words(a))
    covered = "".join(quoted(b, found, "b"))
    for chrome in ("Sheikh Qassem", "Related News", "Most Read", "Infographs", "Privacy Policy"):
        assert chrome not in covered
