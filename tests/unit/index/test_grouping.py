"""Clusters are made anew where something that decides them has changed, and only there."""

import pytest
from generated_sites import Writer

import dupdetect
from dupdetect import Index, Settings
from dupdetect.index import changes

STORY = Writer("en", "story").story(3)
LONGER = f"{STORY} One more line."


@pytest.mark.parametrize(
    ("settings", "metadata", "made"),
    [
        # Of equal texts the least id goes first, so that "b" and "e" change nothing, and "a" does.
        ({}, {}, [1, 0, 1, 1, 0]),
        ({"canonical": "longest"}, {}, [1, 0, 1, 1, 0]),
        ({"canonical": "first"}, {}, [1, 0, 0, 0, 0]),
        # A policy that reads what documents bring with them is asked each time.
        ({"canonical": "earliest"}, {"date": "2026-01-01"}, [1, 1, 1, 1, 1]),
        ({"prefer": {"source": ["wire"]}}, {"source": "wire"}, [1, 1, 1, 1, 1]),
    ],
)
def test_one_more_document_of_a_text_changes_a_cluster_only_if_it_represents_the_text(
    tmp_path, monkeypatch, settings, metadata, made
):
    counted = []
    regroup = changes.regroup
    monkeypatch.setattr(changes, "regroup", lambda *given: (counted.append(given), regroup(*given))[1])
    rows = [("m", STORY), ("k", LONGER), ("n", STORY), ("b", LONGER), ("a", STORY), ("e", LONGER)]
    wanted = Settings(**settings)
    with Index(tmp_path / "news.dupindex", wanted) as index:
        index.add("m", STORY, metadata=metadata)
        for (id, text), times in zip(rows[1:], made, strict=True):
            counted.clear()
            seen = index.add(id, text, metadata=metadata)
            assert len(counted) == times, id
            assert not seen.is_new
            assert {match.id for match in seen.matches} == set(index.clusters()["id"].to_pylist()) - {id}
            assert seen.cluster == index.cluster_of(id)
        table = [{"id": id, "text": text, **metadata} for id, text in rows]
        expected = dupdetect.dedup(table, settings=wanted).clusters.select(["id", "cluster", "canonical"])
        assert index.clusters().select(["id", "cluster", "canonical"]).equals(expected)
        assert index.verify() == []
