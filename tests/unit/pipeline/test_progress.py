"""What is passed on of a run's progress, how often, and what a terminal shows of it."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import dupdetect
from dupdetect import SettingsError
from dupdetect.cli import progress as of_command
from dupdetect.pipeline import progress
from dupdetect.pipeline.progress import Listener, Moment, Relay

Heard = list[tuple[Moment, str, int, int]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the clock; its one item is the time."""
    now = [100.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: now[0])
    return now


def hearing() -> tuple[Heard, Listener]:
    heard: Heard = []
    return heard, lambda moment, stage: heard.append((moment, stage.name, stage.done, stage.total))


def test_beginnings_and_ends_do_not_wait_and_the_rest_does(clock: list[float]) -> None:
    heard, listener = hearing()
    relay = Relay(listener, 1.0)
    for done in range(1001):
        clock[0] = 100 + done * 0.0025
        relay("sign", done, 1000)
    assert heard == [
        ("begin", "sign", 0, 1000),
        ("progress", "sign", 400, 1000),
        ("progress", "sign", 800, 1000),
        ("end", "sign", 1000, 1000),
    ]


def test_stages_may_go_on_side_by_side(clock: list[float]) -> None:
    heard, listener = hearing()
    relay = Relay(listener, 0.0)
    for done in (0, 1, 2):
        relay("read", done, 0)
        relay("sign", done, 2)
    relay("read", 0, 0)
    assert [h for h in heard if h[1] == "read"] == [
        ("begin", "read", 0, 0),
        ("progress", "read", 1, 0),
        ("progress", "read", 2, 0),
        ("end", "read", 2, 0),
    ]
    assert heard[-2] == ("end", "sign", 2, 2)


def test_a_stage_without_numbers_ends_when_it_is_told_of_again() -> None:
    heard, listener = hearing()
    relay = Relay(listener, 5.0)
    for _ in range(2):
        relay("read", 0, 0)
    relay("write", 0, 0)
    assert heard == [("begin", "read", 0, 0), ("end", "read", 0, 0), ("begin", "write", 0, 0)]
    relay.close()
    assert heard[3:] == [("end", "write", 0, 0)]


def test_a_stage_may_be_walked_through_twice() -> None:
    heard, listener = hearing()
    relay = Relay(listener, 5.0)
    for stage, done in (("cluster", 0), ("cluster", 3), ("cluster", 3), ("tables", 3), ("cluster", 0), ("cluster", 3)):
        relay(stage, done, 3)
    assert [moment for moment, name, *_ in heard if name == "cluster"] == ["begin", "end", "begin", "end"]
    assert [moment for moment, name, *_ in heard if name == "tables"] == ["begin", "end"]


CALLS = st.lists(
    st.tuples(st.sampled_from(["読む", "sign", "جدول"]), st.integers(0, 5), st.integers(0, 5), st.floats(0, 2)),
    max_size=40,
)


@given(CALLS)
def test_whatever_is_told_every_beginning_has_its_end(calls: list[tuple[str, int, int, float]]) -> None:
    heard, listener = hearing()
    relay = Relay(listener, 1.0)
    now = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "perf_counter", lambda: now)
        for stage, done, total, seconds in calls:
            now += seconds
            relay(stage, done, total)
        relay.close()
    assert {stage for stage, *_ in calls} == {name for _, name, *_ in heard}
    for name in {name for _, name, *_ in heard}:
        said = "".join(moment[0] for moment, other, *_ in heard if other == name)
        assert re.fullmatch("(bp*e)+", said)
        assert said.count("p") <= now + 1


def test_the_rate_leaves_out_what_was_done_before(clock: list[float]) -> None:
    rates: list[float | None] = []
    relay = Relay(lambda _, stage: rates.append(stage.rate), 0.0)
    for done in (500, 500, 600):
        relay("sign", done, 1000)
        clock[0] += 2
    clock[0] += 4
    relay("sign", 1000, 1000)
    assert rates == [None, None, 25.0, 50.0]


def test_ten_thousand_calls_in_a_second_are_passed_on_as_often_as_the_interval_says(clock: list[float]) -> None:
    heard, listener = hearing()
    relay = Relay(listener, 0.25)
    for done in range(10_000):
        clock[0] = 100 + done / 10_000
        relay("sign", done, 10_000)
    assert [moment for moment, *_ in heard] == ["begin", "progress", "progress", "progress"]


def test_nobody_is_told_where_nobody_looks() -> None:
    for wanted in (True, False):  # standard error is no terminal here
        with of_command.progress_shown(wanted) as told:
            assert told is None


# Bars


@contextmanager
def screen(monkeypatch: pytest.MonkeyPatch, width: int = 80) -> Iterator[tuple[Listener, io.StringIO]]:
    """Show bars on a terminal that is a string."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=width, color_system=None, legacy_windows=False)
    monkeypatch.setattr("rich.console.Console", lambda **_: console)
    with progress.bars() as listener:
        yield listener, shown


def last_lines(shown: io.StringIO) -> list[str]:
    """Give the lines that were drawn last."""
    frames = re.split(r"\x1b\[[0-9;?]*[A-Za-z]", shown.getvalue())
    return [line for line in "".join(frames).replace("\r", "\n").splitlines() if line.strip()]


def test_a_bar_tells_how_much_how_fast_how_long_yet_and_memory(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setattr(progress.memory, "resident", lambda: 1_234_000_000)
    with screen(monkeypatch) as (listener, shown):
        monkeypatch.setattr("rich.progress.Task.time_remaining", 15.0)
        relay = Relay(listener, 0.0)
        for done in (0, 250_000):
            relay("sign", done, 1_000_000)
            clock[0] += 5
    (line,) = {line for line in last_lines(shown) if "250,000 / 1,000,000" in line}
    assert re.fullmatch(r"Sketching +━+[╸╺]━* +250,000 / 1,000,000 50,000/s 00:15 1\.2 GB *", line)
    assert len(line) == 80


def test_a_bar_that_is_over_tells_how_fast_it_went(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    with screen(monkeypatch) as (listener, shown):
        relay = Relay(listener, 0.0)
        relay("read", 0, 0)
        clock[0] += 4
        relay("read", 1000, 1000)
        relay("verify", 0, 7)
        relay("a stage nobody named", 0, 0)
        relay("a stage nobody named", 0, 0)
    lines = last_lines(shown)
    assert re.match(r"Reading +━+ +1,000 +250/s 00:00", [line for line in lines if line.startswith("Reading")][-1])
    assert any(line.startswith("Verifying") for line in lines)
    assert any(line.startswith("a stage nobody nam") for line in lines)


@pytest.mark.parametrize("width", [20, 40, 200])
def test_bars_fit_any_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    with screen(monkeypatch, width) as (listener, shown):
        relay = Relay(listener, 0.0)
        for done in range(3):
            relay("candidates", done, 10**9)
    assert max(map(len, last_lines(shown))) <= width


def test_callers_of_the_library_choose_who_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    with progress.progress_to(lambda *call: told.append(call)) as listening:
        assert listening is not None
        listening("sign", 0, 3)
    assert told == [("sign", 0, 3)]
    for nobody in (None, False):
        with progress.progress_to(nobody) as listening:
            assert listening is None
    with pytest.raises(SettingsError, match="progress is 'yes'; expected True, False or a function of"):
        progress.progress_to("yes").__enter__()


def test_bars_are_drawn_on_standard_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert len(dupdetect.dedup(["one text", "One text."], progress=True).kept) == 1
    shown = capsys.readouterr()
    assert "Sketching" in shown.err
    assert not shown.out


class Notebook:
    """What IPython gives a notebook: displays that can be changed."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, table: Any, display_id: bool) -> Notebook:
        assert display_id
        self.update(table)
        return self

    def update(self, table: Any) -> None:
        self.shown.append(table._repr_html_())


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    made = Notebook()
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=made.display))
    return made


def test_notebooks_show_bars_by_themselves_which_go_in_the_end(notebook: Notebook) -> None:
    dupdetect.dedup(["one text", "One text."])
    assert any('<progress max="2" value="2" aria-label="Sketching">' in html for html in notebook.shown)
    assert notebook.shown[0] == notebook.shown[-1] == ""


def test_notebooks_show_none_where_they_are_not_wanted(notebook: Notebook) -> None:
    dupdetect.dedup(["one text", "One text."], progress=False)
    assert not notebook.shown
