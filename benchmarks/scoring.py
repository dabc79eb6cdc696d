"""Predicted clusters and pairs against a known truth.

Everything here works on integer labels (documents with the same label belong together) or on arrays of
pairs of document numbers, and counts pairs without listing them, so a family of 100,000 costs no more than
100,000 documents.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int64]  # shape (n, 2)


@dataclass(frozen=True)
class Score:
    """Pairs right, pairs predicted, pairs true; and the fractions they make."""

    right: int
    predicted: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the predicted pairs that is true; 1 where nothing was predicted."""
        return self.right / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that was predicted; 1 where there was nothing to find."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / (self.predicted + self.true) if self.predicted + self.true else 1.0

    def as_dict(self) -> dict[str, float]:
        """The counts and the fractions, rounded to four digits."""
        fractions = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return asdict(self) | {name: round(value, 4) for name, value in fractions.items()}


def labels(keys: Iterable[Hashable]) -> Labels:
    """Number arbitrary keys: equal keys get equal integers, from 0 in order of appearance."""
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(key, len(number)) for key in keys], dtype=np.int64)


def pairs_within(*columns: Labels) -> int:
    """Number of pairs of rows that agree in every column."""
    _, counts = np.unique(np.column_stack(columns), axis=0, return_counts=True)
    return int((counts * (counts - 1) // 2).sum())


def score_clusters(predicted: Labels, truth: Labels, ignore: Iterable[tuple[int, int]] = ()) -> Score:
    """Pairwise score of clusters.

    Parameters
    ----------
    predicted, truth : int64[n]
        Cluster of each document.
    ignore : pairs of truth labels
        Pairs of documents of two such true clusters are not scored, whether predicted or not.
    """
    found = pairs_within(predicted) - _pairs_across(predicted, truth, ignore)
    return Score(pairs_within(predicted, truth), found, pairs_within(truth))


def _pairs_across(predicted: Labels, truth: Labels, ignore: Iterable[tuple[int, int]]) -> int:
    total = 0
    for one, other in ignore:
        clusters, counts = np.unique(predicted[truth == one], return_counts=True)
        here = dict(zip(clusters.tolist(), counts.tolist(), strict=True))
        total += sum(here.get(cluster, 0) for cluster in predicted[truth == other].tolist())
    return total


def score_pairs(predicted: Pairs, truth: Labels) -> Score:
    """Score of a list of pairs (each pair once) against true clusters."""
    right = int((truth[predicted[:, 0]] == truth[predicted[:, 1]]).sum())
    return Score(right, len(predicted), pairs_within(truth))


def unique_pairs(pairs: Pairs) -> Pairs:
    """Each unordered pair once, the smaller number first; no document with itself."""
    pairs = np.sort(np.asarray(pairs, dtype=np.int64).reshape(-1, 2), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


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


def share_together(predicted: Labels, one: Sequence[int] | Labels, other: Sequence[int] | Labels) -> float:
    """Share of the given pairs (one[i], other[i]) that share a cluster."""
    return float((predicted[np.asarray(one)] == predicted[np.asarray(other)]).mean()) if len(one) else 1.0
