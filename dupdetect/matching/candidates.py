"""Equal keys to candidate pairs.

Input    band keys and fingerprints of documents in a fixed order, in parts
Output   pairs of documents worth verifying, and which of them stand for more than themselves
Cost     O(keys) to group, O(keys * frequent) at most to join; 4 bytes for each key that is shared, on a storage

A pair is a candidate when a band of its signatures is equal, or when it shares enough of the smaller document's
fingerprints (`Settings.shared`). All pairs of documents that share a key would be quadratic in a key's frequency, so
a key of more than `Settings.hot_key_documents` documents is *frequent*: its documents are linked sparsely. Of the first two of
each of its frequent keys a document is linked to the two it shares most such keys with, so that a family gathers around
few; and so to the best of its neighbours. Documents are ordered by length: the first are the likeliest to be inside all
others, and neighbours are the likeliest to be alike. What sparse links miss is found by looking again
among the canonicals alone, after clustering.

Keys lie in buckets, a few of which are grouped at a time: equal keys are in equal buckets, so how many at a time, and
on how many threads, changes nothing. Groups are then joined for a range of documents at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Loop, on_threads
from dupdetect._storage.arrays import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Sketches

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Pairs = NDArray[np.uint64]

#: A pair (a, b), a < b < 2**32, as one number: a * 2**32 + b. Sorted and distinct wherever it is passed on.
HALF = np.uint64(32)


#: Buckets that keys are laid in, and the bits that say in which: their lowest are left to number keys by.
BUCKETS = 256
SHIFT = 24

#: Entries that are grouped at a time in each thread, at the most: their table fits the processor's caches.
AT_ONCE = 1 << 21

#: Bytes that grouping and joining take for an entry.
GROUPING, JOINING = 48, 24


class Reach(NamedTuple):
    """Which documents of a group a document is compared with: the first ones, those before it, the best of both."""

    first: int
    before: int
    most: int


#: Sparse links by frequent keys: to the best two of the first documents, and to the best neighbour.
SPARSE = (Reach(first=2, before=0, most=2), Reach(first=0, before=2, most=1))


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Sort and drop repeats; `numpy.unique` does it by hashing, several times as slow for many integers."""
    values = np.sort(values)
    return values[_first(values)]


def _first(ordered: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the first of each run of equal values."""
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return first


def pack(a: NDArray[Any], b: NDArray[Any]) -> Pairs:
    """Pack pairs of document numbers, either order, into sorted distinct uint64."""
    return distinct(packed(a, b))


def packed(a: NDArray[Any], b: NDArray[Any]) -> Pairs:
    """Pack pairs of document numbers, either order, each at its place."""
    low, high = np.minimum(a, b).astype(np.uint64), np.maximum(a, b).astype(np.uint64)
    return low << HALF | high  # type: ignore[no-any-return]


def unpack(pairs: Pairs) -> tuple[Int, Int]:
    """Return the lesser and the greater document of each pair: int64[n], int64[n]."""
    return (pairs >> HALF).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)


def spread(first: Int, count: Int) -> Int:
    """Return the numbers of runs: from each `first` on, `count` of them.

    >>> spread(np.array([7, 1]), np.array([2, 3])).tolist()
    [7, 8, 1, 2, 3]
    """
    return np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())


def union(*pairs: Pairs) -> Pairs:
    """Return the pairs that are in any."""
    return distinct(np.concatenate(pairs))


def without(pairs: Pairs, others: Pairs) -> Pairs:
    """Return the pairs that are not in the others."""
    return pairs[missing(pairs, others)]


def missing(pairs: Pairs, others: Pairs) -> NDArray[np.bool_]:
    """Mark the pairs that are not in the others."""
    if len(others) == 0:
        return np.ones(len(pairs), np.bool_)
    place = np.minimum(np.searchsorted(others, pairs), len(others) - 1)
    return others[place] != pairs  # type: ignore[no-any-return]


class Keys(NamedTuple):
    """Keys of some documents, by bucket: those of bucket b are ``keys[bounds[b]:bounds[b + 1]]``.

    Attributes
    ----------
    keys : uint64[entries]
    documents : int32[entries]
        Whose they are.
    bounds : int64[BUCKETS + 1]
    """

    keys: NDArray[np.uint64]
    documents: Int32
    bounds: Int

    @classmethod
    def of(cls, keys: NDArray[np.uint64], offsets: Int, first: int = 0) -> Keys:
        """Lay out the keys of documents, a row each (``keys[offsets[i]:offsets[i + 1]]``), numbered from `first` on."""
        return cls(*sort_into_buckets.worth(8 * len(keys))(keys, offsets, first))


class Source(NamedTuple):
    """Keys of one kind.

    Attributes
    ----------
    parts : sequence of Keys
    lengths : int64[documents]
        How many keys each document has.
    share : float
        Share of the keys of whoever has fewer that two documents must have in common.
    """

    parts: Sequence[Keys]
    lengths: Int
    share: float


@dataclass(frozen=True, eq=False)
class _Groups:
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
        Share of the keys of whoever has fewer that two documents must have in common.
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


class _Filing:
    """Groups as they are put on a storage."""

    def __init__(self, storage: Storage, documents: int) -> None:
        self._starts, self._members = storage.column(np.int64), storage.column(np.int32)
        self._starts.append(np.zeros(1, np.int64))
        self._degrees = np.zeros(documents, np.int64)

    def add(self, sizes: Int, members: Int32) -> None:
        """Put groups of these sizes behind the others."""
        self._starts.append(len(self._members) + np.cumsum(sizes))
        self._members.append(members)
        self._degrees += np.bincount(members, minlength=len(self._degrees))

    def groups(self, lengths: Int, share: float) -> _Groups:
        """Return the groups."""
        return _Groups(self._starts.values, self._members.values, self._degrees, lengths, share)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs worth verifying.

    Attributes
    ----------
    pairs : uint64[n]
        All of them, packed.
    sparse : uint64[m]
        Those that came from a frequent key, packed: each stands for pairs that were not made.
    frequent : int
        Number of frequent keys.
    """

    pairs: Pairs
    sparse: Pairs
    frequent: int
    _groups: tuple[_Groups, ...]
    _storage: Storage

    def hubs(self) -> Pairs:
        """Return a sparse pair of each document that has one before it: with whomever most are linked to."""
        a, b = unpack(self.sparse)
        degree = np.bincount(np.concatenate([a, b]))
        return self.sparse[first_choices.worth(5 * len(a))(a, b, degree)]  # type: ignore[no-any-return]

    def again(self, active: NDArray[np.bool_], settings: Settings, *, workers: int = 1) -> Candidates:
        """Find the candidate pairs by frequent keys among the active documents, where they are less frequent.

        Parameters
        ----------
        active : bool[documents]
        settings : Settings
            Those that these candidates were found with.
        workers : int
        """
        n = len(active)
        parted = []
        for groups in self._groups:
            rare, common = _Filing(self._storage, n), _Filing(self._storage, n)
            lengths = np.zeros(n, np.int64)
            for sizes, members in groups.runs(_at_once(self._storage, GROUPING, 1)):
                kept = active[members]
                still = np.bincount(np.repeat(np.arange(len(sizes)), sizes)[kept], minlength=len(sizes))
                lengths += np.bincount(members[kept], minlength=n)
                _file(still, members[kept], settings.hot_key_documents, rare, common)
            parted.append(_parted(rare, common, lengths, groups.share))
        return _pair(parted, n, self._storage, workers)


def find(sketches: Sketches, *, workers: int = 1) -> Candidates:
    """Find the candidate pairs among documents.

    Parameters
    ----------
    sketches : Sketches
        Of n documents, the shorter before the longer; pairs name them by their place here.
    workers : int
        Threads; the result does not depend on it.
    """
    n, bands = sketches.band_keys.shape
    fingerprints = sketches.fingerprints
    by_band = Keys.of(sketches.band_keys.reshape(-1), bands * np.arange(n + 1))
    sources = (
        Source([by_band], np.full(n, bands), 0.0),
        Source(
            [Keys.of(fingerprints.values, fingerprints.offsets)],
            fingerprints.lengths,
            sketches.settings.min_shared_fingerprints,
        ),
    )
    return find_by_keys(sources, np.arange(n, dtype=np.int32), n, sketches.settings, Storage(), workers=workers)


def find_by_keys(
    sources: Sequence[Source], number: Int32, n: int, settings: Settings, storage: Storage, *, workers: int = 1
) -> Candidates:
    """Find the candidate pairs among documents whose keys come in parts.

    Parameters
    ----------
    sources : sequence of Source
        A pair need be one of only one source.
    number : int32[documents]
        What pairs name each document by, the shorter before the longer; -1 leaves it out. All others differ.
    n : int
        How many are not left out.
    settings : Settings
    storage : Storage
        Where groups stand.
    workers : int
    """
    documents = np.empty(n, np.int64)
    kept = np.flatnonzero(number >= 0)
    documents[number[kept]] = kept
    parted = [_group(source, number, documents, settings.hot_key_documents, storage, workers) for source in sources]
    return _pair(parted, n, storage, workers)


@Loop
def first_choices(a: Int, b: Int, degree: Int) -> Int:
    """Return, for each of the documents b, the place of the pair whose a has the greatest degree, the least such a."""
    chosen = np.full(len(degree), -1, np.int64)
    for pair in range(len(a)):
        best = chosen[b[pair]]
        if best < 0 or degree[a[pair]] > degree[a[best]]:
            chosen[b[pair]] = pair
    return np.sort(chosen[chosen >= 0])


def _pair(parted: Sequence[tuple[_Groups, _Groups]], n: int, storage: Storage, workers: int) -> Candidates:
    """Pair all with all in groups of rare keys, sparsely in those of common keys."""
    dense = [_join(rare, Reach(first=n, before=0, most=n), storage, workers) for rare, _ in parted]
    sparse = union(*(_join(common, reach, storage, workers) for _, common in parted for reach in SPARSE))
    frequent = sum(len(common.starts) - 1 for _, common in parted)
    return Candidates(union(sparse, *dense), sparse, frequent, tuple(common for _, common in parted), storage)


def _at_once(storage: Storage, bytes_each: int, workers: int) -> int:
    """Return how many entries each thread may take at a time."""
    return AT_ONCE if storage.room is None else min(AT_ONCE, max(1, storage.room // (bytes_each * workers)))


def _group(
    source: Source, number: Int32, documents: Int, frequent: int, storage: Storage, workers: int
) -> tuple[_Groups, _Groups]:
    """Group documents by key: keys of 2 to `frequent` documents, and keys of more."""
    sizes = np.sum([np.zeros(BUCKETS, np.int64), *(np.diff(part.bounds) for part in source.parts)], axis=0)
    ends = np.cumsum(sizes)
    cuts = np.searchsorted(ends, np.arange(0, ends[-1], _at_once(storage, GROUPING, workers)))
    runs = list(pairwise(np.unique([*cuts, BUCKETS]).tolist()))
    rare, common = _Filing(storage, len(documents)), _Filing(storage, len(documents))
    for start in range(0, len(runs), workers):
        grouped = on_threads(lambda run: _grouped(source.parts, *run, number), runs[start : start + workers], workers)
        for sizes, members in grouped:
            _file(sizes, members, frequent, rare, common)
    return _parted(rare, common, source.lengths[documents], source.share)


def _grouped(parts: Sequence[Keys], first: int, last: int, number: Int32) -> tuple[Int, Int32]:
    """Group the entries of some buckets: sizes and members of the groups."""
    slices = [slice(part.bounds[first], part.bounds[last]) for part in parts]
    numbers = np.concatenate([number[part.documents[cut]] for part, cut in zip(parts, slices, strict=True)])
    keys = np.concatenate([part.keys[cut] for part, cut in zip(parts, slices, strict=True)])
    kept = numbers >= 0
    keys, numbers = keys[kept], numbers[kept]
    entries = np.flatnonzero(_repeated(keys))
    group = number_keys.worth(10 * len(entries))(keys[entries])
    ordered = np.sort(group.astype(np.uint64) << HALF | numbers[entries].astype(np.uint64))
    return np.bincount(group), (ordered & np.uint64(0xFFFFFFFF)).astype(np.int32)


def _file(sizes: Int, members: Int32, frequent: int, rare: _Filing, common: _Filing) -> None:
    """File groups by their size; lone documents go."""
    for filing, chosen in ((rare, (sizes > 1) & (sizes <= frequent)), (common, sizes > frequent)):
        filing.add(sizes[chosen], members[np.repeat(chosen, sizes)])


def _parted(rare: _Filing, common: _Filing, lengths: Int, share: float) -> tuple[_Groups, _Groups]:
    """Return rare and common groups; a key is one or the other, and counts there."""
    frequent = common.groups(np.empty(0, np.int64), share).degrees
    return rare.groups(lengths - frequent, share), common.groups(frequent, share)


@Loop
def sort_into_buckets(keys: NDArray[np.uint64], offsets: Int, first: int) -> tuple[NDArray[np.uint64], Int32, Int]:
    """Sort the keys of documents, numbered from `first` on, by bucket: keys, documents, bounds of the buckets."""
    mask, shift = np.uint64(BUCKETS - 1), np.uint64(SHIFT)
    bounds = np.zeros(BUCKETS + 1, np.int64)
    for entry in range(offsets[0], offsets[-1]):
        bounds[np.int64(keys[entry] >> shift & mask) + 1] += 1
    bounds = np.cumsum(bounds)
    free = bounds.copy()
    laid, documents = np.empty(bounds[-1], np.uint64), np.empty(bounds[-1], np.int32)
    for document in range(len(offsets) - 1):
        for entry in range(offsets[document], offsets[document + 1]):
            bucket = np.int64(keys[entry] >> shift & mask)
            laid[free[bucket]], documents[free[bucket]] = keys[entry], first + document
            free[bucket] += 1
    return laid, documents, bounds


def _repeated(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Mark the keys that occur twice, and a few others: those whose low bits do. Most keys are lone, and go."""
    return mark_repeated.worth(4 * len(keys))(keys, (2 * len(keys)).bit_length())


@Loop
def mark_repeated(keys: NDArray[np.uint64], bits: int) -> NDArray[np.bool_]:
    """Mark the keys whose lowest `bits` occur twice."""
    mask = np.uint64((1 << bits) - 1)
    seen = np.zeros(1 << bits, np.uint8)
    for key in keys:
        low = np.int64(key & mask)
        seen[low] = min(seen[low] + 1, 2)
    repeated = np.empty(len(keys), np.bool_)
    for place in range(len(keys)):
        repeated[place] = seen[np.int64(keys[place] & mask)] > 1
    return repeated


@Loop
def number_keys(keys: NDArray[np.uint64]) -> Int:
    """Number keys in the order of their first appearance: int64[n], equal where keys are."""
    size = 2
    while size < 2 * len(keys):
        size *= 2
    mask = np.uint64(size - 1)
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


def _join(groups: _Groups, reach: Reach, storage: Storage, workers: int) -> Pairs:
    """Pair the documents of each group as far as `reach` goes; keep pairs that share enough keys."""
    entries = len(groups.members)
    if entries == 0:
        return np.empty(0, np.uint64)
    join, turn = join_documents.worth(10 * entries), turn_round.worth(10 * entries)
    most = min(entries // (4 * workers) + 1, _at_once(storage, JOINING, workers))
    cuts = np.searchsorted(np.cumsum(groups.degrees), np.arange(most, entries, most)) + 1
    cuts = np.unique([0, *cuts[cuts < len(groups.degrees)], len(groups.degrees)])

    def block(cut: tuple[int, int]) -> Pairs:
        of_documents = turn(groups.starts, groups.members, groups.degrees, *cut)
        return join(groups.members, *of_documents, groups.lengths, groups.share, *reach, cut[0])

    return distinct(np.concatenate(on_threads(block, pairwise(cuts.tolist()), workers)))


@Loop
def turn_round(starts: Int, members: Int32, degrees: Int, first: int, last: int) -> tuple[Int, Int, Int]:
    """Return, for the documents from `first` up to `last`, where they stand in `members`, and where their groups begin.

    What comes back are bounds (int64[documents + 1]), places and beginnings (int64[...]).
    """
    bounds = np.zeros(last - first + 1, np.int64)
    bounds[1:] = np.cumsum(degrees[first:last])
    free = bounds.copy()
    places, begins = np.empty(bounds[-1], np.int64), np.empty(bounds[-1], np.int64)
    for group in range(len(starts) - 1):
        for place in range(starts[group], starts[group + 1]):
            document = members[place]
            if first <= document < last:
                slot = free[document - first]
                places[slot], begins[slot] = place, starts[group]
                free[document - first] += 1
    return bounds, places, begins


@Loop
def join_documents(  # noqa: C901 (one loop, compiled whole)
    members: Int32,
    bounds: Int,
    places: Int,
    begins: Int,
    lengths: Int,
    share: float,
    first: int,
    before: int,
    most: int,
    start: int,
) -> Pairs:
    """Pair documents, numbered from `start` on, with documents before them that share their keys.

    In each of its groups a document meets the `first` documents and those up to `before` places before it; of all it
    has met it is paired with the `most` that share most of its keys. A pair is kept that shares `share` of the keys of
    whoever has fewer, or up to two standard deviations (binomial) less, and one key at least.
    """
    slack = 2 * np.sqrt(share * (1 - share))
    shared = np.zeros(len(lengths), np.int32)
    met = np.empty(len(lengths), np.int64)
    pairs = np.empty(1024, np.uint64)
    found = 0
    for document in range(start, start + len(bounds) - 1):
        partners = 0
        for entry in range(bounds[document - start], bounds[document - start + 1]):
            begin, own = begins[entry], places[entry]
            early = min(begin + first, own)
            late = max(early, own - before)
            for step in range(early - begin + own - late):
                place = begin + step if begin + step < early else late + step - (early - begin)
                other = members[place]
                if shared[other] == 0:
                    met[partners] = other
                    partners += 1
                shared[other] += 1
        if found + partners > len(pairs):
            larger = np.empty(2 * (found + partners), np.uint64)
            larger[:found] = pairs[:found]
            pairs = larger
        if partners > most:  # the best come first, the lesser document of equally good ones
            for slot in range(most):
                best = slot
                for partner in range(slot + 1, partners):
                    more = shared[met[partner]] - shared[met[best]]
                    if more > 0 or (more == 0 and met[partner] < met[best]):
                        best = partner
                met[slot], met[best] = met[best], met[slot]
        for partner in range(min(partners, most)):
            other = met[partner]
            fewer = min(lengths[document], lengths[other])
            if shared[other] >= share * fewer - slack * np.sqrt(fewer):
                pairs[found] = np.uint64(other) << np.uint64(32) | np.uint64(document)
                found += 1
        shared[met[:partners]] = 0
    return pairs[:found]
