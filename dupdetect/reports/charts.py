"""Charts as inline SVG, drawn by the template ``page/chart.html`` from numbers that are computed here.

Input    counts, similarities, settings
Output   `Chart`: ticks, bars and lines in units of the picture; the page's style gives colours, light and dark
Cost     O(n) for a histogram of n values
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dupdetect._storage.atomic import write_text
from dupdetect.errors import OutputError
from dupdetect.evaluation.thresholds import chance
from dupdetect.reports.pages import check_page, render

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.evaluation.tune import Tuning

    Float = NDArray[np.float64]

#: Bins of a histogram of similarities.
BINS = 10

#: Width of a character in units of the picture, so that labels have room.
CHARACTER = 8.0


@dataclass
class Chart:
    """What the template draws, in units of a picture of `width` times `height`, y downwards.

    Attributes
    ----------
    x_title, y_title : str
    x_ticks, y_ticks : list of (float, str)
        Where they are, and their labels.
    bars : list of (x, y, width, height, colour)
        Colours are names of classes of the page's style.
    lines : list of (str, colour)
        Points as SVG has them.
    points : list of (x, y, colour)
    limits : list of (x, label)
        Dashed vertical lines, labelled above the plot.
    legend : list of (x, colour, label)
    """

    width: ClassVar[int] = 440
    height: ClassVar[int] = 270
    left: ClassVar[int] = 74
    right: ClassVar[int] = 426
    top: ClassVar[int] = 30
    bottom: ClassVar[int] = 218

    x_title: str
    y_title: str
    x_ticks: list[tuple[float, str]] = field(default_factory=list)
    y_ticks: list[tuple[float, str]] = field(default_factory=list)
    bars: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    points: list[tuple[float, float, str]] = field(default_factory=list)
    limits: list[tuple[float, str]] = field(default_factory=list)
    legend: list[tuple[float, str, str]] = field(default_factory=list)

    def x(self, share: float) -> float:
        """Return where a share of the x axis is."""
        return round(self.left + share * (self.right - self.left), 2)

    def y(self, share: float) -> float:
        """Return where a share of the y axis is."""
        return round(self.bottom - share * (self.bottom - self.top), 2)

    def shares(self, *, both: bool = False) -> Chart:
        """Put ticks from 0 to 1 on the x axis, or on both axes."""
        fifths = [step / 5 for step in range(6)]
        self.x_ticks = [(self.x(share), f"{share:g}") for share in fifths]
        if both:
            self.y_ticks = [(self.y(share), f"{share:g}") for share in fifths]
        return self

    def counts(self, most: int) -> Callable[[int], float]:
        """Put ticks for counts up to `most` on the y axis, and return the share of the axis for a count."""
        step = next(step for size in range(12) for step in (10**size, 2 * 10**size, 5 * 10**size) if most <= 5 * step)
        top = step * max(1, math.ceil(most / step))
        self.y_ticks = [(self.y(count / top), f"{count:,}") for count in range(0, top + 1, step)]
        return lambda count: count / top

    def log_counts(self, most: int) -> Callable[[int], float]:
        """Do as `counts` on a logarithmic axis, on which 1 is above the bottom."""
        decades = math.ceil(math.log10(most))
        self.y_ticks = [(self.y((power + 0.5) / (decades + 0.5)), f"{10**power:,}") for power in range(decades + 1)]
        return lambda count: (math.log10(count) + 0.5) / (decades + 0.5) if count else 0.0

    def scale(self, counts: Sequence[int]) -> Callable[[int], float]:
        """Do as `counts` does; as `log_counts` where the most would flatten the least."""
        most = max(counts)
        return (self.log_counts if most > 50 * min(filter(None, counts), default=most) else self.counts)(most)

    def bar(self, start: float, end: float, share: float, colour: str) -> None:
        """Draw a bar between two shares of the x axis."""
        x, y = self.x(start), self.y(share)
        self.bars.append((x, y, round(self.x(end) - x, 2), round(self.bottom - y, 2), colour))

    def line(self, x: Any, y: Any, colour: str) -> None:
        """Draw a line through shares of the axes."""
        self.lines.append((" ".join(f"{self.x(one)},{self.y(other)}" for one, other in zip(x, y, strict=True)), colour))

    def explain(self, *labels: tuple[str, str]) -> None:
        """Name colours, above the plot."""
        x = float(self.left)
        for colour, label in labels:
            self.legend.append((x, colour, label))
            x += 26 + CHARACTER * len(label)


def sizes_chart(names: Sequence[str], clusters: Sequence[int]) -> Chart:
    """Draw how many clusters there are of each size."""
    chart, number = Chart("documents in a cluster", "clusters"), len(names)
    share = chart.scale(clusters)
    room = (chart.right - chart.left) / number
    every = math.ceil(max(map(len, names)) * CHARACTER / room)  # labels that do not overlap
    for place, (name, count) in enumerate(zip(names, clusters, strict=True)):
        chart.bar((place + 0.15) / number, (place + 0.85) / number, share(count), "first")
        within = chart.width - 1 - len(name) * CHARACTER / 2  # the last label would go beyond the picture
        chart.x_ticks.append((min(chart.x((place + 0.5) / number), within), name if place % every == 0 else ""))
    return chart


def similarities_chart(jaccard: Float, containment: Float) -> Chart:
    """Draw how similar documents are to what represents them, by either measure: two bars in each tenth."""
    chart = Chart("similarity", "documents removed").shares()
    counts = [np.histogram(values, BINS, (0, 1))[0].tolist() for values in (jaccard, containment)]
    share = chart.scale([*counts[0], *counts[1]])
    for place, (by_jaccard, by_containment) in enumerate(zip(*counts, strict=True)):
        chart.bar((place + 0.1) / BINS, (place + 0.48) / BINS, share(by_jaccard), "first")
        chart.bar((place + 0.52) / BINS, (place + 0.9) / BINS, share(by_containment), "second")
    chart.explain(("first", "Jaccard"), ("second", "containment of the smaller"))
    return chart


def bands_chart(bands: int, rows: int, threshold: float) -> Chart:
    """Draw how likely two documents are compared at all, by their Jaccard similarity."""
    chart = Chart("Jaccard similarity", "chance to be compared").shares(both=True)
    similarity = np.linspace(0, 1, 101)
    chart.line(similarity, chance(similarity, bands, rows), "first")
    chart.limits.append((chart.x(threshold), f"threshold {threshold:g}"))
    return chart


def curve_chart(tuning: Tuning) -> Chart:
    """Draw precision against recall: of the best thresholds, of those chosen, and of those held out."""
    chart = Chart("recall", "precision").shares(both=True)
    recall, precision = (tuning.curve[name].to_pylist() for name in ("recall", "precision"))
    chart.line(recall, precision, "first")
    for x, y in zip(recall, precision, strict=True):
        chart.points.append((chart.x(x), chart.y(y), "first"))
    chart.explain(("first", "best thresholds"), ("limit", "chosen"), ("second", "held out, 95 %"))
    x, y = tuning.recall, tuning.precision
    if not math.isnan(x.value + y.value):
        chart.points.append((chart.x(x.value), chart.y(y.value), "second"))
        if not math.isnan(x.low + y.low):
            chart.line((x.low, x.high), (y.value, y.value), "second")
            chart.line((x.value, x.value), (y.low, y.high), "second")
    if not math.isnan(tuning.fitted.precision):
        chart.points.append((chart.x(tuning.fitted.recall), chart.y(tuning.fitted.precision), "limit"))
    return chart


def write_curve(tuning: Tuning, path: str | os.PathLike[str]) -> Path:
    """Draw the precision/recall curve of `tune` into an SVG file, which may fail as `check_curve` says."""
    check_curve(path)
    return write_text(path, render("curve.svg", chart=curve_chart(tuning)))


def check_curve(path: str | os.PathLike[str]) -> None:
    """Raise an `OutputError` if a picture is to be no SVG, or cannot be made (`check_page`)."""
    if Path(path).suffix.lower() != ".svg":
        raise OutputError(f"{os.fspath(path)}: the curve is drawn as SVG; give a name that ends in .svg")
    check_page(path)
