"""
How the commands that give scorecards show them.

Takes   a title, the values, and the cards made of them
Gives   tables on standard output, or one JSON object; a page too, if asked for
Cost    that of the page
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dupdetect.cli.scorecards import Card

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
html_option = click.option("--html", metavar="FILE", help="Also write a page that shows the same.")


def show(
    title: str, values: dict[str, Any], cards: tuple[str, list[Card], list[str]], as_json: bool, html: str | None
) -> None:
    """Print the cards, or the values as JSON; write the page that shows the same, if there is to be one."""
    from dupdetect.cli.scorecards import print_cards, write_page

    if html is not None:
        write_page(Path(html), title, *cards)
    if as_json:
        click.echo(json.dumps(values, default=str))
    else:
        print_cards(*cards)
