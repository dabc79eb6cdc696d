"""The rows that stay, or all with their verdict, as one file or on standard output.

Input    a result, and where its rows are to go
Output   a file by its ending, written whole or not at all; or JSON Lines on standard output
Cost     that of `io.writers`; where the rows can be copied as they came, that of reading the files once more
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect._storage.atomic import Replacement, check_writable
from dupdetect.errors import OutputError
from dupdetect.io.archives import ending_of
from dupdetect.io.compression import compressed
from dupdetect.io.identifiers import rows_written, written
from dupdetect.io.originals import InStep
from dupdetect.io.selection import filtered
from dupdetect.io.writers import write_lines, write_table
from dupdetect.results.folder import check_apart

if TYPE_CHECKING:
    import pyarrow as pa

    from dupdetect.io.originals import Originals
    from dupdetect.io.paths import Found
    from dupdetect.results.result import Result

#: Standard output, as a name.
STANDARD_OUTPUT = "-"

FORMATS = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz", ".lz4": "lz4"}

#: Endings of files that are not written: a folder of such a name would be a mistake.
NOT_WRITTEN = frozenset(
    [
        *(".arrow", ".feather", ".ipc", ".orc", ".avro", ".parq", ".pq"),
        *(".json", ".tsv", ".txt", ".md", ".htm", ".html", ".xml", ".yaml", ".yml"),
        *(".xls", ".xlsx", ".ods", ".db", ".sqlite", ".pickle", ".pkl"),
    ]
)


class Target(NamedTuple):
    """One file.

    Attributes
    ----------
    path : str
    format : str
    compression : str, optional
    """

    path: str
    format: str
    compression: str | None

    @classmethod
    def of(cls, name: str | os.PathLike[str]) -> Target | None:
        """Return what a name says: one file, standard output, or None: a folder."""
        path = os.fspath(name)
        if path == STANDARD_OUTPUT:
            return cls(path, "jsonl", None)
        if Path(path).is_dir():
            return None
        if ending_of(path):
            raise OutputError(
                f"{path}: archives are read, and not written; name a folder, or a file that ends with "
                f"{', '.join(FORMATS)}"
            )
        compression = COMPRESSIONS.get(Path(path).suffix.lower())
        format = FORMATS.get((Path(path).with_suffix("") if compression else Path(path)).suffix.lower())
        if format == "parquet" and compression:
            raise OutputError(f"{path}: Parquet is compressed within; name a file that ends with .parquet")
        return None if format is None else cls(path, format, compression)

    def check(self, *, overwrite: bool, inputs: Iterable[Any] = ()) -> None:
        """Refuse a file that may not be written, or is one of the inputs, before the work is done.

        Raises
        ------
        OutputError
        """
        if self.path == STANDARD_OUTPUT:
            return
        check_writable(Path(self.path))
        if os.path.lexists(self.path) and not overwrite:
            raise OutputError(
                f"{self.path}: exists already; name another file, or overwrite it (overwrite=True, --overwrite)"
            )
        check_apart(self.path, inputs)


def check_folder_name(name: str | os.PathLike[str]) -> None:
    """Refuse for a new folder the name of a file that nobody writes.

    Raises
    ------
    OutputError
    """
    path, ending = os.fspath(name), Path(name).suffix.lower()
    if (ending in NOT_WRITTEN or ending in COMPRESSIONS) and not Path(path).is_dir():
        raise OutputError(
            f"{path}: files that end with {ending} are not written; name one that ends with {', '.join(FORMATS)}, or a "
            "folder"
        )


class NewRows:
    """Writes rows of an input while it is being read, some at a time, to a file or standard output.

    As `write_single` writes those that stay: records are copied where they have the format of the target, others are
    JSON Lines. What comes through a pipe is copied when the pipe has ended.

    Parameters
    ----------
    target : Target
        Of JSON Lines, or of CSV; a file is replaced.
    stream : file
        Binary, open.
    id, text : str
        The columns of ids and of texts.
    """

    def __init__(self, target: Target, stream: Any, id: str, text: str) -> None:
        self._target, self._stream, self._id, self._text = target, stream, id, text
        self._copied: InStep | None = None
        self._waiting: list[Originals] = []

    def write(self, table: pa.Table, chosen: Any, originals: Originals | None) -> None:
        """Write the chosen of some rows, which follow those before: a table, booleans, and where they stand in files.

        Raises
        ------
        InputError
            A file of the input has changed since it was read.
        """
        if originals is None or not _can_copy(originals.found, self._target):
            some = filtered(table, np.asarray(chosen))
            write_lines(rows_written(some, [self._id], self._text), self._stream)
        elif len(originals.row):
            some = originals.take(np.flatnonzero(chosen.to_numpy()))
            if any(file.piped for file in originals.found):
                self._waiting.append(some)
            else:
                self._copied = self._copied or InStep(originals)
                end = int(originals.file[-1]), int(originals.row[-1])
                self._stream.writelines(self._copied.records(some.file, some.row, end))
        self._stream.flush()

    def end(self) -> None:
        """Write what is left: all has been read."""
        file = np.concatenate([np.empty(0, np.int32), *(some.file for some in self._waiting)])
        row = np.concatenate([np.empty(0, np.int64), *(some.row for some in self._waiting)])
        if self._waiting:
            self._copied = InStep(self._waiting[0])
        if self._copied is not None:
            self._stream.writelines(self._copied.records(file, row))
            self._stream.flush()


def write_single(
    result: Result,
    target: Target,
    *,
    what: str = "kept",
    columns: Sequence[str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write one of the tables of a result.

    Parameters
    ----------
    result : Result
    target : Target
    what : {"kept", "annotated", "pairs"}
        The rows that stay, all rows with their verdict, or the verified pairs.
    columns : sequence of str, optional
        Of the input: those that are written; by default all. Without it records of files are copied byte for byte,
        where they have the format of the target.
    overwrite : bool

    Raises
    ------
    OutputError
        The file exists, is not permitted, or the disk is full.
    InputError
        There is no such column, or a file of the input has changed since it was read.
    """
    target.check(overwrite=overwrite, inputs=result.manifest.get("inputs", ()))
    table: Any
    if what == "pairs":
        table = result.matches if target.format == "parquet" else written(result.matches)
    else:
        rows = result.annotated_rows(columns) if what == "annotated" else result.kept_rows(columns)
        table = result.as_written(rows, target.format)
    copied = None if what != "kept" or columns is not None else _copied(result.originals, target)
    if target.path == STANDARD_OUTPUT:
        _write(table, copied, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with Replacement(target.path) as beside:
        if target.format == "jsonl" or copied is not None:
            with compressed(beside, target.compression) as stream:
                _write(table, copied, stream)
        elif target.compression is None:
            write_table(table, beside, target.format)
        else:
            plain = beside.with_name(beside.name + ".plain")
            try:
                write_table(table, plain, target.format)
                with plain.open("rb") as source, compressed(beside, target.compression) as stream:
                    while block := source.read(1 << 20):
                        stream.write(block)
            finally:
                plain.unlink(missing_ok=True)


def _copied(originals: Originals | None, target: Target) -> Iterator[bytes] | None:
    """Return the records that stay as they came, if they can be had so."""
    return originals.records() if originals is not None and _can_copy(originals.found, target) else None


def _can_copy(found: Sequence[Found], target: Target) -> bool:
    """Tell whether records of files can be copied as they came into one file."""
    if any(file.encoding is not None for file in found):
        return False
    formats = {file.format for file in found if file.fault is None}
    if formats == {"JSON Lines"} and target.format == "jsonl":
        return True
    return formats == {"CSV"} and target.format == "csv" and len(found) == 1


def check_copied(target: Target, found: Sequence[Found]) -> None:
    """Refuse a target that `NewRows` could not write rows of some files to.

    Raises
    ------
    OutputError
    """
    if target.format != "jsonl" and not _can_copy(found, target):
        raise OutputError(
            f"{target.path}: rows go there as they came, or as JSON Lines; a CSV file takes those of one CSV file in "
            "UTF-8 alone: name a file that ends with .jsonl"
        )


def _write(table: Any, copied: Iterator[bytes] | None, stream: Any) -> None:
    if copied is None:
        write_lines(table, stream)
        return
    for records in copied:
        stream.write(records)
