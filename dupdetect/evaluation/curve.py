"""Points of precision and recall to a picture.

Input    a table with the columns precision and recall, what was chosen, what it is worth held out
Output   a file, its suffix says of which kind
Cost     a second, most of it matplotlib's import
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dupdetect.errors import OutputError

if TYPE_CHECKING:
    import pyarrow as pa

    Span = tuple[float, float, float]

#: Inches.
SIZE = (6.4, 4.8)


def require_matplotlib(path: str | os.PathLike[str]) -> None:
    """Raise an `OutputError` that says how to install matplotlib, if it is not."""
    if find_spec("matplotlib") is None:
        raise OutputError(
            f"{path}: a picture needs matplotlib, which is not installed: python -m pip install 'dupdetect[bench]'"
        )


def draw(
    curve: pa.Table, chosen: tuple[float, float], held_out: tuple[Span, Span], path: str | os.PathLike[str]
) -> None:
    """Draw a precision/recall curve.

    Parameters
    ----------
    curve : pyarrow.Table
        Columns ``precision`` and ``recall``, by rising recall.
    chosen : (float, float)
        Recall and precision of the point chosen.
    held_out : two of (value, low, high)
        Its held-out recall and precision, with their intervals; nan is not drawn.
    path : path

    Raises
    ------
    OutputError
        matplotlib is not installed, does not know the suffix, or the file cannot be written.
    """
    require_matplotlib(path)
    from matplotlib.figure import Figure  # a figure of its own: no window system, no state shared with the caller's

    figure = Figure(figsize=SIZE, layout="constrained")
    axes: Any = figure.add_subplot()
    axes.plot(curve["recall"].to_numpy(), curve["precision"].to_numpy(), ".-", label="best thresholds, all pairs")
    axes.plot(*chosen, "o", markersize=9, label="chosen, all pairs")
    _cross(axes, *held_out)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    try:
        figure.savefig(Path(path), dpi=150)
    except OSError as error:
        raise OutputError(f"{path}: the picture cannot be written: {error.strerror or error}") from error
    except ValueError as error:
        raise OutputError(f"{path}: the picture cannot be written: {error}") from None


def _cross(axes: Any, recall: Span, precision: Span) -> None:
    """Draw a point with its intervals."""
    (x, *x_ends), (y, *y_ends) = recall, precision
    if x != x or y != y:
        return
    errors = [[[abs(end - value)] for end in ends] for value, ends in ((x, x_ends), (y, y_ends))]
    axes.errorbar(x, y, xerr=errors[0], yerr=errors[1], fmt="s", capsize=3, label="chosen, held out (95 % intervals)")
