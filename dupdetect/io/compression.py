"""Streams of bytes, compressed or not.

Input    a stream, and how it is compressed
Output   what it holds; or a file to be written so
Cost     that of the compressor; a block is in memory at a time
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_BLOCK_BYTES = 64 << 10


def decompressed(raw: Any, compression: str) -> Any:
    """A stream of what a compressed one holds."""
    import pyarrow as pa  # heavy

    if compression == "xz":  # which Arrow does not know
        return pa.PythonFile(_Xz(raw), mode="r")
    return pa.CompressedInputStream(raw, compression)


class _Xz(io.RawIOBase):
    """What a file of xz holds, to its last byte.

    `lzma.open` ends at the first stream that is followed by padding, or by anything that is no stream, and says nothing
    of what comes behind it.
    """

    def __init__(self, raw: Any) -> None:
        self._raw, self._stream = raw, lzma.LZMADecompressor()
        self._begun = False  # whether the file has any bytes

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as a stream goes."""
        with memoryview(buffer).cast("B") as view:
            data = self._some(len(view)) if len(view) else b""
            view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file, too."""
        if not self.closed:
            self._raw.close()
        super().close()

    def _some(self, size: int) -> bytes:
        data = b""
        while not data:
            more = b""
            if self._stream.eof:
                more = self._behind_padding(self._stream.unused_data)
                if not more:
                    return b""
                self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ)
            elif self._stream.needs_input:
                more = self._raw.read(_BLOCK_BYTES)
                if not more and self._begun:
                    raise EOFError("the compressed data end too early")
                if not more:
                    return b""
            self._begun = True
            data = self._stream.decompress(more, size)
        return data

    def _behind_padding(self, more: bytes) -> bytes:
        """Return some bytes of the next stream; between streams are zeros, four at a time."""
        zeros = 0
        while True:
            more = more or self._raw.read(_BLOCK_BYTES)
            found = more.lstrip(b"\0")
            zeros += len(more) - len(found)
            if not found and more:
                more = b""
                continue
            if zeros % 4:
                raise lzma.LZMAError("the padding behind compressed data is damaged")
            return found


@contextmanager
def compressed(path: Path, compression: str | None) -> Iterator[Any]:
    """Open a file to be written, compressed."""
    import pyarrow as pa  # heavy

    with path.open("wb") as raw:
        if compression is None:
            yield raw
        elif compression == "xz":
            with lzma.open(raw, "wb") as packed:
                yield packed
        else:
            with pa.PythonFile(raw, mode="w") as file, pa.CompressedOutputStream(file, compression) as stream:
                yield stream
