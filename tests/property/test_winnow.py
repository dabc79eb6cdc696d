"""The guarantee of winnowing: a run that two texts share is noticed, wherever it stands."""

import numpy as np
import oracles
import pyarrow as pa
from hypothesis import assume, given
from hypothesis import strategies as st

import dupdetect
from dupdetect.matching import candidates
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import sketch_by_reference, sketch_texts
from dupdetect.sketches.winnowing import fingerprints
from dupdetect.text.shingles import shingle_hashes, word_hashes

#: Few words, so that surroundings often resemble what is shared.
WORDS = st.sampled_from([f"w{n}" for n in range(12)])
AROUND = st.lists(WORDS, max_size=40)


def picked(words, size, window):
    return set(fingerprints(shingle_hashes(word_hashes(words), size), window).tolist())


@given(AROUND, AROUND, AROUND, AROUND, st.integers(1, 5), st.integers(1, 9), st.integers(0, 6), st.data())
def test_a_shared_run_gives_a_shared_fingerprint_in_any_surroundings(
    before, after, before_other, after_other, size, window, more, data
):
    length = window + size - 1 + more
    run = data.draw(st.lists(WORDS, min_size=length, max_size=length))
    one, other = before + run + after, before_other + run + after_other
    assert picked(one, size, window) & picked(other, size, window)


@given(AROUND, AROUND, st.integers(1, 4), st.integers(1, 6))
def test_fingerprints_are_shingles_of_the_text_and_so_are_those_shared(one, other, size, window):
    shingles = {oracles.shingle_hash(run) for run in oracles.runs(one, size)}
    assert picked(one, size, window) <= shingles
    assert picked(one, size, 1) == shingles
    common = picked(one, size, window) & picked(other, size, window)
    assert common <= {oracles.shingle_hash(run) for run in oracles.runs(other, size)}


@given(AROUND, AROUND, AROUND, AROUND, st.integers(1, 3), st.integers(1, 6), st.data())
def test_two_texts_whose_run_is_share_enough_are_a_candidate(
    before, after, before_other, after_other, size, window, data
):
    length = data.draw(st.integers(window + size - 1, 40))
    run = data.draw(st.lists(WORDS, min_size=length, max_size=length))
    texts = [" ".join(before + run + after), " ".join(before_other + run + after_other)]
    settings = Settings(shingle_size=size, window=window, num_perm=2, min_shared_fingerprints=0.25)
    rows = [picked(text.split(), size, window) for text in texts]
    assume(len(rows[0] & rows[1]) >= 0.25 * min(map(len, rows)))
    found = candidates.find(sketch_by_reference(texts, settings))
    assert len(found.pairs) == 1


@given(st.integers(0, 2**32 - 1), st.integers(0, 200), st.integers(0, 200))
def test_an_article_inside_a_page_is_found_wherever_it_stands(seed, before, after):
    random = np.random.default_rng(seed)

    def prose(length):
        return " ".join(f"w{n}" for n in random.integers(0, 3000, length))

    article = prose(60)
    page = f"{prose(before)} {article} {prose(after)}"
    result = dupdetect.dedup([page, article])
    assert result.clusters["cluster"].to_pylist() in ([1, 1], [0, 0])


def test_a_script_without_spaces_is_winnowed_by_character():
    settings = Settings(window=4, shingle_size=3)
    run = "今天天气很好"
    made = sketch_texts(pa.array([f"甲乙丙{run}丁戊", f"子丑{run}寅卯辰巳"], pa.large_string()), settings)
    assert set(made.fingerprints.row(0).tolist()) & set(made.fingerprints.row(1).tolist())
