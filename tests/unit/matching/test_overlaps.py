import numpy as np
import oracles
import pytest
from verifying import unweighed

from dupdetect.matching.overlaps import (
    ARTICLE,
    CONTAINED,
    CONTAINS,
    EXPLAINED,
    FEW_WORDS,
    MORE,
    MORE_PAGE,
    MORE_SHARE,
    NEAR,
    NEAR_DUPLICATE,
    NONE,
    PASSAGE,
    RELATIONS,
    REMOVABLE_A,
    REMOVABLE_B,
    SHORT,
    SUSPECT,
    YIELDS_A,
    YIELDS_B,
    Overlaps,
    Weights,
    turned_verdicts,
)
from dupdetect.matching.pairs import pack
from dupdetect.matching.patterns import AMID_B
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


def one(counts=(100, 120, 150), patterns=0, **weights):
    """Make up one pair that is weighed: by default a has 20 words of its own, b 50, and all is content."""
    made = {
        "content_a": 100, "content_b": 100, "own_a": 20, "own_b": 50, "new_a": 20, "new_b": 50, "lost_a": 20,
        "lost_b": 50, "main_a": 20, "main_b": 50, "run_a": 0, "run_b": 0, "boilerplate": 0, "in_place": 1,
        "strangers": False, **weights,
    }  # fmt: skip
    given = Weights(
        **{name: np.array([value if name == "strangers" else float(value)]) for name, value in made.items()}
    )
    sizes = (np.array([n]) for n in counts)
    return Overlaps(pack(np.array([0]), np.array([1])), *sizes, given, np.array([patterns], np.uint8))


SETTINGS = Settings(threshold=0.8, containment=0.8, max_lost=0.05)


def relation(**weights):
    return RELATIONS[one(**weights).relations(SETTINGS)[0]]


def removable(**weights):
    """Say of a and of b whether they may be removed, of a pair that is made a match."""
    found = one(**weights)
    verdicts = found.matches(Settings(threshold=0.8, containment=0.8, max_lost=0.05)).verdicts
    assert len(verdicts) == 1
    return tuple(bool(verdicts[0] & mark) for mark in (REMOVABLE_A, REMOVABLE_B))


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


def test_strangers_with_an_article_each_are_near_duplicates_that_stay():
    """Their relation is what their shingles say; neither is removed, unless their content says so, too."""

    def judged(**weights):
        shared = {"counts": (90, 100, 100), "strangers": True, "content_a": 60, "content_b": 60}
        found = one(**shared, **weights).matches(SETTINGS)
        assert found.relations(SETTINGS).tolist() == [NEAR_DUPLICATE]
        assert found.scores(SETTINGS)[0] >= SETTINGS.threshold
        return bool(found.verdicts[0] & NEAR), bool(found.verdicts[0] & (REMOVABLE_A | REMOVABLE_B))

    some = {"lost_a": 10, "lost_b": 10}
    assert judged(**some, main_a=ARTICLE - 1, main_b=ARTICLE) == (True, True)
    assert judged(**some, main_a=ARTICLE, main_b=ARTICLE) == (False, False)
    assert judged(main_a=ARTICLE, main_b=ARTICLE, lost_a=8, lost_b=7) == (True, True)


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


def test_a_document_that_would_lose_too_much_is_not_removed():
    long = {"content_a": 300 - 10, "content_b": 400, "own_b": 80}
    assert removable(**long, new_a=10, lost_a=10) == (True, False)  # 5 % of 300 - SHORT
    assert removable(**long, new_a=10.1, lost_a=10.1) == (False, False)
    near = {"counts": (100, 110, 110), "own_b": 20}
    assert removable(**near, lost_a=25, lost_b=25) == (True, True)
    assert removable(**near, lost_a=26, lost_b=25) == (False, True)


@pytest.mark.parametrize("words", [20, 60, SHORT])
def test_a_short_document_loses_nothing(words):
    short = {"content_b": 400, "own_b": 80}
    assert removable(**short, content_a=words, new_a=0, lost_a=0) == (True, False)
    assert removable(**short, content_a=words - 1, new_a=1, lost_a=1) == (False, False)
    near = {"counts": (100, 110, 110), "own_b": 20}  # but of a near duplicate
    assert removable(**near, content_a=100, new_a=1, lost_a=1, lost_b=1) == (True, True)


def test_a_document_that_would_lose_a_passage_is_not_removed():
    long = {"counts": (750, 800, 950), "content_a": 2000, "content_b": 2000, "own_a": 40, "new_a": 40, "lost_a": 40}
    assert removable(**long, own_b=90, run_a=PASSAGE - 1) == (True, True)
    assert removable(**long, own_b=90, run_a=PASSAGE) == (False, True)
    assert removable(**long, own_b=90, run_a=PASSAGE - 1, run_b=PASSAGE) == (True, False)
    near = {**long, "counts": (1000, 1040, 1140)}
    assert removable(**near, own_b=90, run_a=PASSAGE, run_b=PASSAGE) == (True, True)


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


def test_a_page_goes_for_the_article_that_it_carries():
    """What of its new words is furniture is not lost."""
    assert removable(lost_a=20, lost_b=4) == (False, True)
    few = {"content_b": 50, "lost_a": 0}  # a page may lose a few words of the lines of a short article
    assert removable(**few, lost_b=FEW_WORDS) == (True, True)
    assert removable(**few, lost_b=FEW_WORDS + 1) == (True, False)
    assert removable(**few, lost_b=FEW_WORDS, new_b=2 * FEW_WORDS) == (True, False)
    assert removable(lost_a=20, lost_b=50) == (False, False)


def test_what_stands_amid_a_longer_text_is_removed_only_if_nothing_of_it_is_lost():
    quoted = {"patterns": AMID_B, "own_b": 200, "new_b": 200, "lost_b": 200, "own_a": 1, "new_a": 1}
    quoted |= {"content_a": 150, "content_b": 150}
    assert removable(**quoted, lost_a=0) == (True, False)
    assert removable(**quoted, lost_a=1) == (False, False)
    assert removable(**{**quoted, "patterns": 0}, lost_a=1) == (True, False)
    assert removable(**{**quoted, "own_b": 100}, lost_a=1) == (True, False)  # most of the longer one
    assert removable(**{**quoted, "own_a": 3, "new_a": 3}, lost_a=1) == (True, False)  # a page, and its furniture


def yields(page=False, **weights):
    """Say whether a, and b, yields: b has new words, and is a page that carries a, if `page`."""
    near = {"counts": (2000, 2010, 2300), "content_a": 2000, "content_b": 2000}
    near |= {"lost_a": 0, "main_a": 0, "lost_b": 0, "main_b": 0, "run_b": weights.get("lost_b", 0)}
    near |= weights
    near |= {"own_b": near["lost_b"] + 1000 * page, "new_b": near["lost_b"] + 1000 * page}
    verdict = one(**near).matches(SETTINGS).verdicts[0]
    return bool(verdict & YIELDS_A), bool(verdict & YIELDS_B)


@pytest.mark.parametrize(
    ("content", "least"), [(60, MORE), (20 * MORE, MORE), (20 * MORE + 20, MORE + 1), (9000, PASSAGE)]
)
def test_a_document_yields_to_one_that_has_main_content_more(content, least):
    """A twentieth of it, from a sentence up to a passage."""
    of = {"content_a": content, "content_b": content, "run_b": 1}
    assert yields(**of, lost_b=least, main_b=least) == (True, False)
    assert yields(**of, lost_b=least - 1, main_b=least) == (False, False)
    assert yields(**of, lost_b=least, main_b=least - 1) == (False, False)
    assert yields(**of, lost_b=least + 2, main_b=least + 2, main_a=1) == (True, False)
    assert yields(**of, lost_b=least + 1, main_b=least + 1, main_a=1) == (False, False)


def test_a_document_yields_to_one_that_has_more_of_any_content():
    """Such as a table: its rows are short lines."""
    share = int(MORE_SHARE * 2000)
    assert yields(lost_b=share) == (True, False)
    assert yields(lost_b=share - 1) == (False, False)
    assert yields(lost_b=share, run_b=PASSAGE - 1) == (False, False)
    assert yields(lost_b=share + 2, lost_a=1) == (True, False)
    assert yields(lost_b=share + 1, lost_a=1) == (False, False)


def test_an_article_yields_to_a_page_that_has_much_more():
    few = {"content_a": 60, "content_b": 60, "page": True}
    assert yields(**few, lost_b=MORE, main_b=MORE) == (True, False)
    assert yields(**few, lost_b=MORE - 1, main_b=MORE) == (False, False)
    share = int(MORE_PAGE * 2000)
    assert yields(page=True, lost_b=share, main_b=share) == (True, False)
    assert yields(page=True, lost_b=share, main_b=share - 1) == (False, False)


def test_verdicts_are_turned_with_their_pairs():
    verdicts = np.arange(32, dtype=np.uint8)
    turned = turned_verdicts(verdicts)
    for one_way, other_way in zip(verdicts.tolist(), turned.tolist(), strict=True):
        assert bool(one_way & REMOVABLE_A) == bool(other_way & REMOVABLE_B)
        assert bool(one_way & YIELDS_B) == bool(other_way & YIELDS_A)
        assert one_way & NEAR == other_way & NEAR
    assert turned_verdicts(turned).tolist() == verdicts.tolist()


def test_without_boilerplate_containment_alone_says_what_may_be_lost():
    def verdict(*counts):
        found = overlap(*counts).matches(Settings(boilerplate=False, containment=0.8))
        return tuple(bool(found.verdicts[0] & mark) for mark in (REMOVABLE_A, REMOVABLE_B))

    assert verdict(80, 100, 200) == (True, False)
    assert verdict(80, 200, 100) == (False, True)
    assert verdict(95, 100, 100) == (True, True)


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
