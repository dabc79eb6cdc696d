"""`dupdetect dedup`: files in, a folder of tables out."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import dupdetect
from dupdetect.cli.dry_run import show_plan
from dupdetect.cli.options import (
    ONE_OUTPUT,
    SETTINGS,
    chosen_settings,
    id_option,
    inputs_argument,
    log_options,
    max_text_option,
    memory_option,
    named,
    overwrite_option,
    quiet_option,
    read_as_options,
    setting_options,
    strict_option,
    text_option,
    workers_option,
)
from dupdetect.cli.progress import progress_shown
from dupdetect.cli.summary import print_summary
from dupdetect.cli.writing import Writing, check_inputs, check_not_within, first_rows
from dupdetect.errors import InputError

if TYPE_CHECKING:
    from dupdetect.cli.json_log import Log
    from dupdetect.pipeline.timing import Progress
    from dupdetect.results.result import Result

#: Bytes of an output's name from which on its work folder is named by a digest.
LONGEST = 200

_DEDUP_EXAMPLES = """
\b
Examples:
  dupdetect dedup news.parquet -o out
  dupdetect dedup 'crawl/*.jsonl.zst' --text body --id url -o out
  dupdetect dedup pages/ -o out --format csv             a folder of text files
  zcat dump.jsonl.gz | dupdetect dedup - -o out          JSON Lines on standard input
  dupdetect dedup dump.jsonl.gz -o - | gzip > kept.jsonl.gz
  dupdetect dedup news.parquet -o out --canonical earliest --canonical-column published
  dupdetect dedup crawl/ -o out --memory 2GB --resume    run it again, and it goes on where it was stopped
  dupdetect dedup today.parquet -o nights/tue --against nights --sketches    every night; once more with --overwrite
  dupdetect dedup news.parquet -o out --log-json 2>>dupdetect.log
"""


@click.command(epilog=_DEDUP_EXAMPLES)
@inputs_argument
@click.option(
    "-o",
    "--output",
    **ONE_OUTPUT,
    metavar="OUT",
    help="Folder to write; it must not exist yet. A name such as kept.jsonl.zst, .csv or .parquet: one file of the "
    "rows that stay; -: these as JSON Lines on standard output.",
)
@text_option
@id_option
@click.option(
    "--id-prefix", type=click.Choice(["file"]), help="Put the name of its file before each id: for ids that repeat."
)
@click.option(
    "--format",
    type=click.Choice(["parquet", "jsonl", "csv"]),
    default="parquet",
    show_default=True,
    help="Format of the tables.",
)
@click.option(
    "--kept",
    type=click.Choice(["parquet", "jsonl", "csv", "none"]),
    help="Format of the rows that stay.  [default: as they came, in the input's format and compression]",
)
@click.option("--pairs-only", is_flag=True, help="Write the verified pairs alone, the table matches.")
@click.option(
    "--columns",
    metavar="A,B,...",
    help="Write only these columns of the input; in a folder as Parquet, or as --kept says.  [default: all]",
)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Read the first N rows alone, to try it.")
@click.option(
    "--dry-run", is_flag=True, help="Write nothing: tell what would be read, and about how long it would take."
)
@read_as_options
@overwrite_option
@click.option(
    "--annotate", is_flag=True, help="Also write the table annotated: every input row with its cluster and verdict."
)
@strict_option
@max_text_option
@workers_option
@memory_option
@click.option("--work", metavar="DIR", help="Folder for what does not fit into memory.  [default: beside OUT]")
@click.option("--resume", is_flag=True, help="Go on from where an earlier run of the same was stopped, if it was.")
@click.option("--sketches", is_flag=True, help="Also write the documents' sketches into OUT.")
@click.option(
    "--against",
    multiple=True,
    metavar="OUT",
    callback=named,
    help="Output of an earlier run, or a folder of such, whose documents INPUT is compared with; may be repeated. "
    "An OUT that is replaced is not among them.",
)
@quiet_option
@click.option("-v", "--verbose", is_flag=True, help="Also show settings, timings and caps.")
@log_options
@setting_options()
@click.pass_obj
def dedup(
    log: Log,
    /,
    inputs: tuple[str, ...],
    output: str | None,
    quiet: bool,
    verbose: bool,
    dry_run: bool,
    settings_file: str | None,
    **options: Any,
) -> None:
    """Find the copies among the documents of INPUT and write clusters, matches and what to keep to OUT.

    INPUT is a Parquet, JSON Lines, CSV or Arrow IPC file, a folder of text files, an archive of either (.tar,
    .tar.gz, .zip), a glob, or - for JSON Lines on standard input. JSON Lines and CSV may be compressed (.gz, .zst,
    .bz2).
    """
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose contradict each other; give one of them.")
    if output is None and not dry_run:
        raise click.UsageError("Missing option '-o' / '--output': where to write; or give --dry-run.")
    start = time.perf_counter()
    log.write("start", command="dedup", version=dupdetect.__version__, inputs=inputs, output=output)
    options["settings"] = chosen_settings(settings_file, {name: options.pop(name) for name in SETTINGS})
    writing = Writing.of(output, options)
    paths = [Path(name) for name in inputs]
    if dry_run:
        show_plan(paths, _given(options))
        return
    if options["resume"] and writing.target is None:
        writing.overwrite |= _is_finished(writing, paths, **options)
    writing.check(options)
    check_inputs(writing, paths, options)
    if options["against"] and writing.target is None:
        options["replaces"] = writing.path
    data = first_rows(paths, options.pop("sample"))
    with progress_shown(not quiet, log.tell if log else None) as progress:
        result = _run(data, writing, progress=progress, **_given(options))
    log.found(**{name: result.manifest.get(name) for name in ("counts", "timings", "caps")})
    if not quiet:
        seconds = time.perf_counter() - start
        print_summary(result, writing.path, seconds=seconds, text=options["text"], verbose=verbose)


def _is_finished(writing: Writing, inputs: list[Path], *, sketches: bool, **options: Any) -> bool:
    """Whether a folder has what the same command has written: to repeat it is to write that once more, or more."""
    from dupdetect.pipeline.planned import planned
    from dupdetect.results.folder import MANIFEST, SKETCHES
    from dupdetect.results.run import Run

    folder, format = writing.path, writing.format
    if not (folder / MANIFEST).is_file() or Path("-") in inputs:
        return False
    run = Run(folder)
    tables = {f"{name}.{format}": name == "matches" or not writing.pairs for name in ("matches", "clusters")}
    if any((name in run.files) != wanted for name, wanted in (tables | {SKETCHES: sketches}).items()):
        return False
    if f"annotated.{format}" in run.files and not writing.annotated:
        return False
    kept = run.manifest.get("kept") or {}
    if (kept.get("format"), kept.get("columns")) != (writing.kept, writing.columns):
        return False  # the rows that stay would be gone, or others
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the run will say it
        deciding = {name: value for name, value in options.items() if name in _DECIDING and value not in (None, ())}
        return run.plan == planned(inputs, **deciding, replaces=folder if deciding.get("against") else None)


# What decides what a run finds.
_READ_AS = ("input_format", "encoding", "delimiter")
_DECIDING = ("settings", "text", "id", "id_prefix", "strict", "max_text", "against", *_READ_AS)

# What the library is told of only where it was given.
_OPTIONAL = (*_READ_AS, "id_prefix", "max_text", "memory", "work", "resume", "sketches", "against")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value or name not in _OPTIONAL}


def _work_name(name: str) -> str:
    """Name the work folder of an output: where that has as many bytes as a name may have, by its digest."""
    if len(os.fsencode(name)) <= LONGEST:
        return f".{name}.work"
    return f".{hashlib.sha256(os.fsencode(name)).hexdigest()}.work"


def _can_be_read_again(data: Any) -> bool:
    """Tell whether --resume may be given: not with --sample, and not if anything comes through a pipe."""
    from dupdetect.io.paths import STANDARD_INPUT

    return isinstance(data, list) and not any(STANDARD_INPUT.fullmatch(str(path)) or path.is_fifo() for path in data)


def _run(data: Any, writing: Writing, *, progress: Progress | None, **options: Any) -> Result:
    """Find the copies and write; what was finished by then stays for another run to go on from."""
    from dupdetect._storage.checkpoints import check_private, holds_work, is_in_use, mark_of
    from dupdetect.io.remote import as_url

    path = writing.path
    if "work" not in options and not writing.is_stream:
        beside = Path() if as_url(str(path)) else path.absolute().parent
        options["work"] = beside / _work_name(path.name)
        check_private(options["work"])
    work = Path(options["work"]) if "work" in options else None
    if work is not None:
        check_not_within(path, work)
    before, result = [] if work is None else mark_of(work), None
    try:
        result = dupdetect.dedup(data, progress=progress, **options)
        if progress:
            progress("write", 0, 1)
        writing.write(result)
    except BaseException as error:
        # Until its result is closed this run works there itself; if it has none, another may.
        mine = work is not None and holds_work(work, before) and (result is not None or not is_in_use(work))
        if mine and _can_be_read_again(data):
            then = "the same command with --resume goes on from there"
            if isinstance(error, InputError):  # it would end here again
                then = "to go on with other inputs, columns or settings, remove it first"
            warnings.warn(f"{work} holds what was finished; {then}", stacklevel=2)
        raise
    if progress:
        progress("write", 1, 1)
    result.close()
    return result
