from dataclasses import replace

import numpy as np
import oracles
from verifying import clustered, overlaps, passage

from dupdetect.clustering.clusters import (
    FIRST,
    Clustered,
    Comparable,
    cleanness,
    cluster,
    collapse,
    match_chosen,
    replaceable,
    yielding,
)
from dupdetect.matching.pairs import pack, unpack
from dupdetect.matching.removal import NEAR, REMOVABLE_A, REMOVABLE_B, YIELDS_A
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import sketch_by_reference


def decided(matches, *verdicts):
    """Give each match a verdict."""
    return replace(matches, verdicts=np.array(verdicts, np.uint8))


def test_cleanness_is_the_mean_share_that_matches_contain():
    matches = overlaps((0, 1, 10, 10, 40), (0, 2, 8, 10, 8))
    assert cleanness(4, matches).tolist() == [(1.0 + 0.8) / 2, 10 / 40, 1.0, 0.0]
    assert cleanness(0, overlaps()).tolist() == []


def test_without_matches_everyone_stands_alone():
    assert cluster(np.zeros(3), overlaps()).tolist() == [0, 1, 2]
    assert cluster(np.zeros(0), overlaps()).tolist() == []


def test_the_cleanest_is_canonical():
    matches = overlaps((0, 1, 10, 40, 10), (1, 2, 10, 10, 50))
    assert cluster(cleanness(3, matches), matches).tolist() == [1, 1, 1]


def test_among_equally_clean_ones_the_lesser_number_is_canonical():
    matches = overlaps((0, 1, 9, 10, 10), (0, 2, 9, 10, 10), (1, 2, 9, 10, 10))
    assert cluster(cleanness(3, matches), matches).tolist() == [0, 0, 0]


def test_a_chain_of_matches_merges_nothing():
    # 0-1-2-3: neighbours match, others do not.
    chain = overlaps(*((n, n + 1, 8, 10, 10) for n in range(3)))
    canonical = cluster(np.array([0.9, 0.8, 0.7, 0.6]), chain).tolist()
    assert canonical == [0, 0, 2, 2]


def test_a_member_goes_to_the_canonical_that_it_shares_the_most_with():
    # Both 0 and 1 can stand for it; it was taken by 0, which is the cleaner, but is more of 1.
    matches = decided(overlaps((0, 2, 7, 10, 10), (1, 2, 9, 10, 10)), REMOVABLE_B, REMOVABLE_B)
    assert cluster(np.array([0.9, 0.8, 0.5]), matches).tolist() == [0, 1, 1]


def test_between_equal_containments_the_more_alike_canonical_is_chosen():
    matches = decided(overlaps((0, 2, 10, 10, 40), (1, 2, 20, 20, 40)), REMOVABLE_B, REMOVABLE_B)
    assert cluster(np.array([0.9, 0.8, 0.5]), matches).tolist() == [0, 1, 1]


def test_a_member_prefers_its_near_duplicate_to_what_contains_it():
    contained, near = overlaps((0, 2, 10, 40, 10)), overlaps((1, 2, 9, 10, 10))
    matches = decided(contained | near, REMOVABLE_B, REMOVABLE_B | NEAR)
    assert cluster(np.array([0.9, 0.8, 0.5]), matches).tolist() == [0, 1, 1]


def test_nobody_is_represented_by_what_cannot_stand_for_it():
    matches = overlaps((0, 1, 8, 10, 10))
    assert cluster(np.array([0.9, 0.1]), decided(matches, REMOVABLE_A)).tolist() == [1, 1]
    assert cluster(np.array([0.9, 0.1]), decided(matches, REMOVABLE_B)).tolist() == [0, 0]
    assert cluster(np.array([0.9, 0.1]), decided(matches, 0)).tolist() == [0, 1]


def test_a_canonical_goes_with_all_its_members_to_one_that_can_stand_for_them_all():
    # 1 stands for 0 and goes first, for nothing stands for it but 2; 2 can stand for both.
    matches = overlaps((0, 1, 8, 10, 10), (0, 2, 8, 10, 12), (1, 2, 8, 10, 12))
    assert cluster(np.array([0.5, 0.9, 0.1]), decided(matches, *[REMOVABLE_A] * 3)).tolist() == [2, 2, 2]


def test_a_document_that_goes_before_all_others_stays():
    matches = decided(overlaps((0, 1, 8, 10, 10)), REMOVABLE_A)
    assert cluster(np.array([FIRST + 0.5, 0.9]), matches).tolist() == [0, 1]
    assert cluster(np.array([0.5, 0.9]), matches).tolist() == [1, 1]


def test_the_documents_that_should_be_represented_by_another_of_their_cluster():
    matches = decided(overlaps((0, 1, 8, 10, 10), (1, 2, 8, 10, 10), (2, 3, 8, 10, 10)), REMOVABLE_A, 3, 3 | YIELDS_A)
    assert replaceable(4, matches).tolist() == [True, False, False, False]
    assert yielding(np.zeros(4, np.int64), matches).tolist() == [True, False, True, False]
    assert not yielding(np.arange(4), matches).any()


def test_without_boilerplate_a_page_stands_for_its_article():
    # What else the page says might be lost with it.
    article, menu = passage("article", 30), passage("menu", 20)
    assert clustered([article, f"{menu} {article}", passage("other", 30)]) == [1, 1, 2]


def test_texts_are_numbered_by_length_and_the_empty_are_left_out():
    texts = ["a b c", "", "a", "A!", "b c", "...", "a b c"]
    sketches = sketch_by_reference(texts, Settings(num_perm=2))
    text_of, rows = collapse(sketches.words, sketches.digests)
    assert text_of.tolist() == [2, -1, 0, 0, 1, -1, 2]
    assert [oracles.words(texts[row]) for row in rows] == [["a"], ["b", "c"], ["a", "b", "c"]]


class Searched:
    """Hot keys that all documents have, and whoever says that all pairs match; what is asked is kept."""

    def __init__(self, n, *sampled):
        self.sampled = pack(*np.array(sampled, np.int64).reshape(-1, 2).T)
        self.n, self.is_sampled, self.asked = n, len(sampled) > 0, []

    def among(self, active):
        found = Searched(self.n)
        chosen = np.flatnonzero(active)
        a, b = np.triu_indices(len(chosen), 1)
        found.pairs = pack(chosen[a], chosen[b])
        return found

    def matches(self, pairs):
        self.asked += list(zip(*(side.tolist() for side in unpack(pairs)), strict=True))
        return overlaps(*((a, b, 9, 10, 10) for a, b in self.asked))


def test_who_was_chosen_is_compared_where_hot_keys_left_pairs_out():
    searched, matches = Searched(6, (0, 1)), overlaps((0, 1, 9, 10, 10), (2, 3, 9, 10, 10), (4, 5, 9, 10, 10))
    # Of three clusters 1, 3 and 5 were chosen; that 3 and 5 do not match is known.
    tested = np.append(matches.pairs, pack(np.array([3]), np.array([5])))
    made = Clustered(np.array([0, 0, 2, 2, 4, 4]), matches, np.sort(tested), 1)
    found = match_chosen(searched, np.array([1, 1, 3, 3, 5, 5]), made, matches, searched, Comparable(6))
    assert searched.asked == [(1, 3), (1, 5)]
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == [(0, 1), (1, 3), (1, 5), (2, 3), (4, 5)]


def test_where_all_pairs_were_compared_the_chosen_are_not_compared_again():
    searched, matches = Searched(4), overlaps((0, 1, 9, 10, 10), (2, 3, 9, 10, 10))
    made = Clustered(np.array([0, 0, 2, 2]), matches, matches.pairs, 0)
    assert match_chosen(searched, np.array([1, 1, 3, 3]), made, matches, searched, Comparable(4)) is matches
    assert searched.asked == []
