"""What the compiled code must know of each character.

Input    `unicodedata` (normalisation, casefolding), and the patterns of `dupdetect.text.words`
Output   `Characters`: arrays that the compiled code looks characters up in
Cost     some 0.1 s, once per process

Python's Unicode tables and those of `regex` can be of different versions of Unicode, and what a word is
is made of both; hence nothing is looked up elsewhere.

Normalisation (NFKC) is not a matter of single characters: marks are reordered and combine with what precedes
them. Yet a character whose decomposition begins with a starter that never combines with anything before it begins
a new *segment*, and a text is normalised segment by segment (Unicode Standard Annex 15, "Detecting Normalization
Forms"). In nearly all text every segment is one character, or one and some marks that are normal already. Then
each character is replaced on its own, by what `Characters.entries` says. For other segments there are the
decompositions, and the pairs that compose.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from dupdetect.text.words import LONE_CHARACTER, PATTERNS

#: An entry: category in bits 0-1, `lccc` in bits 2-9, `tccc` in bits 10-17, first piece of its replacement above.
#: The categories: no word character; word character; word on its own; replaced by pieces.
OTHER, IN_WORD, LONE, REPLACED = range(4)
LCCC_SHIFT, TCCC_SHIFT, PIECE_SHIFT = 2, 10, 18

#: `lccc` is 0 if the character begins a segment, else its combining class if it stays itself wherever it follows
#: no higher class, else this. `tccc` is the combining class of the last character of its NFKC.
IRREGULAR = 255

#: A piece: up to 8 bytes to write, and in its shape their number in bits 0-3, which of them belong to words in
#: bits 4-11, whether another piece follows in bit 12.
BITS_SHIFT, MORE_SHIFT = 4, 12

PAGE_BITS = 8
_PAGE = 1 << PAGE_BITS

HANGUL = range(0xAC00, 0xD7A4)  # syllables; they decompose by arithmetic
_HANGUL_VOWELS_AND_FINALS = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))


class Characters(NamedTuple):
    """Tables of characters, for the compiled code.

    Attributes
    ----------
    pages : uint16[8192]
        Where the page of 256 characters begins in `entries`, in pages; all that four bytes of UTF-8 can spell.
    entries : uint32[256 * pages]
        One per character: see the constants above.
    pieces, shapes : uint64[p], uint16[p]
        What replaces the replaced.
    decomposed, decomposition_offsets, decompositions : int32[d], int32[d + 1], int32[...]
        The characters, ascending, that NFKD changes, Hangul syllables apart; and into which.
    pairs, composites : uint64[c], int32[c]
        The pairs that compose, ascending, first character in the upper half; and their compositions.
    """

    pages: NDArray[np.uint16]
    entries: NDArray[np.uint32]
    pieces: NDArray[np.uint64]
    shapes: NDArray[np.uint16]
    decomposed: NDArray[np.int32]
    decomposition_offsets: NDArray[np.int32]
    decompositions: NDArray[np.int32]
    pairs: NDArray[np.uint64]
    composites: NDArray[np.int32]


@lru_cache(maxsize=2)
def load(unit: str = "word") -> Characters:
    """Build the tables for a unit, once."""
    categories = _categories(unit)
    special = _special()
    folded = dict(
        zip(special, _each(special, lambda text: unicodedata.normalize("NFKC", text).casefold()), strict=True)
    )
    decompositions = _decompositions(special)
    compositions = _compositions(decompositions)
    entries = categories.astype(np.uint32)
    pieces = _Pieces(categories)
    seconds = {second for _, second in compositions} | set(map(chr, _HANGUL_VOWELS_AND_FINALS))
    for character in special:
        decomposition, combining = decompositions.get(character, character), unicodedata.combining(character)
        if folded[character] == decomposition == character and not combining and character not in seconds:
            continue
        entry = int(categories[ord(character)])
        if folded[character] != character:
            entry = REPLACED | pieces.add(folded[character]) << PIECE_SHIFT
        lccc = _leading_class(character, decomposition, seconds)
        tccc = combining or unicodedata.combining(unicodedata.normalize("NFKC", character)[-1])
        entries[ord(character)] = entry | lccc << LCCC_SHIFT | tccc << TCCC_SHIFT
    for code in _HANGUL_VOWELS_AND_FINALS:
        entries[code] |= IRREGULAR << LCCC_SHIFT
    return Characters(
        *_paged(entries), *pieces.arrays(), *_decomposition_arrays(decompositions), *_composition_arrays(compositions)
    )


def _categories(unit: str) -> NDArray[np.uint8]:
    """Return OTHER, IN_WORD or LONE for every code point, as the patterns of `words` say."""
    everything = _text(np.arange(0x110000))
    categories = np.full(len(everything), OTHER, np.uint8)
    for pattern, category in ((PATTERNS[unit], IN_WORD), (LONE_CHARACTER, LONE)):
        for match in regex.finditer(rf"(?:{pattern.pattern})+", everything, flags=regex.V1):
            categories[match.start() : match.end()] = category
    return categories


def _each(characters: str, change) -> list[str]:  # type: ignore[no-untyped-def]
    """Apply a change of texts to each character; a newline between keeps them apart, and is much faster."""
    return change("\n".join(characters)).split("\n")  # type: ignore[no-any-return]


def _special() -> str:
    """Return the characters that something happens to: decomposed, casefolded, combining; and some more.

    Pages are passed over where nothing happens: U+0345, of the highest combining class, between the characters
    stays in its place only if none has a lower one.
    """
    codes = np.arange(0x110000)
    everything, woven = _text(codes), _text(np.stack([codes, np.full_like(codes, 0x345)], axis=1))
    found = {"\u0345"}
    for start in range(0, len(everything), _PAGE):
        page = everything[start : start + _PAGE]
        if start not in HANGUL and (
            page.casefold() != page or not unicodedata.is_normalized("NFKD", woven[2 * start : 2 * (start + _PAGE)])
        ):
            found.update(page)
    return "".join(sorted(found - {"\n"} - set(map(chr, HANGUL))))


def _text(codes: NDArray[np.int64]) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _decompositions(characters: str) -> dict[str, str]:
    """Return NFKD of the characters it changes."""
    pairs = zip(characters, _each(characters, lambda text: unicodedata.normalize("NFKD", text)), strict=True)
    return {character: changed for character, changed in pairs if changed != character}


def _compositions(decompositions: dict[str, str]) -> dict[tuple[str, str], str]:
    """Return the pairs of characters that compose, Hangul apart."""
    compositions = {}
    for character in decompositions:
        parts = unicodedata.decomposition(character).split()
        if len(parts) == 2 and "<" not in parts[0] and unicodedata.is_normalized("NFC", character):
            compositions[chr(int(parts[0], 16)), chr(int(parts[1], 16))] = character
    return compositions


def _leading_class(character: str, decomposition: str, seconds: set[str]) -> int:
    """Return the `lccc` of a character's entry."""
    first = decomposition[0]
    combining = unicodedata.combining(first)
    if combining == 0 and first not in seconds:
        return 0
    return IRREGULAR if decomposition != character or character in seconds else combining


class _Pieces:
    """The replacements, each once."""

    def __init__(self, categories: NDArray[np.uint8]) -> None:
        self._categories = categories
        self._first: dict[str, int] = {}
        self._pieces: list[int] = []
        self._shapes: list[int] = []

    def add(self, text: str) -> int:
        """Return the number of the first piece of a text."""
        if text not in self._first:
            self._first[text] = len(self._pieces)
            written = [self._written(character) for character in text]
            data = b"".join(part for part, _ in written)
            in_word = "".join(bits for _, bits in written)
            for start in range(0, len(data), 8):
                bits = int(in_word[start : start + 8][::-1], 2)
                more = start + 8 < len(data)
                self._pieces.append(int.from_bytes(data[start : start + 8], "little"))
                self._shapes.append(len(data[start : start + 8]) | bits << BITS_SHIFT | more << MORE_SHIFT)
        return self._first[text]

    def _written(self, character: str) -> tuple[bytes, str]:
        """Return a character as the compiled code writes it: bytes, and for each 1 if it belongs to a word."""
        data = character.encode("utf-8", "surrogatepass")
        category = self._categories[ord(character)]
        if category == LONE:
            return b" " + data + b" ", "0" + "1" * len(data) + "0"
        return data, ("1" if category == IN_WORD else "0") * len(data)

    def arrays(self) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
        return np.array(self._pieces, np.uint64), np.array(self._shapes, np.uint16)


def _paged(entries: NDArray[np.uint32]) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
    """Store equal pages once."""
    pages = np.zeros(8192, np.uint16)
    distinct: dict[bytes, int] = {bytes(4 * _PAGE): 0}
    for number, page in enumerate(entries.reshape(-1, _PAGE)):
        pages[number] = distinct.setdefault(page.tobytes(), len(distinct))
    return pages, np.frombuffer(b"".join(distinct), np.uint32).copy()


def _decomposition_arrays(
    decompositions: dict[str, str],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    keys = sorted(decompositions)
    offsets = np.cumsum([0, *(len(decompositions[key]) for key in keys)], dtype=np.int32)
    return _codes("".join(keys)), offsets, _codes("".join(decompositions[key] for key in keys))


def _composition_arrays(
    compositions: dict[tuple[str, str], str],
) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    keys = sorted(compositions)
    firsts, seconds = (_codes("".join(key[side] for key in keys)).astype(np.uint64) for side in (0, 1))
    return firsts << np.uint64(32) | seconds, _codes("".join(compositions[key] for key in keys))


def _codes(text: str) -> NDArray[np.int32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<i4").astype(np.int32)
