"""Counts from the contingency table equal counts of pairs, one by one."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupdetect import evaluate
from dupdetect.evaluation.evaluate import LISTED

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25)
label_pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=4)


def clusterings(drawn):
    found = {f"d{i}": f"f{x}" for i, (x, _) in enumerate(drawn)}
    return found, {f"d{i}": y for i, (_, y) in enumerate(drawn)}


def naive(found, true, ignored):
    """Count right, found and true pairs, and the wrong ones of each found cluster."""
    right = scored = all_true = 0
    wrong = Counter()
    for x, y in combinations(found, 2):
        together, same = found[x] == found[y], true[x] == true[y]
        all_true += same
        if together and frozenset((true[x], true[y])) not in ignored:
            scored += 1
            right += same
            wrong[found[x]] += not same
    return right, scored, all_true, {cluster: count for cluster, count in wrong.items() if count}


@given(labels, label_pairs)
def test_pairs(drawn, ignored):
    found, true = clusterings(drawn)
    table = pa.table(
        {"a": pa.array([a for a, _ in ignored], pa.int64()), "b": pa.array([b for _, b in ignored], pa.int64())}
    )
    right, scored, all_true, wrong = naive(found, true, {frozenset(pair) for pair in ignored if pair[0] != pair[1]})
    evaluation = evaluate(found, true, ignore=table)
    assert (evaluation.pairs.right, evaluation.pairs.found, evaluation.pairs.true) == (right, scored, all_true)
    assert {row.cluster: row.false for row in evaluation.worst} == wrong
    assert [row.false for row in evaluation.worst] == sorted(wrong.values(), reverse=True)
    assert evaluation.wrong_clusters == len(wrong)
    assert sum(row.right for row in evaluation.sizes) == sum(row.true_found for row in evaluation.sizes) == right
    assert sum(row.found for row in evaluation.sizes) == scored
    assert sum(row.true for row in evaluation.sizes) == all_true
    assert evaluation.unscored_pairs == naive(found, true, ())[1] - scored


@given(labels)
def test_missed_pairs_sum_up_and_are_missed(drawn):
    found, true = clusterings(drawn)
    evaluation = evaluate(found, true)
    for missed in evaluation.missed:
        assert true[missed.a] == true[missed.b]
        assert found[missed.a] != found[missed.b]
    assert len(evaluation.missed) <= LISTED
    assert sum(missed.pairs for missed in evaluation.missed) == evaluation.pairs.true - evaluation.pairs.right


@given(labels)
def test_bcubed(drawn):
    found, true = clusterings(drawn)
    precision, recall = [], []
    for document in found:
        mine = {other for other in found if found[other] == found[document]}
        same = {other for other in found if true[other] == true[document]}
        precision.append(len(mine & same) / len(mine))
        recall.append(len(mine & same) / len(same))
    bcubed = evaluate(found, true).bcubed
    assert bcubed.precision == pytest.approx(sum(precision) / len(found))
    assert bcubed.recall == pytest.approx(sum(recall) / len(found))


@given(labels)
def test_clusters_and_all_their_pairs_are_the_same_truth(drawn):
    found, true = clusterings(drawn)
    pairs = [(x, y, true[x] == true[y]) for x, y in combinations(found, 2)]
    if not any(same for *_, same in pairs):
        return
    expected = evaluate(found, true)
    columns = {name: [pair[place] for pair in pairs] for place, name in enumerate(("a", "b", "label"))}
    labelled = evaluate(found, pa.table(columns))
    assert labelled.pairs == expected.pairs
    assert [(row.cluster, row.false) for row in labelled.worst] == [(row.cluster, row.false) for row in expected.worst]
    listed = pa.table(columns).filter(pa.array(columns["label"])).drop_columns("label")
    assert evaluate(found, listed).pairs == expected.pairs


@given(labels, st.randoms())
def test_the_order_of_documents_does_not_matter(drawn, random):
    found, true = clusterings(drawn)
    shuffled = random.sample(list(found), len(found))
    expected, again = evaluate(found, true), evaluate({name: found[name] for name in shuffled}, true)
    assert again.pairs == expected.pairs
    assert again.adjusted_rand == pytest.approx(expected.adjusted_rand)
    assert sorted(row.false for row in again.worst) == sorted(row.false for row in expected.worst)


@given(labels)
def test_a_clustering_is_right_about_itself(drawn):
    found, _ = clusterings(drawn)
    evaluation = evaluate(found, found)
    assert evaluation.pairs.f1 == evaluation.bcubed.f1 == evaluation.adjusted_rand == 1.0
    assert not evaluation.worst
    assert not evaluation.missed
