"""Texts of bundles are read as they are asked for, bytes of rows without a copy, and shingles are made once."""

import pickle

import numpy as np
import pyarrow as pa
import pytest

from dupdetect.matching.pairs import packed
from dupdetect.settings import Settings
from dupdetect.spark import counting
from dupdetect.spark.counting import CompressedTexts, Question, answer, answer_bundles, cell, counter_of, pack_bundles
from dupdetect.spark.sketching import compressed

TEXTS = ["桥梁 关闭", "สะพานปิด", "الجسر مغلق", "", "Мост закрыт", "पुल बंद है", "🌉 closed"]


def test_texts_are_read_as_they_are_asked_for():
    held = CompressedTexts(compressed(pa.array(TEXTS, pa.large_string())).to_pylist())
    assert held.lengths.tolist() == [len(text.encode()) for text in TEXTS]
    assert held.some(np.array([1, 3, 6])).to_pylist() == [TEXTS[1], TEXTS[3], TEXTS[6]]
    for place, text in enumerate(TEXTS):
        assert held.some(np.array([place])).to_pylist() == [text]


def test_bytes_of_rows_are_not_copied():
    for type_ in (pa.binary(), pa.large_binary()):
        column = pa.array([b"one", b"", b"three"], type_).slice(1)
        assert [cell(column, place).to_pybytes() for place in range(2)] == [b"", b"three"]
        assert cell(column, 1).address == column.buffers()[2].address + 3


@pytest.mark.parametrize("held", [counting.HELD, 1_000, -1], ids=["rows", "texts, for their rows are large", "texts"])
def test_bundles_answer_as_their_texts_do(monkeypatch, held):
    """Whether they hold rows of shingles or texts; two bundles, of documents that have other numbers in all."""
    monkeypatch.setattr(counting, "HELD", held)
    words = [f"w{number}" for number in range(60)]
    texts = [" ".join(words[start:]) for start in (0, 3, 5)] + ["another text, of nobody else"]
    column = compressed(pa.array(texts, pa.large_string()))
    settings, documents = Settings(), np.array([7, 9, 20, 21])
    rows = {"bundle": [4, 4, 4, 5], "document": documents, "text": column}
    (first, second) = pack_bundles(settings)(iter([pa.record_batch(rows)]))
    nulls = first.column("shingles").null_count, first.column("texts").null_count
    assert nulls == ((0, 1) if held > 1_000 else (1, 0))
    assert second.column("bundle").to_pylist() == [5]
    question, known = Question("overlaps", settings), {"pairs": packed(np.array([7, 7, 9]), np.array([9, 20, 20]))}
    (said,) = answer_bundles(question, {4: pickle.dumps(known)})(iter([first, second]))
    found = pickle.loads(said.column("answer")[0].as_py())
    there = answer(question, documents, counter_of(CompressedTexts(column.to_pylist()), settings), known)
    assert {name: values.tolist() for name, values in found.items()} == {n: v.tolist() for n, v in there.items()}
    assert found["shared"].tolist() == [53, 51, 51]
