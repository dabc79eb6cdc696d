"""Dates that are written out, to numbers that can be ordered.

Input    a column of strings: ISO 8601, RFC 2822 (mail, feeds), seconds since 1970, or thousandths of seconds
Output   seconds since 1970 in UTC; null where there is none
Cost     some microseconds for each distinct value
"""

from __future__ import annotations

import re
import warnings
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

#: Numbers from here on are milliseconds: as seconds they would be after the year 5000.
MILLISECONDS = 1e11

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def as_seconds(column: pa.ChunkedArray, name: str, form: str | None = None) -> pa.Array:
    """Read a column of dates.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of string
    name : str
        What a warning calls it.
    form : str, optional
        How dates are written, as `datetime.strptime` has it; by default in one of the ways above.

    Returns
    -------
    pyarrow.DoubleArray
        Null for what is null, blank, or cannot be read; of the last a warning says how many they are. What names no
        offset is in UTC.
    """
    import pyarrow as pa

    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = encoded.dictionary.to_pylist()
    seconds = [None if value is None else _seconds(value.strip(), form) for value in values]
    bad = [value for value, found in zip(values, seconds, strict=True) if found is None and value and value.strip()]
    found = pa.array(seconds, pa.float64()).take(encoded.indices)
    if bad:
        blank = [value for value in values if value is not None and not value.strip()]
        count = found.null_count - column.null_count - sum(_count(column, value) for value in blank)
        warnings.warn(
            f"column {name!r}: {count:,} of {len(column):,} dates cannot be read, such as {bad[0]!r}, and go last; "
            + (
                f"expected the date_format {form!r}"
                if form
                else "expected ISO 8601 (2024-09-30T10:00:00+02:00), RFC 2822 or seconds since 1970; say how they are "
                "written with date_format (--date-format %m/%d/%Y)"
            ),
            stacklevel=2,
        )
    return found


def _count(column: pa.ChunkedArray, value: str) -> int:
    import pyarrow.compute as pc

    return pc.sum(pc.equal(column, value)).as_py() or 0


def _seconds(text: str, form: str | None) -> float | None:
    """Return the seconds of one date; None if it is blank or cannot be read."""
    if form is None and _NUMBER.fullmatch(text) and len(text) not in (4, 8):  # these are years and days
        number = float(text)
        return number / 1000 if abs(number) >= MILLISECONDS else number
    try:
        if form is not None:
            read = datetime.strptime(text, form)
        else:
            read = _of_iso(text) if text[:4].isdecimal() else parsedate_to_datetime(text)
        return (read if read.tzinfo else read.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _of_iso(text: str) -> datetime:
    if text.isdecimal():
        text = f"{text[:4]}-{text[4:6] or '01'}-{text[6:] or '01'}"
    elif len(text) == len("2024-09"):
        text += "-01"
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
