"""Kill executors of Spark, and processes of Python that work for them, at random: each run ends as on one machine.

    python tests/faults/spark_kills.py --runs 50 --seed 1

A cluster of two executors on this machine, of a core each. During each run one process is killed, of either sort in
turn, at a moment that is drawn; Spark starts another. A run that fails, or finds anything else than one machine does,
is wrong.
"""

# ruff: noqa: T201 - a script that tells what it finds

import argparse
import os
import random
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "unit" / "spark"), str(HERE.parents[1]), str(HERE.parent)]

EXECUTOR, WORKER = "executor", "worker of Python"

OPTIONS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.driver.host": "127.0.0.1",
    "spark.deploy.maxExecutorRetries": "-1",  # so many are killed that Spark would give the application up
}


def session():
    """Return a session on a cluster of two executors; they find what this process finds."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local-cluster[2,1,2048]")
    passed = {"PYTHONPATH": os.pathsep.join(sys.path[:3]), "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "")}
    options = OPTIONS | {f"spark.executorEnv.{name}": value for name, value in passed.items() if value}
    for name, value in options.items():
        builder = builder.config(name, value)
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("OFF")
    return made


def processes(role):
    """Return the processes of a role that there are now."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # they come and go
            line = " ".join(process.cmdline())
            if role is EXECUTOR and "CoarseGrainedExecutorBackend" in line and process.name() == "java":
                found.append(process)
            if role is WORKER and "pyspark.daemon" in line and process.parent().name() != "java":
                found.append(process)
    return found


def kill_at(seconds, role, rng, killed):
    """Kill one of a role after some seconds, or as soon as there is one."""
    time.sleep(seconds)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        there = processes(role)
        if there:
            with suppress(psutil.Error):
                rng.choice(there).kill()
                killed.append(role)
                return
        time.sleep(0.02)


def runs(number, seed):
    """Run so many times, and kill; return what was wrong, and how many of each role were killed."""
    import pyarrow as pa
    from conftest import ORDER, plain
    from test_dedup import corpus

    import dupdetect
    from dupdetect.spark import dedup

    spark, table = session(), corpus()
    here = dupdetect.dedup(table, hot_key_documents=8)
    order = {**ORDER, "kept": ["id"]}
    expected = {name: plain(getattr(here, name), columns) for name, columns in order.items()}
    frame = spark.createDataFrame(table.append_column("at", pa.array(range(table.num_rows), pa.int64())))
    frame = frame.repartitionByRange(3, "at").sortWithinPartitions("at").drop("at")

    def once(work):
        """Return which tables differ."""
        found = dedup(frame, work=work, hot_key_documents=8)
        return [
            n for n, columns in order.items() if not plain(getattr(found, n).toArrow(), columns).equals(expected[n])
        ]

    wrong, killed, rng = [], [], random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole = 0.0
        for at in range(2):  # the first one starts processes and loads code
            start = time.perf_counter()
            wrong += [f"undisturbed: {name}" for name in once(f"{folder}/whole-{at}")]
            whole = time.perf_counter() - start
        print(f"undisturbed in {whole:.1f} s", flush=True)
        for at in range(number):
            seconds, role = rng.random() * whole, (EXECUTOR, WORKER)[at % 2]
            thread = threading.Thread(target=kill_at, args=(seconds, role, rng, killed))
            start = time.perf_counter()
            thread.start()
            try:
                found = [f"{name} differs" for name in once(f"{folder}/run-{at}")]
            except Exception as error:
                found = [f"{type(error).__name__}: {str(error).splitlines()[0]}"]
            took = time.perf_counter() - start
            thread.join()
            print(f"run {at}: {role} after {seconds:.1f} s; {took:.1f} s; {found or 'equal'}", flush=True)
            wrong += [f"run {at}, {role} after {seconds:.1f} s: {what}" for what in found]
    spark.stop()
    return wrong, killed


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    wrong, killed = runs(given.runs, given.seed)
    counted = f"{killed.count(EXECUTOR)} executors, {killed.count(WORKER)} workers of Python"
    print(f"{given.runs} runs in {time.perf_counter() - start:.0f} s: {len(wrong)} wrong; killed: {counted}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
