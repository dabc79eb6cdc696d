"""
A run's progress, shown: as bars on a terminal, or as lines for programs.

Takes   whether bars are wanted, and the log, if there is one
Gives   the function that a run tells of its stages
Cost    nothing where nobody looks: then there is no such function
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dupdetect.cli.stages import Relay

if TYPE_CHECKING:
    from dupdetect.cli.json_log import Log
    from dupdetect.pipeline.dedup import Progress

#: Seconds between two calls that are passed on: to bars, and as lines.
OF_BARS, OF_LINES = 0.1, 5.0


@contextmanager
def progress_shown(wanted: bool, log: Log | None = None) -> Iterator[Progress | None]:
    """
    Show a run's progress while the context is open.

    Parameters
    ----------
    wanted
        False shows no bars; True shows them if standard error is a terminal.
    log
        Where lines for programs go, if that was asked for: then there are no bars.

    Yields
    ------
    Progress or None
        The function to hand to `dedup` as `progress`; None where nobody listens.
    """
    if log:
        with _relayed(Relay(log.tell, OF_LINES)) as relay:
            yield relay
    elif wanted and sys.stderr.isatty():
        from dupdetect.cli.bars import bars  # imports rich

        with bars() as shown, _relayed(Relay(shown, OF_BARS)) as relay:
            yield relay
    else:
        yield None


@contextmanager
def _relayed(relay: Relay) -> Iterator[Relay]:
    try:
        yield relay
    finally:
        relay.close()
