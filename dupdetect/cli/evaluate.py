"""`dupdetect evaluate`: clusters held against a truth."""

from __future__ import annotations

import click

import dupdetect
from dupdetect.cli.options import cluster_column_option, json_option, truth_option
from dupdetect.cli.scorecards import evaluation_cards, html_option, show

_EVALUATE_EXAMPLES = """
\b
Examples:
  dupdetect evaluate out --truth truth.csv
  dupdetect evaluate out --truth articles.csv --cluster-column article --html evaluation.html
  dupdetect evaluate other-tool.csv --truth pairs.csv --json        columns id, cluster and a, b
"""


@click.command(epilog=_EVALUATE_EXAMPLES)
@click.argument("clusters")
@truth_option
@cluster_column_option
@click.option(
    "--ignore", metavar="FILE", help="Pairs not to score: of true clusters; of documents, if the truth is of pairs."
)
@click.option(
    "--listed", type=click.IntRange(min=0), default=20, show_default=True, help="Mistakes to list of each sort."
)
@json_option
@html_option
def evaluate(
    clusters: str, truth: str, cluster_column: str, ignore: str | None, listed: int, as_json: bool, html: str | None
) -> None:
    """Hold CLUSTERS, an output folder or a file of ids and clusters, against a truth."""
    evaluation = dupdetect.evaluate(clusters, truth, ignore=ignore, cluster_column=cluster_column, listed=listed)
    show(f"{clusters} against {truth}", evaluation.as_dict(), evaluation_cards(evaluation), as_json, html)
