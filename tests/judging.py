"""What two texts alone are to each other, by the naive references of `oracles`: for corpora without boilerplate."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import oracles

from dupdetect.matching import overlaps


class Judged(NamedTuple):
    """What a is to b.

    Relations: those that may be said, for of two texts with equally much of their own either may hold the other. What
    was compared, the words of a that would be lost, and whether a may be removed for b.
    """

    relations: tuple
    score: float
    lost: int
    removable: bool

    def __bool__(self):
        return bool(self.relations)


def judge(a, b, settings):
    """Judge two texts."""
    one, other = oracles.words(a, settings.unit), oracles.words(b, settings.unit)
    if not one or not other:
        return Judged((), 0.0, 0, False)
    if one == other:
        return Judged(("identical",), 1.0, 0, True)
    x, y = (oracles.shingles(text, settings.shingle_size, settings.unit) for text in (a, b))
    sizes = np.array([len(x)]), np.array([len(y)])
    if len(x & y) < overlaps.least_shared(*sizes, settings, overlaps.FLOOR)[0]:
        return Judged((), 0.0, 0, False)
    pair = oracles.weigh([a, b], [(0, 1)], settings)[0, 1]
    found = oracles.judge(x, y, pair, settings)
    relations = (found.relation,) if found.relation else ()
    if found.relation in ("contains", "contained") and pair.own[0] == pair.own[1]:
        relations = ("contains", "contained")
    return Judged(relations, found.score, pair.lost[0], bool(found.removable[0]))


def all_matches(corpus, settings):
    """Compare all texts with all: the pairs that are copies, for {id: text}."""
    return [(a, b) for a, b in combinations(corpus, 2) if judge(corpus[a], corpus[b], settings)]
