import numpy as np
import xxhash

from dupdetect.sketches import bands


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
