import dataclasses
import functools
import json
import pickle
import subprocess
import sys
import threading
import tracemalloc
import typing

import numpy as np
import pytest
from datasketch import MinHashLSH

from dupdetect.errors import DupdetectError, SettingsError
from dupdetect.settings import BAND_WEIGHTS, POLICIES, Settings, SettingsKeywords, choose_bands

#: A value of each setting that is not its default.
OTHERS = {
    "shingle_size": 3,
    "unit": "character",
    "num_perm": 64,
    "seed": 2,
    "threshold": 0.7,
    "containment": 0.7,
    "max_lost": 0.1,
    "min_shingles": 8,
    "bands": (16, 8),
    "window": 8,
    "min_shared_fingerprints": 0.4,
    "hot_key_documents": 10,
    "boilerplate": False,
    "canonical": "longest",
    "canonical_column": "when",
    "date_format": "%d.%m.%Y",
    "prefer": ("source", ("a", "b")),
    "within": "domain",
    "between": "source",
    "per": "source",
    "words": "blanks",
}


def other(name):
    """Give settings of which that one is not the default."""
    needed = {"canonical": "earliest"} if name in ("canonical_column", "date_format") else {}
    return Settings(**needed, **{name: OTHERS[name]})


def length_of_row(row):
    return len(row["text"])


def test_settings_are_frozen_compared_by_value_and_hashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().seed = 2
    assert Settings(seed=2) == Settings(seed=2) != Settings()
    assert hash(Settings(bands=(16, 8))) == hash(Settings(bands=[16, 8]))


def test_settings_are_given_by_keyword():
    with pytest.raises(TypeError):
        Settings(5)


def test_settings_print_every_value_and_can_be_read_back():
    for name in OTHERS:
        assert f"{name}={OTHERS[name]!r}" in repr(other(name))
        assert eval(repr(other(name))) == other(name)


def test_settings_are_pickled():
    settings = Settings(threshold=0.7)
    assert settings.banding
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shingle_size": 0}, "shingle_size is 0; expected a whole number from 1 to 65536"),
        ({"shingle_size": 2.5}, "shingle_size is 2.5; expected a whole number"),
        ({"shingle_size": "5"}, "shingle_size is '5'; expected a whole number"),
        ({"shingle_size": True}, "shingle_size is True; expected a whole number"),
        ({"unit": "char"}, "unit is 'char'; expected one of word, character"),
        ({"unit": None}, "unit is None; expected one of word, character"),
        ({"unit": ["word"]}, "expected one of word, character"),
        ({"num_perm": 1}, "num_perm is 1; expected a whole number from 2"),
        ({"num_perm": None}, "num_perm is None; expected a whole number"),
        ({"seed": -1}, "seed is -1; expected a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "seed is 4294967296; expected"),
        ({"window": 0}, "window is 0; expected a whole number from 1"),
        ({"hot_key_documents": 1}, "hot_key_documents is 1; expected a whole number from 2"),
        ({"min_shingles": 0}, "min_shingles is 0; expected a whole number from 1"),
        ({"threshold": 0}, "threshold is 0; expected a number above 0 and up to 1"),
        ({"threshold": 1.01}, "threshold is 1.01; expected"),
        ({"threshold": float("nan")}, "threshold is nan; expected"),
        ({"threshold": "0.8"}, "threshold is '0.8'; expected"),
        ({"threshold": True}, "threshold is True; expected"),
        ({"threshold": None}, "threshold is None; expected"),
        ({"containment": -0.1}, "containment is -0.1; expected a number above 0 and up to 1"),
        ({"max_lost": -0.01}, "max_lost is -0.01; expected a number from 0 on and below 1"),
        ({"max_lost": 1}, "max_lost is 1; expected a number from 0 on and below 1"),
        ({"max_lost": False}, "max_lost is False; expected a number from 0 on and below 1"),
        ({"max_lost": "0"}, "max_lost is '0'; expected a number from 0 on and below 1"),
        ({"min_shared_fingerprints": 0}, "min_shared_fingerprints is 0; expected a number above 0 and up to 1"),
        ({"bands": 4}, "bands is 4; expected a pair of whole numbers"),
        ({"bands": (4,)}, "bands is .4,.; expected a pair"),
        ({"bands": (4, 5, 6)}, "expected a pair of whole numbers"),
        ({"bands": ("a", "b")}, "expected a pair of whole numbers"),
        ({"bands": "48"}, "bands is '48'; expected a pair of whole numbers"),
        ({"bands": (4.5, 2)}, "bands is .4.5, 2.; expected a pair of whole numbers"),
        ({"bands": (float("inf"), 2)}, "expected a pair of whole numbers"),
        ({"bands": (0, 4)}, "expected both at least 1"),
        ({"bands": (4, 0)}, "expected both at least 1"),
        ({"bands": (20, 7)}, "20 bands of 7 rows; expected .* 140 no more than num_perm, 128"),
        ({"canonical": "newest"}, "canonical is 'newest'; expected one of cleanest, longest, earliest"),
        ({"canonical": None}, "canonical is None; expected one of"),
        ({"canonical": ["longest"]}, "expected one of cleanest"),
        ({"canonical": "earliest", "canonical_column": 3}, "canonical_column is 3; expected a column's name"),
        ({"canonical_column": "date"}, "canonical='cleanest' reads no column; leave it out, or set canonical to"),
        ({"canonical": len, "canonical_column": "date"}, "reads no column"),
    ],
)
def test_a_value_out_of_range_is_refused_in_one_sentence(values, message):
    with pytest.raises(SettingsError, match=message) as error:
        Settings(**values)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, DupdetectError)
    assert error.value.exit_code == 2


def test_the_ends_of_the_ranges_are_accepted():
    low = Settings(
        shingle_size=1,
        num_perm=2,
        seed=0,
        threshold=1e-9,
        containment=1e-9,
        min_shingles=1,
        window=1,
        min_shared_fingerprints=1e-9,
        hot_key_documents=2,
    )
    high = Settings(
        shingle_size=2**16, seed=2**32 - 1, threshold=1, containment=1, window=2**24, min_shared_fingerprints=1
    )
    assert low.banding == (2, 1)
    assert high.threshold == 1.0


def test_numbers_of_numpy_become_plain_ones():
    settings = Settings(shingle_size=np.int64(3), threshold=np.float32(0.5), bands=np.array([16, 8]))
    assert type(settings.shingle_size) is int
    assert type(settings.threshold) is float
    assert settings == Settings(shingle_size=3, threshold=0.5, bands=(16, 8))
    assert json.loads(json.dumps(settings.as_dict())) == Settings(shingle_size=3, threshold=0.5).as_dict() | {
        "bands": [16, 8]
    }


def test_others_names_every_setting():
    assert list(OTHERS) == [field.name for field in dataclasses.fields(Settings)]


def test_the_fingerprint_differs_with_each_setting():
    fingerprints = {Settings().fingerprint, Settings(canonical="earliest").fingerprint}
    fingerprints |= {other(name).fingerprint for name in OTHERS}
    assert len(fingerprints) == len(OTHERS) + 2
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in fingerprints)
    assert Settings(threshold=0.8).fingerprint == Settings().fingerprint


def test_fingerprints_are_the_same_in_every_process():
    code = (
        "from dupdetect import Settings; s = Settings(bands=(16, 8), canonical=len); "
        "print(s.fingerprint, s.sketch_fingerprint)"
    )
    settings = Settings(bands=(16, 8), canonical=len)
    expected = f"{settings.fingerprint} {settings.sketch_fingerprint}\n"
    command = [sys.executable, "-X", "faulthandler", "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == expected


def test_the_fingerprint_of_the_defaults_is_known():
    assert Settings().sketch_fingerprint == "ff1fbb8f6fc21fa4"


def test_the_sketch_fingerprint_differs_where_sketches_do():
    for name in OTHERS:
        differs = other(name).sketch_fingerprint != Settings().sketch_fingerprint
        assert differs == (name in {"shingle_size", "unit", "words", "num_perm", "seed", "window"}), name


def test_a_callable_goes_by_its_name():
    settings = Settings(canonical=length_of_row)
    assert settings.as_dict()["canonical"].endswith(":length_of_row")
    assert settings.fingerprint == Settings(canonical=length_of_row).fingerprint != Settings().fingerprint
    assert settings.column is None


class Key:
    """A callable that can be neither hashed nor copied."""

    __hash__ = None

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, _row):
        return 0


@pytest.mark.parametrize("key", [Key(), functools.partial(length_of_row), lambda _: 0, len])
def test_any_callable_has_a_name_that_holds_no_address(key):
    settings = Settings(canonical=key)
    assert len(settings.fingerprint) == 16
    assert "0x" not in json.dumps(settings.as_dict())
    with pytest.raises(SettingsError, match="reads no column"):
        settings.replace(canonical_column="date")


def test_policies_read_their_columns():
    columns = {policy: Settings(canonical=policy).column for policy in POLICIES}
    dated = dict.fromkeys(("earliest", "latest"), "date")
    assert columns == {"cleanest": None, "longest": None, **dated, "priority": "priority", "first": None}
    assert Settings(canonical="earliest", canonical_column="when").column == "when"


def test_bands_are_chosen_for_the_threshold_or_given():
    assert Settings(threshold=0.6).banding == choose_bands(0.6, 128)
    assert Settings(threshold=0.6, bands=(4, 3)).banding == (4, 3)


def test_replace_changes_some_values_and_validates():
    settings = Settings(threshold=0.7).replace(seed=4)
    assert (settings.threshold, settings.seed) == (0.7, 4)
    with pytest.raises(SettingsError, match="seed is -4"):
        settings.replace(seed=-4)


def test_replace_names_the_settings_where_one_is_unknown():
    with pytest.raises(SettingsError, match="unknown setting size, treshold; the settings are shingle_size, unit, num"):
        Settings().replace(treshold=0.7, size=3)


def test_replaced_settings_choose_their_own_bands():
    settings = Settings(threshold=0.9)
    assert settings.banding != settings.replace(threshold=0.5).banding == choose_bands(0.5, 128)


@pytest.mark.parametrize("num_perm", [16, 64, 100, 128])
@pytest.mark.parametrize("threshold", [0.1, 0.35, 0.5, 0.7, 0.8, 0.9, 0.95])
def test_bands_are_those_that_datasketch_chooses(threshold, num_perm):
    theirs = MinHashLSH(threshold=threshold, num_perm=num_perm, weights=BAND_WEIGHTS)
    assert choose_bands(threshold, num_perm) == (theirs.b, theirs.r)


@pytest.mark.parametrize(("name", "value"), [("num_perm", int), ("threshold", float), ("max_lost", np.float64)])
def test_a_class_is_no_number(name, value):
    with pytest.raises(SettingsError, match=f"{name} is <class .*>; expected a"):
        Settings(**{name: value})


def test_bands_of_a_very_long_signature_take_little_memory():
    tracemalloc.start()
    try:
        assert choose_bands(0.8, 4096) == (204, 20)
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("num_perm", [2, 3, 256])
def test_bands_fit_the_signature_at_the_ends_of_the_range(threshold, num_perm):
    count, rows = choose_bands(threshold, num_perm)
    assert count >= 2
    assert rows >= 1
    assert count * rows <= num_perm


def test_the_chosen_curve_rises_at_the_threshold():
    for threshold in (0.5, 0.7, 0.9):
        count, rows = choose_bands(threshold, 128)
        assert 1 - (1 - threshold**rows) ** count > 0.75
        assert 1 - (1 - (threshold - 0.4) ** rows) ** count < 0.6


def test_keywords_of_functions_are_the_fields_of_settings():
    fields = typing.get_type_hints(Settings)
    assert typing.get_type_hints(SettingsKeywords) == {
        field.name: fields[field.name] for field in dataclasses.fields(Settings)
    }


def test_settings_are_an_object_or_names_and_values_or_the_defaults():
    assert Settings.of(None) == Settings()
    assert Settings.of({"threshold": 0.7}, window=16) == Settings(threshold=0.7, window=16)
    assert Settings.of(Settings(threshold=0.7), threshold=0.6) == Settings(threshold=0.6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("strict.toml", "settings is of type str; expected Settings, or a mapping .* of a file: Settings.load"),
        (0.8, "settings is of type float; expected Settings, or a mapping"),
        ({"treshold": 0.7}, r"unknown setting treshold \(did you mean threshold\?\); the settings are shingle_size"),
        ({"threshold": 7}, "threshold is 7; expected a number above 0"),
    ],
)
def test_other_settings_are_refused(given, message):
    with pytest.raises(SettingsError, match=message):
        Settings.of(given)
