"""Bytes of some encoding to UTF-8, and back to the same bytes.

Input    a stream of bytes in an encoding that Python knows
Output   a stream of UTF-8; bytes that mean nothing come out as no UTF-8 either, so that their rows are rejects
Cost     a decoding, and an encoding to see that it gives the same bytes again (some hundred MB/s)
"""

from __future__ import annotations

import codecs
import io
import sys
from typing import Any

from dupdetect.errors import InputError

#: Bytes that are decoded at once.
BLOCK_BYTES = 1 << 20

#: Bytes that mean nothing go through as lone surrogates.
UNKNOWN, SURROGATES = "surrogateescape", "surrogatepass"


class Decoded(io.RawIOBase):
    """A stream in UTF-8.

    Parameters
    ----------
    stream : file
        Binary, at its beginning; closed together with this one.
    encoding : str
    name : str
        What messages call it.

    Attributes
    ----------
    encoding : str
        What it is exactly.

    Raises
    ------
    InputError
        On reading: the bytes have another spelling of the same characters, so that they could not be written again.
    """

    def __init__(self, stream: Any, encoding: str, name: str) -> None:
        self._stream, self._name = stream, name
        self._first = stream.read(BLOCK_BYTES)
        self.encoding = exact(encoding, self._first)
        self._decoder = codecs.getincrementaldecoder(self.encoding)(UNKNOWN)
        self._encoder = Encoder(self.encoding)
        self._ready, self._pending, self._ended = b"", b"", False

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes, or all that are left."""
        ready = [self._ready]
        length = len(self._ready)
        while not self._ended and (size < 0 or length < size):
            ready.append(self._more())
            length += len(ready[-1])
        data = b"".join(ready)
        size = len(data) if size < 0 else size
        self._ready = data[size:]
        return data[:size]

    def _more(self) -> bytes:
        raw, self._first = self._first or self._stream.read(BLOCK_BYTES), b""
        self._ended = not raw
        data = self._decoder.decode(raw, final=self._ended).encode("utf-8", SURROGATES)
        again = self._encoder.encode(data)
        self._pending += raw
        if self._pending[: len(again)] != again or (self._ended and len(again) != len(self._pending)):
            raise InputError(
                f"{self._name}: the file has bytes that {self.encoding} would write otherwise, so that its rows could "
                "not be kept as they came; is that its encoding? If so convert the file to UTF-8"
            )
        self._pending = self._pending[len(again) :]
        return data

    def close(self) -> None:
        """Close the stream, too."""
        if not self.closed:
            self._stream.close()
        super().close()


def exact(encoding: str, head: bytes) -> str:
    """Return the encoding of bytes that begin with a mark of their order, which is then a character of theirs."""
    name = codecs.lookup(encoding).name
    if name == "utf-8-sig":
        return "utf-8"
    if name in ("utf-16", "utf-32"):
        little, big = (getattr(codecs, f"BOM_{name.replace('-', '').upper()}_{order}") for order in ("LE", "BE"))
        if head.startswith((little, big)):
            return name + ("-le" if head.startswith(little) else "-be")
        return name + ("-le" if sys.byteorder == "little" else "-be")
    return encoding


class Encoder:
    """Encodes UTF-8 as `Decoded` made it, piece by piece.

    Parameters
    ----------
    encoding : str, optional
        None: bytes are what they are.
    """

    def __init__(self, encoding: str | None) -> None:
        self._encoder = None if encoding is None else codecs.getincrementalencoder(encoding)(UNKNOWN)

    def encode(self, data: bytes) -> bytes:
        """Return the next bytes."""
        if self._encoder is None:
            return data
        return self._encoder.encode(data.decode("utf-8", SURROGATES))
