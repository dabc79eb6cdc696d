"""Cost by the size of the corpus: time, memory, bytes spilled and stages, beside pyarrow reading and writing the same.

    python benchmarks/scale.py --bars --out results

runs the command ``dupdetect dedup FILE -o OUT`` on generated corpora (`corpus.py`): articles of 5 KB in several sizes,
short texts of one line, and as many strangers as near copies of one text; each in memory and with a budget. Beside it
stands `pyarrow`, reading the same file and writing the rows that were kept, and writing all of them. Every run is a
process of its own, and all its processes are watched together. README.md beside this file says what is measured.

Writes ``scale.json`` and ``scale.png`` into the output folder, and prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from corpus import truth_path
from reporting import bar, bars_table, machine, markdown
from watching import Watched, run

from dupdetect import Settings
from dupdetect._storage.memory import size

HERE = Path(__file__).resolve().parent
OURS = "dupdetect"
THRESHOLD = Settings().threshold
KEPT, ALL = "pyarrow, rows kept", "pyarrow, all rows"  # reads the file and writes these
FREE = "none"  # no budget given: the default of the command
ARTICLES, SHORT, STRANGERS, FAMILY = "articles", "short", "strangers", "family"

#: What `corpus.py` is told.
SHAPES: dict[str, tuple[str, ...]] = {
    ARTICLES: (),
    SHORT: ("--short",),
    STRANGERS: ("--copies", "0", "--pages", "0", "--spread", "0"),  # all as long as those of the family
    FAMILY: ("--family", "{documents}", "--spread", "0"),
}


@dataclass(frozen=True)
class Made:
    """A generated corpus on disk."""

    shape: str
    path: Path
    documents: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.documents:,} {self.shape}"


@dataclass
class Row:
    """One program on one corpus, and its runs so far."""

    corpus: Made
    program: str
    memory: str = FREE
    runs: list[dict[str, Any]] = field(default_factory=list)
    problem: str | None = None

    def summary(self) -> dict[str, Any]:
        """Medians (of memory the most), as they go into the JSON."""
        of = self.corpus
        row: dict[str, Any] = {"corpus": of.shape, "documents": of.documents, "bytes": of.bytes}
        row |= {"program": self.program, "memory": self.memory, "problem": self.problem, "runs": self.runs}
        if not self.runs:
            return row
        seconds = self._median("seconds")
        row |= {"seconds": seconds, "cores_busy": self._median("cpu_seconds") / seconds}
        row |= {"documents_per_second": of.documents / seconds, "megabytes_per_second": of.bytes / seconds / 1e6}
        row |= {name: max(run[name] for run in self.runs) for name in ("peak_bytes", "proportional_bytes")}
        row |= {"spilled_bytes": self._median("spilled_bytes"), "written_bytes": self._median("written_bytes")}
        if self.program == OURS:
            names = dict.fromkeys(name for run in self.runs for name in run["stages"])
            stages = {name: statistics.median(run["stages"].get(name, 0.0) for run in self.runs) for name in names}
            row |= {"stages": stages, "tables": _all_of(run["tables"] for run in self.runs)}
            row |= {name: self.runs[-1][name] for name in ("counts", "caps", "found")}
        return row

    def _median(self, name: str) -> float:
        return statistics.median(run[name] for run in self.runs)


# ------------------------------------------------------------------------------------------------ the corpora


def made(work: Path, shape: str, documents: int, seed: int) -> Made:
    """The corpus of that shape and size, generated unless it is there already."""
    name = "corpus" if shape == ARTICLES else shape
    path = work / f"{name}-{documents}-{seed}.parquet"
    if not (path.exists() and truth_path(path).exists()):
        options = [option.format(documents=documents) for option in SHAPES[shape]]
        print(f"making {path.name}", file=sys.stderr, flush=True)
        command = [sys.executable, HERE / "corpus.py", path, "--documents", str(documents), "--seed", str(seed)]
        run([*command, *options], os.cpu_count() or 1)
    return Made(shape, path, documents, text_bytes(path))


def text_bytes(path: Path) -> int:
    """Bytes of text, to within some headers: a text is stored behind four bytes of its length."""
    facts = pq.ParquetFile(path).metadata
    column = facts.schema.to_arrow_schema().get_field_index("text")
    sizes = (facts.row_group(group).column(column).total_uncompressed_size for group in range(facts.num_row_groups))
    return sum(sizes) - 4 * facts.num_rows


def corpora(given: argparse.Namespace) -> Iterator[Made]:
    """Those that were asked for."""
    sizes = [(ARTICLES, documents) for documents in given.documents]
    sizes += [(SHORT, documents) for documents in given.short]
    sizes += [(shape, documents) for documents in given.family for shape in (STRANGERS, FAMILY)]
    for shape, documents in sizes:
        yield made(given.work, shape, documents, given.seed)


# ------------------------------------------------------------------------------------------------- measuring


def measure(row: Row, given: argparse.Namespace) -> None:
    """One more run."""
    out, spill = given.work / "found", given.work / "spill"
    for folder in (out, spill):
        shutil.rmtree(folder, ignore_errors=True)
    spill.mkdir()
    settle(row.corpus.path)
    try:
        row.runs.append(_dedup(row, out, spill, given) if row.program == OURS else _rewrite(row, out, given))
    except RuntimeError as error:
        row.problem = str(error)


def settle(path: Path) -> None:
    """Bring the file into the system's cache and what was written before onto the disk, for all runs alike."""
    os.sync()
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _dedup(row: Row, out: Path, spill: Path, given: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "dupdetect", "dedup", row.corpus.path, "-o", out, "--quiet"]
    command += ["--workers", str(given.threads)]
    command += ["--work", spill / "work"] if knows("--work") else []
    command += ["--memory", row.memory] if row.memory != FREE else []
    done = run(command, given.threads, folder=spill)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    remember_kept(row.corpus, out)
    facts = {"stages": stages(manifest["timings"], done.seconds), "memory": manifest.get("memory")}
    facts |= {"counts": manifest["counts"], "caps": manifest["caps"]}
    return taken(done, out) | facts | {"tables": digests(out), "found": found(row.corpus, out)}


def stages(timings: dict[str, float], seconds: float) -> dict[str, float]:
    """Seconds of every stage, one after another: signing without the time in which it waited for texts to be read."""
    parts = {"read": 0.0} | timings
    parts["sign"] = max(0.0, parts["sign"] - parts["read"])
    rest = "start, end" if "write" in timings else "start, write"
    return parts | {rest: max(0.0, seconds - sum(parts.values()))}


def _rewrite(row: Row, out: Path, given: argparse.Namespace) -> dict[str, Any]:
    out.mkdir()
    command = [sys.executable, HERE / "pyarrow_rewrite.py", row.corpus.path, out / "kept.parquet"]
    command += ["--rows", kept_path(row.corpus)] if row.program == KEPT else []
    return taken(run(command, given.threads), out)


def taken(done: Watched, out: Path) -> dict[str, Any]:
    """What a run took, and what it wrote."""
    facts = {name: getattr(done, name) for name in ("seconds", "cpu_seconds", "peak_bytes", "proportional_bytes")}
    written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return facts | {"spilled_bytes": done.spilled_bytes, "written_bytes": written}


def kept_path(corpus: Made) -> Path:
    """Where it is remembered which rows were kept."""
    return corpus.path.with_suffix(".kept.npy")


def remember_kept(corpus: Made, out: Path) -> None:
    """For pyarrow, which writes the same rows; ids are numbers of rows."""
    kept = np.zeros(corpus.documents, np.bool_)
    kept[pq.read_table(out / "kept.parquet", columns=["id"])["id"].to_numpy()] = True
    np.save(kept_path(corpus), kept)


def found(corpus: Made, out: Path) -> float:
    """Share of the copies that are in the cluster of their original.

    Of edited copies those of the default threshold and above: of others more may be lost than a removal may lose.
    """
    clusters = pq.read_table(out / "clusters.parquet", columns=["id", "cluster"])
    cluster = np.empty(corpus.documents, np.int64)
    cluster[clusters["id"].to_numpy()] = clusters["cluster"].to_numpy()
    truth = pq.read_table(truth_path(corpus.path), columns=["original", "form", "jaccard"])
    original, form, jaccard = (truth[name].to_numpy() for name in truth.column_names)
    copies = np.flatnonzero((original != np.arange(corpus.documents)) & ((form != "edited") | (jaccard >= THRESHOLD)))
    return round(float((cluster[copies] == cluster[original[copies]]).mean()), 4) if len(copies) else 1.0


def digests(out: Path) -> dict[str, str]:
    """Of every table, byte by byte: equal for equal results."""
    found = {}
    for path in sorted(out.glob("*.*")):
        if path.name != "manifest.json":
            total = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(1 << 24):
                    total.update(block)
            found[path.name] = total.hexdigest()
    return found


@cache
def knows(option: str) -> bool:
    """Whether the command has an option."""
    printed = run([sys.executable, "-m", "dupdetect", "dedup", "--help"], 1).printed
    return re.search(re.escape(option) + r"(?![\w-])", printed) is not None


def plan(given: argparse.Namespace) -> list[Row]:
    """Every row, not yet measured; of a corpus the command comes first, for pyarrow writes what it kept."""
    rows = []
    for corpus in corpora(given):
        rows += [Row(corpus, OURS, memory) for memory in given.memory]
        rows += [Row(corpus, program) for program in (KEPT, ALL)] if corpus.shape in (ARTICLES, SHORT) else []
    for row in rows:
        if row.memory != FREE and not knows("--memory"):
            row.problem = "this version has no --memory"
    return rows


def compile_once(given: argparse.Namespace) -> None:
    """Let the command compile its code, as the first run after an installation does."""
    tiny = Row(made(given.work, ARTICLES, 500, given.seed), OURS)
    measure(tiny, given)
    if tiny.problem:
        raise SystemExit(f"dupdetect fails on 500 documents: {tiny.problem}")


# ------------------------------------------------------------------------------------------------- reporting


def compare(rows: list[dict[str, Any]]) -> None:
    """Add to the command's rows how many times pyarrow's seconds they took."""
    for row, pyarrow in ((row, other) for row in rows for other in rows):
        alike = row["corpus"] == pyarrow["corpus"] and row["documents"] == pyarrow["documents"]
        if (
            alike
            and row["program"] == OURS
            and pyarrow["program"] != OURS
            and "seconds" in row
            and "seconds" in pyarrow
        ):
            row[f"over {pyarrow['program']}"] = row["seconds"] / pyarrow["seconds"]


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the command is to stay below, and whether it does."""
    ours = [row for row in rows if row["program"] == OURS and "seconds" in row]
    articles = sorted((row for row in ours if row["corpus"] == ARTICLES), key=lambda row: row["documents"])
    asked = [
        bar(f"{named(row)}, time over {program}", row[f"over {program}"], "≤", 4.0)
        for row in articles
        for program in (ALL, KEPT)
        if row["documents"] == articles[-1]["documents"] and f"over {program}" in row
    ]
    asked += [
        bar(f"{named(row)}, peak memory in GB", row["peak_bytes"] / 1e9, "≤", size(row["memory"]) / 1e9)
        for row in ours
        if row["memory"] != FREE
    ]
    return asked + _slopes(articles) + _families(ours) + _equal(ours)


def _slopes(articles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Time per document of the largest corpus over that of a tenth of it."""
    asked = []
    for row in articles[::-1]:
        for tenth in articles:
            if 10 * tenth["documents"] == row["documents"] == articles[-1]["documents"] and same_budget(row, tenth):
                slope = tenth["documents_per_second"] / row["documents_per_second"]
                asked.append(bar(f"{named(row)}, time per document over {tenth['documents']:,}", slope, "≤", 1.15))
    return asked


def _families(ours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        bar(f"{named(row)}, time over {named(other)}", row["seconds"] / other["seconds"], "≤", 1.2)
        for row in ours
        for other in ours
        if (row["corpus"], other["corpus"]) == (FAMILY, STRANGERS)
        and row["documents"] == other["documents"]
        and same_budget(row, other)
    ]


def _equal(ours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One result for every corpus, whatever the budget and however often it is run."""
    asked = []
    for row in {(row["corpus"], row["documents"]): row for row in ours}.values():
        alike = [other for other in ours if same_corpus(row, other)]
        runs = sum(len(other["runs"]) for other in alike)
        found = _all_of({name: digest} for other in alike for name, of in other["tables"].items() for digest in of)
        several = [name for name, of in found.items() if len(of) > 1]
        if runs > 1:
            what = f"{row['documents']:,} {row['corpus']}, files that differ between {runs} runs"
            asked.append(bar(", ".join([what, *several]), len(several), "≤", 0))
    return asked


def _all_of(tables: Iterable[dict[str, str]]) -> dict[str, list[str]]:
    """The different digests of every file."""
    found: dict[str, set[str]] = {}
    for name, digest in (item for of in tables for item in of.items()):
        found.setdefault(name, set()).add(digest)
    return {name: sorted(of) for name, of in found.items()}


def same_corpus(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both are of one corpus."""
    return bool((row["corpus"], row["documents"]) == (other["corpus"], other["documents"]))


def same_budget(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both were told the same."""
    return bool(row["memory"] == other["memory"])


def named(row: dict[str, Any]) -> str:
    """What a row is of."""
    budget = "" if row["memory"] == FREE else f", --memory {row['memory']}"
    return f"{row['documents']:,} {row['corpus']}{budget}"


def overview(rows: list[dict[str, Any]]) -> str:
    """A row a corpus and program."""
    titles = ["corpus", "program", "seconds", "documents/s", "MB/s", "over pyarrow, all rows", "rows kept"]
    titles += ["cores busy", "peak MB", "spilled MB", "written MB", "copies found"]
    lines = []
    for row in rows:
        if "seconds" not in row:
            continue
        budget = "" if row["memory"] == FREE else f" --memory {row['memory']}"
        cells = [f"{row['documents']:,} {row['corpus']}", row["program"] + budget, f"{row['seconds']:.2f}"]
        cells += [f"{row['documents_per_second']:,.0f}", f"{row['megabytes_per_second']:,.0f}"]
        cells += [f"{row[f'over {program}']:.2f}" if f"over {program}" in row else "" for program in (ALL, KEPT)]
        cells += [f"{row['cores_busy']:.2f}"]
        cells += [f"{row[name] / 1e6:,.0f}" for name in ("peak_bytes", "spilled_bytes", "written_bytes")]
        lines.append([*cells, f"{row['found']:.3f}" if "found" in row else ""])
    return markdown(titles, lines)


def stages_table(rows: list[dict[str, Any]]) -> str:
    """Seconds by stage, a column a corpus."""
    ours = [row for row in rows if "stages" in row]
    names = dict.fromkeys(name for row in ours for name in row["stages"])
    lines = [[name, *(f"{row['stages'].get(name, 0.0):.2f}" for row in ours)] for name in names]
    return markdown(["seconds", *map(named, ours)], lines)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """The picture: time per document and peak memory by size, and where the time goes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    done = [row for row in rows if "seconds" in row]
    ours = [row for row in done if row["program"] == OURS]
    figure = plt.figure(figsize=(9, 3.4 + 0.42 * len(ours)), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(3.0, 0.4 + 0.42 * len(ours)))
    left, right = upper.subplots(1, 2)
    articles = sorted((row for row in done if row["corpus"] == ARTICLES), key=lambda row: row["documents"])
    for line in dict.fromkeys((row["program"], row["memory"]) for row in articles):
        shown = [row for row in articles if (row["program"], row["memory"]) == line]
        _curves(shown, left, right)
    left.set_title("microseconds a document", fontsize=10, loc="left")
    right.set_title("peak memory, MB", fontsize=10, loc="left")
    for axis in (left, right):
        axis.set_xscale("log")
        axis.margins(x=0.08)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("documents of 5 KB")
        axis.spines[["top", "right"]].set_visible(False)
    left.legend(fontsize=8, frameon=False)
    _stages(ours, lower.subplots())
    figure.savefig(path, dpi=140)
    plt.close(figure)


def _curves(shown: list[dict[str, Any]], left: Any, right: Any) -> None:
    mine, budget = shown[0]["program"] == OURS, shown[0]["memory"]
    label = shown[0]["program"] + ("" if budget == FREE else f" --memory {budget}")
    style = {"marker": "o", "color": "#c2410c" if mine else "#94a3b8", "label": label}
    style["linestyle"] = "--" if budget != FREE or shown[0]["program"] == KEPT else "-"
    documents = [row["documents"] for row in shown]
    left.plot(documents, [1e6 / row["documents_per_second"] for row in shown], **style)
    right.plot(documents, [row["peak_bytes"] / 1e6 for row in shown], **style)
    if budget != FREE:
        right.axhline(size(budget) / 1e6, color="#94a3b8", linewidth=0.8, linestyle=":")


def _stages(ours: list[dict[str, Any]], axis: Any) -> None:
    names = dict.fromkeys(name for row in ours for name in row["stages"])
    labels = [named(row) for row in ours][::-1]
    colours = ("#7c2d12", "#c2410c", "#fb923c", "#fed7aa", "#334155", "#64748b", "#94a3b8", "#cbd5e1", "#e2e8f0")
    start = np.zeros(len(ours))
    for number, name in enumerate(names):
        times = np.array([1e6 * row["stages"].get(name, 0.0) / row["documents"] for row in ours][::-1])
        axis.barh(labels, times, left=start, color=colours[number % len(colours)], label=name)
        start += times
    axis.set_title("where the time goes, microseconds a document", fontsize=10, loc="left")
    axis.legend(fontsize=8, frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.4, -0.12))
    axis.spines[["top", "right"]].set_visible(False)


def report(rows: Sequence[Row], given: argparse.Namespace) -> dict[str, Any]:
    """Write the JSON; return what is in it."""
    table = [row.summary() for row in rows]
    compare(table)
    config = {name: str(value) if isinstance(value, Path) else value for name, value in vars(given).items()}
    result = {"machine": machine(), "settings": config, "rows": table, "bars": bars(table)}
    (given.out / "scale.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return result


def again(files: Sequence[Path]) -> dict[str, Any]:
    """What earlier runs wrote: the last of them counts where several have a row of a corpus and a program."""
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    keys = ("corpus", "documents", "program", "memory")
    rows = list({tuple(row[key] for key in keys): row for part in parts for row in part["rows"]}.values())
    compare(rows)
    return parts[-1] | {"rows": rows, "bars": bars(rows)}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure the command by the size of the corpus, beside pyarrow.")
    parser.add_argument("--documents", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="articles")
    parser.add_argument("--short", type=int, nargs="*", default=[10_000_000], help="texts of one line")
    parser.add_argument("--family", type=int, nargs="*", default=[1_000_000], help="near copies of one, and strangers")
    parser.add_argument(
        "--memory", nargs="+", default=[FREE, "2GB"], help="budgets; none: what the command defaults to"
    )
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="cores for every run")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bars", action="store_true", help="also what the command is to reach, and whether it does")
    parser.add_argument("--again", type=Path, nargs="+", metavar="JSON", help="show earlier runs' scale.json, run none")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"))
    parser.add_argument("--work", type=Path, help="for the corpora; kept and used again (default: OUT/work)")
    given = parser.parse_args(arguments)
    given.work = (given.work or given.out / "work").resolve()
    return given


def measure_all(given: argparse.Namespace) -> dict[str, Any]:
    """Run every row as often as asked, and write what is there after each: an interrupted evening keeps what it has."""
    given.work.mkdir(parents=True, exist_ok=True)
    compile_once(given)
    rows = plan(given)
    result = report(rows, given)
    for repeat in range(1, given.repeat + 1):
        for row in rows:
            if not row.problem:
                budget = "" if row.memory == FREE else f", --memory {row.memory}"
                print(f"[{repeat}/{given.repeat}] {row.corpus}: {row.program}{budget}", file=sys.stderr, flush=True)
                measure(row, given)
                result = report(rows, given)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then report."""
    given = parse(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    result = again(given.again) if given.again else measure_all(given)
    parts = [overview(result["rows"]), stages_table(result["rows"])]
    parts += [bars_table(result["bars"])] if given.bars else []
    print("\n\n".join(parts))
    for row in result["rows"]:
        if row["problem"]:
            print(f"not measured: {named(row)}, {row['program']}: {row['problem']}", file=sys.stderr)
    draw(result["rows"], given.out / "scale.png")


if __name__ == "__main__":
    main()
