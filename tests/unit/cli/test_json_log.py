"""A run as lines for programs: each is JSON, all that should be there is, and standard error has nothing else."""

from __future__ import annotations

import json
import os
import signal
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeResult, started

import dupdetect
from dupdetect.cli import main as cli
from dupdetect.cli import progress
from dupdetect.cli.json_log import Log
from dupdetect.errors import InputError
from dupdetect.pipeline import progress as stages

Lines = list[dict[str, Any]]


def run(*arguments: str | Path) -> int:
    return cli.main([str(argument) for argument in arguments])


def parsed(text: str) -> Lines:
    """Read lines, each of which must be a JSON object with time and event, in order of time."""
    assert text.isascii()
    lines = [json.loads(line) for line in text.splitlines()]
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    assert times == sorted(times)
    assert all(time.utcoffset() == timedelta(0) for time in times)
    assert all(list(line)[:2] == ["time", "event"] for line in lines)
    return lines


def told(capsys: pytest.CaptureFixture[str]) -> Lines:
    return parsed(capsys.readouterr().err)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace `dedup` by one that tells of two stages, warns, and raises what it is given under "error"."""
    given: dict[str, Any] = {}

    def fake(_: Any, *, progress: Any = None, **__: Any) -> FakeResult:
        if progress:
            for done in (0, 0):
                progress("read", done, 0)
            for done in range(6):
                progress("sign", done, 6)
        if "error" in given:
            raise given["error"]
        if progress:
            progress("sign", 6, 6)
        warnings.warn("très lent, 遅い", stacklevel=2)
        return FakeResult()

    monkeypatch.setitem(vars(dupdetect), "dedup", fake)
    warnings.simplefilter("always")
    return given


def test_a_run_is_told_from_start_to_end(
    library: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    assert run("dedup", "a.parquet", "新聞.jsonl", "-o", tmp_path / "out", "--log-json") == 0
    out, err = capsys.readouterr()
    lines = parsed(err)
    said = [(line["event"], line.get("stage"), line.get("state"), line.get("done")) for line in lines]
    assert said == [
        ("start", None, None, None),
        ("stage", "read", "begin", 0),
        ("stage", "read", "end", 0),
        ("stage", "sign", "begin", 0),
        *(("progress", "sign", None, done) for done in range(1, 6)),
        ("stage", "sign", "end", 6),
        ("note", None, None, None),
        ("stage", "write", "begin", 0),
        ("stage", "write", "end", 1),
        ("end", None, None, None),
    ]
    start, end, note = lines[0], lines[-1], lines[-4]
    assert (start["command"], start["inputs"]) == ("dedup", ["a.parquet", "新聞.jsonl"])
    assert (start["version"], start["output"]) == (dupdetect.__version__, str(tmp_path / "out"))
    assert note["message"] == "très lent, 遅い"
    assert end["exit_code"] == 0
    assert {name: end[name] for name in ("counts", "timings", "caps")} == {
        name: FakeResult().manifest[name] for name in ("counts", "timings", "caps")
    }
    assert end["peak"] >= end["memory"] > 1 << 20
    assert end["seconds"] >= 0
    assert "Largest clusters" in out  # the summary is people's, as ever


def test_a_line_about_a_stage_has_all_its_numbers(
    library: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", "--log-json", "--quiet") == 0
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line for line in parsed(err) if line["event"] in ("stage", "progress")]
    fields = ["time", "event", "stage", "state", "done", "total", "rate", "seconds", "memory"]
    assert all(list(line) == fields for line in lines)
    by_stage = {line["stage"]: line for line in lines}  # the last line of each
    assert by_stage["read"]["total"] is by_stage["read"]["rate"] is None
    sign = by_stage["sign"]
    assert sign["total"] == 6
    assert sign["rate"] == pytest.approx(6 / sign["seconds"], rel=0.5) if sign["seconds"] else sign["rate"] > 0
    assert sign["memory"] > 1 << 20


def test_progress_comes_every_few_seconds_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [0.0]
    monkeypatch.setattr(stages, "perf_counter", lambda: now[0])
    log = Log()
    log.open(str(tmp_path / "log"))
    with progress.progress_shown(True, log.tell) as relay:
        assert relay is not None
        for done in range(1000):
            now[0] = done / 64
            relay("sign", done, 1000)
    log.close(0)
    lines = parsed((tmp_path / "log").read_text())
    assert [line["done"] for line in lines if line["event"] == "progress"] == [320, 640, 960]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("новости.csv: no column 'body'\x1b[2J"), 1, "новости.csv: no column 'body'\x1b[2J"),
        (FileNotFoundError(2, "No such file or directory", "x"), 1, "x: No such file or directory"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was left half-written"),
        (MemoryError(), 1, "out of memory; give fewer documents at a time or use a larger machine"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_an_error_is_a_line_and_the_exit_code_stays(
    error: BaseException,
    code: int,
    message: str,
    in_file: bool,
    library: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "discard", lambda _: None)  # pytest's own stdout must live on
    library["error"] = error
    where = ["--log-file", tmp_path / "log"] if in_file else ["--log-json"]
    assert run("dedup", "x", "-o", tmp_path / "out", *where) == code
    out, err = capsys.readouterr()
    lines = parsed((tmp_path / "log").read_text() if in_file else err)
    assert out == ""
    if in_file:  # people are told as ever
        assert err.startswith("dupdetect: ")
        assert len(err.splitlines()) == 1
    stage, last, end = lines[-3:]
    assert (stage["stage"], stage["state"], stage["done"]) == ("sign", "end", 5)
    assert (last["event"], last["message"], last["exit_code"]) == ("error", message, code)
    assert (end["event"], end["exit_code"]) == ("end", code)
    assert "counts" not in end


def test_an_error_nobody_foresaw_has_its_traceback_in_the_line(
    library: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library["error"] = ZeroDivisionError("a mistake of ours")
    assert run("dedup", "x", "-o", tmp_path / "out", "--log-json") == 1
    *_, error, end = told(capsys)
    assert error["message"] == "ZeroDivisionError: a mistake of ours"
    assert "Traceback" in error["traceback"]
    assert end["exit_code"] == 1
    with pytest.raises(ZeroDivisionError):
        run("dedup", "x", "-o", tmp_path / "out", "--log-file", tmp_path / "log")
    assert parsed((tmp_path / "log").read_text())[-1]["exit_code"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "1.5"], "threshold is 1.5"),
        (["--threshold", "high"], "'high' is not a valid float"),
        (["--memory", "2"], "'2' is no size: give a number and its unit"),
        (["--quiet", "--verbose"], "contradict"),
    ],
)
def test_wrong_usage_is_a_line_too(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", *arguments, "--log-json") == 2
    *_, error, end = told(capsys)
    assert message in error["message"]
    assert (error["exit_code"], end["exit_code"]) == (2, 2)


@pytest.mark.parametrize("flag", [[], ["before"], ["after"]])
def test_a_file_is_appended_to(
    flag: list[str], library: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "журнал.log"
    for name in ("first", "second"):
        arguments = ["--log-json"] * ("before" in flag) + ["--log-file", log] + ["--log-json"] * ("after" in flag)
        assert run("dedup", "x", "-o", tmp_path / name, *arguments) == 0
        assert capsys.readouterr().err == "dupdetect: note: très lent, 遅い\n"
    assert [line["event"] for line in parsed(log.read_text())].count("end") == 2


def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    library: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", "--log-file", tmp_path) == 1
    assert f"{tmp_path}: cannot be written as a log (Is a directory)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "held", ['{"id": "a", "text": "Прилив в семь утра."}\n', "id,text\na,潮\n", "PAR1", "\n", "\0"]
)
def test_a_file_that_holds_something_else_is_no_log_and_stays_as_it_is(
    held: str, library: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An input was appended to: its last rows were then those of the log."""
    file = tmp_path / "tides.jsonl"
    file.write_text(held, encoding="utf-8")
    assert run("dedup", file, "-o", tmp_path / "out", "--log-file", file) == 1
    assert f"{file}: this file is there and is no log" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == held
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_ends_the_log_and_not_the_run(
    library: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", "--log-file", "/dev/full") == 0
    note = "dupdetect: note: /dev/full: the log ends here (No space left on device)\n"
    assert note in capsys.readouterr().err
    assert (tmp_path / "out").is_dir()


def test_without_a_log_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    assert not log
    log.write("note", message="never seen")
    log.found(counts=1)
    log.close(0)
    assert capsys.readouterr() == ("", "")


# In a process of its own


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_told(tmp_path: Path, sent: int, code: int) -> None:
    body = "progress('sign', 0, 9); print('working', flush=True); time.sleep(60)"
    with started(tmp_path / "driver.py", body, "dedup", "x", "-o", tmp_path / "out", "--log-json") as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"working\n"
        run.send_signal(sent)
        _, err = run.communicate(timeout=120)
    lines = parsed(err.decode())
    assert run.returncode == code
    assert [line["event"] for line in lines] == ["start", "stage", "stage", "error", "end"]
    assert lines[-1]["exit_code"] == code


def test_a_reader_of_the_log_that_left_does_not_end_the_run(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    body = "progress and progress('sign', 0, 9); warnings.warn('nobody reads this either')"
    arguments = ["dedup", "x", "-o", tmp_path / "out", "--log-json"]
    with started(tmp_path / "driver.py", body, *arguments, stderr=writing) as run:
        os.close(writing)
        out, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    assert b"Largest clusters" in out


def test_there_are_no_bars_beside_lines(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    body = "[progress('sign', n, 9) for n in range(10)]"
    arguments = ["dedup", "x", "-o", tmp_path / "out", "--log-json"]
    with started(tmp_path / "driver.py", body, *arguments, stderr=theirs) as run:
        os.close(theirs)
        run.communicate(timeout=120)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert [line["event"] for line in parsed(shown.decode().replace("\r\n", "\n"))] == [
        "start",
        *["stage"] * 4,
        "end",
    ]
