"""The result of `evaluate`: counts of pairs and documents, and the fractions that they make.

Input    counts
Output   `Evaluation` and its parts
Cost     none
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class PairScore:
    """Pairs of documents: right, found and true; and the fractions they make, in [0, 1]."""

    right: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the pairs found that is true; 1 where none was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that was found; 1 where there was none to find."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / (self.found + self.true) if self.found + self.true else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return counts and fractions."""
        return asdict(self) | {"precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True)
class BCubed:
    """Means over documents: of a document's found cluster, the share that is true; of its true one, the share found.

    A. Bagga and B. Baldwin, "Entity-based cross-document coreferencing using the vector space model" (1998).
    """

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def as_dict(self) -> dict[str, float]:
        """Return the three fractions."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True)
class RelationScore:
    """Duplicates by their relation to their canonical, and how many of them truly are its copies."""

    relation: str
    duplicates: int
    right: int

    @property
    def precision(self) -> float:
        """Share that is right."""
        return self.right / self.duplicates if self.duplicates else 1.0


@dataclass(frozen=True)
class SizeScore:
    """Clusters of `least` to `most` documents (None: no end): how many were found, their pairs, and the right ones.

    Then the same of the true clusters, and of their pairs those that were found; None where the truth is of pairs.
    """

    least: int
    most: int | None
    clusters: int
    found: int
    right: int
    true_clusters: int | None = None
    true: int | None = None
    true_found: int | None = None

    @property
    def precision(self) -> float:
        """Share of the found clusters' pairs that is right."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float | None:
        """Share of the true clusters' pairs that was found."""
        if self.true is None or self.true_found is None:
            return None
        return self.true_found / self.true if self.true else 1.0


@dataclass(frozen=True)
class WrongCluster:
    """A found cluster with wrong pairs: its scored documents, their scored pairs, and how many of those are wrong.

    `members` are some of its documents; where the truth is of clusters, no two of them belong together.
    """

    cluster: Any
    size: int
    pairs: int
    false: int
    members: list[Any]


@dataclass(frozen=True)
class MissedPairs:
    """Two documents that belong together and were not put together.

    `pairs` is how many missed pairs they stand for (1 where the truth is of pairs): those of the documents put with b
    and those of its true cluster that were put together in greater number, as a was. The sum over all is exact.
    """

    a: Any
    b: Any
    pairs: int


@dataclass(frozen=True)
class Evaluation:
    """How right clusters are.

    Attributes
    ----------
    documents : int
        Scored: those that both the clusters and the truth know.
    pairs : PairScore
    bcubed : BCubed or None
        None where the truth is of pairs.
    adjusted_rand : float or None
        In [-0.5, 1], of scikit-learn; None where the truth is of pairs, or scikit-learn is not installed. Pairs to
        ignore are not ignored by it.
    relations : list of RelationScore
        Empty where the clusters have no relations.
    sizes : list of SizeScore
    worst : list of WrongCluster
        Most wrong pairs first; `wrong_clusters` is how many there are.
    missed : list of MissedPairs
        Those that stand for most pairs first; ``pairs.true - pairs.right`` is how many are missed.
    wrong_clusters : int
    unscored_pairs : int
        Pairs found whose truth is to be ignored, or not known.
    only_in_clusters, only_in_truth : int
        Documents that the other does not know; they are not scored.
    examples_only_in_clusters, examples_only_in_truth : list of ids
        Some of them.
    unknown_true_pairs : int
        True pairs of which a document is not in the clusters (truth of pairs); they are not scored.
    notes : list of str
        What else to know.
    """

    documents: int
    pairs: PairScore
    bcubed: BCubed | None
    adjusted_rand: float | None
    relations: list[RelationScore]
    sizes: list[SizeScore]
    worst: list[WrongCluster]
    missed: list[MissedPairs]
    wrong_clusters: int
    unscored_pairs: int
    only_in_clusters: int
    only_in_truth: int
    examples_only_in_clusters: list[Any] = field(default_factory=list)
    examples_only_in_truth: list[Any] = field(default_factory=list)
    unknown_true_pairs: int = 0
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows (ids as they are)."""
        values = asdict(self)
        values["pairs"] = self.pairs.as_dict()
        values["bcubed"] = self.bcubed.as_dict() if self.bcubed else None
        for row, relation in zip(values["relations"], self.relations, strict=True):
            row["precision"] = relation.precision
        for row, size in zip(values["sizes"], self.sizes, strict=True):
            row |= {"precision": size.precision, "recall": size.recall}
        return values

    def __repr__(self) -> str:
        pairs = self.pairs
        bcubed = f", B-cubed F1 {self.bcubed.f1:.4f}" if self.bcubed else ""
        rand = f", adjusted Rand {self.adjusted_rand:.4f}" if self.adjusted_rand is not None else ""
        return (
            f"Evaluation({self.documents} documents: pairs precision {pairs.precision:.4f}, recall {pairs.recall:.4f}, "
            f"F1 {pairs.f1:.4f}{bcubed}{rand}; {pairs.found - pairs.right} wrong pairs, "
            f"{pairs.true - pairs.right} missed)"
        )
