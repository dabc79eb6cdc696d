"""The packages: which may import which, and no circles within one. Read from the source, imports in functions too."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import dupdetect

ROOT = Path(dupdetect.__file__).parent

#: Data walks down this list; a package may import from those above it. Two modules of `_storage` stand apart from it,
#: above the settings, which are written by them.
PACKAGES = (
    *(
        "errors",
        "_storage.unfinished",
        "_storage.atomic",
        "settings",
        "text",
        "_compiled",
        "_storage",
        "io",
        "sketches",
        "matching",
        "clustering",
        "results",
    ),
    *("pipeline", "index", "spark", "evaluation", "reports", "cli", "__main__"),
)
FILES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")}


def imports(name: str) -> set[str]:
    """Return the modules of this library that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dupdetect."):
            module = node.module.removeprefix("dupdetect.")
            found |= {below if (below := f"{module}.{alias.name}") in FILES else module for alias in node.names}
    return found


def place(name: str) -> int:
    """Return where in the list a module stands."""
    return PACKAGES.index(name if name in PACKAGES else name.split(".")[0])


def test_packages_import_from_those_above_them() -> None:
    for name in FILES.keys() - {"__init__"}:
        mine = place(name)
        for other in imports(name):
            assert place(other) <= mine, f"{name} imports {other}, which is below it"


def test_no_package_holds_a_circle() -> None:
    list(TopologicalSorter({name: imports(name) - {name} for name in FILES if name != "__init__"}).static_order())


def test_the_top_level_is_short() -> None:
    assert len([entry for entry in ROOT.iterdir() if entry.name != "__pycache__"]) <= 19


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in FILES.items()}
    assert {name: length for name, length in lengths.items() if length > 500} == {}
