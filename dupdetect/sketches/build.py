"""Texts and documents from anywhere to signatures, sketches and files of sketches.

Input    texts; or files or tables (`documents.stream`); settings
Output   signatures or `Sketches` of texts; of documents a file of sketches (`files`), and the rows that cannot be used
Cost     a pass over the texts; for a file a few parts of them in memory, and all ids; on disk the sketches, twice for a
         while

What goes into a file is cleaned first, as `dedup` does: it is what a run over the same documents would have.
`signatures` and `sketch` take texts as they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._storage.atomic import reported
from dupdetect._storage.context import check_workers
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.io.documents import collect, stream
from dupdetect.io.lists import joined_lists
from dupdetect.io.paths import ReadAs
from dupdetect.io.rejected import warn_of_rejects
from dupdetect.io.schema import plain_column
from dupdetect.settings import GivenSettings, Settings, SettingsKeywords
from dupdetect.sketches.cleaning import clean_texts, cut_texts
from dupdetect.sketches.files import SketchFile, SketchWriter
from dupdetect.sketches.sketches import sign_texts, sketch_texts

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from dupdetect._storage.context import Context
    from dupdetect.io.documents import Stream
    from dupdetect.sketches.sketches import Sketches


class Sketched(NamedTuple):
    """What was written.

    Attributes
    ----------
    documents : int
    rejects : pyarrow.Table
        ``file``, ``row``, ``reason`` of each row that could not be used.
    """

    documents: int
    rejects: pa.Table


def signatures(
    texts: Iterable[str] | Any,
    *,
    settings: GivenSettings = None,
    workers: int | None = None,
    **overrides: Unpack[SettingsKeywords],
) -> NDArray[np.uint32]:
    """Sign texts.

    Parameters
    ----------
    texts : iterable of str, or an Arrow array of strings
        Each must be a text: there are no rejects here.
    settings : Settings or mapping, optional
    workers : int, optional
        Threads; by default one for each processor.
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    uint32[n, num_perm]
        The `hashvalues` of the `datasketch.MinHash` of each text's shingles, scheme "affine32".

    Raises
    ------
    InputError
        An item is no text.

    Examples
    --------
    >>> signatures(["one two three", "one two three"], num_perm=64).shape
    (2, 64)
    """
    chosen, given, threads = _given(texts, settings, workers, overrides)
    return sign_texts(given, chosen, workers=threads)


def sketch(
    texts: Iterable[str] | Any,
    *,
    settings: GivenSettings = None,
    workers: int | None = None,
    **overrides: Unpack[SettingsKeywords],
) -> Sketches:
    """Sketch texts: `Sketches`, with their signatures; parameters and errors as for `signatures`.

    Examples
    --------
    >>> mine = sketch(["one two three"], seed=1)
    >>> mine.jaccard(sketch(["one two three"], seed=1))
    array([[1.]])
    >>> mine.jaccard(sketch(["one two three"], seed=2))
    Traceback (most recent call last):
        ...
    dupdetect.errors.MismatchError: these sketches were made with different settings (seed: 1 and 2) and cannot be \
compared; sketch both with the same
    """
    chosen, given, threads = _given(texts, settings, workers, overrides)
    return sketch_texts(given, chosen, workers=threads, signatures=True)


def _given(
    texts: Iterable[str] | Any, settings: GivenSettings, workers: int | None, overrides: SettingsKeywords
) -> tuple[Settings, pa.ChunkedArray, int]:
    """Read what `signatures` and `sketch` are given."""
    chosen = Settings.of(settings, **overrides)
    return chosen, given_texts(texts, chosen), check_workers(workers)


def given_texts(texts: Iterable[str] | Any, settings: Settings) -> pa.ChunkedArray:
    """Read texts that are given, each of which must be one, for a stage: cut, if the settings name a tokenizer."""
    import pyarrow as pa

    read = collect(texts, strict=True, how=ReadAs(listed=settings.listed)).texts
    return pa.chunked_array([cut_texts(chunk, settings.words) for chunk in read.chunks], pa.large_string())


def sketch_documents(
    data: Any,
    path: str | os.PathLike[str],
    settings: Settings,
    *,
    text: str = "text",
    id: str | None = None,
    signatures: bool = True,
    strict: bool = False,
    workers: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Sketched:
    """Sketch documents into a file.

    Parameters
    ----------
    data, text, id, strict
        As `dedup` takes them.
    path : path
        Replaced if it exists, whole or not at all.
    settings : Settings
    signatures : bool
        Whether to write signatures, 4 * num_perm bytes a document: band keys for other thresholds follow from them,
        and estimates of similarity.
    workers : int
        Threads; the file does not depend on it.
    told : callable
        Told how many rows are sketched.

    Raises
    ------
    InputError
        The data cannot be read, or a column is missing.
    OutputError
        The file cannot be written.
    """
    target = Path(path)
    with ExitStack() as stack:
        with reported(target):
            folder = stack.enter_context(temporary_folder(target.name, target.parent))
        # Which rows are documents, and what type ids have, is known when all has been read.
        numbered = folder / "numbered.parquet"
        reader = stream(data, text=text, id=id, strict=strict, how=ReadAs(listed=settings.listed))
        ids, stays, rejects = _sketch(reader, numbered, settings, id or "id", signatures, workers, told)
        with SketchFile(numbered, settings) as file, SketchWriter(target, settings) as writer:
            first = 0
            for _, sketches in file.parts():
                kept = np.flatnonzero(stays[first : first + len(sketches)])
                writer.add(ids.take(first + kept), sketches.take(kept))
                first += len(sketches)
    documents = int(stays.sum())
    warn_of_rejects(rejects, documents + rejects.num_rows)
    return Sketched(documents, rejects)


def sketch_rows(tables: Iterable[pa.Table], ids: pa.ChunkedArray, text: str, context: Context, path: Path) -> None:
    """Sketch rows of tables, one after the other, into a file; without signatures.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
    ids : pyarrow.ChunkedArray
        Of all their rows.
    text : str
        The column of texts.
    context : Context
    path : path
        As for `sketch_documents`.
    """
    first = 0
    with SketchWriter(path, context.settings) as writer:
        for table in tables:
            given = texts_of(table, text, context.settings)
            texts = clean_texts(given, context.settings.words, workers=context.workers)
            writer.add(ids.slice(first, len(texts)), sketch_texts(texts, context.settings, workers=context.workers))
            first += len(texts)


def texts_of(table: pa.Table, name: str, settings: Settings) -> pa.LargeStringArray:
    """Return a column of strings, or of bytes that are such, or of lists of words, as one array."""
    import pyarrow as pa

    plain = plain_column(table[name])
    column = joined_lists(plain)[0] if settings.listed else plain.cast(pa.large_string())
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.large_string())


def _sketch(
    reader: Stream,
    path: Path,
    settings: Settings,
    id: str,
    signatures: bool,
    workers: int,
    told: Callable[[int], None],
) -> tuple[pa.ChunkedArray, NDArray[np.bool_], pa.Table]:
    """Sketch all rows into a file; return their ids, which of them are documents, and the rejects."""
    import pyarrow as pa

    parts, rejects, count = [], [], 0
    with SketchWriter(path, settings) as writer:
        for part in reader:
            texts = clean_texts(part.texts, settings.words, workers=workers)
            sketches = sketch_texts(texts, settings, workers=workers, signatures=signatures)
            writer.add(np.arange(count, count + len(sketches)), sketches)
            count += len(sketches)
            told(count)
            parts.append(
                (part.table.select([name for name in part.table.column_names if name == id]), part.file, part.row)
            )
            rejects.append(part.rejects)
    arrays = [reader.ids(*part) for part in parts]
    chunks = [chunk for array in arrays for chunk in getattr(array, "chunks", [array])]
    ids = pa.chunked_array(chunks, None if chunks else pa.string())
    dropped, late = reader.late(
        ids,
        np.concatenate([np.empty(0, np.int32), *(file for _, file, _ in parts)]),
        np.concatenate([np.empty(0, np.int64), *(row for _, _, row in parts)]),
    )
    stays = np.ones(count, np.bool_)
    stays[dropped] = False
    return ids, stays, reader.rejects([*rejects, late])
