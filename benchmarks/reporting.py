"""What all reports have in common: tables in Markdown, bars, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def markdown(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table; its first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (titles, rule, *lines))


def bar(what: str, value: float, least_or_most: str, limit: float) -> dict[str, Any]:
    """What this library is to reach ("≥") or to stay below ("≤"), and whether it does."""
    met = value >= limit if least_or_most == "≥" else value <= limit
    return {"what": what, "value": value, "bar": f"{least_or_most} {limit:g}", "met": bool(met)}


def bars_table(asked: Sequence[dict[str, Any]]) -> str:
    """Value, bar, yes or no."""
    lines = [[row["what"], _value(row["value"]), row["bar"], "yes" if row["met"] else "no"] for row in asked]
    return markdown(["bar", "value", "to be", "met"], lines)


def _value(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    facts = {"cpu": model or platform.processor(), "cores": os.cpu_count()}
    return facts | {"python": platform.python_version(), "system": platform.platform()}
