"""What a run has finished, so that another can go on from there.

Input    tables and arrays, by name, as they are finished
Output   the same, mapped, now or in a later run of the same plan
Cost     a write and a hash of what is put (some GB/s); in a later run a read and a hash

A work folder holds

==============  =====================================================================================================
``plan.json``   the format's version, and all that decides what the parts hold: settings, inputs, versions
``done.jsonl``  one line for each file that is finished: its name, its bytes, their checksum (128 bits of XXH3)
``*.arrow``     the files: Arrow IPC, uncompressed, so that they can be mapped. Arrays are tables of one row of lists
``lock``        held by the run that works here
==============  =====================================================================================================

A file counts once its line is on the disk, which is after the file itself is. So whatever interrupts a run (a signal,
the power, a full disk) leaves files that are whole, and some that do not count. A file that is not what its
line says, for somebody has changed it, does not count either.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._storage.atomic import SUFFIX, Replacement, write_text
from dupdetect.errors import MismatchError, OutputError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import DiskStorage

#: Of the files. Another version's cannot be gone on with.
FORMAT = 1

PLAN, DONE, LOCK = "plan.json", "done.jsonl", "lock"

#: Bytes that are hashed at a time.
BLOCK = 1 << 22


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

    Raises
    ------
    MismatchError
        The plan of what is there differs: the message names where.
    OutputError
        Another run works here; the folder holds something else, or cannot be written.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any], storage: DiskStorage, *, resume: bool) -> None:
        self.folder = folder
        self._storage = storage
        self._entries: dict[str, _Entry] = {}
        with _Reported(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_strangers(folder)
            self._lock = _locked(folder)
            try:
                self._begin(json.loads(json.dumps({"format": FORMAT, **plan})), resume)
                self._list = (folder / DONE).open("a", encoding="utf-8")
            except BaseException:
                self._lock.release()
                raise

    def _begin(self, plan: Mapping[str, Any], resume: bool) -> None:
        """Take up what an earlier run has left, or remove it."""
        if resume and (self.folder / PLAN).exists():
            _compare(self.folder, plan)
            self._entries = _finished(self.folder)
            for path in self.folder.glob(f"*{SUFFIX}"):  # of a run that was killed while it wrote
                path.unlink()
            lines = (json.dumps(entry._asdict()) + "\n" for entry in self._entries.values())
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
            with Replacement(path, sync=True) as beside, beside.open("wb") as file:
                hashing = _Hashing(file)
                with pyarrow.ipc.new_file(pa.PythonFile(hashing, mode="w"), table.schema) as writer:
                    writer.write_table(table)
            entry = _Entry(name, hashing.bytes, hashing.hash.hexdigest())
            self._list.write(json.dumps(entry._asdict()) + "\n")
            self._list.flush()
            os.fsync(self._list.fileno())
        self._entries[name] = entry
        return self._storage.table(path)

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
        return self._storage.table(path)

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
        """Let others work here; remove the folder, or leave it for a later run."""
        import shutil

        self._list.close()
        self._lock.release()
        if remove:
            with suppress(OSError):  # first: of a run that is killed meanwhile nothing counts as finished
                (self.folder / DONE).unlink()
            shutil.rmtree(self.folder, ignore_errors=True)

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


def _refuse_strangers(folder: Path) -> None:
    """Refuse a folder that holds anything but what runs leave: some of it would be removed."""
    strangers = [path.name for path in folder.iterdir() if not _ours(path)]
    if strangers:
        raise OutputError(
            f"{folder}: holds {sorted(strangers)[0]!r}, so it is no work folder and stays; choose another, or a new one"
        )


def _ours(path: Path) -> bool:
    return path.name in (PLAN, DONE, LOCK) or path.suffix in (".arrow", SUFFIX)


def _clear(folder: Path) -> None:
    """Remove what an earlier run has left, its list of what counts first."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name != DONE):
        if path.name != LOCK:
            path.unlink()


def _compare(folder: Path, plan: Mapping[str, Any]) -> None:
    """Refuse to go on with work that was begun with another plan."""
    there = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    differences = list(_differences(there, plan, ""))
    if differences:
        more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
        raise MismatchError(
            f"{folder}: the work there was begun with {differences[0]}{more}; it cannot be gone on with: give what was "
            "given then, or start anew without resuming"
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


def _finished(folder: Path) -> dict[str, _Entry]:
    """Read the list of what is finished, as far as it was written."""
    entries = {}
    path = folder / DONE
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for line in lines:
        try:
            entry = _Entry(**json.loads(line))
        except (ValueError, TypeError):  # torn, when the run was interrupted
            continue
        entries[entry.name] = entry
    return entries


def _checked(path: Path) -> tuple[int, str]:
    """Return how many bytes a file has, and their hash."""
    import xxhash

    digest, size = xxhash.xxh3_128(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
    except OSError:
        return -1, ""
    return size, digest.hexdigest()
