"""An output folder, read part by part: what may be too large for memory.

Input    a folder that `Result.write` wrote, as Parquet
Output   `Output`: the ids of the documents that it kept, and their rows: all, or some of them
Cost     that of the columns and row groups that are read
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dupdetect._compiled.dispatch import on_threads
from dupdetect.errors import InputError
from dupdetect.results.run import Run, damage_named, find_table

#: Rows that are read at a time.
ROWS = 1 << 14


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
    id_type : pyarrow.DataType
        Null if there are no ids.
    documents : int
        How many documents it keeps.
    columns : list of str
        Those of the rows that it keeps.

    Raises
    ------
    InputError
        A table is missing, damaged or not Parquet, or there is no column of texts.
    """

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.run = Run(folder)
        self.text = self.run.text_column or text
        self._clusters, self.kept = self._parquet("clusters"), self._parquet("kept")
        with damage_named(self._clusters), pq.ParquetFile(self._clusters) as clusters:
            type_ = clusters.schema_arrow.field("id").type
            self.id_type = type_ if clusters.metadata.num_rows else pa.null()  # of no ids, any type will do
        with damage_named(self.kept), pq.ParquetFile(self.kept) as kept:
            self.documents: int = kept.metadata.num_rows
            self.columns: list[str] = kept.schema_arrow.names
        if self.documents and self.text not in self.columns:
            raise InputError(
                f"{self.kept}: there is no column {self.text!r} of texts; the columns are "
                f"{', '.join(map(repr, self.columns))}: name the column as it is named there"
            )

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
        with damage_named(self._clusters), pq.ParquetFile(self._clusters) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=["id", "canonical"]):
                yield batch.column("id").filter(batch.column("canonical"))

    def texts(self) -> Iterator[pa.Table]:
        """Yield the column of texts of all rows that were kept, some at a time."""
        with damage_named(self.kept), pq.ParquetFile(self.kept) as file:
            for batch in file.iter_batches(batch_size=ROWS, columns=[self.text]):
                yield pa.Table.from_batches([batch])

    def rows(self, chosen: NDArray[np.int64], columns: Sequence[str] | None, workers: int) -> Iterator[pa.Table]:
        """Yield the chosen of the rows that were kept, a row group for each thread at a time.

        Parameters
        ----------
        chosen : int64[n]
            Their numbers, ascending.
        columns : list of str, optional
            By default all.
        workers : int
        """
        with damage_named(self.kept), pq.ParquetFile(self.kept) as file:
            counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = np.append(0, np.cumsum(counts, dtype=np.int64))
        cuts = np.searchsorted(chosen, starts)
        groups = np.flatnonzero(np.diff(cuts)).tolist()

        def read(group: int) -> pa.Table:
            within = chosen[cuts[group] : cuts[group + 1]] - starts[group]
            with damage_named(self.kept), pq.ParquetFile(self.kept) as file:
                return file.read_row_group(group, columns=columns, use_threads=False).take(pa.array(within))

        for first in range(0, len(groups), workers):
            yield from on_threads(read, groups[first : first + workers], workers)


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
