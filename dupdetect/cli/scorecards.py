"""Evaluations and audits as tables on a terminal, as JSON, or as a page.

Input    an `Evaluation` or an `Audit`
Output   `Cards`, printed to standard output or written as one HTML file that loads nothing
Cost     that of what is listed
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from dupdetect.cli.summary import terminal_line

if TYPE_CHECKING:
    from rich.table import Table

    from dupdetect.evaluation.audit import Audit
    from dupdetect.evaluation.intervals import Recall
    from dupdetect.evaluation.scores import Evaluation, SizeScore


def _checked(_context: click.Context, _option: click.Parameter, file: str | None) -> str | None:
    """Refuse a page that cannot be made before anything is done."""
    if file is not None:
        from dupdetect.reports.pages import check_page

        check_page(file)
    return file


html_option = click.option("--html", metavar="FILE", callback=_checked, help="Also write a page that shows the same.")


class Card(NamedTuple):
    """A table to show: its title, a sentence on it, its columns and rows. Floats are shares in [0, 1]."""

    title: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def numeric(self, place: int) -> bool:
        """Return whether a column holds numbers only."""
        return all(isinstance(row[place], int | float | None) for row in self.rows)


class Cards(NamedTuple):
    """What there is to show: a heading, tables, and notes on what was left out."""

    heading: str
    cards: Sequence[Card]
    notes: Sequence[str]


def show(title: str, values: dict[str, Any], cards: Cards, as_json: bool, html: str | None) -> None:
    """Print the cards, or the values as JSON; write the page that shows the same, if there is to be one."""
    if html is not None:
        write_page(Path(html), title, cards)
    if as_json:
        click.echo(json.dumps(values, default=str))
    else:
        print_cards(cards)


def write_page(file: Path, title: str, cards: Cards) -> None:
    """Write a page, whole or not at all; errors as for `report`."""
    from dupdetect._storage.atomic import write_text
    from dupdetect.reports.pages import render

    write_text(file, render("cards.html", title=title, show=_shown, **cards._asdict()))


def print_cards(shown: Cards) -> None:
    """Print cards to standard output."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(shown.heading, soft_wrap=True)
    for card in shown.cards:
        console.print(f"\n{card.title}", style="bold")
        if card.about:
            console.print(card.about, style="dim", soft_wrap=True)
        console.print(_table(card))
    for note in shown.notes:
        console.print(f"\n{note}", soft_wrap=True)


def _table(card: Card) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, column in enumerate(card.columns):
        numeric = card.numeric(place)
        # Figures are never cut; what has no room is an id.
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in card.rows:
        table.add_row(*(Text(_shown(value)) for value in row))
    return table


def _shown(value: Any) -> str:
    """Show a cell.

    >>> [_shown(value) for value in (None, True, 12345, 0.98765, "an id")]
    ['–', 'yes', '12,345', '0.9877', 'an id']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if isinstance(value, float) else terminal_line(str(value))


# ---- what there is to show ----


def evaluation_cards(evaluation: Evaluation) -> Cards:
    """Return the heading, the cards and the notes of an evaluation."""
    pairs, bcubed = evaluation.pairs, evaluation.bcubed
    measures = [("pairs", pairs.precision, pairs.recall, pairs.f1)]
    if bcubed:
        measures.append(("B-cubed", bcubed.precision, bcubed.recall, bcubed.f1))
    cards = [
        Card("How right", _counts(evaluation), ("", "precision", "recall", "F1"), measures),
        Card(
            "By relation",
            "Duplicates with their canonical.",
            ("relation", "duplicates", "right", "precision"),
            [(row.relation, row.duplicates, row.right, row.precision) for row in evaluation.relations],
        ),
        Card(
            "By size of cluster",
            "Precision of the clusters found, recall of the true ones.",
            ("size", "found", "pairs", "precision", "true", "pairs", "recall"),
            [_size_row(row) for row in evaluation.sizes],
        ),
        Card(
            "Worst clusters",
            _of(len(evaluation.worst), evaluation.wrong_clusters, "clusters with wrong pairs"),
            ("cluster", "size", "wrong pairs", "of pairs", "members that differ"),
            [(str(row.cluster), row.size, row.false, row.pairs, _ids(row.members)) for row in evaluation.worst],
        ),
        Card(
            "Missed",
            f"{pairs.true - pairs.right:,} true pairs were not put together; each line stands for its number of them.",
            ("a", "b", "pairs"),
            [(str(row.a), str(row.b), row.pairs) for row in evaluation.missed],
        ),
    ]
    return Cards(
        f"{evaluation.documents:,} documents scored", [card for card in cards if card.rows], _remarks(evaluation)
    )


def _counts(evaluation: Evaluation) -> str:
    pairs = evaluation.pairs
    rand = evaluation.adjusted_rand
    shown = "" if rand is None else f" Adjusted Rand index {rand:.4f}."
    return f"{pairs.right:,} pairs right, {pairs.found:,} found, {pairs.true:,} true.{shown}"


def _size_row(row: SizeScore) -> tuple[Any, ...]:
    size = (
        f"{row.least:,}"
        if row.most == row.least
        else f"{row.least:,} – {row.most:,}"
        if row.most
        else f"{row.least:,} +"
    )
    precision = row.precision if row.found else None
    recall = row.recall if row.true and row.recall is not None else None
    return size, row.clusters, row.found, precision, row.true_clusters, row.true, recall


def _remarks(evaluation: Evaluation) -> list[str]:
    """Say what was left out."""
    remarks = list(evaluation.notes)
    for count, where, examples in (
        (evaluation.only_in_clusters, "clusters", evaluation.examples_only_in_clusters),
        (evaluation.only_in_truth, "truth", evaluation.examples_only_in_truth),
    ):
        if count:
            remarks.append(f"not scored: {count:,} documents that are only in the {where}, such as {_ids(examples)}")
    if evaluation.unscored_pairs:
        remarks.append(f"not scored: {evaluation.unscored_pairs:,} pairs found whose truth is ignored or not known")
    if evaluation.unknown_true_pairs:
        remarks.append(f"not scored: {evaluation.unknown_true_pairs:,} true pairs of documents not in the clusters")
    return remarks


def audit_cards(audit: Audit) -> Cards:
    """Return the heading, the cards and the notes of an audit."""
    sampled = f"{audit.sampled:,} of {audit.documents:,} documents"
    heading = f"{sampled} compared with all others; {audit.with_matches:,} have matches"
    cards = [
        Card(
            "What the run found",
            "Matches of the sampled documents, by the run's own settings.",
            ("matches", "all", "found", "recall", f"{audit.confidence:.0%} interval", ""),
            [_recall_row("in one cluster", audit.together), _recall_row("in one cluster, or verified", audit.verified)],
        ),
        Card(
            "Misses",
            _of(len(audit.misses), audit.missed, "matches not in one cluster"),
            ("a", "b", "relation", "score", "jaccard", "containment", "verified"),
            [
                (str(miss.a), str(miss.b), miss.relation, miss.score, miss.jaccard, miss.containment, miss.verified)
                for miss in audit.misses
            ],
        ),
    ]
    lost = audit.lost
    if lost.removed:
        cards.append(
            Card(
                "What is lost",
                "Words of the sampled documents that were removed, neither in what stands for them nor boilerplate.",
                ("removed", "words lost", "largest share", "over the tolerance", "of", "for which stands"),
                [(lost.removed, lost.words, lost.share, lost.over, _named(lost.id), _named(lost.canonical))],
            )
        )
    remarks = [
        f"left out: {count:,} documents that are only in the {where}"
        for count, where in ((audit.only_in_input, "input"), (audit.only_in_run, "run"))
        if count
    ]
    if parted := audit.verified.found - audit.together.found:
        remarks.append(
            f"{parted:,} of the matches were verified and are not in one cluster: content would be lost with "
            "either document, or one does not match the canonical of the other; `explain` says which"
        )
    if audit.boilerplate_shingles is None:
        remarks.append(
            "the output has no boilerplate.parquet: pairs that share little but boilerplate may pass for matches"
        )
    return Cards(heading, [card for card in cards if card.rows], remarks)


def _named(id: Any) -> str | None:
    return None if id is None else str(id)


def _recall_row(name: str, recall: Recall) -> tuple[Any, ...]:
    return name, recall.pairs, recall.found, recall.estimate, recall.low, recall.high


def _of(listed: int, total: int, what: str) -> str:
    return f"{total:,} {what}." if listed == total else f"{listed:,} of {total:,} {what}."


def _ids(ids: Sequence[Any]) -> str:
    return ", ".join(terminal_line(str(id)) for id in ids)
