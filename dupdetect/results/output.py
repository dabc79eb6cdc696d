"""An output folder, read part by part: what may be too large for memory.

Input    a folder that `Result.write` wrote, its tables as Parquet; what it kept may be of any format
Output   `Output`: the ids of the documents that it kept, and their rows: all, or some of them
Cost     of Parquet that of the columns and row groups that are read; of others a pass over all that was kept
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property, reduce
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
from dupdetect.io.schema import names_shown
from dupdetect.io.seen import NUMBERED
from dupdetect.io.selection import taken
from dupdetect.io.streams import LARGEST_TEXT
from dupdetect.io.tables import with_empty
from dupdetect.io.text_column import sources_of, with_text
from dupdetect.results.damage import damage_named
from dupdetect.results.run import Run, find_table

#: Rows that are read at a time.
ROWS = 1 << 14


def _named(table: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    """Return a table with these columns, as far as it has what they are or are made of, and what they are made of."""
    if columns is None:
        return table
    sources = [source for name in columns for source in sources_of(name, table.column_names)]
    return reduce(with_text, columns, table.select(list(dict.fromkeys(sources))))


def _read(file: pq.ParquetFile, columns: Sequence[str] | None) -> list[str] | None:
    """Return the columns of a file that these are or are made of; None: all."""
    names = file.schema_arrow.names
    return None if columns is None else list(dict.fromkeys(own for name in columns for own in sources_of(name, names)))


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
                pc.sum(batch.column("canonical")).as_py() or 0 for batch in clusters.iter_batches(columns=["canonical"])
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
        if self.documents and not self.has(self.text):
            raise InputError(
                f"{self.where}: there is no column {self.text!r} of texts; the columns are "
                f"{names_shown(self.columns)}: name the column as it is named there"
            )

    def has(self, name: str) -> bool:
        """Whether the rows that it keeps have a column of this name, or columns that one can be made of."""
        return name in with_text(self._empty, name).column_names

    @property
    def where(self) -> Path:
        """What messages call the rows that it keeps."""
        return self.kept[0] if len(self.kept) == 1 else self.folder

    @property
    def columns(self) -> list[str]:
        """The columns of the rows that it keeps."""
        return self._empty.column_names  # type: ignore[no-any-return]

    @cached_property
    def _empty(self) -> pa.Table:
        """None of the rows that it keeps, with all columns; those of a name have the type of the first."""
        fields: dict[str, pa.Field] = {}
        for path in self.kept if self._jumps else ():
            with damage_named(path), _parquet(path) as file:
                fields = {field.name: field for field in file.schema_arrow} | fields
        for table in () if self._jumps else self._tables():
            fields = {field.name: field for field in table.schema} | fields
        return pa.schema(fields.values()).empty_table()

    @property
    def bytes(self) -> int:
        """How many bytes the files of what was kept have."""
        return sum(path.stat().st_size for path in self.kept)

    def _parquet(self, name: str) -> Path:
        path = self.folder / f"{name}.parquet"
        if path.is_dir():
            find_table(self.folder, name)  # which says who wrote it so
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
        """Yield columns of all rows that were kept, some at a time; those that a file lacks are left out.

        A column that is made of others comes with these.
        """
        for path in self.kept if self._jumps else ():
            with damage_named(path), _parquet(path) as file:
                for batch in file.iter_batches(batch_size=ROWS, columns=_read(file, columns)):
                    yield _named(pa.Table.from_batches([batch]), columns)
        for table in () if self._jumps else self._tables():
            yield _named(table, columns)

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
            By default all. Those that a table lacks are left out; one that is made of others comes with these.
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
                table = file.read_row_group(group, columns=_read(file, columns), use_threads=False)
            return _named(taken(table, within), columns)

        for first in range(0, len(groups), workers):
            yield from on_threads(read, groups[first : first + workers], workers)

    def _some(self, chosen: NDArray[np.int64], columns: Sequence[str] | None) -> Iterator[pa.Table]:
        first = 0
        for table in self._tables() if len(chosen) else ():
            here = slice(*np.searchsorted(chosen, (first, first + table.num_rows)))
            if here.stop > here.start:
                yield taken(_named(table, columns), chosen[here] - first)
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
