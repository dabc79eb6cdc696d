"""Shingle hashes to MinHash signatures: the definition; and the way to and from `datasketch`.

Input    the shingle hashes of a document (uint64[n])
Output   its signature (uint32[num_perm])
Cost     O(n * num_perm)

The share of equal entries of two signatures estimates the Jaccard similarity of the two sets of shingles
(Broder 1997). A signature *is* the `hashvalues` of a `datasketch.MinHash` with scheme "affine32", fed with the
upper halves of the shingle hashes, so sketches move between the two libraries unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datasketch import MinHash
    from numpy.typing import NDArray

    from dupdetect.shingles import Hashes

    Signature = NDArray[np.uint32]

SCHEME = "affine32"


def empty_minhash(num_perm: int, seed: int) -> MinHash:
    """Return the `datasketch.MinHash` of a document without shingles."""
    from datasketch import MinHash

    return MinHash(num_perm=num_perm, seed=seed, scheme=SCHEME, hashfunc=int)


def signature(shingles: Hashes, empty: MinHash) -> Signature:
    """Sign a document.

    Parameters
    ----------
    shingles : uint64[n]
        Its shingle hashes; order and repeats do not matter.
    empty : datasketch.MinHash
        From `empty_minhash`; it holds the permutations and is left as it is.

    Returns
    -------
    uint32[num_perm]
        All ones in every entry for a document without shingles.
    """
    minhash = empty.copy()
    minhash.update_batch(np.unique(shingles >> np.uint64(32)).astype(np.uint32))
    return minhash.hashvalues  # type: ignore[no-any-return]


def to_datasketch(signature: Signature, seed: int) -> MinHash:
    """Wrap one signature, uint32[num_perm], as a `datasketch.MinHash` (no copy of its meaning: same bits)."""
    from datasketch import MinHash

    return MinHash(hashvalues=signature, seed=seed, scheme=SCHEME, hashfunc=int)


def permutations(num_perm: int, seed: int) -> tuple[Signature, Signature]:
    """Return the multipliers and the increments of the permutations, each uint32[num_perm]."""
    factors, terms = empty_minhash(num_perm, seed).permutations
    return np.ascontiguousarray(factors, np.uint32), np.ascontiguousarray(terms, np.uint32)
