"""What travels with a run through all of its stages, as one object.

Input    settings, a number of threads, storage
Output   a `Context`, checked
Cost     nothing
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property

from dupdetect._storage.arrays import Storage
from dupdetect.errors import SettingsError
from dupdetect.settings import Settings


def available_workers() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_workers(workers: int | None) -> int:
    """Return a number of threads: the one given, checked, or for None one for each available processor.

    Raises
    ------
    SettingsError
        It is no whole number from 1 on.
    """
    if workers is None:
        return available_workers()
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise SettingsError(f"workers is {workers!r}; expected a whole number from 1 on, or None for all processors")
    return workers


@dataclass(frozen=True)
class Context:
    """What every stage of a run needs besides its data.

    Attributes
    ----------
    settings : Settings
        Everything that decides the result.
    workers : int
        Threads; the result does not depend on it. By default one for each processor that the process may use.
    storage : Storage
        Where arrays that may not fit in memory are kept; the result does not depend on it. By default in memory.

    Raises
    ------
    SettingsError
        `workers` is no whole number from 1 on.

    Examples
    --------
    >>> Context(Settings(threshold=0.7), workers=2).workers
    2
    """

    settings: Settings = field(default_factory=Settings)
    workers: int = field(default_factory=available_workers)
    storage: Storage = field(default_factory=Storage)

    def __post_init__(self) -> None:
        check_workers(self.workers)

    @cached_property
    def alone(self) -> Context:
        """The same with one thread, for work that is too little to be shared."""
        return self if self.workers == 1 else replace(self, workers=1)
