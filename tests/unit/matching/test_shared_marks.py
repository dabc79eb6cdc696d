import numpy as np
import pyarrow as pa
import pytest
from generated_sites import site
from verifying import counter

from dupdetect._storage.arrays import DiskStorage, Storage
from dupdetect.matching import shared_marks
from dupdetect.matching.boilerplate_votes import learn
from dupdetect.matching.boilerplate_weights import Weigher
from dupdetect.matching.pairs import pack, unpack
from dupdetect.matching.shared_marks import WORD
from dupdetect.matching.shingle_rows import HASH
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import marked_shingles

TEXTS = [
    "a b c d e f g a b c d e",
    "x a b c d e",
    "f g a b c",
    "p q r s t u v",
    "z",
    *(f"{'n ' * n}a b c d e f" for n in (70, 130)),
]


@pytest.fixture(params=["in memory", "on disk"])
def storage(request, tmp_path):
    with Storage() if request.param == "in memory" else DiskStorage(tmp_path, 1 << 30) as made:
        yield made


def shared(made, pairs):
    """Return the shingles that are marked, of each pair; each once."""
    found = {}

    def look(marks, rows, _):
        for place, document, start in zip(marks.places, marks.documents, marks.starts, strict=True):
            row = rows.values[rows.starts[document] :][: rows.lengths[document]]
            words = marks.words[start : start - (-len(row) // WORD)]
            bits = np.unpackbits(words.view(np.uint8), bitorder="little")[: len(row)]
            found[int(place)] = sorted((row[bits.astype(bool)] & HASH).tolist())

    made.marks.each(pairs, look)
    return [found[place] for place in range(len(pairs))]


@pytest.mark.parametrize("workers", [1, 2])
def test_marks_are_what_two_documents_share_whether_they_were_read_or_not(storage, workers):
    settings, pairs = Settings(shingle_size=2), pack(*np.triu_indices(len(TEXTS), 1))
    cut = marked_shingles(pa.array(TEXTS, pa.large_string()), np.arange(len(TEXTS)), settings)
    sets = [set((cut.row(n) & HASH).tolist()) for n in range(len(TEXTS))]
    expected = [sorted(sets[a] & sets[b]) for a, b in zip(*unpack(pairs), strict=True)]
    made = counter(TEXTS, settings, workers, storage=storage)
    assert shared(made, pairs) == expected
    made = counter(TEXTS, settings, workers, storage=storage)
    assert 0 < len(made.sharing(pairs[::2]).pairs) < len(pairs[::2])
    assert shared(made, pairs) == expected  # some were read, and some were joined, but shared too little
    assert shared(made, pairs) == expected


def test_pairs_that_were_read_are_not_joined_again_to_vote_and_to_be_judged(monkeypatch, storage):
    made, pairs = (
        counter(list(site("en", "one", 4).values()), Settings(), storage=storage),
        pack(*np.triu_indices(4, 1)),
    )
    sharing = made.sharing(pairs)
    assert len(sharing.pairs) == len(pairs)
    monkeypatch.setattr(shared_marks, "join_orders", None)
    boilerplate = learn(made, sharing)
    assert len(boilerplate.shingles) > 0
    assert len(Weigher(made, boilerplate).matches(sharing).pairs) == 0


def test_of_no_pairs_nothing_is_marked(storage):
    assert counter(TEXTS, Settings(), storage=storage).marks.each(pack(np.empty(0), np.empty(0)), None) == []
