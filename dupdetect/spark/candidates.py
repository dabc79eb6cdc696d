"""Sketches to candidates: keys to whoever knows all documents that have them, pairs back to the driver.

Input    texts in order, with their sketches
Output   pairs of texts that share enough keys beside hot ones; hot keys and who has them
Cost     a shuffle of 10 bytes for each key, and one of 20 for each pair of a partition of the keys

Keys go in pieces: those of a batch of documents that are of one partition, as their bytes, with the places of their
documents in the batch. A row for each key would be twice as much, and slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from dupdetect._storage.context import Context
from dupdetect.errors import InputError
from dupdetect.matching.candidates import are_enough, find_shared
from dupdetect.matching.keys import SHIFT

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dupdetect.settings import Settings
    from dupdetect.spark.texts import Numbers
    from dupdetect.spark.work import Work

    Int = NDArray[np.int64]
    Pairs = NDArray[np.uint64]
    Batches = Iterator[pa.RecordBatch]

#: The two sources of keys, by their numbers.
SOURCES = ("bands", "fingerprints")
FINGERPRINTS = 1

#: Keys in a partition, about.
KEYS = 4_000_000

#: Members of hot keys that the driver takes at the most, 16 bytes each.
HOT = 400_000_000

PIECES = "part int, source int, base long, keys binary, documents binary"
SHARED = "source int, pair long, shared int, sizes binary, members binary"


class Found(NamedTuple):
    """What was found among all texts, by their numbers.

    Attributes
    ----------
    pairs : uint64[n]
        Packed, sorted, distinct: those that share enough keys beside hot ones.
    hot : list of (int64[hot keys], int64[...])
        Of each source the sizes and the members of its hot keys.
    """

    pairs: Pairs
    hot: list[tuple[Int, Int]]


def search(texts: DataFrame, numbers: Numbers, settings: Settings, work: Work, salt: str | None = None) -> Found:
    """Find candidates among texts.

    Parameters
    ----------
    texts : DataFrame
    numbers : Numbers
    settings : Settings
    work : Work
    salt : str, optional
        The column of what keeps the keys of texts apart (`Grouping.salts`).
    """
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    first = texts.where("first")
    size = first.agg(F.sum(F.length("bands") + F.length("fingerprints"))).collect()[0][0] or 0
    count = max(-(-size // (8 * KEYS)), min(len(numbers) // 2_000 + 1, work.session.usual_partitions))
    salted = first.select("range", "index", *SOURCES, *([] if salt is None else [F.col(salt).alias("salt")]))
    pieces = salted.mapInArrow(_cut(numbers, count), PIECES)
    found = work.stage(
        "keys" if salt is None else f"keys-{salt}",
        lambda: pieces.repartition(count, "part").mapInArrow(_searcher(settings), SHARED),
    )
    hot = [_hot(found, source) for source in range(len(SOURCES))]
    with work.session.stage("pairs"):
        pairs = _enough(found, first, numbers, hot[FINGERPRINTS][1], settings).toArrow()
    packed = pairs["pair"].to_numpy().view(np.uint64)
    return Found(np.unique(packed), hot)


def _cut(numbers: Numbers, count: int) -> Callable[[Batches], Batches]:
    """Cut the keys of batches of documents into pieces, by the partition that they go to."""

    def cut(batches: Batches) -> Batches:
        for batch in batches:
            own = numbers.of(batch)
            if len(own) == 0:
                continue
            for source, name in enumerate(SOURCES):
                column = batch.column(name)
                lengths = pa.compute.binary_length(column).to_numpy() // 8
                keys = np.frombuffer(b"".join(column.to_pylist()), np.uint64)
                if "salt" in batch.schema.names:
                    keys = keys ^ np.repeat(batch.column("salt").to_numpy().view(np.uint64), lengths)
                documents = np.repeat(own - own.min(), lengths)
                part = ((keys >> np.uint64(SHIFT)) % np.uint64(count)).astype(np.int64)
                order = np.argsort(part, kind="stable")
                bounds = np.searchsorted(part[order], np.arange(count + 1))
                width = np.uint16 if int(own.max() - own.min()) < 1 << 16 else np.uint64
                keys, documents = keys[order], documents[order].astype(width)
                there = np.flatnonzero(np.diff(bounds))
                cuts = [slice(bounds[at], bounds[at + 1]) for at in there.tolist()]
                yield pa.record_batch(
                    {
                        "part": there.astype(np.int32),
                        "source": np.full(len(there), source, np.int32),
                        "base": np.full(len(there), own.min()),
                        "keys": pa.array([keys[cut].tobytes() for cut in cuts], pa.large_binary()),
                        "documents": pa.array([documents[cut].tobytes() for cut in cuts], pa.large_binary()),
                    }
                )

    return cut


def _searcher(settings: Settings) -> Callable[[Batches], Batches]:
    """Search among all keys of a partition."""

    def search_partition(batches: Batches) -> Batches:
        keys: list[list[Pairs]] = [[] for _ in SOURCES]
        documents: list[list[Int]] = [[] for _ in SOURCES]
        for batch in batches:
            for row in batch.to_pylist():
                own = np.frombuffer(row["keys"], np.uint64)
                width = np.uint16 if len(row["documents"]) == 2 * len(own) else np.uint64
                keys[row["source"]].append(own)
                documents[row["source"]].append(np.frombuffer(row["documents"], width).astype(np.int64) + row["base"])
        context = Context(settings, 1)
        for source in range(len(SOURCES)):
            if not keys[source]:
                continue
            found = find_shared(np.concatenate(keys[source]), np.concatenate(documents[source]), context)
            keys[source], documents[source] = [], []
            yield from _rows(source, found.pairs.view(np.int64), found.shared)
            if len(found.sizes):
                yield _hot_row(source, found.sizes, found.members)

    return search_partition


def _rows(source: int, pairs: Int, shared: NDArray[np.int32]) -> Batches:
    nothing = pa.nulls(len(pairs), pa.large_binary())
    table = pa.table(
        {
            "source": np.full(len(pairs), source, np.int32),
            "pair": pairs,
            "shared": shared,
            "sizes": nothing,
            "members": nothing,
        }
    )
    yield from table.to_batches(max_chunksize=1 << 16)


def _hot_row(source: int, sizes: Int, members: Int) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "source": pa.array([source], pa.int32()),
            "pair": pa.nulls(1, pa.int64()),
            "shared": pa.nulls(1, pa.int32()),
            "sizes": pa.array([sizes.tobytes()], pa.large_binary()),
            "members": pa.array([members.tobytes()], pa.large_binary()),
        }
    )


def _hot(found: DataFrame, source: int) -> tuple[Int, Int]:
    """Bring the hot keys of a source to the driver."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    rows = found.where(F.col("members").isNotNull() & (F.col("source") == source))
    members = rows.agg(F.sum(F.length("members"))).collect()[0][0] or 0
    if members > 8 * HOT:
        raise InputError(
            f"{members // 8:,} documents have hot keys, of which the driver takes {HOT:,}; let hot_key_documents be "
            "larger, or leave out texts that all documents have in common"
        )
    table = rows.select("sizes", "members").toArrow()
    sizes, all_members = (
        np.concatenate([np.empty(0, np.int64), *(np.frombuffer(row, np.int64) for row in table[name].to_pylist())])
        for name in ("sizes", "members")
    )
    return sizes, all_members


def _enough(found: DataFrame, first: DataFrame, numbers: Numbers, hot: Int, settings: Settings) -> DataFrame:
    """Sum up what pairs share, and keep those that share enough: of band keys, any."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    few = found.where(F.col("pair").isNotNull())
    by_band = few.where(F.col("source") != FINGERPRINTS).select("pair")
    fingerprints = few.where(F.col("source") == FINGERPRINTS).groupBy("pair").agg(F.sum("shared").alias("shared"))
    lengths = first.select("range", "index", "fingerprints").mapInArrow(_lengths(numbers), "number long, length long")
    if len(hot):
        which, degree = np.unique(hot, return_counts=True)
        of_hot = first.sparkSession.createDataFrame(pa.table({"number": which, "degree": degree}))
        rest = F.col("length") - F.coalesce(F.col("degree"), F.lit(0))
        lengths = lengths.join(of_hot, "number", "left").select("number", rest.alias("length"))
    ends = {"a": F.shiftrightunsigned(F.col("pair"), 32), "b": F.col("pair").bitwiseAND(F.lit(0xFFFFFFFF))}
    for name, number in ends.items():
        side = lengths.select(F.col("number").alias(name), F.col("length").alias(f"length_{name}"))
        fingerprints = fingerprints.withColumn(name, number).join(side, name)
    share = settings.min_shared_fingerprints
    enough = fingerprints.select("pair", "shared", "length_a", "length_b").mapInArrow(_filter(share), "pair long")
    return by_band.union(enough).distinct()


def _lengths(numbers: Numbers) -> Callable[[Batches], Batches]:
    def count(batches: Batches) -> Batches:
        for batch in batches:
            lengths = pa.compute.binary_length(batch.column("fingerprints")).to_numpy() // 8
            yield pa.record_batch({"number": numbers.of(batch), "length": lengths.astype(np.int64)})

    return count


def _filter(share: float) -> Callable[[Batches], Batches]:
    def keep(batches: Batches) -> Batches:
        for batch in batches:
            shared, a, b = (batch.column(name).to_numpy() for name in ("shared", "length_a", "length_b"))
            enough = are_enough(shared, np.minimum(a, b), share)
            yield pa.record_batch({"pair": batch.column("pair")}).filter(pa.array(enough))

    return keep
