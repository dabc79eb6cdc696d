"""Where no compiled code is on disk yet: small work is done without, and what is compiled is told and kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dupdetect
from dupdetect._compiled import dispatch
from dupdetect._compiled.dispatch import Allowance, Compilable
from dupdetect.cli import main as cli

pytest.importorskip("numba")

from dupdetect._compiled import cache

FIRST_RUN = """
import random
import dupdetect
from dupdetect._compiled.dispatch import compilations_told

chance = random.Random(4)
words = [f"w{n}" for n in range(900)]
texts = [" ".join(chance.choices(words, k=25)) for _ in range(2500)]
told = []
with compilations_told(told.append):
    result = dupdetect.dedup([*texts, *(f"{text} more" for text in texts[:500])])
print(len(told), result.kept.num_rows)
"""


def fresh(code: str, folder: Path, *command: str) -> str:
    """Run code, or the command, in a new process that has this folder for compiled code."""
    arguments = [sys.executable, *(command or ("-c", code))]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_small_first_run_compiles_nothing(tmp_path: Path) -> None:
    assert fresh(FIRST_RUN, tmp_path).split() == ["0", "2500"]


@pytest.mark.slow
def test_what_was_warmed_need_not_be_compiled(tmp_path: Path) -> None:
    assert "functions compiled" in fresh("", tmp_path, "-m", "dupdetect", "warm")
    assert "nothing to compile" in fresh("", tmp_path, "-m", "dupdetect", "warm")
    forced = "from dupdetect._compiled.dispatch import expect_many_calls\nexpect_many_calls()\n" + FIRST_RUN
    assert fresh(forced, tmp_path).split() == ["0", "2500"]


def test_work_is_interpreted_until_compiling_would_have_taken_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    allowance = Allowance(100.0, lambda: False)
    assert [allowance.covers(40) for _ in range(4)] == [True, True, False, False]
    assert not Allowance(100.0, lambda: True).covers(1)
    with dispatch.many_calls():
        assert not Allowance(100.0, lambda: False).covers(1)
    assert not dispatch.many_calls_expected()


def test_a_function_is_compiled_when_it_has_taken_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "is_on_disk", lambda _: False)
    function: Callable[[int], int] = lambda n: n + 1  # noqa: E731
    add = Compilable(function)
    assert add.faster_for(2e6) is function
    assert add.faster_for(2e6) is not function
    monkeypatch.setattr(cache, "is_on_disk", lambda _: True)
    assert Compilable(function).faster_for(2e6) is not function


def test_compiling_is_told_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    compare = dupdetect.compare

    def compiled_first(*texts: str, **options: Any) -> Any:
        for name in ("one", "two"):
            cache._LOG.info("compiling %s", name)
        return compare(*texts, **options)

    monkeypatch.setattr("dupdetect.compare", compiled_first)
    assert cli.main(["compare", "--literal", "a text", "another", "--view", "none"]) == 0
    cache._LOG.info("compiling %s", "three")
    assert capsys.readouterr().err.count("compiling for this machine, once; it takes some 20 seconds") == 1


def test_a_folder_for_code_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache.own_folder()
    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cache.own_folder() == folder
    folder.chmod(0o770)  # others could put code there that we would run
    assert cache.own_folder() is None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert cache.own_folder() is None
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    assert cache.own_folder() is None


def test_without_a_place_for_code_one_among_temporary_files_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = []

    class Refusing(cache._Cache):
        def __init__(self, function: Callable[..., object]) -> None:
            if not refused:
                refused.append(function)
                raise RuntimeError("no locator available")
            super().__init__(function)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(cache, "_Cache", Refusing)
    monkeypatch.setattr(cache.config, "CACHE_DIR", "")
    compiled = cache.cached_njit(lambda n: n + 1)
    assert not cache.is_on_disk(compiled)
    assert compiled(2) == 3
    assert list(tmp_path.rglob("*.nbi"))
