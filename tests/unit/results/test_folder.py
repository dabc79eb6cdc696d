import csv
import datetime
import decimal
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dupdetect.errors import OutputError
from dupdetect.results import folder as writing
from dupdetect.results.folder import check_folder, write_folder, write_table

TABLES = {"kept": pa.table({"id": [1, 2], "text": ["a", None]}), "rejects": pa.table({"row": [3]})}
FILES = ["kept.parquet", "manifest.json", "rejects.jsonl"]


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_a_folder_is_written(tmp_path, format):
    out = tmp_path / "deep" / "er" / "out"
    write_folder(out, TABLES, {"n": np.int64(1), "é": [1.5]}, format=format)
    assert listing(out) == sorted([f"kept.{format}", "manifest.json", "rejects.jsonl"])
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8")) == {"n": 1, "é": [1.5]}
    assert (out / "rejects.jsonl").read_text() == '{"row": 3}\n'
    assert listing(tmp_path) == ["deep"]
    assert listing(out.parent) == ["out"]


def test_a_folder_is_as_open_as_any_other(tmp_path):
    (tmp_path / "plain").mkdir()
    write_folder(tmp_path / "out", TABLES, {})
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_relative_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder("out", TABLES, {})
    assert listing(tmp_path) == ["out"]


def test_an_unknown_format():
    with pytest.raises(OutputError, match="there is no format 'xml': expected parquet, jsonl, csv"):
        write_folder("nowhere", {}, {}, format="xml")


# ---- what is there already ----


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    write_folder(tmp_path / "out", TABLES, {})
    assert listing(tmp_path / "out") == FILES


def test_an_earlier_output_is_replaced_in_whole_and_only_if_asked(tmp_path):
    out = tmp_path / "out"
    write_folder(out, TABLES, {"run": 1}, format="csv")
    with pytest.raises(OutputError, match="out: exists already; name another folder, or overwrite it"):
        write_folder(out, TABLES, {"run": 2})
    assert json.loads((out / "manifest.json").read_text()) == {"run": 1}
    write_folder(out, TABLES, {"run": 2}, overwrite=True)
    assert json.loads((out / "manifest.json").read_text()) == {"run": 2}
    assert listing(out) == FILES
    assert listing(tmp_path) == ["out"]


def test_what_is_no_earlier_output_is_never_replaced(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    for name, message in [
        ("file", "is no folder"),
        ("folder", "holds no manifest.json"),
        ("link", "is no folder"),
    ]:
        with pytest.raises(OutputError, match=message):
            check_folder(tmp_path / name, overwrite=True)
        with pytest.raises(OutputError, match=message):
            write_folder(tmp_path / name, TABLES, {}, overwrite=True)
    assert (tmp_path / "folder/thesis.txt").read_text() == "mine"
    check_folder(tmp_path / "new")


# ---- what goes wrong ----


@pytest.fixture
def full_disk(monkeypatch):
    """Every table is written to a device that is full."""
    if not Path("/dev/full").is_char_device():
        pytest.skip("this system has no /dev/full")

    def on_full(write):
        def write_to_full(table, path):
            path.symlink_to("/dev/full")  # a link: on an error pyarrow removes what it wrote to
            write(table, path)

        return write_to_full

    writers = {name: on_full(write) for name, write in writing._WRITERS.items()}
    monkeypatch.setattr(writing, "_WRITERS", writers)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("rows", [1, 100_000])
def test_a_full_disk_leaves_nothing(tmp_path, format, rows):
    table = pa.table({"id": np.arange(rows)})
    with pytest.raises(OutputError, match=r"out: cannot be written \(No space left on device\), nothing was left"):
        write_folder(tmp_path / "a" / "out", {"kept": table}, {}, format=format)
    assert listing(tmp_path) == []


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_earlier_output(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text("{}")
    with pytest.raises(OutputError):
        write_folder(out, TABLES, {"run": 2}, overwrite=True)
    assert (out / "manifest.json").read_text() == "{}"
    assert listing(tmp_path) == ["out"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interruption_leaves_nothing(tmp_path, monkeypatch, interruption):
    def interrupted(table, path):
        path.write_bytes(b"half")
        raise interruption

    monkeypatch.setattr(writing, "_WRITERS", {"parquet": interrupted, "jsonl": interrupted})
    with pytest.raises(interruption):
        write_folder(tmp_path / "out", TABLES, {})
    assert listing(tmp_path) == []


def test_an_interruption_while_folders_are_swapped_puts_the_earlier_one_back(tmp_path, monkeypatch):
    write_folder(tmp_path / "out", TABLES, {"run": 1})
    rename = Path.rename

    def interrupted(self, target):
        if self.name.endswith(".part"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "out", TABLES, {"run": 2}, overwrite=True)
    assert json.loads((tmp_path / "out/manifest.json").read_text()) == {"run": 1}
    assert listing(tmp_path) == ["out"]


def test_no_permission(tmp_path, monkeypatch):
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):  # root may write everywhere

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(writing.tempfile, "mkdtemp", refuse)
    try:
        with pytest.raises(OutputError, match=r"out: cannot be written \(Permission denied\)"):
            write_folder(tmp_path / "out", TABLES, {})
    finally:
        tmp_path.chmod(0o700)
    assert listing(tmp_path) == []


def test_a_parent_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        write_folder(tmp_path / "file" / "out", TABLES, {})
    assert listing(tmp_path) == ["file"]


# ---- formats ----

EVERYTHING = pa.table(
    {
        "text": pa.array(['say "a",\nb', "", "\0é"], pa.large_string()),
        "view": pa.array(["x", None, "y"], pa.string_view()),
        "kind": pa.array(["x", "x", None]).dictionary_encode(),
        "raw": pa.array([b"x", b"\xff", None]),
        "n": [1.5, float("nan"), float("inf")],
        "when": [datetime.datetime(2020, 1, 2, 3), None, None],
        "price": [decimal.Decimal("1.10"), None, None],
        "deep": [{"a": [1.0, float("nan")]}, None, {"a": []}],
    }
)


def test_json_lines_of_every_type(tmp_path):
    write_table(EVERYTHING, tmp_path / "x.jsonl", "jsonl")
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {
        "text": 'say "a",\nb',
        "view": "x",
        "kind": "x",
        "raw": "x",
        "n": 1.5,
        "when": "2020-01-02T03:00:00",
        "price": "1.10",
        "deep": {"a": [1.0, None]},
    }
    assert (rows[1]["raw"], rows[1]["n"], rows[2]["n"], rows[2]["text"]) == ("/w==", None, None, "\0é")


def test_csv_of_every_type(tmp_path):
    write_table(EVERYTHING, tmp_path / "x.csv", "csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line.replace("\0", "␀") for line in file))
    assert len(rows) == 3
    assert list(rows[0].values())[:5] == ['say "a",\nb', "x", "x", "x", "1.5"]
    assert rows[0]["deep"] == '{"a": [1.0, null]}'
    assert rows[1]["raw"] == "/w=="


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_table_without_rows(tmp_path, format):
    write_table(EVERYTHING.slice(0, 0), tmp_path / "x", format)
    assert (tmp_path / "x").read_text().count("\n") == (format == "csv")


def test_parquet_keeps_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "ROW_GROUP_BYTES", 1000)
    table = pa.table({"id": range(1000), "text": ["snow"] * 1000})
    write_table(table, tmp_path / "x.parquet", "parquet")
    assert pq.read_table(tmp_path / "x.parquet") == table
    assert pq.ParquetFile(tmp_path / "x.parquet").num_row_groups > 10
    write_table(EVERYTHING, tmp_path / "y.parquet", "parquet")
    write_table(pa.table({}), tmp_path / "z.parquet", "parquet")


def test_the_same_rows_make_the_same_file_in_whatever_parts_they_come(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "ROW_GROUP_BYTES", 3000)
    texts = [f"{n} " * (n * 7 % 90) for n in range(300)]
    table = pa.table({"text": texts, "n": pa.array([None, *range(299)]), "tags": [["a"] * (n % 3) for n in range(300)]})

    class Parts:
        schema = table.schema

        def __init__(self, size):
            self.size = size

        def __iter__(self):
            return (table.slice(first, self.size) for first in range(0, 300, self.size))

    files = []
    for rows in (table, Parts(1), Parts(7), Parts(299)):
        write_table(rows, tmp_path / "rows.parquet", "parquet")
        files.append((tmp_path / "rows.parquet").read_bytes())
        assert pq.read_table(tmp_path / "rows.parquet").equals(table)
    assert set(files) == {files[0]}
    assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups > 5


# ---- tables that come in parts ----


class Parts:
    """Three parts, the second of which may fail."""

    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])

    def __init__(self, error=None):
        self.error = error

    def __iter__(self):
        for part in range(3):
            if part == 1 and self.error:
                raise self.error
            yield pa.table({"id": [part, part + 3], "text": ["雪", None]}, schema=self.schema)


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_parts_are_written_as_one_table(tmp_path, format):
    write_folder(tmp_path / "whole", {"kept": pa.concat_tables(Parts())}, {}, format=format)
    write_folder(tmp_path / "parts", {"kept": Parts()}, {}, format=format)
    whole, parts = ((tmp_path / name / f"kept.{format}").read_bytes() for name in ("whole", "parts"))
    if format == "parquet":
        assert pq.read_table(tmp_path / "parts/kept.parquet") == pa.concat_tables(Parts())
    else:
        assert whole == parts


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt(), ValueError("no")])
def test_parts_that_fail_leave_nothing(tmp_path, format, error):
    expected = OutputError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected):
        write_folder(tmp_path / "out", {"kept": Parts(error)}, {}, format=format)
    assert listing(tmp_path) == []


def test_row_groups_are_about_equally_large_and_texts_have_no_dictionary(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "ROW_GROUP_BYTES", 100_000)
    table = pa.table({"site": ["a.org", "b.org"] * 500, "text": [f"{i} " + "x" * 1000 for i in range(1000)]})
    write_table(table, tmp_path / "x.parquet", "parquet")
    metadata = pq.read_metadata(tmp_path / "x.parquet")
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert sum(rows) == 1000
    assert max(rows) <= 100
    site, text = (metadata.row_group(0).column(place) for place in (0, 1))
    assert (site.has_dictionary_page, text.has_dictionary_page) == (True, False)
