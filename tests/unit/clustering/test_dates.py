"""Dates that are written out are put in the order of time."""

import pyarrow as pa
import pytest

from dupdetect import dedup
from dupdetect.clustering.dates import as_seconds


def test_ways_to_write_one_moment():
    ways = [
        "2024-01-01T10:00:00Z",
        "2024-01-01T12:00:00+02:00",
        "2024-01-01 10:00:00",
        " Mon, 01 Jan 2024 10:00:00 GMT ",
        "Mon, 1 Jan 2024 05:00:00 -0500",
        "1704103200",
        "1704103200000",
        "1704103200.0",
    ]
    assert set(as_seconds(pa.chunked_array([ways]), "date").to_pylist()) == {1704103200.0}
    days = ["2024-01-01", "20240101", "2024", "2024-01"]
    assert set(as_seconds(pa.chunked_array([days]), "date").to_pylist()) == {1704067200.0}


def test_what_cannot_be_read_is_counted_and_blanks_are_not():
    column = pa.chunked_array([["9/30/2024", "", " ", None], ["9/30/2024", "soon", "2024-01-01"]])
    with pytest.warns(UserWarning, match="column 'day': 3 of 7 dates cannot be read, such as '9/30/2024'"):
        assert as_seconds(column, "day").null_count == 6
    assert as_seconds(pa.chunked_array([["", None]]), "day").null_count == 2


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ("Mon, 01 Jan 2024 10:00:00 GMT", "Fri, 06 Dec 2024 10:00:00 GMT"),
        ("2024-01-01T00:30:00+02:00", "2023-12-31T23:00:00Z"),
        ("999999999", "1704103200"),
    ],
)
def test_the_canonical_is_the_earliest_or_the_latest(early, late):
    text = "The council met on Tuesday to hear what the engineers had found under the old bridge."
    table = pa.table({"id": ["c", "a", "b"], "date": [early, late, ""], "text": [text] * 3})
    assert set(dedup(table, canonical="earliest").clusters["cluster"].to_pylist()) == {"c"}
    assert set(dedup(table, canonical="latest").clusters["cluster"].to_pylist()) == {"a"}
