"""The first rows of files.

Input    files, and how many rows
Output   `First`, which `sources` reads in their place
Cost     that of the rows
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dupdetect.io.readers import Piece, closing


@dataclass(frozen=True)
class First:
    """The first rows of some files, to try something on.

    Attributes
    ----------
    paths : sequence of Path
    rows : int
        How many at most; those that cannot be used count.
    """

    paths: Sequence[Path]
    rows: int

    def of(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """Yield pieces until there are enough rows."""
        left = self.rows
        for piece in pieces:
            count = piece.table.num_rows
            if count > left:
                piece = replace(
                    piece,
                    table=piece.table.slice(0, left),
                    rows=piece.rows[:left],
                    files=piece.files[:left],
                    rejects=[reject for reject in piece.rejects if left and reject.row < piece.rows[left]],
                    faults={at: fault for at, fault in piece.faults.items() if at < left},
                )
            yield piece
            left -= min(count, left) + len(piece.rejects)
            if left <= 0:
                if piece.loose and piece.end is not None:  # what columns the file has is looked at when it ends
                    yield closing(piece.name, inferred=piece.inferred, end=piece.end)
                return


def limited(pieces: Iterator[Piece], first: First | None) -> Iterator[Piece]:
    """Return the pieces of the first rows, if only these are wanted."""
    return pieces if first is None else first.of(pieces)
