"""Where the command writes to: one file, standard output, a folder; and what it tells without writing."""

from __future__ import annotations

import bz2
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.results.single import Target

STORY = "Der Leuchtturmwärter schreibt jedes Schiff auf, das vorüberfährt, und jedes, das der Lampe nicht antwortet."
LINES = [
    '{"id": "a", "text": "' + STORY + '", "n": 1.10, "big": 18014398509481985}',
    '{"big":1,  "text":"' + STORY.upper() + '","id":"b"}',
    '{"id": "c", "n": null, "text": "Маяк молчит."}',
]


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(LINES), encoding="utf-8")  # the last line is not ended
    return path


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3], "text": [STORY, STORY, "Other."], "day": [7, 8, 9]}), path)
    return path


def test_rows_that_stay_go_to_standard_output_as_they_came(
    lines: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["dedup", str(lines), str(lines.with_name("in.jsonl")), "--id-prefix", "file", "-o", "-"]) == 0
    shown = capfdbinary.readouterr()
    assert shown.out.decode() == LINES[0] + "\n" + LINES[2] + "\n"
    assert "written to standard output" in shown.err.decode()
    assert [path.name for path in lines.parent.iterdir()] == ["in.jsonl"]


def test_tables_go_there_as_json_lines(table: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["dedup", str(table), "-o", "-", "-q", "--columns", "day,id"]) == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert rows == [{"day": 7, "id": 1}, {"day": 9, "id": 3}]


def test_who_reads_only_the_head_makes_no_error(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text(
        "".join(json.dumps({"text": f"{n} {STORY} {n * n}" * 9}) + "\n" for n in range(4000)), encoding="utf-8"
    )
    command = [sys.executable, "-m", "dupdetect", "dedup", str(path), "-o", "-", "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(120) == 0, said
    assert first.startswith(b'{"text": "0 ')
    assert said == b""


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("kept.jsonl", lambda path: path.read_bytes()),
        ("kept.ndjson.gz", lambda path: gzip.decompress(path.read_bytes())),
        ("kept.jsonl.bz2", lambda path: bz2.decompress(path.read_bytes())),
        ("kept.jsonl.zst", lambda path: pa.CompressedInputStream(pa.OSFile(str(path)), "zstd").read()),
    ],
)
def test_one_file_by_its_ending(name: str, read: Callable[[Path], bytes], lines: Path) -> None:
    assert main(["dedup", str(lines), "-o", name, "-q"]) == 0
    assert read(Path(name)).decode() == LINES[0] + "\n" + LINES[2] + "\n"
    assert sorted(path.name for path in lines.parent.iterdir()) == sorted(["in.jsonl", name])


def test_a_file_of_another_format_is_written(table: Path) -> None:
    for name in ("kept.csv", "kept.csv.gz", "kept.parquet"):
        assert main(["dedup", str(table), "-o", name, "-q"]) == 0
    assert pyarrow.csv.read_csv("kept.csv.gz")["day"].to_pylist() == [7, 9]
    assert pyarrow.csv.read_csv("kept.csv")["id"].to_pylist() == [1, 3]
    assert pq.read_table("kept.parquet").equals(pq.read_table(table).take([0, 2]))


def test_one_file_may_have_all_rows_with_their_verdict(table: Path) -> None:
    assert main(["dedup", str(table), "-o", "all.parquet", "--annotate", "--columns", "id", "-q"]) == 0
    found = pq.read_table("all.parquet")
    assert found.column_names == ["id", "cluster", "canonical", "relation", "score", "copies"]
    assert found["cluster"].to_pylist() == [1, 1, 3]


def test_a_folder_has_the_columns_that_were_asked_for(table: Path) -> None:
    assert main(["dedup", str(table), "-o", "out", "--columns", "id,day", "--annotate", "-q"]) == 0
    assert pq.read_table("out/kept.parquet").column_names == ["id", "day"]
    assert pq.read_table("out/annotated.parquet").column_names[:3] == ["id", "day", "cluster"]


def test_a_file_that_exists_is_replaced_only_if_asked(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("kept.csv").write_text("mine")
    assert main(["dedup", str(table), "-o", "kept.csv"]) == 1
    assert "kept.csv: exists already; name another file, or overwrite it" in capsys.readouterr().err
    assert Path("kept.csv").read_text() == "mine"
    assert main(["dedup", str(table), "-o", "kept.csv", "--overwrite", "-q"]) == 0
    assert Path("kept.csv").read_text().startswith('"id"')


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "kept.csv", "--sketches"], "--sketches is of an output folder; kept.csv is one file"),
        (["-o", "-", "--kept", "csv"], "--kept is of an output folder; - is one file"),
        (["-o", "kept.jsonl", "--format", "csv"], "--format is of an output folder; kept.jsonl is one file"),
        (["-o", "-", "--resume"], "--resume with -o - needs a folder for the work"),
        (["-o", "out", "--sample", "5", "--resume"], "--sample reads the first rows alone"),
        (["-o", "out", "--columns", ","], "--columns names no column"),
        ([], "Missing option '-o' / '--output': where to write; or give --dry-run"),
    ],
)
def test_what_goes_together_with_what(
    options: list[str], message: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dedup", str(table), *options]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_what_cannot_be_written_is_told_at_the_door(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dedup", str(table), "-o", "out", "--columns", "id,date"]) == 1
    assert "there is no column 'date' to be written; the columns are 'id', 'text', 'day'" in capsys.readouterr().err
    assert main(["dedup", str(table), "-o", "kept.parquet.gz"]) == 1
    assert "Parquet is compressed within" in capsys.readouterr().err


def test_folders_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "old.csv").mkdir()
    assert Target.of(tmp_path / "old.csv") is None
    assert Target.of("out") is None
    assert Target.of("out.zst") is None
    assert Target.of("Kept.CSV.GZ") == ("Kept.CSV.GZ", "csv", "gzip")


def test_a_sample_is_the_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        rows = [{"id": f"{number}-{row}", "text": f"{row} {STORY}" if row != 2 else None} for row in range(5)]
        Path(f"{number}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(["dedup", "0.jsonl", "1.jsonl", "2.jsonl", "-o", "out", "--sample", "7", "-q", "--threshold", "1"]) == 0
    assert pq.read_table("out/clusters.parquet")["id"].to_pylist() == ["0-0", "0-1", "0-3", "0-4", "1-0", "1-1"]
    assert main(["dedup", "0.jsonl", "-o", "-", "--sample", "2", "--text", "body"]) == 1


def test_a_dry_run_tells_what_a_run_would_do(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dedup", str(table), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "1 files," in shown
    assert "in.parquet: Parquet," in shown
    assert "The first 3 rows took" in shown
    assert "3 documents, 1 of them copies; 0 rows rejected" in shown
    assert "that is all" in shown
    assert [path.name for path in table.parent.iterdir()] == ["in.parquet"]


@pytest.mark.parametrize(
    "command",
    [
        ["dedup", "", "-o", "out"],
        ["sketch", "", "-o", "s.parquet"],
        ["verify", "out", ""],
        ["dedup", "in.parquet", "-o", "out", "--against", ""],
        ["report", "out", "--input", ""],
    ],
)
def test_a_name_that_is_empty_is_not_the_current_folder(
    table: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert main(command) == 2
    assert "one has an empty name; give a file or a folder" in capsys.readouterr().err
    assert [path.name for path in table.parent.iterdir()] == ["in.parquet"]


@pytest.mark.parametrize(("small", "compiled"), [(0, 1), (1 << 18, 0)])
def test_a_dry_run_of_little_waits_for_no_compiler(
    table: Path, monkeypatch: pytest.MonkeyPatch, small: int, compiled: int
) -> None:
    """It took a minute to say of forty rows that they take a fifth of a second."""
    asked: list[int] = []
    monkeypatch.setattr("dupdetect.pipeline.warm.warm", lambda: asked.append(1))
    monkeypatch.setattr("dupdetect.cli.dry_run.SMALL", small)
    assert main(["dedup", str(table), "--dry-run"]) == 0
    assert len(asked) == compiled


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet", "csv"])
def test_a_dry_run_estimates_all_from_the_first_rows(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = dupdetect.dedup([f"{n} {STORY} {n * 7}" for n in range(3000)], threshold=1.0)
    name = f"many.{ending}"
    assert data.rows.num_rows == 3000
    from dupdetect.results.single import write_single

    target = Target.of(name)
    assert target is not None
    write_single(data, target)
    assert main(["dedup", name, "--dry-run", "--sample", "500"]) == 0
    shown = capsys.readouterr().out
    (line,) = (line for line in shown.splitlines() if line.endswith("of text"))
    rows = int(line.split()[1].replace(",", ""))
    assert 2000 < rows < 4500, shown
    assert "in memory:" in shown
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_pairs_alone(table: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    run = ["dedup", str(table), "--pairs-only", "-q", "-o"]
    assert main([*run, "out"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["manifest.json", "matches.parquet", "rejects.jsonl"]
    assert main([*run, "pairs.csv"]) == 0
    assert pyarrow.csv.read_csv("pairs.csv")["relation"].to_pylist() == ["identical"]
    assert main([*run, "-"]) == 0
    (pair,) = map(json.loads, capfdbinary.readouterr().out.splitlines())
    assert (pair["a"], pair["b"], pair["jaccard"]) == (1, 2, 1.0)
    assert main([*run, "no", "--annotate"]) == 2
