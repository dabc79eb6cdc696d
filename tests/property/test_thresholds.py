"""The grid against every rule tried one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.evaluation.thresholds import (
    MIN_SHINGLES,
    STEPS,
    Goal,
    Grid,
    Measured,
    Rule,
    bands_for,
    found_by,
    middle,
)

share = st.sampled_from([0.0, 0.004, 0.01, 0.29, 0.3, 0.57, 0.575, 0.58, 0.99, 1.0]) | st.floats(0, 1)
row = st.tuples(
    share,
    share,
    share,
    st.integers(0, 200),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.sampled_from([0.0, 4.0, 11.2, 16.0, 200.0]) | st.floats(0, 200),
)
rows = st.lists(row, min_size=2, max_size=12).filter(lambda rows: any(r[4] and r[5] for r in rows))
Row = tuple[float, float, float, int, bool, float, float]
goals = st.sampled_from([Goal(), Goal(beta=0.5), Goal(precision=0.9)])


def measured(rows: list[Row]) -> tuple[Measured, np.ndarray]:
    one, other, containment, size, copy, weight, content = map(np.array, zip(*rows, strict=True))
    jaccard, syndicated = np.minimum(one, other), np.maximum(one, other)
    return Measured(jaccard, syndicated, containment, size, content, copy), weight.astype(np.float64)


def judged(pairs: Measured, weight: np.ndarray, rule: Rule, goal: Goal) -> float:
    """Judge a rule, one pair after the other, by the words of its definition."""
    hits = claimed = copies = 0.0
    columns = pairs.jaccard, pairs.syndicated, pairs.containment, pairs.size, pairs.content, pairs.copy, weight
    for jaccard, syndicated, containment, size, content, copy, w in zip(*columns, strict=True):
        enough = content >= rule.containment * rule.min_shingles - 1e-9
        inside = enough and size >= rule.min_shingles and containment >= rule.containment - 1e-9
        taken = jaccard >= rule.threshold or (enough and syndicated >= rule.threshold) or inside
        hits, claimed, copies = hits + w * (taken and copy), claimed + w * taken, copies + w * copy
    precision, recall = hits / claimed if claimed else 1.0, hits / copies
    if goal.precision is not None:
        return recall if precision >= goal.precision else precision - 1
    square = goal.beta**2
    return (1 + square) * hits / (claimed + square * copies)


@given(rows, goals)
def test_no_rule_is_better(rows: list[Row], goal: Goal) -> None:
    pairs, weight = measured(rows)
    best = Grid(pairs, 16).best(weight, goal)
    assert judged(pairs, weight, best.rule, goal) == pytest.approx(best.score)
    assert best.rule.threshold in STEPS
    assert best.rule.containment in STEPS
    # Between two values that occur nothing changes: a rule for each of them, and one beyond, are all there are.
    thresholds = {math.floor(j * 100) / 100 or 0.01 for j in (*pairs.jaccard, *pairs.syndicated)} | {1.0}
    thresholds |= {min(t + 0.01, 1.0) for t in thresholds}
    containments = {math.floor(c * 100) / 100 or 0.01 for c in pairs.containment} | {1.0}
    bounds = {min(math.floor(c / least * 100) / 100, 1.0) for c in pairs.content for least in MIN_SHINGLES}
    containments |= {c or 0.01 for c in bounds}
    containments |= {min(c + 0.01, 1.0) for c in containments}
    for threshold in thresholds:
        for containment in containments:
            for least in MIN_SHINGLES:
                rule = Rule(round(threshold, 2), round(containment, 2), least)
                assert judged(pairs, weight, rule, goal) <= best.score + 1e-9


@given(rows, st.sampled_from([1, 16, 24, 100]))
def test_a_grid_counts_what_each_rule_takes(rows: list[Row], usual: int) -> None:
    pairs, weight = measured(rows)
    grid = Grid(pairs, usual)
    hits, claimed, copies = grid.counts(weight)
    for place, least in enumerate(grid.min_shingles):
        for t in range(0, 100, 7):
            for c in (0, *range(3, 100, 12), 99):
                taken = pairs.taken(Rule(STEPS[t], STEPS[c], least))
                cell = place, t, c
                assert claimed[cell] == pytest.approx(weight[taken].sum())
                assert hits[cell] == pytest.approx(weight[taken & pairs.copy].sum())
    assert copies == weight[pairs.copy].sum()


@given(rows)
def test_the_front_is_what_no_rule_beats(rows: list[Row]) -> None:
    pairs, weight = measured(rows)
    grid = Grid(pairs, 16)
    front = grid.front(weight, 16)
    recalls = [scored.recall for _, scored in front]
    precisions = [scored.precision for _, scored in front]
    assert recalls == sorted(set(recalls))
    assert precisions == sorted(set(precisions), reverse=True)
    for rule, scored in front:
        assert pairs.scores(rule, weight) == pytest.approx(scored)
    for threshold in STEPS[::9]:
        for containment in STEPS[::9]:
            scored = pairs.scores(Rule(threshold, containment, 16), weight)
            if scored.recall > 0:
                assert any(
                    p >= scored.precision - 1e-9 and r >= scored.recall - 1e-9
                    for p, r in zip(precisions, recalls, strict=True)
                )


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=6).filter(lambda p: np.any(p)))
def test_the_middle_is_as_far_from_the_edge_as_any(rows: list[list[bool]]) -> None:
    plateau = np.array(rows)

    def margin(y: int, x: int) -> int:
        steps = 0
        while True:
            ys, xs = range(y - steps, y + steps + 1), range(x - steps, x + steps + 1)
            if min(*ys, 0) < 0 or min(*xs, 0) < 0 or max(ys) >= plateau.shape[0] or max(xs) >= plateau.shape[1]:
                return steps
            if not plateau[ys.start : ys.stop, xs.start : xs.stop].all():
                return steps
            steps += 1

    (y, x), found = middle(plateau)
    assert found == margin(y, x) == max(margin(*cell) for cell in np.ndindex(plateau.shape))


@given(st.lists(st.floats(0.2, 1), min_size=1, max_size=20), st.floats(0.05, 1), st.sampled_from([0.5, 0.9, 0.99]))
def test_bands_find_what_is_wanted_and_none_that_do_are_cheaper(
    similar: list[float], threshold: float, wanted: float
) -> None:
    similarity, weight = np.array(similar), np.ones(len(similar))
    bands, rows = bands_for(similarity, weight, threshold, 64, wanted)
    assert bands * rows <= 64
    assert found_by((bands, rows), similarity, weight) >= wanted - 1e-9
    below = np.linspace(0, threshold, 200)

    def cost(bands: int, rows: int) -> float:
        return float((1 - (1 - below**rows) ** bands).mean())

    floored = np.floor(similarity * 1000) / 1000
    for r in range(1, 65):
        for b in range(1, 64 // r + 1):
            if found_by((b, r), floored, weight) >= wanted:
                assert (cost(bands, rows), bands) <= (cost(b, r) + 1e-12, b) or cost(bands, rows) < cost(b, r) + 1e-12


def test_bands_that_cannot_find_enough_find_the_most() -> None:
    assert bands_for(np.array([0.01]), np.ones(1), 0.01, 16, 0.99) == (16, 1)
