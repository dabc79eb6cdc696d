"""Pairs of texts that are not kept: what they share, estimated from signatures.

Input    signatures of texts
Output   `Overlaps` whose counts are estimates; nothing is weighed
Cost     512 bytes a text

Of 128 rows of a signature the standard error of a Jaccard similarity of 0.8 is 0.035.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import unpack
from dupdetect.matching.removal import decided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.index.evidence import Texts
    from dupdetect.index.stores import Session
    from dupdetect.matching.pairs import Pairs
    from dupdetect.settings import Settings


def count_of_shingles(words: int, settings: Settings) -> int:
    """Return how many shingles a text of so many words has, equal ones counted each: without the text nobody knows."""
    return max(1, words - settings.shingle_size + 1)


class SignatureVerifier:
    """Verifies pairs of texts as far as signatures tell: of an index that leaves texts out.

    Parameters
    ----------
    session : Session
    texts : Texts
        Pairs are of their places.
    settings : Settings
    new : dict of int to (bytes, int), optional
        Signatures and counts of shingles of texts that are not in the index, by their numbers.
    """

    def __init__(
        self,
        session: Session,
        texts: Texts,
        settings: Settings,
        new: dict[int, tuple[bytes, int]] | None = None,
    ) -> None:
        self._session, self._texts, self._settings, self._new = session, texts, settings, new or {}

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Estimate what each pair shares."""
        a, b = unpack(pairs)
        places = np.unique(np.concatenate([a, b]))
        numbers = self._texts.numbers[places].tolist()
        rows = {
            row[0]: row[1:] for row in self._session.find("SELECT text, sketch, shingles FROM texts", "text", numbers)
        } | self._new
        joined = b"".join(bytes(rows[number][0]) for number in numbers)
        signatures = np.frombuffer(joined, "<u4").reshape(len(places), self._settings.num_perm)
        sizes = np.array([rows[number][1] for number in numbers], np.int64)
        x, y = np.searchsorted(places, a), np.searchsorted(places, b)
        alike: NDArray[np.float64] = (signatures[x] == signatures[y]).mean(axis=1) if len(pairs) else np.empty(0)
        shared = np.rint(alike * (sizes[x] + sizes[y]) / (1 + alike)).astype(np.int64)
        return Overlaps(pairs, np.minimum(shared, np.minimum(sizes[x], sizes[y])), sizes[x], sizes[y])

    def matches(self, pairs: Pairs) -> Overlaps:
        """Return the pairs that are copies, as far as can be told."""
        return decided(self.overlaps(pairs), self._settings)
