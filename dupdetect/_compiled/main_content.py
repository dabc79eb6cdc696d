"""Folded bytes to marks of words by their lines, compiled. Reference: `dupdetect.text.main_content`.

Input    what `normalize` made of a document: folded bytes and the bitmap of words
Output   marks of each word: of main content, first of its line, of a line of many symbols, of one of few words
Cost     O(bytes)
"""

from __future__ import annotations

import numpy as np

from dupdetect._compiled.intrinsics import allocating, inlined, lowest, match_block, population
from dupdetect.text.main_content import (
    CHARACTER_SIZE,
    ITEM,
    ITEM_WORDS,
    LETTER_SIZE,
    LINE_START,
    MAIN_CONTENT,
    MARK_BITS,
    OF_MAIN_CONTENT,
    SYMBOLS,
    WORD_SIZE,
)

_ZERO, _ONE = np.uint64(0), np.uint64(1)

find_newlines = match_block((((10, 10),),))
find_wide = match_block((((0xE0, 0xFF),),))
find_letters = match_block((((0xE0, 0xE1),),))

#: Blanks, and bytes that continue a character: what is neither these nor of a word begins a symbol.
find_no_symbols = match_block((((0, 0),), ((9, 13),), ((32, 32),), ((0x80, 0xBF),)))

#: The bits of a shingle's hash that its marks take.
MARKS = np.uint64(2**MARK_BITS - 1)

#: Words of a document so long that room is made for no more lines than it has.
MANY = 1 << 16


@allocating
def mark_lines(scratch, bitmap, size, count, flags):  # noqa: C901 - one pass, for calls cannot return arrays
    """Write the marks of words to flags[:count]. Reference: `main_content.line_marks`."""
    # How many words there are up to the end of each line that has words, its half words, after two empty lines, its
    # symbols, and its size as an item.
    most = count
    if count > MANY:  # lines are counted first: room for as many as there are words would be more than the text
        most = 1
        for block in range((size >> 6) + 1):
            most += np.int64(population(find_newlines(scratch, block << 6)))
        most = min(most, count)
    ends, halves, symbols = np.empty(most + 1, np.int64), np.zeros(most + 5, np.int64), np.zeros(most + 2, np.int64)
    sizes = np.zeros(most + 2, np.int64)
    lines, words, before = 0, 0, 0
    inside = _ZERO
    for block in range((size >> 6) + 1):
        bits = bitmap[block]
        starts = bits & ~(bits << _ONE | inside)
        inside = bits >> np.uint64(63)
        lone = find_lone(scratch, bitmap, block << 6, starts)
        letters = lone & find_letters(scratch, block << 6)
        breaks = find_newlines(scratch, block << 6)
        signs = ~(bits | find_no_symbols(scratch, block << 6))
        if block == size >> 6:  # what stands behind the document in the last block is of an earlier one
            signs &= (_ONE << np.uint64(size & 63)) - _ONE
        while True:  # for each line of the block
            here = breaks ^ (breaks - _ONE)  # up to the next newline; all, if there is none
            found, single = population(starts & here), population(lone & here)
            words += found
            halves[lines + 2] += 2 * found - single
            symbols[lines] += population(signs & here)
            sizes[lines] += WORD_SIZE * found - (WORD_SIZE - CHARACTER_SIZE) * single
            sizes[lines] -= (CHARACTER_SIZE - LETTER_SIZE) * population(letters & here)
            if not breaks:
                break
            starts, lone, letters, signs = starts & ~here, lone & ~here, letters & ~here, signs & ~here
            breaks &= breaks - _ONE
            if words > before:
                ends[lines] = words
                lines, before = lines + 1, words
            else:  # a line without words does not count, nor do its symbols
                symbols[lines] = 0
    if words > before:
        ends[lines] = words
        lines += 1
    word, any_full = 0, False
    for line in range(lines):
        before, after = halves[line] + halves[line + 1], halves[line + 3] + halves[line + 4]
        beside = halves[line + 1] + halves[line + 3]
        full = halves[line + 2] + max(before, after, beside) >= 2 * MAIN_CONTENT
        marks = OF_MAIN_CONTENT if full else 0
        flags[word : ends[line]] = marks | (ITEM if sizes[line] <= ITEM_WORDS * WORD_SIZE else 0)
        flags[word] = marks | LINE_START | (SYMBOLS if 2 * symbols[line] >= halves[line + 2] else 0)
        word, any_full = ends[line], any_full or full
    if not any_full:
        for word in range(count):
            flags[word] |= OF_MAIN_CONTENT


@inlined
def find_lone(scratch, bitmap, base, starts):
    """Find the words of a block that are one character of three bytes or more. Reference: `main_content.halves`."""
    lone = _ZERO
    wide = starts & find_wide(scratch, base)
    while wide:
        bit = lowest(wide)
        after = base + bit + (4 if scratch[base + bit] >= 0xF0 else 3)
        wide &= wide - _ONE
        if not bitmap[after >> 6] >> np.uint64(after & 63) & _ONE:
            lone |= _ONE << np.uint64(bit)
    return lone


@allocating
def mark_shingles(shingles, total, count, flags):
    """Let the lowest bits of shingles[:total] be their marks. Reference: `main_content.shingle_marks`."""
    size = count - total + 1
    last = -1
    for word in range(count):
        if flags[word] & OF_MAIN_CONTENT:
            last = word
        first = word - size + 1
        if first >= 0:
            marks = np.uint64(flags[first] & (LINE_START | SYMBOLS)) | np.uint64(last >= first)
            shingles[first] = shingles[first] & ~MARKS | marks
