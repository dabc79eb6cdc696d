"""What `import dupdetect` offers is what it says it offers, and costs little."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import dupdetect
from dupdetect import errors


def fresh(code: str) -> str:
    """Run code in a new process and give what it printed."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", dupdetect.__all__)
def test_each_name_is_there_and_documented(name: str) -> None:
    value = getattr(dupdetect, name)
    assert callable(value)
    assert inspect.getdoc(value)
    assert value.__module__.startswith("dupdetect.")


def test_all_is_sorted_and_complete() -> None:
    assert list(dupdetect.__all__) == sorted(set(dupdetect.__all__))
    assert set(dupdetect.__all__) == set(dupdetect._MODULE_OF)
    assert set(dupdetect.__all__) <= set(dir(dupdetect))


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(dupdetect.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    shown = {alias.name: node.module for node in imports for alias in node.names}
    assert shown == {name: f"dupdetect.{room}" for name, room in dupdetect._MODULE_OF.items()}


def test_every_error_is_exported() -> None:
    tree = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    raised = {name for name in tree if issubclass(getattr(errors, name), errors.DupdetectError)}
    assert raised <= set(dupdetect.__all__)


def test_star_import_gives_all() -> None:
    names = fresh("from dupdetect import *; print(*sorted(n for n in dir() if n[0] != '_'))").split()
    assert names == sorted(dupdetect.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'dedupe'"):
        _ = dupdetect.dedupe


@pytest.mark.parametrize(
    "first",
    [
        "from dupdetect import Comparison",
        "from dupdetect import compare",
        "from dupdetect.matching.compare import Comparison",
        "import dupdetect.matching.compare",
        "import dupdetect.pipeline.dedup",
        "dupdetect.Settings()",
        "dupdetect.dedup(['one', 'two'])",
    ],
)
def test_compare_is_the_function_whatever_came_first(first: str) -> None:
    fresh(f"import dupdetect; {first}; assert dupdetect.compare('a text', 'a text').relation == 'identical'")


def test_import_is_quick_and_loads_nothing_heavy() -> None:
    code = """
import sys, time
start = time.perf_counter()
import dupdetect
print(time.perf_counter() - start, *sys.modules)
"""
    runs = [fresh(code).split() for _ in range(5)]
    assert min(float(run[0]) for run in runs) < 0.25
    heavy = {"numba", "numpy", "pyarrow", "datasketch", "regex", "xxhash", "rich", "click"}
    assert not heavy & set(runs[0])


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = """
import sys, time
start = time.perf_counter()
from dupdetect.cli import main as cli
assert cli.main(["dedup", "--help"]) == 0
print(time.perf_counter() - start, *sys.modules)
"""
    runs = [fresh(code).splitlines()[-1].split() for _ in range(5)]
    assert min(float(run[0]) for run in runs) < 0.35
    assert not {"numba", "numpy", "pyarrow", "datasketch", "regex", "rich", "scipy"} & set(runs[0])


def test_types_are_shipped() -> None:
    assert (Path(dupdetect.__file__).parent / "py.typed").is_file()
