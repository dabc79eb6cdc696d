import numpy as np
import pytest

from dupdetect._compiled.dispatch import many_calls
from dupdetect.matching.keys import NARROW, Keys, mark_repeated


def repeated(values):
    return mark_repeated(values, (2 * len(values)).bit_length())


def test_lone_keys_are_dropped_before_they_are_sorted():
    keys = np.array([1, 2, 3, 2, 10**12], np.uint64)
    assert repeated(keys)[[1, 3]].all()
    assert not repeated(np.arange(100, dtype=np.uint64)).any()


@pytest.mark.parametrize("documents", [1, NARROW - 1, NARROW, NARROW + 1])
def test_whose_keys_are_is_told_in_two_bytes_where_that_is_enough(documents):
    keys = np.random.default_rng(1).integers(0, 2**64, documents, dtype=np.uint64)
    first = 3_000_000_000
    with many_calls():
        made = Keys.of(keys, np.arange(documents + 1), first)
    whose = made.whose(slice(None))
    assert (keys[whose - first] == made.keys).all()
    assert sorted(whose.tolist()) == list(range(first, first + documents))
    assert made.documents.itemsize == (2 if documents <= NARROW else 4)
