import numpy as np
import pytest
from made_up_pairs import SETTINGS, one, overlap, removable

from dupdetect.matching.overlaps import ARTICLE, NEAR_DUPLICATE, PASSAGE
from dupdetect.matching.patterns import AMID_B
from dupdetect.matching.removal import (
    FEW_WORDS,
    MORE,
    MORE_PAGE,
    MORE_SHARE,
    NEAR,
    REMOVABLE_A,
    REMOVABLE_B,
    SHORT,
    YIELDS_A,
    YIELDS_B,
    decided,
    turned_verdicts,
)
from dupdetect.settings import Settings


def test_strangers_with_an_article_each_are_near_duplicates_that_stay():
    """Their relation is what their shingles say; neither is removed, unless their content says so, too."""

    def judged(**weights):
        shared = {"counts": (90, 100, 100), "strangers": True, "content_a": 60, "content_b": 60}
        found = decided(one(**shared, **weights), SETTINGS)
        assert found.relations(SETTINGS).tolist() == [NEAR_DUPLICATE]
        assert found.scores(SETTINGS)[0] >= SETTINGS.threshold
        return bool(found.verdicts[0] & NEAR), bool(found.verdicts[0] & (REMOVABLE_A | REMOVABLE_B))

    some = {"lost_a": 10, "lost_b": 10}
    assert judged(**some, main_a=ARTICLE - 1, main_b=ARTICLE) == (True, True)
    assert judged(**some, main_a=ARTICLE, main_b=ARTICLE) == (False, False)
    assert judged(main_a=ARTICLE, main_b=ARTICLE, lost_a=8, lost_b=7) == (True, True)


def test_a_document_that_would_lose_too_much_is_not_removed():
    long = {"content_a": 300 - 10, "content_b": 400, "own_b": 80}
    assert removable(**long, new_a=10, lost_a=10) == (True, False)  # 5 % of 300 - SHORT
    assert removable(**long, new_a=10.1, lost_a=10.1) == (False, False)
    # Of what it says twice, the other says once.
    twice = long | {"content_a": 2000, "lost_b": 0}
    assert removable(**twice, new_a=15, lost_a=15)[0]  # 5 % of 400 - SHORT
    assert not removable(**twice, new_a=16, lost_a=16)[0]
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
    verdict = decided(one(**near), SETTINGS).verdicts[0]
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
        found = decided(overlap(*counts), Settings(boilerplate=False, containment=0.8))
        return tuple(bool(found.verdicts[0] & mark) for mark in (REMOVABLE_A, REMOVABLE_B))

    assert verdict(80, 100, 200) == (True, False)
    assert verdict(80, 200, 100) == (False, True)
    assert verdict(95, 100, 100) == (True, True)
