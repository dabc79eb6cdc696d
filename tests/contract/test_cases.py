"""Small inputs that went wrong once, as a user runs them (`shared/cases`)."""

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dupdetect.cli.main import main

CASES = Path(os.environ.get("DUPDETECT_SHARED", "../shared")) / "cases"

pytestmark = [
    pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*names, more=(), out="out"):
    """Run the command on cases; give its exit code."""
    return main(["dedup", *(str(CASES / name) for name in names), "-o", out, *more])


def table(name, out="out"):
    return pq.read_table(Path(out) / f"{name}.parquet").to_pydict()


def test_all_rejected(capsys):
    assert run("all_bad.jsonl") == 1
    assert "no row could be used: all 3 were rejected" in capsys.readouterr().err
    assert run("night1.jsonl", "all_bad.jsonl") == 0
    assert len(Path("out/rejects.jsonl").read_text().splitlines()) == 3


def test_nights():
    assert run("night1.jsonl", more=["--sketches"], out="nights/mon") == 0
    tue = {"more": ["--sketches", "--against", "nights", "--overwrite"], "out": "nights/tue"}
    assert run("night2.jsonl", **tue) == 0
    before = table("clusters", "nights/tue")
    assert before["cluster"] == ["m0"] * 3
    assert run("night2.jsonl", **tue) == 0
    assert table("clusters", "nights/tue") == before


def test_ids_that_repeat_across_files(capsys):
    shards = ("shard0.jsonl", "shard1.jsonl")
    assert run(*shards) == 0
    said = capsys.readouterr().err
    assert "3 of 6 rows are rejected, the first of them " in said
    assert "--id-prefix file" in said
    assert "--id none" in said
    assert run(*shards, more=["--strict"], out="strict") == 1
    for more in (["--id", "none"], ["--id-prefix", "file"]):
        assert run(*shards, more=[*more, "--overwrite"]) == 0
        clusters = table("clusters")
        assert clusters["canonical"] == [True] * 6
        first = 1 if "none" in more else 0
        names = [f"{CASES / shard}:{row}" for shard in shards for row in range(first, first + 3)]
        assert clusters["id"] == names
        kept = [json.loads(line) for shard in shards for line in (CASES / shard).read_text().splitlines()]
        assert [
            json.loads(line) for shard in shards for line in Path("out/kept", shard).read_text().splitlines()
        ] == kept
        assert main(["explain", "out", names[4]]) == 0
        assert main(["report", "out", "-o", f"{more[0]}.html"]) == 0


def test_large_integers_are_ids_as_written():
    assert run("big_ids.jsonl") == 0
    assert table("clusters")["id"] == ["18446744073709551615", "18446744073709551614"]
    assert Path("out/rejects.jsonl").read_text() == ""


@pytest.mark.parametrize("name", ["types.csv", "wide_numbers.jsonl", "big_ids.jsonl"])
def test_rows_are_kept_byte_for_byte(name):
    assert run(name) == 0
    assert Path("out", name).with_stem("kept").read_bytes() == (CASES / name).read_bytes()


def test_a_quote_that_never_ends_takes_its_own_record_alone():
    assert run("unclosed.csv") == 0
    (reject,) = [json.loads(line) for line in Path("out/rejects.jsonl").read_text().splitlines()]
    assert (reject["row"], reject["reason"]) == (3, "the row has a quote that never ends")
    lines = (CASES / "unclosed.csv").read_bytes().splitlines(keepends=True)
    assert Path("out/kept.csv").read_bytes() == b"".join(lines[:2] + lines[3:])


def test_texts_without_words():
    assert run("wordless.jsonl") == 0
    assert table("clusters")["cluster"] == [0, 0, 2, 2, 4, 4, 6, 7]
    assert [relation for relation in table("clusters")["relation"] if relation] == ["identical"] * 3
    assert {(row["a"], row["b"]) for row in pq.read_table("out/matches.parquet").to_pylist()} == {
        (0, 1),
        (2, 3),
        (4, 5),
    }
    assert json.loads(Path("out/manifest.json").read_text())["counts"]["empty"] == 2


def test_other_encodings_and_delimiters(capsys):
    assert run("cp1252.csv", more=["--encoding", "cp1252", "--delimiter", ";"]) == 0
    assert Path("out/kept.csv").read_bytes() == (CASES / "cp1252.csv").read_bytes()
    assert table("clusters")["id"] == ["1", "2"]
    assert run("cp1252.csv", out="no") == 1
    said = capsys.readouterr().err
    assert "--encoding" in said
    assert "--delimiter" in said
    assert run("cp1252.csv", more=["--delimiter", ";"], out="no") == 1
    assert "--encoding cp1252" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["dates", "offsets"])
def test_dates_are_compared_in_time(name):
    for policy, first in (("earliest", "earlier"), ("latest", "later")):
        assert run(f"{name}.jsonl", more=["--canonical", policy], out=policy) == 0
        assert table("clusters", policy)["cluster"] == [first] * 2
