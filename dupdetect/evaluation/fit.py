"""Fit a shingle size and thresholds to labelled pairs, and estimate what they are worth on documents not seen.

Input    texts, labelled pairs of them, the settings that stay, and options
Output   what `Tuning` consists of
Cost     as `tune`, without its runs of `dedup`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage.context import Context
from dupdetect.clustering.clusters import collapse
from dupdetect.evaluation.thresholds import TIE, Best, Goal, Grid, Measured, Rule, Scores, bands_for, found_by, scores
from dupdetect.matching import candidates
from dupdetect.matching.candidates import are_enough
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import FLOOR, NONE, Overlaps, Weights
from dupdetect.matching.pairs import packed, unpack
from dupdetect.matching.removal import REMOVABLE_A, REMOVABLE_B, decided, is_decided
from dupdetect.matching.verify import Verifier, verify_candidates
from dupdetect.sketches.sketches import sketch_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.evaluation.labels import Labelled
    from dupdetect.matching.pairs import Pairs
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Ragged

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]

#: Copies, other pairs, and groups of documents, from which on intervals deserve their name.
FEW_PAIRS, FEW_GROUPS = 30, 10

#: Less than any rule asks for: what share of a document is inside another.
LOOSEST = 1e-9


class Options(NamedTuple):
    """What `tune` was asked for; see there."""

    goal: Goal
    found: float
    sample: int
    folds: int
    repeats: int
    resamples: int
    sizes: tuple[int, ...]


class Interval(NamedTuple):
    """A value, and the interval that covers it with 95 % confidence."""

    value: float
    low: float
    high: float


class _Choice(NamedTuple):
    """The best shingle size, by its place; the best rule there; and the best rule of every size."""

    place: int
    rule: Rule
    best: list[Best]


class Fit:
    """Labelled pairs, measured at every shingle size. Documents are numbered among those that pairs name."""

    def __init__(self, texts: pa.Array, labelled: Labelled, base: Settings, options: Options, workers: int) -> None:
        self.base, self.options, self.workers, self.warnings = base, options, workers, list(labelled.notes)
        self.copy, self.weight = labelled.copy, labelled.weight
        sized = (base.replace(shingle_size=size) for size in options.sizes)
        self.measured = [measure(texts, labelled, settings, workers) for settings in sized]
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

        place = max((i for i, one in enumerate(best) if one.score >= top - TIE), key=rank)
        return _Choice(place, best[place].rule, best)

    def results(self) -> dict[str, Any]:
        """Return what `Tuning` consists of."""
        place, rule, best = self.choose(self.weight)
        size, measured = self.options.sizes[place], self.measured[place]
        taken, seen = self._held_out()
        weight = self._held_out_weight(seen)
        held_out, *by_size = (self._score(each, weight) for each in taken)
        draws = self._draws(taken[0], weight)
        bands, found = self._bands(measured, rule)
        window = self._window(measured, rule, size)
        self._warn(measured.scores(rule, self.weight).precision, seen)
        values = {**held_out._asdict(), "threshold": rule.threshold, "containment": rule.containment}
        counts = (self.copy.sum(), (~self.copy).sum(), len(self.texts), self.number)
        sizes = [
            {
                "shingle_size": tried,
                **best[i].rule._asdict(),
                **self.measured[i].scores(best[i].rule, self.weight)._asdict(),
                "held_out_f1": by_size[i].f1,
                "chosen": float(np.mean(draws[5] == i)) if draws.size else float("nan"),
            }
            for i, tried in enumerate(self.options.sizes)
        ]
        front = self.grids[place].front(self.weight, rule.min_shingles)
        curve = pa.Table.from_pylist([{**point._asdict(), **scored._asdict()} for point, scored in front])
        return {
            "settings": self.base.replace(shingle_size=size, bands=bands, window=window, **rule._asdict()),
            **{name: _interval(value, draw) for (name, value), draw in zip(values.items(), draws[:5], strict=True)},
            "fitted": measured.scores(rule, self.weight),
            **dict.fromkeys(("run", "given")),
            "found": found,
            "sizes": pa.Table.from_pylist(sizes),
            "curve": curve.select(["threshold", "containment", *Scores._fields]),
            "counts": dict(zip(("copies", "others", "documents", "groups"), map(int, counts), strict=True)),
            "warnings": self.warnings,
        }

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
            enough = alike(fingerprints, self.a[inside], self.b[inside], settings.min_shared_fingerprints)
            if (share := float(np.average(enough, weights=self.weight[inside]))) > found:
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


def measure(texts: pa.Array, labelled: Labelled, settings: Settings, workers: int) -> Measured:
    """Measure the labelled pairs; where shingles are weighted, the whole corpus votes first, as in a run."""
    if settings.weighs:
        found = _weighed(texts, labelled.pairs, settings, workers)
    else:
        found = PairCounter(texts, np.arange(len(texts)), Context(settings, workers)).overlaps(labelled.pairs)
    # What is a match of two documents neither of which may be removed is not put together, whatever the thresholds.
    loosest = settings.replace(threshold=1.0, containment=LOOSEST, min_shingles=1)
    removable = found.relations(loosest) != NONE
    matches = decided(found, loosest)
    removable[removable] = is_decided(matches, REMOVABLE_A) | is_decided(matches, REMOVABLE_B)
    # Of a near duplicate one less the lesser of both thresholds may be lost: here, one less that of Jaccard.
    jaccard = np.minimum(np.minimum(found.jaccard, found.weighted_jaccard), 1 - np.minimum(*found.shares_lost))
    syndicated = np.where(removable, found.weighted_jaccard, jaccard)
    containment = np.where(removable, found.compared_containment(settings), 0.0)
    return Measured(jaccard, syndicated, containment, found.smaller, found.content, labelled.copy)


def _weighed(texts: pa.Array, pairs: Pairs, settings: Settings, workers: int) -> Overlaps:
    """Weight pairs by what the corpus says is boilerplate; documents without words share nothing."""
    sketches = sketch_texts(texts, settings, workers=workers)
    text_of, rows = collapse(sketches.words, sketches.digests)
    distinct = sketches.take(rows)
    counter = PairCounter(texts, rows, Context(settings, workers))
    verified = verify_candidates(candidates.find(distinct, workers=workers), counter)
    verifier = Verifier(counter, verified.boilerplate)
    a, b = (text_of[side] for side in unpack(pairs))
    real = (a >= 0) & (b >= 0)
    compared, place = np.unique(packed(np.minimum(a, b)[real], np.maximum(a, b)[real]), return_inverse=True)
    counted = counter.overlaps(compared)
    enough = counted.shared >= np.floor(FLOOR * counted.smaller)  # others are no matches, and are not weighed in a run
    weighed = verifier.weigh(counted.where(enough))
    patterns = np.zeros((2, len(pairs)), np.uint8)
    if weighed.patterns is not None:
        patterns[0, : len(compared)][enough] = weighed.patterns
    measured = (weighed | counted.where(~enough)).where(place)
    patterns[1, real] = patterns[0, place]
    shared, size_a, size_b = np.zeros((3, len(pairs)), np.int64)
    shared[real], size_a[real], size_b[real] = measured.shared, measured.size_a, measured.size_b
    weights = Weights._make(column.copy() for column in Overlaps(pairs, shared, size_a, size_b).weights)
    for column, values in zip(weights, measured.weights, strict=True):
        column[real] = values
    return Overlaps(pairs, shared, size_a, size_b, weights, patterns[1])


def alike(fingerprints: Ragged, a: Int, b: Int, share: float) -> NDArray[np.bool_]:
    """Return which pairs of rows have enough fingerprints in common to be candidates, as the search judges it."""
    common = np.array(
        [len(np.intersect1d(fingerprints.row(x), fingerprints.row(y))) for x, y in zip(a, b, strict=True)]
    )
    fewer = np.minimum(fingerprints.lengths[a], fingerprints.lengths[b])
    return are_enough(common, fewer, share)


def _interval(value: float, draws: Share) -> Interval:
    known = draws[~np.isnan(draws)]
    if np.isnan(value) or not known.size:
        return Interval(float(value), float("nan"), float("nan"))
    return Interval(float(value), *np.quantile(known, [0.025, 0.975]).tolist())
