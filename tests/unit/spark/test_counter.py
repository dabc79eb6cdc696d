"""Questions go to bundles, which have the documents; the driver fetches texts of few, and of pairs across bundles."""

import pickle
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from dupdetect._storage.context import Context
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.pairs import pack, packed, unpack
from dupdetect.settings import Settings
from dupdetect.spark import bundling, counter
from dupdetect.spark.counter import SparkCounter, TextStore
from dupdetect.spark.counting import answer_bundles, pack_bundles
from dupdetect.spark.sketching import compressed

#: Words between two that are filled in.
APART = 24


def forms(name, count):
    """Forms with other words filled in, and an edited copy of the first."""
    fields = [[f"{name}{field}w{word}" for word in range(APART)] for field in range(9)]

    def filled(words):
        return " ".join(" ".join([*field, word]) for field, word in zip(fields, words, strict=True))

    made = [[f"{name}form{form}field{field}" for field in range(9)] for form in range(count)]
    return [filled(words) for words in [*made, [*made[0][:4], "edited", *made[0][5:]]]]


#: Of two wordings there are third documents, of the last there is none.
TEXTS = [*forms("one", 4), *forms("two", 5), *forms("three", 1)]


class Here(SparkCounter):
    """Has its bundles in this process."""

    def _place(self, bundles):
        texts = compressed(pa.array([TEXTS[one] for one in bundles.document.tolist()], pa.large_string()))
        rows = {"bundle": bundles.bundle, "document": bundles.document, "text": texts}
        return list(pack_bundles(self.context.settings)(iter([pa.record_batch(rows)])))

    def _asked(self, question, placed, sent, at):
        rows = [row for batch in answer_bundles(question, sent)(iter(placed)) for row in batch.to_pylist()]
        return [(at[row["bundle"]], pickle.loads(row["answer"])) for row in rows]


class Fetched(TextStore):
    """Counts the times that texts are read, and the documents that are brought."""

    def __init__(self):
        super().__init__(None, None, None, np.array([len(text) for text in TEXTS]))
        self.times, self.documents = 0, []

    @property
    def held(self):
        """The documents whose texts are on the driver."""
        return sorted(self._held)

    def _fetched(self, documents):
        self.times += 1
        self.documents += documents.tolist()
        held = compressed(pa.array([TEXTS[one] for one in documents.tolist()], pa.large_string()))
        return dict(zip(documents.tolist(), held.to_pylist(), strict=True))


def counting(candidates):
    store, names = Fetched(), np.arange(len(TEXTS))
    work = SimpleNamespace(stage=lambda _, make: make())
    texts = pa.array(TEXTS, pa.large_string())
    return Here(store, names, candidates, Settings(), work), PairCounter(texts, names, Context(Settings(), 1)), store


def all_pairs():
    """All pairs of documents of one wording."""
    a, b = np.triu_indices(len(TEXTS), 1)
    wording = np.repeat(range(3), [5, 6, 2])
    return packed(a, b)[wording[a] == wording[b]]


def test_documents_of_one_bundle_are_not_fetched(monkeypatch):
    """Neither for pairs that are no candidates, nor for forms with their third documents, if they are many."""
    monkeypatch.setattr(counter, "FETCHED", -1)
    pairs = all_pairs()
    a, b = unpack(pairs)
    few = pairs[b == a + 1]
    here, there, store = counting(few)
    for ask in ("overlaps", "sharing"):
        found, expected = getattr(here, ask)(pairs), getattr(there, ask)(pairs)
        assert found.pairs.tolist() == expected.pairs.tolist()
        assert found.shared.tolist() == expected.shared.tolist()
    marks = there.filled_forms(pairs)
    assert marks.any()
    assert not marks.all()
    here, _, _ = counting(pairs)
    assert here.filled_forms(pairs).tolist() == marks.tolist()
    assert store.times == 0


def test_of_few_documents_texts_are_fetched_once_and_no_bundle_is_read(monkeypatch):
    monkeypatch.setattr(Here, "_asked", None)
    pairs = all_pairs()[:6]
    here, there, store = counting(pairs)
    for _ in range(2):
        assert here.sharing(pairs).shared.tolist() == there.sharing(pairs).shared.tolist()
        asked, expected = (each.tally(there.sharing(pairs)) for each in (here, there))
        assert [each.tolist() for each in asked] == [each.tolist() for each in expected]
    assert store.times == 1
    assert store.held == store.documents == [0, 1, 2, 3, 4][: len(store.documents)]


def test_no_more_texts_are_kept_than_may_be_fetched_at_once(monkeypatch):
    _, _, store = counting(all_pairs())
    monkeypatch.setattr(counter, "AT_ONCE", int(store.sizes[:3].sum()))
    for asked, held in (([0, 1], [0, 1]), ([1, 2], [0, 1, 2]), ([2, 3], [2, 3]), ([3], [2, 3])):
        store.fetch(np.array(asked))
        assert store.held == held
    assert store.documents == [0, 1, 2, 3]


@pytest.mark.parametrize("fetched", [counter.FETCHED, 1_000])
def test_what_is_across_bundles_is_fetched_once(monkeypatch, fetched):
    """Of filled forms all at once, and no others: those of the other wordings stand in one bundle."""
    monkeypatch.setattr(counter, "FETCHED", fetched)
    cut = bundling.bundled

    def bundled(pairs, sizes, most=None):
        made = cut(pairs, sizes)
        return made if most else _parted(pairs, made)

    monkeypatch.setattr(counter, "bundled", bundled)
    pairs = all_pairs()
    here, there, store = counting(pairs)
    assert here.filled_forms(pairs).tolist() == there.filled_forms(pairs).tolist()
    assert store.times == 1
    assert sorted(store.documents) == list(range(5, 11))


def _parted(pairs, bundles):
    """Put pairs of the second wording into two bundles, some apart from those of their third documents."""
    a, b = unpack(pairs)
    of_pair = np.where((a < 5) | (a > 10), 0, 1 + (a + b) % 2)
    both = np.unique(np.concatenate([of_pair * len(TEXTS) + side for side in (a, b)]))
    return bundles._replace(of_pair=of_pair, bundle=both // len(TEXTS), document=both % len(TEXTS))


def test_a_pair_of_two_bundles_is_fetched():
    pairs = all_pairs()
    here, there, store = counting(pairs)
    here._home[5:] += 1  # as if the wordings were in two bundles
    across = pack(np.array([2]), np.array([7]))
    assert here.overlaps(across).shared.tolist() == there.overlaps(across).shared.tolist()
    assert store.documents == [2, 7]
