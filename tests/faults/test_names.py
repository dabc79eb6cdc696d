"""Names of files and folders may have any bytes: what they hold is read, written, shown and found again."""

import json
import os
import sys

import pyarrow.parquet as pq
import pytest

from dupdetect.cli.main import main
from dupdetect.results.run import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")

NAMES = [
    *(b"caf\xe9", b"\xff\xfe", b"\xed\xa0\x80", b"new\nline", b"tab\there", b"\x1b[31mred", b"bell\x07", b"\x7f"),
    *(b"-dash", b"--help", b" space ", b"*star*", b"[br]", b"?", b"{a}", b"a\\b", b"'quo\"te", b"`x`", b"$HOME", b"~"),
    *(b"#", b"%41", b"%s", b"a:b", b"C:", b"s3:x", b"a,b", b"a;b", b"a&b", b"<b>", b"a=b", b"@", b"!", b"^"),
    *(name.encode() for name in ("ünï", "u\u0308", "漢字", "\u202egnp", "\u200b", "🦆", "مرحبا")),
    *(b"con", b"nul", b"x" * 200, b"..a", b"a..", b"."),
]
assert len(set(NAMES)) >= 40


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").mkdir()
    for number, name in enumerate(NAMES):
        row = json.dumps({"text": f"the text number {number} of some words"}) + "\n"
        (tmp_path / "names" / f"{os.fsdecode(name)}.jsonl").write_text(2 * row)
    return tmp_path


def test_a_folder_of_odd_names(folder, capsys):
    assert main(["dedup", "names", "-o", "out", "--resume", "-q"]) == 0
    table = pq.read_table("out/clusters.parquet")
    seen = sum(not name.startswith(b".") for name in NAMES)  # the others are hidden
    assert table.num_rows == len(table["id"].unique()) == 2 * seen
    assert Run(folder / "out").manifest["counts"]["duplicates"] == seen
    assert main(["report", "out"]) == 0
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "<b>.jsonl" not in page
    for id in table["id"].to_pylist()[::7]:
        assert main(["explain", "--view", "none", "--", "out", id]) == 0
    said = capsys.readouterr()
    assert "\x1b[31m" not in said.out + said.err
    assert "\u202e" not in said.out + said.err


@pytest.mark.parametrize("name", NAMES[::2])
def test_an_odd_name_for_each_thing_that_is_named(folder, name, capsys):
    name = os.fsdecode(name)
    other = f"{name}/out" if name != "." else "./out"
    assert main(["dedup", "-q", "-o", other, "--resume", "--sketches", "--", f"./names/{name}.jsonl"]) == 0
    assert Run(other).manifest["counts"]["documents"] == 2
    assert main(["dedup", "-q", "-o", "next", "--against", other, "--", f"./names/{name}.jsonl"]) == 0
    assert main(["sketch", "-q", "-o", f"{name}.parquet", "--", f"./names/{name}.jsonl"]) == 0
    assert not list(folder.glob(".*.part")) + list(folder.glob(".*.work"))
    assert "Traceback" not in capsys.readouterr().err
