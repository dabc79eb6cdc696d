"""Results to what a notebook shows of them.

Input    a `Result`, a `Cluster` or a `Comparison`, which are rooms below this one
Output   a little HTML, of the notebook's own colours and fonts, by day and by night
Cost     a count over the clusters; of a comparison, its passages

Ids and texts are escaped, and what deceives in them is spelled out (`dupdetect.text.visible`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from dupdetect.text.visible import opening

#: Clusters, members and passages that are shown, and characters of an id or a text.
SHOWN, LENGTH = 10, 120

_WORDS = {
    "identical": "a and b have the same words",
    "near_duplicate": "a and b are near duplicates",
    "contains": "a contains b",
    "contained": "a is contained in b",
    None: "a and b are no copies of each other",
}


class Clusters(list[Any]):
    """A list of clusters, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return clusters_html(self)


def result_html(result: Any) -> str:
    """Show a result: what it counted, and its largest clusters."""
    import pyarrow.compute as pc

    documents, kept = result.clusters.num_rows, pc.sum(result.clusters["canonical"]).as_py() or 0
    removed = documents - kept
    counts: list[tuple[Any, ...]] = [
        ("documents", documents, ""),
        ("kept", kept, _share(kept, documents)),
        ("removed as copies", removed, _share(removed, documents)),
        ("matches", result.matches.num_rows, ""),
        ("rows rejected", result.rejects.num_rows, ""),
    ]
    relations = pc.value_counts(result.clusters["relation"].drop_null()).to_pylist()
    counts[3:3] = [
        (f"– {entry['values'].replace('_', ' ')}", entry["counts"], _share(entry["counts"], documents))
        for entry in sorted(relations, key=lambda entry: -entry["counts"])
    ]
    sizes = result.clusters.group_by("cluster").aggregate([("cluster", "count")])
    sizes = sizes.filter(pc.greater(sizes["cluster_count"], 1))
    largest = sizes.sort_by([("cluster_count", "descending"), ("cluster", "ascending")]).slice(0, SHOWN).to_pylist()
    rows = [(entry["cluster"], entry["cluster_count"]) for entry in largest]
    return _table("", ("", "", ""), counts) + _table(
        _of(len(rows), sizes.num_rows, "clusters of two and more"), ("cluster", "documents"), rows
    )


def clusters_html(clusters: Sequence[Any]) -> str:
    """Show clusters, each with some of its members."""
    rows = [(cluster.canonical, len(cluster), _some(cluster.members[1:])) for cluster in clusters[:SHOWN]]
    return _table(_of(len(rows), len(clusters), "clusters"), ("canonical", "documents", "copies"), rows)


def cluster_html(cluster: Any) -> str:
    """Show a cluster: its canonical and the others."""
    rows = [(member, "stays" if place == 0 else "copy") for place, member in enumerate(cluster.members[:SHOWN])]
    return _table(_of(len(rows), len(cluster), "documents that are one text"), ("document", ""), rows)


def comparison_html(comparison: Any) -> str:
    """Show a comparison: its relation and figures, and the passages."""
    figures = [
        ("score", comparison.score),
        ("Jaccard", comparison.jaccard),
        ("share of a inside b", comparison.containment_a),
        ("share of b inside a", comparison.containment_b),
    ]
    passages = comparison.passages
    text = comparison.compared.a
    rows = [
        (passage.words, passage.similarity, passage.boilerplate, text[passage.a_start : passage.a_end])
        for passage in passages[:SHOWN]
    ]
    return _table(_WORDS[comparison.relation], ("", ""), figures) + _table(
        _of(len(rows), len(passages), "passages that they share"), ("words", "similarity", "boilerplate", "in a"), rows
    )


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Make a table; nothing, where there are no rows."""
    lines = [f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows]
    if not lines:
        return f"<p>{escape(caption)}</p>" if caption else ""
    named = f'<caption style="text-align: left; color: inherit">{escape(caption)}</caption>' if caption else ""
    head = "".join(f'<th scope="col" style="text-align: left">{escape(column)}</th>' for column in columns)
    body = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    return f"<table>{named}{body}<tbody>{''.join(lines)}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f'<td style="text-align: left"><bdi>{escape(opening(str(value), LENGTH))}</bdi></td>'
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
    return f'<td style="text-align: right">{shown}</td>'


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _of(shown: int, total: int, what: str) -> str:
    return f"{total:,} {what}" if shown == total else f"{shown:,} of {total:,} {what}"


def _some(ids: Sequence[Any], most: int = 3) -> str:
    listed = ", ".join(opening(str(id), LENGTH // most) for id in ids[:most])
    return listed + (f" and {len(ids) - most:,} more" if len(ids) > most else "")
