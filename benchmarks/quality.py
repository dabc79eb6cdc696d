"""Precision and recall on real texts with a known truth, beside exact similarity and other tools.

    python benchmarks/quality.py --peer-python .venv-peers/bin/python --bars --out results

reads the corpora where they lie (environment variable DUPDETECT_SHARED, else ``../shared`` beside the repository;
their README says what they are and how they are scored), runs every engine over every set, each in a fresh process
(`engines.py`), and prints a table in Markdown: a row an engine, a column a measure. ``--details`` adds a row for every
engine and set, ``--bars`` what this library has set itself to reach, ``--json`` prints all of it as JSON instead, and
``quality.json`` in the output folder has the same. Sets that are absent and engines that are not installed are skipped
by name.

A set is a function ``(folder) -> list of Task``: some documents, the settings to use, and how to score what an engine
found. Engines other than this library are told the same unit and size of shingles as this library, and are run at the
thresholds that people use, 0.8 and 0.5; pairs are joined into connected components where an engine makes no clusters,
and the longest document of each is taken to be kept: the choice that loses least.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import corpus
import engines
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import releases
import scoring
import sites
from reporting import bar, bars_table, machine, markdown
from watching import run

from dupdetect.evaluation.scores import PairScore
from dupdetect.settings import choose_bands

HERE = Path(__file__).resolve().parent

OURS = "dupdetect"
WITHOUT = "dupdetect, no boilerplate votes"
PEERS = ("datasketch", "rensa", "gaoya", "text-dedup")

#: As `dupdetect.Settings` recommends them for short texts: bibliographic records, titles, addresses.
SHORT = {
    "unit": "character", "shingle_size": 3, "threshold": 0.625, "containment": 0.85, "min_shingles": 100, "window": 8,
}  # fmt: skip

#: And for noisy texts: recognised characters.
NOISE = {"unit": "character", "shingle_size": 5, "threshold": 0.55, "containment": 0.9, "min_shingles": 100}

#: Settings for degrees of reuse in texts of a paragraph or two.
REUSE = {"shingle_size": 3, "threshold": 0.5}

#: Newswire and versions: their truths are computed of word 3-shingles, and recall is asked from these on.
NEWSWIRE = {"shingle_size": 3, "threshold": 0.7}
VERSIONS = {"shingle_size": 3, "threshold": 0.8}

#: What other tools are run at.
THRESHOLDS = (0.8, 0.5)

#: Running text, no boilerplate in it: originals and copies of them, none in a page.
PLAIN_TEXT = corpus.Corpus(
    documents=10_000, pages=0.0, mix={"exact": 1.0, "edited": 2.0, "truncated": 1.0}, mean_bytes=2000
)

#: Sets of running text, where boilerplate votes must do no harm.
NO_HARM = ("newswire", "versions", "generated")

#: Sets of files and pages in several releases.
RELEASES = ("code", "manuals", "manpages", "copyrights", "changelogs")

#: The scenario of `sites` that is scored here.
FEW_PAGES = "few pages a site"

#: Character error rates of `ocr`, from each to below the next.
OCR_BANDS = {"< 0.10": (0.0, 0.10), "0.10 to 0.25": (0.10, 0.25), "≥ 0.25": (0.25, float("inf"))}


@dataclass(frozen=True)
class Found:
    """What an engine made of a task's documents, by their numbers; None is what it does not say."""

    labels: scoring.Labels
    pairs: scoring.Pairs | None
    canonical: np.ndarray | None = None  # bool[n]
    identical: scoring.Pairs | None = None  # those of the pairs that it calls so
    near: scoring.Pairs | None = None  # those that it calls near duplicates

    def canonicals(self, texts: Sequence[str]) -> scoring.Labels:
        """Number of the canonical of each document: the longest of the cluster, where an engine names none."""
        if self.canonical is None:
            return scoring.longest(self.labels, texts)
        return scoring.canonicals(self.labels, self.canonical)


@dataclass(frozen=True)
class Task:
    """Documents, the settings for them, and the measures of a result."""

    name: str
    ids: list[str]
    texts: list[str]
    score: Callable[[Found], dict[str, Any]]
    settings: dict[str, Any] = field(default_factory=dict)
    ours_only: bool = False

    @property
    def shingles(self) -> tuple[int, str]:
        """Size and unit, of the settings or by default."""
        return self.settings.get("shingle_size", engines.SHINGLE_SIZE), self.settings.get("unit", "word")


@dataclass(frozen=True)
class Engine:
    """A row of the table: a program of `engines.py`, and what it is told."""

    program: str
    threshold: float | None = None  # None: of the task
    settings: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    def __str__(self) -> str:
        return self.name or (self.program if self.threshold is None else f"{self.program} ≥ {self.threshold}")

    @property
    def ours(self) -> bool:
        """Whether it runs in this interpreter, and not in the peers'."""
        return self.program.startswith((OURS, "exact"))

    @property
    def package(self) -> str:
        """What must be installed for it."""
        return str(engines.ENGINES[self.program][1])


ENGINES = [
    Engine(OURS),
    Engine(OURS, settings={"boilerplate": False}, name=WITHOUT),
    *(Engine("exact Jaccard", threshold) for threshold in THRESHOLDS),
    *(Engine("exact containment", threshold) for threshold in (0.8, 0.9)),
    *(Engine(peer, threshold) for peer in PEERS for threshold in THRESHOLDS),
]


# ----------------------------------------------------------------------------------------------------- sets


def documents(folder: Path) -> tuple[list[str], list[str]]:
    """Ids and texts of one set."""
    with gzip.open(folder / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["id"] for row in rows], [row["text"] for row in rows]


def truth_pairs(ids: Sequence[str], rows: Iterable[dict[str, str]]) -> scoring.Pairs:
    """Columns ``a`` and ``b`` as pairs of document numbers."""
    number = {key: i for i, key in enumerate(ids)}
    return scoring.unique_pairs(np.array([(number[row["a"]], number[row["b"]]) for row in rows], dtype=np.int64))


def against_clusters(found: Found, truth: scoring.Labels, ignore: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """Scores of the clusters and, where there are any, of the bare pairs."""
    result: dict[str, Any] = scoring.score_clusters(found.labels, truth, ignore).as_dict()
    if found.pairs is not None:
        result["as_pairs"] = scoring.score_pairs(found.pairs, truth, ignore).as_dict()
    return result


def pages(folder: Path) -> list[Task]:
    """Syndicated articles inside pages: all documents, and the pages alone."""
    ids, texts = documents(folder)
    about = {row["id"]: row for row in releases.rows(folder / "articles.csv")}
    ignore = [(row["article_a"], row["article_b"]) for row in releases.rows(folder / "ignore.csv")]
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
        result = against_clusters(found, truth, apart)
        if found.canonical is not None and clean.any():
            result["canonical_accuracy"] = scoring.canonical_accuracy(found.labels, found.canonical, clean)
        result["by_source"] = {
            source: scoring.score_clusters(found.labels[rows], truth[rows], apart).as_dict()
            for source in sorted(set(sources.tolist()))
            for rows in [np.flatnonzero(sources == source)]
        }
        return result

    return Task(name, ids, texts, score)


def newswire(folder: Path) -> list[Task]:
    """All pairs with exact Jaccard of word 3-shingles of 0.7 and more; nothing but the same words is identical."""
    ids, texts = documents(folder)
    rows = releases.rows(folder / "pairs.csv")
    near = truth_pairs(ids, [row for row in rows if float(row["jaccard3"]) >= NEWSWIRE["threshold"]])

    def score(found: Found) -> dict[str, Any]:
        result: dict[str, Any] = scoring.score_clusters_by_pairs(found.labels, near).as_dict()
        result["near"] = recall_of(near, found)
        if found.identical is not None:
            result["identical"] = len(found.identical)
            result["identical_but_different"] = sum(
                plain_words(texts[a]) != plain_words(texts[b]) for a, b in found.identical.tolist()
            )
        return result

    return [Task("newswire", ids, texts, score, NEWSWIRE)]


def plain_words(text: str) -> list[str]:
    """Words and numbers, read without the library."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def recall_of(near: scoring.Pairs, found: Found) -> dict[str, Any]:
    """Share of some pairs that is in one cluster, and that is a match itself."""
    result = {"true": len(near), "clusters": scoring.share_together(found.labels, near[:, 0], near[:, 1])}
    if found.pairs is not None:
        result["pairs"] = scoring.common_pairs(found.pairs, near) / len(near)
    return result


def versions(folder: Path) -> list[Task]:
    """The same manual page in several releases, whatever its changes; generated pages of other names look alike.

    Look-alikes are the false pairs among the generated pages; below 0.8 is the exact Jaccard of those that less holds
    together than of the true pairs asked for: little but their form. Lost are documents that are removed for one of
    another name and of an exact Jaccard below 0.8.
    """
    ids, texts = documents(folder)
    rows = releases.rows(folder / "pairs.csv")
    near = truth_pairs(ids, [row for row in rows if float(row["jac3"]) >= VERSIONS["threshold"]])
    known = truth_pairs(ids, rows)  # all pairs of one page
    truth = scoring.components(len(ids), known)
    generated = np.array(["Automatically generated file" in text[:400] for text in texts])
    sets = [set(engines.shingles(text, VERSIONS["shingle_size"])) for text in texts]

    def score(found: Found) -> dict[str, Any]:
        alike = together(found.labels, generated)
        alike = alike[truth[alike[:, 0]] != truth[alike[:, 1]]]
        below = sum(jaccard(sets[a], sets[b]) < VERSIONS["threshold"] for a, b in alike.tolist())
        result = against_clusters(found, truth) | {"near": recall_of(near, found)}
        gone = scoring.removed(found.canonicals(texts), near)
        gone = [(a, b) for a, b in gone if truth[a] != truth[b]]
        lost = sum(jaccard(sets[a], sets[b]) < VERSIONS["threshold"] for a, b in gone)
        return result | {"look_alikes": len(alike), "look_alikes_below_0.8": below, "lost": lost}

    return [Task("versions", ids, texts, score, VERSIONS)]


def jaccard(one: set[str], other: set[str]) -> float:
    """Share of what two sets have that they have in common."""
    return len(one & other) / len(one | other)


def together(labels: scoring.Labels, of: np.ndarray) -> scoring.Pairs:
    """All pairs of some documents (bool[n]) that share a cluster."""
    rows = np.flatnonzero(of)
    rows = rows[np.argsort(labels[rows], kind="stable")]
    groups = np.split(rows, np.flatnonzero(np.diff(labels[rows])) + 1)
    pairs = [np.column_stack(np.triu_indices(len(group), 1)) for group in groups]
    return np.concatenate([group[pair] for group, pair in zip(groups, pairs, strict=True)])


def records(folder: Path) -> list[Task]:
    """Bibliographic records of the same reference: short texts, three sets."""
    tasks = []
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        ids, texts = documents(part)
        cluster = {row["id"]: row["cluster"] for row in releases.rows(part / "clusters.csv")}
        truth = scoring.labels(cluster[key] for key in ids)
        tasks.append(_clusters_task(f"records, {part.name.split('_')[0]}", ids, texts, truth, SHORT))
    return tasks


def _clusters_task(
    name: str, ids: list[str], texts: list[str], truth: scoring.Labels, settings: dict[str, Any], **options: Any
) -> Task:
    return Task(name, ids, texts, lambda found: against_clusters(found, truth), settings, **options)


def ocr(folder: Path) -> list[Task]:
    """The same page as recognised and as corrected: by band of the character error rate."""
    ids, texts = documents(folder)
    rows = releases.rows(folder / "pairs.csv")
    truth = scoring.components(len(ids), truth_pairs(ids, rows))
    error = dict(item for row in rows for item in ((row["a"], row["char_error"]), (row["b"], row["char_error"])))
    errors = np.array([float(error[key]) for key in ids])

    def score(found: Found) -> dict[str, Any]:
        bands = {
            name: score_of(found.labels, truth, (low <= errors) & (errors < high)).as_dict()
            for name, (low, high) in OCR_BANDS.items()
        }
        return against_clusters(found, truth) | {"by_error": bands}

    return [Task("ocr", ids, texts, score, NOISE)]


def score_of(labels: scoring.Labels, truth: scoring.Labels, of: np.ndarray) -> PairScore:
    """Score of the pairs that have one of some documents (bool[n]) at least: a false one may join any other."""
    everything, rest = (scoring.score_clusters(labels[rows], truth[rows]) for rows in (np.ones_like(of), ~of))
    return PairScore(*(getattr(everything, name) - getattr(rest, name) for name in ("right", "found", "true")))


def answers(folder: Path) -> list[Task]:
    """Degrees of reuse: share of the pairs of each label that is matched."""
    ids, texts = documents(folder)
    rows = releases.rows(folder / "pairs.csv")
    truth = {degree: truth_pairs(ids, [row for row in rows if row["label"] == degree]) for degree in REUSES}

    def score(found: Found) -> dict[str, Any]:
        return {"by_label": {degree: recall_of(pairs, found) for degree, pairs in truth.items()}}

    return [Task("answers", ids, texts, score, REUSE)]


REUSES = ("cut", "light", "heavy", "non")  # most reuse first


def of_releases(folder: Path) -> list[Task]:
    """Files and pages in several releases, under licences, footers and navigation that different ones share."""
    ids, texts = documents(folder)
    truth = releases.read(folder, ids, texts)
    return [Task(folder.name, ids, texts, lambda found: truth.score(found.labels, found.canonicals(texts), found))]


def few_pages(_: Path) -> list[Task]:
    """Generated sites of which two to six pages are there, 85 % of each common to all."""
    measured = sites.Measured(sites.make(FEW_PAGES), strict=False)
    texts = measured.made.texts

    def score(found: Found) -> dict[str, Any]:
        return measured.score(found.canonicals(texts))

    return [Task("few-page sites", list(map(str, range(len(texts)))), texts, score)]


def generated(_: Path) -> list[Task]:
    """Invented text with known copies: what votes make of texts without boilerplate."""
    made, truth = corpus.generate(PLAIN_TEXT)
    ids, original = list(map(str, made["id"].to_pylist())), np.array(truth["original"].to_pylist())
    return [_clusters_task("generated", ids, made["text"].to_pylist(), original, {}, ours_only=True)]


SETS: dict[str, Callable[[Path], list[Task]]] = {
    "pages": pages,
    "newswire": newswire,
    "versions": versions,
    "records": records,
    "ocr": ocr,
    "answers": answers,
    **dict.fromkeys(RELEASES, of_releases),
    "generated": generated,
    "few-page sites": few_pages,
}

#: Sets that are made, and need no folder.
MADE = ("generated", "few-page sites")


def shared() -> Path:
    """The folder that holds ``corpora``."""
    return Path(os.environ.get("DUPDETECT_SHARED", HERE.parents[1] / "shared"))


def tasks(sets: Sequence[str]) -> Iterator[Task]:
    """The tasks of the sets that are here; those that are not are named."""
    for name in sets:
        folder = shared() / "corpora" / name
        if name in MADE or folder.is_dir():
            yield from SETS[name](folder)
        else:
            print(f"skipped: {name}: there is no {folder}", file=sys.stderr)


# ------------------------------------------------------------------------------------------------- the runs


def measure(task: Task, engine: Engine, work: Path, given: argparse.Namespace) -> dict[str, Any]:
    """One engine over one set, in a process of its own."""
    row: dict[str, Any] = {"set": task.name, "engine": str(engine), "documents": len(task.ids)}
    row["settings"] = told(task, engine)
    try:
        seconds, peak, found = execute(task.texts, row["settings"], engine, work, given)
    except RuntimeError as error:
        return row | {"problem": str(error)}
    return row | {"seconds": seconds, "peak_megabytes": peak / 1e6} | task.score(found)


def told(task: Task, engine: Engine) -> dict[str, Any]:
    """The settings of a run: all of the task's for this library, shingles and threshold for the others."""
    if engine.program == OURS:
        return task.settings | engine.settings
    size, unit = task.shingles
    return {"shingle_size": size, "unit": unit, "threshold": engine.threshold}


def execute(
    texts: list[str], settings: dict[str, Any], engine: Engine, work: Path, given: argparse.Namespace
) -> tuple[float, int, Found]:
    """Seconds from texts in memory to a result (warm), peak bytes of the whole process, and the result."""
    source, out = work / "texts.parquet", work / "found.npz"
    pq.write_table(pa.table({"id": np.arange(len(texts)), "text": pa.array(texts, pa.large_string())}), source)
    arguments: list[str] = ["--threads", str(given.threads)]
    if engine.program == OURS:
        arguments += ["--settings", json.dumps(settings)]
    else:
        bands = choose_bands(settings["threshold"], engines.NUM_PERM)
        arguments += ["--threshold", str(settings["threshold"]), "--bands", *map(str, bands)]
        arguments += ["--shingle-size", str(settings["shingle_size"]), "--unit", settings["unit"]]
    python = interpreter(engine, given)
    done = run([python, HERE / "engines.py", engine.program, source, out, *arguments], given.threads)
    with np.load(out) as arrays:
        seconds = json.loads(done.printed.splitlines()[-1])["seconds"]
        return seconds, done.peak_bytes, read(dict(arrays), len(texts))


def read(arrays: dict[str, np.ndarray], count: int) -> Found:
    """What an engine wrote."""
    pairs = scoring.unique_pairs(arrays["pairs"]) if "pairs" in arrays else None
    labels = arrays["labels"] if "labels" in arrays else scoring.components(count, pairs)
    called = [
        scoring.unique_pairs(arrays["pairs"][arrays[name]]) if name in arrays else None
        for name in ("identical", "near")
    ]
    return Found(scoring.labels(labels.tolist()), pairs, arrays.get("canonical"), *called)


def measure_all(given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every row, as it is measured."""
    chosen = [engine for engine in ENGINES if engine.program in given.engines]
    ready = [engine for engine in chosen if installed(interpreter(engine, given)).get(engine.package)]
    for absent in sorted({engine.program for engine in chosen} - {engine.program for engine in ready}):
        print(f"skipped: {absent}: not installed; --peer-python names an interpreter that has it", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for task in tasks(given.sets):
            for engine in ready:
                if task.ours_only and engine.program != OURS:
                    continue
                print(f"{task.name}: {engine}", file=sys.stderr, flush=True)
                if engine.program == OURS:  # let it compile, as the first run after an installation does
                    measure(replace(task, score=lambda _: {}), engine, work, given)
                yield measure(task, engine, work, given)


def interpreter(engine: Engine, given: argparse.Namespace) -> str:
    """The Python that an engine runs in."""
    return sys.executable if engine.ours else str(given.peer_python)


@cache
def installed(python: str) -> dict[str, str | None]:
    """Versions of the packages that an interpreter has."""
    found: dict[str, str | None] = json.loads(run([python, HERE / "engines.py", "versions"], 1).printed)
    return found


# ----------------------------------------------------------------------------------------------------- bars


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What this library is to reach on the sets that were measured: value, bar, and whether it is met."""
    ours = {row["set"]: row for row in rows if row["engine"] == OURS and "problem" not in row}
    without = {row["set"]: row for row in rows if row["engine"] == WITHOUT and "problem" not in row}
    asked = [of for name, row in ours.items() for of in _bars_of(name, row)]
    for name in NO_HARM:
        if name in ours and name in without:
            for share in ("precision", "recall"):
                lost = without[name][share] - ours[name][share]
                asked.append((f"{name}, {share} that boilerplate votes cost", lost, "≤", 0.002))
    return [bar(*of) for of in asked]


Bar = tuple[str, float, str, float]  # what, value, ≥ or ≤, what it is to be

#: A tenth of what was lost before removal was bounded.
VERSIONS_LOST = 34

#: Recall and families at least; false pairs and lost documents at the most.
RELEASE_BARS = {
    name: {
        "recall": ("≥", recall),
        "families": ("≥", families),
        "false": ("≤", false),
        "lost": ("≤", lost),
        "unfound": ("≤", 0),
        "misnamed": ("≤", 0),
    }
    for name, recall, families, false, lost in (
        ("code", 0.995, 0.70, 60, 8),
        ("manpages", 0.99, 0.72, 60, 10),
        ("copyrights", 0.99, 0.93, 60, 8),
        ("manuals", 0.998, 0.92, 30, 8),
        ("changelogs", 1.0, 0.930, 2, 1),
    )
}


def _bars_of(name: str, row: dict[str, Any]) -> list[Bar]:
    if name == "pages":
        least = {"precision": 0.997, "recall": 0.985, "f1": 0.994, "canonical_accuracy": 0.995}
        whole: list[Bar] = [(f"pages, {what.replace('_', ' ')}", row[what], "≥", at) for what, at in least.items()]
        return whole + [(f"pages of {source}, f1", of["f1"], "≥", 0.97) for source, of in row["by_source"].items()]
    if name == "pages alone":
        true = f"pages alone, true pairs found of {row['true']}"
        return [(true, row["right"], "≥", 41), ("pages alone, false pairs", row["found"] - row["right"], "≤", 1)]
    if name == "newswire":
        return [
            ("newswire, recall of Jaccard ≥ 0.7, as matches", row["near"]["pairs"], "≥", 0.99),
            ("newswire, the same in clusters", row["near"]["clusters"], "≥", 0.99),
            ("newswire, different texts called identical", row["identical_but_different"], "≤", 0),
        ]
    if name == "versions":
        return [
            ("versions, recall of Jaccard ≥ 0.8, as matches", row["near"]["pairs"], "≥", 0.98),
            ("versions, the same in clusters", row["near"]["clusters"], "≥", 0.98),
            ("versions, lost documents", row["lost"], "≤", VERSIONS_LOST),
        ]
    if name == "ocr":
        return [("ocr, character error < 0.10, f1", row["by_error"]["< 0.10"]["f1"], "≥", 0.95)]
    if name == "few-page sites":
        return [(f"{name}, precision", row["precision"], "≥", 0.99), (f"{name}, recall", row["recall"], "≥", 0.95)]
    if name in RELEASES:
        return [(f"{name}, {releases.MEASURES[what]}", row[what], *at) for what, at in RELEASE_BARS[name].items()]
    least = {"records, cytology": 0.9828, "records, respiratory": 0.9569, "records, stroke": 0.9606}
    return [(f"{name}, f1", row["f1"], "≥", least[name])] if name in least else []


def audits() -> list[dict[str, Any]]:
    """Intervals of 100 audits of pages that hold the true recall of the run."""
    from audit_coverage import coverage

    import dupdetect

    path = shared() / "corpora" / "pages" / "docs.jsonl.gz"
    rows = coverage(dupdetect.dedup(path), path, samples=[1000])
    return [
        {
            "what": f"audits of pages, intervals of 100 that hold the recall ({row.recall_of})",
            "value": row.covered,
            "bar": "≥ 90",
            "met": row.covered >= 90,
        }
        for row in rows
    ]


# ------------------------------------------------------------------------------------------------ reporting

#: Columns of the table: title, set, and what of a row is shown.
COLUMNS: list[tuple[str, str, Callable[[dict[str, Any]], str]]] = [
    ("pages P / R", "pages", lambda row: f"{row['precision']:.3f} / {row['recall']:.3f}"),
    ("F1", "pages", lambda row: f"{row['f1']:.3f}"),
    ("worst source F1", "pages", lambda row: f"{min(of['f1'] for of in row['by_source'].values()):.3f}"),
    (
        "canonical right",
        "pages",
        lambda row: f"{row['canonical_accuracy']:.3f}" if "canonical_accuracy" in row else "–",
    ),
    ("pages alone, right + false", "pages alone", lambda row: f"{row['right']} + {row['found'] - row['right']:,}"),
    ("newswire R", "newswire", lambda row: f"{row['near']['clusters']:.3f}"),
    ("versions R", "versions", lambda row: f"{row['near']['clusters']:.3f}"),
    (
        "look-alikes merged, of J < 0.8",
        "versions",
        lambda row: f"{row['look_alikes']:,}, {row['look_alikes_below_0.8']:,}",
    ),
    ("records F1 cytology", "records, cytology", lambda row: f"{row['f1']:.3f}"),
    ("respiratory", "records, respiratory", lambda row: f"{row['f1']:.3f}"),
    ("stroke", "records, stroke", lambda row: f"{row['f1']:.3f}"),
    ("ocr F1 by error " + ", ".join(OCR_BANDS), "ocr", lambda row: _triple(row["by_error"], "f1")),
    ("answers " + ", ".join(REUSES), "answers", lambda row: _triple(row["by_label"], "clusters")),
    *((f"{name} R / families, false, lost", name, releases.cell) for name in RELEASES),
    (
        "few-page sites P / R, lost",
        "few-page sites",
        lambda row: f"{row['precision']:.3f} / {row['recall']:.3f}, {row['lost']}",
    ),
]


def _triple(groups: dict[str, dict[str, Any]], measure: str) -> str:
    return " / ".join(f"{of[measure]:.2f}" for of in groups.values())


def overview(rows: list[dict[str, Any]]) -> str:
    """A row an engine, a column a measure; seconds over all the sets it was run on, and its highest peak of memory."""
    by = {(row["set"], row["engine"]): row for row in rows}
    columns = [column for column in COLUMNS if any(row["set"] == column[1] for row in rows)]
    lines = []
    for engine in dict.fromkeys(row["engine"] for row in rows if "problem" not in row):
        of_it = [by.get((name, engine)) for _, name, _ in columns]
        cells = [
            show(row) if row and "problem" not in row else "–" for (_, _, show), row in zip(columns, of_it, strict=True)
        ]
        ran = [row for row in rows if row["engine"] == engine and "problem" not in row and row["set"] != "generated"]
        seconds, peak = sum(row["seconds"] for row in ran), max((row["peak_megabytes"] for row in ran), default=0.0)
        lines.append([engine, *cells, f"{seconds:.1f}", f"{peak:,.0f}"])
    return markdown(["engine", *(title for title, _, _ in columns), "seconds", "peak MB"], lines)


def details(rows: list[dict[str, Any]]) -> str:
    """A row an engine and set."""
    lines = []
    for row in rows:
        if "problem" in row:
            lines.append([row["set"], row["engine"], *[""] * 9, row["problem"]])
            continue
        pairs = row.get("as_pairs", {})
        scores = [row.get(name) for name in ("precision", "recall", "f1")] + [pairs.get("f1")]
        false = row.get("false", row["found"] - row["right"] if "found" in row else None)
        counts = [row.get("right"), false, row.get("true")]
        cells = [f"{score:.4f}" if score is not None else "" for score in scores]
        cells += [f"{count:,}" if count is not None else "" for count in counts]
        lines.append(
            [row["set"], row["engine"], *cells, f"{row['seconds']:.2f}", f"{row['peak_megabytes']:,.0f}", also(row)]
        )
    titles = ["set", "engine", "precision", "recall", "F1", "F1 of pairs", "right", "false", "true"]
    return markdown([*titles, "seconds", "peak MB", "also"], lines)


def also(row: dict[str, Any]) -> str:
    """The measures that only some sets have."""
    parts = [f"{source} F1 {of['f1']:.3f}" for source, of in row.get("by_source", {}).items()]
    parts += [f"error {band} F1 {of['f1']:.3f}" for band, of in row.get("by_error", {}).items()]
    for label, of in (row.get("by_label", {}) | ({"near": row["near"]} if "near" in row else {})).items():
        matched = f", {of['pairs']:.4f} as matches" if "pairs" in of else ""
        parts.append(f"{label}: {of['clusters']:.4f} of {of['true']:,}{matched}")
    counts = ("identical", "identical_but_different", "look_alikes", "look_alikes_below_0.8", *releases.COUNTS)
    parts += [f"families {row['families']:.4f}"] if "families" in row else []
    parts += [f"{name.replace('_', ' ')} {row[name]:,}" for name in counts if name in row]
    parts += [f"canonical {row['canonical_accuracy']:.4f}"] if "canonical_accuracy" in row else []
    return "; ".join(parts)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure precision and recall on real texts.")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    programs = list(dict.fromkeys(engine.program for engine in ENGINES))
    parser.add_argument("--engines", nargs="+", choices=programs, default=programs)
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers installed")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="cores for every engine")
    parser.add_argument("--bars", action="store_true", help="also what this library is to reach, and whether it does")
    parser.add_argument("--details", action="store_true", help="also a row for every engine and set")
    parser.add_argument("--json", action="store_true", help="print JSON instead")
    parser.add_argument(
        "--again", type=Path, nargs="+", metavar="JSON", help="show earlier runs' quality.json, run none"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"))
    return parser.parse_args(arguments)


def report(given: argparse.Namespace) -> dict[str, Any]:
    """Measure, and write what is there after every row: an interrupted evening keeps what it has."""
    given.out.mkdir(parents=True, exist_ok=True)
    packages = {"here": installed(sys.executable), "peers": installed(given.peer_python)}
    result: dict[str, Any] = {"machine": machine(), "versions": packages, "rows": [], "audits": []}
    for row in measure_all(given):
        result["rows"].append(row)
        (given.out / "quality.json").write_text(_json(result), encoding="utf-8")
    if given.bars and "pages" in given.sets and (shared() / "corpora" / "pages").is_dir():
        result["audits"] = audits()
    result["bars"] = bars(result["rows"]) + result["audits"]
    (given.out / "quality.json").write_text(_json(result), encoding="utf-8")
    return result


def _json(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=1, ensure_ascii=False)


def again(files: Sequence[Path]) -> dict[str, Any]:
    """What earlier runs wrote: the last of them counts where several have a row of an engine and a set."""
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    rows = {(row["set"], row["engine"]): row for part in parts for row in part["rows"]}
    audited: list[dict[str, Any]] = next((part["audits"] for part in reversed(parts) if part["audits"]), [])
    result = {"rows": list(rows.values()), "audits": audited}
    return result | {"bars": bars(result["rows"]) + audited}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then report."""
    given = parse(arguments)
    result = again(given.again) if given.again else report(given)
    if given.json:
        print(_json(result))
        return
    parts = [overview(result["rows"])]
    parts += [details(result["rows"])] if given.details else []
    parts += [bars_table(result["bars"])] if given.bars else []
    print("\n\n".join(parts))


if __name__ == "__main__":
    main()
