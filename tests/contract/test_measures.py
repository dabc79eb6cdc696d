"""The commands `evaluate` and `audit` say what the functions say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dupdetect
from dupdetect.cli import main as cli

STORY = "The ferry to the island will not run on Sunday because the crew has been on strike since the end of the month."
TEXTS = {
    "ferry": STORY,
    "ferry-again": STORY.upper(),
    "ferry-page": f"Home News Sport {STORY} Contact Terms",
    "market": "The market moves to the old railway station, where its stalls will stand under one roof.",
}
TRUTH = "id,cluster\nferry,1\nferry-again,1\nferry-page,2\nmarket,3\nlost,3\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = (json.dumps({"id": name, "text": text}) + "\n" for name, text in TEXTS.items())
    Path("in.jsonl").write_text("".join(rows), encoding="utf-8")
    Path("truth.csv").write_text(TRUTH, encoding="utf-8")
    assert cli.main(["dedup", "in.jsonl", "-o", "out", "--quiet"]) == 0
    return tmp_path


def test_evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "out", "--truth", "truth.csv", "--json"]) == 0
    expected = dupdetect.evaluate(Path("out"), Path("truth.csv"))
    assert json.loads(capsys.readouterr().out) == expected.as_dict()
    assert (expected.pairs.right, expected.pairs.found, expected.only_in_truth) == (1, 3, 1)

    assert cli.main(["evaluate", "out/clusters.parquet", "--truth", "truth.csv", "--html", "page.html"]) == 0
    shown, page = capsys.readouterr().out, Path("page.html").read_text(encoding="utf-8")
    for said in ("4 documents scored", "0.3333", "ferry-page", "not scored: 1 documents that are only in the truth"):
        assert said in shown
        assert said in page


def test_evaluate_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("stories.csv").write_text(TRUTH.replace("cluster", "story"))
    Path("ignore.csv").write_text("one,other\n1,2\n")
    arguments = [
        "evaluate",
        "out",
        "--truth",
        "stories.csv",
        "--cluster-column",
        "story",
        "--ignore",
        "ignore.csv",
        "--json",
    ]
    assert cli.main([*arguments, "--listed", "0"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["pairs"]["found"], said["unscored_pairs"], said["missed"]) == (1, 2, [])


def test_audit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["audit", "out", "in.jsonl", "--documents", "2", "--sampling-seed", "1", "--confidence", "0.8"]
    assert cli.main([*arguments, "--json"]) == 0
    expected = dupdetect.audit("out", "in.jsonl", documents=2, sampling_seed=1, confidence=0.8)
    assert json.loads(capsys.readouterr().out) == expected.as_dict()

    assert cli.main([*arguments, "--html", "page.html"]) == 0
    shown, page = capsys.readouterr().out, Path("page.html").read_text(encoding="utf-8")
    for said in ("2 of 4 documents", "80% interval"):
        assert said in shown
        assert said in page


def test_an_audit_reads_what_the_run_has_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):  # ids are unique in each file only
        rows = (json.dumps({"url": key, "body": text}) + "\n" for key, text in TEXTS.items())
        Path(f"{name}.jsonl").write_text("".join(rows), encoding="utf-8")
    inputs = ["one.jsonl", "two.jsonl"]
    columns = ["--text", "body", "--id", "url", "--id-prefix", "file"]
    assert cli.main(["dedup", *inputs, "-o", "night", *columns, "-q"]) == 0
    assert cli.main(["audit", "night", *inputs, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["documents"], said["with_matches"], said["lost"]["removed"]) == (8, 8, 6)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["evaluate", "out", "--truth", "missing.csv"], 1, "missing.csv"),
        (["evaluate", "missing", "--truth", "truth.csv"], 1, "missing"),
        (["evaluate", "out"], 2, "--truth"),
        (["evaluate", "in.jsonl", "--truth", "truth.csv"], 1, "no column 'cluster' in the clusters"),
        (["evaluate", "out", "--truth", "in.jsonl"], 1, "neither the columns"),
        (["evaluate", "out", "--truth", "truth.csv", "--html", "no/such/folder.html"], 1, "no/such"),
        (["audit", "out", "missing.jsonl"], 1, "missing.jsonl"),
        (["audit", "in.jsonl", "in.jsonl"], 1, "in.jsonl"),
        (["audit", "out", "in.jsonl", "--documents", "0"], 2, "--documents"),
        (["audit", "out", "in.jsonl", "--confidence", "1"], 2, "--confidence"),
        (["audit", "out", "in.jsonl", "--text", "body"], 1, "body"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert cli.main(arguments) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert code == 2 or len(captured.err.splitlines()) == 1
