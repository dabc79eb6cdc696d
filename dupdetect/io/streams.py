"""
Files to their bytes.

Input    a file that was found
Output   its bytes, decompressed and in UTF-8: as a stream, or for readers that jump about in them; errors in a sentence
Cost     that of the disk and of the decompressor; of what comes through a pipe a copy is kept

A pipe cannot be read twice, and what is kept is copied from the input: so what is read of it goes into a temporary
file, which whoever reads it again is given.
"""

from __future__ import annotations

import lzma
import mmap
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from dupdetect._storage import memory
from dupdetect._storage.lost_pages import Identity, guard
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.errors import InputError, SettingsError
from dupdetect.io.compression import decompressed
from dupdetect.io.encodings import Decoded
from dupdetect.io.paths import Found, label
from dupdetect.io.remote import as_url, open_ranges, open_stream, reason, stamp

#: Bytes that a text, or a line or record of a file, may have, if nothing else is said.
MAX_TEXT = 256_000_000

#: Bytes of a file up to which it is read, and not mapped, where a reader jumps about in it.
SMALL = 16 << 20

#: And at the most: offsets of Arrow's strings are of 32 bits.
LARGEST_TEXT = 2**31 - 2**20


def check_max_text(most: int | str) -> int:
    """Return the bytes that a text may have, checked; a number, or a size such as "10MB".

    Raises
    ------
    SettingsError
        It is no whole number from 1 on, or more than a column of texts holds.
    """
    amount = memory.size(most) if isinstance(most, str) else most
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= LARGEST_TEXT:
        raise SettingsError(
            f"max_text is {most!r}; expected a number of bytes from 1 to {LARGEST_TEXT:,}, or a size such as '10MB'"
        )
    return amount


class Records(NamedTuple):
    """Bytes of records that follow one another: all of them, where each ends, and its number."""

    data: bytes
    ends: NDArray[np.int64]
    rows: NDArray[np.int64]


@contextmanager
def reported(file: Found) -> Iterator[None]:
    """Turn whatever a reader raises into one sentence with the file's name."""
    expected = f"expected {file.format}" + (f" compressed with {file.compression}" if file.compression else "")
    where = label(file.path)
    try:
        yield
    except InputError:
        raise
    except PermissionError as error:
        why = error.strerror or reason(error)
        raise InputError(f"{where}: cannot be opened ({why}); check who may read it") from error
    except (FileNotFoundError, IsADirectoryError) as error:
        why = error.strerror or reason(error)
        raise InputError(f"{where}: cannot be opened ({why}), {expected}; check the path") from error
    except Exception as error:
        known = isinstance(error, pa.ArrowException | OSError | EOFError | UnicodeDecodeError | lzma.LZMAError)
        if not known and not as_url(file.path):  # protocols have errors of their own
            raise
        message = sentence(error)
        message = message.replace("Truncated compressed stream", "the compressed data end too early")
        raise InputError(f"{where}: cannot be read ({message}), {expected}; is the file complete?") from error


def sentence(error: BaseException) -> str:
    """The first line of what an error says."""
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def standard_input() -> Any:
    """Return standard input, as bytes.

    Raises
    ------
    InputError
        The process was started without one.
    """
    if sys.stdin is None:
        raise InputError("-: standard input is closed; name a file")
    return sys.stdin.buffer


def as_stream(file: Found) -> Any:
    """A stream of the file's bytes, decompressed and in UTF-8, with `read`."""
    raw = _raw(file)
    stream = raw if file.compression is None else decompressed(raw, file.compression)
    return stream if file.encoding is None else Decoded(stream, file.encoding, label(file.path))


def _raw(file: Found) -> Any:
    if file.copy is not None and file.copy.whole:
        return pa.OSFile(os.fsencode(file.copy.path))
    if file.member is not None:
        return pa.PythonFile(file.member.open(), mode="r")
    if file.piped:
        raw = standard_input() if file.path == "-" else Path(file.path).open("rb")  # noqa: SIM115
        return pa.PythonFile(raw if file.copy is None else file.copy.of(raw), mode="r")
    url = as_url(file.path)
    return pa.OSFile(os.fsencode(file.path)) if url is None else pa.PythonFile(open_stream(url), mode="r")


class PipeCopy:
    """A temporary file to which goes what is read of a pipe; it is removed with this object.

    Attributes
    ----------
    path : str
    whole : bool
        Whether the pipe has been read to its end.
    """

    def __init__(self) -> None:
        stack = ExitStack()
        weakref.finalize(self, stack.close)
        folder = stack.enter_context(temporary_folder("dupdetect", Path(tempfile.gettempdir())))
        self._file = stack.enter_context((folder / "pipe").open("wb"))
        self.path, self.whole = str(folder / "pipe"), False
        self._pipe: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as none: another process has no such file."""
        return type(None), ()

    def of(self, pipe: Any) -> PipeCopy:
        """Return this as a file that reads a pipe, from its beginning."""
        self._pipe = pipe
        return self

    def read(self, size: int = -1) -> bytes:
        """Read on, and keep a copy."""
        data: bytes = b"" if self.whole else self._pipe.read(size)
        self._file.write(data)
        if not data and size and not self.whole:
            self._file.flush()
            self.whole = True
            if sys.stdin is None or self._pipe is not sys.stdin.buffer:
                self._pipe.close()
        return data

    @property
    def closed(self) -> bool:
        """Whether nothing can be read; the copy stays."""
        return False

    def close(self) -> None:
        """Do nothing: standard input is not closed, and the copy stays."""


def seekable(file: Found) -> Found:
    """Read a pipe to its end, so that it can be read again from its copy; a file is itself.

    A member of an archive is copied, too, if it would have to be unpacked again.
    """
    if _is_packed(file):
        return _unpacked(file)
    if file.piped and (file.copy is None or not file.copy.whole):
        file = file._replace(copy=file.copy or PipeCopy())
        raw = _raw(file)
        while raw.read(1 << 20):
            pass
    return file


def _is_packed(file: Found) -> bool:
    return file.member is not None and not file.member.has_ranges and (file.copy is None or not file.copy.whole)


def _unpacked(file: Found) -> Found:
    """Copy a member of an archive into a temporary file.

    Raises
    ------
    InputError
        There is no room for it.
    """
    assert file.member is not None
    where, free = tempfile.gettempdir(), shutil.disk_usage(tempfile.gettempdir()).free
    if file.member.size > free:
        raise InputError(
            f"{label(file.path)}: has {file.member.size:,} bytes, and {where}, where members of archives are unpacked, "
            f"has room for {free:,}; make room, name another folder with TMPDIR, or unpack the archive"
        )
    copy = PipeCopy()
    stream = copy.of(file.member.open())
    while stream.read(1 << 20):
        pass
    return file._replace(copy=copy)


def as_file(file: Found) -> Any:
    """The file for readers that jump about in it; decompressed, if it is compressed."""
    _refuse_empty(file)
    url = None if file.member is not None else as_url(file.path)
    if file.compression is None:
        whole = seekable(file) if _is_packed(file) else file
        return _raw(whole) if url is None else pa.PythonFile(open_ranges(url), mode="r")
    with as_stream(file) as stream:
        return pa.BufferReader(stream.read())


class Mapped:
    """A file for readers that jump about in it, mapped into memory if it is large.

    Attributes
    ----------
    source : pyarrow.NativeFile
    """

    def __init__(self, file: Found) -> None:
        self._name = label(file.path)
        self._map: mmap.mmap | None = None
        _refuse_empty(file)
        mapped = not (file.piped or file.member is not None or file.compression is not None or as_url(file.path))
        if not mapped or size_of(file) <= SMALL:
            self.source = as_file(file)
            return
        with Path(file.path).open("rb") as raw:
            self._identity = Identity.of(Path(file.path))
            self._map = mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ)
        self._path = Path(file.path)
        buffer = pa.py_buffer(self._map)
        guard(buffer.address, buffer.size)
        self.source = pa.BufferReader(buffer)

    def copied(self, table: pa.Table) -> pa.Table:
        """Return a table of this file in memory of its own, and let the file's pages go.

        Raises
        ------
        InputError
            The file was changed meanwhile: what is read of it may be anything.
        """
        if self._map is None:
            return table
        size = pa.MockOutputStream()
        for sink in (size, None):
            if sink is None:
                buffer = pa.allocate_buffer(size.size())
                sink = pa.FixedSizeBufferWriter(buffer)
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
        if Identity.of(self._path) != self._identity:
            raise InputError(f"{self._name}: was changed while it was read; run it again when nobody writes to it")
        if hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)
        return pa.ipc.open_stream(buffer).read_all()


def _refuse_empty(file: Found) -> None:
    if size_of(file) == 0:
        raise InputError(f"{label(file.path)}: the file is empty, expected {file.format}; was it written completely?")


def size_of(file: Found) -> int:
    """Return how many bytes a file has, as it is stored; a member of an archive, when it is unpacked."""
    if file.member is not None:
        return int(file.member.size)
    url = as_url(file.path)
    if url is not None:
        return stamp(url)[0]
    return Path(file.copy.path if file.copy is not None else file.path).stat().st_size
