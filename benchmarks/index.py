"""How fast an index takes documents, answers and forgets, and what it takes; beside datasketch in memory and on Redis.

    python benchmarks/corpus.py CORPUS.parquet --documents 101000
    python benchmarks/index.py CORPUS.parquet --documents 100000 --parts index load
    python benchmarks/index.py CORPUS.parquet --documents 20000 --parts index memory redis

Each of the `--parts` is measured in a process of its own:

* `index`: the first documents of the corpus are added at once, in batches; the last `--held-out` one by one. What is
  held out is asked for before it is added. Of each copy among it, whose original was added, it is noted whether the
  original, or another copy of it, was found. `--where postgresql://...` measures a database.
* `load`: a run over all of the corpus, its output written, and loaded into an index.
* `memory`, `redis`: datasketch, of `--peer-documents`. It is given signatures that are made already, by the compiled
  code, and stores and looks up those: no texts, no verification. Redis is started on a free port of this machine, and
  keeps nothing on disk.

A million documents take some 8 GB in the folder of `--work` for `index`, and some 20 GB for `load`, beside 2.5 GB for
the corpus.

For each measurement it prints a line of JSON: rates in documents a second, latencies in milliseconds, bytes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from corpus import truth_path

from dupdetect import Index, Settings, dedup
from dupdetect._compiled.dispatch import expect_many_calls
from dupdetect._storage.memory import give_back, keep_no_large_blocks, peak
from dupdetect.sketches.build import sketch

#: A rate is told after each such share of the documents. Copies have their originals anywhere in a corpus, so that the
#: last ones find the most: two sizes are compared by the last share of each.
STEPS = 10

SETTINGS = Settings()


def told(what: str, **found: Any) -> None:
    shown = {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}
    print(json.dumps({"measured": what, **shown}), flush=True)


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


def memory(before: int) -> dict[str, int]:
    """Say what is resident, and what of it was so before there was an index: the benchmark's own, and libraries."""
    return {"resident": resident(), "before": before}


class Cpu:
    """Documents for a second of processor time: what a machine that is shared says least wrongly."""

    def __init__(self) -> None:
        self._start = time.process_time()

    def rate(self, documents: int) -> float:
        return documents / max(1e-9, time.process_time() - self._start)


def latencies(seconds: list[float], cpu: Cpu) -> dict[str, float]:
    taken = 1000 * np.array(seconds)
    return {
        "rate": len(seconds) / sum(seconds),
        "rate_cpu": cpu.rate(len(seconds)),
        "p50": float(np.percentile(taken, 50)),
        "p99": float(np.percentile(taken, 99)),
    }


def parts(path: Path, documents: int, held_out: int) -> tuple[Iterator[pa.Table], pa.Table]:
    """Give the documents to be added, a table at a time, and those that are held out: the last ones."""
    file = pq.ParquetFile(path, pre_buffer=False)  # what it has read would stay in memory
    rows = np.cumsum([file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)])
    groups = [group for group, end in enumerate(rows) if end > rows[-1] - held_out]
    last = file.read_row_groups(groups)
    last = pa.Table.from_pylist(last.slice(len(last) - held_out).to_pylist(), last.schema)  # and not all it was cut of

    def tables() -> Iterator[pa.Table]:
        left = documents
        for batch in file.iter_batches(batch_size=4_096):
            if left <= 0:
                return
            table = pa.Table.from_batches([batch]).slice(0, left)
            left -= len(table)
            yield table

    return tables(), last


class Truth:
    """Which of what is held out are copies, and of which family."""

    def __init__(self, path: Path, documents: int) -> None:
        table = pq.read_table(truth_path(path))
        original = table["original"].to_numpy(zero_copy_only=False)
        ids = table["id"].to_numpy()
        # A document is of the family of its original; of one that has none, of its own.
        self._family = np.where(np.isfinite(original.astype(np.float64)), original, ids).astype(np.int64)
        self._there = np.zeros(len(ids), np.bool_)
        self._there[self._family[:documents]] = True
        self._asked = self._found = 0

    def note(self, document: int, found: list[int]) -> None:
        family = self._family[document]
        if self._there[family]:
            self._asked += 1
            self._found += any(self._family[int(other)] == family for other in found)

    def said(self) -> dict[str, Any]:
        return {"copies": self._asked, "recall": self._found / max(1, self._asked)}


def ours(path: Path, documents: int, held_out: int, where: str, workers: int) -> None:
    tables, last = parts(path, documents, held_out)
    truth = Truth(path, documents)
    give_back()  # what it took to read what is held out
    before = resident()
    with Index(where, SETTINGS, workers=workers) as index:
        added, taken, since = 0, 0.0, 0.0
        mark, cpu, whole = 0, Cpu(), Cpu()
        for table in tables:
            start = time.perf_counter()
            index.add_many(table)
            taken += time.perf_counter() - start
            since += time.perf_counter() - start
            added += len(table)
            if added - mark >= max(1, documents // STEPS) or added == documents:
                rates = {"rate": (added - mark) / since, "rate_cpu": cpu.rate(added - mark), "all": added / taken}
                told("add_many", documents=added, **rates, all_cpu=whole.rate(added), **memory(before))
                mark, since, cpu = added, 0.0, Cpu()
        held = index.stats()
        beside = (held["bytes"] - held["text_bytes"]) / held["documents"]
        told("size", documents=added, bytes=held["bytes"], texts=held["text_bytes"], beside_texts_each=beside)
        rows = last.to_pylist()
        for row in rows[:50]:
            index.query(row["text"])
        seconds, cpu = [], Cpu()
        for row in rows:
            start = time.perf_counter()
            seen = index.query(row["text"])
            seconds.append(time.perf_counter() - start)
            truth.note(row["id"], [match.id for match in seen.matches])
        told("query", documents=added, **latencies(seconds, cpu), **truth.said())
        seconds, cpu = [], Cpu()
        for place, row in enumerate(rows):
            start = time.perf_counter()
            index.add(row["id"], row["text"], expires=1.0 if place % 2 else None)
            seconds.append(time.perf_counter() - start)
        told("add", documents=added, **latencies(seconds, cpu), **memory(before))
        start, cpu = time.perf_counter(), Cpu()
        gone = index.remove([row["id"] for row in rows[: held_out // 2 : 2]])
        told("remove", documents=gone, rate=gone / (time.perf_counter() - start), rate_cpu=cpu.rate(gone))
        start, cpu = time.perf_counter(), Cpu()
        gone = index.expire(before=2.0)
        told("expire", documents=gone, rate=gone / (time.perf_counter() - start), rate_cpu=cpu.rate(gone))


@contextmanager
def redis_server() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield port
    finally:
        server.terminate()
        server.wait()


def peer(path: Path, documents: int, held_out: int, port: int | None) -> None:
    from datasketch import MinHashLSH

    storage = None
    if port is not None:
        storage = {"type": "redis", "redis": {"host": "127.0.0.1", "port": port}, "basename": b"news"}
    name = "datasketch, memory" if port is None else "datasketch, Redis"
    lsh = MinHashLSH(num_perm=SETTINGS.num_perm, params=SETTINGS.banding, storage_config=storage)
    tables, last = parts(path, documents, held_out)
    truth, before, taken, added = Truth(path, documents), resident(), 0.0, 0
    for table in tables:
        sketches, ids = sketch(table["text"], settings=SETTINGS), table["id"].to_pylist()
        signed = [sketches.to_datasketch(place) for place in range(len(sketches))]
        start = time.perf_counter()
        for id, signature in zip(ids, signed, strict=True):
            lsh.insert(str(id), signature)
        taken += time.perf_counter() - start
        added += len(ids)
    server = 0
    if port is not None:
        import redis

        server = int(redis.Redis(port=port).info("memory")["used_memory"])
    told(f"{name}: insert", documents=added, rate=added / taken, resident=resident() - before, server=server)
    sketches, rows = sketch(last["text"], settings=SETTINGS), last["id"].to_pylist()
    seconds, cpu = [], Cpu()
    for place, id in enumerate(rows):
        signature = sketches.to_datasketch(place)
        start = time.perf_counter()
        found = lsh.query(signature)
        seconds.append(time.perf_counter() - start)
        truth.note(id, [int(other) for other in found])
    told(f"{name}: query", documents=added, **latencies(seconds, cpu), **truth.said())


def measure_index(given: argparse.Namespace, folder: Path) -> None:
    where = given.where or str(folder / "news.dupindex")
    keep_no_large_blocks()  # as `dupdetect index` does
    ours(given.corpus, given.documents, given.held_out, where, given.workers)


def measure_load(given: argparse.Namespace, folder: Path) -> None:
    start = time.perf_counter()
    run = dedup(given.corpus, sketches=True, memory="4GB", work=folder / "work", workers=given.workers)
    taken, start = time.perf_counter() - start, time.perf_counter()
    run.write(folder / "out")
    told("run", documents=len(run.clusters), seconds=taken, writing=(writing := time.perf_counter() - start))
    with Index(given.where or folder / "news.dupindex", workers=given.workers) as index:
        start = time.perf_counter()
        loaded = index.load(folder / "out")
        seconds = time.perf_counter() - start
        same = index.clusters()["cluster"].equals(run.clusters["cluster"])
        found = {"seconds": seconds, "of_writing": seconds / writing, "rate": loaded / seconds}
        told("load", documents=loaded, **found, same_clusters=same, peak=peak())
    run.close()


def measure_memory(given: argparse.Namespace, _: Path) -> None:
    peer(given.corpus, given.peer_documents or given.documents, given.held_out, None)


def measure_redis(given: argparse.Namespace, _: Path) -> None:
    if shutil.which("redis-server") is None:
        raise SystemExit("redis-server is not installed")
    with redis_server() as port:
        peer(given.corpus, given.peer_documents or given.documents, given.held_out, port)


PARTS = {"index": measure_index, "load": measure_load, "memory": measure_memory, "redis": measure_redis}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--held-out", type=int, default=1_000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["index"])
    parser.add_argument("--peer-documents", type=int, help="by default as many as of the index")
    parser.add_argument("--where", help="address of an empty database; by default a file in a temporary folder")
    parser.add_argument("--work", type=Path, help="folder for that file")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    expect_many_calls()
    if len(given.parts) > 1:
        own = [word for word in sys.argv[1:] if word not in {"--parts", *PARTS}]
        for part in given.parts:
            subprocess.run([sys.executable, __file__, *own, "--parts", part], check=True)
        return
    with tempfile.TemporaryDirectory(dir=given.work) as folder:
        PARTS[given.parts[0]](given, Path(folder))


if __name__ == "__main__":
    main()
