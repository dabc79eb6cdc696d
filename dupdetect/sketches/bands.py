"""Bands of a signature: how many, and their keys.

Input    a threshold, or signatures (uint32[n, num_perm])
Output   (bands, rows), or band keys (uint64[n, bands])
Cost     O(n * num_perm)

Two documents of Jaccard similarity s have equal keys in at least one band with probability
1 - (1 - s**rows)**bands (Leskovec, Rajaraman, Ullman: "Mining of Massive Datasets", section 3.4).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import xxhash

if TYPE_CHECKING:
    from numpy.typing import NDArray


#: What a false positive and a false negative weigh in the choice of bands, as `datasketch` takes them. A false
#: positive costs one exact comparison, a false negative a copy.
WEIGHTS = (0.1, 0.9)


@lru_cache(maxsize=256)
def choose(threshold: float, num_perm: int) -> tuple[int, int]:
    """Return (bands, rows) for a Jaccard threshold: those of ``datasketch.MinHashLSH(threshold, num_perm, WEIGHTS)``.

    They minimise the weighted area under the S-curve below the threshold and over it above. The curve is a
    polynomial of degree bands * rows, so Gauss-Legendre quadrature on num_perm / 2 + 1 nodes is exact, and a
    thousand times faster than the adaptive one of `datasketch`.
    """
    pairs = [(b, r) for b in range(2, num_perm + 1) for r in range(1, num_perm // b + 1)]
    nodes, weights = np.polynomial.legendre.leggauss(num_perm // 2 + 1)
    bands, rows = np.array(pairs, np.float64).T[:, :, None]

    def area_over(low: float, high: float) -> NDArray[np.float64]:
        similarity = (low + high) / 2 + (high - low) / 2 * nodes
        return (high - low) / 2 * ((1 - similarity**rows) ** bands @ weights)  # type: ignore[no-any-return]

    false_positive = threshold - area_over(0.0, threshold)
    false_negative = area_over(threshold, 1.0)
    return pairs[int(np.argmin(WEIGHTS[0] * false_positive + WEIGHTS[1] * false_negative))]


def keys(signatures: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint64]:
    """Return the band keys of signatures.

    Parameters
    ----------
    signatures : uint32[n, num_perm]
    bands, rows : int
        With ``bands * rows <= num_perm``; what is left over of a signature is unused.

    Returns
    -------
    uint64[n, bands]
        XXH64 of the band's entries (little endian), seeded with the band's number, so that keys of different
        bands differ and all can be pooled.
    """
    little = signatures.astype("<u4", copy=False)
    return np.array(
        [
            [xxhash.xxh64_intdigest(row[band * rows : (band + 1) * rows].tobytes(), band) for band in range(bands)]
            for row in little
        ],
        dtype=np.uint64,
    ).reshape(len(signatures), bands)
