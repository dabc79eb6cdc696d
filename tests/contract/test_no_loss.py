"""The guarantee by brute force: of what a removed document says, its canonical or boilerplate has all but a little.

For every removed document, in plain Python: its words that are in no shingle that its canonical has, and in none that
`Result.boilerplate` says is boilerplate, and in no line of a page's own furniture, are what the table says is lost, and
no more of its content than the settings allow.
"""

from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING

import oracles
import pyarrow.compute as pc
import pytest
from collections_of_texts import KINDS, TONGUES
from generated_sites import LANGUAGES, Site, Writer, mixture, site

import dupdetect
from dupdetect.matching.boilerplate import AGAINST
from dupdetect.matching.overlaps import PASSAGE
from dupdetect.matching.removal import FEW_WORDS, SHORT
from dupdetect.matching.shingle_rows import HASH
from dupdetect.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Less than any margin: of a shingle of which nobody says that it is boilerplate.
NOBODY = -(2**40)

#: Removed documents of a set that are looked at.
SAMPLE = 20


def check(texts: dict[str, str], sample: int | None = None, **overrides: object) -> int:
    """Check the removed documents of a run, or a sample of them; return how many were."""
    settings = Settings().replace(**overrides)
    result = dupdetect.dedup(texts, settings=settings, workers=1)
    table = result.boilerplate
    told = dict(zip(table["shingle"].to_pylist(), table["margin"].to_pylist(), strict=True))

    def margin(run: tuple[str, ...]) -> int:
        return told.get(oracles.shingle_hash(run) & int(HASH), NOBODY)

    removed = result.clusters.filter(pc.invert(result.clusters["canonical"])).to_pylist()
    if sample is not None and len(removed) > sample:
        removed = random.Random(0).sample(removed, sample)
    for row in removed:
        name, canonical = row["id"], row["cluster"]
        if row["relation"] == "identical":
            assert oracles.words(oracles.clean(texts[name])) == oracles.words(oracles.clean(texts[canonical]))
            assert (row["lost"], row["lost_share"]) == (0, 0)
            continue
        x, y = (oracles.Document(oracles.clean(texts[one]), settings.shingle_size) for one in (name, canonical))
        read = oracles.read_pair(x, y, settings.threshold)
        shared = x.shingles.keys() & y.shingles.keys()
        assert row["jaccard"] == oracles.jaccard(x.shingles.keys(), y.shingles.keys())
        # Its own vote, if it was one of those that were counted, is left out of what a pair shares.
        own = {"interleaved": 1, "one end": 1, "clear": -AGAINST, "within": -AGAINST}.get(read.name, 0)
        ways = [
            oracles.weigh_pair(x, y, read, {run for run in shared if margin(run) > vote}, lambda run: margin(run) > 1)
            for vote in {0, own}
        ]
        shares = [(pair.lost[0], pair.lost[0] / max(pair.content[0] + pair.lost[0], 1e-9)) for pair in ways]
        assert any(pytest.approx(share) == (row["lost"], row["lost_share"]) for share in shares), (row, shares, read)
        near = row["jaccard"] >= settings.threshold
        allowed = max(settings.max_lost, 1 - min(settings.threshold, settings.containment) if near else 0)
        page = any(2 * row["lost"] < pair.new[0] for pair in ways) and row["lost"] <= FEW_WORDS
        assert row["lost_share"] <= allowed + 1e-9 or page, row
        assert near or page or min(pair.run[0] for pair in ways) < PASSAGE, row
        words = max(min(map(sum, zip(pair.content, pair.lost, strict=True))) for pair in ways)
        assert near or page or row["lost"] <= settings.max_lost * max(words - SHORT, 0) + 1e-9, row
    return len(removed)


def sites() -> Iterable[tuple[str, dict[str, str]]]:
    for language in LANGUAGES:
        pages = site(language, "one", 6)
        stories = {f"story {n}": Writer(language, f"one {n}").story() for n in range(6)}
        other = Site.of(language, "other")
        yield language, pages | stories | {f"again {n}": other.page(text) for n, text in enumerate(stories.values())}


@pytest.mark.parametrize(("language", "texts"), list(sites()))
def test_pages_of_sites(language: str, texts: dict[str, str]) -> None:
    assert check(texts) >= 6, language


def test_a_mixture_of_copies_edits_and_quotations() -> None:
    texts = {str(n): row["text"] for n, row in enumerate(mixture()) if row["text"]}
    assert check(texts) > 0  # type: ignore[arg-type]


@pytest.mark.parametrize("language", TONGUES)
def test_collections_of_all_kinds_at_once(language: str) -> None:
    texts = {f"{kind.__name__} {name}": one.text for kind in KINDS for name, one in kind(language).items()}
    assert check(texts) > 0
    assert check(texts, max_lost=0.0) > 0
    assert check(texts, canonical="longest") > 0


def records(language: str, count: int) -> dict[str, str]:
    """Make records of which each value stands in many, and no two of which have the same ones."""
    rng, write = random.Random(language), Writer(language, "records")
    names = [write.line(1) for _ in range(6)]
    values = [[write.line(2 + (number + name) % 6) for number in range(8)] for name in range(6)]
    first, last = write.line(5), write.line(12)
    chosen = dict.fromkeys(tuple(map(rng.choice, values)) for _ in range(count))
    lines = ["\n".join(map(": ".join, zip(names, of, strict=True))) for of in chosen]
    return {str(number): f"{first}\n{some}\n{last}" for number, some in enumerate(lines)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_records_of_values_that_many_have(language: str) -> None:
    texts = records(language, 800)
    check(texts, SAMPLE)
    removed = dupdetect.dedup(texts).clusters.filter(pc.field("jaccard") < Settings().threshold)
    assert removed.to_pylist() == []


@pytest.mark.parametrize("fixture", ["newsroom", "scripts", "typesetting", "edge"])
def test_documents_of_the_fixtures(root: Path, fixture: str) -> None:
    texts = {}
    for path in sorted((root / "fixtures" / fixture).rglob("*.txt")):
        texts[path.name] = path.read_text(encoding="utf-8", errors="replace")
    for path in sorted((root / "fixtures" / fixture).rglob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            texts[str(row["id"])] = row["text"]
    if not texts:
        pytest.skip(f"fixture {fixture} has no text files and no JSON Lines")
    check({name: text for name, text in texts.items() if isinstance(text, str)}, SAMPLE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["code", "manpages", "copyrights", "manuals", "changelogs", "pages"])
def test_documents_of_real_collections(shared: Path, name: str) -> None:
    path = shared / "corpora" / name / "docs.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = {row["id"]: row["text"] for row in map(json.loads, lines)}
    assert check(texts, SAMPLE) == SAMPLE
