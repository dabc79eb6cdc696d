"""Precision and recall on real texts with a known truth, beside exact similarity and other tools.

    python benchmarks/quality.py --out results

reads the corpora where they lie (environment variable DUPDETECT_SHARED, else ``../shared`` beside the
repository; their README says what they are and how they are scored), runs every engine over every set,
prints a table and writes ``quality.json``. Sets that are absent and engines that are not installed are
skipped by name.

A set is a function ``(folder) -> list of Task``: some documents, the settings to use, and how to score what
an engine found. An engine is a function ``(task) -> Found``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import engines
import numpy as np
import pyarrow as pa
import scoring

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Found:
    """What an engine made of a task's documents, by their numbers."""

    labels: scoring.Labels
    pairs: scoring.Pairs
    canonical: np.ndarray | None = None  # bool[n]; engines without canonicals have none


@dataclass(frozen=True)
class Task:
    """Documents, the settings for them, and the measures of a result."""

    name: str
    ids: list[str]
    texts: list[str]
    score: Callable[[Found], dict[str, Any]]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def shingle_size(self) -> int:
        """Of the settings, or the default."""
        return int(self.settings.get("shingle_size", engines.SHINGLE_SIZE))


# -------------------------------------------------------------------------------------------------- engines


def dupdetect(task: Task) -> Found:
    """The library itself, default settings but for those of the task."""
    import dupdetect

    result = dupdetect.dedup(dict(zip(task.ids, task.texts, strict=True)), **task.settings)
    number = {key: i for i, key in enumerate(task.ids)}
    rows = sorted(result.clusters.to_pylist(), key=lambda row: number[row["id"]])
    a, b = (result.matches[side].to_pylist() for side in ("a", "b"))
    pairs = np.array([(number[x], number[y]) for x, y in zip(a, b, strict=True)], dtype=np.int64)
    return Found(
        scoring.labels(row["cluster"] for row in rows),
        scoring.unique_pairs(pairs),
        np.array([row["canonical"] for row in rows]),
    )


def exact(measure: str, threshold: float) -> Callable[[Task], Found]:
    """All pairs compared exactly, those at or above the threshold joined into connected components."""

    def engine(task: Task) -> Found:
        pairs = [
            np.column_stack((a, b))[similarity[measure] >= threshold]
            for a, b, similarity in similarities(task.texts, task.shingle_size)
        ]
        found = scoring.unique_pairs(np.concatenate(pairs))
        return Found(scoring.components(len(task.texts), found), found)

    return engine


def similarities(texts: Sequence[str], size: int) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]:
    """Exact Jaccard and containment of every pair that shares a shingle: a block of rows at a time."""
    from scipy.sparse import csr_matrix

    sets = [np.unique(_hashes(text, size)) for text in texts]
    sizes = np.array([len(shingles) for shingles in sets])
    _, columns = np.unique(np.concatenate(sets), return_inverse=True)
    bounds = np.concatenate(([0], np.cumsum(sizes)))
    matrix = csr_matrix((np.ones(len(columns), dtype=np.int32), columns, bounds))
    turned = matrix.T.tocsr()
    for first in range(0, len(texts), 500):
        block = (matrix[first : first + 500] @ turned).tocoo()
        a, b, shared = block.row + first, block.col, block.data
        later = a < b
        a, b, shared = a[later], b[later], shared[later]
        jaccard = shared / (sizes[a] + sizes[b] - shared)
        yield a, b, {"jaccard": jaccard, "containment": shared / np.minimum(sizes[a], sizes[b])}


def _hashes(text: str, size: int) -> np.ndarray:
    from dupdetect.shingles import shingle_hashes, word_hashes
    from dupdetect.words import words

    return shingle_hashes(word_hashes(words(text)), size)


def peer(name: str) -> Callable[[Task], Found]:
    """Another tool, as `engines.py` runs it for speed; its pairs joined into connected components."""

    def engine(task: Task) -> Found:
        from datasketch import MinHashLSH

        threshold = task.settings.get("threshold", 0.8)
        index = MinHashLSH(threshold=threshold, num_perm=engines.NUM_PERM)
        options = engines.Options(2, threshold, index.b, index.r, task.shingle_size)
        data = pa.table({"id": np.arange(len(task.texts)), "text": pa.array(task.texts, pa.large_string())})
        job = engines.ENGINES[name][0](data, options)
        found = job.found(job.work())
        if "labels" in found:
            return Found(found["labels"], np.empty((0, 2), dtype=np.int64))
        pairs = scoring.unique_pairs(found["pairs"])
        return Found(scoring.components(len(task.texts), pairs), pairs)

    return engine


ENGINES: dict[str, Callable[[Task], Found]] = {
    "dupdetect": dupdetect,
    "exact Jaccard ≥ 0.8": exact("jaccard", 0.8),
    "exact Jaccard ≥ 0.5": exact("jaccard", 0.5),
    "exact containment ≥ 0.8": exact("containment", 0.8),
    "exact containment ≥ 0.9": exact("containment", 0.9),
    "datasketch": peer("datasketch"),
    "rensa": peer("rensa"),
    "gaoya": peer("gaoya"),
    "text-dedup": peer("text-dedup"),
}


# ----------------------------------------------------------------------------------------------------- sets


def documents(folder: Path) -> tuple[list[str], list[str]]:
    """Ids and texts of one set."""
    with gzip.open(folder / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["id"] for row in rows], [row["text"] for row in rows]


def table(path: Path) -> list[dict[str, str]]:
    """A truth file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def truth_pairs(ids: Sequence[str], rows: Iterable[dict[str, str]]) -> scoring.Pairs:
    """Columns ``a`` and ``b`` as pairs of document numbers."""
    number = {key: i for i, key in enumerate(ids)}
    return scoring.unique_pairs(np.array([(number[row["a"]], number[row["b"]]) for row in rows], dtype=np.int64))


def pages(folder: Path) -> list[Task]:
    """Syndicated articles inside page chrome: all documents, and the pages alone."""
    ids, texts = documents(folder)
    about = {row["id"]: row for row in table(folder / "articles.csv")}
    ignore = [(row["article_a"], row["article_b"]) for row in table(folder / "ignore.csv")]
    alone = [i for i, key in enumerate(ids) if about[key]["kind"] == "page"]
    return [
        _pages_task("pages", ids, texts, about, ignore),
        _pages_task("pages alone", [ids[i] for i in alone], [texts[i] for i in alone], about, ignore),
    ]


def _pages_task(
    name: str,
    ids: list[str],
    texts: list[str],
    about: dict[str, dict[str, str]],
    ignore: list[tuple[str, str]],
) -> Task:
    articles = [about[key]["article"] for key in ids]
    truth = scoring.labels(articles)
    number = dict(zip(articles, truth.tolist(), strict=True))
    apart = [(number[a], number[b]) for a, b in ignore if a in number and b in number]
    clean = np.array([about[key]["kind"] == "clean" for key in ids])
    sources = np.array([about[key]["source"] for key in ids])

    def score(found: Found) -> dict[str, Any]:
        result: dict[str, Any] = scoring.score_clusters(found.labels, truth, apart).as_dict()
        if found.canonical is not None and clean.any():
            accuracy = scoring.canonical_accuracy(found.labels, found.canonical, clean)
            result["canonical_accuracy"] = round(accuracy, 4)
        result["by_source"] = {
            source: scoring.score_clusters(found.labels[rows], truth[rows], apart).as_dict()
            for source in sorted(set(sources.tolist()))
            for rows in [np.flatnonzero(sources == source)]
        }
        return result

    return Task(name, ids, texts, score)


def newswire(folder: Path) -> list[Task]:
    """Recall of the computed truth: pairs with exact Jaccard of word 3-shingles of 0.7 and more."""
    ids, texts = documents(folder)
    return [_recall_task("newswire", ids, texts, table(folder / "pairs.csv"), "jaccard3", 0.7)]


def versions(folder: Path) -> list[Task]:
    """The same manual page in several releases: pairs with Jaccard of word 3-shingles of 0.8 and more."""
    ids, texts = documents(folder)
    return [_recall_task("versions", ids, texts, table(folder / "pairs.csv"), "jac3", 0.8)]


def _recall_task(
    name: str, ids: list[str], texts: list[str], rows: list[dict[str, str]], column: str, threshold: float
) -> Task:
    """Share of the pairs above a similarity that is matched; how many matches the truth does not know."""
    near = truth_pairs(ids, [row for row in rows if float(row[column]) >= threshold])
    known = truth_pairs(ids, rows)

    def score(found: Found) -> dict[str, Any]:
        right = len(_common(found.pairs, near))
        result: dict[str, Any] = {"recall": round(right / len(near), 4), "true": len(near), "right": right}
        together = scoring.share_together(found.labels, near[:, 0], near[:, 1])
        result |= {"recall_as_clusters": round(together, 4), "predicted": len(found.pairs)}
        return result | {"not_in_truth": len(found.pairs) - len(_common(found.pairs, known))}

    return Task(name, ids, texts, score, {"shingle_size": 3, "threshold": threshold})


def _common(one: scoring.Pairs, other: scoring.Pairs) -> set[tuple[int, int]]:
    return set(map(tuple, one.tolist())) & set(map(tuple, other.tolist()))


def records(folder: Path) -> list[Task]:
    """Bibliographic records of the same reference: short texts, three sets."""
    tasks = []
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        ids, texts = documents(part)
        cluster = {row["id"]: row["cluster"] for row in table(part / "clusters.csv")}
        truth = scoring.labels(cluster[key] for key in ids)
        tasks.append(Task(f"records, {part.name}", ids, texts, _cluster_score(truth), SHORT))
    return tasks


SHORT = {"shingle_size": 2, "threshold": 0.5}  # for texts of a few lines


def _cluster_score(truth: scoring.Labels) -> Callable[[Found], dict[str, Any]]:
    return lambda found: scoring.score_clusters(found.labels, truth).as_dict()


def ocr(folder: Path) -> list[Task]:
    """The same page as OCR and corrected: F1 by band of the character error rate."""
    ids, texts = documents(folder)
    rows = table(folder / "pairs.csv")
    bands = {"error < 0.10": (0.0, 0.10), "0.10 to 0.25": (0.10, 0.25), "from 0.25": (0.25, float("inf"))}
    truth = {
        name: truth_pairs(ids, [row for row in rows if low <= float(row["char_error"]) < high])
        for name, (low, high) in bands.items()
    }

    def score(found: Found) -> dict[str, Any]:
        result = {name: _within(found.labels, pairs).as_dict() for name, pairs in truth.items()}
        return result[next(iter(bands))] | {"by_error": result}

    return [Task("ocr, error < 0.10", ids, texts, score, {"shingle_size": 3, "threshold": 0.5})]


def _within(labels: scoring.Labels, pairs: scoring.Pairs) -> scoring.Score:
    """Score of the clusters among the documents of some disjoint true pairs."""
    truth = np.repeat(np.arange(len(pairs)), 2)
    return scoring.score_clusters(labels[pairs.ravel()], truth)


def answers(folder: Path) -> list[Task]:
    """Degrees of reuse: share of the pairs of each label that is a match."""
    ids, texts = documents(folder)
    rows = table(folder / "pairs.csv")
    kinds = sorted({row["label"] for row in rows})
    truth = {kind: truth_pairs(ids, [row for row in rows if row["label"] == kind]) for kind in kinds}

    def score(found: Found) -> dict[str, Any]:
        shares = {kind: round(len(_common(found.pairs, pairs)) / len(pairs), 4) for kind, pairs in truth.items()}
        return {"matched_by_label": shares, "predicted": len(found.pairs)}

    return [Task("answers", ids, texts, score, {"shingle_size": 3, "threshold": 0.5})]


SETS: dict[str, Callable[[Path], list[Task]]] = {
    "pages": pages,
    "newswire": newswire,
    "versions": versions,
    "records": records,
    "ocr": ocr,
    "answers": answers,
}


# ------------------------------------------------------------------------------------------------- the runs


def shared() -> Path:
    """The folder that holds ``corpora``."""
    return Path(os.environ.get("DUPDETECT_SHARED", REPOSITORY.parent / "shared"))


def measure(task: Task, name: str) -> dict[str, Any]:
    """One row of the table."""
    start = time.perf_counter()
    found = ENGINES[name](task)
    seconds = time.perf_counter() - start
    row = {"set": task.name, "engine": name, "documents": len(task.ids), "settings": task.settings}
    return row | {"seconds": round(seconds, 2)} | task.score(found)


def installed(name: str) -> bool:
    """Whether an engine can run here; all but the peers can."""
    package = engines.ENGINES[name][1] if name in engines.ENGINES else "dupdetect"
    return engines.version(package) is not None


def show(rows: list[dict[str, Any]]) -> None:
    """The table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    columns = ("precision", "recall", "f1", "right", "predicted", "true", "canonical_accuracy", "seconds")
    view = Table("set", "engine", title="Quality")
    for column in columns:
        view.add_column(column.replace("_", " "), justify="right")
    for row in rows:
        cells = [_cell(row.get(column)) for column in columns]
        view.add_row(row["set"], row["engine"], *cells)
        for group, score in row.get("by_source", row.get("by_error", {})).items():
            view.add_row("", f"  {group}", *[_cell(score.get(column)) for column in columns], style="dim")
        if shares := row.get("matched_by_label"):
            view.add_row("", "  " + ", ".join(f"{label} {share:.2f}" for label, share in shares.items()))
    Console(width=150).print(view)


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,d}" if isinstance(value, int) else f"{value:.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then report."""
    parser = argparse.ArgumentParser(description="Measure precision and recall on real texts.")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["pages", "newswire"])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"))
    given = parser.parse_args(arguments)
    rows = []
    for name in given.sets:
        folder = shared() / "corpora" / name
        if not folder.is_dir():
            print(f"skipped: {name}: there is no {folder}")
            continue
        for task in SETS[name](folder):
            rows += [measure(task, engine) for engine in given.engines if installed(engine)]
    show(rows)
    if absent := [name for name in given.engines if not installed(name)]:
        print(f"skipped: {', '.join(absent)}: not installed")
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "quality.json").write_text(json.dumps(rows, indent=1, default=str))


if __name__ == "__main__":
    main()
