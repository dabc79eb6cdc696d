"""What a run that was killed has left unfinished is removed by the next of the same; what is not ours stays."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from dupdetect._storage import atomic, unfinished
from dupdetect._storage.atomic import Replacement, check_writable
from dupdetect.cli.main import main

pytestmark = pytest.mark.skipif(unfinished.fcntl is None, reason="this system has no locks that end with a process")

KILLED = """
import os, signal, sys
from pathlib import Path
from dupdetect._storage.atomic import Replacement
from dupdetect._storage.unfinished import temporary_folder
place = Path(sys.argv[1])
made = Replacement(place / "out", folder=True)
(made.path / "part").mkdir()
(made.path / "part" / "x").write_text("x")
other = Replacement(place / "sketches.parquet")
temporary = temporary_folder("sketches.parquet", place)
temporary.__enter__()
os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def killed(tmp_path):
    ran = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 3
    (tmp_path / ".out.mine.part").mkdir()
    (tmp_path / ".other.0123abcd.part").mkdir()
    (tmp_path / "news.jsonl").write_text('{"text": "a text"}\n')


@pytest.mark.usefixtures("killed")
def test_the_next_run_removes_what_a_killed_one_has_left(tmp_path):
    news = str(tmp_path / "news.jsonl")
    assert main(["dedup", news, "-o", str(tmp_path / "out"), "-q"]) == 0
    assert main(["sketch", news, "-o", str(tmp_path / "sketches.parquet"), "-q"]) == 0
    assert names(tmp_path) == [".other.0123abcd.part", ".out.mine.part", "news.jsonl", "out", "sketches.parquet"]


def test_what_another_run_is_writing_stays(tmp_path):
    with Replacement(tmp_path / "out", folder=True) as beside:
        check_writable(tmp_path / "out", folder=True)
        with Replacement(tmp_path / "out", folder=True) as later:
            (later / "later").touch()
        assert beside.is_dir()
        (beside / "earlier").touch()
    assert names(tmp_path) == ["out"]


def test_what_belongs_to_others_stays(tmp_path, monkeypatch):
    (tmp_path / ".out.0123abcd.part").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    check_writable(tmp_path / "out", folder=True)
    assert names(tmp_path) == [".out.0123abcd.part"]


# ---- between two names ----


def seen_missing(target, replace, times=300):
    """Count how often a target is not there, for one who looks all the time while it is replaced."""
    missing, done = 0, threading.Event()

    def look():
        nonlocal missing
        while not done.is_set():
            missing += not os.path.lexists(target)

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(times):
        replace(number)
    done.set()
    looking.join()
    return missing


@pytest.mark.skipif(atomic._exchange() is None, reason="this system cannot exchange two names")
def test_an_output_that_is_replaced_is_there_at_every_moment(tmp_path):
    target = tmp_path / "out"
    target.mkdir()

    def replace(number):
        with Replacement(target, folder=True) as beside:
            (beside / str(number)).touch()

    assert seen_missing(target, replace) == 0
    assert names(target) == ["299"]
    assert names(tmp_path) == ["out"]


def test_a_disk_that_cannot_exchange_names_has_the_same_result(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_exchange", lambda: lambda *_: -1)
    for number in range(3):
        with Replacement(tmp_path / "out", folder=True) as beside:
            (beside / str(number)).touch()
        assert names(tmp_path / "out") == [str(number)]
        assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("folder", [True, False])
def test_what_another_process_takes_for_left_before_it_is_locked_is_made_again(tmp_path, monkeypatch, folder):
    """Two processes begin in one folder: the one looks for what was left between two steps of the other."""
    path, locked, looked = tmp_path / unfinished.name("out"), unfinished._taken, []

    def taken(made):
        looked.append(made)
        if len(looked) == 1:
            unfinished.remove_left(tmp_path / "out")
            assert not made.exists()
        return locked(made)

    monkeypatch.setattr(unfinished, "_taken", taken)
    unfinished.begin(path, folder=folder)
    assert path.is_dir() == folder
    assert path.exists()
    assert looked == [path, path]
    unfinished.remove_left(tmp_path / "out")
    assert path.exists(), "it is locked now"
    unfinished.remove(path)
    unfinished.end(path)


@pytest.mark.parametrize("folder", [True, False])
def test_what_was_made_again_under_the_hands_of_two_who_remove_stays(tmp_path, monkeypatch, folder):
    """One has opened what was not locked yet; another removes it, its owner makes it again; then the one locks."""
    path, lock = tmp_path / unfinished.name("out"), unfinished.fcntl.flock
    path.mkdir() if folder else path.touch()

    def late(descriptor, how):
        if how & unfinished.fcntl.LOCK_NB and path not in unfinished._BEGUN:
            unfinished.remove(path)
            unfinished.begin(path, folder=folder)
        lock(descriptor, how)

    monkeypatch.setattr(unfinished.fcntl, "flock", late)
    unfinished.remove_left(tmp_path / "out")
    assert path.exists()
    unfinished.remove(path)
    unfinished.end(path)
