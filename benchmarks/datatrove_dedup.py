"""What `dupdetect dedup` does, with `datatrove`: its own minhash pipeline from files to files, by its local executor.

    python benchmarks/datatrove_dedup.py FOLDER OUT --threads 2 --bands 9 13

FOLDER holds the corpus in as many Parquet files as there are threads, for a task reads whole files. The four steps of
its own example: signatures, buckets, clusters, filter. Kept rows go to ``OUT/kept``, clusters to ``OUT/clusters``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from engines import SHINGLE_SIZE

SPLIT = "split"  # words are what stands between white space


def dedup(folder: Path, out: Path, threads: int, bands: int, rows: int, words: str) -> None:
    """Run the pipeline, each step on all threads."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter
    from datatrove.utils.logging import logger

    logger.remove()
    config = MinhashConfig(n_grams=SHINGLE_SIZE, num_buckets=bands, hashes_per_bucket=rows)
    read = ParquetReader(str(folder), read_metadata=False)
    signatures, buckets, clusters = (str(out / name) for name in ("signatures", "buckets", "clusters"))
    tokenizer = between_spaces() if words == SPLIT else words
    steps = [
        ([read, MinhashDedupSignature(signatures, config, language=tokenizer)], threads),
        ([MinhashDedupBuckets(signatures, buckets, config=config)], bands),
        ([MinhashDedupCluster(buckets, clusters, config=config, save_cluster_id=True)], 1),
        ([read, MinhashDedupFilter(clusters), ParquetWriter(str(out / "kept"), compression="zstd")], threads),
    ]
    for number, (pipeline, tasks) in enumerate(steps):
        logs = str(out / "logs" / str(number))
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=min(threads, tasks), logging_dir=logs).run()


def between_spaces() -> object:
    """Make a tokenizer of its own that cuts at white space: its texts have no punctuation any more by then."""
    from datatrove.utils.word_tokenizers import WhitespaceTokenizer

    class Split(WhitespaceTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

    return Split()


def labels(out: Path, sizes: list[int]) -> npt.NDArray[np.int64]:
    """Cluster of every document, the files' one after another; `sizes` are their numbers of documents."""
    found = []
    for file, size in enumerate(sizes):
        first = sum(sizes[:file])
        alone = -1 - np.arange(first, first + size)
        path = out / "clusters" / f"{file:06d}.clusters"
        if path.exists():
            document, cluster = np.fromfile(path, dtype="<u4").reshape(-1, 2).astype(np.int64).T
            alone[document] = cluster
        found.append(alone)
    return np.concatenate(found)


def main() -> None:
    parser = argparse.ArgumentParser(description="Deduplicate Parquet files with datatrove.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bands", type=int, nargs=2, default=(9, 13), metavar=("BANDS", "ROWS"))
    parser.add_argument("--words", default="eng", help=f"language of its tokenizer, or {SPLIT!r}: cut at white space")
    given = parser.parse_args()
    dedup(given.folder, given.out, given.threads, *given.bands, given.words)


if __name__ == "__main__":
    main()
