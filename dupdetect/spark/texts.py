"""Sketched documents to texts in order: documents with the same words are one text.

Input    what was sketched
Output   the documents by text, numbered as `clusters.collapse` numbers them; rows whose ids occurred before
Cost     a shuffle of the sketches without their texts, and one of 16 bytes a document for the ids

Texts are ordered by their number of words and their digest: partitions by range of these, so that a text's number is
how many there are in the partitions before its own, and before it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from dupdetect.clustering.clusters import blank
from dupdetect.errors import InputError
from dupdetect.io.duplicate_ids import find_duplicates
from dupdetect.matching.grouping import Grouping, hashed
from dupdetect.settings import GROUPING
from dupdetect.spark.sketching import digests_of, partition, signed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from dupdetect.settings import Settings
    from dupdetect.spark.session import Session

    Int = NDArray[np.int64]

#: Documents in a partition, about, where there are many; and where there are few.
MANY, FEW = 200_000, 2_000

#: The order of texts, and of documents in a text.
ORDER = ["words", "high", "low", "id", "part", "place"]

#: The order of the input, of tables of what was sketched.
INPUT = [("part", "ascending"), ("place", "ascending")]

#: Columns of what keeps keys apart, and which settings each is of: of two searches, as one machine makes them.
SALTS = {"salt": ("within",), "salt_per": ("within", "per")}

#: Texts whose pairs can be packed.
MOST = 1 << 32

#: Rows that are named in a function that goes to executors, at the most; more are joined.
NAMED = 1 << 21


def partitions(session: Session, documents: int) -> int:
    """Return into how many partitions so many documents are shuffled."""
    return max(1, -(-documents // MANY), min(session.usual_partitions, -(-documents // FEW)))


def doubtful(frame: DataFrame, session: Session) -> pa.Table:
    """Bring the documents to the driver of whose ids there may be several, in the order of the input."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    chosen = frame.where(F.col("reason").isNull())
    ids = chosen.select("part", "place", "id", "words", "high", "low", "file", "row", F.xxhash64("id").alias("hash"))
    several = chosen.select(F.xxhash64("id").alias("hash")).groupBy("hash").count().where("count > 1").select("hash")
    with session.stage("ids"):
        return ids.join(several, "hash", "left_semi").drop("hash").toArrow().sort_by(INPUT).combine_chunks()


def repeated(table: pa.Table) -> tuple[pa.Table, Int]:
    """Find the rows whose ids occurred before.

    Parameters
    ----------
    table : pyarrow.Table
        Documents in the order of the input: all of whose ids there are several.

    Returns
    -------
    pyarrow.Table
        Such rows, in the order of the input: where they stand, and their ids.
    int64[m, 2]
        The part and the place of the first row of each of these ids.
    """
    if table.num_rows == 0:
        return table, np.empty((0, 2), np.int64)
    again, first = find_duplicates(table["id"])
    places = np.stack([table[name].to_numpy()[first] for name in ("part", "place")], axis=1)
    return table.take(pa.array(again)), places


def ordered(frame: DataFrame, gone: pa.Table, count: int, kept_apart: KeptApart | None = None) -> DataFrame:
    """Put documents with words in the order of their texts.

    Parameters
    ----------
    frame : DataFrame
        What was sketched.
    gone : pyarrow.Table
        ``part`` and ``place`` of documents that are left out.
    count : int
        How many partitions to make.
    kept_apart : KeptApart, optional
        What keeps documents of the same words apart.

    Returns
    -------
    DataFrame
        ``range``, the number of the partition, and ``index``, the number of the text in it; ``first``, whether the
        document is the first of its text; its sketch, which only this one has. Where documents are kept apart,
        ``high`` and ``low`` are so, too, and there are `SALTS`.
    """
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does
    from pyspark.sql import types as T  # noqa: N812

    chosen = _documents(frame, gone, F.col("words") > 0)
    if kept_apart is not None:
        salted = T.StructType([*chosen.schema.fields, *(T.StructField(name, T.LongType()) for name in SALTS)])
        chosen = chosen.mapInArrow(kept_apart.keep_apart, salted)
    added = [T.StructField(name, T.LongType()) for name in ("range", "index")]
    schema = T.StructType([*added, T.StructField("first", T.BooleanType()), *chosen.schema.fields])
    spread = chosen.repartitionByRange(count, "words", "high", "low").sortWithinPartitions(*ORDER)
    return spread.mapInArrow(_number, schema)


class KeptApart(NamedTuple):
    """Keeps documents apart that may not be compared, whatever their words.

    Attributes
    ----------
    settings : Settings
    starts : int64[...]
        The number of the first row of each part.
    numbered : bool
        Whether rows have no ids but their numbers.
    """

    settings: Settings
    starts: Int
    numbered: bool

    def keep_apart(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give documents the digests and salts that `Grouping` says."""
        for batch in batches:
            table = pa.Table.from_batches([batch])
            named = {getattr(self.settings, name): table[name] for name in GROUPING}
            ids = table["id"]
            if self.numbered:
                ids = pa.chunked_array([self.starts[table["part"].to_numpy()] + table["place"].to_numpy()])
            grouping = Grouping.of(self.settings, lambda column, named=named: hashed(named[column]), ids)  # type: ignore[misc]
            assert grouping is not None, "something is to be kept apart"
            apart = signed(grouping.parted(digests_of(table)))
            for place, name in enumerate(("high", "low")):
                table = table.set_column(table.column_names.index(name), name, pa.array(apart[:, place]))
            for name, parts in SALTS.items():
                salts = grouping.salts(*parts)
                salts = np.zeros(table.num_rows, np.uint64) if salts is None else salts
                table = table.append_column(name, pa.array(salts.view(np.int64)))
            yield from table.combine_chunks().to_batches()


def _documents(frame: DataFrame, gone: pa.Table, which: Column) -> DataFrame:
    """Return some of the documents, without their texts."""
    chosen = frame.where("reason is null").where(which).drop("text", "reason")
    if not gone.num_rows:
        return chosen
    there = frame.sparkSession.createDataFrame(gone.select(["part", "place"]).combine_chunks())
    return chosen.join(there, ["part", "place"], "left_anti")


def copies_without_words(frame: DataFrame, gone: pa.Table) -> pa.Table:
    """Bring documents without words to the driver that are, byte for byte, what another one is.

    Parameters
    ----------
    frame, gone
        As for `ordered`.

    Returns
    -------
    pyarrow.Table
        Columns as `documents_of` has them; ``number`` is null.
    """
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    wordless = _documents(frame, gone, F.col("words") == 0).drop("bands", "fingerprints")
    again = wordless.groupBy("high", "low").count().where("count > 1").drop("count").toArrow()
    again = again.filter(pa.array(~blank(digests_of(again))))
    copies = wordless.limit(0)
    if again.num_rows:
        copies = wordless.join(frame.sparkSession.createDataFrame(again.combine_chunks()), ["high", "low"], "left_semi")
    return copies.select(F.lit(None).cast("long").alias("number"), F.lit(False).alias("first"), "*").toArrow()


def _number(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Number the texts of a partition, whose documents come in order."""
    number, last, next_text = partition(), np.empty((0, 3), np.int64), 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        table = pa.Table.from_batches([batch])
        texts = np.stack([table[name].to_numpy() for name in ORDER[:3]], axis=1)
        new = np.ones(len(texts), np.bool_)
        new[1:] = (texts[1:] != texts[:-1]).any(axis=1)
        new[0] = len(last) == 0 or bool((texts[0] != last[0]).any())
        index = next_text + np.cumsum(new) - 1
        last, next_text = texts[-1:], int(index[-1]) + 1
        for name in ("bands", "fingerprints"):
            column = table[name]
            kept = pa.compute.if_else(pa.array(new), column, pa.scalar(None, column.type))
            table = table.set_column(table.column_names.index(name), name, kept)
        added = pa.table({"range": np.full(len(texts), number), "index": index, "first": new})
        whole = pa.table([*added.columns, *table.columns], [*added.column_names, *table.column_names])
        yield from whole.combine_chunks().to_batches()


class Numbers:
    """The numbers of texts, given where they stand.

    Parameters
    ----------
    counts : mapping of int to int
        How many texts each range has.
    """

    def __init__(self, counts: dict[int, int]) -> None:
        sizes = np.zeros(max(counts, default=-1) + 1, np.int64)
        sizes[list(counts)] = list(counts.values())
        self.starts = np.append(0, np.cumsum(sizes))

    def __len__(self) -> int:
        return int(self.starts[-1])

    def of(self, batch: pa.RecordBatch) -> Int:
        """Return the numbers of the texts of a batch."""
        return np.asarray(self.starts[batch.column("range").to_numpy()] + batch.column("index").to_numpy())


def numbers_of(texts: DataFrame) -> Numbers:
    """Count the texts of each range."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    rows = texts.groupBy("range").agg(F.max("index").alias("last")).collect()
    numbers = Numbers({row["range"]: row["last"] + 1 for row in rows})
    if len(numbers) >= MOST:
        raise InputError(f"{len(numbers):,} different texts, of which pairs can name {MOST:,}; part the input in two")
    return numbers


def documents_of(texts: DataFrame, numbers: Numbers, chosen: Int) -> DataFrame:
    """Return the documents of some texts (int64[n], ascending), with their ``number``."""
    from pyspark.sql import types as T  # noqa: N812 - as everybody does

    light = texts.drop("bands", "fingerprints", *SALTS)
    schema = T.StructType([T.StructField("number", T.LongType()), *light.schema.fields])
    if len(chosen) <= NAMED:
        return light.mapInArrow(_numbered(numbers, chosen), schema)
    there = texts.sparkSession.createDataFrame(pa.table({"number": chosen}))
    return light.mapInArrow(_numbered(numbers, None), schema).join(there, "number", "left_semi")


def _numbered(numbers: Numbers, chosen: Int | None) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def number(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            own = numbers.of(batch)
            whole = pa.RecordBatch.from_arrays([pa.array(own), *batch.columns], ["number", *batch.schema.names])
            yield whole if chosen is None else whole.filter(pa.array(np.isin(own, chosen, kind="sort")))

    return number
