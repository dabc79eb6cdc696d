"""Machine code on disk is loaded only if nothing that it is made of has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

HELPERS = """
from numba import njit
from dupdetect._compiled.dispatch import compilable_helper

FACTOR = {factor}

@compilable_helper
def scaled(number):
    return FACTOR * number {more}

@njit
def inner(number):
    return scaled(number) + {term}
"""
LOOPS = """
import sys
from dupdetect._compiled.dispatch import Compilable
from helpers import inner, scaled

@Compilable
def total(count):
    found = 0
    for number in range(count):
        found += inner(number)
    return found + scaled(0)

compiled = total.compiled
print(compiled(4), sum(compiled.stats.cache_hits.values()))
"""


def test_a_change_in_any_function_or_constant_that_is_reached_is_compiled_anew(tmp_path: Path) -> None:
    """The file of the compiled function itself never changes."""
    (tmp_path / "loops.py").write_text(LOOPS)

    def run(**parts: object) -> list[int]:
        (tmp_path / "helpers.py").write_text(HELPERS.format(**{"factor": 1, "more": "", "term": 0} | parts))
        places = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        environment = {**os.environ, **places, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
        command = [sys.executable, "-c", "import loops"]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return [int(number) for number in done.stdout.split()]

    assert run() == [6, 0]
    assert run() == [6, 1]
    assert run(more="# in other words") == [6, 1]
    assert run(factor=2) == [12, 0]  # a constant that only a helper reads
    assert run(more="+ 1") == [11, 0]  # the helper itself, and what calls it through another function
    assert run(term=5) == [26, 0]
    assert run(term=5) == [26, 1]


def test_every_function_that_the_kernels_are_made_of_counts() -> None:
    from dupdetect._compiled import blocks, cache, clean, hash, main_content, normalize

    kernels = blocks.sketch_block, blocks.marked_block
    described = "\n".join(line for kernel in kernels for line in cache._described(kernel.py_func))
    made_of = (
        normalize.fold,
        normalize.single_out,
        hash.hash_words,
        hash.sign,
        hash.winnow,
        main_content.mark_lines,
    )
    for function in made_of:
        assert f"{function.py_func.__qualname__} [" in described
    for intrinsic in ("load64", "fold_block", "least", "match_block.<locals>.matched", "_address"):
        assert f"{intrinsic} [" in described
    assert cache.stamp(clean.mark_block.py_func) != cache.stamp(clean.scrub_block.py_func)


def test_a_stamp_is_the_same_in_every_process() -> None:
    code = (
        "from dupdetect._compiled import blocks, cache, clean; print(cache.stamp(blocks.sketch_block.py_func), "
        "cache.stamp(clean.mark_block.py_func))"
    )
    stamps = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(stamps) == 1
