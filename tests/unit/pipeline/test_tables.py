import numpy as np
import pyarrow as pa
import pytest

from dupdetect.clustering.digests import Contents
from dupdetect.io.rows import Rows
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import pack
from dupdetect.pipeline import tables
from dupdetect.pipeline.tables import Decision
from dupdetect.settings import Settings

SETTINGS = Settings()


def decision(text_of, canonical, matches=(), ranks=None, held=()):
    """Make a decision from rows of (a, b, shared, size_a, size_b); ranks as the documents come.

    What digests hold is given as rows of (digest, canonical, containment, share).
    """
    text_of = np.array(text_of, np.int64)
    columns = np.array(sorted(matches), np.int64).reshape(-1, 5).T
    ranks = np.arange(len(text_of)) if ranks is None else np.array(ranks)
    document_of = np.array(
        [min(np.flatnonzero(text_of == text), key=lambda one: ranks[one]) for text in range(len(canonical))], np.int64
    )
    canonical = np.array(canonical, np.int64)
    bridge, inside, containment, share = np.array(held, np.float64).reshape(-1, 4).T
    contents = Contents(bridge.astype(np.int64), inside.astype(np.int64), containment, share)
    digests = np.isin(np.arange(len(canonical)), bridge)
    overlaps = Overlaps(pack(columns[0], columns[1]), *columns[2:])
    return Decision(text_of, ranks, document_of, canonical, overlaps, digests, contents, Boilerplate.none())


class Documents:
    """What the tables ask of a corpus."""

    again = None

    def __init__(self, table):
        self.rows, self.ids = Rows.of(table), table["id"]

    def __len__(self):
        return self.rows.num_rows

    @property
    def new(self):
        return len(self)


def documents(ids):
    return Documents(pa.table({"id": ids, "text": ["x"] * len(ids), "more": range(len(ids))}))


def test_a_clusters_row_relates_the_document_to_its_canonical():
    # The texts 0 and 2 are inside 1 and 3: a page contains its article, whichever is numbered first.
    made = decision([0, 1, 2, 3, 1], [0, 0, 3, 3], [(0, 1, 90, 100, 300), (2, 3, 90, 100, 300)])
    rows = tables.clusters_table(documents([*"abcde"]), made, SETTINGS).to_pylist()
    assert rows[0] == {
        "id": "a",
        "cluster": "a",
        "canonical": True,
        **dict.fromkeys(["relation", "score", "jaccard", "containment", "lost", "lost_share"]),
    }
    assert rows[1] == {
        "id": "b",
        "cluster": "a",
        "canonical": False,
        "relation": "contains",
        "score": 0.9,
        "jaccard": 90 / 310,
        "containment": 0.9,
        "lost": 210,
        "lost_share": 0.7,
    }
    assert (rows[2]["relation"], rows[2]["cluster"]) == ("contained", "d")
    assert (rows[4]["relation"], rows[4]["cluster"], rows[4]["containment"]) == ("contains", "a", 0.9)


def test_the_same_text_as_the_canonical_is_identical():
    rows = tables.clusters_table(documents([3, 1, 2]), decision([0, 0, 0], [0], ranks=[2, 0, 1]), SETTINGS).to_pylist()
    assert [row["cluster"] for row in rows] == [1, 1, 1]
    assert [row["relation"] for row in rows] == ["identical", None, "identical"]
    assert (rows[0]["score"], rows[0]["jaccard"], rows[0]["containment"]) == (1.0, 1.0, 1.0)


def test_documents_without_words_stand_alone():
    made = decision([-1, 0, -1], [0])
    assert made.canonical_documents.tolist() == [0, 1, 2]
    rows = tables.clusters_table(documents([*"abc"]), made, SETTINGS).to_pylist()
    assert all(row["canonical"] and row["relation"] is None for row in rows)


def test_tables_have_the_columns_and_types_of_the_contract():
    made = decision([0, 0], [0])
    clusters = tables.clusters_table(documents(pa.array([1, 2], pa.uint16())), made, SETTINGS)
    assert clusters.schema == pa.schema(
        [("id", pa.uint16()), ("cluster", pa.uint16()), ("canonical", pa.bool_()), ("relation", pa.string())]
        + [(name, pa.float64()) for name in ("score", "jaccard", "containment")]
        + [("lost", pa.int64()), ("lost_share", pa.float64())]
    )
    matches, _ = tables.matches_table(documents(pa.array([1, 2], pa.uint16())), made, SETTINGS)
    assert matches.schema == pa.schema(
        [("a", pa.uint16()), ("b", pa.uint16()), ("relation", pa.string())]
        + [(name, pa.float64()) for name in ("score", "jaccard", "containment_a", "containment_b", "boilerplate")]
    )
    digests = tables.digests_table(documents(pa.array([1, 2], pa.uint16())), made, SETTINGS)
    assert digests.schema == pa.schema(
        [("id", pa.uint16()), ("cluster", pa.uint16()), ("containment", pa.float64()), ("share", pa.float64())]
    )


def test_empty_tables_have_the_same_columns():
    none, some = decision([], []), decision([0, 0], [0])
    empty = Documents(pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())}))
    for made in (tables.clusters_table, lambda *args: tables.matches_table(*args)[0], tables.digests_table):
        assert made(empty, none, SETTINGS).schema == made(documents(["a", "b"]), some, SETTINGS).schema
    assert tables.kept_rows(empty, none).num_rows == 0


def test_matches_are_listed_for_every_two_documents_and_ordered_by_id():
    made = decision([1, 0, 0, 1], [0, 0], [(0, 1, 90, 95, 96)])
    table, unlisted = tables.matches_table(documents([*"dcba"]), made, SETTINGS)
    assert [(row["a"], row["b"], row["relation"]) for row in table.to_pylist()] == [
        ("b", "a", "near_duplicate"),
        ("b", "d", "near_duplicate"),
        ("c", "a", "near_duplicate"),
        ("c", "b", "identical"),
        ("c", "d", "near_duplicate"),
        ("d", "a", "identical"),
    ]
    assert unlisted == 0


@pytest.mark.parametrize(("copies", "listed"), [(2, 1), (5, 10), (6, 5), (1, 0)])
def test_of_too_many_identical_documents_the_first_is_paired_with_each_other(copies, listed):
    table, unlisted = tables.matches_table(
        documents(list(range(copies))), decision([0] * copies, [0]), SETTINGS.replace(hot_key_documents=5)
    )
    assert table.num_rows == listed
    assert listed + unlisted == copies * (copies - 1) // 2
    if unlisted:
        assert set(table["a"].to_pylist()) == {0}


def test_of_too_many_pairs_between_two_texts_one_stands_for_all():
    few = SETTINGS.replace(hot_key_documents=5)
    # The first of each text; of a text and its cluster's canonical, the first of that with all of the other.
    for canonical, expected in (([0, 1], [("c", "e")]), ([0, 0], [("c", "d"), ("c", "e")])):
        made = decision([0, 0, 0, 1, 1], canonical, [(0, 1, 90, 95, 96)], ranks=[4, 3, 0, 2, 1])
        table, unlisted = tables.matches_table(documents([*"abcde"]), made, few)
        between = [(row["a"], row["b"]) for row in table.to_pylist() if row["relation"] != "identical"]
        assert between == expected
        assert unlisted == 6 - len(expected)


def test_a_bridge_has_a_row_for_each_canonical_it_holds_the_most_first():
    held = [(3, 0, 1.0, 0.2), (3, 1, 0.9, 0.4), (3, 2, 0.8, 0.2)]
    made = decision([2, 0, 3, 1, -1], [0, 1, 2, 3], held=held)
    assert made.digest_documents.tolist() == [2]
    assert tables.digests_table(documents([*"zyxwv"]), made, SETTINGS).to_pylist() == [
        {"id": "x", "cluster": "w", "containment": 0.9, "share": 0.4},
        {"id": "x", "cluster": "y", "containment": 1.0, "share": 0.2},
        {"id": "x", "cluster": "z", "containment": 0.8, "share": 0.2},
    ]


def test_bridges_are_ordered_by_id():
    held = [(1, 0, 1.0, 0.5), (2, 0, 1.0, 0.25)]
    table = tables.digests_table(documents([7, 30, 4]), decision([0, 1, 2], [0, 1, 2], held=held), SETTINGS)
    assert table.select(["id", "cluster", "share"]).to_pydict() == {
        "id": [4, 30],
        "cluster": [7, 7],
        "share": [0.25, 0.5],
    }


@pytest.mark.parametrize(("copies", "listed"), [(3, ["b", "c", "d"]), (4, ["d"])])
def test_every_document_of_a_bridge_is_listed_unless_they_are_too_many(copies, listed):
    made = decision([0, *[1] * copies], [0, 1], ranks=[0, 5, 4, 3, 6][: copies + 1], held=[(1, 0, 1.0, 0.5)])
    table = tables.digests_table(documents([*"abcde"][: copies + 1]), made, SETTINGS.replace(hot_key_documents=3))
    assert table["id"].to_pylist() == listed
    assert len(made.digest_documents) == copies


def test_kept_rows_are_the_canonicals_in_input_order_with_every_column():
    made = decision([1, 0, 0, -1], [0, 1], ranks=[0, 2, 1, 3])
    kept = tables.kept_rows(documents([*"abcd"]), made).table()
    assert kept.to_pydict() == {"id": ["a", "c", "d"], "text": ["x"] * 3, "more": [0, 2, 3]}


def test_relations_are_counted_by_name():
    clusters = pa.table({"relation": [None, "contains", "identical", "contains"]})
    counts = tables.relation_counts(clusters)
    assert counts == {"identical": 1, "near_duplicate": 0, "contains": 2, "contained": 0, "syndicated": 0}
