"""Rows of files to files that hold some of them, as they came.

Input    the files that were read, and which of their rows stay
Output   for each file one of the same format, compression and name: records of JSON Lines and CSV byte for byte, rows
         of Parquet and Arrow in the file's own schema, texts whole
Cost     the files are read once more, of Parquet only row groups of which something stays; no row is parsed

The readers number rows as `jsonlines.records` and `csv.records` do, so that a row is found again by its number.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io import csv as csvfiles
from dupdetect.io import jsonlines
from dupdetect.io.arrow_compression import body_compression
from dupdetect.io.compression import compressed
from dupdetect.io.encodings import Encoder
from dupdetect.io.parquet import is_all_int96, unit_of_int96
from dupdetect.io.paths import COMPRESSIONS, FORMATS, ONE_TEXT, STANDARD_INPUT, Found, label
from dupdetect.io.remote import as_url, stamp
from dupdetect.io.rows import Rows
from dupdetect.io.selection import taken
from dupdetect.io.streams import MAX_TEXT, Mapped, Records, as_file, as_stream, reported, seekable
from dupdetect.io.writers import Tables, write_parquet

Int = NDArray[np.int64]
Stamp: TypeAlias = tuple[int, str, str]

KEPT = "kept"

#: Bytes of a Parquet file's rows that are read at a time, about; and rows.
BATCH_BYTES, MOST_ROWS = 8 << 20, 1 << 13

#: What the system says where a file cannot grow: the disk is full, or a quota or a limit is reached.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, eq=False)
class Originals:
    """Rows of files.

    Attributes
    ----------
    found : sequence of Found
        The files.
    file, row : int32[n], int64[n]
        The number of each row's file, and its number there: ascending.
    stamps : sequence of tuple
        What tells that a file is as it was when it was read.
    names : sequence of str
        The path of each file in an output (`places`).
    most : int
        Bytes that a record may have.
    """

    found: Sequence[Found]
    file: NDArray[np.int32]
    row: Int
    stamps: Sequence[Stamp]
    names: Sequence[str]
    most: int = MAX_TEXT

    def take(self, places: Int) -> Originals:
        """Return the rows at some places, which ascend."""
        return replace(self, file=self.file[places], row=self.row[places])

    @property
    def files(self) -> list[str]:
        """The files that `write` makes, in the order of the rows: their paths in the folder."""
        return [self.names[number] for number in self._written()]

    def _written(self) -> list[int]:
        """Return the numbers of the files that are written: of texts those that stay."""
        counts = np.bincount(self.file, minlength=len(self.found)).tolist()
        first = {file.path: at for at, file in reversed(list(enumerate(self.found)))}
        once = [first[file.path] == at for at, file in enumerate(self.found)]
        return [at for at, count in enumerate(counts) if count or (once[at] and self._has_records(at))]

    def _has_records(self, number: int) -> bool:
        file = self.found[number]
        return file.format not in ONE_TEXT and file.fault is None

    def write(self, folder: Path, held: Rows | None = None) -> None:
        """Write all files into a folder.

        Parameters
        ----------
        folder : Path
        held : Rows, optional
            The same rows, all columns. Where they are in memory as the one file has them, it is not read again.

        Raises
        ------
        InputError
            A file is not any more what was read.
        OSError
        """
        counts = np.bincount(self.file, minlength=len(self.found))
        ends = np.cumsum(counts)
        for number in self._written():
            path = folder / self.names[number]
            path.parent.mkdir(parents=True, exist_ok=True)
            self._copy(number, self.row[ends[number] - counts[number] : ends[number]], path, held)

    def records(self) -> Iterator[bytes]:
        """Yield the records of files of JSON Lines or CSV that stay, one file after the other, each ended by a line.

        Raises
        ------
        InputError
            A file is not any more what was read.
        """
        yield from InStep(self).records(self.file, self.row)

    def _copy(self, number: int, rows: Int, path: Path, held: Rows | None) -> None:
        self.check(number)
        with _reported(self.found[number]):
            file = self.found[number]
            copy = _COPIERS[file.format]
            if file.format == "Parquet" and len(self.found) == 1:
                copy = partial(_copy_parquet, held=held)
            again = file.encoding is not None or file.format not in (*ONE_TEXT, "JSON Lines", "CSV", "lines")
            # What reads a member of an archive twice, or jumps about in it, reads a copy.
            copy(seekable(file) if again else file, rows, path, self.most)

    def check(self, number: int) -> None:
        """Refuse a file, by its number, that is not any more what was read."""
        file = self.found[number]
        if not is_as_it_was(file, self.stamps[number]):
            raise InputError(
                f"{label(file.path)}: the file has changed since it was read, so what is kept of it cannot be copied; "
                "run again, or have it written from memory with kept='parquet' (--kept parquet)"
            )


class InStep:
    """Copies records of files of JSON Lines or CSV while the files are read: of some rows, and then of later ones.

    Parameters
    ----------
    originals : Originals
        It names the files; its rows are not looked at.
    """

    def __init__(self, originals: Originals) -> None:
        self._originals, self._number = originals, 0
        self._blocks: Iterator[Records] | None = None
        self._held: Records | None = None
        self._last = b"\n"

    def records(self, file: NDArray[np.int32], row: Int, end: tuple[int, int] | None = None) -> Iterator[bytes]:
        """Yield the records of some rows, which follow those that were asked for before; each file ends with a line.

        Parameters
        ----------
        file, row : int32[n], int64[n]
            Ascending.
        end : (int, int), optional
            The file and row up to which has been read; by default all of them.

        Raises
        ------
        InputError
            A file is not any more what was read.
        """
        while self._number < len(self._originals.found) and (end is None or self._number <= end[0]):
            first, last = np.searchsorted(file, (self._number, self._number + 1))
            limit = end[1] if end is not None and end[0] == self._number else None
            source = self._originals.found[self._number]
            if source.fault is not None:
                self._number += 1
                continue
            with _reported(source):
                if self._blocks is None:
                    self._originals.check(self._number)
                    self._blocks, self._encoder = records_of(source, self._originals.most), Encoder(encoding_of(source))
                for records in self._until(self._blocks, limit):
                    if records.data == jsonlines.BOM:  # it is of the file, and behind other lines it would be no JSON
                        continue
                    kept = self._encoder.encode(_kept(records, row[first:last]))
                    self._last = kept[-1:] or self._last
                    yield kept
            if limit is not None:
                return
            if self._last not in b"\r\n":
                yield b"\n"
            self._number, self._blocks, self._last = self._number + 1, None, b"\n"

    def _until(self, blocks: Iterator[Records], limit: int | None) -> Iterator[Records]:
        """Yield the records up to that of some row, or all that are left."""
        while True:
            held, self._held = self._held or next(blocks, None), None
            if held is None:
                return
            count = len(held.rows) if limit is None else int(np.searchsorted(held.rows, limit, side="right"))
            if count == len(held.rows):
                yield held
                continue
            data, ends, rows = held
            at = int(ends[count - 1]) if count else 0
            self._held = Records(data[at:], ends[count:] - at, rows[count:])
            if count:
                yield Records(data[:at], ends[:count], rows[:count])
            return


@contextmanager
def _reported(file: Found) -> Iterator[None]:
    """Report errors as those of the file that is copied, unless it is the copy that has no room."""
    try:
        with reported(file):
            yield
    except InputError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_ROOM:
            raise error.__cause__ from None
        raise


def stamp_of(file: Found) -> Stamp:
    """Return what tells that a file is as it was: its size, what changes with it, and which it is."""
    if file.piped:
        return 0, "", ""
    url = as_url(file.path)
    if url is not None:
        return *stamp(url), ""
    known = os.stat(file.path if file.member is None else file.member.archive.path)  # noqa: PTH116 - any bytes
    return known.st_size, str(known.st_mtime_ns), str(known.st_ino)


def is_as_it_was(file: Found, before: Stamp) -> bool:
    """Tell whether a file is as it was; records of one that has grown, such as a log, are still there."""
    try:
        now = stamp_of(file)
    except OSError:
        return False
    if file.format in ("JSON Lines", "CSV") and file.member is None:
        return now == before or (now[0] > before[0] and now[2] == before[2] != "")
    return now == before


def places(found: Sequence[Found], named: Sequence[str]) -> list[str]:
    """Return where each file has its rows in an output, as paths there, in valid Unicode.

    Parameters
    ----------
    found : sequence of Found
    named : sequence of str
        The files, folders, globs and URLs that these were found by. One file has the name of the table, with its own
        ending; of several, or a folder, there is a folder that mirrors what all of them have in common. Of files that
        would have one place there, for one was named twice or letters of a name are no UTF-8, the later ones have a
        folder of their own in it.
    """
    named = ["-" if STANDARD_INPUT.fullmatch(name) else name for name in named]
    if named == [file.path for file in found] and len(found) == 1:
        return [KEPT + _ending(found[0])]
    folders = [_folder(name) for name in named]
    common = 0
    while all(len(parts) > common for parts in folders) and len({parts[common] for parts in folders}) == 1:
        common += 1
    taken: dict[str, None] = {}
    for file in found:
        within, name = "", label("/".join(_parts(file.path)[common:])) + (_ending(file) if file.piped else "")
        number = 1
        while f"{KEPT}/{within}{name}" in taken:
            number += 1
            within = f"({number})/"
        taken[f"{KEPT}/{within}{name}"] = None
    return list(taken)


def _folder(named: str) -> list[str]:
    """Return the folder that all files have in common that something stands for."""
    parts = _parts(named)
    magic = [at for at, part in enumerate(parts) if glob.has_magic(part)]
    if magic and not Path(named).exists():
        return parts[: magic[0]]
    return parts if Path(named).is_dir() or (as_url(named) and not Path(named).suffix) else parts[:-1]


def _parts(path: str) -> list[str]:
    url = as_url(path)
    if url is not None:
        return url.split("?")[0].replace("://", "/").rstrip("/").split("/")
    whole = path if path == "-" else os.path.abspath(path)  # noqa: PTH100 - links stay
    return Path(whole).as_posix().lstrip("/").split("/")


def _ending(file: Found) -> str:
    """Return how the name of a file ends."""
    path = Path(file.path.split("?")[0])
    packed = path.suffix if path.suffix.lower() in COMPRESSIONS else ""
    ending = Path(path.name.removesuffix(packed)).suffix
    if file.format in ONE_TEXT:
        return (ending or ".txt") + packed
    if file.format == "lines":
        return (ending or ".txt") + packed
    if FORMATS.get(ending.lower()) != file.format:
        ending = next(name for name, format in FORMATS.items() if format == file.format)
    return ending + packed


# ---- formats ----


def _copy_records(file: Found, rows: Int, path: Path, most: int) -> None:
    encoder = None
    with compressed(path, file.compression) as target:
        for records in records_of(file, most):
            encoder = encoder or Encoder(encoding_of(file))
            target.write(encoder.encode(_kept(records, rows)))


def _kept(records: Records, rows: Int) -> bytes:
    """Return the bytes of the records of rows that stay, and of what is no row, as the file has them."""
    stays = staying(records.rows, rows)
    if stays.all():
        return records.data
    lengths = np.diff(records.ends, prepend=0)
    return np.frombuffer(records.data, np.uint8)[np.repeat(stays, lengths)].tobytes()


def staying(numbers: Int, rows: Int) -> NDArray[np.bool_]:
    """Mark the records that are kept, by their numbers, given the rows that stay, which ascend."""
    return np.asarray((numbers == 0) | _is_among(numbers, rows))


def records_of(file: Found, most: int = MAX_TEXT) -> Iterator[Records]:
    """Yield all records of a file of JSON Lines or CSV, in UTF-8, numbered as the readers do; what is no row by 0."""
    if file.format == "CSV":
        yield from csvfiles.records(lambda: as_stream(file), label(file.path), csvfiles.delimiter_of(file), most)
        return
    with as_stream(file) as stream:
        yield from jsonlines.records(stream, most)


def encoding_of(file: Found) -> str | None:
    """Return how a file is encoded exactly; None: in UTF-8."""
    if file.encoding is None:
        return None
    with as_stream(file) as stream:
        return str(stream.encoding)


def _is_among(numbers: Int, rows: Int) -> NDArray[np.bool_]:
    """Mark the numbers that are among rows, which ascend."""
    places = np.minimum(np.searchsorted(rows, numbers), len(rows) - 1)
    return rows[places] == numbers if len(rows) else np.zeros(len(numbers), np.bool_)


def _copy_parquet(file: Found, rows: Int, path: Path, _most: int, held: Rows | None = None) -> None:
    source = as_file(file)
    reader = pyarrow.parquet.ParquetFile(source, pre_buffer=False)
    if unit := unit_of_int96(source, reader.metadata):
        reader = pyarrow.parquet.ParquetFile(source, pre_buffer=False, coerce_int96_timestamp_unit=unit)
    table: Tables = _RowGroups(reader, rows - 1)
    if held is not None and held.num_rows == len(rows) and held.are_at_hand and _are_as_read(held.schema, table.schema):
        table = _Held(held, table.schema)
    with compressed(path, file.compression) as target:
        # Items of lists have the names that they have in the file: "element", as Parquet asks, or another. What wrote
        # INT96 may not read what else there is for moments: Spark takes no nanoseconds.
        as_there = {
            "use_compliant_nested_type": False,
            "use_deprecated_int96_timestamps": is_all_int96(reader.metadata),
        }
        write_parquet(table, target, compression=_codecs(reader.metadata, table.schema, as_there), **as_there)


def _are_as_read(schema: pa.Schema, of_file: pa.Schema) -> bool:
    """Whether rows of a schema are as a file has them; values of dictionaries may be numbered otherwise."""
    plain = not any("dictionary" in str(field.type) for field in of_file)
    return plain and bool(schema.with_metadata(of_file.metadata).equals(of_file, check_metadata=True))


class _Held:
    """Rows that are in memory, in the schema of their file."""

    def __init__(self, rows: Rows, schema: pa.Schema) -> None:
        self._rows, self.schema = rows, schema

    def __iter__(self) -> Iterator[pa.Table]:
        for table in self._rows:
            yield table.replace_schema_metadata(self.schema.metadata)


class _RowGroups:
    """The chosen rows of a Parquet file, as they are stored, some at a time."""

    def __init__(self, reader: pyarrow.parquet.ParquetFile, rows: Int) -> None:
        self._reader, self._rows, self.schema = reader, rows, reader.schema_arrow

    def __iter__(self) -> Iterator[pa.Table]:
        first = 0
        for group in range(self._reader.num_row_groups):
            count = self._reader.metadata.row_group(group).num_rows
            here = self._rows[slice(*np.searchsorted(self._rows, (first, first + count)))]
            if len(here):
                size = self._reader.metadata.row_group(group).total_byte_size
                rows = max(1, min(MOST_ROWS, count * BATCH_BYTES // max(1, size)))
                for batch in self._reader.iter_batches(batch_size=rows, row_groups=[group]):
                    yield _chosen(batch, here - first, self.schema)
                    first += batch.num_rows
            else:
                first += count


def _chosen(batch: pa.RecordBatch, rows: Int, schema: pa.Schema) -> pa.Table:
    """Return some rows of a batch; numbers are from its first on, and may go beyond it."""
    table = pa.Table.from_batches([batch], batch.schema).replace_schema_metadata(schema.metadata)
    within = rows[slice(*np.searchsorted(rows, (0, batch.num_rows)))]
    return table if len(within) == batch.num_rows else taken(table, within)


def _codecs(metadata: Any, schema: pa.Schema, as_there: dict[str, bool]) -> Any:
    """Return how each column of a file is compressed, by the path that it is going to have."""
    if not metadata.num_row_groups:
        return "snappy"
    group = metadata.row_group(0)
    codecs = [_CODECS.get(group.column(place).compression, "NONE") for place in range(metadata.num_columns)]
    if len(set(codecs)) == 1:
        return codecs[0]
    # Lists of old writers have other groups within, so that their paths are not those of the file.
    sink = pa.BufferOutputStream()
    pyarrow.parquet.ParquetWriter(sink, schema, **as_there).close()
    columns = pyarrow.parquet.read_metadata(pa.BufferReader(sink.getvalue())).schema
    return {columns.column(place).path: codec for place, codec in enumerate(codecs)}


_CODECS = {name: name for name in ("SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4")}


def _copy_arrow(file: Found, rows: Int, path: Path, _most: int) -> None:
    mapped = Mapped(file)
    is_file = mapped.source.read(6) == b"ARROW1"
    mapped.source.seek(0)
    options = pyarrow.ipc.IpcWriteOptions(compression=body_compression(mapped, is_file), emit_dictionary_deltas=True)
    reader = (pyarrow.ipc.open_file if is_file else pyarrow.ipc.open_stream)(mapped.source)
    numbers = range(reader.num_record_batches) if is_file else ()
    batches = (
        map(reader.get_batch_with_custom_metadata, numbers) if is_file else reader.iter_batches_with_custom_metadata()
    )
    first, new = 1, (pyarrow.ipc.new_file if is_file else pyarrow.ipc.new_stream)
    of_file = {"metadata": reader.metadata} if is_file and getattr(reader, "metadata", None) else {}
    with compressed(path, file.compression) as target, new(target, reader.schema, options=options, **of_file) as writer:
        for batch, metadata in batches:
            some = _chosen(batch, rows - first, reader.schema)
            first += batch.num_rows
            for part in mapped.copied(some).to_batches() if some.num_rows else ():
                writer.write_batch(part, custom_metadata=metadata)


def _copy_orc(file: Found, rows: Int, path: Path, _most: int) -> None:
    from pyarrow.orc import ORCFile, ORCWriter

    reader = ORCFile(as_file(file))
    first, new = 1, {"compression": reader.compression.lower()}
    with compressed(path, file.compression) as target, ORCWriter(target, **new) as writer:
        for number in range(reader.nstripes):
            stripe = reader.read_stripe(number)
            writer.write(_chosen(stripe, rows - first, stripe.schema))
            first += stripe.num_rows
        if not reader.nstripes:
            writer.write(reader.schema.empty_table())


def _copy_text(file: Found, _rows: Int, path: Path, _most: int) -> None:
    whole = file._replace(compression=None, encoding=None)
    with as_stream(whole) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


_COPIERS: dict[str, Callable[[Found, Int, Path, int], None]] = {
    "JSON Lines": _copy_records,
    "CSV": _copy_records,
    "Parquet": _copy_parquet,
    "Arrow": _copy_arrow,
    "ORC": _copy_orc,
    "lines": _copy_records,
    **dict.fromkeys(ONE_TEXT, _copy_text),
}

#: Formats of which rows can be copied.
COPIED = frozenset(_COPIERS)
