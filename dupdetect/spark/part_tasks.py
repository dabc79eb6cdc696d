"""Parts of the documents on executors: who holds the matches, and clusters them.

Input    matches as a frame, parts and answers from the driver
Output   what is wanted, to the driver; tables of the parts that are finished, where they were written
Cost     a shuffle of the matches to their parts, and one of those of unfinished parts for each answer
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect.matching.pairs import unpack
from dupdetect.spark.components import components
from dupdetect.spark.counting import matches_of
from dupdetect.spark.parts import Answers, Finished, Part, Wanted, cluster_part, renamed
from dupdetect.spark.partwise import Linked

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.matching.pairs import Pairs
    from dupdetect.settings import Settings
    from dupdetect.spark.work import Work

    Int = NDArray[np.int64]
    Batches = Iterator[pa.RecordBatch]

#: What the rows of a part are: a match, or a piece of what the driver says of the part, or of answers.
MATCH, PART, ANSWER = range(3)

#: Bytes in a row, and of the rows of parts that are written at a time.
PIECE, WRITTEN = 8 << 20, 256 << 20

#: Columns of the rows of a part, before those of matches; and of what executors say of it.
PLACED_NAMES = ("part", "item", "place", "data")
SAID = "part long, what string, data binary"


class SparkParts:
    """Lets executors cluster parts.

    Parameters
    ----------
    matches : DataFrame
        As `counting.matches_table` makes them.
    deferred : uint64[...]
    settings : Settings
    work : Work
    """

    def __init__(self, matches: DataFrame, deferred: Pairs, settings: Settings, work: Work) -> None:
        self._matches, self._deferred, self._settings, self._work = matches, deferred, settings, work
        self._divided = self._turn = 0
        self._finished: list[DataFrame] = []

    def linked(self) -> Linked:
        """Return the components of matches and deferred pairs."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        pair = F.col("pairs")
        ends = self._matches.select(
            F.shiftrightunsigned(pair, 32).alias("a"), pair.bitwiseAND(F.lit(0xFFFFFFFF)).alias("b")
        )
        a, b = unpack(self._deferred)
        deferred = self._work.kept("deferred", pa.table({"a": a, "b": b}))
        found = components(ends.union(deferred), self._work).toArrow()
        texts, component = found["text"].to_numpy(), found["component"].to_numpy()
        least = np.unique(component)
        texts, component = np.concatenate([texts, least]), np.concatenate([component, least])
        order = np.argsort(texts)
        counts = ends.groupBy("a").count().toArrow()
        matches = np.zeros(len(texts), np.int64)
        matches[np.searchsorted(texts[order], counts["a"].to_numpy())] = counts["count"].to_numpy()
        return Linked(texts[order], component[order], matches)

    def divide(self, part_of: Int, parts: Iterator[tuple[int, Part]]) -> None:
        """Put matches and what the driver knows of documents into parts."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        name, work = f"parts-{self._divided}", self._work
        self._divided += 1
        inside = np.flatnonzero(part_of > 0)
        places = work.kept(f"{name}-texts", pa.table({"text": inside, "part": part_of[inside]}))
        matches = self._matches.withColumn("text", F.shiftrightunsigned("pairs", 32)).join(places, "text").drop("text")
        said = [
            work.stage(f"{name}-{number}", lambda rows=rows: work.session.frame(rows))  # type: ignore[misc]
            for number, rows in enumerate(_written(parts))
        ]
        whole = reduce(
            lambda one, more: one.unionByName(more, allowMissingColumns=True),
            said,
            matches.withColumn("item", F.lit(MATCH)).withColumn("place", F.col("pairs")),
        )
        self._columns = self._matches.columns
        self._placed = work.stage(name, lambda: whole)

    def matches(self, number: int) -> Overlaps:
        """Return the matches of a part, in order."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        own = self._placed.where((F.col("part") == number) & (F.col("item") == MATCH))
        return matches_of(own.select(*self._columns).toArrow())

    def cluster(self, answers: Mapping[int, Answers]) -> dict[int, Wanted | Finished]:
        """Cluster parts."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        name, work = f"clustered-{self._turn}", self._work
        self._turn += 1
        rows = pa.concat_tables(_pieces(number, ANSWER, answer) for number, answer in answers.items())
        known = work.kept(f"{name}-answers", rows)
        named = work.session.frame(pa.table({"part": np.array(list(answers), np.int64)}))
        some = self._placed.join(F.broadcast(named), "part", "left_semi")
        spread = some.unionByName(known, allowMissingColumns=True).repartition(min(len(answers), 4096), "part")
        ordered = spread.sortWithinPartitions("part", "item", "place").select(*PLACED_NAMES, *self._columns)
        made = work.stage(name, lambda: ordered.mapInArrow(_clusterer(self._settings), SAID))
        said = made.where(F.col("what").isin("wanted", "finished")).toArrow().to_pylist()
        found = {row["part"]: pickle.loads(row["data"]) for row in said}
        if any(isinstance(one, Finished) for one in found.values()):
            self._finished.append(made)
        return found

    def table(self, name: str, here: Iterable[pa.Table]) -> DataFrame:
        """Return the rows that all finished parts have in a table, those that were clustered here included."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        whole = self._work.kept(name, pa.concat_tables(here))
        for made in self._finished:
            rows = made.where(F.col("what") == name).select("data")
            whole = whole.union(rows.mapInArrow(_read, whole.schema))
        return whole


def _pieces(number: int, item: int, what: Any) -> pa.Table:
    """Return something of a part as rows of its bytes."""
    data = pickle.dumps(what)
    pieces = [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
    n = len(pieces)
    return pa.table(
        {
            "part": np.full(n, number),
            "item": np.full(n, item, np.int32),
            "place": np.arange(n),
            "data": pa.array(pieces, pa.large_binary()),
        }
    )


def _written(parts: Iterable[tuple[int, Part]]) -> Iterator[pa.Table]:
    """Yield what the driver says of parts, so much of it as is written at a time."""
    held: list[pa.Table] = []
    for number, part in parts:
        held.append(_pieces(number, PART, part))
        if sum(each.nbytes for each in held) > WRITTEN:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _clusterer(settings: Settings) -> Callable[[Batches], Batches]:
    """Return what clusters the parts of a partition, whose rows come one part after the other."""

    def cluster(batches: Batches) -> Batches:
        current, held = -1, []  # type: ignore[var-annotated]
        for batch in batches:
            numbers = batch.column("part").to_numpy()
            cuts = (np.flatnonzero(np.diff(numbers)) + 1).tolist()
            for start, stop in pairwise([0, *cuts, len(numbers)] if len(numbers) else []):
                if numbers[start] != current and held:
                    yield from _said(current, held, settings)
                    held = []
                current = int(numbers[start])
                held.append(batch.slice(start, stop - start))
        if held:
            yield from _said(current, held, settings)

    return cluster


def _said(number: int, batches: list[pa.RecordBatch], settings: Settings) -> Batches:
    """Cluster a part, given its rows."""
    rows = pa.Table.from_batches(batches)
    items = rows["item"].to_numpy()
    part, answers = (
        pickle.loads(b"".join(rows["data"].filter(pa.array(items == item)).to_pylist())) for item in (PART, ANSWER)
    )
    matches = matches_of(rows.drop_columns(list(PLACED_NAMES)).filter(pa.array(items == MATCH)))
    said = cluster_part(part, renamed(matches, part.texts), answers, settings)
    if isinstance(said, Finished):
        for name, table in said.tables.items():
            for batch in table.combine_chunks().to_batches(max_chunksize=1 << 16):
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, batch.schema) as stream:
                    stream.write_batch(batch)
                yield _row(number, name, sink.getvalue().to_pybytes())
        yield _row(number, "finished", pickle.dumps(said._replace(tables={})))
    else:
        yield _row(number, "wanted", pickle.dumps(said))


def _row(number: int, what: str, data: bytes) -> pa.RecordBatch:
    return pa.record_batch(
        {"part": pa.array([number]), "what": pa.array([what]), "data": pa.array([data], pa.large_binary())}
    )


def _read(batches: Batches) -> Batches:
    for batch in batches:
        for data in batch.column("data").to_pylist():
            yield from pa.ipc.open_stream(data)
