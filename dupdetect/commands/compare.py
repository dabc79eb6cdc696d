"""`dupdetect compare`: how two texts are related, in words or JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

import dupdetect
from dupdetect.commands.options import chosen_settings, setting_options
from dupdetect.errors import InputError
from dupdetect.summary import printable

_COMPARE_EXAMPLES = """
\b
Examples:
  dupdetect compare article.txt page.txt
  dupdetect compare article.txt page.txt --json
  curl -s https://example.org/story.txt | dupdetect compare article.txt -
"""


@click.command(epilog=_COMPARE_EXAMPLES)
@click.argument("a")
@click.argument("b")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
@setting_options("shingle_size", "unit", "threshold", "containment", "least", "templates")
def compare(a: str, b: str, as_json: bool, settings_file: str | None, **options: Any) -> None:
    """Relate two text files A and B (UTF-8); - is standard input."""
    if a == b == "-":
        raise click.UsageError("A and B cannot both be standard input; give at least one as a file.")
    settings = chosen_settings(settings_file, options)
    comparison = dupdetect.compare(_text_of(a), _text_of(b), settings=settings)
    numbers = {
        "relation": comparison.relation,
        "jaccard": comparison.jaccard,
        "containment_a": comparison.containment_a,
        "containment_b": comparison.containment_b,
        "score": comparison.score,
        "framed": comparison.framed,
    }
    if as_json:
        click.echo(json.dumps({"a": a, "b": b, **numbers}))
        return
    names = printable(a), printable(b)
    click.echo(_RELATIONS[comparison.relation].format(*names))
    click.echo(f"  score         {comparison.score:.3f}{_FRAMED if comparison.framed else ''}")
    click.echo(f"  Jaccard       {comparison.jaccard:.3f}")
    click.echo(f"  containment   {comparison.containment_a:.3f} of {names[0]} is in {names[1]}")
    click.echo(f"                {comparison.containment_b:.3f} of {names[1]} is in {names[0]}")


_FRAMED = " (both have text of their own between what they share: judged as near duplicates)"

_RELATIONS = {
    "identical": "{0} and {1} have the same words.",
    "near_duplicate": "{0} and {1} are near duplicates.",
    "contains": "{0} contains {1}.",
    "contained": "{0} is contained in {1}.",
    None: "{0} and {1} are no copies of each other.",
}


def _text_of(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: byte {error.start} is not UTF-8 ({error.reason}); convert the file to UTF-8."
        ) from None
