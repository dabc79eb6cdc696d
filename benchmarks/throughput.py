"""Documents a second, memory, recall and precision of this library beside others.

    python benchmarks/throughput.py --documents 100000 --peer-python .venv-peers/bin/python --bars --out results

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
import random
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datatrove_dedup
import numpy as np
import pyarrow.parquet as pq
import scoring
from corpus import Corpus, truth_path, write
from engines import ENGINES, NUM_PERM, SHINGLE_SIZE
from reporting import bar, bars_table, machine
from watching import run

HERE = Path(__file__).resolve().parent
OURS = "dupdetect"
SLOW = ("definition in Python", "datasketch", "rensa", "rensa rho, flags only", "gaoya", "text-dedup")
MEMORY = ("dupdetect", "dupdetect, from a list", *SLOW)
SIGNING = ("dupdetect signing, 1 core", "dupdetect signing", "daft signing")
READING = ("wc -w", "pyarrow reading")
COMMANDS = (
    "dupdetect dedup",
    "datasketch script",
    "text-dedup command",
    "datatrove pipeline",
    "datatrove pipeline, cut at spaces",
)

#: What is measured in each mode.
NAMES = {"memory": (*MEMORY, *SIGNING, *READING), "command": COMMANDS}

#: How many times the documents a second of others this library is to do.
FASTER = {
    ("memory", "datasketch"): 45,
    ("memory", "rensa"): 20,
    ("memory", "gaoya"): 6,
    ("memory", "text-dedup"): 35,
    ("command", "datasketch script"): 20,
    ("command", "text-dedup command"): 15,
    ("command", "datatrove pipeline"): 30,
    ("command", "datatrove pipeline, cut at spaces"): 30,
    ("signing", "daft signing"): 6,
    ("reading", "wc -w"): 2,
}


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


def parts(corpus: Made, count: int) -> Path:
    """A folder with the same documents in so many files, of the same length as far as possible."""
    folder = corpus.path.with_suffix(f".in-{count}")
    if not folder.exists():
        table = pq.read_table(corpus.path)
        size = -(-len(table) // count)
        begun = folder.with_suffix(".part")
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir()
        for number in range(count):
            pq.write_table(table.slice(number * size, size), begun / f"{number:05d}.parquet", compression="zstd")
        begun.rename(folder)
    return folder


def measure(row: Row, python: str, work: Path, given: argparse.Namespace) -> None:
    """One more run of one engine."""
    out = work / "found"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        if row.mode == "command":
            seconds, peak, found = _command(row, python, out, given)
        elif row.name == "wc -w":
            done = run(["wc", "-w", row.corpus.text], 1, env={"LC_ALL": "C.UTF-8"})
            seconds, peak, found = done.seconds, done.peak_bytes, {}
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
    done = run([python, HERE / "engines.py", name, row.corpus.path, npz, *settings], row.threads)
    with np.load(npz) as found:
        return json.loads(done.printed.splitlines()[-1])["seconds"], done.peak_bytes, dict(found)


def _command(row: Row, python: str, out: Path, given: argparse.Namespace) -> tuple[float, int, dict[str, Any]]:
    written = out / "tables"
    run_it = {"text-dedup": _text_dedup, "datatrove": _datatrove}.get(_package(row.name), _tables)
    return run_it(row, python, written, given)


def _tables(row: Row, python: str, written: Path, given: argparse.Namespace) -> tuple[float, int, dict[str, Any]]:
    """Run this library, or the script that writes the same tables."""
    if row.name == "datasketch script":
        bands = map(str, given.bands)
        command = [python, HERE / "datasketch_dedup.py", row.corpus.path, written, "--bands", *bands]
    else:
        command = [python, "-m", "dupdetect", "dedup", row.corpus.path, "-o", written, "--quiet"]
    done = run(command, row.threads)
    clusters = pq.read_table(written / "clusters.parquet").sort_by("id")
    return done.seconds, done.peak_bytes, {"labels": clusters["cluster"].to_numpy()}


def _text_dedup(row: Row, python: str, written: Path, given: argparse.Namespace) -> tuple[float, int, dict[str, Any]]:
    out = written.parent
    (out / "config.toml").write_text(_text_dedup_config(row, written, given))
    env = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(out / "cache")}
    done = run([python, "-m", "text_dedup.minhash"], row.threads, cwd=out, env=env)
    parents = np.load(written / "clusters.pickle", allow_pickle=True)
    labels = np.array([parents.get(i, -1 - i) for i in range(row.corpus.documents)])
    return done.seconds, done.peak_bytes, {"labels": labels}


def _datatrove(row: Row, python: str, written: Path, given: argparse.Namespace) -> tuple[float, int, dict[str, Any]]:
    folder = parts(row.corpus, row.threads)
    command = [python, HERE / "datatrove_dedup.py", folder, written, "--threads", str(row.threads)]
    command += ["--bands", *map(str, given.bands)]
    command += ["--words", datatrove_dedup.SPLIT] if row.name.endswith("cut at spaces") else []
    done = run(command, row.threads, env={"HF_HUB_OFFLINE": "1"})
    sizes = [pq.read_metadata(path).num_rows for path in sorted(folder.glob("*.parquet"))]
    return done.seconds, done.peak_bytes, {"labels": datatrove_dedup.labels(written, sizes)}


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
    """Score of the clusters (pairs joined, where an engine gives pairs only), and recall by sort of copy."""
    if "flags" in found:
        return {"flagged": int(found["flags"].sum())}
    original, form = truth["original"], truth["form"]
    result: dict[str, Any] = {}
    labels = found.get("labels")
    if "pairs" in found:
        pairs = scoring.unique_pairs(found["pairs"])
        result |= {"pairs_found": len(pairs), "pairs": scoring.score_pairs(pairs, original).as_dict()}
        labels = scoring.components(len(original), pairs) if labels is None else labels
    if labels is None:
        return {}
    copies = original != np.arange(len(original))
    groups = {name: copies & (form == name) for name in np.unique(form[copies]).tolist()}
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


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How much faster this library is to be than others, and that it finds no fewer copies: value, bar, met or not."""
    measured = {(row["mode"], row["name"]): row for row in rows if "documents_per_second" in row}
    asked = []
    for (mode, name), times in FASTER.items():
        ours = measured.get((mode, {"memory": OURS, "command": COMMANDS[0]}.get(mode, "")))
        row = measured.get((mode, name))
        if row is None or "dupdetect_is_faster" not in row:
            continue
        what = {"signing": "signing", "reading": "signing, one core"}.get(mode, mode)
        asked.append(
            bar(f"{what}: times {name}, {row['documents']:,} documents", row["dupdetect_is_faster"], "≥", times)
        )
        if ours:
            for what, recall in recalls(row).items():
                asked.append(bar(f"{mode}: {what}, against {name}", recalls(ours)[what], "≥", round(recall, 4)))
    return asked


def recalls(row: dict[str, Any]) -> dict[str, float]:
    """Of all true pairs, and of the copies that are an index's to find."""
    near = {f"copies of {name} found": share for name, share in row["copies_found"].items() if name.startswith("jacc")}
    return {"recall": row["clusters"]["recall"]} | near


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
    whole = {"machine": machine(), "settings": config, "rows": table, "bars": bars(table)}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "throughput.json").write_text(json.dumps(whole, indent=1))
    return table


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
    parser.add_argument("--peer-repeats", type=int, metavar="N", help="fewer, for the slow engines")
    parser.add_argument("--threshold", type=float, help="default: the library's")
    parser.add_argument("--bands", type=int, nargs=2, metavar=("BANDS", "ROWS"), help="of the peers' LSH")
    parser.add_argument("--mode", nargs="+", choices=("memory", "command"), default=["memory", "command"])
    parser.add_argument("--engines", nargs="+", help="only these rows of the table")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers installed")
    parser.add_argument("--bars", action="store_true", help="also what this library is to reach, and whether it does")
    parser.add_argument("--again", type=Path, nargs="+", metavar="JSON", help="show earlier runs' reports, run none")
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"))
    parser.add_argument("--work", type=Path, help="for the corpora; kept and used again (default: OUT/work)")
    given = parser.parse_args(arguments)
    names = [name for mode in given.mode for name in NAMES[mode]]
    unknown = [name for name in given.engines or () if name not in names]
    if unknown:
        parser.error(f"--engines: there is no {unknown[0]!r} among what is measured; there are {', '.join(names)}")
    given.work = (given.work or given.out / "work").resolve()
    return given


def again(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Rows of earlier runs: the last of them counts where several have a row of a name."""
    tables = [json.loads(path.read_text(encoding="utf-8"))["rows"] for path in files]
    rows = {(row["mode"], row["name"]): row for table in tables for row in table if not row["problem"]}
    ratios(list(rows.values()))
    return list(rows.values())


def measure_all(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Every row as often as asked, in random order."""
    given.work.mkdir(parents=True, exist_ok=True)
    settings(given)
    ours = json.loads(run([sys.executable, HERE / "engines.py", "versions"], 1).printed)
    theirs = json.loads(run([given.peer_python, HERE / "engines.py", "versions"], 1).printed)
    rows = plan(given, theirs | {name: ours[name] for name in ("dupdetect", "pyarrow")})
    _compile(rows, given)
    repeats = {True: given.peer_repeats or given.repeats, False: given.repeats}
    order = [row for row in rows for _ in range(repeats[slow(row)]) if not row.problem]
    random.shuffle(order)
    table = report(rows, given)
    for number, row in enumerate(order, 1):
        if row.problem:
            continue
        print(f"[{number}/{len(order)}] {row.mode}: {row.name}", file=sys.stderr, flush=True)
        mine = _package(row.name) in ("dupdetect", "pyarrow")
        measure(row, sys.executable if mine else given.peer_python, given.work, given)
        table = report(rows, given)  # after every run: an interrupted evening keeps what it has
    return table


def slow(row: Row) -> bool:
    """Whether it takes minutes where this library takes seconds."""
    return row.name in SLOW or row.name in COMMANDS[1:]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then report."""
    given = parse(arguments)
    table = again(given.again) if given.again else measure_all(given)
    show(table)
    if given.bars:
        print(bars_table(bars(table)))
    given.out.mkdir(parents=True, exist_ok=True)
    draw(table, given.out / "throughput.png")


if __name__ == "__main__":
    main()
