"""Words to shingle hashes.

Input    the words of a document (list of str)
Output   word hashes and shingle hashes (uint64 arrays, one per word and one per run of k words), digest
Cost     O(words), arithmetic modulo 2**64 throughout

A shingle is `shingle_size` consecutive words. Its hash is a polynomial in the hashes of its words, so that
a window can roll, followed by the finaliser of XXH64, so that every bit depends on every word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xxhash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

#: The polynomial's base: a random odd 64-bit number (it is XXH3's PRIME_MX2).
BASE = 0x9FB21C651E98DF25


def word_hashes(words: Sequence[str]) -> Hashes:
    """Hash each word: uint64[len(words)], XXH64 of its UTF-8."""
    hashes = (xxhash.xxh64_intdigest(word.encode("utf-8", "surrogatepass")) for word in words)
    return np.fromiter(hashes, dtype=np.uint64, count=len(words))


def avalanche(hashes: Hashes) -> Hashes:
    """Apply XXH64's finaliser, a bijection of 64-bit integers, to each of uint64[n]."""
    hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(0xC2B2AE3D27D4EB4F)
    hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0x165667B19E3779F9)
    return hashes ^ (hashes >> np.uint64(32))


def shingle_hashes(hashes: Hashes, shingle_size: int) -> Hashes:
    """Hash each run of `shingle_size` words.

    Parameters
    ----------
    hashes : uint64[n]
        The document's word hashes.
    shingle_size : int
        k, words per shingle, at least 1.

    Returns
    -------
    uint64[max(n - k + 1, 1)]
        In reading order, repeats included. A document of fewer than k words has one shingle, of all its
        words; one of no words has none.
    """
    size = min(shingle_size, len(hashes))
    if size == 0:
        return np.empty(0, dtype=np.uint64)
    rolled = np.zeros(len(hashes) - size + 1, dtype=np.uint64)
    for offset in range(size):
        rolled = rolled * np.uint64(BASE) + hashes[offset : offset + len(rolled)]
    return avalanche(rolled)


def digest(hashes: Hashes) -> tuple[int, int]:
    """Return 128 bits that stand for a document's words: XXH64 of its word hashes, with seeds 0 and 1."""
    data = hashes.astype("<u8", copy=False).tobytes()
    return xxhash.xxh64_intdigest(data, 0), xxhash.xxh64_intdigest(data, 1)
