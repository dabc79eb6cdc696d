import numpy as np

from dupdetect.matching.pairs import pack, union, unpack, without


def listed(pairs):
    return list(zip(*(side.tolist() for side in unpack(pairs)), strict=True))


def test_pairs_are_packed_lesser_first_sorted_and_distinct():
    packed = pack(np.array([5, 1, 2**32 - 1, 2]), np.array([3, 2, 0, 1]))
    assert packed.dtype == np.uint64
    assert listed(packed) == [(0, 2**32 - 1), (1, 2), (3, 5)]
    assert all(side.dtype == np.int64 for side in unpack(packed))


def test_pairs_are_united_and_subtracted():
    one, other = pack(np.array([0, 1]), np.array([1, 2])), pack(np.array([1, 3]), np.array([2, 4]))
    assert listed(union(one, other)) == [(0, 1), (1, 2), (3, 4)]
    assert listed(without(one, other)) == [(0, 1)]
