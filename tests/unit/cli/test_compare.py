"""`dupdetect compare` and `dupdetect explain`: what a person, and a program, gets of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dupdetect
from dupdetect.cli import main as cli
from dupdetect.reports.explain import Explanation

STORY = (
    "The harbour bridge was closed on Monday after an inspection found deep cracks in two of its pillars. Engineers of "
    "the county will look at them by boat before the end of the week, and until then buses take the long way round."
)
TEXTS = {"story": STORY, "told": STORY.replace("Monday", "Tuesday"), "else\x1b[31m": "Of all this nothing is known."}


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    code = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def fails(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert out == ""
    return code, err


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name, text in (("a.txt", STORY), ("b.txt", f"Home\nNews\n{TEXTS['told']}\n")):
        (tmp_path / name).write_text(text)
    rows = [json.dumps({"id": id, "text": text}) for id, text in TEXTS.items()]
    (tmp_path / "docs.jsonl").write_text("\n".join(rows))
    dupdetect.dedup(Path("docs.jsonl"), threshold=0.7, canonical="first").write("out")
    return tmp_path


def test_compare_shows_figures_and_both_texts(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "compare", "a.txt", "b.txt").splitlines()
    assert lines[0] == "a.txt is contained in b.txt."
    assert "  passages      1 with 42 words" in lines
    assert "  removable     neither: more of each would be lost than may be (max_lost)" in lines
    assert lines[8:] == [
        "= of both   < of the first alone   > of the second alone   ~ boilerplate, or short lines",
        "< a.txt",
        "> b.txt",
        "> Home",
        "> News",
        "── passage 1: 42 words, similarity 0.98 ──",
        "= The harbour bridge was closed on [-Monday-]{+Tuesday+} after an inspection",
        "= found deep cracks in two of its pillars. Engineers of the county will look at",
        "= them by boat before the end of the week, and until then buses take the long",
        "= way round.",
    ]


def test_what_is_inside_and_no_copy_is_told_what_else_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """A word of a short text was changed: most of it is in the other, and yet the two are no match."""
    words = STORY.split()[:31]
    edited = " ".join([*words[:27], "wide", *words[28:]])
    line = run(capsys, "compare", "--literal", " ".join(words), edited).splitlines()[0]
    assert line.startswith("A and B are no copies of each other. So much makes the smaller a copy only if it has 16 ")
    assert "max_lost" in line
    line = run(capsys, "compare", "--literal", " ".join(words[:12]), STORY).splitlines()[0]
    assert "only if it has 16 shingles, and a run finds the two by a band" in line
    assert run(capsys, "compare", "--literal", "a b", "c d").splitlines()[0] == "A and B are no copies of each other."


def test_compare_side_by_side_and_not_at_all(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "passage 1" not in run(capsys, "compare", "a.txt", "b.txt", "--view", "none")
    beside = run(capsys, "compare", "a.txt", "b.txt", "--view", "side")
    assert "= The harbour bridge was closed on" in beside
    monkeypatch.setenv("COLUMNS", "80")
    assert run(capsys, "compare", "a.txt", "b.txt", "--view", "side") == beside
    monkeypatch.setenv("COLUMNS", "120")
    assert run(capsys, "compare", "a.txt", "b.txt") == run(capsys, "compare", "a.txt", "b.txt", "--view", "side")


def test_compare_json_has_all_fields_and_the_passages(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(run(capsys, "compare", "a.txt", "b.txt", "--json"))
    found = dupdetect.compare(STORY, (files / "b.txt").read_text())
    assert values == {"a": "a.txt", "b": "b.txt", **found.as_dict()}
    assert values["passages"][0]["words"] == 42


def test_compare_takes_the_texts_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "compare", "--literal", STORY, f"\x1b[31m{STORY}")
    assert out.startswith("A is contained in B.") or "A and B" in out
    assert "\x1b" not in out


def test_compare_takes_ids_of_a_run(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(run(capsys, "compare", "--in", "out", "story", "told", "--json"))
    assert values["jaccard"] == dupdetect.compare(STORY, TEXTS["told"]).jaccard
    (files / "docs.jsonl").rename(files / "moved.jsonl")
    code, err = fails(capsys, "compare", "--in", "out", "story", "told")
    assert code == 1
    assert "the text of 'told' was not found: the run did not keep it; give the input" in err
    found = run(capsys, "compare", "--in", "out", "story", "told", "--input", "moved.jsonl", "--json")
    assert json.loads(found) == values


def test_compare_in_a_run_has_its_settings_and_those_given(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dupdetect.dedup(Path("docs.jsonl"), shingle_size=2, canonical="first").write("pairs")
    values = json.loads(run(capsys, "compare", "--in", "pairs", "story", "told", "--json"))
    assert values["jaccard"] == dupdetect.compare(STORY, TEXTS["told"], shingle_size=2).jaccard
    other = json.loads(run(capsys, "compare", "--in", "pairs", "story", "told", "--json", "--shingle-size", "5"))
    assert other["jaccard"] == dupdetect.compare(STORY, TEXTS["told"]).jaccard


@pytest.mark.parametrize(
    "arguments",
    [
        ["--in", "out", "--literal", "a", "b"],
        ["--input", "docs.jsonl", "a", "b"],
        ["--view", "slanted", "a", "b"],
        ["-", "-"],
    ],
)
def test_compare_refuses_what_contradicts_itself(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert fails(capsys, "compare", *arguments)[0] == 2


def test_explain_says_why_and_shows_both(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run(capsys, "explain", "out", "told").splitlines()
    assert lines[0] == "'told' was removed: it is a near duplicate of 'story', which was kept."
    assert lines[1].startswith("Score 0.77")
    assert lines[3] == "  cluster       story, 2 documents"
    assert lines[4].startswith("  match         story: a near duplicate, score 0.77")
    assert "  passages      1 passage with 42 words" in lines
    assert "= The harbour bridge was closed on [-Tuesday-]{+Monday+} after an inspection" in lines


def test_explain_of_a_run_that_kept_it(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "explain", "out", "else\x1b[31m")
    assert r"'else\x1b[31m' was kept: no other document matches it." in out.splitlines()[0]
    assert "\x1b" not in out
    assert "'story' was kept" in run(capsys, "explain", "out", "story", "--view", "none")


def test_explain_json_is_what_the_library_says(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "explain", "out", "told", "--json")) == dupdetect.explain("out", "told").as_dict()


def test_explain_of_an_unknown_id(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, err = fails(capsys, "explain", "out", "tol")
    assert code == 1
    assert "out has no document 'tol'; ids near it are 'told'" in err


def test_an_explanation_reads_as_a_sentence() -> None:
    found = dupdetect.explain(dupdetect.dedup(TEXTS, threshold=0.7, canonical="first"), "told")
    assert isinstance(found, Explanation)
    assert str(found) == f"{found.why} {found.otherwise}"
    assert "relation='near_duplicate'" in repr(found)


def test_compare_of_what_is_no_file_says_how_else(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, err = fails(capsys, "compare", "a text", "docs.jsonl")
    assert code == 1
    assert "a text: there is no such file; with --literal, A and B are texts, with --in OUT they are ids" in err
