"""What of two documents is in one order between two runs, held against a table of all lengths."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest

from dupdetect._compiled.dispatch import Compilable
from dupdetect.matching import alignment

MARK = Compilable(alignment.mark_between)


def expected(row: list[int], shared: list[int], begin: int, end: int, other: list[int]) -> list[int]:
    """Give the marks of the longest common subsequence; of several, that which is matched the earliest."""
    some, width, marks = [place for place in range(begin, end) if shared[place]], len(other), list(shared)
    near = len(some) * width > alignment.ALL and width > 2 * alignment.AROUND
    left = np.zeros((len(some) + 1, width + 1), np.int64)

    def meet(one: int, two: int) -> bool:
        start = (some[one] - begin) * width // (end - begin) - alignment.AROUND
        start = max(0, min(start, width - 2 * alignment.AROUND))
        beside = not near or start <= two < start + 2 * alignment.AROUND
        return beside and row[some[one]] == other[two]

    for one, two in product(reversed(range(len(some))), reversed(range(width))):
        taken = left[one + 1, two + 1] + 1 if meet(one, two) else 0
        left[one, two] = max(taken, left[one + 1, two], left[one, two + 1])
    two = 0
    for one, place in enumerate(some):
        while two < width and left[one, two] == left[one, two + 1]:
            two += 1
        if two < width and meet(one, two):
            two += 1
        else:
            marks[place] = alignment.ELSEWHERE
    return marks


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("different", [1, 2, 5, 60, 400])
@pytest.mark.parametrize("most", [3, 61, 62, 63, 150, 330])
def test_what_is_between_runs_is_in_one_order(different: int, most: int, compiled: bool) -> None:
    mark_between = MARK.compiled if compiled else MARK
    chance = random.Random(f"{different} {most}")
    hashes = [chance.randrange(1 << 60) << 4 for _ in range(different)]
    for _ in range(3 if most > 100 else 20):
        row, other = (chance.choices(hashes, k=chance.randint(most * 2 // 3, most)) for _ in range(2))
        begin, first = chance.choice([(0, 0), (len(row) // 4, len(other) // 5)])
        shared = [int(value in other) for value in row]
        marks = np.array(shared, np.uint8)
        numbers = {value: place for place, value in enumerate(hashes) if value in row and value in other}
        rows = [np.array([numbers.get(value, -1) for value in each], np.int32) for each in (row, other)]
        places = np.full(different, -1, np.int32)
        mark_between(rows[0], marks, begin, len(row), rows[1], first, len(other), places)
        assert (places == -1).all()
        assert marks.tolist() == expected(row, shared, begin, len(row), other[first:])
