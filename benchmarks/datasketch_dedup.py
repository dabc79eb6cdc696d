"""What `dupdetect dedup` does, written with `datasketch`: Parquet in, clusters and kept rows out as Parquet.

    python benchmarks/datasketch_dedup.py CORPUS.parquet OUT --bands 14 9

The whole-command benchmark times it from start-up to exit. No verification: a pair that shares a band is a
match, matches are joined into clusters, the first document of a cluster stays.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from engines import Options, datasketch
from scoring import components


def main() -> None:
    parser = argparse.ArgumentParser(description="Deduplicate a Parquet file with datasketch.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bands", type=int, nargs=2, default=(14, 9), metavar=("BANDS", "ROWS"))
    given = parser.parse_args()
    data = pq.read_table(given.corpus)
    job = datasketch(data, Options(1, 0.0, *given.bands))
    labels = components(len(data), job.found(job.work())["pairs"])
    _, first, cluster = np.unique(labels, return_index=True, return_inverse=True)
    ids = data["id"].combine_chunks()
    given.out.mkdir(parents=True)
    clusters = pa.table({"id": ids, "cluster": ids.take(pa.array(first[cluster]))})
    pq.write_table(clusters, given.out / "clusters.parquet")
    pq.write_table(data.take(pa.array(np.sort(first))), given.out / "kept.parquet")


if __name__ == "__main__":
    main()
