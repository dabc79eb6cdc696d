"""UTF-8 to folded bytes and a bitmap of words, compiled; the reference is `dupdetect.text.words`.

Input    a document's bytes (uint8[n], UTF-8)
Output   its bytes normalised (NFKC) and casefolded, and one bit for each: whether it belongs to a word
Cost     O(n); 64 bytes at a time where all is ASCII, else one character at a time

A character that is a word on its own is written between two bytes that belong to none, so that every word is a
maximal run of ones in the bitmap.
"""

from __future__ import annotations

import numpy as np

from dupdetect._compiled.intrinsics import BLOCK, fold_block, inlined, inner, load64, lowest, population, store64
from dupdetect._compiled.unicode_tables import (
    BITS_SHIFT,
    IRREGULAR,
    LCCC_SHIFT,
    LONE,
    MORE_SHIFT,
    PAGE_BITS,
    PIECE_SHIFT,
    REPLACED,
    TCCC_SHIFT,
)

#: Free bytes that `fold` wants ahead of it: a block, the longest replacement, and what a load may read too much.
SLACK = 256

#: What `fold` returns when a buffer is too small: `scratch` and the bitmap, or `codes`.
FULL, CODES_FULL = -1, -2

#: Combining classes are bytes.
CLASSES = 256

_ZERO, _ONE = np.uint64(0), np.uint64(1)
_FOUR_BEYOND = np.uint64(0x80808080)  # bytes of characters beyond ASCII
_EACH_BYTE = np.uint64(0x0101010101010101)
_GATHER = np.uint64(0x0102040810204080)  # times a number of a bit in each byte: these bits, in the highest byte
# Unicode's names in Hangul: leading consonant, vowel, final consonant, syllable.
_L, _V, _T, _S = 0x1100, 0x1161, 0x11A7, 0xAC00
_LEADERS, _VOWELS, _FINALS = 19, 21, 28
_S_END = _S + _LEADERS * _VOWELS * _FINALS


@inlined
def load_some(data, position):
    """Return the 8 bytes from data[position] on, as uint64; zeros beyond the end of memory."""
    if position + 8 <= len(data):
        return load64(data, position)
    value = _ZERO
    for index in range(position, len(data)):
        value |= np.uint64(data[index]) << np.uint64(8 * (index - position))
    return value


@inlined
def decode(raw):
    """Return the code point that the lowest bytes of a uint64 spell in UTF-8, and its number of bytes."""
    code = np.int64(raw & np.uint64(0xFFFFFFFF))
    if code & 0x80 == 0:
        return code & 0x7F, 1
    if code & 0x20 == 0:
        return (code & 0x1F) << 6 | code >> 8 & 0x3F, 2
    if code & 0x10 == 0:
        return (code & 0x0F) << 12 | (code >> 8 & 0x3F) << 6 | code >> 16 & 0x3F, 3
    return (code & 0x07) << 18 | (code >> 8 & 0x3F) << 12 | (code >> 16 & 0x3F) << 6 | code >> 24 & 0x3F, 4


@inlined
def entry_of(characters, code):
    """Return the entry of a code point (see `dupdetect._compiled.unicode_tables`)."""
    page = np.int64(characters.pages[code >> PAGE_BITS])
    return np.int64(characters.entries[page << PAGE_BITS | code & ((1 << PAGE_BITS) - 1)])


@inlined
def encode(code):
    """Return a code point's UTF-8, little endian, and its number of bytes."""
    if code < 0x80:
        return np.uint64(code), 1
    if code < 0x800:
        return np.uint64(0x80C0 | code >> 6 | (code & 0x3F) << 8), 2
    if code < 0x10000:
        return np.uint64(0x8080E0 | code >> 12 | (code >> 6 & 0x3F) << 8 | (code & 0x3F) << 16), 3
    high = 0x808080F0 | code >> 18 | (code >> 12 & 0x3F) << 8
    return np.uint64(high | (code >> 6 & 0x3F) << 16 | (code & 0x3F) << 24), 4


@inlined
def append(bitmap, pending, out, bits, count):
    """Append `count` bits to the bitmap that holds `out` of them; return the bits not yet written."""
    shift = np.uint64(out & 63)
    pending |= bits << shift
    if (out & 63) + count >= 64:
        bitmap[out >> 6] = pending
        pending = (bits >> _ONE) >> (np.uint64(63) - shift)
    return pending


@inlined
def write(characters, value, size, entry, scratch, bitmap, pending, out):
    """Write one character, of the given UTF-8, as its entry says; return the pending bits and the new `out`."""
    category = entry & 3
    if category == REPLACED:
        return write_pieces(characters, entry >> PIECE_SHIFT, scratch, bitmap, pending, out)
    bits = (1 << size) - 1 if category else 0
    if category == LONE:  # a byte that belongs to no word, before and after
        value, bits, size = value << np.uint64(8), bits << 1, size + 2
    store64(scratch, out, value)
    return append(bitmap, pending, out, np.uint64(bits), size), out + size


@inlined
def write_pieces(characters, piece, scratch, bitmap, pending, out):
    """Write a character's replacement; return the pending bits and the new `out`."""
    while True:
        shape = np.int64(characters.shapes[piece])
        size = shape & 15
        store64(scratch, out, characters.pieces[piece])
        pending = append(bitmap, pending, out, np.uint64(shape >> BITS_SHIFT & 255), size)
        out += size
        if not shape >> MORE_SHIFT:
            return pending, out
        piece += 1


@inner
def find(values, wanted):
    """Return where `wanted` stands among ascending values, -1 if it does not."""
    first, last = 0, len(values)
    while first < last:
        middle = (first + last) >> 1
        if values[middle] < wanted:
            first = middle + 1
        else:
            last = middle
    return first if first < len(values) and values[first] == wanted else -1


@inner
def decomposition_of(characters, code):
    """Return where a character's decomposition begins and ends in `decompositions`; (0, 0) if it has none."""
    index = find(characters.decomposed, code)
    if index >= 0:
        return characters.decomposition_offsets[index], characters.decomposition_offsets[index + 1]
    return np.int32(0), np.int32(0)


@inner
def decompose(characters, data, position, end, codes):
    """Decompose a segment (NFKD, not yet reordered) into `codes`, as many as fit.

    Returns how many there are and where the segment ends.
    """
    count = 0
    start = position
    while position < end:
        code, size = decode(load_some(data, position))
        # A character that begins a segment ends the one before.
        if position > start and entry_of(characters, code) >> LCCC_SHIFT & 255 == 0:
            break
        position += size
        if _S <= code < _S_END:  # Hangul syllables decompose by arithmetic; a table would have 11,172 entries
            index = code - _S
            parts = 2 + (index % _FINALS > 0)
            if count + parts <= len(codes):
                codes[count] = _L + index // (_VOWELS * _FINALS)
                codes[count + 1] = _V + index // _FINALS % _VOWELS
                if parts == 3:
                    codes[count + 2] = _T + index % _FINALS
            count += parts
            continue
        # Counted even where it does not fit: the caller then sees that `codes` is too small.
        first, last = decomposition_of(characters, code)
        parts = max(last - first, 1)
        if count + parts <= len(codes):
            if first == last:
                codes[count] = code
            for index in range(first, last):
                codes[count + index - first] = characters.decompositions[index]
        count += parts
    return count, position


@inner
def combining_class(characters, code):
    """Return the canonical combining class of a character that has no decomposition."""
    return entry_of(characters, code) >> TCCC_SHIFT & 255


@inner
def reorder(characters, codes, count):
    """Put marks in canonical order: every run of combining characters by class, equal ones left in order."""
    start = 0
    while start < count:
        end = start
        while end < count and combining_class(characters, codes[end]) != 0:
            end += 1
        if end - start > 32:  # insertion takes the square of the length, and a text may be made to have long runs
            reorder_many(characters, codes, start, end, count)
        else:
            reorder_few(characters, codes, start, end)
        start = end + 1


@inner
def reorder_few(characters, codes, start, end):
    """Sort codes[start:end] by combining class, by insertion."""
    for index in range(start + 1, end):
        code = codes[index]
        rank = combining_class(characters, code)
        slot = index
        while slot > start and combining_class(characters, codes[slot - 1]) > rank:
            codes[slot] = codes[slot - 1]
            slot -= 1
        codes[slot] = code


@inner
def reorder_many(characters, codes, start, end, spare):
    """Sort codes[start:end] by combining class, by counting: a text may be one long run of marks.

    codes[spare:] is free: for a copy of the run, and a slot for each class.
    """
    slots = len(codes) - CLASSES
    for slot in range(slots, len(codes)):
        codes[slot] = 0
    for index in range(start, end):
        codes[spare + index - start] = codes[index]
        codes[slots + combining_class(characters, codes[index])] += 1
    before = start
    for slot in range(slots, slots + CLASSES):
        before, codes[slot] = before + codes[slot], before
    for index in range(spare, spare + end - start):
        slot = slots + combining_class(characters, codes[index])
        codes[codes[slot]] = codes[index]
        codes[slot] += 1


@inner
def composition_of(characters, first, second):
    """Return what two characters compose to, 0 if they do not."""
    if _L <= first < _L + _LEADERS and _V <= second < _V + _VOWELS:
        return _S + ((first - _L) * _VOWELS + second - _V) * _FINALS
    if _T < second < _T + _FINALS and _S <= first < _S_END and (first - _S) % _FINALS == 0:
        return first + second - _T
    pair = np.uint64(first) << np.uint64(32) | np.uint64(second)
    index = find(characters.pairs, pair)
    if index >= 0:
        return np.int64(characters.composites[index])
    return 0


@inner
def compose(characters, codes, count):
    """Compose in place (Unicode's canonical composition algorithm); return how many characters are left."""
    starter = -1
    kept = 0
    before = 0
    for index in range(count):
        code = np.int64(codes[index])
        rank = combining_class(characters, code)
        # A mark reaches its starter unless one of its own class, or of a higher one, stands between ("blocked").
        if starter >= 0 and (kept == starter + 1 or before < rank):
            composite = composition_of(characters, np.int64(codes[starter]), code)
            if composite:
                codes[starter] = composite
                continue
        if rank == 0:
            starter = kept
        before = rank
        codes[kept] = code
        kept += 1
    return kept


@inner
def fold_segment(characters, data, position, end, codes, scratch, bitmap, pending, out):
    """Write one segment by the book: decompose, reorder, compose, casefold.

    Returns the pending bits, the new `out` (negative if a buffer is too small), the segment's end and the class
    of its last character. Reference: `unicodedata.normalize`.
    """
    count, after = decompose(characters, data, position, end, codes)
    last = 0
    if 2 * count + CLASSES > len(codes):
        return pending, CODES_FULL, after, last
    reorder(characters, codes, count)
    for index in range(compose(characters, codes, count)):
        if out + SLACK > len(scratch):
            return pending, FULL, after, last
        code = np.int64(codes[index])
        entry = entry_of(characters, code)
        last = entry >> TCCC_SHIFT & 255
        value, size = encode(code)
        pending, out = write(characters, value, size, entry, scratch, bitmap, pending, out)
    return pending, out, after, last


@inner
def fold_run(characters, data, start, position, end, codes, scratch, bitmap, pending, out):
    """Write characters one by one from `position` on, until the next four are of ASCII.

    Returns the pending bits, the new `out` (negative if a buffer is too small) and position.
    """
    # The segment that may have to be written anew begins with the character of ASCII before.
    segment = max(position - 1, start)
    segment_out = out - (position - segment)
    last = 0
    while position < end:
        raw = load_some(data, position)
        if raw & _FOUR_BEYOND == 0:
            break
        if out + SLACK > len(scratch):
            return pending, FULL, position
        code, size = decode(raw)
        entry = entry_of(characters, code)
        leading = entry >> LCCC_SHIFT & 255
        if leading == 0:
            segment, segment_out = position, out
        elif leading == IRREGULAR or leading < last:
            # It may compose with what precedes it, or marks are out of order: take back what was written of the
            # segment, its bits too, and write all of it by the book.
            if segment_out >> 6 != out >> 6:
                pending = bitmap[segment_out >> 6]
            pending &= (_ONE << np.uint64(segment_out & 63)) - _ONE
            pending, out, position, last = fold_segment(
                characters, data, segment, end, codes, scratch, bitmap, pending, segment_out
            )
            if out < 0:
                return pending, out, position
            continue
        last = entry >> TCCC_SHIFT & 255
        value = raw & (_ONE << np.uint64(8 * size)) - _ONE
        pending, out = write(characters, value, size, entry, scratch, bitmap, pending, out)
        position += size
    return pending, out, position


@inner
def fold(characters, data, start, end, codes, scratch, bitmap):
    """Write a document normalised and casefolded, and the bitmap of which bytes belong to words.

    Returns the number of bytes written, `FULL` or `CODES_FULL`. Reference: `words.normalize`.
    """
    pending = _ZERO
    position, out = start, 0
    while position < end:
        if out + SLACK > len(scratch):
            return FULL
        if position + BLOCK <= len(data):
            in_word, beyond = fold_block(data, position, scratch, out)
        else:  # near the end of memory, beyond which a block must not be read: by way of the end of `scratch`
            rest = len(scratch) - BLOCK
            for index in range(position, end):
                scratch[rest + index - position] = data[index]
            in_word, beyond = fold_block(scratch, rest, scratch, out)
        # Of the block only what is ASCII up to the first other character counts; what was written beyond is written
        # over.
        count = min(lowest(beyond), end - position)
        if count < BLOCK:
            in_word &= (_ONE << np.uint64(count)) - _ONE
        pending = append(bitmap, pending, out, in_word, count)
        position += count
        out += count
        if count < BLOCK and position < end:
            pending, out, position = fold_run(
                characters, data, start, position, end, codes, scratch, bitmap, pending, out
            )
            if out < 0:
                return out
    bitmap[out >> 6] = pending
    return out


_SYMBOLS = np.isin(np.arange(256), list(b"$+<=>^`|~"))


@inner
def single_out(scratch, bitmap, size, blocks):
    """Leave of each character in the bitmap its first byte, and add symbols of ASCII; return how many there are.

    Bytes 0x80 to 0xBF continue a character. Reference: `words.words` of characters.
    """
    count = 0
    for block in range(blocks):
        symbols = _ZERO
        for index in range(min(BLOCK, size - (block << 6))):
            symbols |= np.uint64(_SYMBOLS[scratch[(block << 6) + index]]) << np.uint64(index)
        bitmap[block] |= symbols
        later = _ZERO
        # For eight bytes at a time: the bit "10xxxxxx" of each byte, gathered into one byte by a multiplication.
        for step in range(0, 64, 8):
            value = load64(scratch, (block << 6) + step)
            high = (value & ~(value << _ONE)) >> np.uint64(7) & _EACH_BYTE
            later |= (high * _GATHER >> np.uint64(56)) << np.uint64(step)
        bitmap[block] &= ~later
        count += population(bitmap[block])
    return count


@inner
def count_words(bitmap, blocks):
    """Return the number of words: of ones that follow a zero."""
    count = 0
    before = _ZERO
    for block in range(blocks):
        bits = bitmap[block]
        count += population(bits & ~(bits << _ONE | before))
        before = bits >> np.uint64(63)
    return count
