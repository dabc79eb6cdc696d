"""Labelled pairs to thresholds.

Input    similarities of labelled pairs, and what they stand for
Output   the threshold, containment and least that part copies from others best
Cost     O(n) to count pairs by cell, O(cells) to judge every combination at once: some milliseconds

A pair is taken for a copy as `verify` does it: when its Jaccard similarity reaches `threshold`, or it is inside, which
`containment` and `least` decide, and for interleaved pairs `threshold` too. All three are fitted together on a grid. Every
combination is judged; many are equally good, for there is nothing between two neighbouring pairs, and of those the one
farthest from worse ones is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect.matching.verify import ROUNDED, is_inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]
    Int = NDArray[np.int64]

#: Thresholds tried. A hundredth is less than a handful of words of a page.
STEPS = np.arange(1, 101) / 100

#: Values of `least` tried.
LEAST = (1, 2, 4, 8, 16, 32, 64, 128)

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
    precision = hits / claimed if claimed > 0 else float("nan")
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
        reached = np.where(claimed > 0, hits / np.maximum(claimed, TIE), 1.0)
        enough = reached >= self.precision - TIE
        return np.where(enough, hits / max(copies, TIE), reached - 1)


@dataclass(frozen=True, eq=False)
class Measured:
    """What n labelled pairs have in common at a shingle size.

    Attributes
    ----------
    jaccard, containment : float64[n]
        Weighed as verification weighs them; containment of the smaller in the larger.
    size, content : int64[n], float64[n]
        Distinct shingles of the smaller; shared ones that are no boilerplate.
    interleaved : bool[n]
        Whether both have text of their own between what they share.
    copy : bool[n]
    """

    jaccard: Share
    containment: Share
    size: Int
    content: Share
    interleaved: Bool
    copy: Bool

    def taken(self, rule: Rule) -> Bool:
        """Which pairs a rule takes for copies."""
        near = self.jaccard >= rule.threshold
        return near | is_inside(self.containment, self.size, self.content, self.interleaved, rule)

    def scores(self, rule: Rule, weight: Share) -> Scores:
        """Return what a rule makes of the pairs."""
        taken = self.taken(rule)
        return scores(weight[taken & self.copy].sum(), weight[taken].sum(), weight[self.copy].sum())


class Best(NamedTuple):
    """The best rule at a shingle size: its score, and how many steps around it are as good."""

    rule: Rule
    score: float
    margin: int


class _Axis:
    """Steps to try, and the pairs they part. Steps with no pair between them are one level, the greatest level 0.

    Parameters
    ----------
    reached : int64[...]
        How many of the steps pairs reach.

    Attributes
    ----------
    level_of : int64[steps]
        Of each step.
    size : int
        Places: a step takes the pairs at its place and before. Levels are the places ``first`` to ``last``; at place 0
        there are no pairs, and at the last there may be some that reach no step.
    """

    def __init__(self, reached: Int) -> None:
        self._reached = np.unique(reached)
        self.size = len(self._reached) + 1
        place_of = len(self._reached) - np.searchsorted(self._reached, np.arange(1, len(STEPS) + 1))
        self.first, self.last = int(place_of[-1]), int(place_of[0])
        self.level_of = place_of - self.first

    def places(self, reached: Int) -> Int:
        """Return the place of pairs that reach so many steps."""
        return len(self._reached) - np.searchsorted(self._reached, reached)

    @property
    def levels(self) -> slice:
        """The places of the levels."""
        return slice(self.first, self.last + 1)

    def middle_of(self, level: int) -> float:
        """Return the middle step of a level."""
        values = STEPS[self.level_of == level]
        return float(values[len(values) // 2])


class Grid:
    """All rules for the pairs of a shingle size.

    Parameters
    ----------
    measured : Measured
    usual : int
        The value of `least` to prefer among equals.
    """

    def __init__(self, measured: Measured, usual: int) -> None:
        self._copy, self._usual = measured.copy, usual
        self._least = np.array(sorted({*LEAST, usual}), np.float64)
        near, far = (np.searchsorted(STEPS, shares, "right") for shares in (measured.jaccard, measured.containment))
        # A pair is inside if `containment` is among the first so many steps, and `threshold` too if it is interleaved.
        inside = np.stack([np.minimum(far, _most_containment(measured, least)) for least in self._least])
        near_enough = np.where(measured.interleaved, far, len(STEPS))
        new = np.append(True, (inside[1:] != inside[:-1]).any(axis=1))  # values that part the pairs alike are one
        self._level_of_least = np.cumsum(new) - 1
        self._threshold, self._containment = _Axis(np.stack([near, near_enough])), _Axis(inside)
        self._shape = (2, int(new.sum()), self._threshold.size, self._containment.size)
        places = self._containment.places(inside[new])
        self._cells = [self._cells_of(self._threshold.places(reached), places) for reached in (near, near_enough)]

    def _cells_of(self, threshold: Int, containment: Int) -> Int:
        """Number the cells of pairs, for each value of `least`: int64[least, n]."""
        least = np.arange(len(containment))[:, None]
        place = np.broadcast_arrays(self._copy.astype(np.int64), least, threshold, containment)
        return np.ravel_multi_index(tuple(place), self._shape)

    def _within(self, cells: Int, weight: Share) -> Share:
        """Weigh the pairs at each place and before."""
        weights = np.broadcast_to(weight, cells.shape).ravel()
        reach = np.bincount(cells.ravel(), weights, int(np.prod(self._shape))).astype(np.float64).reshape(self._shape)
        for axis in (2, 3):
            np.cumsum(reach, axis, out=reach)
        return reach

    def counts(self, weight: Share) -> tuple[Share, Share, float]:
        """Count what each rule takes.

        Parameters
        ----------
        weight : float64[n]

        Returns
        -------
        hits, claimed : float64[least, threshold, containment]
            The weight of copies taken, and of all pairs taken, by level.
        copies : float
            The weight of copies.
        """
        near, inside = (self._within(cells, weight) for cells in self._cells)
        taken = near[..., -1:] + inside - near  # what is near enough to be near is near enough to be inside
        others, hits = taken[:, :, self._threshold.levels, self._containment.levels]
        return hits, hits + others, float(weight[self._copy].sum())

    def best(self, weight: Share, goal: Goal) -> Best:
        """Return the best rule; among equals the usual `least`, then the middle of the plateau."""
        judged = goal.judge(*self.counts(weight))
        score = float(judged.max())
        as_good = judged >= score - TIE
        usable = np.flatnonzero(np.asarray(as_good.any(axis=(1, 2)))[self._level_of_least])
        distances = np.abs(np.log2(self._least[usable] / self._usual))  # a factor counts, not a difference
        least = usable[distances.argmin()]
        plateau = as_good[self._level_of_least[least]][self._threshold.level_of][:, self._containment.level_of]
        (threshold, containment), margin = middle(plateau)
        rule = Rule(float(STEPS[threshold]), float(STEPS[containment]), int(self._least[least]))
        return Best(rule, score, margin)

    def front(self, weight: Share, least: int) -> list[tuple[Rule, Scores]]:
        """Return the rules with that `least` that no other beats in both precision and recall, by rising recall."""
        hits, claimed, copies = self.counts(weight)
        level = self._level_of_least[self._least.tolist().index(least)]
        hits, claimed = hits[level].ravel(), claimed[level].ravel()
        precision = np.where(claimed > 0, hits / np.maximum(claimed, TIE), 0.0)
        order = np.lexsort((-precision, -hits))  # the most recall first, there the most precision
        best_so_far = np.maximum.accumulate(np.append(-1.0, precision[order]))[:-1]
        front = order[(precision[order] > best_so_far + TIE) & (hits[order] > 0)][::-1]
        points, columns = [], self._containment.last - self._containment.first + 1
        for cell in front.tolist():
            threshold, containment = divmod(cell, columns)
            rule = Rule(self._threshold.middle_of(threshold), self._containment.middle_of(containment), least)
            points.append((rule, scores(float(hits[cell]), float(claimed[cell]), copies)))
        return points


def _most_containment(measured: Measured, least: float) -> Int:
    """Return how many steps of `containment` what pairs share allows, given `least`; see `verify.is_inside`."""
    allowed = np.searchsorted(STEPS * least - ROUNDED, measured.content, "right")
    return np.where(measured.size >= least, allowed, 0)


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
    inside = np.pad(plateau.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    depth, beyond = 1, min(plateau.shape) // 2 + 2  # a square of side 2 * depth - 1 fits, one of beyond does not
    while beyond - depth > 1:
        half = (depth + beyond) // 2
        depth, beyond = (half, beyond) if len(_centres(inside, half)) else (depth, half)
    cells = _centres(inside, depth)
    nearest = ((cells - cells.mean(axis=0)) ** 2).sum(axis=1).argmin()
    row, column = cells[nearest].tolist()
    return (row, column), depth


def _centres(inside: Int, depth: int) -> Int:
    """Return the centres (rows, columns) of full squares of side 2 * depth - 1, from sums over an array."""
    side = 2 * depth - 1
    if side >= min(inside.shape):
        return np.empty((0, 2), np.int64)
    full = inside[side:, side:] - inside[:-side, side:] - inside[side:, :-side] + inside[:-side, :-side] == side * side
    return np.argwhere(full) + depth - 1


def bands_for(similarity: Share, weight: Share, threshold: float, num_perm: int, wanted: float) -> tuple[int, int]:
    """Return the cheapest (bands, rows) whose S-curve finds the wanted share of pairs.

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
    A band costs a sort of its keys, a false candidate a comparison of two texts. The cheapest is the one with the least
    area under its S-curve below the threshold, and of equals the one with fewer bands.
    """
    bins = np.bincount(np.floor(similarity * 1000).astype(np.int64), weight, minlength=1001) / weight.sum()
    levels = np.flatnonzero(bins)
    below = np.linspace(0, threshold, 200)
    best: tuple[float, int, int] | None = None
    for rows in range(1, num_perm + 1):
        number = np.arange(1, num_perm // rows + 1)
        missed = (1 - (levels / 1000) ** rows) ** number[:, None] @ bins[levels]
        reached = np.flatnonzero(1 - missed >= wanted - TIE)
        if len(reached) == 0:
            break  # more rows find less
        bands = int(number[reached[0]])
        cost = float((1 - (1 - below**rows) ** bands).mean())
        best = min(best or (np.inf, 0, 0), (cost, bands, rows))
    return best[1:] if best else (num_perm, 1)


def found_by(bands: tuple[int, int], similarity: Share, weight: Share) -> float:
    """Return the share of pairs that bands find: their S-curve's mean over these similarities."""
    chance = 1 - (1 - similarity ** bands[1]) ** bands[0]
    return float((chance * weight).sum() / weight.sum())


def components(documents: int, a: Int, b: Int) -> Int:
    """Return the component of each document, int64[documents], as its least member.

    >>> components(5, np.array([3, 1]), np.array([4, 3])).tolist()
    [0, 1, 2, 1, 1]
    """
    label = np.arange(documents)
    while True:
        least = np.minimum(label[a], label[b])
        new = label.copy()
        np.minimum.at(new, label[a], least)
        np.minimum.at(new, label[b], least)
        while (new[new] != new).any():
            new = new[new]
        if (new == label).all():
            return label
        label = new
