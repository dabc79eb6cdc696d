"""`dupdetect sketch`: files in, a file of sketches out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dupdetect.cli.options import (
    ONE_OUTPUT,
    SETTINGS,
    chosen_settings,
    id_option,
    inputs_argument,
    log_options,
    overwrite_option,
    quiet_option,
    setting_options,
    strict_option,
    text_option,
    workers_option,
)
from dupdetect.cli.progress import progress_shown
from dupdetect.cli.writing import check_no_input, input_files
from dupdetect.errors import OutputError
from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    from dupdetect.cli.json_log import Log
    from dupdetect.sketches.build import Sketched

_SKETCH_EXAMPLES = """
\b
Examples:
  dupdetect sketch news.parquet -o sketches.parquet
  dupdetect sketch 'crawl/*.jsonl.zst' --text body --id url -o sketches.parquet --no-signatures
  dupdetect sketch out/kept.parquet -o out/sketches.parquet     for dedup --against out
"""

_LISTED = 3


@click.command(epilog=_SKETCH_EXAMPLES)
@inputs_argument
@click.option(
    "-o",
    "--output",
    **ONE_OUTPUT,
    required=True,
    metavar="FILE",
    help="File (Parquet) to write; it must not exist yet.",
)
@text_option
@id_option
@click.option(
    "--signatures/--no-signatures",
    default=True,
    show_default=True,
    help="Write signatures too, 4 * NUM_PERM bytes a document; without them the bands are settled.",
)
@overwrite_option
@strict_option
@workers_option
@quiet_option
@log_options
@setting_options("shingle_size", "unit", "num_perm", "seed", "threshold", "bands", "window")
@click.pass_obj
def sketch(
    log: Log,
    /,
    inputs: tuple[str, ...],
    output: str,
    overwrite: bool,
    quiet: bool,
    workers: int | None,
    settings_file: str | None,
    **options: Any,
) -> None:
    """Sketch the documents of INPUT: signatures, band keys and fingerprints, as Parquet.

    The file says which settings its sketches were made with, and notices damage. `dedup --against` reads it where it is
    named sketches.parquet and stands in an earlier output, and `dupdetect.read_sketches` everywhere.
    """
    from dupdetect._storage.atomic import check_writable
    from dupdetect._storage.context import check_workers
    from dupdetect.sketches.build import sketch_documents

    log.write("start", command="sketch", inputs=inputs, output=output)
    settings = chosen_settings(settings_file, {name: options.pop(name) for name in SETTINGS & options.keys()})
    if not overwrite and Path(output).exists():
        raise OutputError(f"{output}: the file exists; choose another name, or give --overwrite")
    check_no_input(output, input_files([Path(name) for name in inputs], options))
    check_writable(output)
    with progress_shown(not quiet, log.tell if log else None) as progress:
        if progress:
            progress("sign", 0, 0)
        sketched = sketch_documents(
            [Path(name) for name in inputs],
            output,
            settings,
            workers=check_workers(workers),
            told=(lambda done: progress("sign", done, 0)) if progress else (lambda _: None),
            **options,
        )
        if progress:
            progress("sign", sketched.documents, sketched.documents)
    log.found(counts={"documents": sketched.documents, "rejected": sketched.rejects.num_rows})
    if not quiet:
        _print(sketched, output)


def _print(sketched: Sketched, output: str) -> None:
    click.echo(f"{sketched.documents:,} documents sketched into {escape_for_terminal(output)}")
    if sketched.rejects.num_rows:
        click.echo(f"{sketched.rejects.num_rows:,} rows could not be used:")
        for reject in sketched.rejects.slice(0, _LISTED).to_pylist():
            click.echo(
                f"  {escape_for_terminal(str(reject['file']))}:{reject['row']}: {escape_for_terminal(reject['reason'])}"
            )
        if sketched.rejects.num_rows > _LISTED:
            click.echo("  ...")
