"""Texts, compressed, and the pairs of them that are verified.

Input    the texts of documents; pairs of texts
Output   rows of the table `bodies`, and texts of such rows; `Overlaps` of pairs
Cost     some 30 microseconds to compress a text of 5 KB, 10 to get it back; of a pair, what the verify stage takes
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import xxhash

from dupdetect._compiled.dispatch import on_threads
from dupdetect.clustering.canonical import of_least_id
from dupdetect.errors import InputError
from dupdetect.index.evidence import renumbered
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import documents_of, packed, unpack
from dupdetect.matching.removal import decided
from dupdetect.matching.verify import Verifier
from dupdetect.sketches.cleaning import clean_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from dupdetect._storage.context import Context
    from dupdetect.index.evidence import Texts
    from dupdetect.index.identifiers import Identifiers
    from dupdetect.index.stores import Row, Session
    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]

#: The bytes of a text, or what has them in memory.
Raw: TypeAlias = bytes | memoryview

#: Level of compression: what more of it saves, in bytes, is not worth its time.
LEVEL = 1
_CODEC = pa.Codec("zstd", LEVEL)

#: What is raised for bytes that are none of ours, or values that are no bytes.
_DAMAGE = (pa.ArrowException, ValueError, OSError, TypeError, OverflowError)

#: Bytes of text that one thread compares sooner than several: to start these takes longer.
FEW = 1 << 20

#: Texts that are kept once they were read, at the most: who asks again asks of few.
KEPT = 256

#: Texts that a thread compresses, or that are read, at a time: what takes no more is had again and again, and what
#: takes much is asked of the system each time.
BLOCK = 256

_BODIES = "SELECT number, bytes, content FROM bodies"


def compressed(texts: Sequence[Raw], workers: int) -> list[bytes]:
    """Return texts, each compressed by itself."""

    def some(part: Sequence[Raw]) -> list[bytes]:
        return [_CODEC.compress(text, asbytes=True) for text in part]

    parts = [texts[first : first + BLOCK] for first in range(0, len(texts), BLOCK)]
    return [body for part in on_threads(some, parts, workers) for body in part]


def checksum(text: Raw) -> int:
    """Return the XXH3-64 of a text, as a signed number."""
    value = xxhash.xxh3_64_intdigest(text)
    return value - (1 << 64) if value >> 63 else value


def read_bodies(session: Session, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the bytes of the texts of documents."""
    rows = session.find(_BODIES, "number", numbers)
    return {number: decompressed(number, size, content) for number, size, content in rows}


def decompressed(number: int, size: int, content: bytes) -> bytes:
    """Return the text of a document, of so many bytes."""
    try:
        return bytes(_CODEC.decompress(content, decompressed_size=size, asbytes=True))
    except _DAMAGE as error:
        raise InputError(
            f"the text of document number {number} is damaged ({error}); restore the index from a copy"
        ) from None


def decompressed_together(rows: Sequence[Row]) -> bytes:
    """Return the texts of documents, end to end, of rows (number, bytes, content): sooner done than one by one."""
    total = sum(size for _, size, _ in rows)
    try:
        return bytes(_CODEC.decompress(b"".join(content for *_, content in rows), total, asbytes=True))
    except _DAMAGE:
        return b"".join(decompressed(*row) for row in rows)  # which tells whose text is damaged


def first_documents(session: Session, texts: Sequence[int], identifiers: Identifiers) -> dict[int, int]:
    """Return the document of the least id of each text: it tells where the lines of the text are."""
    rows = session.find("SELECT text, number, id FROM documents", "text", texts)
    found: dict[int, int] = {row[0]: row[1] for row in rows}
    if len(found) < len(rows):
        ordered = sorted(found)
        groups = np.searchsorted(ordered, [row[0] for row in rows])
        _, any_of = np.unique(groups, return_index=True)
        least = of_least_id(identifiers.decoded([row[2] for row in rows]), groups, any_of)
        found = {text: rows[row][1] for text, row in zip(ordered, least.tolist(), strict=True)}
    return found


def read_texts_of(session: Session, texts: Sequence[int], identifiers: Identifiers) -> dict[int, bytes]:
    """Return the bytes of texts: those of the document that tells where the lines of each are."""
    first = first_documents(session, texts, identifiers)
    read = read_bodies(session, list(first.values()))
    return {text: read[document] for text, document in first.items()}


class TextVerifier:
    """Verifies pairs of texts on the texts themselves: those of an index, and some that are not in it yet.

    Parameters
    ----------
    session : Session
    texts : Texts
        Pairs are of their places.
    new : mapping of int to bytes
        Texts that are at hand, by their numbers.
    context : Context
    boilerplate : Boilerplate
    identifiers : Identifiers
    """

    def __init__(
        self,
        session: Session,
        texts: Texts,
        new: Mapping[int, Raw],
        context: Context,
        boilerplate: Boilerplate,
        identifiers: Identifiers,
    ) -> None:
        self._session, self._texts, self._bodies = session, texts, dict(new)
        self._context, self._boilerplate, self._identifiers = context, boilerplate, identifiers

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares."""
        return self._asked(pairs, matches=False)

    def matches(self, pairs: Pairs) -> Overlaps:
        """Return the pairs that are copies."""
        return self._asked(pairs, matches=True)

    def _asked(self, pairs: Pairs, *, matches: bool) -> Overlaps:
        """Verify pairs on the texts that they are of, and no others."""
        if len(pairs) == 0:
            none = np.empty(0, np.int32)
            found = Overlaps(pairs, none, none, none)
            return decided(found, self._context.settings) if matches else found
        a, b = unpack(pairs)
        places = documents_of(pairs, len(self._texts))
        given, rows = self._read(self._texts.numbers[places].tolist())
        context = self._context if given.nbytes > FEW else self._context.alone
        counter = PairCounter(clean_texts(given), rows, context)
        verifier = Verifier(counter, self._boilerplate)
        within = packed(np.searchsorted(places, a), np.searchsorted(places, b))
        return renumbered(verifier.matches(within) if matches else verifier.overlaps(within), places)

    def _read(self, numbers: list[int]) -> tuple[pa.ChunkedArray, Int]:
        """Return texts in any order, and where those of the numbers stand; what was read once is kept, if it is few."""
        lacking = [number for number in numbers if number not in self._bodies]
        chunks, order = [], []
        if len(lacking) > KEPT:
            order, workers = lacking, self._context.workers
            for first in range(0, len(order), workers * BLOCK):
                rows = self._rows(order[first : first + workers * BLOCK])
                chunks += on_threads(_unpacked, [rows[at : at + BLOCK] for at in range(0, len(rows), BLOCK)], workers)
        elif lacking:
            rows = self._rows(lacking)
            read, limits = decompressed_together(rows), pairwise(_bounds(size for _, size, _ in rows).tolist())
            self._bodies |= {number: read[start:end] for number, (start, end) in zip(lacking, limits, strict=True)}
        there = [number for number in numbers if number in self._bodies]
        for first in range(0, len(there), BLOCK):
            own = [self._bodies[number] for number in there[first : first + BLOCK]]
            chunks.append(_as_texts(b"".join(own), _bounds(map(len, own))))
        place = {number: row for row, number in enumerate([*order, *there])}
        return pa.chunked_array(chunks), np.array([place[number] for number in numbers], np.int64)

    def _rows(self, numbers: list[int]) -> list[Row]:
        """Return the rows of the bodies of texts, in their order."""
        first = first_documents(self._session, numbers, self._identifiers)
        found = {row[0]: row for row in self._session.find(_BODIES, "number", list(first.values()))}
        return [found[first[number]] for number in numbers]


def _bounds(sizes: Iterable[int]) -> Int:
    return np.cumsum([0, *sizes], dtype=np.int64)


def _unpacked(rows: list[Row]) -> pa.Array:
    return _as_texts(decompressed_together(rows), _bounds(size for _, size, _ in rows))


def _as_texts(data: bytes, bounds: Int) -> pa.Array:
    """Return the texts that stand end to end as stages take them."""
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(data)]
    texts = pa.Array.from_buffers(pa.large_string(), len(bounds) - 1, buffers)
    texts.validate(full=True)  # what was damaged may be no UTF-8
    return texts
