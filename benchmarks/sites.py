"""Generated collections of known truth, to see where copies are found, where documents are lost, and where not.

    python benchmarks/sites.py --seed 101 102 103

makes every scenario, finds its copies with boilerplate weighed and not, and prints for each precision and recall of the
clusters, over all pairs of documents, and the *lost* documents: removed although what is kept for them is another
thing, or has not all that they say. Beside it stand exact Jaccard and containment from 0.8 on (connected components, no
sketch error, the longest document kept).

Scenarios are stories on sites (`webs`), some of them made to mislead, and other worlds (`worlds`): code under licences,
mail, threads, versions, forms, sites of which few pages are there. Seeds from 1 to 99 are for choosing rules and
constants, those from 101 on for reporting what was chosen: nothing is chosen by what they show.

Of stories on sites, strangers that look alike for their boilerplate are false however alike. In the other worlds
documents of Jaccard 0.8 and more are near copies by what was asked for: putting them together is neither false nor a
loss, nor is it where both are near copies, or versions, of their canonical.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scoring
import webs
import worlds
from engines import SHINGLE_SIZE, similarities
from writing import Collection

#: Scenarios by name: stories on sites, and other worlds.
SCENARIOS = (*webs.SCENARIOS, *worlds.WORLDS)

#: What exact similarity is asked for, and near copies are.
NEAR = 0.8

#: Seeds from this one on are for reporting.
REPORTING = 101

#: Share of what a document says that its canonical may lack.
MAY_LACK = 0.05


def make(name: str, *, scale: float = 1.0, seed: int = REPORTING) -> Collection:
    """Make a scenario, of so many times its sites or families."""
    if name in worlds.WORLDS:
        return worlds.make(name, scale=scale, seed=seed)
    scenario = webs.SCENARIOS[name]
    return webs.Maker(replace(scenario, sites=max(3, round(scenario.sites * scale))), seed).make()


def joined(made: Sequence[Collection]) -> Collection:
    """Several collections as one."""
    whole, things = Collection(), 0
    for part in made:
        used = max(number for parts in part.parts for number in (*parts, *part.truth))
        for text, thing, parts in zip(part.texts, part.truth, part.parts, strict=True):
            whole.add(text, things + thing, {things + number: words for number, words in parts.items()})
        things += used + 1
    return whole


@dataclass(frozen=True)
class Measured:
    """A collection, and how clusters of it are scored.

    Attributes
    ----------
    made : Collection
    strict : bool
        Whether near copies of other things are false, and lost, too.
    """

    made: Collection
    strict: bool

    @cached_property
    def truth(self) -> scoring.Labels:
        """Number of the thing of each document."""
        return scoring.labels(self.made.truth)

    @cached_property
    def similar(self) -> list[tuple[scoring.Pairs, dict[str, np.ndarray]]]:
        """Pairs that share a shingle, and their exact similarities."""
        return list(similarities(self.made.texts, SHINGLE_SIZE))

    def alike(self, measure: str) -> scoring.Pairs:
        """Pairs whose exact "jaccard" or "containment" is `NEAR` and more."""
        return np.concatenate([pairs[found[measure] >= NEAR] for pairs, found in self.similar])

    @cached_property
    def forgiven(self) -> scoring.Pairs:
        """Near copies, whatever they are; none where this is strict."""
        return np.empty((0, 2), np.int64) if self.strict else scoring.unique_pairs(self.alike("jaccard"))

    def lacks(self, document: int, canonical: int) -> bool:
        """Whether a canonical has not what a document says."""
        said, kept = self.made.parts[document], self.made.parts[canonical]
        return sum(n for part, n in said.items() if part not in kept) > MAY_LACK * sum(said.values())

    def lost(self, canonicals: scoring.Labels) -> list[tuple[int, int]]:
        """Documents that are lost, each with its canonical."""
        return [pair for pair in scoring.removed(canonicals, self.forgiven) if self.lacks(*pair)]

    def excused(self, canonicals: scoring.Labels) -> int:
        """Count the pairs of different things in one cluster of which nothing bad can be said.

        These are near copies, or each of the two is a version of the canonical or a near copy of it.
        """
        a, b = self.forgiven.T
        good = self.truth == self.truth[canonicals]
        for one, two in ((a, b), (b, a)):
            good[one[canonicals[one] == two]] = True
        near = (canonicals[a] == canonicals[b]) & (self.truth[a] != self.truth[b]) & ~(good[a] & good[b])
        if self.strict:
            return int(near.sum())
        among = scoring.score_clusters(scoring.labels(canonicals[good].tolist()), self.truth[good])
        return int(near.sum()) + among.found - among.right

    def score(self, canonicals: scoring.Labels) -> dict[str, Any]:
        """Counts and shares, given the canonical of each document: int64[n]."""
        found = scoring.score_clusters(scoring.labels(canonicals.tolist()), self.truth)
        found = scoring.PairScore(found.right, found.found - self.excused(canonicals), found.true)
        return {
            "true": found.true,
            "right": found.right,
            "wrong": found.found - found.right,
            "precision": round(found.precision, 4),
            "recall": round(found.recall, 4),
            "lost": len(self.lost(canonicals)),
        }

    def library(self, **settings: Any) -> dict[str, Any]:
        """Score what the library finds."""
        import dupdetect

        start = time.perf_counter()
        found = dupdetect.dedup(self.made.texts, **settings)
        seconds = time.perf_counter() - start
        return self.score(found.clusters["cluster"].to_numpy()) | {"seconds": round(seconds, 3)}

    def exact(self, measure: str) -> dict[str, Any]:
        """Score connected components of the pairs of exact similarity `NEAR` and more, the longest document kept."""
        clusters = scoring.components(len(self.made.texts), self.alike(measure))
        return self.score(scoring.longest(clusters, self.made.texts))


def rows(
    names: Sequence[str], *, scale: float, seeds: Sequence[int], baselines: bool, **settings: Any
) -> Iterator[dict[str, Any]]:
    """A row for each scenario; the collections of several seeds are one."""
    for name in names:
        made = joined([make(name, scale=scale, seed=seed) for seed in seeds])
        measured = Measured(made, strict=name in webs.SCENARIOS)
        row: dict[str, Any] = {"scenario": name, "documents": len(made.texts), "seeds": list(seeds)}
        row["on"] = measured.library(boilerplate=True, **settings)
        row["off"] = measured.library(boilerplate=False, **settings)
        for measure in ("jaccard", "containment") if baselines else ():
            row[f"exact {measure}"] = measured.exact(measure)
        yield row


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Score what is found, and lost, in generated collections.")
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), choices=SCENARIOS, metavar="NAME")
    parser.add_argument("--scale", type=float, default=1.0, help="times the sites, or families, of each scenario")
    parser.add_argument(
        "--seed", type=int, nargs="+", default=[REPORTING], help="1 to 99 for choosing, from 101 on for reporting"
    )
    parser.add_argument("--no-baselines", dest="baselines", action="store_false", help="leave exact similarity out")
    parser.add_argument("--json", action="store_true", help="a row of JSON for each scenario")
    given = parser.parse_args(arguments)
    columns = ["on", "off", *(["exact jaccard", "exact containment"] if given.baselines else [])]
    if not given.json:
        titles = ["scenario", "documents", "true pairs", *(f"{column}: precision, recall, lost" for column in columns)]
        print("|", " | ".join(titles), "|")
        print("|---|" + "---:|" * (len(columns) + 2))
    for row in rows(given.scenarios, scale=given.scale, seeds=given.seed, baselines=given.baselines):
        cells = [f"{row[c]['precision']:.3f}, {row[c]['recall']:.3f}, {row[c]['lost']}" for c in columns]
        line = [row["scenario"], str(row["documents"]), str(row["on"]["true"]), *cells]
        print(json.dumps(row) if given.json else f"| {' | '.join(line)} |", flush=True)


if __name__ == "__main__":
    main()
