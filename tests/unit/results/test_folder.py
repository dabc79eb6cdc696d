import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dupdetect._storage import atomic
from dupdetect._storage.checksums import checksum
from dupdetect.errors import OutputError
from dupdetect.io import writers
from dupdetect.results.folder import check_folder, write_folder

TABLES = {"kept": pa.table({"id": [1, 2], "text": ["a", None]}), "rejects": pa.table({"row": [3]})}
FILES = ["kept.parquet", "manifest.json", "rejects.jsonl"]


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_a_folder_is_written(tmp_path, format):
    out = tmp_path / "deep" / "er" / "out"
    write_folder(out, TABLES, {"n": np.int64(1), "é": [1.5]}, format=format)
    assert listing(out) == sorted([f"kept.{format}", "manifest.json", "rejects.jsonl"])
    said = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    files = said.pop("files")
    assert said == {"n": 1, "é": [1.5]}
    assert files == {name: checksum(out / name) for name in (f"kept.{format}", "rejects.jsonl")}
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
    assert json.loads((out / "manifest.json").read_text())["run"] == 1
    write_folder(out, TABLES, {"run": 2}, overwrite=True)
    assert json.loads((out / "manifest.json").read_text())["run"] == 2
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

    for name, write in list(writers.WRITERS.items()):
        monkeypatch.setitem(writers.WRITERS, name, on_full(write))


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

    for name in ("parquet", "jsonl"):
        monkeypatch.setitem(writers.WRITERS, name, interrupted)
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

    monkeypatch.setattr(atomic, "_exchange", lambda: None)  # as on a disk where two names cannot be exchanged at once
    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "out", TABLES, {"run": 2}, overwrite=True)
    assert json.loads((tmp_path / "out/manifest.json").read_text())["run"] == 1
    assert listing(tmp_path) == ["out"]


def test_no_permission(tmp_path, monkeypatch):
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):  # root may write everywhere

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", refuse)
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
