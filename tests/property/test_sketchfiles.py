from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.settings import Settings
from dupdetect.sketches import files as sketchfiles
from dupdetect.sketches.files import SketchFile, SketchWriter
from dupdetect.sketches.sketches import Ragged, Sketches
from dupdetect.sketches.table import end_to_end

SETTINGS = Settings(num_perm=4, bands=(2, 2))
HASHES = st.integers(0, 2**64 - 1)
DOCUMENTS = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.integers(0, 2**40),
        st.lists(HASHES, max_size=6),
        st.lists(HASHES, min_size=8, max_size=8),
    ),
    max_size=12,
)


def made(documents, signed) -> Sketches:
    hashes = np.array([row for *_, row in documents], np.uint64).reshape(-1, 8)
    return Sketches(
        SETTINGS,
        np.array([words for _, words, *_ in documents], np.int64),
        hashes[:, :2],
        hashes[:, 2:4],
        Ragged.of([np.array(row, np.uint64) for _, _, row, _ in documents]),
        hashes[:, 4:].astype(np.uint32) if signed else None,
    )


def contents(sketches: Sketches):
    fingerprints = [sketches.fingerprints.row(n).tolist() for n in range(len(sketches))]
    signatures = None if sketches.signatures is None else sketches.signatures.tolist()
    return sketches.words.tolist(), sketches.digests.tolist(), sketches.band_keys.tolist(), fingerprints, signatures


@given(DOCUMENTS, st.booleans(), st.lists(st.integers(0, 12), max_size=4), st.integers(1, 2000))
def test_whatever_is_written_comes_back_and_parts_make_no_difference(tmp_path_factory, documents, signed, cuts, room):
    folder = tmp_path_factory.mktemp("sketches")
    bounds = sorted(min(cut, len(documents)) for cut in [0, *cuts, len(documents)])
    files = [folder / "whole.parquet", folder / "parted.parquet"]
    earlier, sketchfiles.PART_BYTES = sketchfiles.PART_BYTES, room
    try:
        for file, parts in zip(files, ([(0, len(documents))], pairwise(bounds)), strict=True):
            with SketchWriter(file, SETTINGS) as writer:
                for first, last in parts:
                    part = documents[first:last]
                    writer.add([id for id, *_ in part], made(part, signed))
    finally:
        sketchfiles.PART_BYTES = earlier
    assert files[0].read_bytes() == files[1].read_bytes()
    with SketchFile(files[1], SETTINGS) as file:
        ids, sketches = file.read()
        parts = [part for _, part in file.parts()]
    assert ids.to_pylist() == [id for id, *_ in documents]
    if documents:
        assert contents(sketches) == contents(made(documents, signed)) == contents(end_to_end(parts))
