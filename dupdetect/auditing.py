"""A run and its input to what the run missed.

Input    the output of a run, and the documents that it was made of
Output   `Audit`: the share of the true matches that the run found, with an interval, and examples of those it did not
Cost     one pass over the texts, cut into shingles a block at a time: some 100 MB/s a core

No label is needed: what a match is, is defined by the run's settings. A random sample of documents is compared with
all others, exactly: the sampled documents' shingles are an inverted index, through which all documents' shingles pass.
Nothing is left out for being no candidate, so what sketches and keys overlook shows.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.documents import Documents, collect
from dupdetect.errors import InputError, MismatchError, SettingsError
from dupdetect.loops import available_workers, on_threads
from dupdetect.result import Result
from dupdetect.settings import POLICIES, Settings
from dupdetect.sketches import Ragged, shingle_sets, sketch_texts
from dupdetect.truth import comparable, of_run, require
from dupdetect.verify import IDENTICAL, NONE, RELATIONS, Overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]

#: Documents compared with all others, unless told otherwise.
SAMPLE = 1_000

#: Examples of misses listed.
LISTED = 20

#: Bytes of text that pass through the index at once, in each thread.
BLOCK_BYTES = 16 << 20

#: Pairs of documents counted at once, in each thread: what they share takes some 40 bytes a pair.
BLOCK_PAIRS = 1 << 22

#: Slots of the table that tells at a glance which shingles no sampled document has: 16 MB, and with a sample of a
#: thousand articles one shingle in twenty that is none of theirs passes it.
SLOTS = 1 << 24


@dataclass(frozen=True)
class Recall:
    """A share of the true matches, estimated from a sample.

    Attributes
    ----------
    found, pairs : int
        Of the sampled documents' matches, those found, and all; a match of two sampled documents counts for both.
    estimate : float or None
        ``found / pairs``; None where the sampled documents have no match.
    low, high : float
        The interval, in [0, 1].
    """

    found: int
    pairs: int
    estimate: float | None
    low: float
    high: float


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
        Exact; containment of the smaller in the larger.
    verified : bool
        Whether the run has it among its matches all the same.
    """

    a: Any
    b: Any
    relation: str
    jaccard: float
    containment: float
    verified: bool


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
        higher than `together`, matches were parted by the rule that every member of a cluster matches its canonical.
    missed : int
        Matches of the sampled documents that were not put together.
    misses : list of Miss
        Some of them, at random.
    confidence : float
        Of the intervals, in (0, 1).
    seed : int
    only_in_input, only_in_run : int
        Documents that the other does not have; left out.
    """

    documents: int
    sampled: int
    with_matches: int
    together: Recall
    verified: Recall
    missed: int
    misses: list[Miss]
    confidence: float
    seed: int
    only_in_input: int
    only_in_run: int

    def as_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows (ids as they are)."""
        return asdict(self)

    def __repr__(self) -> str:
        shown = "no match" if self.together.estimate is None else f"recall {self.together.estimate:.4f}"
        return (
            f"Audit({self.sampled} of {self.documents} documents, {self.together.pairs} matches: {shown}, "
            f"{self.confidence:.0%} interval {self.together.low:.4f} to {self.together.high:.4f}; {self.missed} missed)"
        )


def audit(
    out: Any,
    data: Any,
    *,
    text: str = "text",
    id: str | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    confidence: float = 0.95,
    workers: int | None = None,
) -> Audit:
    """Estimate which share of the matches in its input a run found.

    Parameters
    ----------
    out : Result, str or Path
        What `dedup` returned, or the folder it wrote.
    data, text, id
        The input of that run, as `dedup` took it.
    sample : int
        Documents to compare with all others, at least 1; all of them, and there is nothing to estimate.
    seed : int
        Of the sample.
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
    survey data", 1998). See `interval`.
    """
    _check(sample, seed, confidence)
    run = _Run.of(out)
    scope = _scope(run, collect(data, text=text, id=id))
    n = len(scope.rows)
    rows = draw(n, sample, seed)
    (pairs, together, verified), misses = _judged(run, scope, rows, workers)
    return Audit(
        n,
        len(rows),
        int((pairs > 0).sum()),
        estimate(together, pairs, documents=n, confidence=confidence),
        estimate(verified, pairs, documents=n, confidence=confidence),
        len(misses.same),
        _examples(scope, misses, run.settings, seed),
        confidence,
        seed,
        scope.only_in_input,
        scope.only_in_run,
    )


class Census(NamedTuple):
    """Of the matches of each of n documents: all, those put together, and those verified or put together (int64[n])."""

    pairs: Int
    together: Int
    verified: Int


def survey(out: Any, data: Any, *, text: str = "text", id: str | None = None, workers: int | None = None) -> Census:
    """Compare all documents with all: what `audit` estimates, exactly; parameters and errors as there."""
    run = _Run.of(out)
    scope = _scope(run, collect(data, text=text, id=id))
    return _judged(run, scope, np.arange(len(scope.rows)), workers)[0]


def draw(documents: int, sample: int, seed: int) -> Int:
    """Draw documents at random, all equally likely: their numbers, ascending."""
    return np.sort(np.random.default_rng(seed).choice(documents, min(sample, documents), replace=False))


def _check(sample: int, seed: int, confidence: float) -> None:
    for name, value, least in (("sample", sample, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise SettingsError(f"{name} is {value!r}; expected a whole number from {least} on")
    if isinstance(confidence, bool) or not isinstance(confidence, float) or not 0 < confidence < 1:
        raise SettingsError(f"confidence is {confidence!r}; expected a number above 0 and below 1, such as 0.95")


# ---- the run and its input ----


class _Run(NamedTuple):
    clusters: pa.Table
    matches: pa.Table
    settings: Settings

    @classmethod
    def of(cls, out: Any) -> _Run:
        if isinstance(out, Result):
            settings = _settings(out.manifest, "the result")
        elif isinstance(out, str | os.PathLike):
            settings = _settings(_manifest(Path(out)), str(out))
        else:
            raise InputError(f"a {type(out).__name__} was given for the output; expected a Result or the folder of one")
        clusters, matches = of_run(out, "clusters"), of_run(out, "matches")
        require(clusters, ("id", "cluster"), "clusters")
        require(matches, ("a", "b"), "matches")
        return cls(clusters, matches, settings)


def _manifest(folder: Path) -> Any:
    path = folder / "manifest.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; expected the output folder of dedup") from None
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); run dedup again") from None


def _settings(manifest: Any, name: str) -> Settings:
    """Return the settings of a run; a callable that chose the canonicals is not needed, and not known, any more."""
    values = dict(manifest.get("settings") or {}) if isinstance(manifest, dict) else {}
    if not values:
        raise InputError(f"{name}: the manifest has no settings; expected the manifest.json of dedup")
    if values.get("canonical") not in POLICIES:
        values.pop("canonical", None)
    return Settings().replace(**values)


@dataclass(frozen=True, eq=False)
class _Scope:
    """The documents that both the input and the run have, numbered in input order, and the cluster of each."""

    documents: Documents
    texts: pa.Array
    rows: Int
    ids: pa.ChunkedArray
    cluster: Int
    only_in_input: int
    only_in_run: int

    def id(self, document: int) -> Any:
        return self.documents.ids[int(self.rows[document])].as_py()


def _scope(run: _Run, documents: Documents) -> _Scope:
    ids = comparable(_chunked(documents.ids), "ids of the input")
    known = comparable(run.clusters["id"], "ids of the clusters")
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
        _chunked(documents.texts).combine_chunks(),
        rows,
        ids.take(pa.array(rows)),
        np.asarray(labels.combine_chunks().dictionary_encode().indices, np.int64),
        len(ids) - len(rows),
        len(known) - len(rows),
    )


def _chunked(column: Any) -> pa.ChunkedArray:
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def _some(ids: pa.ChunkedArray) -> str:
    return ", ".join(map(repr, ids.slice(0, 3).to_pylist())) or "there are none"


# ---- the matches of the sample ----


class _Matches(NamedTuple):
    """Pairs of a sampled document a and any other b, and what they share (int64[m] each)."""

    a: Int
    b: Int
    shared: Int
    size_a: Int
    size_b: Int

    @property
    def overlaps(self) -> Overlaps:
        return Overlaps(np.empty(0, np.uint64), self.shared, self.size_a, self.size_b)

    def where(self, chosen: NDArray[np.bool_] | Int) -> _Matches:
        return _Matches(*(column[chosen] for column in self))


class _Compared(NamedTuple):
    """Of each sampled document's matches, how many there are and were put together; and those that were not."""

    pairs: Int
    together: Int
    missed: _Matches


def _compare(scope: _Scope, sample: Int, settings: Settings, workers: int) -> _Compared:
    """Compare the sampled documents with all.

    Only what is missed is kept: of a family of 100,000, a sample of a thousand has a hundred million matches.
    """
    sets = shingle_sets(scope.texts, scope.rows[sample], settings.shingle_size, workers=workers)
    index = _Index(sample, sets)

    def compare(block: Int) -> _Compared:
        met = index.meet(block, shingle_sets(scope.texts, scope.rows[block], settings.shingle_size))
        matches = met.where((met.overlaps.relations(settings) != NONE) & (met.a != met.b))
        place, together = np.searchsorted(sample, matches.a), scope.cluster[matches.a] == scope.cluster[matches.b]
        pairs, right = (np.bincount(chosen, minlength=len(sample)) for chosen in (place, place[together]))
        return _Compared(pairs, right, matches.where(~together))

    zeros = np.zeros(len(sample), np.int64)
    parts = [_Compared(zeros, zeros, _Matches(*[zeros[:0]] * 5))]
    parts += on_threads(compare, _blocks(scope, len(sample)), workers)
    pairs, together = (np.sum([part[place] for part in parts], axis=0) for place in (0, 1))
    missed = _Matches(*map(np.concatenate, zip(*(part.missed for part in parts), strict=True)))
    return _Compared(pairs, together, missed.where(np.lexsort((missed.b, missed.a))))


def _blocks(scope: _Scope, sample: int) -> list[Int]:
    """Cut the documents into blocks of some `BLOCK_BYTES`, and of no more than `BLOCK_PAIRS` with the sample."""
    lengths = np.asarray(pc.binary_length(scope.texts), np.int64)[scope.rows]
    numbers = np.cumsum(lengths / BLOCK_BYTES + sample / BLOCK_PAIRS).astype(np.int64)
    return [block for block in np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(numbers)) + 1) if len(block)]


class _Index:
    """Sampled documents by shingle.

    Shingles that the same sampled documents have (those of a menu, or those of one document alone) are counted as one
    kind, so that what a thousand documents have in common costs no more than what two have.
    """

    def __init__(self, sample: Int, sets: Ragged) -> None:
        from scipy.sparse import csr_matrix

        self._sample, self._sizes = sample, sets.lengths
        self._shingles, columns = np.unique(sets.values, return_inverse=True)
        ones = np.ones(len(columns), np.int32)
        having = csr_matrix((ones, columns, sets.offsets), (len(sample), len(self._shingles))).T.tocsr()
        # A set of documents as the sum of their random numbers: equal sums are equal sets, but for one pair in 2**64.
        numbers = np.random.default_rng(0).integers(0, 2**64, len(sample), np.uint64)
        sums = np.zeros(len(self._shingles), np.uint64)
        np.add.at(sums, columns, np.repeat(numbers, self._sizes))
        _, first, self._kinds = np.unique(sums, return_index=True, return_inverse=True)
        self._having = having[first]
        self._glance = np.zeros(SLOTS, np.bool_)
        self._glance[self._slots(self._shingles)] = True

    @staticmethod
    def _slots(shingles: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return shingles & np.uint64(SLOTS - 1)

    def meet(self, documents: Int, sets: Ragged) -> _Matches:
        """Count what documents share with each sampled one: all pairs that share anything."""
        from scipy.sparse import csr_matrix

        perhaps = np.flatnonzero(self._glance[self._slots(sets.values)])
        values = sets.values[perhaps]
        place = np.searchsorted(self._shingles, values)
        place[place == len(self._shingles)] = 0
        known = self._shingles[place] == values
        kinds, bounds = self._kinds[place[known]], np.searchsorted(perhaps[known], sets.offsets)
        ones = np.ones(len(kinds), np.int32)
        mine = csr_matrix((ones, kinds, bounds), (len(documents), self._having.shape[0]))
        mine.sum_duplicates()
        shared = (mine @ self._having).tocoo()
        a, b = shared.col.astype(np.int64), shared.row.astype(np.int64)
        return _Matches(self._sample[a], documents[b], shared.data.astype(np.int64), self._sizes[a], sets.lengths[b])


# ---- what the run made of them ----


class _Misses(NamedTuple):
    """Matches not put together; which have the same words, and are among the run's matches all the same (bool[m])."""

    matches: _Matches
    same: NDArray[np.bool_]
    verified: NDArray[np.bool_]


def _judged(run: _Run, scope: _Scope, sample: Int, workers: int | None) -> tuple[Census, _Misses]:
    """Count the matches of the sampled documents, and what the run made of them."""
    pairs, together, missed = _compare(scope, sample, run.settings, workers or available_workers())
    misses = _verified(run, scope, missed)
    verified = np.bincount(np.searchsorted(sample, missed.a[misses.verified]), minlength=len(sample))
    return Census(pairs, together, together + verified), misses


def _verified(run: _Run, scope: _Scope, missed: _Matches) -> _Misses:
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
    return _Misses(missed, a == b, (a == b) | np.isin(_pack(a, b), _pack(words[x], words[y])))


def _words(scope: _Scope, documents: Int, settings: Settings) -> Int:
    """Number documents so that those of the same words have the same number; -1 for all but those asked for."""
    digests = sketch_texts(scope.texts.take(pa.array(scope.rows[documents])), settings).digests
    numbers = np.full(len(scope.rows), -1, np.int64)
    numbers[documents] = np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)
    return numbers


def _pack(a: Int, b: Int) -> Int:
    return np.minimum(a, b) << 32 | np.maximum(a, b)


def _examples(scope: _Scope, misses: _Misses, settings: Settings, seed: int) -> list[Miss]:
    """List some of the misses, each pair once."""
    matches = misses.matches
    _, first = np.unique(_pack(matches.a, matches.b), return_index=True)
    chosen = np.sort(np.random.default_rng(seed).choice(first, min(LISTED, len(first)), replace=False))
    overlaps = matches.where(chosen).overlaps
    relations = np.where(misses.same[chosen], IDENTICAL, overlaps.relations(settings))
    return [
        Miss(
            scope.id(matches.a[pair]),
            scope.id(matches.b[pair]),
            RELATIONS[relations[place]],
            float(overlaps.jaccard[place]),
            float(overlaps.containment[place]),
            bool(misses.verified[pair]),
        )
        for place, pair in enumerate(chosen)
    ]


# ---- from the sample to all ----


def estimate(found: Int | Share, pairs: Int | Share, *, documents: int, confidence: float) -> Recall:
    """Estimate a share of the matches of all documents.

    Parameters
    ----------
    found, pairs : int64[n]
        Of each sampled document's matches, those found, and all.
    documents : int
        Those that the sample was drawn from.
    confidence : float
        In (0, 1).
    """
    total, right = int(pairs.sum()), int(found.sum())
    share = right / total if total else None
    return Recall(right, total, share, *interval(found, pairs, documents=documents, confidence=confidence))


def interval(found: Int | Share, pairs: Int | Share, *, documents: int, confidence: float) -> tuple[float, float]:
    """Return an interval for a share of the matches of all documents; parameters as for `estimate`.

    The variance of the ratio (of sums over documents drawn without replacement) gives the number of independent pairs
    that would vary as much: no more than if each document's matches were found all or none. An exact binomial interval
    on so many follows, once they are lessened for what the variance itself is uncertain by: it rests on few documents
    where a few have most of the matches that are missed (degrees of freedom as F. E. Satterthwaite, 1946). With all
    documents in the sample nothing is left to estimate; with no match in it, nothing is known.

    >>> low, high = interval(np.ones(50), np.ones(50), documents=10_000, confidence=0.95)
    >>> f"{low:.2f} {high:.2f}"
    '0.93 1.00'
    """
    total = float(pairs.sum())
    if not total:
        return 0.0, 1.0
    share = float(found.sum()) / total
    if len(pairs) >= documents:
        return share, share
    worth, degrees = _worth(np.asarray(found, float), np.asarray(pairs, float), documents)
    return _binomial(share, worth, degrees, (1 - confidence) / 2)


def _worth(found: Share, pairs: Share, documents: int) -> tuple[float, float]:
    """Return how many independent pairs would vary as much as these, and the degrees of freedom of that number."""
    n, total = len(pairs), pairs.sum()
    left = 1 - n / documents
    worth, degrees = total**2 / (pairs**2).sum() / left, float((pairs > 0).sum() - 1)
    share = found.sum() / total
    squares = (found - share * pairs) ** 2
    variance = left * n / max(n - 1, 1) * squares.sum() / total**2
    if variance and share * (1 - share) / variance < worth:
        worth, degrees = share * (1 - share) / variance, min(degrees, 2 * squares.sum() ** 2 / (squares**2).sum())
    return float(worth), float(max(degrees, 1))


def _binomial(share: float, pairs: float, degrees: float, tail: float) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share of pairs, their number having so many degrees of freedom."""
    from scipy.stats import beta, norm, t

    pairs *= float((norm.ppf(tail) / t.ppf(tail, degrees)) ** 2)
    found, missed = share * pairs, (1 - share) * pairs
    low = float(beta.ppf(tail, found, missed + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, missed)) if missed else 1.0
    return low, high
