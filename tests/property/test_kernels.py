"""The compiled twin equals the definition, bit for bit, whatever the text."""

from __future__ import annotations

import gzip
import json
import os
import random
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dupdetect._compiled import kernels, main_content
from dupdetect.settings import UNITS, Settings
from dupdetect.sketches import bands, minhash, sketches
from dupdetect.sketches import winnowing as winnow
from dupdetect.text.shingles import digest, shingle_hashes, word_hashes
from dupdetect.text.words import words

pytest.importorskip("numba")

EXHAUSTIVE = bool(os.environ.get("DUPDETECT_EXHAUSTIVE")) or os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
ANY_TEXT = settings(deadline=None, max_examples=16_000 if EXHAUSTIVE else 300)
ANY_SETTING = settings(deadline=None, max_examples=4_000 if EXHAUSTIVE else 100)
ANY_SORT = settings(deadline=None, max_examples=2_000 if EXHAUSTIVE else 100)

#: What a normalising, casefolding cutter of words can stumble over.
HOSTILE = (
    "aAzZ09_ .,-'’\n\t\x00"
    "ßſẞİıςσΣ\u0345ᾳᾼŉǰΐﬁﬃﬅﷺﷲ½¼²Ⅷ㎏㋿㌖①Ａａ｡ﾊﾞﾟｶ\u00a0\u00ad\u200b\u200c\u200d\ufeff…™ªº"
    "\u0300\u0301\u0308\u0315\u0316\u031b\u0323\u0327\u0328\u0334\u0338\u034f\u035c\u0360"
    "áéÅÅẛ̣ṩǟ\u0340\u0343\u0344"
    "\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2\u11c3가각힣\ud7b0\ud7cb\u3131ￂ"
    "\u093c\u0928\u0930\u0933\u0958\u095c\u094d\u09c7\u09be\u0dca\u0dd9\u0ddc\u0f71\u0f72\u0f73\u0f74\u0f80"
    "\u05d0\u05b0\u05bc\u05c1\ufb2a\ufb1d\u0627\u0653\u0654\u0655\u064b\u0651\u0670\u0622ﻻﭐ"
    "ก\u0e33\u0e38\u0e48ຳ\u0f0cကမာ东京タイ々〇〜々かが\u3099\u309a"
    "\U0001d15e\U0001d165\U0001d16e\U000110ba\U00011131\U00011127\U0001133e\U00011347"
    "\U0001f600\U0001f468\U0001f3fd\U0002f800\U00020000\U0001e900\U00010400\U000e0101\U0010ffff\ue000\ufdd0"
)
TEXT = st.one_of(
    st.text(st.sampled_from(HOSTILE), max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.text(st.sampled_from("abcXYZ _-é"), max_size=300),
)


def arrow(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Lay texts out as Arrow does, the first not at 0, with nothing after the last."""
    encoded = [b"before it", *(text.encode() for text in texts)]
    offsets = np.cumsum([len(data) for data in encoded], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def assert_equal_to_definition(
    texts: Sequence[str], unit: str = "word", shingle_size: int = 5, window: int = 32, num_perm: int = 128,
    banding: tuple[int, int] = (9, 13), workers: int = 1,
) -> None:  # fmt: skip
    data, offsets = arrow(texts)
    permutations = minhash.permutations(num_perm, 1)
    factors, terms = permutations
    counts, digests, keys, starts, fingerprints, signatures = kernels.sketch(
        data, offsets, unit=unit, shingle_size=shingle_size, window=window, factors=factors, terms=terms,
        bands=banding[0], rows=banding[1], workers=workers, want_signatures=True,
    )  # fmt: skip
    every = np.arange(len(texts))
    cut = partial(kernels.shingles, data, offsets, every, unit=unit, shingle_size=shingle_size, workers=workers)
    raw, unique = (cut(distinct=distinct) for distinct in (False, True))
    assert signatures is not None
    assert signatures.shape == (len(texts), num_perm)
    for row, text in enumerate(texts):
        hashes = word_hashes(words(text, unit))
        shingles = shingle_hashes(hashes, shingle_size)
        assert counts[row] == len(hashes), text
        assert tuple(digests[row].tolist()) == digest(hashes), text
        np.testing.assert_array_equal(raw[1][raw[0][row] : raw[0][row + 1]], shingles)
        np.testing.assert_array_equal(unique[1][unique[0][row] : unique[0][row + 1]], np.unique(shingles))
        picked = winnow.fingerprints(shingles, window)
        np.testing.assert_array_equal(fingerprints[starts[row] : starts[row + 1]], picked)
        np.testing.assert_array_equal(signatures[row], minhash.signature(shingles, permutations))
    np.testing.assert_array_equal(keys, bands.keys(signatures, *banding))


def assert_equal_words(texts: Sequence[str]) -> None:
    """Compare the hashes of words and of characters alone: for many or long texts."""
    data, offsets = arrow(texts)
    for unit in UNITS:
        bounds, hashes = kernels.shingles(
            data, offsets, np.arange(len(texts)), unit=unit, shingle_size=1, workers=1, distinct=False
        )
        for row, text in enumerate(texts):
            expected = shingle_hashes(word_hashes(words(text, unit)), 1)
            got = hashes[bounds[row] : bounds[row + 1]]
            assert np.array_equal(got, expected), f"{text[:200]!r}... {len(got)} {unit}s, not {len(expected)}"


@ANY_TEXT
@given(st.lists(TEXT, min_size=1, max_size=4), st.sampled_from(UNITS))
@example(["e\u0301 A\u0316\u0301", "\u0301\u0316", "가\u11a8", "\u1100\u1161\u11a8"], "word")
@example(["\u0f73\u0f71", "\u0344\u0301", "a\u0345\u0301", "ΑΣ Σ", "\ud7b0\u11a8"], "word")
@example(["e\u0301 A\u0316", "\u0301\u0316", "가\u11a8", "\U00020000東é£", "\U0010ffffA\u07ff"], "character")
def test_any_text(texts: list[str], unit: str) -> None:
    assert_equal_to_definition(texts, unit, shingle_size=2, window=3)


@ANY_SETTING
@given(st.data())
def test_any_setting(data: st.DataObject) -> None:
    num_perm = data.draw(st.integers(2, 300))
    rows = data.draw(st.integers(1, min(num_perm, 20)))
    count = data.draw(st.integers(1, num_perm // rows))
    text = st.lists(st.sampled_from(["a", "bb", "ccc", "Ä", "東京"]), max_size=80).map(" ".join)
    assert_equal_to_definition(
        data.draw(st.lists(text, max_size=4)),
        data.draw(st.sampled_from(UNITS)),
        shingle_size=data.draw(st.integers(1, 12)),
        window=data.draw(st.integers(1, 70)),
        num_perm=num_perm,
        banding=(count, rows),
    )


@ANY_SORT
@given(st.integers(0, 3000), st.integers(1, 3000), st.integers())
def test_distinct_shingles_of_repetitive_texts(length: int, vocabulary: int, seed: int) -> None:
    chooser = random.Random(seed)
    text = " ".join(str(chooser.randrange(vocabulary)) for _ in range(length))
    data, offsets = arrow([text])
    _, got = kernels.shingles(data, offsets, np.array([0]), shingle_size=2, workers=1, distinct=True)
    np.testing.assert_array_equal(got, np.unique(shingle_hashes(word_hashes(words(text)), 2)))


def characters() -> list[str]:
    return [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["{} ", "a{}b ", "e\u0301{} ", "\u0345{} ", "{}\u0301 ", "\u1100{}\u11a8 "])
def test_every_character(pattern: str) -> None:
    every = characters()
    pieces = (every[start : start + 4096] for start in range(0, len(every), 4096))
    assert_equal_words(["".join(map(pattern.format, piece)) for piece in pieces])


def test_every_character_of_the_basic_plane_beside_its_neighbours() -> None:
    every = characters()[:0x10000]
    assert_equal_words(["".join(every[start : start + 256]) for start in range(0, len(every), 256)])


def test_every_length_of_a_word() -> None:
    assert_equal_words(["x" * length + " " + "é" * length for length in range(71)])


@pytest.mark.parametrize("inserted", ["", " ", "é", "東", "e\u0301", "\u00a0", "ﬁ", " A"])
def test_every_position_in_a_block(inserted: str) -> None:
    assert_equal_words(["W" * at + inserted + "v" * rest for at in range(131) for rest in (0, 1, 63, 64, 70)])


def test_long_runs() -> None:
    """What outgrows the buffers: marks without end, characters of long replacements, long words."""
    marks = "\u0316\u0301\u0315\u0300\u0323"
    assert_equal_words(
        ["a" + marks * 7, "a" + marks * 5000, "\ufdfa" * 3000, "㌖" * 3000, "x" * 100_000, "\u1100\u1161" * 2000]
    )


def test_no_documents_and_empty_ones() -> None:
    assert_equal_to_definition([])
    assert_equal_to_definition([""])
    assert_equal_to_definition(["", "a", "", "...", "b c", ""])


def test_threads_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = random.Random(7)
    texts = [" ".join(chooser.choices(["alpha", "béta", "γ", "東京"], k=chooser.randrange(300))) for _ in range(200)]
    for size in (1, 100, 5000, 1 << 20):
        monkeypatch.setattr(kernels, "BLOCK_BYTES", size)
        assert_equal_to_definition(texts, workers=2)
        assert_equal_to_definition(texts, "character", workers=2)


RELEASES = ("changelogs", "code", "copyrights", "manpages", "manuals")
CORPORA = ("answers", "newswire", "ocr", "pages", "versions", "records/stroke", "records/respiratory")


@pytest.mark.slow
@pytest.mark.parametrize("folder", [*CORPORA, "records/cytology_screening"])
def test_every_document_of_the_corpora(shared: Path, folder: str) -> None:
    with gzip.open(shared / "corpora" / folder / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert_equal_to_definition(texts, workers=2)


@pytest.mark.slow
@pytest.mark.parametrize("folder", [*RELEASES, "answers", "ocr", "pages"])
def test_marks_of_lines_of_the_corpora(shared: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared / "corpora" / folder / "docs.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = pa.array([json.loads(line)["text"] for line in lines][::7], pa.large_string())
    every, found = np.arange(len(texts)), []
    for break_even in (2**62, 1):
        monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
        found.append(sketches.marked_shingles(texts, every, Settings(), workers=2))
    assert found[0].offsets.tolist() == found[1].offsets.tolist()
    np.testing.assert_array_equal(found[0].values, found[1].values)


@pytest.mark.parametrize("ends", ["\n", "\n\n", " ", " 。\n"], ids=["lines", "paragraphs", "one line", "symbols"])
def test_marks_of_lines_of_a_very_long_text(ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many words that its lines are counted before room is made for them."""
    lines = (f"Мост {n} is closed{' until further notice today' * (n % 4)} 桥梁 สะพาน पुल" for n in range(10_000))
    texts, found = pa.array([ends.join(lines)], pa.large_string()), []
    for break_even in (2**62, 1):
        monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
        found.append(sketches.marked_shingles(texts, np.arange(1), Settings(), workers=1))
    assert len(found[0].values) > main_content.MANY
    np.testing.assert_array_equal(found[0].values, found[1].values)
