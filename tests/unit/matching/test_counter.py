import numpy as np
import pyarrow as pa
from verifying import unweighed

from dupdetect._compiled import dispatch
from dupdetect._storage.arrays import DiskStorage
from dupdetect._storage.context import Context
from dupdetect.matching import shingle_rows as layouts
from dupdetect.matching.candidates import find
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.hash_join import count_shared, join_orders
from dupdetect.matching.overlaps import NONE
from dupdetect.matching.pairs import pack
from dupdetect.matching.removal import decided
from dupdetect.matching.verify import verify_candidates
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import sketch_texts


def verifier(texts, rows=None, size=2, workers=1):
    rows = np.arange(len(texts)) if rows is None else np.array(rows)
    return unweighed(texts, Settings(shingle_size=size), workers, rows)


def test_documents_without_shingles_share_nothing():
    pair = verifier(["", "one two three", "!!!"]).overlaps(pack(np.array([0, 0]), np.array([1, 2])))
    assert pair.shared.tolist() == [0, 0]
    for shares in (pair.jaccard, pair.containment_a, pair.containment_b, pair.containment, pair.scores(Settings())):
        assert shares.tolist() == [0, 0]
    assert (pair.relations(Settings()) == NONE).all()


def test_texts_are_found_by_the_rows_that_documents_stand_in():
    pair = verifier(["x y z", "a b c", "b c d"], rows=[2, 1]).overlaps(pack(np.array([0]), np.array([1])))
    assert (pair.shared[0], pair.size_a[0], pair.size_b[0]) == (1, 2, 2)


def test_a_document_loaded_again_is_not_cut_again(monkeypatch):
    cut, original = [], layouts.marked_parts

    def noted(texts, rows, *args, **options):
        cut.append(rows.tolist())
        return original(texts, rows, *args, **options)

    monkeypatch.setattr(layouts, "marked_parts", noted)
    counter = verifier(["a b c", "a b d", "a b e", "a b f"])
    first = counter.overlaps(pack(np.array([0]), np.array([2])))
    second = counter.overlaps(pack(np.array([0, 1]), np.array([1, 2])))
    third = counter.overlaps(pack(np.array([0]), np.array([2])))
    assert cut == [[0, 2], [1]]
    assert first.shared.tolist() == third.shared.tolist() == [1]
    assert second.shared.tolist() == [1, 1]


def test_documents_of_pairs_that_are_expected_are_cut_once_and_in_order(monkeypatch):
    cut, original = [], layouts.marked_parts

    def noted(texts, rows, *args, **options):
        cut.append(rows.tolist())
        return original(texts, rows, *args, **options)

    monkeypatch.setattr(layouts, "marked_parts", noted)
    story = "the bridge was closed on monday after an inspection"
    family = [f"{story} {'more ' * number}" for number in range(12)]
    texts = ["two copies of something else", *family, "two copies of something else again", "nothing like it"]
    settings = Settings(shingle_size=2, hot_key_documents=4)
    candidates = find(sketch_texts(pa.array(texts, pa.large_string()), settings))
    assert 0 < len(candidates.star_pairs()) < len(candidates.pairs)
    verify_candidates(candidates, unweighed(texts, settings, 1, np.arange(len(texts))).counter)
    assert cut == [list(range(len(texts) - 1))]


def test_no_pairs_have_no_overlaps():
    none = verifier([]).overlaps(np.empty(0, np.uint64))
    assert len(decided(none, Settings()).pairs) == 0
    assert verifier(["a b"]).overlaps(np.empty(0, np.uint64)).shared.tolist() == []


def test_much_work_is_counted_by_compiled_code(monkeypatch):
    used = []
    monkeypatch.setattr(dispatch, "BREAK_EVEN", 0)
    monkeypatch.setattr(dispatch, "BREAK_EVEN_LOADED", 0)
    monkeypatch.setattr(count_shared, "_interpreted", dispatch.Allowance(0, lambda: True))
    monkeypatch.setattr(count_shared, "compiled", lambda *args: used.append(1) or count_shared.function(*args))
    pair = verifier(["a b c", "a b d"]).overlaps(pack(np.array([0]), np.array([1])))
    assert pair.shared.tolist() == [1]
    assert used


def test_on_disk_the_pairs_of_documents_that_are_connected_follow_one_another(tmp_path):
    texts = pa.array([f"a b c d {family} f g h {number}" for number in range(8) for family in range(5)])
    a, b = np.triu_indices(40, 1)
    pairs = pack(a[(b - a) % 5 == 0], b[(b - a) % 5 == 0])
    with DiskStorage(tmp_path, 1 << 30) as storage:
        counter = PairCounter(texts.cast(pa.large_string()), np.arange(40), Context(Settings(), 1, storage))
        on_disk = counter.overlaps(pairs)
        families = np.concatenate([order.build for order in join_orders(pairs, counter.shingles)]) % 5
        assert np.count_nonzero(np.diff(families)) == 4
    assert on_disk.shared.tolist() == verifier(texts.to_pylist(), size=5).overlaps(pairs).shared.tolist()


def test_on_disk_no_pairs_have_no_overlaps(tmp_path):
    texts = pa.array(["a b", "a b c"], pa.large_string())
    with DiskStorage(tmp_path, 1 << 30) as storage:
        counter = PairCounter(texts, np.arange(2), Context(Settings(), 1, storage))
        assert counter.overlaps(np.empty(0, np.uint64)).shared.tolist() == []


def test_on_disk_a_document_of_a_large_component_is_read_about_once(tmp_path):
    n, rng = 400, np.random.default_rng(1)
    texts = [" ".join(f"w{word}" for word in range(5 * place, 5 * place + 20)) for place in range(n)]
    where = rng.permutation(n)  # neighbours in the chain stand anywhere
    shuffled = [texts[place] for place in np.argsort(where)]
    pairs = np.sort(pack(*np.sort([where[:-1], where[1:]], axis=0)))
    with DiskStorage(tmp_path, 1 << 30) as storage:
        counter = PairCounter(pa.array(shuffled, pa.large_string()), np.arange(n), Context(Settings(), 1, storage))
        counter.expect(pairs)
        counter.shingles.block = 500  # a tenth of all shingles, about
        orders = join_orders(pairs, counter.shingles)
    read = [len(np.unique([order.build, order.probe])) for order in orders]
    assert len(read) >= 10
    assert sum(read) < 1.2 * n
    assert sorted(np.concatenate([order.places for order in orders]).tolist()) == list(range(len(pairs)))
