"""The stages one by one: the same as `dedup`, and open to pairs of one's own."""

import numpy as np
import pyarrow as pa
import pytest
from generated_sites import Writer, site

import dupdetect
from dupdetect import InputError, Settings


def corpus():
    """Make pages of two sites, articles of them alone, copies, a digest document and an empty text."""
    pages = [*site("en", "one", 4).values(), *site("en", "two", 4).values()]
    articles = [Writer("en", f"article {n}").story(4) for n in range(4)]
    changed = [text.replace("harbour", "port") for text in articles]
    return [*pages, *articles, articles[0].upper(), *changed, "\n\n".join(articles), "", "", pages[0]]


def forwards(row):
    """Give a match of a dedup with the lesser row first."""
    if row["a"] < row["b"]:
        return row
    relation = {"contains": "contained", "contained": "contains"}.get(row["relation"], row["relation"])
    ends = {"a": row["b"], "b": row["a"], "containment_a": row["containment_b"], "containment_b": row["containment_a"]}
    return {**row, **ends, "relation": relation}


def composed(texts, settings, documents=None):
    sketches = dupdetect.sketch(texts, settings=settings)
    pairs = dupdetect.find_candidates(sketches)
    matches = dupdetect.verify(pairs, texts, settings=settings)
    clusters = dupdetect.cluster(matches, sketches)
    return matches, dupdetect.choose_canonicals(clusters, matches, sketches, documents)


@pytest.mark.parametrize("policy", ["cleanest", "longest", "first", "earliest"])
@pytest.mark.parametrize("boilerplate", [True, False])
def test_composed_they_are_dedup(policy, boilerplate):
    texts, settings = corpus(), Settings(canonical=policy, boilerplate=boilerplate)
    table = pa.table(
        {"id": np.arange(len(texts)), "text": texts, "date": [f"2024-01-{n % 7 + 1:02}" for n in range(len(texts))]}
    )
    matches, clusters = composed(texts, settings, table)
    result = dupdetect.dedup(table, settings=settings)
    for name in ("cluster", "canonical"):
        assert clusters[name].to_pylist() == result.clusters[name].to_pylist()
    assert np.flatnonzero(clusters["digest"].to_numpy()).tolist() == sorted(set(result.digests["id"].to_pylist()))
    mine = {(row["a"], row["b"]): row for row in matches.to_pylist() if row["relation"] != "identical"}
    listed = {(row["a"], row["b"]): row for row in map(forwards, result.matches.to_pylist())}
    # Of documents with the same words, the stages compare the first; `dedup` lists the pairs of all.
    assert mine.keys() <= listed.keys()
    for pair in mine:
        assert {name: mine[pair][name] for name in listed[pair]} == listed[pair]


def test_pairs_of_ones_own_are_verified():
    story = Writer("en", "story").story(4)
    texts = ["Nothing like it.", f"{story} More.", story, ""]
    pairs = pa.table({"a": [2, 2, 0, 1, 1, 3], "b": [1, 0, 0, 2, 3, 2]})  # in either order, twice, with itself, empty
    matches = dupdetect.verify(pairs, texts)
    assert matches.select(["a", "b", "relation"]).to_pylist() == [{"a": 1, "b": 2, "relation": "near_duplicate"}]
    first = matches.to_pylist()[0]
    assert first["containment_a"] < first["containment_b"] == 1
    assert (first["size_a"], first["shared"]) == (first["size_b"] + 1, first["size_b"])


def test_the_relation_is_that_of_the_first_to_the_second():
    story = Writer("en", "story").story(4)
    page = f"{story}\n\n{Writer('en', 'other').story(9)}"
    for texts, relation in (([page, story], "contains"), ([story, page], "contained")):
        found = dupdetect.verify(pa.table({"a": [0], "b": [1]}), texts, boilerplate=False)
        assert found["relation"].to_pylist() == [relation]


def test_nothing_comes_of_nothing():
    sketches = dupdetect.sketch([])
    pairs = dupdetect.find_candidates(sketches)
    matches = dupdetect.verify(pairs, [])
    clusters = dupdetect.cluster(matches, sketches)
    assert (pairs.num_rows, matches.num_rows, clusters.num_rows) == (0, 0, 0)
    assert dupdetect.choose_canonicals(clusters, matches, sketches).num_rows == 0


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"a": [0]}, "there is no column 'b' of rows of documents; the columns are 'a'"),
        ({"a": [0], "b": [2]}, "column 'b' has rows from 2 to 2; expected 0 to 1"),
        ({"a": [-1], "b": [1]}, "column 'a' has rows from -1 to -1; expected 0 to 1"),
        ({"a": ["x"], "b": [1]}, "column 'a' is string with 0 nulls; expected rows of documents"),
        ({"a": [0], "b": pa.array([None], pa.int64())}, "column 'b' is int64 with 1 nulls"),
    ],
)
def test_pairs_that_name_no_documents_are_refused(pairs, message):
    with pytest.raises(InputError, match=message):
        dupdetect.verify(pa.table(pairs), ["one", "two"])


def test_matches_without_counts_and_documents_of_another_number_are_refused():
    sketches = dupdetect.sketch(["one", "two"])
    bare = pa.table({"a": [0], "b": [1]})
    with pytest.raises(InputError, match="there is no column 'shared' of matches; give a table as `verify` returns it"):
        dupdetect.cluster(bare, sketches)
    matches = dupdetect.verify(bare, ["one", "two"])
    clusters = dupdetect.cluster(matches, sketches)
    with pytest.raises(InputError, match="1 documents were given for 2 sketches; give a row for each"):
        dupdetect.choose_canonicals(clusters, matches, sketches, pa.table({"id": ["a"]}))


def test_sampled_pairs_of_a_hot_key_are_told():
    story = Writer("en", "family").story(6)
    sketches = dupdetect.sketch([f"{story} {n}" for n in range(12)], hot_key_documents=4)
    pairs = dupdetect.find_candidates(sketches)
    assert 0 < pairs.num_rows < 66
    assert pairs["sampled"].to_pylist() == [True] * pairs.num_rows
