"""From sketches to a decision: candidates, matches, clusters, canonicals.

Input    the corpus, sketched; the rules of the run
Output   who represents whom, as arrays that a checkpoint keeps
Cost     a sort of the keys, and a second pass over the texts that may have copies
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from dupdetect.clustering import canonical, clusters, digests
from dupdetect.matching import candidates
from dupdetect.matching.boilerplate_weights import Weigher
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.grouping import Grouping, check_grouped
from dupdetect.matching.keys import Source
from dupdetect.matching.verify import Verifier, verify_candidates
from dupdetect.pipeline import stage_arrays
from dupdetect.pipeline.tables import Decision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.candidates import Candidates
    from dupdetect.matching.counter import Counter
    from dupdetect.matching.overlaps import Matcher
    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.verify import Verified, Weighing
    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.request import RunContext
    from dupdetect.pipeline.rules import Limits, Plain
    from dupdetect.pipeline.stage_arrays import Arrays
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Hashes = NDArray[np.uint64]


def decide(corpus: Corpus, rules: Plain, run: RunContext) -> Arrays:
    """Find candidates, verify them, cluster, and choose canonicals.

    Parameters
    ----------
    corpus : Corpus
    rules : Plain
        Which documents may be compared, and who goes first.
    run : RunContext

    Returns
    -------
    dict of str to array
        A `Decision`, and the caps that were reached (`stage_arrays.decision_of_arrays`).
    """
    search, rows = searched(corpus, rules, run)
    source = rules.texts(corpus, rows, search.limits, run.workspace)
    counter = PairCounter(source.texts, source.places, run.context)
    return decided(corpus, search, Engine(counter), rules, run)


class Search(NamedTuple):
    """What was found to be worth verifying among n texts.

    Attributes
    ----------
    text_of : int64[documents]
        The text that each document has, -1 for a document without words.
    found : Candidates
    limits : Limits
    grouping : Grouping, optional
        What columns say of the texts.
    apart : uint64[documents, 2], optional
        Digests, which differ where documents may not be compared; by default those of the corpus.
    """

    text_of: Int
    found: Candidates
    limits: Limits
    grouping: Grouping | None = None
    apart: Hashes | None = None


class Ranked(Protocol):
    """Documents whose clusters are represented by one of them: a `Corpus`, or a part of one."""

    @property
    def words(self) -> Int: ...  # noqa: D102
    @property
    def digests(self) -> Hashes: ...  # noqa: D102


class Ranks(Protocol):
    """Whoever ranks documents: the rules of a run, for one."""

    def rank(self, corpus: Any, settings: Settings, text_of: Int, clean: Share, limits: Limits) -> Int: ...  # noqa: D102


class Engine(NamedTuple):
    """Who counts what pairs share, and weighs it: this process, or many.

    Attributes
    ----------
    counter : Counter
        Of the n texts.
    weigher : callable
        As `Verifier` has it.
    """

    counter: Counter
    weigher: Callable[[Any, Boilerplate], Weighing] = Weigher


def searched(corpus: Corpus, rules: Plain, run: RunContext) -> tuple[Search, Int]:
    """Search for candidates among the texts of a corpus; returned with it is a document of each text: int64[n]."""
    grouping = Grouping.of(run.settings, partial(rules.hashed, corpus), corpus.ids)
    apart = corpus.digests if grouping is None else grouping.parted(corpus.digests)
    text_of, rows = clusters.collapse(corpus.words, apart)
    rows = rules.representatives(corpus, text_of, rows)
    of_texts = None if grouping is None else grouping.of_texts(rows, corpus.digests)
    with run.clock.stage("candidates", len(rows)):
        found = find_candidates(corpus, rows, of_texts, run)
        limits = rules.comparable(corpus, text_of, rows, found)
        found = limits.candidates(found)
    return Search(text_of, found, limits, of_texts, apart), rows


def decided(corpus: Corpus, search: Search, engine: Engine, rules: Plain, run: RunContext) -> Arrays:
    """Verify candidates, cluster, and choose canonicals; returns what `decide` does."""
    found, (counter, weigher) = search.found, engine
    check_grouped(run.settings, search.grouping)
    with run.clock.stage("verify", len(found.pairs)):
        make = partial(verify_candidates, found, counter, rules.known, weigher)
        arrays = run.workspace.finished("verified", lambda: stage_arrays.verified_to_arrays(make()))
        verified = stage_arrays.verified_of_arrays(arrays)
        verifier = Verifier(counter, verified.boilerplate, weigher)
    with run.clock.stage("cluster", counter.n):
        decision, rounds = clustered(corpus, search, verified, verifier, rules, run.settings)
    return stage_arrays.decision_to_arrays(decision, caps(found, verified.deferred, rounds))


def caps(found: Candidates, deferred: Pairs, rounds: int) -> dict[str, int]:
    """Return the caps that were reached."""
    return {
        "hot_keys": found.hot_keys,
        "sampled_pairs": len(found.sampled),
        "deferred_pairs": len(deferred),
        "rounds": rounds,
    }


def clustered(
    corpus: Ranked, search: Search, verified: Verified, verifier: Matcher, rules: Ranks, settings: Settings
) -> tuple[Decision, int]:
    """Cluster verified matches, and choose canonicals; returned with the decision is how many rounds that took.

    Parameters
    ----------
    corpus : Ranked
    search : Search
        Of its candidates no more is asked than `Found` has.
    verified : Verified
        What was found among them.
    verifier : Matcher
        Is asked about further pairs.
    rules : Ranks
        Who goes first.
    settings : Settings
    """
    (text_of, found, limits, grouping, apart), listed = search, verified.matches
    n = len(limits.documents)
    if grouping is not None:
        verified, verifier = grouping.joined(verified, verifier)
    clean = clusters.cleanness(n, verified.matches)
    ranks = rules.rank(corpus, settings, text_of, clean, limits)
    document_of = canonical.least(ranks, text_of, n)
    order = limits.ordered(clusters.settle(clean, clusters.sampled_matches(verified.matches, found.sampled)))
    made = clusters.cluster_matches(found, verified, order, verifier, limits)
    known = limits.is_digest
    parted, is_digest = digests.part_digests(made.canonical, order, made.matches, verifier, known)
    chosen, matches = canonical.elect(
        settings, parted, ranks[document_of], limits.ordered(clean), made.matches, verifier
    )
    matches = clusters.match_chosen(found, chosen, made, matches, verifier, limits)
    contents = digests.contents(is_digest, parted, chosen, matches, verifier)
    own = corpus.digests if apart is None else apart
    decision = Decision(
        text_of,
        ranks,
        document_of,
        chosen,
        matches if grouping is None else matches | listed,
        is_digest,
        contents,
        verified.boilerplate,
        None if grouping is None else grouping.same,
        clusters.represented_without_words(corpus.words, corpus.digests, own, ranks),
    )
    return decision, made.rounds


def find_candidates(corpus: Corpus, rows: Int, grouping: Grouping | None, run: RunContext) -> Candidates:
    """Find candidates among texts, by a document of each: int64[n]; those that a grouping of texts lets through."""
    settings = run.settings
    number = np.full(len(corpus.fingerprints_each), -1, np.int32)
    number[corpus.places[rows]] = np.arange(len(rows), dtype=np.int32)

    def find(salts: Hashes | None, sides: Hashes | None = None) -> Candidates:
        of_rows = None if salts is None else np.append(salts, np.uint64(0))[number]
        bands = Source(corpus.bands, np.full(len(number), settings.banding[0]), 0.0, of_rows)
        share = settings.min_shared_fingerprints
        fingerprints = Source(corpus.fingerprints, corpus.fingerprints_each, share, of_rows)
        return candidates.find_by_keys((bands, fingerprints), number, run.context, sides)

    if grouping is None:
        return find(None)
    found = find(grouping.salts("within"), grouping.between)
    if grouping.per is not None:  # a hot key of all may be none of those of one value
        found |= find(grouping.salts("within", "per"))
    return found.where(grouping.comparable)
