"""Integers in JSON that floating-point numbers would round stay what they are."""

import json

import pytest

from dupdetect.io.documents import collect


def read(folder, rows):
    path = folder / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return collect(path)


def test_integers_of_64_bits_are_integers(tmp_path):
    values = [2**53, 2**53 + 1, 2**63 - 1, -(2**63) + 1]
    found = read(tmp_path, [{"id": value, "text": "x", "score": 0.5} for value in values])
    assert found.ids.to_pylist() == values
    assert found.table["score"].to_pylist() == [0.5] * 4


@pytest.mark.parametrize("other", [1.5, 2**64 - 1, -(2**64), 10**30])
def test_beside_others_that_no_integer_can_be_they_are_text(tmp_path, other):
    values = [2**53 + 1, 2**53, other]
    found = read(tmp_path, [{"id": value, "text": "x", "score": 0.5} for value in values])
    assert found.ids.to_pylist() == [json.dumps(value) for value in values]
    assert found.rejects.num_rows == 0
    assert found.table["score"].to_pylist() == [0.5] * 3


def test_nested_ones_are_exact_too(tmp_path):
    values = [{"n": [2**64 - 1, 1]}, {"n": [2**64 - 2, 2.5]}]
    found = read(tmp_path, [{"id": n, "text": "x", "v": value} for n, value in enumerate(values)])
    assert [json.loads(value) for value in found.table["v"].to_pylist()] == values


def test_digits_in_strings_and_small_numbers_change_nothing(tmp_path):
    rows = [{"id": n, "text": "call 12345678901234567890 , 1", "score": n + 0.12345678901234567} for n in range(3)]
    found = read(tmp_path, rows)
    assert found.table.to_pylist() == rows
