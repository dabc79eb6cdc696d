"""
Evaluations and audits for people to look at.

Takes   an `Evaluation` or an `Audit`
Gives   tables on a terminal, or a page that needs nothing but itself
Cost    that of what is listed
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dupdetect.cli.summary import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from dupdetect.evaluation.audit import Audit
    from dupdetect.evaluation.intervals import Recall
    from dupdetect.evaluation.scores import Evaluation, SizeScore


class Card(NamedTuple):
    """A table to show: its title, a sentence on it, its columns and rows; and cells that are shares, as bars."""

    title: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


class Share(float):
    """A number in [0, 1] that a page shows as a bar too."""


def print_cards(heading: str, cards: Sequence[Card], notes: Sequence[str]) -> None:
    """Print cards to standard output."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(heading, soft_wrap=True)
    for card in cards:
        console.print(f"\n{card.title}", style="bold")
        if card.about:
            console.print(card.about, style="dim", soft_wrap=True)
        console.print(_table(card))
    for note in notes:
        console.print(f"\n{note}", soft_wrap=True)


def _table(card: Card) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, column in enumerate(card.columns):
        numeric = all(isinstance(row[place], int | float | None) for row in card.rows)
        # Figures are never cut; what has no room is an id.
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in card.rows:
        table.add_row(*(Text(_shown(value)) for value in row))
    return table


def _shown(value: Any) -> str:
    """Show a cell.

    >>> [_shown(value) for value in (None, True, 12345, Share(0.98765), "an id")]
    ['–', 'yes', '12,345', '0.9877', 'an id']
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if isinstance(value, float) else one_line(str(value))


# ---- what there is to show ----


def evaluation_cards(evaluation: Evaluation) -> tuple[str, list[Card], list[str]]:
    """Return the heading, the cards and the notes of an evaluation."""
    pairs, bcubed = evaluation.pairs, evaluation.bcubed
    measures = [("pairs", Share(pairs.precision), Share(pairs.recall), Share(pairs.f1))]
    if bcubed:
        measures.append(("B-cubed", Share(bcubed.precision), Share(bcubed.recall), Share(bcubed.f1)))
    cards = [
        Card("How right", _counts(evaluation), ("", "precision", "recall", "F1"), measures),
        Card(
            "By relation",
            "Duplicates with their canonical.",
            ("relation", "duplicates", "right", "precision"),
            [(row.relation, row.duplicates, row.right, Share(row.precision)) for row in evaluation.relations],
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
    return f"{evaluation.documents:,} documents scored", [card for card in cards if card.rows], _remarks(evaluation)


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
    precision = Share(row.precision) if row.found else None
    recall = Share(row.recall) if row.true and row.recall is not None else None
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


def audit_cards(audit: Audit) -> tuple[str, list[Card], list[str]]:
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
                (
                    str(miss.a),
                    str(miss.b),
                    miss.relation,
                    *map(Share, (miss.score, miss.jaccard, miss.containment)),
                    miss.verified,
                )
                for miss in audit.misses
            ],
        ),
    ]
    remarks = [
        f"left out: {count:,} documents that are only in the {where}"
        for count, where in ((audit.only_in_input, "input"), (audit.only_in_run, "run"))
        if count
    ]
    if audit.boilerplate_shingles is None:
        remarks.append(
            "the output has no boilerplate.parquet: pairs that share what the run knew for boilerplate may pass for matches"
        )
    return heading, [card for card in cards if card.rows], remarks


def _recall_row(name: str, recall: Recall) -> tuple[Any, ...]:
    share = None if recall.estimate is None else Share(recall.estimate)
    return name, recall.pairs, recall.found, share, Share(recall.low), Share(recall.high)


def _of(listed: int, total: int, what: str) -> str:
    return f"{total:,} {what}." if listed == total else f"{listed:,} of {total:,} {what}."


def _ids(ids: Sequence[Any]) -> str:
    return ", ".join(one_line(str(id)) for id in ids)


# ---- as a page ----

_STYLE = """
:root { color-scheme: light dark; --faint: #8883; --bar: #3a7bd588; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 0; } p { margin: .2rem 0 .6rem; opacity: .8; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid var(--faint); overflow-wrap: anywhere; }
th { font-weight: 600; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.share { background: linear-gradient(90deg, var(--bar) var(--value), transparent var(--value)); }
"""


def page(title: str, heading: str, cards: Sequence[Card], notes: Sequence[str]) -> str:
    """Return a page of HTML that loads nothing."""
    parts = [f"<h1>{escape(title)}</h1><p>{escape(heading)}</p>"]
    for card in cards:
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in card.columns)
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in card.rows)
        parts.append(
            f"<h2>{escape(card.title)}</h2><p>{escape(card.about)}</p>\n"
            f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>'
        )
    parts += [f"<p>{escape(note)}</p>" for note in notes]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def write_page(file: Path, title: str, heading: str, cards: Sequence[Card], notes: Sequence[str]) -> None:
    """Write a page, whole or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(page(title, heading, cards, notes), encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _cell(value: Any) -> str:
    shown = escape(_shown(value))
    if isinstance(value, Share):
        return f'<td class="number share" style="--value: {value:.2%}">{shown}</td>'
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f'<td class="number">{shown}</td>' if number else f"<td>{shown}</td>"
