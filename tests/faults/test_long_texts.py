"""A text, line or record of more bytes than `max_text` is a reject; blank lines cost what reading costs."""

import gzip
import io
import json
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dupdetect
from dupdetect.cli.main import main
from dupdetect.errors import SettingsError
from dupdetect.io import jsonlines
from dupdetect.io.documents import collect

MOST = 200
LONG = "word " * 100


def row(id, text="a short text"):
    return json.dumps({"id": id, "text": text})


def read(data, **options):
    documents = collect(data, max_text=MOST, **options)
    return documents.ids.to_pylist(), {entry["row"]: entry["reason"] for entry in documents.rejects.to_pylist()}


@pytest.mark.parametrize("block", [16, 150, 1000, 32 << 20])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_that_is_too_long_is_a_reject_and_the_others_are_read(tmp_path, monkeypatch, block, end):
    monkeypatch.setattr(jsonlines, "BLOCK_BYTES", block)
    path = tmp_path / "a.jsonl"
    rows = [row(1, LONG), row(2), "", row(3, LONG), row(4, LONG), row(5), "x" * 5000, row(6), row(7, LONG)]
    path.write_text("\n".join(rows) + end)
    ids, rejects = read(path)
    assert ids == [2, 5, 6]
    assert rejects == dict.fromkeys([1, 4, 5, 7, 9], "the line has more than 200 bytes (max_text)")


@given(
    lengths=st.lists(st.integers(0, 60), max_size=12),
    block=st.integers(1, 80),
    most=st.integers(1, 60),
    end=st.sampled_from([b"", b"\n"]),
)
def test_lines_are_whole_or_passed_over_whatever_the_blocks(lengths, block, most, end):
    data = b"\n".join(bytes([97 + at]) * length for at, length in enumerate(lengths)) + end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonlines, "BLOCK_BYTES", block)
        found = list(jsonlines.whole_lines(io.BytesIO(data), most))
        at = 0
        for whole, passed_over in found:  # reading can go on after each
            at += len(whole) + passed_over
            assert at in (0, len(data)) or data[at - 1 : at] == b"\n"
    assert at == len(data)
    kept = {line for whole, _ in found for line in whole.split(b"\n")}
    assert {line for line in data.split(b"\n") if 0 < len(line) <= most} <= kept


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f'id,text\n1,short\n2,"{LONG}"\n3,short\n4,{LONG}\n5,"short"\n'),
        ("a.tsv", f"id\ttext\n1\tshort\n2\t{LONG}\n3\tshort\n4\t{LONG}\n5\tshort\n"),
    ],
)
def test_a_record_that_is_too_long(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    ids, rejects = read(tmp_path / name)
    assert ids == ["1", "3", "5"]
    assert rejects.keys() == {3, 5}
    assert all("200" in reason for reason in rejects.values())


def test_a_text_file_that_is_too_long(tmp_path):
    for name, text in (("a", "short"), ("b", LONG), ("c", "short"), ("d", LONG)):
        (tmp_path / f"{name}.txt").write_text(text)
    documents = collect(tmp_path, max_text=MOST)
    assert documents.ids.to_pylist() == ["a.txt", "c.txt"]
    assert [entry["file"] for entry in documents.rejects.to_pylist()] == [str(tmp_path / f"{n}.txt") for n in "bd"]
    assert set(documents.rejects["reason"].to_pylist()) == {"the file has more than 200 bytes (max_text)"}


def test_texts_of_tables_and_of_memory(tmp_path):
    texts = ["short", LONG, "short", None]
    pyarrow.parquet.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    expected = "column 'text' has 500 bytes, expected at most 200 (max_text)"
    assert read(tmp_path / "a.parquet")[1][2] == expected
    assert read(pa.table({"text": texts}))[1][1] == expected
    assert read(texts[:3]) == ([0, 2], {1: expected})
    assert read({"a": "short", "b": LONG})[0] == ["a"]


def test_the_option_and_its_default(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f"{row(1)}\n{row(2, LONG)}\n")
    assert main(["dedup", str(path), "-o", str(tmp_path / "small"), "--max-text", "200B", "-q"]) == 0
    assert "max_text" in (tmp_path / "small" / "rejects.jsonl").read_text()
    assert dupdetect.dedup(path).rejects.num_rows == 0
    for wrong in (0, -1, 2.5, True, 1 << 40):
        with pytest.raises(SettingsError, match="max_text is"):
            dupdetect.dedup(path, max_text=wrong)


@pytest.mark.skipif(sys.platform != "linux", reason="asks for the most memory that a process had")
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "txt"])
def test_a_small_file_of_one_long_line_takes_little_memory(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"id,text\n1,short\n2," if suffix == "csv" else b"")
        for _ in range(64):
            file.write(b"x" * (16 << 20))
        file.write(b"\n3,short\n" if suffix == "csv" else b"\n" + row(3).encode() + b"\n")
    code = (
        "import sys; from pathlib import Path; from dupdetect.io.documents import collect\n"
        "from dupdetect._storage import memory\n"
        "found = collect(Path(sys.argv[1]), max_text=32_000_000)\n"
        "print(len(found), found.rejects.num_rows, memory.peak())"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    found, rejects, peak = map(int, ran.stdout.split())
    assert (found, rejects) == {"jsonl": (1, 1), "csv": (2, 1), "txt": (0, 1)}[suffix]
    assert peak < 700 << 20


@pytest.mark.parametrize("blank", ["\n", "\r\n", "  \t \n"])
def test_blank_lines_cost_what_reading_costs(tmp_path, blank):
    path = tmp_path / "a.jsonl"
    count = (100 << 20) // len(blank)
    with path.open("wb") as file:
        file.write(blank.encode() * count)
        file.write(row(1).encode() + b"\n")
    start = time.process_time()
    found = collect(path)
    assert time.process_time() - start < 5
    assert found.rejects.num_rows == 0
    reader = jsonlines.read_blocks(io.BytesIO(path.read_bytes()), "a", "text")
    assert [int(line) for block in reader for line in block.lines] == [count + 1]


@given(
    st.lists(
        st.sampled_from(["", " ", "\r", "\t \r", '{"text": "a"}', ' {"text": "b"} ', '{"text": 1}', "{", "[1]"]),
        max_size=30,
    ),
    st.sampled_from(["", "\n"]),
    st.integers(1, 60),
)
def test_rows_among_blank_lines_have_their_own_numbers(lines, end, crowded):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonlines, "CROWDED_BYTES", crowded)
        blocks = list(jsonlines.read_blocks(io.BytesIO(("\n".join(lines) + end).encode()), "a", "text"))
    good = {at for at, line in enumerate(lines, 1) if line.strip() in ('{"text": "a"}', '{"text": "b"}')}
    bad = {at for at, line in enumerate(lines, 1) if line.strip()} - good
    assert {int(line) for block in blocks for line in block.lines} == good
    assert {line for block in blocks for line, _ in block.rejects} == bad
