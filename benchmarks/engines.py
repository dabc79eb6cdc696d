"""The engines that `throughput.py` and `quality.py` measure, one per process.

    python benchmarks/engines.py NAME CORPUS.parquet OUT.npz --threads 2 --threshold 0.7

loads the texts, lets the engine do its untimed preparations, warms it up on a few documents, times one run
over all of them, writes what it found to OUT.npz and prints one line of JSON. Every engine is used in the
way that its own documentation or benchmark recommends for speed; README.md says which and why.

An engine is a function ``(data, options) -> Job``: what comes before the ``Job`` is not timed (texts
brought into the form that the engine wants: Arrow or Python strings), its ``work`` is timed, its ``found``
turns what `work` gave into labels or pairs of document numbers and is not timed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import inspect
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

NUM_PERM = 128
SHINGLE_SIZE = 5
WARM_UP = 200  # documents; gaoya, for one, goes parallel from 100


@dataclass(frozen=True)
class Options:
    """What every engine is told."""

    threads: int
    threshold: float
    bands: int
    rows: int
    shingle_size: int = SHINGLE_SIZE
    unit: str = "word"  # or "character": what shingles are made of
    settings: dict[str, Any] = field(default_factory=dict)  # of this library, by name


@dataclass(frozen=True)
class Job:
    """Timed work, and the untimed reading of its result.

    `found` returns ``{"labels": int64[n]}``, ``{"pairs": int64[m, 2]}``, ``{"flags": bool[n]}`` or ``{}``; this
    library ``{"canonical": bool[n], "identical": bool[m], "near": bool[m]}`` beside labels and pairs.
    """

    work: Callable[[], Any]
    found: Callable[[Any], dict[str, np.ndarray]] = lambda _: {}


def shingles(text: str, size: int, unit: str = "word") -> list[str]:
    """Shingles as strings, for the engines that leave shingling to Python."""
    words = re.findall(r"\w+", text.casefold())
    if unit == "character":
        line = "".join(words)
        return [line[i : i + size] for i in range(max(len(line) - size + 1, 1))]
    if len(words) < size:
        return [" ".join(words)]
    return list(map(" ".join, zip(*(words[i:] for i in range(size)), strict=False)))


def byte_shingles(text: str, size: int, unit: str = "word") -> list[bytes]:
    """The same as bytes, which is what `datasketch` hashes; words are encoded once per text, not once per shingle."""
    if unit == "character":
        return [shingle.encode() for shingle in shingles(text, size, unit)]
    words = " ".join(re.findall(r"\w+", text.casefold())).encode().split()
    if len(words) < size:
        return [b" ".join(words)]
    return list(map(b" ".join, zip(*(words[i:] for i in range(size)), strict=False)))


def neighbours(lists: Iterable[Iterable[int]]) -> dict[str, np.ndarray]:
    """For each document the documents like it, as pairs."""
    rows = [list(row) for row in lists]
    left = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    right = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(left))
    return {"pairs": np.column_stack((left, right))}


# ------------------------------------------------------------------------------------------- this library


def dupdetect(data: pa.Table, options: Options) -> Job:
    """Texts (Arrow) to clusters, default settings but for those given."""
    import dupdetect

    return Job(lambda: dupdetect.dedup(data, workers=options.threads, **options.settings), clusters)


def dupdetect_list(data: pa.Table, options: Options) -> Job:
    """The same from a Python list of str."""
    import dupdetect

    texts = data["text"].to_pylist()
    return Job(lambda: dupdetect.dedup(texts, workers=options.threads), clusters)


def clusters(result: Any) -> dict[str, np.ndarray]:
    """Clusters and matches of a `dupdetect.Result` whose ids are document numbers."""
    in_order = result.clusters.sort_by("id")
    return {
        "labels": in_order["cluster"].to_numpy(),
        "pairs": np.column_stack((result.matches["a"].to_numpy(), result.matches["b"].to_numpy())),
        "canonical": in_order["canonical"].to_numpy(),
        "identical": pc.equal(result.matches["relation"], "identical").to_numpy(),
        "near": pc.equal(result.matches["relation"], "near_duplicate").to_numpy(),
    }


def sign(data: pa.Table, options: Options) -> Job:
    """`dupdetect.signatures` alone."""
    import dupdetect

    texts = data["text"]
    knows_workers = "workers" in inspect.signature(dupdetect.signatures).parameters
    extra = {"workers": options.threads} if knows_workers else {}
    return Job(lambda: dupdetect.signatures(texts, **extra))


def definition(data: pa.Table, options: Options) -> Job:
    """The definition in Python: words, shingles, signatures; LSH and lookup by `datasketch`."""
    from datasketch import MinHashLSH

    from dupdetect.sketches.minhash import permutations, signature, to_datasketch
    from dupdetect.text.shingles import shingle_hashes, word_hashes
    from dupdetect.text.words import words

    texts = data["text"].to_pylist()

    def work() -> list[list[int]]:
        drawn = permutations(NUM_PERM, 1)
        lsh = MinHashLSH(num_perm=NUM_PERM, params=(options.bands, options.rows))
        signed = []
        for number, text in enumerate(texts):
            hashes = shingle_hashes(word_hashes(words(text)), options.shingle_size)
            signed.append(to_datasketch(signature(hashes, drawn), 1))
            lsh.insert(number, signed[-1], check_duplication=False)
        return [lsh.query(minhash) for minhash in signed]

    return Job(work, neighbours)


# ------------------------------------------------------------------------------------------------- oracles


def exact(measure: str) -> Callable[[pa.Table, Options], Job]:
    """Every pair compared on its shingles, no sketch: those whose "jaccard" or "containment" reaches the threshold."""

    def engine(data: pa.Table, options: Options) -> Job:
        texts = data["text"].to_pylist()

        def work() -> np.ndarray:
            blocks = similarities(texts, options.shingle_size, options.unit)
            return np.concatenate([pairs[found[measure] >= options.threshold] for pairs, found in blocks])

        return Job(work, lambda pairs: {"pairs": pairs})

    return engine


def exact_shingles(text: str, size: int = SHINGLE_SIZE, unit: str = "word") -> np.ndarray:
    """Hashes of the shingles of a text by this library's definition: uint64[n], sorted, distinct."""
    from dupdetect.text.clean import clean
    from dupdetect.text.shingles import shingle_hashes, word_hashes
    from dupdetect.text.words import words

    return np.unique(shingle_hashes(word_hashes(words(clean(text), unit)), size))


def similarities(
    texts: list[str], size: int, unit: str = "word", rows: int = 500
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Exact Jaccard and containment (of the smaller) of every pair that shares a shingle, some rows at a time.

    Words and shingles are this library's by definition; what is shared is counted by a product of matrices.
    """
    from scipy.sparse import csr_matrix

    sets = [exact_shingles(text, size, unit) for text in texts]
    sizes = np.array([len(hashes) for hashes in sets])
    _, columns = np.unique(np.concatenate(sets), return_inverse=True)
    matrix = csr_matrix((np.ones(len(columns), dtype=np.int32), columns, np.concatenate(([0], np.cumsum(sizes)))))
    turned = matrix.T.tocsr()
    for first in range(0, len(texts), rows):
        block = (matrix[first : first + rows] @ turned).tocoo()
        later = block.row + first < block.col
        a, b, shared = block.row[later] + first, block.col[later], block.data[later]
        union = sizes[a] + sizes[b] - shared
        found = {"jaccard": shared / union, "containment": shared / np.minimum(sizes[a], sizes[b])}
        yield np.column_stack((a, b)), found


# -------------------------------------------------------------------------------------------------- peers


def datasketch(data: pa.Table, options: Options) -> Job:
    """`MinHash.bulk` with xxhash, then `MinHashLSH` without its duplicate check."""
    import xxhash
    from datasketch import MinHash, MinHashLSH

    texts = data["text"].to_pylist()

    def work() -> list[list[int]]:
        sets = (byte_shingles(text, options.shingle_size, options.unit) for text in texts)
        signed = MinHash.bulk(sets, num_perm=NUM_PERM, hashfunc=xxhash.xxh32_intdigest)
        lsh = MinHashLSH(num_perm=NUM_PERM, params=(options.bands, options.rows))
        for number, minhash in enumerate(signed):
            lsh.insert(number, minhash, check_duplication=False)
        return [lsh.query(minhash) for minhash in signed]

    return Job(work, neighbours)


def rensa(data: pa.Table, options: Options) -> Job:
    """Full-set R-MinHash in bulk, `RMinHashLSH` filled and queried in bulk."""
    from rensa import RMinHash, RMinHashLSH

    texts = data["text"].to_pylist()

    def work() -> list[list[int]]:
        signed = RMinHash.from_token_sets(
            (shingles(text, options.shingle_size, options.unit) for text in texts), num_perm=NUM_PERM, seed=42
        )
        lsh = RMinHashLSH(threshold=options.threshold, num_perm=NUM_PERM, num_bands=divisor(options.bands))
        lsh.insert_many(signed)
        return lsh.query_all(signed)

    return Job(work, neighbours)


def rensa_rho(data: pa.Table, options: Options) -> Job:
    """Rensa's fastest road, from its own benchmark: sampled positions, a flag per document and no pairs."""
    from rensa import RMinHash, RMinHashLSH

    texts = data["text"].to_pylist()

    def work() -> list[bool]:
        sets = (shingles(text, options.shingle_size, options.unit) for text in texts)
        matrix = RMinHash.digest_matrix_from_token_sets_rho(sets, num_perm=NUM_PERM, seed=42, probes=4)
        lsh = RMinHashLSH(threshold=options.threshold, num_perm=NUM_PERM, num_bands=divisor(options.bands))
        return lsh.query_duplicate_flags_matrix_one_shot(matrix)

    return Job(work, lambda flags: {"flags": np.array(flags, dtype=bool)})


def divisor(bands: int) -> int:
    """Bands for an engine that wants a divisor of num_perm: the next one up, so that no recall is lost."""
    return next(number for number in range(bands, NUM_PERM + 1) if NUM_PERM % number == 0)


def gaoya(data: pa.Table, options: Options) -> Job:
    """Its own tokenizer in Rust (words between white space), parallel insert and parallel query."""
    from gaoya.minhash import MinHashStringIndex

    texts = data["text"].to_pylist()
    numbers = list(range(len(texts)))

    def work() -> list[list[int]]:
        index = MinHashStringIndex(
            hash_size=32,
            jaccard_threshold=options.threshold,
            num_bands=options.bands,
            band_size=options.rows,
            analyzer="char" if options.unit == "character" else "word",
            lowercase=True,
            ngram_range=(options.shingle_size, options.shingle_size),
            id_container="smallvec",
        )
        index.par_bulk_insert_docs(numbers, texts)
        return index.par_bulk_query(texts)

    return Job(work, neighbours)


def daft(data: pa.Table, options: Options) -> Job:
    """Its minhash expression: signing only.

    One table is one partition, which one core works on: only a list of tables is spread over the cores.
    """
    import daft
    from daft.functions import minhash

    size = -(-len(data) // (4 * options.threads))
    frame = daft.from_arrow([data.select(["text"]).slice(i, size) for i in range(0, len(data), size)])
    signed = minhash(daft.col("text"), num_hashes=NUM_PERM, ngram_size=options.shingle_size, hash_function="xxhash")
    return Job(lambda: frame.select(signed.alias("signature")).collect())


def text_dedup(data: pa.Table, options: Options) -> Job:
    """Its fingerprint and cluster steps on a data set in memory, as many processes as there are cores."""
    from types import SimpleNamespace

    if options.unit != "word":
        raise SystemExit("text-dedup makes shingles of words only")
    os.environ["HF_HUB_OFFLINE"] = "1"
    from datasets import Dataset, disable_caching, disable_progress_bars
    from text_dedup.config import MinHashAlgorithmConfig
    from text_dedup.minhash import cluster, fingerprint

    disable_caching()
    disable_progress_bars()
    algorithm = MinHashAlgorithmConfig(
        algorithm_name="minhash",
        text_column="text",
        num_perm=NUM_PERM,
        ngram_size=options.shingle_size,
        threshold=options.threshold,
        bands=options.bands,
        rows=options.rows,
        num_proc=options.threads,
    )
    config: Any = SimpleNamespace(algorithm=algorithm)
    numbers = pa.array(np.arange(len(data)))
    table = pa.table({"text": data["text"], algorithm.internal_index_column: numbers})
    dataset = Dataset(table)

    def labels(parents: dict[int, int]) -> dict[str, np.ndarray]:
        # Its cluster numbers start anew from 0: shift them away from the documents that stand alone.
        return {"labels": np.array([parents.get(i, -1 - i) for i in range(len(data))])}

    return Job(lambda: cluster(config, fingerprint(config, dataset)), labels)


def read(data: pa.Table, _: Options) -> Job:
    """Pyarrow merely reading the same Parquet file."""
    path = data.schema.metadata[b"path"].decode()
    return Job(lambda: pq.read_table(path, memory_map=True))


ENGINES: dict[str, tuple[Callable[[pa.Table, Options], Job], str]] = {  # name -> function, package
    "dupdetect": (dupdetect, "dupdetect"),
    "dupdetect, from a list": (dupdetect_list, "dupdetect"),
    "dupdetect signing": (sign, "dupdetect"),
    "definition in Python": (definition, "dupdetect"),
    "exact Jaccard": (exact("jaccard"), "scipy"),
    "exact containment": (exact("containment"), "scipy"),
    "datasketch": (datasketch, "datasketch"),
    "rensa": (rensa, "rensa"),
    "rensa rho, flags only": (rensa_rho, "rensa"),
    "gaoya": (gaoya, "gaoya"),
    "daft signing": (daft, "daft"),
    "text-dedup": (text_dedup, "text-dedup"),
    "pyarrow reading": (read, "pyarrow"),
}


#: What is measured as a command alone.
OTHERS = ("datatrove",)


def version(package: str) -> str | None:
    """Version of what this interpreter can import, or None. This library also from its bare checkout."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if package == "dupdetect" and importlib.util.find_spec(package):
            return str(importlib.import_module(package).__version__)
        return None


def load(path: Path) -> pa.Table:
    """The corpus, one chunk a column, with its path in the metadata."""
    return pq.read_table(path).combine_chunks().replace_schema_metadata({"path": str(path)})


def main() -> None:
    """Command line of the measured process."""
    parser = argparse.ArgumentParser(description="Time one engine over one corpus, in this process.")
    parser.add_argument("engine", choices=[*ENGINES, "versions"])
    parser.add_argument("corpus", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--bands", type=int, nargs=2, default=(14, 9), metavar=("BANDS", "ROWS"))
    parser.add_argument("--shingle-size", type=int, default=SHINGLE_SIZE)
    parser.add_argument("--unit", choices=("word", "character"), default="word")
    parser.add_argument("--settings", type=json.loads, default={}, help="of this library, as JSON")
    given = parser.parse_args()
    if given.engine == "versions":
        packages = [*(package for _, package in ENGINES.values()), *OTHERS]
        print(json.dumps({package: version(package) for package in packages}))
        return
    build, package = ENGINES[given.engine]
    options = Options(
        given.threads, given.threshold, *given.bands, given.shingle_size, given.unit, settings=given.settings
    )
    data = load(given.corpus)
    build(data.slice(0, WARM_UP), options).work()
    job = build(data, options)
    start = time.perf_counter()
    result = job.work()
    seconds = time.perf_counter() - start
    np.savez(given.out, **job.found(result))
    python = ".".join(map(str, sys.version_info[:3]))
    print(json.dumps({"seconds": seconds, "version": version(package), "python": python}))


if __name__ == "__main__":
    main()
