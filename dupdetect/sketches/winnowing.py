"""Shingle hashes to fingerprints: the reference.

Input    the shingle hashes of a document, in reading order (uint64[n])
Output   its fingerprints (uint64[m], m about 2 n / (window + 1)), sorted, without repeats
Cost     O(n)

Winnowing (Schleimer, Wilkerson, Aiken: "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003):
of every `window` consecutive shingles the least is picked. The choice depends on nothing but the text in the
window, so two documents that share a run of `window + shingle_size - 1` words share a fingerprint, however much
else surrounds it: that is how an article is found inside its page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dupdetect.text.shingles import Hashes


def fingerprints(shingles: Hashes, window: int) -> Hashes:
    """Pick a document's fingerprints.

    Parameters
    ----------
    shingles : uint64[n]
        Shingle hashes in reading order.
    window : int
        Consecutive shingles of which one is picked, at least 1.

    Returns
    -------
    uint64[m]
        Sorted and distinct; a document of fewer than `window` shingles has one, its least; of none, none.
    """
    size = min(window, len(shingles))
    if size == 0:
        return np.empty(0, dtype=np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(shingles, size)
    return np.unique(windows.min(axis=1))
