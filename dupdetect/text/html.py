"""Rows to a small HTML table for notebooks, in their own colours and fonts.

Input    a caption, names of columns, rows of numbers and strings
Output   HTML without scripts; strings are escaped, and what deceives in them is spelled out (`dupdetect.text.escape`)
Cost     O(length of what is shown)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from dupdetect.text.escape import one_line

#: Rows that a table should show at most, and characters of a string in it.
SHOWN, LENGTH = 10, 120


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Make a table; of no rows, a paragraph of the caption."""
    lines = [f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows]
    if not lines:
        return f"<p>{escape(caption)}</p>" if caption else ""
    named = f'<caption style="text-align: left; color: inherit">{escape(caption)}</caption>' if caption else ""
    head = "".join(f'<th scope="col" style="text-align: left">{escape(column)}</th>' for column in columns)
    body = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    return f"<table>{named}{body}<tbody>{''.join(lines)}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f'<td style="text-align: left"><bdi>{escape(one_line(str(value), LENGTH))}</bdi></td>'
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
    return f'<td style="text-align: right">{shown}</td>'


def share(part: int, whole: int) -> str:
    """Spell a share as a percentage; empty of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def counted(shown: int, total: int, what: str) -> str:
    """Say how many there are, and how many of them are shown."""
    return f"{total:,} {what}" if shown == total else f"{shown:,} of {total:,} {what}"
