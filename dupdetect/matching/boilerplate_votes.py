"""Pairs to votes: what a corpus says is boilerplate.

Input    pairs that share something, with their patterns; what is known already
Output   `Boilerplate`
Cost     a pass over the documents of the pairs that vote, and a sort of the shingles that they share
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect.matching.boilerplate import AGAINST, PLAIN, Boilerplate, are_strangers, grade_table, is_content
from dupdetect.matching.filled_forms import of_one_wording
from dupdetect.matching.pairs import unpack
from dupdetect.matching.patterns import WHOLE
from dupdetect.matching.tally import summed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.counter import Counter
    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.pairs import Pairs

#: Votes for boilerplate, and votes for content, that a document takes part in at the most: a large family votes no
#: more often than a small one.
VOTES = 16

#: An odd number that makes of pairs an order that has nothing to do with them.
_SHUFFLE = np.uint64(0x9E3779B97F4A7C15)


def learn(counter: Counter, found: Overlaps, known: Boilerplate | None = None) -> Boilerplate:
    """Let pairs vote.

    Parameters
    ----------
    counter : Counter
        It has the shingles of the documents.
    found : Overlaps
        Pairs that share enough to be judged (`PairCounter.sharing`).
    known : Boilerplate, optional
        What is known already, of other documents; the votes are added to it.

    Returns
    -------
    Boilerplate
        `known` itself where no two documents are strangers and nothing is known, where nothing is weighed, or where
        what is known is settled.
    """
    known = known or Boilerplate.none()
    if not counter.context.settings.weighs or known.is_settled:
        return known
    patterns, named = counter.patterns(found), counter.named(found.pairs)
    wording = of_one_wording(found, named, patterns, counter.context.settings.threshold)
    for_it = are_strangers(patterns)
    if len(wording):
        for_it[wording] = counter.filled_forms(found.pairs[wording])
    boilerplate = _sample(named, for_it)
    if len(boilerplate) == 0 and len(known.shingles) == 0:
        return known
    content = _sample(named, is_content(patterns))
    shingles, margin = counter.tally(found.where(boilerplate))
    if len(known.shingles):
        shingles, margin = np.concatenate([known.shingles, shingles]), np.concatenate([known.margin, margin])
        shingles, margin = summed(shingles, margin)
    # Votes for content count only for shingles that somebody says are boilerplate. Of a text that is there alone, too,
    # its pages may be many, and all of them strangers to one another: its vote counts for all that a page may cast.
    asked, margin = grade_table(shingles, PLAIN), margin.copy()
    is_whole = patterns[content] & np.uint8(WHOLE) != 0
    for places, weight in ((content[~is_whole], AGAINST), (content[is_whole], AGAINST * (1 + VOTES))):
        if len(places):
            noes, votes = counter.tally(found.where(places), asked)
            margin[np.searchsorted(shingles, noes)] -= weight * votes
    pairs = found.pairs[np.concatenate([boilerplate, content])]
    cast = np.repeat(np.array([1, -AGAINST], np.int32), [len(boilerplate), len(content)])
    order = np.argsort(pairs)
    return Boilerplate(shingles, margin, pairs[order], cast[order])


def _sample(pairs: Pairs, voting: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Choose of the voting pairs such that no document is in more than `VOTES` of them; return their places.

    Which, depends on the pairs alone.
    """
    places = np.flatnonzero(voting)
    places = places[np.argsort(pairs[places] * _SHUFFLE)]
    documents = np.stack(unpack(pairs[places]), axis=1).ravel()
    order = np.argsort(documents, kind="stable")
    start = np.searchsorted(documents[order], documents[order])
    turn = np.empty(len(documents), np.int64)
    turn[order] = np.arange(len(documents)) - start
    return np.sort(places[turn.reshape(-1, 2).max(axis=1) < VOTES])
