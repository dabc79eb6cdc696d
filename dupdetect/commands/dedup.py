"""`dupdetect dedup`: files in, a folder of tables out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

import dupdetect
from dupdetect.commands.options import (
    chosen_settings,
    id_option,
    inputs_argument,
    setting_options,
    text_option,
    workers_option,
)
from dupdetect.progress import progress_bars
from dupdetect.summary import print_summary

_DEDUP_EXAMPLES = """
\b
Examples:
  dupdetect dedup news.parquet -o out
  dupdetect dedup 'crawl/*.jsonl.zst' --text body --id url -o out
  dupdetect dedup pages/ -o out --format csv             a folder of text files
  zcat dump.jsonl.gz | dupdetect dedup - -o out          JSON Lines on standard input
  dupdetect dedup news.parquet -o out --canonical earliest --canonical-column published
"""


@click.command(epilog=_DEDUP_EXAMPLES)
@inputs_argument
@click.option("-o", "--output", required=True, metavar="OUT", help="Folder to write; it must not exist yet.")
@text_option
@id_option
@click.option(
    "--format",
    type=click.Choice(["parquet", "jsonl", "csv"]),
    default="parquet",
    show_default=True,
    help="Format of the tables.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT, if an earlier run wrote it.")
@click.option("--strict", is_flag=True, help="Stop at the first row that cannot be used, instead of rejecting it.")
@workers_option
@click.option("-q", "--quiet", is_flag=True, help="Neither progress bars nor a summary.")
@click.option("-v", "--verbose", is_flag=True, help="Also show settings, timings and caps.")
@setting_options()
def dedup(
    inputs: tuple[str, ...],
    output: str,
    text: str,
    id: str | None,
    format: str,
    overwrite: bool,
    strict: bool,
    workers: int | None,
    quiet: bool,
    verbose: bool,
    settings_file: str | None,
    **options: Any,
) -> None:
    """
    Find the copies among the documents of INPUT and write clusters, matches and what to keep to OUT.

    INPUT is a Parquet, JSON Lines, CSV or Arrow IPC file, a folder of text files, a glob, or - for JSON Lines
    on standard input. JSON Lines and CSV may be compressed (.gz, .zst).
    """
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose contradict each other; give one of them.")
    from dupdetect.writing import check_folder

    start = time.perf_counter()
    settings = chosen_settings(settings_file, options)
    folder = Path(output)
    check_folder(folder, overwrite=overwrite)  # now, not at the end: nobody should wait for that
    with progress_bars(wanted=not quiet) as progress:
        result = dupdetect.dedup(
            [Path(name) for name in inputs],
            text=text,
            id=id,
            settings=settings,
            workers=workers,
            strict=strict,
            progress=progress,
        )
        if progress:
            progress("write", 0, 1)
        result.write(folder, format=format, overwrite=overwrite)
    if not quiet:
        print_summary(result, folder, seconds=time.perf_counter() - start, text=text, verbose=verbose)
