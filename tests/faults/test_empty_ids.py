"""An id that is an empty string is an id: no output in any format forgets whose it is."""

import json

import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.results.run import Run

STORY = "灯台守は通りかかる船をすべて帳面に書きつけている。ランプに返事をしない船も、ひとつ残らず。"
ROWS = [("", STORY), ("b", f"{STORY}!"), ("c", "ตลาดปลาจะย้ายไปที่สถานีรถไฟเก่าในเดือนหน้า"), ("d", "Мост закрыт до весны.")]


@pytest.fixture(autouse=True)
def news(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = (json.dumps({"id": id, "text": text}, ensure_ascii=False) + "\n" for id, text in ROWS)
    (tmp_path / "in.jsonl").write_text("".join(lines), encoding="utf-8")


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("kept", [[], ["--kept", "csv"], ["--kept", "parquet"], ["--kept", "jsonl"]], ids=" ".join)
def test_commands_read_what_was_written(tmp_path, capsys, format, kept):
    assert main(["dedup", "in.jsonl", "-o", "out", "-q", "--format", format, *kept]) == 0
    assert main(["verify", "out"]) == 0
    assert main(["explain", "out", ""]) == 0
    assert main(["report", "out"]) == 0
    assert main(["audit", "out", "in.jsonl"]) == 0
    assert "no row" not in capsys.readouterr().out
    run = Run("out")
    assert run.own["cluster"].to_pylist() == ["", "", "c", "d"]
    found = [pair for ids, texts, _ in run.kept() for pair in zip(ids.to_pylist(), texts.to_pylist(), strict=True)]
    assert found == [ROWS[0], ROWS[2], ROWS[3]]


@pytest.mark.filterwarnings("ignore:.*sketched again")
@pytest.mark.parametrize("kept", ["csv", "jsonl", "parquet"])
def test_a_later_run_is_held_against_them(tmp_path, kept):
    assert main(["dedup", "in.jsonl", "-o", "out", "-q", "--kept", kept]) == 0
    later = dupdetect.dedup([{"id": "e", "text": STORY}, {"id": "f", "text": ROWS[3][1]}], against="out")
    assert later.clusters["cluster"].to_pylist() == ["", "d"]
