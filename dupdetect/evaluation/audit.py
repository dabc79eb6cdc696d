"""Estimate which share of the matches in its input a run found, where nobody knows the truth.

Input    the output of a run, and the documents that it was made of
Output   `Audit`: the share, with an interval, examples of what was missed, and what is lost with what was removed
Cost     one pass over the texts, cut into shingles a block at a time: some 100 MB/s a core

No label is needed: what a match is, is defined by the run's settings, and by what it learned is boilerplate. A random
sample of documents is compared with all others exactly (`exact_search`), and what holds for the sample's matches is
estimated for all (`intervals`). Those of the sample that the run removed are compared with what stands for them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect._storage.context import Context, check_workers
from dupdetect.errors import InputError, MismatchError, SettingsError
from dupdetect.evaluation.exact_search import Matches, compare_sample
from dupdetect.evaluation.intervals import Recall, estimate
from dupdetect.evaluation.options import check_whole
from dupdetect.io.documents import Documents, collect
from dupdetect.io.tables import comparable
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import IDENTICAL, RELATIONS
from dupdetect.matching.pairs import packed
from dupdetect.matching.removal import tolerated
from dupdetect.matching.verify import Verifier
from dupdetect.results.read_again import as_read
from dupdetect.results.run import Run
from dupdetect.sketches.cleaning import cleaned, refuse_words
from dupdetect.sketches.sketches import chunks, sketch_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.settings import Settings

    Int = NDArray[np.int64]

#: Documents compared with all others, unless told otherwise.
SAMPLE = 1_000

#: Examples of misses listed.
LISTED = 20


@dataclass(frozen=True)
class Miss:
    """A match that the run did not put together.

    Attributes
    ----------
    a, b : id
        a is of the sample.
    relation : str
        Of a to b.
    jaccard, containment : float
        Exact, each shingle counting alike; containment of the smaller in the larger.
    score : float
        What was held against the threshold, shingles weighed.
    verified : bool
        Whether the run has it among its matches all the same.
    """

    a: Any
    b: Any
    relation: str
    jaccard: float
    containment: float
    score: float
    verified: bool


@dataclass(frozen=True)
class Lost:
    """What is lost with the removed documents of a sample, each compared with the document that stands for it.

    Attributes
    ----------
    removed : int
        Sampled documents that the run removed, and whose canonical is in the input.
    words : int
        Words of theirs that are neither in their canonical nor boilerplate, in all.
    share : float
        The largest share of a document's content that is lost, in [0, 1].
    over : int
        Documents that lose more than the settings allow.
    id, canonical : id
        The document that loses the largest share, and what stands for it; None where nothing is lost.
    """

    removed: int
    words: int
    share: float
    over: int
    id: Any
    canonical: Any


@dataclass(frozen=True)
class Audit:
    """What a run missed, as a sample shows it.

    Attributes
    ----------
    documents, sampled : int
        Of the input; those compared with all others.
    with_matches : int
        Sampled documents that have a match.
    together : Recall
        Matches whose documents the run put into one cluster.
    verified : Recall
        Matches that the run verified, or put together: what its search for candidates did not overlook. Where this is
        higher than `together`, the run found matches and kept both documents: content would be lost with either, or
        one does not match the canonical of the other.
    missed : int
        Matches of the sampled documents that were not put together, counted as in `Recall`.
    misses : list of Miss
        Some of them, at random.
    lost : Lost
        What is lost with the documents that were removed.
    confidence : float
        Of the intervals, in (0, 1).
    sampling_seed : int
    only_in_input, only_in_run : int
        Documents that the other does not have; left out.
    boilerplate_shingles : int or None
        Those that the run learned are boilerplate. None where its output does not say which, though its settings let it
        learn them: pairs that the run told apart by them may then pass for matches.
    """

    documents: int
    sampled: int
    with_matches: int
    together: Recall
    verified: Recall
    missed: int
    misses: list[Miss]
    lost: Lost
    confidence: float
    sampling_seed: int
    only_in_input: int
    only_in_run: int
    boilerplate_shingles: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows (ids as they are)."""
        return asdict(self)

    def __repr__(self) -> str:
        shown = "no match" if self.together.estimate is None else f"recall {self.together.estimate:.4f}"
        return (
            f"Audit({self.sampled} of {self.documents} documents, {self.together.pairs} matches: {shown}, "
            f"{self.confidence:.0%} interval {self.together.low:.4f} to {self.together.high:.4f}; {self.missed} "
            f"missed, {self.verified.pairs - self.verified.found} of them by candidates)"
        )


def audit(
    out: Any,
    data: Any = None,
    *,
    text: str | None = None,
    id: str | None = None,
    documents: int = SAMPLE,
    sampling_seed: int = 0,
    confidence: float = 0.95,
    workers: int | None = None,
) -> Audit:
    """Estimate which share of the matches in its input a run found, and check what is lost with what it removed.

    Parameters
    ----------
    out : Result, str or Path
        What `dedup` returned, or the folder it wrote.
    data : optional
        The input of that run, as `dedup` took it. By default the files that the manifest names, if they are still what
        the run read.
    text, id : str, optional
        The columns of the input; by default as the run had them.
    documents : int
        How many are compared with all others, at least 1; all of them, and there is nothing to estimate.
    sampling_seed : int
        Seed of which these are.
    confidence : float
        Of the intervals, in (0, 1).
    workers : int, optional
        Threads; by default one for each processor. The result does not depend on it.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        The input or the output cannot be read.
    MismatchError
        No document of the input is in the output.
    SettingsError
        A parameter is out of its range.

    Notes
    -----
    The documents are sampled, not the pairs, so the interval is that of a ratio of two sums over documents: an exact
    binomial (Clopper-Pearson) interval on as many pairs as would be worth what the clustered ones are (E. L. Korn and
    B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from
    survey data", 1998). See `intervals.interval`.
    """
    _check(documents, sampling_seed, confidence)
    run = _run(out)
    scope = _scope(run, collect(_given(run, data), **as_read(run, text, id)), check_workers(workers))
    n, learned = len(scope.rows), _learned(run)
    rows = draw(n, documents, sampling_seed)
    (pairs, together, verified), misses = _judged(run, scope, rows)
    return Audit(
        documents=n,
        sampled=len(rows),
        with_matches=int((pairs > 0).sum()),
        together=estimate(together, pairs, documents=n, confidence=confidence),
        verified=estimate(verified, pairs, documents=n, confidence=confidence),
        missed=len(misses.same),
        misses=_examples(scope, misses, sampling_seed),
        lost=_lost(run, scope, rows),
        confidence=float(confidence),
        sampling_seed=int(sampling_seed),
        only_in_input=scope.only_in_input,
        only_in_run=scope.only_in_run,
        boilerplate_shingles=None if learned is None else int((learned.margin > 0).sum()),
    )


class Census(NamedTuple):
    """Of the matches of each of n documents: all, those put together, and those verified or put together (int64[n])."""

    pairs: Int
    together: Int
    verified: Int


def survey(
    out: Any, data: Any, *, text: str | None = None, id: str | None = None, workers: int | None = None
) -> Census:
    """Compare all documents with all: what `audit` estimates, exactly; parameters and errors as there."""
    run = _run(out)
    scope = _scope(run, collect(_given(run, data), **as_read(run, text, id)), check_workers(workers))
    return _judged(run, scope, np.arange(len(scope.rows)))[0]


def draw(documents: int, sample: int, seed: int) -> Int:
    """Draw documents at random, all equally likely: their numbers, ascending."""
    return np.sort(np.random.default_rng(seed).choice(documents, min(sample, documents), replace=False))


def _check(documents: int, sampling_seed: int, confidence: float) -> None:
    check_whole("documents", documents, 1)
    check_whole("sampling_seed", sampling_seed, 0)
    if isinstance(confidence, bool) or not isinstance(confidence, float) or not 0 < confidence < 1:
        raise SettingsError(f"confidence is {confidence!r}; expected a number above 0 and below 1, such as 0.95")


# ---- the run and its input ----


def _run(out: Any) -> Run:
    run = Run(out)
    if run.settings.words is not None and not run.read_as.listed:
        refuse_words(run.settings, "an audit")
    return run


def _given(run: Run, data: Any) -> Any:
    """Return the input of a run: what is given for it, or else what it read, if that is as it was."""
    if data is None and not run.inputs:
        raise InputError(f"{run.name}: what the run has read is no file, or no longer as it was; give its input")
    return run.inputs if data is None else data


def _learned(run: Run) -> Boilerplate | None:
    """Return what the run learned; None if that is not known."""
    if not run.settings.weighs:
        return Boilerplate.none()
    if run.boilerplate is None:
        return None
    shingles, margin = (np.asarray(run.boilerplate[name]) for name in ("shingle", "margin"))
    return Boilerplate(shingles, margin, None, np.empty(0, np.int32))


@dataclass(frozen=True, eq=False)
class _Scope:
    """The documents that both the input and the run have, numbered in input order, and the cluster of each."""

    documents: Documents
    texts: pa.ChunkedArray
    rows: Int
    ids: pa.ChunkedArray
    cluster: Int
    only_in_input: int
    only_in_run: int
    workers: int

    def id(self, document: int) -> Any:
        return self.documents.ids[int(self.rows[document])].as_py()


def _scope(run: Run, documents: Documents, workers: int) -> _Scope:
    documents = cleaned(documents, workers=workers)
    ids = comparable(_chunked(documents.ids), "ids of the input")
    known = run.ids.slice(0, run.new)
    place = pc.index_in(ids, value_set=known)
    rows = np.flatnonzero(place.is_valid())
    if not len(rows) and (len(ids) or len(known)):
        raise MismatchError(
            f"no document of the input ({_some(ids)}) is in the output ({_some(known)}); audit a run with the input it "
            "was made of, and the same --text and --id"
        )
    labels = comparable(run.clusters["cluster"], "clusters").take(place.drop_null())
    return _Scope(
        documents,
        pa.chunked_array(chunks(documents.texts), pa.large_string()),
        rows,
        ids.take(pa.array(rows)),
        np.asarray(labels.combine_chunks().dictionary_encode().indices, np.int64),
        len(ids) - len(rows),
        len(known) - len(rows),
        workers,
    )


def _chunked(column: Any) -> pa.ChunkedArray:
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def _some(ids: pa.ChunkedArray) -> str:
    return ", ".join(map(repr, ids.slice(0, 3).to_pylist())) or "there are none"


# ---- what the run made of them ----


def _lost(run: Run, scope: _Scope, sample: Int) -> Lost:
    """Compare the removed documents of the sample with their canonicals, exactly."""
    place = np.asarray(pc.index_in(scope.ids.take(pa.array(sample)), value_set=run.ids), np.int64)
    canonical = run.canonical[place]
    there = pc.index_in(run.ids.take(pa.array(canonical)), value_set=scope.ids)
    found = np.asarray(there.is_valid()) & (canonical != place)
    removed, standing = sample[found], np.asarray(there.filter(pa.array(found)), np.int64)
    documents, numbers = np.unique(np.concatenate([removed, standing]), return_inverse=True)
    a, b = np.split(numbers, 2)
    counter = PairCounter(scope.texts, scope.rows[documents], Context(run.settings, scope.workers))
    verifier = Verifier(counter, _learned(run) or Boilerplate.none())
    pairs = packed(a, b)
    weighed = verifier.weigh(counter.overlaps(np.unique(pairs)))
    match = weighed.where(np.searchsorted(weighed.pairs, pairs))
    share = np.where(a < b, *match.shares_lost)
    words = np.where(a < b, match.weights.lost_a, match.weights.lost_b)
    worst = int(np.argmax(share)) if share.any() else None
    return Lost(
        removed=len(removed),
        words=int(words.sum()),
        share=float(share.max(initial=0.0)),
        over=int((~np.where(a < b, *tolerated(match, run.settings))).sum()),
        id=None if worst is None else scope.id(int(removed[worst])),
        canonical=None if worst is None else scope.id(int(standing[worst])),
    )


class _Misses(NamedTuple):
    """Matches not put together; which have the same words, and are among the run's matches all the same (bool[m])."""

    matches: Matches
    same: NDArray[np.bool_]
    verified: NDArray[np.bool_]


def _judged(run: Run, scope: _Scope, sample: Int) -> tuple[Census, _Misses]:
    """Count the matches of the sampled documents, and what the run made of them."""
    learned = _learned(run) or Boilerplate.none()
    pairs, together, missed = compare_sample(
        scope.texts, scope.rows, scope.cluster, sample, run.settings, learned, workers=scope.workers
    )
    misses = _verified(run, scope, missed)
    verified = np.bincount(np.searchsorted(sample, missed.a[misses.verified]), minlength=len(sample))
    return Census(pairs, together, together + verified), misses


def _verified(run: Run, scope: _Scope, missed: Matches) -> _Misses:
    """Look matches up among those of the run.

    Documents of the same words are matches of the run; and where many have the same words, the run lists but one of
    them with each of their matches. So matches are looked up by words.
    """
    sides = (comparable(run.matches[side], "ids of the matches") for side in ("a", "b"))
    places = [pc.index_in(side, value_set=scope.ids) for side in sides]
    both = pc.and_(places[0].is_valid(), places[1].is_valid())
    x, y = (np.asarray(place.filter(both), np.int64) for place in places)
    concerned = np.zeros(len(scope.rows), np.bool_)
    concerned[missed.a] = concerned[missed.b] = True
    near = concerned[x] | concerned[y]
    x, y = x[near], y[near]
    concerned[x] = concerned[y] = True
    words = _words(scope, np.flatnonzero(concerned), run.settings)
    a, b = words[missed.a], words[missed.b]
    return _Misses(missed, a == b, (a == b) | np.isin(packed(a, b), packed(words[x], words[y])))


def _words(scope: _Scope, documents: Int, settings: Settings) -> Int:
    """Number documents so that those of the same words have the same number; -1 for all but those asked for."""
    digests = sketch_texts(scope.texts.take(pa.array(scope.rows[documents])), settings).digests
    numbers = np.full(len(scope.rows), -1, np.int64)
    numbers[documents] = np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def _examples(scope: _Scope, misses: _Misses, seed: int) -> list[Miss]:
    """List some of the misses, each pair once."""
    matches = misses.matches
    _, first = np.unique(packed(matches.a, matches.b), return_index=True)
    chosen = np.sort(np.random.default_rng(seed).choice(first, min(LISTED, len(first)), replace=False))
    a, b, relation, score, jaccard, containment = (column[chosen].tolist() for column in matches)
    relation = np.where(misses.same[chosen], IDENTICAL, relation).tolist()
    return [
        Miss(scope.id(x), scope.id(y), RELATIONS[code], *shares)
        for x, y, code, *shares in zip(
            a, b, relation, jaccard, containment, score, misses.verified[chosen].tolist(), strict=True
        )
    ]
