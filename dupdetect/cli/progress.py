"""Who hears of a run's progress: the terminal, or the JSON log.

Input    what was asked for on the command line
Output   the function to hand to `dedup` as `progress`
Cost     none; see `dupdetect.pipeline.progress`
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dupdetect.pipeline.progress import Listener, bars, relayed

if TYPE_CHECKING:
    from dupdetect.pipeline.timing import Progress

#: Seconds between two lines of the log about one stage.
LOG_SECONDS = 5.0


@contextmanager
def progress_shown(wanted: bool, log: Listener | None = None) -> Iterator[Progress | None]:
    """Show a run's progress while the context is open.

    Parameters
    ----------
    wanted
        False shows no bars; True shows them if standard error is a terminal.
    log
        What writes of stages to the JSON log, where one is open: then there are no bars.

    Yields
    ------
    Progress or None
        The function to hand to `dedup` as `progress`; None where nobody listens.
    """
    if log is not None:
        with relayed(log, LOG_SECONDS) as relay:
            yield relay
    elif wanted and sys.stderr.isatty():
        with bars() as shown, relayed(shown) as relay:
            yield relay
    else:
        yield None
