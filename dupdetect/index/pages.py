"""Sorted keys as pages of bytes, and filters that say which keys are in none of them.

Input    keys (uint64[n], ascending) with a value each (int64[n], ascending where keys are equal)
Output   pages, which are searched as they are; a filter of some 9 bits a key
Cost     a page is read whole; searching one is a dozen comparisons; a filter is wrong once in 65 times

A page is one byte that says how many bytes a key has there, and entries of equal width: the key less the first key of
the page, and the value, both little endian. A filter is a Bloom filter whose bits for one key are in one block of 512.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

#: Bytes of a page at the most: with what the database adds, two fill one of the database's own. Larger ones are sooner
#: read for many keys, which are on most of them; for a few keys smaller ones are no faster.
PAGE_ROOM = 8140

#: Bits of a filter for each key, bits that a key sets, and 64-bit words of a block.
BITS_EACH, BITS_SET, BLOCK_WORDS = 9, 5, 8

#: Odd numbers that make two independent hashes of a key: fingerprints are the least of many, and not evenly spread.
_MIX, _MIX_AGAIN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_HALF, _ONE, _WORD, _IN_WORD = np.uint64(32), np.uint64(1), np.uint64(6), np.uint64(63)
_IN_BLOCK, _STEP, _BYTE = np.uint64(511), np.uint64(9), np.uint64(8)


def mixed(keys: Hashes) -> tuple[Hashes, Hashes]:
    """Return what filters look keys up by: which block, and which bits of it."""
    first = keys * _MIX
    again = (keys ^ first >> _HALF) * _MIX_AGAIN
    return first ^ first >> np.uint64(29), again >> np.uint64(17)


def empty_filter(entries: int) -> Hashes:
    """Return a filter without keys, for so many."""
    blocks = max(1, -(-entries * BITS_EACH // (64 * BLOCK_WORDS)))
    return np.zeros(blocks * BLOCK_WORDS, np.uint64)


@Compilable
def fill_filter(bits: Hashes, block: Hashes, within: Hashes) -> None:
    """Put keys, as `mixed` gives them, into a filter."""
    blocks = np.uint64(len(bits) // BLOCK_WORDS)
    for key in range(len(block)):
        base = int((block[key] >> _HALF) * blocks >> _HALF) * BLOCK_WORDS
        rest = within[key]
        for _ in range(BITS_SET):
            bit = rest & _IN_BLOCK
            bits[base + int(bit >> _WORD)] |= _ONE << (bit & _IN_WORD)
            rest = rest >> _STEP


@Compilable
def list_pages(
    bits: Hashes,
    fences: Hashes,
    start: int,
    keys: Hashes,
    block: Hashes,
    within: Hashes,
    count: int,
    key_of: Int,
    place_of: Int,
    fence_of: Hashes,
) -> int:
    """List the pages that may hold keys, by what a filter says and where pages begin: behind those listed before.

    Parameters
    ----------
    bits, fences : uint64[...], uint64[pages]
        The filter, and the first key of each page.
    start : int
        The place of the first page.
    keys, block, within : uint64[n]
        Keys, and what `mixed` makes of them.
    count : int
        How many are listed.
    key_of, place_of, fence_of : int64[m], int64[m], uint64[m]
        Filled with which key, the place of the page, and the first key there.

    Returns
    -------
    int
        How many are listed now; if more than m, those beyond are left out.
    """
    blocks = np.uint64(len(bits) // BLOCK_WORDS)
    for key in range(len(keys)):
        base = int((block[key] >> _HALF) * blocks >> _HALF) * BLOCK_WORDS
        rest, found = within[key], True
        for _ in range(BITS_SET):
            bit = rest & _IN_BLOCK
            if bits[base + int(bit >> _WORD)] >> (bit & _IN_WORD) & _ONE == 0:
                found = False
                break
            rest = rest >> _STEP
        if not found:
            continue
        # The last page that begins with no more than the key, and those before it that begin with it or may end so.
        low, high = 0, len(fences)
        while low < high:
            middle = (low + high) // 2
            if fences[middle] <= keys[key]:
                low = middle + 1
            else:
                high = middle
        page, goes_on = low - 1, low > 0
        while goes_on:
            if count < len(key_of):
                key_of[count], place_of[count], fence_of[count] = key, start + page, fences[page]
            count += 1
            goes_on = page > 0 and fences[page] == keys[key]
            page -= 1
    return count


@Compilable
def pack_page(keys: Hashes, values: Int, start: int, value_bytes: int, page: Byte) -> tuple[int, int]:
    """Fill a page with entries from `start` on; return how many there are, and the bytes that they take."""
    count, key_bytes = 0, 8
    for width in range(3, 9):
        count = min(len(keys) - start, (len(page) - 1) // (width + value_bytes))
        span = keys[start + count - 1] - keys[start]
        if width == 8 or span >> np.uint64(8 * width) == 0:
            key_bytes = width
            break
    page[0] = key_bytes
    place = 1
    for entry in range(start, start + count):
        offset, value = keys[entry] - keys[start], np.uint64(values[entry])
        for _ in range(key_bytes):
            page[place] = offset & np.uint64(255)
            offset = offset >> _BYTE
            place += 1
        for _ in range(value_bytes):
            page[place] = value & np.uint64(255)
            value = value >> _BYTE
            place += 1
    return count, place


@compilable_helper
def read_number(data: Byte, place: int, width: int) -> Any:
    """Read a number of so many bytes."""
    number = np.uint64(0)
    for byte in range(width - 1, -1, -1):
        number = number << _BYTE | np.uint64(data[place + byte])
    return number


@Compilable
def find_in_pages(
    data: Byte, bounds: Int, fences: Hashes, value_bytes: Int, page_of: Int, wanted: Hashes
) -> tuple[Int, Int]:
    """Find keys in pages: for each entry that has one, which of the wanted it is, and the value.

    Parameters
    ----------
    data, bounds, fences : uint8[bytes], int64[pages + 1], uint64[pages]
        Page p is ``data[bounds[p]:bounds[p + 1]]``, and its first key ``fences[p]``.
    value_bytes : int64[pages]
        How many bytes a value has there.
    page_of, wanted : int64[n], uint64[n]
        Keys, and the page that each is looked for in.
    """
    found, values = np.empty(64, np.int64), np.empty(64, np.int64)
    count = 0
    for key in range(len(wanted)):
        page = page_of[key]
        if wanted[key] < fences[page]:
            continue
        offset, begin = wanted[key] - fences[page], bounds[page] + 1
        key_bytes, of_value = int(data[bounds[page]]), int(value_bytes[page])
        width = key_bytes + of_value
        low, high = 0, (bounds[page + 1] - begin) // width
        entries = high
        while low < high:
            middle = (low + high) // 2
            if read_number(data, begin + middle * width, key_bytes) < offset:
                low = middle + 1
            else:
                high = middle
        while low < entries and read_number(data, begin + low * width, key_bytes) == offset:
            if count == len(found):
                more, longer = np.empty(2 * count, np.int64), np.empty(2 * count, np.int64)
                more[:count], longer[:count] = found, values
                found, values = more, longer
            found[count] = key
            values[count] = np.int64(read_number(data, begin + low * width + key_bytes, of_value))
            count += 1
            low += 1
    return found[:count], values[:count]


@Compilable
def unpack_pages(data: Byte, bounds: Int, fences: Hashes, value_bytes: int) -> tuple[Hashes, Int]:
    """Return the keys and values of pages, as `find_in_pages` takes them."""
    total = 0
    for page in range(len(fences)):
        total += (bounds[page + 1] - bounds[page] - 1) // (int(data[bounds[page]]) + value_bytes)
    keys, values = np.empty(total, np.uint64), np.empty(total, np.int64)
    entry = 0
    for page in range(len(fences)):
        key_bytes = int(data[bounds[page]])
        for place in range(bounds[page] + 1, bounds[page + 1], key_bytes + value_bytes):
            keys[entry] = fences[page] + read_number(data, place, key_bytes)
            values[entry] = np.int64(read_number(data, place + key_bytes, value_bytes))
            entry += 1
    return keys, values


def pages_of(keys: Hashes, values: Int, value_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield pages of sorted entries: the first key of each, and its bytes."""
    page, start = np.empty(PAGE_ROOM, np.uint8), 0
    pack = pack_page.faster_for(10.0 * len(keys))
    while start < len(keys):
        count, size = pack(keys, values, start, value_bytes, page)
        yield int(keys[start]), page[:size].tobytes()
        start += count


def joined(pages: list[bytes]) -> tuple[Byte, Int]:
    """Return pages end to end, and where each begins."""
    bounds = np.zeros(len(pages) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, pages), np.int64, len(pages)), out=bounds[1:])
    return np.frombuffer(b"".join(pages), np.uint8), bounds
