"""CSV that is not all UTF-8, for a reader that wants to decode what it rejects.

Input    a file of records, some values of which are no UTF-8
Output   the same as Latin-1, in which each byte is a character: nothing is lost, and what was read becomes bytes again
Cost     a look at each byte; of files that are not UTF-8 some 200 MB/s more

`documents` finds the values that are no UTF-8, and rejects their rows; here they need only come through.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.io.quotes import ClosedQuotes, end_of_read


class NotUtf8(Exception):  # noqa: N818 - no error: read it as Latin-1
    """The file has bytes that are no UTF-8."""


class Utf8Quotes(ClosedQuotes):
    """A file that stops at the first bytes that are no UTF-8."""

    _left = b""

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes, or all that are left.

        Raises
        ------
        NotUtf8
            They are no UTF-8.
        """
        data = super().read(size)
        looked_at = self._left + data
        end = len(looked_at)
        if data:  # a character may go on in what is read next
            while end > max(0, len(looked_at) - 4) and looked_at[end - 1] >= 0x80:
                end -= 1
        self._left = looked_at[end:]
        offsets = pa.py_buffer(np.array([0, end], np.int64))
        text = pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(looked_at[:end]))
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            raise NotUtf8 from None
        return data


class LatinQuotes(ClosedQuotes):
    """A file of which each byte is a character."""

    _waiting = b""

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes, or all that are left."""
        more = super().read(size)
        data = self._waiting + as_latin(more)
        end = end_of_read(data, size, more=bool(more))
        self._waiting = data[end:]
        return data[:end]


def as_latin(data: bytes) -> bytes:
    """Let each byte be a character, in UTF-8."""
    return data.decode("latin-1").encode()


def from_latin(table: pa.Table) -> pa.Table:
    """Return a table of strings with the bytes that it had, in its names, too."""
    names = [name.encode("latin-1").decode(errors="replace") for name in table.column_names]
    columns = [pa.chunked_array(map(_bytes, column.chunks), pa.string()) for column in table.columns]
    return pa.table(columns, names=names)


def _bytes(array: pa.StringArray) -> pa.StringArray:
    places = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    data = bytes(memoryview(array.buffers()[2] or b"")[places[0] : places[-1]]).decode().encode("latin-1")
    offsets = np.append(0, np.cumsum(pc.utf8_length(array).to_numpy())).astype(np.int32)
    return pa.StringArray.from_buffers(len(array), pa.py_buffer(offsets), pa.py_buffer(data))
