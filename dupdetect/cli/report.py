"""`dupdetect report`: a page that shows what a run found, and why."""

from __future__ import annotations

from pathlib import Path

import click

import dupdetect
from dupdetect.cli.options import ONE_OUTPUT, run_input_options
from dupdetect.text.escape import escape_for_terminal

_REPORT_EXAMPLES = """
\b
Examples:
  dupdetect report out
  dupdetect report out -o for-a-colleague.html --input news.parquet
  dupdetect report out --input 'crawl/*.jsonl.zst' --text body --id url --by publisher
"""


@click.command(epilog=_REPORT_EXAMPLES)
@click.argument("out")
@click.option("-o", "--output", **ONE_OUTPUT, metavar="FILE", help="File to write.  [default: report.html in OUT]")
@run_input_options
@click.option("--by", metavar="COLUMN", help="Column that says where a document came from; of an address the host.")
def report(
    out: str,
    output: str | None,
    inputs: list[Path] | None,
    text_column: str | None,
    id_column: str | None,
    by: str | None,
) -> None:
    """Write one HTML file that shows what the run that wrote OUT found, and why.

    It needs no network and can be sent. The texts of removed documents are not in OUT: they are taken from INPUT.
    """
    written = dupdetect.report(out, output, inputs, text=text_column, id=id_column, by=by)
    click.echo(f"{escape_for_terminal(str(written))}: {written.stat().st_size / 1e6:.1f} MB")
