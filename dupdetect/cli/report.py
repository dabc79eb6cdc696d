"""`dupdetect report`: a page that shows what a run found, and why."""

from __future__ import annotations

from pathlib import Path

import click

import dupdetect
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
@click.option("-o", "--output", metavar="FILE", help="File to write.  [default: report.html in OUT]")
@click.option(
    "--input",
    "inputs",
    metavar="INPUT",
    multiple=True,
    help="What the run read; repeat for more.  [default: what it read, if that is still there]",
)
@click.option("--text", metavar="COLUMN", help="Column of INPUT that holds the texts.  [default: as the run had it]")
@click.option("--id", metavar="COLUMN", help="Column of INPUT that holds the ids.  [default: as the run had it]")
@click.option("--by", metavar="COLUMN", help="Column that says where a document came from; of an address the host.")
def report(
    out: str, output: str | None, inputs: tuple[str, ...], text: str | None, id: str | None, by: str | None
) -> None:
    """
    Write one HTML file that shows what the run that wrote OUT found, and why.

    It needs no network and can be sent. The texts of removed documents are not in OUT: they are taken from INPUT.
    """
    data = [Path(name) for name in inputs] or None
    written = dupdetect.report(out, output, data, text=text, id=id, by=by)
    click.echo(f"{escape_for_terminal(str(written))}: {written.stat().st_size / 1e6:.1f} MB")
