"""A few of the random kills and signals that `kill.py` sends as often as one likes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are killed in a fork, which this system has not")
def test_random_kills_and_signals_end_in_the_same_bytes():
    command = [sys.executable, "-W", "ignore", str(Path(__file__).parent / "kill.py"), "--runs", "15", "--seed", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
