"""How often the audit's interval holds the true recall.

The matches of all documents are found once; each seed then draws its sample of them, as `dupdetect.audit` does with
that seed, and makes its interval. Printed for each sort of recall: the truth, the share of intervals that hold it, and
how wide they are.

    python benchmarks/audit_coverage.py ../shared/corpora/pages/docs.jsonl.gz
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dupdetect
from dupdetect.evaluation import audit as auditing
from dupdetect.evaluation import intervals


@dataclass(frozen=True)
class Coverage:
    """Of the intervals of many seeds, how many hold the true recall."""

    recall_of: str
    sample: int
    seeds: int
    matches: int
    recall: float
    covered: int
    above: int  # intervals that lie above the truth
    below: int
    width: float  # mean


def coverage(
    out: Any, data: Any, *, samples: Sequence[int], seeds: int = 100, confidence: float = 0.95, **overrides: Any
) -> Iterator[Coverage]:
    """Measure the audits of one run by seeds 0, 1, 2, ...; overrides are `audit`'s ``text`` and ``id``."""
    census = auditing.survey(out, data, **overrides)
    for sample in samples:
        draws = [auditing.draw(len(census.pairs), sample, seed) for seed in range(seeds)]
        for recall_of in ("together", "verified"):
            found = getattr(census, recall_of)
            true = found.sum() / max(census.pairs.sum(), 1)
            recalls = [
                intervals.estimate(found[rows], census.pairs[rows], documents=len(census.pairs), confidence=confidence)
                for rows in draws
            ]
            low, high = np.array([(recall.low, recall.high) for recall in recalls]).T
            above, below = int((low > true).sum()), int((high < true).sum())
            held = seeds - above - below
            matches = int(census.pairs.sum()) // 2
            yield Coverage(
                recall_of, sample, seeds, matches, float(true), held, above, below, float((high - low).mean())
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the coverage, a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path)
    parser.add_argument("--text", default="text")
    parser.add_argument("--id", default=None)
    parser.add_argument("--sample", type=int, nargs="+", default=[100, 300, 1000, 2000])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--confidence", type=float, default=0.95)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    columns = {"text": given.text, "id": given.id}
    result = dupdetect.dedup(given.input, **columns)
    rows = coverage(
        result, given.input, samples=given.sample, seeds=given.seeds, confidence=given.confidence, **columns
    )
    for row in rows:
        if given.json:
            print(json.dumps(asdict(row)))
        else:
            print(
                f"{row.recall_of:9} sample {row.sample:5}: true recall {row.recall:.4f} of {row.matches} matches; "
                f"{row.covered} of {row.seeds} intervals hold it ({row.above} above, {row.below} below), "
                f"mean width {row.width:.4f}"
            )


if __name__ == "__main__":
    main()
