"""Moments, days, times and durations to text, which JSON has no types for and Python not for all of them.

Input    a column, which may be nested
Output   ISO 8601, in UTC and without zeros at the end; durations in seconds
Cost     Arrow's; of nested columns that hold such values, Python's for each of them
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


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
    return pc.replace_substring_regex(text, r"\.(Z?)$", r"\1")


def values_of(column: Any) -> list[Any]:
    """Return the values of an array or a chunked one as Python has them, moments and such as text."""
    if is_moment(column.type):
        return spelled_moments(column).to_pylist()  # type: ignore[no-any-return]
    return [_value(scalar) for scalar in column] if has_moments(column.type) else column.to_pylist()


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
