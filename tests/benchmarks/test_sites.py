"""Generated collections: each is what it says, and its score is what a count of every pair gives."""

from itertools import combinations

import numpy as np
import pytest

pytest.importorskip("scipy")
sites = pytest.importorskip("sites")
scoring, worlds = sites.scoring, sites.worlds
Collection = sites.Collection

SMALL = 0.15


@pytest.fixture(scope="module", params=worlds.WORLDS)
def world(request):
    return request.param, sites.make(request.param, scale=SMALL, seed=1)


def test_a_world_has_texts_of_its_own_and_the_same_for_the_same_seed(world):
    name, made = world
    assert len(made.texts) == len(made.truth) == len(made.parts) > 1
    assert all(text.strip() for text in made.texts)
    assert made == sites.make(name, scale=SMALL, seed=1)
    assert made.texts != sites.make(name, scale=SMALL, seed=2).texts


def test_things_share_no_parts(world):
    _, made = world
    owner = {}
    for thing, parts in zip(made.truth, made.parts, strict=True):
        assert all(owner.setdefault(part, thing) == thing for part in parts)


@pytest.mark.parametrize("name", ["threads of quoted replies", "early and late versions"])
def test_a_document_that_has_all_parts_of_another_has_its_words(name):
    made = sites.make(name, scale=SMALL, seed=1)
    words = [set(text.split()) for text in made.texts]
    known = [parts.keys() for parts in made.parts]
    pairs = [(a, b) for a in range(len(words)) for b in range(len(words)) if known[b] < known[a]]
    assert pairs
    assert all(words[b] <= words[a] for a, b in pairs)


def test_sites_of_few_pages_share_what_they_say_they_do():
    made = sites.make("few pages a site", scale=SMALL, seed=3)
    blocks = sites.Measured(made, strict=False).similar
    strangers = [
        jaccard
        for pairs, found in blocks
        for (a, b), jaccard in zip(pairs.tolist(), found["jaccard"].tolist(), strict=True)
        if made.truth[a] != made.truth[b] and len(made.texts[a]) > 3000 and jaccard > 0.3
    ]
    assert 0.5 < np.median(strangers) < 0.8


def naive(measured, kept):
    """Count every pair, as the definitions say it."""
    made, truth = measured.made, measured.made.truth
    near = set(map(tuple, measured.forgiven.tolist()))
    right = wrong = true = 0
    good = [truth[i] == truth[c] or (min(i, c), max(i, c)) in near for i, c in enumerate(kept)]
    for pair in combinations(range(len(truth)), 2):
        a, b = pair
        true += truth[a] == truth[b]
        if kept[a] == kept[b] and truth[a] == truth[b]:
            right += 1
        elif kept[a] == kept[b] and pair not in near:
            wrong += measured.strict or not (good[a] and good[b])
    lost = [i for i, c in enumerate(kept) if (min(i, c), max(i, c)) not in near]
    lost = [i for i in lost if sum(n for part, n in made.parts[i].items() if part not in made.parts[kept[i]]) > 0]
    return {"true": true, "right": right, "wrong": wrong, "lost": len(lost)}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_scores_against_every_pair(seed, strict):
    draw = np.random.default_rng(seed)
    words = [f"word{number}" for number in range(40)]
    made = Collection()
    for _ in range(25):
        thing, start = int(draw.integers(6)), int(draw.integers(3))
        made.add(" ".join(words[start : start + 36]), thing, {10 * thing + part: 5 for part in range(start + 1)})
    labels = draw.integers(0, 6, 25)
    first = {}
    kept = np.array([first.setdefault(label, number) for number, label in enumerate(labels.tolist())])
    measured = sites.Measured(made, strict)
    assert len(measured.forgiven) == 0 if strict else len(measured.forgiven) > 50
    score = measured.score(kept)
    assert {name: score[name] for name in ("true", "right", "wrong", "lost")} == naive(measured, kept.tolist())


def test_a_document_is_lost_for_one_that_has_less_of_it():
    made = Collection()
    made.add("a first letter of some words that are its own", 1, {1: 100})
    made.add("an answer above it that says something else and more", 1, {1: 100, 2: 6})
    made.add("an answer of a word or two", 1, {1: 100, 3: 5})
    measured = sites.Measured(made, strict=False)
    assert measured.lost(np.array([1, 1, 1])) == []  # five words in a hundred and five may be lacking
    assert measured.lost(np.array([0, 0, 2])) == [(1, 0)]
    assert measured.lost(np.array([0, 2, 2])) == [(1, 2)]


def test_collections_are_joined_without_mixing_their_things():
    one = sites.make("threads of quoted replies", scale=SMALL, seed=1)
    both = sites.joined([one, one])
    count = len(one.texts)
    assert both.texts == one.texts * 2
    assert not set(both.truth[:count]) & set(both.truth[count:])
    assert not {part for parts in both.parts[:count] for part in parts} & {
        p for parts in both.parts[count:] for p in parts
    }
    assert scoring.labels(both.truth[:count]).tolist() == scoring.labels(both.truth[count:]).tolist()
