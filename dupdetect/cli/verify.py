"""`dupdetect verify`: whether an output says what an output must say."""

from __future__ import annotations

import json
from pathlib import Path

import click

import dupdetect
from dupdetect.cli.options import (
    id_of_run_option,
    inputs_of_run_argument,
    json_option,
    sampling_seed_option,
    text_of_run_option,
)
from dupdetect.text.escape import escape_for_terminal

_VERIFY_EXAMPLES = """
\b
Examples:
  dupdetect verify out
  dupdetect verify out news.parquet
  dupdetect verify out 'crawl/*.jsonl.zst' --text body --id url --json
"""


@click.command(epilog=_VERIFY_EXAMPLES)
@click.argument("out")
@inputs_of_run_argument
@text_of_run_option
@id_of_run_option
@click.option(
    "--matches",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="Matches whose figures are counted anew from the texts.",
)
@sampling_seed_option
@json_option
@click.pass_context
def verify(
    context: click.Context,
    out: str,
    inputs: tuple[str, ...],
    text_column: str | None,
    id_column: str | None,
    matches: int,
    sampling_seed: int,
    as_json: bool,
) -> None:
    """Check the output folder OUT: by itself, and against the INPUT that it was made of.

    Exits with 1 if anything does not hold. INPUT is what the run has read, by default; then it must be as it was.
    """
    data = [Path(name) for name in inputs] or None
    verified = dupdetect.verify_output(
        out, data, text=text_column, id=id_column, matches=matches, sampling_seed=sampling_seed
    )
    if as_json:
        click.echo(json.dumps(verified.as_dict()))
    else:
        for check in verified.checks:
            said = "FAILS" if check.failed else "holds" if check.looked_at else "-"
            click.echo(f"{said:6}{check.looked_at:>12,}  {check.name}")
            for failure in check.failures:
                click.echo(escape_for_terminal(f"                    {failure}"))
            if check.failed > len(check.failures):
                click.echo(f"                    and {check.failed - len(check.failures):,} more")
    context.exit(0 if verified.holds else 1)
