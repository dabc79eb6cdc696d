"""`dupdetect tune`: settings fitted to pairs that are known to be copies or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import dupdetect
from dupdetect.cli.options import (
    ONE_OUTPUT,
    SETTINGS,
    chosen_settings,
    cluster_column_option,
    id_option,
    inputs_argument,
    json_option,
    overwrite_option,
    setting_options,
    text_option,
    truth_option,
    workers_option,
)
from dupdetect.errors import OutputError
from dupdetect.text.escape import escape_for_terminal

_TUNE_EXAMPLES = """
\b
Examples:
  dupdetect tune news.parquet --truth pairs.csv -o settings.toml
  dupdetect tune news.parquet --truth pairs.csv -o settings.toml --positive copied --positive revised
  dupdetect tune news.parquet --truth clusters.csv -o settings.toml --precision 0.99 --curve curve.svg
  dupdetect dedup news.parquet --settings settings.toml -o out
"""


def _whole_numbers(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Read ``1,2,3``."""
    if value is None:
        return None
    if not all(part.strip().isdecimal() for part in value.split(",")):
        raise click.BadParameter(f"{value!r} is no list of whole numbers; write for example 1,2,3,5.")
    return tuple(int(part) for part in value.split(","))


@click.command(epilog=_TUNE_EXAMPLES)
@inputs_argument
@truth_option
@click.option(
    "-o", "--output", **ONE_OUTPUT, metavar="FILE", help="Settings file (TOML) to write; it must not exist yet."
)
@overwrite_option
@click.option("--curve", metavar="FILE", help="Draw the precision/recall curve (SVG).")
@json_option
@text_option
@id_option
@cluster_column_option
@click.option("--positive", multiple=True, metavar="LABEL", help="Label that means a copy; may be repeated.")
@click.option(
    "--shingle-sizes", callback=_whole_numbers, metavar="SIZES", help="Shingle sizes to try, such as 1,2,3,5."
)
@click.option("--beta", type=float, default=1.0, show_default=True, help="Weight of recall in the F-measure maximised.")
@click.option("--precision", type=float, help="Find as much as this precision allows, instead of the best F-measure.")
@click.option(
    "--found", type=float, default=0.99, show_default=True, help="Share of the copies that bands and window must find."
)
@workers_option
@setting_options(
    "unit",
    "num_perm",
    "seed",
    "max_lost",
    "min_shingles",
    "window",
    "min_shared_fingerprints",
    "hot_key_documents",
    "boilerplate",
)
def tune(
    inputs: tuple[str, ...],
    truth: str,
    output: str | None,
    overwrite: bool,
    curve: str | None,
    as_json: bool,
    settings_file: str | None,
    shingle_sizes: tuple[int, ...] | None,
    **options: Any,
) -> None:
    """Fit shingle size, thresholds, bands and window to pairs of INPUT that are known to be copies or not.

    The truth is a table (Parquet, JSON Lines, CSV, Arrow IPC) with the columns a, b (ids) and label (1 or 0, true or
    false), or with the columns id and cluster. Other settings stay as they are given.
    """
    from dupdetect._storage.atomic import check_writable
    from dupdetect.cli.tuned import print_tuning
    from dupdetect.reports.charts import check_curve, write_curve

    if output and not overwrite and Path(output).exists():
        raise OutputError(f"{output}: the file exists; choose another name, or give --overwrite")
    if output:
        check_writable(output)
    if curve:
        check_curve(curve)
    settings = chosen_settings(settings_file, {name: options.pop(name) for name in SETTINGS & options.keys()})
    if shingle_sizes:
        options["shingle_sizes"] = shingle_sizes
    tuning = dupdetect.tune([Path(name) for name in inputs], Path(truth), settings=settings, **options)
    if output:
        tuning.save(output)
    if curve:
        write_curve(tuning, curve)
    if as_json:
        click.echo(json.dumps(tuning.as_dict()))
        return
    print_tuning(tuning)
    if output:
        name = escape_for_terminal(output)
        click.echo(f"Written to {name}; use it with: dupdetect dedup --settings {name} ...")
