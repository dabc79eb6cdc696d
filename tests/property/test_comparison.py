"""What two texts are said to be is what a run on the two finds."""

from __future__ import annotations

from hypothesis import example, given
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
