import random

import numpy as np
import pytest

from dupdetect.matching.shingle_rows import LINE_START, run_ends


def ends_of(row, one, two):
    ends = np.empty(len(row), np.int32)
    return ends[: run_ends(row, one, two, ends)].tolist()


@pytest.mark.parametrize("seed", range(20))
def test_a_run_ends_where_a_mark_changes_or_a_line_begins(seed):
    drawn = random.Random(seed)
    length, often = drawn.randint(1, 60), drawn.choice([0.05, 0.5])
    starts, one, two = ([int(drawn.random() < often) for _ in range(length)] for _ in range(3))
    row = np.array([place << 4 | start * int(LINE_START) for place, start in enumerate(starts)], np.uint64)
    changes = [
        place
        for place in range(1, length)
        if starts[place] or one[place] != one[place - 1] or two[place] != two[place - 1]
    ]
    assert ends_of(row, np.array(one, np.uint8), np.array(two, np.uint8)) == [*changes, length]


def test_a_row_of_nothing_has_no_runs():
    assert ends_of(*(np.empty(0, dtype) for dtype in (np.uint64, np.uint8, np.uint8))) == []
