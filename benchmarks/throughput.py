"""Documents a second, memory, recall and precision of this library beside others.

    python benchmarks/throughput.py --documents 100000 --peer-python .venv-peers/bin/python --out results

Two comparisons over the same generated corpus (`corpus.py`), both with the same shingles, number of
permutations and cores: *memory*, texts in memory to clusters (peers: shingling, signing, LSH and lookup),
compiled code warm; and *command*, a Parquet file to written tables, start-up included. Each run is a fresh
process; runs are in random order, repeated, and reported as medians. README.md beside this file says
exactly what is timed.

Writes ``throughput.json`` and ``throughput.png`` into the output folder and prints the same as a table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import scoring
from corpus import Corpus, truth_path, write
from engines import ENGINES, NUM_PERM, SHINGLE_SIZE

HERE = Path(__file__).resolve().parent
OURS = "dupdetect"
SLOW = ("definition in Python", "datasketch", "rensa", "rensa rho, flags only", "gaoya", "text-dedup")
MEMORY = ("dupdetect", "dupdetect, from a list", *SLOW)
SIGNING = ("dupdetect signing, 1 core", "dupdetect signing", "daft signing")
READING = ("wc -w", "pyarrow reading")
COMMANDS = ("dupdetect dedup", "datasketch script", "text-dedup command")
POLL = 0.05  # seconds between two looks at a process's memory


@dataclass(frozen=True)
class Made:
    """A generated corpus on disk."""

    path: Path
    text: Path
    documents: int
    bytes: int
    truth: dict[str, np.ndarray]


@dataclass
class Row:
    """One engine: its runs so far and what it found."""

    name: str
    mode: str
    corpus: Made
    threads: int
    version: str | None = None
    seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    quality: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None

    def summary(self) -> dict[str, Any]:
        """Medians, as they go into the JSON."""
        row: dict[str, Any] = {"name": self.name, "mode": self.mode, "version": self.version}
        row |= {"documents": self.corpus.documents, "threads": self.threads, "problem": self.problem}
        if self.seconds:
            median = statistics.median(self.seconds)
            row |= {
                "seconds": median,
                "runs": self.seconds,
                "documents_per_second": self.corpus.documents / median,
            }
            row |= {"megabytes_per_second": self.corpus.bytes / median / 1e6}
            row |= {"peak_megabytes": statistics.median(self.peak_bytes) / 1e6}
        return row | self.quality


# ------------------------------------------------------------------------------------------------ measuring


def made(work: Path, documents: int, seed: int) -> Made:
    """The corpus of that size, generated unless it is there already."""
    path = work / f"corpus-{documents}-{seed}.parquet"
    text = path.with_suffix(".txt")
    if not (path.exists() and text.exists() and truth_path(path).exists()):
        write(Corpus(documents=documents, seed=seed), path, text)
    table = pq.read_table(truth_path(path))
    truth = {name: np.array(table[name].to_pylist()) for name in table.column_names}
    return Made(path, text, documents, text.stat().st_size, truth)


def run(command: Sequence[str | Path], threads: int, **options: Any) -> tuple[float, int, str]:
    """Run a command on `threads` cores: wall seconds, peak resident bytes of all its processes, standard
    output.

    Raises
    ------
    RuntimeError
        With the last line of its standard error, when it fails.
    """
    import psutil

    if taskset := shutil.which("taskset"):
        command = [taskset, "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads])), *command]
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), str(threads))
    env |= {"PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}", "TOKENIZERS_PARALLELISM": "false"}
    env |= {"DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "1", "DAFT_PROGRESS_BAR": "0"} | options.pop("env", {})
    start = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    watched, peak = psutil.Process(process.pid), 0
    output = ("", "")
    while True:
        try:
            output = process.communicate(timeout=POLL)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, _resident(watched))
    seconds = time.perf_counter() - start
    if process.returncode:
        last = (output[1].strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"exit code {process.returncode}: {last}")
    return seconds, peak, output[0]


def _resident(process: Any) -> int:
    import psutil

    total = 0
    try:
        for member in (process, *process.children(recursive=True)):
            total += member.memory_info().rss
    except psutil.NoSuchProcess:  # it ended while we looked
        pass
    return total


def measure(row: Row, python: str, work: Path, given: argparse.Namespace) -> None:
    """One more run of one engine."""
    out = work / "found"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        if row.mode == "command":
            seconds, peak, found = _command(row, python, out, given)
        elif row.name == "wc -w":
            seconds, peak, _ = run(["wc", "-w", row.corpus.text], 1, env={"LC_ALL": "C.UTF-8"})
            found = {}
        else:
            seconds, peak, found = _engine(row, python, out, given)
    except RuntimeError as error:
        row.problem = str(error)
        return
    row.seconds.append(seconds)
    row.peak_bytes.append(peak)
    row.quality = quality(found, row.corpus.truth, given.threshold)


def _engine(row: Row, python: str, out: Path, given: argparse.Namespace) -> tuple[float, int, dict[str, Any]]:
    npz = out / "found.npz"
    name = row.name.removesuffix(", 1 core")
    settings = [
        "--threads",
        str(row.threads),
        "--threshold",
        str(given.threshold),
        "--bands",
        *map(str, given.bands),
    ]
    _, peak, printed = run([python, HERE / "engines.py", name, row.corpus.path, npz, *settings], row.threads)
    with np.load(npz) as found:
        return json.loads(printed.splitlines()[-1])["seconds"], peak, dict(found)


def _command(row: Row, python: str, out: Path, given: argparse.Namespace) -> tuple[float, int, dict[str, Any]]:
    written = out / "tables"
    if row.name == "text-dedup command":
        (out / "config.toml").write_text(_text_dedup_config(row, written, given))
        env = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(out / "cache")}
        seconds, peak, _ = run([python, "-m", "text_dedup.minhash"], row.threads, cwd=out, env=env)
        parents = np.load(written / "clusters.pickle", allow_pickle=True)
        return (
            seconds,
            peak,
            {"labels": np.array([parents.get(i, -1 - i) for i in range(row.corpus.documents)])},
        )
    if row.name == "datasketch script":
        bands = map(str, given.bands)
        command = [python, HERE / "datasketch_dedup.py", row.corpus.path, written, "--bands", *bands]
    else:
        command = [python, "-m", "dupdetect", "dedup", row.corpus.path, "-o", written, "--quiet"]
    seconds, peak, _ = run(command, row.threads)
    clusters = pq.read_table(written / "clusters.parquet").sort_by("id")
    return seconds, peak, {"labels": clusters["cluster"].to_numpy()}


def _text_dedup_config(row: Row, written: Path, given: argparse.Namespace) -> str:
    return f"""
[input]
input_type = "local_files"
file_type = "parquet"
[input.read_arguments]
path = "parquet"
data_files = "{row.corpus.path}"
split = "train"
[algorithm]
algorithm_name = "minhash"
text_column = "text"
num_perm = {NUM_PERM}
ngram_size = {SHINGLE_SIZE}
threshold = {given.threshold}
bands = {given.bands[0]}
rows = {given.bands[1]}
num_proc = {row.threads}
batch_size = 10000
[output]
output_dir = "{written}"
save_clusters = true
[debug]
"""


def _compile(rows: Sequence[Row], given: argparse.Namespace) -> None:
    """Let the command compile its code once, as the first run after an installation does."""
    if any(row.name == COMMANDS[0] and not row.problem for row in rows):
        tiny = made(given.work, 500, given.seed)
        out = given.work / "found"
        shutil.rmtree(out, ignore_errors=True)
        run([sys.executable, "-m", "dupdetect", "dedup", tiny.path, "-o", out, "--quiet"], given.threads)


def quality(found: dict[str, Any], truth: dict[str, np.ndarray], threshold: float) -> dict[str, Any]:
    """Score of the clusters (pairs joined, where an engine gives pairs only), and recall by kind of copy."""
    if "flags" in found:
        return {"flagged": int(found["flags"].sum())}
    original, kind = truth["original"], truth["kind"]
    result: dict[str, Any] = {}
    labels = found.get("labels")
    if "pairs" in found:
        pairs = scoring.unique_pairs(found["pairs"])
        result |= {"pairs_found": len(pairs), "pairs": scoring.score_pairs(pairs, original).as_dict()}
        labels = scoring.components(len(original), pairs) if labels is None else labels
    if labels is None:
        return {}
    copies = original != np.arange(len(original))
    groups = {name: copies & (kind == name) for name in np.unique(kind[copies]).tolist()}
    groups[f"jaccard >= {threshold}"] = copies & (truth["jaccard"] >= threshold)
    result["copies_found"] = {
        name: round(scoring.share_together(labels, np.flatnonzero(rows), original[rows]), 4)
        for name, rows in groups.items()
    }
    return result | {"clusters": scoring.score_clusters(labels, original).as_dict()}


# ------------------------------------------------------------------------------------------------ reporting


def ratios(rows: list[dict[str, Any]]) -> None:
    """Add to every row how many times its documents a second this library does."""
    against = {"memory": OURS, "command": "dupdetect dedup", "signing": "dupdetect signing"}
    rates = {row["name"]: row.get("documents_per_second") for row in rows}
    for row in rows:
        reference = against.get(row["mode"])
        if row["name"] in READING:
            reference = "dupdetect signing, 1 core"
        if rates.get(reference) and rates[row["name"]]:
            row["dupdetect_is_faster"] = rates[reference] / rates[row["name"]]


def show(rows: list[dict[str, Any]]) -> None:
    """The table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table("engine", "version", "mode", "cores", title="Throughput")
    for column in ("documents", "seconds", "documents/s", "MB/s", "peak MB", "pairs", "precision", "recall"):
        table.add_column(column, justify="right")
    table.add_column("J ≥ threshold", justify="right")
    table.add_column("dupdetect is", justify="right")
    for row in rows:
        if row["problem"]:
            continue
        clusters = row.get("clusters", {})
        near = next((v for k, v in row.get("copies_found", {}).items() if k.startswith("jaccard")), None)
        cells = [row["name"], row["version"] or "", row["mode"], str(row["threads"])]
        cells += [f"{row['documents']:,}", f"{row['seconds']:.2f}", f"{row['documents_per_second']:,.0f}"]
        cells += [f"{row['megabytes_per_second']:,.0f}", f"{row['peak_megabytes']:,.0f}"]
        cells += [_number(row.get("pairs_found", clusters.get("found")), ",d")]
        cells += [_number(value, ".3f") for value in (clusters.get("precision"), clusters.get("recall"), near)]
        cells += [_number(row.get("dupdetect_is_faster"), ".1f") + "×" * ("dupdetect_is_faster" in row)]
        table.add_row(*cells)
    console = Console(width=None if sys.stdout.isatty() else 180)
    console.print(table)
    for row in rows:
        if row["problem"]:
            console.print(f"not measured: {row['name']} ({row['mode']}): {row['problem']}", markup=False)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """The picture: documents a second on a logarithmic scale, one panel a comparison."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    modes = [mode for mode in ("memory", "command", "signing", "reading") if any(r["mode"] == mode for r in rows)]
    titles = {
        "memory": "texts in memory to clusters",
        "command": "Parquet to written tables, start-up included",
    }
    titles |= {"signing": "signing alone", "reading": "for scale: reading and counting words"}
    shown = [[r for r in rows if r["mode"] == mode and not r["problem"]] for mode in modes]
    heights = [len(rows) + 1 for rows in shown]
    figure = plt.figure(figsize=(9, 0.42 * sum(heights) + 0.6), layout="constrained")
    axes = figure.subplots(len(modes), 1, height_ratios=heights, sharex=True, squeeze=False)
    for axis, mode, panel in zip(axes[:, 0], modes, shown, strict=True):
        panel = sorted(panel, key=lambda row: row["documents_per_second"])
        rates = [row["documents_per_second"] for row in panel]
        colours = ["#c2410c" if row["name"].startswith("dupdetect") else "#94a3b8" for row in panel]
        bars = axis.barh([f"{row['name']} ({row['threads']} cores)" for row in panel], rates, color=colours)
        axis.bar_label(bars, [f" {rate:,.0f}" for rate in rates], fontsize=8)
        axis.set_title(titles[mode], fontsize=10, loc="left")
        axis.set_xscale("log")
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("documents a second (5 KB each; logarithmic)")
    figure.savefig(path, dpi=140)
    plt.close(figure)


def report(rows: Sequence[Row], given: argparse.Namespace) -> list[dict[str, Any]]:
    """Write the JSON; return its rows."""
    table = [row.summary() for row in rows]
    ratios(table)
    config = {k: str(v) if isinstance(v, Path) else v for k, v in vars(given).items()}
    whole = {"machine": machine(), "settings": config, "rows": table}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "throughput.json").write_text(json.dumps(whole, indent=1))
    return table


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    facts = {"cpu": model or platform.processor(), "cores": os.cpu_count()}
    return facts | {"python": platform.python_version(), "system": platform.platform()}


# ------------------------------------------------------------------------------------------------- the runs


def plan(given: argparse.Namespace, versions: dict[str, str | None]) -> list[Row]:
    """Every row of the table, not yet measured."""
    full = made(given.work, given.documents, given.seed)
    small = made(given.work, min(given.peer_documents or given.documents, given.documents), given.seed)
    rows = []
    if "memory" in given.mode:
        rows += [Row(name, "memory", small if name in SLOW else full, given.threads) for name in MEMORY]
        rows += [Row(name, "signing", full, 1 if name.endswith("1 core") else given.threads) for name in SIGNING]
        rows += [Row(name, "reading", full, 1 if name == "wc -w" else given.threads) for name in READING]
    if "command" in given.mode:
        rows += [Row(name, "command", full if name == COMMANDS[0] else small, given.threads) for name in COMMANDS]
    rows = [row for row in rows if not given.engines or row.name in given.engines]
    for row in rows:
        package = _package(row.name)
        row.version = versions.get(package)
        if row.version is None and package != "wc":
            row.problem = f"{package} is not installed for this interpreter"
    return rows


def _package(name: str) -> str:
    if name.removesuffix(", 1 core") in ENGINES:
        return ENGINES[name.removesuffix(", 1 core")][1]
    return name.split()[0]


def settings(given: argparse.Namespace) -> None:
    """Threshold and bands where not given: this library's default threshold, datasketch's bands for it."""
    from datasketch import MinHashLSH

    if given.threshold is None:
        from dupdetect import Settings

        given.threshold = Settings().threshold
    if given.bands is None:
        index = MinHashLSH(threshold=given.threshold, num_perm=NUM_PERM)
        given.bands = (index.b, index.r)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure this library and its peers on a generated corpus.")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--peer-documents", type=int, metavar="N", help="a smaller corpus for the slow engines")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="cores for every engine")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threshold", type=float, help="default: the library's")
    parser.add_argument("--bands", type=int, nargs=2, metavar=("BANDS", "ROWS"), help="of the peers' LSH")
    parser.add_argument("--mode", nargs="+", choices=("memory", "command"), default=["memory", "command"])
    parser.add_argument("--engines", nargs="+", help="only these rows of the table")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers installed")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"))
    parser.add_argument("--work", type=Path, help="for the corpora; kept and used again (default: OUT/work)")
    given = parser.parse_args(arguments)
    given.work = (given.work or given.out / "work").resolve()
    return given


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then report."""
    given = parse(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    settings(given)
    ours = json.loads(run([sys.executable, HERE / "engines.py", "versions"], 1)[2])
    theirs = json.loads(run([given.peer_python, HERE / "engines.py", "versions"], 1)[2])
    rows = plan(given, theirs | {name: ours[name] for name in ("dupdetect", "pyarrow")})
    _compile(rows, given)
    order = [row for row in rows if not row.problem] * given.repeats
    random.shuffle(order)
    table = report(rows, given)
    for number, row in enumerate(order, 1):
        if row.problem:
            continue
        print(f"[{number}/{len(order)}] {row.mode}: {row.name}", file=sys.stderr, flush=True)
        mine = _package(row.name) in ("dupdetect", "pyarrow")
        measure(row, sys.executable if mine else given.peer_python, given.work, given)
        table = report(rows, given)  # after every run: an interrupted evening keeps what it has
    show(table)
    draw(table, given.out / "throughput.png")


if __name__ == "__main__":
    main()
