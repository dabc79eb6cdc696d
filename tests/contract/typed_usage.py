"""How users write it: never run, only read by mypy, which must infer exactly these types."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import assert_type

import dupdetect
from dupdetect import Audit, Cluster, Comparison, Evaluation, Explanation, Passage, Result, Settings


def dedup(texts: list[str], by_id: dict[str, str], frame: Any) -> None:
    assert_type(dupdetect.dedup(texts), Result)
    assert_type(dupdetect.dedup(by_id), Result)
    assert_type(dupdetect.dedup(frame, text="body", id="url"), Result)
    assert_type(dupdetect.dedup(Path("news"), text="body", threshold=0.7), Result)
    assert_type(dupdetect.dedup([Path("a.parquet"), Path("b.parquet")]), Result)


def read(result: Result) -> None:
    groups: Iterable[Cluster] = result.groups()
    for cluster in groups:
        assert_type(cluster.members, list[Any])
    assert_type(result.manifest, dict[str, Any])


def compare(a: str, b: str) -> None:
    comparison = dupdetect.compare(a, b, settings=Settings(shingle_size=3))
    assert_type(comparison, Comparison)
    assert_type(comparison.relation, str | None)
    assert_type(comparison.jaccard, float)
    assert_type(comparison.containment_a, float)
    assert_type(comparison.containment_b, float)
    assert_type(comparison.passages, tuple[Passage, ...])
    assert_type(comparison.passages[0].a_start, int)
    assert_type(comparison.passages[0].similarity, float)


def explain(result: Result, texts: dict[str, str]) -> None:
    found = dupdetect.explain(result, "a", texts)
    assert_type(found, Explanation)
    assert_type(found.kept, bool)
    assert_type(found.passages, tuple[Passage, ...] | None)
    assert_type(found.as_dict(), dict[str, Any])


def measures(result: Result, texts: dict[str, str]) -> None:
    evaluation = dupdetect.evaluate(result, {"a": 1, "b": 1}, ignore="ignore.csv")
    assert_type(evaluation, Evaluation)
    assert_type(evaluation.pairs.precision, float)
    assert_type(evaluation.adjusted_rand, float | None)
    audit = dupdetect.audit("out", texts, documents=100, sampling_seed=1)
    assert_type(audit, Audit)
    assert_type(audit.together.low, float)


def keywords(texts: list[str], result: Result, stage: dupdetect.Settings) -> None:
    dupdetect.dedup(texts, threshold=0.7, bands=(16, 8), canonical=len, settings={"window": 16})
    dupdetect.dedup(texts, memory="2GB", max_text="1MB", progress=True, against=result)
    dupdetect.dedup(texts, against=[result, "earlier", Path("earlier")], progress=print)
    dupdetect.dedup(texts, treshold=0.7)  # type: ignore[call-arg]  # no such setting
    dupdetect.dedup(texts, threshold="0.7")  # type: ignore[arg-type]
    dupdetect.dedup(texts, progress=3)  # type: ignore[arg-type]
    dupdetect.compare("a", "b", shingle_size="3")  # type: ignore[arg-type]
    dupdetect.sketch(texts, num_permutations=64)  # type: ignore[call-arg]
    dupdetect.tune(texts, [], windw=3)  # type: ignore[call-arg]
    stage.replace(seeds=3)  # type: ignore[call-arg]


def signatures(texts: list[str]) -> None:
    sketched: np.ndarray[Any, np.dtype[np.uint32]] = dupdetect.signatures(texts)
    assert sketched.ndim == 2


def settings() -> None:
    assert_type(Settings().fingerprint, str)
    assert_type(Settings().as_dict(), dict[str, Any])
    assert_type(Settings().threshold, float)
    Settings(5)  # type: ignore[call-arg]  # by keyword only
    Settings().seed = 2  # type: ignore[misc]  # frozen
