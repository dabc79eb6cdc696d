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
from verifying import judged

from dupdetect._compiled import dispatch, kernels
from dupdetect._storage.arrays import DiskStorage
from dupdetect.matching.interleaving import CLEAR, INTERLEAVED, ONE_END, OTHER, PATTERN, WITHIN
from dupdetect.matching.overlaps import RELATIONS
from dupdetect.matching.own_lines import CLASSES, is_at_one_end, read_own_lines
from dupdetect.matching.patterns import AMID_A, AMID_B, FURNITURE_A, FURNITURE_B
from dupdetect.matching.removal import NEAR, REMOVABLE_A, REMOVABLE_B, YIELDS_A, YIELDS_B, decided
from dupdetect.matching.shingle_rows import run_ends
from dupdetect.pipeline.dedup import dedup
from dupdetect.settings import Settings
from dupdetect.sketches import sketches
from dupdetect.sketches.sketches import marked_shingles
from dupdetect.text.main_content import (
    LINE_START,
    OF_MAIN_CONTENT,
    SYMBOLS,
    line_marks,
    main_content,
    main_content_shingles,
)

FEW = hypothesis_settings(max_examples=12)
FEW_PATCHED = hypothesis_settings(FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])

#: Patterns by their codes.
NAMES = {OTHER: "other", CLEAR: "clear", INTERLEAVED: "interleaved", WITHIN: "within", ONE_END: "one end"}

#: What of a text can be a word, a symbol, a blank or a line's end, and what normalisation makes of others.
SIGNS = "ab語ไx \0\t\x0b\x0c\r\x1c\x85\u2028(){};=+-_—。«»€½…ﬁﷺ㎏　\u00a0\u00ad\u200d\u0301\u0338😀☃👩🇯🇵\U0010ffff\n\n"

#: Lines of all kinds of words and of none.
LINES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        st.text(st.sampled_from("ab 漢字かなไทย 😀\u0301\u200dé\r\n\n\n"), max_size=40),
        st.integers(1, 30).map(lambda count: "word " * count),
        st.integers(1, 60).map(lambda count: "語" * count),
        st.text(st.sampled_from(SIGNS), max_size=150),
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


CODE = [
    "def total(values):\n    return sum(values) / max(1, len(values))",
    "for name, value in rows.items():\n    out[name] += value * scale  # in metres\n\nprint(out)",
    "if (a[0] != b[1]) { return -1; }\n/* nothing here */\nx = {1, 2, 3};",
    "| harbour | 12.5 | 13.0 |\n| mill | 7.25 | 8.5 |\n| weir | -0.5 | 1.1 |",
]
VERSE = "The tide came in\nand no one saw\nthe harbour light\ngo out before\nthe boats were home\nthat night in May"


@st.composite
def collections(draw):
    """Draw texts of code, tables, verse, sentences and menus under headers and above footers, edited here and there."""
    writers = [Writer(draw(st.sampled_from(LANGUAGES)), n) for n in range(5)]
    headers = ["", *(writer.paragraph(60) for writer in writers[:2])]
    blocks = [*CODE, VERSE, *(writer.menu(8) for writer in writers), *(writer.paragraph(45) for writer in writers)]
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(headers),
                st.lists(st.sampled_from(blocks), min_size=1, max_size=6),
                st.sampled_from(headers),
                st.sampled_from([None, None, "own", "two words"]),
            ),
            max_size=7,
        )
    )
    texts = []
    for above, parts, below, edit in drawn:
        text = "\n\n".join([above, *parts, below]).strip()
        if edit:
            text = text.replace(" the ", f" {edit} ").replace("\n", f"\n{edit} ", 1)
        texts.append(text)
    return list(dict.fromkeys(texts))


def marked(marks):
    """Give the marks of each word one by one."""
    return [tuple(bool(mark & bit) for bit in (OF_MAIN_CONTENT, LINE_START, SYMBOLS)) for mark in marks.tolist()]


@given(st.lists(LINES, max_size=4), st.integers(1, 6))
def test_lines_are_main_content_as_defined(texts, size):
    for text in texts:
        assert marked(line_marks(text)) == oracles.line_marks(text)
        marks = main_content(text)
        assert marks.tolist() == oracles.main_content(text)
        assert main_content_shingles(marks, size).tolist() == [any(run) for run in oracles.runs(marks.tolist(), size)]


@hypothesis_settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=9), st.integers(1, 6), st.integers(1, 2), st.data())
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
        # Many documents share a block's buffers: what is left there of one is not the next one's.
        patch.setattr(kernels, "BLOCK_BYTES", data.draw(st.sampled_from([1, 100, kernels.BLOCK_BYTES])))
        compiled = marked_shingles(array, chosen, settings, workers=workers)
    assert defined.offsets.tolist() == compiled.offsets.tolist()
    assert defined.values.tolist() == compiled.values.tolist()


@hypothesis_settings(max_examples=30)
@given(st.one_of(webs(), patchworks(), collections()), st.sampled_from([3, 5]))
def test_pairs_are_weighed_as_sets_are(texts, size):
    settings = Settings(shingle_size=size)
    verifier, weighed = judged(texts, settings)
    pairs = list(zip(weighed.a.tolist(), weighed.b.tolist(), strict=True))
    expected = oracles.weigh(texts, pairs, settings)
    for pair, pattern, *columns in zip(pairs, weighed.patterns.tolist(), *weighed.weights, strict=True):
        naive = expected[pair]
        assert NAMES[pattern & PATTERN] == naive.pattern.name, pair
        marks = [bool(pattern & mark) for mark in (FURNITURE_A, FURNITURE_B, AMID_A, AMID_B)]
        assert marks == [*naive.pattern.furniture, *naive.pattern.amid], pair
        both = (naive.content, naive.own, naive.new, naive.lost, naive.prose, naive.run)
        flat = [value for values in both for value in values]
        assert columns == pytest.approx([*flat, naive.boilerplate, naive.in_place, naive.strangers]), pair
    again = verifier.weigh(verifier.counter.sharing(weighed.pairs))  # of documents that are graded already
    assert again.pairs.tolist() == weighed.pairs.tolist()
    for mine, theirs in zip(weighed.weights, again.weights, strict=True):
        assert mine.tolist() == theirs.tolist()


def assert_same(found, expected):
    for name in ("pairs", "shared", "size_a", "size_b", "patterns", "verdicts"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
    for mine, theirs in zip(found.weights, expected.weights, strict=True):
        assert mine.tolist() == theirs.tolist()


@hypothesis_settings(max_examples=25)
@given(
    st.one_of(webs(), patchworks(), collections()), st.sampled_from([0.5, 0.8]), st.sampled_from([0.6, 0.8]),
    st.sampled_from([0.0, 0.05, 0.2]),
)  # fmt: skip
def test_pairs_are_judged_as_sets_are(texts, threshold, containment, most):
    settings = Settings(threshold=threshold, containment=containment, max_lost=most)
    verifier, weighed = judged(texts, settings)
    pairs = list(zip(weighed.a.tolist(), weighed.b.tolist(), strict=True))
    expected = oracles.weigh(texts, pairs, settings)
    sets = [oracles.shingles(text, settings.shingle_size) for text in texts]
    found = decided(weighed, settings)
    assert_same(verifier.matches(weighed.pairs), found)  # of which many are not weighed to the end
    verdicts = dict(zip(zip(found.a.tolist(), found.b.tolist(), strict=True), found.verdicts.tolist(), strict=True))
    relations, scores = weighed.relations(settings).tolist(), weighed.scores(settings).tolist()
    lost = zip(*weighed.shares_lost, strict=True)
    for (a, b), code, score, shares in zip(pairs, relations, scores, lost, strict=True):
        naive = oracles.judge(sets[a], sets[b], expected[a, b], settings)
        assert RELATIONS[code] == (naive.relation or "none"), (a, b)
        assert score == pytest.approx(naive.score)
        assert shares == pytest.approx(naive.lost)
        assert ((a, b) in verdicts) == (naive.relation is not None)
        if naive.relation is not None:
            marks = [bool(verdicts[a, b] & mark) for mark in (REMOVABLE_A, REMOVABLE_B, YIELDS_A, YIELDS_B, NEAR)]
            assert marks == [*naive.removable, *naive.yields, naive.near], (a, b)


@hypothesis_settings(max_examples=25)
@given(st.one_of(webs(), patchworks(), collections()), st.sampled_from([1, 3, 5]), st.data())
def test_own_lines_are_read_as_lines_are(texts, size, data):
    """Whatever is shared: here any of the shingles, and not what another document has."""
    array = pa.array(texts, pa.large_string())
    rows = marked_shingles(array, np.arange(len(texts)), Settings(shingle_size=size))
    read = []
    for number, text in enumerate(texts):
        document = oracles.Document(text, size)
        every = sorted(document.shingles)
        shared = set(data.draw(st.lists(st.sampled_from(every), max_size=40))) if every else set()
        shared |= set(every[: data.draw(st.integers(0, len(every)))])
        marks = np.array([run in shared for run in document.order], np.uint8)
        row, ends = rows.row(number), np.empty(len(marks), np.int32)
        runs = run_ends(row, marks, marks, ends)
        found = read_own_lines(row, marks, ends, runs, size, *np.empty((2, CLASSES), np.int64))
        if every:
            assert tuple(found) == document.own_lines(shared)
            read.append((found, document.own_lines(shared)))
    for one, two in combinations(read, 2):
        assert is_at_one_end(one[0], two[0]) == oracles.is_at_one_end(one[1], two[1])
        assert is_at_one_end(one[0], two[0]) == is_at_one_end(two[0], one[0])


@st.composite
def editions(draw):
    """Draw two texts of few words, many of them repeated: one is the other with words joined, split, and told again."""
    first = draw(
        st.lists(st.sampled_from([f"{letter}{n}" for letter in "abcd" for n in range(6)]), min_size=20, max_size=60)
    )
    second = list(first)
    for place in draw(st.lists(st.integers(0, 50), max_size=5)):
        if draw(st.booleans()):
            second[place : place + 2] = ["".join(second[place : place + 2])]
        else:
            second[place : place + 1] = [letter for word in second[place : place + 1] for letter in word]
    start = draw(st.integers(0, 40))
    return [" ".join(first), " ".join(second + draw(st.sampled_from([[], second[start : start + 20]])))]


@hypothesis_settings(max_examples=80)
@given(editions(), st.integers(1, 3))
def test_who_is_looked_up_in_whom_changes_nothing(texts, size):
    """A pair is judged alike in a corpus of two and in one where either has many other pairs."""
    settings = Settings(shingle_size=size)
    (_, there), (_, back) = judged(texts, settings), judged(texts[::-1], settings)
    assert len(there.pairs) == len(back.pairs)
    if len(there.pairs):
        columns = [float(column[0]) for column in there.weights]
        sides = [float(column[0]) for column in back.weights]
        swapped = [sides[place ^ 1] for place in range(12)]
        assert columns == [*swapped, *sides[12:]]
        naive = oracles.weigh(texts, [(0, 1)], settings)[0, 1]
        assert columns[2:6] == [*naive.own, *naive.new]


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
    """With next to no room, on any number of threads, of any chunks."""
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
        second, found = judged(pa.chunked_array(chunks), settings, 2, storage=storage)
        assert found.pairs.tolist() == expected.pairs.tolist()
        for mine, theirs in zip(found.weights, expected.weights, strict=True):
            assert mine.tolist() == theirs.tolist()
        for name in ("shingles", "margin", "pairs", "votes"):
            assert getattr(second.boilerplate, name).tolist() == getattr(first.boilerplate, name).tolist()


def rows(result):
    """Give what a result decides, order forgotten, and where rows stood."""
    clusters = result.clusters.drop_columns(["file", "row"])
    matches = [{frozenset(row.items()) for row in table.to_pylist()} for table in (clusters, result.matches)]
    return *matches, {frozenset(row.items()) for row in result.digests.to_pylist()}
