"""Pairs to bundles: which texts are put side by side, so that pairs can be verified.

Input    pairs of documents, and how many bytes each document has
Output   for each pair its bundle, and the documents that each bundle needs
Cost     O(pairs); which pairs are together decides nothing but what it costs

Connected documents go into one bundle, so that each is in one alone. Components that are larger than a bundle are cut:
of each pair one document is the centre, that which is linked to more others, or that which is very large; a bundle
takes some centres with what is linked to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
        of_pair[cut] = of_component.max() + 1 + _cut(a[cut], b[cut], component[a[cut]], sizes, most)
    of_pair = np.unique(of_pair, return_inverse=True)[1].astype(np.int64)
    both = np.unique(np.concatenate([of_pair * n + a, of_pair * n + b]))
    return Bundles(of_pair, both // n, both % n)


def _cut(a: Int, b: Int, component: Int, sizes: Int, most: int) -> Int:
    """Return bundles for pairs of large components, from 0 on."""
    degree = np.bincount(np.concatenate([a, b]), minlength=len(sizes))
    # A very large text is a centre in any case: in each bundle that it is in it is there once.
    rank = degree + np.where(sizes > most // 4, len(a) * 2.0, 0.0)
    first = (rank[a] > rank[b]) | ((rank[a] == rank[b]) & (a < b))
    centre, other = np.where(first, a, b), np.where(first, b, a)
    order = np.lexsort((other, centre, component))
    begins = np.diff(centre[order], prepend=-1) != 0
    ends = np.cumsum(sizes[other[order]] + np.where(begins, sizes[centre[order]], 0))
    bundles = np.empty(len(a), np.int64)
    bundles[order] = ends // most
    return bundles
