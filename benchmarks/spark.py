"""The same corpus on Spark and on one machine: equality, seconds of the processors, bytes moved, memory of workers.

    python benchmarks/spark.py --documents 100000 --out results [--partitions 1 7 64] [--peers mllib text-dedup]

Each run is a process of its own: ``dupdetect.dedup`` with a budget, so that it works on disk; `dupdetect.spark.dedup`
in ``local[2]``; and of the peers, on the same documents and shingles of five words, Spark's own
``MinHashLSH.approxSimilarityJoin``, and the steps of text-dedup's script for Spark up to the pairs (0.4; the last step
needs a library for the JVM that PyPI does not have, so that the time is a lower bound). A peer is stopped after
``--limit``. The corpus is one that `benchmarks/corpus.py` has generated, or is generated of so many documents.

Tells in a line of JSON of each: seconds, seconds of the processors (children included; of the JVM, of the workers of
Python and of the driver), the largest resident memory of such a worker, bytes shuffled by stage and for each document,
recall of known copies of a Jaccard similarity of 0.8 and more (whether they are in one group), and whether the tables
are equal after sorting by id.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scoring import components

ORDER = {"clusters": ["id"], "matches": ["a", "b"], "digests": ["id", "cluster"], "kept": ["id"]}
LOCAL, SPARK, MLLIB, TEXT_DEDUP = "local", "spark", "mllib", "text-dedup"

#: Jaccard similarity of the pairs that are to be found.
THRESHOLD = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, nargs="?")
    parser.add_argument("--documents", type=int, help="generate a corpus of so many")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--partitions", type=int, nargs="+", default=[4])
    parser.add_argument("--memory", default="2GB", help="budget of the run on one machine")
    parser.add_argument("--peers", nargs="*", choices=[MLLIB, TEXT_DEDUP], default=[])
    parser.add_argument("--limit", type=float, default=3600, help="seconds after which a peer is stopped")
    parser.add_argument("--only", choices=list(RUNS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.only:
        RUNS[given.only](given)
        return
    if given.documents:
        given.corpus = given.out / f"corpus-{given.documents}.parquet"
        corpus = [sys.executable, str(Path(__file__).with_name("corpus.py")), str(given.corpus)]
        subprocess.run([*corpus, "--documents", str(given.documents)], check=True, stdout=sys.stderr)
    here = told(LOCAL, given, None)
    for partitions in given.partitions:
        said = told(SPARK, given, partitions)
        tables = {name: equal(given.out, name) for name in ORDER}
        times = round(said["cpu_seconds"] / here["cpu_seconds"], 2)
        print(json.dumps({"partitions": partitions, "equal": tables, "cpu_times_local": times}), flush=True)
    for peer in given.peers:
        told(peer, given, None)


def told(what: str, given: argparse.Namespace, partitions: int | None) -> dict[str, Any]:
    """Run one of them as a process of its own, and watch it."""
    arguments = [sys.executable, __file__, str(given.corpus), "--out", str(given.out), "--only", what]
    arguments += ["--memory", given.memory, *(["--partitions", str(partitions)] if partitions else [])]
    start, process = time.perf_counter(), subprocess.Popen(arguments, stdout=subprocess.PIPE)
    watcher = Watcher(process.pid)
    try:
        output, _ = process.communicate(timeout=given.limit if what in given.peers else None)
    except subprocess.TimeoutExpired:
        for each in psutil.Process(process.pid).children(recursive=True):
            each.kill()
        process.kill()
        output, _ = process.communicate()
    seconds = time.perf_counter() - start
    said: dict[str, Any] = {"run": what, "partitions": partitions, "seconds": round(seconds, 1), **watcher.end()}
    lines = output.decode().strip().splitlines()
    said |= json.loads(lines[-1]) if process.returncode == 0 and lines else {"failed": process.returncode}
    print(json.dumps(said), flush=True)
    return said


class Watcher:
    """Adds up what the processes below another take.

    Parameters
    ----------
    pid : int
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._workers, self._done = pid, 0, threading.Event()
        self._seconds: dict[tuple[int, float], float] = {}
        self._roles: dict[int, str] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            try:
                above = psutil.Process(self._pid)
                processes = [above, *above.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for process in processes:
                with suppress(psutil.Error):  # it has ended meanwhile
                    times = process.cpu_times()
                    role = self._role(process)
                    self._seconds[process.pid, process.create_time()] = times.user + times.system
                    if role == "workers":
                        self._workers = max(self._workers, process.memory_info().rss)

    def _role(self, process: psutil.Process) -> str:
        """Say whether a process is the JVM, one of Python that works for it, or the driver."""
        role = self._roles.get(process.pid, "driver")  # which it stays until it becomes something else
        if role == "driver":
            is_worker = "pyspark.daemon" in process.cmdline()
            role = "workers" if is_worker else "java" if process.name() == "java" else "driver"
            self._roles[process.pid] = role
        return role

    def end(self) -> dict[str, Any]:
        """Return the seconds of the processors, and the largest process of Python below Spark."""
        self._done.set()
        self._thread.join()
        said: dict[str, Any] = {"cpu_seconds": round(sum(self._seconds.values()), 1), "worker_bytes": self._workers}
        for role in sorted(set(self._roles.values())):
            each = [seconds for (pid, _), seconds in self._seconds.items() if self._roles[pid] == role]
            said[f"{role}_cpu_seconds"], said[f"{role}_processes"] = round(sum(each), 1), len(each)
        return said


def on_one_machine(given: argparse.Namespace) -> None:
    import dupdetect

    result = dupdetect.dedup(given.corpus, memory=given.memory)
    tables = {"clusters": result.clusters, "matches": result.matches, "digests": result.digests, "kept": result.kept}
    for name, table in tables.items():
        pq.write_table(table, given.out / f"{LOCAL}-{name}.parquet")
    said = {name: result.manifest[name] for name in ("counts", "timings")}
    print(json.dumps({**said, "recall": recall(given.corpus, result.clusters["id"], result.clusters["cluster"])}))
    result.close()


def recall(corpus: Path, ids: Any, groups: Any) -> float:
    """Return the share of the known copies that are in one group with what they are copies of."""
    truth = pq.read_table(corpus.with_suffix(".truth.parquet"))
    truth = truth.filter(
        pc.and_(pc.greater_equal(truth["jaccard"], THRESHOLD), pc.not_equal(truth["id"], truth["original"]))
    )
    found = [pc.take(groups, pc.index_in(truth[name], value_set=ids)) for name in ("id", "original")]
    return round(pc.mean(pc.equal(*found).cast(pa.float64())).as_py(), 4)


def recall_of_pairs(corpus: Path, pairs: list[tuple[int, int]]) -> float:
    """Return the same where all are together that pairs connect."""
    import numpy as np

    ids = pq.read_table(corpus, columns=["id"])["id"].to_numpy()
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    ends = [np.searchsorted(ids, side, sorter=(order := np.argsort(ids))) for side in (a, b)]
    links = np.column_stack([order[end] for end in ends])
    return recall(corpus, pa.array(ids), pa.array(components(len(ids), links)))


def session(given: argparse.Namespace) -> Any:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "3g",
        "spark.sql.shuffle.partitions": str(given.partitions[0]),
        "spark.driver.host": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in options.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    return made


def on_spark(given: argparse.Namespace) -> None:
    from dupdetect import Settings
    from dupdetect.spark import dedup
    from dupdetect.spark.files import read_files

    spark = session(given)
    work = given.out / "work"
    shutil.rmtree(work, ignore_errors=True)
    result = dedup(read_files(spark, [str(given.corpus)], Settings()), work=str(work))
    for name in ORDER:
        getattr(result, name).write.mode("overwrite").parquet(str(given.out / f"{SPARK}-{name}.parquet"))
    shuffled = result.manifest["spark"]["shuffled_bytes"]
    each = {name: round(size / result.manifest["counts"]["documents"]) for name, size in shuffled.items() if size}
    sizes = {path.name: sum(file.stat().st_size for file in path.glob("*.parquet")) for path in work.iterdir()}
    said = {name: result.manifest[name] for name in ("counts", "timings", "spark")}
    said |= {"shuffled_bytes_a_document": each | {"all": sum(each.values())}}
    print(json.dumps({**said, "work_bytes": {name: size for name, size in sizes.items() if size}}))


def equal(out: Path, name: str) -> bool:
    """Whether a table is the same here and there."""
    tables = []
    for where in (LOCAL, SPARK):
        table = pq.read_table(out / f"{where}-{name}.parquet")
        columns = [column for column in table.column_names if column != "file"]  # one has it absolute
        order = [(column, "ascending") for column in ORDER[name]]
        plain = {
            column: pc.cast(table[column], pa.string()) if "string" in str(table[column].type) else table[column]
            for column in columns
        }
        tables.append(pa.table(plain).sort_by(order).combine_chunks())
    return bool(tables[0].equals(tables[1]))


def with_mllib(given: argparse.Namespace) -> None:
    """Join by Spark's own LSH: pairs of a Jaccard similarity of 0.8 and more, on runs of five words."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import HashingTF, MinHashLSH, NGram, RegexTokenizer

    spark = session(given)
    frame = spark.read.parquet(str(given.corpus)).repartition(max(8, given.partitions[0]))
    steps = [
        RegexTokenizer(inputCol="text", outputCol="words", pattern=r"\W+"),
        NGram(n=5, inputCol="words", outputCol="shingles"),
        HashingTF(inputCol="shingles", outputCol="features", binary=True, numFeatures=1 << 24),
        MinHashLSH(inputCol="features", outputCol="hashes", numHashTables=9),
    ]
    start = time.perf_counter()
    model = Pipeline(stages=steps).fit(frame)
    hashed = model.transform(frame).where(F.size("shingles") > 0).select("id", "features", "hashes")
    pairs = model.stages[-1].approxSimilarityJoin(hashed, hashed, 0.2, distCol="distance")
    rows = pairs.where("datasetA.id < datasetB.id").select("datasetA.id", "datasetB.id").collect()
    seconds = round(time.perf_counter() - start, 1)
    found = [(row[0], row[1]) for row in rows]
    print(json.dumps({"pairs": len(found), "join_seconds": seconds, "recall": recall_of_pairs(given.corpus, found)}))


def with_text_dedup(given: argparse.Namespace) -> None:
    """Find pairs as text-dedup's script does, by its functions and steps: hashes, groups by band, links in each."""
    from types import ModuleType

    import numpy as np

    sys.modules["graphframes"] = stub = ModuleType("graphframes")  # of the step that is left out
    stub.GraphFrame = None  # type: ignore[attr-defined]
    from pyspark import cloudpickle
    from text_dedup import minhash_spark as theirs

    cloudpickle.register_pickle_by_value(theirs)  # executors have no stub
    hashed, linked = theirs.generate_hash_values, theirs.generate_edges
    spark, start, most = session(given), time.perf_counter(), theirs.MOD_PRIME
    bands, rows = theirs.optimal_param(THRESHOLD, 128)
    ranges = [(band * rows, (band + 1) * rows) for band in range(bands)]
    drawn = np.random.RandomState(theirs.SEED)
    hashes = tuple(drawn.randint(low, most, size=(128,), dtype=theirs.DTYPE) for low in (1, 0))
    documents = spark.read.parquet(str(given.corpus)).select("id", "text").rdd
    keys = documents.flatMap(lambda row: hashed(row[1], row[0], 128, 5, 5, ranges, hashes))
    groups = keys.groupBy(lambda key: (key[0], key[1]))
    found = groups.flatMap(lambda group: linked([key[2] for key in group[1]])).distinct().collect()
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({"pairs": len(found), "pairs_seconds": seconds, "recall": recall_of_pairs(given.corpus, found)}))


RUNS = {LOCAL: on_one_machine, SPARK: on_spark, MLLIB: with_mllib, TEXT_DEDUP: with_text_dedup}


if __name__ == "__main__":
    main()
