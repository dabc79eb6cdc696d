import numpy as np
import pytest

from dupdetect.matching.candidates import find, needed_fingerprints
from dupdetect.matching.pairs import unpack
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import Ragged, Sketches


def sketches_of(band_keys, fingerprints, **settings):
    """Make sketches of these keys, a row a document."""
    n = len(band_keys)
    keys = np.array(band_keys, np.uint64)
    ragged = Ragged.of([np.array(row, np.uint64) for row in fingerprints])
    return Sketches(Settings(**settings), np.ones(n, np.int64), np.zeros((n, 2), np.uint64), keys, ragged)


def listed(pairs):
    return list(zip(*(side.tolist() for side in unpack(pairs)), strict=True))


def lone(n, bands=2):
    """Give keys that no two documents share."""
    return 10**6 + np.arange(n * bands).reshape(n, bands)


def test_an_equal_band_makes_a_candidate():
    found = find(sketches_of([[1, 2], [1, 3], [4, 3], [5, 6]], [[]] * 4))
    assert listed(found.pairs) == [(0, 1), (1, 2)]
    assert (len(found.sampled), found.hot_keys) == (0, 0)


@pytest.mark.parametrize(("common", "expected"), [(40, [(0, 1)]), (39, []), (100, [(0, 1)]), (1, [])])
def test_enough_shared_fingerprints_of_whoever_has_fewer_make_a_candidate(common, expected):
    # Of 100 fingerprints half, 50, less two standard deviations of sqrt(100 / 4) = 5 each.
    few, many = list(range(100)), [*range(common), *range(1000, 1500)]
    assert listed(find(sketches_of(lone(2), [few, many], min_shared_fingerprints=0.5)).pairs) == expected


@pytest.mark.parametrize(("common", "expected"), [(3, []), (4, [(0, 1)])])
def test_where_all_must_be_shared_none_may_lack(common, expected):
    few, many = [1, 2, 3, 4], [*range(1, common + 1), *range(100, 200)]
    assert listed(find(sketches_of(lone(2), [few, many], min_shared_fingerprints=1.0)).pairs) == expected


def test_of_few_fingerprints_one_is_enough():
    assert listed(find(sketches_of(lone(2), [[1, 2, 3, 4], [1, 5, 6, 7]], min_shared_fingerprints=0.5)).pairs) == [
        (0, 1)
    ]


def test_no_documents_and_one_document_have_no_candidates():
    for n in (0, 1):
        found = find(sketches_of(lone(n), [[7]] * n))
        assert (len(found.pairs), len(found.sampled), found.hot_keys) == (0, 0, 0)


def test_fingerprints_and_band_keys_are_told_apart():
    assert listed(find(sketches_of([[7], [8]], [[8], [7]])).pairs) == []


def test_a_key_of_as_many_documents_as_the_setting_says_is_joined_in_full():
    found = find(sketches_of(lone(10), [[7]] * 10, hot_key_documents=10))
    assert len(found.pairs) == 45
    assert (len(found.sampled), found.hot_keys) == (0, 0)


def test_a_key_of_more_documents_links_them_to_the_first_two_and_to_a_neighbour():
    found = find(sketches_of(lone(11), [[7]] * 11, hot_key_documents=10))
    expected = {(a, b) for b in range(11) for a in (0, 1, max(b - 2, 0)) if a < b}
    assert set(listed(found.pairs)) == expected
    assert listed(found.sampled) == sorted(expected)
    assert found.hot_keys == 1


def test_hot_bands_are_sampled_too():
    found = find(sketches_of([[7]] * 1000, [[]] * 1000, hot_key_documents=10))
    assert len(found.pairs) < 4 * 1000
    assert found.hot_keys == 1


def test_a_hot_fingerprint_does_not_count_against_the_others():
    # Of three fingerprints two are everyone's; of what is left these two documents share all.
    everyone = [[1, 2, 100 + n] for n in range(20)]
    everyone[11][2] = everyone[18][2] = 99
    found = find(sketches_of(lone(20), everyone, hot_key_documents=10, min_shared_fingerprints=1.0))
    assert (11, 18) in listed(found.pairs)
    assert (11, 18) not in listed(found.sampled)


def test_among_fewer_documents_a_hot_key_is_one_no_more():
    sketches = sketches_of(lone(30), [[7]] * 30, hot_key_documents=10)
    first = find(sketches)
    assert first.hot_keys == 1
    active = np.arange(30) % 3 == 0
    found = first.among(active)
    members = np.flatnonzero(active).tolist()
    assert listed(found.pairs) == [(a, b) for a in members for b in members if a < b]
    assert found.hot_keys == 0
    assert len(first.among(np.zeros(30, np.bool_)).pairs) == 0


def test_candidates_do_not_depend_on_workers():
    random = np.random.default_rng(3)
    keys = random.integers(0, 40, (200, 4)) + 1000 * np.arange(4)
    fingerprints = [np.unique(random.integers(0, 60, 6)) for _ in range(200)]
    found = [
        find(sketches_of(keys, fingerprints, hot_key_documents=8, min_shared_fingerprints=0.4), workers=workers)
        for workers in (1, 2, 3, 50)
    ]
    assert len({one.pairs.tobytes() for one in found}) == 1
    assert len({one.sampled.tobytes() for one in found}) == 1


def test_more_pairs_than_the_buffer_holds_are_all_kept():
    n = 120
    found = find(sketches_of(lone(n), [[7]] * n, hot_key_documents=n))
    assert len(found.pairs) == n * (n - 1) // 2 > 1024


@pytest.mark.parametrize(
    ("fewer", "share", "needed"), [(100, 0.5, 40), (4, 0.5, 1), (0, 0.5, 1), (50, 1.0, 50), (9, 0.0, 1)]
)
def test_needed_fingerprints_are_a_share_less_two_deviations_and_one_at_least(fewer, share, needed):
    assert needed_fingerprints(fewer, share) == needed
    assert needed_fingerprints(np.array([fewer]), share).tolist() == [needed]
