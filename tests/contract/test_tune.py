"""The command `tune` gives what the library gives, and `dedup --settings` takes it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet
import pytest

import dupdetect
from dupdetect import Settings
from dupdetect.cli import main as cli

OPTIONS = ["--shingle-sizes", "1,2", "--window", "8"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = []
    for i in range(30):
        text = " ".join(f"w{i * j % 97}" for j in range(7, 40))
        rows += [{"id": 2 * i, "text": text}, {"id": 2 * i + 1, "text": text.replace(" w", " v", 3)}]
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    copies = [f"{2 * i},{2 * i + 1},1" for i in range(30)]
    others = [f"{2 * i},{2 * (i + 1)},0" for i in range(29)]
    Path("pairs.csv").write_text("\n".join(["a,b,label", *copies, *others]) + "\n")
    return tmp_path


def test_library_and_command_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tune", "in.jsonl", "--truth", "pairs.csv", "-o", "s.toml", "--json", *OPTIONS]) == 0
    said = json.loads(capsys.readouterr().out)
    tuning = dupdetect.tune(Path("in.jsonl"), Path("pairs.csv"), shingle_sizes=[1, 2], window=8)
    assert said == json.loads(json.dumps(tuning.as_dict()))
    assert Settings.load("s.toml") == tuning.settings


def test_dedup_takes_what_tune_found(folder: Path) -> None:
    assert cli.main(["tune", "in.jsonl", "--truth", "pairs.csv", "-o", "s.toml", *OPTIONS]) == 0
    assert cli.main(["dedup", "in.jsonl", "-o", "out", "--settings", "s.toml", "-q"]) == 0
    manifest = json.loads(Path("out", "manifest.json").read_text())
    assert manifest["fingerprint"] == Settings.load("s.toml").fingerprint
    rows = pyarrow.parquet.read_table("out/clusters.parquet").to_pylist()
    cluster_of = {row["id"]: row["cluster"] for row in rows}
    assert all(cluster_of[2 * i] == cluster_of[2 * i + 1] for i in range(30))
    assert manifest["counts"]["clusters"] == 30


def test_a_person_reads_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["tune", "in.jsonl", "--truth", "pairs.csv", "-o", "s.toml", "--curve", "pr.svg", *OPTIONS]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    assert out.startswith("30 copies and 29 other pairs of 60 documents\n")
    assert "On documents that the fit did not see:" in out
    assert out.splitlines()[-1] == "Written to s.toml; use it with: dupdetect dedup --settings s.toml ..."
    picture = ElementTree.parse("pr.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"recall", "precision", "chosen"} <= {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--truth", "missing.csv"], 1, "missing.csv"),
        (["--truth", "in.jsonl"], 1, "no column 'a' in the truth"),
        (["--truth", "pairs.csv", "--positive", "cut"], 1, "no pair of the truth is labelled 'cut'"),
        (["--truth", "pairs.csv", "--precision", "2"], 2, "precision is 2.0; expected a number above 0 and up to 1"),
        (["--truth", "pairs.csv", "--shingle-sizes", "1-5"], 2, "'1-5' is no list of whole numbers"),
        (["--truth", "pairs.csv", "--settings", "pairs.csv"], 2, "pairs.csv: this is no TOML"),
        (["--truth", "pairs.csv", "--curve", "pr.png"], 1, "pr.png: the curve is drawn as SVG; give a name that ends"),
        (["--truth", "pairs.csv", "-o", "in.jsonl"], 1, "in.jsonl: the file exists"),
        (["--truth", "pairs.csv", "-o", "no/s.toml", *OPTIONS], 1, "no/s.toml: there is no folder no"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    arguments: list[str], code: int, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["tune", "in.jsonl", *arguments]) == code
    err = capsys.readouterr().err
    assert sentence in err
    assert "Traceback" not in err
    assert sorted(path.name for path in folder.iterdir()) == ["in.jsonl", "pairs.csv"]


def test_an_earlier_file_is_replaced_where_asked(folder: Path) -> None:
    Path("s.toml").write_text("seed = 3\n")
    arguments = ["tune", "in.jsonl", "--truth", "pairs.csv", "-o", "s.toml", "--overwrite", *OPTIONS]
    assert cli.main([*arguments, "--settings", "s.toml"]) == 0
    assert Settings.load("s.toml").seed == 3


# ---- real labels ----


def test_degrees_of_reuse(shared: Path) -> None:
    answers = shared / "corpora" / "answers"
    tuning = dupdetect.tune(
        answers / "docs.jsonl.gz", answers / "pairs.csv", positive=["cut", "light", "heavy"], run=False, resamples=50
    )
    assert tuning.counts == {"copies": 57, "others": 38, "documents": 100, "groups": 5}
    assert tuning.f1.value >= 0.95
    assert tuning.fitted.f1 >= tuning.f1.value


@pytest.mark.slow
def test_records_of_the_same_reference(shared: Path, tmp_path: Path) -> None:
    records = shared / "corpora" / "records" / "stroke"
    tuning = dupdetect.tune(
        records / "docs.jsonl.gz", records / "clusters.csv", shingle_sizes=[1, 2, 5], resamples=50, repeats=3
    )
    assert tuning.settings.shingle_size == 1
    assert tuning.f1.value >= 0.94
    assert tuning.run is not None
    assert tuning.run.f1 >= 0.94
    tuning.save(tmp_path / "s.toml")
    clusters = dupdetect.dedup(records / "docs.jsonl.gz", settings=Settings.load(tmp_path / "s.toml")).clusters
    assert (
        clusters["cluster"].to_pylist()
        == dupdetect.dedup(records / "docs.jsonl.gz", settings=tuning.settings).clusters["cluster"].to_pylist()
    )
