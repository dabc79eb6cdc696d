"""Scores against a count of every pair."""

from itertools import combinations

import numpy as np
import pytest

from dupdetect.evaluation.scores import PairScore

scoring = pytest.importorskip("scoring")


def naive(predicted, truth, ignore=()):
    right = found = true = 0
    for i, j in combinations(range(len(truth)), 2):
        same = truth[i] == truth[j]
        true += same
        if predicted[i] == predicted[j]:
            right += same
            apart = (truth[i], truth[j])
            found += apart not in ignore and apart[::-1] not in ignore
    return PairScore(int(right), int(found), int(true))


@pytest.mark.parametrize("seed", range(20))
def test_clusters_against_every_pair(seed):
    draw = np.random.default_rng(seed)
    predicted, truth = draw.integers(0, 5, 30), draw.integers(0, 6, 30)
    ignore = [(0, 1), (2, 5)]
    assert scoring.score_clusters(predicted, truth) == naive(predicted, truth)
    assert scoring.score_clusters(predicted, truth, ignore) == naive(predicted, truth, ignore)


@pytest.mark.parametrize("seed", range(20))
def test_bare_pairs_are_scored_as_the_clusters_they_make(seed):
    draw = np.random.default_rng(seed)
    found, truth = draw.integers(0, 5, 30), draw.integers(0, 6, 30)
    pairs = np.array([pair for pair in combinations(range(30), 2) if found[pair[0]] == found[pair[1]]])
    ignore = [(0, 1), (5, 2)]
    assert scoring.score_pairs(pairs, truth, ignore) == scoring.score_clusters(found, truth, ignore)


def test_clusters_by_pairs():
    truth = np.array([(0, 1), (1, 2)])  # not (0, 2)
    assert scoring.score_clusters_by_pairs(np.array([0, 0, 0, 1]), truth) == PairScore(2, 3, 2)
    assert scoring.score_clusters_by_pairs(np.array([0, 0, 1, 1]), truth) == PairScore(1, 2, 2)


def test_a_large_family_is_counted_not_listed():
    everyone = np.zeros(1_000_000, dtype=np.int64)
    assert scoring.score_clusters(everyone, everyone).found == 1_000_000 * 999_999 // 2


def test_pairs():
    pairs = scoring.unique_pairs(np.array([(3, 1), (1, 3), (2, 2), (0, 1)]))
    assert pairs.tolist() == [[0, 1], [1, 3]]
    assert scoring.score_pairs(pairs, np.array([0, 0, 1, 1])) == PairScore(1, 2, 2)
    assert scoring.score_pairs(np.empty((0, 2), dtype=np.int64), np.array([0, 0])) == PairScore(0, 0, 1)
    assert scoring.common_pairs(pairs, np.array([(1, 3), (2, 3)])) == 1


def test_components():
    labels = scoring.components(6, np.array([(0, 1), (1, 2), (4, 5)]))
    assert len(set(labels[:3].tolist())) == 1
    assert labels[4] == labels[5]
    assert len(set(labels.tolist())) == 3
    assert len(set(scoring.components(3, np.empty((0, 2), dtype=np.int64)).tolist())) == 3


def test_canonical_accuracy():
    clusters = np.array([0, 0, 1, 1, 2, 3, 3])
    canonical = np.array([True, False, False, True, True, True, False])
    clean = np.array([True, False, True, False, True, False, False])
    assert scoring.canonical_accuracy(clusters, canonical, clean) == 0.5  # the third is alone, the fourth not clean
    assert scoring.canonical_accuracy(clusters, canonical, np.zeros(7, dtype=bool)) == 1.0


def test_labels_and_sharing():
    numbers = scoring.labels(["b", "a", "b"])
    assert numbers.tolist() == [0, 1, 0]
    assert scoring.share_together(numbers, [0, 0], [1, 2]) == 0.5
    assert scoring.share_together(numbers, [], []) == 1.0


def test_canonicals():
    clusters = np.array([0, 1, 0, 2, 1])
    flags = np.array([False, True, True, True, False])
    assert scoring.canonicals(clusters, flags).tolist() == [2, 1, 2, 3, 1]
    assert scoring.longest(clusters, ["a", "bb", "ccc", "", "bb"]).tolist() == [2, 1, 2, 3, 1]  # the first of two
    assert scoring.longest(np.empty(0, np.int64), []).tolist() == []


def test_removed():
    of = np.array([2, 1, 2, 3, 1])
    nothing = np.empty((0, 2), np.int64)
    assert scoring.removed(of, nothing) == [(0, 2), (4, 1)]
    assert scoring.removed(of, np.array([(1, 4)])) == [(0, 2)]
