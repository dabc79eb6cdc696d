"""Sketch tables that Spark wrote, read without Spark."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import dupdetect
from dupdetect.errors import MismatchError
from dupdetect.settings import Settings
from dupdetect.sketches.folders import KEY, SPARK_KEY, description
from dupdetect.sketches.table import checked_ids, to_table


@pytest.fixture
def folder(tmp_path):
    """Make a folder as Spark writes it: hashes are signed, and lists have no fixed length."""
    sketches = dupdetect.sketch(["one text", "another one"])
    table = to_table(checked_ids(["a", "b"], 2), sketches).drop_columns(["signature"])
    bands = pa.array(sketches.band_keys.view(np.int64).tolist(), pa.list_(pa.int64()))
    fingerprints = [sketches.fingerprints.row(row).view(np.int64).tolist() for row in range(2)]
    table = table.set_column(3, "band_keys", bands)
    table = table.set_column(4, "fingerprints", pa.array(fingerprints, pa.list_(pa.int64())))
    said = {"fields": [{"name": "digest", "metadata": {KEY: description(sketches.settings, signatures=False)}}]}
    path = tmp_path / "sketches"
    path.mkdir()
    pa.parquet.write_table(
        table.replace_schema_metadata({SPARK_KEY: json.dumps(said)}), path / "part-0.parquet", write_page_checksum=True
    )
    return path


def test_a_folder_holds_what_was_sketched(folder):
    ids, sketches = dupdetect.read_sketches(folder)
    assert ids.to_pylist() == ["a", "b"]
    assert (sketches.digests == dupdetect.sketch(["one text", "another one"]).digests).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(shingle_size=3), "shingle_size 5, where 3 is wanted"),
        (Settings(threshold=0.5), r"bands \(14, 9\), where .* is wanted for threshold 0.5"),
    ],
)
def test_what_differs_from_the_settings_that_are_wanted_is_named(folder, settings, said):
    with pytest.raises(MismatchError, match=f"sketches: the sketches were made with {said}; sketch the texts anew"):
        dupdetect.read_sketches(folder, settings)
