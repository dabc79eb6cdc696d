"""From candidates to what is decided of them: at once on the driver, or in parts on executors.

Input    candidates, and who counts what they share
Output   `Decided`: tables, or frames of them
Cost     at once: the driver holds all matches; in parts: what candidates share, and documents

Up to `MATCHES` matches the driver clusters, as a run on one machine does. Of more, executors weigh candidates and keep
the matches, which are clustered in parts (`partwise`). Both give the same.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._storage.memory import shown
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.verify import Judged, Verified, Verifier, judged
from dupdetect.pipeline import stage_arrays, tables
from dupdetect.pipeline.decide import caps, clustered, decided
from dupdetect.pipeline.manifest import boilerplate_shingles, counts
from dupdetect.spark.counter import SparkCounter, SparkWeigher, known_of
from dupdetect.spark.counting import matches_of
from dupdetect.spark.part_tasks import SparkParts
from dupdetect.spark.partwise import MATCH_BYTES, Given, Partwise

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.decide import Engine, Search
    from dupdetect.pipeline.request import RunContext
    from dupdetect.pipeline.rules import Plain
    from dupdetect.pipeline.stage_arrays import Arrays
    from dupdetect.pipeline.tables import Decision
    from dupdetect.spark.work import Work

#: Matches that the driver clusters, at the most: it takes some 14 GB of them.
MATCHES = 100_000_000

#: Bytes that the driver holds of a document that shares something with another; and of a candidate, before it is known
#: which are matches.
DOCUMENT_BYTES, CANDIDATE_BYTES = 100, 45

_LOG = logging.getLogger(__name__)


class Decided(NamedTuple):
    """What was decided.

    Attributes
    ----------
    found : dict of str to pyarrow.Table or DataFrame
        The tables of a result, but for the next.
    boilerplate : pyarrow.Table
    canonical : bool[new documents]
    counts, caps : dict
    superseded : int
    """

    found: dict[str, pa.Table | DataFrame]
    boilerplate: pa.Table
    canonical: NDArray[np.bool_]
    counts: dict[str, Any]
    caps: dict[str, int]
    superseded: int


def decided_of(corpus: Corpus, search: Search, engine: Engine, rules: Plain, run: RunContext, work: Work) -> Decided:
    """Verify candidates, cluster, and choose canonicals.

    Parameters
    ----------
    corpus, search, engine, rules, run
        As `pipeline.decide.decided` has them.
    work : Work
    """
    pairs = len(search.found.pairs)
    held = DOCUMENT_BYTES * len(corpus) + CANDIDATE_BYTES * pairs
    _LOG.info(
        "%d documents have something in common with another, in %d pairs: the driver holds about %s of them",
        len(corpus),
        pairs,
        shown(held),
    )
    if not isinstance(engine.counter, SparkCounter) or pairs <= MATCHES:
        _LOG.info("no more than %d matches: the driver clusters, and takes up to %s", pairs, shown(MATCH_BYTES * pairs))
        decision, reached = stage_arrays.decision_of_arrays(decided(corpus, search, engine, rules, run))
        return _at_once(corpus, decision, reached, rules, run)
    with run.clock.stage("verify", pairs):
        arrays = work.finished("judged", lambda: _judged_to_arrays(judged(search.found, engine.counter, rules.known)))
        sharing, deferred, boilerplate = _judged_of_arrays(arrays)
        frame = SparkWeigher(engine.counter, boilerplate).written_matches(sharing)
        del arrays, sharing  # there are as many as candidates
        count = frame.count()
        verifier = Verifier(engine.counter, boilerplate, SparkWeigher)
    with run.clock.stage("cluster", engine.counter.n):
        if count <= MATCHES:
            _LOG.info("%d matches: the driver clusters, and takes about %s", count, shown(MATCH_BYTES * count))
            verified = Verified(matches_of(frame.toArrow()), deferred, boilerplate)
            decision, rounds = clustered(corpus, search, verified, verifier, rules, run.settings)
            return _at_once(corpus, decision, caps(search.found, deferred, rounds), rules, run)
        _LOG.info(
            "%d matches, more than %d: executors cluster them in parts; on the driver they would take %s, and their "
            "documents take about %s",
            count,
            MATCHES,
            shown(MATCH_BYTES * count),
            shown(DOCUMENT_BYTES * len(corpus)),
        )
        parts = SparkParts(frame, deferred, run.settings, work)
        given = Given(corpus, listed(corpus), search, deferred, verifier, rules, run.settings)
        outcome = Partwise(given, parts, MATCHES).outcome()
    names = ("clusters", "matches", "digests", "superseded")
    found = {name: parts.table(name, [each.tables[name] for each in outcome.here]) for name in names}
    voted = tables.boilerplate_table(boilerplate, rules.known)
    counted = outcome.counts
    reached = {
        **caps(search.found, deferred, counted.pop("rounds")),
        "unlisted_pairs": counted.pop("unlisted_pairs"),
    }
    superseded = counted.pop("superseded")
    counted["rejected"] = corpus.rejects.num_rows
    counted["boilerplate_shingles"] = boilerplate_shingles(voted)
    return Decided({**found}, voted, outcome.canonical, counted, reached, superseded)


def _at_once(corpus: Corpus, decision: Decision, reached: dict[str, int], rules: Plain, run: RunContext) -> Decided:
    """Return what the driver has decided."""
    settings = run.settings
    with run.clock.stage("tables", corpus.new):
        clusters, superseded = tables.clusters_tables(corpus, decision, settings)
        matches, unlisted = tables.matches_table(corpus, decision, settings)
        found = {
            "clusters": tables.with_origins(clusters, corpus),
            "matches": matches,
            "digests": tables.digests_table(corpus, decision, settings),
            "superseded": superseded,
        }
        boilerplate = tables.boilerplate_table(decision.boilerplate, rules.known)
        counted = counts(corpus, decision, {**found, "boilerplate": boilerplate})
    canonical = clusters["canonical"].to_numpy()
    return Decided(
        {**found}, boilerplate, canonical, counted, {**reached, "unlisted_pairs": unlisted}, superseded.num_rows
    )


def listed(corpus: Corpus) -> pa.Table:
    """Return what tables say of each document: its id, and where it was read; of earlier ones nowhere."""
    file, row = corpus.origins()
    earlier = len(corpus) - corpus.new
    whole = pa.concat_arrays([file, pa.nulls(earlier, file.type)]), pa.concat_arrays([row, pa.nulls(earlier, row.type)])
    return pa.table([corpus.ids, *whole], names=["id", "file", "row"])


def _judged_to_arrays(known: Judged) -> Arrays:
    """Return what is known of candidates as arrays that a stage keeps."""
    sharing = {f"sharing_{name}": values for name, values in known_of(known.sharing).items()}
    return {**sharing, "deferred": known.deferred, **stage_arrays.boilerplate_to_arrays(known.boilerplate)}


def _judged_of_arrays(arrays: Arrays) -> Judged:
    pairs, shared, size_a, size_b = (arrays[f"sharing_{name}"] for name in ("pairs", "shared", "size_a", "size_b"))
    sharing = Overlaps(pairs, shared, size_a, size_b, None, arrays.get("sharing_patterns"))
    return Judged(sharing, arrays["deferred"], stage_arrays.boilerplate_of_arrays(arrays))
