"""Passages against the texts themselves, and against what a naive search finds."""

from __future__ import annotations

import random
from difflib import SequenceMatcher
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from dupdetect.matching.passages import align
from dupdetect.text.clean import clean
from dupdetect.text.words import words

VOCABULARIES = {
    "en": "river boat fog tea lamp stone bridge window winter clock garden letter market music road",
    "ru": "река лодка туман чай лампа камень мост окно зима часы сад письмо рынок музыка дорога облако хлеб",
    "ar": "نهر قارب ضباب شاي مصباح حجر جسر نافذة شتاء ساعة حديقة رسالة سوق موسيقى طريق غيمة خبز",
    "hi": "नदी नाव कोहरा चाय दीपक पत्थर पुल खिड़की सर्दी घड़ी बगीचा पत्र बाज़ार संगीत सड़क बादल रोटी",
    "zh": "江 船 雾 茶 灯 石 桥 窗 冬 钟 园 信 市 乐 路 云 面 天 地 人 山 水",
    "ja": "川 舟 霧 茶 灯 石 橋 窓 冬 か な カ ナ 時 園 手 紙 市 場 音 楽 道 雲 パ ン",
    "th": "ก ข ค ง จ ฉ ช ซ ญ ด ต ถ ท ธ น บ ป ผ ฝ พ ฟ ม ย ร ล ว ส ห อ",
    "emoji": "😀 river 🚢 boat ☕ tea 👩‍👩‍👧 family ½ cup ﬁsh",
}
# Random texts, and not the most obvious ones that hypothesis comes up with: of those each word is that before.
seeds = st.integers(0, 1 << 32).map(random.Random)

BETWEEN = (" ", ", ", "\n", " — ", " \u200b", "… ", "; ")


def written(rng: random.Random, tokens: list[str]) -> str:
    return "".join(token + rng.choice(BETWEEN) for token in tokens)


def edited(rng: random.Random, tokens: list[str], rate: float, vocabulary: list[str]) -> list[str]:
    out: list[str] = []
    for token in tokens:
        turn = rng.random() / rate if rate else 9
        if turn >= 1:
            out.append(token)
        elif turn < 1 / 3:
            out.append(rng.choice(vocabulary))
        elif turn < 2 / 3:
            out += [token, rng.choice(vocabulary)]
    return out


@given(
    st.randoms(use_true_random=False),
    st.sampled_from(sorted(VOCABULARIES)),
    st.sampled_from(["word", "character"]),
    st.sampled_from([0.0, 0.05, 0.2]),
)
def test_what_is_said_to_be_shared_is_there(rng: random.Random, script: str, unit: str, rate: float) -> None:
    vocabulary = VOCABULARIES[script].split()
    parts = [rng.choices(vocabulary, k=rng.randint(0, 30)) for _ in range(4)]
    a = "".join(written(rng, part) for part in parts[:3])
    b = "".join(written(rng, edited(rng, part, rate, vocabulary)) for part in rng.sample(parts, 3))
    found = align(a, b, unit)
    taken = [False] * len(a)
    for passage, equal in found:
        assert 0 <= passage.a_start < passage.a_end <= len(a)
        assert 0 <= passage.b_start < passage.b_end <= len(b)
        assert not any(taken[passage.a_start : passage.a_end])
        taken[passage.a_start : passage.a_end] = [True] * (passage.a_end - passage.a_start)
        shared = 0
        for a_start, a_end, b_start, b_end in equal.tolist():
            here, there = words(clean(a[a_start:a_end]), unit), words(clean(b[b_start:b_end]), unit)
            assert here == there
            shared += len(here)
        assert (equal[0, 0], equal[-1, 1], equal[0, 2], equal[-1, 3]) == (
            passage.a_start, passage.a_end, passage.b_start, passage.b_end,
        )  # fmt: skip
        assert (equal[1:, ::2] >= equal[:-1, 1::2]).all()
        assert passage.words == shared
        longest = max(
            len(words(clean(a[passage.a_start : passage.a_end]), unit)),
            len(words(clean(b[passage.b_start : passage.b_end]), unit)),
        )
        assert shared / passage.similarity >= longest - 1e-9
        assert 0 < passage.similarity <= 1
        assert 0 <= passage.boilerplate <= 1
    sizes = [passage.words for passage, _ in found]
    assert sizes == sorted(sizes, reverse=True)
    assert [passage for passage, _ in align(a, b, unit)] == [passage for passage, _ in found]


def covered(found: list, text: str) -> list[bool]:
    """Mark the words of the first text that stand in passages; its words are parted by single spaces."""
    marks = [False] * (text.count(" ") + 1)
    for passage, _ in found:
        first = text[: passage.a_start].count(" ")
        for n in range(first, first + text[passage.a_start : passage.a_end].count(" ") + 1):
            marks[n] = True
    return marks


@given(seeds)
def test_no_shared_run_of_eight_words_is_passed_over(rng: random.Random) -> None:
    vocabulary = [f"w{n}" for n in range(40)]
    parts = [rng.choices(vocabulary, k=rng.randint(1, 14)) for _ in range(6)]
    a, b = ([*chain(*rng.choices(parts, k=rng.randint(1, 6)))] for _ in range(2))
    marks = covered(align(" ".join(a), " ".join(b)), " ".join(a))
    eights = {tuple(b[n : n + 8]) for n in range(len(b) - 7)}
    for n in range(len(a) - 7):
        assert tuple(a[n : n + 8]) not in eights or any(marks[n : n + 8])


@given(seeds, st.sampled_from([0.0, 0.02, 0.05, 0.1]))
def test_of_an_edited_text_as_much_is_found_as_by_a_naive_search(rng: random.Random, rate: float) -> None:
    vocabulary = [f"w{n}" for n in range(500)]
    a = rng.choices(vocabulary, k=rng.randint(60, 200))
    b = edited(rng, a, rate, vocabulary)
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    found = align(" ".join(a), " ".join(b))
    assert sum(passage.words for passage, _ in found) >= 0.9 * sum(block.size for block in blocks)
    assert len(found) <= 3
