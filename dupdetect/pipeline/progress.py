"""A run's progress: the stages it tells of, shown as bars on a terminal or in a notebook, or handed to the JSON log.

Input    the calls `progress(stage, done, total)` of a run, as many as it likes to make
Output   the beginning and the end of each stage, and what comes between every so often
Cost     a look at the clock for a call that is not passed on: less than a microsecond; bars import rich, and are drawn
         ten times a second by a thread of its own

A stage begins when it is first told of, and ends when it is told of with `done` equal to `total`, at the latest with
the run. A total of 0 is one that nobody knows: (0, 0) begins such a stage and ends it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from dupdetect._storage import memory
from dupdetect.errors import SettingsError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from dupdetect.pipeline.timing import Progress

Moment = Literal["begin", "progress", "end"]

#: Seconds between two calls about one stage that are passed on to bars.
BAR_SECONDS = 0.1

NAMES = {
    "read": "Reading",
    "earlier": "Looking up earlier",
    "sign": "Sketching",
    "candidates": "Finding candidates",
    "add": "Adding",
    "load": "Loading",
    "verify": "Verifying",
    "cluster": "Clustering",
    "tables": "Making tables",
    "write": "Writing",
}


@dataclass
class Stage:
    """Where a stage of a run is.

    Attributes
    ----------
    name : str
    done, total : int
        What the run counts in this stage, such as documents or pairs; a total of 0 is unknown.
    due : float
        When it is to be passed on again, on the clock of `time.perf_counter`.
    """

    name: str
    done: int
    total: int
    due: float = 0.0
    _begun: float = field(init=False)
    _at_first: int = field(init=False)

    def __post_init__(self) -> None:
        self._begun, self._at_first = perf_counter(), self.done

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return perf_counter() - self._begun

    @property
    def rate(self) -> float | None:
        """Done in a second, since the stage began; None where nothing was.

        What was done before is not counted: a run that is resumed begins with much of it.
        """
        return (self.done - self._at_first) / self.seconds if self.done > self._at_first else None


Listener = Callable[[Moment, Stage], None]


@contextmanager
def progress_to(given: Progress | bool | None) -> Iterator[Progress | None]:
    """Show a run's progress while the context is open, as a caller of the library wants it.

    Parameters
    ----------
    given : callable or bool, optional
        A function is told itself. True: bars, in a notebook or on standard error; None: in a notebook alone.

    Yields
    ------
    Progress or None
        The function to tell; None where nobody listens.

    Raises
    ------
    SettingsError
        It is something else.
    """
    if given is not None and not isinstance(given, bool) and not callable(given):
        raise SettingsError(f"progress is {given!r}; expected True, False or a function of (stage, done, total)")
    if callable(given):
        yield given
    elif given is not False and in_notebook():
        with notebook_bars() as listener, relayed(listener) as relay:
            yield relay
    elif given:
        with bars() as listener, relayed(listener) as relay:
            yield relay
    else:
        yield None


@contextmanager
def relayed(listener: Listener, interval: float = BAR_SECONDS) -> Iterator[Relay]:
    """Give what passes on to a listener, and ends every stage with the context."""
    relay = Relay(listener, interval)
    try:
        yield relay
    finally:
        relay.close()


class Relay:
    """The function to hand to `dedup` as `progress`: passes on to a listener what is worth it.

    Parameters
    ----------
    listener
        Called with the moment and the stage; by one thread at a time.
    interval
        Seconds between two calls about the same stage. Beginnings and ends do not wait.
    """

    def __init__(self, listener: Listener, interval: float) -> None:
        self._listener, self._interval = listener, interval
        self._running: dict[str, Stage] = {}
        self._over: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, name: str, done: int, total: int) -> None:
        """Tell that `done` of `total` is done in the stage of that name."""
        ends = done >= total if total else not done
        stage = self._running.get(name)
        if stage is not None and not ends:
            stage.done, stage.total = done, total
            if perf_counter() < stage.due:
                return
        with self._lock:
            self._pass_on(name, done, total, ends)

    def close(self) -> None:
        """End what has not ended."""
        with self._lock:
            for stage in list(self._running.values()):
                self._end(stage)

    def _pass_on(self, name: str, done: int, total: int, ends: bool) -> None:
        stage = self._running.get(name)
        if stage is None:
            if ends and name in self._over:
                return  # said once more
            stage = self._running[name] = Stage(name, done, total)
            self._listener("begin", stage)
            ends = ends and total > 0
        elif not ends:
            self._listener("progress", stage)
        if ends:
            stage.done, stage.total = max(done, stage.done), total
            self._end(stage)
        else:
            stage.due = perf_counter() + self._interval

    def _end(self, stage: Stage) -> None:
        del self._running[stage.name]
        self._over.add(stage.name)
        self._listener("end", stage)


# --- bars ---------------------------------------------------------------------------------------------------


@contextmanager
def bars() -> Iterator[Listener]:
    """Show a bar for each stage on standard error while the context is open: how much, how fast, how long yet, memory.

    Yields
    ------
    callable
        To be told of the stages.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[count]}", justify="right"),
        TextColumn("{task.fields[rate]}", style="progress.data.speed", justify="right"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[memory]}", style="progress.filesize", justify="right"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as shown:
        yield _listener(shown)


def _listener(shown: Bars) -> Listener:
    tasks: dict[str, TaskID] = {}

    def tell(moment: Moment, stage: Stage) -> None:
        if moment == "begin":
            if stage.name in tasks:  # a second time
                shown.remove_task(tasks[stage.name])
            tasks[stage.name] = shown.add_task(NAMES.get(stage.name, stage.name), total=None, **_figures(stage))
        # Until something is done the bar pulses: a stage may tell no more than that it began and ended.
        done, total = stage.done, stage.total or None if stage.done else None
        if moment == "end":
            done = total = stage.done or 1  # a bar of nothing would never be full
        shown.update(tasks[stage.name], completed=done, total=total, **_figures(stage))

    return tell


def _figures(stage: Stage) -> dict[str, Any]:
    """Return how much is done, how much in a second, and the memory in use, as text."""
    counts = [stage.done] if stage.total in (0, stage.done) else [stage.done, stage.total]
    return {
        "count": " / ".join(f"{count:,}" for count in counts) if any(counts) else "",
        "rate": f"{stage.rate:,.0f}/s" if stage.rate else "",
        "memory": memory.shown(memory.resident()),
    }


# --- in a notebook ------------------------------------------------------------------------------------------


def in_notebook() -> bool:
    """Whether this process serves a notebook, which shows what is handed to IPython."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def notebook_bars() -> Iterator[Listener]:
    """Show a table of the stages below the cell, a bar for each, while the context is open; then it goes.

    Yields
    ------
    callable
        To be told of the stages.
    """
    from IPython.display import display

    stages: dict[str, Stage] = {}
    shown = display(_Table(stages), display_id=True)

    def tell(_moment: Moment, stage: Stage) -> None:
        stages[stage.name] = stage
        shown.update(_Table(stages))

    try:
        yield tell
    finally:
        shown.update(_Table({}))


class _Table:
    """Stages, as a notebook shows them."""

    def __init__(self, stages: dict[str, Stage]) -> None:
        self._stages = stages

    def __repr__(self) -> str:
        """Return what is shown where there is no HTML: the stage that began last."""
        return "; ".join(f"{NAMES.get(name, name)} {_figures(stage)['count']}" for name, stage in self._stages.items())

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, self._stages.values()))
        return f'<table role="status"><tbody>{rows}</tbody></table>' if rows else ""


def _row(stage: Stage) -> str:
    name, figures = NAMES.get(stage.name, stage.name), _figures(stage)
    most = f' max="{stage.total}" value="{stage.done}"' if stage.total else ""
    right = "".join(f'<td style="text-align: right">{figures[figure]}</td>' for figure in ("count", "rate", "memory"))
    bar = f'<progress{most} aria-label="{name}"></progress>'
    return f'<tr><td style="text-align: left">{name}</td><td>{bar}</td>{right}</tr>'
