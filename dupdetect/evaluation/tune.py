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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect._storage.context import check_workers
from dupdetect.errors import DupdetectError, InputError, SettingsError
from dupdetect.evaluation import labels
from dupdetect.evaluation.fit import Fit, Interval, Options
from dupdetect.evaluation.options import check_whole
from dupdetect.evaluation.thresholds import Goal, Scores, scores
from dupdetect.io.documents import collect
from dupdetect.io.rejected import warn_of_rejects
from dupdetect.io.schema import names_shown
from dupdetect.io.seen import NUMBERED
from dupdetect.io.text_column import field_of
from dupdetect.matching.pairs import pack, unpack
from dupdetect.pipeline.dedup import dedup
from dupdetect.settings import GivenSettings, Settings, SettingsKeywords
from dupdetect.sketches.cleaning import cleaned, refuse_words

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from dupdetect.evaluation.labels import Labelled
    from dupdetect.io.documents import Documents

#: Shingle sizes tried.
SIZES = (1, 2, 3, 4, 5, 6, 8, 10)

#: Difference between what the thresholds take and what a run finds that is worth a word.
WORTH_A_WORD = 0.02

#: What the column of cleaned texts is called in a run, beside those of the input.
TEXTS = "dupdetect_text"


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
    cluster_column: str = "cluster",
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
    settings: GivenSettings = None,
    workers: int | None = None,
    strict: bool = False,
    **overrides: Unpack[SettingsKeywords],
) -> Tuning:
    """Fit shingle size, thresholds, bands and window to labelled pairs.

    Parameters
    ----------
    data : iterable of str, mapping, Arrow stream, str, Path or list of Path
        Documents, as for `dedup`.
    pairs : path, Arrow stream, mapping or iterable of (a, b, label)
        Labelled pairs: columns ``a``, ``b`` (ids) and ``label`` (1 or 0, true or false, yes or no). Or clusters:
        columns ``id`` and `cluster_column`, or a mapping from one to the other; then pairs within clusters are
        copies, and candidates of a liberal search that lie in different clusters are not.
    text, id, strict, workers, settings, **overrides
        As for `dedup`. What is not fitted stays as `settings` has it.
    cluster_column : str
        Where `pairs` are clusters, the column of these.
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
        Most copies, and most other pairs, to look at, where `pairs` are clusters.
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
        Documents or pairs cannot be read, have no id in common, or are copies only, or none is.
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
    base = Settings.of(settings, **overrides)
    refuse_words(base, "tune")
    sizes = () if isinstance(shingle_sizes, str) or not isinstance(shingle_sizes, Iterable) else tuple(shingle_sizes)
    options = Options(Goal(beta, precision), found, sample, folds, repeats, resamples, sizes)
    threads = check_workers(workers)
    _check(options)
    read = collect(data, text=text, id=id, strict=strict)
    _check_columns(base, read)
    warn_of_rejects(read.rejects, len(read) + read.rejects.num_rows)
    documents = cleaned(read, workers=threads)
    labelled = labels.read(
        pairs, documents, base, column=cluster_column,
        positive=[positive] if isinstance(positive, str) else list(positive),
        sizes=options.sizes, sample=sample, workers=threads,
    )  # fmt: skip
    tuning = Tuning(**Fit(documents.texts.combine_chunks(), labelled, base, options, threads).results())
    return _with_run(tuning, base, documents, labelled, threads) if run else tuning


def _check(options: Options) -> None:
    if find_spec("sklearn") is None:
        raise DupdetectError(
            "tune needs scikit-learn, which is not installed: python -m pip install 'dupdetect[evaluate]'"
        )
    if not _is_number(options.goal.beta) or not options.goal.beta > 0:
        raise SettingsError(f"beta is {options.goal.beta!r}; expected a number above 0")
    shares = {"found": options.found}
    if options.goal.precision is not None:
        shares["precision"] = options.goal.precision
    for name, share in shares.items():
        if not (_is_number(share) and 0 < share <= 1):
            raise SettingsError(f"{name} is {share!r}; expected a number above 0 and up to 1")
    for name, least in (("sample", 1), ("folds", 2), ("repeats", 1), ("resamples", 1)):
        check_whole(name, getattr(options, name), least)
    if not options.sizes:
        raise SettingsError("shingle_sizes is empty, or no sequence; expected one whole number or more, such as [3, 5]")
    for size in options.sizes:
        Settings(shingle_size=size)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _check_columns(settings: Settings, documents: Documents) -> None:
    """Refuse settings that read a column which is not there, before the work: the runs at the end would."""
    for name, setting in settings.columns.items():
        if field_of(documents.table, name) is None:
            columns = names_shown(documents.table.column_names)
            raise InputError(f"{setting} reads column {name!r}, but the columns are {columns}; name one of these")


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
    table = documents.table.append_column(TEXTS, documents.texts)
    result = dedup(table, text=TEXTS, id=NUMBERED, settings=settings, workers=workers)
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
