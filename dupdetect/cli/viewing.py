"""
How the commands that look at two texts show them.

Takes   a comparison, the names of its texts, what a run says is boilerplate
Gives   both texts on standard output, what they share marked
Cost    that of `views`
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dupdetect.matching.compare import Comparison
    from dupdetect.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


def view_options(command: _Command) -> _Command:
    """Add --view and --full."""
    full = "Show all of both texts, instead of folding what is long."
    command = click.option("--full", is_flag=True, help=full)(command)
    return click.option(
        "--view",
        type=click.Choice(["auto", "side", "unified", "none"]),
        default="auto",
        show_default=True,
        help="How to show the texts: side by side, as one, or not; auto looks at the terminal's width.",
    )(command)


def input_options(command: _Command) -> _Command:
    """Add --input, --column and --id: where the texts of removed documents are."""
    as_it_was = "  [default: as the run had it]"
    command = click.option("--id", "id_column", metavar="COLUMN", help=f"Column of the ids.{as_it_was}")(command)
    command = click.option("--column", metavar="COLUMN", help=f"Column of the texts.{as_it_was}")(command)
    return click.option(
        "--input",
        "inputs",
        metavar="INPUT",
        multiple=True,
        help="What the run read, for texts that it did not keep; repeat for more.  [default: what it read, if it is "
        "still there]",
    )(command)


def paths(inputs: tuple[str, ...]) -> list[Path] | None:
    """Return what was given with --input as `dedup` takes it, None if nothing was."""
    return [Path(name) for name in inputs] or None


def show_texts(
    comparison: Comparison, names: tuple[str, str], settings: Settings, boilerplate: Any, view: str, full: bool
) -> None:
    """Print both texts."""
    if view == "none":
        return
    from rich.console import Console

    from dupdetect.reports.marked_texts import Marker
    from dupdetect.reports.terminal import Side, show

    marker = Marker(settings, boilerplate)
    a, b = (
        Side.of(name, text, marker.boilerplate(text)) for name, text in zip(names, comparison.compared[:2], strict=True)
    )
    console = Console(highlight=False, markup=False, emoji=False)
    console.print()
    show(console, a, b, comparison.aligned, view=view, full=full)
