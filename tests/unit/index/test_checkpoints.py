"""The write-ahead log of an index comes into the file beside the writer."""

import sqlite3
import threading

import pytest

from dupdetect.index import checkpoints
from dupdetect.index.checkpoints import Checkpoints
from dupdetect.index.sqlite import SqliteStore

COLUMNS = ("name", "value")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "ROWS", 50)
    made = SqliteStore(tmp_path / "x.dupindex", read_only=False, wait=5.0)
    made.create()
    yield made
    made.close()


def write(store, numbers):
    """Commit a row for each number, of about a page."""
    for number in numbers:
        with store.write() as session:
            session.insert("settings", COLUMNS, [(f"row {number}", "x" * 15_000)])


def in_the_file(store):
    """Return how many rows are there for somebody who does not see the log."""
    with sqlite3.connect(f"{store.path.as_uri()}?mode=ro&immutable=1", uri=True) as connection:
        return connection.execute("SELECT count(*) FROM settings").fetchone()[0]


def log_bytes(store):
    return store.path.with_name("x.dupindex-wal").stat().st_size


def test_what_was_committed_comes_into_the_file_while_the_index_is_open(store):
    write(store, range(40))
    store._checkpoints.wait()
    assert store._checkpoints._thread is None, "too little for a checkpoint"
    write(store, range(40, 60))
    store._checkpoints.wait()
    assert in_the_file(store) >= 50


def test_the_log_begins_anew_while_rows_keep_coming(store):
    sizes = []
    for first in range(0, 2000, 100):
        write(store, range(first, first + 100))
        store._checkpoints.wait()
        sizes.append(log_bytes(store))
    assert max(sizes) < 3 * sizes[0], "it holds what was written since the last checkpoints"


def test_a_reader_of_an_old_state_is_not_in_the_way_and_sees_it_to_the_end(store):
    write(store, range(10))
    begun, done, seen = threading.Event(), threading.Event(), []

    def read():
        with store.read() as session:
            seen.append(session.row("SELECT count(*) FROM settings")[0])
            begun.set()
            done.wait(60)
            seen.append(session.row("SELECT count(*) FROM settings")[0])

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(60)
    write(store, range(10, 500))
    store._checkpoints.wait()
    done.set()
    reader.join()
    assert seen == [10, 10]
    write(store, range(500, 700))
    store._checkpoints.wait()
    assert in_the_file(store) >= 650


def test_many_rows_in_one_commit_are_enough(store):
    with store.write() as session:
        session.insert("settings", COLUMNS, [(f"row {number}", "x") for number in range(50)])
    store._checkpoints.wait()
    assert in_the_file(store) >= 50


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), OSError("no descriptor is left")])
def test_a_checkpoint_that_cannot_be_done_is_no_error_of_the_writer(store, error):
    def connect():
        raise error

    store._checkpoints = Checkpoints(connect, store._writing)
    write(store, range(200))
    with store.read() as session:
        assert session.row("SELECT count(*) FROM settings") == (200,)


def test_without_a_thread_the_writer_goes_on(store, monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    write(store, range(120))
    store._checkpoints.wait()
    with store.read() as session:
        assert session.row("SELECT count(*) FROM settings") == (120,)


def test_what_was_rolled_back_is_not_counted(store):
    def failing():
        with store.write() as session:
            session.insert("settings", COLUMNS, [(f"row {number}", "x") for number in range(60)])
            raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            failing()
    assert store._checkpoints._thread is None


def test_closing_waits_for_what_was_begun(store):
    write(store, range(60))
    thread = store._checkpoints._thread
    store.close()
    assert not thread.is_alive()
    assert not store.path.with_name("x.dupindex-wal").exists()
