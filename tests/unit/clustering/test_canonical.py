from datetime import date
from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest
from verifying import unweighed

from dupdetect.clustering.canonical import TRIES, Rankable, choose, least, rank
from dupdetect.errors import InputError, SettingsError
from dupdetect.io.rows import Rows
from dupdetect.matching.pairs import pack
from dupdetect.matching.removal import decided
from dupdetect.settings import Settings


def ranked(ids, *, clean=None, words=None, columns=None, **settings):
    """Rank documents: the ids, first to last."""
    n = len(ids)
    table = pa.table({"id": ids, **(columns or {})})
    clean = np.zeros(n) if clean is None else np.array(clean, float)
    words = np.ones(n, np.int64) if words is None else np.array(words)
    ranks = rank(Settings(**settings), Rankable(Rows.of(table), table["id"], words, clean, np.ones(n, np.bool_)))
    assert sorted(ranks.tolist()) == list(range(n))
    return [ids[place] for place in np.argsort(ranks)]


def test_the_cleanest_goes_first_and_ties_by_id():
    assert ranked(["d", "c", "b", "a"], clean=[0.5, 0.9, 0.5, 0.1]) == ["c", "b", "d", "a"]


def test_ids_are_ordered_as_what_they_are():
    assert ranked([10, 9, 100]) == [9, 10, 100]
    assert ranked(["10", "9", "100"]) == ["10", "100", "9"]


def test_the_longest_goes_first_then_the_cleanest_then_the_id():
    assert ranked(["c", "b", "a", "d"], words=[5, 5, 5, 9], clean=[0, 0.5, 0.5, 0], canonical="longest") == [
        "d",
        "a",
        "b",
        "c",
    ]


def test_the_first_read_goes_first():
    assert ranked(["c", "a", "b"], clean=[0, 1, 0.5], canonical="first") == ["c", "a", "b"]


@pytest.mark.parametrize(
    "values",
    [
        [date(2025, 3, 1), None, date(2024, 1, 1), date(2025, 3, 1)],
        ["2025-03-01", None, "2024-01-01", "2025-03-01"],
        [7, None, -2, 7],
        [0.5, None, float("-inf"), 0.5],
        [True, None, False, True],
        pa.array(["2", None, "1", "2"]).dictionary_encode(),
        pa.array(["2", None, "1", "2"], pa.string_view()),
    ],
)
def test_the_earliest_goes_first_and_the_missing_last(values):
    assert ranked(["d", "a", "c", "b"], columns={"date": values}, canonical="earliest") == ["c", "b", "d", "a"]


def test_a_missing_number_goes_last_too():
    assert ranked(["a", "b"], columns={"priority": [float("nan"), 1e300]}, canonical="priority") == ["b", "a"]
    values = pa.chunked_array([[float("nan"), None], [3.0]])
    assert ranked(["a", "b", "c"], columns={"priority": values}, canonical="priority")[0] == "c"


def test_the_column_of_a_policy_can_be_named():
    columns = {"date": [1, 2], "when": [2, 1]}
    assert ranked(["a", "b"], columns=columns, canonical="earliest") == ["a", "b"]
    assert ranked(["a", "b"], columns=columns, canonical="earliest", canonical_column="when") == ["b", "a"]
    assert ranked(["a", "b"], columns=columns, canonical="priority", canonical_column="when") == ["b", "a"]


@pytest.mark.parametrize("policy", ["earliest", "priority"])
def test_a_missing_column_names_those_there_are(policy):
    with pytest.raises(
        InputError, match=rf"canonical='{policy}' reads column .* but the columns are 'id', 'body'; name"
    ):
        ranked(["a"], columns={"body": ["x"]}, canonical=policy)


def test_a_column_without_an_order_is_refused():
    with pytest.raises(InputError, match=r"column 'date', which is list<.*> and has no order; expected numbers"):
        ranked(["a"], columns={"date": [[1]]}, canonical="earliest")


def test_a_callable_orders_by_its_key_of_the_row():
    columns = {"site": ["z", "y", "y"]}
    assert ranked(["a", "c", "b"], columns=columns, canonical=lambda row: row["site"]) == ["b", "c", "a"]
    assert ranked(["a", "c", "b"], columns=columns, canonical=lambda row: (row["site"], -ord(row["id"]))) == [
        "c",
        "b",
        "a",
    ]


@pytest.mark.parametrize("missing", [float("nan"), None])
@pytest.mark.parametrize("order", list(permutations("abcd")))
def test_a_key_that_is_missing_goes_last_in_whatever_order_rows_come(order, missing):
    number = {"a": missing, "b": 2.0, "c": 1.0, "d": 3.0}
    columns = {"number": [number[id] for id in order]}
    assert ranked(list(order), columns=columns, canonical=lambda row: row["number"]) == ["c", "b", "d", "a"]


@pytest.mark.parametrize(
    "key", [lambda row: row["mixed"] or "", lambda row: [row["mixed"]], lambda row: np.array([row["mixed"], 1])]
)
def test_keys_that_cannot_be_ordered_are_refused(key):
    with pytest.raises(
        SettingsError, match=r"canonical gave keys that cannot be ordered \(.*\); expected hashable keys"
    ):
        ranked(["a", "b"], columns={"mixed": pa.array([1, None])}, canonical=key)


def test_a_callable_that_returns_nothing_is_refused():
    """It was forgotten to: whichever document came first would stand, and nobody be told."""
    with pytest.raises(SettingsError, match="canonical gave None for each document; expected a key"):
        ranked(["a", "b"], canonical=lambda _: None)


def test_an_error_in_a_callable_is_its_own():
    with pytest.raises(KeyError):
        ranked(["a"], canonical=lambda row: row["absent"])


@pytest.mark.parametrize("policy", ["cleanest", "longest", "first", "earliest", len])
def test_no_documents_have_no_ranks(policy):
    table = pa.table({"id": pa.array([], pa.string()), "date": pa.array([], pa.date32())})
    nothing = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
    assert rank(Settings(canonical=policy), Rankable(Rows.of(table), table["id"], *nothing)).tolist() == []


def test_the_least_of_each_group_is_found():
    assert least(np.array([3, 0, 2, 1]), np.array([1, 0, 1, 0]), 2).tolist() == [1, 2]


def chosen(texts, clusters, ranks, **settings):
    """Choose anew who represents each cluster: the canonical of each text, and the matches known then."""
    made = Settings(**{"shingle_size": 1, "min_shingles": 1, "threshold": 0.6, "containment": 0.9, **settings})
    verifier = unweighed(texts, made, 1)
    clusters = np.array(clusters, np.int64)
    members = np.flatnonzero(clusters != np.arange(len(texts)))
    matches = decided(verifier.overlaps(pack(members, clusters[members])), made)
    choice, known = choose(clusters, np.array(ranks, np.int64), matches, verifier)
    return choice.tolist(), set(zip(known.a.tolist(), known.b.tolist(), strict=True))


def test_the_first_member_that_all_others_match_represents_the_cluster():
    texts = ["a b c d", "a b c d e", "a b c d f", "x y"]
    choice, known = chosen(texts, [0, 0, 0, 3], [2, 1, 0, 3])
    assert choice == [2, 2, 2, 3]
    assert {(0, 2), (1, 2)} <= known


def test_a_member_that_not_all_match_is_passed_over():
    texts = ["a b c d e f", "a b c d e f g h", "a b c d x y"]
    # 2 comes first by rank and 1 next, but they match 0 alone; so 0, the cleanest, stays.
    choice, _ = chosen(texts, [0, 0, 0], [2, 1, 0], threshold=0.5)
    assert choice == [0, 0, 0]


def test_clusters_are_decided_each_for_itself():
    texts = ["a b c d", "a b c d e", "p q r s", "p q r s t", "lone"]
    choice, _ = chosen(texts, [0, 0, 2, 2, 4], [1, 0, 2, 3, 4])
    assert choice == [1, 1, 2, 2, 4]


def test_after_so_many_tries_the_cleanest_stays():
    core = [f"c{n}" for n in range(10)]
    # Members share the core with the canonical, and with one another too little.
    texts = [" ".join(core), *(" ".join(core + [f"{n}_{m}" for m in range(6)]) for n in range(TRIES + 3))]
    n = len(texts)
    choice, _ = chosen(texts, [0] * n, [n - 1, *range(n - 1)], containment=1.0)
    assert choice == [0] * n


def test_nobody_is_chosen_among_nobody():
    choice, known = chosen([], [], [])
    assert (choice, known) == ([], set())
