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
    "visible",
    "notebooks",
    "memory",
    "bands",  # what Settings asks for the bands of a threshold; knows nothing of the others
    "settings",
    "shelves",
    "journal",
    "workshop",
    "rows",
    "columns",
    "remote",
    "finding",
    "opening",
    "jsonlines",
    "csvfiles",
    "reading",
    "ahead",
    "repeats",
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
    "sketchfiles",
    "cleaning",
    "sketching",
    "spans",
    "candidates",
    "earlier",
    "corpus",
    "layouts",
    "frames",
    "verify",
    "templates",
    "clusters",
    "canonical",
    "tables",
    "checkpoints",
    "passages",
    "panes",
    "writing",
    "result",
    "comparison",
    "truth",
    "scores",
    "evaluation",
    "against",
    "pipeline",
    "neighbours",
    "intervals",
    "auditing",
    "labels",
    "thresholds",
    "curves",
    "tuning",
    "stages",
    "bars",
    "loglines",
    "progress",
    "summary",
    "tuned",
    "scorecards",
    "standings",
    "excerpts",
    "explaining",
    "views",
    "charts",
    "reporting",
    "commands.options",
    "commands.cards",
    "commands.audit",
    "commands.viewing",
    "commands.compare",
    "commands.explain",
    "commands.dedup",
    "commands.evaluate",
    "commands.report",
    "commands.sketch",
    "commands.tune",
    "cli",
    "__main__",
)


FOLDERS = {"commands"}  # a file a command; the package is flat else


def modules() -> list[str]:
    """Name all rooms, those of a folder with its name before theirs."""
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.stem != "__init__")
    return sorted(".".join(path.with_suffix("").parts) for path in paths)


def source(room: str) -> Path:
    return PACKAGE.joinpath(*room.split(".")).with_suffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of all that a file imports from this package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            folder = (node.module or "").removeprefix("dupdetect").lstrip(".") in {"", *FOLDERS}
            yield from ((node.lineno, f"{node.module}.{alias.name}" if folder else node.module) for alias in node.names)


def is_ours(name: str) -> bool:
    return name == "dupdetect" or name.startswith("dupdetect.")


def test_every_room_has_its_place() -> None:
    assert set(modules()) <= set(ROOMS), "a new module: give it its place in ROOMS"


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "_utils", "helpers", "common", "misc"}
    assert not drawers & {room.rpartition(".")[2] for room in modules()}


def test_the_package_is_flat_but_for_the_commands() -> None:
    folders = {str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")}
    assert folders == {".", *FOLDERS}


@pytest.mark.parametrize("room", modules())
def test_imports_go_one_way(room: str) -> None:
    above = ROOMS[: ROOMS.index(room)]
    for line, name in imported(source(room)):
        if name == "dupdetect.__version__" or (name == "dupdetect" and is_a_user(room)):
            continue
        target = name.removeprefix("dupdetect.") if "." in name else "the package itself"
        assert target in above, f"{source(room).name}:{line}: {room} imports {target}, which is not above it"


def is_a_user(room: str) -> bool:
    """The command is a user of the library like any other."""
    return room == "cli" or room.startswith("commands.")


@pytest.mark.parametrize("room", modules())
def test_no_relative_or_star_imports(room: str) -> None:
    for node in ast.walk(ast.parse(source(room).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.names[0].name != "*"
