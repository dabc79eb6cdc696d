"""Integers in JSON that floating-point numbers would round stay what they are."""

import json

import pytest

import dupdetect
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


@pytest.mark.parametrize("order", [1, -1], ids=["numbers first", "integers first"])
@pytest.mark.parametrize("where", ["files", "rows"])
def test_they_are_exact_where_floating_point_numbers_stand_in_another_part(tmp_path, where, order):
    parts = [[{"id": "a", "text": "x", "n": 1.5}], [{"id": "b", "text": "y", "n": 2**53 + 1}, {"id": "c", "text": "z"}]]
    for number, rows in enumerate(parts[::order]):
        (tmp_path / f"{number}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    kept = dupdetect.dedup(tmp_path if where == "files" else [row for rows in parts[::order] for row in rows]).kept
    assert {row["id"]: row["n"] for row in kept.to_pylist()} == {"a": "1.5", "b": str(2**53 + 1), "c": None}


def test_small_ones_become_numbers_of_another_part(tmp_path):
    for number, value in enumerate([1.5, 2**53 - 1]):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps({"id": number, "text": f"text {number}", "n": value}))
    assert dupdetect.dedup(tmp_path).kept["n"].to_pylist() == [1.5, 2**53 - 1]
