"""Forks while other threads work: the child can do what the parent does.

Input    none; `register` once
Output   a fork waits while another thread is in a first call of this library: loads what that needs, or compiles
Cost     some microseconds a fork; up to the seconds that a first call takes

A lock that another thread holds at a fork is held in the child for ever, for that thread is not there. Python takes
care of its own locks but for those of single imports, and numba does not of that of its compiler, nor pyarrow of that
under which its first conversion loads pandas.
"""

from __future__ import annotations

import _imp
import concurrent.futures.thread  # noqa: F401 - they act on forks, too, and must not come while one waits
import logging  # noqa: F401
import os
import sys
import threading
import time
import weakref
from pathlib import Path
from types import FrameType
from typing import Any

#: Held while functions are made ready to be compiled, and while this process forks.
STARTING = threading.RLock()

#: Seconds that a fork waits for imports at the most: they may wait for the thread that forks.
MOST_SECONDS = 10

#: Times in a row that no import is seen: one follows the other.
TIMES = 3

_IMPORT = "<frozen importlib._bootstrap>"
_PACKAGE = str(Path(__file__).parent.parent)

#: The locks that are held while this process forks.
_held: list[Any] = []

#: The thread that has converted something by pyarrow, once that was loaded: nobody is in the first conversion then.
_converting: list[threading.Thread] = []

#: Those of another thread that a child has anew.
_LOCKS: weakref.WeakSet[Lock] = weakref.WeakSet()


class Lock:
    """A lock that a child finds free, though another thread of its parent held it: that thread will not let it go.

    What it guards must be in order, or be made anew there, wherever its holder was. The thread that holds it may ask
    for it again: it may collect garbage, whose end needs it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _LOCKS.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Forget a holder that is another thread."""
        if self._lock.acquire(blocking=False):
            self._lock.release()
        else:
            self._lock = threading.RLock()


class _ImportLock:
    """Python's lock under which a thread takes that of a single module; it is held for a moment only."""

    acquire, release = staticmethod(_imp.acquire_lock), staticmethod(_imp.release_lock)


_IMPORTS = _ImportLock()


def register() -> None:
    """Let every fork of this process wait; to be called once."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)


def _before() -> None:
    deadline, quiet = time.monotonic() + MOST_SECONDS, 0
    _hold()
    while time.monotonic() < deadline and (others := _others()):
        # Nobody begins an import while all is held: what is seen now is so when the process forks.
        quiet = 0 if any(map(_imports, others)) or _converts_first() else quiet + 1
        if quiet == TIMES:
            break
        _after()  # whoever imports may need what is held here
        time.sleep(0.001)
        _hold()


def _converts_first() -> bool:
    """Tell whether pyarrow may be in its first conversion: another one waits until that is over."""
    arrow: Any = sys.modules.get("pyarrow.lib")
    if arrow is None:
        return False
    if not _converting:
        _converting.append(threading.Thread(target=arrow.array, args=([""],), daemon=True))
        _converting[0].start()
    return _converting[0].is_alive()


def _hold() -> None:
    STARTING.acquire()
    _held.append(STARTING)
    compiler: Any = sys.modules.get("numba.core.compiler_lock")
    if hasattr(compiler, "global_compiler_lock"):
        compiler.global_compiler_lock.acquire()
        _held.append(compiler.global_compiler_lock)
    _IMPORTS.acquire()  # the last one: who has it asks for no other
    _held.append(_IMPORTS)


def _after() -> None:
    while _held:
        _held.pop().release()


def _after_in_child() -> None:
    _after()
    for lock in list(_LOCKS):
        lock.renew()


def _others() -> list[FrameType]:
    """Return where other threads are that are in a call of this library."""
    own = threading.get_ident()
    return [frame for thread, frame in sys._current_frames().items() if thread != own and _is_ours(frame)]


def _is_ours(frame: FrameType | None) -> bool:
    while frame is not None and not frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame is not None


def _imports(frame: FrameType | None) -> bool:
    """Tell whether a module is loaded that this library has asked for."""
    while frame is not None and frame.f_code.co_filename != _IMPORT:
        frame = frame.f_back
    return _is_ours(frame)
