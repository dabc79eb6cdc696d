"""Results and clusters to what a notebook shows of them.

Input    a `Result`, a `Cluster` or a list of such
Output   HTML tables
Cost     a count over the clusters
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dupdetect.text.escape import one_line
from dupdetect.text.html import LENGTH, SHOWN, counted, share, table


class Clusters(list[Any]):
    """A list of clusters, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return clusters_html(self)


def result_html(result: Any) -> str:
    """Show a result: what it counted, and its largest clusters."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from dupdetect.io.identifiers import spelled

    documents, kept = result.clusters.num_rows, pc.sum(result.clusters["canonical"]).as_py() or 0
    removed = documents - kept
    relations = pc.value_counts(result.clusters["relation"].drop_null()).to_pylist()
    counts = [
        ("documents", documents, ""),
        ("kept", kept, share(kept, documents)),
        ("removed as copies", removed, share(removed, documents)),
        *(
            (f"– {entry['values'].replace('_', ' ')}", entry["counts"], share(entry["counts"], documents))
            for entry in sorted(relations, key=lambda entry: -entry["counts"])
        ),
        ("matches", result.matches.num_rows, ""),
        ("rows rejected", result.rejects.num_rows, ""),
    ]
    sizes = (
        pa.table({"cluster": spelled(result.clusters["cluster"])}).group_by("cluster").aggregate([("cluster", "count")])
    )
    sizes = sizes.filter(pc.greater(sizes["cluster_count"], 1))
    largest = sizes.sort_by([("cluster_count", "descending"), ("cluster", "ascending")]).slice(0, SHOWN).to_pylist()
    rows = [(str(entry["cluster"]), entry["cluster_count"]) for entry in largest]
    caption = counted(len(rows), sizes.num_rows, "clusters of two and more")
    return table("", ("", "", ""), counts) + table(caption, ("cluster", "documents"), rows)


def clusters_html(clusters: Sequence[Any]) -> str:
    """Show clusters, each with some of its members."""
    rows = [(str(cluster.canonical), len(cluster), _some(cluster.members[1:])) for cluster in clusters[:SHOWN]]
    return table(counted(len(rows), len(clusters), "clusters"), ("canonical", "documents", "copies"), rows)


def cluster_html(cluster: Any) -> str:
    """Show a cluster: its canonical and the others."""
    rows = [(str(member), "stays" if place == 0 else "copy") for place, member in enumerate(cluster.members[:SHOWN])]
    return table(counted(len(rows), len(cluster), "documents that are one text"), ("document", ""), rows)


def _some(ids: Sequence[Any], most: int = 3) -> str:
    listed = ", ".join(one_line(str(id), LENGTH // most) for id in ids[:most])
    return listed + (f" and {len(ids) - most:,} more" if len(ids) > most else "")
