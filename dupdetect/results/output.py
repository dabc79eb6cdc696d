"""An output folder, read part by part: what may be too large for memory.

Input    a folder that `Result.write` wrote, its tables as Parquet; what it kept may be of any format
Output   `Output`: the ids of the documents that it kept, and their rows: all, or some of them
Cost     of Parquet that of the columns and row groups that are read; of others a pass over all that was kept
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dupdetect._compiled.dispatch import on_threads
from dupdetect.errors import InputError
from dupdetect.io.documents import stream
from dupdetect.io.identifiers import workable
from dupdetect.io.paths import partition_of
from dupdetect.io.seen import NUMBERED
from dupdetect.io.selection import taken
from dupdetect.io.streams import LARGEST_TEXT
from dupdetect.io.tables import with_empty
from dupdetect.results.run import Run, damage_named, find_table

#: Rows that are read at a time.
ROWS = 1 << 14


def _parquet(path: Path) -> pq.ParquetFile:
    """Open a file, whatever bytes its name has."""
    return pq.ParquetFile(pa.OSFile(os.fsencode(path)))


class Output:
    """An output folder.

    Parameters
    ----------
    folder : Path
    text : str
        The column of texts, if the manifest does not name it.

    Attributes
    ----------
    folder : Path
    run : Run
        Its manifest, and the tables that fit in memory.
    text : str
    kept : list of Path
        The files of the rows that it keeps.
    id_type : pyarrow.DataType
        Null if there are no ids.
    documents : int
        How many documents it keeps.
    columns : list of str
        Those of the rows that it keeps; only reading them all tells, if they are not Parquet.

    Raises
    ------
    InputError
        A table is missing, damaged or not Parquet, or there is no column of texts.
    """

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.run = Run(folder)
        self.text = self.run.text_column or text
        self._clusters, self.kept = self._parquet("clusters"), self.run.kept_files
        with damage_named(self._clusters), _parquet(self._clusters) as clusters:
            type_ = workable(pa.chunked_array([], clusters.schema_arrow.field("id").type)).type
            self.id_type = type_ if clusters.metadata.num_rows else pa.null()  # of no ids, any type will do
            self.documents = sum(
                pc.sum(batch.column(0)).as_py() or 0 for batch in clusters.iter_batches(columns=["canonical"])
            )
        # A reader can, where all columns are in the files.
        self._jumps = all(path.suffix == ".parquet" and not partition_of(os.fspath(path)) for path in self.kept)
        self._groups: list[tuple[Path, int, int]] = []  # the row groups of all files: file, number, rows
        if self._jumps:
            self._look()

    def _look(self) -> None:
        for path in self.kept:
            with damage_named(path), _parquet(path) as file:
                groups = range(file.num_row_groups)
                self._groups += [(path, group, file.metadata.row_group(group).num_rows) for group in groups]
        rows = sum(rows for _, _, rows in self._groups)
        if rows != self.documents:
            raise InputError(
                f"{self.where}: {rows:,} rows are there, and {self.documents:,} were kept; the file is damaged or of "
                "another run: write the output anew"
            )
        if self.documents and self.text not in self.columns:
            raise InputError(
                f"{self.where}: there is no column {self.text!r} of texts; the columns are "
                f"{', '.join(map(repr, self.columns))}: name the column as it is named there"
            )

    @property
    def where(self) -> Path:
        """What messages call the rows that it keeps."""
        return self.kept[0] if len(self.kept) == 1 else self.folder

    @cached_property
    def columns(self) -> list[str]:
        """The columns of the rows that it keeps."""
        names: dict[str, None] = {}
        for path in self.kept if self._jumps else ():
            with damage_named(path), _parquet(path) as file:
                names |= dict.fromkeys(file.schema_arrow.names)
        for table in () if self._jumps else self._tables():
            names |= dict.fromkeys(table.column_names)
        return list(names)

    @property
    def bytes(self) -> int:
        """How many bytes the files of what was kept have."""
        return sum(path.stat().st_size for path in self.kept)

    def _parquet(self, name: str) -> Path:
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            other = next(self.folder.glob(f"{name}.*"), None)
            why = "" if other is None else f", and {other.name} does not tell the types of ids and columns"
            raise InputError(f"{path}: this table is missing{why}; write the output anew, as Parquet")
        return find_table(self.folder, name)

    def ids(self) -> Feed:
        """Return the ids of the documents that were kept, in order."""
        return Feed(self._ids(), self.id_type)

    def _ids(self) -> Iterator[pa.Array]:
        with damage_named(self._clusters), _parquet(self._clusters) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=["id", "canonical"]):
                ids = workable(pa.chunked_array([batch.column("id")]).filter(batch.column("canonical")))
                yield from ids.chunks

    def texts(self) -> Iterator[pa.Table]:
        """Yield the column of texts of all rows that were kept, some at a time."""
        return self.tables([self.text])

    def tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield columns of all rows that were kept, some at a time; those that a file lacks are left out."""
        for path in self.kept if self._jumps else ():
            with damage_named(path), _parquet(path) as file:
                there = [name for name in columns if name in file.schema_arrow.names]
                for batch in file.iter_batches(batch_size=ROWS, columns=there):
                    yield pa.Table.from_batches([batch])
        for table in () if self._jumps else self._tables():
            yield table.select([name for name in columns if name in table.column_names])

    def _tables(self) -> Iterator[pa.Table]:
        """Yield all rows that were kept, some at a time, as the readers of inputs have them."""
        rows = 0
        paths = self.kept
        if paths:
            read_as, text = self.run.kept_as, self.text
            for part in stream(paths, text=text, id=NUMBERED, max_text=LARGEST_TEXT, how=read_as):
                rows += len(part)
                yield with_empty(part.table, self.run.id_column)
        if rows != self.documents:
            raise InputError(
                f"{self.where}: {rows:,} of the rows that were kept can be read, and there were {self.documents:,}; "
                "write the output anew"
            )

    def rows(self, chosen: NDArray[np.int64], columns: Sequence[str] | None, workers: int) -> Iterator[pa.Table]:
        """Yield the chosen of the rows that were kept; of Parquet, a row group for each thread at a time.

        Parameters
        ----------
        chosen : int64[n]
            Their numbers, ascending.
        columns : list of str, optional
            By default all. Those that a table lacks are left out.
        workers : int
        """
        if not self._jumps:
            yield from self._some(chosen, columns)
            return
        starts = np.append(0, np.cumsum([rows for _, _, rows in self._groups], dtype=np.int64))
        cuts = np.searchsorted(chosen, starts)
        groups = np.flatnonzero(np.diff(cuts)).tolist()

        def read(number: int) -> pa.Table:
            path, group, _ = self._groups[number]
            within = chosen[cuts[number] : cuts[number + 1]] - starts[number]
            with damage_named(path), _parquet(path) as file:
                there = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
                return taken(file.read_row_group(group, columns=there, use_threads=False), within)

        for first in range(0, len(groups), workers):
            yield from on_threads(read, groups[first : first + workers], workers)

    def _some(self, chosen: NDArray[np.int64], columns: Sequence[str] | None) -> Iterator[pa.Table]:
        first = 0
        for table in self._tables() if len(chosen) else ():
            here = slice(*np.searchsorted(chosen, (first, first + table.num_rows)))
            if here.stop > here.start:
                names = table.column_names
                there = names if columns is None else [name for name in columns if name in names]
                yield taken(table.select(there), chosen[here] - first)
            first += table.num_rows


class Feed:
    """Arrays, cut anew.

    Parameters
    ----------
    arrays : iterator of pyarrow.Array
    type_ : pyarrow.DataType
        Of all of them.
    """

    def __init__(self, arrays: Iterator[pa.Array], type_: pa.DataType) -> None:
        self._arrays, self._waiting, self._type = arrays, pa.chunked_array([], type_), type_

    def next(self, n: int) -> pa.ChunkedArray:
        """Return the next n values, or as many as there are."""
        while len(self._waiting) < n and (array := next(self._arrays, None)) is not None:
            self._waiting = pa.chunked_array([*self._waiting.chunks, array], self._type)
        taken, self._waiting = self._waiting.slice(0, n), self._waiting.slice(n)
        return taken
