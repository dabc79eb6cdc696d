"""What an audit finds are the pairs that sets of shingles say are matches."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from judging import judge
from verifying import counter

import dupdetect
from dupdetect.evaluation import audit as auditing
from dupdetect.evaluation import intervals
from dupdetect.matching.boilerplate_votes import learn
from dupdetect.matching.overlaps import NONE
from dupdetect.matching.pairs import packed
from dupdetect.matching.verify import Verifier

texts = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12).map(" ".join), min_size=1, max_size=12)
settings = st.builds(
    dupdetect.Settings,
    shingle_size=st.integers(1, 3),
    threshold=st.sampled_from([0.3, 0.5, 0.8, 1.0]),
    containment=st.sampled_from([0.4, 0.7, 1.0]),
    min_shingles=st.integers(1, 6),
)


@given(texts, settings)
def test_all_documents_with_all(texts, settings):
    result = dupdetect.dedup(texts, settings=settings)
    matches = {(a, b) for a, b in combinations(range(len(texts)), 2) if judge(texts[a], texts[b], settings)}
    cluster = dict(zip(*(result.clusters[name].to_pylist() for name in ("id", "cluster")), strict=True))
    together = {(a, b) for a, b in matches if cluster[a] == cluster[b]}
    listed = {frozenset(pair) for pair in zip(*(result.matches[side].to_pylist() for side in ("a", "b")), strict=True)}

    audit = auditing.audit(result, texts)
    assert audit.together.pairs == 2 * len(matches)
    assert audit.together.found == 2 * len(together)
    assert audit.verified.found == 2 * len(together | {pair for pair in matches if frozenset(pair) in listed})
    assert audit.missed == 2 * len(matches - together)
    assert {tuple(sorted((miss.a, miss.b))) for miss in audit.misses} <= matches - together
    for miss in audit.misses:
        assert miss.relation in judge(texts[miss.a], texts[miss.b], settings).relations
    assert audit.lost.over == 0
    assert audit.lost.words == sum(filter(None, result.clusters["lost"].to_pylist()))


@given(texts, settings, st.integers(1, 12), st.integers(0, 3))
def test_a_sample_of_documents_with_all(texts, settings, sample, seed):
    result = dupdetect.dedup(texts, settings=settings)
    census = auditing.survey(result, texts)
    rows = auditing.draw(len(texts), sample, seed)
    audit = auditing.audit(result, texts, documents=sample, sampling_seed=seed)
    for kind in ("together", "verified"):
        expected = intervals.estimate(
            getattr(census, kind)[rows], census.pairs[rows], documents=len(texts), confidence=0.95
        )
        assert getattr(audit, kind) == expected
    assert audit.with_matches == (census.pairs[rows] > 0).sum()


@st.composite
def sites(draw: st.DrawFn) -> list[str]:
    """Draw pages of one site, each story on several of them or bare; what is between its halves is the site's."""
    menu, teaser = draw(st.sampled_from(SITES))
    column = " ".join(f"c{place}" for place in range(draw(st.sampled_from([0, 50, 200]))))
    found = []
    for _ in range(draw(st.integers(2, 9))):
        half, rest = story(draw(st.integers(0, 3)), draw(st.sampled_from([0, 8, 40, 90])))
        dressed = f"{menu}\n{teaser}\n{half}\n{column}\n{rest}\n{teaser[::-1]}\n{menu}"
        found.append(draw(st.sampled_from([f"{half} {rest}", dressed, f"{menu}\n{half}"])))
    return found


def story(number: int, length: int) -> tuple[str, str]:
    """Give both halves of a story."""
    words = [f"s{number}w{place}" for place in range(length)]
    return " ".join(words[: length // 2]), " ".join(words[length // 2 :])


COLUMN = " ".join(f"c{place}" for place in range(200))
PAGES = [
    f"{half}\n{COLUMN}\n{rest}\n{COLUMN[::-1]}" for half, rest in (story(n, 160 if n < 15 else 8) for n in range(16))
]


SITES = (
    (
        "Front page\nLocal news\nWeather",
        "The county will repair the bridge over the weir before winter sets in and asks",
    ),
    ("Главная\nНовости\nПогода", "Область починит мост у плотины до зимы и просит всех водителей ехать в объезд"),
    ("首页\n本地新闻\n天气", "县里将在冬天到来之前修好堰上的桥请所有司机绕道磨坊慢慢行驶"),
    ("الصفحة الأولى\nأخبار\nالطقس", "ستصلح المحافظة الجسر فوق السد قبل حلول الشتاء وتطلب من السائقين"),
)


@given(sites(), st.sampled_from([0.3, 0.6]), st.sampled_from([0.5, 0.8]))
def test_what_a_run_learned_an_audit_judges_by(texts, containment, threshold):
    # Every pair that shares anything is a candidate, so the run says itself of each whether it is a match.
    liberal = {"bands": (128, 1), "window": 1, "min_shared_fingerprints": 0.001}
    result = dupdetect.dedup(texts, containment=containment, threshold=threshold, **liberal)
    audit = auditing.audit(result, texts)
    assert audit.together.pairs == 2 * result.matches.num_rows
    assert audit.verified.found == audit.verified.pairs
    said = {(row["a"], row["b"]): row["score"] for row in result.matches.to_pylist()}
    for miss in audit.misses:
        assert miss.score == pytest.approx(said.get((miss.a, miss.b), said.get((miss.b, miss.a))))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30), st.integers(0, 50))
def test_an_interval_holds_its_estimate(counts, others):
    pairs = np.array([max(pair) for pair in counts])
    found = np.array([min(pair) for pair in counts])
    low, high = intervals.interval(found, pairs, documents=len(pairs) + others, confidence=0.95)
    assert 0 <= low <= high <= 1
    if pairs.sum():
        share = found.sum() / pairs.sum()
        assert low <= share or low == pytest.approx(share)
        assert high >= share or high == pytest.approx(share)


@given(sites(), st.sampled_from([0.3, 0.6, 0.9]), st.sampled_from([0.5, 0.8]), st.sampled_from([1, 16]))
@example([COLUMN + text for text in PAGES], 0.6, 0.8, 16)  # little besides boilerplate
def test_what_is_certain_is_so_when_weighed(texts, containment, threshold, least):
    settings = dupdetect.Settings(containment=containment, threshold=threshold, min_shingles=least)
    column = pa.array([text for page in texts for text in (page, f"{page} more", f"few {page}")], pa.large_string())
    rows = np.arange(len(column))
    pairs = packed(*np.triu_indices(len(rows), 1))
    made = counter(column, settings)
    found = made.sharing(pairs)
    judge = Verifier(made, learn(made, found))
    certain = judge.certain(found)
    matches = judge.weigh(found).relations(settings) != NONE
    assert not (certain & ~matches).any()
    unknown = Verifier(made, dataclasses.replace(judge.boilerplate, pairs=None))
    matches = unknown.weigh(found).relations(settings) != NONE
    assert not (unknown.certain(found) & ~matches).any()
