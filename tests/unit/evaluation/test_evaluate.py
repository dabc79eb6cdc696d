from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import dupdetect
from dupdetect import evaluate
from dupdetect.errors import InputError
from dupdetect.evaluation.scores import MissedPairs, PairScore, RelationScore, WrongCluster

# Found: a b c d | e f | g; true: a b | c d e | f g. Counted by hand in the tests.
FOUND = {"a": "a", "b": "a", "c": "a", "d": "a", "e": "e", "f": "e", "g": "g"}
TRUE = {"a": 1, "b": 1, "c": 2, "d": 2, "e": 2, "f": 3, "g": 3}


def table(**columns: list[Any]) -> pa.Table:
    return pa.table(columns)


def test_pairs_by_hand() -> None:
    pairs = evaluate(FOUND, TRUE).pairs
    assert pairs == PairScore(right=2, found=7, true=5)  # ab, cd; 6 + 1; 1 + 3 + 1
    assert (pairs.precision, pairs.recall) == (2 / 7, 2 / 5)
    assert pairs.f1 == pytest.approx(2 * (2 / 7) * (2 / 5) / (2 / 7 + 2 / 5))


def test_bcubed_by_hand() -> None:
    bcubed = evaluate(FOUND, TRUE).bcubed
    assert bcubed is not None
    assert bcubed.precision == pytest.approx((4 * 2 / 4 + 2 * 1 / 2 + 1) / 7)
    assert bcubed.recall == pytest.approx((2 * 1 + 2 * 2 / 3 + 1 / 3 + 2 * 1 / 2) / 7)


def test_adjusted_rand_by_hand() -> None:
    expected = 7 * 5 / 21
    assert evaluate(FOUND, TRUE).adjusted_rand == pytest.approx((2 - expected) / ((7 + 5) / 2 - expected))


def test_the_worst_clusters_by_hand() -> None:
    assert evaluate(FOUND, TRUE).worst == [
        WrongCluster("a", 4, 6, 4, ["a", "c"]),
        WrongCluster("e", 2, 1, 1, ["e", "f"]),
    ]
    assert evaluate(FOUND, TRUE, listed=1).worst == [WrongCluster("a", 4, 6, 4, ["a", "c"])]
    assert evaluate(FOUND, TRUE, listed=1).wrong_clusters == 2


def test_the_missed_pairs_by_hand() -> None:
    evaluation = evaluate(FOUND, TRUE)
    assert evaluation.missed == [MissedPairs("c", "e", 2), MissedPairs("f", "g", 1)]  # ce and de; fg
    assert sum(missed.pairs for missed in evaluation.missed) == evaluation.pairs.true - evaluation.pairs.right


def test_sizes_by_hand() -> None:
    sizes = evaluate(FOUND, TRUE).sizes
    assert [(row.least, row.most, row.clusters, row.found, row.right) for row in sizes] == [
        (2, 2, 1, 1, 0),
        (3, 4, 1, 6, 2),
    ]
    assert [(row.true_clusters, row.true, row.true_found) for row in sizes] == [(2, 2, 1), (1, 3, 1)]
    assert [(row.precision, row.recall) for row in sizes] == [(0.0, 0.5), (2 / 6, 1 / 3)]


def test_relations_are_judged_with_the_canonical() -> None:
    clusters = table(
        id=["a", "b", "c", "d"], cluster=["a", "a", "a", "a"], relation=[None, "identical", "contains", "contains"]
    )
    evaluation = evaluate(clusters, {"a": 1, "b": 1, "c": 1, "d": 2})
    assert evaluation.relations == [RelationScore("contains", 2, 1), RelationScore("identical", 1, 1)]
    assert [row.precision for row in evaluation.relations] == [0.5, 1.0]


def test_pairs_to_ignore_are_not_scored() -> None:
    evaluation = evaluate(FOUND, TRUE, ignore=table(one=[1, 9], other=[2, 1]))
    assert evaluation.pairs == PairScore(2, 3, 5)  # without ac, ad, bc, bd
    assert evaluation.unscored_pairs == 4
    assert evaluation.bcubed is not None
    assert evaluation.bcubed.precision == pytest.approx((4 * 2 / 2 + 2 * 1 / 2 + 1) / 7)
    assert [row.cluster for row in evaluation.worst] == ["e"]


def test_documents_of_one_side_are_counted_and_named() -> None:
    evaluation = evaluate(FOUND | {"x": "a", "y": "y"}, TRUE | {"z": 1})
    assert (evaluation.only_in_clusters, evaluation.examples_only_in_clusters) == (2, ["x", "y"])
    assert (evaluation.only_in_truth, evaluation.examples_only_in_truth) == (1, ["z"])
    assert evaluation.documents == 7
    assert evaluation.pairs == evaluate(FOUND, TRUE).pairs


def test_pairs_as_the_truth_without_labels() -> None:
    evaluation = evaluate(FOUND, table(a=["b", "c", "e", "f", "a"], b=["a", "d", "c", "lost", "b"]))
    assert evaluation.pairs == PairScore(right=2, found=7, true=3)  # ab (named twice), cd; ce is missed
    assert evaluation.missed == [MissedPairs("c", "e", 1)]
    assert (evaluation.unknown_true_pairs, evaluation.only_in_truth) == (1, 1)
    assert (evaluation.bcubed, evaluation.adjusted_rand) == (None, None)
    assert [(row.cluster, row.false) for row in evaluation.worst] == [("a", 4), ("e", 1)]
    assert all(row.recall is None for row in evaluation.sizes)


def test_pairs_as_the_truth_with_labels() -> None:
    truth = table(a=["a", "a", "e", "c"], b=["b", "c", "f", "e"], label=["yes", "no", "no", "yes"])
    evaluation = evaluate(FOUND, truth)
    assert evaluation.pairs == PairScore(right=1, found=3, true=2)
    assert evaluation.worst == [WrongCluster("a", 4, 2, 1, ["a", "c"]), WrongCluster("e", 2, 1, 1, ["e", "f"])]
    assert evaluation.unscored_pairs == 4
    assert evaluation.only_in_clusters == 2  # d and g
    assert evaluate(FOUND, [("a", "b", 1), ("a", "c", 0), ("e", "f", 0), ("c", "e", 1)]) == evaluation
    assert evaluate(FOUND, truth.to_pylist()) == evaluation


def test_pairs_of_documents_to_ignore() -> None:
    ignore = table(a=["a", "b", "c"], b=["c", "a", "nobody"])
    evaluation = evaluate(FOUND, table(a=["a", "c"], b=["b", "d"]), ignore=ignore)
    assert evaluation.pairs == PairScore(1, 5, 1)


def test_a_document_is_no_pair_with_itself() -> None:
    evaluation = evaluate(FOUND, table(a=["a", "a"], b=["a", "b"]))
    assert evaluation.pairs == PairScore(1, 7, 1)
    assert evaluation.notes == ["left out: 1 pairs of a document with itself"]


def test_a_pair_labelled_both_ways_is_an_error() -> None:
    with pytest.raises(InputError, match="labels the pair 'a', 'b' both ways"):
        evaluate(FOUND, table(a=["a", "b"], b=["b", "a"], label=[1, 0]))


def test_another_column_and_numbers_as_ids(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("id,story,kind\n1,x,page\n2,x,clean\n3,y,page\n")
    clusters = table(id=[1, 2, 3], cluster=[1, 1, 3])
    assert evaluate(clusters, tmp_path / "truth.csv", cluster_column="story").pairs == PairScore(1, 1, 1)
    with pytest.raises(InputError, match="there are 'id', 'story', 'kind': name the one that says"):
        evaluate(clusters, str(tmp_path / "truth.csv"))


@pytest.mark.parametrize(
    ("clusters", "truth", "message"),
    [
        (table(id=["a", "a"], cluster=["a", "a"]), TRUE, "the document 'a' is in the clusters more than once"),
        (FOUND, table(id=["a", "a"], cluster=[1, 1]), "the document 'a' is in the truth more than once"),
        (FOUND, {"other": 1}, r"no id is in both the clusters \('a', 'b', 'c', ...\) and the truth \('other'\)"),
        ({}, {"other": 1}, "no id is in both"),
        (table(id=["a"]), TRUE, "no column 'cluster' in the clusters"),
        ("missing.parquet", TRUE, "missing.parquet"),
        (FOUND, "missing.csv", "missing.csv"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(clusters: Any, truth: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        evaluate(clusters, truth)
    assert "\n" not in str(caught.value)


def test_nothing_against_nothing_is_right() -> None:
    empty = table(id=pa.array([], pa.string()), cluster=pa.array([], pa.string()))
    evaluation = evaluate(empty, empty)
    assert (evaluation.documents, evaluation.pairs.f1, evaluation.worst, evaluation.sizes) == (0, 1.0, [], [])
    json.dumps(evaluation.as_dict())


def test_without_scikit_learn_all_but_one_measure_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    evaluation = evaluate(FOUND, TRUE)
    assert evaluation.adjusted_rand is None
    assert evaluation.pairs.right == 2
    assert "pip install 'dupdetect[evaluate]'" in evaluation.notes[0]


def test_as_a_dict_and_in_words() -> None:
    evaluation = evaluate(FOUND, TRUE)
    values = json.loads(json.dumps(evaluation.as_dict()))
    assert values["pairs"] == {"right": 2, "found": 7, "true": 5, "precision": 2 / 7, "recall": 0.4, "f1": 1 / 3}
    assert values["sizes"][1]["recall"] == 1 / 3
    assert repr(evaluation) == (
        "Evaluation(7 documents: pairs precision 0.2857, recall 0.4000, F1 0.3333, B-cubed F1 0.6154, adjusted Rand "
        "0.0769; 5 wrong pairs, 3 missed)"
    )


def test_a_result_and_its_folder_say_the_same(tmp_path: Path) -> None:
    texts = {"a": "one two three four five six", "b": "One two three four five six!", "c": "nothing of the kind"}
    result = dupdetect.dedup(texts)
    result.write(tmp_path / "out")
    truth = {"a": "x", "b": "x", "c": "x"}
    expected = evaluate(result, truth)
    assert expected.pairs == PairScore(1, 1, 3)
    assert expected.relations == [RelationScore("identical", 1, 1)]
    for source in (tmp_path / "out", str(tmp_path / "out"), tmp_path / "out" / "clusters.parquet"):
        assert evaluate(source, truth) == expected


def test_families_of_a_hundred_thousand_cost_no_more_than_others() -> None:
    n = 400_000
    ids = np.arange(n)
    found = table(id=ids, cluster=ids // 100_000)
    true = table(id=ids, cluster=(ids + 10_000) // 100_000)
    evaluation = evaluate(found, true)  # of 20 billion pairs: one by one they would take hours
    part, rest = 90_000 * 89_999 // 2, 10_000 * 9_999 // 2
    assert evaluation.pairs == PairScore(
        4 * (part + rest), 4 * 100_000 * 99_999 // 2, part + 3 * 100_000 * 99_999 // 2 + rest
    )
    assert evaluation.missed[0].pairs == 90_000 * 10_000
