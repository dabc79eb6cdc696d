"""
A run's progress on a terminal.

Takes   the calls `progress(stage, done, total)` that `dedup` makes
Gives   one bar a stage on standard error, gone again at the end
Cost    nothing where standard error is not a terminal: then there are no bars
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich import progress
    from rich.progress import TaskID

    from dupdetect.pipeline import Progress

STAGES = {
    "read": "Reading",
    "sign": "Signing",
    "candidates": "Finding candidates",
    "verify": "Verifying",
    "cluster": "Clustering",
    "tables": "Making tables",
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
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description:<18}"), BarColumn(), TextColumn("{task.fields[count]}")
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        yield _updater(bars)


def _updater(bars: progress.Progress) -> Progress:
    tasks: dict[str, TaskID] = {}

    def update(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            for earlier in tasks.values():  # those that never knew their total are over too
                bars.update(earlier, total=1, completed=1)
                bars.stop_task(earlier)
            tasks[stage] = bars.add_task(STAGES.get(stage, stage), total=None, count="")
        # Until something is done the bar pulses: a stage may tell no more than that it began and ended.
        count = f"{total:,}" if total else ""
        bars.update(tasks[stage], completed=done, total=total if done else None, count=count)

    return update
