"""The command gives what the library gives, end to end, for every way in and every format out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.csv
import pyarrow.parquet
import pytest

import dupdetect
from dupdetect.cli import main as cli

TABLES = ("clusters", "matches", "digests", "kept")

STORY = (
    "The council voted last night to keep the old swimming baths open until a new pool is built beside the "
    "river. Swimmers had gathered four thousand signatures, and the mayor said that nobody had expected so "
    "many."
)
MENU = "Home\nNews\nSport\nWeather\nTides\nLetters\nFerries\nFish prices\nObituaries\nJobs\nContact\nAbout us"
ROWS = [
    {"id": "story", "text": STORY},
    {"id": "shout", "text": STORY.upper()},
    {"id": "page", "text": f"{MENU}\n{STORY}\nRead more\nPrivacy\nTerms and conditions"},
    {"id": "other", "text": "A lorry with nine hundred pumpkins lost its way and its load on the hill road."},
    {"id": "empty", "text": ""},
]


def run(*arguments: str | Path) -> int:
    return cli.main([*map(str, arguments), "--quiet"])


def read(folder: Path, name: str, format: str) -> list[dict[str, Any]]:
    path = folder / f"{name}.{format}"
    if format == "parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    if format == "csv":
        options = pyarrow.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
        return pyarrow.csv.read_csv(path, convert_options=options).to_pylist()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def jsonl(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_library_and_command_give_the_same_tables(jsonl: Path, tmp_path: Path, format: str) -> None:
    assert run("dedup", jsonl, "-o", tmp_path / "out", "--format", format, "--kept", format) == 0
    result = dupdetect.dedup(jsonl)
    for name in TABLES:
        assert read(tmp_path / "out", name, format) == getattr(result, name).to_pylist()
    assert (tmp_path / "out" / "rejects.jsonl").read_text() == ""
    written = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert written["fingerprint"] == result.manifest["fingerprint"]
    assert written["counts"] == result.manifest["counts"]


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_a_round_up_is_reported_with_what_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    stories = [" ".join(f"{name}{n}" for n in range(40)) for name in ("pont", "мост", "पुल")]
    rows = [{"id": n, "text": text} for n, text in enumerate([*stories, " ".join(stories), "…"])]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arguments = ["dedup", tmp_path / "in.jsonl", "-o", tmp_path / "out", "--format", format]
    assert cli.main([*map(str, arguments)]) == 0
    assert "1  digest documents" in capsys.readouterr().out
    listed = read(tmp_path / "out", "digests", format)
    assert listed == dupdetect.dedup(tmp_path / "in.jsonl").digests.to_pylist()
    assert listed == [{"id": 3, "cluster": n, "containment": 1.0, "share": 36 / 116} for n in range(3)]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]["digests"] == 1


def test_an_output_without_the_table_of_digests_is_read_as_before(jsonl: Path, tmp_path: Path) -> None:
    assert run("dedup", jsonl, "-o", tmp_path / "out") == 0
    expected = dupdetect.audit(tmp_path / "out", jsonl, documents=3).as_dict()
    (tmp_path / "out" / "digests.parquet").unlink()
    assert dupdetect.audit(tmp_path / "out", jsonl, documents=3).as_dict() == expected
    truth = {"story": 1, "shout": 1, "page": 1, "other": 2}
    assert dupdetect.evaluate(tmp_path / "out", truth).pairs.f1 == 1.0
    assert run("dedup", jsonl, "-o", tmp_path / "out", "--overwrite") == 0


def test_the_clusters_are_those_a_reader_would_make(jsonl: Path, tmp_path: Path) -> None:
    assert run("dedup", jsonl, "-o", tmp_path / "out") == 0
    rows = read(tmp_path / "out", "clusters", "parquet")
    assert {row["id"]: (row["cluster"], row["relation"]) for row in rows} == {
        "story": ("shout", "identical"),
        "shout": ("shout", None),
        "page": ("shout", "contains"),
        "other": ("other", None),
        "empty": ("empty", None),
    }


def test_the_log_tells_what_the_manifest_says(jsonl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dedup", jsonl, "-o", tmp_path / "out", "--log-json") == 0
    out, err = capsys.readouterr()
    assert out == ""
    first, *between, last = map(json.loads, err.splitlines())
    assert (first["event"], last["event"], last["exit_code"]) == ("start", "end", 0)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for name in ("counts", "timings", "caps"):
        assert last[name] == manifest[name]
    ends = {line["stage"]: line["done"] for line in between if line.get("state") == "end"}
    assert [line["stage"] for line in between if line.get("state") == "begin"] == list(ends)
    assert ends.keys() >= {"sign", "candidates", "verify", "cluster", "tables", "write"}
    assert (ends["sign"], ends["tables"]) == (len(ROWS), len(ROWS))


def test_standard_input_is_json_lines(jsonl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(jsonl.read_bytes())))
    assert run("dedup", "-", "-o", tmp_path / "stdin") == 0
    assert run("dedup", jsonl, "-o", tmp_path / "file") == 0
    for name in TABLES:
        form = "jsonl" if name == "kept" else "parquet"
        given, expected = (read(tmp_path / out, name, form) for out in ("stdin", "file"))
        assert [row | {"file": None} for row in given] == [row | {"file": None} for row in expected]


def test_a_bad_row_is_a_reject_or_an_error(jsonl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with jsonl.open("a") as file:
        file.write('{"id": "null", "text": null}\n')
    assert run("dedup", jsonl, "-o", tmp_path / "out") == 0
    (reject,) = read(tmp_path / "out", "rejects", "jsonl")
    assert (reject["file"], reject["row"]) == (str(jsonl), 6)
    assert len(read(tmp_path / "out", "clusters", "parquet")) == len(ROWS)

    assert run("dedup", jsonl, "-o", tmp_path / "strict", "--strict") == 1
    assert f"{jsonl}:6" in capsys.readouterr().err
    assert not (tmp_path / "strict").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.parquet"], 1),
        (["in.jsonl", "--text", "body"], 1),
        (["in.jsonl", "--id", "url"], 1),
        (["in.jsonl", "--canonical", "earliest"], 1),
        (["in.jsonl", "--shingle-size", "0"], 2),
    ],
)
def test_what_cannot_be_done_leaves_a_sentence_and_no_folder(
    arguments: list[str],
    code: int,
    jsonl: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(jsonl.parent)
    assert run("dedup", *arguments, "-o", "out") == code
    err = capsys.readouterr().err
    assert err.startswith("dupdetect: ")
    assert len(err.splitlines()) == 1
    assert list(jsonl.parent.iterdir()) == [jsonl]


def test_overwrite_replaces_an_earlier_output_only(jsonl: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("dedup", jsonl, "-o", out) == 0
    assert run("dedup", jsonl, "-o", out) == 1
    assert run("dedup", jsonl, "-o", out, "--format", "csv", "--overwrite") == 0
    names = {"clusters.csv", "matches.csv", "digests.csv", "kept.jsonl", "manifest.json", "rejects.jsonl"}
    assert {path.name for path in out.iterdir()} == names | {"boilerplate.parquet"}

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert run("dedup", jsonl, "-o", tmp_path / "mine", "--overwrite") == 1
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_compare_says_what_the_library_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    a.write_text(ROWS[0]["text"])
    b.write_text(ROWS[2]["text"])
    assert cli.main(["compare", str(a), str(b), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    comparison = dupdetect.compare(ROWS[0]["text"], ROWS[2]["text"])
    assert said["relation"] == comparison.relation == "contained"
    assert (said["jaccard"], said["containment_a"]) == (comparison.jaccard, comparison.containment_a)
    assert (said["score"], said["strangers"]) == (comparison.score, comparison.strangers)
    assert comparison.containment_a == 1.0


def test_the_article_is_found_inside_its_page(shared: Path, tmp_path: Path) -> None:
    assert run("dedup", shared / "seeds", "-o", tmp_path / "out") == 0
    cluster_of = {row["id"][:3]: row["cluster"][:3] for row in read(tmp_path / "out", "clusters", "parquet")}
    assert cluster_of == {"000": "000", "001": "001", "002": "000", "003": "003", "004": "004"}
