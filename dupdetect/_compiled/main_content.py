"""Folded bytes to words of main content, compiled; the reference is `dupdetect.text.main_content`.

Input    what `normalize` made of a document: folded bytes and the bitmap of words
Output   for each word, 1 if it is of main content, else 0
Cost     O(bytes)
"""

from __future__ import annotations

import numpy as np

from dupdetect._compiled.intrinsics import allocating, inlined, lowest, match_block, population
from dupdetect.text.main_content import MAIN_CONTENT

_ZERO, _ONE = np.uint64(0), np.uint64(1)

find_newlines = match_block((((10, 10),),))
find_wide = match_block((((0xE0, 0xFF),),))


@allocating
def mark_main_content(scratch, bitmap, size, count, flags):
    """Write to flags[:count] which words are of main content. Reference: `main_content.main_content`."""
    # How many words there are up to the end of each line that has words, and its half words, after two empty lines.
    ends, halves = np.empty(count + 1, np.int64), np.zeros(count + 5, np.int64)
    lines, words, before = 0, 0, 0
    inside = _ZERO
    for block in range((size >> 6) + 1):
        bits = bitmap[block]
        starts = bits & ~(bits << _ONE | inside)
        inside = bits >> np.uint64(63)
        lone = find_lone(scratch, bitmap, block << 6, starts)
        breaks = find_newlines(scratch, block << 6)
        # Words are counted by their first bytes, 64 bytes at a time; where lines end among them, piece by piece.
        while True:
            here = breaks ^ (breaks - _ONE)  # up to the next newline; all, if there is none
            found = population(starts & here)
            words += found
            halves[lines + 2] += 2 * found - population(lone & here)
            if not breaks:
                break
            starts, lone, breaks = starts & ~here, lone & ~here, breaks & (breaks - _ONE)
            if words > before:
                ends[lines] = words
                lines, before = lines + 1, words
    if words > before:
        ends[lines] = words
        lines += 1
    # Now each line with its neighbours: the two before it, the two behind it, or one on either side.
    word, any_full = 0, False
    for line in range(lines):
        before, after = halves[line] + halves[line + 1], halves[line + 3] + halves[line + 4]
        beside = halves[line + 1] + halves[line + 3]
        full = halves[line + 2] + max(before, after, beside) >= 2 * MAIN_CONTENT
        flags[word : ends[line]] = full
        word, any_full = ends[line], any_full or full
    if not any_full:
        flags[:count] = True


@inlined
def find_lone(scratch, bitmap, base, starts):
    """Find the words of a block that are one character of three bytes or more. Reference: `main_content.halves`."""
    lone = _ZERO
    wide = starts & find_wide(scratch, base)
    while wide:
        bit = lowest(wide)
        after = base + bit + (4 if scratch[base + bit] >= 0xF0 else 3)  # where a word of one character would end
        wide &= wide - _ONE
        if not bitmap[after >> 6] >> np.uint64(after & 63) & _ONE:
            lone |= _ONE << np.uint64(bit)
    return lone


@allocating
def mark_shingles(shingles, total, count, flags):
    """Let the lowest bit of shingles[:total] say whether they hold a word of main content.

    Reference: `main_content.main_content_shingles`.
    """
    size = count - total + 1
    last = -1
    for word in range(count):
        if flags[word]:  # a shingle holds one if the last marked word lies within it
            last = word
        first = word - size + 1
        if first >= 0:
            shingles[first] = shingles[first] & ~_ONE | np.uint64(last >= first)
