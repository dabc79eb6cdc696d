"""Clusters of files and pages in several releases, scored against which file each document is a release of.

    truth = read(folder, ids, texts)

reads ``files.csv`` (`id`, `file`), ``near.csv`` (`a`, `b`: all pairs of exact Jaccard 0.8 and more) and, where there is
one, ``ignore.csv`` (`file_a`, `file_b`: pairs of files of which either answer is right).

* *Recall*: of the near pairs of one file, the share in one cluster.
* *Families*: of all pairs of one file, however unlike, the share in one cluster.
* *False*: pairs in one cluster that are of different files and no near pair.
* *Lost*: documents removed for a canonical that is neither a release of the same file nor a near copy: what a person
  would have deleted by mistake.
* *Unfound*: near pairs, of whatever files, that are neither matched nor in one cluster, though their exact Jaccard is
  0.8 and more by this library's words, too. *Misnamed*: matches called near duplicates whose exact Jaccard is below
  0.8. Both only of engines that give matches.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scoring
from engines import exact_shingles

#: Jaccard of a near pair, at least.
NEAR = 0.8

#: What bars call the measures of a score.
MEASURES = {
    "recall": "recall of Jaccard ≥ 0.8",
    "families": "pairs of one file together",
    "false": "false pairs",
    "lost": "lost documents",
    "unfound": "pairs of Jaccard ≥ 0.8 neither matched nor together",
    "misnamed": "near duplicates of Jaccard < 0.8",
}

#: Counts of a score that the other sets have not.
COUNTS = ("lost", "mixed", "largest", "unfound", "misnamed")

Pair = tuple[int, int]


class Matches(Protocol):
    """The pairs that an engine found, and those of them that it calls near duplicates; None is what it does not say."""

    @property
    def pairs(self) -> scoring.Pairs | None: ...

    @property
    def near(self) -> scoring.Pairs | None: ...


@dataclass(frozen=True)
class Truth:
    """What is true of a set.

    Attributes
    ----------
    files : int64[n]
        File of each document, numbered.
    near : set of (int, int)
        Documents of exact Jaccard 0.8 and more, the smaller number first.
    ignored : set of (int, int)
        Files of which either answer is right, the smaller number first.
    texts : sequence of str
        The documents; read where an engine and the near pairs differ.
    """

    files: scoring.Labels
    near: frozenset[Pair]
    ignored: frozenset[Pair]
    texts: Sequence[str]

    def are_strangers(self, a: int, b: int) -> bool:
        """Whether two documents have no business together."""
        one, two = sorted((int(self.files[a]), int(self.files[b])))
        return one != two and (one, two) not in self.ignored and (min(a, b), max(a, b)) not in self.near

    def jaccard(self, a: int, b: int) -> float:
        """Exact Jaccard of two documents, by this library's definition."""
        one, two = exact_shingles(self.texts[a]), exact_shingles(self.texts[b])
        return len(np.intersect1d(one, two)) / max(1, len(np.union1d(one, two)))

    def score(self, labels: scoring.Labels, canonicals: scoring.Labels, found: Matches) -> dict[str, Any]:
        """Score clusters, given as labels and by the number of the canonical of each document: int64[n] both."""
        false = self._false(labels)
        true = [pair for pair in self.near if self.files[pair[0]] == self.files[pair[1]]]
        right = sum(bool(labels[a] == labels[b]) for a, b in true)
        score = {
            "true": len(true),
            "right": right,
            "recall": right / len(true) if true else 1.0,
            "families": scoring.score_clusters(labels, self.files).recall,
            "false": false.total(),
            "mixed": sum(count > 0 for count in false.values()),
            "largest": max(
                Counter(label for label, _ in set(zip(labels.tolist(), self.files.tolist(), strict=True))).values()
            ),
            "lost": len(self.lost(canonicals)),
        }
        if found.pairs is not None:
            matched = set(map(tuple, found.pairs.tolist()))
            apart = [(a, b) for a, b in self.near - matched if labels[a] != labels[b]]
            score["unfound"] = sum(self.jaccard(a, b) >= NEAR for a, b in apart)
        if found.near is not None:
            called = set(map(tuple, found.near.tolist())) - self.near
            score["misnamed"] = sum(self.jaccard(a, b) < NEAR for a, b in called)
        return score

    def _false(self, labels: scoring.Labels) -> Counter[int]:
        """Count the pairs of strangers in each cluster: all of its pairs, but for those that may be together."""
        strangers = Counter({label: count * (count - 1) // 2 for label, count in Counter(labels.tolist()).items()})
        of_file = Counter(zip(labels.tolist(), self.files.tolist(), strict=True))
        for (label, _), count in of_file.items():
            strangers[label] -= count * (count - 1) // 2
        for one, two in self.ignored:
            for label in {label for label, file in of_file if file == one}:
                strangers[label] -= of_file[label, one] * of_file[label, two]
        for a, b in self.near:
            one, two = sorted((int(self.files[a]), int(self.files[b])))
            if labels[a] == labels[b] and one != two and (one, two) not in self.ignored:
                strangers[int(labels[a])] -= 1
        return strangers

    def lost(self, canonicals: scoring.Labels) -> list[Pair]:
        """Documents that are lost, each with its canonical."""
        removed = scoring.removed(canonicals, np.empty((0, 2), np.int64))
        return [pair for pair in removed if self.are_strangers(*pair)]


def read(folder: Path, ids: Sequence[str], texts: Sequence[str]) -> Truth:
    """Read the truth of a set, its documents numbered in the order of their ids."""
    number = {key: i for i, key in enumerate(ids)}
    file = {row["id"]: row["file"] for row in rows(folder / "files.csv")}
    files = scoring.labels(file[key] for key in ids)
    near = ((number[row["a"]], number[row["b"]]) for row in rows(folder / "near.csv"))
    ignore, of_file = folder / "ignore.csv", {file[key]: int(files[i]) for key, i in number.items()}
    pairs = ((of_file[row["file_a"]], of_file[row["file_b"]]) for row in rows(ignore)) if ignore.exists() else ()
    return Truth(files, ordered(near), ordered(pairs), texts)


def ordered(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """Each pair once, the smaller number first."""
    return frozenset((min(pair), max(pair)) for pair in pairs)


def rows(path: Path) -> list[dict[str, str]]:
    """A table."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def cell(row: dict[str, Any]) -> str:
    """A score in a few figures."""
    return f"{row['recall']:.3f} / {row['families']:.3f}, {row['false']:,}, {row['lost']:,}"
