import numpy as np

from dupdetect.matching.keys import mark_repeated


def repeated(values):
    return mark_repeated(values, (2 * len(values)).bit_length())


def test_lone_keys_are_dropped_before_they_are_sorted():
    keys = np.array([1, 2, 3, 2, 10**12], np.uint64)
    assert repeated(keys)[[1, 3]].all()
    assert not repeated(np.arange(100, dtype=np.uint64)).any()
