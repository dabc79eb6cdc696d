"""Show two texts in a terminal.

Input    two texts, what they share (`Comparison.aligned`), what of them is boilerplate, and a console of rich
Output   both side by side, or as one: what is shared, what is changed in it, what is of one alone
Cost     O(length of the texts), and of what is shown

The order is that of the first text; before each passage stands what the second text has before it. A sign in the margin
says what a line is, so that nothing rests on colour alone: ``=`` of both (words that differ are struck out and
underlined, without colours ``[-a's-]`` and ``{+b's+}``), ``<`` of the first alone, ``>`` of the second alone, ``|``
side by side, ``~`` boilerplate or short lines, of one alone or either. Text is escaped: it cannot drive the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.text import Text

    from dupdetect.matching.passages import Aligned

#: Columns from which on two texts fit side by side.
WIDE = 100

#: Characters and lines of a piece from which on its middle is folded; what is left of them at either end.
FOLD_CHARACTERS, FOLD_LINES = 700, 12
END_CHARACTERS, END_LINES = 280, 4

#: The style of what is boilerplate.
GREY = "bright_black"

#: What a piece of text is.
OWN, SHARED, CHANGED = range(3)


class Piece(NamedTuple):
    """A piece of a text: where it begins and ends in it, and what it is."""

    start: int
    end: int
    role: int


class Block(NamedTuple):
    """Pieces of a and b that stand beside each other; of a passage as many of a as of b, equal and changed by turns."""

    a: list[Piece]
    b: list[Piece]
    found: Aligned | None = None


@dataclass(frozen=True)
class Side:
    """One of two texts.

    Attributes
    ----------
    name, text : str
    boilerplate : bool[n]
        Which of its characters are boilerplate.
    """

    name: str
    text: str
    boilerplate: NDArray[np.bool_]

    @classmethod
    def of(cls, name: str, text: str, spans: Sequence[tuple[int, int]] = ()) -> Side:
        """Make a side of spans of characters that are boilerplate."""
        boilerplate = np.zeros(len(text), np.bool_)
        for start, end in spans:
            boilerplate[start:end] = True
        return cls(name, text, boilerplate)

    def is_empty(self, pieces: list[Piece]) -> bool:
        """Whether there is nothing to see in pieces."""
        return not any(self.text[piece.start : piece.end].strip() for piece in pieces)

    def widened(self, start: int, end: int, least: int, most: int) -> tuple[int, int]:
        """Return where a run begins and ends with the quotes, brackets and stops that stand at its words."""
        text = self.text
        while start > least and not (text[start - 1].isspace() or text[start - 1].isalnum()):
            start -= 1
        while end < most and not (text[end].isspace() or text[end].isalnum()):
            end += 1
        return start, end


def order(a: Side, b: Side, aligned: Sequence[Aligned]) -> list[Block]:
    """Order two texts beside each other: in the order of a, and before each passage what b has before that."""
    spans_a, own_a = _own(a, [(found.passage.a_start, found.passage.a_end) for found in aligned])
    spans_b, own_b = _own(b, [(found.passage.b_start, found.passage.b_end) for found in aligned])
    found = []
    for number in sorted(range(len(aligned)), key=lambda number: spans_a[number]):
        equal = aligned[number].equal
        found.append(Block([own_a[number]], [own_b[number]]))
        pieces = _pieces(equal[:, :2], spans_a[number]), _pieces(equal[:, 2:], spans_b[number])
        found.append(Block(*pieces, aligned[number]))
    found.append(Block(own_a[-1:], own_b[-1:]))
    return [block for block in found if not (a.is_empty(block.a) and b.is_empty(block.b))]


def _own(side: Side, passages: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[Piece]]:
    """Return where passages begin and end, punctuation included; what is before each of them, and behind the last."""
    size, end = len(side.text), 0
    order = sorted(range(len(passages)), key=lambda number: passages[number])
    spans, own = list(passages), [Piece(size, size, OWN)] * (len(passages) + 1)
    for place, number in enumerate(order):
        start, last = passages[number]
        after = passages[order[place + 1]][0] if place + 1 < len(order) else size
        spans[number] = side.widened(start, last, min(end, start), max(after, last))
        own[number] = Piece(end, max(spans[number][0], end), OWN)
        end = max(end, spans[number][1])
    own[-1] = Piece(end, size, OWN)
    return spans, own


def _pieces(equal: NDArray[np.int64], span: tuple[int, int]) -> list[Piece]:
    """Return what is equal and, between, what differs, though it be nothing."""
    edges = [span[0], *equal.ravel().tolist()[1:-1], span[1]]
    return [Piece(*edge, CHANGED if number % 2 else SHARED) for number, edge in enumerate(pairwise(edges))]


def show(
    console: Console,
    a: Side,
    b: Side,
    aligned: Sequence[Aligned],
    *,
    unit: str = "word",
    view: str = "auto",
    full: bool = False,
) -> None:
    """Print two texts.

    Parameters
    ----------
    console : rich.console.Console
        Its width chooses the view. Where it has no colours, signs in the text stand for them.
    a, b : Side
    aligned : list of Aligned
        What they share.
    unit : {"word", "character"}
        What of it is counted.
    view : {"auto", "side", "unified", "none"}
        "auto" is side by side from `WIDE` columns on.
    full : bool
        Whether all is shown, instead of the ends of long pieces.
    """
    if view == "none":
        return
    page = _Page(console, unit, full)
    beside = view == "side" or (view == "auto" and console.width >= WIDE)
    for line in page.beside(a, b, aligned) if beside else page.woven(a, b, aligned):
        console.print(line, soft_wrap=True, highlight=False)


class _Page:
    """Makes lines, for a console."""

    def __init__(self, console: Console, unit: str, full: bool) -> None:
        self._console, self._unit, self._full = console, unit, full
        self._coloured = console.color_system is not None and not console.no_color
        self._passages = 0

    def woven(self, a: Side, b: Side, aligned: Sequence[Aligned]) -> Iterator[Text]:
        """Both texts as one, one under the other."""
        from rich.text import Text

        yield Text(f"< {escape_for_terminal(a.name)}", "bold")
        yield Text(f"> {escape_for_terminal(b.name)}", "bold")
        for block in order(a, b, aligned):
            if block.found is not None:
                yield self._title(block.found)
                yield from self._margined("=", self._weave(a, b, block))
                continue
            for sign, side, pieces in (("<", a, block.a), (">", b, block.b)):
                yield from self._margined(sign, self._text(side, pieces, side is a))

    def beside(self, a: Side, b: Side, aligned: Sequence[Aligned]) -> Iterator[Text]:
        """Both texts side by side."""
        from rich.text import Text

        width = max((self._console.width - 3) // 2, 12)
        yield _row(Text(escape_for_terminal(a.name), "bold"), " ", Text(escape_for_terminal(b.name), "bold"), width)
        for block in order(a, b, aligned):
            left = self._wrapped(self._text(a, block.a, True), width)
            right = self._wrapped(self._text(b, block.b, False), width)
            if block.found is not None:
                yield self._title(block.found)
            for one, other in zip_longest(left, right):
                sign = "|" if one and other else "<" if one else ">"
                if block.found is not None:
                    sign = "="
                elif all(map(_is_grey, filter(None, (one, other)))):
                    sign = "~"
                yield _row(one or Text(), sign, other or Text(), width)

    def _weave(self, a: Side, b: Side, block: Block) -> Text:
        """Return a passage as one text: what is equal as a has it, and what differs as both have it."""
        from rich.text import Text

        woven = Text()
        for mine, theirs in zip(block.a, block.b, strict=True):
            if mine.role == SHARED:
                woven.append_text(self._text(a, [mine], True))
                continue
            if not _differs(a.text[mine.start : mine.end], b.text[theirs.start : theirs.end]):
                woven.append(escape_for_terminal(a.text[mine.start : mine.end]))
                continue
            before, of_a, after = _parts(a.text[mine.start : mine.end])
            _, of_b, behind = _parts(b.text[theirs.start : theirs.end])
            old, new = self._styled(of_a, CHANGED, False, True), self._styled(of_b, CHANGED, False, False)
            between = " " if self._coloured and of_a and of_b else ""
            woven.append_text(Text.assemble(before or " ", old, between, new, after or behind or " "))
        return woven

    def _title(self, found: Aligned) -> Text:
        from rich.text import Text

        self._passages += 1
        passage = found.passage
        said = [f"passage {self._passages}: {passage.words:,} {self._unit}{'s' * (passage.words != 1)}"]
        if passage.similarity < 1:
            said.append(f"similarity {passage.similarity:.2f}")
        if passage.boilerplate:
            said.append(f"boilerplate {passage.boilerplate:.2f}")
        return Text(f"── {', '.join(said)} ──", "cyan")

    def _margined(self, sign: str, text: Text) -> Iterator[Text]:
        from rich.text import Text

        for line in self._wrapped(text, max(self._console.width - 2, 12)):
            shown = "~" if sign in "<>" and _is_grey(line) else sign
            yield Text.assemble((f"{shown} ", "dim"), line)

    def _wrapped(self, text: Text, width: int) -> list[Text]:
        """Wrap a text, lines without anything left out."""
        lines = (line for line in text.split("\n", allow_blank=True) if line.plain.strip())
        wrapped = [piece for line in lines for piece in line.wrap(self._console, width, tab_size=4)]
        for piece in wrapped:
            piece.rstrip()
        return wrapped

    def _text(self, side: Side, pieces: Sequence[Piece], first: bool) -> Text:
        from rich.text import Text

        text = Text()
        for piece in pieces:
            for start, end, hidden in self._unfolded(side.text, piece):
                if hidden:
                    text.append(f"\n··· {hidden:,} characters ···\n", "dim italic")
                turns = np.flatnonzero(np.diff(side.boilerplate[start:end])) + start + 1
                for begin, until in pairwise([start, *turns.tolist(), end]):
                    boilerplate = begin < until and bool(side.boilerplate[begin])
                    before, core, after = _parts(side.text[begin:until])
                    text.append(escape_for_terminal(before))
                    text.append(*self._styled(core, piece.role, boilerplate, first))
                    text.append(escape_for_terminal(after))
        return text

    def _unfolded(self, text: str, piece: Piece) -> list[tuple[int, int, int]]:
        """Return what is shown of a piece: where it begins and ends, and how much before it is not."""
        start, end, role = piece
        if role == OWN:
            start, end = end - len(text[start:end].lstrip()), start + len(text[start:end].rstrip())
        if self._full or end <= start:
            return [(start, max(start, end), 0)]
        if end - start <= FOLD_CHARACTERS and text.count("\n", start, end) <= FOLD_LINES:
            return [(start, end, 0)]
        head = start + _kept(text[start : start + END_CHARACTERS])
        tail = end - _kept(text[end - END_CHARACTERS : end][::-1])
        return [(start, head, 0), (tail, end, tail - head)] if head < tail else [(start, end, 0)]

    def _styled(self, core: str, role: int, boilerplate: bool, first: bool) -> tuple[str, str]:
        core = escape_for_terminal(core.replace("\r\n", "\n"))
        if role != CHANGED:
            return core, GREY if boilerplate else "green" if role == SHARED else ""
        if self._coloured:
            return core, "bold red strike" if first else "bold yellow underline"
        return (f"[-{core}-]" if first else f"{{+{core}+}}") if core else "", ""


def _differs(mine: str, theirs: str) -> bool:
    """Whether words differ, and not just what stands between them."""
    return any(map(str.isalnum, mine + theirs))


def _parts(text: str) -> tuple[str, str, str]:
    """Return a text and the white space around it; a blank text is all before."""
    core = text.strip()
    before, _, after = text.partition(core) if core else (text, "", "")
    return before.replace("\r\n", "\n"), core, after.replace("\r\n", "\n")


def _kept(text: str) -> int:
    """Return how much is left of the beginning of a long piece: some lines, or whole words of one."""
    lines = 0
    for place, line in enumerate(text.split("\n")):
        lines += bool(line.strip())
        if lines == END_LINES:
            return len("\n".join(text.split("\n")[: place + 1]))
    blank = max(text.rfind(" "), text.rfind("\n"))
    return blank if blank > 0 else len(text)


def _is_grey(line: Text) -> bool:
    """Whether all words of a line are boilerplate."""
    grey: set[int] = set()
    for start, end, style in line.spans:
        if style == GREY:
            grey.update(range(start, end))
    words = {place for place, character in enumerate(line.plain) if character.isalnum()}
    return bool(words) and words <= grey


def _row(left: Text, sign: str, right: Text, width: int) -> Text:
    from rich.text import Text

    left, right = left.copy(), right.copy()
    left.truncate(width, overflow="ellipsis", pad=True)
    right.truncate(width, overflow="ellipsis")
    row = Text.assemble(left, (f" {sign} ", "dim"), right)
    row.rstrip()
    return row
