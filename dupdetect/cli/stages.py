"""
The stages of a run, as it tells of them: where each is, and which of what is told is worth passing on.

Takes   the calls `progress(stage, done, total)` of a run, as many as it likes to make
Gives   the beginning and the end of each stage, and what comes between every so often
Cost    a look at the clock for a call that is not passed on: less than a microsecond

A stage begins when it is first told of, and ends when it is told of with `done` equal to `total`, at the latest with
the run. A total of 0 is one that nobody knows: (0, 0) begins such a stage and ends it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

Moment = Literal["begin", "progress", "end"]


@dataclass
class Stage:
    """
    Where a stage of a run is.

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
        """
        Done in a second, since the stage began; None where nothing was.

        What was done before is not counted: a run that is resumed begins with much of it.
        """
        return (self.done - self._at_first) / self.seconds if self.done > self._at_first else None


Listener = Callable[[Moment, Stage], None]


class Relay:
    """
    The function to hand to `dedup` as `progress`: passes on to a listener what is worth it.

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
