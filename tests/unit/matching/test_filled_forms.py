"""Edited copies are found, and forms with other names filled in stay apart."""

from __future__ import annotations

import numpy as np
import oracles
import pyarrow as pa
import pytest
from collections_of_texts import TONGUES, Tongue
from hypothesis import given
from hypothesis import strategies as st
from verifying import counter

import dupdetect
from dupdetect.matching.filled_forms import BESIDE, are_filled_forms, find_lacking
from dupdetect.matching.pairs import pack, unpack
from dupdetect.settings import Settings

#: Words between two that differ: all but one shingle in six of two documents differ in none.
APART = 24


def wording(tongue, fields):
    """Write paragraphs, and where between them something else may stand."""
    return [tongue.paragraph(APART) for _ in range(fields + 1)]


def filled(paragraphs, words):
    """Put a word behind each paragraph but the last."""
    text = [part for pair in zip(paragraphs, [*words, ""], strict=True) for part in pair]
    return "\n".join(text)


def clusters(texts, **settings):
    result = dupdetect.dedup({f"d{n}": text for n, text in enumerate(texts)}, workers=1, **settings)
    return result.clusters["cluster"].to_pylist(), result.clusters["lost_share"].to_pylist()


@pytest.mark.parametrize("language", TONGUES)
def test_forms_with_other_fillings_stay_apart(language):
    tongue = Tongue(language, "forms")
    paragraphs = wording(tongue, 9)
    forms = [filled(paragraphs, [f"{tongue.word()}{form}x{n}" for n in range(9)]) for form in range(4)]
    assert len(set(clusters(forms)[0])) == 4


@pytest.mark.parametrize("language", TONGUES)
def test_edited_copies_of_one_text_are_found(language):
    tongue = Tongue(language, "edits")
    paragraphs = wording(tongue, 30)
    words = [tongue.word() for _ in range(30)]
    texts = [filled(paragraphs, words)]
    for copy in range(3):  # each is edited elsewhere
        edited = [f"{word}{copy}" if n % 3 == copy else word for n, word in enumerate(words)]
        texts.append(filled(paragraphs, edited))
    found, lost = clusters(texts)
    assert set(found) == {"d0"}
    assert all(share is None or 0 < share <= Settings().max_lost for share in lost)


def test_two_documents_that_differ_in_little_are_an_edited_copy_for_nothing_says_otherwise():
    tongue = Tongue("en", "two")
    paragraphs = wording(tongue, 20)
    texts = [filled(paragraphs, [f"{tongue.word()}{copy}" for _ in range(20)]) for copy in range(2)]
    assert len(set(clusters(texts)[0])) == 1
    assert len(set(clusters(texts, max_lost=0.01)[0])) == 2


def test_versions_that_were_changed_one_after_the_other_are_no_forms():
    tongue = Tongue("en", "versions")
    paragraphs, words = wording(tongue, 40), [tongue.word() for _ in range(40)]
    texts = []
    for version in range(4):
        words = [f"{word}{version}" if n % 4 == version else word for n, word in enumerate(words)]
        texts.append(filled(paragraphs, words))
    pairs = pack(*np.triu_indices(4, 1))
    made = counter(texts, Settings())
    assert not are_filled_forms(made.shingles, pairs).any()


def test_a_sort_of_form_is_told_by_its_boilerplate():
    tongue = Tongue("en", "told")
    paragraphs = wording(tongue, 9)
    forms = [filled(paragraphs, [f"{tongue.word()}{form}x{n}" for n in range(9)]) for form in range(4)]
    result = dupdetect.dedup(forms, workers=1)
    assert result.manifest["counts"]["boilerplate_shingles"] > 100


WORDS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12).map(" ".join)


@given(st.lists(WORDS, min_size=2, max_size=7, unique=True), st.data())
def test_filled_forms_are_those_of_the_sets(texts, data):
    settings = Settings(shingle_size=2, max_lost=data.draw(st.sampled_from([0.05, 0.3])))
    pairs = pack(*np.triu_indices(len(texts), 1))
    pairs = pairs[np.array(data.draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs))))]
    pages = [oracles.Document(text, 2) for text in texts]
    listed = list(zip(*(side.tolist() for side in unpack(pairs)), strict=True))
    expected = oracles.filled_among(pages, listed, settings.max_lost)
    found = []
    for run in (find_lacking.function, find_lacking.compiled):
        find_lacking.__dict__["faster_for"] = lambda _, run=run: run
        try:
            made = counter(pa.array(texts, pa.large_string()), settings)
            found.append(are_filled_forms(made.shingles, pairs).tolist())
        finally:
            del find_lacking.__dict__["faster_for"]
    assert found[0] == [pair in expected for pair in listed]
    assert found[1] == found[0]


def test_a_document_is_held_against_so_many_others():
    assert 2 * BESIDE <= 32  # a bit each, of 32
