"""The README is true: its tables are what comes out, its output is what the terminal shows; and it is short."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from docpages import ROOT, blocks

import dupdetect
from dupdetect.cli import main as cli

README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(name: str) -> list[dict[str, str]]:
    """Give the rows of the table below the comment ``<!-- name -->``."""
    lines = README.split(f"<!-- {name} -->\n\n")[1].split("\n\n")[0].splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(header, row, strict=True)) for row in rows]


def shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@pytest.fixture(scope="module")
def result() -> dupdetect.Result:
    return dupdetect.dedup({row["id"]: row["text"].replace("<br>", "\n") for row in table("documents")})


@pytest.mark.parametrize("name", ["matches", "clusters"])
def test_the_data_shown_is_what_comes_out(name: str, result: dupdetect.Result) -> None:
    expected = table(name)
    rows = getattr(result, name).select(list(expected[0])).to_pylist()
    assert [{column: shown(value) for column, value in row.items()} for row in rows] == expected


def test_the_two_commands_are_one_line_each() -> None:
    (block,) = (block for block in blocks(README, "console") if "# find the copies" in block)
    lines = block.splitlines()
    assert [line for line in lines if line.startswith("#")] == ["# find the copies", "# run the tests"]
    assert len(lines) == 4


def test_the_terminal_shows_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "96")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["dedup", str(ROOT / "fixtures" / "newsroom" / "en"), "-o", "out"]) == 0
    (shown,) = blocks(README, "text")

    def timeless(text: str) -> str:
        return re.sub(r"[\d.]+ seconds", "… seconds", text).strip()

    assert timeless(capsys.readouterr().out) == timeless(shown)


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 160
