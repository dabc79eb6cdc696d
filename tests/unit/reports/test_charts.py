"""Charts: ticks that can be read, bars that stand where their column is, and the curve of a tuning as a file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import dupdetect
from dupdetect import OutputError
from dupdetect.reports import charts
from dupdetect.reports.charts import Chart
from dupdetect.reports.html import page


@pytest.mark.parametrize(("most", "labels"), [(1, "0 1"), (7, "0 2 4 6 8"), (21, "0 5 10 15 20 25"), (1200, None)])
def test_counts_have_few_round_ticks_and_room_for_the_most(most: int, labels: str | None) -> None:
    chart = Chart("x", "y")
    share = chart.counts(most)
    assert 0 < share(most) <= 1
    assert 2 <= len(chart.y_ticks) <= 6
    if labels is not None:
        assert [label for _, label in chart.y_ticks] == labels.split()
    heights = [y for y, _ in chart.y_ticks]
    assert min(np.diff(heights[::-1])) > 15  # labels do not overlap


def test_bars_stand_over_their_tick_and_end_at_their_count() -> None:
    chart = charts.sizes_chart(["2", "3", "4"], [8, 4, 0])
    for (x, _), bar in zip(chart.x_ticks, chart.bars, strict=True):
        assert bar[0] + bar[2] / 2 == pytest.approx(x, abs=0.02)
        assert bar[1] + bar[3] == pytest.approx(chart.bottom, abs=0.02)
    ticks = {label: y for y, label in chart.y_ticks}
    assert [bar[1] for bar in chart.bars] == [ticks["8"], ticks["4"], chart.bottom]


def test_counts_far_apart_are_on_a_logarithmic_axis() -> None:
    chart = charts.sizes_chart(["2", "3"], [1000, 1])
    assert [label for _, label in chart.y_ticks] == ["1", "10", "100", "1,000"]
    assert chart.bars[1][3] > 5  # one is more than none


def test_names_of_many_sizes_do_not_overlap() -> None:
    names = [f"{2**n + 1:,}–{2 ** (n + 1):,}" for n in range(2, 17)]
    shown = [(x, name) for x, name in charts.sizes_chart(names, [1] * 15).x_ticks if name]
    widths = [charts.CHARACTER * len(name) for _, name in shown]
    assert all(b[0] - a[0] >= max(widths) for a, b in pairwise(shown))


def test_each_tenth_of_similarity_has_its_two_bars() -> None:
    chart = charts.similarities_chart(np.array([0.05, 0.95, 1.0]), np.array([0.95, 0.99, 0.41]))
    by_colour: dict[str, list[int]] = {}
    for x, y, width, height, colour in chart.bars:
        if height:
            tenth = (x + width / 2 - chart.left) / (chart.right - chart.left) * 10
            by_colour.setdefault(colour, []).append(int(tenth))
            assert chart.top <= y
    assert by_colour == {"first": [0, 9], "second": [4, 9]}


def test_the_chance_to_be_compared_is_that_of_the_bands() -> None:
    chart = charts.bands_chart(14, 9, 0.8)
    ((points, _),) = chart.lines
    y = float(points.split()[80].split(",")[1])
    assert (chart.bottom - y) / (chart.bottom - chart.top) == pytest.approx(1 - (1 - 0.8**9) ** 14, abs=1e-3)
    assert chart.limits == [(chart.x(0.8), "threshold 0.8")]


def test_a_page_draws_its_charts_without_styles_of_their_own() -> None:
    texts = [f"word{number} " * 3 + " ".join(f"w{number}x{n}" for n in range(40)) for number in range(3)]
    html = page(dupdetect.dedup([*texts, texts[0] + " more"]))
    assert html.count('<svg class="chart"') == 3
    assert " style=" not in html


@pytest.fixture(scope="module")
def tuning() -> Any:
    texts = {f"{i}": f"page {i} of chapter {i * i}" for i in range(20)}
    texts |= {f"{i} again": f"{text} again" for i, text in texts.items()}
    pairs = [(f"{i}", f"{i} again", 1) for i in range(20)] + [(f"{i}", f"{i + 1}", 0) for i in range(19)]
    return dupdetect.tune(texts, pairs, shingle_sizes=[1], resamples=5, repeats=1, run=False)


def test_the_curve_is_an_svg_file_by_itself(tuning: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    charts.write_curve(tuning, tmp_path / "pr.svg")
    root = ElementTree.parse(tmp_path / "pr.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{name}style") is not None
    assert len(root.findall(f"{name}circle")) >= 3  # a point of the curve, what is chosen, and what is held out
    with pytest.raises(OutputError, match=r"pr\.png: the curve is drawn as SVG; give a name that ends in \.svg"):
        charts.write_curve(tuning, tmp_path / "pr.png")
    with pytest.raises(OutputError, match="there is no folder"):
        charts.write_curve(tuning, tmp_path / "no" / "pr.svg")
    monkeypatch.setattr("dupdetect.reports.pages.find_spec", lambda _name: None)
    with pytest.raises(OutputError, match=r"python -m pip install 'dupdetect\[report\]'"):
        charts.write_curve(tuning, tmp_path / "pr.svg")


def test_a_spike_of_similarities_does_not_flatten_the_rest() -> None:
    values = np.array([0.45, *[0.95] * 5_000])
    chart = charts.similarities_chart(values, values)
    heights = sorted({height for _, _, _, height, _ in chart.bars if height})
    assert len(heights) == 2
    assert heights[0] > heights[1] / 20
