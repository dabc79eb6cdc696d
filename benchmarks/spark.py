"""The same corpus on Spark and on one machine: equality, seconds of the processors, bytes moved, memory of workers.

    python benchmarks/spark.py CORPUS.parquet --out results [--partitions 1 7 64] [--mllib]

Each run is a process of its own: ``dupdetect.dedup`` with a budget, so that it works on disk; `dupdetect.spark.dedup`
in ``local[2]``; and with ``--mllib`` Spark's own ``MinHashLSH.approxSimilarityJoin`` on the same shingles of words.
Tells in a line of JSON of each: seconds, seconds of the processors (children included), the largest resident memory of
a process of Python on an executor, bytes shuffled by stage, and whether the tables are equal after sorting by id.
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

ORDER = {"clusters": ["id"], "matches": ["a", "b"], "digests": ["id", "cluster"], "kept": ["id"]}
LOCAL, SPARK, MLLIB = "local", "spark", "mllib"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--partitions", type=int, nargs="+", default=[4])
    parser.add_argument("--memory", default="2GB", help="budget of the run on one machine")
    parser.add_argument("--mllib", action="store_true")
    parser.add_argument("--only", choices=[LOCAL, SPARK, MLLIB], help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.only:
        {LOCAL: on_one_machine, SPARK: on_spark, MLLIB: with_mllib}[given.only](given)
        return
    told(LOCAL, given, None)
    for partitions in given.partitions:
        said = told(SPARK, given, partitions)
        said["equal"] = {name: equal(given.out, name) for name in ORDER}
        print(json.dumps({"partitions": partitions, "equal": said["equal"]}), flush=True)
    if given.mllib:
        told(MLLIB, given, None)


def told(what: str, given: argparse.Namespace, partitions: int | None) -> dict[str, Any]:
    """Run one of them as a process of its own, and watch it."""
    arguments = [sys.executable, __file__, str(given.corpus), "--out", str(given.out), "--only", what]
    arguments += ["--memory", given.memory, *(["--partitions", str(partitions)] if partitions else [])]
    start, process = time.perf_counter(), subprocess.Popen(arguments, stdout=subprocess.PIPE)
    watched = Watched(process.pid)
    output, _ = process.communicate()
    seconds = time.perf_counter() - start
    said: dict[str, Any] = {"run": what, "partitions": partitions, "seconds": round(seconds, 1), **watched.end()}
    lines = output.decode().strip().splitlines()
    said |= json.loads(lines[-1]) if process.returncode == 0 and lines else {"failed": process.returncode}
    print(json.dumps(said), flush=True)
    return said


class Watched:
    """Adds up what the processes below another take.

    Parameters
    ----------
    pid : int
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._seconds, self._workers, self._done = pid, {}, 0, threading.Event()
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
                    self._seconds[process.pid, process.create_time()] = times.user + times.system
                    if "pyspark.daemon" in process.cmdline():
                        self._workers = max(self._workers, process.memory_info().rss)

    def end(self) -> dict[str, Any]:
        """Return the seconds of the processors, and the largest process of Python below Spark."""
        self._done.set()
        self._thread.join()
        return {"cpu_seconds": round(sum(self._seconds.values()), 1), "worker_bytes": self._workers}


def on_one_machine(given: argparse.Namespace) -> None:
    import dupdetect

    result = dupdetect.dedup(given.corpus, memory=given.memory)
    tables = {"clusters": result.clusters, "matches": result.matches, "digests": result.digests, "kept": result.kept}
    for name, table in tables.items():
        pq.write_table(table, given.out / f"{LOCAL}-{name}.parquet")
    print(json.dumps({"counts": result.manifest["counts"], "timings": result.manifest["timings"]}))
    result.close()


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
    sizes = {path.name: sum(file.stat().st_size for file in path.glob("*.parquet")) for path in work.iterdir()}
    said = {name: result.manifest[name] for name in ("counts", "timings", "spark")}
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
    found = pairs.where("datasetA.id < datasetB.id").count()
    print(json.dumps({"pairs": found, "join_seconds": round(time.perf_counter() - start, 1)}))


if __name__ == "__main__":
    main()
