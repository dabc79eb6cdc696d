"""Questions about pairs, and their answers: by executors, a bundle of texts at a time, or by the driver.

Input    the texts of a bundle, and a question about pairs of them
Output   an answer: columns, in the order of the pairs
Cost     that of `PairCounter` and `Weigher`, which answer

Questions and answers travel as bytes. The same function answers on executors and on the driver.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._storage.context import Context
from dupdetect.matching.boilerplate_weights import Weigher
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import packed, unpack
from dupdetect.spark.sketching import decompress, size_of_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.pairs import Pairs
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Arrays = dict[str, NDArray[Any]]
    Batches = Iterator[pa.RecordBatch]

BUNDLES = "bundle long, documents binary, sizes binary, texts binary"
ANSWERS = "bundle long, answer binary"
VOTES = "shingle long, votes int"


class Question(NamedTuple):
    """What is asked of pairs, beside what is known of each.

    Attributes
    ----------
    ask : str
        "sharing", "overlaps", "filled_forms", "tally" or "weigh", as the methods that answer are named.
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


def answer(question: Question, documents: Int, texts: CompressedTexts, known: Mapping[str, NDArray[Any]]) -> Arrays:
    """Answer a question about pairs of some documents.

    Parameters
    ----------
    question : Question
    documents : int64[n]
        Their numbers, ascending.
    texts : CompressedTexts
        n texts.
    known : mapping of str to array
        ``pairs``, and what is known of them (`known_of`).
    """
    a, b = unpack(known["pairs"])
    pairs = packed(np.searchsorted(documents, a), np.searchsorted(documents, b))
    counter = PairCounter(texts, np.arange(len(documents)), Context(question.settings, 1))
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
    return Weigher(counter, boilerplate).weigh(found).weights._asdict()


def _counted(found: Overlaps, pairs: Pairs) -> Arrays:
    columns = {"at": np.searchsorted(pairs, found.pairs), "shared": found.shared}
    columns |= {"size_a": found.size_a, "size_b": found.size_b}
    return columns if found.patterns is None else columns | {"patterns": found.patterns}


def pack_bundles(batches: Batches) -> Batches:
    """Pack the texts of a partition, which come by bundle and document, into a row for each bundle."""
    bundle, rows = -1, []  # type: ignore[var-annotated]
    for batch in batches:
        for row in batch.to_pylist():
            if row["bundle"] != bundle and rows:
                yield _packed(bundle, rows)
                rows = []
            bundle = row["bundle"]
            rows.append(row)
    if rows:
        yield _packed(bundle, rows)


def _packed(bundle: int, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    texts = [row["text"] for row in rows]
    documents, sizes = np.array([row["document"] for row in rows]), np.array([len(text) for text in texts])
    columns = {"documents": documents.tobytes(), "sizes": sizes.tobytes(), "texts": b"".join(texts)}
    return pa.record_batch(
        {"bundle": pa.array([bundle]), **{name: pa.array([data], pa.large_binary()) for name, data in columns.items()}}
    )


def answer_bundles(question: Question) -> Callable[[Batches], Batches]:
    """Return what answers a question for bundles, each with what is ``known`` of its pairs."""

    def answer_batches(batches: Batches) -> Batches:
        for batch in batches:
            for place in range(batch.num_rows):
                row = {name: cell(batch.column(name), place) for name in ("documents", "sizes", "texts", "known")}
                documents, sizes = (np.frombuffer(row[name], np.int64) for name in ("documents", "sizes"))
                bounds = np.append(0, np.cumsum(sizes)).tolist()
                texts = CompressedTexts(row["texts"].slice(start, stop - start) for start, stop in pairwise(bounds))
                found = answer(question, documents, texts, pickle.loads(row["known"]))
                yield from _rows(batch.column("bundle")[place].as_py(), question, found)

    return answer_batches


def cell(column: Any, place: int) -> pa.Buffer:
    """Return one of the values of a column of bytes; a scalar would be a copy."""
    _, offsets, data = column.buffers()
    type_ = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    start, stop = np.frombuffer(offsets, type_)[column.offset + place : column.offset + place + 2].tolist()
    return data.slice(start, stop - start)


def _rows(bundle: int, question: Question, found: Arrays) -> Batches:
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
