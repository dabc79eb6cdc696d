"""The road from a text to its sketch, by the definition, against the oracles, on mixed scripts."""

import numpy as np
import oracles
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.settings import UNITS, Settings
from dupdetect.sketches.sketches import sketch_by_reference

SCRIPTS = [
    "the",
    "Harbour",
    "ﬁre",
    "北京",
    "東京タワー",
    "สวัสดี",
    "السلام",
    "مُدَرِّس",
    "Привет",
    "नमस्ते",
    "दुनिया",
    "한국어",
    "😀",
    "☃️",
    "don't",
    "x́",
    "ß",
    "İ",
    "12",
    "１２",
]
TEXT = st.one_of(
    st.lists(st.sampled_from(SCRIPTS), max_size=12).map(" ".join),
    st.lists(st.sampled_from(SCRIPTS), max_size=6).map("".join),
    st.text(max_size=20),
)


@given(
    TEXT, st.integers(1, 6), st.sampled_from(UNITS), st.integers(1, 5), st.sampled_from([2, 16]),
    st.sampled_from([0, 1, 99]),
)  # fmt: skip
def test_a_sketch_is_what_the_oracles_say(text, size, unit, window, num_perm, seed):
    made = sketch_by_reference(
        [text], Settings(shingle_size=size, unit=unit, window=window, num_perm=num_perm, seed=seed)
    )
    words = oracles.words(text, unit)
    hashes = [oracles.shingle_hash(run) for run in oracles.runs(words, size)]
    assert made.words.tolist() == [len(words)]
    assert made.fingerprints.row(0).tolist() == oracles.fingerprints(hashes, window)
    assert made.signatures[0].tolist() == oracles.minhash(hashes, num_perm, seed).hashvalues.tolist()


@given(TEXT, TEXT, st.sampled_from(UNITS))
def test_digests_are_equal_where_the_words_are(one, other, unit):
    made = sketch_by_reference([one, other], Settings(unit=unit))
    assert (made.digests[0] == made.digests[1]).all() == (oracles.words(one, unit) == oracles.words(other, unit))


@given(st.lists(TEXT, max_size=5))
def test_texts_sketched_together_are_sketched_as_each_alone(texts):
    settings = Settings(num_perm=8, window=2, shingle_size=2)
    together = sketch_by_reference(texts, settings)
    for number, text in enumerate(texts):
        alone = sketch_by_reference([text], settings)
        assert np.array_equal(together.signatures[number], alone.signatures[0])
        assert np.array_equal(together.band_keys[number], alone.band_keys[0])
        assert np.array_equal(together.fingerprints.row(number), alone.fingerprints.row(0))


@given(TEXT, st.integers(1, 4))
def test_what_is_between_words_does_not_count(text, size):
    settings = Settings(shingle_size=size, num_perm=4)
    plain, spaced = sketch_by_reference([text, f" \n\x00{text} — ☃ !"], settings).signatures
    assert plain.tolist() == spaced.tolist()
