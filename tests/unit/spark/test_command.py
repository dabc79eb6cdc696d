"""The command for spark-submit, on a session that is there."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.main import main as local
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


RECORDS = [
    '{"url": 1, "body": "STORY", "n": 1.50, "z": {"b": 1e3, "a": null}}'.replace("STORY", STORY),
    '{ "url":2,"body":"Nothing like it.", "n": 12345678901234567890 }\r',
    "",
    '{"url": 3, "body": "STORY"}'.replace("STORY", STORY.upper()),
    "no JSON",
    '{"url": 4, "body": "☂☂ ☂ Straße"}',
    '{"url": 2, "body": "An id twice."}',
    '{"url": 5, "body": 7}',
]
CSV = ["url,body,n", f'1,"{STORY}\nAnd more.",007', "2,Nothing like it.,1.50", "3,a,b,c", f"4,{STORY} And more.,"]


@pytest.mark.parametrize("ending", ["jsonl.gz", "csv"])
def test_records_stay_as_they_came(tmp_path, ending):
    """JSON Lines and CSV are read, and written, as on one machine: no number is written anew."""
    packed, lines = ending.endswith("gz"), CSV if ending == "csv" else RECORDS
    for number in range(2):
        own = (
            lines
            if number == 0
            else [line.replace("2", "9").replace("Nothing like it", "And this") for line in lines[:3]]
        )
        data = "\n".join(own).encode()
        (tmp_path / f"part {number}.{ending}").write_bytes(gzip.compress(data) if packed else data)
    options = [str(tmp_path / f"part*.{ending}"), "--text", "body", "--id", "url", "--quiet", "--format", "jsonl"]
    options += [] if packed else ["--id-prefix", "file"]
    out, here = tmp_path / "out", tmp_path / "here"
    assert main(["dedup", *options, "-o", str(out)]) == 0
    assert local(["dedup", *options, "-o", str(here)]) == 0
    for name in ("clusters", "matches", "rejects"):
        there = [line for path in (out / f"{name}.jsonl").glob("part-*") for line in path.read_text().splitlines()]
        assert sorted(there) == sorted((here / f"{name}.jsonl").read_text().splitlines()), name
    folders = out / f"kept.{'jsonl' if packed else 'csv'}", here / "kept"
    data = [[path.read_bytes() for path in sorted(folder.glob("part*"))] for folder in folders]
    found, expected = ([gzip.decompress(each) if packed else each for each in files] for files in data)
    assert [each.rstrip(b"\n") for each in found] == [each.rstrip(b"\n") for each in expected]
    assert len(found) == 2
    assert json.loads((out / "manifest.json").read_text())["inputs"] == inputs(tmp_path, ending)


def inputs(folder, ending):
    return [str(folder / f"part {number}.{ending}") for number in range(2)]


def test_what_is_wrong_is_said_in_a_sentence(shards, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in (("a", "1"), ("b", '"1"')):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"id": {value}, "text": "{STORY}"}}')
    of_two_types, earlier, out = f"{tmp_path}/*.jsonl", str(tmp_path / "nights"), str(tmp_path / "out")
    for arguments, code, said in [
        (["dedup", of_two_types, "-o", out], 1, "b.jsonl: column 'id' is string, and int64 in files before"),
        (["dedup", str(shards[0]), "--text", "body", "-o", out, "--against", earlier], 1, "nights"),
        (["dedup", str(tmp_path / "none.parquet"), "-o", out], 1, "none.parquet: cannot be read"),
        (["dedup", str(shards[0]), "x.csv", "-o", out], 1, "the inputs are csv and parquet"),
        (["dedup", str(shards[0]), "-o", out], 1, "there is no column 'text'"),
        (["dedup", str(shards[0])], 2, "Missing option '-o'"),
        (["dedup", str(shards[0]), "-o", out, "--sketches"], 2, "on Spark dupdetect.spark.sketch writes them"),
        (
            ["dedup", str(shards[0]), "-o", out, "--memory", "2GB"],
            2,
            "--memory is an option of dupdetect dedup alone",
        ),
        (["dedup", str(shards[0]), "--text", "body", "-o", out, "--within", "place"], 1, "no column 'place'"),
        (["dedup", str(shards[0]), "-o", out, "--threshold", "7"], 2, "threshold is 7.0"),
    ]:
        assert main(arguments) == code, said
        assert said in capsys.readouterr().err
    assert not Path("out").exists()
