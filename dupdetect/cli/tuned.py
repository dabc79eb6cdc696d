"""What a person reads when settings were fitted.

Input    a `Tuning`
Output   lines on standard output: the shingle sizes tried, the settings chosen, how far to trust them
Cost     nothing to speak of
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    from rich.table import Table

    from dupdetect.evaluation.fit import Interval
    from dupdetect.evaluation.thresholds import Scores
    from dupdetect.evaluation.tune import Tuning


def print_tuning(tuning: Tuning) -> None:
    """Print what was tried, what was chosen and what it is worth."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    counts, settings = tuning.counts, tuning.settings
    found = "" if tuning.found is None else f" (expected to find {tuning.found:.1%} of the near duplicates)"
    console.print(
        f"{counts['copies']:,} copies and {counts['others']:,} other pairs of {counts['documents']:,} documents"
    )
    console.print()
    console.print(_sizes(tuning))
    console.print(
        f"shingle size {settings.shingle_size} ({settings.unit}s), min_shingles {settings.min_shingles}, "
        f"window {settings.window}\nbands {{}} x {{}}{found}".format(*settings.banding)
    )
    for name in ("threshold", "containment"):
        console.print(f"{name:<14} {_with_ends(getattr(tuning, name), '.2f')}")
    console.print("\nOn documents that the fit did not see:")
    for name, shown in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
        console.print(f"{shown:<14} {_with_ends(getattr(tuning, name), '.3f')}")
    if tuning.run is not None and tuning.given is not None:
        console.print("\nA run of dedup on all labelled pairs:")
        console.print(f"{'these settings':<14} {_scores(tuning.run)}\n{'those given':<14} {_scores(tuning.given)}")
    console.print()
    for warning in tuning.warnings:
        console.print(f"Note: {escape_for_terminal(warning)}.", soft_wrap=True)


def _sizes(tuning: Tuning) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))  # fits 80 columns
    names = "shingle\nsize", "threshold", "containment", "min.\nshingles", "precision", "recall", "F1", "held-out\nF1"
    for name in names:
        table.add_column(name, justify="right")
    for row in tuning.sizes.to_pylist():
        chosen = row["shingle_size"] == tuning.settings.shingle_size
        table.add_row(
            f"{'> ' if chosen else ''}{row['shingle_size']}",
            *(f"{row[name]:.2f}" for name in ("threshold", "containment")),
            str(row["min_shingles"]),
            *(_share(row[name]) for name in ("precision", "recall", "f1", "held_out_f1")),
            style="bold" if chosen else "",
        )
    return table


def _with_ends(interval: Interval, form: str) -> str:
    if interval.value != interval.value:
        return "too few documents to tell"
    ends = "" if interval.low != interval.low else f"  (95 %: {interval.low:{form}} to {interval.high:{form}})"
    return f"{interval.value:{form}}{ends}"


def _scores(scores: Scores) -> str:
    return f"precision {_share(scores.precision)}, recall {_share(scores.recall)}, F1 {_share(scores.f1)}"


def _share(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"
