import numpy as np
from generated_sites import Writer, site
from verifying import counter

from dupdetect.matching.boilerplate_votes import learn
from dupdetect.matching.interleaving import FULL, SHORT
from dupdetect.matching.pairs import pack
from dupdetect.matching.verify import Verifier
from dupdetect.settings import Settings


def judged(texts, settings=None):
    """Judge all pairs of texts that share enough: a judge, the pairs weighed by what it learned."""
    settings = settings or Settings()
    a, b = np.triu_indices(len(texts), 1)
    made = counter(texts, settings)
    found = made.sharing(pack(a, b))
    judge = Verifier(made, learn(made, found))
    return judge, judge.weigh(found)


def test_the_own_vote_of_a_pair_is_left_out():
    """Two pages alone are interleaved, and say boilerplate; their own word does not count, a third page's does."""
    pages = list(site("en", "suit", 3).values())
    _, two = judged(pages[:2])
    assert two.weights.interleaved.all()
    assert two.weights.boilerplate.tolist() == [0]
    _, three = judged(pages)
    assert three.weights.interleaved.all()
    assert min(three.weights.boilerplate) > 0.9


def test_what_stands_in_short_lines_weighs_little():
    story, menus = Writer("en", "s").story(4), [Writer("en", n).menu(60) for n in range(4)]
    _, pair = judged([f"{menus[0]}\n\n{story}\n\n{menus[1]}", f"{menus[2]}\n\n{story}\n\n{menus[3]}"])
    own = pair.size_a[0] - pair.shared[0]
    assert own > 170
    short = SHORT / FULL * own
    assert short < pair.weights.size_a[0] - pair.weights.shared[0] < short + 20
    assert pair.weighted_containment[0] > 0.8 > 0.6 > pair.containment[0]


def test_settings_without_boilerplate_weigh_nothing():
    pages = list(site("en", "suit", 3).values())
    for settings in (Settings(boilerplate=False), Settings(unit="character")):
        judge, found = judged(pages, settings)
        assert found.given is None
        assert len(judge.boilerplate.shingles) == 0
