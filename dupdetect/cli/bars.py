"""
A run's progress on a terminal: a bar for each stage.

Takes   stages as they begin, go on and end
Gives   on standard error for each stage: how much of how much, how fast, how long yet, memory in use; gone at the end
Cost    imports rich; a thread of rich's draws ten times a second
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from dupdetect._storage import memory
from dupdetect.cli.stages import Listener, Moment, Stage

NAMES = {
    "read": "Reading",
    "sign": "Signing",
    "candidates": "Finding candidates",
    "verify": "Verifying",
    "cluster": "Clustering",
    "tables": "Making tables",
    "write": "Writing",
}


@contextmanager
def bars() -> Iterator[Listener]:
    """
    Show a bar for each stage while the context is open.

    Yields
    ------
    callable
        To be told of the stages.
    """
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[count]}", justify="right"),
        _Rate(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        _Memory(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as shown:
        yield _listener(shown)


def _listener(shown: Progress) -> Listener:
    tasks: dict[str, TaskID] = {}

    def tell(moment: Moment, stage: Stage) -> None:
        if moment == "begin":
            if stage.name in tasks:  # a second time
                shown.remove_task(tasks[stage.name])
            name = NAMES.get(stage.name, stage.name)
            tasks[stage.name] = shown.add_task(name, total=None, count="", rate=None)
        task = tasks[stage.name]
        if moment == "end":
            whole = stage.done or 1  # a bar of nothing would never be full
            shown.update(task, completed=whole, total=whole, count=_count(stage), rate=stage.rate)
        else:
            # Until something is done the bar pulses: a stage may tell no more than that it began and ended.
            total = stage.total or None if stage.done else None
            shown.update(task, completed=stage.done, total=total, count=_count(stage))

    return tell


def _count(stage: Stage) -> str:
    counts = [stage.done] if stage.total in (0, stage.done) else [stage.done, stage.total]
    return " / ".join(f"{count:,}" for count in counts) if any(counts) else ""


class _Rate(ProgressColumn):
    """How much is done in a second: of late while a stage goes on, on the whole when it is over."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        rate = task.fields["rate"] if task.finished else task.speed
        return Text(f"{rate:,.0f}/s" if rate else "", style="progress.data.speed", justify="right")


class _Memory(ProgressColumn):
    """What the process has in use, beside the stages that go on; beside the others what it was at their end."""

    max_refresh = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[TaskID, str] = {}

    def render(self, task: Task) -> Text:
        if not task.finished or task.id not in self._last:
            self._last[task.id] = memory.shown(memory.resident())
        return Text(self._last[task.id], style="progress.filesize", justify="right")
