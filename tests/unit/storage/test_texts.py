import numpy as np
import pyarrow as pa
import pytest

from dupdetect._storage import arrays, texts
from dupdetect._storage.arrays import DiskStorage
from dupdetect._storage.checkpoints import Checkpoints
from dupdetect._storage.texts import PackedTexts, StoredTexts, packed, text_lengths

TEXTS = ["bridge", "", "橋は閉まった", "สะพานปิด", "الجسر", "мост", "पुल", "🌉🚧", "", "harbour", "last " * 50, ""]


def arrow(given):
    return pa.array(given, pa.large_string())


@pytest.fixture(params=[0, 1 << 20], ids=["mapped", "read"])
def checkpoints(tmp_path, monkeypatch, request):
    monkeypatch.setattr(arrays, "SMALL", request.param)  # files that are mapped, and files that are read
    with DiskStorage(tmp_path / "work", 1 << 20) as storage:
        made = Checkpoints(tmp_path / "work", {}, storage, resume=False)
        yield made
        made.close(remove=True)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("block", [1, 20, 1 << 16])
def test_some_texts_are_read_by_position(checkpoints, monkeypatch, block, workers):
    monkeypatch.setattr(texts, "BLOCK", block)
    monkeypatch.setattr(texts, "RUN", 2)
    stored = PackedTexts(checkpoints.put_arrays("texts", packed(arrow(TEXTS), workers)), checkpoints.storage)
    assert len(stored) == len(TEXTS)
    assert stored.nbytes == sum(len(text.encode()) for text in TEXTS)
    assert stored.all().to_pylist() == TEXTS
    for places in ([0, 1, 3, 4, 7, 9], [5], [], [10, 11], [1, 8], list(range(len(TEXTS)))):
        found = stored.some(np.array(places, np.int64), workers)
        assert found.to_pylist() == [TEXTS[place] for place in places]


@pytest.mark.parametrize("given", [[], [""], ["", ""]])
def test_none_and_empty_texts_are_packed(checkpoints, given):
    stored = PackedTexts(checkpoints.put_arrays("texts", packed(arrow(given))), checkpoints.storage)
    assert stored.all().to_pylist() == given


def test_a_slice_is_packed_as_it_is(checkpoints):
    stored = PackedTexts(checkpoints.put_arrays("texts", packed(arrow(TEXTS).slice(2, 5))), checkpoints.storage)
    assert stored.all().to_pylist() == TEXTS[2:7]


def test_parts_may_be_in_memory_or_packed(checkpoints):
    one, two, three = arrow(TEXTS[:4]), arrow(TEXTS[4:]), arrow(["one", "more"])
    second = PackedTexts(checkpoints.put_arrays("texts", packed(two)), checkpoints.storage)
    stored = StoredTexts([one, arrow([]), second, three])
    whole = [*TEXTS, "one", "more"]
    assert len(stored) == len(whole)
    assert stored.lengths.tolist() == [len(text.encode()) for text in whole]
    assert text_lengths(stored).tolist() == text_lengths(pa.chunked_array([arrow(whole)])).tolist()
    for places in ([3, 4], [0, len(whole) - 1], [], list(range(len(whole)))):
        assert stored.some(np.array(places, np.int64)).to_pylist() == [whole[place] for place in places]
    assert len(StoredTexts([])) == 0


def test_prose_takes_half_the_room():
    words = np.random.default_rng(7).zipf(1.3, 100_000) % 20_000
    prose = [" ".join(f"w{word:x}rd" for word in words[at : at + 500]) for at in range(0, len(words), 500)]
    made = packed(arrow(prose))
    assert 2 * len(made["data"]) < made["lengths"].sum()
    assert 1 < len(made["ends"]) < 20
