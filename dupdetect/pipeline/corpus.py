"""Documents read, cleaned and sketched, part by part, for the stages that follow.

Input    a stream of parts (`documents.stream`), settings, and how much memory there is
Output   `Corpus`: the documents' rows, ids and texts, and their sketches
Cost     one pass over all texts; on disk a write of the rows, their texts packed, and of 10 bytes for each key

Parts stay in memory until they would not fit. From then on they and those before are checkpoints: files that are
mapped, but for texts, which are packed and read where they are asked for. Texts of Parquet files are not written: they
are read again from there (`texts_again`). The stages that follow see the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage.texts import PackedTexts, StoredTexts, are_elsewhere, packed, text_lengths
from dupdetect.errors import InputError
from dupdetect.io.rejected import nothing_usable
from dupdetect.io.rows import Rows
from dupdetect.io.text_column import is_made
from dupdetect.io.texts_again import TextsInFiles, checksums
from dupdetect.matching.keys import Keys
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.sketches.sketches import identities, sketch_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import DiskStorage
    from dupdetect._storage.checkpoints import Checkpoints
    from dupdetect._storage.workspace import Workspace
    from dupdetect.io.documents import Part, Stream
    from dupdetect.io.originals import Originals
    from dupdetect.io.texts_again import FilesAgain
    from dupdetect.pipeline.related import Related
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]

#: Bytes of text in a part: large enough that all processors have work, small enough to have some in memory.
PART_BYTES = 64 << 20

#: Bytes of memory that a run takes for a byte of text, if nothing is on disk.
FOOTPRINT = 8

#: The array of how long texts are that stay in their files.
LENGTHS, SUMS = "text_lengths", "text_checksums"

#: Types of columns of texts that need not be stored beside the cleaned ones: they are the same bytes.
TEXT_TYPES = (pa.string(), pa.large_string())


class _StoredTable:
    """The rows of a part that is stored: a table, and in the place of one column texts that are read.

    Parameters
    ----------
    table : pyarrow.Table
        The other columns.
    column_names : list of str
        All columns.
    num_rows : int
    field : pyarrow.Field
        Of texts.
    read : callable
        Returns all texts.
    """

    def __init__(
        self,
        table: pa.Table,
        column_names: list[str],
        num_rows: int,
        field: pa.Field,
        read: Callable[[], pa.LargeStringArray],
    ) -> None:
        self._table, self.column_names, self.num_rows = table, column_names, num_rows
        self._field, self._read = field, read

    def select(self, names: Iterable[str]) -> pa.Table:
        """Return some columns; texts are read if theirs is among them."""
        fields, columns = [], []
        for name in names:
            texts = name == self._field.name
            fields.append(self._field if texts else self._table.schema.field(name))
            columns.append(self._read().cast(self._field.type) if texts else self._table[name])
        return pa.table(columns, schema=pa.schema(fields, self._table.schema.metadata))


class _Sketched(NamedTuple):
    """A part of the documents, sketched.

    Attributes
    ----------
    rows : pyarrow.Table or _StoredTable
    rejects : pyarrow.Table
    texts : pyarrow.LargeStringArray, PackedTexts or TextsInFiles
        Cleaned.
    arrays : dict of str to array
        What `Corpus` has of the same names; of two dimensions and of keys by their parts.
    note : dict
        Where reading goes on.
    text_column : str, optional
        The column of `rows` that need not be stored: it is `texts`, for cleaning changed nothing, or in files.
    in_files : TextsInFiles, optional
        The same as `texts`, if they can be read again.
    """

    rows: pa.Table | _StoredTable
    rejects: pa.Table
    texts: pa.LargeStringArray | PackedTexts | TextsInFiles
    arrays: dict[str, NDArray[Any]]
    note: dict[str, Any]
    text_column: str | None
    in_files: TextsInFiles | None = None

    def keys(self, of: str) -> Keys:
        """Return the keys "of" its bands or fingerprints."""
        return Keys(*(self.arrays[f"{of}_{field}"] for field in Keys._fields))


@dataclass(frozen=True, eq=False)
class Corpus:
    """n documents, of N rows that were read: some of these may be no documents after all, such as repeated ids.

    Attributes
    ----------
    rows : Rows
        The documents' rows, every column.
    ids : pyarrow.ChunkedArray
        n ids, unique, without nulls.
    places : int64[n]
        Which of the N rows each document is.
    words, digests : int64[n], uint64[n, 2]
    texts : pyarrow.ChunkedArray of large_string, or StoredTexts
        Cleaned texts of all N rows, by part.
    bands, fingerprints : list of Keys
        By part, their documents being rows.
    fingerprints_each : int64[N]
    rejects : pyarrow.Table
    inputs : list of str
    id : str, optional
        The column of ids; None where rows are numbered.
    files : list of str or None
    file, row : int32[N], int64[N]
        Where each row came from, the file by its number.
    id_type : pyarrow.DataType, optional
        That of ids in the input; None where they were made.
    originals : Originals, optional
        All N rows as they stand in their files.
    related : Related, optional
        The earlier documents that follow behind the new ones, if these are compared with any. `rows`, `texts` and what
        is said of rows are of the new ones alone.
    again : bool[new], optional
        The new documents that are among the earlier ones, by the same id.
    """

    rows: Rows
    ids: pa.ChunkedArray
    places: Int
    words: Int
    digests: NDArray[np.uint64]
    texts: pa.ChunkedArray | StoredTexts
    bands: list[Keys]
    fingerprints: list[Keys]
    fingerprints_each: Int
    rejects: pa.Table
    inputs: list[str]
    id: str | None
    files: list[str | None]
    file: NDArray[np.int32]
    row: Int
    id_type: pa.DataType | None = None
    originals: Originals | None = None
    related: Related | None = None
    again: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.places)

    @property
    def new(self) -> int:
        """How many of the documents are new: the first ones."""
        return len(self) - (0 if self.related is None else len(self.related))

    def origins(self) -> tuple[pa.Array, pa.Array]:
        """Return the file and the row of each new document."""
        places = self.places[: self.new]
        return pa.array(self.files, pa.string()).take(pa.array(self.file[places])), pa.array(self.row[places])

    def take(self, chosen: NDArray[np.bool_], rejects: pa.Table) -> Corpus:
        """Return the corpus of the chosen documents, with these further rejects."""
        return replace(
            self,
            rows=self.rows.take(chosen),
            ids=self.ids.filter(pa.array(chosen)),
            places=self.places[chosen],
            words=self.words[chosen],
            digests=self.digests[chosen],
            rejects=rejects,
        )


class Signing:
    """Sketches the parts of a stream.

    Parameters
    ----------
    column : str
        The column of texts.
    settings : Settings
    workers : int
    workspace : Workspace
        Opened once the parts do not fit in memory.
    told : callable
        Told how many documents are sketched.
    files : FilesAgain, optional
        Where texts can be read again, so that they need not be stored.

    Attributes
    ----------
    waited : float
        Seconds in which there was nothing to sketch.
    """

    def __init__(
        self,
        column: str,
        settings: Settings,
        workers: int,
        workspace: Workspace,
        told: Callable[[int], None],
        files: FilesAgain | None = None,
    ) -> None:
        self._column, self._settings, self._workers = column, settings, workers
        self._workspace, self._told = workspace, told
        # What a caller's own code cuts into words is not cut twice.
        self._files = None if callable(settings.words) else files
        self._checkpoints: Checkpoints | None = None
        self._parts: list[_Sketched] = []
        self._count = self._bytes = 0
        self.waited = 0.0

    @property
    def parts(self) -> int:
        """How many are sketched."""
        return len(self._parts)

    def resume(self) -> dict[str, Any] | None:
        """Take up the parts that an earlier run has finished; return where reading goes on."""
        self._checkpoints = self._workspace.open()
        while (part := _load(self._checkpoints, len(self._parts), self._files)) is not None:
            self._parts.append(part)
            self._count_in(part)
        return self._parts[-1].note if self._parts else None

    def sign(self, stream: Stream) -> Corpus:
        """Sketch all parts, and put them together.

        While one part is sketched the next is read, and the one before is written.
        """
        with ThreadPoolExecutor(1) as writer:
            writing: Future[_Sketched] | None = None
            for part in self._waiting(stream):
                sketched = self._sign(part)
                self._count_in(sketched)
                if self._checkpoints is None and FOOTPRINT * self._bytes > self._workspace.budget:
                    self._checkpoints = self._workspace.open()
                    for at, each in enumerate(self._parts):
                        self._parts[at] = _store(self._checkpoints, at, _pack(each, self._workers), self._files)
                if self._checkpoints is None:
                    self._parts.append(sketched)
                    continue
                waiting = _pack(sketched, self._workers)
                del sketched, part  # what is packed need not be in memory
                if writing is not None:
                    self._parts.append(writing.result())
                writing = writer.submit(_store, self._checkpoints, len(self._parts), waiting, self._files)
                del waiting
            if writing is not None:
                self._parts.append(writing.result())
        return _together(self._parts, stream)

    def _waiting(self, stream: Stream) -> Iterator[Part]:
        """Yield the parts of a stream, noting how long each took to come."""
        parts = iter(stream)
        while True:
            start = time.perf_counter()
            part = next(parts, None)
            self.waited += time.perf_counter() - start
            if part is None:
                return
            yield part

    def _sign(self, part: Part) -> _Sketched:
        texts = clean_texts(part.texts, self._settings.words, workers=self._workers)
        sketches = sketch_texts(pa.chunked_array([texts]), self._settings, workers=self._workers)
        digests = identities(texts, sketches)
        n, bands = sketches.band_keys.shape
        keys = (
            (sketches.band_keys.reshape(-1), bands * np.arange(n + 1)),
            (sketches.fingerprints.values, sketches.fingerprints.offsets),
        )
        by_band, fingerprints = on_threads(lambda each: Keys.of(*each, self._count), keys, self._workers)
        arrays = {
            "file": part.file,
            "row": part.row,
            "words": sketches.words,
            "digests": digests.reshape(-1),
            "fingerprints_each": sketches.fingerprints.lengths,
            **{f"bands_{field}": values for field, values in by_band._asdict().items()},
            **{f"fingerprints_{field}": values for field, values in fingerprints._asdict().items()},
        }
        there = self._column in part.table.column_names  # else all its rows were rejected
        plain, unchanged = there and part.table[self._column].type in TEXT_TYPES, texts is part.texts
        in_files = None
        if plain and self._files is not None and not is_made(self._column, part.table.schema):
            lengths = text_lengths(texts)
            in_files = TextsInFiles(self._files, part.file, part.row, lengths, clean=None if unchanged else clean_again)
        column = self._column if in_files is not None or (plain and unchanged) else None
        return _Sketched(part.table, part.rejects, texts, arrays, part.note, column, in_files)

    def _count_in(self, part: _Sketched) -> None:
        self._count += len(part.texts)
        self._bytes += part.texts.nbytes
        self._told(self._count)


def _together(parts: list[_Sketched], stream: Stream) -> Corpus:
    """Put parts together, without the rows that all of them together show to be no documents."""

    def joined(name: str, dtype: type) -> NDArray[Any]:
        return np.concatenate([np.empty(0, dtype), *(part.arrays[name] for part in parts)])

    file, row = joined("file", np.int32), joined("row", np.int64)
    found = [stream.ids(part.rows, part.arrays["file"], part.arrays["row"]) for part in parts]
    chunks = [chunk for ids in found for chunk in ids.chunks]
    ids = pa.chunked_array(chunks, found[0].type if found else pa.int64())
    dropped, late = stream.late(ids, file, row)
    stays = np.ones(len(row), np.bool_)
    stays[dropped] = False
    places = np.flatnonzero(stays)
    return Corpus(
        Rows([part.rows for part in parts], stream.schema, places),
        ids.filter(pa.array(stays)) if len(dropped) else ids,
        places,
        joined("words", np.int64)[places],
        joined("digests", np.uint64).reshape(-1, 2)[places],
        _texts(parts),
        [part.keys("bands") for part in parts],
        [part.keys("fingerprints") for part in parts],
        joined("fingerprints_each", np.int64),
        stream.rejects([*(part.rejects for part in parts), late]),
        stream.inputs,
        stream.id,
        stream.files,
        file,
        row,
        stream.id_type,
        stream.originals(file, row),
    )


def _texts(parts: list[_Sketched]) -> pa.ChunkedArray | StoredTexts:
    if any(are_elsewhere(part.texts) for part in parts):
        return StoredTexts([part.texts for part in parts])
    return pa.chunked_array([part.texts for part in parts], pa.large_string())


# ---- checkpoints ----


class _Packed(NamedTuple):
    """A part as it is stored.

    Attributes
    ----------
    rows : pyarrow.Table
        Without `_Sketched.text_column`.
    texts : dict of str to array, optional
        None where they stay in their files.
    keys : dict of str to array
    rejects : pyarrow.Table
        With what else there is of the part in its metadata.
    """

    rows: pa.Table
    texts: dict[str, NDArray[Any]] | None
    keys: dict[str, NDArray[Any]]
    rejects: pa.Table


def _pack(part: _Sketched, workers: int) -> _Packed:
    """Make a part ready to be stored."""
    assert isinstance(part.rows, pa.Table), "what is stored is not stored again"
    assert not are_elsewhere(part.texts)
    others = [column for column in part.rows.column_names if column != part.text_column]
    narrow = part.text_column is not None and part.rows.schema.field(part.text_column).type == pa.string()
    about = {"note": part.note, "columns": part.rows.column_names, "text": part.text_column, "narrow": narrow}
    texts, arrays = None, part.arrays
    if part.in_files is None:
        texts = packed(part.texts, workers)
    else:
        arrays = {**arrays, LENGTHS: part.in_files.lengths, SUMS: checksums(part.rows[part.text_column])}
        about["cleaned"] = part.in_files.clean is not None
    rejects = part.rejects.replace_schema_metadata({"about": json.dumps(about)})
    return _Packed(part.rows.select(others), texts, arrays, rejects)


def _store(checkpoints: Checkpoints, number: int, part: _Packed, files: FilesAgain | None) -> _Sketched:
    """Keep a part as checkpoints; the file that says where reading goes on comes last."""
    name = f"part-{number:06}"
    texts = None if part.texts is None else checkpoints.put_arrays(f"{name}.texts", part.texts)
    rows = checkpoints.put(f"{name}.rows", part.rows)
    keys = checkpoints.put_arrays(f"{name}.keys", part.keys)
    rejects = checkpoints.put(f"{name}.rejects", part.rejects)
    return _stored(rows, texts, keys, rejects, checkpoints.storage, files)


def _load(checkpoints: Checkpoints, number: int, files: FilesAgain | None) -> _Sketched | None:
    """Return a part of an earlier run, if it was finished."""
    name = f"part-{number:06}"
    rejects = checkpoints.get(f"{name}.rejects")
    if rejects is None:  # what else there is of the part was not finished
        return None
    rows, keys = checkpoints.get(f"{name}.rows"), checkpoints.get_arrays(f"{name}.keys")
    if rows is None or keys is None:
        return None
    texts = None if SUMS in keys else checkpoints.get_arrays(f"{name}.texts")
    if texts is None and (SUMS not in keys or files is None):
        return None
    return _stored(rows, texts, keys, rejects, checkpoints.storage, files)


def _stored(
    rows: pa.Table,
    packed_texts: dict[str, NDArray[Any]] | None,
    keys: dict[str, NDArray[Any]],
    rejects: pa.Table,
    storage: DiskStorage,
    files: FilesAgain | None,
) -> _Sketched:
    about = json.loads(rejects.schema.metadata[b"about"])
    column, rejects = about["text"], rejects.replace_schema_metadata(None)
    texts: PackedTexts | TextsInFiles
    originals: Callable[[], pa.LargeStringArray]
    if packed_texts is not None:
        texts = PackedTexts(packed_texts, storage)
        originals = texts.all
    else:
        assert files is not None, "who stored the part had them"
        clean = clean_again if about["cleaned"] else None
        texts = TextsInFiles(files, keys["file"], keys["row"], keys[LENGTHS], keys[SUMS], clean)
        originals = texts.originals
    if column is None:
        return _Sketched(rows, rejects, texts, keys, about["note"], None)
    field = pa.field(column, pa.string() if about["narrow"] else pa.large_string())  # the same bytes, other offsets
    table = _StoredTable(rows, about["columns"], len(texts), field, originals)
    return _Sketched(table, rejects, texts, keys, about["note"], column)


def clean_again(texts: pa.LargeStringArray, workers: int) -> pa.LargeStringArray:
    """Clean texts that were read again, as they were at first."""
    return clean_texts(texts, workers=workers)


def check_usable(corpus: Corpus) -> None:
    """Refuse an input of rejects alone; one without rows is an empty night."""
    if corpus.new or not corpus.rejects.num_rows:
        return
    raise InputError(nothing_usable(corpus.rejects))
