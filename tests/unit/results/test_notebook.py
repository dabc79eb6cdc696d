"""What notebooks show of results: the figures, and no markup but our own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hostile import ATTACKS

import dupdetect
from dupdetect.results.notebook import clusters_html
from dupdetect.results.result import Cluster

STORY = (
    "The beekeeper of Anholt counts her hives each evening, and each evening there is one more than she remembers, "
    "which she puts down to the heather and to her glasses."
)


def says(html: str) -> str:
    """Read a fragment, refuse what notebooks should not be given, and return its words."""
    words: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in {"table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "p"}
            assert {name for name, _ in attrs} <= {"style", "scope"}

        def handle_data(self, data: str) -> None:
            words.append(data)

    reader = Reader()
    reader.feed(html)
    reader.close()
    return " ".join(" ".join(words).split())


def test_a_result_counts_and_lists_its_largest_clusters() -> None:
    result = dupdetect.dedup({"hive": STORY, "hive again": STORY.upper(), "other": "A text of its own."})
    shown = says(result._repr_html_())
    assert "documents 3" in shown
    assert "removed as copies 1 33.3 %" in shown
    assert "– identical 1 33.3 %" in shown
    assert "1 clusters of two and more cluster documents hive 2" in shown
    assert says(dupdetect.dedup([])._repr_html_()).startswith("documents 0")


def test_clusters_show_their_members() -> None:
    groups = dupdetect.dedup([STORY] * 14).groups()
    (cluster,) = groups
    assert "10 of 14 documents that are one text" in says(cluster._repr_html_())
    assert says(cluster._repr_html_()).count("stays") == 1
    assert "0 14 1, 2, 3 and 10 more" in says(groups._repr_html_())


def test_a_comparison_shows_its_passages() -> None:
    comparison = dupdetect.compare(STORY, f"Home News Weather\n\n{STORY.replace('glasses', 'spectacles')}")
    shown = says(comparison._repr_html_())
    assert "near duplicate" in shown or "contain" in shown
    assert "1 passages that they share" in shown
    assert "The beekeeper of Anholt counts her hives" in shown
    assert "0 passages" in says(dupdetect.compare("one text", "and another")._repr_html_())


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_ids_and_texts_are_shown_as_they_are(attack: str) -> None:
    html = Cluster(attack, [attack, attack * 3])._repr_html_() + clusters_html([Cluster(attack, [attack, attack])])
    html += dupdetect.compare(f"{attack} {STORY}", f"{STORY} {attack}")._repr_html_()
    says(html)
    assert len(html) < 10_000
    assert not re.search("[\x00-\x08\u2028-\u202e\u2066-\u2069]", html)


def test_ids_that_are_numbers_are_shown_as_ids() -> None:
    result = dupdetect.dedup({20240501: STORY, 20240502: STORY.upper()})
    shown = says(result._repr_html_()) + says(result.groups()._repr_html_()) + says(result.groups()[0]._repr_html_())
    assert shown.count("20240501") == 3
    assert "20,240" not in shown
