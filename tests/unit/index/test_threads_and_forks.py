"""An index is used by many threads, and by processes that were forked from the one that opened it."""

import os
import threading
import time

import pytest
from forking import run_script
from generated_sites import Writer
from postgres_server import database

from dupdetect import Index, OutputError
from dupdetect.index.postgres import shown

STORY, OTHER = (Writer("en", name).story(2) for name in ("threads", "other threads"))


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path):
    return str(tmp_path / "x.dupindex") if request.param == "sqlite" else database()


def test_connections_of_threads_that_ended_are_closed(where):
    with Index(where, workers=1) as index:
        index.add("a", STORY)
        for _ in range(20):
            asking = threading.Thread(target=index.query, args=(OTHER,))
            asking.start()
            asking.join()
        assert len(index._store._open) <= 2


#: Each child goes on while a thread of its parent writes, holds what is in memory, or nothing.
FORKING = """
    from dupdetect import Index
    from forking import fork_while, forked

    text = "the ferry to the island number {} did not run on that day for the crew was on strike".format
    index = Index(sys.argv[1], workers=1, wait=20)
    index.add("parent", text(1))
    own = index._store._connection()

    def ask():
        assert index.query(text(1)).cluster == "parent"

    def add():
        assert index._store._connection() is not own
        index.add("child", text(2) * 3)

    codes = [forked(add), forked(add, sys.exit), forked(index.close), fork_while(lambda: index._holdings._lock, ask)]
    codes += [fork_while(lambda: index._holdings.keys._lock, ask), fork_while(index._store.write, ask)]
    index.add("after", text(3) * 5)
    assert index._store._connection() is own
    print(codes, sorted(index.clusters()["id"].to_pylist()), index.verify())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_has_connections_of_its_own(where, tmp_path):
    done = run_script(tmp_path / "children.py", FORKING, where)
    assert (done.stdout, done.stderr) == ("[0, 0, 0, 0, 0, 0] ['after', 'child', 'parent'] []\n", "")


def test_no_wait_is_no_wait(where):
    with Index(where, workers=1) as one, Index(where, workers=1, wait=0) as other:
        begin = time.perf_counter()
        with one._store.write(), pytest.raises(OutputError, match="another writer has held the index for 0 s"):
            other.add("a", STORY)
        assert time.perf_counter() - begin < 10


@pytest.mark.parametrize(
    ("address", "as_shown"),
    [
        ("postgresql://ann:secret@host:5432/news", "postgresql://ann@host:5432/news"),
        ("postgresql://ann:se?cr:et@host/news", "postgresql://ann@host/news"),
        ("postgresql://host/news?user=ann&password=sec@ret", "postgresql://host/news"),
        ("postgres:///news?password=secret", "postgres:///news"),
        ("news.dupindex", "news.dupindex"),
    ],
)
def test_a_password_is_not_shown(address, as_shown):
    assert shown(address) == as_shown
