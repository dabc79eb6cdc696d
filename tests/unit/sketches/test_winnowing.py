import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.sketches.winnowing import fingerprints

HASHES = st.lists(st.integers(0, 20), max_size=40)


@given(HASHES, st.integers(1, 50))
def test_fingerprints_are_the_least_of_each_window(hashes, window):
    picked = fingerprints(np.array(hashes, np.uint64), window)
    assert picked.dtype == np.uint64
    assert picked.tolist() == oracles.fingerprints(hashes, window)


def test_a_window_of_one_picks_every_shingle():
    assert fingerprints(np.array([3, 1, 3, 2], np.uint64), 1).tolist() == [1, 2, 3]


def test_nothing_has_no_fingerprint_and_little_has_one():
    assert fingerprints(np.empty(0, np.uint64), 4).tolist() == []
    assert fingerprints(np.array([9, 7, 8], np.uint64), 4).tolist() == [7]


@pytest.mark.parametrize("window", [8, 32])
def test_about_two_of_a_window_and_one_are_picked(window):
    hashes = np.random.default_rng(0).integers(0, 2**64, 50_000, dtype=np.uint64)
    share = len(fingerprints(hashes, window)) / len(hashes)
    assert share == pytest.approx(2 / (window + 1), rel=0.05)
