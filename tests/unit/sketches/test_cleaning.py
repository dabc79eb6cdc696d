"""Many texts are cleaned as each is, by the reference and compiled; what is clean is handed back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dupdetect._compiled import kernels
from dupdetect.sketches import cleaning
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.text.clean import clean

MIXED = ["plain", "soft\u00adness", "", "exam-\nple", "تُفَّاح", "東京", "\u200b", "x" * 100] * 30
CLEAN = ["plain", "", "東京 “quoted”", "well-known\n- item", "x" * 100] * 30


@pytest.fixture(params=["reference", "compiled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Clean by the reference, then compiled."""
    name: str = request.param
    if name == "compiled":
        pytest.importorskip("numba")
    monkeypatch.setattr(cleaning, "reference_is_faster", lambda _: name == "reference")
    return name


def large(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


@pytest.mark.usefixtures("way")
def test_texts_are_each_cleaned() -> None:
    assert clean_texts(large(MIXED)).equals(large([clean(text) for text in MIXED]))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("texts", [large(CLEAN), pa.chunked_array([large(CLEAN), large([]), large(CLEAN)]), large([])])
def test_clean_texts_are_handed_back(texts: pa.Array | pa.ChunkedArray) -> None:
    assert clean_texts(texts) is texts


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("workers", [1, 3])
def test_chunks_slices_and_threads(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "BLOCK_BYTES", 50)
    whole = large(MIXED)
    texts = pa.chunked_array([whole.slice(5, 70), large([]), whole.slice(0, 1), whole.slice(100)])
    cleaned = clean_texts(texts, workers=workers)
    assert cleaned.type == texts.type
    assert cleaned.to_pylist() == [clean(text) for text in texts.to_pylist()]
    cleaned.validate(full=True)
    assert clean_texts(whole.slice(3), workers=workers).to_pylist() == [clean(text) for text in MIXED[3:]]


@pytest.mark.usefixtures("way")
def test_no_texts_at_all() -> None:
    nothing = pa.chunked_array([], pa.large_string())
    assert clean_texts(nothing) is nothing


@pytest.mark.usefixtures("way")
def test_chunks_with_nothing_to_clean_are_not_copied() -> None:
    clean_one, other = large(CLEAN), large(["soft\u00adness"])
    cleaned = clean_texts(pa.chunked_array([clean_one, other]))
    assert cleaned.chunk(0).buffers()[2].address == clean_one.buffers()[2].address
    assert cleaned.chunk(1).to_pylist() == ["softness"]


def test_many_texts_wait_for_the_compiler_only_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "available", lambda: False)
    many = large(["soft\u00adness " * 100] * 1_000)
    assert clean_texts(many).to_pylist() == ["softness " * 100] * 1_000


def test_characters_that_the_quick_look_does_not_know_are_cleaned_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they will be of a Unicode that is yet to come."""
    pytest.importorskip("numba")
    from dupdetect._compiled import clean as compiled

    monkeypatch.setattr(cleaning, "reference_is_faster", lambda _: False)
    monkeypatch.setattr(compiled, "is_sought", lambda _: False)
    compiled.character_table.cache_clear()
    try:
        assert clean_texts(large(MIXED)).to_pylist() == [clean(text) for text in MIXED]
    finally:
        monkeypatch.undo()
        compiled.character_table.cache_clear()


def test_the_quick_look_knows_all_that_is_to_be_cleaned() -> None:
    pytest.importorskip("numba")
    from dupdetect._compiled.clean import character_table

    assert character_table()[1]


def test_what_lies_beyond_the_texts_is_no_matter() -> None:
    """Buffers of Arrow may be longer than their texts, by bytes of any kind."""
    pytest.importorskip("numba")
    text = "exam-\nple é\u200b".encode()
    for rest in (b"", b"\xff" * 80, b"\xf7\xbf\xbf\xbf" * 20, b"-\n\xc2\xad" * 20):
        data, offsets = pa.py_buffer(text + rest), pa.py_buffer(np.array([0, len(text)], np.int64))
        assert cleaning.clean_compiled(pa.LargeStringArray.from_buffers(1, offsets, data)).to_pylist() == ["example é"]
