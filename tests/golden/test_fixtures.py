"""The texts of `fixtures/` in, the clusters out that a careful reader would make of them."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

import dupdetect

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
LANGUAGES = sorted(folder.name for folder in (FIXTURES / "newsroom").iterdir())
FAMILY = ("family_1", "family_2", "family_3")


def expected(name: str) -> dict[str, list[str]]:
    """Read a golden file: canonical to members, which are sorted and include it."""
    clusters: dict[str, list[str]] = json.loads((FIXTURES / "expected" / f"{name}.json").read_text("utf-8"))
    return clusters


def found(folder: Path) -> dict[str, list[str]]:
    """Deduplicate a folder: canonical to members, as the golden files have it."""
    clusters: dict[str, list[str]] = {}
    for row in dupdetect.dedup(folder).clusters.to_pylist():
        clusters.setdefault(row["cluster"], []).append(row["id"])
    return {canonical: sorted(members) for canonical, members in clusters.items()}


def members(clusters: dict[str, list[str]]) -> list[list[str]]:
    """Forget which member is canonical."""
    return sorted(clusters.values())


def text(language: str, name: str) -> str:
    """Read one text of a language's newsroom."""
    return (FIXTURES / "newsroom" / language / f"{name}.txt").read_text("utf-8")


def digests(result: dupdetect.Result) -> dict[str, list[str]]:
    """Give what digest documents hold, each cluster by the first of its members."""
    first: dict[str, str] = {}
    for row in result.clusters.to_pylist():
        first[row["cluster"]] = min(row["id"], first.get(row["cluster"], row["id"]))
    held: dict[str, list[str]] = {}
    for row in result.digests.to_pylist():
        held.setdefault(row["id"], []).append(first[row["cluster"]])
    return {digest: sorted(names) for digest, names in held.items()}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """Give each language in turn."""
    name: str = request.param
    return name


def test_every_language_is_there() -> None:
    assert set(LANGUAGES) == {"ar", "en", "hi", "ja", "ru", "th", "zh"}


def test_every_file_is_expected_once(language: str) -> None:
    files = sorted(file.name for file in (FIXTURES / "newsroom" / language).iterdir())
    assert sorted(file for cluster in expected(language).values() for file in cluster) == files


def test_clusters(language: str) -> None:
    assert members(found(FIXTURES / "newsroom" / language)) == members(expected(language))


def test_the_clean_article_is_canonical(language: str) -> None:
    clusters = found(FIXTURES / "newsroom" / language)
    assert "article_page.txt" in clusters.get("article.txt", [])


def test_round_ups_are_listed_with_what_they_hold() -> None:
    """In every script, and in all of them at once."""
    holdings = json.loads((FIXTURES / "expected" / "digests.json").read_text("utf-8"))
    for language, held in holdings.items():
        result = dupdetect.dedup(FIXTURES / "newsroom" / language)
        assert digests(result) == {digest: sorted(names) for digest, names in held.items()}
        assert min(result.digests["containment"].to_pylist()) == 1.0
        # The five articles are all that the round-up says; common words of a few characters count twice.
        assert sum(result.digests["share"].to_pylist()) == pytest.approx(1.0, abs=0.11)
    assert digests(dupdetect.dedup(FIXTURES / "newsroom")) == {
        f"{language}/{digest}": sorted(f"{language}/{name}" for name in names)
        for language, held in holdings.items()
        for digest, names in held.items()
    }
    assert sorted(holdings) == LANGUAGES


def test_the_newsrooms_keep_apart() -> None:
    """All languages in one run give each language's own clusters: no language changes another's."""
    together = found(FIXTURES / "newsroom")
    apart = [
        [f"{language}/{file}" for file in cluster] for language in LANGUAGES for cluster in expected(language).values()
    ]
    assert members(together) == sorted(apart)


@pytest.mark.parametrize("name", ["scripts", "edge", "typesetting"])
def test_other_folders(name: str) -> None:
    clusters = expected(name)
    files = sorted(file.name for file in (FIXTURES / name).iterdir())
    assert sorted(file for cluster in clusters.values() for file in cluster) == files
    assert members(found(FIXTURES / name)) == members(clusters)


def test_typesetting_changes_no_word() -> None:
    found = dupdetect.dedup(FIXTURES / "typesetting").clusters.to_pylist()
    assert {row["relation"] for row in found if not row["canonical"]} == {"identical"}


@pytest.mark.parametrize("copy", ["emoji_post_plain", "emoji_post_other_emoji"])
def test_emoji_are_no_words(copy: str) -> None:
    post, other = ((FIXTURES / "scripts" / f"{name}.txt").read_text("utf-8") for name in ("emoji_post", copy))
    assert dupdetect.compare(post, other).relation == "identical"


def test_the_article_is_contained_in_its_page(language: str) -> None:
    comparison = dupdetect.compare(text(language, "article"), text(language, "article_page"))
    assert comparison.relation == "contained"
    assert comparison.containment_a > 0.9
    assert comparison.containment_b < 0.7
    assert comparison.jaccard < 0.7


def test_the_page_contains_its_article(language: str) -> None:
    comparison = dupdetect.compare(text(language, "article_page"), text(language, "article"))
    assert comparison.relation == "contains"


def test_a_shared_quotation_is_no_copy(language: str) -> None:
    comparison = dupdetect.compare(text(language, "article"), text(language, "rewrite"))
    assert comparison.relation is None
    assert 0 < comparison.jaccard < 0.3
    assert max(comparison.containment_a, comparison.containment_b) < 0.3


@pytest.mark.parametrize(("a", "b"), list(combinations(FAMILY, 2)))
def test_light_edits_leave_near_duplicates(language: str, a: str, b: str) -> None:
    comparison = dupdetect.compare(text(language, a), text(language, b))
    assert comparison.relation == "near_duplicate"
    assert comparison.jaccard >= 0.85


def test_one_suit_does_not_make_one_person(language: str) -> None:
    """Two articles in one site's boilerplate share much, and are two articles."""
    comparison = dupdetect.compare(text(language, "same_site_a"), text(language, "same_site_b"))
    assert comparison.relation is None
    assert 0.35 < max(comparison.containment_a, comparison.containment_b) < 0.6
