"""Matches as an index stores them: what a pair of texts shares, as the bytes of one row, and back.

Input    `Overlaps` of texts, numbered in the order of the stages
Output   rows of the table `matches`; or `Overlaps` of such rows
Cost     127 bytes a match

Texts are ordered by their words, then by their digests, as everywhere (`clusters.collapse`): the lesser of a pair is a.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect.matching.overlaps import Overlaps, Weights
from dupdetect.matching.pairs import packed, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dupdetect.index.stores import Row
    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]

#: One match: counts of shingles, weights, pattern and verdict.
EVIDENCE = np.dtype(
    [
        *((name, "<i4") for name in ("shared", "size_a", "size_b")),
        *((name, "<f8") for name in Weights._fields[:-1]),
        *((name, "u1") for name in ("strangers", "pattern", "verdict")),
    ]
)


#: How a match was found: by keys; by a hot key, or what that led to; while a canonical was chosen.
BY_KEYS, BY_HOT_KEY, BY_CHOICE = range(3)

#: The columns of the table `matches`.
COLUMNS = ("a", "b", "origin", "evidence")


@dataclass(frozen=True, eq=False)
class Texts:
    """Some texts in the order of the stages.

    Attributes
    ----------
    numbers : int64[n]
        Their numbers in the index.
    words : int64[n]
    """

    numbers: Int
    words: Int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Texts:
        """Order texts, given as rows that begin with number, words and digest."""
        numbers = np.array([row[0] for row in rows], np.int64)
        words = np.array([row[1] for row in rows], np.int64)
        halves = np.frombuffer(b"".join([row[2] for row in rows]), "<u8").reshape(-1, 2)
        order = np.lexsort((halves[:, 1], halves[:, 0], words))
        return cls(numbers[order], words[order])

    def __len__(self) -> int:
        return len(self.numbers)

    def places(self, numbers: Sequence[int] | Int) -> Int:
        """Return where texts stand here, by their numbers."""
        order = np.argsort(self.numbers)
        return order[np.searchsorted(self.numbers, numbers, sorter=order)]


def to_rows(found: Overlaps, texts: Texts, origin: int | Int = BY_KEYS) -> list[tuple[int, int, int, bytes]]:
    """Return the rows of matches of texts that are numbered by their places; of one origin, or one for each."""
    if len(found.pairs) == 0:
        return []
    table = np.zeros(len(found.pairs), EVIDENCE)
    columns: dict[str, Any] = {"shared": found.shared, "size_a": found.size_a, "size_b": found.size_b}
    if found.given is not None:
        columns |= found.given._asdict()
    columns |= {"pattern": found.patterns, "verdict": found.verdicts}
    for name, values in columns.items():
        if values is not None:
            table[name] = values
    data, size = table.tobytes(), EVIDENCE.itemsize
    a, b = (texts.numbers[side].tolist() for side in unpack(found.pairs))
    origins = [origin] * len(a) if isinstance(origin, int) else origin.tolist()
    return [
        (x, y, how, data[place * size : (place + 1) * size])
        for place, (x, y, how) in enumerate(zip(a, b, origins, strict=True))
    ]


def of_rows(rows: Sequence[tuple[int, int, bytes]], texts: Texts, *, weighed: bool) -> Overlaps:
    """Return the matches of rows (a, b, evidence), numbered by the places of their texts.

    Parameters
    ----------
    rows : sequence of (int, int, bytes)
    texts : Texts
        All of the rows' among them.
    weighed : bool
        `Settings.weighs`: whether there are weights.
    """
    table = np.frombuffer(b"".join([evidence for _, _, evidence in rows]), EVIDENCE)
    pairs = packed(texts.places([a for a, _, _ in rows]), texts.places([b for _, b, _ in rows]))
    order = np.argsort(pairs)
    table = table[order]
    given = None
    if weighed:
        columns = [table[name].copy() for name in Weights._fields[:-1]]
        given = Weights._make([*columns, table["strangers"] != 0])
    shared, size_a, size_b = (table[name].copy() for name in ("shared", "size_a", "size_b"))
    patterns = table["pattern"].copy() if weighed else None
    return Overlaps(pairs[order], shared, size_a, size_b, given, patterns, table["verdict"].copy())


def renumbered(found: Overlaps, places: Int) -> Overlaps:
    """Return matches whose texts are numbered by `places` instead, which ascend."""
    a, b = unpack(found.pairs)
    pairs: Pairs = packed(places[a], places[b])
    return Overlaps(pairs, found.shared, found.size_a, found.size_b, found.given, found.patterns, found.verdicts)


class Stored(NamedTuple):
    """The matches of some texts.

    Attributes
    ----------
    found : Overlaps
        Those that clusters are made of.
    sampled : uint64[n]
        The pairs of them that were found by hot keys.
    chosen : Overlaps
        Those that were found while canonicals were chosen.
    """

    found: Overlaps
    sampled: Pairs
    chosen: Overlaps


def stored(rows: Sequence[tuple[int, int, int, bytes]], texts: Texts, *, weighed: bool) -> Stored:
    """Return the matches of rows (a, b, origin, evidence); parameters otherwise as for `of_rows`."""

    def some(*origins: int) -> Overlaps:
        return of_rows(
            [(a, b, evidence) for a, b, origin, evidence in rows if origin in origins], texts, weighed=weighed
        )

    found, none = some(BY_KEYS, BY_HOT_KEY), np.empty(0, np.int64)
    origins = {origin for _, _, origin, _ in rows}
    return Stored(
        found,
        some(BY_HOT_KEY).pairs if BY_HOT_KEY in origins else found.pairs[none],
        some(BY_CHOICE) if BY_CHOICE in origins else found.where(none),
    )
