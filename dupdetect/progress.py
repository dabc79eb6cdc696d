"""
A run's progress on a terminal.

Takes   the calls `progress(stage, done, total)` that `dedup` makes
Gives   one bar a stage on standard error, gone again at the end
Cost    nothing where standard error is not a terminal: then there are no bars
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Progress = Callable[[str, int, int], None]

STAGES = {
    "read": "Reading",
    "sign": "Signing",
    "candidates": "Finding candidates",
    "verify": "Verifying",
    "cluster": "Clustering",
    "write": "Writing",
}


@contextmanager
def progress_bars(wanted: bool) -> Iterator[Progress | None]:
    """
    Show a bar for each stage of a run while the context is open.

    Parameters
    ----------
    wanted
        False shows nothing; True shows bars if standard error is a terminal.

    Yields
    ------
    Progress or None
        The function to hand to `dedup` as `progress`; None where nothing is shown.
    """
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _updater(bars)


def _updater(bars: Any) -> Progress:
    tasks: dict[str, Any] = {}

    def update(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(STAGES.get(stage, stage))
        # A total of 0 is one that is not known yet: the bar then only pulses.
        bars.update(tasks[stage], completed=done, total=total or None)

    return update
