import random

import numpy as np
import pyarrow as pa
import pytest
from generated_sites import Writer, site
from verifying import counter

from dupdetect.matching import boilerplate_weights
from dupdetect.matching.boilerplate import Boilerplate, are_strangers
from dupdetect.matching.boilerplate_votes import learn
from dupdetect.matching.boilerplate_weights import Weigher
from dupdetect.matching.candidates import find
from dupdetect.matching.pairs import pack, unpack
from dupdetect.matching.removal import decided
from dupdetect.matching.shingle_rows import HASH
from dupdetect.matching.verify import Verifier, verify_candidates
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import sketch_texts


def verified(texts, settings, known=None):
    """Find candidates among texts, the shorter before the longer, and verify them."""
    found = find(sketch_texts(pa.array(texts, pa.large_string()), settings))
    return found, verify_candidates(found, counter(texts, settings), known)


def family(size):
    story = Writer("en", "family").story(6)
    return [f"{story} {' '.join('more' for _ in range(n))}".strip() for n in range(size)]


def test_pairs_of_a_large_family_are_deferred():
    found, verdict = verified(family(12), Settings(hot_key_documents=4))
    assert len(verdict.deferred) > 0
    assert np.isin(verdict.deferred, found.pairs).all()
    assert not np.isin(verdict.deferred, verdict.matches.pairs).any()
    assert set(np.concatenate(unpack(verdict.matches.pairs)).tolist()) == set(range(12))


def test_of_a_small_family_nothing_is_deferred():
    found, verdict = verified(family(4), Settings())
    assert len(verdict.deferred) == 0
    assert verdict.matches.pairs.tolist() == found.pairs.tolist()


def test_what_is_known_is_added_to_and_stays_as_it_was():
    pages = sorted(site("en", "one", 3).values(), key=len)
    first = verified(pages, Settings(min_shared_fingerprints=0.1))[1].boilerplate
    assert len(first.shingles) > 0
    known = Boilerplate(first.shingles, first.margin.copy(), None, np.empty(0, np.int32))
    again = verified(pages, Settings(min_shared_fingerprints=0.1), known)[1].boilerplate
    assert again.shingles.tolist() == first.shingles.tolist()
    assert again.margin.tolist() == (2 * first.margin).tolist()
    assert known.margin.tolist() == first.margin.tolist()


def test_a_verifier_judges_by_what_it_was_given_and_not_by_what_others_learn():
    """Nothing has to be called before anything else: what pairs say is an argument."""
    pages = list(site("en", "one", 3).values())
    made, pairs = counter(pages, Settings()), pack(*np.triu_indices(3, 1))
    unknowing = Verifier(made)
    before = unknowing.weigh(made.sharing(pairs)).weights
    said = learn(made, made.sharing(pairs))
    after = unknowing.weigh(made.sharing(pairs)).weights
    assert all(one.tolist() == other.tolist() for one, other in zip(before, after, strict=True))
    assert unknowing.boilerplate.shingles.tolist() == []
    assert min(Verifier(made, said).weigh(made.sharing(pairs)).weights.boilerplate) > 0.9


def test_strangers_in_one_chrome_are_not_weighed(monkeypatch):
    """What they share is boilerplate, which shows that they are no matches: there are many of them."""
    pages = list(site("en", "one", 4).values())
    made, pairs = counter(pages, Settings()), pack(*np.triu_indices(4, 1))
    sharing = made.sharing(pairs)
    verifier = Verifier(made, learn(made, sharing))
    assert len(decided(verifier.weigh(sharing), Settings()).pairs) == 0
    monkeypatch.setattr(boilerplate_weights.weigh_pairs, "faster_for", lambda _: boilerplate_weights.weigh_pairs)
    monkeypatch.setattr(boilerplate_weights, "weigh_side", None)
    assert len(sharing.pairs) == 6
    assert len(verifier.matches(pairs).pairs) == 0
    with pytest.raises(TypeError):
        verifier.weigh(sharing)


def test_what_is_settled_is_taken_as_it_stands():
    pages = sorted(site("en", "one", 3).values(), key=len)
    first = verified(pages, Settings(min_shared_fingerprints=0.1))[1].boilerplate
    known = Boilerplate.settled(first.shingles, first.margin)
    assert verified(pages, Settings(min_shared_fingerprints=0.1), known)[1].boilerplate is known
    nothing = Boilerplate.settled(first.shingles[:0], first.margin[:0])
    assert len(verified(pages, Settings(min_shared_fingerprints=0.1), nothing)[1].boilerplate.shingles) == 0


@pytest.mark.parametrize("size", [1, 5, 14, 15])
@pytest.mark.parametrize("threshold", [0.3, 0.8])
def test_strangers_that_cannot_match_are_not_weighed_and_would_not_match(size, threshold):
    """Where nothing is boilerplate: they come from sites, with articles cut short, edited, and long or none."""
    settings = Settings(shingle_size=size, threshold=threshold, containment=0.5, min_shingles=5)
    texts = [page for name in ("one", "two", "three") for page in site("en", name, 5).values()]
    texts += [page[: len(page) * part // 10] for page in texts[:6] for part in (5, 8, 9)]
    texts += [Writer("en", "edits").edited(page, 0.02) for page in texts[:6]]
    made, weighed = counter(texts, settings), []

    class Noted(Weigher):
        def weigh(self, found):
            weighed.append(found)
            return super().weigh(found)

    found = made.sharing(pack(*np.triu_indices(len(texts), 1)))
    everything = decided(Weigher(made, Boilerplate.none()).weigh(found), settings)
    matches = Verifier(made, None, Noted).matches(found.pairs)
    assert matches.pairs.tolist() == everything.pairs.tolist()
    assert matches.verdicts.tolist() == everything.verdicts.tolist()
    hopeless = int((are_strangers(found.patterns) & (found.jaccard < threshold)).sum())
    # With shingles of 15 words one may have less of its own than a word that is cut short explains.
    assert len(weighed[0].pairs) == len(found.pairs) - (hopeless if size < 15 else 0)
    if threshold == 0.8 and size > 1:  # others that are less alike share too little to be judged, or are no strangers
        assert hopeless > 50
        knowing = Noted(made, learn(made, found))
        shares = knowing.weigh(found).weights.boilerplate
        knowing.matches(found)
        assert len(weighed[2].pairs) == (shares <= found.most_boilerplate(settings)).sum() < len(found.pairs)


def written_otherwise(draw):
    """Make texts that share much, in order and not: a family tree, texts of few words, halves, and parts of one."""
    words = [f"w{number}" for number in range(900)]
    tree = [draw.sample(words, 200)]
    while len(tree) < 14:
        child = list(draw.choice(tree))
        at, length = draw.randrange(150), draw.choice([1, 2, 6, 10, 40])
        child[at : at + length] = draw.sample(words, draw.choice([0, 1, length, 60]))
        tree.append(child)
    few = [draw.choices(words[:3], k=draw.choice([60, 200])) for _ in range(5)]
    half = [draw.sample(words, 100) for _ in range(4)]
    both = [one + two for one in half for two in half if one is not two]
    parts = [tree[0][first:last] for first, last in ((0, 60), (30, 160), (80, 200))]
    lines = [["\n" + word if place % 9 == 0 else word for place, word in enumerate(text)] for text in tree[:4]]
    joined = [" ".join(text).replace(" \nw", "w").split(" ") for text in lines]
    return [" ".join(text) for text in (*tree, *few, *both, *parts, *lines, *joined)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("given", [{}, {"threshold": 0.5, "containment": 0.5}, {"max_lost": 0.3}, {"shingle_size": 2}])
def test_what_is_not_weighed_would_be_no_match_if_it_were(seed, given):
    """Whatever is boilerplate: nothing, what the texts themselves say, or some of all that they have."""
    settings, chance = Settings(min_shingles=5, **given), random.Random(seed)
    texts = list(dict.fromkeys(written_otherwise(chance)))
    made = counter(texts, settings)
    found = made.sharing(pack(*np.triu_indices(len(texts), 1)))
    shingles = np.unique(made.shingles.all().values & HASH)
    some = shingles[[chance.random() < 0.3 for _ in shingles]]
    for said in (Boilerplate.none(), learn(made, found), Boilerplate.settled(some, np.full(len(some), 3, np.int32))):
        everything, matches = decided(Weigher(made, said).weigh(found), settings), Weigher(made, said).matches(found)
        assert matches.pairs.tolist() == everything.pairs.tolist()
        assert matches.verdicts.tolist() == everything.verdicts.tolist()
        for mine, theirs in zip(matches.weights, everything.weights, strict=True):
            assert mine.tolist() == theirs.tolist()
