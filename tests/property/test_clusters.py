"""Clusters of random matches: what must hold of every one, and a naive version of the rule."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.candidates import pack
from dupdetect.clusters import cleanness, cluster, take_matches
from dupdetect.verify import Overlaps


@st.composite
def graphs(draw):
    """Draw a number of documents and matches among some of them."""
    n = draw(st.integers(1, 9))
    pairs = list(combinations(range(n), 2))
    chosen = sorted(draw(st.sets(st.sampled_from(pairs)))) if pairs else []
    sizes = draw(st.lists(st.integers(3, 6), min_size=n, max_size=n))
    shared = [draw(st.integers(1, min(sizes[a], sizes[b]))) for a, b in chosen]
    a, b = np.array(chosen, np.int64).reshape(-1, 2).T
    size = np.array(sizes, np.int64)
    return n, Overlaps(pack(a, b), np.array(shared, np.int64), size[a], size[b])


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
        assert shares[document, canonical[document]] == max(shares[document, other] for other in others)


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


@given(graphs(), st.integers(0, 2**32 - 1))
def test_clustering_is_the_same_compiled(graph, seed):
    n, matches = graph
    random = np.random.default_rng(seed)
    source = np.concatenate([matches.a, matches.b])
    order = np.argsort(source, kind="stable")
    neighbours = np.concatenate([matches.b, matches.a])[order]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))]).astype(np.int64)
    preference = np.tile(random.integers(0, 3, len(matches.pairs)), 2)[order]
    sequence = random.permutation(n)
    place = np.argsort(sequence)
    arguments = bounds, neighbours, preference, sequence, place
    interpreted, compiled = take_matches.function(*arguments), take_matches.compiled(*arguments)
    assert interpreted.tolist() == compiled.tolist()
    assert interpreted.dtype == compiled.dtype == np.int64
