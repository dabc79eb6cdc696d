from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from dupdetect.errors import InputError
from dupdetect.io import tables as truth

COLUMNS = ("id", "cluster")


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("truth.csv", "id,cluster\n007,01\n7,1\n"),
        ("truth.csv.gz", "id,cluster\n007,01\n7,1\n"),
        ("truth.tsv", "id\tcluster\n007\t01\n7\t1\n"),
        ("truth.jsonl", '{"id": "007", "cluster": "01"}\n{"id": "7", "cluster": "1"}\n'),
    ],
)
def test_ids_and_labels_that_look_like_numbers_stay_what_they_are(tmp_path: Path, name: str, text: str) -> None:
    table = truth.as_table(write(tmp_path / name, text), "truth", COLUMNS)
    assert [truth.comparable(table[column], column).to_pylist() for column in COLUMNS] == [["007", "7"], ["01", "1"]]


def test_whole_numbers_are_comparable_whatever_holds_them() -> None:
    expected = ["1", "20"]
    for array in (
        pa.array([1, 20]),
        pa.array([1, 20], pa.uint8()),
        pa.array([1.0, 20.0]),
        pa.array(["1", "20"]),
        pa.array(["1", "20"]).dictionary_encode(),
    ):
        assert truth.comparable(pa.chunked_array([array]), "ids").to_pylist() == expected


def test_what_is_no_id_is_an_error() -> None:
    with pytest.raises(InputError, match="are of type list"):
        truth.comparable(pa.chunked_array([pa.array([[1], [2]])]), "ids")


def test_a_bad_row_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "truth.csv", "id,cluster\na,1\nb,2,3\n")
    with pytest.raises(InputError, match=r"truth\.csv:3: the row has 3 columns"):
        truth.as_table(path, "truth", COLUMNS)


@pytest.mark.parametrize("source", [7, ["a", "b"], None, b"bytes"])
def test_other_types_are_an_error(source: object) -> None:
    with pytest.raises(InputError, match="expected a table, a mapping"):
        truth.as_table(source, "truth", COLUMNS)


def test_ids_of_different_types_are_an_error() -> None:
    with pytest.raises(InputError, match="mix types"):
        truth.as_table({"a": 1, 2: 1}, "truth", COLUMNS)


def test_missing_columns_and_values_are_an_error() -> None:
    with pytest.raises(
        InputError, match="no column 'cluster' in the truth; expected 'id' and 'cluster', there are 'id', 'family'"
    ):
        truth.require(pa.table({"id": ["a"], "family": [1]}), COLUMNS, "truth")
    with pytest.raises(InputError, match="row 2 of the truth has no value in column 'cluster'"):
        truth.require(pa.table({"id": ["a", "b"], "cluster": [1, None]}), COLUMNS, "truth")
