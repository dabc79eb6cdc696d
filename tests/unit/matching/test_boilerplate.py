import numpy as np
import pytest

from dupdetect.matching.boilerplate import (
    AGAINST,
    ALWAYS,
    DOUBTED,
    NEVER,
    PLAIN,
    Boilerplate,
    are_strangers,
    grade_table,
    is_content,
    look_up,
    may_have,
    presence,
)
from dupdetect.matching.interleaving import CLEAR, INTERLEAVED, ONE_END, OTHER, WITHIN
from dupdetect.matching.pairs import pack
from dupdetect.matching.patterns import AMID_A, AMID_B, FURNITURE_A, FURNITURE_B


def graded(table, values):
    return look_up(table, presence(table), values)


def test_shingles_are_looked_up_with_their_grades():
    hashes = np.array([16, 32, 48, 2**63, 2**64 - 16], np.uint64)
    grades = np.array([1, 2, 3, 1, 2], np.uint64)
    values = np.append(hashes, np.uint64(64)) | np.uint64(15)  # with all marks
    assert graded(grade_table(hashes, grades), values).tolist() == [1, 2, 3, 1, 2, NEVER]
    assert graded(grade_table(hashes[:0], PLAIN), values).tolist() == [NEVER] * 6


@pytest.mark.parametrize("twin", ["function", "compiled"])
def test_a_filter_spares_most_look_ups_and_loses_nothing(twin):
    hashes = np.random.default_rng(7).integers(1, 2**60, 3000, np.uint64) << np.uint64(4)
    table = grade_table(hashes[:1000], PLAIN)
    filter_ = getattr(presence, twin)(table)
    assert all(may_have(filter_, value) for value in hashes[:1000])
    assert sum(may_have(filter_, value) for value in hashes[1000:]) < 400
    grades = getattr(look_up, twin)(table, filter_, hashes)
    assert (grades == np.repeat([PLAIN, NEVER], [1000, 2000])).all()


def test_a_margin_that_a_vote_turns_has_a_grade_of_its_own():
    """A pair that voted boilerplate leaves one vote less for it, one that voted content `AGAINST` more."""
    margin = np.arange(-4, 5, dtype=np.int32)
    shingles = np.arange(16, 160, 16, dtype=np.uint64)
    pairs = pack(np.array([0, 1]), np.array([5, 5]))
    known = Boilerplate(shingles, margin, pairs, np.array([1, -AGAINST], np.int32))
    least = known.least(pack(np.array([0, 1, 2]), np.array([5, 5, 5])), np.full(3, INTERLEAVED, np.uint8))
    grades = graded(known.grades, shingles)
    for vote, grade in zip((1, -AGAINST, 0), least, strict=True):
        assert (grades >= grade).tolist() == (margin - vote > 0).tolist()


def test_boilerplate_is_empty_where_no_shingle_is_boilerplate_for_any_pair():
    nobody = np.empty(0, np.uint64)
    for margin, is_empty in [([], True), ([-AGAINST, -9], True), ([-9, 1 - AGAINST], False), ([1], False)]:
        shingles = np.arange(16, 16 * len(margin) + 16, 16, dtype=np.uint64)
        known = Boilerplate(shingles, np.array(margin, np.int32), nobody, np.empty(0, np.int32))
        assert known.is_empty == is_empty
        assert (graded(known.grades, shingles) == NEVER).all() == is_empty


def test_strangers_say_boilerplate_and_copies_say_content_whatever_their_own_lines_are():
    patterns = np.array([OTHER, CLEAR, INTERLEAVED, WITHIN, ONE_END], np.uint8)
    for marks in (0, FURNITURE_A | AMID_B, FURNITURE_B | AMID_A):
        assert are_strangers(patterns | np.uint8(marks)).tolist() == [False, False, True, False, True]
        assert is_content(patterns | np.uint8(marks)).tolist() == [False, True, False, True, False]


def test_where_it_is_not_known_who_voted_each_pair_counts_as_one_that_did():
    known = Boilerplate(np.empty(0, np.uint64), np.empty(0, np.int32), None, np.empty(0, np.int32))
    patterns = np.array([OTHER, CLEAR | FURNITURE_A, INTERLEAVED, WITHIN, ONE_END | AMID_A], np.uint8)
    pairs = pack(np.zeros(5, np.int64), np.arange(1, 6))
    assert known.least(pairs, patterns).tolist() == [PLAIN, DOUBTED, ALWAYS, DOUBTED, ALWAYS]
