import numpy as np
import pytest
import xxhash
from datasketch import MinHashLSH

from dupdetect.sketches import bands


@pytest.mark.parametrize("num_perm", [16, 64, 100, 128])
@pytest.mark.parametrize("threshold", [0.1, 0.35, 0.5, 0.7, 0.8, 0.9, 0.95])
def test_bands_are_those_that_datasketch_chooses(threshold, num_perm):
    theirs = MinHashLSH(threshold=threshold, num_perm=num_perm, weights=bands.WEIGHTS)
    assert bands.choose(threshold, num_perm) == (theirs.b, theirs.r)


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("num_perm", [2, 3, 256])
def test_bands_fit_the_signature_at_the_ends_of_the_range(threshold, num_perm):
    count, rows = bands.choose(threshold, num_perm)
    assert count >= 2
    assert rows >= 1
    assert count * rows <= num_perm


def test_the_chosen_curve_rises_at_the_threshold():
    for threshold in (0.5, 0.7, 0.9):
        count, rows = bands.choose(threshold, 128)
        assert 1 - (1 - threshold**rows) ** count > 0.75
        assert 1 - (1 - (threshold - 0.4) ** rows) ** count < 0.6


def test_a_bands_key_is_xxh64_of_its_entries_seeded_with_its_number():
    signatures = np.arange(24, dtype=np.uint32).reshape(2, 12)
    keys = bands.keys(signatures, 3, 4)
    assert keys.dtype == np.uint64
    assert keys.shape == (2, 3)
    assert keys[1, 2] == xxhash.xxh64_intdigest(signatures[1, 8:].astype("<u4").tobytes(), 2)


def test_equal_entries_in_different_bands_have_different_keys():
    keys = bands.keys(np.zeros((2, 8), np.uint32), 4, 2)
    assert len(set(keys[0].tolist())) == 4
    assert (keys[0] == keys[1]).all()


def test_what_is_left_over_of_a_signature_does_not_count():
    one, other = np.zeros((1, 8), np.uint32), np.zeros((1, 8), np.uint32)
    other[0, 6:] = 9
    assert (bands.keys(one, 3, 2) == bands.keys(other, 3, 2)).all()


def test_no_signatures_have_no_keys():
    assert bands.keys(np.empty((0, 8), np.uint32), 4, 2).shape == (0, 4)
