"""Shares of shingles against Python's sets."""

from itertools import combinations

import numpy as np
import oracles
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.candidates import pack
from dupdetect.settings import UNITS, Settings
from dupdetect.sketches import Ragged
from dupdetect.verify import RELATIONS, Verifier, count_shared

TEXTS = st.lists(st.lists(st.sampled_from("abc漢"), max_size=15).map(" ".join), min_size=2, max_size=6)


@given(TEXTS, st.integers(1, 4), st.integers(1, 3))
def test_shares_are_exact(texts, size, workers):
    a, b = np.array(list(combinations(range(len(texts)), 2))).T
    verifier = Verifier(pa.array(texts, pa.large_string()), np.arange(len(texts)), Settings(shingle_size=size), workers)
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
    settings = Settings(shingle_size=size, unit=unit, threshold=threshold, containment=containment, least=least)
    a, b = np.array(list(combinations(range(len(texts)), 2))).T
    verifier = Verifier(pa.array(texts, pa.large_string()), np.arange(len(texts)), settings, 1)
    codes = verifier.overlaps(pack(a, b)).relations(settings)
    for code, (x, y) in zip(codes, combinations(texts, 2), strict=True):
        expected = oracles.relation(x, y, settings)
        if expected != "identical":  # known before, from the digests
            assert RELATIONS[code] == (expected or "none")


@given(st.lists(st.sets(st.integers(0, 15)), min_size=1, max_size=6), st.data())
def test_counting_is_the_same_compiled(sets, data):
    rows = Ragged.of([np.array([*row, *sorted(row)[:2]], np.uint64) for row in sets])  # in any order, with repeats
    kept = data.draw(st.integers(0, len(sets)))
    slots, cut = np.split(rows.values, [rows.offsets[kept]])  # of some the hashes were kept, others were cut again
    arrays = (slots, cut, rows.offsets[:-1], rows.lengths)
    numbers = st.lists(st.integers(0, len(sets) - 1), min_size=4, max_size=4)
    a, b = (np.array(data.draw(numbers), np.int64) for _ in range(2))
    need = np.array(data.draw(st.lists(st.integers(0, 16), min_size=4, max_size=4)), np.int64)
    interpreted, compiled = count_shared.function(*arrays, a, b, need), count_shared.compiled(*arrays, a, b, need)
    assert interpreted.tolist() == compiled.tolist()
    assert interpreted.dtype == compiled.dtype == np.int64
    for counted, least, x, y in zip(interpreted, need, a, b, strict=True):
        shared = len(sets[x] & sets[y])
        assert counted == shared or counted < least > shared


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.8, 1.0]), st.sampled_from([0.4, 0.7, 1.0]))
def test_giving_up_early_loses_no_match(seed, threshold, containment):
    random = np.random.default_rng(seed)
    pool = np.array([f"{n}" for n in range(400)])  # long texts: a count is given up on the way
    texts = [" ".join(pool[random.random(400) < share]) for share in (0.1, 0.5, 0.7, 0.9, 0.95)]
    settings = Settings(shingle_size=1, threshold=threshold, containment=containment, least=1)
    a, b = np.array(list(combinations(range(len(texts)), 2))).T
    verifier = Verifier(pa.array(texts, pa.large_string()), np.arange(len(texts)), settings, 1)
    counted, found = verifier.overlaps(pack(a, b)).matches(settings), verifier.matches(pack(a, b), settings)
    assert found.pairs.tolist() == counted.pairs.tolist()
    assert found.shared.tolist() == counted.shared.tolist()
