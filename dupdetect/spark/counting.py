"""Questions about pairs, and their answers: by executors, a bundle of documents at a time, or by the driver.

Input    the documents of a bundle, and a question about pairs of them
Output   an answer: columns, in the order of the pairs
Cost     that of `PairCounter` and `Weigher`, which answer

Questions and answers travel as bytes. The same function answers on executors and on the driver. A bundle holds the
rows of shingles of its documents, made once for all questions; one of texts so large that their rows would fill the
memory of an executor holds these texts, compressed, and rows are made for each question.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._storage.context import Context
from dupdetect.matching.boilerplate_weights import Weigher
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import Overlaps, Weights
from dupdetect.matching.pairs import packed, unpack
from dupdetect.matching.shingle_rows import ShingleRows
from dupdetect.pipeline.stage_arrays import overlaps_of_arrays, overlaps_to_arrays
from dupdetect.spark.sketching import decompress, size_of_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.pairs import Pairs
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Arrays = dict[str, NDArray[Any]]
    Batches = Iterator[pa.RecordBatch]

#: Of a bundle: its documents; of each the shingles in its row, and how many are distinct; the rows, end to end.
#: Or else of each the bytes of its text, and the texts, compressed.
BUNDLES = "bundle long, documents binary, lengths binary, sizes binary, shingles binary, bytes binary, texts binary"
ANSWERS = "bundle long, answer binary"
VOTES = "shingle long, votes int"

#: Bytes of texts, and of rows of shingles, up to which a bundle holds rows: the JVM has several copies of them.
HELD = 48 << 20


class Question(NamedTuple):
    """What is asked of pairs, beside what is known of each.

    Attributes
    ----------
    ask : str
        "sharing", "overlaps", "filled_forms", "tally" or "weigh", as the methods that answer are named; or "matches":
        those among the pairs, weighed.
    settings : Settings
    among : uint64[...], optional
        Of a tally: the table of shingles that are counted.
    boilerplate : Boilerplate, optional
        Of weighing: what is known of shingles; who voted is known of each pair.
    """

    ask: str
    settings: Settings
    among: NDArray[np.uint64] | None = None
    boilerplate: Boilerplate | None = None


def answer(question: Question, documents: Int, counter: PairCounter, known: Mapping[str, NDArray[Any]]) -> Arrays:
    """Answer a question about pairs of some documents.

    Parameters
    ----------
    question : Question
    documents : int64[n]
        Their numbers, ascending.
    counter : PairCounter
        Of these.
    known : mapping of str to array
        ``pairs``, and what is known of them (`known_of`).
    """
    a, b = unpack(known["pairs"])
    pairs = packed(np.searchsorted(documents, a), np.searchsorted(documents, b))
    if question.ask == "overlaps":
        return _counted(counter.overlaps(pairs), pairs)
    if question.ask == "sharing":
        return _counted(counter.sharing(pairs), pairs)
    if question.ask == "filled_forms":
        return {"filled": counter.filled_forms(pairs)}
    found = Overlaps(pairs, known["shared"], known["size_a"], known["size_b"], None, known.get("patterns"))
    if question.ask == "tally":
        shingles, votes = counter.tally(found, question.among)
        return {"shingles": shingles, "votes": votes}
    assert question.boilerplate is not None, "what is known of shingles comes with the question"
    boilerplate = question.boilerplate.voted_by(pairs, known["votes"])
    weigher = Weigher(counter, boilerplate)
    if question.ask == "weigh":
        weighed = weigher.weigh(found)
        return weighed.weights._asdict() | {"patterns": weighed.patterns}
    matches = weigher.matches(found)
    return overlaps_to_arrays(replace(matches, pairs=known["pairs"][np.searchsorted(pairs, matches.pairs)]))


def _counted(found: Overlaps, pairs: Pairs) -> Arrays:
    columns = {"at": np.searchsorted(pairs, found.pairs), "shared": found.shared}
    columns |= {"size_a": found.size_a, "size_b": found.size_b}
    return columns if found.patterns is None else columns | {"patterns": found.patterns}


def counter_of(texts: CompressedTexts, settings: Settings) -> PairCounter:
    """Return what counts on some texts."""
    return PairCounter(texts, np.arange(len(texts.lengths)), Context(settings, 1))


def pack_bundles(settings: Settings) -> Callable[[Batches], Batches]:
    """Return what packs the texts of a partition, which come by bundle and document, into a row for each bundle."""

    def pack(batches: Batches) -> Batches:
        bundle, rows = -1, []  # type: ignore[var-annotated]
        for batch in batches:
            for row in batch.to_pylist():
                if row["bundle"] != bundle and rows:
                    yield _packed(bundle, rows, settings)
                    rows = []
                bundle = row["bundle"]
                rows.append(row)
        if rows:
            yield _packed(bundle, rows, settings)

    return pack


def _packed(bundle: int, rows: list[dict[str, Any]], settings: Settings) -> pa.RecordBatch:
    texts = [row["text"] for row in rows]
    columns = {"documents": np.array([row["document"] for row in rows], np.int64).tobytes()}
    columns |= _shingles(CompressedTexts(texts), settings) or {
        "bytes": np.array([len(text) for text in texts], np.int64).tobytes(),
        "texts": b"".join(texts),
    }
    names = [column.split(" ")[0] for column in BUNDLES.split(", ")[1:]]
    binary = {name: pa.array([columns.get(name)], pa.large_binary()) for name in names}
    return pa.record_batch({"bundle": pa.array([bundle]), **binary})


def _shingles(texts: CompressedTexts, settings: Settings) -> dict[str, bytes] | None:
    """Return rows of shingles as they are put into a bundle; None if they are too large."""
    if texts.lengths.sum() > HELD:
        return None
    made = counter_of(texts, settings).shingles.all()
    if made.values.nbytes > HELD:
        return None
    return {
        "lengths": made.lengths.tobytes(),
        "sizes": made.sizes.tobytes(),
        "shingles": made.values.tobytes(),
    }


def answer_bundles(question: Question, known: Mapping[int, bytes]) -> Callable[[Batches], Batches]:
    """Return what answers a question for bundles, given what is known of the pairs of each that is asked."""

    def answer_batches(batches: Batches) -> Batches:
        for batch in batches:
            for place, bundle in enumerate(batch.column("bundle").to_pylist()):
                if bundle in known:
                    pa.default_memory_pool().release_unused()  # as much as a text that was read before
                    documents = np.frombuffer(cell(batch.column("documents"), place), np.int64)
                    counter = _unpacked(batch, place, question.settings)
                    yield from _rows(
                        bundle, question, answer(question, documents, counter, pickle.loads(known[bundle]))
                    )

    return answer_batches


def _unpacked(batch: pa.RecordBatch, place: int, settings: Settings) -> PairCounter:
    """Return what counts on a bundle."""
    if batch.column("shingles").slice(place, 1).null_count == 0:
        lengths, sizes, shingles = (cell(batch.column(name), place) for name in ("lengths", "sizes", "shingles"))
        counts = np.frombuffer(lengths, np.int32), np.frombuffer(sizes, np.int32)
        return PairCounter.of(ShingleRows.of(*counts, np.frombuffer(shingles, np.uint64), Context(settings, 1)))
    texts, sizes = cell(batch.column("texts"), place), np.frombuffer(cell(batch.column("bytes"), place), np.int64)
    bounds = np.append(0, np.cumsum(sizes)).tolist()
    return counter_of(CompressedTexts(texts.slice(start, stop - start) for start, stop in pairwise(bounds)), settings)


def cell(column: Any, place: int) -> pa.Buffer:
    """Return one of the values of a column of bytes; a scalar would be a copy."""
    return cells(column.slice(place, 1))[0]


def cells(column: Any) -> list[pa.Buffer]:
    """Return the values of a column of bytes, none of which is null, without copying them."""
    _, offsets, data = column.buffers()
    type_ = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    bounds = np.frombuffer(offsets, type_)[column.offset : column.offset + len(column) + 1].tolist()
    return [data.slice(start, stop - start) for start, stop in pairwise(bounds)]


def match_columns(settings: Settings) -> str:
    """Return the columns of `matches_table`, as Spark declares them."""
    weights = [f"weighed_{name} {'byte' if name == 'strangers' else 'double'}" for name in Weights._fields]
    counts = ["pairs long", "shared int", "size_a int", "size_b int"]
    return ", ".join([*counts, *(weights if settings.weighs else []), "verdicts byte"])


def matches_table(arrays: Arrays) -> pa.Table:
    """Return matches, as arrays, as a table of types that Spark has: the same bits."""
    signed = {np.dtype(np.uint64): np.int64, np.dtype(np.uint8): np.int8}
    return pa.table({name: values.view(signed.get(values.dtype, values.dtype)) for name, values in arrays.items()})


def matches_of(table: pa.Table) -> Overlaps:
    """Return matches of a table as `matches_table` makes it, in order."""
    pairs = table["pairs"].to_numpy().view(np.uint64)
    order = np.argsort(pairs)
    arrays = {name: table[name].to_numpy()[order] for name in table.column_names}
    bytes_ = {name: values.view(np.uint8) for name, values in arrays.items() if values.dtype == np.int8}
    return overlaps_of_arrays({**arrays, **bytes_, "pairs": pairs[order]})


def _rows(bundle: int, question: Question, found: Arrays) -> Batches:
    if question.ask == "matches":
        yield from matches_table(found).to_batches(max_chunksize=1 << 16)
        return
    if question.ask == "tally":
        table = pa.table({"shingle": found["shingles"].view(np.int64), "votes": found["votes"]})
        yield from table.to_batches(max_chunksize=1 << 16)
        return
    yield pa.record_batch({"bundle": pa.array([bundle]), "answer": pa.array([pickle.dumps(found)], pa.large_binary())})


class CompressedTexts:
    """Compressed texts, which are read as they are asked for.

    Parameters
    ----------
    held : iterable of bytes
        As `sketching.compressed` makes them.

    Attributes
    ----------
    lengths : int64[n]
        Bytes of each.
    """

    def __init__(self, held: Iterable[Any]) -> None:
        self._held = list(held)
        self.lengths = np.array([size_of_text(data) for data in self._held], np.int64)

    def some(self, places: Int, workers: int = 1) -> pa.LargeStringArray:  # noqa: ARG002 - one thread will do
        """Return some of them: in memory at once with one of its parts, and not with all."""
        offsets = np.append(0, np.cumsum(self.lengths[places]))
        if len(places) == 1:
            whole = decompress(self._held[int(places[0])])
            return pa.LargeStringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(whole))
        data = np.empty(int(offsets[-1]), np.uint8)
        for place, (start, stop) in zip(places.tolist(), pairwise(offsets.tolist()), strict=True):
            data[start:stop] = np.frombuffer(decompress(self._held[place]), np.uint8)
        return pa.LargeStringArray.from_buffers(len(places), pa.py_buffer(offsets), pa.py_buffer(data))
