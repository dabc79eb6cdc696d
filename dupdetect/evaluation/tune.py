"""Labelled pairs to settings, and how far to trust them.

Input    documents, and pairs of them that are known to be copies or not
Output   `Tuning`: settings, held-out estimates, intervals, the precision/recall curve
Cost     the shingles of the documents named, once for each shingle size, and where shingles are weighed, a run up to
         its matches; then some milliseconds a fit, of which there are ``folds * repeats + resamples`` for each size;
         two runs of `dedup` at the end

Similarities are exact, and weighed as a run with the settings given weighs them: what the corpus says is boilerplate is
learned once for each shingle size. They do not change with thresholds, so nothing is run again for a setting. What a
fit promises on the pairs it has seen is too good; the estimates are of pairs of documents that the fit did not see.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage.context import check_workers
from dupdetect.errors import SettingsError
from dupdetect.evaluation import labels
from dupdetect.evaluation.thresholds import (
    TIE,
    Best,
    Goal,
    Grid,
    Measured,
    Rule,
    Scores,
    bands_for,
    components,
    found_by,
    scores,
)
from dupdetect.io.documents import collect
from dupdetect.matching import candidates
from dupdetect.matching.boilerplate import FLOOR, Judge
from dupdetect.matching.verify import Overlaps, Verifier
from dupdetect.pipeline.dedup import collapse, dedup, verify
from dupdetect.settings import Settings
from dupdetect.sketches.cleaning import cleaned
from dupdetect.sketches.sketches import sketch_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.evaluation.labels import Labelled
    from dupdetect.io.documents import Documents
    from dupdetect.matching.candidates import Pairs
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
        The best rule of each shingle size: ``shingle_size``, ``threshold``, ``containment``, ``least``, ``precision``,
        ``recall``, ``f1`` (on all pairs), ``held_out_f1``, ``chosen`` (share of the resamples that chose it).
    curve : pyarrow.Table
        ``threshold``, ``containment``, ``precision``, ``recall``, ``f1``: at the recommended shingle size and least,
        the values that no others beat in both precision and recall, on all pairs.
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
        values = {
            "settings": self.settings.as_dict(),
            "held_out": {name: getattr(self, name)._asdict() for name in Scores._fields},
            "intervals": {name: getattr(self, name)._asdict() for name in ("threshold", "containment")},
            "fitted": self.fitted._asdict(),
            "run": self.run._asdict() if self.run else None,
            "given": self.given._asdict() if self.given else None,
            "found": self.found,
            "sizes": self.sizes.to_pylist(),
            "curve": self.curve.to_pylist(),
            "counts": self.counts,
            "warnings": self.warnings,
        }
        cleaned: dict[str, Any] = _without_nan(values)
        return cleaned

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the settings to a TOML file for `Settings.load` and ``--settings``; errors as `Settings.save`."""
        shown = "{0.value:.3f} (95 % interval {0.low:.3f} to {0.high:.3f})".format
        lines = [
            f"Fitted by `dupdetect tune` to {self.counts['copies']} copies and {self.counts['others']} other pairs.",
            *(f"Held-out {name}: {shown(getattr(self, name))}" for name in Scores._fields),
        ]
        self.settings.save(path, comment="\n".join(lines))

    def picture(self, path: str | os.PathLike[str]) -> None:
        """Draw the precision/recall curve into a file whose suffix (.png, .svg, .pdf) says how.

        Raises
        ------
        OutputError
            matplotlib is not installed, or the file cannot be written.
        """
        from dupdetect.evaluation.curve import draw

        held_out = (self.recall, self.precision)
        draw(self.curve, (self.fitted.recall, self.fitted.precision), held_out, path)


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
    options.check()
    threads = check_workers(workers)
    _require("workers", threads, "a whole number from 1 on", isinstance(threads, int) and threads >= 1)
    documents = cleaned(collect(data, text=text, id=id, strict=strict), workers=threads)
    labelled = labels.read(
        pairs, documents, base, column=column,
        positive=[positive] if isinstance(positive, str) else list(positive),
        sizes=options.sizes, sample=sample, workers=threads,
    )  # fmt: skip
    fit = _Fit(documents, labelled, base, options, threads)
    tuning = fit.tuning()
    if run:
        return _with_run(tuning, base, documents, labelled, threads)
    return tuning


@dataclass(frozen=True)
class _Options:
    goal: Goal
    found: float
    sample: int
    folds: int
    repeats: int
    resamples: int
    sizes: tuple[int, ...]

    def check(self) -> None:
        _require("beta", self.goal.beta, "a number above 0", self.goal.beta > 0)
        for name, value in (("precision", self.goal.precision), ("found", self.found)):
            _require(name, value, "a number above 0 and up to 1", value is None or 0 < value <= 1)
        for name, value, least in (
            ("sample", self.sample, 1),
            ("folds", self.folds, 2),
            ("repeats", self.repeats, 1),
            ("resamples", self.resamples, 1),
        ):
            _require(name, value, f"a whole number from {least} on", isinstance(value, int) and value >= least)
        _require("shingle_sizes", self.sizes, "one whole number or more", len(self.sizes) > 0)
        for size in self.sizes:
            Settings(shingle_size=size)


def _require(name: str, value: Any, expected: str, holds: bool) -> None:
    if not holds:
        raise SettingsError(f"{name} is {value!r}; expected {expected}")


class _Choice(NamedTuple):
    """The best shingle size, by its place, and the best rule of every size."""

    place: int
    best: list[Best]

    @property
    def rule(self) -> Rule:
        return self.best[self.place].rule


class _Fit:
    """Labelled pairs, measured at every shingle size."""

    def __init__(
        self, documents: Documents, labelled: Labelled, base: Settings, options: _Options, workers: int
    ) -> None:
        self.base, self.options, self.labelled, self.workers = base, options, labelled, workers
        self.warnings = list(labelled.notes)
        self.texts = documents.texts.combine_chunks()
        bases = (base.replace(shingle_size=size) for size in options.sizes)
        self.measured = [_measure(self.texts, labelled, settings, workers) for settings in bases]
        self.grids = [Grid(measured, base.min_shingles) for measured in self.measured]
        self.a, self.b = candidates.unpack(labelled.pairs)
        self.random = np.random.default_rng(base.seed)
        self.groups, self.number = self._group(len(documents))
        copied = len(np.unique(self.groups[self.a[labelled.copy]]))
        self.folds = max(2, min(options.folds, copied))  # a part without copies would tell little

    def choose(self, weight: Share) -> _Choice:
        """Fit to the pairs as they are weighed; of equally good shingle sizes, the wider margin, then the usual one."""
        best: list[Best] = on_threads(lambda grid: grid.best(weight, self.options.goal), self.grids, self.workers)
        top = max(one.score for one in best)

        def rank(place: int) -> tuple[int, float, int]:
            return best[place].margin, -abs(np.log(self.options.sizes[place] / self.base.shingle_size)), -place

        return _Choice(max((i for i, one in enumerate(best) if one.score >= top - TIE), key=rank), best)

    def tuning(self) -> Tuning:
        weight = self.labelled.weight
        chosen = self.choose(weight)
        size, rule, measured = self.options.sizes[chosen.place], chosen.rule, self.measured[chosen.place]
        held_out, by_size, seen = self._held_out()
        if not seen[self.labelled.copy].any():
            self.warnings.append(
                "nothing could be held out, for the labelled pairs hang together by a few documents: what is found on "
                "them is no estimate; label pairs of other documents"
            )
        draws = self._resample(held_out, seen)
        bands, found = self._bands(measured, rule)
        window = self._window(measured, rule, size)
        self._warn(measured, rule)
        values = [self._score(held_out, seen)[i] for i in range(3)]
        intervals = [_interval(value, draws[:, i]) for i, value in enumerate(values)]
        front = self.grids[chosen.place].front(weight, rule.min_shingles)
        return Tuning(
            settings=self.base.replace(shingle_size=size, bands=bands, window=window, **rule._asdict()),
            precision=intervals[0],
            recall=intervals[1],
            f1=intervals[2],
            threshold=_interval(rule.threshold, draws[:, 3]),
            containment=_interval(rule.containment, draws[:, 4]),
            fitted=measured.scores(rule, weight),
            run=None,
            given=None,
            found=found,
            sizes=self._sizes(chosen, by_size, seen, draws[:, 5]),
            curve=pa.Table.from_pylist([{**point._asdict(), **scored._asdict()} for point, scored in front]).select(
                ["threshold", "containment", *Scores._fields]
            ),
            counts={
                "copies": int(self.labelled.copy.sum()),
                "others": int((~self.labelled.copy).sum()),
                "documents": len(np.unique(np.concatenate([self.a, self.b]))),
                "groups": self.number,
            },
            warnings=self.warnings,
        )

    # ---- holding out ----

    def _group(self, documents: int) -> tuple[Int, int]:
        """Number the groups of documents that are held out together: the largest that leave something to hold out."""
        copy = self.labelled.copy
        linked = components(documents, self.a, self.b)
        families = components(documents, self.a[copy], self.b[copy])
        named = np.unique(np.concatenate([self.a, self.b]))
        kinds = [(one, parts) for parts in (self.options.folds, 2) for one in (linked, families)]
        group = next((one for one, parts in kinds if self._can_part(one, parts)), np.arange(documents))
        numbers = np.full(documents, -1, np.int64)
        values, numbers[named] = np.unique(group[named], return_inverse=True)
        return numbers, len(values)

    def _can_part(self, group: Int, parts: int) -> bool:
        """Whether copies are in enough groups, none of them with more than half of the copies."""
        copies = np.bincount(group[self.a[self.labelled.copy]])
        return int(np.count_nonzero(copies)) >= parts and 2 * int(copies.max()) <= int(copies.sum())

    def _held_out(self) -> tuple[Share, list[Share], Share]:
        """Fit without each part in turn, and judge its pairs.

        Returns
        -------
        taken : float64[n]
            How often each pair was taken for a copy when it was held out, as a share of `seen`.
        by_size : list of float64[n]
            The same, had each shingle size been the only one.
        seen : float64[n]
            How often each was held out.
        """
        n, folds = len(self.labelled), self.folds
        taken, seen = np.zeros(n), np.zeros(n)
        by_size = [np.zeros(n) for _ in self.measured]
        across = self.groups[self.a] != self.groups[self.b]
        # Pairs across groups come into a training part less often than pairs within; weighed so, both count in full.
        weight = self.labelled.weight * np.where(across, folds / (folds - 1), 1.0)
        for _ in range(self.options.repeats if self.number > folds else 1):
            part = self._parts()
            part_a, part_b = part[self.groups[self.a]], part[self.groups[self.b]]
            for held in range(folds):
                test = (part_a == held) & (part_b == held)
                train = (part_a != held) & (part_b != held)
                if not (test.any() and self.labelled.copy[train].any() and (~self.labelled.copy[train]).any()):
                    continue
                choice = self.choose(np.where(train, weight, 0.0))
                for place, measured in enumerate(self.measured):
                    by_size[place][test] += measured.taken(choice.best[place].rule)[test]
                taken[test] += self.measured[choice.place].taken(choice.rule)[test]
                seen[test] += 1
        share = np.maximum(seen, 1)
        return taken / share, [one / share for one in by_size], seen

    def _parts(self) -> Int:
        """Part the groups at random, copies in about equal numbers: int64[groups]."""
        copy = self.labelled.copy
        size = np.bincount(self.groups[self.a[copy]], minlength=self.number)
        order = self.random.permutation(self.number)
        part = np.empty(self.number, np.int64)
        load = np.zeros(self.folds)
        for group in order[np.argsort(-size[order], kind="stable")].tolist():
            part[group] = load.argmin()
            load[part[group]] += size[group] + 1e-3
        return part

    def _scored_weight(self, seen: Share) -> Share:
        """Weigh the pairs that were held out at all, those across groups so that they stand for the rest of them."""
        weight = np.where(seen > 0, self.labelled.weight, 0.0)
        across = self.groups[self.a] != self.groups[self.b]
        for copy in (False, True):
            stratum = across & (self.labelled.copy == copy)
            if weight[stratum].sum() > 0:
                weight[stratum] *= self.labelled.weight[stratum].sum() / weight[stratum].sum()
        return weight

    def _score(self, taken: Share, seen: Share, drawn: Share | None = None) -> Scores:
        weight = self._scored_weight(seen) * (1.0 if drawn is None else drawn)
        copy = self.labelled.copy
        return scores((weight * taken)[copy].sum(), (weight * taken).sum(), weight[copy].sum())

    def _resample(self, taken: Share, seen: Share) -> Share:
        """Draw groups with replacement: held-out precision, recall and F1, fitted threshold, containment and size."""
        rows = []
        for _ in range(self.options.resamples):
            times = np.bincount(self.random.integers(0, self.number, self.number), minlength=self.number)
            group_a, group_b = self.groups[self.a], self.groups[self.b]
            drawn = np.where(group_a == group_b, times[group_a], times[group_a] * times[group_b]).astype(np.float64)
            if not (drawn[self.labelled.copy].any() and drawn[~self.labelled.copy].any()):
                continue
            choice = self.choose(self.labelled.weight * drawn)
            rule = choice.rule
            rows.append((*self._score(taken, seen, drawn), rule.threshold, rule.containment, choice.place))
        return np.array(rows, np.float64).reshape(-1, 6)

    # ---- what follows from a rule ----

    def _bands(self, measured: Measured, rule: Rule) -> tuple[tuple[int, int] | None, float | None]:
        near = measured.copy & (measured.jaccard >= rule.threshold)
        if not near.any():
            self.warnings.append("no copy reaches the fitted threshold: bands are chosen for it, not fitted")
            return self.base.bands, None
        similarity, weight = measured.jaccard[near], self.labelled.weight[near]
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
        inside = measured.copy & (measured.jaccard < rule.threshold) & measured.taken(rule)
        if not inside.any():
            return self.base.window
        named, rows = np.unique(np.concatenate([self.a[inside], self.b[inside]]), return_inverse=True)
        a, b = rows.reshape(2, -1)
        texts, weight = self.texts.take(pa.array(named)), self.labelled.weight[inside]
        window, found, tried = self.base.window, 0.0, self.base.window
        while tried >= 1 and found < self.options.found - TIE:
            settings = self.base.replace(shingle_size=size, window=tried)
            fingerprints = sketch_texts(texts, settings, workers=self.workers).fingerprints
            share = float(weight[_alike(fingerprints, a, b, settings.min_shared_fingerprints)].sum() / weight.sum())
            if share > found:
                window, found = tried, share
            tried //= 2
        if found < self.options.found - TIE:
            self.warnings.append(
                f"of the copies that are only contained, fingerprints find {found:.1%}; a lower `shared` finds more"
            )
        return window

    def _sizes(self, chosen: _Choice, by_size: list[Share], seen: Share, places: Share) -> pa.Table:
        rows = []
        for place, (size, best) in enumerate(zip(self.options.sizes, chosen.best, strict=True)):
            fitted = self.measured[place].scores(best.rule, self.labelled.weight)
            rows.append(
                {
                    "shingle_size": size,
                    **best.rule._asdict(),
                    **fitted._asdict(),
                    "held_out_f1": self._score(by_size[place], seen).f1,
                    "chosen": float((places == place).mean()) if len(places) else float("nan"),
                }
            )
        return pa.Table.from_pylist(rows)

    def _warn(self, measured: Measured, rule: Rule) -> None:
        copies, others = int(self.labelled.copy.sum()), int((~self.labelled.copy).sum())
        for name, number in (("copies", copies), ("pairs that are none", others)):
            if number < FEW_PAIRS:
                self.warnings.append(f"only {number} {name} are labelled; below {FEW_PAIRS}, intervals are rough")
        if self.number < FEW_GROUPS:
            self.warnings.append(
                f"labelled pairs link the documents to {self.number} groups; below {FEW_GROUPS}, intervals are rough"
            )
        wanted, reached = self.options.goal.precision, measured.scores(rule, self.labelled.weight).precision
        if wanted is not None and reached < wanted - TIE:
            self.warnings.append(f"no thresholds reach a precision of {wanted:g} on these pairs; best: {reached:.3f}")


def _measure(texts: pa.Array, labelled: Labelled, settings: Settings, workers: int) -> Measured:
    """Measure the labelled pairs; where shingles are weighed, the whole corpus votes first, as in a run."""
    if settings.weighs:
        overlaps = _weighed(texts, labelled.pairs, settings, workers)
    else:
        overlaps = Verifier(texts, np.arange(len(texts)), settings, workers).overlaps(labelled.pairs)
    return Measured(
        overlaps.weighted_jaccard,
        overlaps.weighted_containment,
        overlaps.smaller,
        overlaps.content,
        overlaps.weights.interleaved,
        labelled.copy,
    )


def _weighed(texts: pa.Array, pairs: Pairs, settings: Settings, workers: int) -> Overlaps:
    """Weigh pairs of documents by what the corpus says is boilerplate; of documents without words, nothing is shared."""
    sketches = sketch_texts(texts, settings, workers=workers, keep=True)
    text_of, rows = collapse(sketches.words, sketches.digests)
    distinct = sketches.take(rows)
    judge = Judge(texts, rows, settings, workers, kept=sketches.kept)
    verify(candidates.find(distinct, workers=workers), judge, settings, len(distinct))
    a, b = (text_of[side] for side in candidates.unpack(pairs))
    real = (a >= 0) & (b >= 0)
    compared, place = np.unique(candidates.packed(np.minimum(a, b)[real], np.maximum(a, b)[real]), return_inverse=True)
    counted = judge.overlaps(compared)
    enough = counted.shared >= np.floor(FLOOR * counted.smaller)  # others are no matches, and are not weighed in a run
    measured = (judge.weighed(counted.where(enough)) | counted.where(~enough)).where(place)
    shared, size_a, size_b = np.zeros((3, len(pairs)), np.int64)
    shared[real], size_a[real], size_b[real] = measured.shared, measured.size_a, measured.size_b
    weights = Overlaps(pairs, shared, size_a, size_b).weights
    for column, values in zip(weights, measured.weights, strict=True):
        column[real] = values
    return Overlaps(pairs, shared, size_a, size_b, weights)


def _alike(fingerprints: Ragged, a: Int, b: Int, shared: float) -> NDArray[np.bool_]:
    """Which pairs of rows share enough of the fingerprints of whoever has fewer to be candidates."""
    fewer = np.minimum(fingerprints.lengths[a], fingerprints.lengths[b])
    common = [
        len(np.intersect1d(fingerprints.row(x), fingerprints.row(y), assume_unique=True))
        for x, y in zip(a, b, strict=True)
    ]
    return np.array(common) >= np.maximum(shared * fewer, 1)


def _interval(value: float, draws: Share) -> Interval:
    draws = draws[~np.isnan(draws)]
    if len(draws) == 0 or np.isnan(value):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))


def _with_run(tuning: Tuning, base: Settings, documents: Documents, labelled: Labelled, workers: int) -> Tuning:
    """Run `dedup` and see which labelled pairs it puts into one cluster."""
    run, parted = _run(tuning.settings, documents, labelled, workers)
    given, _ = _run(base, documents, labelled, workers)
    warnings = list(tuning.warnings)
    if run.f1 < tuning.fitted.f1 - WORTH_A_WORD:
        warnings.append(
            f"a run of dedup reaches F1 {run.f1:.3f} on the labelled pairs, the thresholds {tuning.fitted.f1:.3f}: "
            f"clusters part {parted:.1%} of the copies although they match, for every member must match its canonical; "
            "what else is missing was no candidate, and lower `shared` or `window` find more"
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
    a, b = candidates.unpack(labelled.pairs)
    together, copy, weight = cluster[a] == cluster[b], labelled.copy, labelled.weight
    scored = scores(weight[together & copy].sum(), weight[together].sum(), weight[copy].sum())
    found = candidates.pack(*(result.matches[name].to_numpy() for name in ("a", "b")))
    parted = weight[copy & ~together & np.isin(labelled.pairs, found)].sum() / weight[copy].sum()
    return scored, float(parted)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
