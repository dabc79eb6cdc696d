"""Fit thresholds to labelled pairs.

Input    similarities of labelled pairs, and how many pairs each stands for
Output   the `threshold`, `containment` and `min_shingles` that separate copies from others best
Cost     O(n) to count pairs by cell, O(cells) to judge every combination at once: some milliseconds

A pair is taken for a copy as `Overlaps.relations` does it: when its Jaccard similarity reaches `threshold`, or when it
is inside, which `containment` and `min_shingles` decide, and for interleaved pairs `threshold` too. The three are
fitted together on a grid, and every combination is judged. Many are equally good, because no pair lies between two
neighbours; of those the one farthest from worse ones is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect.matching.overlaps import ROUNDED, is_inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]
    Int = NDArray[np.int64]

#: Values of `threshold` and `containment` tried. A hundredth is less than a handful of words of a page.
STEPS = np.arange(1, 101) / 100

#: Values of `min_shingles` tried.
MIN_SHINGLES = (1, 2, 4, 8, 16, 32, 64, 128)

#: Scores closer than this are equal: sums of weights are rounded.
TIE = 1e-9


class Rule(NamedTuple):
    """When a pair is taken for a copy, at a shingle size."""

    threshold: float
    containment: float
    min_shingles: int


class Scores(NamedTuple):
    """Shares in [0, 1]; nan where nothing was claimed (precision) or there was nothing to find (recall)."""

    precision: float
    recall: float
    f1: float


def scores(hits: float, claimed: float, copies: float) -> Scores:
    """Return precision, recall and F1 of so many true claims among all claims and all copies."""
    precision = hits / claimed if claimed > TIE else float("nan")
    recall = hits / copies if copies > 0 else float("nan")
    total = claimed + copies
    return Scores(float(precision), float(recall), float(2 * hits / total) if total > 0 else float("nan"))


@dataclass(frozen=True)
class Goal:
    """What is best: an F-measure, in which recall weighs `beta` times as much, or the most recall at a precision.

    >>> Goal().judge(np.array([8.0]), np.array([10.0]), 10.0)
    array([0.8])
    """

    beta: float = 1.0
    precision: float | None = None

    def judge(self, hits: Share, claimed: Share, copies: float) -> Share:
        """Return a score to maximise for each count of true claims and of claims; below 0: the precision is missed."""
        if self.precision is None:
            square = self.beta * self.beta
            return (1 + square) * hits / np.maximum(claimed + square * copies, TIE)
        reached = np.where(claimed > TIE, hits / np.maximum(claimed, TIE), 1.0)
        enough = reached >= self.precision - TIE
        return np.where(enough, hits / max(copies, TIE), reached - 1)


@dataclass(frozen=True, eq=False)
class Measured:
    """What n labelled pairs have in common at a shingle size.

    Attributes
    ----------
    jaccard, syndicated, containment : float64[n]
        What must reach the threshold of near duplicates, and of syndicated pages, which is no less; share of the
        content of the smaller in the larger.
    size, content : int64[n], float64[n]
        Distinct shingles of the smaller document; shared ones that are no boilerplate.
    copy : bool[n]
    """

    jaccard: Share
    syndicated: Share
    containment: Share
    size: Int
    content: Share
    copy: Bool

    def taken(self, rule: Rule) -> Bool:
        """Return which pairs a rule takes for copies."""
        near = self.jaccard >= rule.threshold
        enough = self.content >= rule.containment * rule.min_shingles - ROUNDED
        syndicated = enough & (self.syndicated >= rule.threshold)
        return near | syndicated | is_inside(self.containment, self.size, self.content, rule)

    def scores(self, rule: Rule, weight: Share) -> Scores:
        """Return what a rule makes of the pairs."""
        taken = self.taken(rule)
        return scores(weight[taken & self.copy].sum(), weight[taken].sum(), weight[self.copy].sum())


class Best(NamedTuple):
    """The best rule at a shingle size: its score, and how many steps around it are as good."""

    rule: Rule
    score: float
    margin: int


class Grid:
    """All rules for the pairs of a shingle size.

    Parameters
    ----------
    measured : Measured
    usual : int
        The value of `min_shingles` to prefer among equals.

    Attributes
    ----------
    min_shingles : list of int
        The values that tell the pairs apart differently, those nearest to the usual first.
    """

    def __init__(self, measured: Measured, usual: int) -> None:
        values = sorted({*MIN_SHINGLES, usual}, key=lambda value: abs(np.log2(value / usual)))
        shares = measured.jaccard, measured.syndicated, measured.containment + ROUNDED  # as `is_inside` compares them
        near, alike, far = (np.searchsorted(STEPS, share, "right") for share in shares)
        enough = np.stack([_most_containment(measured, value) for value in values])
        inside = np.where(measured.size >= np.array(values)[:, None], np.minimum(far, enough), 0)
        first = np.sort(np.unique(np.hstack([inside, enough]), axis=0, return_index=True)[1])
        inside, enough, self.min_shingles = inside[first], enough[first], [values[place] for place in first]
        # A rule takes what is near, what is inside, and what is syndicated, less what would count twice. Of the axes of
        # threshold and containment each of these is a rectangle from 0: all of one axis, all of the other, or neither.
        always = np.full_like(inside, len(STEPS))
        self._copy = measured.copy
        self._shape = 2, len(inside), len(STEPS) + 1, len(STEPS) + 1
        self._counted = [self._cells_of(*axes) for axes in ((near, always), (always[0], inside), (alike, enough))]
        self._twice = [self._cells_of(*axes) for axes in ((near, enough), (alike, inside))]

    def _cells_of(self, threshold: Int, containment: Int) -> Int:
        """Number the cells of pairs that reach so many steps of either: int64[min_shingles * n]."""
        place = np.arange(self._shape[1])[:, None]
        axes = np.broadcast_arrays(self._copy.astype(np.int64), place, threshold, containment)
        return np.ravel_multi_index(tuple(axes), self._shape).ravel()

    def counts(self, weight: Share) -> tuple[Share, Share, float]:
        """Count what each rule takes.

        Parameters
        ----------
        weight : float64[n]

        Returns
        -------
        hits, claimed : float64[min_shingles, threshold, containment]
            The weight of copies taken, and of all pairs taken.
        copies : float
            The weight of copies.
        """
        size, weights = int(np.prod(self._shape)), np.tile(weight, self._shape[1])
        counted = np.concatenate(self._counted), np.concatenate(self._twice)
        once, twice = (np.bincount(cells, np.resize(weights, len(cells)), size) for cells in counted)
        reached = (once - twice).reshape(self._shape)[:, :, ::-1, ::-1]
        taken = reached.cumsum(2).cumsum(3)[:, :, -2::-1, -2::-1]
        return taken[1], taken.sum(0), float(weight[self._copy].sum())

    def best(self, weight: Share, goal: Goal) -> Best:
        """Return the best rule; among equals the usual `min_shingles`, then the middle of the plateau."""
        judged = goal.judge(*self.counts(weight))
        score = float(judged.max())
        as_good = judged >= score - TIE
        place = int(as_good.any(axis=(1, 2)).argmax())
        (threshold, containment), margin = middle(as_good[place])
        rule = Rule(float(STEPS[threshold]), float(STEPS[containment]), self.min_shingles[place])
        return Best(rule, score, margin)

    def front(self, weight: Share, min_shingles: int) -> list[tuple[Rule, Scores]]:
        """Return the rules that no other beats in both precision and recall, by rising recall."""
        hits, claimed, copies = self.counts(weight)
        place = self.min_shingles.index(min_shingles)
        hits, claimed = hits[place].round(9), claimed[place].round(9)
        precision = hits / np.maximum(claimed, TIE)
        points, best = [], 0.0
        for found in np.unique(hits)[::-1]:  # the most recall first
            highest = precision[hits == found].max()
            if found > 0 and highest > best + TIE:
                best = highest
                cell, _ = middle((hits == found) & (precision >= highest - TIE))
                rule = Rule(float(STEPS[cell[0]]), float(STEPS[cell[1]]), min_shingles)
                points.append((rule, scores(float(found), float(claimed[cell]), copies)))
        return points[::-1]


def _most_containment(measured: Measured, min_shingles: int) -> Int:
    """Return how many steps of `containment` what pairs share allows; see `overlaps.is_inside`."""
    return np.searchsorted(STEPS * min_shingles - ROUNDED, measured.content, "right")


def middle(plateau: Bool) -> tuple[tuple[int, int], int]:
    """Return the cell of a plateau that is farthest from its edge, and how far: 1 at the edge.

    Parameters
    ----------
    plateau : bool[rows, columns]
        At least one is true; what lies outside the array is not on the plateau. Of several such cells it is the one
        nearest to their mean.

    Examples
    --------
    >>> middle(np.array([[True, True, True, True, True]]))
    ((0, 2), 1)
    """
    from scipy.ndimage import distance_transform_cdt

    depth = distance_transform_cdt(np.pad(plateau, 1), metric="chessboard")[1:-1, 1:-1]
    cells = np.argwhere(depth == depth.max())
    row, column = cells[((cells - cells.mean(axis=0)) ** 2).sum(axis=1).argmin()].tolist()
    return (row, column), int(depth.max())


def bands_for(similarity: Share, weight: Share, threshold: float, num_perm: int, wanted: float) -> tuple[int, int]:
    """Return the cheapest (bands, rows) that are expected to find the wanted share of pairs.

    Parameters
    ----------
    similarity, weight : float64[n]
        Jaccard similarities of the pairs to find, at least one, and how many each stands for.
    threshold : float
        What a false candidate is below.
    num_perm : int
    wanted : float
        In (0, 1]. Where nothing reaches it: the bands that find the most.

    Notes
    -----
    A band costs a sort of its keys, a false candidate a comparison of two texts. The cheapest has the least area under
    its curve of chances below the threshold, and of equals fewer bands.
    """
    levels, place = np.unique(np.floor(similarity * 1000) / 1000, return_inverse=True)
    shares, below = np.bincount(place, weight).astype(np.float64), np.linspace(0, threshold, 200)
    best: tuple[float, int, int] | None = None
    for rows in range(1, num_perm + 1):
        number = next((n for n in range(1, num_perm // rows + 1)
                       if found_by((n, rows), levels, shares) >= wanted - TIE), None)  # fmt: skip
        if number is None:
            break  # more rows find less
        best = min(best or (np.inf, 0, 0), (float(chance(below, number, rows).mean()), number, rows))
    return best[1:] if best else (num_perm, 1)


def chance(similarity: Any, bands: int, rows: int) -> Any:
    """Return the probability that two documents share a band, by their Jaccard similarity."""
    return 1 - (1 - similarity**rows) ** bands


def found_by(bands: tuple[int, int], similarity: Share, weight: Share) -> float:
    """Return the share of pairs that (bands, rows) are expected to find."""
    return float(np.average(chance(similarity, *bands), weights=weight))
