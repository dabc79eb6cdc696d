"""`dupdetect audit`: what share of the matches a run found, where nobody knows the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import dupdetect
from dupdetect.cli.options import (
    id_of_run_option,
    inputs_of_run_argument,
    json_option,
    sampling_seed_option,
    text_of_run_option,
    workers_option,
)
from dupdetect.cli.scorecards import audit_cards, html_option, show

_AUDIT_EXAMPLES = """
\b
Examples:
  dupdetect audit out
  dupdetect audit out news.parquet
  dupdetect audit out 'crawl/*.jsonl.zst' --documents 5000
"""


@click.command(epilog=_AUDIT_EXAMPLES)
@click.argument("out")
@inputs_of_run_argument
@text_of_run_option
@id_of_run_option
@click.option(
    "--documents", type=click.IntRange(min=1), default=1000, show_default=True, help="How many are compared with all."
)
@sampling_seed_option
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@workers_option
@json_option
@html_option
def audit(
    out: str,
    inputs: tuple[str, ...],
    text_column: str | None,
    id_column: str | None,
    as_json: bool,
    html: str | None,
    **options: Any,
) -> None:
    """Estimate which share of the matches in INPUT the run that wrote OUT found.

    No truth is needed: a random sample of documents is compared with all others, exactly. Those of them that were
    removed are held against what stands for them: nothing may be lost beyond the tolerance. INPUT is what the run has
    read, by default; then it must be as it was.
    """
    audited = dupdetect.audit(out, [Path(name) for name in inputs] or None, text=text_column, id=id_column, **options)
    show(f"Audit of {out}", audited.as_dict(), audit_cards(audited), as_json, html)
