"""The sketch table of a frame: what `dupdetect.read_sketches` reads.

Input    a frame of texts
Output   a folder of Parquet, a row for each document
Cost     that of `sketch_texts`; nothing is shuffled
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect.errors import InputError
from dupdetect.io.checks import check
from dupdetect.io.readers import Piece
from dupdetect.io.streams import MAX_TEXT, check_max_text
from dupdetect.settings import Settings
from dupdetect.sketches.cleaning import clean_texts, refuse_words
from dupdetect.sketches.folders import KEY, description
from dupdetect.sketches.sketches import sketch_texts
from dupdetect.spark.session import PARQUET, Session
from dupdetect.spark.sketching import Request, by_number, request_of, type_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame
    from typing_extensions import Unpack

    from dupdetect.settings import GivenSettings, SettingsKeywords
    from dupdetect.sketches.sketches import Sketches


def sketch(
    frame: DataFrame,
    path: str,
    *,
    text: str = "text",
    id: str | None = None,
    settings: GivenSettings = None,
    signatures: bool = True,
    max_text: int | str = MAX_TEXT,
    **overrides: Unpack[SettingsKeywords],
) -> DataFrame:
    """Write the sketches of the texts of a frame.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
    path : str
        A folder that the executors can write to; it is replaced. `dupdetect.read_sketches` reads it.
    text, id, settings, max_text, **overrides
        As for `dupdetect.spark.dedup`; there must be a column of ids. Rows that cannot be used are left out, and ids
        that repeat are not looked for.
    signatures : bool
        Whether to write signatures, 4 * num_perm bytes a document.

    Returns
    -------
    pyspark.sql.DataFrame
        What was written: ``id``, ``words``, ``digest``, ``band_keys``, ``fingerprints`` and ``signature``, hashes as
        signed numbers.

    Raises
    ------
    InputError
        A column is missing or cannot be used.
    """
    from pyspark.sql import types as T  # noqa: N812 - as everybody does

    chosen = Settings.of(settings, **overrides)
    refuse_words(chosen, "Spark")
    chosen = chosen.replace(within=None, between=None, per=None)  # which decide nothing of a sketch
    request = request_of(
        frame, chosen.replace(canonical="cleanest", canonical_column=None), text, id, check_max_text(max_text)
    )
    if request.id is None:
        raise InputError("the frame: there is no column of ids, by which sketches are known; name one")
    longs = T.ArrayType(T.LongType())
    columns = [
        T.StructField("id", type_of(frame, request.id)),
        T.StructField("words", T.LongType()),
        T.StructField("digest", T.BinaryType(), metadata={KEY: description(chosen, signatures)}),
        T.StructField("band_keys", longs),
        T.StructField("fingerprints", longs),
        *([T.StructField("signature", T.ArrayType(T.IntegerType()))] if signatures else []),
    ]
    session = Session(frame.sparkSession)
    with session.options():
        given, known = by_number(frame)
        names = list(dict.fromkeys((request.id, text)))
        read = given.select(*(known[name] for name in names))
        made = read.mapInArrow(_sketcher(request, names, signatures), T.StructType(columns))
        made.write.mode("overwrite").options(**PARQUET).parquet(path)
    return session.spark.read.parquet(path)


def _sketcher(
    request: Request, names: list[str], signatures: bool
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def sketch_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            n = batch.num_rows
            table = pa.Table.from_batches([batch]).rename_columns(names)
            piece = Piece(table, np.arange(n), np.zeros(n, np.int32), "the frame")
            checked = check(piece, request.text, request.id, [None], request.max_text)
            texts = clean_texts(pa.chunked_array(checked.texts.chunks, pa.large_string()).combine_chunks())
            sketches = sketch_texts(texts, request.settings, signatures=signatures)
            ids = checked.table[request.id]
            yield from pa.table({"id": ids, **_columns(sketches)}).combine_chunks().to_batches()

    return sketch_batches


def _columns(sketches: Sketches) -> dict[str, pa.Array]:
    """Return sketches as columns of types that Spark has."""
    n, digests = len(sketches), np.ascontiguousarray(sketches.digests, "<u8")

    def lists(values: NDArray[Any], offsets: NDArray[np.int64]) -> pa.Array:
        signed = np.ascontiguousarray(values).view(np.dtype(f"i{values.dtype.itemsize}"))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(signed))

    columns = {
        "words": pa.array(sketches.words),
        "digest": pa.array([row.tobytes() for row in digests], pa.large_binary()),
        "band_keys": lists(sketches.band_keys.reshape(-1), sketches.band_keys.shape[1] * np.arange(n + 1)),
        "fingerprints": lists(sketches.fingerprints.values, sketches.fingerprints.offsets),
    }
    if sketches.signatures is not None:
        width = sketches.signatures.shape[1]
        columns["signature"] = lists(sketches.signatures.reshape(-1), width * np.arange(n + 1))
    return columns
