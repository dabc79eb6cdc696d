import numpy as np
import pytest
from generated_sites import site
from hypothesis import given
from hypothesis import strategies as st
from verifying import counter

from dupdetect._compiled.dispatch import many_calls
from dupdetect._storage.arrays import DiskStorage
from dupdetect.matching import tally as tallies
from dupdetect.matching.pairs import pack, unpack
from dupdetect.matching.tally import EMPTY, TABLES, add_equal, list_places, summed
from dupdetect.settings import Settings


def counted(values: np.ndarray, counts: np.ndarray | None) -> tuple[list[int], list[int]]:
    """Sum with a dict."""
    sums: dict[int, int] = {}
    for value, count in zip(values.tolist(), [1] * len(values) if counts is None else counts.tolist(), strict=True):
        sums[value] = sums.get(value, 0) + count
    return sorted(sums), [sums[value] for value in sorted(sums)]


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 7, 2**31, 2**59, 2**60 - 1]) | st.integers(0, 2**60 - 1), st.integers(-9, 9))
    ),
    st.booleans(),
)
def test_equal_values_are_summed(rows: list[tuple[int, int]], each_is_one: bool):
    """Hashes with marks of none, however unevenly they are spread; a sum may be 0, or less."""
    values = np.array([value for value, _ in rows], np.uint64) << np.uint64(4)
    counts = None if each_is_one else np.array([count for _, count in rows], np.int32)
    expected = counted(values, counts)
    found, sums = summed(values.copy(), counts)
    assert (found.tolist(), sums.tolist()) == expected
    assert (found.dtype, sums.dtype) == (np.uint64, np.int32)


@pytest.mark.parametrize("distinct", [1, 50, 3_000, 100_000, 400_000])
@pytest.mark.parametrize("each_is_one", [True, False])
def test_many_values_are_summed(distinct: int, each_is_one: bool):
    """In tables of each size, and where none is large enough."""
    chance = np.random.default_rng(distinct)
    hashes = chance.integers(0, 2**60, distinct, dtype=np.uint64) << np.uint64(4)
    values = np.concatenate([hashes, chance.choice(hashes, 1_000)])
    counts = None if each_is_one else chance.integers(-3, 9, len(values)).astype(np.int32)
    with many_calls():
        found, sums = summed(values.copy(), counts)
    whole, place = np.unique(values, return_inverse=True)
    assert np.array_equal(found, whole)
    assert np.array_equal(sums, np.bincount(place, counts).astype(np.int32))
    assert (distinct > 1 << TABLES[-1] - 1) == (distinct == 400_000)


def test_compiled_tables_are_as_interpreted_ones():
    chance = np.random.default_rng(3)
    values = chance.integers(0, 40, 90, dtype=np.uint64) << np.uint64(58)
    counts = chance.integers(-3, 9, 90).astype(np.int32)
    values.flags.writeable = counts.flags.writeable = False
    tables = []
    for form in ("function", "compiled"):
        table, sums = np.full(128, EMPTY), np.zeros(128, np.int32)
        taken = getattr(add_equal, form)(values, counts, np.uint64(0), np.uint64(58), table, sums)
        tables.append(
            [taken, table.tolist(), sums.tolist(), *map(np.ndarray.tolist, getattr(list_places, form)(table, sums))]
        )
    assert tables[0] == tables[1]
    assert tables[0][0] < 90, "there was no room for the last"


def test_pages_of_one_site_are_summed_together_wherever_they_stand(monkeypatch, tmp_path):
    """What is spilled for a shingle is an entry for each block in which it is shared: a few, and not all of them."""
    sites, pages = 6, 8
    texts = [list(site("en", f"site{number}", pages).values()) for number in range(sites)]
    mixed = [texts[number][page] for page in range(pages) for number in range(sites)]
    a, b = np.triu_indices(len(mixed), 1)
    pairs = pack(a, b)[a % sites == b % sites]
    entries = []

    def noted(values, counts=None):
        found = summed(values, counts)
        entries.append(0 if counts is not None else len(found[0]))
        return found

    monkeypatch.setattr(tallies, "summed", noted)
    with DiskStorage(tmp_path, 1 << 30) as storage:
        made = counter(mixed, Settings(), storage=storage)
        made.shingles.load(pairs)
        made.shingles.block = int(made.shingles.lengths[np.minimum(*unpack(pairs))].sum()) // (2 * sites)
        shingles, _ = made.tally(made.sharing(pairs))
    assert sum(count > 0 for count in entries) > 2 * sites
    assert sum(entries) < 4 * len(shingles)
