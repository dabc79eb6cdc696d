"""One name a meaning: an option is called alike wherever it means the same, and means the same wherever it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import click
import pytest

from dupdetect.cli.main import command
from dupdetect.cli.spark import command as spark

#: Options whose meaning is one, and whose help says more of it in one command than in another.
SAID_IN_OTHER_WORDS = {
    "--output": "where the command writes what it is there for: a folder, a file of rows, of settings, a page",
    "-o": "the same",
    "--against": "on Spark the driver reads what it names; an output that is replaced is not meant there",
    "--work": "a folder for what a run keeps meanwhile; on Spark executors must reach it",
}


def commands(one: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(one, click.Group):
        for word in one.list_commands(click.Context(one)):
            found = one.get_command(click.Context(one), word)
            assert found is not None
            yield from commands(found, f"{name} {word}")
    else:
        yield name, one


def meanings() -> dict[str, dict[str, list[str]]]:
    """What is said of each option, without its default, and by which commands."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, one in [*commands(command, "dupdetect"), *commands(spark, "dupdetect-spark")]:
        for parameter in one.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                said = re.sub(r"\s*\[default: .*\]$", "", parameter.help or "")
                for option in (*parameter.opts, *parameter.secondary_opts):
                    found[option][said].append(name)
    return found


def test_there_are_options() -> None:
    assert {"--text", "--id", "--sample", "--seed", "--sampling-seed", "--cluster-column", "-o"} <= meanings().keys()


@pytest.mark.parametrize("option", sorted(meanings()))
def test_an_option_has_one_meaning(option: str) -> None:
    said = meanings()[option]
    if option in SAID_IN_OTHER_WORDS:
        assert len(said) > 1, "it needs no excuse any more"
    else:
        assert len(said) == 1, said


def test_a_meaning_has_one_option() -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for option, said in meanings().items():
        for meaning in said:
            names[meaning] |= {option.replace("--no-", "--")} if option.startswith("--") else set()
    assert {meaning: found for meaning, found in names.items() if meaning and len(found) > 1} == {}
