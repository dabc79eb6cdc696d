"""A file of another format than its name says is told by its first bytes."""

import bz2
import gzip
import io
import json
import lzma
import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.errors import InputError
from dupdetect.results.single import check_folder_name

ROWS = [{"id": "a", "text": "one text here"}, {"id": "b", "text": "another text there"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.jsonl.zst",
            gzip.compress(LINES, mtime=0),
            r"it is gzip, expected JSON Lines compressed with zstd; name it a\.jsonl",
        ),
        ("a.csv", gzip.compress(b"id,text\na,b\n", mtime=0), r"it is gzip, expected CSV; name it a\.csv\.gz"),
        ("a.parquet", gzip.compress(LINES, mtime=0), "it is gzip, expected Parquet; unpack it"),
        ("a.csv", parquet(), r"it is Parquet, expected CSV; name it a\.parquet, or .*--input-format parquet"),
        ("a.jsonl", parquet(), "it is Parquet, expected JSON Lines"),
        ("a.jsonl.gz", LINES, r"it is plain text, expected JSON Lines compressed with gzip; name it a\.jsonl"),
        ("a.parquet", LINES, "it is plain text, expected Parquet; say what it is"),
        ("a.feather", b"FEA1" + bytes(2000), "it is Feather of version 1, expected Arrow; write its table as CSV"),
        ("a.csv", b"SQLite format 3\0" + bytes(2000), "it is a database of SQLite, expected CSV"),
    ],
)
def test_what_it_is_and_how_to_name_it_is_said(name, content, said):
    Path(name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: its first bytes say that {said}"):
        dupdetect.dedup(Path(name))


@pytest.mark.parametrize("header", ["PAR1,text", "BZh9,text", "PK,text", "ORC,text"])
def test_text_that_begins_alike_is_text(header):
    Path("a.csv").write_text(f"{header}\n1,some text\n")
    assert dupdetect.dedup(Path("a.csv")).clusters.num_rows == 1


def test_what_is_said_of_it_wins():
    Path("a.csv").write_bytes(parquet())
    assert dupdetect.dedup(Path("a.csv"), input_format="parquet").clusters.num_rows == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(LINES, mtime=0), "its first bytes say that it is gzip, expected JSON Lines; unpack it"),
        (parquet(), "its first bytes say that it is Parquet, expected JSON Lines; .*--input-format parquet"),
        (b"id,text\n1,some text\n", r"the line is not valid JSON .*, or say what it is .*--input-format csv"),
    ],
)
def test_what_a_pipe_brings_is_looked_at_too(capsys, monkeypatch, content, said):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert main(["dedup", "-", "-o", "out"]) == 1
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.parametrize(("form", "expected"), [("csv", "CSV"), ("jsonl", "JSON Lines")])
@pytest.mark.parametrize(
    ("pack", "unpack"), [(gzip.compress, "zcat"), (bz2.compress, "bzcat"), (lzma.compress, "xzcat")]
)
def test_what_unpacks_it_on_the_way_is_named(capsys, monkeypatch, form, expected, pack, unpack):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pack(b"id,text\n1,some text\n"))))
    assert main(["dedup", "-", "-o", "out", "--input-format", form]) == 1
    assert f"expected {expected}; unpack it on the way, as in: {unpack} FILE" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.jsonl.gz"])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_array_gets_the_hint_whatever_its_name(name, indent):
    content = json.dumps(ROWS, indent=indent).encode()
    Path(name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(InputError, match=r"the file is one JSON array.*jq -c"):
        dupdetect.dedup(Path(name))


@pytest.mark.parametrize("first", [b"[1, 2]", b'[{"text": "x"}]', b"[broken"])
def test_an_array_that_is_one_line_of_many_is_a_reject(first):
    Path("a.jsonl").write_bytes(first + b"\n" + LINES)
    with pytest.warns(UserWarning, match="1 of 3 rows is rejected"):
        assert dupdetect.dedup(Path("a.jsonl")).clusters.num_rows == 2


def test_of_a_header_of_any_length_some_is_shown():
    Path("a.csv").write_text("x" * 5000 + "\n1\n")
    with pytest.raises(InputError, match="there is no column 'text'") as caught:
        dupdetect.dedup(Path("a.csv"))
    assert len(str(caught.value)) < 200
    Path("b.csv").write_text(",".join(f"column {n}" for n in range(500)) + "\n" + ",".join("1" * 500) + "\n")
    with pytest.raises(InputError, match=r"'column 0', 'column 1', .* and \d+ more: name one of these") as caught:
        dupdetect.dedup(Path("b.csv"))
    assert len(str(caught.value)) < 400


def test_a_name_of_what_is_not_written_makes_no_folder(capsys):
    Path("a.jsonl").write_bytes(LINES)
    for name in ("name.xlsx", "name.tsv", "name.gz", "NAME.JSON"):
        assert main(["dedup", "a.jsonl", "-o", name, "-q"]) == 1
        assert "are not written; name one that ends with .parquet, .jsonl" in capsys.readouterr().err
        assert not Path(name).exists()
    check_folder_name("2026.11.29")
    Path("old.xlsx").mkdir()
    check_folder_name("old.xlsx")


def test_what_exists_names_the_option_that_replaces_it(capsys):
    Path("a.jsonl").write_bytes(LINES)
    for name in ("out", "kept.csv"):
        with warnings.catch_warnings():
            assert [main(["dedup", "a.jsonl", "-o", name, "-q"]) for _ in range(2)] == [0, 1]
        assert "overwrite it (overwrite=True, --overwrite)" in capsys.readouterr().err
