from __future__ import annotations

import pyarrow as pa
import pytest

from dupdetect.errors import InputError
from dupdetect.evaluation import labels


def test_labels_are_yes_or_no() -> None:
    for said in (pa.array([True, False]), pa.array([1, 0]), pa.array(["Yes", "no"]), pa.array(["1.0", "FALSE"])):
        assert labels.yes_or_no(pa.chunked_array([said])).to_pylist() == [True, False]
    with pytest.raises(InputError, match="labelled 'perhaps'; expected 1 or 0, true or false, yes or no"):
        labels.yes_or_no(pa.chunked_array([["yes", "perhaps"]]))
