"""Rows that are rejected are told in one line, however quiet: how many, which is the first and why, what mends it."""

import json
import warnings
from pathlib import Path

import pytest

import dupdetect
from dupdetect.cli.main import main

LATIN = "id,text\n" + "".join(f"{n},{'Tür' if n % 2 else 'Tor'} {n} und noch ein Satz\n" for n in range(40))
GOOD = "".join(json.dumps({"id": n, "text": f"text number {n}"}) + "\n" for n in range(40))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("latin.csv").write_bytes(LATIN.encode("cp1252"))
    Path("broken.jsonl").write_text(GOOD + '{"id": 99, "te')
    Path("good.jsonl").write_text(GOOD)


def told(capsys, *arguments, code=0):
    """Return what a command says on standard error, and on both streams."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # the command prints them
        assert main([*arguments]) == code
    said = capsys.readouterr()
    return said.err, said.out + said.err


@pytest.mark.parametrize("quiet", [[], ["-q"]])
@pytest.mark.parametrize("out", ["out", "kept.jsonl", "-"])
def test_one_line_is_said_on_standard_error(capsys, out, quiet):
    error, both = told(capsys, "dedup", "broken.jsonl", "-o", out, *quiet)
    assert error.count("rejected, ") == 1
    assert "note: 1 of 41 rows is rejected, broken.jsonl:41: the line is not valid JSON" in error
    assert ("rejects.jsonl" in both) == (out == "out" and not quiet)


def test_an_encoding_is_hinted_at(capsys):
    error, _ = told(capsys, "dedup", "latin.csv", "-o", "out", "-q")
    assert "20 of 40 rows are rejected, the first of them latin.csv:3: column 'text' is not valid UTF-8" in error
    assert "--encoding cp1252" in error
    assert not told(capsys, "dedup", "latin.csv", "-o", "two", "-q", "--encoding", "cp1252")[0]


@pytest.mark.parametrize("name", ["kyiv.csv", "kyiv.jsonl", "kyiv.txt"])
def test_bytes_that_the_encoding_does_not_have_are_said_to_be_none_of_it(capsys, name):
    """And not to be no UTF-8, which the file may well be, at a place that only the decoded bytes have."""
    text = "Поромна компанія обіцяє чотири рейси"
    written = {"csv": f"text\n{text}\nferry\n", "txt": text, "jsonl": f'{{"text": "{text}"}}\n{{"text": "ferry"}}\n'}
    Path(name).write_text(written[name[5:]], encoding="utf-8")
    error, _ = told(capsys, "dedup", name, "-o", "out", "--encoding", "ascii", code=int(name == "kyiv.txt"))
    assert "is not valid in its encoding, ascii" in error
    assert "UTF-8" not in error
    assert "--encoding cp1252" in error


@pytest.mark.parametrize(
    ("last", "said"), [("also none", "instead of JSON Lines"), ('{"text": null}', "name other columns")]
)
def test_another_format_is_hinted_at_only_where_no_line_is_json(capsys, last, said):
    Path("table.jsonl").write_text(f"id text\n1 one\n2 two\n{last}\n")
    error, _ = told(capsys, "dedup", "table.jsonl", "-o", "out", code=1)
    assert "all 4 were rejected" in error
    assert said in error


def test_other_commands_say_it_too(capsys):
    for command in (["index", "add", "news.db", "broken.jsonl"], ["sketch", "broken.jsonl", "-o", "sketches.parquet"]):
        error, _ = told(capsys, *command, "-q")
        assert "note: 1 of 41 rows is rejected, broken.jsonl:41: " in error


@pytest.mark.parametrize(
    ("rows", "options", "hint"),
    [
        ([{"text": "x" * 300}, {"text": "y"}], {"max_text": 200}, "--max-text 1GB"),
        ([{"id": 1, "text": "x"}, {"id": 1, "text": "y"}], {}, "--id none"),
        ("a,text\n" + "x;1,2,3,4\n" * 3 + "x,fine\n", {}, "--delimiter"),
    ],
)
def test_what_mends_it_is_said(rows, options, hint):
    if isinstance(rows, str):
        Path("in.csv").write_text(rows)
        rows = Path("in.csv")
    with pytest.warns(UserWarning, match=hint) as caught:
        dupdetect.dedup(rows, **options)
    assert len(caught) == 1


def test_what_no_option_mends_gets_no_hint(capsys):
    with pytest.warns(UserWarning, match="rejected, row 1: column 'text' is null, expected a string; with strict"):
        dupdetect.dedup([{"text": "x"}, {"text": None}])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dupdetect.dedup(Path("good.jsonl"))
