"""Candidates to matches.

Input    candidate pairs, the documents' texts, what earlier outputs say is boilerplate
Output   `Verified`: the pairs that are copies, what the corpus says is boilerplate, and pairs that were deferred
Cost     a pass over the texts of the documents in question, and O(shingles) a pair, twice for pairs in doubt
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.boilerplate_votes import learn
from dupdetect.matching.boilerplate_weights import Weigher, are_certain
from dupdetect.matching.pairs import unpack, without
from dupdetect.matching.removal import decided

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dupdetect.matching.candidates import Candidates
    from dupdetect.matching.counter import Counter
    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.pairs import Pairs


class Weighing(Protocol):
    """Whatever weighs pairs: a `Weigher`, or a driver that lets many of them weigh."""

    def weigh(self, found: Overlaps) -> Overlaps: ...  # noqa: D102
    def matches(self, found: Overlaps) -> Overlaps: ...  # noqa: D102


class Verifier:
    """Says which pairs are copies, by the settings of its counter and by what is boilerplate.

    Parameters
    ----------
    counter : Counter
    boilerplate : Boilerplate, optional
        What is known of shingles; by default nothing.
    weigher : callable
        Makes of both what weighs pairs.

    Attributes
    ----------
    counter : Counter
    boilerplate : Boilerplate
    """

    def __init__(
        self,
        counter: Counter,
        boilerplate: Boilerplate | None = None,
        weigher: Callable[[Any, Boilerplate], Weighing] = Weigher,
    ) -> None:
        self.counter, self.boilerplate = counter, boilerplate or Boilerplate.none()
        self._weigher = weigher(counter, self.boilerplate)
        self.weigh = self._weigher.weigh

    def certain(self, found: Overlaps) -> NDArray[np.bool_]:
        """Mark pairs that are matches whatever is boilerplate."""
        return are_certain(found, self.counter.context.settings)

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares; nothing is weighed."""
        return self.counter.overlaps(pairs)

    def matches(self, pairs: Pairs) -> Overlaps:
        """Return the pairs that are copies, weighed."""
        return self._weigher.matches(self.counter.sharing(pairs))


class Verified(NamedTuple):
    """What was found among candidates.

    Attributes
    ----------
    matches : Overlaps
    deferred : uint64[n]
        Pairs of one large family that were not compared.
    boilerplate : Boilerplate
    """

    matches: Overlaps
    deferred: Pairs
    boilerplate: Boilerplate


def verify_candidates(
    found: Candidates,
    counter: Counter,
    known: Boilerplate | None = None,
    weigher: Callable[[Any, Boilerplate], Weighing] = Weigher,
) -> Verified:
    """Verify candidates: first the pairs that gather families, and then those that families do not make needless.

    Two documents of a large family, of more than `Settings.hot_key_documents` documents that match the same one, will
    most likely be in one cluster whether they match or not. Their pairs are deferred, to be looked at again where they
    are not (`clustering.clusters.cluster_matches`). All others vote on what is boilerplate, and are weighed.

    Parameters
    ----------
    found : Candidates
    counter : Counter
        Of the documents that the candidates name.
    known : Boilerplate, optional
        What earlier outputs say is boilerplate.
    weigher : callable
        As `Verifier` has it.
    """
    sharing, deferred, boilerplate = judged(found, counter, known)
    return Verified(weigher(counter, boilerplate).matches(sharing), deferred, boilerplate)


class Judged(NamedTuple):
    """What is known of candidates before they are weighed.

    Attributes
    ----------
    sharing : Overlaps
        The pairs that share enough to be judged.
    deferred : uint64[n]
    boilerplate : Boilerplate
    """

    sharing: Overlaps
    deferred: Pairs
    boilerplate: Boilerplate


def judged(found: Candidates, counter: Counter, known: Boilerplate | None = None) -> Judged:
    """Count what candidates share, and learn from it what is boilerplate; parameters as of `verify_candidates`."""
    settings, n = counter.context.settings, counter.n
    counter.expect(found.pairs)
    stars = found.star_pairs()
    gathered = counter.sharing(stars)
    rest = without(found.pairs, stars)
    family = np.arange(n)
    alike = decided(gathered, settings)
    family[alike.b] = alike.a
    large = (np.bincount(family, minlength=n) > settings.hot_key_documents)[family]
    a, b = unpack(rest)
    within = (family[a] == family[b]) & large[a]
    sharing = gathered | counter.sharing(rest[~within])
    return Judged(sharing, rest[within], learn(counter, sharing, known))
