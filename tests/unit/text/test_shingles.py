import numpy as np
import oracles
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.text.shingles import avalanche, digest, shingle_hashes, word_hashes

WORDS = st.lists(st.sampled_from(["a", "b", "漢", "слово", "कि", "x" * 300]), max_size=12)


@given(WORDS)
def test_a_words_hash_is_xxh64_of_its_utf8(cut):
    hashes = word_hashes(cut)
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == [xxhash.xxh64_intdigest(word.encode()) for word in cut]


@given(WORDS, st.integers(1, 14))
def test_shingle_hashes_are_the_polynomial_of_the_definition(cut, size):
    hashes = shingle_hashes(word_hashes(cut), size)
    assert hashes.dtype == np.uint64
    assert hashes.tolist() == [oracles.shingle_hash(run) for run in oracles.runs(cut, size)]


@pytest.mark.parametrize(
    ("words", "size", "expected"), [(0, 5, 0), (1, 5, 1), (4, 5, 1), (5, 5, 1), (6, 5, 2), (100, 5, 96), (3, 1, 3)]
)
def test_a_document_has_so_many_shingles(words, size, expected):
    assert len(shingle_hashes(word_hashes([str(n) for n in range(words)]), size)) == expected


def test_a_hash_that_is_known_stays_what_it_is():
    assert shingle_hashes(word_hashes(["to", "be", "or"]), 3).tolist() == [9490768901111543954]
    assert word_hashes([""]).tolist() == [0xEF46DB3751D8E999]


@given(st.lists(st.integers(0, 2**64 - 1), unique=True))
def test_avalanche_maps_different_numbers_to_different_ones(numbers):
    assert len(np.unique(avalanche(np.array(numbers, np.uint64)))) == len(numbers)


def test_the_order_of_words_matters():
    one, other = (shingle_hashes(word_hashes(words), 3) for words in (["a", "b", "c"], ["c", "b", "a"]))
    assert one[0] != other[0]


@given(WORDS, WORDS)
def test_digests_are_equal_where_words_are(one, other):
    assert (digest(word_hashes(one)) == digest(word_hashes(other))) == (one == other)
    assert all(0 <= half < 2**64 for half in digest(word_hashes(one)))


def test_digests_tell_where_words_begin():
    assert digest(word_hashes(["ab", "c"])) != digest(word_hashes(["a", "bc"]))
    assert digest(word_hashes([])) != digest(word_hashes([""]))
