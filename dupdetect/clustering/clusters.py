"""Matches to clusters.

Input    matches among n documents
Output   the canonical of each document (int64[n]; itself where it has no other), and what bridges hold (`Contents`)
Cost     O(matches)

Every member of a cluster is itself a match of its canonical; a chain of matches merges nothing. Documents are taken
in order of cleanness: how much of a document its matches hold, on average. A clean article is wholly held by the
pages that carry it; a page is held only as far as its article goes, and a round-up of five articles by a fifth. Each
document not yet taken becomes a canonical and takes those of its matches not yet taken. Then each member
goes to the canonical that it shares the most with: first by the share of the smaller inside the larger, then by Jaccard
similarity, then to the lesser number, which is the shorter text. So no two canonicals match, and nothing depends
on the order of the input, for numbers go by the texts (`pipeline.collapse`).

A document that holds several different texts, none of them most of what it holds, is a *bridge*: a copy of none
of them. Bridges are clustered among themselves, and so are the bridges among these: a year of weekly round-ups is
no copy of a week. Nor is it a bridge's part to represent what it holds: where its copies are so many that it goes
first, it is taken out with them, and the others are clustered anew.

Two canonicals match in the end only where one of them is a bridge and holds the other, or where another member has
been chosen to represent a cluster (`canonical.choose`). That changes nobody's cluster: the others of the two
clusters need not match one another, and who is together shall not depend on the policy of who represents them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dupdetect._compiled.dispatch import Loop
from dupdetect.matching.candidates import pack, packed, spread, without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.candidates import Pairs
    from dupdetect.matching.verify import Overlaps, Verifier
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Two texts that share less than this of the smaller are different texts.
FOREIGN = 0.5

#: Links between a document and whichever goes first of its family that are followed.
STEPS = 4

#: Texts of a possible bridge that are compared with one another.
TEXTS = 32

#: A bridge is a document of which no text holds this share of what all its texts hold of it together.
MOST = 0.5

#: Bridges among bridges among bridges: how often they are looked for.
LEVELS = 8


def cleanness(n: int, matches: Overlaps) -> Share:
    """Return, for each of n documents, the mean share of it that its matches hold: float64[n] in [0, 1]."""
    a, b = matches.a, matches.b
    held = np.bincount(a, matches.containment_a, n) + np.bincount(b, matches.containment_b, n)
    degrees = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
    return held / np.maximum(degrees, 1)  # type: ignore[no-any-return]


def settle(clean: Share, linked: Overlaps) -> Share:
    """Let no document go before one that more are linked to.

    Links by frequent keys are a sample of a family's matches, and the cleanness of most members rests on a few of them.
    Were the luckiest to go first, it would take the one document that all others are linked to, and leave these
    alone. Who represents the family in the end is chosen when it is together.

    Parameters
    ----------
    clean : float64[n]
    linked : Overlaps
        The matches that came from frequent keys.

    Returns
    -------
    float64[n]
        `clean`, but for members of such families just less than that of the document they are linked to, where it
        was not less before.
    """
    a, b = linked.a, linked.b
    degree = np.bincount(a, minlength=len(clean)) + np.bincount(b, minlength=len(clean))
    hub, member = np.where(degree[a] >= degree[b], (a, b), (b, a))
    settled = clean.copy()
    for _ in range(STEPS):
        np.minimum.at(settled, member, np.nextafter(settled[hub], 0))
    return settled


def cluster(clean: Share, matches: Overlaps) -> Int:
    """Cluster documents.

    Parameters
    ----------
    clean : float64[n]
        From `cleanness`; ties go to the lesser number.
    matches : Overlaps

    Returns
    -------
    int64[n]
        The canonical of each document.
    """
    n = len(clean)
    bounds, neighbours, edges = _adjacency(n, matches)
    order = np.argsort(-clean, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    # The best match first: the most of the smaller inside the larger, then the most alike.
    preference = np.empty(len(matches.pairs), np.int64)
    preference[np.lexsort((-matches.weighted_jaccard, -matches.weighted_containment))] = np.arange(len(matches.pairs))
    take = take_matches.worth(20 * (n + len(neighbours)))
    return take(bounds, neighbours, preference[edges], order, place)


def _adjacency(n: int, matches: Overlaps) -> tuple[Int, Int, Int]:
    """Return each document's neighbours, a row each (bounds, neighbours), and the match that joins them."""
    a, b = matches.a, matches.b
    source, target = np.concatenate([a, b]), np.concatenate([b, a])
    order = np.argsort(source, kind="stable")
    bounds = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=n), out=bounds[1:])
    return bounds, target[order], np.tile(np.arange(len(a)), 2)[order]


@Loop
def take_matches(bounds: Int, neighbours: Int, preference: Int, order: Int, place: Int) -> Int:
    """Let each document of `order` not yet taken take its neighbours; then let members choose among canonicals.

    A member prefers the canonical with the least `preference`, then with the first `place` in the order.
    """
    canonical = np.full(len(order), -1, np.int64)
    for document in order:
        if canonical[document] < 0:
            canonical[document] = document
            for edge in range(bounds[document], bounds[document + 1]):
                if canonical[neighbours[edge]] < 0:
                    canonical[neighbours[edge]] = document
    chosen = canonical.copy()
    for document in range(len(order)):
        if canonical[document] == document:
            continue
        best = -1
        for edge in range(bounds[document], bounds[document + 1]):
            other = neighbours[edge]
            if canonical[other] != other:
                continue
            if best < 0 or (preference[edge], place[other]) < (preference[best], place[neighbours[best]]):
                best = edge
        chosen[document] = neighbours[best]
    return chosen


def part_bridges(
    canonical: Int, clean: Share, matches: Overlaps, verifier: Verifier, known: Bool | None = None
) -> tuple[Int, Bool]:
    """Take bridges out of the clusters that they are in, and the bridges among bridges out of theirs.

    Parameters
    ----------
    canonical : int64[n]
        What `cluster` made of `clean` and `matches`.
    clean : float64[n]
    matches : Overlaps
    verifier : Verifier
    known : bool[n], optional
        Documents that are bridges, as was found before.

    Returns
    -------
    int64[n]
        The canonical of each document, bridges being clustered among themselves.
    bool[n]
        Which documents are bridges.
    """
    level = np.zeros(len(canonical), np.int64)
    among = matches
    if known is not None and known.any():
        level += _with_copies(known, matches)
        among = matches.where(level[matches.a] == level[matches.b])
        canonical = cluster(clean, among)
    for _ in range(LEVELS):
        found = _bridges(canonical, among, verifier)
        if not found.any():
            break
        level += found
        among = matches.where(level[matches.a] == level[matches.b])
        canonical = cluster(clean, among)
    return canonical, level > 0


@dataclass(frozen=True, eq=False)
class Contents:
    """What bridges hold: a row for each bridge and each cluster of which it holds the canonical.

    Attributes
    ----------
    bridge, canonical : int64[n]
        Documents; ordered by both.
    containment : float64[n]
        Share of the canonical inside the bridge.
    share : float64[n]
        Share of the bridge inside the canonical.
    """

    bridge: Int
    canonical: Int
    containment: Share
    share: Share


def contents(
    bridges: Bool, parted: Int, chosen: Int, matches: Overlaps, verifier: Verifier, settings: Settings
) -> Contents:
    """Say what each bridge holds.

    Parameters
    ----------
    bridges : bool[n]
    parted : int64[n]
        The canonicals by which bridges were judged: a bridge holds those of other clusters that it matches and that
        are smaller.
    chosen : int64[n]
        The canonicals that represent the same clusters in the end. These are listed, and measured.
    matches : Overlaps
    verifier : Verifier
    settings : Settings
    """
    known = matches.where(bridges[matches.a] | bridges[matches.b])
    likely = without(_likely(parted, bridges, *_held(bridges, parted, known)), known.pairs)
    bridge, held = _held(bridges, parted, known | verifier.matches(likely, settings))
    canonical = chosen[held]
    order = np.lexsort((canonical, bridge))
    bridge, canonical = bridge[order], canonical[order]
    overlaps = verifier.overlaps(pack(bridge, canonical))
    match = overlaps.where(np.searchsorted(overlaps.pairs, packed(bridge, canonical)))
    forth = bridge < canonical
    containment = np.where(forth, match.containment_b, match.containment_a)
    return Contents(bridge, canonical, containment, np.where(forth, match.containment_a, match.containment_b))


def _held(bridges: Bool, canonical: Int, matches: Overlaps) -> tuple[Int, Int]:
    """Return bridges, and the smaller canonicals of other clusters that they match."""
    whole, part = np.concatenate([matches.a, matches.b]), np.concatenate([matches.b, matches.a])
    larger = np.concatenate([matches.size_a > matches.size_b, matches.size_b > matches.size_a])
    held = larger & bridges[whole] & (canonical[part] == part) & (canonical[whole] != part)
    return whole[held], part[held]


def _likely(canonical: Int, bridges: Bool, holders: Int, held: Int) -> Pairs:
    """Pair each bridge with what others of its cluster hold: of a large family not all matches are known."""
    n = len(canonical)
    cluster, text = np.divmod(np.unique(canonical[holders] * n + held), max(n, 1))
    members = np.flatnonzero(bridges)
    members = members[np.argsort(canonical[members], kind="stable")]
    first, last = (np.searchsorted(canonical[members], cluster, side=side) for side in ("left", "right"))
    return pack(members[spread(first, last - first)], np.repeat(text, last - first))


def _bridges(canonical: Int, matches: Overlaps, verifier: Verifier) -> Bool:
    """Mark the documents that hold several different texts, none of them most of what they hold."""
    bridges = np.zeros(len(canonical), np.bool_)
    doubtful = _doubtful(canonical, matches)
    foreign = _foreign_pairs(doubtful, verifier)
    for document, texts in doubtful.items():
        different: list[tuple[int, int]] = []
        for share, text in texts:
            if all((min(text, other), max(text, other)) in foreign for _, other in different):
                different.append((share, text))
        total = sum(share for share, _ in different)
        bridges[document] = different[0][0] < MOST * total
    return _with_copies(bridges & (canonical == np.arange(len(canonical))), matches) | bridges


def _with_copies(chosen: Bool, matches: Overlaps) -> Bool:
    """Mark the chosen documents and those of which either is most of the other."""
    a, b = matches.a, matches.b
    copies = matches.shared >= MOST * np.maximum(matches.size_a, matches.size_b)
    marked = chosen.copy()
    marked[b[copies & chosen[a]]] = True
    marked[a[copies & chosen[b]]] = True
    return marked


def _doubtful(canonical: Int, matches: Overlaps) -> dict[int, list[tuple[int, int]]]:
    """Return the documents that hold several texts, none of them most of what these share with it.

    The texts of a member are the canonicals that it holds, those of a canonical the members that it holds, its copies
    left out: where many copies of a round-up go before its articles, it is their canonical.

    With each go its texts, up to `TEXTS` of them: what it shares with each, and which; the most first.
    """
    n = len(canonical)
    is_canonical = canonical == np.arange(n)
    whole, part = np.concatenate([matches.a, matches.b]), np.concatenate([matches.b, matches.a])
    larger = np.concatenate([matches.size_a > matches.size_b, matches.size_b > matches.size_a])
    shared = np.tile(matches.shared, 2)
    size = np.concatenate([matches.size_a, matches.size_b])
    held = larger & np.where(is_canonical[whole], shared < MOST * size, is_canonical[part])
    whole, part, shared = whole[held], part[held], shared[held]
    most = np.zeros(n, np.int64)
    np.maximum.at(most, whole, shared)
    doubtful = (most < MOST * np.bincount(whole, shared, n))[whole]
    texts: dict[int, list[tuple[int, int]]] = {}
    for document, *text in zip(
        whole[doubtful].tolist(), shared[doubtful].tolist(), part[doubtful].tolist(), strict=True
    ):
        texts.setdefault(document, []).append((text[0], text[1]))
    return {document: sorted(row, reverse=True)[:TEXTS] for document, row in texts.items()}


def _foreign_pairs(doubtful: dict[int, list[tuple[int, int]]], verifier: Verifier) -> set[tuple[int, int]]:
    """Return the pairs of texts, of one document each, that are different texts."""
    texts = [[text for _, text in row] for row in doubtful.values()]
    pairs = [(x, y) for row in texts for x in row for y in row if x < y]
    if not pairs:
        return set()
    a, b = np.array(pairs, np.int64).T
    overlaps = verifier.overlaps(pack(a, b))
    apart = overlaps.where(overlaps.containment < FOREIGN)
    return set(zip(apart.a.tolist(), apart.b.tolist(), strict=True))
