"""The house: which room may know which. Read from the source, so that imports inside functions count too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dupdetect

PACKAGE = Path(dupdetect.__file__).parent

# Data walks downwards through this list; a room may import the rooms above it and none below.
ROOMS = (
    "errors",
    "bands",  # what Settings asks for the bands of a threshold; knows nothing of the others
    "settings",
    "shelves",
    "reading",
    "documents",
    "words",
    "lines",
    "characters",
    "shingles",
    "minhash",
    "winnow",
    "intrinsics",
    "folding",
    "hashing",
    "marking",
    "blocks",
    "kernels",
    "scrubbing",
    "loops",
    "sketches",
    "cleaning",
    "candidates",
    "verify",
    "layouts",
    "templates",
    "clusters",
    "canonical",
    "tables",
    "passages",
    "writing",
    "result",
    "comparison",
    "truth",
    "scores",
    "evaluation",
    "pipeline",
    "neighbours",
    "intervals",
    "auditing",
    "labels",
    "thresholds",
    "curves",
    "tuning",
    "progress",
    "summary",
    "tuned",
    "scorecards",
    "cli",
    "__main__",
)


def modules() -> list[str]:
    return sorted(path.stem for path in PACKAGE.rglob("*.py") if path.stem != "__init__")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of all that a file imports from this package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            deep = node.module != "dupdetect"
            yield from ((node.lineno, node.module if deep else f"dupdetect.{alias.name}") for alias in node.names)


def is_ours(name: str) -> bool:
    return name == "dupdetect" or name.startswith("dupdetect.")


def test_every_room_has_its_place() -> None:
    assert set(modules()) <= set(ROOMS), "a new module: give it its place in ROOMS"


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "_utils", "helpers", "common", "misc"}
    assert not drawers & set(modules())


def test_the_package_is_flat() -> None:
    assert not [path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"]


@pytest.mark.parametrize("room", modules())
def test_imports_go_one_way(room: str) -> None:
    path = PACKAGE / f"{room}.py"
    above = ROOMS[: ROOMS.index(room)]
    for line, name in imported(path):
        if name == "dupdetect.__version__" or (name == "dupdetect" and room == "cli"):
            continue  # cli is a user of the library like any other
        target = name.split(".")[1] if "." in name else "the package itself"
        assert target in above, f"{path.name}:{line}: {room} imports {target}, which is not above it"


@pytest.mark.parametrize("room", modules())
def test_no_relative_or_star_imports(room: str) -> None:
    for node in ast.walk(ast.parse((PACKAGE / f"{room}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.names[0].name != "*"
