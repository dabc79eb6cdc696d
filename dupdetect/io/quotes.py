"""CSV without quotes that never end: a record with one is a reject, and takes no other record with it.

Input    a stream of CSV, in bytes
Output   the same stream; in place of each such record, as many records of empty values as it has lines
Cost     a look at each quote (about 1 GB/s); a block with a quote that is out of order is matched record by record

A quote opens at the beginning of a value only, as in `pyarrow.csv`. It never ends where no quote closes it before the
end of the file or within `limit` bytes, or where the next quote, on a later line, is followed by something else than a
delimiter or the end of a line: that one opens a value of another record. Reading goes on at the next line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io.streams import MAX_TEXT

#: Bytes that are looked at together; where a record is longer, twice as many as there are.
BLOCK_BYTES = 4 << 20

BOM = b"\xef\xbb\xbf"

_QUOTE = ord('"')
_CLOSED = re.compile(rb'"[^"]*(?:""[^"]*)*"(?!")')


class ClosedQuotes(io.RawIOBase):
    """A stream of CSV in which each quote ends.

    Parameters
    ----------
    stream : file
        Binary, at its beginning; closed together with this one.
    name : str
        What messages call it.
    delimiter : str
    limit : int
        Bytes that a record may have.

    Attributes
    ----------
    rejects : list of (int, str)
        The line where each record that was left out starts, and why.
    empty : list of int64[...]
        The lines of nothing but delimiters and quotes: a record that starts at one is of empty values, and no blank
        line. Whoever has read beyond them takes them away.
    header : bytes
        The first record, once it has been read.

    Raises
    ------
    InputError
        On reading: the header has a quote that never ends.
    """

    def __init__(self, stream: Any, name: str, delimiter: str, limit: int = MAX_TEXT) -> None:
        self.rejects: list[tuple[int, str]] = []
        self.empty: list[NDArray[np.int64]] = []
        self.header = b""
        self._stream, self._name, self._limit = stream, name, limit
        self._delimiter = delimiter.encode()
        self._orderly = np.zeros(256, np.bool_)
        self._orderly[[ord(delimiter), ord("\n"), ord("\r"), _QUOTE]] = True
        self._empty = re.compile(rb'^(?:%b|"")+(?=\r?$)' % re.escape(self._delimiter), re.MULTILINE)
        self._more, self._last = (_patterns(re.escape(self._delimiter), ended) for ended in (False, True))
        self._ready: list[bytes] = []
        self._length = 0  # of what is ready
        self._rest = b""
        self._ended = False
        self._skipping = False  # the rest of a line that is too long
        self._line = 1
        self._filler: bytes | None = None  # a record of empty values

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes, or all that are left; a byte less where a line would be read without its feed."""
        while not self._ended and (size < 0 or self._length < size):
            self._advance()
        data = b"".join(self._ready)
        end = end_of_read(data, size, more=not self._ended)
        self._ready = [data[end:]] if len(data) > end else []
        self._length = len(data) - end
        return data[:end]

    def records(self) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
        """Yield all that is left in pieces of whole records, with the place where each ends; first the header alone."""
        while not self._ended:
            self._advance()
            for data in filter(None, self._ready):
                yield data, np.array([len(data)]) if data is self.header else self._ends(data)
            self._ready, self._length = [], 0
            self.empty.clear()  # nobody takes them away here, and there may be as many as records

    def _ends(self, data: bytes) -> NDArray[np.int64]:
        """Return where each of some whole records ends."""
        codes = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(codes == _QUOTE)
        if self._in_order(codes, quotes):
            ends = codes == ord("\n")
            if b"\r" in data:
                ends[:-1] |= (codes[:-1] == ord("\r")) & ~ends[1:]
            found = np.flatnonzero(ends)
            found = found[np.searchsorted(quotes, found) % 2 == 0] + 1
        else:
            record, ends, at = self._last[0], [], 0
            while at < len(data):
                found_one = record.match(data, at)
                at = found_one.end() if found_one is not None else len(data)
                ends.append(at)
            found = np.array(ends, np.int64)
        return found if len(found) and found[-1] == len(data) else np.append(found, len(data))

    def close(self) -> None:
        """Close the stream, too."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _advance(self) -> None:
        """Read a block, and look at it."""
        more = self._stream.read(max(BLOCK_BYTES, len(self._rest)))
        self._ended = not more
        if self._skipping:
            end = more.find(b"\n") + 1
            self._skipping, more = not end, more[end:] if end else b""
        data = self._rest + more
        if self._filler is None:
            data = self._header(data)
            if self._filler is None:
                self._rest = data
                return
        cut = self._orderly_until(data)
        if cut is None or (cut == 0 and (self._ended or len(data) > self._limit)):
            cut = self._look_closely(data)
        else:
            self._give(data[:cut])
        self._rest = data[cut:]

    def _give(self, data: bytes) -> None:
        self._note_empty(data)
        self._line += data.count(b"\n")
        self._ready.append(data)
        self._length += len(data)

    def _note_empty(self, data: bytes) -> None:
        """Note the lines of nothing but empty values, in quotes or not; some of them may be a part of a value."""
        # Few blocks have one: to look for how such a line begins is much faster than to look at each line.
        begins = self._delimiter, b'""'
        if data.startswith(begins) or any(b"\n" + begin in data for begin in begins):
            places = [found.start() for found in self._empty.finditer(data)]
            if places:
                feeds = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
                self.empty.append(self._line + np.searchsorted(feeds, places))

    def _header(self, data: bytes) -> bytes:
        """Give the first record, once it is there; return what follows it."""
        begin = len(BOM) if data.startswith(BOM) else 0
        record, fields = self._last if self._ended else self._more
        found = record.match(data, begin)
        if found is None:
            field = _end(fields, data, begin)
            if self._never_ends(data, field, begin):
                quoted = data[field : field + 1] == b'"'
                raise InputError(
                    f"{self._name}: the header has a quote that never ends; close it, or take it out, in the first line"
                    if quoted
                    else f"{self._name}: the header has more than {self._limit:,} bytes, expected names of columns; "
                    "is it CSV?"
                )
            return data
        names = data[begin : found.end()].rstrip(b"\r\n")
        self._filler = self._delimiter * _values(fields, names)
        self.header = data[: found.end()]
        self._give(self.header)
        return data[found.end() :]

    def _orderly_until(self, data: bytes) -> int | None:
        """Return where the last whole record ends if all quotes are in order; None if some are not."""
        codes = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(codes == _QUOTE)
        if not self._in_order(codes, quotes):
            return None
        if self._ended and len(quotes) % 2 == 0:
            return len(data)
        ends = np.flatnonzero(codes == ord("\n"))
        if len(ends) == 0 and b"\r" in data:
            return None
        outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
        return int(outside[-1]) + 1 if len(outside) else 0

    def _in_order(self, codes: NDArray[np.uint8], quotes: NDArray[np.int64]) -> bool:
        """Tell whether each quote at these places opens or closes a value."""
        opening, closing = quotes[0::2], quotes[1::2]
        before, after = opening[opening > 0] - 1, closing[closing + 1 < len(codes)] + 1
        return bool(self._orderly[codes[before]].all() and self._orderly[codes[after]].all())

    def _look_closely(self, data: bytes) -> int:
        """Go from record to record; return where the last whole one ends."""
        record, fields = self._last if self._ended else self._more
        begin = at = 0  # of what is good and not given yet; of a record
        while at < len(data):
            found = record.match(data, at)
            if found is not None:
                at = found.end()
                continue
            field = _end(fields, data, at)
            if not self._never_ends(data, field, at):
                break
            self._give(data[begin:at])
            end = data.find(b"\n", field) + 1
            self._skipping = not end and not self._ended
            end = end or len(data)
            self._leave_out(data[at:end], quoted=data[field : field + 1] == b'"')
            begin = at = end
        self._give(data[begin:at])
        return at

    def _never_ends(self, data: bytes, field: int, record: int) -> bool:
        """Tell whether a value that does not match begins with a quote that never ends, or is too long."""
        if len(data) - record > self._limit:
            return True
        if data[field : field + 1] != b'"':
            return False
        closed = _CLOSED.match(data, field)
        if closed is None:
            return self._ended
        after = data[closed.end() : closed.end() + 1]
        return bool(after) and not self._orderly[after[0]] and data.find(b"\n", field, closed.end()) >= 0

    def _leave_out(self, data: bytes, *, quoted: bool) -> None:
        """Reject a record, and give empty ones in its place, so that lines are counted as they are."""
        lines = max(1, data.count(b"\n"))
        reason = (
            "the row has a quote that never ends"
            if quoted
            else f"the row has more than {self._limit:,} bytes (max_text)"
        )
        self.rejects.append((self._line, reason))
        filler = (self._filler or b"") + b"\n"
        self._ready.append(filler * lines)
        self._length += len(filler) * lines
        self._line += lines


def end_of_read(data: bytes, size: int, *, more: bool) -> int:
    """Return how many bytes of what is ready are given to a reader that wants so many, or all.

    A carriage return waits for what follows it, if there is `more`: `pyarrow.csv` takes a line feed at the beginning of
    a block for the rest of a line's end, and drops it from a quoted value too.
    """
    end = len(data) if size < 0 else min(size, len(data))
    waits = end > 1 and data[end - 1 : end] == b"\r" and (more or end < len(data))
    return end - 1 if waits else end


def _end(fields: re.Pattern[bytes], data: bytes, begin: int) -> int:
    """Return where the last value of a record begins that does not match."""
    found = fields.match(data, begin)
    return begin if found is None else found.end()  # it always matches, if only nothing


def _values(fields: re.Pattern[bytes], names: bytes) -> int:
    """Count the values of a record that another follows."""
    count = at = 0
    one = re.compile(fields.pattern.removesuffix(b"*"))
    while (found := one.match(names, at)) is not None:
        at, count = found.end(), count + 1
    return count


def _patterns(delimiter: bytes, ended: bool) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches a record, and all of its values that a delimiter follows.

    What is looked ahead at is not tried in any other way, so that the time is linear.
    """
    others = rb"[^" + delimiter + rb"\r\n]"
    end = rb"|\Z" if ended else rb""
    on_a_line = rb'"[^"\n]*(?:""[^"\n]*)*"(?!")' + others + rb"*"
    on_several = rb'"[^"]*(?:""[^"]*)*"(?!")(?=' + delimiter + rb"|[\r\n]" + end + rb")"
    bare = rb'(?!")' + others + rb"*"
    value = rb"(?=(" + on_a_line + rb"|" + on_several + rb"|" + bare + rb"))"
    line_end = rb"(?:\r\n|\n|\r(?!\n)" + (rb"" if ended else rb"(?=[^\n])") + end + rb")"
    fields = rb"(?:" + value + rb"\1" + delimiter + rb")*"
    return re.compile(fields + value + rb"\2" + line_end), re.compile(fields)
