"""An index after any history is what a run over the documents that are left finds: stateful, in both databases."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from generated_sites import Writer, site
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from postgres_server import database

import dupdetect
from dupdetect.index.index import Index
from dupdetect.settings import Settings

NOTHING = pa.table({"shingle": pa.array([], pa.uint64()), "margin": pa.array([], pa.int32())})


def texts():
    """Return texts of which many are copies, pages, parts and round-ups of one another."""
    made = ["", " ", "...", "\U0001f600 \U0001f680", "\U0001f600  \U0001f680", "A word.", "a WORD"]
    stories = []
    for name in ("one", "two", "three"):
        writer = Writer("en", f"index {name}")
        story = writer.story(2)
        stories.append(story)
        made += [story, story.upper(), f"{story}\n\n{writer.line(12)}", story.replace(". ", ".\n")]
        made += [f"{writer.menu(25)}\n\n{story}\n\n{writer.menu(25)}", story[: 2 * len(story) // 3]]
    made += ["\n\n".join(stories), "\n\n".join(stories[:2]), "\n\n".join([*stories, Writer("en", "end").line(9)])]
    made += list(site("en", "index", 4).values())
    return made


TEXTS = texts()
PLACES = st.integers(0, len(TEXTS) - 1)
IDS = st.sampled_from([f"id-{number}" for number in range(14)])
POLICIES = (
    {},
    {"canonical": "longest"},
    {"canonical": "first"},
    {"canonical": "earliest"},
    {"prefer": {"date": ["5", "3"]}},
)


class Histories(RuleBasedStateMachine):
    """Documents come, are replaced, removed, and expire; a mapping holds what should be left, in order."""

    engine = "sqlite"

    @initialize(policy=st.sampled_from(POLICIES), boilerplate=st.booleans())
    def open(self, policy, boilerplate):
        self.settings = Settings(boilerplate=boilerplate, min_shared_fingerprints=0.4, **policy)
        self.folder = tempfile.TemporaryDirectory()
        self.where = str(Path(self.folder.name, "x.dupindex")) if self.engine == "sqlite" else database()
        self.index = Index(self.where, self.settings, workers=1)
        self.left, self.date, self.known = {}, {}, NOTHING

    def put(self, id, place):
        if self.left.get(id) != TEXTS[place]:
            self.left.pop(id, None)
            self.left[id] = TEXTS[place]
            self.date[id] = str(place % 7)

    @rule(id=IDS, place=PLACES)
    def add(self, id, place):
        there = id in self.left and self.left[id] == TEXTS[place]
        seen = self.index.add(id, TEXTS[place], metadata={"date": str(place % 7)})
        self.put(id, place)
        assert seen.id == id
        assert not (there and seen.is_new)
        assert seen.cluster == self.index.cluster_of(id)

    @rule(rows=st.lists(st.tuples(IDS, PLACES), min_size=2, max_size=6, unique_by=lambda row: row[0]))
    def add_many(self, rows):
        table = pa.table(
            {
                "id": [id for id, _ in rows],
                "text": [TEXTS[place] for _, place in rows],
                "date": [str(place % 7) for _, place in rows],
            }
        )
        told = self.index.add_many(table, metadata=["date"])
        for id, place in rows:
            self.put(id, place)
        assert told["id"].to_pylist() == [id for id, _ in rows]
        assert told["cluster"].to_pylist() == [self.index.cluster_of(id) for id, _ in rows]

    @rule(ids=st.lists(IDS, max_size=4, unique=True))
    def remove(self, ids):
        there = [id for id in ids if id in self.left]
        assert self.index.remove(ids) == len(there)
        for id in there:
            del self.left[id]

    @rule(id=IDS, place=PLACES)
    def add_and_expire(self, id, place):
        self.index.remove([id])
        self.index.add(id, TEXTS[place], expires=10.0)
        self.left.pop(id, None)
        assert self.index.expire(before=5.0) == 0
        assert self.index.expire(before=20.0) == 1

    @rule(place=PLACES)
    def ask(self, place):
        before = len(self.index)
        seen = self.index.query(TEXTS[place])
        assert len(self.index) == before
        copies = [id for id, text in self.left.items() if text == TEXTS[place] and text.strip()]
        assert set(copies) <= {match.id for match in seen.matches}
        assert seen.is_new == (seen.cluster is None)

    @rule()
    def open_again(self):
        self.index.close()
        self.index = Index(self.where, workers=1)

    @precondition(lambda self: len(self.left) > 3)
    @rule()
    def learn(self):
        self.index.learn_boilerplate()
        self.known = self.index.boilerplate()

    @rule()
    def vacuum(self):
        self.index.vacuum()

    @invariant()
    def it_is_what_a_run_finds(self):
        if not hasattr(self, "index"):
            return
        assert len(self.index) == len(self.left)
        if not self.left:
            assert self.index.clusters().num_rows == 0
            return
        rows = pa.table(
            {"id": [*self.left], "text": [*self.left.values()], "date": [self.date[id] for id in self.left]}
        )
        found = dupdetect.dedup(rows, settings=self.settings, known_boilerplate=self.known, workers=1)
        assert self.index.clusters().equals(found.clusters.drop_columns(["file", "row"]))
        assert self.index.matches().equals(found.matches)
        assert all(self.index.text(id) == text for id, text in self.left.items())

    def teardown(self):
        if hasattr(self, "index"):
            assert self.index.verify() == []
            self.index.close()
            self.folder.cleanup()


class HistoriesInPostgres(Histories):
    engine = "postgresql"


ALLOWED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
EXAMPLES, STEPS = (
    int(os.environ.get(f"DUPDETECT_{name}", default)) for name, default in (("HISTORIES", 4), ("STEPS", 20))
)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Histories, HistoriesInPostgres], ids=["sqlite", "postgresql"])
def test_any_history_is_as_one_run(machine):
    """How many histories, and of how many steps, DUPDETECT_HISTORIES and DUPDETECT_STEPS say."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=ALLOWED
        ),
    )
