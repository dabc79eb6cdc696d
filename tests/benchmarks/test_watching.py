"""A watched process: what it had in memory, on disk and in nameless files, and what it says when it fails."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("psutil")
watching = pytest.importorskip("watching")

HOLDS = """
import sys, tempfile, time
block = bytearray(b"x") * {memory}
named = open(sys.argv[1] + "/named", "wb"); named.write(bytes(70_000)); named.flush()
nameless = tempfile.TemporaryFile(dir=sys.argv[1]); nameless.write(bytes(50_000)); nameless.flush()
time.sleep(0.4)
print("done", len(block))
"""


def test_memory_files_and_output(tmp_path):
    memory = 150_000_000
    done = watching.run([sys.executable, "-c", HOLDS.format(memory=memory), tmp_path], 1, folder=tmp_path)
    assert done.printed == f"done {memory}\n"
    assert memory < done.peak_bytes < memory + 100_000_000
    assert done.proportional_bytes == done.peak_bytes
    assert 0.4 < done.seconds < 60
    assert 0 < done.cpu_seconds < 60
    named_alone = 70_000
    assert done.spilled_bytes == named_alone + (50_000 if Path("/proc/self/fd").exists() else 0)


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
