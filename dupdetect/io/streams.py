"""
Files to their bytes.

Input    a file that was found
Output   its bytes, decompressed: as a stream, or for readers that jump about in them; errors in one sentence
Cost     that of the disk and of the decompressor
"""

from __future__ import annotations

import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from dupdetect._storage import memory
from dupdetect._storage.lost_pages import Identity, guard
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.errors import InputError, SettingsError
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


@contextmanager
def reported(file: Found) -> Iterator[None]:
    """Turn whatever a reader raises into one sentence with the file's name."""
    expected = f"expected {file.format}" + (f" compressed with {file.compression}" if file.compression else "")
    where = label(file.path)
    try:
        yield
    except InputError:
        raise
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        why = error.strerror or reason(error)
        raise InputError(f"{where}: cannot be opened ({why}), {expected}; check the path") from error
    except Exception as error:
        known = isinstance(error, pa.ArrowException | OSError | EOFError | UnicodeDecodeError)
        if not known and not as_url(file.path):  # protocols have errors of their own
            raise
        message = sentence(error)
        message = message.replace("Truncated compressed stream", "the compressed data end too early")
        raise InputError(f"{where}: cannot be read ({message}), {expected}; is the file complete?") from error


def sentence(error: BaseException) -> str:
    """The first line of what an error says."""
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def as_stream(file: Found) -> Any:
    """A stream of the file's bytes, decompressed, with `read`."""
    if file.path == "-":
        return pa.PythonFile(sys.stdin.buffer, mode="r")
    url = as_url(file.path)
    if file.piped:
        raw = pa.PythonFile(Path(file.path).open("rb"), mode="r")  # noqa: SIM115 - closed with the stream
    else:
        raw = pa.OSFile(os.fsencode(file.path)) if url is None else pa.PythonFile(open_stream(url), mode="r")
    return raw if file.compression is None else pa.CompressedInputStream(raw, file.compression)


@contextmanager
def seekable(file: Found) -> Iterator[Found]:
    """Copy a pipe into a temporary file, so that it can be read more than once; a file is itself."""
    if not file.piped:
        yield file
        return
    with temporary_folder("dupdetect", Path(tempfile.gettempdir())) as made:
        with Path(file.path).open("rb") as raw, (made / "pipe").open("wb") as copy:
            shutil.copyfileobj(raw, copy, 1 << 20)
        yield file._replace(path=str(made / "pipe"), piped=False)


def as_file(file: Found) -> Any:
    """The file for readers that jump about in it; decompressed, if it is compressed."""
    _refuse_empty(file)
    url = as_url(file.path)
    if file.compression is None:
        return pa.OSFile(os.fsencode(file.path)) if url is None else pa.PythonFile(open_ranges(url), mode="r")
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
        if file.compression is not None or as_url(file.path) or Path(file.path).stat().st_size <= SMALL:
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
    url = as_url(file.path)
    size = Path(file.path).stat().st_size if url is None else stamp(url)[0]
    if size == 0:
        raise InputError(f"{label(file.path)}: the file is empty, expected {file.format}; was it written completely?")
