"""A finished run that is repeated with --resume writes the same; any other command does not replace it."""

import json

import pytest

from dupdetect.cli.main import main

WORDS = ("dog", "cat", "cow")
TEXTS = [f"the {word} was seen by the harbour on a cold morning before the ferry left" for word in WORDS]


@pytest.fixture(autouse=True)
def news(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        rows = (json.dumps({"id": f"{name}{at}", "body": text, "text": text}) + "\n" for at, text in enumerate(TEXTS))
        (tmp_path / f"{name}.jsonl").write_text("".join(rows))
    assert main(["dedup", "b.jsonl", "-o", "earlier", "-q", "--sketches"]) == 0
    assert main(["dedup", "a.jsonl", "-o", "other", "-q", "--sketches"]) == 0


BASE = ["a.jsonl", "--sketches"]

OTHER = {
    "another input": ["b.jsonl", "--sketches"],
    "more inputs": ["a.jsonl", "b.jsonl", "--sketches"],
    "a setting": [*BASE, "--threshold", "0.7"],
    "a column": [*BASE, "--text", "body"],
    "numbered rows": [*BASE, "--id", "none"],
    "names before ids": [*BASE, "--id-prefix", "file"],
    "a format": [*BASE, "--format", "csv"],
    "no sketches": ["a.jsonl"],
    "strict": [*BASE, "--strict"],
    "shorter texts": [*BASE, "--max-text", "10kB"],
    "an earlier output": [*BASE, "--against", "earlier"],
}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


@pytest.mark.parametrize("base", [BASE, [*BASE, "--against", "earlier"]], ids=["alone", "against"])
def test_the_same_command_again(tmp_path, base):
    command = ["dedup", *base, "-o", "out", "-q", "--resume"]
    assert main(command) == 0
    before = contents(tmp_path / "out")
    assert main(command) == 0
    assert main([*command, "--workers", "1", "--memory", "1GB"]) == 0
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("other", OTHER)
def test_another_command_does_not_replace_it(tmp_path, capsys, other):
    assert main(["dedup", *BASE, "-o", "out", "-q", "--resume"]) == 0
    before = contents(tmp_path / "out")
    assert main(["dedup", *OTHER[other], "-o", "out", "-q", "--resume"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("against", [[], ["--against", "other"], ["--against", "earlier", "--against", "other"]])
def test_another_earlier_output_is_another_command(tmp_path, capsys, against):
    assert main(["dedup", *BASE, "-o", "out", "-q", "--resume", "--against", "earlier"]) == 0
    before = contents(tmp_path / "out")
    assert main(["dedup", *BASE, "-o", "out", "-q", "--resume", *against]) == 1
    assert contents(tmp_path / "out") == before


def test_an_input_that_was_changed_since_is_another(tmp_path, capsys):
    assert main(["dedup", *BASE, "-o", "out", "-q", "--resume"]) == 0
    before = contents(tmp_path / "out")
    (tmp_path / "a.jsonl").write_text((tmp_path / "b.jsonl").read_text())
    assert main(["dedup", *BASE, "-o", "out", "-q", "--resume"]) == 1
    assert contents(tmp_path / "out") == before


def test_a_repeated_command_may_write_more(tmp_path):
    assert main(["dedup", "a.jsonl", "-o", "out", "-q", "--resume"]) == 0
    before = contents(tmp_path / "out")
    for _ in range(2):
        assert main(["dedup", "a.jsonl", "-o", "out", "-q", "--resume", "--annotate"]) == 0
        after = contents(tmp_path / "out")
        assert after.pop("annotated.parquet")
        assert after == before


KEPT = [[], ["--kept", "csv"], ["--kept", "none"], ["--columns", "id,text"], ["--annotate"]]


@pytest.mark.parametrize("first", KEPT, ids=" ".join)
@pytest.mark.parametrize("then", KEPT, ids=" ".join)
def test_rows_that_stay_are_not_removed_by_a_repeated_command(tmp_path, capsys, first, then):
    assert main(["dedup", "a.jsonl", "-o", "out", "-q", "--resume", *first]) == 0
    before = contents(tmp_path / "out")
    if first == then or (first, then) == ([], ["--annotate"]):
        assert main(["dedup", "a.jsonl", "-o", "out", "-q", "--resume", *then]) == 0
        assert before.items() <= contents(tmp_path / "out").items()
        return
    assert main(["dedup", "a.jsonl", "-o", "out", "-q", "--resume", *then]) == 1
    assert "out: exists already; name another folder, or overwrite it" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before


def test_pairs_alone_do_not_replace_all_tables_but_themselves(tmp_path, capsys):
    assert main(["dedup", "a.jsonl", "-o", "out", "-q", "--resume"]) == 0
    before = contents(tmp_path / "out")
    assert main(["dedup", "a.jsonl", "-o", "out", "-q", "--resume", "--pairs-only"]) == 1
    assert "exists already" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before
    for _ in range(2):
        assert main(["dedup", "a.jsonl", "-o", "pairs", "-q", "--resume", "--pairs-only"]) == 0
    assert main(["dedup", "a.jsonl", "-o", "pairs", "-q", "--resume"]) == 1
