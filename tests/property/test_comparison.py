"""What two texts are said to be is what a run on the two finds."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import dupdetect

MENUS = (
    "Home\nNews\nSport",
    "Startseite | Kontakt",
    "首页\n新闻\n体育",
    "الرئيسية\nأخبار",
    "Главная\nПогода",
    "😀 😀\n😀",
)
SENTENCES = {
    "en": "The lock keeper counted nine barges before noon and none of them carried coal any more, only tourists",
    "ru": "Утром над рекой стоял туман и паром опоздал на целый час, а пассажиры пили чай из самовара на палубе",
    "zh": "清晨的江面上起了大雾渡船晚了一个小时才靠岸乘客们在甲板上喝着热茶等待天亮",
    "ar": "في الصباح كان الضباب كثيفا فوق النهر وتأخرت العبارة ساعة كاملة وشرب الركاب الشاي على ظهر السفينة",
    "hi": "सुबह नदी पर घना कोहरा था और नाव एक घंटे देर से पहुँची तब तक यात्री डेक पर चाय पीते रहे और गाते रहे",
    "th": "เช้าวันนั้นหมอกลงจัดเหนือแม่น้ำและเรือข้ามฟากมาช้าหนึ่งชั่วโมงผู้โดยสารจึงดื่มชาอยู่บนดาดฟ้า",
}

# Sentences as they are or with a word of their own, short ones among menus: chrome, stories, and one inside the other.
sentence = st.builds(
    lambda text, own: text if own is None else f"{text} {own} {text[::-1]}",
    st.sampled_from(list(SENTENCES.values())),
    st.none() | st.sampled_from(["one", "два", "三"]),
)
part = st.sampled_from(MENUS) | sentence
text = st.lists(part, max_size=7).map("\n".join)
settings = st.builds(
    dupdetect.Settings,
    shingle_size=st.integers(1, 5),
    threshold=st.sampled_from([0.2, 0.5, 0.8, 1.0]),
    containment=st.sampled_from([0.1, 0.3, 0.6, 1.0]),
    min_shingles=st.sampled_from([1, 4, 16]),
    boilerplate=st.booleans(),
    # Every pair that shares anything is a candidate: keys of one row each, all fingerprints, one of them enough.
    bands=st.just((128, 1)),
    window=st.just(1),
    min_shared_fingerprints=st.just(0.001),
)


@given(text, text, settings)
@example("", "", dupdetect.Settings())
@example("one", "One!", dupdetect.Settings())
def test_two_texts_are_a_corpus_of_two(a: str, b: str, settings: dupdetect.Settings) -> None:
    found = dupdetect.compare(a, b, settings=settings)
    back = dupdetect.compare(b, a, settings=settings)
    matches = dupdetect.dedup({"a": a, "b": b}, settings=settings).matches.to_pylist()
    if not matches:
        assert found.relation is back.relation is None
        return
    (match,) = matches
    said = found if match["a"] == "a" else back
    assert (said.relation, said.score) == (match["relation"], match["score"])
    assert (said.jaccard, said.containment_a) == (match["jaccard"], match["containment_a"])
    assert said.containment_b == match["containment_b"]


@st.composite
def parts_of_texts(draw):
    """Draw a text of different words, and a part of it, as it is or with a few words changed; many are short."""
    words = [f"{draw(st.sampled_from('abc漢ก'))}{n}" for n in range(draw(st.integers(20, 120)))]
    start, length = draw(st.integers(0, 60)), draw(st.integers(16, 60))
    piece = words[start : start + length]
    for place in draw(st.lists(st.integers(0, 59), max_size=2)):
        piece[place : place + 1] = ["changed"] * (place < len(piece))
    return " ".join(words), " ".join(piece)


@hypothesis_settings(max_examples=150)
@given(parts_of_texts(), st.sampled_from([8, 16]))
def test_what_is_contained_is_found_by_a_run_on_the_two(texts: tuple[str, str], least: int) -> None:
    """With the search as it is: not all that is contained has a key in common. Near duplicates reach the threshold."""
    settings = dupdetect.Settings(min_shingles=least)
    found = dupdetect.compare(*texts, settings=settings)
    matches = dupdetect.dedup(dict(zip("ab", texts, strict=True)), settings=settings, workers=1).matches.to_pylist()
    if found.relation == "near_duplicate" and not matches:
        assert found.jaccard >= settings.threshold
        return
    turned = {"contains": "contained", "contained": "contains"}
    told = [(match["a"] == "a", match["relation"]) for match in matches]
    said = [relation if forward else turned.get(relation, relation) for forward, relation in told]
    assert said == [found.relation] * (found.relation is not None)


def test_a_text_too_short_to_be_found_for_certain_is_contained_where_it_is_found() -> None:
    """Of 60 parts of 24 words of one text, some have a key in common with it, and some have none."""
    words = [f"w{n}" for n in range(400)]
    whole, answers = " ".join(words), set()
    for start in range(0, 360, 6):
        part = " ".join(words[start : start + 24])
        found = dupdetect.compare(part, whole)
        matches = dupdetect.dedup({"part": part, "whole": whole}, workers=1).matches
        assert found.containment_a == 1
        assert (found.relation == "contained") == (matches.num_rows == 1)
        answers.add(found.relation)
    assert answers == {None, "contained"}


def test_a_text_of_as_many_shingles_as_a_window_is_found_wherever_it_stands() -> None:
    settings = dupdetect.Settings()
    words = [f"w{n}" for n in range(300)]
    length = settings.window + settings.shingle_size - 1
    for start in range(0, 300 - length, 5):
        part = " ".join(words[start : start + length])
        assert dupdetect.compare(part, " ".join(words)).relation == "contained"
