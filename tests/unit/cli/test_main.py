"""The command, with a library behind it that does nothing: what it hands over, prints, and exits with."""

from __future__ import annotations

import dataclasses
import errno
import gc
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest
from fakes import FakeResult, started

import dupdetect
from dupdetect import __main__ as started_as
from dupdetect.cli import main as cli
from dupdetect.cli import summary
from dupdetect.errors import InputError, MismatchError, OutputError, SettingsError
from dupdetect.io.rows import Rows
from dupdetect.matching.compare import Comparison
from dupdetect.results.result import Result
from dupdetect.settings import POLICIES, Settings


@pytest.fixture
def dedup(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the library's `dedup`; the dict tells what it was called with."""
    seen: dict[str, Any] = {}

    def fake(data: Any, **options: Any) -> Any:
        seen.update(options, data=data)
        if "error" in seen:
            raise seen["error"]
        return seen.get("result") or FakeResult()

    monkeypatch.setitem(vars(dupdetect), "dedup", fake)
    return seen


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the library's `compare`; the dict tells what it was called with."""
    seen: dict[str, Any] = {}

    def fake(a: str, b: str, settings: Settings | None = None) -> Any:
        seen.update(a=a, b=b, settings=settings)
        shares = {"jaccard": 0.25, "containment_a": 0.5, "containment_b": 1 / 3, "score": 0.125}
        return Comparison(relation=seen.get("relation"), strangers=seen.get("strangers", False), **shares)

    monkeypatch.setitem(vars(dupdetect), "compare", fake)
    return seen


def run(*arguments: str | Path) -> int:
    return cli.main([str(argument) for argument in arguments])


# What reaches the library


def test_inputs_are_paths_and_options_are_handed_over(dedup: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("dedup", "a.parquet", "-", "-o", out, "--text", "body", "--id", "url", "--workers", "2") == 0
    assert dedup["data"] == [Path("a.parquet"), Path("-")]
    assert (dedup["text"], dedup["id"], dedup["workers"]) == ("body", "url", 2)
    assert dedup["strict"] is False
    assert run("dedup", "a.parquet", "-o", tmp_path / "other") == 0
    assert (dedup["text"], dedup["id"]) == ("text", None)
    assert dedup["settings"] == Settings()
    assert dedup["progress"] is None  # standard error is no terminal here


USUAL = {"data", "text", "id", "settings", "workers", "strict", "progress", "work"}


def test_what_was_not_given_is_not_handed_over(dedup: dict[str, Any], tmp_path: Path) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    assert dedup.keys() == USUAL
    assert dedup["work"] == tmp_path / ".out.work"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--memory", "1.5GB"], {"memory": 1_500_000_000}),
        (["--memory", "500 mib"], {"memory": 500 << 20}),
        (["--work", "große Platte/仕事"], {"work": "große Platte/仕事"}),
        (["--resume"], {"resume": True}),
        (["--sketches"], {"sketches": True}),
        (["--against", "mon", "--against", "вторник"], {"against": ("mon", "вторник")}),
    ],
)
def test_what_was_given_is_handed_over(
    dedup: dict[str, Any], tmp_path: Path, arguments: list[str], expected: dict[str, Any]
) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", *arguments) == 0
    assert dedup.pop("replaces", tmp_path / "out") == tmp_path / "out"
    assert {name: dedup[name] for name in dedup.keys() - (USUAL - expected.keys())} == expected


@pytest.mark.parametrize("name", sorted(cli.command.commands))
def test_every_option_is_in_help_with_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(name, "--help") == 0
    shown = capsys.readouterr().out
    for option in cli.command.commands[name].params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts[0]} has no help text"
            assert option.opts[0] in shown
    assert "Examples:" in shown


def test_every_setting_is_an_option_with_help_and_the_settings_own_default() -> None:
    options = {option.name: option for option in cli.dedup.params if isinstance(option, click.Option)}
    for field in dataclasses.fields(Settings):
        assert options[field.name].default == field.default
        assert options[field.name].help, f"--{field.name} has no help text"


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("shingle-size", "3", 3),
        ("unit", "character", "character"),
        ("num-perm", "64", 64),
        ("seed", "7", 7),
        ("threshold", "0.5", 0.5),
        ("containment", "0.9", 0.9),
        ("max-lost", "0", 0.0),
        ("bands", "16x8", (16, 8)),
        ("bands", "16X8", (16, 8)),
        ("window", "8", 8),
        *(("canonical", policy, policy) for policy in POLICIES),
    ],
)
def test_settings_arrive(dedup: dict[str, Any], tmp_path: Path, option: str, value: str, expected: object) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", f"--{option}", value) == 0
    assert getattr(dedup["settings"], option.replace("-", "_")) == expected


def test_canonical_column(dedup: dict[str, Any], tmp_path: Path) -> None:
    options = ["--canonical", "earliest", "--canonical-column", "published"]
    assert run("dedup", "x", "-o", tmp_path / "out", *options) == 0
    assert dedup["settings"].column == "published"


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_format(dedup: dict[str, Any], tmp_path: Path, format: str) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", "--format", format) == 0
    assert (tmp_path / "out" / f"clusters.{format}").exists()


# What is printed


def test_summary(
    dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[:-1] == [
        "6  documents",
        "2  clusters of two and more",
        "3  duplicates, 50.0% of the documents",
        "3  kept",
        "1  rejected rows, each with its reason in rejects.jsonl",
        "",
        "Largest clusters",
        "3 x a",
        "    The ferry was late.",
        "2 x b",
        "    A recipe for [bold]bread[/bold]",
        "",
        "Largest losses, in words that are neither in what is kept nor boilerplate",
        "12    4.0%  of e, for which a stands",
        " 3    1.5%  of d, for which b stands",
        "",
    ]
    assert f"written to {tmp_path / 'out'}: clusters.parquet" in lines[-1]


def test_digests_are_mentioned_where_there_are_any(
    dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dedup["result"] = FakeResult()
    dedup["result"].manifest["counts"]["digests"] = 2
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    said = capsys.readouterr().out.splitlines()
    assert "2  digest documents, each of several texts, listed in the table digests" in said


def test_verbose_adds_settings_and_timings(
    dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", "--verbose") == 0
    out = capsys.readouterr().out
    assert "  shingle_size: 5\n" in out
    assert "  read: 0.250 s\n" in out
    assert "  hot_keys: 0\n" in out
    assert re.search(r"  peak: \d+\.\d [MG]B\n", out)


def test_long_lines_end_where_the_terminal_does(
    dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    ids = ["https://example.org/" + "a" * 100, "b", "c", "d", "e", "f"]
    dedup["result"] = FakeResult(ids, ["漢" * 100, "second", "third"])
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    out = capsys.readouterr().out
    assert "3 x https://example.org/aaaaaaaaaaaaaaa…\n" in out
    assert "    " + "漢" * 17 in out  # each is two columns wide
    assert "漢" * 18 not in out


def test_caps_are_told(dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dedup["result"] = FakeResult()
    dedup["result"].manifest["caps"] = {"hot_keys": 1200}
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    assert "1,200 hot keys" in capsys.readouterr().out


def test_quiet_prints_nothing(dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("dedup", "x", "-o", tmp_path / "out", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_no_documents_is_no_division_by_zero(
    dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = FakeResult()
    result.clusters, result.rows = result.clusters.slice(0, 0), Rows.of(result.rows.table().slice(0, 0))
    dedup["result"] = result
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    assert "Largest" not in capsys.readouterr().out


def test_texts_and_ids_cannot_drive_the_terminal(
    dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    hostile = "\x1b[2J\x07 \u202e [red]"
    ids = [hostile, "b", "c", "d", "e", "f"]
    dedup["result"] = FakeResult(ids, [hostile, "second", "third"])
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    out = capsys.readouterr().out
    shown = r"\x1b[2J\x07 \u202e [red]"
    assert out.count(shown) == 3
    assert not set(out) & set("\x1b\x07\u202e")


def test_the_largest_clusters_are_the_first_groups() -> None:
    fake = FakeResult(["e", "b", "a", "d", "c", "f"])
    result = Result(*[fake.clusters] * 3, fake.rows, *[fake.clusters] * 2, fake.manifest)
    largest = summary.largest_clusters(result)
    assert [(c.size, c.canonical) for c in largest] == [(len(g), g.canonical) for g in result.groups()]
    assert [c.canonical for c in summary.largest_clusters(result, count=1)] == ["e"]


def test_ids_need_not_be_strings() -> None:
    largest = summary.largest_clusters(FakeResult([1, 2, 3, 4, 5, 6]))  # type: ignore[arg-type]
    assert [(c.size, c.canonical, c.text) for c in largest] == [
        (3, 1, "The ferry was late."),
        (2, 2, "A recipe for [bold]bread[/bold]"),
    ]


def test_text_column_may_be_missing_from_kept() -> None:
    largest = summary.largest_clusters(FakeResult(), text="body")  # type: ignore[arg-type]
    assert [c.text for c in largest] == [None, None]


# compare


@pytest.fixture
def two_files(tmp_path: Path) -> tuple[Path, Path]:
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    a.write_text("The ferry was late.", encoding="utf-8")
    b.write_text("\ufeffThe ferry, again.", encoding="utf-8")
    return a, b


@pytest.mark.parametrize(
    ("relation", "words"),
    [
        ("identical", "have the same words"),
        ("near_duplicate", "are near duplicates"),
        ("contains", "a.txt contains"),
        ("contained", "is contained in"),
        (None, "are no copies of each other"),
    ],
)
def test_compare_says_the_relation_in_words(
    compare: dict[str, Any],
    two_files: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    relation: str | None,
    words: str,
) -> None:
    compare["relation"] = relation
    assert run("compare", *two_files) == 0
    out = capsys.readouterr().out
    assert words in out.splitlines()[0]
    assert "0.250" in out
    assert "0.333" in out
    assert (compare["a"], compare["b"]) == ("The ferry was late.", "The ferry, again.")


def test_compare_says_what_the_score_is_held_against(
    compare: dict[str, Any], two_files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", *two_files, "--no-boilerplate") == 0
    assert "  score         0.125\n" in capsys.readouterr().out
    assert compare["settings"] == Settings(boilerplate=False)
    compare["strangers"] = True
    assert run("compare", *two_files) == 0
    assert "  score         0.125 (each has much text of its own beside" in capsys.readouterr().out


def test_compare_json_is_all_that_stdout_gets(
    compare: dict[str, Any], two_files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", *two_files, "--json", "--threshold", "0.6") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "a": str(two_files[0]),
        "b": str(two_files[1]),
        "relation": None,
        "jaccard": 0.25,
        "containment_a": 0.5,
        "score": 0.125,
        "strangers": False,
        "removable": [],
        "containment_b": 1 / 3,
        "passages": [],
    }
    assert compare["settings"] == Settings(threshold=0.6)


def test_compare_refuses_bytes_that_are_not_utf8(
    tmp_path: Path, compare: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("caf\xe9 noir".encode("latin-1"))
    assert run("compare", path, path) == 1
    assert f"{path}: byte 3 is not UTF-8" in capsys.readouterr().err


def test_compare_reads_standard_input_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", "-", "-") == 2
    assert "cannot both be standard input" in capsys.readouterr().err


# How it ends


@pytest.mark.parametrize(
    "arguments",
    [
        ["dedup"],
        ["dedup", "x"],
        ["dedup", "x", "-o", "out", "--nonsense"],
        ["dedup", "x", "-o", "out", "--format", "xml"],
        ["dedup", "x", "-o", "out", "--num-perm", "many"],
        ["dedup", "x", "-o", "out", "--num-perm", "0"],
        ["dedup", "x", "-o", "out", "--threshold", "1.5"],
        ["dedup", "x", "-o", "out", "--bands", "16"],
        ["dedup", "x", "-o", "out", "--bands", "16x900"],
        ["dedup", "x", "-o", "out", "--canonical", "tallest"],
        ["dedup", "x", "-o", "out", "--workers", "0"],
        ["dedup", "x", "-o", "out", "--quiet", "--verbose"],
        ["compare", "one"],
        ["nonsense"],
        [],
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str],
    dedup: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("news.csv: no column 'body'"), 1, "news.csv: no column 'body'"),
        (OutputError("out: exists"), 1, "out: exists"),
        (MismatchError("two settings"), 1, "two settings"),
        (SettingsError("seed is -1"), 2, "seed is -1"),
        (InputError("\x1b[2J.csv: is missing"), 1, r"\x1b[2J.csv: is missing"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "x"),
            1,
            "x: No such file or directory",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "No space left on device"),
        (OSError("odd"), 1, "odd"),
        (MemoryError(), 1, "out of memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (EOFError("end of stream"), 1, "end of stream"),
    ],
)
def test_errors_are_a_sentence_and_an_exit_code(
    error: BaseException,
    code: int,
    sentence: str,
    dedup: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cli, "discard", lambda _: None)  # pytest's own stdout must live on
    dedup["error"] = error
    assert run("dedup", "x", "-o", tmp_path / "out") == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().startswith("dupdetect: ")
    assert len(err.strip().splitlines()) == 1
    assert sentence in err


def test_an_error_nobody_foresaw_keeps_its_traceback(dedup: dict[str, Any], tmp_path: Path) -> None:
    dedup["error"] = ZeroDivisionError("a mistake of ours")
    with pytest.raises(ZeroDivisionError):
        run("dedup", "x", "-o", tmp_path / "out")


def test_an_output_folder_that_exists_is_refused_before_the_work(
    dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("dear")
    assert run("dedup", "x", "-o", tmp_path) == 1
    assert "exists already" in capsys.readouterr().err
    assert "data" not in dedup


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert dupdetect.__version__ in capsys.readouterr().out
    for arguments in (["--help"], ["dedup", "-h"], ["compare", "--help"]):
        assert run(*arguments) == 0
        assert "Usage:" in capsys.readouterr().out
    run("dedup", "--help")
    assert "Examples:" in capsys.readouterr().out


def test_warnings_are_a_sentence(
    dedup: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import warnings

    def fake(*_: Any, **__: Any) -> FakeResult:
        warnings.simplefilter("always")
        warnings.warn("numba is missing; this will be slow", stacklevel=2)
        return FakeResult()

    monkeypatch.setitem(vars(dupdetect), "dedup", fake)
    assert run("dedup", "x", "-o", tmp_path / "out") == 0
    assert capsys.readouterr().err == "dupdetect: note: numba is missing; this will be slow\n"


# In a process of its own


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start the command with a `dedup` of the given body."""
    return partial(started, tmp_path / "driver.py")


@pytest.mark.parametrize(
    ("sent", "code", "word"), [(signal.SIGINT, 130, b"interrupted"), (signal.SIGTERM, 143, b"terminated")]
)
def test_signals_unwind(
    process: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, sent: int, code: int, word: bytes
) -> None:
    body = "print('working', flush=True); time.sleep(60)"
    with process(body, "dedup", "x", "-o", tmp_path / "out") as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"working\n"
        run.send_signal(sent)
        _, err = run.communicate(timeout=120)
    assert run.returncode == code
    assert err.count(b"\n") <= 2
    assert word in err
    assert b"Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_reader_that_left_is_no_news(process: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with process("pass", "dedup", "x", "-o", tmp_path / "out", stdout=writing) as run:
        os.close(writing)
        _, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (1, b"")
    assert (tmp_path / "out").is_dir()


def test_a_full_disk_under_stdout_is_a_sentence(
    process: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    # No file may grow beyond nothing: that fails where a full disk would, as the output is flushed.
    body = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    with (
        (tmp_path / "stdout").open("wb") as stdout,
        process(body, "dedup", "x", "-o", tmp_path / "out", stdout=stdout) as run,
    ):
        _, err = run.communicate(timeout=120)
    assert run.returncode == 1
    assert err == b"dupdetect: File too large\n"


def test_a_terminal_without_unicode_shows_escapes(
    process: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    body = "result = FakeResult(texts=['漢字', 'ü', 'c']); return result"
    with process(body, "dedup", "x", "-o", tmp_path / "out", env=environment) as run:
        out, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (0, b"")
    assert rb"\u6f22\u5b57" in out


@pytest.mark.parametrize("quiet", [False, True])
def test_bars_on_a_terminal(process: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, quiet: bool) -> None:
    ours, theirs = pty.openpty()
    body = "progress and [progress('sign', n, 10) or time.sleep(0.02) for n in range(11)]"
    arguments = ["dedup", "x", "-o", tmp_path / "out", *(["--quiet"] if quiet else [])]
    environment = {"TERM": "xterm", "COLUMNS": "80"}
    with process(body, *arguments, stderr=theirs, env=environment) as run:
        os.close(theirs)
        shown = _read_all(ours)
        out, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    assert (b"Sketching" in shown, b"Largest" in out) == (not quiet, not quiet)
    assert b"Signing" not in out


def _read_all(terminal: int) -> bytes:
    shown = b""
    try:
        while block := os.read(terminal, 65536):
            shown += block
    except OSError:  # Linux says so when the other side has closed
        pass
    finally:
        os.close(terminal)
    return shown


def test_starting_imports_nothing_heavy() -> None:
    code = "import sys, dupdetect.cli.main; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"rich", "pyarrow", "numpy", "numba", "datasketch"} & set(modules.split())


def test_an_output_goes_to_one_place(dedup: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "x"}\n')
    for command in (["dedup", str(path)], ["sketch", str(path)], ["report", str(tmp_path)], ["index", "export", "i"]):
        assert cli.main([*command, "-o", "out", "-o", "-"]) == 2
        assert "-o is given 2 times (out, -), and a run writes to one place" in capsys.readouterr().err
    assert not dedup


def test_a_library_that_cannot_be_loaded_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """numpy says in thirty lines what may be wrong; why it failed is its cause."""

    @click.group()
    def group() -> None:
        try:
            raise ImportError("libexample.so:\ncannot map the segment")
        except ImportError as cause:
            raise ImportError("IMPORTANT\n\nREAD THIS\n" * 20) from cause

    group.add_command(click.Command("load"))
    assert cli.run(group, "dupdetect", ["load"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a library cannot be loaded (libexample.so: cannot map the segment); is it installed" in said


def test_the_command_does_not_look_for_circles_among_few_objects(monkeypatch):
    """What takes its memory is arrays; and a process that calls `main` keeps what it has set."""
    before, handler = gc.get_threshold(), signal.getsignal(signal.SIGINT)
    seen = []
    monkeypatch.setattr(cli, "main", lambda: seen.append(gc.get_threshold()[0]) or 0)
    try:
        assert started_as.run() == 0
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
        signal.signal(signal.SIGINT, handler)
    assert seen == [started_as.OBJECTS]
    assert started_as.OBJECTS > 10 * 700
