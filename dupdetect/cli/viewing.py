"""How the commands that look at two texts show them.

Input    a comparison, the names of its texts, what a run says is boilerplate
Output   both texts on standard output, what they share marked
Cost     that of `dupdetect.reports.terminal`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dupdetect.matching.compare import Comparison
    from dupdetect.settings import Settings

#: What the signs in the margin say.
LEGEND = "= of both   < of the first alone   > of the second alone   ~ boilerplate, or short lines"

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


def show_texts(
    comparison: Comparison, names: tuple[str, str], settings: Settings, boilerplate: Any, view: str, full: bool
) -> None:
    """Print both texts."""
    if view == "none":
        return
    from rich.console import Console
    from rich.text import Text

    from dupdetect.reports.marked_texts import Marker
    from dupdetect.reports.terminal import Side, show

    marker = Marker(settings, boilerplate)
    a, b = (
        Side.of(name, text, marker.boilerplate(text)) for name, text in zip(names, comparison.compared[:2], strict=True)
    )
    console = Console(highlight=False, markup=False, emoji=False)
    console.print()
    console.print(Text(LEGEND, "dim"), soft_wrap=True)
    show(console, a, b, comparison.aligned, unit=settings.unit, view=view, full=full)
