"""Moments, days, times and durations to text, which JSON has no types for and Python not for all of them.

Input    a column, which may be nested
Output   ISO 8601, in UTC and without zeros at the end; durations in seconds
Cost     Arrow's; of nested columns that hold such values, Python's for each of them
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Seconds from 1970 on to the years 1 and 10000.
_FIRST, _END = -62_135_596_800, 253_402_300_800


def is_moment(type_: pa.DataType) -> bool:
    """Tell whether a column is of moments, days, times or durations."""
    return bool(pa.types.is_temporal(type_) and str(type_) != "month_day_nano_interval")


def has_moments(type_: pa.DataType) -> bool:
    """Tell whether a column, or what is nested in it, is of moments, days, times or durations."""
    if isinstance(type_, pa.BaseExtensionType):
        return has_moments(type_.storage_type)
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        return has_moments(type_.value_type)
    return is_moment(type_) or any(has_moments(type_.field(place).type) for place in range(type_.num_fields))


def spelled_moments(column: Any) -> Any:
    """Return moments, days, times or durations as large_string, two that differ as two texts."""
    type_ = column.type
    if pa.types.is_duration(type_):
        places = -3 * ("s", "ms", "us", "ns").index(type_.unit)
        counts = column.cast(pa.int64()).to_pylist()
        seconds = [None if n is None else f"{Decimal(n).scaleb(places).normalize():f}" for n in counts]
        return pa.chunked_array([pa.array(seconds, pa.large_string())])
    text = column.cast(pa.timestamp(type_.unit, "UTC") if getattr(type_, "tz", None) else type_)
    text = pc.replace_substring(text.cast(pa.large_string()), " ", "T")
    text = pc.replace_substring_regex(text, r"(\.[0-9]*?)0+(Z?)$", r"\1\2")
    text = pc.replace_substring_regex(text, r"\.(Z?)$", r"\1")
    far = _are_far(column)
    if not pc.any(far).as_py():
        return text
    whole = pa.array([_far(count, type_) for count in pc.filter(_counts(column), far).to_pylist()], text.type)
    return pc.replace_with_mask(text if isinstance(text, pa.Array) else text.combine_chunks(), far, whole)


def has_far(column: Any) -> bool:
    """Tell whether a column has moments or days that Arrow itself may spell as others: of years of five digits."""
    return is_moment(column.type) and bool(pc.any(_are_far(column)).as_py())


def _are_far(column: Any) -> pa.Array:
    """Mark moments and days that are not of the years 1 to 9999."""
    type_ = column.type
    if not (pa.types.is_timestamp(type_) or pa.types.is_date(type_)):
        return pa.array(np.zeros(len(column), np.bool_))
    each = 86_400 if pa.types.is_date32(type_) else 1
    parts = 1 if pa.types.is_date32(type_) else 10 ** _digits(type_)
    counts, most = _counts(column), (1 << 63) - 1
    least, end = max(_FIRST * parts // each, -most), min(_END * parts // each, most)
    far = pc.or_(pc.less(counts, least), pc.greater_equal(counts, end)).fill_null(False)
    return far if isinstance(far, pa.Array) else far.combine_chunks()


def _digits(type_: pa.DataType) -> int:
    return 3 if pa.types.is_date64(type_) else 3 * ("s", "ms", "us", "ns").index(type_.unit)


def _counts(column: Any) -> Any:
    """Return the integers that moments or days are."""
    return column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(column.type) else column.cast(pa.int64())


def _far(count: int, type_: pa.DataType) -> str:
    """Spell a moment or a day of any year: the calendar repeats itself after 400 years."""
    if pa.types.is_date32(type_):
        days, seconds, rest = count, 0, ""
    else:
        seconds, part = divmod(count, 10 ** _digits(type_))
        days, seconds = divmod(seconds, 86_400)
        rest = f".{part:0{_digits(type_)}}".rstrip("0") if part else ""
    cycles, day = divmod(days, 146_097)
    found = datetime(1970, 1, 1) + timedelta(days=day, seconds=seconds)
    year = found.year + 400 * cycles
    date = f"{'-' if year < 0 else ''}{abs(year):04}{found:-%m-%d}"
    return date if pa.types.is_date(type_) else f"{date}{found:T%H:%M:%S}{rest}{'Z' if type_.tz else ''}"


def values_of(column: Any) -> list[Any]:
    """Return the values of an array or a chunked one as Python has them, moments and such as text."""
    if is_moment(column.type):
        return spelled_moments(column).to_pylist()  # type: ignore[no-any-return]
    return [_value(scalar) for scalar in column] if has_moments(column.type) else column.to_pylist()


def as_python(column: Any) -> list[Any]:
    """Return the values of a column as Python has them; as text where it has none, such as of nanoseconds."""
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError):
        return values_of(column)


def _value(scalar: Any) -> Any:
    type_ = scalar.type
    if not scalar.is_valid or not has_moments(type_):
        return scalar.as_py()
    if is_moment(type_):
        return spelled_moments(pa.array([scalar], type_)).to_pylist()[0]
    if pa.types.is_struct(type_):
        return {type_.field(place).name: _value(scalar[place]) for place in range(type_.num_fields)}
    if pa.types.is_map(type_):
        return [[_value(entry[0]), _value(entry[1])] for entry in scalar.values]
    if pa.types.is_nested(type_) and isinstance(scalar.values, pa.Array):
        return [_value(item) for item in scalar.values]
    return _value(scalar.value)  # of dictionaries, runs, extensions, unions
