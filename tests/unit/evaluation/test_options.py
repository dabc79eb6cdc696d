"""What is no option is refused in a sentence, before the work."""

import numpy as np
import pytest

import dupdetect
from dupdetect import InputError, SettingsError

TEXTS = {"a": "one text of a few words", "b": "ONE TEXT of a few words", "c": "nothing like it"}
PAIRS = [("a", "b", 1), ("a", "c", 0)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("beta", value) for value in (0, -1.0, "x", None, True, float("nan"))],
        *[(name, value) for name in ("precision", "found") for value in (0, 1.5, "x", True)],
        ("found", None),
        *[(name, value) for name in ("sample", "folds", "repeats", "resamples") for value in (0, 1.5, "x", True)],
        *[("shingle_sizes", value) for value in ([], 3, "35", None)],
    ],
)
def test_options_of_tune(name, value):
    with pytest.raises(SettingsError, match=f"^{name} is "):
        dupdetect.tune(TEXTS, PAIRS, **{name: value})


@pytest.mark.parametrize("value", [-1, 1.5, "x", None, True])
def test_whole_numbers(value):
    result = dupdetect.dedup(TEXTS)
    with pytest.raises(SettingsError, match=r"^listed is "):
        dupdetect.evaluate(result, {"a": 1, "b": 1}, listed=value)
    for name in ("matches", "sampling_seed"):
        with pytest.raises(SettingsError, match=f"^{name} is "):
            dupdetect.verify_output(result, TEXTS, **{name: value})
    for name in ("documents", "sampling_seed"):
        with pytest.raises(SettingsError, match=f"^{name} is "):
            dupdetect.audit(result, TEXTS, **{name: value})


def test_numbers_of_numpy_are_numbers():
    result, two = dupdetect.dedup(TEXTS), np.int32(2)
    assert dupdetect.evaluate(result, {"a": 1, "b": 1}, listed=two).pairs.right == 1
    assert dupdetect.verify_output(result, TEXTS, matches=two, sampling_seed=two).holds
    assert dupdetect.audit(result, TEXTS, documents=two).sampled == 2


def test_nothing_has_no_report():
    with pytest.raises(InputError, match="a NoneType was given for the output"):
        dupdetect.report(None)
