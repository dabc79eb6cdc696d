"""The README and the documentation are true: their Python runs, their commands exist, their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from docpages import ROOT, blocks, commands, pages

import dupdetect
from dupdetect.cli import main as cli

PAGES = pages()
WITH_PYTHON = [name for name, page in PAGES.items() if blocks(page, "python")]
WITH_COMMANDS = [name for name, page in PAGES.items() if commands(page)]


@pytest.mark.parametrize("name", WITH_PYTHON)
def test_python_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(blocks(PAGES[name], "python"), start=1):
        exec(compile(block, f"{name}, Python block {number}", "exec"), names)


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_commands_have_the_options_they_are_shown_with(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command, *arguments in commands(PAGES[name]):
        cli.command.commands[command].make_context(command, arguments)


def test_every_command_is_shown_somewhere() -> None:
    shown = {command for page in PAGES.values() for command, *_ in commands(page)}
    assert shown == set(cli.command.commands)


@pytest.mark.parametrize("name", list(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", PAGES[name]):
        assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    shown = re.findall(r"[\w/-]+\.md", navigation)
    assert len(shown) == len(set(shown))
    assert set(shown) == {name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")}


def test_the_reference_has_every_public_name() -> None:
    documented = re.findall(r"^::: dupdetect\.(\w+)$", PAGES["docs/reference/python.md"], flags=re.MULTILINE)
    assert sorted(documented) == sorted(dupdetect.__all__)


@pytest.mark.parametrize("path", re.findall(r"`(\w+/\w+\.py)`", PAGES["docs/architecture.md"]))
def test_files_that_the_architecture_names_are_there(path: str) -> None:
    assert (ROOT / "dupdetect" / path).is_file()
