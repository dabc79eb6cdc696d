"""Rows with very many columns take time that is linear in their number."""

import json
import time

import pytest

import dupdetect
from dupdetect.errors import InputError

COLUMNS = 10_000
MOST_SECONDS = 12  # of the processor; about two are taken, and a quadratic way takes more than sixty


def wide(**other):
    return {"id": "a", "text": "a text of some words", **{f"key{at}": at for at in range(COLUMNS)}, **other}


def lines(*rows):
    return "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)


def csv(*rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


INPUTS = {
    "one.jsonl": lines(wide()),
    "bad.jsonl": lines(wide(), "{\n"),
    "mixed.jsonl": lines(wide(), wide(id="b", key7="seven")),
    "narrow.jsonl": lines({"id": "b", "text": "another"}, wide(), {"id": "c", "text": "a third", "more": [1]}),
    "nested.jsonl": lines({"id": "a", "text": "x", "inner": wide()}, {"id": "b", "text": "x", "inner": wide(key7={})}),
    "wide.csv": csv(wide().keys(), wide().values()),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_a_row_of_ten_thousand_columns(tmp_path, name, format):
    path = tmp_path / name
    path.write_text(INPUTS[name])
    start = time.process_time()
    result = dupdetect.dedup(path)
    result.write(tmp_path / "out", format=format)
    assert time.process_time() - start < MOST_SECONDS
    assert len(result.rows.column_names) >= 3


def test_a_row_of_ten_thousand_columns_from_files(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(INPUTS["narrow.jsonl"])
    start = time.process_time()
    result = dupdetect.dedup(path, work=tmp_path / "work", resume=True)
    result.write(tmp_path / "out")
    result.close()
    assert time.process_time() - start < MOST_SECONDS


def test_ten_thousand_columns_of_one_name_are_refused_at_once(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(csv(["text", *(f"key{at // 2}" for at in range(2 * COLUMNS))], ["x"] * (2 * COLUMNS + 1)))
    start = time.process_time()
    with pytest.raises(InputError, match="occurs twice"):
        dupdetect.dedup(path)
    assert time.process_time() - start < MOST_SECONDS
