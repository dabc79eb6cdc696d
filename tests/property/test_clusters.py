"""Clusters of random matches: what must hold of every one, and a naive version of the rule."""

from itertools import combinations, permutations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from verifying import unweighed

from dupdetect.clustering.clusters import cleanness, cluster, list_neighbours, take_matches
from dupdetect.clustering.digests import FOREIGN, MOST, contents, part_digests
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import pack
from dupdetect.matching.removal import NEAR, REMOVABLE_A, REMOVABLE_B, decided, is_decided
from dupdetect.settings import Settings

SETTINGS = Settings(shingle_size=1, min_shingles=3, containment=0.7, threshold=0.8)


@st.composite
def graphs(draw, verdicts=False):
    """Draw a number of documents and matches among some of them; with verdicts, or such that each can stand for all."""
    n = draw(st.integers(1, 9))
    pairs = list(combinations(range(n), 2))
    chosen = sorted(draw(st.sets(st.sampled_from(pairs)))) if pairs else []
    sizes = draw(st.lists(st.integers(3, 6), min_size=n, max_size=n))
    shared = [draw(st.integers(1, min(sizes[a], sizes[b]))) for a, b in chosen]
    a, b = np.array(chosen, np.int64).reshape(-1, 2).T
    size = np.array(sizes, np.int64)
    drawn = draw(st.lists(st.sampled_from(VERDICTS), min_size=len(chosen), max_size=len(chosen))) if verdicts else None
    decided = None if drawn is None else np.array(drawn, np.uint8)
    return n, Overlaps(pack(a, b), np.array(shared, np.int64), size[a], size[b], None, None, decided)


#: Either may be removed, or one, or none; of near duplicates, and of others.
VERDICTS = [mark | near for mark in (0, REMOVABLE_A, REMOVABLE_B, REMOVABLE_A | REMOVABLE_B) for near in (0, NEAR)]


def standing(matches):
    """Give who can stand for whom: pairs (x, y), x for y."""
    rows = zip(matches.a, matches.b, is_decided(matches, REMOVABLE_A), is_decided(matches, REMOVABLE_B), strict=True)
    both = [((int(b), int(a)), (int(a), int(b)), of_a, of_b) for a, b, of_a, of_b in rows]
    return {b_for_a for b_for_a, _, of_a, _ in both if of_a} | {a_for_b for _, a_for_b, _, of_b in both if of_b}


@given(graphs(verdicts=True))
def test_every_member_is_represented_by_one_that_can_stand_for_it(graph):
    n, matches = graph
    canonical = cluster(cleanness(n, matches), matches)
    able = standing(matches)
    for document in range(n):
        assert canonical[canonical[document]] == canonical[document]
        assert canonical[document] == document or (canonical[document], document) in able
    # No cluster is left apart that another canonical could stand for as a whole.
    for one, other in permutations(set(canonical.tolist()), 2):
        assert not all((other, member) in able for member in np.flatnonzero(canonical == one).tolist())


def matched(matches):
    """Give what matches share: {(x, y): (containment, Jaccard)}, both ways."""
    rows = zip(matches.a, matches.b, matches.containment, matches.jaccard, strict=True)
    one_way = {(int(a), int(b)): (float(c), float(j)) for a, b, c, j in rows}
    return one_way | {(b, a): shares for (a, b), shares in one_way.items()}


@given(graphs())
def test_every_member_is_a_match_of_its_canonical_and_no_two_canonicals_match(graph):
    n, matches = graph
    canonical = cluster(cleanness(n, matches), matches)
    shares = matched(matches)
    for document in range(n):
        assert canonical[canonical[document]] == canonical[document]
        assert canonical[document] == document or (document, canonical[document]) in shares
    assert not any(pair in shares for pair in combinations(set(canonical.tolist()), 2))


@given(graphs())
def test_every_member_is_with_the_canonical_that_it_shares_the_most_with(graph):
    n, matches = graph
    canonical = cluster(cleanness(n, matches), matches)
    shares = matched(matches)
    for document in set(range(n)) - set(canonical.tolist()):
        others = [other for other in set(canonical.tolist()) if (document, other) in shares]
        assert canonical[document] == max(others, key=lambda other: (*shares[document, other], -other))


@given(graphs())
def test_clusters_are_those_of_the_naive_rule(graph):
    n, matches = graph
    clean, shares = cleanness(n, matches), matched(matches)
    canonicals = []
    for document in sorted(range(n), key=lambda d: (-clean[d], d)):
        if not any((document, other) in shares for other in canonicals):
            canonicals.append(document)
    assert set(cluster(clean, matches).tolist()) == set(canonicals)


@given(graphs())
def test_cleanness_is_the_mean_of_what_matches_hold(graph):
    n, matches = graph
    held = {document: [] for document in range(n)}
    for a, b, of_a, of_b in zip(matches.a, matches.b, matches.containment_a, matches.containment_b, strict=True):
        held[int(a)].append(of_a)
        held[int(b)].append(of_b)
    expected = [sum(shares) / max(len(shares), 1) for shares in held.values()]
    assert np.allclose(cleanness(n, matches), expected)


@given(graphs(verdicts=True), st.integers(0, 2**32 - 1))
def test_clustering_is_the_same_compiled(graph, seed):
    n, matches = graph
    of_a, of_b = is_decided(matches, REMOVABLE_A), is_decided(matches, REMOVABLE_B)
    given = n, matches.a, matches.b, of_a, of_b
    adjacent, other = list_neighbours.function(*given), list_neighbours.compiled(*given)
    for interpreted, compiled in zip(adjacent, other, strict=True):
        assert interpreted.tolist() == compiled.tolist()
        assert interpreted.dtype == compiled.dtype
    for document in range(n):
        row = slice(adjacent.bounds[document], adjacent.bounds[document + 1])
        ends = {frozenset((document, neighbour)) for neighbour in adjacent.neighbours[row].tolist()}
        places = adjacent.matches[row].tolist()
        assert ends == {frozenset((int(matches.a[place]), int(matches.b[place]))) for place in places}
        assert len(places) == len(ends) == int(((matches.a == document) | (matches.b == document)).sum())
    random = np.random.default_rng(seed)
    inside, jaccard = random.integers(0, 3, (2, len(matches.pairs))) / 2  # many are equal
    arguments = adjacent, inside, jaccard, random.permutation(n)
    interpreted, compiled = take_matches.function(*arguments), take_matches.compiled(*arguments)
    assert interpreted.tolist() == compiled.tolist()
    assert interpreted.dtype == compiled.dtype == np.int64


#: Passages of different lengths, in several scripts: documents are put together of them.
PASSAGES = [
    [f"{name}{n}" for n in range(length)]
    for name, length in (("a", 4), ("б", 4), ("ج", 5), ("द", 6), ("é", 7), ("f", 9))
]


@st.composite
def documents(draw):
    """Draw different sets of words: whole passages, and some with words missing or with words of their own."""
    found = [set(passage) for passage in PASSAGES if draw(st.booleans())]
    for number in range(draw(st.integers(0, 8))):
        chosen = draw(st.lists(st.sampled_from(PASSAGES), min_size=1, max_size=6, unique_by=tuple))
        kept = draw(st.sampled_from([1, 1, 1, 4, 5]))
        words = {word for passage in chosen for place, word in enumerate(passage) if kept == 1 or place % kept}
        words |= {f"own{number}w{n}" for n in range(draw(st.sampled_from([0, 0, 0, 1, 3])))}
        if words and words not in found:
            found.append(words)
    return sorted(found, key=lambda words: (len(words), sorted(words)))


def all_matches(found):
    """Give the verifier of sets of words, and all matches among them."""
    texts = pa.array([" ".join(sorted(words)) for words in found], pa.large_string())
    verifier = unweighed(texts, SETTINGS)
    return verifier, decided(verifier.overlaps(pack(*np.triu_indices(len(found), 1))), SETTINGS)


def is_bridge(words, texts):
    """Say whether a document holds several of some texts which are different, none of them most of them."""
    different = []
    for _, text in sorted(((len(words & text), n) for n, text in enumerate(texts)), reverse=True):
        here = texts[text]
        if all(len(here & other) / min(len(here), len(other)) < FOREIGN for other in different):
            different.append(here)
    shares = [len(words & text) for text in different]
    return bool(shares) and max(shares) < MOST * sum(shares)


@given(documents())
def test_members_match_their_canonicals_and_no_bridge_is_left_among_others(found):
    verifier, matches = all_matches(found)
    n = len(found)
    clean = cleanness(n, matches)
    canonical, digests = part_digests(cluster(clean, matches), clean, matches, verifier)
    shares = matched(matches)
    for document in range(n):
        assert canonical[canonical[document]] == canonical[document]
        assert canonical[document] == document or (document, canonical[document]) in shares
        assert digests[document] == digests[canonical[document]]
    others = np.flatnonzero(~digests).tolist()
    canonicals = [other for other in others if canonical[other] == other]
    assert not any(pair in shares for pair in combinations(canonicals, 2))
    for document in set(others) - set(canonicals):
        texts = [c for c in canonicals if (document, c) in shares and len(found[c]) < len(found[document])]
        assert not is_bridge(found[document], [found[text] for text in texts])


@given(documents(), st.data())
def test_what_bridges_hold_is_what_the_naive_rule_says(found, data):
    verifier, matches = all_matches(found)
    n = len(found)
    clean = cleanness(n, matches)
    parted, digests = part_digests(cluster(clean, matches), clean, matches, verifier)
    groups = {c: np.flatnonzero(parted == c).tolist() for c in set(parted.tolist())}
    final = {c: data.draw(st.sampled_from(group)) for c, group in groups.items()}
    chosen = np.array([final[c] for c in parted.tolist()], np.int64)
    forgotten = np.array(data.draw(st.lists(st.booleans(), min_size=len(matches.pairs), max_size=len(matches.pairs))))
    shares = matched(matches)
    expected = {
        (document, final[c]): (
            len(found[document] & found[final[c]]) / len(found[final[c]]),
            len(found[document] & found[final[c]]) / len(found[document]),
        )
        for document in np.flatnonzero(digests).tolist()
        for c in groups
        if c != parted[document] and (document, c) in shares and len(found[c]) < len(found[document])
    }
    whole = contents(digests, parted, chosen, matches, verifier)
    rows = list(zip(whole.digest.tolist(), whole.canonical.tolist(), strict=True))
    assert dict(zip(rows, zip(whole.containment, whole.share, strict=True), strict=True)) == expected
    assert rows == sorted(expected)
    fewer = contents(digests, parted, chosen, matches.where(forgotten.astype(np.bool_)), verifier)
    assert set(zip(fewer.digest.tolist(), fewer.canonical.tolist(), strict=True)) <= set(rows)
