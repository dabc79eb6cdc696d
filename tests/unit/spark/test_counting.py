"""Texts of bundles are read as they are asked for, and bytes of rows without a copy."""

import numpy as np
import pyarrow as pa

from dupdetect.spark.counting import CompressedTexts, cell
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
