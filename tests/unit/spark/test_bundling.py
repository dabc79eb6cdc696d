"""Every pair finds both of its documents in its bundle, and bundles are not too large."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.matching.pairs import pack, unpack
from dupdetect.spark.bundling import bundled

EDGES = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=60)


@given(EDGES, st.lists(st.integers(0, 9), min_size=20, max_size=20), st.integers(1, 40))
def test_pairs_and_documents_are_together(edges, sizes, most):
    edges = [(a, b) for a, b in edges if a != b]
    a, b = (np.array([edge[side] for edge in edges], np.int64) for side in (0, 1))
    pairs, sizes = pack(a, b), np.array(sizes, np.int64)
    bundles = bundled(pairs, sizes, most)
    there = set(zip(bundles.bundle.tolist(), bundles.document.tolist(), strict=True))
    for bundle, *pair in zip(bundles.of_pair.tolist(), *(side.tolist() for side in unpack(pairs)), strict=True):
        assert {(bundle, document) for document in pair} <= there
    assert set(bundles.of_pair.tolist()) == set(bundles.bundle.tolist())
    assert len(there) == len(bundles.bundle)
    for bundle in set(bundles.bundle.tolist()):
        within = bundles.document[bundles.bundle == bundle]
        largest = np.sort(sizes[within])[::-1]
        assert largest[2:].sum() <= 2 * most + 2 * largest[:2].sum() + len(within)


def test_small_components_are_whole():
    pairs = pack(np.array([0, 1, 3, 5]), np.array([1, 2, 4, 6]))
    bundles = bundled(pairs, np.full(7, 10), 50)
    assert bundles.of_pair.tolist() == [0, 0, 0, 1]
    assert bundles.document.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_star_is_cut_around_its_centre():
    others = np.arange(1, 101)
    bundles = bundled(pack(np.zeros(100, np.int64), others), np.full(101, 10), 200)
    assert 3 <= len(set(bundles.of_pair.tolist())) <= 6
    assert np.bincount(bundles.document)[0] == len(set(bundles.of_pair.tolist()))
    assert np.bincount(bundles.document)[1:].max() == 1


def test_families_that_hang_together_by_single_pairs_are_moved_about_once():
    """A large component is cut between families: of a pair across two, one document is copied."""
    families, each = 60, 6
    first = np.repeat(np.arange(families) * each, each * each)
    x, y = np.tile(np.repeat(np.arange(each), each), families), np.tile(np.tile(np.arange(each), each), families)
    within = x < y
    a, b = (first + x)[within], (first + y)[within]
    chain = np.arange(families - 1) * each
    pairs = pack(np.concatenate([a, chain]), np.concatenate([b, chain + each]))
    bundles = bundled(pairs, np.full(families * each, 10), 10 * each * 10)
    assert len(set(bundles.bundle.tolist())) < 20
    assert len(bundles.document) < 1.1 * families * each
