import numpy as np
import oracles
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import dupdetect
from dupdetect._compiled import kernels
from dupdetect._compiled.dispatch import many_calls
from dupdetect.errors import MismatchError
from dupdetect.settings import Settings
from dupdetect.sketches import minhash, sketches
from dupdetect.sketches.sketches import (
    Ragged,
    Sketches,
    buffers,
    marked_shingles,
    reference_is_faster,
    shingle_sets,
    sketch_by_reference,
    sketch_texts,
)

SMALL = Settings(shingle_size=2, num_perm=16, window=3, bands=(4, 4))
TEXTS = ["", "one", "one two", "One, two!", "a b c d e f g h", "漢字かな", "a b c d e f g x", "😀", "слово за слово"]
ROWS = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=5)


def arrow(texts):
    return pa.array(texts, pa.large_string())


def contents(one: Sketches):
    signatures = None if one.signatures is None else one.signatures.tolist()
    fingerprints = [one.fingerprints.row(n).tolist() for n in range(len(one))]
    return one.words.tolist(), one.digests.tolist(), one.band_keys.tolist(), fingerprints, signatures


@given(ROWS, st.data())
def test_ragged_rows_come_back(rows, data):
    ragged = Ragged.of([np.array(row, np.uint64) for row in rows])
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert [ragged.row(n).tolist() for n in range(len(rows))] == rows
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    taken = ragged.take(np.array(chosen, np.int64))
    assert [taken.row(n).tolist() for n in range(len(chosen))] == [rows[n] for n in chosen]
    assert taken.values.dtype == np.uint64


def test_a_sketch_holds_what_the_oracles_say():
    made = sketch_by_reference(TEXTS, SMALL)
    for number, text in enumerate(TEXTS):
        hashes = [oracles.shingle_hash(run) for run in oracles.runs(oracles.words(text), 2)]
        assert made.words[number] == len(oracles.words(text))
        assert made.fingerprints.row(number).tolist() == oracles.fingerprints(hashes, 3)
        assert made.signatures[number].tolist() == oracles.minhash(hashes, 16, 1).hashvalues.tolist()
    assert made.digests.dtype == np.uint64
    assert made.digests[2].tolist() == made.digests[3].tolist() != made.digests[1].tolist()
    assert made.band_keys.shape == (len(TEXTS), 4)


def test_definition_and_kernel_make_the_same_sketches(monkeypatch):
    made = {}
    for break_even in (0, 2**62):
        monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
        for workers in (1, 2):
            made[break_even, workers] = contents(sketch_texts(arrow(TEXTS), SMALL, workers=workers, signatures=True))
    assert made[0, 1] == made[0, 2] == made[2**62, 1] == made[2**62, 2] == contents(sketch_by_reference(TEXTS, SMALL))


def test_definition_and_kernel_make_the_same_shingle_sets(monkeypatch):
    documents = np.array([4, 0, 7, 4, 2], np.int64)
    for break_even in (0, 2**62):
        monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
        sets = shingle_sets(arrow(TEXTS), documents, SMALL)
        expected = [
            sorted({oracles.shingle_hash(run) for run in oracles.runs(oracles.words(TEXTS[n]), 2)}) for n in documents
        ]
        assert [sets.row(place).tolist() for place in range(len(documents))] == expected


@pytest.mark.parametrize("break_even", [0, 2**62])
def test_a_slice_of_an_arrow_array_is_sketched_as_its_copy(monkeypatch, break_even):
    monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
    sliced = arrow(TEXTS)[2:7]
    assert contents(sketch_texts(sliced, SMALL)) == contents(sketch_by_reference(TEXTS[2:7], SMALL, signatures=False))
    sets = shingle_sets(sliced, np.array([1], np.int64), SMALL.replace(shingle_size=1))
    assert len(sets.row(0)) == 2


@pytest.mark.parametrize("break_even", [0, 2**62])
@pytest.mark.parametrize("signatures", [False, True])
def test_no_texts_have_empty_sketches(monkeypatch, break_even, signatures):
    monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
    made = sketch_texts(arrow([]), SMALL, signatures=signatures)
    assert len(made) == 0
    assert (made.digests.shape, made.band_keys.shape) == ((0, 2), (0, 4))
    assert made.fingerprints.offsets.tolist() == [0]
    assert (made.signatures.shape == (0, 16)) if signatures else made.signatures is None


def test_an_array_without_buffers_has_no_texts():
    data, offsets = buffers(pa.array([], pa.large_string()))
    assert (len(data), offsets.tolist()) == (0, [0])
    data, offsets = buffers(arrow(["", ""]))
    assert offsets.tolist() == [0, 0, 0]


def test_a_few_texts_do_not_wait_for_the_compiler(monkeypatch):
    assert reference_is_faster(arrow(["short"] * 100))
    assert not reference_is_faster(arrow(["long " * 300_000]))
    assert not reference_is_faster(arrow([""] * 10_000))
    assert reference_is_faster(arrow(["long " * 300_000, "short"])[1:])
    monkeypatch.setattr(kernels, "available", lambda: False)
    assert reference_is_faster(arrow(["long " * 300_000]))


def test_taken_sketches_are_those_of_the_texts_taken():
    order = np.array([4, 0, 4, 2], np.int64)
    assert contents(sketch_by_reference(TEXTS, SMALL).take(order)) == contents(
        sketch_by_reference([TEXTS[n] for n in order], SMALL)
    )
    without = sketch_by_reference(TEXTS, SMALL, signatures=False).take(order)
    assert without.signatures is None


@hypothesis_settings(max_examples=20)
@given(st.lists(st.text(alphabet="ab ", max_size=12), min_size=1, max_size=4))
def test_estimated_jaccard_is_that_of_datasketch(texts):
    made = sketch_by_reference(texts, SMALL)
    estimate = made.jaccard(made)
    for a in range(len(texts)):
        for b in range(len(texts)):
            assert estimate[a, b] == made.to_datasketch(a).jaccard(made.to_datasketch(b))
    assert (np.diag(estimate) == 1).all()


def test_jaccard_of_m_and_n_sketches_has_m_rows_and_n_columns():
    assert sketch_by_reference(TEXTS[:3], SMALL).jaccard(sketch_by_reference(TEXTS[:2], SMALL)).shape == (3, 2)
    assert sketch_by_reference([], SMALL).jaccard(sketch_by_reference(TEXTS[:2], SMALL)).shape == (0, 2)
    assert sketch_by_reference(TEXTS[:2], SMALL).jaccard(sketch_by_reference([], SMALL)).shape == (2, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shingle_size": 3}, "shingle_size: 2 and 3"),
        ({"unit": "character"}, "unit: word and character"),
        ({"num_perm": 32}, "num_perm: 16 and 32"),
        ({"seed": 5}, "seed: 1 and 5"),
        ({"window": 4}, "window: 3 and 4"),
    ],
)
def test_sketches_made_otherwise_refuse_to_be_compared(change, message):
    with pytest.raises(MismatchError, match=rf"different settings \({message}\).*sketch both with the same"):
        sketch_by_reference(TEXTS, SMALL).jaccard(sketch_by_reference(TEXTS, SMALL.replace(**change)))


def test_a_mismatch_names_what_decides_a_sketch_and_nothing_else():
    with pytest.raises(MismatchError, match=r"\(seed: 1 and 5\)"):
        sketch_by_reference(TEXTS, SMALL).jaccard(
            sketch_by_reference(TEXTS, SMALL.replace(seed=5, threshold=0.5, canonical="longest"))
        )


def test_sketches_that_differ_in_what_comes_later_are_compared():
    later = SMALL.replace(
        threshold=0.5, canonical="first", hot_key_documents=9, min_shingles=1, min_shared_fingerprints=1, containment=1
    )
    assert sketch_by_reference(TEXTS, SMALL).jaccard(sketch_by_reference(TEXTS, later))[4, 4] == 1.0


def test_sketches_without_signatures_say_how_to_make_them():
    bare = sketch_by_reference(TEXTS, SMALL, signatures=False)
    for compare in (
        lambda: bare.jaccard(bare),
        lambda: sketch_by_reference(TEXTS, SMALL).jaccard(bare),
        lambda: bare.to_datasketch(0),
    ):
        with pytest.raises(MismatchError, match="make them with signatures=True"):
            compare()


def test_a_sketch_goes_to_datasketch_and_back_unchanged():
    made = sketch_by_reference(TEXTS, SMALL)
    theirs = made.to_datasketch(4)
    back = minhash.from_datasketch(theirs, num_perm=16, seed=1)
    assert back.tolist() == made.signatures[4].tolist()


def test_compiled_shingles_are_marked_as_by_the_reference(monkeypatch):
    # A ligature is four words once it is normalised, and letters are words: more shingles than most texts have.
    story = (
        "menu\n" * 20
        + 2 * "It rained for a week, and then it rained again until the ferries stopped and even the gulls went home. "
    )
    texts = arrow(["\ufdfa" * 9, "a b c d e f", *TEXTS, "", "\u00bd" * 7, *TEXTS, story])
    chunked = pa.chunked_array([texts[:3], texts[3:]])
    for size, unit, boilerplate in ((1, "word", True), (2, "word", False), (5, "word", True), (3, "character", True)):
        settings = SMALL.replace(shingle_size=size, unit=unit, boilerplate=boilerplate)
        found = []
        for break_even, form in ((2**62, texts), (0, texts), (0, chunked)):
            monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
            cut = marked_shingles(form, np.arange(len(texts)), settings)
            found.append([row.tolist() for row in map(cut.row, range(len(texts)))])
        assert len({value % 2 for row in found[0] for value in row}) == 1 + settings.weighs
        assert found[1] == found[0]
        assert found[2] == found[0]


@pytest.mark.parametrize("break_even", [0, 10**9])
def test_signatures_alone_are_those_of_sketches(monkeypatch, break_even):
    monkeypatch.setattr(sketches, "BREAK_EVEN", break_even)
    for texts in (arrow(TEXTS), pa.chunked_array([arrow(TEXTS), arrow(TEXTS[2:])]), arrow([])):
        signed = sketches.sign_texts(texts, SMALL, workers=2)
        assert signed.dtype == np.uint32
        assert signed.tolist() == sketch_by_reference(texts.to_pylist(), SMALL).signatures.tolist()


def test_no_texts_are_sketched_by_compiled_code_too():
    with many_calls():
        nothing = sketch_texts(pa.chunked_array([], pa.large_string()), Settings(), signatures=True)
        assert (len(nothing), nothing.signatures.shape) == (0, (0, 128))
        assert dupdetect.signatures([]).shape == (0, 128)
        assert dupdetect.verify(dupdetect.find_candidates(dupdetect.sketch([])), []).num_rows == 0
