"""The weighing of pairs against Python's sets, on small corpora of pages and articles."""

from itertools import combinations, pairwise

import numpy as np
import oracles
import pyarrow as pa
import pytest
from generated_sites import LANGUAGES, Site, Writer
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from verifying import counter

from dupdetect._compiled import dispatch
from dupdetect._storage.arrays import DiskStorage
from dupdetect.matching.boilerplate_votes import learn
from dupdetect.matching.pairs import pack
from dupdetect.matching.verify import Verifier
from dupdetect.pipeline.dedup import dedup
from dupdetect.settings import Settings
from dupdetect.sketches import sketches
from dupdetect.sketches.sketches import marked_shingles, sketch_texts
from dupdetect.text.main_content import main_content, main_content_shingles

FEW = hypothesis_settings(max_examples=12)
FEW_PATCHED = hypothesis_settings(FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])

#: Lines of all kinds of words and of none.
LINES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        st.text(st.sampled_from("ab 漢字かなไทย 😀\u0301\u200dé\r\n\n\n"), max_size=40),
        st.integers(1, 30).map(lambda count: "word " * count),
        st.integers(1, 60).map(lambda count: "語" * count),
    ),
    max_size=12,
).map("\n".join)


@st.composite
def webs(draw):
    """Draw texts: stories, as they are or in a site's suit, in part or edited; small enough for Python's sets."""
    language = draw(st.sampled_from(LANGUAGES))
    suits = [Site.of(language, n, above=draw(st.integers(0, 1)), below=n, size=25) for n in range(2)]
    stories = [Writer(language, n).story(2, draw(st.sampled_from([15, 30, 60]))) for n in range(4)]
    drawn = draw(st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 3), st.sampled_from([0, 0, 0.02])), max_size=9))
    editor, texts = Writer(language, "editor"), []
    for suit, story, share in drawn:
        text = editor.edited(stories[story], share)
        texts.append(text if suit < 0 else suits[suit].page(text))
    return list(dict.fromkeys(texts))


@st.composite
def patchworks(draw):
    """Draw texts of a few blocks in any order, of main content or of short lines: each shares others' in places."""
    writers = [Writer("en", n) for n in range(7)]
    blocks = [writer.menu(30) if n < 2 else writer.paragraph(12 * n) for n, writer in enumerate(writers)]
    drawn = draw(st.lists(st.lists(st.sampled_from(blocks), min_size=1, max_size=6), max_size=7))
    return list(dict.fromkeys("\n\n".join(text) for text in drawn))


def judged(texts, settings, workers=1, **options):
    """Judge all pairs of texts that share enough: a verifier by what they say is boilerplate, and the pairs weighed."""
    pairs = list(combinations(range(len(texts)), 2))
    made = counter(texts, settings, workers, **options)
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    found = made.sharing(pack(a, b))
    verifier = Verifier(made, learn(made, found))
    return verifier, verifier.weigh(found)


@given(st.lists(LINES, max_size=4), st.integers(1, 6))
def test_lines_are_main_content_as_defined(texts, size):
    for text in texts:
        marks = main_content(text)
        assert marks.tolist() == oracles.main_content(text)
        assert main_content_shingles(marks, size).tolist() == [any(run) for run in oracles.runs(marks.tolist(), size)]


@hypothesis_settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=4), st.integers(1, 6), st.integers(1, 2), st.data())
def test_marked_shingles_are_the_same_compiled(monkeypatch, texts, size, workers, data):
    pytest.importorskip("numba")
    settings = Settings(shingle_size=size)
    chosen = np.array(
        data.draw(st.lists(st.integers(0, len(texts) - 1), unique=True).map(sorted) if texts else st.just([]))
    )
    array, chosen = pa.array(texts, pa.large_string()), chosen.astype(np.int64)
    defined = marked_shingles(array, chosen, settings)
    with monkeypatch.context() as patch:
        patch.setattr(sketches, "BREAK_EVEN", 1)
        compiled = marked_shingles(array, chosen, settings, workers=workers)
    assert defined.offsets.tolist() == compiled.offsets.tolist()
    assert defined.values.tolist() == compiled.values.tolist()


@hypothesis_settings(max_examples=60)
@given(st.one_of(webs(), patchworks()), st.sampled_from([3, 5]))
def test_pairs_are_weighed_as_sets_are(texts, size):
    settings = Settings(shingle_size=size)
    verifier, weighed = judged(texts, settings)
    pairs = list(zip(weighed.a.tolist(), weighed.b.tolist(), strict=True))
    expected = oracles.weigh(texts, pairs, settings)
    for pair, *columns in zip(pairs, *weighed.weights, strict=True):
        assert columns == pytest.approx(expected[pair]), pair
    again = verifier.weigh(verifier.counter.sharing(weighed.pairs))  # of documents that are graded already
    assert again.pairs.tolist() == weighed.pairs.tolist()
    for mine, theirs in zip(weighed.weights, again.weights, strict=True):
        assert mine.tolist() == theirs.tolist()


@FEW
@given(webs(), st.data())
def test_clusters_depend_on_neither_order_nor_workers_nor_chunks(texts, data):
    corpus = {f"d{n}": text for n, text in enumerate(texts)}
    names = data.draw(st.permutations(list(corpus)))
    table = pa.table(
        {"id": pa.array(names, pa.string()), "text": pa.array([corpus[name] for name in names], pa.string())}
    )
    pieces = [table.slice(start, 2) for start in range(0, len(table), 2)]
    first = rows(dedup(corpus, workers=1))
    assert rows(dedup(table, workers=2)) == first
    assert rows(dedup(pa.concat_tables(pieces) if pieces else table, workers=2)) == first


@FEW_PATCHED
@given(webs())
def test_what_is_compiled_weighs_the_same(monkeypatch, texts):
    found = []
    for break_even, way in ((2**62, "function"), (1, "compiled")):
        with monkeypatch.context() as patch:
            patch.setattr(sketches, "BREAK_EVEN", break_even)
            patch.setattr(dispatch.Compilable, "faster_for", lambda function, _, way=way: getattr(function, way))
            _, weighed = judged(texts, Settings(), workers=2)
            found.append([column.tolist() for column in (weighed.pairs, *weighed.weights)])
    assert found[0] == found[1]


@FEW_PATCHED
@given(webs(), st.sampled_from([Settings(), Settings(boilerplate=False), Settings(unit="character")]), st.data())
def test_out_of_core_is_as_in_memory(monkeypatch, tmp_path, texts, settings, data):
    """With next to no room, on any number of threads, of any chunks, of which the shingles were kept or not."""
    first, expected = judged(texts, settings)
    array, cuts = (
        pa.array(texts, pa.large_string()),
        sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=3))),
    )
    bounds = [0, *cuts, len(texts)]
    chunks = [array[start:end] for start, end in pairwise(bounds)]
    monkeypatch.setattr(sketches, "CHUNK", data.draw(st.sampled_from([0, 1 << 20])))
    with monkeypatch.context() as patch, DiskStorage(tmp_path, 1 << 20) as storage:
        patch.setattr(sketches, "BREAK_EVEN", 1)
        patch.setattr(storage, "array_bytes", data.draw(st.sampled_from([1, 4096])))
        kept = [sketch_texts(chunk, settings, keep=data.draw(st.booleans())).kept for chunk in chunks]
        second, found = judged(pa.chunked_array(chunks), settings, 2, kept=kept, storage=storage)
        assert found.pairs.tolist() == expected.pairs.tolist()
        for mine, theirs in zip(found.weights, expected.weights, strict=True):
            assert mine.tolist() == theirs.tolist()
        for name in ("shingles", "margin", "pairs", "votes"):
            assert getattr(second.boilerplate, name).tolist() == getattr(first.boilerplate, name).tolist()


def rows(result):
    """Give what a result decides, order forgotten."""
    matches = [{frozenset(row.items()) for row in table.to_pylist()} for table in (result.clusters, result.matches)]
    return *matches, {frozenset(row.items()) for row in result.digests.to_pylist()}
