"""Where a run works: in memory, or from some point on in a folder.

Input    how much memory there is, which folder, and what decides the run
Output   a `Storage` for what grows, and a `Checkpoints` for what is finished
Cost     none as long as a corpus fits in memory
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dupdetect._storage import memory as memories
from dupdetect._storage.arrays import DiskStorage, Storage
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.errors import SettingsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.checkpoints import Checkpoints

    Arrays = dict[str, NDArray[Any]]

#: Share of the memory that is free when a run begins that it takes, if nothing else is said.
SHARE = 0.6

#: Bytes that the program takes itself: the interpreter, its libraries, compiled code.
PROGRAM = 300 << 20

#: The least that a run can keep to.
LEAST = 512 << 20


class Workspace:
    """Where a run works.

    Parameters
    ----------
    memory : int, optional
        Bytes that the process should keep to; by default a share of what is free.
    folder : path, optional
        Work there, and leave there what is finished. By default a folder of its own is made, if one is needed,
        and removed in the end.
    resume : bool
        Go on with what an earlier run has left in the folder; work there from the beginning.
    plan : mapping
        All that decides what the run finds, ready for JSON.

    Raises
    ------
    SettingsError
        The memory is too small; `resume` without a folder.
    OutputError
        The folder holds what no run has left.
    """

    def __init__(
        self,
        memory: int | None,
        folder: str | os.PathLike[str] | None,
        resume: bool,
        plan: Mapping[str, Any],
    ) -> None:
        if resume and folder is None:
            raise SettingsError("a run can only be resumed in the folder where it worked; give work=, that folder")
        if folder is not None:
            from dupdetect._storage.checkpoints import check_work_folder

            check_work_folder(Path(folder))
        self.memory = memory_limit(memory)
        self.storage = Storage()
        self.checkpoints: Checkpoints | None = None
        self._folder = None if folder is None else Path(folder)
        self.resume, self._plan = resume, plan
        self._temporary = ExitStack()
        self._process = os.getpid()

    @property
    def budget(self) -> int:
        """Bytes for what a run keeps in memory."""
        return self.memory - PROGRAM

    def open(self) -> Checkpoints:
        """Move into the folder."""
        from dupdetect._storage.checkpoints import Checkpoints

        if self.checkpoints is None:
            folder = self._folder
            if folder is None:
                folder = self._temporary.enter_context(temporary_folder("dupdetect", Path(tempfile.gettempdir())))
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            storage = DiskStorage(folder, self.memory)
            self.checkpoints = Checkpoints(folder, self._plan, storage, resume=self.resume)
            self.storage = storage.__enter__()
        return self.checkpoints

    def finished(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what an earlier run has finished under a name; else make it, and keep it."""
        if self.checkpoints is None:
            return make()
        found = self.checkpoints.get_arrays(name)
        if found is None:
            with self.checked():
                found = make()
            self.checkpoints.put_arrays(name, found)
            memories.give_back()
            return found
        # Copies, so that compiled loops are given what they were compiled for: arrays that can be written to.
        return {key: values.copy() for key, values in found.items()}

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Work with the files; if one is not as it was written when the block ends, that is the error.

        Raises
        ------
        OutputError
            Another program has cut it short, or removed it.
        """
        try:
            yield
        finally:
            self.storage.check()

    def close(self, *, remove: bool = False) -> None:
        """Leave the folder, or remove it; one that was not named is removed. To a fork it does not belong.

        One in which nothing was finished is removed, too: there is nothing to go on from, and of an input that was
        refused, for a column that it does not have, its plan would refuse the run that names the right one.
        """
        if os.getpid() != self._process:
            return
        if self.checkpoints is not None:
            self.storage.__exit__()
            self.checkpoints.close(remove=remove or self._folder is None or not self.checkpoints.bytes)
            self.checkpoints = None
        self._temporary.close()


def memory_limit(memory: int | str | None) -> int:
    """Return the bytes that a run should keep to: those given, checked, or for None a share of what is free.

    Parameters
    ----------
    memory : int or str, optional
        Bytes, or a size such as "2GB" (`memory.size`).

    Raises
    ------
    SettingsError
        Less than a run can keep to is given.
    """
    if memory is None:
        return max(LEAST, int(SHARE * memories.free()))
    amount = memories.size(memory) if isinstance(memory, str) else memory
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < LEAST:
        raise SettingsError(
            f"memory is {memory!r}; expected a number of bytes or a size such as '2GB', {LEAST:,} bytes at least, or "
            "None for a share of what is free"
        )
    return amount
