"""Documents to their cleaned bytes, compiled; the reference is `dupdetect.text.clean`.

Input    documents: UTF-8 as Arrow has it (uint8[bytes], int64[n + 1])
Output   the documents without what `dupdetect.text.clean.clean` takes away, in the same form
Cost     O(bytes): some GB/s where there is nothing to clean, and no copy; else a character at a time, and a copy

Nearly all texts have nothing to clean. The first bytes of characters, compared in vectors of 64 bytes, rule most of a
text out; only what they leave is decoded and looked up in a `CharacterTable`.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from dupdetect._compiled.cache import cached_njit
from dupdetect._compiled.intrinsics import (
    BLOCK,
    inlined,
    inner,
    load64,
    lowest,
    match_block,
    population,
    prefetch,
    store64,
    wide,
)
from dupdetect._compiled.kernels import fixed
from dupdetect._compiled.normalize import decode, encode, load_some
from dupdetect.text.clean import HYPHENS, POINTED, UNSEEN

#: What a character's entry says of it, in bits: it is taken away, but for the letter left of it, whose code point is
#: above; it is a soft hyphen, another hyphen, a mark that combines, a small letter.
TAKEN, SOFT, HYPHEN, MARK, SMALL = 1, 2, 4, 8, 16
LEFT_SHIFT = 5
#: Pages of characters: all that four bytes can spell, for looks at a block go beyond a text, where anything may be.
PAGE_BITS, PAGES = 8, 8192


class CharacterTable(NamedTuple):
    """What cleaning does to each character, looked up in two steps: a page of 256 characters, then a character.

    Attributes
    ----------
    pages : uint16[8192]
        Where the page of 256 characters begins in `entries`, in pages.
    entries : uint16[256 * pages]
        One per character: see the constants above.
    """

    pages: NDArray[np.uint16]
    entries: NDArray[np.uint16]


#: First bytes, each from the least to the largest, of all that is to be cleaned but hyphens of ASCII, and of little
#: else. `character_table` checks that nothing is missing here.
TWO_BYTES = (
    ((0xC2, 0xC2), (0xAC, 0xAD)),  # ¬, soft hyphen
    ((0xCD, 0xCD), (0x8F, 0x8F)),  # grapheme joiner
    ((0xD6, 0xD6), (0x8A, 0xBF)),  # Armenian hyphen, Hebrew points
    ((0xD7, 0xD7), (0x80, 0x89)),
    ((0xD8, 0xD8), (0x90, 0x9C)),  # Arabic marks
    ((0xD9, 0xD9), (0x80, 0x80)),
    ((0xD9, 0xD9), (0x8B, 0x9F)),
    ((0xD9, 0xD9), (0xB0, 0xB0)),
    ((0xDB, 0xDB), (0x96, 0xAD)),
    ((0xDC, 0xDD), (0x80, 0xBF)),  # Syriac
)
LONGER = (
    ((0xE0, 0xE0), (0xA0, 0xA3)),  # Samaritan, more of Arabic
    ((0xE1, 0xE1), (0x9E, 0x9E), (0xB4, 0xB5)),  # Khmer vowels that are not written
    ((0xE1, 0xE1), (0xA0, 0xA0), (0x8B, 0x8F)),  # Mongolian selectors
    ((0xE2, 0xE2), (0x80, 0x80), (0x8B, 0x90)),  # zero widths, directions, hyphen
    ((0xE2, 0xE2), (0x80, 0x80), (0xAA, 0xAE)),
    ((0xE2, 0xE2), (0x81, 0x81), (0xA0, 0xAF)),
    ((0xE2, 0xE2), (0xB8, 0xB8), (0x97, 0x97)),  # the oblique hyphen of Fraktur
    ((0xEF, 0xEF), (0xAC, 0xAC), (0x9D, 0xBF)),  # Hebrew presentation forms
    ((0xEF, 0xEF), (0xAD, 0xAD), (0x80, 0x8F)),
    ((0xEF, 0xEF), (0xB1, 0xB4)),  # Arabic ligatures
    ((0xEF, 0xEF), (0xB8, 0xB8), (0x80, 0x8F)),  # variation selectors
    ((0xEF, 0xEF), (0xB9, 0xB9), (0xB0, 0xBF)),  # Arabic marks by themselves
    ((0xEF, 0xEF), (0xBB, 0xBB), (0xBF, 0xBF)),  # byte order mark
    ((0xEF, 0xEF), (0xBF, 0xBF), (0xB0, 0xB8)),
    ((0xF0, 0xF0), (0x90, 0x90)),  # Coptic, more of Arabic
    ((0xF0, 0xF0), (0x9B, 0x9B)),  # shorthand
    ((0xF0, 0xF0), (0x9D, 0x9D), (0x85, 0x85)),  # music
    ((0xF3, 0xF3), (0xA0, 0xA0)),  # tags, more selectors
)


def is_sought(character: bytes) -> bool:
    """Whether the characters that are looked for include those that begin with these bytes of UTF-8, 2 to 3."""
    return any(
        all(first <= byte <= last for byte, (first, last) in zip(character, pattern, strict=False))
        for pattern in TWO_BYTES + LONGER
    )


#: Characters beyond ASCII in a block that are sooner looked up one by one.
FEW = 6

#: Characters that are looked at one by one after one that is taken away: where points are written, all words have them.
NEAR = 12

#: Bytes that are fetched ahead: the processor by itself is too late for a loop as quick as this.
AHEAD = 4096

#: Bytes that a look at a block reads beyond it.
_MORE = 2
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_HYPHEN, _TAB, _LF, _CR, _BLANK = ord("-"), ord("\t"), ord("\n"), ord("\r"), ord(" ")

_shown = (_BLANK + 1, 0xFF)
_broken = match_block(tuple((_shown, (_HYPHEN, _HYPHEN), following) for following in ((0, _BLANK), (0xC2, 0xC2))))
_leads = match_block((((0xC0, 0xFF),),))
_longer_leads = match_block((((0xE0, 0xE0), (0xA0, 0xA3)), ((0xE1, 0xE2),), ((0xEF, 0xFF),)))
_two_bytes = match_block(TWO_BYTES)
_longer = match_block(LONGER)


@inlined
def entry_of(table, code):
    """Return the entry of a code point."""
    page = np.int64(table.pages[code >> PAGE_BITS])
    return np.int64(table.entries[page << PAGE_BITS | code & ((1 << PAGE_BITS) - 1)])


@inner
def entry_at(table, data, position, end):
    """Return the entry of the character at `position`, 0 at the end, and its number of bytes."""
    if position >= end:
        return 0, 0
    code, size = decode(load_some(data, position))
    return entry_of(table, code), size


@inner
def follows_small(table, data, start, position):
    """Whether a small letter stands before `position`, perhaps with marks on it."""
    while position > start:
        position -= 1
        while data[position] & 0xC0 == 0x80:  # bytes that continue a character
            position -= 1
        code, _ = decode(load_some(data, position))
        entry = entry_of(table, code)
        if not entry & MARK:
            return entry & SMALL != 0
    return False


@inner
def skip(data, position, end, blanks):
    """Return where soft hyphens end, and blanks if they are to be skipped too."""
    while position < end:
        if blanks and (data[position] == _BLANK or data[position] == _TAB):
            position += 1
        elif data[position] == 0xC2 and data[position + 1] == 0xAD:
            position += 2
        else:
            break
    return position


@inner
def end_of_break(table, data, position, end):
    """Return where the second half of a word begins that is broken at the hyphen at `position`, -1 if none is.

    Reference: `clean.BREAK`, but for what stands before, which `follows_small` checks. The steps are those of the
    pattern, one after the other; none can be undone, for each takes all that it can and the next begins with another
    character.
    """
    at = skip(data, position, end, False)
    entry, size = entry_at(table, data, at, end)
    if entry & HYPHEN:
        at += size
    if at == position:
        return -1
    at = skip(data, at, end, True)
    if at < end and data[at] == _CR:
        at += 1
    at = skip(data, at, end, False)
    if at == end or data[at] != _LF:
        return -1
    at = skip(data, at + 1, end, True)
    entry, _ = entry_at(table, data, at, end)
    return at if entry & SMALL else -1


@inlined
def suspects(table, data, position, end):
    """Return which of the 64 bytes may begin something to clean: a uint64 of one bit per byte.

    A hyphen of ASCII is found by the byte before it, so bit 0 never tells of one, and of a 65th byte nothing is told.
    """
    # A hyphen that breaks a word has something before it and white space or a soft hyphen behind it. Most have not.
    begins = _broken(data, position) << _ONE
    leads = _leads(data, position)
    if leads:
        # In a text beyond ASCII, comparing all 64 bytes with every pattern is quicker than a look-up of each character;
        # the longer patterns, of which there are most, only where a first byte allows for one.
        if population(leads) > FEW:
            begins |= _two_bytes(data, position)
            if _longer_leads(data, position):
                begins |= _longer(data, position)
        else:
            begins |= looked_up(table, data, position, end, leads)
    return begins


@inner
def looked_up(table, data, position, end, leads):
    """Return which of a few characters, told by the bits of the bytes that they begin with, may be to clean."""
    begins = _ZERO
    while leads:
        entry, _ = entry_at(table, data, position + lowest(leads), end)
        if entry & (TAKEN | SOFT | HYPHEN):
            begins |= leads & (~leads + _ONE)  # the lowest bit alone
        leads &= leads - _ONE  # without its lowest bit
    return begins


@inner
def next_suspect(table, data, position, end, rest):
    """Return where something to clean may begin, from `position` on, or `end`.

    If it is a hyphen, then not at `position`: what stands before it must be there too. `rest` is uint8[66].
    """
    wide()
    while position < end:
        if position + len(rest) <= len(data):
            prefetch(data, position + AHEAD)
            begins = suspects(table, data, position, end)
        else:  # near the end of memory, beyond which a vector must not be read: look at a copy, filled up with zeros
            for index in range(len(rest)):
                rest[index] = data[position + index] if position + index < len(data) else 0
            begins = suspects(table, rest, 0, len(rest))
        if begins:
            return min(position + lowest(begins), end)
        position += BLOCK - 1  # one byte is looked at again: the first of a block is never found to be a hyphen
    return end


@inlined
def move(source, position, count, target, out):
    """Copy `count` bytes; within one array only towards its beginning."""
    whole = count & ~7
    for index in range(0, whole, 8):
        store64(target, out + index, load64(source, position + index))
    for index in range(whole, count):
        target[out + index] = source[position + index]


@cached_njit
def mark_block(table, data, offsets, marked):
    """Set marked[i], bool[n], where there is something to clean in document i."""
    rest = np.empty(BLOCK + _MORE, np.uint8)
    document = 0
    position, stop = offsets[0], offsets[-1]
    while position < stop:
        at = next_suspect(table, data, position, stop, rest)
        if at == stop:
            break
        # The search goes over all documents as one text, so that short ones cost no more; then whose character it is.
        while offsets[document + 1] <= at:
            document += 1
        end = offsets[document + 1]
        entry, size = entry_at(table, data, at, end)
        unclean = entry & (TAKEN | SOFT) != 0
        if entry & HYPHEN and follows_small(table, data, offsets[document], at):
            unclean = end_of_break(table, data, at, end) >= 0
        marked[document] |= unclean
        position = end if unclean else at + size - 1  # a hyphen may follow, and is found by the byte before


@inner
def take_unseen(table, data, position, end, target, out, rest):
    """Write data[position:end] but for the unseen characters, soft hyphens excepted; return the new `out`.

    Reference: what `clean.clean` does first, with `VEILED`. Soft hyphens stay for `join_words`, which needs them.
    """
    while position < end:
        at = next_suspect(table, data, position, end, rest)
        move(data, position, at - position, target, out)
        out, position = out + at - position, at
        # Where one character is taken, others are near (points stand on every letter): the vector search would stop at
        # each of them, so the next few characters are looked up one by one.
        left = NEAR
        while left > 0 and position < end:
            value = load_some(data, position)
            code, size = decode(value)
            entry = entry_of(table, code)
            position, left = position + size, left - 1
            if entry & TAKEN:
                left = NEAR
                if entry >> LEFT_SHIFT == 0:
                    continue
                value, size = encode(entry >> LEFT_SHIFT)
            # Eight bytes at once, of which the next write covers those beyond the character; the last ones singly.
            if out + 8 <= len(target):
                store64(target, out, value)
            else:
                for index in range(size):
                    target[out + index] = np.uint8(value >> np.uint64(8 * index) & np.uint64(0xFF))
            out += size
    return out


@inner
def join_words(table, data, start, end, rest):
    """Join, in place, the words of data[start:end] that are broken, and take its soft hyphens; return its new end.

    Reference: what `clean.clean` does last, with `BREAK`.
    """
    position = out = start
    while position < end:
        # From one byte before, for a hyphen is found by what stands before it.
        at = next_suspect(table, data, max(position - 1, start), end, rest)
        entry, size = entry_at(table, data, at, end)
        if out < position:
            move(data, position, at - position, data, out)
        out += at - position
        position = at
        after = -1
        if entry & (HYPHEN | SOFT) and follows_small(table, data, start, out):
            after = end_of_break(table, data, position, end)
        if after >= 0:
            position = after
        elif entry & SOFT:
            position = skip(data, position, end, False)
        else:
            if out < position:
                move(data, position, size, data, out)
            out, position = out + size, position + size
    return out


@cached_njit
def scrub_block(table, data, offsets, marked, target, starts):
    """Write documents to target, end to end, the marked ones cleaned; fill in where each begins, and the last ends.

    `target`, of uint8[m], can hold all of them as they are; `starts` is int64[n + 1] as `offsets` is.
    """
    rest = np.empty(BLOCK + _MORE, np.uint8)
    starts[0] = out = 0
    for document in range(len(marked)):
        start, end = offsets[document], offsets[document + 1]
        if marked[document]:
            seen = take_unseen(table, data, start, end, target, out, rest)
            out = join_words(table, target, out, seen, rest)
        else:
            move(data, start, end - start, target, out)
            out += end - start
        starts[document + 1] = out


def clean_bytes(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
    """Clean documents.

    Parameters
    ----------
    data, offsets : uint8[bytes], int64[n + 1]
        UTF-8, valid; document i is ``data[offsets[i]:offsets[i + 1]]``.

    Returns
    -------
    uint8[...], int64[n + 1]
        The cleaned documents in the same form, the first offset 0. None if there is nothing to clean in any of them.
    """
    table, complete = character_table()
    data, offsets = fixed(data, np.uint8), fixed(offsets, np.int64)
    marked = np.full(len(offsets) - 1, not complete)
    if complete:
        mark_block(table, data, offsets, marked)
    if not marked.any():
        return None
    target, starts = np.empty(offsets[-1] - offsets[0], np.uint8), np.empty_like(offsets)
    scrub_block(table, data, offsets, marked, target, starts)
    return target, starts


@lru_cache(maxsize=1)
def character_table() -> tuple[CharacterTable, bool]:
    """Return the table of characters, and whether `TWO_BYTES` and `LONGER` find all of those to clean.

    `regex` may know a later version of Unicode, with characters to clean that the patterns do not find; every text is
    then to be looked at character by character.
    """
    entries = np.zeros(PAGES << PAGE_BITS, np.uint16)
    every = np.arange(sys.maxunicode + 1, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    for flag, pattern in (
        (TAKEN, UNSEEN.pattern),
        (SOFT, "\u00ad"),
        (HYPHEN, f"[{HYPHENS}]"),
        (MARK, r"\p{M}"),
        (SMALL, r"\p{Ll}"),
    ):
        for run in regex.finditer(f"(?:{pattern})+", every, regex.V1):
            entries[run.start() : run.end()] |= flag
    for form, letter in POINTED.items():
        entries[ord(form)] = TAKEN | (ord(letter) << LEFT_SHIFT if letter else 0)
    sought = entries & (TAKEN | SOFT | HYPHEN)
    sought[ord("-")] = 0
    complete = all(map(is_sought, {chr(code).encode()[:3] for code in np.flatnonzero(sought)}))
    numbers: dict[bytes, int] = {}  # equal pages are stored once
    rows = [row.tobytes() for row in entries.reshape(-1, 1 << PAGE_BITS)]
    pages = np.array([numbers.setdefault(row, len(numbers)) for row in rows], np.uint16)
    return CharacterTable(pages, np.frombuffer(b"".join(numbers), np.uint16)), complete
