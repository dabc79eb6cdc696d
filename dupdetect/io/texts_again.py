"""Texts of Parquet files, read again where they are asked for: a large input then need not be stored a second time.

Input    the files that were read, and which of their rows
Output   the texts of these rows
Cost     a pass over the column of texts; of rows that are asked for in order, one pass for all of them. A checksum of
         each text tells that it is the one that was read first

Only files that stay where they are can be read again: no pipes, members of archives or URLs. Of formats that are
parsed, such as JSON Lines, a compressed copy is read faster than they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from dupdetect._compiled.forks import Lock
from dupdetect.errors import InputError
from dupdetect.io.originals import Stamp, is_as_it_was
from dupdetect.io.parquet import row_group, schema_of, unfolded
from dupdetect.io.paths import Found, label
from dupdetect.io.read_ahead import one_ahead
from dupdetect.io.readers import cut
from dupdetect.io.remote import as_url
from dupdetect.io.streams import as_file, reported

Int = NDArray[np.int64]

#: Bytes of rows that are read at a time, about: one more is read ahead.
BATCH_BYTES = 8 << 20


def can_be_read_again(file: Found) -> bool:
    """Tell whether texts of a file are had again sooner than they would be written and read."""
    known = file.piped or file.member is not None or file.compression is not None or file.fault is not None
    return file.format == "Parquet" and not known and not as_url(file.path)


class FilesAgain:
    """Files whose column of texts is read again.

    Parameters
    ----------
    found : sequence of Found
        Files that `can_be_read_again`.
    stamps : sequence of tuple
        What tells that each is as it was.
    column : str
        A column of strings that all of them have.
    """

    def __init__(self, found: Sequence[Found], stamps: Sequence[Stamp], column: str) -> None:
        self._found, self._stamps, self._column = found, stamps, column
        self._lock, self._process = Lock(), os.getpid()
        self._open: _InOrder | None = None

    def texts(self, file: NDArray[np.int32], row: Int) -> pa.LargeStringArray:
        """Return the texts of rows, by the number of the file and of the row there, ascending.

        Raises
        ------
        InputError
            A file is not any more what was read.
        """
        found = []
        with self._lock:
            if self._process != os.getpid():  # a fork: the thread that reads ahead is not there
                self._process, self._open = os.getpid(), None
            for number in np.unique(file).tolist():
                first, last = np.searchsorted(file, (number, number + 1))
                self._check(number)
                try:
                    with reported(self._found[number]):
                        found += self._of_file(number, row[first:last] - 1)
                finally:  # it may be why reading failed, or why it did not
                    self._check(number)
        return pa.concat_arrays(found) if found else pa.array([], pa.large_string())

    def refuse(self, number: int) -> InputError:
        """Return the error of a file that is not any more what was read."""
        return InputError(
            f"{label(self._found[number].path)}: was changed since it was read, and one that does not fit in memory is "
            "read again for its texts; run again when nobody writes to it"
        )

    def _check(self, number: int) -> None:
        if not is_as_it_was(self._found[number], self._stamps[number]):
            raise self.refuse(number)

    def _of_file(self, number: int, rows: Int) -> list[pa.Array]:
        if self._open is None or self._open.number != number:
            self._open = None  # closes it
            self._open = _InOrder(self._found[number], number, self._column)
        try:
            return self._open.texts(rows)
        except BaseException:
            self._open = None  # it is somewhere within the file
            raise


class _InOrder:
    """A Parquet file that is read from some row group on, for as long as what is asked for lies ahead.

    Parameters
    ----------
    file : Found
    number : int
        What it is called here.
    column : str
    """

    def __init__(self, file: Found, number: int, column: str) -> None:
        self.number, self._file, self._column = number, file, column
        self._metadata = pyarrow.parquet.read_metadata(as_file(file))
        groups = (self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups))
        self._starts = np.append(0, np.cumsum([*groups], dtype=np.int64))
        self._batches: Iterator[tuple[int, pa.Array]] = iter(())
        self._held: tuple[int, pa.Array] | None = None

    def texts(self, rows: Int) -> list[pa.Array]:
        """Return the texts of rows, counted from 0, ascending."""
        found = []
        while len(rows):
            first, batch = self._at(int(rows[0]))
            here = rows[: np.searchsorted(rows, first + len(batch))]
            found.append(batch if len(here) == len(batch) else batch.take(pa.array(here - first)))
            rows = rows[len(here) :]
        return found

    def _at(self, row: int) -> tuple[int, pa.Array]:
        """Return the batch that has a row, and its first row."""
        # Row groups that lie between are not read.
        near = self._held is not None and self._held[0] <= row and self._group(row) <= self._group(self._held[0]) + 1
        if not near:
            self._batches = one_ahead(self._from(self._group(row)))
            self._held = next(self._batches, None)
        while self._held is not None and row >= self._held[0] + len(self._held[1]):
            self._held = next(self._batches, None)
        if self._held is None:
            raise InputError(f"{label(self._file.path)}: row {row + 1} is not there any more")
        return self._held

    def _group(self, row: int) -> int:
        return int(np.searchsorted(self._starts, row, side="right")) - 1

    def _from(self, group: int) -> Iterator[tuple[int, pa.Array]]:
        """Yield the texts of a row group and of those behind it, batch by batch, each with its first row."""
        source = as_file(self._file)
        schema = pa.schema([schema_of(source, self._metadata).field(self._column)])
        for number in range(group, self._metadata.num_row_groups):
            row = int(self._starts[number])
            for table in row_group(
                self._file, source, self._metadata, number, self._column, BATCH_BYTES, [self._column]
            ):
                for part in cut(table, self._column, BATCH_BYTES):
                    texts = unfolded(part, schema).column(0).cast(pa.large_string())
                    yield row, pa.concat_arrays(texts.chunks)
                    row += part.num_rows


class TextsInFiles:
    """Texts that stay in their files.

    Parameters
    ----------
    files : FilesAgain
    file, row : int32[n], int64[n]
        Where each stands: the number of its file, and of its row there; ascending.
    lengths : int64[n]
        Bytes of each text, as it is returned.
    sums : uint64[n], optional
        What tells that each is as it was when it was read first: `checksums` of what the files have.
    clean : callable, optional
        What is done with texts that are read.

    Attributes
    ----------
    lengths : int64[n]
    clean : callable, optional
    """

    def __init__(
        self,
        files: FilesAgain,
        file: NDArray[np.int32],
        row: Int,
        lengths: Int,
        sums: NDArray[np.uint64] | None = None,
        clean: Callable[[pa.LargeStringArray, int], pa.LargeStringArray] | None = None,
    ) -> None:
        self.lengths, self.clean = lengths, clean
        self._files, self._file, self._row, self._sums = files, file, row, sums

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """Bytes of all texts."""
        return int(self.lengths.sum())

    def some(self, places: Int, workers: int = 1) -> pa.LargeStringArray:
        """Return some texts, by their places, ascending.

        Raises
        ------
        InputError
            A file is not any more what was read.
        """
        texts = self._read(places)
        return texts if self.clean is None else self.clean(texts, workers)

    def originals(self) -> pa.LargeStringArray:
        """Return all texts as the files have them.

        Raises
        ------
        InputError
            As `some` does.
        """
        return self._read(np.arange(len(self)))

    def _read(self, places: Int) -> pa.LargeStringArray:
        texts = self._files.texts(self._file[places], self._row[places])
        if self._sums is None:
            return texts
        # A file may have been replaced by one of the same size and time, between two runs or within one.
        same = checksums(texts) == self._sums[places]
        if not same.all():
            raise self._files.refuse(int(self._file[places][np.argmin(same)]))
        return texts


def checksums(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return a checksum of each text."""
    sums = []
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        large = chunk.cast(pa.large_string())
        _, ends, data = large.buffers()
        bounds = np.frombuffer(ends or bytes(8), np.int64)[large.offset : large.offset + len(large) + 1].tolist()
        held = memoryview(data or b"")
        sums += [xxh3_64_intdigest(held[start:end]) for start, end in pairwise(bounds)]
    return np.array(sums, np.uint64)
