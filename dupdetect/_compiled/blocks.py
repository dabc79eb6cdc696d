"""Blocks of documents to sketches, compiled: one call per block, everything in buffers used over and over.

Input    documents: UTF-8 as Arrow has it (uint8[bytes], int64[n + 1]), and which of them
Output   what `dupdetect.sketches.sketches` keeps of them, or their shingle hashes
Cost     O(bytes * num_perm / word length)

The functions with `cached_njit` are called from Python, by `dupdetect._compiled.kernels`; the others from them alone.
"""

from __future__ import annotations

import numpy as np

from dupdetect._compiled.cache import cached_njit
from dupdetect._compiled.hash import (
    PIECE,
    digest,
    hash_characters,
    hash_shingles,
    hash_words,
    key_bands,
    sign,
    sort_distinct,
    winnow,
)  # fmt: skip
from dupdetect._compiled.intrinsics import allocating
from dupdetect._compiled.main_content import mark_lines, mark_shingles
from dupdetect._compiled.normalize import FULL, SLACK, count_words, fold, single_out


@allocating
def word_buffers():
    """Return the buffers of `hash_words`: bounds, heads, tails, lengths, numbers of the long words."""
    most = PIECE // 2 + 1
    return (
        np.empty(2 * most + 8, np.int64),
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty(most, np.uint64),
        np.empty(most, np.int64),
    )


@allocating
def fold_and_grow(characters, data, start, end, codes, scratch, bitmap):
    """`fold`, in larger buffers if these are too small; return the buffers and the bytes written."""
    needed = end - start + 2 * SLACK
    while True:
        if len(scratch) < needed:
            scratch = np.empty(needed + needed // 4, np.uint8)
            bitmap = np.empty((len(scratch) >> 6) + 1, np.uint64)
        size = fold(characters, data, start, end, codes, scratch, bitmap)
        if size >= 0:
            return codes, scratch, bitmap, size
        # Normalised text may be up to eleven times as long; instead of allocating for that, do it again.
        if size == FULL:
            needed = 2 * len(scratch)
        else:
            codes = np.empty(4 * len(codes), np.int32)


@allocating
def grown(values, needed):
    """Return `values`, or if it is too short a new array; what it held is lost."""
    return values if len(values) >= needed else np.empty(needed + needed // 4, values.dtype)


@allocating
def with_capacity(values, total, more):
    """Return `values`, or if it cannot hold `more` behind the first `total`, a longer array that begins so."""
    if total + more <= len(values):
        return values
    larger = np.empty(2 * (total + more), values.dtype)
    larger[:total] = values[:total]
    return larger


@allocating
def hash_units(scratch, bitmap, size, single, hashes, buffers):
    """Hash the words of a folded document, or its `single` characters; return the hashes and how many they are."""
    blocks = (size >> 6) + 1
    count = single_out(scratch, bitmap, size, blocks) if single else count_words(bitmap, blocks)
    hashes = grown(hashes, count)
    if single:
        hash_characters(scratch, bitmap, blocks, hashes)
    else:
        hash_words(scratch, bitmap, size, hashes, buffers)
    return hashes, count


@allocating
def set_marks(shingles, scratch, bitmap, size, count, flags, mark):
    """Let the lowest bits of all shingles of a document be their marks (`main_content`); 0 without `mark`."""
    if mark:
        mark_lines(scratch, bitmap, size, count, flags)
    else:
        flags[:count] = 0
    mark_shingles(shingles, len(shingles), count, flags)


@cached_njit
def sketch_block(
    data, offsets, first, last, single, shingle_size, window, factors, terms, bands, rows, characters, words, digests,
    band_keys, fingerprint_counts, signatures,
):  # fmt: skip
    """Sketch documents first to last - 1; fill the rows of the output arrays, return the fingerprints.

    With a window of 0 there are no digests and no fingerprints, with 0 bands no band keys: documents are only signed.
    `signatures` is uint32[n, p], or uint32[1, p] if they are not wanted; p = len(factors), a multiple of 64.
    """
    # All buffers are made once and grow with the longest document: allocating for each would cost more than the work.
    codes = np.empty(1024, np.int32)
    buffers = word_buffers()
    scratch, bitmap = np.empty(0, np.uint8), np.empty(0, np.uint64)
    hashes, shingles, minima = np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.uint64)
    mixed = np.empty(0, np.uint32)
    fingerprints, total = np.empty(1024, np.uint64), 0
    for document in range(first, last):
        start, end = offsets[document], offsets[document + 1]
        codes, scratch, bitmap, size = fold_and_grow(characters, data, start, end, codes, scratch, bitmap)
        hashes, count = hash_units(scratch, bitmap, size, single, hashes, buffers)
        shingles, minima, mixed = grown(shingles, count), grown(minima, count), grown(mixed, count)
        words[document] = count
        if window > 0:
            digests[document, 0], digests[document, 1] = digest(hashes, count)
        shingled = hash_shingles(hashes, count, shingle_size, shingles)
        row = document if len(signatures) > 1 else 0
        sign(shingles, shingled, factors, terms, mixed, signatures, row)
        key_bands(signatures[row], bands, rows, band_keys[document])
        kept = winnow(shingles, shingled, window, minima, hashes) if window > 0 else 0
        fingerprints = with_capacity(fingerprints, total, kept)
        fingerprints[total : total + kept] = minima[:kept]
        fingerprint_counts[document] = kept
        total += kept
    return fingerprints[:total].copy()


@cached_njit
def shingle_block(data, offsets, documents, first, last, single, shingle_size, distinct, characters, counts):
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
        codes, scratch, bitmap, size = fold_and_grow(characters, data, start, end, codes, scratch, bitmap)
        hashes, count = hash_units(scratch, bitmap, size, single, hashes, buffers)
        shingles = grown(shingles, count)
        kept = hash_shingles(hashes, count, shingle_size, shingles)
        if distinct:
            kept = sort_distinct(shingles, kept, hashes)
        values = with_capacity(values, total, kept)
        values[total : total + kept] = shingles[:kept]
        counts[index] = kept
        total += kept
    return values[:total].copy()


@cached_njit
def marked_block(data, offsets, documents, first, last, single, shingle_size, mark, characters, counts):
    """Return the shingle hashes of documents[first:last], in reading order, end to end; fill their counts.

    The lowest bits of each are its marks (`main_content.shingle_marks`), or 0 without `mark`.
    """
    codes = np.empty(1024, np.int32)
    buffers = word_buffers()
    scratch, bitmap = np.empty(0, np.uint8), np.empty(0, np.uint64)
    hashes, shingles, flags = np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.uint8)
    values, total = np.empty(4096, np.uint64), 0
    for index in range(first, last):
        start, end = offsets[documents[index]], offsets[documents[index] + 1]
        codes, scratch, bitmap, size = fold_and_grow(characters, data, start, end, codes, scratch, bitmap)
        hashes, count = hash_units(scratch, bitmap, size, single, hashes, buffers)
        shingles, flags = grown(shingles, count), grown(flags, count)
        found = hash_shingles(hashes, count, shingle_size, shingles)
        if last - first == 1:  # often a very long one, of which nothing should stay that is not needed
            hashes = np.empty(0, np.uint64)
        set_marks(shingles[:found], scratch, bitmap, size, count, flags, mark)
        if last - first == 1:
            counts[index] = found
            return shingles[:found]
        values = with_capacity(values, total, found)
        values[total : total + found] = shingles[:found]
        counts[index] = found
        total += found
    return values[:total].copy()
