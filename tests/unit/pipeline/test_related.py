import numpy as np
import pytest

from dupdetect._storage.arrays import DiskStorage, Storage
from dupdetect.matching.keys import Keys
from dupdetect.pipeline.related import KeySet


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_set_of_keys_has_what_it_was_given_and_nothing_else(tmp_path, on_disk):
    random = np.random.default_rng(1)
    given = random.integers(0, 2**64, 5000, np.uint64)
    close = given ^ np.uint64(1 << 63)  # the same lowest bits
    storage = DiskStorage(tmp_path, 1 << 30) if on_disk else Storage()
    parts = [Keys.of(part, np.array([0, len(part)])) for part in (given[:2000], given[1500:])]
    keys = KeySet(parts, storage)
    assert len(keys) == 5000
    assert keys.has(given).all()
    assert not keys.has(close).any()
    assert int(given[7]) in keys
    assert int(close[7]) not in keys


def test_an_empty_set_of_keys():
    keys = KeySet([], Storage())
    assert not keys.has(np.arange(9, dtype=np.uint64)).any()
    assert keys.has(np.empty(0, np.uint64)).tolist() == []
