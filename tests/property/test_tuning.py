"""What tuning promises of a pair is what a run says of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st
from verifying import counter

import dupdetect
from dupdetect.clustering.clusters import collapse
from dupdetect.evaluation.fit import measure
from dupdetect.evaluation.labels import Labelled
from dupdetect.evaluation.thresholds import Rule
from dupdetect.matching import candidates
from dupdetect.matching.pairs import packed
from dupdetect.matching.removal import REMOVABLE_A, REMOVABLE_B, is_decided
from dupdetect.matching.verify import Verifier, verify_candidates
from dupdetect.sketches.sketches import sketch_texts

SITES = {
    "en": (
        "Front page\nLocal news\nWeather",
        "The county will repair the bridge over the weir before winter sets in and",
    ),
    "ru": ("Главная\nНовости\nПогода", "Область починит мост у плотины до зимы и просит всех водителей ехать в объезд"),
    "zh": ("首页\n本地新闻\n天气", "县里将在冬天到来之前修好堰上的桥请所有司机绕道磨坊慢慢行驶"),
    "ar": ("الصفحة الأولى\nأخبار\nالطقس", "ستصلح المحافظة الجسر فوق السد قبل حلول الشتاء وتطلب من السائقين"),
}


def story(number: int, words: int) -> list[str]:
    return [f"s{number}w{place}" for place in range(words)]


def page_of(words: list[str], menu: str, teaser: str) -> str:
    """Put a story into a page of a site: boilerplate around its halves, and a column between them."""
    middle = len(words) // 2
    half, rest, column = " ".join(words[:middle]), " ".join(words[middle:]), " ".join(story(9, 50))
    return f"{menu}\n{teaser}\n{half}\n{column}\n{rest}\n{teaser[::-1]}\n{menu}"


@st.composite
def pages(draw: st.DrawFn) -> list[str]:
    """Draw pages of one site or two, each story on several of them, whole or in part, bare or in a page."""
    found = []
    for _ in range(draw(st.integers(3, 8))):
        menu, teaser = SITES[draw(st.sampled_from(sorted(SITES)))]
        words = story(draw(st.integers(0, 3)), draw(st.sampled_from([0, 8, 40, 90])))
        half = " ".join(words[: len(words) // 2])
        found.append(draw(st.sampled_from([" ".join(words), page_of(words, menu, teaser), f"{menu}\n{half}"])))
    return found


rules = st.builds(
    Rule, st.sampled_from([0.3, 0.55, 0.8, 1.0]), st.sampled_from([0.25, 0.55, 0.7, 0.9]), st.sampled_from([1, 16, 64])
)


@given(pages(), rules, st.sampled_from([1, 3, 5]), st.booleans())
@example([page_of(story(n, 90), *SITES["zh"]) for n in range(2)], Rule(0.8, 0.25, 16), 5, True)  # interleaved
def test_a_rule_takes_the_pairs_that_a_run_finds(texts: list[str], rule: Rule, size: int, boilerplate: bool) -> None:
    # Every pair that shares anything is a candidate, before and after.
    base = dupdetect.Settings(
        shingle_size=size,
        boilerplate=boilerplate,
        bands=(128, 1),
        window=1,
        min_shared_fingerprints=0.001,
        threshold=0.2,
        containment=0.1,
    )
    a, b = np.triu_indices(len(texts), 1)
    pairs = packed(a, b)
    column = pa.array(texts, pa.large_string())
    measured = measure(column, Labelled(pairs, a == b, np.ones(len(pairs)), []), base, workers=1)
    taken = measured.taken(rule)

    chosen = base.replace(**rule._asdict())
    sketches = sketch_texts(column, base)
    text_of, rows = collapse(sketches.words, sketches.digests)
    found = candidates.find(sketches.take(rows))
    known = verify_candidates(found, counter(column, base, rows=rows)).boilerplate
    found = Verifier(counter(column, chosen, rows=rows), known).matches(found.pairs)
    doubtful = set(found.pairs[np.minimum(*found.shares_lost) > 1 - found.jaccard].tolist())
    matches = set(found.pairs[is_decided(found, REMOVABLE_A) | is_decided(found, REMOVABLE_B)].tolist())
    for x, y, said in zip(text_of[a], text_of[b], taken, strict=True):
        pair = int(packed(np.int64(x), np.int64(y)))
        # Of near duplicates that are mostly boilerplate, some that are found are not promised.
        assert said == ((x == y >= 0) or pair in matches) or (not said and pair in doubtful)
