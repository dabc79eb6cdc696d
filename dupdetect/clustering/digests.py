"""Digest documents: those that contain several others, such as round-ups.

Input    clusters and matches of n documents
Output   clusters without digest documents in them, and what each digest document contains (`Contents`)
Cost     O(matches), and a comparison of the texts that a possible digest document contains with one another

A document that contains several different texts, none of them most of what it contains, is a *digest document*: a copy
of none of them. Digest documents are clustered among themselves, and so are the digest documents of these: a year of
weekly round-ups is no copy of a week. A digest document does not represent what it contains either: where its copies
are so many that it goes first, it is taken out with them, and the others are clustered anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dupdetect.clustering.clusters import cluster
from dupdetect.matching.pairs import pack, packed, spread, without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Matcher, Overlaps
    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Two texts that share less than this of the smaller are different texts.
FOREIGN = 0.5

#: Texts of a possible digest document that are compared with one another.
TEXTS = 32

#: A digest document is one of which no text is this share of what all its texts share with it together; the second, of
#: a canonical that is mostly made of its texts: two articles, of which one is no more than a note, make no round-up.
MOST, MOST_OF_CANONICAL = 0.5, 0.75

#: Digest documents of digest documents: how often they are looked for.
LEVELS = 8


def part_digests(
    canonical: Int, clean: Share, matches: Overlaps, verifier: Matcher, known: Bool | None = None
) -> tuple[Int, Bool]:
    """Take digest documents out of their clusters, and digest documents of digest documents out of theirs.

    Parameters
    ----------
    canonical : int64[n]
        What `cluster` made of `clean` and `matches`.
    clean : float64[n]
    matches : Overlaps
    verifier : Matcher
    known : bool[n], optional
        Documents that are digest documents, as was found before.

    Returns
    -------
    int64[n]
        The canonical of each document, digest documents being clustered among themselves.
    bool[n]
        Which documents are digest documents.
    """
    level = np.zeros(len(canonical), np.int64)
    among = matches
    if known is not None and known.any():
        level += _with_copies(known, matches)
        among = matches.where(level[matches.a] == level[matches.b])
        canonical = cluster(clean, among)
    for _ in range(LEVELS):
        found = _digests(canonical, among, verifier)
        if not found.any():
            break
        level += found
        among = matches.where(level[matches.a] == level[matches.b])
        canonical = cluster(clean, among)
    return canonical, level > 0


@dataclass(frozen=True, eq=False)
class Contents:
    """What digest documents contain: a row for each of them and each cluster whose canonical it contains.

    Attributes
    ----------
    digest, canonical : int64[n]
        Documents; ordered by both.
    containment : float64[n]
        Share of the canonical inside the digest document.
    share : float64[n]
        Share of the digest document inside the canonical.
    """

    digest: Int
    canonical: Int
    containment: Share
    share: Share


def contents(digests: Bool, parted: Int, chosen: Int, matches: Overlaps, verifier: Matcher) -> Contents:
    """Say what each digest document contains.

    Parameters
    ----------
    digests : bool[n]
    parted : int64[n]
        The canonicals by which digest documents were judged: such a document contains those of other clusters that it
        matches and that are smaller.
    chosen : int64[n]
        The canonicals that represent the same clusters in the end. These are listed, and measured.
    matches : Overlaps
    verifier : Matcher
    """
    known = matches.where(digests[matches.a] | digests[matches.b])
    likely = without(_likely(parted, digests, *_contained(digests, parted, known)), known.pairs)
    digest, contained = _contained(digests, parted, known | verifier.matches(likely))
    canonical = chosen[contained]
    order = np.lexsort((canonical, digest))
    digest, canonical = digest[order], canonical[order]
    overlaps = verifier.overlaps(pack(digest, canonical))
    match = overlaps.where(np.searchsorted(overlaps.pairs, packed(digest, canonical)))
    forth = digest < canonical
    containment = np.where(forth, match.containment_b, match.containment_a)
    return Contents(digest, canonical, containment, np.where(forth, match.containment_a, match.containment_b))


def _contained(digests: Bool, canonical: Int, matches: Overlaps) -> tuple[Int, Int]:
    """Return digest documents, and the smaller canonicals of other clusters that they match."""
    whole, part = np.concatenate([matches.a, matches.b]), np.concatenate([matches.b, matches.a])
    larger = np.concatenate([matches.size_a > matches.size_b, matches.size_b > matches.size_a])
    contained = larger & digests[whole] & (canonical[part] == part) & (canonical[whole] != part)
    return whole[contained], part[contained]


def _likely(canonical: Int, digests: Bool, holders: Int, contained: Int) -> Pairs:
    """Pair digest documents with what others of their cluster contain: of a large family not all matches are known."""
    n = len(canonical)
    cluster, text = np.divmod(np.unique(canonical[holders] * n + contained), max(n, 1))
    members = np.flatnonzero(digests)
    members = members[np.argsort(canonical[members], kind="stable")]
    first, last = (np.searchsorted(canonical[members], cluster, side=side) for side in ("left", "right"))
    return pack(members[spread(first, last - first)], np.repeat(text, last - first))


def _digests(canonical: Int, matches: Overlaps, verifier: Matcher) -> Bool:
    """Mark the documents that contain several different texts, none of them most of what they contain."""
    digests = np.zeros(len(canonical), np.bool_)
    if len(matches.pairs) < 2:  # which contains several has a match with each
        return digests
    doubtful, limit = _doubtful(canonical, matches)
    foreign = _foreign_pairs(doubtful, verifier)
    for document, texts in doubtful.items():
        different: list[tuple[int, int]] = []
        for share, text in texts:
            if all((min(text, other), max(text, other)) in foreign for _, other in different):
                different.append((share, text))
        total = sum(share for share, _ in different)
        digests[document] = different[0][0] < limit[document] * total
    return _with_copies(digests & (canonical == np.arange(len(canonical))), matches) | digests


def _with_copies(chosen: Bool, matches: Overlaps) -> Bool:
    """Mark the chosen documents and those of which either is most of the other."""
    a, b = matches.a, matches.b
    copies = matches.shared >= MOST * np.maximum(matches.size_a, matches.size_b)
    marked = chosen.copy()
    marked[b[copies & chosen[a]]] = True
    marked[a[copies & chosen[b]]] = True
    return marked


def _doubtful(canonical: Int, matches: Overlaps) -> tuple[dict[int, list[tuple[int, int]]], Share]:
    """Return the documents that contain several texts, none of them most of what these share with it.

    The texts of a member are the canonicals that it contains, those of a canonical the members that it contains, its
    copies left out: where many copies of a round-up go before its articles, it is their canonical.

    With each go its texts, up to `TEXTS` of them: what it shares with each, and which; the most first. The second is
    what share of all its texts one may be of each document.
    """
    n = len(canonical)
    is_canonical = canonical == np.arange(n)
    whole, part = np.concatenate([matches.a, matches.b]), np.concatenate([matches.b, matches.a])
    larger = np.concatenate([matches.size_a > matches.size_b, matches.size_b > matches.size_a])
    shared = np.tile(matches.shared, 2)
    size = np.concatenate([matches.size_a, matches.size_b])
    contained = larger & np.where(is_canonical[whole], shared < MOST * size, is_canonical[part])
    whole, part, shared = whole[contained], part[contained], shared[contained]
    most = np.zeros(n, np.int64)
    np.maximum.at(most, whole, shared)
    together, sizes = np.bincount(whole, shared, n), np.zeros(n, np.int64)
    np.maximum.at(sizes, whole, size[contained])
    limit = np.where(is_canonical & (together >= MOST * sizes), MOST_OF_CANONICAL, MOST)
    doubtful = (most < limit * together)[whole]
    texts: dict[int, list[tuple[int, int]]] = {}
    for document, *text in zip(
        whole[doubtful].tolist(), shared[doubtful].tolist(), part[doubtful].tolist(), strict=True
    ):
        texts.setdefault(document, []).append((text[0], text[1]))
    return {document: sorted(row, reverse=True)[:TEXTS] for document, row in texts.items()}, limit


def _foreign_pairs(doubtful: dict[int, list[tuple[int, int]]], verifier: Matcher) -> set[tuple[int, int]]:
    """Return the pairs of texts, of one document each, that are different texts."""
    texts = [[text for _, text in row] for row in doubtful.values()]
    pairs = [(x, y) for row in texts for x in row for y in row if x < y]
    if not pairs:
        return set()
    a, b = np.array(pairs, np.int64).T
    overlaps = verifier.overlaps(pack(a, b))
    apart = overlaps.where(overlaps.containment < FOREIGN)
    return set(zip(apart.a.tolist(), apart.b.tolist(), strict=True))
