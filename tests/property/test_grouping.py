"""Columns that say who may be compared, held against runs and rules that know nothing of them."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import dupdetect
from dupdetect import InputError, Result, Settings, SettingsError
from dupdetect.cli.main import main

#: Small enough for brute force: every pair that shares a shingle is a candidate.
EXACT = Settings(shingle_size=1, threshold=0.6, bands=(128, 1), window=1, boilerplate=False, min_shingles=2)
HOT = EXACT.replace(hot_key_documents=2)

WORDS = ["ορίζοντας", "海", "маяк", "ship", "lamp", "harbour", "نور", "night", "stone", "rope"]


def table(rows: list[tuple[str, str | None]]) -> pa.Table:
    texts, sources = [text for text, _ in rows], pa.array([source for _, source in rows], pa.string())
    return pa.table({"id": [f"d{n}" for n in range(len(rows))], "text": texts, "source": sources})


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
corpora = st.lists(st.tuples(texts, st.sampled_from(["a", "b", "c", None])), min_size=1, max_size=14).map(table)


def clusters(result: Result) -> dict[str, tuple[str, str | None]]:
    return {row["id"]: (row["cluster"], row["relation"]) for row in result.clusters.to_pylist()}


def pairs(result: Result) -> set[frozenset[str]]:
    return {frozenset((row["a"], row["b"])) for row in result.matches.to_pylist()}


def sources(data: pa.Table) -> dict[str, str | None]:
    return dict(zip(data["id"].to_pylist(), data["source"].to_pylist(), strict=True))


@given(corpora, st.sampled_from([EXACT, HOT]))
def test_within_a_value_a_run_is_one_over_its_documents_alone(data: pa.Table, settings: Settings) -> None:
    expected: dict[str, Any] = {}
    for source in set(data["source"].to_pylist()):
        chosen = [value == source for value in data["source"].to_pylist()]
        expected |= clusters(dupdetect.dedup(data.filter(pa.array(chosen)), settings=settings))
    found = dupdetect.dedup(data, settings=settings, within="source")
    assert clusters(found) == expected


@given(corpora, st.sampled_from([EXACT, HOT]))
def test_between_values_nothing_of_one_value_is_a_copy_of_another_of_it(data: pa.Table, settings: Settings) -> None:
    of = sources(data)
    found = dupdetect.dedup(data, settings=settings, between="source")
    assert all(len({of[id] for id in pair}) == 2 for pair in pairs(found))
    assert all(id == cluster or of[id] != of[cluster] for id, (cluster, _) in clusters(found).items())
    if settings is EXACT:
        plain = dupdetect.dedup(data, settings=settings)
        assert pairs(found) == {pair for pair in pairs(plain) if len({of[id] for id in pair}) == 2}
        same = {frozenset(ids) for ids in combinations(of, 2) if len({text_of(data, id) for id in ids}) == 1}
        for row in found.matches.to_pylist():
            assert (row["relation"] == "identical") == (frozenset((row["a"], row["b"])) in same)


def text_of(data: pa.Table, id: str) -> tuple[str, ...]:
    return tuple(data["text"][int(id[1:])].as_py().casefold().split())


@given(corpora, st.sampled_from([EXACT, HOT]))
def test_per_value_one_stays_and_matches_tell_of_all(data: pa.Table, settings: Settings) -> None:
    of = sources(data)
    found = dupdetect.dedup(data, settings=settings, per="source")
    assert all(of[id] == of[cluster] for id, (cluster, _) in clusters(found).items())
    if settings is EXACT:
        assert pairs(found) == pairs(dupdetect.dedup(data, settings=settings))
        within = dupdetect.dedup(data, settings=settings, within="source")
        assert clusters(found) == clusters(within)


@hypothesis_settings(max_examples=20)
@given(corpora, st.sampled_from(["within", "between", "per"]), st.randoms(use_true_random=False))
def test_the_order_of_the_input_makes_no_difference(data: pa.Table, rule: str, chance: random.Random) -> None:
    order = list(range(len(data)))
    chance.shuffle(order)
    rules: Any = {rule: "source"}
    one = dupdetect.dedup(data, settings=EXACT, **rules)
    other = dupdetect.dedup(data.take(order), settings=EXACT, workers=2, **rules)
    assert clusters(one) == clusters(other)


def story(number: int) -> str:
    chance = random.Random(number)
    return " ".join(chance.choices([f"w{n}" for n in range(4000)], k=80))


def test_many_copies_in_one_source_find_those_few_in_another() -> None:
    rows: list[tuple[str, str | None]] = [(f"{story(1)} {n}", "crawl") for n in range(300)]
    data = table([*rows, (story(1), "archive"), (f"{story(1)} fin", "archive"), (story(2), "crawl")])
    found = dupdetect.dedup(data, between="source", hot_key_documents=16)
    assert found.manifest["caps"]["hot_keys"]
    assert set(found.kept["source"].to_pylist()) == {"crawl", "archive"}
    assert found.kept["id"].to_pylist() == ["d300", "d301", "d302"]
    assert set(found.annotated.filter(found.annotated["canonical"])["sources"].to_pylist()) == {1, 2}


def test_preferred_values_represent_clusters_where_they_can() -> None:
    crash = story(3)
    data = table(
        [(crash, "mirror"), (f"{crash} more", "agency"), (crash, None), (story(4), "mirror"), (story(4), "blog")]
    )
    plain = dupdetect.dedup(data)
    found = dupdetect.dedup(data, prefer={"source": ["agency", "blog"]})
    assert [len(cluster) for cluster in plain.groups()] == [len(cluster) for cluster in found.groups()] == [3, 2]
    assert {cluster.canonical for cluster in found.groups()} == {"d1", "d4"}
    assert found.annotated["sources"].to_pylist() == [3, 3, 3, 2, 2]
    longer = table([(crash + " " + story(5), "page"), (crash, "agency")])
    kept = dupdetect.dedup(longer, prefer={"source": ["agency"]}, boilerplate=False).kept
    assert kept["id"].to_pylist() == ["d0"]  # nobody's content is lost for a preference


def test_numbers_are_preferred_as_text_and_other_policies_break_ties() -> None:
    data = pa.table({"text": [story(6)] * 4, "tier": [2, 1, 1, None], "date": [1, 3, 2, 0]})
    assert dupdetect.dedup(data, prefer={"tier": ["1"]}, canonical="earliest").kept["date"].to_pylist() == [2]


@pytest.mark.parametrize("rule", ["within", "per"])
def test_earlier_runs_are_compared_by_the_same_rule(rule: str, tmp_path: Path) -> None:
    dupdetect.dedup(table([(story(7), "a"), (story(8), "b")])).write(tmp_path / "monday")
    new = table([(story(7), "a"), (story(8), "a")]).set_column(0, "id", pa.array(["n0", "n1"]))
    rules: Any = {rule: "source"}
    found = dupdetect.dedup(new, against=dupdetect.dedup(table([(story(7), "a"), (story(8), "b")])), **rules)
    assert clusters(found) == {"n0": ("d0", "identical"), "n1": ("n1", None)}


def test_preferred_documents_take_the_place_of_earlier_ones() -> None:
    first = dupdetect.dedup(table([(story(9), "mirror")]))
    new = table([(story(9), "agency")]).set_column(0, "id", pa.array(["n0"]))
    found = dupdetect.dedup(new, against=first, prefer={"source": ["agency", "mirror"]})
    assert clusters(found) == {"n0": ("n0", None)}
    assert found.superseded["id"].to_pylist() == ["d0"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"within": ""}, "within is ''; expected a column's name"),
        ({"per": 3}, "per is 3; expected a column's name"),
        ({"between": "a", "per": "b"}, "between and per cannot be given together"),
        ({"within": "a", "between": "a"}, "within is 'a', and so is between; give one"),
        (
            {"prefer": "source=a"},
            r"prefer is 'source=a'; expected a column and its values, as strings, the best first, such as",
        ),
        ({"prefer": {"source": [1, 2]}}, "expected a column and its values, as strings"),
        ({"prefer": {"source": "a"}}, "expected a column and its values"),
        ({"prefer": {"a": ["x"], "b": ["y"]}}, "expected a column and its values"),
        ({"prefer": {"source": []}}, "expected one value or more, each once"),
        ({"prefer": {"source": ["a", "a"]}}, "expected one value or more, each once"),
    ],
)
def test_rules_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings(**given)


@pytest.mark.parametrize("rule", ["within", "between", "per", "prefer"])
def test_a_column_that_is_not_there_is_told_at_the_door(rule: str) -> None:
    rules: Any = {rule: {"outlet": ["a"]} if rule == "prefer" else "outlet"}
    with pytest.raises(InputError, match=f"{rule} reads column 'outlet', but the columns are 'id', 'text', 'source'"):
        dupdetect.dedup(table([("one", "a")]), **rules)


def test_the_command_takes_them_and_files_keep_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table([(story(1), "a"), (story(1), "b")]), tmp_path / "in.parquet")
    run = ["dedup", str(tmp_path / "in.parquet"), "-q", "-o"]
    assert main([*run, str(tmp_path / "one"), "--prefer", "source=b,a"]) == 0
    assert pq.read_table(tmp_path / "one/kept.parquet")["source"].to_pylist() == ["b"]
    assert main([*run, str(tmp_path / "two"), "--within", "source"]) == 0
    assert pq.read_table(tmp_path / "two/kept.parquet").num_rows == 2
    assert main([*run, str(tmp_path / "no"), "--prefer", "source"]) == 2
    assert "write for example source=a,b" in capsys.readouterr().err
    kept = Settings(prefer={"source": ["b", "a"]}, within="domain")
    kept.save(tmp_path / "rules.toml")
    assert Settings.load(tmp_path / "rules.toml") == kept
    assert kept.as_dict()["prefer"] == {"source": ["b", "a"]}


def test_columns_may_be_fields_of_nested_ones() -> None:
    rows = [{"text": story(1), "meta": {"source": source}} for source in ("mirror", "agency", "mirror")]
    for data in (rows, pa.Table.from_pylist(rows)):
        assert dupdetect.dedup(data, prefer={"meta.source": ["agency"]}).kept["meta"].to_pylist() == [rows[1]["meta"]]
        assert dupdetect.dedup(data, within="meta.source").kept.num_rows == 2
        with pytest.raises(InputError, match=r"within reads column 'meta.site', but the columns are 'text', 'meta'"):
            dupdetect.dedup(data, within="meta.site")
