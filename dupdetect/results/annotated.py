"""Every input row with what was found of it.

Input    the rows of all documents, and the table `clusters`, in the same order
Output   the rows with further columns, a part of them at a time
Cost     that of reading the rows
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.io.identifiers import ID_COLUMNS, workable_columns
from dupdetect.io.schema import plain_column
from dupdetect.io.selection import empty

if TYPE_CHECKING:
    from dupdetect.io.rows import Rows

#: What goes before the name of a column where the input has one of that name.
PREFIX = "dupdetect_"

#: The columns of `clusters` that are added; those of the origin only where the input has no ids of its own.
VERDICT, ORIGIN = ("cluster", "canonical", "relation", "score"), ("id", "file", "row")


class Annotated:
    """n rows with their verdict.

    Parameters
    ----------
    rows : Rows
        Of n documents.
    clusters : pyarrow.Table
        n rows, in the same order.
    columns : sequence of str, optional
        Those of the rows that are wanted; by default all.
    numbered : bool
        Whether the documents have no ids of their own: then they are given, with file and row.
    source : str, optional
        A column of the rows, of which the values in each cluster are counted.

    Attributes
    ----------
    schema : pyarrow.Schema
        That of the rows, and of the columns that are added: `VERDICT`, and ``copies``, how many other documents the
        cluster has; and ``sources``, how many values of `source`. Where the input has a column of that name, `PREFIX`
        goes before it.
    ids : list of str
        The columns of ids among those that are added.
    """

    def __init__(
        self,
        rows: Rows,
        clusters: pa.Table,
        columns: Sequence[str] | None,
        *,
        numbered: bool,
        source: str | None = None,
    ) -> None:
        names: Sequence[str] = [*(ORIGIN if numbered else ()), *VERDICT]
        by_cluster = workable_columns(clusters, "cluster")
        added = clusters.select(names).append_column("copies", _copies(by_cluster))
        if source is not None:
            added = added.append_column("sources", _sources(by_cluster["cluster"], rows.column(source)))
        rows = rows.select(columns)
        taken = set(rows.column_names)
        self._rows = rows
        renamed = {name: _free(name, taken) for name in added.column_names}
        self._added = added.rename_columns(list(renamed.values()))
        self.ids = [renamed[name] for name in ID_COLUMNS if name in renamed]
        self.schema = pa.schema([*rows.schema, *self._added.schema], rows.schema.metadata)

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the rows of one part after the other."""
        first = 0
        for table in self._rows:
            added = self._added.slice(first, table.num_rows)
            yield pa.table([*table.columns, *added.columns], schema=self.schema)
            first += table.num_rows

    def table(self) -> pa.Table:
        """Return all of them, in memory."""
        return pa.concat_tables([empty(self.schema), *self])


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken: of what was annotated before, all may have the prefix."""
    while name in taken:
        name = PREFIX + name
    return name


def _copies(clusters: pa.Table) -> pa.ChunkedArray:
    """Return for each document how many others its cluster has among them."""
    sizes = clusters.group_by("cluster").aggregate([("cluster", "count")])
    place = pc.index_in(clusters["cluster"], value_set=sizes["cluster"])
    here = clusters.filter(clusters["canonical"])["cluster"]
    # A canonical of an earlier run is none of these documents.
    others = pc.subtract(sizes["cluster_count"], pc.is_in(sizes["cluster"], value_set=here).cast(pa.int64()))
    return others.take(place)


def _sources(clusters: pa.ChunkedArray, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return for each document how many values of a column its cluster has; no value is one, too."""
    values = plain_column(column).combine_chunks().dictionary_encode(null_encoding="encode")
    values = pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values
    table = pa.table({"cluster": clusters, "value": values.indices})
    counts = table.group_by("cluster").aggregate([("value", "count_distinct")])
    return counts["value_count_distinct"].take(pc.index_in(clusters, value_set=counts["cluster"]))
