"""Clustering in parts gives what clustering all at once gives; nothing here needs Spark."""

import re
import warnings
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from families import near_copies
from mixed_corpora import corpus, sources, with_rejects

import dupdetect
from dupdetect.matching.pairs import packed, unpack
from dupdetect.matching.verify import Verifier, verify_candidates
from dupdetect.pipeline import decide, stage_arrays, tables
from dupdetect.pipeline.manifest import counts
from dupdetect.spark import partwise
from dupdetect.spark.decision import listed
from dupdetect.spark.parts import Finished, cluster_part, renamed
from dupdetect.spark.partwise import Given, Linked, Partwise, joined


class PartsHere:
    """Parts that are clustered in this process."""

    def __init__(self, matches, deferred, settings, n):
        self.all, self.deferred, self.settings, self.n = matches, deferred, settings, n
        self.tables, self.fetched, self.turns, self.divided = [], [], 0, 0

    def linked(self):
        a, b = (np.concatenate(side) for side in zip(unpack(self.all.pairs), unpack(self.deferred), strict=True))
        pairs = np.unique(packed(a, b))
        component = joined(np.arange(self.n), pairs)
        texts = np.unique(np.concatenate([a, b]))
        return Linked(texts, component[texts], np.bincount(self.all.a, minlength=self.n)[texts])

    def divide(self, part_of, parts):
        self.part_of, self.parts = part_of, dict(parts)
        self.divided += 1

    def matches(self, number):
        self.fetched.append(number)
        return self.matches_of(number)

    def matches_of(self, number):
        return self.all.where(self.part_of[self.all.a] == number)

    def cluster(self, answers):
        self.turns += 1
        said = {}
        for number, answer in answers.items():
            part = self.parts[number]
            own = self.matches_of(number)
            said[number] = cluster_part(part, renamed(own, part.texts), answer, self.settings)
            if isinstance(said[number], Finished):
                self.tables.append(said[number].tables)
        return said


def both(monkeypatch, table, most, held=0, **settings):
    """Return the tables of a run at once and in parts, with the counts of both, and whoever clustered the parts."""
    seen, at_once = [], decide.decided

    def twice(*given):
        arrays = at_once(*given)
        seen.append(compared(given, *stage_arrays.decision_of_arrays(arrays), held))
        return arrays

    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rejects
        patch.setattr(decide, "decided", twice)
        patch.setattr(partwise, "PART_MATCHES", most)
        patch.setattr(partwise, "TASK_MATCHES", most)
        dupdetect.dedup(table, id="id", **settings)
    return seen[0]


def compared(given, decision, caps, held):
    """Return what `both` does, within a run that has decided at once."""
    corpus, search, engine, rules, run = given
    clusters, superseded = tables.clusters_tables(corpus, decision, run.settings)
    matches, unlisted = tables.matches_table(corpus, decision, run.settings)
    whole = {
        "clusters": tables.with_origins(clusters, corpus),
        "matches": matches,
        "digests": tables.digests_table(corpus, decision, run.settings),
        "superseded": superseded,
    }
    boilerplate = tables.boilerplate_table(decision.boilerplate, rules.known)
    counted = counts(corpus, decision, {**whole, "boilerplate": boilerplate})
    counted |= {"unlisted_pairs": unlisted, "superseded": superseded.num_rows, "rounds": caps["rounds"]}
    verified = verify_candidates(search.found, engine.counter, rules.known)
    verified = stage_arrays.verified_of_arrays(stage_arrays.verified_to_arrays(verified))
    parts = PartsHere(verified.matches, verified.deferred, run.settings, engine.counter.n)
    verifier = Verifier(engine.counter, verified.boilerplate)
    given = Given(corpus, listed(corpus), search, verified.deferred, verifier, rules, run.settings)
    outcome = Partwise(given, parts, held).outcome()
    found = [*parts.tables, *(each.tables for each in outcome.here)]
    apart = {name: pa.concat_tables([each[name] for each in found]) for name in whole}
    return whole, apart, counted, outcome, parts


def assert_same(whole, apart, counted, outcome):
    orders = {"clusters": ["id"], "matches": ["a", "b"], "digests": ["id", "cluster"], "superseded": ["id"]}
    for name, order in orders.items():
        keys = [(column, "ascending") for column in order]
        assert apart[name].sort_by(keys).combine_chunks().equals(whole[name].sort_by(keys).combine_chunks()), name
    assert outcome.counts == {**counted, "rejected": 0, "boilerplate_shingles": 0}
    assert outcome.canonical.tolist() == whole["clusters"]["canonical"].to_pylist()


@pytest.mark.parametrize(
    ("most", "settings"),
    [
        (1, {"hot_key_documents": 4}),
        (60, {"hot_key_documents": 8, "canonical": lambda row: (len(row["text"]) % 7, row["date"] or "")}),
        (1, {"canonical": "earliest", "prefer": {"date": ["2024-05-09", "2024-05-02"]}}),
        (40, {"hot_key_documents": 6, "within": "site"}),
        (1, {"hot_key_documents": 6, "between": "part"}),
        (20, {"hot_key_documents": 6, "per": "site", "within": "part", "canonical": "longest"}),
        (20, {"hot_key_documents": 6, "boilerplate": False}),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, dict) else str(each),
)
def test_parts_are_clustered_as_the_whole_is(monkeypatch, most, settings):
    *results, parts = both(monkeypatch, sources(with_rejects(corpus())), most, **settings)
    assert_same(*results)
    assert len(parts.parts) > 0
    assert parts.turns > 1


@pytest.mark.parametrize("policy", ["cleanest", "latest"])
def test_new_documents_are_clustered_with_earlier_ones(monkeypatch, tmp_path, policy):
    table, settings = corpus(), {"hot_key_documents": 8, "canonical": policy}
    dupdetect.dedup(table.slice(0, 60), id="id", **settings).write(tmp_path / "monday")
    new = pa.concat_tables([table.slice(60), table.slice(0, 3)])
    *results, parts = both(monkeypatch, new, 1, against=tmp_path / "monday", **settings)
    assert_same(*results)
    assert len(parts.parts) > 2
    assert results[0]["superseded"].num_rows > 0 or policy == "cleanest"


def windows(n, step, length, spread, seed):
    """Return stretches of one long text, each of which shares a part with those before and after it."""
    random = Random(seed)
    words = [f"w{random.randrange(100000)}" for _ in range(n * step + length + spread)]
    return [" ".join(words[step * i : step * i + length + random.randrange(spread)]) for i in range(n)]


@pytest.mark.parametrize(
    ("step", "spread", "threshold", "seed"), [(15, 30, 0.7, 13), (12, 60, 0.6, 4), (15, 60, 0.7, 17)]
)
def test_parts_that_meet_in_a_later_round_become_one(monkeypatch, step, spread, threshold, seed):
    texts = windows(60, step, 100, spread, seed)
    table = pa.table({"id": [str(number) for number in range(60)], "text": texts})
    settings = {"hot_key_documents": 2, "threshold": threshold, "containment": 0.8, "boilerplate": False}
    *results, parts = both(monkeypatch, table, 1, **settings)
    assert_same(*results)
    assert parts.divided > 1


@pytest.mark.parametrize("held", [0, 1000])
def test_a_component_that_is_larger_than_parts_are_is_one_of_its_own(monkeypatch, caplog, held):
    """The driver clusters it if it is more than a task takes, as long as the driver may hold it."""
    texts = [*near_copies(40, length=80), *(text for seed in range(1, 21) for text in near_copies(2, seed, 200))]
    table = pa.table({"id": [str(number) for number in range(80)], "text": texts})
    with caplog.at_level("INFO", logger="dupdetect"):
        *results, parts = both(monkeypatch, table, 10, held, boilerplate=False)
    assert_same(*results)
    sizes = [len(part) for part in parts.parts.values()]
    assert sizes.count(40) == 1
    assert len(sizes) == 3
    assert parts.fetched == ([3] if held else [])
    said = (
        r"21 components of matches in 3 parts; the largest part has \d{3} matches, which take about .* kB .*clusters "
    )
    assert re.search(said + str(len(parts.fetched)), caplog.text)
