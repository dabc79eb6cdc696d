import numpy as np

from dupdetect.matching.boilerplate import AGAINST, NEVER, PLAIN, Boilerplate, grade_table, look_up
from dupdetect.matching.interleaving import INTERLEAVED
from dupdetect.matching.overlaps import Overlaps, Weights
from dupdetect.matching.pairs import pack


def one(shared, size_a, size_b, boilerplate=0.0, interleaved=False, counts=(100, 120, 150)):
    """Make up one pair that is weighed."""
    weights = Weights(*(np.array([value]) for value in (shared, size_a, size_b, boilerplate, interleaved)))
    return Overlaps(pack(np.array([0]), np.array([1])), *(np.array([n]) for n in counts), weights)


def test_shingles_are_looked_up_with_their_grades():
    hashes = np.array([4, 8, 12, 2**63, 2**64 - 4], np.uint64)
    grades = np.array([1, 2, 3, 1, 2], np.uint64)
    values = np.append(hashes, np.uint64(16)) | np.uint64(3)  # of main content, and a repeat
    assert look_up(grade_table(hashes, grades), values).tolist() == [1, 2, 3, 1, 2, NEVER]
    assert look_up(grade_table(hashes[:0], PLAIN), values).tolist() == [NEVER] * 6


def test_a_margin_that_a_vote_turns_has_a_grade_of_its_own():
    """A pair that voted boilerplate leaves one vote less for it, one that voted content `AGAINST` more."""
    margin = np.arange(-4, 5, dtype=np.int32)
    shingles = np.arange(4, 40, 4, dtype=np.uint64)
    pairs = pack(np.array([0, 1]), np.array([5, 5]))
    known = Boilerplate(shingles, margin, pairs, np.array([1, -AGAINST], np.int32))
    least = known.least(pack(np.array([0, 1, 2]), np.array([5, 5, 5])), np.full(3, INTERLEAVED, np.uint8))
    grades = look_up(known.grades, shingles)
    for vote, grade in zip((1, -AGAINST, 0), least, strict=True):
        assert (grades >= grade).tolist() == (margin - vote > 0).tolist()
