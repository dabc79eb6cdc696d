"""Folded bytes to words of prose, compiled: the twin of `lines`.

Input    what `folding` made of a document: folded bytes and the bitmap of words
Output   for each word, 1 if it is of prose, else 0
Cost     O(bytes)
"""

# mypy: disable-error-code="no-untyped-def,call-arg,misc,assignment,var-annotated,no-untyped-call"

from __future__ import annotations

import numpy as np

from dupdetect.intrinsics import allocating, inlined, lowest
from dupdetect.lines import PROSE

_NEWLINE = np.uint8(10)
_ZERO, _ONE = np.uint64(0), np.uint64(1)


@allocating
def mark_prose(scratch, bitmap, size, count, flags):
    """Write to flags[:count] which words are of prose. Twin: `lines.prose`."""
    # How many words there are up to the end of each line that has words, and its half words, after two empty lines.
    ends, halves = np.empty(count + 1, np.int64), np.zeros(count + 5, np.int64)
    lines, words, start, end = 0, 0, 0, 0
    inside = _ZERO
    for block in range((size >> 6) + 1):
        bits = bitmap[block]
        turns = bits ^ (bits << _ONE | inside)
        inside = bits >> np.uint64(63)
        while turns:
            position = (block << 6) + lowest(turns)
            turns &= turns - _ONE
            if end >= 0:  # a word begins
                if words and holds_newline(scratch, end, position):
                    ends[lines] = words
                    lines += 1
                start, end = position, -1
            else:
                end = position
                words += 1
                halves[lines + 2] += 1 if lone(scratch, start, end - start) else 2
    if words:
        ends[lines] = words
        lines += 1
    word, any_full = 0, False
    for line in range(lines):
        before, after = halves[line] + halves[line + 1], halves[line + 3] + halves[line + 4]
        beside = halves[line + 1] + halves[line + 3]
        full = halves[line + 2] + max(before, after, beside) >= 2 * PROSE
        flags[word : ends[line]] = full
        word, any_full = ends[line], any_full or full
    if not any_full:
        flags[:count] = True


@inlined
def holds_newline(scratch, start, end):
    """Return whether a line ends in scratch[start:end]."""
    for position in range(start, end):  # noqa: SIM110 (numba compiles no any())
        if scratch[position] == _NEWLINE:
            return True
    return False


@inlined
def lone(scratch, start, length):
    """Return whether a word is a single character of three bytes or more. Twin: `lines.halves`."""
    lead = scratch[start]
    return (length == 3 and lead >= 0xE0) or (length == 4 and lead >= 0xF0)


@allocating
def mark_shingles(shingles, total, count, flags):
    """Let the lowest bit of shingles[:total] say whether they hold a word of prose. Twin: `lines.prose_shingles`."""
    size = count - total + 1
    last = -1
    for word in range(count):
        if flags[word]:
            last = word
        first = word - size + 1
        if first >= 0:
            shingles[first] = shingles[first] & ~_ONE | np.uint64(last >= first)
