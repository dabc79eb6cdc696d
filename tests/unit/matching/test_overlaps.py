import numpy as np
import oracles
import pytest
from verifying import unweighed

from dupdetect.matching.overlaps import CONTAINED, CONTAINS, NEAR_DUPLICATE, NONE, RELATIONS, Overlaps, Weights
from dupdetect.matching.pairs import pack
from dupdetect.settings import Settings


def overlap(shared, size_a, size_b):
    return Overlaps(pack(np.array([0]), np.array([1])), *(np.array([n], np.int64) for n in (shared, size_a, size_b)))


def verifier(texts, rows=None, size=2, workers=1):
    rows = np.arange(len(texts)) if rows is None else np.array(rows)
    return unweighed(texts, Settings(shingle_size=size), workers, rows)


@pytest.mark.parametrize(
    ("shared", "size_a", "size_b", "expected"),
    [
        (80, 90, 90, NEAR_DUPLICATE),  # 80 of 100
        (79, 90, 90, CONTAINED),  # 79 of 101: the larger b holds a, or either the other
        (100, 100, 125, NEAR_DUPLICATE),
        (100, 100, 126, CONTAINED),
        (100, 126, 100, CONTAINS),
        (70, 100, 1000, CONTAINED),
        (70, 1000, 100, CONTAINS),
        (69, 1000, 100, NONE),
        (16, 16, 1000, CONTAINED),
        (15, 15, 1000, NONE),  # a quotation
        (15, 1000, 15, NONE),
        (4, 4, 5, NEAR_DUPLICATE),  # however short
        (0, 50, 50, NONE),
    ],
)
def test_a_pair_is_judged_by_jaccard_and_then_by_containment(shared, size_a, size_b, expected):
    settings = Settings(threshold=0.8, containment=0.7, min_shingles=16)
    code = overlap(shared, size_a, size_b).relations(settings)[0]
    assert RELATIONS[code] == RELATIONS[expected]


def test_shares_are_those_of_the_sets():
    pair = overlap(30, 40, 120)
    assert pair.jaccard[0] == 30 / 130
    assert (pair.containment_a[0], pair.containment_b[0], pair.containment[0]) == (30 / 40, 30 / 120, 30 / 40)
    assert (pair.a.tolist(), pair.b.tolist()) == ([0], [1])


def test_the_score_is_what_was_compared_with_its_threshold():
    settings = Settings()
    assert overlap(80, 90, 90).scores(settings)[0] == 0.8
    assert overlap(30, 40, 120).scores(settings)[0] == 0.75


def test_overlaps_are_united_by_pair():
    texts = ["a b c", "a b d", "b c d", "a b c d"]
    counter = verifier(texts)
    one = counter.overlaps(pack(np.array([0, 2]), np.array([1, 3])))
    other = counter.overlaps(pack(np.array([0, 0]), np.array([3, 1])))
    both = one | other
    assert list(zip(both.a.tolist(), both.b.tolist(), strict=True)) == [(0, 1), (0, 3), (2, 3)]
    for a, b, shared in zip(both.a, both.b, both.shared, strict=True):
        assert shared == len(oracles.shingles(texts[a], 2) & oracles.shingles(texts[b], 2))


def one(shared, size_a, size_b, boilerplate=0.0, interleaved=False, counts=(100, 120, 150)):
    """Make up one pair that is weighed."""
    weights = Weights(*(np.array([value]) for value in (shared, size_a, size_b, boilerplate, interleaved)))
    return Overlaps(pack(np.array([0]), np.array([1])), *(np.array([n]) for n in counts), weights)


def test_weights_decide_and_not_counts():
    settings = Settings(threshold=0.8, containment=0.6)
    assert one(70.0, 80.0, 130.0).relations(settings)[0] == CONTAINED
    assert one(40.0, 80.0, 130.0).relations(settings)[0] == NONE
    assert one(80.0, 80.0, 90.0).relations(settings)[0] == NEAR_DUPLICATE
    assert one(70.0, 80.0, 130.0).scores(settings)[0] == 70 / 80
    assert one(70.0, 80.0, 130.0).jaccard[0] == 100 / 170


def test_an_interleaved_pair_must_share_as_much_as_near_duplicates():
    settings = Settings(threshold=0.8, containment=0.6)
    assert one(60.0, 80.0, 130.0, interleaved=True).relations(settings)[0] == NONE
    assert one(65.0, 80.0, 130.0, interleaved=True).relations(settings)[0] == CONTAINED


def test_text_that_is_boilerplate_alone_contains_nothing():
    settings = Settings(containment=0.6, min_shingles=16)
    assert one(2.0, 2.0, 9.0, boilerplate=0.95).relations(settings)[0] == NONE  # 5 shingles of content
    assert one(2.0, 2.0, 9.0, boilerplate=0.9).relations(settings)[0] == CONTAINED  # 10 of them


def test_pairs_that_are_weighed_and_others_are_united():
    plain = Overlaps(pack(np.array([0]), np.array([2])), *(np.array([n]) for n in (5, 6, 7)))
    for both in (plain | one(1.5, 2.5, 3.5, 0.25, True), one(1.5, 2.5, 3.5, 0.25, True) | plain):
        assert [column.tolist() for column in both.weights] == [[1.5, 5], [2.5, 6], [3.5, 7], [0.25, 0], [True, False]]
    assert (plain | plain).given is None
    assert plain.where(np.array([], np.int64)).weights.shared.tolist() == []
