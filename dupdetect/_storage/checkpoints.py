"""What a run has finished, so that another can go on from there.

Input    tables and arrays, by name, as they are finished
Output   the same, mapped, now or in a later run of the same plan
Cost     a write and a hash of what is put (some GB/s); in a later run a read and a hash

A work folder holds

==============  =====================================================================================================
``plan.json``   whose it is, the format's version, and all that decides what the parts hold: settings, inputs, versions
``done.jsonl``  two lines for each file: its name before it is written; when it is finished its bytes and checksum, too
``*.arrow``     Arrow IPC streams, uncompressed, so that they can be mapped. Arrays are tables of one row of lists
``.work.lock``  held by the run that works here
==============  =====================================================================================================

A folder is a work folder by its plan alone: one that is not empty and has no plan of this library is refused, and
nothing in it is touched. Of a work folder only files that the list names are ever removed.

A file counts once its line is on the disk, which is after the file itself is. So whatever interrupts a run (a signal,
the power, a full disk) leaves files that are whole, and some that do not count. A file that is not what its
line says, for somebody has changed it, does not count either.
"""

from __future__ import annotations

import io
import json
import os
import stat
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._storage import unfinished
from dupdetect._storage.atomic import Replacement, write_text
from dupdetect._storage.checksums import checksum
from dupdetect.errors import MismatchError, OutputError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import DiskStorage

#: Of the files. Another version's cannot be gone on with.
FORMAT = 5

PLAN, DONE, LOCK = "plan.json", "done.jsonl", ".work.lock"

#: What a plan begins with, so that no other program's file of that name is taken for one.
MARK = {"work_folder_of": "dupdetect"}


class _Entry(NamedTuple):
    """A line of the list of finished files."""

    name: str
    bytes: int
    xxh3_128: str


class Checkpoints:
    """A work folder.

    Parameters
    ----------
    folder : path
        Made if it is not there; parents too.
    plan : mapping
        All that decides what is put here, ready for JSON.
    storage : DiskStorage
        It maps the files.
    resume : bool
        Whether to go on from what is there. Otherwise what a run has left is removed.

    Attributes
    ----------
    folder : Path
    storage : DiskStorage

    Raises
    ------
    MismatchError
        The plan of what is there differs: the message names where.
    OutputError
        Another run works here; the folder holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any], storage: DiskStorage, *, resume: bool) -> None:
        self.folder = folder
        self.storage = storage
        self._entries: dict[str, _Entry] = {}
        with _Reported(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            check_work_folder(folder)  # before there is a lock in it
            self._lock = _locked(folder)
            try:
                plan_there = check_work_folder(folder)
                self._begin(json.loads(json.dumps({**MARK, "format": FORMAT, **plan})), plan_there, resume)
                self._list = (folder / DONE).open("a", encoding="utf-8")
            except BaseException:
                self._lock.release()
                raise

    def _begin(self, plan: Mapping[str, Any], plan_there: Mapping[str, Any] | None, resume: bool) -> None:
        """Take up what an earlier run has left, or remove it."""
        if resume and plan_there is not None:
            _compare(self.folder, plan_there, plan)
            self._entries, begun = _listed(self.folder)
            for name in (*begun, PLAN, DONE):  # of a run that was killed while it wrote
                _remove_unfinished(self.folder, name)
            lines = [_line(name=name) for name in begun] + [_line(**e._asdict()) for e in self._entries.values()]
            write_text(self.folder / DONE, "".join(lines), sync=True)  # without a line that was torn
        else:
            _clear(self.folder)
            write_text(self.folder / PLAN, json.dumps(plan, indent=2, ensure_ascii=False) + "\n", sync=True)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def bytes(self) -> int:
        """How many bytes the finished files have."""
        return sum(entry.bytes for entry in self._entries.values())

    def put(self, name: str, table: pa.Table) -> pa.Table:
        """Keep a table; return it mapped.

        Raises
        ------
        OutputError
            The disk is full, or fails.
        """
        import pyarrow as pa
        import pyarrow.ipc

        path = self._path(name)
        with _Reported(self.folder):
            self._list.write(_line(name=path.name))
            self._list.flush()
            with Replacement(path, sync=True) as beside, beside.open("wb") as file:
                hashing = _Hashing(file)
                # A stream, for in a file all chunks of a column have one dictionary, which files of the input have not.
                with pyarrow.ipc.new_stream(pa.PythonFile(hashing, mode="w"), table.schema) as writer:
                    writer.write_table(table)
            entry = _Entry(name, hashing.bytes, hashing.hash.hexdigest())
            self._list.write(_line(**entry._asdict()))
            self._list.flush()
            os.fsync(self._list.fileno())
        self._entries[name] = entry
        return self.storage.table(path)

    def get(self, name: str) -> pa.Table | None:
        """Return a finished table, mapped; None if it is not there, or damaged."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        path = self._path(name)
        if _checked(path) != (entry.bytes, entry.xxh3_128):
            warnings.warn(f"{path} is not as it was written; that part of the work is done again", stacklevel=2)
            del self._entries[name]
            return None
        return self.storage.table(path)

    def put_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Keep arrays of one dimension; return them mapped. Errors as for `put`."""
        import pyarrow as pa

        columns = {}
        for key, values in arrays.items():
            offsets = pa.array([0, len(values)], pa.int64())
            columns[key] = pa.LargeListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values)))
        return _arrays(self.put(name, pa.table(columns)))

    def get_arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        """Return finished arrays, mapped; None if they are not there, or damaged."""
        table = self.get(name)
        return None if table is None else _arrays(table)

    def close(self, *, remove: bool) -> None:
        """Let others work here; remove what was written here, or leave it for a later run."""
        self._list.close()
        if remove:
            with suppress(OSError):  # a folder that others have put something into stays
                _clear(self.folder)
                (self.folder / PLAN).unlink()
        self._lock.release()
        if remove:
            with suppress(OSError):
                (self.folder / LOCK).unlink(missing_ok=True)
                self.folder.rmdir()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.arrow"


class _Hashing(io.RawIOBase):
    """A file that is hashed as it is written."""

    def __init__(self, file: Any) -> None:
        import xxhash

        self._file, self.hash, self.bytes = file, xxhash.xxh3_128(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._file.write(data)
        self.hash.update(data)
        self.bytes += len(data)
        return len(data)


class _Reported:
    """Turns errors of the disk into a sentence."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, error_type: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OutputError(
                f"{self._folder}: the work folder cannot be used ({reason}); choose another, or mend it and resume"
            ) from error


def _arrays(table: pa.Table) -> dict[str, NDArray[Any]]:
    return {name: table[name].chunk(0).values.to_numpy(zero_copy_only=True) for name in table.column_names}


def _locked(folder: Path) -> Any:
    """Lock a folder; the lock goes with the process, however that ends."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputError(f"{folder}: another run works in this folder; wait for it, or choose another") from None
    return lock


def check_work_folder(folder: Path) -> dict[str, Any] | None:
    """Refuse a folder that holds something and is no work folder; touch nothing.

    Returns
    -------
    dict, optional
        Its plan; None if no run has begun there.

    Raises
    ------
    OutputError
        It is not empty and has no plan of this library, or it is no folder.
    """
    with _Reported(folder):
        names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if PLAN in names:
        plan = _read_plan(folder / PLAN)
        if plan is None:
            raise OutputError(
                f"{folder}: its {PLAN} is damaged or another program's, so nothing there is touched; choose another "
                "folder, or remove this one if a run has left it"
            )
        return plan
    strangers = [name for name in names if name != LOCK and not unfinished.pattern(PLAN).fullmatch(name)]
    if strangers:
        raise OutputError(
            f"{folder}: holds {strangers[0]!r} and no {PLAN} of a run, so it is no work folder and stays as it is; "
            "choose another, or a new one"
        )
    return None


def check_private(folder: Path) -> None:
    """Refuse a folder that another may write into, where its name can be guessed and others may have made it.

    Raises
    ------
    OutputError
        It is there, and belongs to another, may be written to by others, or is a link.
    """
    try:
        known = folder.lstat()
    except OSError:
        return
    others = known.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    strange = hasattr(os, "geteuid") and (known.st_uid != os.geteuid() or others)
    if stat.S_ISLNK(known.st_mode) or strange:
        raise OutputError(
            f"{folder}: the work folder is a link, or others may write into it, and what they put there would be gone "
            "on with; name another folder with --work, or remove it"
        )


def mark_of(folder: Path) -> list[tuple[str, int, int]]:
    """Return what changes whenever a run begins, or goes on, to work in a folder."""
    files = [path for path in (folder / PLAN, folder / DONE) if path.is_file()]
    return [(path.name, path.stat().st_ino, path.stat().st_mtime_ns) for path in files]


def holds_work(folder: Path, before: list[tuple[str, int, int]]) -> bool:
    """Tell whether a run has left work in a folder, since its `mark_of` was the one `before`."""
    return _read_plan(folder / PLAN) is not None and mark_of(folder) != before


def is_in_use(folder: Path) -> bool:
    """Tell whether a run works in a folder."""
    try:
        _locked(folder).release()
    except (OutputError, OSError):
        return True
    return False


def _read_plan(path: Path) -> dict[str, Any] | None:
    """Read the plan of a run; None if it is none."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return plan if isinstance(plan, dict) and MARK.items() <= plan.items() else None


def _remove_unfinished(folder: Path, name: str) -> None:
    pattern = unfinished.pattern(name)
    for path in folder.glob(f".*{unfinished.SUFFIX}"):
        if pattern.fullmatch(path.name):
            path.unlink()


def _clear(folder: Path) -> None:
    """Remove the files that an earlier run has written here, by their names; its plan stays."""
    _, begun = _listed(folder)
    if begun:  # first: of a run that is killed meanwhile nothing counts as finished
        write_text(folder / DONE, "".join(_line(name=name) for name in begun), sync=True)
    for name in begun:
        (folder / name).unlink(missing_ok=True)
    for name in (*begun, PLAN, DONE):
        _remove_unfinished(folder, name)
    (folder / DONE).unlink(missing_ok=True)


def _compare(folder: Path, there: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    """Refuse to go on with work that was begun with another plan."""
    differences = list(_differences(there, plan, ""))
    if differences:
        more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
        raise MismatchError(
            f"{folder}: the work there was begun with {differences[0]}{more}; it cannot be gone on with: give what was "
            "given then, or remove that folder and start anew"
        )


def _differences(there: Any, here: Any, where: str) -> Any:
    """Yield where two plans differ, and how."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in sorted(there.keys() | here.keys()):
            yield from _differences(there.get(key), here.get(key), f"{where}.{key}" if where else key)
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for at, (one, other) in enumerate(zip(there, here, strict=True), 1):
            yield from _differences(one, other, f"{where} {at}")
    elif there != here:
        yield f"{where} {_short(there)}, and is now {_short(here)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"


def _line(**said: Any) -> str:
    return json.dumps(said) + "\n"


def _listed(folder: Path) -> tuple[dict[str, _Entry], list[str]]:
    """Read the list, as far as it was written: what is finished, and the files that were begun."""
    entries: dict[str, _Entry] = {}
    begun: dict[str, None] = {}
    path = folder / DONE
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for line in lines:
        try:
            said = json.loads(line)
            if said.keys() == {"name"} and _is_file_name(said["name"]):
                begun[said["name"]] = None
                continue
            entry = _Entry(**said)
        except (ValueError, TypeError, AttributeError, RecursionError):  # torn, when the run was interrupted
            continue
        if f"{entry.name}.arrow" in begun and isinstance(entry.bytes, int):
            entries[entry.name] = entry
    return entries, list(begun)


def _is_file_name(name: Any) -> bool:
    """Tell whether a name may be that of a file of a run, and no path out of its folder."""
    return isinstance(name, str) and name.endswith(".arrow") and not set(name) & {"/", "\\", "\0"}


def _checked(path: Path) -> tuple[int, str | None]:
    """Return how many bytes a file has, and their hash."""
    try:
        return path.stat().st_size, checksum(path)
    except OSError:
        return -1, None
