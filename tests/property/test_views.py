"""Whatever two texts hold, what is shown of them is theirs, fits, and drives no terminal."""

from __future__ import annotations

import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dupdetect.matching.compare import compare
from dupdetect.reports.terminal import Side, order, show

QUOTE = "nobody knows how the old clock in the tower came to be painted green and gold"
HOSTILE = (
    "\x1b[2J",
    "\x9b31m",
    "\u202e",
    "[/bold]",
    "[red]",
    "\r\n",
    "\r",
    "\t",
    "\x00",
    "\u2028",
    "\ufeff",
    "\x07",
    "｟",
    "👩‍👩‍👧",
)
piece = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just(QUOTE)
text = st.lists(piece, max_size=8).map(" ".join)


@given(text, text, st.integers(30, 130), st.sampled_from(["side", "unified"]), st.booleans())
def test_what_is_shown_is_harmless_and_fits(a: str, b: str, width: int, view: str, full: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, _environ={})
    show(console, Side.of("a", a), Side.of("b", b), compare(a, b).aligned, view=view, full=full)
    kinds = {unicodedata.category(character) for character in out.getvalue().replace("\n", "")}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert "\u202e" not in out.getvalue()
    titles = ("── passage", "< a", "> b")
    assert all(cell_len(line) <= width or line.startswith(titles) for line in out.getvalue().split("\n"))


@given(text, text)
def test_blocks_hold_all_of_both_texts(a: str, b: str) -> None:
    found = order(Side.of("a", a), Side.of("b", b), compare(a, b).aligned)
    for side, whole in ((0, a), (1, b)):
        held = [False] * len(whole)
        for block in found:
            for start, end, _ in block[side]:
                held[start:end] = [True] * (end - start)
        assert not "".join(c for c, there in zip(whole, held, strict=True) if not there).strip()
