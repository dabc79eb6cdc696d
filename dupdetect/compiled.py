"""Texts to sketches, compiled: the twin of `words`, `shingles`, `minhash`, `winnow` and `bands`.

Input    a block of documents: UTF-8 as Arrow lays it out (uint8[bytes], int64[n + 1])
Output   what `dupdetect.sketches` keeps of them
Cost     O(bytes * num_perm / word length); some 400 MB/s a core with AVX-512

A document passes through in these steps, everything in buffers that its thread uses over and over:
`fold` writes it normalised and casefolded, beside a bitmap of which bytes belong to words; `hash_words` walks the
bitmap; the rest is arithmetic on arrays. `dupdetect.kernels` calls this module; nothing else does.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import njit

from dupdetect.characters import (
    BITS_SHIFT,
    IN_WORD,
    IRREGULAR,
    LEAD_SHIFT,
    LONE,
    MORE_SHIFT,
    PAGE_BITS,
    PIECE_SHIFT,
    REPLACED,
    TRAIL_SHIFT,
)
from dupdetect.intrinsics import BLOCK, GROUP, fold_block, least, load64, lowest, population, store64
from dupdetect.shingles import BASE

# numba makes float64 of int64 with uint64: constants that meet hashes are typed.
_BASE = np.uint64(BASE)
_P1, _P2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
_P3, _P4 = np.uint64(0x165667B19E3779F9), np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_LOW32 = np.uint64(0xFFFFFFFF)
_LOW8 = np.uint64(0xFF)

#: Bytes of folded text that are cut and hashed at a time; the bounds of its words stay in the L1 cache.
PIECE = 4096
#: A word of at most so many bytes is hashed without a branch, eight at a time.
SHORT = 15
#: Free bytes that `fold` wants ahead of it: a block, the longest replacement, and what a load may read too much.
SLACK = 256

_L, _V, _T, _S = 0x1100, 0x1161, 0x11A7, 0xAC00  # Unicode's names: leading consonant, vowel, final, syllable
_LEADERS, _VOWELS, _FINALS = 19, 21, 28
_S_END = _S + _LEADERS * _VOWELS * _FINALS

inner = njit(nogil=True)
cached = njit(nogil=True, cache=True)


# ---- words: fold and cut -------------------------------------------------------------------------------------


@inner
def decode(data, position, end):
    """Return the code point at data[position] and its number of bytes (UTF-8 is valid; bytes past end are not read)."""
    first = np.int64(data[position])
    if first < 0x80:
        return first, 1
    size = 2 + (first >= 0xE0) + (first >= 0xF0)
    code = first & (0x7F >> size)
    for index in range(position + 1, min(position + size, end)):
        code = code << 6 | (np.int64(data[index]) & 0x3F)
    return code & 0x1FFFFF, size


@inner
def entry_of(characters, code):
    """Return the entry of a code point (see `dupdetect.characters`)."""
    page = np.int64(characters.pages[code >> PAGE_BITS])
    return np.int64(characters.entries[page << PAGE_BITS | code & ((1 << PAGE_BITS) - 1)])


@inner
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


@inner
def append(bitmap, pending, out, bits, count):
    """Append `count` bits to the bitmap that holds `out` of them; return the bits not yet written."""
    shift = np.uint64(out & 63)
    pending |= bits << shift
    if (out & 63) + count >= 64:
        bitmap[out >> 6] = pending
        pending = (bits >> _ONE) >> (np.uint64(63) - shift)
    return pending


@inner
def write(characters, code, entry, scratch, bitmap, pending, out):
    """Write one character as its entry says; return the pending bits and the new `out`."""
    kind = entry & 3
    if kind == REPLACED:
        piece = entry >> PIECE_SHIFT
        while True:
            shape = np.int64(characters.shapes[piece])
            count = shape & 15
            store64(scratch, out, characters.pieces[piece])
            pending = append(bitmap, pending, out, np.uint64(shape >> BITS_SHIFT & 255), count)
            out += count
            if not shape >> MORE_SHIFT:
                return pending, out
            piece += 1
    value, count = encode(code)
    bits = (1 << count) - 1 if kind != 0 else 0
    if kind == LONE:  # a byte that belongs to no word, before and after
        value, bits, count = value << np.uint64(8), bits << 1, count + 2
    store64(scratch, out, value)
    pending = append(bitmap, pending, out, np.uint64(bits), count)
    return pending, out + count


@inner
def decomposition_of(characters, code):
    """Return where a character's decomposition begins and ends in `decompositions`; (0, 0) if it has none."""
    index = np.searchsorted(characters.decomposed, code)
    if index < len(characters.decomposed) and characters.decomposed[index] == code:
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
        code, size = decode(data, position, end)
        if position > start and entry_of(characters, code) >> LEAD_SHIFT & 255 == 0:
            break
        position += size
        if _S <= code < _S_END:
            index = code - _S
            parts = 2 + (index % _FINALS > 0)
            if count + parts <= len(codes):
                codes[count] = _L + index // (_VOWELS * _FINALS)
                codes[count + 1] = _V + index // _FINALS % _VOWELS
                if parts == 3:
                    codes[count + 2] = _T + index % _FINALS
            count += parts
            continue
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
    return entry_of(characters, code) >> TRAIL_SHIFT & 255


@inner
def reorder(characters, codes, count):
    """Put marks in canonical order: every run of combining characters by class, equal ones left in order."""
    start = 0
    while start < count:
        if combining_class(characters, codes[start]) == 0:
            start += 1
            continue
        end = start
        while end < count and combining_class(characters, codes[end]) != 0:
            end += 1
        if end - start > 32:  # counting sort: a text may be one long run of marks
            run = codes[start:end].copy()
            slots = np.zeros(256, np.int64)
            for code in run:
                slots[combining_class(characters, code) + 1 & 255] += 1
            slots[0] = 0
            slots = np.cumsum(slots)
            for code in run:
                rank = combining_class(characters, code)
                codes[start + slots[rank]] = code
                slots[rank] += 1
        else:
            for index in range(start + 1, end):
                code = codes[index]
                rank = combining_class(characters, code)
                slot = index
                while slot > start and combining_class(characters, codes[slot - 1]) > rank:
                    codes[slot] = codes[slot - 1]
                    slot -= 1
                codes[slot] = code
        start = end


@inner
def composition_of(characters, first, second):
    """Return what two characters compose to, 0 if they do not."""
    if _L <= first < _L + _LEADERS and _V <= second < _V + _VOWELS:
        return _S + ((first - _L) * _VOWELS + second - _V) * _FINALS
    if _T < second < _T + _FINALS and _S <= first < _S_END and (first - _S) % _FINALS == 0:
        return first + second - _T
    pair = np.uint64(first) << np.uint64(32) | np.uint64(second)
    index = np.searchsorted(characters.pairs, pair)
    if index < len(characters.pairs) and characters.pairs[index] == pair:
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

    Returns the pending bits, the new `out` (-1 if `scratch` is full), the segment's end and the class of its last
    character. Twin: `unicodedata.normalize`.
    """
    count, after = decompose(characters, data, position, end, codes)
    if count > len(codes):
        codes = np.empty(count, np.int32)
        decompose(characters, data, position, end, codes)
    reorder(characters, codes, count)
    count = compose(characters, codes, count)
    last = 0
    for index in range(count):
        if out + SLACK > len(scratch):
            return pending, -1, after, last
        code = np.int64(codes[index])
        entry = entry_of(characters, code)
        last = entry >> TRAIL_SHIFT & 255
        pending, out = write(characters, code, entry, scratch, bitmap, pending, out)
    return pending, out, after, last


@inner
def fold_run(characters, data, start, position, end, codes, scratch, bitmap, pending, out):
    """Write characters from `position` on up to the next one of ASCII.

    Returns the pending bits, the new `out` (-1 if `scratch` is full) and position.
    """
    # The segment that may have to be written anew begins with the character of ASCII before.
    segment = max(position - 1, start)
    segment_out = out - (position - segment)
    last = 0
    while position < end and data[position] >= 0x80:
        if out + SLACK > len(scratch):
            return pending, -1, position
        code, size = decode(data, position, end)
        entry = entry_of(characters, code)
        lead = entry >> LEAD_SHIFT & 255
        if lead == 0:
            segment, segment_out = position, out
        elif lead == IRREGULAR or lead < last:
            if segment_out >> 6 != out >> 6:
                pending = bitmap[segment_out >> 6]
            pending &= (_ONE << np.uint64(segment_out & 63)) - _ONE
            pending, out, position, last = fold_segment(
                characters, data, segment, end, codes, scratch, bitmap, pending, segment_out
            )
            if out < 0:
                return pending, -1, position
            continue
        last = entry >> TRAIL_SHIFT & 255
        pending, out = write(characters, code, entry, scratch, bitmap, pending, out)
        position += size
    return pending, out, position


@inner
def fold(characters, data, start, end, codes, scratch, bitmap):
    """Write a document normalised and casefolded, and the bitmap of which bytes belong to words.

    Returns the number of bytes written, -1 if `scratch` is too small. A byte that belongs to no word stands
    before and after each character that is a word on its own. Twin: `words.normalize`.
    """
    pending = _ZERO
    position, out = start, 0
    while position < end:
        if out + SLACK > len(scratch):
            return -1
        if position + BLOCK <= len(data):
            in_word, beyond = fold_block(data, position, scratch, out)
        else:  # near the end of memory
            rest = np.zeros(BLOCK, np.uint8)
            rest[: end - position] = data[position:end]
            in_word, beyond = fold_block(rest, 0, scratch, out)
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
                return -1
    bitmap[out >> 6] = pending
    return out


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


# ---- shingles: hashes ----------------------------------------------------------------------------------------


@inner
def rotated(value, left):
    return value << np.uint64(left) | value >> np.uint64(64 - left)


@inner
def xxh_round(accumulator, value):
    return rotated(accumulator + value * _P2, 31) * _P1


@inner
def avalanche(value):
    """Twin: `shingles.avalanche`."""
    value = (value ^ (value >> np.uint64(33))) * _P2
    value = (value ^ (value >> np.uint64(29))) * _P3
    return value ^ (value >> np.uint64(32))


@inner
def step8(value, lane):
    return rotated(value ^ xxh_round(_ZERO, lane), 27) * _P1 + _P4


@inner
def step4(value, lane):
    return rotated(value ^ lane * _P1, 23) * _P2 + _P3


@inner
def step1(value, byte):
    return rotated(value ^ byte * _P5, 11) * _P1


@inner
def merged(one, two, three, four):
    """Merge the four accumulators of XXH64."""
    value = rotated(one, 1) + rotated(two, 7) + rotated(three, 12) + rotated(four, 18)
    value = (value ^ xxh_round(_ZERO, one)) * _P1 + _P4
    value = (value ^ xxh_round(_ZERO, two)) * _P1 + _P4
    value = (value ^ xxh_round(_ZERO, three)) * _P1 + _P4
    return (value ^ xxh_round(_ZERO, four)) * _P1 + _P4


@inner
def hash_long(scratch, start, length):
    """Return XXH64 of scratch[start : start + length], of any length; 7 bytes more are read."""
    end = start + length
    if length >= 32:
        one, two, three, four = _P1 + _P2, _P2, _ZERO, _ZERO - _P1
        while start + 32 <= end:
            one = xxh_round(one, load64(scratch, start))
            two = xxh_round(two, load64(scratch, start + 8))
            three = xxh_round(three, load64(scratch, start + 16))
            four = xxh_round(four, load64(scratch, start + 24))
            start += 32
        value = merged(one, two, three, four)
    else:
        value = _P5
    value += np.uint64(length)
    while start + 8 <= end:
        value = step8(value, load64(scratch, start))
        start += 8
    if start + 4 <= end:
        value = step4(value, load64(scratch, start) & _LOW32)
        start += 4
    for index in range(start, end):
        value = step1(value, np.uint64(scratch[index]))
    return avalanche(value)


@inner
def hash_short(head, tail, length):
    """Return XXH64 of at most 15 bytes: `head` the first 8 if there are as many, `tail` what then remains.

    Every step is computed and taken or not: no branch that a processor could predict wrongly.
    """
    value = _P5 + length
    value = step8(value, head) if length & np.uint64(8) else value
    four = length & np.uint64(4)
    value = step4(value, tail & _LOW32) if four else value
    tail = tail >> np.uint64(32) if four else tail
    ones = length & np.uint64(3)
    value = step1(value, tail & _LOW8) if ones > np.uint64(0) else value
    value = step1(value, tail >> np.uint64(8) & _LOW8) if ones > np.uint64(1) else value
    value = step1(value, tail >> np.uint64(16) & _LOW8) if ones > np.uint64(2) else value
    return avalanche(value)


@inner
def find_bounds(bitmap, first, last, inside, bounds):
    """Write where words begin and end in bitmap[first:last], in turn; return how many bounds there are."""
    count = 0
    for block in range(first, last):
        bits = bitmap[block]
        turns = bits ^ (bits << _ONE | inside)
        inside = bits >> np.uint64(63)
        base = block << 6
        while turns:
            bounds[count] = base + lowest(turns)
            turns &= turns - _ONE
            count += 1
    return count


@inner
def hash_words(scratch, bitmap, size, hashes, buffers):
    """Hash the words that the bitmap says; return how many. Twin: `shingles.word_hashes` of `words.words`."""
    bounds, heads, tails, lengths, long = buffers
    blocks = (size >> 6) + 1
    words = 0
    open_at = -1  # where a word began that the piece before did not end
    for first in range(0, blocks, PIECE >> 6):
        shift = 0
        if open_at >= 0:
            bounds[0] = open_at
            shift = 1
        inside = _ONE if open_at >= 0 else _ZERO
        count = shift + find_bounds(bitmap, first, min(first + (PIECE >> 6), blocks), inside, bounds[shift:])
        whole = count >> 1
        open_at = bounds[count - 1] if count & 1 else -1
        longs = 0
        for index in range(whole):
            start = bounds[2 * index]
            length = bounds[2 * index + 1] - start
            heads[index] = load64(scratch, start)
            tails[index] = load64(scratch, start + (length & 8))
            lengths[index] = length
            long[longs] = index
            longs += length > SHORT
        for index in range(whole):
            hashes[words + index] = hash_short(heads[index], tails[index], lengths[index])
        for number in range(longs):
            index = long[number]
            start = bounds[2 * index]
            hashes[words + index] = hash_long(scratch, start, bounds[2 * index + 1] - start)
        words += whole
    return words


@inner
def digest(hashes, count):
    """Return XXH64 of hashes[:count] with seeds 0 and 1. Twin: `shingles.digest`."""
    if count >= 4:
        a1, a2, a3, a4 = _P1 + _P2, _P2, _ZERO, _ZERO - _P1
        b1, b2, b3, b4 = a1 + _ONE, a2 + _ONE, _ONE, a4 + _ONE
        for index in range(0, count - 3, 4):
            one, two, three, four = hashes[index], hashes[index + 1], hashes[index + 2], hashes[index + 3]
            a1, b1 = xxh_round(a1, one), xxh_round(b1, one)
            a2, b2 = xxh_round(a2, two), xxh_round(b2, two)
            a3, b3 = xxh_round(a3, three), xxh_round(b3, three)
            a4, b4 = xxh_round(a4, four), xxh_round(b4, four)
        first, second = merged(a1, a2, a3, a4), merged(b1, b2, b3, b4)
    else:
        first, second = _P5, _P5 + _ONE
    first += np.uint64(8 * count)
    second += np.uint64(8 * count)
    for index in range(count & ~3, count):
        first, second = step8(first, hashes[index]), step8(second, hashes[index])
    return avalanche(first), avalanche(second)


@inner
def hash_shingles(hashes, count, shingle_size, shingles):
    """Write the shingle hashes of hashes[:count]; return how many. Twin: `shingles.shingle_hashes`."""
    size = min(shingle_size, count)
    if size == 0:
        return 0
    total = count - size + 1
    for index in range(total):
        shingles[index] = hashes[index]
    for offset in range(1, size):
        for index in range(total):
            shingles[index] = shingles[index] * _BASE + hashes[index + offset]
    for index in range(total):
        shingles[index] = avalanche(shingles[index])
    return total


# ---- minhash and bands ---------------------------------------------------------------------------------------


@inner
def sign(shingles, count, factors, terms, mixed, signatures, row):
    """Write the signature of shingles[:count] to signatures[row]. Twin: `minhash.signature`."""
    for index in range(count):  # the finaliser of MurmurHash3, as datasketch's "affine32" has it
        value = np.uint32(shingles[index] >> np.uint64(32))
        value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        value = np.uint32((value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        mixed[index] = value ^ (value >> np.uint32(16))
    for group in range(0, len(factors), GROUP):
        least(mixed, count, factors, terms, group, signatures, row)


@inner
def key_bands(signature, bands, rows, keys):
    """Write the band keys of a signature. Twin: `bands.keys`."""
    for band in range(bands):
        start = band * rows
        end = start + rows
        seed = np.uint64(band)
        value = seed + _P5
        if rows >= 8:
            one, two, three, four = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
            while start + 8 <= end:
                one = xxh_round(one, pair_at(signature, start))
                two = xxh_round(two, pair_at(signature, start + 2))
                three = xxh_round(three, pair_at(signature, start + 4))
                four = xxh_round(four, pair_at(signature, start + 6))
                start += 8
            value = merged(one, two, three, four)
        value += np.uint64(4 * rows)
        while start + 2 <= end:
            value = step8(value, pair_at(signature, start))
            start += 2
        if start < end:
            value = step4(value, np.uint64(signature[start]))
        keys[band] = avalanche(value)


@inner
def pair_at(signature, index):
    return np.uint64(signature[index]) | np.uint64(signature[index + 1]) << np.uint64(32)


# ---- fingerprints and sets -----------------------------------------------------------------------------------


@inner
def winnow(shingles, count, window, minima):
    """Write the fingerprints of shingles[:count], sorted and distinct, to `minima`; return how many.

    The least of a window is the lesser of the minima of two windows of a power of two that overlap.
    Twin: `winnow.fingerprints`.
    """
    size = min(window, count)
    if size == 0:
        return 0
    for index in range(count):
        minima[index] = shingles[index]
    width = 1
    while 2 * width <= size:
        for index in range(count - 2 * width + 1):
            minima[index] = min(minima[index], minima[index + width])
        width *= 2
    total = count - size + 1
    for index in range(total):
        minima[index] = min(minima[index], minima[index + size - width])
    kept = 1  # a pick is the least of many windows in a row
    before = minima[0]
    for index in range(1, total):
        value = minima[index]
        minima[kept] = value
        kept += value != before
        before = value
    return sort_distinct(minima, kept, shingles)


@inner
def sort_distinct(values, count, spare):
    """Sort values[:count] and drop repeats, in place; return how many are left. `spare` is as long, overwritten.

    Hashes are spread evenly, so one distribution by their leading bits leaves few in each slot.
    """
    if count > 16:
        bits = 1
        while (1 << bits) < count >> 1 and bits < 24:
            bits += 1
        shift = np.uint64(64 - bits)
        slots = np.zeros((1 << bits) + 1, np.int64)
        for index in range(count):
            spare[index] = values[index]
            slots[np.int64(values[index] >> shift) + 1] += 1
        for slot in range(1 << bits):
            slots[slot + 1] += slots[slot]
        for index in range(count):
            slot = np.int64(spare[index] >> shift)
            values[slots[slot]] = spare[index]
            slots[slot] += 1
        start = 0
        for slot in range(1 << bits):
            end = slots[slot]
            if end - start > 64:
                sort_radix(values, start, end, spare)
            start = end
    for index in range(1, count):
        value = values[index]
        slot = index
        while slot > 0 and values[slot - 1] > value:
            values[slot] = values[slot - 1]
            slot -= 1
        values[slot] = value
    kept = 0
    for index in range(count):
        if index == 0 or values[index] != values[kept - 1]:
            values[kept] = values[index]
            kept += 1
    return kept


@inner
def sort_radix(values, start, end, spare):
    """Sort values[start:end], byte by byte from the last: for hashes that are not spread evenly."""
    for digit in range(8):
        shift = np.uint64(8 * digit)
        slots = np.zeros(257, np.int64)
        for index in range(start, end):
            spare[index] = values[index]
            slots[np.int64(values[index] >> shift & _LOW8) + 1] += 1
        for slot in range(256):
            slots[slot + 1] += slots[slot]
        for index in range(start, end):
            slot = np.int64(spare[index] >> shift & _LOW8)
            values[start + slots[slot]] = spare[index]
            slots[slot] += 1


# ---- blocks of documents -------------------------------------------------------------------------------------


@inner
def word_buffers():
    """Return the buffers of `hash_words`: bounds, heads, tails, lengths, numbers of the long words."""
    most = PIECE // 2 + 1
    return (
        np.empty(2 * most + 2, np.int64),
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty(most, np.int64),
    )


@inner
def fold_and_grow(characters, data, start, end, codes, scratch, bitmap):
    """`fold`, in larger buffers if these are too small; return the buffers and the number of bytes written."""
    needed = end - start + 2 * SLACK
    while True:
        if len(scratch) < needed:
            scratch = np.empty(needed + needed // 4, np.uint8)
            bitmap = np.empty((len(scratch) >> 6) + 1, np.uint64)
        size = fold(characters, data, start, end, codes, scratch, bitmap)
        if size >= 0:
            return scratch, bitmap, size
        needed = 2 * len(scratch)


@inner
def grown(values, needed):
    """Return `values`, or if it is too short a new array; what it held is lost."""
    return values if len(values) >= needed else np.empty(needed + needed // 4, values.dtype)


@cached
def sketch_block(
    data, offsets, first, last, shingle_size, window, factors, terms, bands, rows, characters, words, digests,
    band_keys, fingerprint_counts, signatures,
):  # fmt: skip
    """Sketch documents first to last - 1; fill the rows of the output arrays, return the fingerprints.

    `signatures` is uint32[n, p], or uint32[1, p] if they are not wanted; p = len(factors), a multiple of 64.
    """
    codes = np.empty(1024, np.int32)
    buffers = word_buffers()
    scratch, bitmap = np.empty(0, np.uint8), np.empty(0, np.uint64)
    hashes, shingles, minima = np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.uint64)
    mixed = np.empty(0, np.uint32)
    fingerprints, total = np.empty(1024, np.uint64), 0
    for document in range(first, last):
        start, end = offsets[document], offsets[document + 1]
        scratch, bitmap, size = fold_and_grow(characters, data, start, end, codes, scratch, bitmap)
        count = count_words(bitmap, (size >> 6) + 1)
        hashes, shingles, minima = grown(hashes, count), grown(shingles, count), grown(minima, count)
        mixed = grown(mixed, count)
        hash_words(scratch, bitmap, size, hashes, buffers)
        words[document] = count
        digests[document, 0], digests[document, 1] = digest(hashes, count)
        shingled = hash_shingles(hashes, count, shingle_size, shingles)
        row = document if len(signatures) > 1 else 0
        sign(shingles, shingled, factors, terms, mixed, signatures, row)
        key_bands(signatures[row], bands, rows, band_keys[document])
        kept = winnow(shingles, shingled, window, minima)
        if total + kept > len(fingerprints):
            larger = np.empty(2 * (total + kept), np.uint64)
            larger[:total] = fingerprints[:total]
            fingerprints = larger
        fingerprints[total : total + kept] = minima[:kept]
        fingerprint_counts[document] = kept
        total += kept
    return fingerprints[:total].copy()


@cached
def shingle_block(data, offsets, documents, first, last, shingle_size, distinct, characters, counts):
    """Return the shingle hashes of documents[first:last], end to end; fill their counts.

    Sorted and distinct, or in reading order.
    """
    codes = np.empty(1024, np.int32)
    buffers = word_buffers()
    scratch, bitmap = np.empty(0, np.uint8), np.empty(0, np.uint64)
    hashes, shingles = np.empty(0, np.uint64), np.empty(0, np.uint64)
    values, total = np.empty(4096, np.uint64), 0
    for index in range(first, last):
        start, end = offsets[documents[index]], offsets[documents[index] + 1]
        scratch, bitmap, size = fold_and_grow(characters, data, start, end, codes, scratch, bitmap)
        count = count_words(bitmap, (size >> 6) + 1)
        hashes, shingles = grown(hashes, count), grown(shingles, count)
        hash_words(scratch, bitmap, size, hashes, buffers)
        kept = hash_shingles(hashes, count, shingle_size, shingles)
        if distinct:
            kept = sort_distinct(shingles, kept, hashes)
        if total + kept > len(values):
            larger = np.empty(2 * (total + kept), np.uint64)
            larger[:total] = values[:total]
            values = larger
        values[total : total + kept] = shingles[:kept]
        counts[index] = kept
        total += kept
    return values[:total].copy()
