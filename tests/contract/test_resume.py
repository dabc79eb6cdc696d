"""Runs killed at any moment go on from where they were, and end in the same bytes."""

import os
import random
import shutil
import signal
import time
import traceback

import pyarrow as pa
import pyarrow.parquet
import pytest
from generated_sites import mixture

import dupdetect

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are killed in a fork, which this system has not"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

KILLS = 100
MOST_SECONDS = 120  # of one run, which takes about one


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 20_000)
    pytest.importorskip("numba")  # loaded here, once, and not in each fork


@pytest.fixture
def news(tmp_path):
    path = tmp_path / "news.parquet"
    pyarrow.parquet.write_table(pa.Table.from_pylist(mixture()), path, row_group_size=9)
    return path


def run(news, tmp_path):
    result = dupdetect.dedup(news, work=tmp_path / "work", resume=True, workers=1)
    result.write(tmp_path / "out")
    result.close()


def started(work):
    """Start a run in a fork; return its process. One that hangs is ended by an alarm."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(MOST_SECONDS)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def ended(child):
    """Wait for a fork; return whether it was killed. A run that failed by itself, or never ended, is an error."""
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, f"the run ended by signal {os.WTERMSIG(status)}"
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the run failed; its traceback is on standard error"
    return False


def test_a_run_that_fails_is_an_error_and_not_waited_for(capfd):
    with pytest.raises(AssertionError, match="the run failed"):
        ended(started(lambda: 1 / 0))
    assert "ZeroDivisionError" in capfd.readouterr().err


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


@pytest.mark.slow
def test_a_hundred_random_kills_end_in_the_same_bytes(news, tmp_path):
    dupdetect.dedup(news).write(tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    assert len(expected) == 6
    rng, kills, resumed, moments = random.Random(7), 0, 0, 1.0
    while kills < KILLS:
        start = time.perf_counter()
        child = started(lambda: run(news, tmp_path))
        time.sleep(moments * rng.random())
        os.kill(child, signal.SIGKILL)
        if ended(child):
            kills += 1
            resumed += (tmp_path / "work" / "done.jsonl").exists()
        if (tmp_path / "out").exists():
            assert contents(tmp_path / "out") == expected
            shutil.rmtree(tmp_path / "out")
            moments = min(moments, time.perf_counter() - start)  # so that most runs are killed
    run(news, tmp_path)
    assert contents(tmp_path / "out") == expected
    assert resumed > KILLS / 4


def test_a_kill_at_each_write_ends_in_the_same_bytes(news, tmp_path, monkeypatch):
    """The moments that matter: before and after each file is on the disk, and each line that says so."""
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 60_000)
    dupdetect.dedup(news).write(tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    sync = os.fsync
    for at in range(1, 10**6, 3):  # eight writes a part: each kind has its turn
        calls = 0

        def die(descriptor, at=at):
            nonlocal calls
            calls += 1
            if calls == at:
                os.kill(os.getpid(), signal.SIGKILL)
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", die)
        if not ended(started(lambda: run(news, tmp_path))):
            break
        monkeypatch.setattr(os, "fsync", sync)
        run(news, tmp_path)
        assert contents(tmp_path / "out") == expected
        shutil.rmtree(tmp_path / "out")
    assert at > 20
