"""Equal keys to candidate pairs.

Input    band keys and fingerprints of documents in a fixed order, in parts
Output   `Candidates`: pairs worth verifying, and which of them are samples of a hot key's pairs
Cost     O(keys) to group, O(keys * hot_key_documents) at most to join

A pair is a candidate when a band of its signatures is equal, or when it shares enough of the smaller document's
fingerprints (`needed_fingerprints`). All pairs of documents that share a key would be quadratic in how many have it. So
a key of more than `Settings.hot_key_documents` documents is a *hot key*, and its pairs are sampled as stars
(`STAR`): of the first two documents of each of its hot keys a document is paired with the two that it shares most hot
keys with, so that a family gathers around few; and likewise with the best of its neighbours. Documents are ordered by
length: the first are the likeliest to be inside all others, and neighbours are the likeliest to be alike. What a sample
misses is found by searching again among the canonicals, after clustering (`Candidates.among`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper, on_threads
from dupdetect._storage.context import Context
from dupdetect.matching.keys import (
    GROUPING,
    Groups,
    GroupWriter,
    Keys,
    Source,
    entries_at_once,
    group,
    grouped,
    mark_repeated,
)
from dupdetect.matching.pairs import distinct, pack, packed, union, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dupdetect.matching.keys import ByFrequency
    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.pairs import Pairs
    from dupdetect.sketches.sketches import Sketches

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Hashes = NDArray[np.uint64]

#: Bytes that joining takes for an entry.
JOINING = 24


class Reach(NamedTuple):
    """Which documents of a key's group a document is compared with.

    Attributes
    ----------
    first, before : int
        The first documents of the group, and those before it: so many of each.
    most : int
        The best of all that are compared, so many, are paired with it.
    """

    first: int
    before: int
    most: int


#: Star sampling: the best two of the first documents, and the best neighbour.
STAR = (Reach(first=2, before=0, most=2), Reach(first=0, before=2, most=1))


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs worth verifying.

    Attributes
    ----------
    pairs : uint64[n]
        All of them, packed.
    sampled : uint64[m]
        Those that share a hot key, packed: each stands for pairs that were not made.
    hot_keys : int
        Number of hot keys.
    """

    pairs: Pairs
    sampled: Pairs
    hot_keys: int
    _hot: tuple[Groups, ...]
    _context: Context
    _sides: Hashes | None = None

    def __or__(self, other: Candidates) -> Candidates:
        """Return the candidates of two searches among the same documents."""
        pairs, sampled = union(self.pairs, other.pairs), union(self.sampled, other.sampled)
        hot_keys, hot = self.hot_keys + other.hot_keys, self._hot + other._hot
        return Candidates(pairs, sampled, hot_keys, hot, self._context, self._sides)

    @property
    def is_sampled(self) -> bool:
        """Whether any pair stands for others, so that clustering is to search again."""
        return len(self.sampled) > 0

    def has_more(self, more: Overlaps) -> bool:
        """Whether more matches were found among the documents that were searched: these are all that there are."""
        return len(more.pairs) > 0

    def where(self, kept: Callable[[Pairs], Pairs]) -> Candidates:
        """Return the candidates that a function keeps of pairs."""
        return replace(self, pairs=kept(self.pairs), sampled=kept(self.sampled))

    def documents(self) -> Int:
        """Return the documents of pairs, and those that have hot keys: pairs of others are never asked about."""
        named = [*unpack(self.pairs), *(groups.members.astype(np.int64) for groups in self._hot)]
        return distinct(np.concatenate(named))

    def star_pairs(self) -> Pairs:
        """Return, of each document with a sampled partner before it, its pair with the most sampled of these."""
        a, b = unpack(self.sampled)
        degree = np.bincount(np.concatenate([a, b]))
        return self.sampled[first_choices.faster_for(5 * len(a))(a, b, degree)]  # type: ignore[no-any-return]

    def among(self, active: NDArray[np.bool_]) -> Candidates:
        """Search anew by hot keys among the active documents (bool[documents]), where fewer have them."""
        n, storage = len(active), self._context.storage
        searched = []
        for groups in self._hot:
            writer = GroupWriter(storage, n, self._context.settings.hot_key_documents)
            lengths = np.zeros(n, np.int64)
            for sizes, members in groups.runs(entries_at_once(storage, GROUPING, 1)):
                kept = active[members]
                still = np.bincount(np.repeat(np.arange(len(sizes)), sizes)[kept], minlength=len(sizes))
                lengths += np.bincount(members[kept], minlength=n)
                writer.add(still, members[kept])
            searched.append(writer.groups(lengths, groups.share))
        return _pair(searched, n, self._context, self._sides)


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
    fingerprints, context = sketches.fingerprints, Context(sketches.settings, workers)
    by_band = Keys.of(sketches.band_keys.reshape(-1), bands * np.arange(n + 1))
    by_fingerprint = Keys.of(fingerprints.values, fingerprints.offsets)
    sources = (
        Source([by_band], np.full(n, bands), 0.0),
        Source([by_fingerprint], fingerprints.lengths, context.settings.min_shared_fingerprints),
    )
    return find_by_keys(sources, np.arange(n, dtype=np.int32), context)


def find_by_keys(sources: Sequence[Source], number: Int32, context: Context, sides: Hashes | None = None) -> Candidates:
    """Find the candidate pairs among documents whose keys come in parts.

    Parameters
    ----------
    sources : sequence of Source
        A pair need be one of only one source.
    number : int32[documents]
        What pairs name each document by: 0 to n - 1, the shorter before the longer; -1 leaves it out.
    context : Context
    sides : uint64[n], optional
        Only documents on different sides will be compared: those of a hot key are paired with some on another side.
    """
    kept = np.flatnonzero(number >= 0)
    documents = np.empty(len(kept), np.int64)
    documents[number[kept]] = kept
    by_frequency = []
    for source in sources:
        writer = GroupWriter(context.storage, len(documents), context.settings.hot_key_documents)
        group(source, number, writer, context.storage, context.workers)
        by_frequency.append(writer.groups(source.lengths[documents], source.share))
    return _pair(by_frequency, len(documents), context, sides)


@compilable_helper
def needed_fingerprints(fewer: Any, share: float) -> Any:
    """Return how many common fingerprints make a pair a candidate.

    Fingerprints are a sample of the shingles, and a small one of a short text: so many as `share` of the smaller
    document's fingerprints, less two standard deviations of a binomial count, and one at least.

    Parameters
    ----------
    fewer : int, or an array of these
        Fingerprints of whichever document has fewer; hot keys are not counted.
    share : float
        `Settings.min_shared_fingerprints`; of band keys, 0.

    Returns
    -------
    float, or an array of these
        A pair is a candidate if it has as many in common, or more.
    """
    return np.maximum(share * fewer - 2 * np.sqrt(share * (1 - share)) * np.sqrt(fewer), 1.0)


class Shared(NamedTuple):
    """What some of the keys say, all documents that have one of them being known.

    Attributes
    ----------
    pairs, shared : uint64[n], int32[n]
        Pairs of documents, packed and sorted, and how many of these keys they share; hot keys are not counted.
    sizes, members : int64[hot keys], int64[...]
        How many documents have each hot key, and which: those of one key after the other, ascending.
    """

    pairs: Pairs
    shared: Int32
    sizes: Int
    members: Int


def find_shared(keys: Hashes, documents: Int, context: Context) -> Shared:
    """Find what documents share of some keys: a part of the search, to be put together by `of_shared`.

    Parameters
    ----------
    keys : uint64[entries]
        Of one source. Whoever has one of them is here.
    documents : int64[entries]
        Whose they are: numbers below 2**32, the shorter before the longer.
    context : Context
    """
    again = np.flatnonzero(mark_repeated.faster_for(4 * len(keys))(keys, (2 * len(keys)).bit_length()))
    names, own = np.unique(documents[again], return_inverse=True)
    number = np.arange(len(names), dtype=np.int32)
    part = Keys(keys[again], own.astype(np.int32), np.array([0, len(again)]), np.zeros(1, np.int64))
    source = Source([part], number.astype(np.int64), 0.0)
    writer = GroupWriter(context.storage, len(names), context.settings.hot_key_documents)
    writer.add(*grouped(source, 0, 1, number))
    # No pair is left out for what it shares here alone: whoever puts parts together knows the rest.
    groups = writer.groups(np.full(len(names), len(again), np.int64), 0.0)
    found = _joined(groups.few, Reach(first=len(names), before=0, most=len(names)), context)
    pairs = np.concatenate([np.empty(0, np.uint64), *(pairs for pairs, _ in found)])
    shared = np.concatenate([np.empty(0, np.int32), *(counts for _, counts in found)])
    order = np.argsort(pairs)
    a, b = unpack(pairs[order])
    hot = groups.hot
    return Shared(packed(names[a], names[b]), shared[order], np.diff(hot.starts), names[hot.members])


def are_enough(shared: Int, fewer: Int, share: float) -> NDArray[np.bool_]:
    """Whether so many common keys make pairs candidates, given how many keys whoever has fewer has beside hot ones."""
    return np.asarray(shared >= needed_fingerprints(fewer, share))


def of_shared(
    few: Pairs,
    hot: Sequence[tuple[Int, Int]],
    shares: Sequence[float],
    n: int,
    context: Context,
    sides: Hashes | None = None,
) -> Candidates:
    """Put together what was found in parts.

    Parameters
    ----------
    few : uint64[...]
        Pairs of n documents that share enough keys beside hot ones (`are_enough`).
    hot : sequence of (int64[hot keys], int64[...])
        Of each source the sizes and the members of its hot keys (`Shared`).
    shares : sequence of float
        `Source.share` of each.
    n : int
    context : Context
    sides : uint64[n], optional
        As `find_by_keys` has them.
    """
    groups = []
    for (sizes, members), share in zip(hot, shares, strict=True):
        degrees = np.bincount(members, minlength=n)
        starts = np.append(0, np.cumsum(sizes, dtype=np.int64))
        groups.append(Groups(starts, members.astype(np.int32), degrees, degrees, share))
    return _with_stars(groups, [few], context, sides)


@Compilable
def first_choices(a: Int, b: Int, degree: Int) -> Int:
    """Return, for each of the documents b, the place of the pair whose a has the greatest degree, the least such a."""
    chosen = np.full(len(degree), -1, np.int64)
    for pair in range(len(a)):
        best = chosen[b[pair]]
        if best < 0 or degree[a[pair]] > degree[a[best]]:
            chosen[b[pair]] = pair
    return np.sort(chosen[chosen >= 0])


def _pair(by_frequency: Sequence[ByFrequency], n: int, context: Context, sides: Hashes | None) -> Candidates:
    """Pair all with all in groups of few documents, and sample the pairs of hot keys."""
    all_pairs = [_join(groups.few, Reach(first=n, before=0, most=n), context) for groups in by_frequency]
    return _with_stars([groups.hot for groups in by_frequency], all_pairs, context, sides)


def _with_stars(
    hot: Sequence[Groups], all_pairs: Sequence[Pairs], context: Context, sides: Hashes | None
) -> Candidates:
    """Sample the pairs of hot keys, and put them to the others."""
    if sides is None:
        sampled = union(*(_join(groups, reach, context) for groups in hot for reach in STAR))
    else:
        sampled = union(*(_stars_across(groups, sides, context) for groups in hot))
    hot_keys = sum(len(one.starts) - 1 for one in hot)
    return Candidates(union(sampled, *all_pairs), sampled, hot_keys, tuple(hot), context, sides)


def _stars_across(groups: Groups, sides: Hashes, context: Context) -> Pairs:
    """Pair each document of a group with the first that is on another side: of all its groups, the best two."""
    found = [np.empty(0, np.uint64)]
    for sizes, members in groups.runs(entries_at_once(context.storage, GROUPING, 1)):
        if len(sizes) == 0:
            continue
        starts = np.cumsum(sizes) - sizes
        of_group = np.repeat(np.arange(len(sizes)), sizes)
        first = members[starts][of_group]
        across = sides[members] != sides[first]
        # The first one that is on another side than the first of all stands for those on the side of that.
        place = np.where(across, np.arange(len(members)), len(members))
        other = np.append(members, -1)[np.minimum.reduceat(place, starts)][of_group]
        partner = np.where(across, first, other)
        found.append(pack(partner[partner >= 0], members[partner >= 0]))
    pairs, shared = np.unique(np.concatenate(found), return_counts=True)
    a, b = unpack(pairs)
    enough = are_enough(shared, np.minimum(groups.lengths[a], groups.lengths[b]), groups.share)
    pairs, shared, a, b = pairs[enough], shared[enough], a[enough], b[enough]
    # A document may be on either end of its pairs; each of both chooses.
    chosen = np.zeros(len(pairs), np.bool_)
    for own in (a, b):
        order = np.lexsort((-shared, own))
        rank = np.arange(len(own)) - np.searchsorted(own[order], own[order])
        chosen[order[rank < STAR[0].most]] = True
    return pairs[chosen]


def _join(groups: Groups, reach: Reach, context: Context) -> Pairs:
    """Pair the documents of each group as far as `reach` goes; keep pairs that share enough keys."""
    return distinct(np.concatenate([np.empty(0, np.uint64), *(pairs for pairs, _ in _joined(groups, reach, context))]))


def _joined(groups: Groups, reach: Reach, context: Context) -> list[tuple[Pairs, Int32]]:
    """Return what `_join` does, in parts, and how many keys each pair shares."""
    entries, workers = len(groups.members), context.workers
    if entries == 0:
        return []
    join, invert = join_documents.faster_for(10 * entries), invert_groups.faster_for(10 * entries)
    most = min(entries // (4 * workers) + 1, entries_at_once(context.storage, JOINING, workers))
    cuts = np.searchsorted(np.cumsum(groups.degrees), np.arange(most, entries, most)) + 1
    cuts = np.unique([0, *cuts[cuts < len(groups.degrees)], len(groups.degrees)])

    def block(cut: tuple[int, int]) -> tuple[Pairs, Int32]:
        of_documents = invert(groups.starts, groups.members, groups.degrees, *cut)
        return join(groups.members, *of_documents, groups.lengths, groups.share, *reach, cut[0])

    return on_threads(block, pairwise(cuts.tolist()), workers)


@Compilable
def invert_groups(starts: Int, members: Int32, degrees: Int, first: int, last: int) -> tuple[Int, Int, Int]:
    """Return, for the documents from `first` up to `last`, where they stand in `members`, and where their groups begin.

    What comes back are bounds (int64[documents + 1]), places and beginnings (int64[...]).
    """
    bounds = np.zeros(last - first + 1, np.int64)
    bounds[1:] = np.cumsum(degrees[first:last])
    free = bounds.copy()
    places, begins = np.empty(bounds[-1], np.int64), np.empty(bounds[-1], np.int64)
    for number in range(len(starts) - 1):
        for place in range(starts[number], starts[number + 1]):
            document = members[place]
            if first <= document < last:
                slot = free[document - first]
                places[slot], begins[slot] = place, starts[number]
                free[document - first] += 1
    return bounds, places, begins


@Compilable
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
) -> tuple[Pairs, Int32]:
    """Pair documents, numbered from `start` on, with documents before them that share their keys.

    In each of its groups a document is compared with the `first` documents and those up to `before` places before it;
    of all these it is paired with the `most` that share most of its keys, if they share as many as
    `needed_fingerprints` says. Returned are the pairs, and how many keys each shares.
    """
    # Counted for one document at a time, in an array of all: only the entries that were used are set to 0 again.
    shared = np.zeros(len(lengths), np.int32)
    seen = np.empty(len(lengths), np.int64)
    pairs, counts = np.empty(1024, np.uint64), np.empty(1024, np.int32)
    found = 0
    for document in range(start, start + len(bounds) - 1):
        partners = 0
        for entry in range(bounds[document - start], bounds[document - start + 1]):
            begin, own = begins[entry], places[entry]
            early = min(begin + first, own)
            late = max(early, own - before)
            # Two runs in one loop: the first documents of the group, then those shortly before this one.
            for step in range(early - begin + own - late):
                place = begin + step if begin + step < early else late + step - (early - begin)
                other = members[place]
                if shared[other] == 0:
                    seen[partners] = other
                    partners += 1
                shared[other] += 1
        if found + partners > len(pairs):
            larger, more_counts = (
                np.empty(2 * (found + partners), np.uint64),
                np.empty(2 * (found + partners), np.int32),
            )
            larger[:found], more_counts[:found] = pairs[:found], counts[:found]
            pairs, counts = larger, more_counts
        if partners > most:  # the best come first, the lesser document of equally good ones; `most` is small here
            for slot in range(most):
                best = slot
                for partner in range(slot + 1, partners):
                    more = shared[seen[partner]] - shared[seen[best]]
                    if more > 0 or (more == 0 and seen[partner] < seen[best]):
                        best = partner
                seen[slot], seen[best] = seen[best], seen[slot]
        for partner in range(min(partners, most)):
            other = seen[partner]
            if shared[other] >= needed_fingerprints(min(lengths[document], lengths[other]), share):
                pairs[found] = np.uint64(other) << np.uint64(32) | np.uint64(document)
                counts[found] = shared[other]
                found += 1
        shared[seen[:partners]] = 0
    return pairs[:found], counts[:found]
