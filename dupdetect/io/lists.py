"""Columns of lists of words to texts that are cut into these words (`dupdetect.text.given_words`).

Input    a column of lists, of strings or of whole numbers
Output   a column of texts, and the rows that have a null among their words
Cost     each distinct word is spelled once; a copy of the words
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dupdetect.text.given_words import spell

#: What Python's own lists of words are made.
LISTS = pa.large_list(pa.large_string())


def is_list(type_: pa.DataType) -> bool:
    """Whether values are lists of what may be words."""
    nested = pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)
    return nested and _is_word(type_.value_type)


def _is_word(type_: pa.DataType) -> bool:
    if pa.types.is_dictionary(type_):
        return _is_word(type_.value_type)
    text = pa.types.is_string(type_) or pa.types.is_large_string(type_) or str(type_) == "string_view"
    return text or pa.types.is_integer(type_) or pa.types.is_null(type_)


def joined_lists(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, NDArray[np.int64]]:
    """Join the words of each row: large_string, null where the list is; and the rows with a null among their words."""
    made, wrong, first = [], [np.empty(0, np.int64)], 0
    for chunk in column.chunks:
        texts, bad = _joined(chunk)
        made.append(texts)
        wrong.append(first + bad)
        first += len(chunk)
    return pa.chunked_array(made, pa.large_string()), np.concatenate(wrong)


def _joined(lists: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    words = lists.flatten()  # without what stands in null rows
    words.validate(full=True)
    encoded = words if pa.types.is_dictionary(words.type) else words.dictionary_encode()
    spelled = pa.array(
        [None if word is None else spell(word) for word in encoded.dictionary.to_pylist()], LISTS.value_type
    )
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    placed = spelled.take(encoded.indices)
    texts = pc.binary_join(pa.LargeListArray.from_arrays(offsets, placed), pa.scalar(" ", pa.large_string()))
    bad = np.searchsorted(offsets, np.flatnonzero(placed.is_null().to_numpy(zero_copy_only=False)), "right") - 1
    return pc.if_else(lists.is_valid(), texts, None), np.unique(bad)
