"""The rows of documents: a table in parts, of which one at a time is in memory.

Input    a table for each part, in memory or mapped, and the schema of all together
Output   columns, and rows, as the schema has them
Cost     none until they are asked for; then a cast where a part's types differ
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io.schema import conform, names_shown
from dupdetect.io.selection import empty, taken
from dupdetect.io.text_column import field_of, has_column, root_of


class Rows:
    """Rows of a table that may be larger than memory.

    Parameters
    ----------
    parts : sequence of pyarrow.Table
        Their rows, one part below the other.
    schema : pyarrow.Schema
        Of all of them together: parts that differ are put into it.
    places : int64[n]
        Which of all the parts' rows these are, ascending.
    """

    def __init__(self, parts: Sequence[pa.Table], schema: pa.Schema, places: NDArray[np.int64]) -> None:
        self.schema = schema
        self._parts, self._places = parts, places
        self._ends = np.cumsum([part.num_rows for part in parts], dtype=np.int64)

    def __reduce__(self) -> tuple[Any, tuple[pa.Table]]:
        """Pickle what these rows are, and no others of their parts."""
        return Rows.of, (self.table(),)

    @classmethod
    def of(cls, table: pa.Table) -> Rows:
        """Return the rows of a table."""
        return cls([table], table.schema, np.arange(table.num_rows))

    @property
    def num_rows(self) -> int:
        """How many they are."""
        return len(self._places)

    @property
    def are_at_hand(self) -> bool:
        """Whether they are tables of Arrow, and nothing of them is read when it is asked for."""
        return all(isinstance(part, pa.Table) for part in self._parts)

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return self.schema.names  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the rows of one part after the other."""
        return self._tables(self.schema)

    def has(self, name: str) -> bool:
        """Whether there is such a column, or a field in a nested one."""
        return has_column(self.schema, name)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column, or a field of a nested one: ``meta.source``."""
        root = root_of(name, self.schema.names)
        if root not in (None, name):
            nested = field_of(pa.table({root: self.column(str(root))}), name)
            if nested is not None:
                return nested
        field = self.schema.field(name)
        return pa.chunked_array(
            (chunk for table in self._tables(pa.schema([field])) for chunk in table[name].chunks), field.type
        )

    def values(self, name: str, at: NDArray[np.int64]) -> list[Any]:
        """Return a column's values at some places among these rows, in the order of `at`."""
        chosen, order = np.unique(at, return_inverse=True)
        some = Rows(self._parts, self.schema, self._places[chosen])
        return some.column(name).take(pa.array(order)).to_pylist()  # type: ignore[no-any-return]

    def select(self, columns: Sequence[str] | None) -> Rows:
        """Return the rows with these columns alone; None: with all.

        Raises
        ------
        InputError
            There is no such column.
        """
        if columns is None:
            return self
        lacking = [name for name in columns if name not in self.schema.names]
        if lacking:
            raise InputError(
                f"there is no column {lacking[0]!r} to be written; the columns are {names_shown(self.schema.names)}"
            )
        schema = pa.schema([self.schema.field(name) for name in dict.fromkeys(columns)], self.schema.metadata)
        return Rows(self._parts, schema, self._places)

    def take(self, chosen: NDArray[np.bool_]) -> Rows:
        """Return the rows that are chosen, bool[n]."""
        return Rows(self._parts, self.schema, self._places[chosen])

    def below(self, table: pa.Table) -> Rows:
        """Return these rows and, below them, those of a table; columns that it lacks are null."""
        first = self._ends[-1] if len(self._ends) else 0
        places = np.concatenate([self._places, first + np.arange(table.num_rows)])
        return Rows([*self._parts, table], self.schema, places)

    def table(self) -> pa.Table:
        """Return all of them, in memory."""
        return pa.concat_tables([empty(self.schema), *self])

    def _tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        cuts = np.searchsorted(self._places, self._ends)
        first = begin = 0
        for part, end, last in zip(self._parts, self._ends.tolist(), cuts.tolist(), strict=True):
            if last > first:
                own = set(part.column_names)
                table = conform(part.select([name for name in schema.names if name in own]), schema)
                if last - first < table.num_rows:
                    table = taken(table, self._places[first:last] - begin)
                yield table
            first, begin = last, end
