"""What every test may use: hypothesis profiles and the folder of larger texts."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Tests, and commands that they start, are to hear what they are sent, also where the tests themselves were started by
# nohup or in the background.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: the first example may wait for the compiler. HYPOTHESIS_PROFILE chooses.
hypothesis.settings.register_profile("default", deadline=None, max_examples=25)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of seeds and corpora, named by DUPDETECT_SHARED or else beside the repository."""
    folder = Path(os.environ.get("DUPDETECT_SHARED") or ROOT.parent / "shared")
    if not (folder / "seeds").is_dir():
        pytest.skip(f"{folder} has no seeds and corpora; set DUPDETECT_SHARED to the folder that has")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the repository's folder."""
    return ROOT


@pytest.fixture(autouse=True)
def _nobody_expects_many_calls(monkeypatch):
    """Let no test find what another has set for its process: that small work is compiled."""
    from dupdetect._compiled import dispatch
    from dupdetect.matching import compare

    monkeypatch.setattr(dispatch, "_MANY_CALLS", False)
    monkeypatch.setattr(compare, "_compared", 0)
