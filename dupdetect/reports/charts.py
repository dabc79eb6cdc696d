"""Counts to pictures that a page holds.

Input    numbers
Output   SVG that takes its colours and fonts from the page around it, and has no style of its own
Cost     a second, most of it matplotlib's import

A page with a strict policy applies no style that stands in an attribute. So what matplotlib draws in one of a few
colours gets a class instead, and the page's style says what the class looks like, by day and by night.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

#: Inches, of 72 units each: wide enough for a column of a page, and still readable on a phone.
SIZE = (4.6, 2.6)

#: Stand-ins for what the page's style says, by the name of their class.
COLOURS = {"ink": "#000001", "grid": "#000002", "first": "#000003", "second": "#000004", "limit": "#000005"}

_NAMES = {colour: name for name, colour in COLOURS.items()}
_STYLE: Any = {  # matplotlib knows the name of each
    "svg.fonttype": "none",  # text stays text: it can be read, and has the page's font
    "svg.hashsalt": "dupdetect",
    "font.size": 10,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["grid"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.8,
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
}

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"


def sizes_chart(names: Sequence[str], clusters: Sequence[int]) -> str:
    """Draw how many clusters there are of each size."""

    def draw(axes: Axes) -> None:
        places = np.arange(len(names))
        axes.bar(places, clusters, color=COLOURS["first"], width=0.7)
        axes.set_xticks(places, names)
        axes.set(xlabel="documents in a cluster", ylabel="clusters")
        axes.grid(visible=False, axis="x")
        if max(clusters) > 50 * min(count for count in clusters if count):
            axes.set_yscale("log")
        else:
            axes.locator_params(axis="y", integer=True)

    return _drawn("sizes", draw)


def similarities_chart(jaccard: Float, containment: Float, bins: int = 20) -> str:
    """Draw how similar documents are to what represents them, by either measure."""

    def draw(axes: Axes) -> None:
        edges = np.linspace(0, 1, bins + 1)
        width = 1 / bins
        for values, name, label, shift in (
            (containment, "second", "share of the smaller inside the larger", 0.3),
            (jaccard, "first", "Jaccard", 0.7),
        ):
            counts = np.histogram(values, edges)[0]
            axes.bar(edges[:-1] + shift * width, counts, 0.38 * width, color=COLOURS[name], label=label)
        axes.set(xlabel="similarity", ylabel="documents removed", xlim=(0, 1))
        axes.grid(visible=False, axis="x")
        axes.locator_params(axis="y", integer=True)
        axes.legend(loc="upper left")

    return _drawn("similarities", draw)


def bands_chart(bands: int, rows: int, threshold: float) -> str:
    """Draw how likely two documents are compared at all, by their Jaccard similarity."""

    def draw(axes: Axes) -> None:
        similarity = np.linspace(0, 1, 201)
        axes.plot(similarity, found(similarity, bands, rows), color=COLOURS["first"], linewidth=2.5)
        axes.axvline(threshold, color=COLOURS["limit"], linestyle=(0, (4, 3)))
        side = "right" if threshold > 0.5 else "left"
        axes.annotate(
            f"threshold {threshold:g}", (threshold, 0.06), (-6 if side == "right" else 6, 0),
            textcoords="offset points", ha=side, color=COLOURS["ink"],
        )  # fmt: skip
        axes.set(xlabel="Jaccard similarity", ylabel="chance to be compared", xlim=(0, 1), ylim=(0, 1.02))

    return _drawn("bands", draw)


def found(similarity: Any, bands: int, rows: int) -> Any:
    """Return the probability that two documents share a band, by their Jaccard similarity."""
    return 1 - (1 - similarity**rows) ** bands


def _drawn(name: str, draw: Any) -> str:
    import matplotlib
    from matplotlib.figure import Figure  # a figure of its own: no window system, no state shared with the caller's

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        draw(figure.add_subplot())
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _plain(drawn.getvalue(), name)


def _plain(drawn: bytes, name: str) -> str:
    """Take from a picture its styles, and identifiers that could meet those of another on the same page."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(drawn)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")]:
            parent.remove(child)
    used = {value.split("#")[1].rstrip(")") for each in root.iter() for value in each.attrib.values() if "#" in value}
    for element in root.iter():
        _restyle(element)
        if element.get("id") in used:
            element.set("id", f"{name}-{element.get('id')}")
        else:
            element.attrib.pop("id", None)
        if _LINK in element.attrib:
            element.set("href", f"#{name}-{element.attrib.pop(_LINK)[1:]}")
        if "clip-path" in element.attrib:
            element.set("clip-path", element.get("clip-path", "").replace("#", f"#{name}-"))
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("class", "chart")
    root.set("aria-hidden", "true")  # the caption and the table beside it say the same
    return ElementTree.tostring(root, encoding="unicode")


def _restyle(element: ElementTree.Element) -> None:
    """Turn the style of an element into attributes and classes."""
    classes = []
    for entry in element.attrib.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in entry.partition(":"))
        if value in _NAMES:
            classes.append(f"{key}-{_NAMES[value]}")
        elif key and not key.startswith("font"):  # that is the page's
            element.set(key, value)
    if element.tag == f"{{{_SVG}}}text" and not any(entry.startswith("fill") for entry in classes):
        classes.append("fill-ink")
    if classes:
        element.set("class", " ".join(classes))
