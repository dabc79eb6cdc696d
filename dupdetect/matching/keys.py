"""Equal keys to groups of documents.

Input    band keys or fingerprints of documents, in parts
Output   `Groups`: the documents that have each key
Cost     O(keys); 4 bytes for each key that two documents have, in a spilled array

Keys are sorted into buckets by some of their bits, and a few buckets are grouped at a time. Equal keys are in equal
buckets, so the result does not depend on how many buckets are grouped at a time, or on how many threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, on_threads
from dupdetect.matching.pairs import HALF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dupdetect._storage.arrays import Storage

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Hashes = NDArray[np.uint64]

#: Buckets that keys are sorted into, and the shift to the bits that say which: the lowest bits are left to find equal
#: keys by within a bucket.
BUCKETS = 256
SHIFT = 24

#: Documents that two bytes number.
NARROW = 1 << 16

#: Entries that each thread groups at a time, at the most: their table fits the processor's caches.
ENTRIES = 1 << 21

#: Bytes that grouping takes for an entry.
GROUPING = 48


class Keys(NamedTuple):
    """Keys of some documents, by bucket: those of bucket b are ``keys[bounds[b]:bounds[b + 1]]``.

    Attributes
    ----------
    keys : uint64[entries]
    documents : uint16[entries], or int32[entries] if there are more than fit
        Whose they are, counted from `first` on.
    bounds : int64[BUCKETS + 1]
    first : int64[1]
    """

    keys: Hashes
    documents: NDArray[np.integer[Any]]
    bounds: Int
    first: Int

    @classmethod
    def of(cls, keys: Hashes, offsets: Int, first: int = 0) -> Keys:
        """Sort the keys of documents, a row each (``keys[offsets[i]:offsets[i + 1]]``), numbered from `first` on."""
        values, documents, bounds = sort_into_buckets.faster_for(8 * len(keys))(keys, offsets)
        narrow = np.uint16 if len(offsets) - 1 <= NARROW else np.int32
        return cls(values, documents.astype(narrow, copy=False), bounds, np.array([first]))

    def whose(self, entries: slice) -> Int:
        """Return whose some of the keys are."""
        whose: Int = self.documents[entries].astype(np.int64)
        return whose + self.first


class Source(NamedTuple):
    """Keys that are compared with one another: all band keys, or all fingerprints.

    Attributes
    ----------
    parts : sequence of Keys
    lengths : int64[documents]
        How many keys each document has.
    share : float
        Share of the keys of whoever has fewer that two documents must have in common, less two standard deviations
        (`candidates.needed_fingerprints`); 0 where one common key is enough.
    salts : uint64[documents], optional
        Documents of different salts have no key in common.
    """

    parts: Sequence[Keys]
    lengths: Int
    share: float
    salts: Hashes | None = None


@dataclass(frozen=True, eq=False)
class Groups:
    """Documents by key.

    Attributes
    ----------
    starts, members : int64[groups + 1], int32[entries]
        Group g holds the documents ``members[starts[g]:starts[g + 1]]``, ascending.
    degrees : int64[documents]
        In how many groups each document is.
    lengths : int64[documents]
        How many keys each document has that could be among these, shared or not.
    share : float
        As `Source.share`.
    """

    starts: Int
    members: Int32
    degrees: Int
    lengths: Int
    share: float

    def runs(self, entries: int) -> Iterator[tuple[Int, Int32]]:
        """Yield the sizes and the members of runs of groups, of about so many entries each."""
        cuts = np.searchsorted(self.starts, np.arange(entries, len(self.members), entries))
        for first, last in pairwise(np.unique([0, *cuts, len(self.starts) - 1]).tolist()):
            starts = self.starts[first : last + 1]
            yield np.diff(starts), self.members[starts[0] : starts[-1]]


class ByFrequency(NamedTuple):
    """Groups of keys that few documents have, and of hot keys."""

    few: Groups
    hot: Groups


class GroupWriter:
    """Collects groups, some at a time, in spilled arrays: those of 2 to `most` documents apart from larger ones.

    Parameters
    ----------
    storage : Storage
    documents : int
        How many there are.
    most : int
        `Settings.hot_key_documents`.
    """

    def __init__(self, storage: Storage, documents: int, most: int) -> None:
        self._most = most
        self._starts = [storage.growing_array(np.int64) for _ in range(2)]
        self._members = [storage.growing_array(np.int32) for _ in range(2)]
        self._degrees = [np.zeros(documents, np.int64) for _ in range(2)]
        for starts in self._starts:
            starts.append(np.zeros(1, np.int64))

    def add(self, sizes: Int, members: Int32) -> None:
        """Put groups of these sizes behind the others; a key of one document says nothing and is dropped."""
        for which, chosen in enumerate(((sizes > 1) & (sizes <= self._most), sizes > self._most)):
            some = members[np.repeat(chosen, sizes)]
            self._starts[which].append(len(self._members[which]) + np.cumsum(sizes[chosen]))
            self._members[which].append(some)
            self._degrees[which] += np.bincount(some, minlength=len(self._degrees[which]))

    def groups(self, lengths: Int, share: float) -> ByFrequency:
        """Return the groups; a hot key of a document counts among its hot keys alone."""
        of_hot = self._degrees[1]
        few, hot = (
            Groups(self._starts[which].values, self._members[which].values, self._degrees[which], each, share)
            for which, each in enumerate((lengths - of_hot, of_hot))
        )
        return ByFrequency(few, hot)


def entries_at_once(storage: Storage, bytes_each: int, workers: int) -> int:
    """Return how many entries each thread may take at a time."""
    return (
        ENTRIES if storage.array_bytes is None else min(ENTRIES, max(1, storage.array_bytes // (bytes_each * workers)))
    )


def group(source: Source, number: Int32, writer: GroupWriter, storage: Storage, workers: int) -> None:
    """Group documents by key.

    Parameters
    ----------
    source : Source
    number : int32[rows]
        What groups name each document by; -1 leaves it out.
    writer : GroupWriter
        Receives the groups.
    storage : Storage
    workers : int
    """
    sizes = np.sum([np.zeros(BUCKETS, np.int64), *(np.diff(part.bounds) for part in source.parts)], axis=0)
    ends = np.cumsum(sizes)
    cuts = np.searchsorted(ends, np.arange(0, ends[-1], entries_at_once(storage, GROUPING, workers)))
    runs = list(pairwise(np.unique([*cuts, BUCKETS]).tolist()))
    for start in range(0, len(runs), workers):
        for some in on_threads(lambda run: grouped(source, *run, number), runs[start : start + workers], workers):
            writer.add(*some)


def grouped(source: Source, first: int, last: int, number: Int32) -> tuple[Int, Int32]:
    """Group the entries of some buckets: sizes and members of the groups."""
    cuts = [(part, slice(part.bounds[first], part.bounds[last])) for part in source.parts]
    numbers = np.concatenate([number[part.whose(cut)] for part, cut in cuts])
    keys = np.concatenate([part.keys[cut] for part, cut in cuts])
    if source.salts is not None:
        keys = keys ^ np.concatenate([source.salts[part.whose(cut)] for part, cut in cuts])
    kept = numbers >= 0
    keys, numbers = keys[kept], numbers[kept]
    # Most keys are of one document: they are dropped before anything is sorted.
    entries = np.flatnonzero(mark_repeated.faster_for(4 * len(keys))(keys, (2 * len(keys)).bit_length()))
    groups = number_keys.faster_for(10 * len(entries))(keys[entries])
    ordered = np.sort(groups.astype(np.uint64) << HALF | numbers[entries].astype(np.uint64))
    return np.bincount(groups), (ordered & np.uint64(0xFFFFFFFF)).astype(np.int32)


@Compilable
def sort_into_buckets(keys: Hashes, offsets: Int) -> tuple[Hashes, Int32, Int]:
    """Sort the keys of documents by bucket: keys, documents, bounds of the buckets."""
    mask, shift = np.uint64(BUCKETS - 1), np.uint64(SHIFT)
    # A counting sort: sizes of buckets, where each begins, then each key to the next free place of its bucket.
    bounds = np.zeros(BUCKETS + 1, np.int64)
    for entry in range(offsets[0], offsets[-1]):
        bounds[np.int64(keys[entry] >> shift & mask) + 1] += 1
    bounds = np.cumsum(bounds)
    free = bounds.copy()
    sorted_keys, documents = np.empty(bounds[-1], np.uint64), np.empty(bounds[-1], np.int32)
    for document in range(len(offsets) - 1):
        for entry in range(offsets[document], offsets[document + 1]):
            bucket = np.int64(keys[entry] >> shift & mask)
            sorted_keys[free[bucket]], documents[free[bucket]] = keys[entry], document
            free[bucket] += 1
    return sorted_keys, documents, bounds


@Compilable
def mark_repeated(keys: Hashes, bits: int) -> NDArray[np.bool_]:
    """Mark the keys whose lowest `bits` occur twice: all that are equal to another, and a few more."""
    mask = np.uint64((1 << bits) - 1)
    seen = np.zeros(1 << bits, np.uint8)
    for key in keys:
        low = np.int64(key & mask)
        seen[low] = min(seen[low] + 1, 2)  # 2 stands for more, so that a byte is enough
    repeated = np.empty(len(keys), np.bool_)
    for place in range(len(keys)):
        repeated[place] = seen[np.int64(keys[place] & mask)] > 1
    return repeated


@Compilable
def number_keys(keys: Hashes) -> Int:
    """Number keys in the order of their first appearance: int64[n], equal where keys are."""
    size = 2
    while size < 2 * len(keys):
        size *= 2
    mask = np.uint64(size - 1)
    # An open-addressing table of entries; keys are hashes, so their lowest bits say where to look first.
    first = np.full(size, -1, np.int64)
    numbers = np.empty(len(keys), np.int64)
    count = 0
    for entry in range(len(keys)):
        place = np.int64(keys[entry] & mask)
        while first[place] >= 0 and keys[first[place]] != keys[entry]:
            place = (place + 1) & (size - 1)
        if first[place] < 0:
            first[place] = entry
            numbers[entry] = count
            count += 1
        else:
            numbers[entry] = numbers[first[place]]
    return numbers
