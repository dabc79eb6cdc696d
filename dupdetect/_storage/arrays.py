"""Arrays and tables that may be larger than memory: kept in memory, or spilled to files that are mapped into it.

Input    arrays and tables, in any number of pieces
Output   the same, as one array or table, read-only
Cost     in memory a copy; on disk a write, and later reads from the disk for what the kernel has not kept

Stages see no difference, so results have none. What is read here and there, not from end to end, is read by position
(`GrowingArray.gather`, `texts.PackedTexts`) into arrays that a stage bounds by `Storage.array_bytes`: a look into a
mapped file brings in what is around it, too. Mapped files count as resident memory for as long as their pages are
mapped; `DiskStorage` unmaps them whenever they grow beyond its share, and the next look maps them again.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect._compiled.forks import Lock
from dupdetect._storage.lost_pages import Identity, guard
from dupdetect.errors import OutputError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import DTypeLike, NDArray

#: Share of a storage's memory that mapped pages may take; the rest is for what stages allocate.
MAPPED = 0.12

#: Share of a storage's memory that one stage's largest arrays may take at a time.
ARRAY_SHARE = 0.15

#: Bytes of files that are read, and not mapped, since there is room: a small run needs nothing that watches over maps.
SMALL = 16 << 20

#: Seconds between two looks at how much is mapped: a kernel that maps large pages maps a GB in less than 0.1 s.
PERIOD = 0.002

#: Seconds that whoever looks is waited for at the end: nothing is left to do, and what is looked at stays mapped.
MOST_SECONDS = 1


class GrowingArray:
    """An array that grows at its end, in memory."""

    #: Whether it is in a file, and parts of it are better gathered than looked at.
    is_spilled = False

    def __init__(self, dtype: DTypeLike) -> None:
        self._held: NDArray[Any] = np.empty(0, dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> NDArray[Any]:
        """What has been appended, end to end; read-only."""
        values = self._held[: self._length]
        values.flags.writeable = False
        return values

    def append(self, values: NDArray[Any], expected: int = 0) -> None:
        """Put values at the end; views taken before stay as they are.

        Of those that are `expected` to follow there is room then: what was appended need not be copied for them. Room
        that is not used takes no memory.
        """
        end = self._length + len(values)
        if end > len(self._held):
            held = np.empty(max(end + expected, 2 * self._length), self._held.dtype)
            held[: self._length] = self._held[: self._length]
            self._held = held
        self._held[self._length : end] = values
        self._length = end

    def gather(self, starts: NDArray[np.int64], lengths: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of parts of it, end to end; read-only, as `values` is."""
        ends = np.cumsum(lengths, dtype=np.int64)
        gathered = np.empty(ends[-1] if len(ends) else 0, self._held.dtype)
        self._gather(gathered, starts, ends)
        gathered.flags.writeable = False
        return gathered

    def _gather(self, into: NDArray[Any], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        begin = 0
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            into[begin:end] = self._held[start : start + end - begin]
            begin = end


class Storage:
    """In memory.

    Parameters
    ----------
    array_bytes : int, optional
        Bytes that the largest arrays of a stage may take at a time; None where nothing bounds them.
    """

    def __init__(self, array_bytes: int | None = None) -> None:
        self.array_bytes = array_bytes

    def growing_array(self, dtype: DTypeLike) -> GrowingArray:
        """Return an empty array that grows."""
        return GrowingArray(dtype)

    def check(self) -> None:
        """Refuse to go on with what is not as it was; in memory nobody changes it."""

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class DiskStorage(Storage):
    """In files of a folder, mapped.

    Parameters
    ----------
    folder : path
        For the files; it must exist. Growing arrays have nameless files, which vanish with the process.
    memory : int
        Bytes that the whole process should keep to.
    """

    def __init__(self, folder: str | os.PathLike[str], memory: int) -> None:
        self.folder = Path(folder)
        self.array_bytes = max(1 << 20, int(ARRAY_SHARE * memory))
        self._mapped = int(MAPPED * memory)
        self._maps: weakref.WeakSet[_Map] = weakref.WeakSet()
        # Held until the storage is left: a table that is made of a buffer holds what it maps, and not this object.
        self._buffers: list[tuple[pa.Buffer, Path]] = []
        self._identities: dict[Path, Identity | None] = {}
        self._read = 0
        self._watch: threading.Thread | None = None
        self._done = threading.Event()
        self._lock = Lock()

    def growing_array(self, dtype: DTypeLike) -> GrowingArray:
        """Return an empty array that grows, in a file."""
        return _SpilledArray(dtype, self)

    def array(self, path: Path, dtype: DTypeLike) -> NDArray[Any]:
        """Map a file of values, end to end; read-only."""
        return np.frombuffer(self._map_file(path), dtype)

    def table(self, path: Path) -> pa.Table:
        """Map an Arrow stream in a file, uncompressed."""
        import pyarrow.ipc

        return pyarrow.ipc.open_stream(self._map_file(path)).read_all()

    def gathered(
        self, values: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        """Return a copy of parts of an array, end to end; read from its file, if it has one, and not mapped."""
        bounds = np.cumsum(ends - starts)
        into = np.empty(bounds[-1] if len(bounds) else 0, np.uint8)
        where = self._file_of(values.ctypes.data)
        if where is None:
            begin = 0
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                into[begin : begin + end - start] = values[start:end]
                begin += end - start
            return into
        path, base = where
        with path.open("rb", buffering=0) as file:
            _read_parts(file.fileno(), into, base + starts, bounds, path)
        return into

    def _file_of(self, address: int) -> tuple[Path, int] | None:
        """Return the file that is mapped at an address, and where in it that is."""
        with self._lock:
            buffers = list(self._buffers)
        for whole, path in buffers:
            if whole.address <= address < whole.address + whole.size:
                return path, address - whole.address
        return None

    def release(self) -> None:
        """Unmap all pages; whoever looks at them has them mapped again."""
        with self._lock:
            maps = list(self._maps)
            buffers = [buffer for buffer, _ in self._buffers]
        for mapped in maps:
            mapped.release()
        for buffer in buffers:
            _let_go(buffer)

    def check(self) -> None:
        """Refuse to go on if one of the files is not as it was when it was mapped: what was read of it may be wrong.

        Raises
        ------
        OutputError
            It was cut short, written to, or removed.
        """
        with self._lock:
            identities = list(self._identities.items())
        for path, identity in identities:
            if Identity.of(path) != identity:
                raise OutputError(
                    f"{path}: was changed or removed by another program while the run worked with it; start the run "
                    "anew, where nobody writes to the work folder"
                )

    def __enter__(self) -> DiskStorage:
        resident = resident_mapped()
        if resident is not None:  # elsewhere the kernel takes mapped pages back as it needs them
            limit = resident() + self._mapped
            self._watch = threading.Thread(target=self._keep_below, args=(resident, limit), daemon=True)
            self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        # A finaliser runs on any thread, whatever that holds: it could wait for ever, be it for itself.
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join(MOST_SECONDS)
        with self._lock:
            self._buffers.clear()

    def _keep_below(self, resident: Callable[[], int], limit: int) -> None:
        while not self._done.wait(PERIOD):
            with suppress(OSError):  # where as many files are open as may be, it is asked again
                if resident() > limit:
                    self.release()

    def _map_file(self, path: Path) -> pa.Buffer:
        """Map a file, which is closed again: a map of Python's would keep it open, and there may be thousands."""
        import pyarrow as pa

        length = path.stat().st_size
        with self._lock:
            self._identities[path] = Identity.of(path)
            small = self._read + length <= SMALL
            self._read += length if small else 0
        if small or not length:  # nor can what is empty be mapped
            return pa.py_buffer(path.read_bytes())
        with pa.memory_map(os.fsencode(path)) as file:
            buffer = file.read_buffer()
        guard(buffer.address, buffer.size)
        with self._lock:
            self._buffers.append((buffer, path))
        return buffer

    def _map(self, descriptor: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        length = os.fstat(descriptor).st_size
        if length == 0:
            return np.empty(0, dtype)  # which cannot be mapped
        mapped = _Map(descriptor, length, access=mmap.ACCESS_READ)
        with self._lock:
            self._maps.add(mapped)
        return np.frombuffer(mapped, dtype)


class _Map(mmap.mmap):
    """A mapped file, whose pages can be let go."""

    def release(self) -> None:
        if hasattr(self, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            self.madvise(mmap.MADV_DONTNEED)


def _let_go(buffer: pa.Buffer) -> None:
    """Take the pages of a mapped file out of resident memory."""
    if sys.platform == "linux":
        _madvise()(buffer.address, buffer.size, mmap.MADV_DONTNEED)


@cache
def _madvise() -> Any:
    function = ctypes.CDLL(None).madvise
    function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return function


class _SpilledArray(GrowingArray):
    """An array that grows at its end, in a file."""

    is_spilled = True

    def __init__(self, dtype: DTypeLike, storage: DiskStorage) -> None:
        super().__init__(dtype)
        self._storage = storage
        self._file = tempfile.TemporaryFile(dir=storage.folder, buffering=0)  # noqa: SIM115 - closed with the array
        weakref.finalize(self, self._file.close)

    @property
    def values(self) -> NDArray[Any]:
        """What has been appended, end to end; read-only."""
        if len(self._held) < self._length:
            self._held = self._storage._map(self._file.fileno(), self._held.dtype)
        return self._held[: self._length]

    def append(self, values: NDArray[Any], expected: int = 0) -> None:  # noqa: ARG002 - a file grows as it is written
        """Put values at the end; views taken before stay as they are."""
        data = np.ascontiguousarray(values, self._held.dtype).view(np.uint8).data
        try:
            while len(data):
                data = data[self._file.write(data) :]
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise OutputError(f"{self._storage.folder}: cannot be written ({reason}); free some space there") from error
        self._length += len(values)

    def _gather(self, into: NDArray[Any], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        size = into.itemsize
        _read_parts(self._file.fileno(), into.view(np.uint8), starts * size, ends * size, self._storage.folder)


def _read_parts(
    descriptor: int, into: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], path: Path
) -> None:
    """Read parts of a file, that begin at `starts`, end to end into an array; they end there at `ends`.

    They are read in the order of the file, those that follow one another as one.
    """
    memory, order = into.data, np.argsort(starts, kind="stable")
    starts, begins, ends = starts[order], np.append(0, ends[:-1])[order], ends[order]
    apart = np.ones(len(starts) + 1, np.bool_)
    apart[1:-1] = (starts[1:] - begins[1:] != starts[:-1] - begins[:-1]) | (begins[1:] != ends[:-1])
    parts = zip(starts[apart[:-1]].tolist(), begins[apart[:-1]].tolist(), ends[apart[1:]].tolist(), strict=True)
    for start, begin, end in parts:
        while begin < end:
            count = os.preadv(descriptor, [memory[begin:end]], start)
            if count == 0:
                raise OutputError(f"{path}: a file of the run was cut short; start the run anew")
            begin, start = begin + count, start + count


def resident_mapped() -> Callable[[], int] | None:
    """Return what tells how many bytes of files are mapped and resident; None where nothing does."""
    path = Path("/proc/self/statm")
    if not path.exists():
        return None
    size = os.sysconf("SC_PAGE_SIZE")
    return lambda: int(path.read_text().split()[2]) * size
