"""Signals that end a run: heard within a second, whatever the run is doing.

Input    SIGINT, SIGTERM, SIGHUP and SIGXCPU, while a block runs
Output   the block is unwound, so that whatever cleans up after itself can; if that takes too long, the process ends
Cost     a thread that waits

Python runs a signal's handler in the main thread, between two steps of the interpreter. A long step (a compiled loop, a
sort of Arrow's, a wait for other threads) puts it off. The thread here is woken by the system at once. It gives the
block a while, then removes what is unfinished itself and ends the process: what stays is what a `kill -9` leaves, less
the unfinished files.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dupdetect._storage import unfinished

#: Seconds that unwinding may take.
PATIENCE = 0.6

#: Beside Ctrl-C. Their exit code is 128 and their number, as a shell has it.
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGXCPU") if hasattr(signal, name))

#: What a terminal is told so that it shows its cursor again.
SHOW_CURSOR = b"\x1b[?25h\n"


class Terminated(BaseException):
    """A signal arrived. Like KeyboardInterrupt, no `except Exception` may stop it on its way up."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


@contextmanager
def heard(say: Callable[[BaseException], int]) -> Iterator[None]:
    """Unwind the block at a signal, or end the process.

    Parameters
    ----------
    say : callable
        Says that a KeyboardInterrupt or `Terminated` ends the process, and returns its exit code.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def unwind(number: int, _: Any) -> None:
        raise Terminated(number)

    # Who has a signal ignored, as nohup does, goes on having it ignored.
    earlier = {number: signal.signal(number, unwind) for number in ENDING if signal.getsignal(number) == signal.SIG_DFL}
    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    woken = signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
    told = sys.unraisablehook
    sys.unraisablehook = partial(_unraised, told)
    done = threading.Event()
    waiting = threading.Thread(target=_wait, args=(receiving, done, say), daemon=True)
    waiting.start()
    try:
        yield
    finally:
        done.set()
        sys.unraisablehook = told
        signal.set_wakeup_fd(woken)
        os.close(sending)
        waiting.join()
        os.close(receiving)
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _unraised(told: Callable[[Any], Any], unraisable: Any) -> None:
    """Say nothing of a signal that nothing unwinds, as in a finaliser: the thread that waits ends the process."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt | Terminated):
        told(unraisable)


def _wait(receiving: int, done: threading.Event, say: Callable[[BaseException], int]) -> None:
    """Wait for a signal, and for what it unwinds."""
    while number := os.read(receiving, 1):
        if number[0] not in (signal.SIGINT, *ENDING):
            continue
        if done.wait(PATIENCE):
            return
        unfinished.remove_all()
        if os.isatty(2):
            os.write(2, SHOW_CURSOR)  # progress bars hide it
        os._exit(_said(say, KeyboardInterrupt() if number[0] == signal.SIGINT else Terminated(number[0])))


def _said(say: Callable[[BaseException], int], error: BaseException) -> int:
    """Say why the process ends, unless nobody listens: another thread may be writing to a pipe that nobody reads."""
    codes: list[int] = []
    speaking = threading.Thread(target=lambda: codes.append(say(error)), daemon=True)
    speaking.start()
    speaking.join(PATIENCE / 3)
    return codes[0] if codes else exit_code(error)


def exit_code(error: BaseException) -> int:
    """Return the exit code of a process that a signal ends, as a shell has it."""
    return error.exit_code if isinstance(error, Terminated) else 128 + signal.SIGINT
