"""An index whose writer is killed, whose disk is full, whose file is damaged: nothing that was committed is lost."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing

import pyarrow as pa
import pytest
from generated_sites import Writer
from postgres_server import database, dropped

import dupdetect
from dupdetect.errors import InputError, OutputError
from dupdetect.index import keys, schema, sqlite
from dupdetect.index.index import Index

KILLS = int(os.environ.get("DUPDETECT_KILLS", "6"))
STORIES = [Writer("en", f"killed {number}").story(1) for number in range(12)]
TEXTS = [text for story in STORIES for text in (story, story.upper(), f"{story} And.", story[: len(story) // 2])]
NOTHING = pa.table({"shingle": pa.array([], pa.uint64()), "margin": pa.array([], pa.int32())})


def operation(number):
    """Return what is done at a step, the same in each process: ids that go, and documents that come."""
    chance = random.Random(number)
    count = chance.choice([0, 1, 1, 2, 5])
    come = {f"id-{chance.randrange(40)}": chance.choice(TEXTS) for _ in range(count)}
    return [f"id-{chance.randrange(40)}" for _ in range(0 if count else 3)], come


def done(index, number):
    """Do it."""
    gone, come = operation(number)
    if gone:
        index.remove(gone)
    elif len(come) == 1:
        ((id, text),) = come.items()
        index.add(id, text)
    else:
        index.add_many(come)


def after(left, number):
    """Return what is left when it is done."""
    gone, come = operation(number)
    left = {id: text for id, text in left.items() if id not in gone}
    for id, text in come.items():
        if left.get(id) != text:
            left.pop(id, None)
            left[id] = text
    return left


def write_until_killed(path, start, told):
    """Go on for ever, telling of each step when it is committed."""
    index = Index(path, workers=1)
    number = start
    while True:
        done(index, number)
        os.write(told, b".")
        number += 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_a_writer_may_be_killed_at_any_moment(tmp_path, monkeypatch):
    """DUPDETECT_KILLS says how often."""
    monkeypatch.setattr(keys, "LOG_TEXTS", 16)  # so that segments are made and merged, too
    monkeypatch.setattr(keys, "MERGED", 3)
    path = tmp_path / "news.dupindex"
    with Index(path, workers=1) as index:  # compiled code is loaded before the first fork
        index.add_many({f"id-{number}": text for number, text in enumerate(TEXTS)})
        index.remove([f"id-{number}" for number in range(len(TEXTS))])
    left, step = {}, 0
    for kill in range(KILLS):
        reading, told = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                write_until_killed(path, step, told)
            finally:
                os._exit(1)
        os.close(told)
        # Every other one may be killed as it opens the index; the rest have done something, however slow the machine.
        committed = len(os.read(reading, 1)) if kill % 2 == 0 else 0
        time.sleep(random.Random(kill).uniform(0.01, 0.4))
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        while said := os.read(reading, 1 << 16):
            committed += len(said)
        os.close(reading)
        for number in range(step, step + committed):
            left = after(left, number)
        step += committed
        with Index(path, workers=1) as index:
            assert index.verify() == []
            held = index.documents().read_all()
            there = dict(zip(held["id"].to_pylist(), held["text"].to_pylist(), strict=True))
            if there != left:  # the step was committed, and there was no time to say so
                left, step = after(left, step), step + 1
                assert there == left
            assert len(index) == len(left)
            if left:
                found = dupdetect.dedup(left, known_boilerplate=NOTHING, workers=1)
                assert index.clusters().equals(found.clusters.drop_columns(["file", "row"]))
    assert step > 0


@pytest.fixture
def path(tmp_path):
    """Give the path of an index with something in it."""
    path = tmp_path / "news.dupindex"
    with Index(path) as index:
        index.add_many({f"id-{number}": text for number, text in enumerate(TEXTS)})
    return path


def connected(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def changed(path, statement, values=()):
    """Run a statement behind the index's back; return the rows that it gives."""
    with connected(path) as connection:
        return connection.execute(statement, values).fetchall()


def test_a_full_disk_loses_nothing(path):
    with Index(path, workers=1) as index:
        before = index.clusters()
        connection = index._store._connection()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(OutputError, match="the disk is full; what was committed before is there"):
            index.add_many({f"new {number}": Writer("en", f"full {number}").story(3) for number in range(200)})
        assert index.clusters().equals(before)
        connection.execute("PRAGMA max_page_count = 1000000")
        assert index.add("new", Writer("en", "full 1").story(3)).is_new
        assert index.verify() == []


def test_another_writer_is_waited_for_and_then_named(path):
    with connected(path) as other, Index(path, wait=0.1) as index:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match=r"another writer has held the index for 0\.1 s"):
            index.add("new", TEXTS[0])
        assert not index.query(TEXTS[0]).is_new, "readers do not wait"
        other.execute("ROLLBACK")
        assert not index.add("new", TEXTS[0]).is_new


def test_a_file_of_a_later_version_is_refused(path):
    changed(path, "UPDATE settings SET value = ? WHERE name = 'version'", (str(schema.VERSION + 1),))
    with pytest.raises(InputError, match=f"the index is of version {schema.VERSION + 1}, and this dupdetect reads"):
        Index(path)


def test_an_earlier_version_is_brought_up_to_date(path, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", {schema.VERSION: "CREATE TABLE later (number INTEGER)"})
    monkeypatch.setattr("dupdetect.index.holdings.VERSION", schema.VERSION + 1)
    Index(path).close()
    rows = changed(path, "SELECT value FROM settings WHERE name = 'version'")
    assert rows == [(str(schema.VERSION + 1),)]
    assert changed(path, "SELECT count(*) FROM later") == [(0,)]


#: What makes of a file one of the first version.
_FIRST = """
    DROP INDEX texts_canonical;
    CREATE INDEX texts_canonical ON texts (canonical);
    ALTER TABLE log RENAME TO later;
    CREATE TABLE log (sequence INTEGER PRIMARY KEY, text INTEGER NOT NULL, keys BLOB NOT NULL);
    INSERT INTO log (text, keys) SELECT text, keys FROM later ORDER BY text;
    CREATE INDEX log_text ON log (text);
    DROP TABLE later;
    ALTER TABLE state RENAME COLUMN logged TO sequence;
    UPDATE state SET sequence = (SELECT max(sequence) + 1 FROM log);
    UPDATE matches SET evidence = CAST(substr(evidence, 1, 116) || substr(evidence, 125) AS BLOB);
    UPDATE settings SET value = '1' WHERE name = 'version';
"""


def test_a_file_of_the_first_version_is_as_one_that_was_made_now(path, tmp_path):
    with Index(path) as index:
        before, matches = index.clusters(), index.matches()
    assert matches.num_rows > 0
    with connected(path) as made:
        made.executescript(_FIRST)
    with pytest.raises(InputError, match="is of version 1, and this dupdetect reads version 3; open it once for"):
        Index(path, read_only=True)
    with Index(path) as index, Index(tmp_path / "made.dupindex") as other:
        assert index.verify() == []
        assert index.clusters().equals(before)
        assert index.matches().equals(matches)
        assert not index.query(TEXTS[0]).is_new
        index.add("later", "A text that came after the file was brought up to date, and is like no other in it.")
        index.remove([before["id"][0].as_py()])
        assert index.verify() == []
        other.add("a", TEXTS[0])
    made, brought = (
        set(changed(file, "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
        for file in (tmp_path / "made.dupindex", path)
    )
    assert made == brought


def test_a_database_of_the_first_version_is_brought_up_to_date():
    address = database()
    import psycopg

    with Index(address) as index:
        index.add_many({f"id-{place}": text for place, text in enumerate(TEXTS[:12])})
        index.add("alone", "A text that came alone, so that it stands in the log, and is like no other in there.")
        before = index.clusters()
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in _FIRST.replace("INTEGER", "BIGINT").replace("BLOB", "BYTEA").split(";"):
            connection.execute(statement.replace("BIGINT PRIMARY KEY", "BIGSERIAL PRIMARY KEY"))
    with Index(address) as index:
        assert index.verify() == []
        assert index.clusters().equals(before)
        index.remove(["alone"])
        assert not index.query(TEXTS[0]).is_new
        assert index.verify() == []
    dropped(address)


def test_what_is_no_index_is_refused(tmp_path, path):
    (tmp_path / "text").write_text("no database, but long enough to be one " * 400)
    with pytest.raises(InputError, match="this is no index; expected a file that"):
        Index(tmp_path / "text")
    changed(tmp_path / "other", "CREATE TABLE mine (number INTEGER)")
    with pytest.raises(InputError, match="this database holds other tables, and no index"):
        Index(tmp_path / "other")
    changed(path, "DROP TABLE bodies")
    with pytest.raises(InputError, match="tables of the index are missing"):
        Index(path)
    with pytest.raises(InputError, match="there is no such index"):
        Index(tmp_path / "none", read_only=True)
    with pytest.raises(InputError, match="this is a folder"):
        Index(tmp_path)
    with pytest.raises(OutputError, match="its folder is not there"):
        Index(tmp_path / "no" / "folder")
    with pytest.raises(InputError, match="an index is a file, or a database at postgresql://"):
        Index("mysql://host/news")


def test_a_database_that_cannot_be_reached_is_named_without_its_password():
    with pytest.raises(InputError, match=r"^postgresql://me@127\.0\.0\.1:9/news: the database cannot be reached"):
        Index("postgresql://me:secret@127.0.0.1:9/news", wait=1)


def read_all(path):
    with Index(path) as index:
        assert index.verify() != []
        index.matches()
        index.documents().read_all()


def test_a_damaged_page_is_an_error_and_no_wrong_answer(path):
    changed(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    for place in range(sqlite.PAGE_BYTES, len(data), 2 * sqlite.PAGE_BYTES):
        data[place : place + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"the file is damaged|this is no index"):
        read_all(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log SET keys = 7",
        "UPDATE log SET keys = CAST(x'ff0a63ff' AS TEXT)",
        "UPDATE bodies SET content = 1.5",
        "UPDATE texts SET sketch = 7",
    ],
)
def test_a_value_of_another_type_is_damage_though_the_file_is_in_order(path, statement):
    """SQLite takes any value for any column: a bit that made a number of keys ended in a TypeError."""
    changed(path, statement)
    with Index(path) as index:
        assert any("has a value of another type" in fault for fault in index.verify())
    if "sketch" not in statement:  # which nothing reads where there are texts
        with Index(path) as index, pytest.raises(InputError, match="is damaged") as caught:
            asked(index)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settings SET name = 'Version' WHERE name = 'version'",
        "UPDATE settings SET name = 'fingerprInt' WHERE name = 'fingerprint'",
        "UPDATE settings SET value = '1x' WHERE name = 'version'",
        "UPDATE settings SET value = 'keqt' WHERE name = 'texts'",
        "UPDATE settings SET value = '[]' WHERE name = 'settings'",
        "UPDATE settings SET value = '{' WHERE name = 'settings'",
        "UPDATE settings SET value = '{}' WHERE name = 'settings'",
    ],
)
@pytest.mark.parametrize("settings", [None, dupdetect.Settings()], ids=["as it has them", "given"])
def test_what_an_index_says_of_itself_may_be_damaged(path, statement, settings):
    """SQLite finds such a file in order: a changed letter ended in a KeyError, or founded the index anew."""
    changed(path, statement)
    with pytest.raises(InputError, match="what the index says of itself is damaged") as caught:
        Index(path, settings=settings)
    assert "\n" not in str(caught.value)


def asked(index):
    index.query("A text like none.")
    index.documents().read_all()


CHANGES = {
    "UPDATE bodies SET content = (SELECT content FROM bodies ORDER BY number LIMIT 1)": "is not the one that was added",
    "UPDATE bodies SET content = x'00'": "is damaged",
    "DELETE FROM bodies WHERE number = 1": "texts of",
    "UPDATE texts SET digest = randomblob(16) WHERE text = 1": "the digest of text number 1 is not that of",
    "UPDATE texts SET canonical = 10000": "in a cluster that is not there",
    "UPDATE texts SET document = 10000 WHERE text = 1": "is represented by a document that has another",
    "DELETE FROM matches": "does not match the one that represents it",
    "UPDATE matches SET evidence = x'00'": "matches are damaged",
    "UPDATE state SET documents = 1": "1 were counted",
    "DELETE FROM log": "a key of text number 1 is not listed",
    "INSERT INTO pages VALUES (1, x'00')": "page 1 of keys is of no segment",
}


@pytest.mark.parametrize("statement", CHANGES)
def test_verify_sees(path, statement):
    with Index(path) as index:
        assert index.verify() == []
    changed(path, statement)
    with Index(path) as index:
        assert any(CHANGES[statement] in fault for fault in index.verify())


def test_verify_sees_documents_without_a_text(path):
    changed(path, "DELETE FROM texts WHERE text = 1")
    with Index(path) as index:
        assert any("refers to a row of texts that is not there" in fault for fault in index.verify())


def test_a_text_that_is_damaged_is_named_when_it_is_read(path):
    changed(path, "UPDATE bodies SET content = x'00' WHERE number = 1")
    with Index(path) as index, pytest.raises(InputError, match="the text of document number 1 is damaged"):
        index.text("id-0")
