"""What the command on Spark is given to read and to write: twice, in one another, in folders, in other formats."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.main import main as local
from dupdetect.cli.spark import main

pytestmark = pytest.mark.usefixtures("spark")

STORY = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
TEXTS = [STORY, STORY.upper(), "今日は港の橋が閉鎖された。", "الجسر مغلق اليوم", "☂☂ ☂", "☂☂ ☂", "", "Nothing like it."]


def lines(folder, name):
    """Return the lines of a table, of one machine or of Spark, in order."""
    path = folder / f"{name}.jsonl"
    files = sorted(path.glob("part-*")) if path.is_dir() else [path]
    return sorted(line for file in files for line in file.read_text().splitlines())


def rows_of(path, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


@pytest.fixture
def stories(tmp_path):
    rows = [{"id": f"a{n}", "text": text, "meta": {"from": "ab"[n % 2]}} for n, text in enumerate(TEXTS)]
    return rows_of(tmp_path / "in" / "stories.jsonl", rows)


@pytest.mark.parametrize(
    "options",
    [["--id-prefix", "file"], ["--prefer", "meta.from=b,a", "--within", "meta.from"], ["--id", "none"]],
    ids=" ".join,
)
def test_what_is_read_is_what_one_machine_reads(stories, tmp_path, options):
    """A file that is named twice, in a folder and by itself; fields of nested columns."""
    out, here = tmp_path / "out", tmp_path / "here"
    given = ["dedup", str(stories.parent), str(stories), *options, "--format", "jsonl", "--quiet"]
    assert main([*given, "-o", str(out)]) == 0
    assert local([*given, "-o", str(here)]) == 0
    for name in ("clusters", "matches", "rejects"):
        assert lines(out, name) == lines(here, name)
    assert len(lines(out, "rejects")) == (0 if "none" in options else len(TEXTS))  # numbers repeat nothing
    kept = "".join(path.read_text() for path in sorted((here / "kept").rglob("*.jsonl")))
    assert lines(out, "kept") == sorted(kept.splitlines())
    assert len(lines(out, "kept")) > 4
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (out, here)]
    assert manifests[0]["columns"] == manifests[1]["columns"]


def test_a_parquet_file_is_read_once(tmp_path, capsys):
    path = tmp_path / "in" / "a.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"id": range(8), "text": TEXTS}), path)
    for names in ([path, path], [path.parent, path]):
        assert main(["dedup", *map(str, names), "-o", str(tmp_path / "out")]) == 1
        assert f"{path} is named twice" in capsys.readouterr().err


def test_folders_of_a_value_are_text(tmp_path):
    for value in ("1", "01"):
        (tmp_path / "in" / f"day={value}").mkdir(parents=True)
        ids = [f"{value}-{n}" for n in range(8)]
        pq.write_table(pa.table({"id": ids, "text": TEXTS}), tmp_path / "in" / f"day={value}" / "a.parquet")
    given = ["dedup", str(tmp_path / "in"), "--within", "day", "--format", "jsonl", "--quiet"]
    assert main([*given, "-o", str(tmp_path / "out")]) == 0
    assert local([*given, "-o", str(tmp_path / "here")]) == 0
    assert lines(tmp_path / "out", "clusters") == lines(tmp_path / "here", "clusters")


def test_nothing_is_written_over_that_stays(stories, tmp_path, capsys):
    out, kept = tmp_path / "out", tmp_path / "out" / "kept.jsonl"
    assert main(["dedup", str(stories), "-o", str(out), "--quiet"]) == 0
    for path in kept.glob("part-*"):  # by the names that Spark gives them nobody knows what they are
        path.rename(path.with_suffix(".jsonl"))
    before = {path: path.read_bytes() for path in kept.glob("part-*")}
    shelf = rows_of(tmp_path / "shelf" / "texts", [{"id": 1}])
    for inputs, options, said in [
        (next(iter(before)), ["-o", out, "--overwrite"], "is an input, and would be replaced"),
        (stories, ["-o", tmp_path / "new", "--work", stories.parent], "is an input, and would be replaced"),
        (stories, ["-o", tmp_path / "new", "--work", shelf.parent], "holds something else than the work of a run"),
        (stories, ["-o", tmp_path / "new", "--work", tmp_path / "new" / "work"], "are in one another"),
        (stories, ["-o", out, "--overwrite", "--format", "jsonl"], "clusters.parquet is of a run in other formats"),
        (stories, ["-o", out], "exists already"),
    ]:
        assert main(["dedup", str(inputs), *map(str, options)]) == 1, said
        assert said in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in kept.glob("part-*")}
    assert shelf.read_text() == '{"id": 1}\n'
    assert not (tmp_path / "new").exists()


def test_work_on_other_bytes_is_not_gone_on_with(stories, tmp_path, capsys):
    given = ["dedup", str(stories), "-o", str(tmp_path / "out"), "--quiet"]
    assert main(given) == 0
    rows = stories.read_text().splitlines()
    stories.write_text("\n".join([rows[-1], *rows[:-1]]) + "\n")
    assert main([*given, "--resume", "--overwrite"]) == 1
    assert "was begun with inputs" in capsys.readouterr().err


def test_who_takes_an_earlier_place_is_written(stories, tmp_path):
    earlier = [{"id": "e1", "text": STORY, "date": "2024-01-01"}]
    dupdetect.dedup(earlier, canonical="latest", sketches=True).write(tmp_path / "monday")
    night = rows_of(tmp_path / "night.jsonl", [{"id": "n1", "text": STORY.upper(), "date": "2024-01-02"}])
    given = ["dedup", str(night), "--against", str(tmp_path / "monday"), "--canonical", "latest", "--format", "jsonl"]
    assert main([*given, "-o", str(tmp_path / "out"), "--quiet"]) == 0
    assert local([*given, "-o", str(tmp_path / "here"), "--quiet"]) == 0
    assert lines(tmp_path / "out", "superseded") == lines(tmp_path / "here", "superseded")
    assert len(lines(tmp_path / "out", "superseded")) == 1
