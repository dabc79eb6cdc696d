"""Mapped files that somebody cuts short: their lost pages read as zeros, and do not end the process.

Input    where a file is mapped
Output   whoever looks at what is gone sees zeros; whether that happened is for the owner of the map to ask (`Identity`)
Cost     compiling a function once in a process, some 0.2 s

Without this the kernel sends SIGBUS, which ends a process without a word. The handler gives the page that is not there
a page of zeros in its place, as systemd does for its logs; for maps of others whoever was asked before is asked.
Linux only, and where there is a compiler: elsewhere all is as it was.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dupdetect._compiled.forks import Lock

#: Maps that are known at a time; of more the oldest are forgotten.
MOST = 1 << 15

#: Of Linux, whatever the processor: the signal, its cause "there is nothing", and how a handler is told of it.
SIGBUS, BUS_ADRERR, SA_SIGINFO = 7, 2, 4

#: Where each map begins and ends; the first pair is how many there were.
_RANGES = np.zeros((MOST + 1, 2), np.uintp)
_LOCK = Lock()


class Identity(NamedTuple):
    """What tells that a file is as it was: which one it is, how long, and when it was last written to."""

    inode: int
    bytes: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> Identity | None:
        """Return that of a path; None if there is no such file."""
        try:
            known = path.stat()
        except OSError:
            return None
        return cls(known.st_ino, known.st_size, known.st_mtime_ns)


def guard(address: int, length: int) -> None:
    """Let pages of a mapped file that are lost read as zeros."""
    if not _installed():
        return
    with _LOCK:
        number = int(_RANGES[0, 0])
        _RANGES[1 + number % MOST] = address, address + length
        _RANGES[0, 0] = number + 1


class _Action(ctypes.Structure):
    """How a signal is handled, as the C library has it (glibc and musl, 64 bits)."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


@cache
def _installed() -> Any:
    """Install the handler; return what must live as long as the process, None where there can be none."""
    from dupdetect._compiled import kernels

    if sys.platform != "linux" or sys.maxsize < 1 << 32 or not kernels.available():
        return None
    before = _Action()
    handler = _handler(_RANGES.ctypes.data, ctypes.addressof(before))
    action = _Action(handler=handler.address, flags=SA_SIGINFO)
    library = ctypes.CDLL(None)
    if library.sigaction(SIGBUS, ctypes.byref(action), ctypes.byref(before)) != 0:
        return None
    return handler, before


def _handler(ranges: int, before: int) -> Any:
    """Compile the handler: it may neither allocate nor wait, and is told of what it reads by its address."""
    from numba import carray, cfunc, types  # type: ignore[attr-defined]
    from numba.extending import intrinsic

    @intrinsic
    def pointer(_, address):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(types.uintp)(address), generate

    map_ = types.ExternalFunction(
        "mmap", types.intp(types.intp, types.uintp, types.int32, types.int32, types.int32, types.intp)
    )
    restore = types.ExternalFunction("sigaction", types.int32(types.int32, types.uintp, types.uintp))
    page, most = mmap.PAGESIZE, MOST
    how = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10  # MAP_FIXED: in the place of what is mapped there

    @cfunc(types.void(types.int32, types.CPointer(types.uintp), types.uintp))
    def handler(number, info, context):  # noqa: ARG001
        cause, address = info[1] & 0xFFFFFFFF, info[2]
        known = carray(pointer(ranges), (most + 1, 2))
        if cause == BUS_ADRERR:
            for at in range(1, min(known[0, 0], most) + 1):
                if known[at, 0] <= address < known[at, 1]:
                    map_(types.intp(address - address % page), page, mmap.PROT_READ, how, -1, 0)
                    return
        restore(number, before, 0)  # not ours: it happens again, and is another's

    return handler
