"""
What a person reads when settings were fitted.

Takes   a Tuning
Gives   lines on standard output: the shingle sizes tried, the settings chosen, how far to trust them
Cost    nothing to speak of
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    from rich.console import Console

    from dupdetect.evaluation.thresholds import Scores
    from dupdetect.evaluation.tune import Interval, Tuning


def print_tuning(tuning: Tuning) -> None:
    """Print what was tried, what was chosen and what it is worth."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    counts = tuning.counts
    console.print(
        f"{counts['copies']:,} copies and {counts['others']:,} other pairs of {counts['documents']:,} documents\n"
    )
    _print_sizes(console, tuning)
    _print_chosen(console, tuning)
    for warning in tuning.warnings:
        console.print(Text(f"Note: {escape_for_terminal(warning)}."), soft_wrap=True)


def _print_sizes(console: Console, tuning: Tuning) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))  # fits 80 columns
    for name in (
        "shingle\nsize",
        "threshold",
        "containment",
        "min_shingles",
        "precision",
        "recall",
        "F1",
        "held-out\nF1",
    ):
        table.add_column(name, justify="right")
    for row in tuning.sizes.to_pylist():
        chosen = row["shingle_size"] == tuning.settings.shingle_size
        cells = [
            f"{'> ' if chosen else ''}{row['shingle_size']}",
            f"{row['threshold']:.2f}",
            f"{row['containment']:.2f}",
            str(row["min_shingles"]),
            *(_share(row[name]) for name in ("precision", "recall", "f1", "held_out_f1")),
        ]
        table.add_row(*(Text(cell, style="bold" if chosen else "") for cell in cells))
    console.print(table)


def _print_chosen(console: Console, tuning: Tuning) -> None:
    settings = tuning.settings
    bands = "{} x {}".format(*settings.banding)
    size = f"shingle size {settings.shingle_size} ({settings.unit}s)"
    console.print(f"{size}, least {settings.min_shingles}, window {settings.window}")
    console.print(f"bands {bands}" + _found(tuning.found))
    for name in ("threshold", "containment"):
        console.print(f"{name:<14} {_with_ends(getattr(tuning, name), '.2f')}")
    console.print("\nOn documents that the fit did not see:")
    for name, shown in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
        console.print(f"{shown:<14} {_with_ends(getattr(tuning, name), '.3f')}")
    if tuning.run is not None:
        console.print("\nA run of dedup on all labelled pairs:")
        console.print(f"{'these settings':<14} {_scores(tuning.run)}")
    if tuning.given is not None:
        console.print(f"{'those given':<14} {_scores(tuning.given)}")
    console.print()


def _found(found: float | None) -> str:
    return "" if found is None else f" (expected to find {found:.1%} of the near duplicates)"


def _with_ends(interval: Interval, form: str) -> str:
    if interval.value != interval.value:
        return "too few documents to tell"
    if interval.low != interval.low:
        return f"{interval.value:{form}}"
    return f"{interval.value:{form}}  (95 %: {interval.low:{form}} to {interval.high:{form}})"


def _scores(scores: Scores) -> str:
    return f"precision {_share(scores.precision)}, recall {_share(scores.recall)}, F1 {_share(scores.f1)}"


def _share(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"
