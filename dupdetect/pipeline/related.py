"""The earlier documents that have something in common with new ones.

Input    the keys of the new documents; the sketches of earlier ones, part by part
Output   `Related`: those that share a key with a new document, or were asked for, with their sketches
Cost     some 8 µs an earlier document; what is not related is not kept

Most earlier documents share no key with any new one. They could only pair with one another, which was decided, so they
go at once; and so do the keys that no new document has, of those that stay. Of these keys it only counts how many they
are: a candidate pair shares enough of the keys of the smaller document that are not hot (`candidates`), and which keys
are hot is counted over all earlier documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect.matching.keys import BUCKETS, SHIFT, Keys
from dupdetect.matching.pairs import distinct
from dupdetect.sketches.sketches import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import GrowingArray, Storage
    from dupdetect.sketches.sketches import Sketches

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]

#: Fingerprints of all earlier documents are counted in so many places, by their lowest bits.
PLACES = 1 << 22

#: A set of keys is looked up in a table of bits first, of so many places for each key, and so many at the most.
BITS_EACH, BITS_MOST = 8, 1 << 28

#: Keys that are worked on at a time.
KEYS_AT_ONCE = 1 << 24


class KeySet:
    """A set of keys, to find which of others are in it.

    Parameters
    ----------
    parts : sequence of Keys
    storage : Storage
        Where they stand.
    """

    def __init__(self, parts: Sequence[Keys], storage: Storage) -> None:
        column = storage.growing_array(np.uint64)
        for bucket in range(BUCKETS):
            within = [_turned(part.keys[part.bounds[bucket] : part.bounds[bucket + 1]]) for part in parts]
            column.append(distinct(np.concatenate([np.empty(0, np.uint64), *within])))
        self._turned = column.values  # sorted: equal buckets are together, and the first is the least
        places = min(BITS_MOST, 1 << (BITS_EACH * len(self._turned)).bit_length())
        self._mask = np.uint64(places - 1)
        self._bits = np.zeros(places, np.bool_)
        for first in range(0, len(self._turned), KEYS_AT_ONCE):
            self._bits[_turned(self._turned[first : first + KEYS_AT_ONCE]) & self._mask] = True

    def __len__(self) -> int:
        return len(self._turned)

    def __contains__(self, key: int) -> bool:
        return bool(self.has(np.array([key], np.uint64))[0])

    def has(self, keys: Hashes) -> Bool:
        """Mark the keys that are in the set: bool[n]."""
        found = self._bits[keys & self._mask]
        if len(self._turned):
            perhaps = np.flatnonzero(found)
            wanted = _turned(keys[perhaps])
            place = np.minimum(np.searchsorted(self._turned, wanted), len(self._turned) - 1)
            found[perhaps] = self._turned[place] == wanted
        return found  # type: ignore[no-any-return]


def _turned(keys: Hashes) -> Hashes:
    """Turn keys so that the bits of their bucket are the highest; turned twice they are what they were."""
    assert 64 - SHIFT - BUCKETS.bit_length() + 1 == 32  # half of them
    return keys << np.uint64(32) | keys >> np.uint64(32)


@dataclass(frozen=True, eq=False)
class Related:
    """The m earlier documents that have a key in common with a new one, or an id.

    Attributes
    ----------
    ids : pyarrow.ChunkedArray
    words, digests : int64[m], uint64[m, 2]
    is_digest : bool[m]
        Which were found to be digest documents.
    output, row : int32[m], int64[m]
        Which of the outputs each is of, and its row in what that keeps; ascending.
    bands, fingerprints : Ragged
        Their keys that a new document has, too.
    fingerprints_each : int64[m]
        How many fingerprints each has, without those that are hot and of no new document.
    """

    ids: pa.ChunkedArray
    words: Int
    digests: Hashes
    is_digest: Bool
    output: NDArray[np.int32]
    row: Int
    bands: Ragged
    fingerprints: Ragged
    fingerprints_each: Int

    def __len__(self) -> int:
        return len(self.words)


#: What is kept of each related document, and of the keys of all of them.
COLUMNS = {
    **dict.fromkeys(("words", "row", "bands_each", "fingerprints_each", "others_each"), np.int64),
    **dict.fromkeys(("digests", "bands", "fingerprints", "others"), np.uint64),
    "output": np.int32,
    "is_digest": np.bool_,
}


class RelatedFinder:
    """Looks through earlier documents for related ones.

    Parameters
    ----------
    keys : KeySet
        Of the new documents.
    hot : int
        More documents than these make a key a hot one.
    storage : Storage
        Where what is known of related documents is kept.
    """

    def __init__(self, keys: KeySet, hot: int, storage: Storage) -> None:
        self._keys, self._hot = keys, hot
        self._ids: list[pa.ChunkedArray] = []
        self._columns: dict[str, GrowingArray] = {name: storage.growing_array(dtype) for name, dtype in COLUMNS.items()}
        self._count = np.zeros(PLACES, np.uint32)
        self._counted = 0

    def add(
        self, ids: pa.ChunkedArray, sketches: Sketches, at: tuple[int, int], valid: Bool, asked: Bool, is_digest: Bool
    ) -> None:
        """Look at n documents of an output that follow one another.

        Parameters
        ----------
        ids : pyarrow.ChunkedArray
        sketches : Sketches
        at : tuple of int
            The number of the output, and the row of the first of them.
        valid : bool[n]
            Those that still stand for their clusters; others are passed over.
        asked : bool[n]
            Those to be taken whether they are related or not.
        is_digest : bool[n]
        """
        fingerprints, bands = sketches.fingerprints, sketches.band_keys
        with_words = valid & (sketches.words > 0)  # all empty documents have the same keys, and are no copies
        counted = fingerprints.values[np.repeat(with_words, fingerprints.lengths)]
        np.add.at(self._count, _counters(counted), np.uint32(1))
        self._counted += len(counted)
        known = self._keys.has(fingerprints.values)
        band_known = self._keys.has(bands.reshape(-1)).reshape(bands.shape)
        shared = np.append(0, np.cumsum(known))
        related = band_known.any(axis=1) | (shared[fingerprints.offsets[1:]] > shared[fingerprints.offsets[:-1]])
        chosen = np.flatnonzero(related & with_words | asked)
        if len(chosen) == 0:
            return
        self._ids.append(ids.take(pa.array(chosen)))
        taken, is_known = fingerprints.take(chosen), Ragged(fingerprints.offsets, known).take(chosen)  # type: ignore[arg-type]
        mine, each = is_known.values.astype(np.bool_), np.repeat(np.arange(len(chosen)), taken.lengths)
        columns: dict[str, Any] = {
            "words": sketches.words[chosen],
            "digests": sketches.digests[chosen].reshape(-1),
            "is_digest": is_digest[chosen],
            "output": np.full(len(chosen), at[0], np.int32),
            "row": at[1] + chosen,
            "bands": bands[chosen][band_known[chosen]],
            "bands_each": band_known[chosen].sum(axis=1),
            "fingerprints": taken.values[mine],
            "fingerprints_each": np.bincount(each[mine], minlength=len(chosen)),
            "others": taken.values[~mine],
            "others_each": np.bincount(each[~mine], minlength=len(chosen)),
        }
        for name, values in columns.items():
            self._columns[name].append(values)

    def related(self, id_type: pa.DataType) -> Related:
        """Return what was found."""
        kept = {name: column.values for name, column in self._columns.items()}
        bands, fingerprints, others = (
            Ragged(np.append(0, np.cumsum(kept[f"{name}_each"])), kept[name])
            for name in ("bands", "fingerprints", "others")
        )
        return Related(
            pa.chunked_array([chunk for ids in self._ids for chunk in ids.chunks], id_type),
            kept["words"],
            kept["digests"].reshape(-1, 2),
            kept["is_digest"],
            kept["output"],
            kept["row"],
            bands,
            fingerprints,
            fingerprints.lengths + self._count_not_hot(others),
        )

    def _count_not_hot(self, others: Ragged) -> Int:
        """Count the keys of each document that are not hot, as far as counters that several keys share can tell."""
        by_chance = self._counted / PLACES
        batches = (others.values[first : first + KEYS_AT_ONCE] for first in range(0, len(others.values), KEYS_AT_ONCE))
        cool = (self._count[_counters(batch)] - by_chance <= self._hot for batch in batches)
        counted = np.cumsum(np.concatenate([np.zeros(1, np.bool_), *cool]), dtype=np.int64)
        return counted[others.offsets[1:]] - counted[others.offsets[:-1]]


def _counters(fingerprints: Hashes) -> Int:
    """Return the counter of each fingerprint, by its lowest bits."""
    return (fingerprints & np.uint64(PLACES - 1)).astype(np.int64)
