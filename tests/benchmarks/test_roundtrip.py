"""What is kept of files of every format is as it came: a few of very many random ones (`benchmarks/roundtrip.py`)."""

import pytest
import roundtrip


def test_what_is_kept_is_as_it_came():
    seen, differing = roundtrip.run(250, 1)
    assert differing == []
    assert set(seen) == {"arrow", "csv", "jsonl", "parquet", "text"}


@pytest.mark.parametrize("number", [100880, 101283, 103608])
def test_what_differed_once(number):
    assert roundtrip.run(1, number)[1] == []


def test_a_difference_is_told(tmp_path):
    _, files, options = roundtrip.Maker(2).case()
    other = [roundtrip.File(file.name, file.raw, b"something else", bytes) for file in files[:1]]
    assert "and not b'something else'" in str(roundtrip.check(other, options, tmp_path))
