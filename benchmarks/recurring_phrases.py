"""Documents that are made of a few phrases: how many are removed, and what of them stands in none that is kept.

    python benchmarks/recurring_phrases.py --documents 100

Each is a collection of its own, in which every document says something else at each of its places: sheets of
answers of two words, questionnaires whose answers are phrases, contracts that name one of two parties, lists of the
same names and the same sums paired otherwise. Shows a table in Markdown: of those that were removed, at how many places
they differ from their canonical on average, and how many words the run says are lost. A copy differs at none.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from typing import Any

import numpy as np
from reporting import markdown
from writing import Writer

import dupdetect

Places = list[str]


def sheets(_: Writer, chance: random.Random) -> Callable[[], Places]:
    """Sheets of sixty answers, each one of two words."""
    return lambda: chance.choices(["yes", "no"], k=60)


def questionnaires(words: Writer, chance: random.Random) -> Callable[[], Places]:
    """Twelve questions, behind each one of five phrases of seven words."""
    questions, phrases = ([words.line(count, count) for _ in range(n)] for n, count in ((12, 9), (5, 7)))
    return lambda: [f"{question}: {chance.choice(phrases)}." for question in questions]


def contracts(words: Writer, chance: random.Random) -> Callable[[], Places]:
    """Eight clauses, each of which says which of two parties bears something."""
    clauses, both = [words.line(4, 4) for _ in range(8)], (words.line(5, 5), *words.words(2))
    return lambda: [f"{clause} {both[0]} {chance.choice(both[1:])}." for clause in clauses]


def pairings(words: Writer, chance: random.Random) -> Callable[[], Places]:
    """Sixteen names and sixteen sums, paired otherwise in each."""
    names, sums = ([words.line(5, 5) for _ in range(16)] for _ in range(2))
    return lambda: [f"{name}: {given}." for name, given in zip(names, chance.sample(sums, len(sums)), strict=True)]


COLLECTIONS = (sheets, questionnaires, contracts, pairings)


def measure(collection: Callable[..., Callable[[], Places]], documents: int, seed: int) -> list[Any]:
    """Return a row of the table."""
    make = collection(Writer("English", np.random.default_rng(seed)), random.Random(seed))
    texts = {str(number): make() for number in range(documents)}
    found = dupdetect.dedup({key: "\n".join(places) for key, places in texts.items()}, workers=1)
    removed = [row for row in found.clusters.to_pylist() if not row["canonical"]]
    apart = [
        sum(one != other for one, other in zip(texts[row["id"]], texts[row["cluster"]], strict=True)) for row in removed
    ]
    lost = [row["lost"] for row in removed]
    return [
        collection.__name__,
        f"{documents:,}",
        f"{len(removed):,}",
        f"{np.mean(apart):.1f} of {len(texts['0'])}" if removed else "",
        f"{np.mean(lost):.1f}" if removed else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what is removed of documents that are made of a few phrases.")
    parser.add_argument("--documents", type=int, default=100, help="documents of each collection")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows = [measure(collection, given.documents, given.seed) for collection in COLLECTIONS]
    print(markdown(["documents", "how many", "removed", "places that differ", "words lost, as told"], rows))


if __name__ == "__main__":
    main()
