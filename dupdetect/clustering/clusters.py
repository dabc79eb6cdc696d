"""Matches to clusters.

Input    matches among n documents
Output   the canonical of each document (int64[n]; itself where it has no other)
Cost     O(matches)

Every member of a cluster is itself a match of its canonical, which can stand for it without a loss of content
(`dupdetect.matching.overlaps`); a chain of matches merges nothing. Each document that is not yet taken becomes a
canonical and takes what it can stand for and is not yet taken, in this order: documents that another could replace,
but not they it, go last; then those with the most near duplicates go first; then the cleanest, that is, those of which
their matches contain the most, on average: a clean article is wholly inside the pages that carry it. Then each member
goes to the best canonical that can stand for it: a near duplicate before any other, the most alike first; then
whatever has the most of it inside; then the first of that order. At last a canonical goes to another, with its
members, if that can stand for all of them; those that go before all others stay. Nothing depends on the order of the
input, for numbers go by the texts (`collapse`).

Documents that contain several others are told apart afterwards (`dupdetect.clustering.digests`). Two canonicals match
in the end only where one of them is a digest document and contains the other, or where another member has been chosen
to represent a cluster (`canonical.choose`, `match_chosen`). That changes nobody's cluster: the others of the two
clusters need not match one another, and who is together shall not depend on the policy of who represents them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from dupdetect._compiled.dispatch import Compilable
from dupdetect.matching.pairs import missing, pack, proper, union, unpack, without
from dupdetect.matching.removal import NEAR, REMOVABLE_A, REMOVABLE_B, YIELDS_A, YIELDS_B, is_decided
from dupdetect.text.shingles import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Matcher, Overlaps
    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.verify import Verified

    Int = NDArray[np.int64]
    Byte = NDArray[np.uint8]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Links between a document and whichever goes first of its family that are followed.
STEPS = 4

#: Cleanness of documents that go before all others, whatever they can stand for: shares are at most 1.
FIRST = 2.0

#: How much of a document is inside one that is nearly equal, in the order of matches: more than of any other.
NEAREST = 2.0

#: Bits of a neighbour: the document can stand for it; it can stand for the document.
TAKES, TAKEN = 1, 2


class Comparable:
    """Which of n documents may be compared: here, all with all.

    Attributes
    ----------
    documents : bool[n]
        Those that may be compared with any.
    """

    def __init__(self, n: int) -> None:
        self.documents = np.ones(n, np.bool_)

    def pairs(self, pairs: Pairs) -> Pairs:
        """Return the pairs that may be compared."""
        return pairs


class Found(Protocol):
    """Pairs that were found to be worth comparing: `Candidates`, or what a part of the documents has of them.

    Attributes
    ----------
    pairs, sampled : uint64[n]
    is_sampled : bool
        Whether any pair stands for others.
    """

    @property
    def pairs(self) -> Pairs: ...  # noqa: D102
    @property
    def sampled(self) -> Pairs: ...  # noqa: D102
    @property
    def is_sampled(self) -> bool: ...  # noqa: D102
    def among(self, active: Bool) -> Found: ...  # noqa: D102
    def has_more(self, more: Overlaps) -> bool: ...  # noqa: D102


class Neighbours(NamedTuple):
    """The neighbours of documents: those of document d are ``neighbours[bounds[d]:bounds[d + 1]]``.

    Attributes
    ----------
    bounds, neighbours : int64[documents + 1], int64[...]
    matches : int64[...]
        The place of the match that joins each to the document.
    takes : uint8[...]
        `TAKES` and `TAKEN` of each.
    """

    bounds: Int
    neighbours: Int
    matches: Int
    takes: Byte


class Clustered(NamedTuple):
    """What was clustered.

    Attributes
    ----------
    canonical : int64[n]
        The canonical of each document.
    matches : Overlaps
        Those that were given, and those that were found on the way.
    tested : uint64[m]
        All pairs that were compared.
    rounds : int
        How often canonicals were compared anew.
    """

    canonical: Int
    matches: Overlaps
    tested: Pairs
    rounds: int


def collapse(words: Int, digests: NDArray[np.uint64]) -> tuple[Int, Int]:
    """Collapse documents with the same words.

    Parameters
    ----------
    words : int64[n]
    digests : uint64[n, 2]

    Returns
    -------
    int64[n]
        The text that each document has: 0 for the shortest, ties in order of their digests, so that texts are
        numbered alike in whatever order documents come; -1 for documents without words.
    int64[m]
        The first document that has it, for each text.
    """
    first = words.astype(np.uint64) << np.uint64(32) | digests[:, 0] >> np.uint64(32)
    order = np.argsort(first, kind="stable")
    order = order[np.searchsorted(words[order], 1) :]
    same = first[order[1:]] == first[order[:-1]]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    some = order[tied]
    order[tied] = some[np.lexsort((digests[some, 1], digests[some, 0], first[some]))]
    ordered = digests[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    text_of = np.full(len(words), -1, np.int64)
    text_of[order] = np.cumsum(new) - 1
    return text_of, order[new]


def represented_without_words(words: Int, digests: NDArray[np.uint64], apart: NDArray[np.uint64], ranks: Int) -> Int:
    """Let documents without words that are one text be represented by one of them.

    Parameters
    ----------
    words : int64[n]
    digests, apart : uint64[n, 2]
        Of documents without words, of their bytes; blank ones have that of no words, and stay apart. `apart` differs,
        too, where documents may not be compared.
    ranks : int64[n]
        Whoever is of the least rank represents the others.

    Returns
    -------
    int64[n]
        The document that represents each: itself, for all others.
    """
    represented = np.arange(len(words))
    chosen = np.flatnonzero((words == 0) & ~blank(digests))
    order = chosen[np.lexsort((ranks[chosen], apart[chosen, 1], apart[chosen, 0]))]
    first = np.ones(len(order), np.bool_)
    first[1:] = (apart[order[1:]] != apart[order[:-1]]).any(axis=1)
    represented[order] = order[first][np.cumsum(first) - 1]
    return represented


def blank(digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Mark the digests of blank texts: those of no words."""
    return np.asarray((digests == _of_no_words()).all(axis=1))


@cache
def _of_no_words() -> NDArray[np.uint64]:
    return np.array(digest(np.empty(0, np.uint64)), np.uint64)


def cleanness(n: int, matches: Overlaps) -> Share:
    """Return, for each of n documents, the mean share of it that its matches contain: float64[n] in [0, 1]."""
    a, b = matches.a, matches.b
    contained = np.bincount(a, matches.containment_a, n) + np.bincount(b, matches.containment_b, n)
    degrees = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
    return contained / np.maximum(degrees, 1)  # type: ignore[no-any-return]


def settle(clean: Share, linked: Overlaps) -> Share:
    """Let no document go before one that more are linked to.

    The matches of a hot key are a sample of a family's, and the cleanness of most members rests on a few of them.
    Were the luckiest to go first, it would take the one document that all others are linked to, and leave these
    alone. Who represents the family in the end is chosen when it is together.

    Parameters
    ----------
    clean : float64[n]
    linked : Overlaps
        The matches that came from hot keys.

    Returns
    -------
    float64[n]
        `clean`, but for members of such families just less than that of the document they are linked to, where it
        was not less before.
    """
    if len(linked.pairs) == 0:
        return clean
    a, b = linked.a, linked.b
    degree = np.bincount(a, minlength=len(clean)) + np.bincount(b, minlength=len(clean))
    centre, member = np.where(degree[a] >= degree[b], (a, b), (b, a))
    settled = clean.copy()
    for _ in range(STEPS):
        np.minimum.at(settled, member, np.nextafter(settled[centre], 0))
    return settled


def cluster(clean: Share, matches: Overlaps) -> Int:
    """Cluster documents.

    Parameters
    ----------
    clean : float64[n]
        From `cleanness`, or `FIRST` and more; ties go to the lesser number.
    matches : Overlaps

    Returns
    -------
    int64[n]
        The canonical of each document.
    """
    n, (a, b), is_near = len(clean), unpack(matches.pairs), is_decided(matches, NEAR)
    of_a, of_b = is_decided(matches, REMOVABLE_A), is_decided(matches, REMOVABLE_B)
    adjacent = list_neighbours.faster_for(10 * len(a))(n, a, b, of_a, of_b)
    alike = np.bincount(a[is_near], minlength=n) + np.bincount(b[is_near], minlength=n)
    order = np.lexsort((-clean, -alike, replaceable(n, matches), clean < FIRST))
    # The best match first: near duplicates, the most alike first; then whatever has the most of the other inside.
    inside = np.where(is_near, NEAREST, matches.content_inside)
    take = take_matches.faster_for(20 * (n + len(adjacent.neighbours)))
    return _merged(adjacent, take(adjacent, inside, matches.jaccard, order), order, clean < FIRST)


def replaceable(n: int, matches: Overlaps) -> Bool:
    """Mark documents that another could stand for, without their being able to stand for it: bool[n].

    It must be able to stand for as many as they can: one of the pages that carry an article, the only one with comments
    below it, cannot represent the others.
    """
    (a, b), of_a, of_b = unpack(matches.pairs), is_decided(matches, REMOVABLE_A), is_decided(matches, REMOVABLE_B)
    stands_for = np.bincount(a[of_b], minlength=n) + np.bincount(b[of_a], minlength=n)
    marked = np.zeros(n, np.bool_)
    marked[a[of_a & ~of_b & (stands_for[b] >= stands_for[a])]] = True
    marked[b[of_b & ~of_a & (stands_for[a] >= stands_for[b])]] = True
    return marked


def yielding(canonical: Int, matches: Overlaps) -> Bool:
    """Mark documents that another of their cluster should represent: bool[n].

    That is one that can stand for them, where they could not stand for it, or lack main content of it.
    """
    within = matches.where(canonical[matches.a] == canonical[matches.b])
    marked = replaceable(len(canonical), within)
    marked[within.a[is_decided(within, YIELDS_A)]] = marked[within.b[is_decided(within, YIELDS_B)]] = True
    return marked


@Compilable
def list_neighbours(n: int, a: Int, b: Int, of_a: Bool, of_b: Bool) -> Neighbours:
    """List the neighbours of n documents, given the matches (a, b), and whether a and b may be removed."""
    # A counting sort: numbers of neighbours, where each row begins, then each match to the next free place of both.
    bounds = np.zeros(n + 1, np.int64)
    for match in range(len(a)):
        bounds[a[match] + 1] += 1
        bounds[b[match] + 1] += 1
    bounds = np.cumsum(bounds)
    free = bounds.copy()
    neighbours, matches = np.empty(bounds[-1], np.int64), np.empty(bounds[-1], np.int64)
    takes = np.empty(bounds[-1], np.uint8)
    for match in range(len(a)):
        place = free[a[match]]
        neighbours[place], matches[place] = b[match], match
        takes[place] = (TAKES if of_b[match] else 0) | (TAKEN if of_a[match] else 0)
        free[a[match]] += 1
    for match in range(len(a)):
        place = free[b[match]]
        neighbours[place], matches[place] = a[match], match
        takes[place] = (TAKES if of_a[match] else 0) | (TAKEN if of_b[match] else 0)
        free[b[match]] += 1
    return Neighbours(bounds, neighbours, matches, takes)


@Compilable
def take_matches(adjacent: Neighbours, inside: Share, jaccard: Share, order: Int) -> Int:
    """Let each document of `order` not yet taken take its neighbours; then let members choose among canonicals.

    A document takes only neighbours that it can stand for. A member prefers the canonical of the match that has the
    most `inside`, then with the greatest `jaccard`, then the first match.
    """
    # First who represents: whoever is not yet taken takes all that it can stand for and that are not. Which canonical
    # takes a member depends on the order only here.
    bounds, neighbours, matches, takes = adjacent
    canonical = np.full(len(order), -1, np.int64)
    for document in order:
        if canonical[document] < 0:
            canonical[document] = document
            for edge in range(bounds[document], bounds[document + 1]):
                if canonical[neighbours[edge]] < 0 and takes[edge] & TAKES:
                    canonical[neighbours[edge]] = document
    # Then the members choose, each the best of all canonicals that can stand for it; at least one took it.
    chosen = canonical.copy()
    for document in range(len(order)):
        if canonical[document] == document:
            continue
        best = np.int64(-1)
        for edge in range(bounds[document], bounds[document + 1]):
            other = neighbours[edge]
            if canonical[other] != other or not takes[edge] & TAKEN:
                continue
            match = matches[edge]
            if best < 0 or (-inside[match], -jaccard[match], match) < (-inside[best], -jaccard[best], best):
                best = match
                chosen[document] = other
    return chosen


def _merged(adjacent: Neighbours, canonical: Int, order: Int, free: Bool) -> Int:
    """Let a canonical that is `free` to go, with all its members, go to another one that can stand for all of them."""
    bounds, neighbours, _, takes = adjacent
    canonical = canonical.copy()
    # Only canonicals that another canonical can stand for are worth a look: of most clusters there is none.
    source = np.repeat(np.arange(len(order)), np.diff(bounds))
    is_canonical = canonical == np.arange(len(order))
    open_edges = (is_canonical & free)[source] & is_canonical[neighbours] & (takes & TAKEN != 0)
    if not open_edges.any():
        return canonical
    perhaps = np.zeros(len(order), np.bool_)
    perhaps[source[open_edges]] = True
    by_canonical = np.argsort(canonical, kind="stable")
    first, last = (np.searchsorted(canonical[by_canonical], np.arange(len(order)), side=s) for s in ("left", "right"))
    members: dict[int, list[int]] = {}  # of those that are looked at: few among a million

    def members_of(one: int) -> list[int]:
        if one not in members:
            members[one] = by_canonical[first[one] : last[one]].tolist()
        return members[one]

    for document in order[::-1][perhaps[order[::-1]]].tolist():
        row = slice(bounds[document], bounds[document + 1])
        for other in neighbours[row][takes[row] & TAKEN != 0].tolist():
            if canonical[other] != other:
                continue
            theirs = slice(bounds[other], bounds[other + 1])
            if set(members_of(document)) <= set(neighbours[theirs][takes[theirs] & TAKES != 0].tolist()):
                canonical[members_of(document)] = other
                members_of(other).extend(members_of(document))
                break
    return canonical


def sampled_matches(matches: Overlaps, sampled: Pairs) -> Overlaps:
    """Return the matches that came from hot keys."""
    return matches.where(~missing(matches.pairs, sampled))


def cluster_matches(
    found: Found, verified: Verified, clean: Share, verifier: Matcher, comparable: Comparable
) -> Clustered:
    """Cluster; where hot keys left pairs out, compare canonicals with what they may have missed, and repeat.

    A canonical is compared with whomever members of its cluster are linked to by hot keys, and with the canonicals that
    a new search by hot keys among canonicals alone gives. When nothing more is found, deferred pairs that are in
    different clusters are compared too. It ends when nothing is left to compare: no pair is compared twice.

    Parameters
    ----------
    found : Found
    verified : Verified
        What was found among them.
    clean : float64[n]
        The order in which documents are taken, the greatest first.
    verifier : Matcher
    comparable : Comparable
    """
    matches, deferred = verified.matches, verified.deferred
    grouped = cluster(clean, matches)
    tested, sampled = without(found.pairs, deferred), found.sampled
    rounds = 0
    while found.is_sampled:
        rounds += 1
        linked = sampled_matches(matches, sampled)
        beyond = [pack(grouped[x], y) for x, y in ((linked.a, linked.b), (linked.b, linked.a))]
        again = found.among(comparable.documents & (grouped == np.arange(len(grouped))))
        sampled = union(sampled, comparable.pairs(again.sampled))
        proposed = without(comparable.pairs(proper(union(*beyond, again.pairs))), tested)
        more = verifier.matches(proposed)
        tested = union(tested, proposed)
        if not found.has_more(more):
            a, b = unpack(deferred)
            proposed = without(deferred[grouped[a] != grouped[b]], tested)
            more = verifier.matches(proposed)
            tested = union(tested, proposed)
            if not found.has_more(more):
                break
        matches = matches | more
        grouped = cluster(clean, matches)
    return Clustered(grouped, matches, tested, rounds)


def match_chosen(
    found: Found, chosen: Int, made: Clustered, matches: Overlaps, verifier: Matcher, comparable: Comparable
) -> Overlaps:
    """Where hot keys left pairs out, compare those who were chosen to represent clusters with one another.

    They need not be the canonicals that `cluster_matches` compared. No cluster is changed; it is done once, so that few
    pairs of near duplicates that both represent a cluster are missed.

    Parameters
    ----------
    found : Found
    chosen : int64[n]
        Who represents each document's cluster.
    made : Clustered
    matches : Overlaps
        What is verified so far.
    verifier : Matcher
    comparable : Comparable

    Returns
    -------
    Overlaps
        `matches`, and those that were found among the chosen.
    """
    if not found.is_sampled:
        return matches
    again = found.among(comparable.documents & (chosen == np.arange(len(chosen))))
    linked = sampled_matches(matches, union(found.sampled, again.sampled))
    proposed = union(again.pairs, pack(chosen[linked.a], chosen[linked.b]))
    tested = union(made.tested, matches.pairs)
    return matches | verifier.matches(without(comparable.pairs(proper(proposed)), tested))
