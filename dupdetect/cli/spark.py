"""`dupdetect-spark`: the command for spark-submit. Files in, folders of tables out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

import dupdetect
from dupdetect.cli.main import Group, run
from dupdetect.cli.options import (
    ONE_OUTPUT,
    SETTINGS,
    chosen_settings,
    id_option,
    inputs_argument,
    log_options,
    max_text_option,
    overwrite_option,
    quiet_option,
    setting_options,
    strict_option,
    text_option,
)
from dupdetect.cli.writing import check_not_within
from dupdetect.errors import InputError

#: What of the options says which rows are read, and what it is by default.
READ: dict[str, Any] = {"text": "text", "id": None, "max_text": None}

#: Options of `dupdetect dedup` that a run on Spark has no use for, or does not have.
ALONE = {
    "--sketches": "dupdetect.spark.sketch writes them",
    "--kept": "rows that stay are written in the input's format",
    "--columns": "select them in a frame, and call dupdetect.spark.dedup",
    "--sample": "limit a frame, and call dupdetect.spark.dedup",
    "--annotate": "join clusters with the input by id",
    "--pairs-only": "read matches",
    "--dry-run": "count the input's rows",
    "--memory": "Spark's own options say how much memory there is",
    "--workers": "Spark's own options say how many cores there are",
    "--input-format": "names of files say what they are",
    "--encoding": "convert the files to UTF-8",
    "--delimiter": "separate values of .csv by commas, of .tsv by tabs",
}
_FLAGS = ("--sketches", "--annotate", "--pairs-only", "--dry-run")


def _alone(command: Any) -> Any:
    """Refuse options that work on one machine alone, in a sentence each."""

    def refuse(_context: click.Context, option: click.Parameter, value: Any) -> None:
        if value:
            name = option.opts[0]
            raise click.UsageError(f"{name} is an option of dupdetect dedup alone: on Spark {ALONE[name]}.")

    for name in ALONE:
        flag = name in _FLAGS
        command = click.option(name, is_flag=flag, hidden=True, expose_value=False, callback=refuse)(command)
    return command


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(dupdetect.__version__, prog_name="dupdetect-spark")
def command() -> None:
    """Find the copies in a collection of texts, on Spark: what `dupdetect dedup` finds."""


@command.command()
@inputs_argument
@click.option(
    "-o", "--output", **ONE_OUTPUT, required=True, metavar="OUT", help="Folder to write; it must not exist yet."
)
@text_option
@id_option
@overwrite_option
@click.option("--work", metavar="DIR", help="Folder for what is finished, which executors reach.  [default: OUT.work]")
@click.option("--resume", is_flag=True, help="Go on from where an earlier run of the same was stopped, if it was.")
@click.option(
    "--id-prefix", type=click.Choice(["file"]), help="Put the name of its file before each id: for ids that repeat."
)
@click.option(
    "--format",
    type=click.Choice(["parquet", "jsonl"]),
    default="parquet",
    show_default=True,
    help="Format of the tables.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="OUT",
    help="Output of an earlier run, which the driver reads, or a folder of such, whose documents INPUT is compared "
    "with; may be repeated.",
)
@_alone
@strict_option
@max_text_option
@quiet_option
@log_options
@setting_options()
def dedup(
    inputs: tuple[str, ...],
    output: str,
    overwrite: bool,
    work: str | None,
    quiet: bool,
    settings_file: str | None,
    format: str,
    **options: Any,
) -> None:
    """Find the copies among the documents of INPUT and write clusters, matches and what to keep to OUT.

    INPUT is Parquet, JSON Lines or CSV that Spark can read: files, folders or globs, all of one format. The session of
    Spark is that of spark-submit, or one on this machine.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError("pyspark is not installed; install dupdetect[spark]") from error
    from dupdetect.spark import dedup as find
    from dupdetect.spark.files import read_files
    from dupdetect.spark.output import check_place
    from dupdetect.spark.records import RecordFiles
    from dupdetect.spark.sketching import shown

    settings = chosen_settings(settings_file, {name: options.pop(name) for name in SETTINGS})
    spark = SparkSession.builder.appName("dupdetect").getOrCreate()
    given = {name: value for name, value in options.items() if value not in (None, ())}
    frame = read_files(spark, inputs, settings, **{name: given.get(name, other) for name, other in READ.items()})
    work = work or f"{output.rstrip('/')}.work"
    check_not_within(Path(output), Path(work))
    names, kept = (
        (frame.names, frame.ending)
        if isinstance(frame, RecordFiles)
        else (tuple(map(shown, frame.inputFiles())), "parquet")
    )
    check_place(spark, output, names, kept=kept, format=format, overwrite=overwrite)
    with _said_by_executors():
        result = find(frame, work=work, settings=settings, **given)
        result.write(output, overwrite=overwrite, format=format)
    if not quiet:
        counts = result.manifest["counts"]
        click.echo(
            f"{counts['documents']:,} documents: {counts['kept']:,} kept, {counts['duplicates']:,} duplicates; "
            f"{counts['rejected']:,} rows rejected; written to {output}"
        )


@contextmanager
def _said_by_executors() -> Iterator[None]:
    """Raise what is wrong with the input as it was raised on an executor: a sentence."""
    from dupdetect.spark.session import reason, spark_errors

    try:
        yield
    except spark_errors() as error:
        said = re.search(r"^dupdetect\.errors\.\w+: (.+)$", str(error), re.MULTILINE)
        if said is None and "[FAILED_READ_FILE" not in str(error):
            raise
        raise InputError(reason(error) if said is None else said[1]) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; parameters and exit codes as those of `dupdetect`."""
    return run(command, "dupdetect-spark", arguments)


if __name__ == "__main__":
    sys.exit(main())
