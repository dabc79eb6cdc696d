"""Texts, compressed, and the pairs of them that are verified.

Input    the texts of documents; pairs of texts
Output   rows of the table `bodies`, and texts of such rows; `Overlaps` of pairs
Cost     some 30 microseconds to compress a text of 5 KB, 10 to get it back; of a pair, what the verify stage takes
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import xxhash

from dupdetect._compiled.dispatch import on_threads
from dupdetect.errors import InputError
from dupdetect.index.evidence import renumbered
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import packed, unpack
from dupdetect.matching.verify import Verifier
from dupdetect.sketches.cleaning import clean_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dupdetect._storage.context import Context
    from dupdetect.index.evidence import Texts
    from dupdetect.index.stores import Session
    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]

#: Level of compression: what more of it saves, in bytes, is not worth its time.
LEVEL = 1
_CODEC = pa.Codec("zstd", LEVEL)

#: Pairs that one thread verifies sooner than several.
FEW = 16

#: Texts that are kept once they were read, at the most: who asks again asks of few.
KEPT = 256

#: Texts that a thread compresses at a time.
BLOCK = 256


def compressed(texts: list[bytes], workers: int) -> list[bytes]:
    """Return texts, each compressed by itself."""

    def some(part: list[bytes]) -> list[bytes]:
        return [_CODEC.compress(text, asbytes=True) for text in part]

    parts = [texts[first : first + BLOCK] for first in range(0, len(texts), BLOCK)]
    return [body for part in on_threads(some, parts, workers) for body in part]


def checksum(text: bytes) -> int:
    """Return the XXH3-64 of a text, as a signed number."""
    value = xxhash.xxh3_64_intdigest(text)
    return value - (1 << 64) if value >> 63 else value


def read_bodies(session: Session, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the bytes of the texts of documents."""
    rows = session.find("SELECT number, bytes, content FROM bodies", "number", numbers)
    return {number: decompressed(number, size, content) for number, size, content in rows}


def decompressed(number: int, size: int, content: bytes) -> bytes:
    """Return the text of a document, of so many bytes."""
    try:
        return bytes(_CODEC.decompress(content, decompressed_size=size, asbytes=True))
    except (pa.ArrowException, ValueError, OSError) as error:
        raise InputError(
            f"the text of document number {number} is damaged ({error}); restore the index from a copy"
        ) from None


def first_documents(session: Session, texts: Sequence[int]) -> dict[int, int]:
    """Return the first document of each text."""
    found: dict[int, int] = {}
    for text, number in session.find("SELECT text, number FROM documents", "text", texts):
        found[text] = min(number, found.get(text, number))
    return found


def read_texts_of(session: Session, texts: Sequence[int]) -> dict[int, bytes]:
    """Return the bytes of texts: those of the first document of each."""
    first = first_documents(session, texts)
    read = read_bodies(session, list(first.values()))
    return {text: read[document] for text, document in first.items()}


class StoredTexts:
    """Says what pairs of texts share: those of an index, and some that are not in it yet.

    Parameters
    ----------
    session : Session
    texts : Texts
        Pairs are of their places.
    new : dict of int to bytes
        Texts that are at hand, by their numbers.
    context : Context
    boilerplate : Boilerplate
    """

    def __init__(
        self, session: Session, texts: Texts, new: dict[int, bytes], context: Context, boilerplate: Boilerplate
    ) -> None:
        self._session, self._texts, self._bodies = session, texts, dict(new)
        self._context, self._boilerplate = context, boilerplate
        self._alone = replace(context, workers=1)

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
            return found.matches(self._context.settings) if matches else found
        a, b = unpack(pairs)
        places = np.unique(np.concatenate([a, b]))
        bodies = self._read(self._texts.numbers[places].tolist())
        texts = clean_texts(pa.array(bodies, pa.large_binary()).cast(pa.large_string()))
        context = self._context if len(pairs) > FEW else self._alone  # threads cost more than a few pairs do
        counter = PairCounter(texts, np.arange(len(places)), context)
        verifier = Verifier(counter, self._boilerplate)
        within = packed(np.searchsorted(places, a), np.searchsorted(places, b))
        return renumbered(verifier.matches(within) if matches else verifier.overlaps(within), places)

    def _read(self, numbers: list[int]) -> list[bytes]:
        """Return texts, by their numbers; those that were read once are kept, unless they are many."""
        lacking = [number for number in numbers if number not in self._bodies]
        read = read_texts_of(self._session, lacking) if lacking else {}
        if len(lacking) <= KEPT:
            self._bodies |= read
        return [read[number] if number in read else self._bodies[number] for number in numbers]
