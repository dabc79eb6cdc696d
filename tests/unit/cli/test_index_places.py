"""`dupdetect index`: what it must not write to, and what it must not make."""

import io
import json
import sys

import pytest
from generated_sites import Writer

from dupdetect import Index
from dupdetect.cli.main import main

STORY = Writer("en", "places").story(2)
LINES = [{"id": "a", "text": STORY}, {"id": "b", "text": None}, {"id": "c", "text": Writer("ja", "places").story(2)}]


@pytest.fixture
def night(tmp_path):
    path = tmp_path / "night.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def run(*arguments):
    return main(["index", *map(str, arguments)])


def test_rejects_take_no_input_s_place(tmp_path, night, capsys):
    before = night.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(night)
    for name in (night, tmp_path / "link.jsonl"):
        assert run("add", tmp_path / "x.dupindex", night, "--rejects", name) == 1
        assert "is an input, and would be replaced" in capsys.readouterr().err
    assert night.read_bytes() == before


@pytest.mark.parametrize("option", ["--rejects", "--new-only"])
@pytest.mark.parametrize("ending", ["", "-wal"])
def test_nothing_takes_the_place_of_the_index(tmp_path, night, option, ending, capsys):
    where = tmp_path / ("x.jsonl" if not ending else "x")
    assert run("add", where, night, "-q") == 0
    assert run("add", where, night, option, f"{where}{ending}") == 1
    assert "this is the index, which would be lost" in capsys.readouterr().err
    with Index(where) as index:
        assert index.verify() == []
        assert len(index) == 2


def test_clusters_take_not_the_place_of_the_index(tmp_path, night, capsys):
    assert run("add", tmp_path / "x.parquet", night, "-q") == 0
    assert run("clusters", tmp_path / "x.parquet", "-o", tmp_path / "x.parquet") == 1
    assert "this is the index" in capsys.readouterr().err
    assert run("verify", tmp_path / "x.parquet") == 0


def test_rejects_and_new_rows_go_to_two_places(tmp_path, night, capsys):
    for name in (tmp_path / "o.jsonl", "-"):
        assert run("add", tmp_path / "x.dupindex", night, "--rejects", name, "--new-only", name) == 1
        assert "this is what --new-only names" in capsys.readouterr().err
    assert not (tmp_path / "x.dupindex").exists()


def test_rejects_need_a_place_that_can_be_written(tmp_path, night, capsys):
    for name in (tmp_path / "no" / "such.jsonl", tmp_path):
        assert run("add", tmp_path / "x.dupindex", night, "--rejects", name) == 1
        assert str(name) in capsys.readouterr().err


def test_an_input_of_rejects_alone_fails_and_tells_them(tmp_path, capsys):
    (tmp_path / "bad.jsonl").write_text('{"id": 1, "text": 5}\n')
    out = tmp_path / "rejects.jsonl"
    assert run("add", tmp_path / "x.dupindex", tmp_path / "bad.jsonl", "--rejects", out) == 1
    assert "no row could be used: all 1 were rejected" in capsys.readouterr().err
    assert json.loads(out.read_text())["row"] == 1


@pytest.mark.parametrize("command", [["remove", "a"], ["expire"], ["learn"], ["vacuum"]], ids=lambda each: each[0])
def test_of_a_name_that_was_mistyped_no_index_is_made(tmp_path, command, capsys):
    where = tmp_path / "mistyped.dupindex"
    assert run(command[0], where, *command[1:]) == 1
    assert "there is no such index" in capsys.readouterr().err
    assert not where.exists()


@pytest.mark.parametrize("command", ["add", "load"])
def test_of_an_input_that_is_missing_no_index_is_made(tmp_path, command, capsys):
    where = tmp_path / "x.dupindex"
    assert run(command, where, tmp_path / "mistyped") == 1
    assert "mistyped" in capsys.readouterr().err
    assert not where.exists()


def test_of_a_run_that_spark_wrote_no_index_is_made(tmp_path, night, capsys):
    out, where = tmp_path / "out", tmp_path / "x.dupindex"
    assert main(["dedup", str(night), "-o", str(out), "-q"]) == 0
    (out / "clusters.parquet").unlink()
    (out / "clusters.parquet").mkdir()
    assert run("load", where, out) == 1
    assert "Spark wrote it" in capsys.readouterr().err
    assert not where.exists()


@pytest.mark.parametrize("text", ["\U0001f600\r\n\U0001f680\r\n", "\ufeff\U0001f600\n", "\U0001f600\r\U0001f680"])
def test_a_text_is_asked_for_as_its_bytes_are(tmp_path, text, monkeypatch, capsys):
    path, where = tmp_path / "text.txt", tmp_path / "x.dupindex"
    path.write_bytes(text.encode())
    assert run("add", where, path, "-q") == 0
    for file in (path, "-"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))
        assert run("query", where, file) == 0
        assert "identical" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff"), "utf-8"))
    assert run("query", where, "-") == 1
    assert "-: byte 0 is not UTF-8" in capsys.readouterr().err


def test_lists_of_ids_may_have_lines_of_windows(tmp_path, night, monkeypatch):
    where = tmp_path / "x.dupindex"
    assert run("add", where, night, "-q") == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\r\nc\r\n"), "utf-8", newline=""))
    assert run("remove", where, "-") == 0
    with Index(where) as index:
        assert len(index) == 0
