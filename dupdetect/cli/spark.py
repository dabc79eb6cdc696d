"""`dupdetect-spark`: the command for spark-submit. Files in, folders of tables out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

import dupdetect
from dupdetect.cli.main import Group, run
from dupdetect.cli.options import (
    SETTINGS,
    chosen_settings,
    id_option,
    inputs_argument,
    log_options,
    max_text_option,
    quiet_option,
    setting_options,
    strict_option,
    text_option,
)
from dupdetect.errors import InputError


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(dupdetect.__version__, prog_name="dupdetect-spark")
def command() -> None:
    """Find the copies in a collection of texts, on Spark: what `dupdetect dedup` finds."""


@command.command()
@inputs_argument
@click.option("-o", "--output", required=True, metavar="OUT", help="Folder to write; it must not exist yet.")
@text_option
@id_option
@click.option("--overwrite", is_flag=True, help="Replace OUT.")
@click.option("--work", metavar="DIR", help="Folder for what is finished, which executors reach.  [default: OUT.work]")
@click.option("--resume", is_flag=True, help="Go on from where an earlier run of the same was stopped.")
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

    settings = chosen_settings(settings_file, {name: options.pop(name) for name in SETTINGS})
    spark = SparkSession.builder.appName("dupdetect").getOrCreate()
    frame = read_files(spark, inputs)
    given = {name: value for name, value in options.items() if value is not None}
    result = find(frame, work=work or f"{output.rstrip('/')}.work", settings=settings, **given)
    result.write(output, overwrite=overwrite)
    if not quiet:
        counts = result.manifest["counts"]
        click.echo(
            f"{counts['documents']:,} documents: {counts['kept']:,} kept, {counts['duplicates']:,} duplicates; "
            f"{counts['rejected']:,} rows rejected; written to {output}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; parameters and exit codes as those of `dupdetect`."""
    return run(command, "dupdetect-spark", arguments)


if __name__ == "__main__":
    sys.exit(main())
