"""Shares of shingles against Python's sets."""

from itertools import combinations

import numpy as np
import oracles
from hypothesis import given
from hypothesis import strategies as st
from verifying import unweighed

from dupdetect.matching.hash_join import JoinOrder, count_shared
from dupdetect.matching.overlaps import RELATIONS
from dupdetect.matching.pairs import pack
from dupdetect.matching.removal import decided
from dupdetect.matching.shingle_rows import Rows, even_cuts, mark_repeats, whole_cuts
from dupdetect.settings import UNITS, Settings

TEXTS = st.lists(st.lists(st.sampled_from("abc漢"), max_size=15).map(" ".join), min_size=2, max_size=6)


@given(TEXTS, st.integers(1, 4), st.integers(1, 3))
def test_shares_are_exact(texts, size, workers):
    a, b = np.array(list(combinations(range(len(texts)), 2))).T
    verifier = unweighed(texts, Settings(shingle_size=size), workers)
    found = verifier.overlaps(pack(a, b))
    sets = [oracles.shingles(text, size) for text in texts]
    for place, (x, y) in enumerate(combinations(sets, 2)):
        assert found.jaccard[place] == oracles.jaccard(x, y)
        assert found.containment_a[place] == oracles.share(x, y)
        assert found.containment_b[place] == oracles.share(y, x)
        assert found.containment[place] == max(oracles.share(x, y), oracles.share(y, x))


@given(
    TEXTS, st.integers(1, 3), st.sampled_from(UNITS), st.sampled_from([0.3, 0.5, 0.8, 1.0]),
    st.sampled_from([0.4, 0.7, 1.0]), st.integers(1, 5),
)  # fmt: skip
def test_relations_are_those_of_the_sets(texts, size, unit, threshold, containment, least):
    settings = Settings(shingle_size=size, unit=unit, threshold=threshold, containment=containment, min_shingles=least)
    a, b = np.array(list(combinations(range(len(texts)), 2))).T
    verifier = unweighed(texts, settings, 1)
    codes = verifier.overlaps(pack(a, b)).relations(settings)
    for code, (x, y) in zip(codes, combinations(texts, 2), strict=True):
        expected = oracles.relation(x, y, settings)
        if expected != "identical":  # known before, from the digests
            assert RELATIONS[code] == (expected or "none")


@given(st.lists(st.lists(st.integers(0, 15), max_size=20), min_size=1, max_size=6), st.data())
def test_counting_is_the_same_compiled(rows, data):
    marked = [np.array([value << 4 | value % 2 for value in row], np.uint64) for row in rows]
    lengths = np.array([len(row) for row in rows], np.int64)
    bounds = np.append(0, np.cumsum(lengths))
    numbers = st.lists(st.integers(0, len(rows) - 1), min_size=4, max_size=4)
    build, probe = (np.array(data.draw(numbers), np.int32) for _ in range(2))
    need = np.array(data.draw(st.lists(st.integers(0, 16), min_size=4, max_size=4)), np.int64)
    found = []
    for twin in ("function", "compiled"):
        values, shared = np.empty(lengths.sum(), np.uint64), np.empty(4, np.int32)
        sizes = getattr(mark_repeats, twin)(np.concatenate(marked), bounds, values)
        assert sizes.tolist() == [len(set(row)) for row in rows]
        made = Rows(bounds[:-1], lengths.astype(np.int32), sizes, values)
        getattr(count_shared, twin)(made, JoinOrder(np.arange(4), build, probe), need, shared)
        found.append((values.tolist(), shared.tolist()))
    assert found[0] == found[1]
    for counted, least, x, y in zip(shared, need, build, probe, strict=True):
        common = len(set(rows[x]) & set(rows[y]))
        assert counted == common or counted < least > common


@given(st.lists(st.integers(0, 9), max_size=9), st.integers(1, 12), st.integers(1, 5))
def test_cuts_leave_nothing_out(costs, most, blocks):
    array = np.array(costs, np.int64)
    for cuts in (whole_cuts(array, most), even_cuts(array, blocks)):
        assert [place for cut in cuts for place in range(*cut)] == list(range(len(costs)))
        assert all(first < last for first, last in cuts)
    assert all(sum(costs[first:last]) <= most or last - first == 1 for first, last in whole_cuts(array, most))
    assert len(even_cuts(array, blocks)) <= blocks


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.8, 1.0]), st.sampled_from([0.4, 0.7, 1.0]))
def test_giving_up_early_loses_no_match(seed, threshold, containment):
    random = np.random.default_rng(seed)
    pool = np.array([f"{n}" for n in range(400)])  # long texts: a count is given up on the way
    texts = [" ".join(pool[random.random(400) < share]) for share in (0.1, 0.5, 0.7, 0.9, 0.95)]
    settings = Settings(shingle_size=1, threshold=threshold, containment=containment, min_shingles=1)
    a, b = np.array(list(combinations(range(len(texts)), 2))).T
    verifier = unweighed(texts, settings, 1)
    counted, found = decided(verifier.overlaps(pack(a, b)), settings), verifier.matches(pack(a, b))
    assert found.pairs.tolist() == counted.pairs.tolist()
    assert found.shared.tolist() == counted.shared.tolist()
