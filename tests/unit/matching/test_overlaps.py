import numpy as np
import oracles
import pytest
from made_up_pairs import SETTINGS, one, overlap, relation
from verifying import unweighed

from dupdetect.matching.overlaps import (
    CONTAINED,
    CONTAINS,
    EXPLAINED,
    NEAR_DUPLICATE,
    NONE,
    PASSAGE,
    RELATIONS,
    SUSPECT,
    Overlaps,
)
from dupdetect.matching.pairs import pack
from dupdetect.settings import Settings


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


def test_weights_decide_and_not_counts():
    assert relation(own_a=24, new_a=24) == "contained"  # 24 new words beside 100 of content
    assert relation(own_a=24, new_a=26) == "none"
    assert relation(own_a=40, new_a=20) == "none"  # the larger one has not twice as much of its own
    assert relation(own_a=40, new_a=20, own_b=80) == "contained"
    assert relation(own_a=50, new_a=50, own_b=24, new_b=24) == "contains"
    assert one(new_a=25).scores(SETTINGS)[0] == 100 / 125
    assert one().jaccard[0] == 100 / 170


def test_strangers_contain_nothing():
    assert relation() == "contained"
    assert relation(strangers=True) == "none"
    assert one(strangers=True).weighted_containment[0] == 0


def test_near_duplicates_are_those_whose_jaccard_reaches_the_threshold():
    """Where only that of the content does, they are syndicated; boilerplate must explain half of what either has."""
    known = {"own_a": 60, "own_b": 60, "new_a": 12, "new_b": 12, "lost_a": 12, "lost_b": 12}
    assert relation(**known) == "syndicated"
    assert relation(**known, counts=(160, 180, 180)) == "near_duplicate"
    assert one(**known).scores(SETTINGS)[0] == 100 / 124
    half = {**known, "new_b": 60 * (1 - EXPLAINED)}
    assert relation(**half) == "syndicated"
    assert relation(**{**half, "new_b": half["new_b"] + 1}) == "none"
    assert relation(**known, boilerplate=SUSPECT) == "syndicated"
    assert relation(**known, boilerplate=SUSPECT + 0.01) == "none"


def test_where_much_of_what_is_shared_is_boilerplate_nothing_is_contained():
    assert relation(boilerplate=SUSPECT) == "contained"
    assert relation(boilerplate=SUSPECT + 0.01) == "none"
    assert relation(boilerplate=SUSPECT + 0.01, counts=(100, 110, 110)) == "near_duplicate"


def test_text_that_is_boilerplate_alone_contains_nothing():
    least = SETTINGS.containment * SETTINGS.min_shingles
    few = {"new_a": 0, "content_b": 100}
    assert relation(content_a=least, **few) == "contained"
    assert relation(content_a=least - 0.1, **few) == "none"
    assert relation(content_a=least, **few, counts=(15, 15, 150)) == "none"  # a quotation


def test_more_boilerplate_than_a_pair_may_have_makes_it_no_match_whatever_else_it_has():
    nothing = dict.fromkeys(("new_a", "new_b", "lost_a", "lost_b", "main_a", "main_b"), 0)
    contained, syndicated = {"own_a": 0, "new_a": 0}, {"own_a": 50, "own_b": 50, "strangers": True, **nothing}
    for weights, expected in ((contained, "contained"), (syndicated, "syndicated")):
        most = one(**weights).most_boilerplate(SETTINGS)[0]
        assert relation(**weights, boilerplate=most) == expected
        assert relation(**weights, boilerplate=np.nextafter(most, 1)) == "none"
    near = {"counts": (100, 110, 110)}
    assert one(**near).most_boilerplate(SETTINGS)[0] == 1
    assert relation(**near, boilerplate=1) == "near_duplicate"


def test_edits_are_words_and_no_passages():
    edits = {"counts": (700, 850, 850), "content_a": 2000, "content_b": 2000, "own_a": 50, "new_a": 50, "lost_a": 50}
    assert relation(**edits) == "contained"
    assert relation(**edits, run_a=PASSAGE) == "contained"  # b has none of its own
    assert relation(**edits, run_a=PASSAGE, run_b=PASSAGE) == "none"


def test_pairs_that_are_weighed_and_others_are_united():
    plain = Overlaps(pack(np.array([0]), np.array([2])), *(np.array([n]) for n in (5, 6, 7)))
    weighed = one()
    for both in (plain | weighed, weighed | plain):
        expected = [
            [float(column[0]), float(other[0])] for column, other in zip(weighed.weights, plain.weights, strict=True)
        ]
        assert [column.tolist() for column in both.weights] == expected
        assert both.patterns is None
    assert (plain | plain).given is None
    assert plain.where(np.array([], np.int64)).weights.content_a.tolist() == []
