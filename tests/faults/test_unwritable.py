"""What cannot be written is found before the work, and said in one sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.io import documents


@pytest.fixture
def news(tmp_path):
    path = tmp_path / "news.jsonl"
    path.write_text('{"text": "a text"}\n')
    return path


@pytest.fixture
def never_read(monkeypatch):
    def work(*_, **__):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(documents, "open_source", work)  # not `stream`, which others may import under this


def refused(capsys, *arguments):
    assert main([*map(str, arguments), "-q"]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.usefixtures("never_read")
@pytest.mark.parametrize("name", ["x" * 256, "é" * 128, "x" * 300 + "/out", "/proc/out", "/dev/null/out"])
@pytest.mark.skipif(sys.platform != "linux", reason="names places of Linux")
def test_a_place_that_cannot_be_written(news, tmp_path, capsys, name):
    assert str(tmp_path / name) in refused(capsys, "dedup", news, "-o", tmp_path / name)


@pytest.mark.usefixtures("never_read")
@pytest.mark.parametrize("out", [".", "..", "", "sub/.."])
def test_the_current_folder_and_those_above(news, tmp_path, capsys, monkeypatch, out):
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    monkeypatch.chdir(here)
    assert "is the current folder or above it" in refused(capsys, "dedup", news, "-o", out)


@pytest.mark.usefixtures("never_read")
def test_a_mount_point(news, tmp_path, capsys, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda _: True)
    assert "is a mount point" in refused(capsys, "dedup", news, "-o", tmp_path / "out")


@pytest.mark.usefixtures("never_read")
@pytest.mark.parametrize(("out", "work"), [("a", "a"), ("a/out", "a"), ("a", "a/work"), ("a/b/../out", "a")])
def test_output_and_work_folder_in_one_another(news, tmp_path, capsys, out, work):
    said = refused(capsys, "dedup", news, "-o", tmp_path / out, "--work", tmp_path / work)
    assert "are in one another" in said


@pytest.mark.usefixtures("never_read")
def test_a_file_of_sketches_that_cannot_be_written(news, tmp_path, capsys):
    assert "there is no folder" in refused(capsys, "sketch", news, "-o", tmp_path / "none" / "s.parquet")


@pytest.mark.parametrize("length", [1, 200, 250, 255])
def test_a_long_name_is_written_and_nothing_else_is_left(news, tmp_path, length):
    assert main(["dedup", str(news), "-o", str(tmp_path / ("x" * length)), "--resume", "-q"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["news.jsonl", "x" * length])


def test_the_size_that_help_offers_is_taken(news, tmp_path, capsys):
    main(["dedup", "--help"])
    offered = capsys.readouterr().out.split("Most memory to use, such as")[1].split("60%")[0]
    for size in offered.replace(" or", ",").split(","):
        if size.strip():
            assert main(["dedup", str(news), "-o", str(tmp_path / size.strip()), "--memory", size.strip(), "-q"]) == 0


STAYS = '{"id": 1, "text": "One text of some words."}\n{"id": 2, "text": "one text of some words"}\n'


@pytest.mark.parametrize(
    ("given", "out"),
    [
        ("in.jsonl", "in.jsonl"),
        ("in.jsonl", "./link.jsonl"),
        ("out/kept.jsonl", "out"),
        ("out/*.jsonl", "out"),
        ("in.jsonl out/kept.jsonl", "out/../out"),
    ],
)
def test_an_input_is_never_replaced(
    given: str, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text(STAYS)
    Path("link.jsonl").symlink_to("in.jsonl")
    assert main(["dedup", "in.jsonl", "-o", "out", "-q"]) == 0
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert main(["dedup", *given.split(), "-o", out, "--overwrite", "-q"]) == 1
    assert "is an input, and would be replaced; name another place" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    files = [Path(name) for name in given.split()]
    if out == "out" and Path(given).is_file():
        with pytest.raises(dupdetect.OutputError, match="is an input"):
            dupdetect.dedup(files).write(out, overwrite=True)
        assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_an_output_beside_its_input_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text(STAYS)
    for out in ("out", "kept.jsonl"):
        assert main(["dedup", "in.jsonl", "-o", out, "-q"]) == 0
        assert main(["dedup", "in.jsonl", "-o", out, "--overwrite", "-q"]) == 0


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("given", ["-", "in.jsonl", "./-"])
def test_standard_output_replaces_nothing(tmp_path: Path, given: str, overwrite: list[str]) -> None:
    for name in ("in.jsonl", "-"):
        (tmp_path / name).write_text(STAYS)
    command = [
        sys.executable,
        "-m",
        "dupdetect",
        "dedup",
        given,
        "-o",
        "-",
        "-q",
        "--input-format",
        "jsonl",
        *overwrite,
    ]
    ended = subprocess.run(command, cwd=tmp_path, input=STAYS, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, STAYS.splitlines(keepends=True)[0]), ended.stderr
    assert (tmp_path / "in.jsonl").read_text() == (tmp_path / "-").read_text() == STAYS


def test_what_is_missing_or_no_file_is_said(news: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dedup", str(news), "-o", str(tmp_path / "no/such/kept.jsonl")]) == 1
    assert f"there is no folder {tmp_path / 'no/such'}; make it" in capsys.readouterr().err
    os.mkfifo(tmp_path / "pipe")
    for place in ("/dev/null", str(tmp_path / "pipe")):
        assert main(["dedup", str(news), "-o", place]) == 1
        assert "expected a new folder; name another; - is standard output" in capsys.readouterr().err
    assert main(["dedup", str(news), "-o", str(news)]) == 1
    assert "standard output" not in capsys.readouterr().err


COMMANDS = [
    ("dupdetect.tune", "tune {news} --truth {news} -o"),
    ("dupdetect.tune", "tune {news} --truth {news} --curve", ".svg"),
    ("dupdetect.audit", "audit {out} {news} --html"),
    ("dupdetect.evaluate", "evaluate {out} --truth {news} --html"),
    ("dupdetect.reports.html.page", "report {out} -o"),
    ("dupdetect.index.listing.clusters", "index clusters {index} -o", ".csv"),
]


@pytest.mark.parametrize("given", COMMANDS, ids=[given[1].split("{")[0] for given in COMMANDS])
def test_what_a_command_cannot_write_it_does_not_work_for(news, tmp_path, capsys, monkeypatch, given):
    function, command, *ending = given
    out, index = tmp_path / "out", tmp_path / "x.dupindex"
    dupdetect.dedup(news).write(out)
    dupdetect.Index(index).close()

    def work(*_, **__):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(function, work)
    place = f"{tmp_path}/none/of{''.join(ending)}"
    assert main([*command.format(news=news, out=out, index=index).split(), place]) == 1
    said = capsys.readouterr().err
    assert f"{place}: there is no folder" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "none").exists()
    Path(place).mkdir(parents=True)
    assert main([*command.format(news=news, out=out, index=index).split(), place]) == 1
    assert re.search(f"{place}: (is a folder|the file exists)", capsys.readouterr().err)


def test_an_export_into_a_folder_that_is_there_is_refused_before_it_is_made(tmp_path, capsys, monkeypatch):
    dupdetect.Index(tmp_path / "x.dupindex").close()
    dupdetect.dedup(["a text"]).write(tmp_path / "out")
    monkeypatch.setattr("dupdetect.index.exchange.result", None)
    assert main(["index", "export", str(tmp_path / "x.dupindex"), "-o", str(tmp_path / "out")]) == 1
    assert "exists already" in capsys.readouterr().err
