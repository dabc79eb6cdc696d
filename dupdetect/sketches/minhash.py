"""Shingle hashes to MinHash signatures: the reference; and the way to and from `datasketch`.

Input    the shingle hashes of a document (uint64[n])
Output   its signature (uint32[num_perm])
Cost     O(n * num_perm)

The share of equal entries of two signatures estimates the Jaccard similarity of the two sets of shingles
(Broder: "On the resemblance and containment of documents", 1997). A signature *is* the `hashvalues` of a
`datasketch.MinHash` of scheme "affine32" that was fed the upper halves of the shingle hashes; tests check it,
and sketches move between the two libraries unchanged. The four lines of arithmetic are written out here because
importing `datasketch` takes longer than all the rest of a call on a few texts.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect.errors import InputError, MismatchError

if TYPE_CHECKING:
    from datasketch import MinHash
    from numpy.typing import NDArray

    from dupdetect.text.shingles import Hashes

    Signature = NDArray[np.uint32]

#: The scheme of `datasketch.MinHash` that signatures are of.
SCHEME = "affine32"

#: Products of shingles and permutations that are held in memory at a time.
BLOCK = 1 << 22


class Permutations(NamedTuple):
    """The permutations h -> factor * h + term modulo 2**32: odd factors and terms, uint32[num_perm] each."""

    factors: Signature
    terms: Signature


@lru_cache(maxsize=16)
def permutations(num_perm: int, seed: int) -> Permutations:
    """Return the permutations of ``datasketch.MinHash(num_perm, seed, scheme="affine32")``."""
    draw = np.random.RandomState(seed)
    factors = draw.randint(0, 2**31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return Permutations(factors, draw.randint(0, 2**32, num_perm, dtype=np.uint32))


def signature(shingles: Hashes, permutations: Permutations) -> Signature:
    """Sign a document.

    Parameters
    ----------
    shingles : uint64[n]
        Its shingle hashes; order and repeats do not matter.
    permutations : Permutations

    Returns
    -------
    uint32[num_perm]
        The least of each permutation; all ones in every entry for a document without shingles.
    """
    factors, terms = permutations
    least = np.full(len(factors), 2**32 - 1, np.uint32)
    mixed = mix((shingles >> np.uint64(32)).astype(np.uint32))
    step = max(BLOCK // len(factors), 1)
    for start in range(0, len(mixed), step):
        least = np.minimum(least, (mixed[start : start + step, None] * factors + terms).min(axis=0))
    return least


def mix(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Apply the finaliser of MurmurHash3, a bijection of 32-bit integers."""
    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def to_datasketch(signature: Signature, seed: int) -> MinHash:
    """Return a signature as a `datasketch.MinHash` with the same `hashvalues`.

    Parameters
    ----------
    signature : uint32[num_perm]
        A row of `signatures`, or of `Sketches.signatures`.
    seed : int
        `Settings.seed` of the settings that it was made with.

    Examples
    --------
    >>> from dupdetect import signatures
    >>> one, other = (to_datasketch(row, seed=1) for row in signatures(["one two three", "one two three"]))
    >>> one.jaccard(other)
    1.0
    """
    from datasketch import MinHash

    return MinHash(hashvalues=signature, seed=seed, scheme=SCHEME, hashfunc=int)


def from_datasketch(minhash: MinHash, *, num_perm: int, seed: int) -> Signature:
    """Return the signature of a `datasketch.MinHash`.

    Parameters
    ----------
    minhash : datasketch.MinHash
        Of the scheme "affine32".
    num_perm, seed : int
        `Settings.num_perm` and `Settings.seed` of the settings that it is to be compared under.

    Returns
    -------
    uint32[num_perm]

    Raises
    ------
    InputError
        It is something else.
    MismatchError
        It has another scheme, length or seed.

    Examples
    --------
    >>> from dupdetect import signatures
    >>> row = signatures(["one two three"])[0]
    >>> bool((from_datasketch(to_datasketch(row, seed=1), num_perm=128, seed=1) == row).all())
    True
    """
    if not hasattr(minhash, "hashvalues"):
        raise InputError(f"minhash: a {type(minhash).__name__} was given; expected a datasketch.MinHash")
    for name, got, expected in (
        ("scheme", minhash.scheme, SCHEME),
        ("num_perm", len(minhash), num_perm),
        ("seed", minhash.seed, seed),
    ):
        if got != expected:
            raise MismatchError(f"the MinHash has {name} {got!r}, expected {expected!r}; make it with the same")
    return np.asarray(minhash.hashvalues, np.uint32)
