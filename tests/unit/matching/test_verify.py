import numpy as np
import oracles
import pytest
from verifying import unweighed

from dupdetect._compiled import dispatch
from dupdetect.matching import shingle_rows as layouts
from dupdetect.matching.hash_join import count_shared
from dupdetect.matching.overlaps import CONTAINED, CONTAINS, NEAR_DUPLICATE, NONE, RELATIONS, Overlaps
from dupdetect.matching.pairs import pack
from dupdetect.settings import Settings


def overlap(shared, size_a, size_b):
    return Overlaps(pack(np.array([0]), np.array([1])), *(np.array([n], np.int64) for n in (shared, size_a, size_b)))


def verifier(texts, rows=None, size=2, workers=1):
    rows = np.arange(len(texts)) if rows is None else np.array(rows)
    return unweighed(texts, Settings(shingle_size=size), workers, rows)


@pytest.mark.parametrize(
    ("shared", "size_a", "size_b", "expected"),
    [
        (80, 90, 90, NEAR_DUPLICATE),  # 80 of 100
        (79, 90, 90, CONTAINED),  # 79 of 101: the larger b holds a, or either the other
        (100, 100, 125, NEAR_DUPLICATE),
        (100, 100, 126, CONTAINED),
        (100, 126, 100, CONTAINS),
        (70, 100, 1000, CONTAINED),
        (70, 1000, 100, CONTAINS),
        (69, 1000, 100, NONE),
        (16, 16, 1000, CONTAINED),
        (15, 15, 1000, NONE),  # a quotation
        (15, 1000, 15, NONE),
        (4, 4, 5, NEAR_DUPLICATE),  # however short
        (0, 50, 50, NONE),
    ],
)
def test_a_pair_is_judged_by_jaccard_and_then_by_containment(shared, size_a, size_b, expected):
    settings = Settings(threshold=0.8, containment=0.7, min_shingles=16)
    code = overlap(shared, size_a, size_b).relations(settings)[0]
    assert RELATIONS[code] == RELATIONS[expected]


def test_shares_are_those_of_the_sets():
    pair = overlap(30, 40, 120)
    assert pair.jaccard[0] == 30 / 130
    assert (pair.containment_a[0], pair.containment_b[0], pair.containment[0]) == (30 / 40, 30 / 120, 30 / 40)
    assert (pair.a.tolist(), pair.b.tolist()) == ([0], [1])


def test_the_score_is_what_was_held_against_its_threshold():
    settings = Settings()
    assert overlap(80, 90, 90).scores(settings)[0] == 0.8
    assert overlap(30, 40, 120).scores(settings)[0] == 0.75


def test_documents_without_shingles_share_nothing():
    pair = verifier(["", "one two three", "!!!"]).overlaps(pack(np.array([0, 0]), np.array([1, 2])))
    assert pair.shared.tolist() == [0, 0]
    for shares in (pair.jaccard, pair.containment_a, pair.containment_b, pair.containment, pair.scores(Settings())):
        assert shares.tolist() == [0, 0]
    assert (pair.relations(Settings()) == NONE).all()


def test_texts_are_found_by_the_rows_that_documents_stand_in():
    pair = verifier(["x y z", "a b c", "b c d"], rows=[2, 1]).overlaps(pack(np.array([0]), np.array([1])))
    assert (pair.shared[0], pair.size_a[0], pair.size_b[0]) == (1, 2, 2)


def test_a_document_met_again_is_not_cut_again(monkeypatch):
    cut, original = [], layouts.marked_shingles

    def noted(texts, rows, *args, **options):
        cut.append(rows.tolist())
        return original(texts, rows, *args, **options)

    monkeypatch.setattr(layouts, "marked_shingles", noted)
    counter = verifier(["a b c", "a b d", "a b e", "a b f"])
    first = counter.overlaps(pack(np.array([0]), np.array([2])))
    second = counter.overlaps(pack(np.array([0, 1]), np.array([1, 2])))
    third = counter.overlaps(pack(np.array([0]), np.array([2])))
    assert cut == [[0, 2], [1]]
    assert first.shared.tolist() == third.shared.tolist() == [1]
    assert second.shared.tolist() == [1, 1]


def test_no_pairs_have_no_overlaps():
    none = verifier([]).overlaps(np.empty(0, np.uint64))
    assert len(none.matches(Settings()).pairs) == 0
    assert verifier(["a b"]).overlaps(np.empty(0, np.uint64)).shared.tolist() == []


def test_overlaps_are_united_by_pair():
    texts = ["a b c", "a b d", "b c d", "a b c d"]
    counter = verifier(texts)
    one = counter.overlaps(pack(np.array([0, 2]), np.array([1, 3])))
    other = counter.overlaps(pack(np.array([0, 0]), np.array([3, 1])))
    both = one | other
    assert list(zip(both.a.tolist(), both.b.tolist(), strict=True)) == [(0, 1), (0, 3), (2, 3)]
    for a, b, shared in zip(both.a, both.b, both.shared, strict=True):
        assert shared == len(oracles.shingles(texts[a], 2) & oracles.shingles(texts[b], 2))


def test_much_work_is_counted_by_compiled_code(monkeypatch):
    used = []
    monkeypatch.setattr(dispatch, "BREAK_EVEN", 0)
    monkeypatch.setattr(dispatch, "BREAK_EVEN_LOADED", 0)
    monkeypatch.setattr(count_shared, "compiled", lambda *args: used.append(1) or count_shared.function(*args))
    pair = verifier(["a b c", "a b d"]).overlaps(pack(np.array([0]), np.array([1])))
    assert pair.shared.tolist() == [1]
    assert used
