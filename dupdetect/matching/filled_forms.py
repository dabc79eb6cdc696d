"""Pairs of filled forms: documents of one wording that differ in what is filled in.

Input    pairs that share something, and the shingles of their documents
Output   which of the pairs are filled forms
Cost     a pass over the shingles of either document, twice for each pair that may be one

An edited copy and its original differ in a few words, and so do two forms with other names filled in. What tells them
apart is a third document of the same wording. Where a copy was edited, the third has what one of the two has: of one
text there are two versions at most places. Where forms are filled in, it has what neither has. So two documents are
filled forms if for most of the documents that share their wording with both, what either has and the other has not is
lacking there, too. Where there is no third document nothing tells, and the two are an edited copy.

This asks only of documents that differ in little, of which edited copies may be removed. One story on three sites has
three menus around it, and is no form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable, compilable_helper, on_threads
from dupdetect.matching.hash_join import build_table, mark_partners, probe_table
from dupdetect.matching.interleaving import OTHER, PATTERN
from dupdetect.matching.pairs import unpack
from dupdetect.matching.shingle_rows import REPEAT, even_cuts, row_of, table_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.shingle_rows import Rows, ShingleRows

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Masks = NDArray[np.uint32]
    Bool = NDArray[np.bool_]

# Numba makes float64 of int64 with uint32: what meets masks is typed.
_ONE = np.uint32(1)

#: Documents that each is compared with at the most, on either side of it in the order of the documents: those next to
#: it, so that two that are compared have others in common. A bit stands for each of them.
BESIDE = 8

#: Words of its own that a filled form has at the most, as a share, for each that may be lost (`Settings.max_lost`).
LITTLE = 3.0

#: Share of what a document has and a second has not that a third lacks, too.
LACKING = 0.75


class Wordings(NamedTuple):
    """Documents, and others of the same wording: those of ``owners[i]`` are ``others[bounds[i]:bounds[i + 1]]``.

    Attributes
    ----------
    owners, others : int32[n], int32[m]
    bounds : int64[n + 1]
    """

    owners: Int32
    others: Int32
    bounds: Int


def of_one_wording(found: Overlaps, named: Pairs, patterns: Byte, threshold: float) -> Int:
    """Return the places of the pairs that may be filled forms, no document in more than twice `BESIDE` of them.

    They are of about one length, share half of either, differ all over, and are no near duplicates.

    Parameters
    ----------
    found : Overlaps
    named : uint64[n]
        The pairs by the numbers that documents have in the whole run.
    patterns : uint8[n]
    threshold : float
    """
    larger, smaller = np.maximum(found.size_a, found.size_b), found.smaller
    alike = (2 * found.shared >= larger) & (larger - found.shared <= 2 * (smaller - found.shared))
    places = np.flatnonzero(alike & (found.jaccard < threshold) & (patterns & PATTERN == OTHER))
    a, b = unpack(named[places])
    near = np.ones(len(places), np.bool_)
    for owner, distance in ((a, b - a), (b, b - a)):
        order = np.lexsort((distance, owner))
        start = np.searchsorted(owner[order], owner[order])
        near[order] &= np.arange(len(order)) - start < BESIDE
    return places[near]


def are_filled_forms(shingles: ShingleRows, pairs: Pairs) -> Bool:
    """Mark the pairs that are filled forms.

    Parameters
    ----------
    shingles : ShingleRows
    pairs : uint64[n]
        Of documents that have one wording, all that are compared; packed, sorted.
    """
    shingles.load(pairs)
    a, b = unpack(pairs)
    owner, other = np.concatenate([a, b]).astype(np.int32), np.concatenate([b, a]).astype(np.int32)
    order = np.argsort(owner, kind="stable")
    owner, other, pair = owner[order], other[order], order % max(len(pairs), 1)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    wordings = Wordings(owner[first], other, np.append(first, len(owner)))
    lengths = shingles.lengths.astype(np.int64)
    costs = np.add.reduceat(lengths[other], first) + lengths[owner[first]] if len(first) else first
    settings = shingles.context.settings
    limits = settings.shingle_size, LITTLE * settings.max_lost
    run, lacked = find_lacking.faster_for(5.0 * float(costs.sum())), np.zeros(len(owner), np.uint32)

    def work(cut: tuple[int, int]) -> None:
        bounds = wordings.bounds[cut[0] : cut[1] + 1]
        within = slice(bounds[0], bounds[-1])
        rows, _, (owners, others) = shingles.held(wordings.owners[slice(*cut)], wordings.others[within])
        run(rows, Wordings(owners, others, bounds - bounds[0]), limits, lacked[within])

    on_threads(work, even_cuts(costs, shingles.blocks(costs.sum())), shingles.context.workers)
    return _most_agree(wordings, pair, lacked, len(pairs))


def _most_agree(wordings: Wordings, pair: Int, lacked: Masks, n: int) -> Bool:
    """Mark the pairs of which most of the documents that both are compared with lack what either alone has."""
    counts = np.diff(wordings.bounds)
    start, count = np.repeat(wordings.bounds[:-1], counts), np.repeat(counts, counts)
    thirds = []
    for slot in range(2 * BESIDE):
        there = np.flatnonzero((slot < count) & (start + slot != np.arange(len(pair))))
        lacks = lacked[there] >> np.uint32(slot) & _ONE
        thirds.append(np.stack([pair[there], wordings.others[start[there] + slot], lacks.astype(np.int64)]))
    of_pair, third, lacks = np.concatenate([np.empty((3, 0), np.int64), *thirds], axis=1)
    order = np.lexsort((third, of_pair))
    of_pair, third, lacks = of_pair[order], third[order], lacks[order]
    # Two rows of one pair and one third document: one from either document of the pair.
    common = np.flatnonzero((of_pair[1:] == of_pair[:-1]) & (third[1:] == third[:-1]))
    agree = lacks[common] & lacks[common + 1]
    for_it, all_of_it = np.bincount(of_pair[common], agree, n), np.bincount(of_pair[common], minlength=n)
    return np.asarray(2 * for_it > all_of_it)


@Compilable
def find_lacking(rows: Rows, wordings: Wordings, limits: tuple[int, float], lacked: Masks) -> None:
    """Find, for owners and each of their others, which of the others lack the same of the owner.

    `limits` are the size of shingles, and the share of words of its own that an owner may have.
    """
    shingle_size, most = limits
    most_owner, most_other = 0, 0
    for place in range(len(wordings.owners)):
        most_owner = max(most_owner, rows.lengths[wordings.owners[place]])
        for slot in range(wordings.bounds[place], wordings.bounds[place + 1]):
            most_other = max(most_other, rows.lengths[wordings.others[slot]])
    table = np.empty(table_size(most_owner), np.int32)
    firsts, repeats = np.empty(most_owner, np.int32), np.empty(most_owner, np.int32)
    partners, of_other = np.empty(most_other, np.int32), np.empty(most_other, np.uint8)
    of_owner, lacking = np.empty(most_owner, np.uint8), np.empty(most_owner, np.uint32)
    own = np.empty(2 * BESIDE, np.int64)
    for place in range(len(wordings.owners)):
        start, count = wordings.bounds[place], wordings.bounds[place + 1] - wordings.bounds[place]
        if count < 2:  # there is no third document
            continue
        row = row_of(rows, wordings.owners[place])
        size = table_size(len(row))
        repeated = build_table(row, table, size, firsts, repeats)
        lacking[: len(row)] = 0  # of each shingle: which of the others lack it
        for slot in range(count):
            other = row_of(rows, wordings.others[start + slot])
            probe_table(row, table, size, firsts, other, partners, 0)
            mark_partners(len(row), firsts, repeats[:repeated], partners[: len(other)], of_owner, of_other)
            own[slot] = own_words(of_owner[: len(row)], shingle_size)
            for position in range(len(row)):
                if not of_owner[position] and not row[position] & REPEAT:
                    lacking[position] |= _ONE << np.uint32(slot)
        mark_lacking(lacking[: len(row)], lacked[start : start + count])
        for slot in range(count):
            if own[slot] > most * (len(row) + shingle_size - 1):
                lacked[start + slot] = 0


@compilable_helper
def own_words(shared: Byte, shingle_size: int) -> int:
    """Count the words of a document that are in none of the shingles that are shared."""
    own, last = 0, -shingle_size
    for word in range(len(shared) + shingle_size - 1):
        if word < len(shared) and shared[word]:
            last = word
        own += 1 if word - last >= shingle_size else 0
    return own


@compilable_helper
def mark_lacking(lacking: Masks, lacked: Masks) -> None:
    """Mark, for each of an owner's others, which of the others lack most of what it lacks; a bit each.

    `lacking` has the same bits, of each shingle of the owner.
    """
    count = len(lacked)
    both = np.zeros((count, count), np.int64)
    # What is lacking comes in runs of which all have the same bits: one look for each run.
    begin = 0
    for end in range(1, len(lacking) + 1):
        if end < len(lacking) and lacking[end] == lacking[begin]:
            continue
        who, length = lacking[begin], end - begin
        begin = end
        for one in range(count if who else 0):
            if who >> np.uint32(one) & _ONE:
                for two in range(count):
                    both[one, two] += length * np.int64(who >> np.uint32(two) & _ONE)
    for one in range(count):
        for two in range(count):
            if both[one, two] >= LACKING * both[one, one]:
                lacked[one] |= _ONE << np.uint32(two)
