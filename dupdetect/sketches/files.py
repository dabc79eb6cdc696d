"""Sketches to files and back.

Input    ids and `Sketches`, in any number of parts; or a file of them
Output   a Parquet file, a row for each document; or the same ids and sketches, in parts of bounded size
Cost     some 200 MB/s to write, 250 to read; in memory a part of 16 MB, however large the file

A sketch file is Parquet, for any tool to read:

=================  ==============================  ==================================================================
column             type                            holds
=================  ==============================  ==================================================================
``id``             as the documents have it        no nulls
``words``          int64                           number of words
``digest``         fixed_size_binary[16]           stands for the words: two uint64, little endian
``band_keys``      fixed_size_list<uint64>[bands]  equal in a band: a pair of the LSH index
``fingerprints``   large_list<uint64>              sorted, distinct
``signature``      fixed_size_list<uint32>[..]     of `num_perm` entries; if they were kept
=================  ==============================  ==================================================================

Its metadata hold a JSON object (`KEY`): ``format``, ``settings`` (what decides a sketch, and the bands), ``versions``,
``ids`` (their type), ``documents``, and in ``parts`` for each row group the XXH3-64 of each column's values; and the
XXH3-64 of that object. They are compared when a file is read, so that a damaged file is an error and never a wrong
answer. Where row groups end depends on the documents alone: the same sketches make the same bytes, in whatever parts
they were given.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dupdetect._storage.atomic import Replacement, reported
from dupdetect.errors import InputError, MismatchError
from dupdetect.settings import Settings
from dupdetect.sketches import bands
from dupdetect.sketches.folders import read_folder
from dupdetect.sketches.sketches import Sketches, check_sketches
from dupdetect.sketches.table import (
    as_stored,
    check_settings,
    checked_ids,
    checksum,
    document_bytes,
    end_to_end,
    id_kind,
    no_sketches,
    of_table,
    table_schema,
    to_table,
)

if TYPE_CHECKING:
    import pyarrow as pa

#: Version of the format. A later one may be refused by this version of the library, an earlier one must be read.
FORMAT = 1

#: Where a file's metadata have its description, and the checksum of that.
KEY, KEY_SUM = b"dupdetect.sketches", b"dupdetect.sketches.xxh3"

#: Bytes of sketches from which on a row group is full.
PART_BYTES = 16 << 20


class SketchWriter:
    """Writes sketches to a file, part by part; the file appears when all are written, or not at all.

    Parameters
    ----------
    path : path
        Replaced if it exists.
    settings : Settings
        Those that the sketches were made with.

    Raises
    ------
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> import dupdetect, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> settings = dupdetect.Settings(num_perm=64)
    >>> with SketchWriter(f"{folder.name}/sketches.parquet", settings) as writer:
    ...     writer.add(["a", "b"], dupdetect.sketch(["one text", "another"], settings=settings))
    ...     writer.add(["c"], dupdetect.sketch(["and a third"], settings=settings))
    >>> ids, sketches = read_sketches(f"{folder.name}/sketches.parquet")
    >>> ids.to_pylist(), len(sketches)
    (['a', 'b', 'c'], 3)
    >>> folder.cleanup()
    """

    def __init__(self, path: str | os.PathLike[str], settings: Settings) -> None:
        self.path, self.settings = Path(path), settings
        self._pending: list[pa.Table] = []
        self._bytes = 0
        self._parts: list[dict[str, str]] = []
        self._documents = 0
        self._schema: pa.Schema | None = None
        self._id_kind = ""
        self._writer: Any = None
        self._raw: Any = None
        self._file = Replacement(self.path)

    def add(self, ids: Any, sketches: Sketches) -> None:
        """Write some documents.

        Parameters
        ----------
        ids : sequence or Arrow array
            One for each document, of one type in all parts, no nulls.
        sketches : Sketches
            All parts with signatures, or all without.

        Raises
        ------
        MismatchError
            The sketches were made with other settings than the file's, or only some have signatures.
        InputError
            The ids are not as many as the sketches, or of another type than those before.
        OutputError
            The disk is full.
        """
        import pyarrow as pa

        check_settings("the sketches", sketches.settings, self.settings, bands=True)
        table = to_table(checked_ids(ids, len(sketches)), sketches)
        if len(sketches) == 0 and pa.types.is_null(table["id"].type):
            return  # no documents, of no type
        if self._schema is None:
            self._id_kind = id_kind(table["id"].type)
            self._open(as_stored(table.schema))
        table = self._fitting(table)
        weights = np.cumsum(document_bytes(sketches))
        start, before = 0, -self._bytes
        while (full := int(np.searchsorted(weights, before + PART_BYTES))) < table.num_rows:
            self._pending.append(table.slice(start, full + 1 - start))
            self._flush()
            start, before = full + 1, int(weights[full])
        self._pending.append(table.slice(start))
        self._bytes = int(weights[-1]) - before if len(weights) else self._bytes

    def close(self) -> None:
        """Write what is left and give the file its name."""
        import pyarrow as pa

        if self._schema is None:  # nothing was added
            self._open(table_schema(pa.string(), self.settings.banding[0], None))
        self._flush()
        text = json.dumps(self._description(), sort_keys=True).encode()
        with reported(self.path):
            self._writer.add_key_value_metadata({KEY: text, KEY_SUM: xxhash.xxh3_64_hexdigest(text)})
            self._writer.close()
            self._raw.close()
        self._file.commit()

    def discard(self) -> None:
        """Leave nothing behind; a file that was there before stays."""
        with suppress(Exception):  # nobody wants to know that a file could not be finished that is taken away
            self._writer.close()
        with suppress(Exception):
            self._raw.close()
        self._file.discard()

    def __enter__(self) -> SketchWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.discard()

    def _open(self, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet

        self._schema = schema
        with reported(self.path):
            # Hashes have no repeats, no order and nothing to compress; ids and lengths have.
            self._raw = pa.OSFile(os.fsencode(self._file.path), "wb")
            self._writer = pyarrow.parquet.ParquetWriter(
                self._raw,
                schema,
                compression={"id": "zstd", "words": "zstd"},
                compression_level={"id": 1, "words": 1},
                use_dictionary=False,
                write_statistics=False,
            )

    def _fitting(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        schema = self._schema
        if schema is None or ("signature" in table.column_names) != ("signature" in schema.names):
            raise MismatchError("some of the sketches have signatures and some have none; make all of them alike")
        mine, theirs = (one.field("id").type for one in (schema, table.schema))
        try:
            if self._id_kind != id_kind(theirs):
                raise TypeError("of another type")
            return table.cast(schema)
        except (pa.ArrowException, TypeError) as error:
            raise InputError(
                f"the ids of these sketches are {theirs}, those before them {mine}; give all of them one type"
            ) from error

    def _flush(self) -> None:
        import pyarrow as pa

        table = pa.concat_tables([self._schema.empty_table(), *self._pending])  # type: ignore[union-attr]
        self._pending, self._bytes = [], 0
        if table.num_rows == 0:
            return
        self._parts.append({name: checksum(table[name]) for name in table.column_names})
        self._documents += table.num_rows
        with reported(self.path):
            self._writer.write_table(table.combine_chunks(), row_group_size=table.num_rows)

    def _description(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "settings": self.settings.sketching | {"bands": list(self.settings.banding)},
            "versions": _versions(),
            "ids": str(self._schema.field("id").type),  # type: ignore[union-attr]
            "documents": self._documents,
            "parts": self._parts,
        }


class SketchFile:
    """A file of sketches, open for reading.

    Parameters
    ----------
    path : path
    settings : Settings, optional
        Those of the run that the sketches are for. Left out, they are those of the file.

    Attributes
    ----------
    settings : Settings
        What the sketches have.
    documents : int
    signatures : bool
        Whether there are signatures.
    versions : dict
        Of the library that wrote the file, and of what decides what a word is.

    Raises
    ------
    InputError
        The file is missing, damaged, no file of sketches, or of a later format.
    MismatchError
        The sketches were made with other settings than those given.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Settings | None = None) -> None:
        import pyarrow as pa
        import pyarrow.parquet

        self.path = Path(path)
        with _read(self.path):
            self.path.open("rb").close()  # Python says more clearly than Arrow what is wrong with a path
            self._file = pyarrow.parquet.ParquetFile(pa.OSFile(os.fsencode(self.path)))
            said = _description(self.path, self._file.metadata.metadata or {})
            made = said["settings"]
            own = Settings(**(made | {"bands": tuple(made["bands"])}))
            self.documents: int = said["documents"]
            self.versions: dict[str, str] = said["versions"]
            self._parts: list[dict[str, str]] = said["parts"]
            self.signatures = "signature" in self._file.schema_arrow.names
            self._id_type = self._file.schema_arrow.field("id").type
            schema = table_schema(self._id_type, own.banding[0], own.num_perm if self.signatures else None)
            if not self._file.schema_arrow.equals(schema) or str(self._id_type) != said["ids"]:
                raise ValueError("its columns are not those that were written")
            if self._file.num_row_groups != len(self._parts):
                raise ValueError("parts are missing")
        self._banding = own.banding
        self.settings = settings or own
        # Band keys follow from signatures; without these they must be those that are wanted.
        check_settings(f"{self.path}: the sketches", own, self.settings, bands=not self.signatures)

    def __len__(self) -> int:
        return self.documents

    def parts(self, *, signatures: bool = True) -> Iterator[tuple[pa.Array, Sketches]]:
        """Yield ids and sketches of some documents after the other, some 16 MB at a time.

        Parameters
        ----------
        signatures : bool
            Whether to read signatures, if there are any: they are more than half of a file.

        Raises
        ------
        InputError
            The file is damaged.
        """
        again = self.settings.banding != self._banding
        columns = [name for name in self._file.schema_arrow.names if signatures or again or name != "signature"]
        read = 0
        for number, sums in enumerate(self._parts):
            with _read(self.path):
                table = self._file.read_row_group(number, columns=columns).combine_chunks()
                if any(checksum(table[name]) != sums[name] for name in columns):
                    raise ValueError("its checksums are not those of its contents")
                ids, sketches = of_table(table, self.settings, self._banding[0])
            read += len(sketches)
            if again:
                keys = bands.keys(sketches.signatures, *self.settings.banding)  # type: ignore[arg-type]
                kept = sketches.signatures if signatures else None
                sketches = Sketches(self.settings, sketches.words, sketches.digests, keys, sketches.fingerprints, kept)
            yield ids, sketches
        if read != self.documents:
            raise _damaged(self.path, "rows are missing")

    def read(self, *, signatures: bool = True) -> tuple[pa.ChunkedArray, Sketches]:
        """Return the ids and sketches of all documents; parameters and errors as for `parts`."""
        import pyarrow as pa

        parts = list(self.parts(signatures=signatures))
        nothing = no_sketches(self.settings, self.signatures and signatures)
        return pa.chunked_array([ids for ids, _ in parts], self._id_type), end_to_end(
            [nothing, *(part for _, part in parts)]
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close(force=True)

    def __enter__(self) -> SketchFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_sketches(path: str | os.PathLike[str], sketches: Sketches, ids: Any = None) -> None:
    """Write sketches to a file.

    Parameters
    ----------
    path : path
        Replaced if it exists, whole or not at all.
    sketches : Sketches
    ids : sequence or Arrow array, optional
        One for each document; by default they are numbered from 0.

    Raises
    ------
    InputError
        The ids are not as many as the sketches, or these are something else.
    OutputError
        The file cannot be written.
    """
    check_sketches(sketches)
    with SketchWriter(path, sketches.settings) as writer:
        writer.add(np.arange(len(sketches)) if ids is None else ids, sketches)


def read_sketches(path: str | os.PathLike[str], settings: Settings | None = None) -> tuple[pa.ChunkedArray, Sketches]:
    """Read the sketches of a file, or of a folder that Spark wrote; parameters and errors as `SketchFile` has them.

    Returns
    -------
    pyarrow.ChunkedArray
        The ids of the documents.
    Sketches
        With signatures, if these were written.
    """
    if Path(path).is_dir():
        return read_folder(Path(path), settings)
    with SketchFile(path, settings) as file:
        return file.read()


def _description(path: Path, metadata: dict[bytes, bytes]) -> dict[str, Any]:
    """Return what a file says of itself."""
    text = metadata.get(KEY)
    if text is None:
        raise InputError(f"{path}: this is no file of sketches; expected one that `dupdetect sketch` wrote")
    said: dict[str, Any] = json.loads(text)
    if said["format"] > FORMAT:
        raise InputError(
            f"{path}: the sketches are in format {said['format']}, of dupdetect {said['versions']['dupdetect']}; this "
            f"version reads formats up to {FORMAT}: update dupdetect, or sketch the texts anew"
        )
    if metadata.get(KEY_SUM, b"").decode() != xxhash.xxh3_64_hexdigest(text):
        raise ValueError("its checksums are not those of its contents")
    return said


def _versions() -> dict[str, str]:
    """Return the versions of what decides a sketch."""
    import unicodedata
    from importlib.metadata import version

    from dupdetect import __version__

    return {"dupdetect": __version__, "unicode": unicodedata.unidata_version, "regex": version("regex")}


@contextmanager
def _read(path: Path) -> Iterator[None]:
    """Say in one sentence what keeps a file from being read."""
    import pyarrow as pa

    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InputError(f"{path}: the sketches cannot be read: {os.strerror(error.errno or 0)}") from error
    except (OSError, pa.ArrowException, ValueError, LookupError, TypeError, OverflowError, MemoryError) as error:
        raise _damaged(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path}: the file is damaged or cut short ({reason}); sketch the texts anew")
