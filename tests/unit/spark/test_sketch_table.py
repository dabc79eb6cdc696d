"""Sketches that executors make are those that this process makes."""

import numpy as np
import pyarrow as pa
import pytest
from generated_sites import mixture

import dupdetect
from dupdetect.errors import InputError, MismatchError
from dupdetect.spark import sketch
from dupdetect.text.clean import clean


def test_they_are_read_as_any_others(framed, tmp_path):
    rows = [(str(row["id"]), str(row["text"])) for row in mixture()[:20]]
    ids, texts = zip(*rows, strict=True)
    frame = framed(pa.table({"url": [*ids, "none"], "body": [*texts, None]}), 2)
    written = sketch(frame, str(tmp_path / "s"), text="body", id="url", num_perm=64)
    assert written.count() == 20
    there, found = dupdetect.read_sketches(tmp_path / "s")
    here = dupdetect.sketch(list(map(clean, texts)), num_perm=64).take(
        np.array([ids.index(one) for one in there.to_pylist()])
    )
    assert found.settings == dupdetect.Settings(num_perm=64, bands=here.settings.banding)
    for name in ("words", "digests", "band_keys"):
        assert (getattr(found, name) == getattr(here, name)).all(), name
    assert (found.fingerprints.values == here.fingerprints.values).all()
    assert (found.signatures == here.signatures).all()
    with pytest.raises(MismatchError, match="made with num_perm 64, where 128 is wanted"):
        dupdetect.read_sketches(tmp_path / "s", dupdetect.Settings())
    path = next((tmp_path / "s").glob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        dupdetect.read_sketches(tmp_path / "s")


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="holds no Parquet files of sketches"):
        dupdetect.read_sketches(tmp_path)
