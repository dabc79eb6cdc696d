"""Earlier outputs: documents that are decided already, for new ones to be compared with.

Input    folders that `Result.write` wrote, and the keys, ids and words of the new documents
Output   `Related`: those of the earlier canonicals that have something in common with a new document, with their
         sketches; later, the texts of those that are candidates
Cost     a pass over the earlier sketches, some 8 µs a document; nothing that is not related is held, and of texts none
         is read but those that are asked for

An output holds the canonicals of its documents as ``kept.parquet``, and their ids in ``clusters.parquet``. If it was
written with its sketches (``sketches.parquet``), no earlier text is signed again; else all are, with a warning.

Most earlier documents share no key with any new one. They could only pair with one another, which was decided, so they
go at once; and so do the keys that no new document has, of those that stay. Of these keys it only counts how many they
are: a candidate pair shares enough of the rare keys of the smaller document (`candidates`), and which keys are frequent
is counted over all earlier documents.
"""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage.context import Context
from dupdetect.errors import InputError
from dupdetect.matching.keys import BUCKETS, SHIFT, Keys
from dupdetect.matching.pairs import distinct
from dupdetect.sketches.build import sketch_rows, texts_of
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.sketches.files import SketchFile
from dupdetect.sketches.sketches import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import Column, Storage
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Sketches

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]

MANIFEST, CLUSTERS, KEPT, SKETCHES = "manifest.json", "clusters.parquet", "kept.parquet", "sketches.parquet"
SUPERSEDED, BRIDGES, BOILERPLATE = "superseded.parquet", "digests.parquet", "boilerplate.parquet"

#: Rows of a table that are read at a time.
ROWS = 1 << 14

#: Fingerprints of all earlier documents are counted in so many places, by their lowest bits.
PLACES = 1 << 22

#: A set of keys is looked up in a table of bits first, of so many places for each key, and so many at the most.
BITS_EACH, BITS_MOST = 8, 1 << 28

#: Keys that are sorted into buckets at a time.
KEYS_AT_ONCE = 1 << 24


class KeySet:
    """A set of keys, to find which of others are in it.

    Parameters
    ----------
    parts : sequence of Keys
    storage : Storage
        Where they stand.
    """

    def __init__(self, parts: Sequence[Keys], storage: Storage) -> None:
        column = storage.column(np.uint64)
        for bucket in range(BUCKETS):
            within = [_turned(part.keys[part.bounds[bucket] : part.bounds[bucket + 1]]) for part in parts]
            column.append(distinct(np.concatenate([np.empty(0, np.uint64), *within])))
        self._turned = column.values  # sorted: equal buckets are together, and the first is the least
        places = min(BITS_MOST, 1 << (BITS_EACH * len(self._turned)).bit_length())
        self._mask = np.uint64(places - 1)
        self._bits = np.zeros(places, np.bool_)
        for first in range(0, len(self._turned), KEYS_AT_ONCE):
            self._bits[_turned(self._turned[first : first + KEYS_AT_ONCE]) & self._mask] = True

    def __len__(self) -> int:
        return len(self._turned)

    def __contains__(self, key: int) -> bool:
        return bool(self.has(np.array([key], np.uint64))[0])

    def has(self, keys: Hashes) -> Bool:
        """Mark the keys that are in the set: bool[n]."""
        found = self._bits[keys & self._mask]
        if len(self._turned):
            perhaps = np.flatnonzero(found)
            wanted = _turned(keys[perhaps])
            place = np.minimum(np.searchsorted(self._turned, wanted), len(self._turned) - 1)
            found[perhaps] = self._turned[place] == wanted
        return found  # type: ignore[no-any-return]


def _turned(keys: Hashes) -> Hashes:
    """Turn keys so that the bits of their bucket are the highest; turned twice they are what they were."""
    assert 64 - SHIFT - BUCKETS.bit_length() + 1 == 32  # half of them
    return keys << np.uint64(32) | keys >> np.uint64(32)


@dataclass(frozen=True, eq=False)
class Related:
    """The m earlier documents that have a key in common with a new one, or an id.

    Attributes
    ----------
    ids : pyarrow.ChunkedArray
    words, digests : int64[m], uint64[m, 2]
    is_digest : bool[m]
        Which were found to be digest documents.
    output, row : int32[m], int64[m]
        Which of the outputs each is of, and its row in its `KEPT`; ascending.
    bands, fingerprints : Ragged
        Their keys that a new document has, too.
    fingerprints_each : int64[m]
        How many fingerprints each has, without those that are frequent and of no new document.
    """

    ids: pa.ChunkedArray
    words: Int
    digests: Hashes
    is_digest: Bool
    output: NDArray[np.int32]
    row: Int
    bands: Ragged
    fingerprints: Ragged
    fingerprints_each: Int

    def __len__(self) -> int:
        return len(self.words)


class Earlier:
    """Earlier outputs.

    Parameters
    ----------
    paths : path or iterable of paths
        Folders that `Result.write` wrote, or folders of such folders. An output that was made against others goes
        with these.
    settings : Settings
        Of the new run; sketches must have been made with the same.
    text : str
        The column of texts, of outputs that do not say which it is.
    workers : int

    Attributes
    ----------
    folders : list of Path
    id_type : pyarrow.DataType
    documents : int
        How many documents they keep.

    Raises
    ------
    InputError
        A folder is no output, or damaged, or its tables are not Parquet.
    MismatchError
        Its sketches were made with other settings.
    """

    def __init__(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        settings: Settings,
        *,
        text: str = "text",
        workers: int = 1,
    ) -> None:
        self._settings, self._workers = settings, workers
        self.folders = find_outputs(paths)
        self._outputs = [_Output(folder, text) for folder in self.folders]
        self._work: tempfile.TemporaryDirectory[str] | None = None
        self._sketches = [self._opened(output) for output in self._outputs]  # None until they are made
        self.id_type = self._outputs[0].id_type
        for output in self._outputs[1:]:
            self.id_type = common_type(self.id_type, output.id_type, f"ids of {self.folders[0]} and {output.folder}")
        self._superseded = self._ids(SUPERSEDED)
        self.documents = sum(output.documents for output in self._outputs) - len(self._superseded.unique())

    @property
    def files(self) -> list[str]:
        """The files that decide what is found."""
        return [str(folder / name) for folder in self.folders for name in (MANIFEST, CLUSTERS, KEPT, SKETCHES)]

    @property
    def bytes(self) -> int:
        """How many bytes their sketches have, or about."""
        paths = ((folder / SKETCHES, folder / KEPT) for folder in self.folders)
        return sum((sketches if sketches.is_file() else kept).stat().st_size for sketches, kept in paths)

    def _opened(self, output: _Output) -> SketchFile | None:
        """Open the sketches of an output, if it has any."""
        path = output.folder / SKETCHES
        if not path.is_file():
            return None
        file = SketchFile(path, self._settings)
        if len(file) != output.documents:
            raise _not_of(path, f"they are of {len(file):,} documents, and {output.documents:,} were kept")
        return file

    @cached_property
    def boilerplate(self) -> tuple[Hashes, NDArray[np.int32]]:
        """What the outputs say is boilerplate: shingles (uint64[n], sorted, distinct) and their margins (int32[n])."""
        tables = [output.table(BOILERPLATE, ["shingle", "margin"]) for output in self._outputs]
        found = [table for table in tables if table is not None and table.num_rows]
        shingles = np.concatenate([np.empty(0, np.uint64), *(table["shingle"].to_numpy() for table in found)])
        margin = np.concatenate([np.empty(0, np.int64), *(table["margin"].to_numpy() for table in found)])
        order = np.argsort(shingles, kind="stable")
        shingles, margin = shingles[order], margin[order]
        first = np.flatnonzero(np.append(True, shingles[1:] != shingles[:-1])[: len(shingles)])
        return shingles[first], (np.add.reduceat(margin, first) if len(first) else margin).astype(np.int32)

    def related(
        self, keys: KeySet, ids: pa.ChunkedArray, storage: Storage, told: Callable[[int], None] = lambda _: None
    ) -> Related:
        """Find the documents that have one of the keys, or one of the ids.

        Parameters
        ----------
        keys : KeySet
            Band keys and fingerprints of the new documents.
        ids : pyarrow.ChunkedArray
            Of the new documents.
        storage : Storage
            Where what is known of them stands.
        told : callable
            Told how many documents have been looked at.
        """
        found = _Finding(keys, self._settings.hot_key_documents, storage)
        kind = ids.type if len(ids) else pa.null()
        type_ = common_type(self.id_type, kind, "ids of earlier and of new documents")
        type_ = pa.string() if pa.types.is_null(type_) else type_
        ids, is_digest, superseded = (as_type(each, type_) for each in (ids, self._ids(BRIDGES), self._superseded))
        seen = 0
        for number, output in enumerate(self._outputs):
            first, canonicals = 0, output.canonicals()
            for claimed, sketches in self._parts(number):
                own = canonicals.next(len(sketches))
                if not pa.chunked_array([claimed]).equals(own):
                    raise _not_of(output.folder / SKETCHES, "their ids are not those of the documents kept there")
                own = own.cast(type_)
                valid = ~_is_in(own, superseded)
                found.add(own, sketches, number, first, valid, _is_in(own, ids) & valid, _is_in(own, is_digest))
                first += len(sketches)
                told(seen + first)
            seen += first
        return found.related(type_)

    def texts(self, related: Related, chosen: Int) -> Iterator[pa.LargeStringArray]:
        """Read the texts of the chosen ones of related documents (int64[n], ascending), cleaned, in parts."""
        for number, output in enumerate(self._outputs):
            of_output = related.row[chosen[related.output[chosen] == number]]
            for table in output.rows(of_output, [output.text], self._workers):
                with _read(output.folder / KEPT):
                    texts = texts_of(table, output.text)
                yield clean_texts(texts, workers=self._workers)

    def rows(self, related: Related, chosen: Int, columns: list[str] | None) -> pa.Table:
        """Read rows of the chosen ones of related documents (int64[n], ascending): these columns, or all.

        Raises
        ------
        InputError
            An output has no such column, or other types than the others.
        """
        tables: list[pa.Table] = []
        for number, output in enumerate(self._outputs):
            lacking = [name for name in columns or () if name not in output.columns]
            if lacking:
                raise InputError(
                    f"{output.folder / KEPT}: there is no column {lacking[0]!r}, by which canonicals are chosen; the "
                    f"columns are {', '.join(map(repr, output.columns))}"
                )
            tables += output.rows(related.row[chosen[related.output[chosen] == number]], columns, self._workers)
        try:
            return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
        except pa.ArrowException as error:
            names = ", ".join(map(str, self.folders))
            raise InputError(f"{names}: the columns of these outputs differ in their types ({error})") from error

    def close(self) -> None:
        """Close the files, and remove those that were made."""
        for file in self._sketches:
            if file is not None:
                file.close()
        if self._work is not None:
            self._work.cleanup()

    def __enter__(self) -> Earlier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ids(self, name: str) -> pa.ChunkedArray:
        """Return the ids in a table of all outputs."""
        tables = [output.table(name, ["id"]) for output in self._outputs]
        found = [table["id"].cast(self.id_type) for table in tables if table is not None and table.num_rows]
        return pa.chunked_array([chunk for ids in found for chunk in ids.chunks], self.id_type)

    def _parts(self, number: int) -> Iterator[tuple[pa.Array, Sketches]]:
        """Yield the ids and sketches of an output, signing its texts if nobody has."""
        file = self._sketches[number]
        if file is None:
            file = self._sketches[number] = self._sign(number)
        yield from file.parts(signatures=False)

    def _sign(self, number: int) -> SketchFile:
        """Sign the texts of an output into a file of our own."""
        output = self._outputs[number]
        warnings.warn(
            f"{output.folder}: there is no {SKETCHES}, so {output.documents:,} texts are signed again; "
            "`dedup --sketches` writes one",
            stacklevel=2,
        )
        if self._work is None:
            self._work = tempfile.TemporaryDirectory(prefix="dupdetect-")
        path = Path(self._work.name) / f"{number}.parquet"
        tables, ids = output.all_rows([output.text]), output.canonicals().next(output.documents)
        sketch_rows(tables, ids, output.text, Context(self._settings, self._workers), path)
        return SketchFile(path, self._settings)


class _Finding:
    """Related documents, as they are found."""

    def __init__(self, keys: KeySet, frequent: int, storage: Storage) -> None:
        self._keys, self._frequent = keys, frequent
        self._ids: list[pa.ChunkedArray] = []
        self._columns: dict[str, Column] = {
            name: storage.column(dtype)
            for name, dtype in {
                "words": np.int64,
                "digests": np.uint64,
                "is_digest": np.bool_,
                "output": np.int32,
                "row": np.int64,
                "bands": np.uint64,
                "bands_each": np.int64,
                "fingerprints": np.uint64,
                "fingerprints_each": np.int64,
                "others": np.uint64,
                "others_each": np.int64,
            }.items()
        }
        self._count = np.zeros(PLACES, np.uint32)
        self._counted = 0

    def add(
        self,
        ids: pa.ChunkedArray,
        sketches: Sketches,
        output: int,
        first: int,
        valid: Bool,
        asked: Bool,
        is_digest: Bool,
    ) -> None:
        """Look at some documents: those that are valid, and take those that are related, or asked for."""
        fingerprints, bands = sketches.fingerprints, sketches.band_keys
        with_words = valid & (sketches.words > 0)  # all empty documents have the same keys, and are no copies
        self._tally(fingerprints.values[np.repeat(with_words, fingerprints.lengths)])
        known = self._keys.has(fingerprints.values)
        band_known = self._keys.has(bands.reshape(-1)).reshape(bands.shape)
        shared = np.append(0, np.cumsum(known))
        met = band_known.any(axis=1) | (shared[fingerprints.offsets[1:]] > shared[fingerprints.offsets[:-1]])
        chosen = np.flatnonzero(met & with_words | asked)
        if len(chosen) == 0:
            return
        self._ids.append(ids.take(pa.array(chosen)))
        taken, is_known = fingerprints.take(chosen), Ragged(fingerprints.offsets, known).take(chosen)  # type: ignore[arg-type]
        mine, each = is_known.values.astype(np.bool_), np.repeat(np.arange(len(chosen)), taken.lengths)
        columns: dict[str, Any] = {
            "words": sketches.words[chosen],
            "digests": sketches.digests[chosen].reshape(-1),
            "is_digest": is_digest[chosen],
            "output": np.full(len(chosen), output, np.int32),
            "row": first + chosen,
            "bands": bands[chosen][band_known[chosen]],
            "bands_each": band_known[chosen].sum(axis=1),
            "fingerprints": taken.values[mine],
            "fingerprints_each": np.bincount(each[mine], minlength=len(chosen)),
            "others": taken.values[~mine],
            "others_each": np.bincount(each[~mine], minlength=len(chosen)),
        }
        for name, values in columns.items():
            self._columns[name].append(values)

    def _tally(self, fingerprints: Hashes) -> None:
        np.add.at(self._count, (fingerprints & np.uint64(PLACES - 1)).astype(np.int64), np.uint32(1))
        self._counted += len(fingerprints)

    def related(self, id_type: pa.DataType) -> Related:
        """Return what was found."""
        held = {name: column.values for name, column in self._columns.items()}
        bands, fingerprints, others = (
            Ragged(_offsets(held[f"{n}_each"]), held[n]) for n in ("bands", "fingerprints", "others")
        )
        return Related(
            pa.chunked_array([chunk for ids in self._ids for chunk in ids.chunks], id_type),
            held["words"],
            held["digests"].reshape(-1, 2),
            held["is_digest"],
            held["output"],
            held["row"],
            bands,
            fingerprints,
            fingerprints.lengths + self._rare(others),
        )

    def _rare(self, others: Ragged) -> Int:
        """Count the keys of each document that are not frequent."""
        by_chance = self._counted / PLACES
        rare = [np.zeros(1, np.bool_)]
        for first in range(0, len(others.values), KEYS_AT_ONCE):
            places = (others.values[first : first + KEYS_AT_ONCE] & np.uint64(PLACES - 1)).astype(np.int64)
            rare.append(self._count[places] - by_chance <= self._frequent)
        counted = np.cumsum(np.concatenate(rare), dtype=np.int64)
        return counted[others.offsets[1:]] - counted[others.offsets[:-1]]


def _offsets(lengths: Int) -> Int:
    return np.append(0, np.cumsum(lengths))


# ---- folders ----


def find_outputs(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the outputs that are named, or stand in folders that are named: in order of their names there, each once.

    Raises
    ------
    InputError
        A folder is none, or holds no output.
    """
    given = [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
    found: dict[Path, Path] = {}
    for path in given:
        if (path / MANIFEST).is_file():
            inside = [path]
        elif path.is_dir():
            inside = sorted(each.parent for each in path.glob(f"*/{MANIFEST}"))
        else:
            raise InputError(f"{path}: there is no such folder; expected the output of an earlier run")
        if not inside:
            raise InputError(f"{path}: neither it nor a folder in it holds a {MANIFEST}; expected an earlier output")
        found |= {each.resolve(): each for each in inside if each.resolve() not in found}
    return list(found.values())


class _Output:
    """One earlier output."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        with _read(folder / MANIFEST):
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            self.text = manifest.get("columns", {}).get("text", text)
        for name in (CLUSTERS, KEPT):
            if not (folder / name).is_file():
                other = next(folder.glob(f"{Path(name).stem}.*"), None)
                why = "" if other is None else f", and {other.name} does not tell the types of ids and columns"
                raise InputError(f"{folder / name}: this table is missing{why}; write the output anew, as Parquet")
        with _read(folder / CLUSTERS), pq.ParquetFile(folder / CLUSTERS) as clusters:
            type_ = clusters.schema_arrow.field("id").type
            self.id_type = type_ if clusters.metadata.num_rows else pa.null()  # of no ids, any type will do
        with _read(folder / KEPT), pq.ParquetFile(folder / KEPT) as kept:
            self.documents: int = kept.metadata.num_rows
            self.columns: list[str] = kept.schema_arrow.names
        if self.documents and self.text not in self.columns:
            raise InputError(
                f"{folder / KEPT}: there is no column {self.text!r} of texts; the columns are "
                f"{', '.join(map(repr, self.columns))}: name the column as it is named there"
            )

    def table(self, name: str, columns: list[str]) -> pa.Table | None:
        """Read columns of one of the smaller tables, if it is there."""
        path = self.folder / name
        if not path.is_file():
            return None
        with _read(path):
            return pq.read_table(path, columns=columns, partitioning=None)

    def canonicals(self) -> _Feed:
        """Return the ids of the documents that were kept, in order."""
        return _Feed(self._canonicals(), self.id_type)

    def _canonicals(self) -> Iterator[pa.Array]:
        with _read(self.folder / CLUSTERS), pq.ParquetFile(self.folder / CLUSTERS) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=["id", "canonical"]):
                yield batch.column("id").filter(batch.column("canonical"))

    def all_rows(self, columns: list[str] | None) -> Iterator[pa.Table]:
        """Yield all rows that were kept, some at a time: these columns, or all."""
        with _read(self.folder / KEPT), pq.ParquetFile(self.folder / KEPT) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=columns):
                yield pa.Table.from_batches([batch])

    def rows(self, chosen: Int, columns: list[str] | None, workers: int) -> Iterator[pa.Table]:
        """Yield the chosen (int64[n], ascending) of the rows that were kept, a row group for each thread at a time."""
        with _read(self.folder / KEPT), pq.ParquetFile(self.folder / KEPT) as file:
            counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = np.append(0, np.cumsum(counts, dtype=np.int64))
        cuts = np.searchsorted(chosen, starts)
        groups = np.flatnonzero(np.diff(cuts)).tolist()

        def read(group: int) -> pa.Table:
            within = chosen[cuts[group] : cuts[group + 1]] - starts[group]
            with _read(self.folder / KEPT), pq.ParquetFile(self.folder / KEPT) as file:
                return file.read_row_group(group, columns=columns, use_threads=False).take(pa.array(within))

        for first in range(0, len(groups), workers):
            yield from on_threads(read, groups[first : first + workers], workers)


def kept_documents(folder: Path, text: str) -> Iterator[tuple[pa.ChunkedArray, pa.LargeStringArray, pa.Table]]:
    """Yield the ids, texts and rows of what an output keeps; its column of texts is `text` where it names none."""
    output = _Output(folder, text)
    ids = output.canonicals()
    for table in output.all_rows(None):
        yield ids.next(table.num_rows), texts_of(table, output.text), table


class _Feed:
    """Arrays, cut anew."""

    def __init__(self, arrays: Iterator[pa.Array], type_: pa.DataType) -> None:
        self._arrays, self._held, self._type = arrays, pa.chunked_array([], type_), type_

    def next(self, n: int) -> pa.ChunkedArray:
        """Return the next n values, or as many as there are."""
        while len(self._held) < n and (array := next(self._arrays, None)) is not None:
            self._held = pa.chunked_array([*self._held.chunks, array], self._type)
        taken, self._held = self._held.slice(0, n), self._held.slice(n)
        return taken


# ---- small things ----


def common_type(first: pa.DataType, second: pa.DataType, names: str) -> pa.DataType:
    """Return a type that ids of two types can have without becoming others.

    Raises
    ------
    InputError
        There is none: the types are of different kinds.
    """
    if first == second or pa.types.is_null(second):
        return first
    if pa.types.is_null(first):
        return second
    if _is_text(first) and _is_text(second):
        return pa.large_string()
    if pa.types.is_integer(first) and pa.types.is_integer(second):
        return (
            pa.unify_schemas([pa.schema([("id", first)]), pa.schema([("id", second)])], promote_options="permissive")
            .field(0)
            .type
        )
    raise InputError(f"{names} are {first} and {second}; give both ids of one type, or documents cannot be told apart")


def as_type(ids: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Return ids as a `common_type`; no ids can be of any."""
    return ids.cast(type_) if len(ids) else pa.chunked_array([], type_)


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _is_in(ids: pa.ChunkedArray, others: pa.Array | pa.ChunkedArray) -> Bool:
    """Mark the ids that are among others."""
    if len(others) == 0 or len(ids) == 0:
        return np.zeros(len(ids), np.bool_)
    return np.asarray(pc.is_in(ids, value_set=others).to_numpy())


@contextmanager
def _read(path: Path) -> Iterator[None]:
    """Say in one sentence what keeps a file from being read."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: the file is damaged or missing ({reason}); write the output anew") from error


def _not_of(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path}: these sketches are of other documents ({reason}); remove the file, or write it anew from {KEPT}"
    )
