"""Files and folders that are begun and not finished: known while their process lives, found once it was killed.

Input    paths beside what they are to become, named by `name`
Output   they are locked for as long as their process lives; what a killed one has left is removed by the next
Cost     a descriptor for each; to look for what was left, a listing of the folder

The lock is the kernel's (`flock`), and goes with the process however that ends. Where there is none (Windows), what
was left stays.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not of this system
    fcntl = None  # type: ignore[assignment]

#: Suffix of what is not finished.
SUFFIX = ".part"

#: What is begun in this process, and the descriptors that hold its locks (None: there are no locks here).
_BEGUN: dict[Path, int | None] = {}

if hasattr(os, "register_at_fork"):  # a fork has begun nothing of it
    os.register_at_fork(after_in_child=_BEGUN.clear)


def name(of: str) -> str:
    """Return a name that nobody else has, for what is to become `of`: hidden, and never too long."""
    return f".{of[:40]}.{secrets.token_hex(4)}{SUFFIX}"


def pattern(of: str) -> re.Pattern[str]:
    """Match all that `name` returns."""
    return re.compile(rf"\.{re.escape(of[:40])}\.[0-9a-f]{{8}}{re.escape(SUFFIX)}")


def begin(path: Path, *, folder: bool) -> None:
    """Make an empty file or folder, with the permissions that any new one has, and lock it.

    Raises
    ------
    OSError
        It cannot be made.
    """
    # Not by `tempfile`, which makes them for their owner's eyes alone.
    _BEGUN[path] = None  # first, for a signal may come in between
    try:
        is_there, descriptor = False, None
        while not is_there:  # before it is locked, another process may take it for what was left, and remove it
            if folder:
                path.mkdir()
            else:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            is_there, descriptor = _taken(path)
    except OSError:
        del _BEGUN[path]
        raise
    _BEGUN[path] = descriptor


def end(path: Path) -> None:
    """Let go of what is finished, or removed."""
    descriptor = _BEGUN.pop(path, None)
    if descriptor is not None:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there and may be removed."""
    with suppress(OSError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def remove_all() -> None:
    """Remove whatever this process has begun: it ends now, and other threads of it may still be writing."""
    for _ in range(3):
        for path in list(_BEGUN):
            remove(path)


def remove_left(target: Path) -> None:
    """Remove what processes that were killed have left of their work on a target."""
    if fcntl is None:
        return
    pattern_ = pattern(target.name)
    with suppress(OSError), os.scandir(target.absolute().parent) as entries:
        for entry in entries:
            if pattern_.fullmatch(entry.name):
                _remove_left(entry)


def _remove_left(entry: os.DirEntry[str]) -> None:
    """Remove what a process has left that is no more; another may be removing it, too."""
    with suppress(OSError):
        if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
            descriptor = _locked(Path(entry.path))
            if descriptor is not None:
                remove(Path(entry.path))
                os.close(descriptor)


@contextmanager
def temporary_folder(of: str, parent: Path) -> Iterator[Path]:
    """Make a folder for the time of a block, for its owner's eyes alone; and remove what was left of others like it."""
    remove_left(parent / of)
    path = parent / name(of)
    begin(path, folder=True)
    try:
        path.chmod(0o700)
        yield path
    finally:
        if path in _BEGUN:  # not in a fork
            remove(path)
            end(path)


def _taken(path: Path) -> tuple[bool, int | None]:
    """Lock what this process has just made; return whether it is still there, and the descriptor as `_locked` does."""
    if fcntl is None:
        return True, None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return os.path.lexists(path), None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # whoever is about to remove it has it for a moment
        is_there = os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:  # it is gone, or this disk has no locks
        os.close(descriptor)
        return os.path.lexists(path), None
    if not is_there:
        os.close(descriptor)
    return is_there, descriptor if is_there else None


def _locked(path: Path) -> int | None:
    """Lock a file or folder; return the descriptor that holds the lock, None if another process holds it."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between the two calls a third process may have removed it, and its owner made it again.
        is_same = os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:  # held, gone, or this disk has no locks
        is_same = False
    if not is_same:
        os.close(descriptor)
        return None
    return descriptor
