"""What reading and writing costs without deduplication: a Parquet file, read and written again by `pyarrow`.

    python benchmarks/pyarrow_rewrite.py CORPUS.parquet OUT.parquet --rows ROWS.npy --compression zstd

Some rows, or all of them. Batches are read ahead on all cores while others are written: as fast as reading the whole
table first, and in less memory.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

BATCH = 4096  # rows


def rewrite(path: Path, out: Path, rows: Path | None, compression: str) -> int:
    """Write the rows (all, if none are named) of one file into another; returns how many."""
    source = ds.dataset(path)
    kept = np.ones(source.count_rows(), np.bool_) if rows is None else np.load(rows)
    first = written = 0
    with pq.ParquetWriter(out, source.schema, compression=compression) as writer:
        for batch in source.to_batches(batch_size=BATCH):
            here = kept[first : first + len(batch)]
            first += len(batch)
            written += int(here.sum())
            writer.write_batch(batch if here.all() else batch.filter(pa.array(here)))
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description="Read a Parquet file and write its rows, or some of them, again.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=Path, help=".npy of bool, one a row of the file: those to write; default: all")
    parser.add_argument("--compression", default="zstd")
    given = parser.parse_args()
    print(rewrite(given.corpus, given.out, given.rows, given.compression))


if __name__ == "__main__":
    main()
