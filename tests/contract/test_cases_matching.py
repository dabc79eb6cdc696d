"""The small collections of the shared folder are judged as its README says is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import dupdetect

if TYPE_CHECKING:
    from pathlib import Path

#: How many documents are kept of collections of which none may go.
ALL_KEPT = {
    "stub_under_footer": 31,
    "stub_and_three": 4,
    "code_under_header": 31,
    "common_paragraph": 8,
    "forms": 12,
    "generated_modules": 20,
    "numbers_differ": 10,
}


@pytest.fixture
def cases(shared: Path) -> Path:
    """Give the folder of small collections."""
    folder = shared / "cases" / "matching"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there; it has the small collections that these tests judge")
    return folder


def result_of(cases: Path, name: str) -> dupdetect.Result:
    return dupdetect.dedup(cases / f"{name}.jsonl", workers=1)


def kept(result: dupdetect.Result) -> set[str]:
    return set(result.clusters["cluster"].to_pylist())


def cluster_of(result: dupdetect.Result) -> dict[str, str]:
    return dict(zip(result.clusters["id"].to_pylist(), result.clusters["cluster"].to_pylist(), strict=True))


@pytest.mark.parametrize("name", ALL_KEPT)
def test_each_text_says_something_of_its_own_and_stays(cases: Path, name: str) -> None:
    result = result_of(cases, name)
    assert result.clusters.num_rows == ALL_KEPT[name]
    assert len(kept(result)) == ALL_KEPT[name]


def test_no_clause_is_lost(cases: Path) -> None:
    assert kept(result_of(cases, "clauses")) in ({"short", "with_clause", "with_two"}, {"with_two"})


@pytest.mark.parametrize(
    ("name", "longer", "both"),
    [("early_and_late", "late", {"early", "late"}), ("quoted_mail", "answer", {"mail", "answer"})],
)
def test_the_longer_stands_for_the_shorter_or_both_stay(cases: Path, name: str, longer: str, both: set[str]) -> None:
    assert kept(result_of(cases, name)) in ({longer}, both)


def test_versions_are_together_and_stubs_apart(cases: Path) -> None:
    cluster = cluster_of(result_of(cases, "two_versions_two_stubs"))
    assert cluster["v1"] == cluster["v2"]
    assert len({cluster["v1"], cluster["stub1"], cluster["stub2"]}) == 3


def test_every_pair_of_versions_in_a_family_is_matched_and_together(cases: Path) -> None:
    result = result_of(cases, "versions_in_a_family")
    sides = (result.matches[side].to_pylist() for side in "ab")
    matched = set(map(frozenset, zip(*sides, strict=True)))
    cluster = cluster_of(result)
    names = sorted({name.removesuffix(" v1") for name in cluster if name.endswith(" v1")})
    assert len(names) == 300
    unmatched = [name for name in names if {f"{name} v1", f"{name} v2"} not in matched]
    apart = [name for name in names if cluster[f"{name} v1"] != cluster[f"{name} v2"]]
    assert (unmatched, apart) == ([], [])
    assert len(kept(result)) == len(cluster) - 300  # and nothing else is removed


def test_a_text_and_the_same_with_line_numbers(cases: Path) -> None:
    """A wish: neither has words of the other's, and they may stay apart, but a text is never lost."""
    assert len(kept(result_of(cases, "line_numbers"))) in (1, 2)
