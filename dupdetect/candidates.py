"""Equal keys to candidate pairs.

Input    band keys and fingerprints of documents in a fixed order
Output   pairs of documents worth verifying, and which of them stand for more than themselves
Cost     O(keys) to group, O(keys * frequent) at most to join

A pair is a candidate when a band of its signatures is equal, or when it shares enough of the smaller document's
fingerprints (`Settings.shared`). All pairs of documents that share a key would be quadratic in a key's frequency, so
a key of more than `Settings.frequent` documents is *frequent*: its documents are linked sparsely. Of the first two of
each of its frequent keys a document is linked to the two it shares most such keys with, so that a family gathers around
few; and so to the best of its neighbours. Documents are ordered by length: the first are the likeliest to be inside all
others, and neighbours are the likeliest to be alike. What sparse links miss is found by looking again
among the canonicals alone, after clustering.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect.loops import Loop, on_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dupdetect.settings import Settings
    from dupdetect.sketches import Sketches

    Int = NDArray[np.int64]
    Pairs = NDArray[np.uint64]

#: A pair (a, b), a < b < 2**32, as one number: a * 2**32 + b. Sorted and distinct wherever it is passed on.
HALF = np.uint64(32)


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


@dataclass(frozen=True, eq=False)
class _Groups:
    """Documents by key and keys by document, keys being numbered without gaps.

    Attributes
    ----------
    starts, members : int64[groups + 1], int64[entries]
        Group g holds the documents ``members[starts[g]:starts[g + 1]]``, ascending.
    bounds, groups, places : int64[documents + 1], int64[entries], int64[entries]
        Document d is in the groups ``groups[bounds[d]:bounds[d + 1]]``, where it stands in `members` at its `places`.
    lengths : int64[documents]
        How many keys each document has that could be among these, shared or not.
    share : float
        Share of the keys of whoever has fewer that two documents must have in common.
    """

    starts: Int
    members: Int
    bounds: Int
    groups: Int
    places: Int
    lengths: Int
    share: float


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
            documents = np.repeat(np.arange(n), np.diff(groups.bounds))
            kept = active[documents]
            documents = documents[kept]
            lengths = np.bincount(documents, minlength=n)
            parted.append(_part(groups.groups[kept], documents, lengths, groups.share, settings.frequent))
        return _pair(parted, n, workers)


def find(sketches: Sketches, *, workers: int = 1) -> Candidates:
    """Find the candidate pairs among documents.

    Parameters
    ----------
    sketches : Sketches
        Of n documents, the shorter before the longer; pairs name them by their place here.
    workers : int
        Threads; the result does not depend on it.
    """
    settings = sketches.settings
    n, bands = sketches.band_keys.shape
    prints = sketches.fingerprints
    keys = (
        (sketches.band_keys.reshape(-1), np.full(n, bands), 0.0),
        (prints.values, prints.lengths, settings.shared),
    )
    return _pair(on_threads(lambda key: _group(*key, settings.frequent), keys, workers), n, workers)


@Loop
def first_choices(a: Int, b: Int, degree: Int) -> Int:
    """Return, for each of the documents b, the place of the pair whose a has the greatest degree, the least such a."""
    chosen = np.full(len(degree), -1, np.int64)
    for pair in range(len(a)):
        best = chosen[b[pair]]
        if best < 0 or degree[a[pair]] > degree[a[best]]:
            chosen[b[pair]] = pair
    return np.sort(chosen[chosen >= 0])


def _pair(parted: Sequence[tuple[_Groups, _Groups]], n: int, workers: int) -> Candidates:
    """Pair all with all in groups of rare keys, sparsely in those of common keys."""
    dense = [_join(rare, Reach(first=n, before=0, most=n), workers) for rare, _ in parted]
    sparse = union(*(_join(common, reach, workers) for _, common in parted for reach in SPARSE))
    frequent = sum(len(common.starts) - 1 for _, common in parted)
    return Candidates(union(sparse, *dense), sparse, frequent, tuple(common for _, common in parted))


def _group(keys: NDArray[np.uint64], lengths: Int, share: float, frequent: int) -> tuple[_Groups, _Groups]:
    """Group documents by key: keys of 2 to `frequent` documents, and keys of more."""
    entries = np.flatnonzero(_repeated(keys))
    documents = np.repeat(np.arange(len(lengths)), lengths)[entries]
    group = number_keys.worth(10 * len(entries))(keys[entries])
    return _part(group, documents, lengths, share, frequent)


def _part(group: Int, documents: Int, lengths: Int, share: float, frequent: int) -> tuple[_Groups, _Groups]:
    """Part entries (group, document), documents ascending, by the size of their group; lone ones go."""
    size = np.bincount(group)[group] if len(group) else group
    rare, common = (size > 1) & (size <= frequent), size > frequent
    in_common = np.bincount(documents[common], minlength=len(lengths))
    return (
        _lay_out(group[rare], documents[rare], lengths - in_common, share),
        _lay_out(group[common], documents[common], in_common, share),
    )


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


def _lay_out(group: Int, documents: Int, lengths: Int, share: float) -> _Groups:
    """Lay out entries (group, document), documents ascending, both ways."""
    sizes = np.bincount(group)
    number = np.cumsum(sizes > 0) - 1
    starts = np.append(0, np.cumsum(sizes[sizes > 0]))
    bounds = np.append(0, np.cumsum(np.bincount(documents, minlength=len(lengths))))
    group = number[group]
    places, members = deal.worth(10 * len(group))(group, documents, starts)
    return _Groups(starts, members, bounds, group, places, lengths, share)


@Loop
def deal(group: Int, documents: Int, starts: Int) -> tuple[Int, Int]:
    """Put each entry into its group, which begins at `starts`: where each stands, and the document at each place."""
    free = starts.copy()
    places, members = np.empty(len(group), np.int64), np.empty(len(group), np.int64)
    for entry in range(len(group)):
        places[entry] = free[group[entry]]
        free[group[entry]] += 1
        members[places[entry]] = documents[entry]
    return places, members


def _join(groups: _Groups, reach: Reach, workers: int) -> Pairs:
    """Pair the documents of each group as far as `reach` goes; keep pairs that share enough keys."""
    n = len(groups.lengths)
    if len(groups.members) == 0:
        return np.empty(0, np.uint64)
    join = join_documents.worth(10 * len(groups.members))
    cuts = np.unique(np.searchsorted(groups.bounds, np.linspace(0, len(groups.members), 4 * workers + 1)))
    cuts[0], cuts[-1] = 0, n
    arrays = (groups.starts, groups.members, groups.bounds, groups.groups, groups.places, groups.lengths)
    blocks = on_threads(lambda cut: join(*arrays, groups.share, *reach, *cut), pairwise(cuts.tolist()), workers)
    return distinct(np.concatenate(blocks))


@Loop
def join_documents(  # noqa: C901 (one loop, compiled whole)
    starts: Int,
    members: Int,
    bounds: Int,
    groups: Int,
    places: Int,
    lengths: Int,
    share: float,
    first: int,
    before: int,
    most: int,
    start: int,
    stop: int,
) -> Pairs:
    """Pair each of the documents start..stop with documents before it that share its keys.

    In each of its groups a document meets the `first` documents and those up to `before` places before it; of all it
    has met it is paired with the `most` that share most of its keys. A pair is kept that shares `share` of the keys of
    whoever has fewer, or up to two standard deviations (binomial) less, and one key at least.
    """
    slack = 2 * np.sqrt(share * (1 - share))
    shared = np.zeros(len(lengths), np.int32)
    met = np.empty(len(lengths), np.int64)
    pairs = np.empty(1024, np.uint64)
    found = 0
    for document in range(start, stop):
        partners = 0
        for entry in range(bounds[document], bounds[document + 1]):
            begin, own = starts[groups[entry]], places[entry]
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
