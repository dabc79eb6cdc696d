"""Every member of a cluster has its row in `matches` with its canonical, however many documents have one text.

So have near duplicates that each represent a cluster, but for few of those that a sample of hot keys may miss.
"""

from itertools import combinations

import numpy as np
import pytest

import dupdetect

WORDS = [f"word{i}" for i in range(400)]


def text(seed, changed=0):
    words = np.random.default_rng(seed).choice(WORDS, 120).tolist()
    return " ".join(words[:-changed] + ["other"] * changed if changed else words)


def corpus(*families):
    """Return copies of texts: of each family the numbers of copies of its variants."""
    texts = [
        text(family, changed)
        for family, copies in enumerate(families)
        for changed, count in enumerate(copies)
        for _ in range(count)
    ]
    order = np.random.default_rng(1).permutation(len(texts))
    return {f"d{at:04}": texts[at] for at in order}


@pytest.mark.parametrize("hot", [2, 64])
@pytest.mark.parametrize("canonical", ["cleanest", "first", "longest"])
@pytest.mark.parametrize(
    "families", [[(10, 10)], [(1, 100)], [(100, 1)], [(70, 70, 70)], [(10, 10), (3, 40, 2)], [(1, 1), (200,)]]
)
def test_members_and_canonicals_have_their_row(families, hot, canonical):
    result = dupdetect.dedup(corpus(*families), hot_key_documents=hot, canonical=canonical)
    rows = {frozenset((row["a"], row["b"])): row for row in result.matches.to_pylist()}
    assert len(rows) == result.matches.num_rows
    members = [row for row in result.clusters.to_pylist() if not row["canonical"]]
    assert members
    for member in members:
        row = rows[frozenset((member["id"], member["cluster"]))]
        assert row["score"] == pytest.approx(member["score"])
        assert row["jaccard"] == pytest.approx(member["jaccard"])


def drifting(seed):
    """Return a family about the threshold: each text has up to three words of its own."""
    rng, start = np.random.default_rng(seed), [f"word{i}" for i in range(120)]
    texts = []
    for _ in range(60):
        words = list(start)
        for place in rng.integers(0, 120, rng.choice([1, 2, 3])):
            words[place] = f"other{rng.integers(400)}"
        texts.append(" ".join(words))
    return texts


def test_near_duplicates_that_are_both_kept_have_their_row():
    expected = missing = 0
    for seed in (0, 5, 8, 11, 14):
        texts = drifting(seed)
        all_pairs, sampled = (dupdetect.dedup(texts, hot_key_documents=most) for most in (1000, 4))
        near = {(row["a"], row["b"]) for row in all_pairs.matches.to_pylist() if row["jaccard"] >= 0.8}
        kept = [row["id"] for row in sampled.clusters.to_pylist() if row["canonical"]]
        near &= set(combinations(kept, 2))
        expected += len(near)
        missing += len(near - {(row["a"], row["b"]) for row in sampled.matches.to_pylist()})
    assert expected > 20
    assert missing <= 0.1 * expected


def test_pairs_that_are_not_listed_are_counted():
    result = dupdetect.dedup(corpus((10, 10)))
    assert result.matches.num_rows + result.manifest["caps"]["unlisted_pairs"] == 20 * 19 // 2
