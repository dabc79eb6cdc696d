"""The README is true: its Python runs, its tables are what comes out, its commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import dupdetect
from dupdetect.cli import main as cli

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


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
    return dupdetect.dedup({row["id"]: row["text"] for row in table("documents")})


def test_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "readme"}
    for number, block in enumerate(blocks("python"), start=1):
        exec(compile(block, f"README.md, Python block {number}", "exec"), names)
    assert (tmp_path / "out" / "clusters.parquet").is_file()


@pytest.mark.parametrize("name", ["matches", "clusters"])
def test_the_data_shown_is_what_comes_out(name: str, result: dupdetect.Result) -> None:
    expected = table(name)
    rows = getattr(result, name).select(list(expected[0])).to_pylist()
    assert [{column: shown(value) for column, value in row.items()} for row in rows] == expected


def test_commands_have_the_options_they_are_shown_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "".join(blocks("console")).splitlines()
    used = [re.split(r"&&|\|", line)[-1].strip() for line in lines if re.search(r"dupdetect \w", line)]
    assert len(used) >= 5
    for line in used:
        arguments = shlex.split(line)[1:]
        command = cli.command.commands[arguments[0]]
        command.make_context(arguments[0], arguments[1:])


def test_the_two_commands_are_one_line_each() -> None:
    first = blocks("console")[0].splitlines()
    assert [line for line in first if line.startswith("#")] == ["# find the copies", "# run the tests"]
    assert len(first) == 4
