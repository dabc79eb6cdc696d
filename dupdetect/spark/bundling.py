"""Pairs to bundles: which texts are put side by side, so that pairs can be verified.

Input    pairs of documents, and how many bytes each document has
Output   for each pair its bundle, and the documents that each bundle needs
Cost     O(pairs); which pairs are together decides nothing but what it costs

Connected documents go into one bundle, so that each is in one alone. Components that are larger than a bundle are cut
where they hang together least: documents join the neighbours that they have most pairs with for their size, groups of
them likewise, as long as they fit into a bundle. A pair across two groups is verified in one of both, which needs a
copy of the other document: of whichever serves more pairs there. Where these copies do not fit, documents are put in an
order in which neighbours are near (reverse Cuthill-McKee), and pairs in that of their centres, the documents that are
linked to more others, or are very large; runs of pairs are bundles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect.matching.pairs import documents_of, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]

#: Bytes of text in a bundle, about: what a process of Python then takes is some ten times as much.
BUNDLE = 16 << 20

#: Turns in which groups join at the most; each about halves how many there are.
ROUNDS = 64

#: An odd number whose multiples have highest bits that nothing is known of.
_MIXING = np.uint64(0x9E3779B97F4A7C15)


class Bundles(NamedTuple):
    """What goes where.

    Attributes
    ----------
    of_pair : int64[pairs]
        The bundle of each pair.
    bundle, document : int64[m]
        The documents of each bundle: by bundle, then by document.
    """

    of_pair: Int
    bundle: Int
    document: Int


def bundled(pairs: Pairs, sizes: Int, most: int = BUNDLE) -> Bundles:
    """Put pairs into bundles.

    Parameters
    ----------
    pairs : uint64[n]
        Packed, sorted, distinct.
    sizes : int64[documents]
        Bytes of each document.
    most : int
        Bytes of a bundle, about, unless two documents have more.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if len(pairs) == 0:
        empty = np.empty(0, np.int64)
        return Bundles(empty, empty, empty)
    n = len(sizes)
    a, b = unpack(pairs)
    links = coo_matrix((np.ones(len(a), np.bool_), (a, b)), (n, n))
    component = connected_components(links, directed=False)[1].astype(np.int64)
    members = documents_of(pairs, n)
    weight = np.bincount(component[members], sizes[members], component.max() + 1)
    group, cut = component, np.flatnonzero((weight > most)[component[a]])
    if len(cut):
        group = component.copy()
        inside = documents_of(pairs[cut], n)
        group[inside] = component.max() + 1 + _groups(a[cut], b[cut], sizes, most)[inside]
        group = np.unique(group, return_inverse=True)[1].astype(np.int64)
        weight = np.bincount(group[members], sizes[members], group.max() + 1)
    # Groups one after the other, as many as fit; those of no pair weigh nothing.
    ends = np.cumsum(np.where(weight > most, 0.0, weight))
    of_group = (np.maximum(ends - 1, 0) // most).astype(np.int64)
    of_group[weight > most] = of_group.max(initial=0) + 1 + np.arange(np.count_nonzero(weight > most))
    of_pair, beyond = _with_copies(a, b, of_group[group], sizes, most)
    if len(beyond):
        of_pair[beyond] = of_pair.max() + 1 + _cut(a[beyond], b[beyond], links, sizes, most)
    of_pair = np.unique(of_pair, return_inverse=True)[1].astype(np.int64)
    both = np.unique(np.concatenate([of_pair * n + a, of_pair * n + b]))
    return Bundles(of_pair, both // n, both % n)


def _groups(a: Int, b: Int, sizes: Int, most: int) -> Int:
    """Put documents into groups that hang together, each of no more bytes than a bundle: a number for each document."""
    n, group, weight = len(sizes), np.arange(len(sizes)), sizes.astype(np.int64)
    for turn in range(ROUNDS):
        x, y = (np.concatenate([group[one], group[two]]) for one, two in ((a, b), (b, a)))
        links, count = np.unique((x * n + y)[x != y], return_counts=True)
        x, y = links // n, links % n
        fit = weight[x] + weight[y] <= most
        x, y, count = x[fit], y[fit], count[fit]
        if len(x) == 0:
            break
        # Who asks and who is asked changes from turn to turn: no two groups go to each other.
        asks = (np.arange(n).astype(np.uint64) + np.uint64(turn + 1)) * _MIXING >> np.uint64(63) == 0
        strength = count * most // np.maximum(np.minimum(weight[x], weight[y]), 1)
        order = np.lexsort((y, -strength, x))
        best = order[np.diff(x[order], prepend=-1) != 0]
        best = best[asks[x[best]] & ~asks[y[best]]]
        best = best[np.lexsort((x[best], -strength[best], y[best]))]
        to, first = y[best], np.diff(y[best], prepend=-1) != 0
        total = np.cumsum(weight[x[best]])
        before = np.maximum.accumulate(np.where(first, total - weight[x[best]], 0))
        joined = best[total - before + weight[to] <= most]
        goes = np.arange(n)
        goes[x[joined]] = y[joined]
        group = goes[group]
        weight = np.bincount(goes, weight, n).astype(np.int64)
    return group


def _with_copies(a: Int, b: Int, home: Int, sizes: Int, most: int) -> tuple[Int, Int]:
    """Return the bundle of each pair, given that of each document; and the pairs whose copies would not fit."""
    of_pair = home[a]
    across = np.flatnonzero(home[a] != home[b])
    if len(across) == 0:
        return of_pair, across
    x, y, width = a[across], b[across], int(home.max()) + 1
    # How many pairs a copy would serve: of a where b is at home, and of b where a is.
    copies = x * width + home[y], y * width + home[x]
    known, place, serves = np.unique(np.concatenate(copies), return_inverse=True, return_counts=True)
    of_a, of_b = place[: len(across)], place[len(across) :]
    takes_a = (serves[of_a] > serves[of_b]) | ((serves[of_a] == serves[of_b]) & (sizes[x] <= sizes[y]))
    of_pair[across] = np.where(takes_a, home[y], home[x])
    # Copies are by bundle now: as many as fit, in the order of how much each serves.
    copy = np.where(takes_a, of_a, of_b)
    used = np.unique(copy)
    used = used[np.lexsort((known[used], -serves[used], known[used] % width))]
    size, first = sizes[known[used] // width], np.diff(known[used] % width, prepend=-1) != 0
    total = np.cumsum(size)
    before = np.maximum.accumulate(np.where(first, total - size, 0))
    fits = np.zeros(len(known), np.bool_)
    fits[used[(total - before <= most) | first]] = True
    return of_pair, across[~fits[copy]]


def _cut(a: Int, b: Int, links: Any, sizes: Int, most: int) -> Int:
    """Return bundles for pairs, from 0 on, whatever is at home where."""
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    degree = np.bincount(np.concatenate([a, b]), minlength=len(sizes))
    large = sizes > most // 4
    # A very large text is a centre in any case: there are as few bundles as can be that it is in.
    rank = degree + np.where(large, len(a) * 2.0, 0.0)
    centre = np.where((rank[a] > rank[b]) | ((rank[a] == rank[b]) & (a < b)), a, b)
    other = a + b - centre
    place = np.empty(len(sizes), np.int64)
    place[reverse_cuthill_mckee((links + links.T).tocsr(), symmetric_mode=True)] = np.arange(len(sizes))
    order = np.lexsort((place[other], place[centre]))
    begins = np.diff(centre[order], prepend=-1) != 0
    # About half of what a document is linked to is in its bundle already, linked to another one.
    ends = np.cumsum(sizes[other[order]] // 2 + np.where(begins, sizes[centre[order]], 0))
    bundles = np.empty(len(a), np.int64)
    bundles[order] = ends // most
    return bundles
