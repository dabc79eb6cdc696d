"""The command for spark-submit, on a session that is there."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.spark import main

pytestmark = pytest.mark.usefixtures("spark")

STORY = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."


@pytest.fixture
def shards(tmp_path):
    """Two files: a copy in the other one, an id twice, a row without a text."""
    rows = [[("a", STORY), ("b", "Nothing like it.")], [("c", STORY.upper()), ("a", "An id twice."), ("d", None)]]
    for number, shard in enumerate(rows):
        ids, texts = zip(*shard, strict=True)
        pq.write_table(pa.table({"url": ids, "body": texts}), tmp_path / f"shard {number}.parquet")
    return [tmp_path / f"shard {number}.parquet" for number in range(2)]


def read(folder, name):
    table = pq.read_table(folder / f"{name}.parquet")
    return sorted(table.to_pylist(), key=str)


@pytest.mark.filterwarnings("ignore:.*ids occurred before")
def test_files_go_in_and_tables_come_out(shards, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["dedup", *map(str, shards), "-o", str(out), "--text", "body", "--id", "url", "--threshold", "0.7"]
    assert main(arguments) == 0
    assert "3 documents: 2 kept, 1 duplicates; 2 rows rejected" in capsys.readouterr().out
    here = dupdetect.dedup(shards, text="body", id="url", threshold=0.7)
    for name in ("clusters", "matches", "rejects", "kept"):
        assert read(out, name) == sorted(getattr(here, name).to_pylist(), key=str), name
    assert json.loads((out / "manifest.json").read_text())["counts"] == here.manifest["counts"]
    assert main(arguments) == 1
    assert "out: exists already" in capsys.readouterr().err
    assert main([*arguments, "--overwrite", "--quiet", "--resume"]) == 0
    assert capsys.readouterr().out == ""


def test_rows_of_files_without_ids_are_named_by_these(shards, tmp_path):
    out = tmp_path / "out"
    assert main(["dedup", f"{tmp_path}/shard*.parquet", "-o", str(out), "--text", "body", "--quiet"]) == 0
    here = dupdetect.dedup(shards, text="body")
    for name in ("clusters", "rejects", "kept"):
        assert read(out, name) == sorted(getattr(here, name).to_pylist(), key=str), name


def test_what_is_wrong_is_said_in_a_sentence(shards, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments, code, said in [
        (["dedup", str(tmp_path / "none.parquet"), "-o", "out"], 1, "none.parquet: cannot be read"),
        (["dedup", str(shards[0]), "x.csv", "-o", "out"], 1, "the inputs are csv and parquet"),
        (["dedup", str(shards[0]), "-o", "out"], 1, "there is no column 'text'"),
        (["dedup", str(shards[0])], 2, "Missing option '-o'"),
        (["dedup", str(shards[0]), "-o", "out", "--threshold", "7"], 2, "threshold is 7.0"),
    ]:
        assert main(arguments) == code
        assert said in capsys.readouterr().err
    assert not Path("out").exists()
