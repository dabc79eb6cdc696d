"""Pairs to bundles: which texts are put side by side, so that pairs can be verified.

Input    pairs of documents, and how many bytes each document has
Output   for each pair its bundle, and the documents that each bundle needs
Cost     O(pairs); which pairs are together decides nothing but what it costs

Connected documents go into one bundle, so that each is in one alone. Components that are larger than a bundle are cut:
their documents are put in an order in which neighbours are near (reverse Cuthill-McKee), and pairs in that of their
centres, the documents that are linked to more others, or are very large; runs of pairs are bundles.
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
    large = weight > most
    # Small components one after the other, as many as fit; those of no pair weigh nothing.
    ends = np.cumsum(np.where(large, 0.0, weight))
    of_component = (np.maximum(ends - 1, 0) // most).astype(np.int64)
    of_pair = of_component[component[a]]
    cut = np.flatnonzero(large[component[a]])
    if len(cut):
        of_pair[cut] = of_component.max() + 1 + _cut(a[cut], b[cut], links, sizes, most)
    of_pair = np.unique(of_pair, return_inverse=True)[1].astype(np.int64)
    both = np.unique(np.concatenate([of_pair * n + a, of_pair * n + b]))
    return Bundles(of_pair, both // n, both % n)


def _cut(a: Int, b: Int, links: Any, sizes: Int, most: int) -> Int:
    """Return bundles for pairs of large components, from 0 on."""
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
