"""Found clusters and pairs against a known truth, as arrays of document numbers.

Clusters are integer labels (documents with the same label belong together), pairs are rows of document numbers.
Clusters are scored by `dupdetect.evaluate`, which counts pairs without listing them, so a family of 100,000 costs no
more than 100,000 documents.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dupdetect.evaluation.scores import PairScore

Labels = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int64]  # shape (n, 2)


def labels(keys: Iterable[Hashable]) -> Labels:
    """Number arbitrary keys: equal keys get equal integers, from 0 in order of appearance."""
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(key, len(number)) for key in keys], dtype=np.int64)


def score_clusters(found: Labels, truth: Labels, ignore: Iterable[tuple[int, int]] = ()) -> PairScore:
    """Pairwise score of clusters against clusters.

    Parameters
    ----------
    found, truth : int64[n]
        Cluster of each document.
    ignore : pairs of truth labels
        Pairs of documents of two such true clusters are not scored, whether found or not.
    """
    truths = pa.table({"id": np.arange(len(truth)), "cluster": truth})
    return _evaluate(found, truths, ignore=_pair_table(np.array(list(ignore), dtype=np.int64)))


def score_clusters_by_pairs(found: Labels, truth: Pairs) -> PairScore:
    """Pairwise score of clusters where the truth is a list of pairs: all others are wrong."""
    return _evaluate(found, _pair_table(truth))


def _evaluate(found: Labels, truth: pa.Table, **options: Any) -> PairScore:
    from dupdetect.evaluation.evaluate import evaluate

    return evaluate(pa.table({"id": np.arange(len(found)), "cluster": found}), truth, listed=0, **options).pairs


def _pair_table(pairs: Pairs) -> pa.Table:
    return pa.table(dict(zip("ab", pairs.reshape(-1, 2).T, strict=True)))


def score_pairs(found: Pairs, truth: Labels, ignore: Iterable[tuple[int, int]] = ()) -> PairScore:
    """Score of a list of pairs (each pair once) against true clusters; `ignore` as in `score_clusters`."""
    sides = np.sort(truth[found], axis=1)
    right = int((sides[:, 0] == sides[:, 1]).sum())
    ignored = {(min(pair), max(pair)) for pair in ignore}
    unscored = sum(pair in ignored for pair in map(tuple, sides.tolist())) if ignored else 0
    counts = np.bincount(truth)
    return PairScore(right, len(found) - unscored, int((counts * (counts - 1) // 2).sum()))


def unique_pairs(pairs: Pairs) -> Pairs:
    """Each unordered pair once, the smaller number first; no document with itself."""
    pairs = np.sort(np.asarray(pairs, dtype=np.int64).reshape(-1, 2), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def common_pairs(one: Pairs, other: Pairs) -> int:
    """How many pairs are in both of two lists of `unique_pairs`."""
    return len(set(map(tuple, one.tolist())) & set(map(tuple, other.tolist())))


def components(documents: int, pairs: Pairs) -> Labels:
    """Connected components: int64[documents]."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(documents, documents))
    return connected_components(edges, directed=False)[1].astype(np.int64)


def canonical_accuracy(clusters: Labels, canonical: npt.NDArray[np.bool_], clean: npt.NDArray[np.bool_]) -> float:
    """Of the clusters of two and more that hold a clean document, the share whose canonical is clean."""
    sizes = np.bincount(clusters)
    holds = np.bincount(clusters, weights=clean) > 0
    right = np.bincount(clusters, weights=clean & canonical) > 0
    scored = (sizes > 1) & holds
    return float((right & scored).sum() / scored.sum()) if scored.any() else 1.0


def share_together(found: Labels, one: Sequence[int] | Labels, other: Sequence[int] | Labels) -> float:
    """Share of the given pairs (one[i], other[i]) that share a cluster."""
    return float((found[np.asarray(one)] == found[np.asarray(other)]).mean()) if len(one) else 1.0


def canonicals(clusters: Labels, canonical: npt.NDArray[np.bool_]) -> Labels:
    """Number of the canonical of each document: int64[n], from one flag for each cluster."""
    of_cluster = np.empty(int(clusters.max(initial=-1)) + 1, dtype=np.int64)
    of_cluster[clusters[canonical]] = np.flatnonzero(canonical)
    return of_cluster[clusters]


def longest(clusters: Labels, texts: Sequence[str]) -> Labels:
    """Number of the longest document of the cluster of each: int64[n]; the first of several."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    first = np.lexsort((np.arange(len(lengths)), -lengths, clusters))
    starts = np.unique(clusters[first], return_index=True)[1]
    flags = np.zeros(len(lengths), dtype=bool)
    flags[first[starts]] = True
    return canonicals(clusters, flags)


def removed(of: Labels, forgiven: Pairs) -> list[tuple[int, int]]:
    """Documents that are removed, each with its canonical (``of[document]``), but for those of forgiven pairs."""
    known = set(map(tuple, forgiven.tolist()))
    pairs = ((document, int(of[document])) for document in np.flatnonzero(of != np.arange(len(of))).tolist())
    return [(one, two) for one, two in pairs if (min(one, two), max(one, two)) not in known]
