"""Nights in a row: what is held against earlier outputs fares as it would have in one run, where that can be said."""

import tempfile
import warnings
from itertools import pairwise
from pathlib import Path

import oracles
from exactness import CROWDED, EXACT, PASSAGES
from generated_sites import LANGUAGES, Writer
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dupdetect.pipeline.dedup import dedup
from dupdetect.settings import Settings

#: Texts of which none is a copy of another.
STRANGERS = [Writer(language, number).story(1, 20) for language in LANGUAGES for number in range(2)]


@st.composite
def copies(draw):
    """Draw texts by id: strangers, most of them several times, as they are or written otherwise."""
    drawn = draw(st.lists(st.tuples(st.sampled_from(["", *STRANGERS]), st.booleans()), max_size=16))
    return {f"d{n:02}": text.upper() if shout else text for n, (text, shout) in enumerate(drawn)}


@st.composite
def joined(draw):
    """Draw texts by id: joined passages, some with a word more."""
    chosen = st.tuples(st.lists(st.sampled_from(PASSAGES), max_size=4), st.sampled_from(["", "", "extra", "other"]))
    drawn = draw(st.lists(chosen, max_size=9))
    return {f"d{n}": f"{' '.join(parts)} {edit}" for n, (parts, edit) in enumerate(drawn)}


def nights_of(texts, cuts):
    """Cut texts, in order, into nights."""
    items, bounds = list(texts.items()), [0, *sorted(min(cut, len(texts)) for cut in cuts), len(texts)]
    return [dict(items[first:last]) for first, last in pairwise(bounds)]


def run(nights, settings, workers=1):
    """Hold each night against all before; give the results."""
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for number, night in enumerate(nights):
            against = folder if results else None
            results.append(dedup(night, against=against, sketches=True, settings=settings, workers=workers))
            results[-1].write(Path(folder) / f"{number:02}")
        return results


def kept(*results):
    return {row["id"] for result in results for row in result.clusters.to_pylist() if row["canonical"]}


#: Each example is several runs, and writes a folder for each.
FEW = hypothesis_settings().max_examples // 4

CUTS = st.lists(st.integers(0, 16), max_size=3)


@hypothesis_settings(max_examples=FEW)
@given(copies(), CUTS)
def test_of_copies_and_strangers_nights_keep_what_one_run_keeps(texts, cuts):
    once = dedup(texts, canonical="first")
    nights = run(nights_of(texts, cuts), Settings(canonical="first"))
    assert kept(*nights) == kept(once)
    clusters = [row for result in nights for row in result.clusters.to_pylist()]
    assert {row["id"]: row["cluster"] for row in clusters} == {
        row["id"]: row["cluster"] for row in once.clusters.to_pylist()
    }


@hypothesis_settings(max_examples=FEW)
@given(copies(), CUTS)
def test_whatever_is_there_already_is_dropped(texts, cuts):
    assume(any(oracles.words(text) for text in texts.values()))  # a run of rejects alone fails
    *_, again = run([*nights_of(texts, cuts), texts], Settings())
    assert again.rows.num_rows == 0
    assert again.clusters.num_rows + again.rejects.num_rows == len(texts)
    assert again.rejects.num_rows == sum(not oracles.words(text) for text in texts.values())


@hypothesis_settings(max_examples=FEW)
@given(joined(), CUTS, st.sampled_from([EXACT, CROWDED]))
def test_who_is_dropped_matches_a_document_that_stays(texts, cuts, settings):
    results = run(nights_of(texts, cuts), settings)
    stay = kept(*results)
    for result in results:
        assert result.superseded.num_rows == 0
        assert result.kept["id"].to_pylist() == [id for id in result.clusters["id"].to_pylist() if id in stay]
        matched = {
            frozenset(pair) for pair in zip(*result.matches.select(["a", "b"]).to_pydict().values(), strict=True)
        }
        for row in result.clusters.to_pylist():
            assert row["cluster"] in stay
            if not row["canonical"]:
                assert row["relation"] is not None
                if settings is EXACT:
                    assert frozenset((row["id"], row["cluster"])) in matched


@hypothesis_settings(max_examples=FEW)
@given(joined(), st.integers(0, 9), st.randoms(use_true_random=False))
def test_neither_order_nor_workers_nor_sketches_make_a_difference(texts, cut, random):
    first, second = nights_of(texts, [cut])
    shuffled = list(second.items())
    random.shuffle(shuffled)
    _, one = run([first, second], CROWDED)
    _, other = run([first, dict(shuffled)], CROWDED, workers=2)

    def rows(table, *key):
        return sorted(table.to_pylist(), key=lambda row: [row[name] for name in key])

    clusters, others = (result.clusters.drop_columns(["row"]) for result in (one, other))
    assert rows(clusters, "id") == rows(others, "id")
    assert rows(one.digests, "id", "cluster") == rows(other.digests, "id", "cluster")
    assert rows(one.matches, "a", "b") == rows(other.matches, "a", "b")


def job(night, folder, number, settings):
    """Run a night as a job does: against all outputs, into its own; give what it found."""
    out = Path(folder) / f"{number:02}"
    result = dedup(night, against=folder, replaces=out, sketches=True, settings=settings)
    result.write(out, overwrite=True)
    names = ("clusters", "matches", "digests", "superseded", "kept", "rejects", "boilerplate")
    return [getattr(result, name) for name in names]


@hypothesis_settings(deadline=None)
@given(
    st.one_of(copies(), joined()),
    st.lists(st.integers(0, 8), max_size=3),
    st.sampled_from([EXACT, CROWDED]),
    st.booleans(),
)
def test_nights_may_be_repeated(texts, cuts, settings, at_once):
    nights = nights_of(texts, cuts)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = []
        for number, night in enumerate(nights):
            first.append(job(night, folder, number, settings))
            if at_once:
                assert job(night, folder, number, settings) == first[-1]
        again = [job(night, folder, number, settings) for number, night in enumerate(nights)]
    assert again == first
