"""Candidates against datasketch and against a count of shared keys, on documents that really collide."""

import tempfile
from itertools import pairwise

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupdetect._storage.arrays import DiskStorage, Storage
from dupdetect._storage.context import Context
from dupdetect.matching import candidates
from dupdetect.matching import keys as keys_of
from dupdetect.matching.candidates import (
    are_enough,
    find,
    find_by_keys,
    find_shared,
    invert_groups,
    join_documents,
    of_shared,
)
from dupdetect.matching.keys import Keys, Source, sort_into_buckets
from dupdetect.matching.pairs import unpack
from dupdetect.settings import Settings
from dupdetect.sketches import bands
from dupdetect.sketches.sketches import Ragged, Sketches

KEYS = st.lists(st.sets(st.integers(0, 12), max_size=6), max_size=14)


def sketches_of(signatures, fingerprints, settings):
    n = len(fingerprints)
    return Sketches(
        settings,
        np.ones(n, np.int64),
        np.zeros((n, 2), np.uint64),
        bands.keys(signatures, *settings.banding),
        Ragged.of([np.array(sorted(row), np.uint64) for row in fingerprints]),
    )


def listed(pairs):
    return list(zip(*(side.tolist() for side in unpack(pairs)), strict=True))


@given(
    st.sampled_from([(1, 1), (2, 3), (4, 2), (8, 1), (2, 4), (3, 2)]),
    st.integers(0, 30),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_candidates_by_bands_are_exactly_those_of_datasketch(banding, n, values, seed):
    if banding[0] < 2:
        banding = (2, 1)  # datasketch wants two bands
    signatures = np.random.default_rng(seed).integers(0, values + 1, (n, 8), dtype=np.uint32)
    settings = Settings(num_perm=8, bands=banding, hot_key_documents=1000)
    found = find(sketches_of(signatures, [()] * n, settings))
    assert listed(found.pairs) == oracles.lsh_pairs(signatures, *banding)


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_candidates_of_chosen_bands_are_exactly_those_of_datasketch(threshold):
    random = np.random.default_rng(5)
    signatures = random.integers(0, 2**32, (60, 128), dtype=np.uint32)
    for copy in range(1, 60):  # each a copy of the one before, changed in a growing share of its entries
        same = random.random(128) > copy / 100
        signatures[copy, same] = signatures[copy - 1, same]
    settings = Settings(threshold=threshold, hot_key_documents=1000)
    found = find(sketches_of(signatures, [()] * 60, settings))
    assert listed(found.pairs) == oracles.lsh_pairs(signatures, *settings.banding)
    assert len(found.pairs) > 20


def enough(fewer, share):
    """Give how many shared keys are enough: the share, less two standard deviations of a binomial."""
    return share * fewer - 2 * np.sqrt(share * (1 - share)) * np.sqrt(fewer)


def meetings(holders, keys, a, b, reach):
    """Count the keys by which b meets a: among the first that have the key, or shortly before b."""
    places = ((holders[key].index(a), holders[key].index(b)) for key in keys)
    return sum(first < reach.first or second - first <= reach.before for first, second in places)


def expected(rows, frequent, share):
    """Count what documents share: {pair} by rare keys, {pair} by frequent ones."""
    holders = {key: [n for n, row in enumerate(rows) if key in row] for key in set().union(*rows)}
    common = {key for key, members in holders.items() if len(members) > frequent}
    dense, sparse = set(), set()
    for b, row in enumerate(rows):
        for a in range(b):
            shared = rows[a] & row
            fewer = min(len(rows[a] - common), len(row - common))
            if shared - common and len(shared - common) >= enough(fewer, share):
                dense.add((a, b))
        for reach in candidates.STAR:
            met = {a: times for a in range(b) if (times := meetings(holders, rows[a] & row & common, a, b, reach))}
            for a in sorted(met, key=lambda a: (-met[a], a))[: reach.most]:
                if met[a] >= enough(min(len(rows[a] & common), len(row & common)), share):
                    sparse.add((a, b))
    return dense, sparse


@given(KEYS, st.integers(2, 6), st.sampled_from([0.1, 0.25, 0.5, 1.0]), st.integers(1, 3))
def test_candidates_by_fingerprints_are_those_of_a_count(rows, frequent, share, workers):
    n = len(rows)
    signatures = np.arange(2 * n, dtype=np.uint32).reshape(n, 2)  # no two bands are equal
    settings = Settings(num_perm=2, bands=(2, 1), hot_key_documents=frequent, min_shared_fingerprints=share)
    found = find(sketches_of(signatures, rows, settings), workers=workers)
    dense, sparse = expected(rows, frequent, share)
    assert set(listed(found.sampled)) == sparse
    assert set(listed(found.pairs)) == dense | sparse


@given(KEYS, st.integers(2, 6), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_parts_threads_and_storage_change_nothing(rows, frequent, workers, parts, seed):
    random = np.random.default_rng(seed)
    n = len(rows)
    rows = [{key << 20 for key in row} for row in rows]  # in many buckets
    settings = Settings(num_perm=2, bands=(2, 1), hot_key_documents=frequent)
    whole = find(sketches_of(np.arange(2 * n, dtype=np.uint32).reshape(n, 2), rows, settings))
    order = random.permutation(n)  # documents come in any order, and some do not count
    number = np.append(order, [-1, -1]).astype(np.int32)
    shuffled = [rows[at] for at in order] + [{1 << 20, 2 << 20}] * 2
    cuts = [0, *sorted(random.integers(0, n + 3, parts).tolist()), n + 2]
    ragged = [Ragged.of([np.array(sorted(row), np.uint64) for row in shuffled[a:b]]) for a, b in pairwise(cuts)]
    keys = [Keys.of(part.values, part.offsets, first) for part, first in zip(ragged, cuts[:-1], strict=True)]
    source = Source(keys, np.array([len(row) for row in shuffled]), settings.min_shared_fingerprints)
    with tempfile.TemporaryDirectory() as folder, DiskStorage(folder, 0) as disk:
        disk.array_bytes = 64
        for storage in (Storage(), disk):
            found = find_by_keys([source], number, Context(settings, workers, storage))
            assert found.pairs.tolist() == whole.pairs.tolist()
            assert found.sampled.tolist() == whole.sampled.tolist()
            assert found.hot_keys == whole.hot_keys
            active = random.random(n) < 0.5
            again, expected = (one.among(active) for one in (found, whole))
            assert again.pairs.tolist() == expected.pairs.tolist()


@given(KEYS, st.sampled_from([0.0, 0.3, 1.0]), st.integers(2, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_keys_may_be_searched_in_parts(rows, share, hot, parts, seed):
    """Whoever knows all documents of a key finds what they share of it; the sums say what all of them together say."""
    ragged = Ragged.of([np.array(sorted(row), np.uint64) for row in rows])
    n, context = len(rows), Context(Settings(hot_key_documents=hot), 1)
    number = np.arange(n, dtype=np.int32)
    whole = find_by_keys([Source([Keys.of(ragged.values, ragged.offsets)], ragged.lengths, share)], number, context)
    random = np.random.default_rng(seed)
    of_key, documents = random.integers(0, parts, 13), np.repeat(np.arange(n), ragged.lengths)
    within = [np.flatnonzero(of_key[ragged.values.astype(np.int64)] == part) for part in range(parts)]
    found = [find_shared(ragged.values[part], documents[part], context) for part in within]
    hot_keys = tuple(
        np.concatenate(column) for column in zip(*((one.sizes, one.members) for one in found), strict=True)
    )
    pairs = np.concatenate([one.pairs for one in found])
    distinct, place = np.unique(pairs, return_inverse=True)
    shared = np.bincount(place, np.concatenate([one.shared for one in found]), len(distinct))
    lengths = ragged.lengths - np.bincount(hot_keys[1], minlength=n)
    few = distinct[are_enough(shared, np.minimum(*(lengths[side] for side in unpack(distinct))), share)]
    together = of_shared(few, [hot_keys], [share], n, context)
    assert listed(together.pairs) == listed(whole.pairs)
    assert listed(together.sampled) == listed(whole.sampled)
    assert together.hot_keys == whole.hot_keys
    active = random.random(n) < 0.5
    assert listed(together.among(active).pairs) == listed(whole.among(active).pairs)


@given(KEYS, st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), st.sampled_from([0.0, 0.3]))
def test_the_join_is_the_same_compiled(rows, reach, share):
    groups = {key: [n for n, row in enumerate(rows) if key in row] for key in sorted(set().union(*rows))}
    members = np.concatenate([np.empty(0, np.int32), *map(np.array, groups.values())]).astype(np.int32)
    starts = np.cumsum([0, *map(len, groups.values())])
    degrees = np.array([len(row) for row in rows], np.int64)
    turned = starts, members, degrees, 0, len(rows)
    both = [loop(*turned) for loop in (invert_groups.function, invert_groups.compiled)]
    for one, other in zip(*both, strict=True):
        assert one.tolist() == other.tolist()
    arguments = (members, *both[0], degrees, share, *reach, 0)
    interpreted, compiled = join_documents.function(*arguments), join_documents.compiled(*arguments)
    for one, other, type_ in zip(interpreted, compiled, (np.uint64, np.int32), strict=True):
        assert one.tolist() == other.tolist()
        assert one.dtype == other.dtype == type_


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=5), max_size=5))
def test_buckets_are_the_same_compiled_and_lose_no_key(rows):
    ragged = Ragged.of([np.array(row, np.uint64) for row in rows])
    both = [loop(ragged.values, ragged.offsets) for loop in (sort_into_buckets.function, sort_into_buckets.compiled)]
    for one, other in zip(*both, strict=True):
        assert one.tolist() == other.tolist()
    keys, documents, bounds = both[0]
    laid = sorted(zip(documents.tolist(), keys.tolist(), strict=True))
    assert laid == sorted((at, key) for at, row in enumerate(rows) for key in row)
    buckets = np.repeat(np.arange(keys_of.BUCKETS), np.diff(bounds))
    assert buckets.tolist() == (keys >> np.uint64(keys_of.SHIFT) & np.uint64(keys_of.BUCKETS - 1)).tolist()


@given(st.integers(20, 60), st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_pairs_grow_with_documents_and_not_with_their_square(n, frequent, seed):
    random = np.random.default_rng(seed)
    rows = [set(random.integers(0, 4, 3).tolist()) for _ in range(10 * n)]
    signatures = random.integers(0, 2, (10 * n, 2), dtype=np.uint32)
    settings = Settings(num_perm=2, bands=(2, 1), hot_key_documents=frequent)
    found = find(sketches_of(signatures, rows, settings))
    keys, links = 2 + 3, 2 * sum(reach.most for reach in candidates.STAR)
    assert len(found.pairs) <= (keys * frequent + links) * len(rows)
