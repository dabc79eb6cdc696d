"""A watched process: what it had in memory, on disk and in nameless files, and what it says when it fails."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("psutil")
watching = pytest.importorskip("watching")

HOLDS = """
import sys, time
named = open(sys.argv[1] + "/named", "wb"); named.write(bytes(70_000)); named.flush()
block = bytearray(b"x") * {memory}
time.sleep(0.8)
print("done", len(block))
"""


def test_memory_files_and_output(tmp_path):
    memory = 150_000_000
    done = watching.run([sys.executable, "-c", HOLDS.format(memory=memory), tmp_path], 1, folder=tmp_path)
    assert done.printed == f"done {memory}\n"
    assert memory < done.peak_bytes < memory + 100_000_000
    assert done.proportional_bytes == done.peak_bytes
    assert 0.8 < done.seconds < 60
    assert 0 < done.cpu_seconds < 60
    assert done.spilled_bytes == 70_000


def test_files_without_a_name_count_where_the_system_tells(tmp_path):
    (tmp_path / "named").write_bytes(bytes(700))
    with tempfile.TemporaryFile(dir=tmp_path) as nameless:
        nameless.write(bytes(50))
        nameless.flush()
        found = watching.files(tmp_path.resolve(), [os.getpid()])
    assert sorted(found.values()) == ([50, 700] if Path("/proc/self/fd").exists() else [700])
    assert list(watching.files(tmp_path.resolve(), [os.getpid()]).values()) == [700]


def test_memory_of_children_counts():
    child = "import time; block = bytearray(b'x') * 100_000_000; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    done = watching.run([sys.executable, "-c", parent], 1)
    assert done.peak_bytes > 100_000_000
    assert 0 < done.proportional_bytes <= done.peak_bytes


def test_a_failure_says_why():
    with pytest.raises(RuntimeError, match="exit code 3: the pier is closed"):
        watching.run([sys.executable, "-c", "import sys; print('the pier is closed', file=sys.stderr); sys.exit(3)"], 1)


def test_environment_and_folder(tmp_path):
    code = "import os; print(os.environ['PORT'], os.environ['NUMBA_NUM_THREADS'], os.getcwd())"
    done = watching.run([sys.executable, "-c", code], 2, env={"PORT": "Ōsaka"}, cwd=tmp_path)
    assert done.printed.split() == ["Ōsaka", "2", str(tmp_path.resolve())]
