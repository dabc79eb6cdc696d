"""Standard input, output and error, whatever state a process is given them in.

Input    the streams as the process was started with them
Output   streams that can be written to, with every character; a closed one writes to nowhere
Cost     three calls of the system
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def prepare() -> None:
    """Make the standard streams safe to use.

    A closed one is opened to nowhere: otherwise the next file that is opened would have its number, and be written
    into. A closed standard input stays none for Python, so that who reads it is told. Characters that a terminal's
    encoding lacks are shown as escapes.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:  # the lowest number that is free
        os.set_inheritable(number, True)
    os.close(number)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def tell(text: str, end: str = "\n") -> None:
    """Print to standard error, if that takes it: who cannot be told of an error still has the exit code."""
    with suppress(OSError, ValueError):
        print(text, end=end, file=sys.stderr, flush=True)  # noqa: T201


def discard(stream: TextIO) -> None:
    """Send what is still buffered to nowhere, as the `signal` module's documentation advises."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
