import numpy as np
import pytest

from dupdetect.matching.interleaving import (
    FULL,
    INTERLEAVED,
    OTHER,
    SHORT,
    STRETCH,
    WITHIN,
    Side,
    pattern_of,
    read_side,
)
from dupdetect.matching.shingle_rows import MAIN_CONTENT, REPEAT, run_ends


def row_of(count, short=()):
    """Make up a row of different shingles, of main content but for some."""
    return np.array([place << 2 | (place not in short) for place in range(count)], np.uint64)


def marks(text):
    return np.array([mark == "+" for mark in text.replace(" ", "")], np.uint8)


def read(row, shared):
    ends = np.empty(len(row), np.int32)
    return read_side(row, shared, ends, run_ends(row, shared, shared, ends))


def test_a_side_is_read_in_stretches():
    shared = marks(f"{'-' * 20} {'+' * 10} {'-' * 30} {'+' * 25} {'-' * 3} {'+' * 5} {'-' * 18}")
    side = read(row_of(len(shared)), shared)
    assert side.share == 40 / 111
    assert (side.stretch, side.between) == (30 * FULL, 30 * FULL)  # three of its own are but an edit
    assert (side.before, side.behind, side.bits) == (20, 18, 3)
    assert (side.ahead, side.after) == (50, 18)


def test_what_is_short_or_a_repeat_weighs_less():
    shared = marks(f"{'+' * 10} {'-' * STRETCH} {'+' * 10}")
    row = row_of(len(shared), short=range(5, 15))
    row[-2:] |= REPEAT
    side = read(row, shared)
    assert side.stretch == 8 * FULL
    assert side.between == 5 * SHORT + (STRETCH - 5) * FULL
    assert side.share == pytest.approx((13 * FULL + 5 * SHORT) / ((13 + STRETCH - 5) * FULL + 10 * SHORT))


def test_two_shared_shingles_in_a_row_are_no_edge():
    side = read(row_of(60), marks(f"{'+' * 2} {'-' * 20} {'+' * 3} {'-' * 30} {'+' * 5}"))
    assert (side.before, side.between) == (20, 30 * FULL)


def test_a_row_of_which_nothing_is_shared_is_its_own():
    assert read(row_of(40), marks("-" * 40)) == Side(0, 0, 0, 0, 40, 0, 0, 40)
    assert read(row_of(0), marks("")) == Side(0, 0, 0, 0, 0, 0, 0, 0)
    assert row_of(1)[0] & MAIN_CONTENT


SUIT = Side(0.3, 100 * FULL, 40 * FULL, 0, 0, 0, 0, 40)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, INTERLEAVED),
        ({"between": 31 * FULL}, OTHER),  # too little of its own
        ({"stretch": 161 * FULL}, OTHER),  # a long story with a teaser inside
        ({"before": 1, "behind": 1}, OTHER),  # within
        ({"before": 1, "behind": 1, "stretch": 161 * FULL, "share": 0.5}, WITHIN),
        ({"stretch": 80 * FULL, "ahead": 1, "after": 1}, OTHER),  # amid
        ({"stretch": 79 * FULL, "ahead": 1, "after": 1}, INTERLEAVED),
        ({"bits": 21}, OTHER),  # edits
        ({"bits": 20}, INTERLEAVED),
        ({"share": 0.91}, INTERLEAVED),
        ({"share": 0.91, "between": 0}, WITHIN),
    ],
)
def test_kinds_of_pairs(changes, kind):
    side = SUIT._replace(**changes)
    assert pattern_of(side, side) == kind
    assert pattern_of(side, SUIT) == pattern_of(SUIT, side)


def test_edits_are_no_suit_unless_one_has_more_of_its_own():
    edited = SUIT._replace(bits=30)
    assert pattern_of(edited, edited) == OTHER
    assert pattern_of(edited, edited._replace(between=50 * FULL)) == INTERLEAVED
