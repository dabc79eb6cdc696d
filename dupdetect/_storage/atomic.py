"""Files and folders that appear whole or not at all: written beside their place, then renamed.

Input    a path, and what is to be there
Output   the file or folder; where anything fails, what was there before, and nothing else
Cost     a rename; with `sync` a wait for the disk

Imports nothing of the library but its errors and what knows of unfinished files, so that settings may use it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from dupdetect._storage import unfinished
from dupdetect.errors import OutputError


class Replacement:
    """A file or folder beside its target, which takes the target's place when it is finished.

    As a context it is committed when its block ends without an error, else discarded; errors of the disk in the block
    are reported as those of the target.

    Parameters
    ----------
    target : path
        What is to be made or replaced. The parent of a file must exist, those of a folder are made.
    folder : bool
        Whether it is a folder.
    sync : bool
        Whether the file is on the disk when it takes its name, not only with the operating system.

    Attributes
    ----------
    path : Path
        Where to write. It exists, empty, with the permissions that any new file or folder has.

    Raises
    ------
    OutputError
        The disk is full, or there is no permission or no parent; nothing is left behind.
    """

    def __init__(self, target: str | os.PathLike[str], *, folder: bool = False, sync: bool = False) -> None:
        self.target, self._folder, self._sync = Path(target), folder, sync
        parent = self.target.absolute().parent
        if folder:  # on the target's disk; parents are made once there is something to put into them
            parent = next(above for above in (parent, *parent.parents) if above.is_dir())
        self.path = parent / unfinished.name(self.target.name)
        with reported(self.target):
            unfinished.begin(self.path, folder=folder)

    def commit(self) -> None:
        """Give it the target's name."""
        with reported(self.target):
            if self._folder:
                self.target.absolute().parent.mkdir(parents=True, exist_ok=True)
                _swap(self.path, self.target)
                return
            if self._sync:
                with self.path.open("r+b") as file:
                    os.fsync(file.fileno())
            self.path.replace(self.target)

    def discard(self) -> None:
        """Remove what was written, unless it has been committed; what was at the target stays."""
        unfinished.remove(self.path)
        unfinished.end(self.path)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, error_type: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        try:
            if error is not None:
                with reported(self.target):
                    raise error
            self.commit()
        finally:  # after Ctrl-C too
            self.discard()


def check_writable(target: str | os.PathLike[str], *, folder: bool = False) -> None:
    """Refuse a file or folder that could not be written, before the work is done.

    Something is made beside it and removed again, and so is what a process that was killed has left of the same.

    Raises
    ------
    OutputError
        There is no permission or no parent, or a name is too long; what is to be a file is a folder; or a folder is a
        mount point, or the current one or above it, which cannot be replaced.
    """
    target = Path(target)
    if folder and target.exists():
        whole = target.resolve()
        if whole == Path.cwd() or whole in Path.cwd().parents:
            raise OutputError(f"{target}: is the current folder or above it, and cannot be replaced; name another")
        if os.path.ismount(whole):
            raise OutputError(f"{target}: is a mount point, and cannot be replaced; name a folder in it")
    for above in target.absolute().parents:
        if os.path.lexists(above) and not above.is_dir():
            raise OutputError(f"{target}: cannot be written, {above} is no folder; name another")
    if not folder and target.is_dir():
        raise OutputError(f"{target}: is a folder; name a file in it, or another")
    if not folder and not target.absolute().parent.exists():
        raise OutputError(f"{target}: there is no folder {target.parent}; make it, or name another place")
    beside = Replacement(target, folder=folder)
    unfinished.remove_left(target)
    try:
        with reported(target):
            longest = os.pathconf(beside.path, "PC_NAME_MAX") if hasattr(os, "pathconf") else 255
    finally:
        beside.discard()
    for part in target.absolute().parts:
        if len(os.fsencode(part)) > longest:
            raise OutputError(
                f"{target}: a name has more than {longest} bytes, as many as this disk takes; name another"
            )


def write_text(path: str | os.PathLike[str], text: str, *, sync: bool = False) -> Path:
    """Write a file of text, in UTF-8 and with its line feeds as they are.

    Parameters
    ----------
    path : path
        Replaced if it exists; its folder must exist.
    text : str
    sync : bool
        Whether it is on the disk on return.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        The file cannot be written; nothing is left behind.
    """
    with Replacement(path, sync=sync) as beside:
        # Bytes of a name that are no UTF-8 become escapes, of which JSON makes these bytes again.
        beside.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    return Path(path)


@contextmanager
def reported(target: str | os.PathLike[str]) -> Iterator[None]:
    """Turn errors of the disk, and of Arrow where it writes, into an `OutputError` that names the target."""
    if "\0" in os.fspath(target):
        raise OutputError(f"{os.fspath(target)!r}: no name can hold a NUL; name another place")
    try:
        yield
    except _disk_errors() as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number else str(error)
        # What is no error of the system is a value that Arrow cannot write.
        is_of_system = isinstance(error, OSError)
        remedy = "choose another place" if is_of_system else "write another format, or leave the column out"
        raise OutputError(f"{target}: cannot be written ({reason}), nothing was left behind; {remedy}") from error


def _disk_errors() -> tuple[type[Exception], ...]:
    arrow = sys.modules.get("pyarrow")  # what it raises is of no matter where it is not loaded
    return (OSError,) if arrow is None else (OSError, arrow.ArrowException)


def _swap(folder: Path, target: Path) -> None:
    """Give a folder the name of a target that may be there: then the folder's name is that of the old one.

    At no moment is the target missing, where the system and the disk can exchange names (Linux, macOS).
    """
    if not target.exists():
        folder.rename(target)
        return
    if _exchanged(folder, target):
        return
    old = folder.with_suffix(".old")
    target.rename(old)
    try:
        folder.rename(target)
    except BaseException:
        old.rename(target)
        raise
    unfinished.remove(old)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two paths exchange their names, at once; False where that cannot be."""
    exchange = _exchange()
    return exchange is not None and exchange(os.fsencode(one.absolute()), os.fsencode(other.absolute())) == 0


@cache
def _exchange() -> Any:
    """Return the system's function that exchanges the names of two paths; None if it has none."""
    here, swap = -100, 2  # AT_FDCWD; RENAME_EXCHANGE, and RENAME_SWAP of macOS
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return lambda one, other: library.renamex_np(one, other, swap)
        function = library.renameat2
    except (OSError, AttributeError, TypeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return lambda one, other: function(here, one, here, other, swap)
