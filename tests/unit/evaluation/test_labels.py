from __future__ import annotations

import pyarrow as pa
import pytest

import dupdetect
from dupdetect.errors import InputError
from dupdetect.evaluation import labels


def test_labels_are_yes_or_no() -> None:
    for said in (pa.array([True, False]), pa.array([1, 0]), pa.array(["Yes", "no"]), pa.array(["1.0", "FALSE"])):
        assert labels.yes_or_no(pa.chunked_array([said])).to_pylist() == [True, False]
    with pytest.raises(InputError, match="labelled 'perhaps'; expected 1 or 0, true or false, yes or no"):
        labels.yes_or_no(pa.chunked_array([["yes", "perhaps"]]))
    assert labels.yes_or_no(pa.chunked_array([], pa.string())).to_pylist() == []


def test_a_truth_without_pairs_is_none() -> None:
    empty = pa.table({name: pa.array([], pa.string()) for name in ("a", "b", "label")})
    with pytest.raises(InputError, match="of the truth's pairs 0 are of these documents"):
        dupdetect.tune({"x": "one text", "y": "another text"}, empty)
