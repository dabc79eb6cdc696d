"""Fit settings to labelled pairs, and say how far to trust them.

Input    documents, and pairs of them that are known to be copies or not
Output   `Tuning`: settings, held-out estimates, intervals, the precision/recall curve
Cost     the shingles of the documents named, once for each shingle size, and with boilerplate detection a run up to its
         matches; then some milliseconds a fit, of which there are ``folds * repeats + resamples`` for each size; two
         runs of `dedup` at the end

Similarities are exact, and weighted as a run with the settings given weights them. They do not change with thresholds,
so nothing is run again for a threshold. What a fit promises on the pairs it has seen is too good; the estimates are of
pairs of documents that the fit did not see (grouped folds), their intervals come from resamples (percentile bootstrap).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage.context import Context, check_workers
from dupdetect.clustering.clusters import collapse
from dupdetect.errors import DupdetectError, SettingsError
from dupdetect.evaluation import labels
from dupdetect.evaluation.thresholds import TIE, Best, Goal, Grid, Measured, Rule, Scores, bands_for, found_by, scores
from dupdetect.io.documents import collect
from dupdetect.matching import candidates
from dupdetect.matching.candidates import needed_fingerprints
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import FLOOR, Overlaps
from dupdetect.matching.pairs import pack, packed, unpack
from dupdetect.matching.verify import Verifier, verify_candidates
from dupdetect.pipeline.dedup import dedup
from dupdetect.settings import Settings
from dupdetect.sketches.cleaning import cleaned
from dupdetect.sketches.sketches import sketch_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.evaluation.labels import Labelled
    from dupdetect.io.documents import Documents
    from dupdetect.matching.pairs import Pairs
    from dupdetect.sketches.sketches import Ragged

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]

#: Shingle sizes tried.
SIZES = (1, 2, 3, 4, 5, 6, 8, 10)

#: Labelled pairs of either kind, and groups of documents, from which on intervals deserve their name.
FEW_PAIRS, FEW_GROUPS = 30, 10

#: Difference between what the thresholds take and what a run finds that is worth a word.
WORTH_A_WORD = 0.02


class Interval(NamedTuple):
    """A value, and the interval that covers it with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class Tuning:
    """What labelled pairs say about settings.

    Attributes
    ----------
    settings : Settings
        The recommended ones: fitted on all pairs.
    precision, recall, f1 : Interval
        Held out: of pairs of documents that the fit, with its choice of shingle size, did not see. In [0, 1]; nan where
        there were too few documents to hold any out.
    threshold, containment : Interval
        The recommended values, and how far they move when other pairs are drawn.
    fitted : Scores
        What the settings make of all the labelled pairs: too good, for they were fitted to them.
    run : Scores or None
        What `dedup` makes of all the labelled pairs with these settings, its search for candidates and its clusters
        included.
    given : Scores or None
        The same with the settings that were given, for comparison.
    found : float or None
        Share of the near duplicates among the copies that the bands are expected to find; None if there are none.
    sizes : pyarrow.Table
        The best rule of each shingle size: ``shingle_size``, ``threshold``, ``containment``, ``min_shingles``;
        ``precision``, ``recall``, ``f1`` on all pairs; ``held_out_f1``; ``chosen``, its share of the resamples.
    curve : pyarrow.Table
        ``threshold``, ``containment``, ``precision``, ``recall``, ``f1``: at the recommended shingle size and
        `min_shingles`, the values that no others beat in both precision and recall, on all pairs.
    counts : dict
        copies, others (pairs), documents, groups (of documents that are held out together).
    warnings : list of str
        What was left out, and what not to rely on.
    """

    settings: Settings
    precision: Interval
    recall: Interval
    f1: Interval
    threshold: Interval
    containment: Interval
    fitted: Scores
    run: Scores | None
    given: Scores | None
    found: float | None
    sizes: pa.Table
    curve: pa.Table
    counts: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"Tuning(shingle_size={s.shingle_size}, threshold={s.threshold}, containment={s.containment}, "
            f"min_shingles={s.min_shingles}, bands={s.bands}; held-out F1 {self.f1.value:.3f})"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready values; nan as None."""
        return {
            "settings": self.settings.as_dict(),
            "held_out": {name: _plain(getattr(self, name)) for name in Scores._fields},
            "intervals": {name: _plain(getattr(self, name)) for name in ("threshold", "containment")},
            **{name: _plain(getattr(self, name)) for name in ("fitted", "run", "given", "found", "sizes", "curve")},
            "counts": self.counts,
            "warnings": self.warnings,
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the settings to a TOML file for `Settings.load` and ``--settings``; errors as `Settings.save`."""
        shown = "{0.value:.3f} (95 % interval {0.low:.3f} to {0.high:.3f})".format
        lines = [
            f"Fitted by `dupdetect tune` to {self.counts['copies']} copies and {self.counts['others']} other pairs.",
            *(f"Held-out {name}: {shown(getattr(self, name))}" for name in Scores._fields),
        ]
        self.settings.save(path, comment="\n".join(lines))


def tune(
    data: Any,
    pairs: Any,
    *,
    text: str = "text",
    id: str | None = None,
    column: str = "cluster",
    positive: str | Sequence[str] = (),
    shingle_sizes: Sequence[int] = SIZES,
    beta: float = 1.0,
    precision: float | None = None,
    found: float = 0.99,
    sample: int = 50_000,
    folds: int = 5,
    repeats: int = 10,
    resamples: int = 200,
    run: bool = True,
    settings: Settings | None = None,
    workers: int | None = None,
    strict: bool = False,
    **overrides: Any,
) -> Tuning:
    """Fit shingle size, thresholds, bands and window to labelled pairs.

    Parameters
    ----------
    data : iterable of str, mapping, Arrow stream, str, Path or list of Path
        Documents, as for `dedup`.
    pairs : path, Arrow stream, mapping or iterable of (a, b, label)
        Labelled pairs: columns ``a``, ``b`` (ids) and ``label`` (1 or 0, true or false, yes or no). Or clusters:
        columns ``id`` and `column`, or a mapping from one to the other; then pairs within clusters are copies, and
        candidates of a liberal search that lie in different clusters are not.
    text, id, strict, workers, settings, **overrides
        As for `dedup`. What is not fitted stays as `settings` has it.
    column : str
        Where `pairs` are clusters, the column that holds them.
    positive : str or sequence of str
        Labels that mean a copy, all others meaning none.
    shingle_sizes : sequence of int
        Those to try.
    beta : float
        Weight of recall against precision in the F-measure that is maximised, above 0.
    precision : float, optional
        Maximise recall at this precision instead, in (0, 1].
    found : float
        Share of the near duplicates among the copies that the bands must be expected to find, and of those only
        contained that fingerprints must find, in (0, 1]. Of windows that find them the largest is taken, up to that of
        `settings`.
    sample : int
        Most pairs of either kind to look at, where `pairs` are clusters.
    folds, repeats : int
        Parts of which each is held out once, at least 2, and how often documents are parted anew.
    resamples : int
        Of the groups of documents, for the intervals.
    run : bool
        Whether to run `dedup` with the settings found, and with those given, and see what it makes of the pairs.

    Returns
    -------
    Tuning

    Raises
    ------
    DupdetectError
        scikit-learn is not installed.
    InputError
        Documents or pairs cannot be read, have no id in common, or the pairs are of one kind only.
    SettingsError
        A setting or an option is out of its range.

    Notes
    -----
    Held out are groups of documents: those that labelled pairs link, or, where that is nearly all of them, those that
    copies link, or single documents. A pair whose documents fall into different parts is seen by neither. Intervals
    come from resamples of the groups (percentile bootstrap).

    Labels say what they were given for: pairs that were picked because they look alike have another share of copies
    than a corpus, and precision on the corpus differs from the precision here. The pairs of clusters have no such bias.

    Examples
    --------
    >>> texts = {f"{i}": f"page {i} of chapter {i * i}" for i in range(40)}
    >>> texts |= {f"{i} again": text + " again" for i, text in texts.items()}
    >>> copies = [(f"{i}", f"{i} again", 1) for i in range(40)]
    >>> others = [(f"{i}", f"{i + 1}", 0) for i in range(39)]
    >>> tuning = tune(texts, copies + others, shingle_sizes=[1, 2], resamples=20, repeats=1)
    >>> tuning.f1.value
    1.0
    """
    base = (settings or Settings()).replace(**overrides)
    options = _Options(Goal(beta, precision), found, sample, folds, repeats, resamples, tuple(shingle_sizes))
    threads = check_workers(workers)
    _check(options)
    documents = cleaned(collect(data, text=text, id=id, strict=strict), workers=threads)
    labelled = labels.read(
        pairs, documents, base, column=column,
        positive=[positive] if isinstance(positive, str) else list(positive),
        sizes=options.sizes, sample=sample, workers=threads,
    )  # fmt: skip
    tuning = _Fit(documents.texts.combine_chunks(), labelled, base, options, threads).tuning()
    return _with_run(tuning, base, documents, labelled, threads) if run else tuning


def _check(options: _Options) -> None:
    if find_spec("sklearn") is None:
        raise DupdetectError(
            "tune needs scikit-learn, which is not installed: python -m pip install 'dupdetect[evaluate]'"
        )

    def whole(value: Any, least: int) -> bool:
        return isinstance(value, int) and value >= least

    goal, share = options.goal, "a number above 0 and up to 1"
    for name, value, expected, holds in (
        ("beta", goal.beta, "a number above 0", goal.beta > 0),
        ("precision", goal.precision, share, goal.precision is None or 0 < goal.precision <= 1),
        ("found", options.found, share, 0 < options.found <= 1),
        ("sample", options.sample, "a whole number from 1 on", whole(options.sample, 1)),
        ("folds", options.folds, "a whole number from 2 on", whole(options.folds, 2)),
        ("repeats", options.repeats, "a whole number from 1 on", whole(options.repeats, 1)),
        ("resamples", options.resamples, "a whole number from 1 on", whole(options.resamples, 1)),
        ("shingle_sizes", options.sizes, "one whole number or more", len(options.sizes) > 0),
    ):
        if not holds:
            raise SettingsError(f"{name} is {value!r}; expected {expected}")
    for size in options.sizes:
        Settings(shingle_size=size)


class _Options(NamedTuple):
    goal: Goal
    found: float
    sample: int
    folds: int
    repeats: int
    resamples: int
    sizes: tuple[int, ...]


class _Choice(NamedTuple):
    """The best shingle size, by its place, and the best rule of every size."""

    place: int
    best: list[Best]

    @property
    def rule(self) -> Rule:
        return self.best[self.place].rule


class _Fit:
    """Labelled pairs, measured at every shingle size. Documents are numbered among those that pairs name."""

    def __init__(self, texts: pa.Array, labelled: Labelled, base: Settings, options: _Options, workers: int) -> None:
        self.base, self.options, self.workers, self.warnings = base, options, workers, list(labelled.notes)
        self.copy, self.weight = labelled.copy, labelled.weight
        sized = (base.replace(shingle_size=size) for size in options.sizes)
        self.measured = [_measure(texts, labelled, settings, workers) for settings in sized]
        self.grids = [Grid(measured, base.min_shingles) for measured in self.measured]
        named, rows = np.unique(np.concatenate(unpack(labelled.pairs)), return_inverse=True)
        self.texts, (self.a, self.b) = texts.take(pa.array(named)), rows.reshape(2, -1)
        self.random = np.random.default_rng(base.seed)
        self.group = self._groups()
        self.number = int(self.group.max()) + 1
        self.group_a, self.group_b = self.group[self.a], self.group[self.b]

    def choose(self, weight: Share) -> _Choice:
        """Fit to the pairs as weighted; of equally good shingle sizes, the wider margin, then the usual one."""
        best: list[Best] = on_threads(lambda grid: grid.best(weight, self.options.goal), self.grids, self.workers)
        top = max(one.score for one in best)

        def rank(place: int) -> tuple[int, float, int]:
            return best[place].margin, -abs(np.log(self.options.sizes[place] / self.base.shingle_size)), -place

        return _Choice(max((i for i, one in enumerate(best) if one.score >= top - TIE), key=rank), best)

    def tuning(self) -> Tuning:
        chosen = self.choose(self.weight)
        rule, measured, size = chosen.rule, self.measured[chosen.place], self.options.sizes[chosen.place]
        taken, seen = self._held_out()
        weight = self._held_out_weight(seen)
        held_out, *by_size = (self._score(each, weight) for each in taken)
        draws = self._draws(taken[0], weight)
        bands, found = self._bands(measured, rule)
        window = self._window(measured, rule, size)
        self._warn(measured.scores(rule, self.weight).precision, seen)
        front = self.grids[chosen.place].front(self.weight, rule.min_shingles)
        values = (*held_out, rule.threshold, rule.containment)
        names = (*Scores._fields, "threshold", "containment")
        intervals = {name: _interval(value, drawn) for name, value, drawn in zip(names, values, draws[:5], strict=True)}
        rows = zip(self.options.sizes, chosen.best, self.measured, by_size, strict=True)
        return Tuning(
            settings=self.base.replace(shingle_size=size, bands=bands, window=window, **rule._asdict()),
            **intervals,
            fitted=measured.scores(rule, self.weight),
            run=None,
            given=None,
            found=found,
            sizes=pa.Table.from_pylist(
                [
                    {
                        "shingle_size": tried,
                        **best.rule._asdict(),
                        **each.scores(best.rule, self.weight)._asdict(),
                        "held_out_f1": scored.f1,
                        "chosen": float(np.mean(draws[5] == place)) if draws.size else float("nan"),
                    }
                    for place, (tried, best, each, scored) in enumerate(rows)
                ]
            ),
            curve=pa.Table.from_pylist([{**point._asdict(), **scored._asdict()} for point, scored in front]).select(
                ["threshold", "containment", *Scores._fields]
            ),
            counts={
                "copies": int(self.copy.sum()),
                "others": int((~self.copy).sum()),
                "documents": len(self.texts),
                "groups": self.number,
            },
            warnings=self.warnings,
        )

    # ---- holding out ----

    def _groups(self) -> Int:
        """Return the group of each document, held out together: the largest that leave something to hold out.

        They are what pairs link; or what copies link, where that is nearly all; or single documents. Copies must be in
        enough groups, none of them with more than half of the copies.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.texts)
        for parts in (self.options.folds, 2):
            for pairs in (np.ones_like(self.copy), self.copy):
                links = coo_array((np.ones(int(pairs.sum())), (self.a[pairs], self.b[pairs])), shape=(n, n))
                group: Int = connected_components(links, directed=False)[1].astype(np.int64)
                copies = np.bincount(group[self.a[self.copy]])
                if np.count_nonzero(copies) >= parts and 2 * copies.max() <= copies.sum():
                    return group
        return np.arange(n, dtype=np.int64)

    def _held_out(self) -> tuple[Share, Share]:
        """Fit without each part in turn, and judge its pairs.

        Returns
        -------
        taken : float64[1 + sizes, n]
            How often each pair was taken for a copy when it was held out, as a share of `seen`: by the shingle size
            that the fit chose, and by each as if it were the only one.
        seen : float64[n]
            How often each was held out.
        """
        from sklearn.model_selection import GroupKFold

        taken, seen = np.zeros((1 + len(self.measured), len(self.copy))), np.zeros(len(self.copy))
        copied = np.concatenate([self.a[self.copy], self.b[self.copy]])
        folds = max(2, min(self.options.folds, len(np.unique(self.group[copied]))))  # no part without copies
        documents = np.concatenate([copied, np.arange(len(self.texts))])  # copies count twice: parts have as many
        # Pairs across groups come into a training part less often than pairs within; weighted so, both count in full.
        weight = self.weight * np.where(self.group_a != self.group_b, folds / (folds - 1), 1.0)
        for _ in range(self.options.repeats if self.number > folds else 1):
            group = self.random.permutation(self.number)[self.group]
            for _, rows in GroupKFold(folds).split(documents, groups=group[documents]):
                held = np.isin(np.arange(len(self.texts)), documents[rows])
                test, train = held[self.a] & held[self.b], ~(held[self.a] | held[self.b])
                if not (test.any() and self.copy[train].any() and (~self.copy[train]).any()):
                    continue
                choice = self.choose(np.where(train, weight, 0.0))
                said = [one.taken(best.rule) for one, best in zip(self.measured, choice.best, strict=True)]
                taken[:, test] += np.array([said[choice.place], *said])[:, test]
                seen[test] += 1
        return taken / np.maximum(seen, 1), seen

    def _held_out_weight(self, seen: Share) -> Share:
        """Weight the pairs that were held out at all, those across groups so that they stand for the rest of them."""
        weight = np.where(seen > 0, self.weight, 0.0)
        for copy in (False, True):
            stratum = (self.group_a != self.group_b) & (self.copy == copy)
            weight[stratum] *= self.weight[stratum].sum() / max(weight[stratum].sum(), TIE)
        return weight

    def _score(self, taken: Share, weight: Share) -> Scores:
        return scores((weight * taken)[self.copy].sum(), (weight * taken).sum(), weight[self.copy].sum())

    def _draws(self, taken: Share, weight: Share) -> Share:
        """Draw groups with replacement (bootstrap), and fit and score what is drawn.

        Returns
        -------
        float64[6, resamples]
            Held-out precision, recall and F1; threshold, containment and the place of the shingle size. Resamples
            without copies, or without others, are left out.
        """
        rows = []
        for groups in self.random.integers(0, self.number, (self.options.resamples, self.number)):
            times = np.bincount(groups, minlength=self.number)
            drawn = np.where(
                self.group_a == self.group_b, times[self.group_a], times[self.group_a] * times[self.group_b]
            )
            if drawn[self.copy].any() and drawn[~self.copy].any():
                choice = self.choose(self.weight * drawn)
                rule, held_out = choice.rule, self._score(taken, weight * drawn)
                rows.append((*held_out, rule.threshold, rule.containment, choice.place))
        return np.array(rows, np.float64).reshape(-1, 6).T

    # ---- what follows from a rule ----

    def _bands(self, measured: Measured, rule: Rule) -> tuple[tuple[int, int] | None, float | None]:
        near = self.copy & (measured.jaccard >= rule.threshold)
        if not near.any():
            self.warnings.append("no copy reaches the fitted threshold: bands are chosen for it, not fitted")
            return self.base.bands, None
        similarity, weight = measured.jaccard[near], self.weight[near]
        bands = bands_for(similarity, weight, rule.threshold, self.base.num_perm, self.options.found)
        found = found_by(bands, similarity, weight)
        if found < self.options.found - TIE:
            self.warnings.append(
                f"no bands of {self.base.num_perm} rows find {self.options.found:g} of the near duplicates, the best "
                f"find {found:.3f}; a larger num_perm does"
            )
        return bands, found

    def _window(self, measured: Measured, rule: Rule, size: int) -> int:
        """Return the largest window up to the given one whose fingerprints find the copies that are only contained."""
        inside = self.copy & (measured.jaccard < rule.threshold) & measured.taken(rule)
        if not inside.any():
            return self.base.window
        window, found, tried = self.base.window, 0.0, self.base.window
        while tried >= 1 and found < self.options.found - TIE:
            settings = self.base.replace(shingle_size=size, window=tried)
            fingerprints = sketch_texts(self.texts, settings, workers=self.workers).fingerprints
            alike = _alike(fingerprints, self.a[inside], self.b[inside], settings.min_shared_fingerprints)
            if (share := float(np.average(alike, weights=self.weight[inside]))) > found:
                window, found = tried, share
            tried //= 2
        if found < self.options.found - TIE:
            self.warnings.append(
                f"of the copies that are only contained, fingerprints find {found:.1%}; a lower "
                "`min_shared_fingerprints` finds more"
            )
        return window

    def _warn(self, precision: float, seen: Share) -> None:
        if not seen[self.copy].any():
            self.warnings.append(
                "nothing could be held out, for the labelled pairs hang together by a few documents: what is found on "
                "them is no estimate; label pairs of other documents"
            )
        for name, number in (("copies", self.copy.sum()), ("pairs that are none", (~self.copy).sum())):
            if number < FEW_PAIRS:
                self.warnings.append(f"only {number} {name} are labelled; below {FEW_PAIRS}, intervals are rough")
        if self.number < FEW_GROUPS:
            self.warnings.append(
                f"labelled pairs link the documents to {self.number} groups; below {FEW_GROUPS}, intervals are rough"
            )
        wanted = self.options.goal.precision
        if wanted is not None and precision < wanted - TIE:
            self.warnings.append(f"no thresholds reach a precision of {wanted:g} on these pairs; best: {precision:.3f}")


def _measure(texts: pa.Array, labelled: Labelled, settings: Settings, workers: int) -> Measured:
    """Measure the labelled pairs; where shingles are weighed, the whole corpus votes first, as in a run."""
    if settings.weighs:
        overlaps = _weighed(texts, labelled.pairs, settings, workers)
    else:
        overlaps = PairCounter(texts, np.arange(len(texts)), Context(settings, workers)).overlaps(labelled.pairs)
    return Measured(
        overlaps.weighted_jaccard,
        overlaps.weighted_containment,
        overlaps.smaller,
        overlaps.content,
        overlaps.weights.interleaved,
        labelled.copy,
    )


def _weighed(texts: pa.Array, pairs: Pairs, settings: Settings, workers: int) -> Overlaps:
    """Weight pairs by what the corpus says is boilerplate; documents without words share nothing."""
    sketches = sketch_texts(texts, settings, workers=workers, keep=True)
    text_of, rows = collapse(sketches.words, sketches.digests)
    distinct = sketches.take(rows)
    counter = PairCounter(texts, rows, Context(settings, workers), kept=sketches.kept)
    verified = verify_candidates(candidates.find(distinct, workers=workers), counter)
    verifier = Verifier(counter, verified.boilerplate)
    a, b = (text_of[side] for side in unpack(pairs))
    real = (a >= 0) & (b >= 0)
    compared, place = np.unique(packed(np.minimum(a, b)[real], np.maximum(a, b)[real]), return_inverse=True)
    counted = counter.overlaps(compared)
    enough = counted.shared >= np.floor(FLOOR * counted.smaller)  # others are no matches, and are not weighed in a run
    measured = (verifier.weigh(counted.where(enough)) | counted.where(~enough)).where(place)
    shared, size_a, size_b = np.zeros((3, len(pairs)), np.int64)
    shared[real], size_a[real], size_b[real] = measured.shared, measured.size_a, measured.size_b
    weights = Overlaps(pairs, shared, size_a, size_b).weights
    for column, values in zip(weights, measured.weights, strict=True):
        column[real] = values
    return Overlaps(pairs, shared, size_a, size_b, weights)


def _alike(fingerprints: Ragged, a: Int, b: Int, share: float) -> NDArray[np.bool_]:
    """Return which pairs of rows have enough fingerprints in common to be candidates, as the search judges it."""
    common = np.array(
        [len(np.intersect1d(fingerprints.row(x), fingerprints.row(y))) for x, y in zip(a, b, strict=True)]
    )
    fewer = np.minimum(fingerprints.lengths[a], fingerprints.lengths[b])
    return np.asarray(common >= needed_fingerprints(fewer, share))


def _interval(value: float, draws: Share) -> Interval:
    known = draws[~np.isnan(draws)]
    if np.isnan(value) or not known.size:
        return Interval(float(value), float("nan"), float("nan"))
    return Interval(float(value), *np.quantile(known, [0.025, 0.975]).tolist())


def _with_run(tuning: Tuning, base: Settings, documents: Documents, labelled: Labelled, workers: int) -> Tuning:
    """Run `dedup` and see which labelled pairs it puts into one cluster."""
    run, parted = _run(tuning.settings, documents, labelled, workers)
    given, _ = _run(base, documents, labelled, workers)
    warnings = list(tuning.warnings)
    if run.f1 < tuning.fitted.f1 - WORTH_A_WORD:
        warnings.append(
            f"a run of dedup reaches F1 {run.f1:.3f} on the labelled pairs, the thresholds {tuning.fitted.f1:.3f}: "
            f"clusters part {parted:.1%} of the copies although they match, for every member must match its canonical; "
            "what else is missing was no candidate: a lower `min_shared_fingerprints` or `window` finds more"
        )
    if run.f1 < given.f1:
        warnings.append(
            f"a run of dedup with the settings given reaches F1 {given.f1:.3f}, with those fitted {run.f1:.3f}: "
            "thresholds are fitted to pairs, and clusters do more; consider keeping what was given"
        )
    return replace(tuning, run=run, given=given, warnings=warnings)


def _run(settings: Settings, documents: Documents, labelled: Labelled, workers: int) -> tuple[Scores, float]:
    """Score the clusters of a run on the labelled pairs; also say which share of the copies match but are parted."""
    table = pa.table({"id": pa.array(np.arange(len(documents))), "text": documents.texts})
    plain = settings.replace(canonical="cleanest", canonical_column=None)
    result = dedup(table, settings=plain, workers=workers)
    cluster = result.clusters["cluster"].to_numpy()
    a, b = unpack(labelled.pairs)
    together, copy, weight = cluster[a] == cluster[b], labelled.copy, labelled.weight
    scored = scores(weight[together & copy].sum(), weight[together].sum(), weight[copy].sum())
    found = pack(*(result.matches[name].to_numpy() for name in ("a", "b")))
    parted = weight[copy & ~together & np.isin(labelled.pairs, found)].sum() / weight[copy].sum()
    return scored, float(parted)


def _plain(value: Any) -> Any:
    """Return tables and named tuples as lists and mappings, nan as None."""
    if isinstance(value, pa.Table):
        return [{name: _plain(cell) for name, cell in row.items()} for row in value.to_pylist()]
    if isinstance(value, tuple):
        return {name: _plain(cell) for name, cell in value._asdict().items()}  # type: ignore[attr-defined]
    return None if isinstance(value, float) and np.isnan(value) else value
