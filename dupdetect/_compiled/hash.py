"""Words to hashes, signatures and fingerprints, compiled; references: `shingles`, `minhash`, `bands`, `winnowing`.

Input    what `normalize` made of a document: folded bytes and the bitmap of words
Output   word hashes, digest, shingle hashes, signature, band keys, fingerprints
Cost     O(words * num_perm)
"""

from __future__ import annotations

import numpy as np

from dupdetect._compiled.intrinsics import GROUP, allocating, inner, least, load64, lowest, population, wide
from dupdetect.text.shingles import BASE

# numba makes float64 of int64 with uint64: constants that are combined with hashes are typed.
_BASE = np.uint64(BASE)
_P1, _P2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
_P3, _P4 = np.uint64(0x165667B19E3779F9), np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_LOW32 = np.uint64(0xFFFFFFFF)
_LOW8 = np.uint64(0xFF)
_TWO_BYTES, _THREE_BYTES, _FOUR_BYTES = np.uint64(0xC0), np.uint64(0xE0), np.uint64(0xF0)  # first bytes, from here on

#: Bytes of folded text that are cut and hashed at a time; the bounds of its words stay in the L1 cache.
PIECE = 4096
#: A word of at most so many bytes is hashed without a branch, eight at a time.
SHORT = 15


@inner
def rotated(value, left):
    """Rotate 64 bits to the left."""
    return value << np.uint64(left) | value >> np.uint64(64 - left)


@inner
def xxh_round(accumulator, value):
    """Take 8 bytes into an accumulator (XXH64)."""
    return rotated(accumulator + value * _P2, 31) * _P1


@inner
def avalanche(value):
    """Reference: `shingles.avalanche`."""
    value = (value ^ (value >> np.uint64(33))) * _P2
    value = (value ^ (value >> np.uint64(29))) * _P3
    return value ^ (value >> np.uint64(32))


@inner
def step8(value, lane):
    """Take in 8 bytes (XXH64)."""
    return rotated(value ^ xxh_round(_ZERO, lane), 27) * _P1 + _P4


@inner
def step4(value, lane):
    """Take in 4 bytes (XXH64)."""
    return rotated(value ^ lane * _P1, 23) * _P2 + _P3


@inner
def step1(value, byte):
    """Take in a byte (XXH64)."""
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
def chosen(condition, value, otherwise):
    """Return `value` if the condition, 0 or 1 as uint64, is 1; without a branch."""
    return otherwise ^ ((value ^ otherwise) & (_ZERO - condition))


@inner
def hash_short(head, tail, length):
    """Return XXH64 of at most 15 bytes: `head` the first 8 if there are as many, `tail` what then remains.

    Every step is computed and then taken or not: no branch to be predicted wrongly, and eight words go at a time.
    """
    value = _P5 + length
    value = chosen(length >> np.uint64(3) & _ONE, step8(value, head), value)
    four = length >> np.uint64(2) & _ONE
    value = chosen(four, step4(value, tail & _LOW32), value)
    tail >>= four << np.uint64(5)
    two, one = length >> _ONE & _ONE, length & _ONE
    value = chosen(one | two, step1(value, tail & _LOW8), value)
    value = chosen(two, step1(value, tail >> np.uint64(8) & _LOW8), value)
    value = chosen(one & two, step1(value, tail >> np.uint64(16) & _LOW8), value)
    return avalanche(value)


@inner
def find_bounds(bitmap, first, last, open_at, bounds):
    """Write where words begin and end in bitmap[first:last], in turn; return how many bounds there are.

    `open_at` is where a word began that has not ended before, or -1. Bounds are written eight at a time, some too
    many: a loop of as many turns as there are bounds would surprise the processor at every block.
    """
    count = 0
    inside = _ZERO
    if open_at >= 0:
        bounds[0] = open_at
        count, inside = 1, _ONE
    for block in range(first, last):
        bits = bitmap[block]
        turns = bits ^ (bits << _ONE | inside)
        inside = bits >> np.uint64(63)
        base = block << 6
        found = population(turns)
        for start in range(count, count + found, 8):
            for step in range(8):
                bounds[start + step] = base + lowest(turns)
                turns &= turns - _ONE
        count += found
    return count


@inner
def gather(scratch, bounds, count, heads, tails, lengths, long):
    """Load the first 15 bytes of words 0 to count - 1 as `hash_short` wants them; return how many are longer.

    Their numbers go to `long`.
    """
    longs = 0
    for index in range(count):
        start = bounds[2 * index]
        length = bounds[2 * index + 1] - start
        heads[index] = load64(scratch, start)
        tails[index] = load64(scratch, start + (length & 8))
        lengths[index] = length
        long[longs] = index
        longs += length > SHORT
    return longs


@inner
def hash_all_short(heads, tails, lengths, count, hashes):
    """Apply `hash_short` to `count` words: arrays alone, so that it is compiled to vectors."""
    wide()
    for index in range(count):
        hashes[index] = hash_short(heads[index], tails[index], lengths[index])


@inner
def hash_words(scratch, bitmap, size, hashes, buffers):
    """Hash the words that the bitmap says; return how many. Reference: `shingles.word_hashes` of `words.words`."""
    bounds, heads, tails, lengths, long = buffers
    blocks = (size >> 6) + 1
    words = 0
    open_at = -1
    for first in range(0, blocks, PIECE >> 6):
        # `bounds` alternate: where a word begins, where it ends. An odd number means that the last goes on in the next
        # piece, which begins with it.
        count = find_bounds(bitmap, first, min(first + (PIECE >> 6), blocks), open_at, bounds)
        open_at = bounds[count - 1] if count & 1 else -1
        whole = count >> 1
        longs = gather(scratch, bounds, whole, heads, tails, lengths, long)
        found = hashes[words:]
        # Long words get a wrong hash first, and the right one after: nearly all are short, and the loop over these has
        # no branch.
        hash_all_short(heads, tails, lengths, whole, found)
        for number in range(longs):
            index = long[number]
            start = bounds[2 * index]
            found[index] = hash_long(scratch, start, bounds[2 * index + 1] - start)
        words += whole
    return words


@inner
def hash_characters(scratch, bitmap, blocks, hashes):
    """Hash the characters whose first bytes the bitmap says. Reference: `shingles.word_hashes` of characters."""
    count = 0
    for block in range(blocks):
        bits = bitmap[block]
        while bits:
            raw = load64(scratch, (block << 6) + lowest(bits))
            bits &= bits - _ONE
            first = raw & _LOW8
            length = _ONE + np.uint64(first >= _TWO_BYTES) + np.uint64(first >= _THREE_BYTES)
            hashes[count] = hash_short(_ZERO, raw, length + np.uint64(first >= _FOUR_BYTES))
            count += 1


@inner
def digest(hashes, count):
    """Return XXH64 of hashes[:count] with seeds 0 and 1. Reference: `shingles.digest`."""
    # Both seeds in one pass over the hashes: the steps of one fill the time that those of the other take.
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
    """Write the shingle hashes of hashes[:count]; return how many. Reference: `shingles.shingle_hashes`."""
    wide()
    size = min(shingle_size, count)
    if size == 0:
        return 0
    total = count - size + 1
    # Horner's scheme for all shingles at once, a pass for each of their words. A rolling window would take fewer steps,
    # but each would wait for the one before; these are compiled to vectors.
    for index in range(total):
        shingles[index] = hashes[index]
    for offset in range(1, size):
        for index in range(total):
            shingles[index] = shingles[index] * _BASE + hashes[index + offset]
    for index in range(total):
        shingles[index] = avalanche(shingles[index])
    return total


@inner
def sign(shingles, count, factors, terms, mixed, signatures, row):
    """Write the signature of shingles[:count] to signatures[row]. Reference: `minhash.signature`."""
    for index in range(count):  # the finaliser of MurmurHash3, as datasketch's "affine32" has it
        value = np.uint32(shingles[index] >> np.uint64(32))
        value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        value = np.uint32((value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        mixed[index] = value ^ (value >> np.uint32(16))
    # A group of permutations at a time, whose minima stay in registers while all shingles pass.
    for group in range(0, len(factors), GROUP):
        least(mixed, count, factors, terms, group, signatures, row)


@inner
def key_bands(signature, bands, rows, keys):
    """Write the band keys of a signature. Reference: `bands.keys`."""
    for band in range(bands):
        start = band * rows
        end = start + rows
        seed = np.uint64(band)
        value = seed + _P5
        if rows >= 8:  # 32 bytes: XXH64 takes them by four accumulators
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
    """Return two entries of a signature as the 8 bytes they are."""
    return np.uint64(signature[index]) | np.uint64(signature[index + 1]) << np.uint64(32)


@inner
def halve(source, target, total, apart):
    """Write the lesser of source[i] and source[i + apart] to target[i]."""
    wide()
    for index in range(total):
        one, two = source[index], source[index + apart]
        target[index] = one if one < two else two


@allocating
def winnow(shingles, count, window, minima, spare):
    """Write the fingerprints of shingles[:count], sorted and distinct, to `minima`; return how many.

    The least of a window is the lesser of the minima of two windows of a power of two that overlap.
    `spare` is as long and overwritten, and so is `shingles`. Reference: `winnowing.fingerprints`.
    """
    size = min(window, count)
    if size == 0:
        return 0
    # After each turn, shingles[i] is the least of the `width` from i on, and the two arrays change places.
    width = 1
    while 2 * width <= size:
        halve(shingles, spare, count - 2 * width + 1, width)
        shingles, spare = spare, shingles
        width *= 2
    total = count - size + 1
    halve(shingles, spare, total, size - width)
    kept = 1  # a pick is the least of many windows in a row
    before = minima[0] = spare[0]
    for index in range(1, total):
        value = spare[index]
        minima[kept] = value  # in any case: written over by the next, unless it differs, and no branch to mispredict
        kept += value != before
        before = value
    return sort_distinct(minima, kept, spare)


@allocating
def sort_distinct(values, count, spare):
    """Sort values[:count] and drop repeats, in place; return how many are left.

    `spare` is as long and overwritten. Hashes are spread evenly: one distribution by their leading bits leaves few
    in each slot, and nearly nothing to do for the insertion sort that follows.
    """
    if count > 16:
        distribute(values, count, spare)
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


@allocating
def distribute(values, count, spare):
    """Order values[:count] by their leading bits, in as many slots or more (up to 4 million); sort full ones."""
    bits = 1
    while (1 << bits) < count and bits < 22:
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
        if end - start > 64:  # too many for the insertion sort that follows, which takes the square of their number
            sort_radix(values, start, end, spare)
        start = end


@allocating
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
