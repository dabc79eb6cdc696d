"""Signatures to band keys; the reference.

Input    signatures (uint32[n, num_perm]), the number of bands and of rows in each (`Settings.banding`)
Output   band keys (uint64[n, bands])
Cost     O(n * num_perm)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xxhash

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
