"""How long stages take, and who is told of them.

Input    stages by name, with what they have to do
Output   seconds by stage; calls of the user's `Progress`; a line of `logging` for each stage
Cost     none
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Told of each stage when it begins (done 0) and ends (done = total): stage, done, total in documents or pairs.
Progress = Callable[[str, int, int], None]

_LOG = logging.getLogger(__name__)


class Clock:
    """Times the stages of a run and tells of them.

    Parameters
    ----------
    progress : callable, optional
        Called with (stage, done, total).

    Attributes
    ----------
    seconds : dict
        Seconds by stage.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Time a stage; give what it may tell how much is done."""
        last = total

        def tell(done: int) -> None:
            nonlocal last
            last = max(last, done)
            if self._progress:
                self._progress(name, done, total)

        tell(0)
        _LOG.debug("%s begins: %d", name, total)
        start = time.perf_counter()
        yield tell
        self.seconds[name] = round(time.perf_counter() - start, 6)
        _LOG.info("%s: %d in %.3f s", name, last, self.seconds[name])
        if self._progress:
            self._progress(name, last, last)
