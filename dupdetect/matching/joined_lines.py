"""Lines that one copy of a text has joined without a space between them, as text cut out of a page has.

Input    the rows of two documents, and which shingles they share
Output   how many words of each are the other's, but for a space
Cost     a pass over the shingles of one of them
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.own_texts import LEAST_LINE
from dupdetect.matching.shingle_rows import LINE_START, REPEAT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]


@compilable_helper
def is_line_end(row: Hashes, word: int) -> bool:
    """Whether a line that is no short one ends before a word: one that goes on, as of a paragraph that is wrapped."""
    if word >= len(row) or not row[word] & LINE_START:
        return False
    begin = word - 1
    while begin > 0 and word - begin < LEAST_LINE and not row[begin] & LINE_START:
        begin -= 1
    return word - begin >= LEAST_LINE


@compilable_helper
def count_joined(
    row: Hashes, shared: Byte, other: Hashes, partners: Int32, ends: Int32, runs: int, shingle_size: int
) -> tuple[int, int]:
    """Count the words that are one word in one document and two in the other, where this one's line ends between them.

    The lines of one copy were joined without a space. That the one word is the other two is not seen; but an edit
    seldom takes the last word of a line and the first of the next for one in the midst of a line, between words that
    both share. `partners` are of the other document, whose runs end at `ends` (`run_ends`); `shared` marks what of the
    first is shared. Returned are the words of the first, and of the other. Repeats count for neither, so that it makes
    no difference which document is first.
    """
    one, two, last, position = 0, 0, -1, 0
    for turn in range(runs):
        begin, position = position, int(ends[turn])
        if partners[begin] < 0:
            continue
        before, last = last, position - 1
        theirs = begin - before - 1
        if before < 0 or not shingle_size <= theirs <= shingle_size + 1 or (other[before] | other[begin]) & REPEAT:
            continue
        mine = partners[begin] - partners[before] - 1
        if min(mine, theirs) != shingle_size or max(mine, theirs) != shingle_size + 1:
            continue
        between = 0
        for place in range(partners[before] + 1, partners[begin]):
            between += shared[place]
        here, there = partners[before] + shingle_size, before + shingle_size
        if mine > theirs:
            at_end = is_line_end(row, here + 1) and not (other[there] | other[there + 1]) & LINE_START
        else:
            at_end = is_line_end(other, there + 1) and not (row[here] | row[here + 1]) & LINE_START
        if at_end and between == 0:
            one, two = one + mine - shingle_size + 1, two + theirs - shingle_size + 1
    return one, two
