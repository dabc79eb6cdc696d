"""The documents of an input, all at once or part by part: rows that can be used, and rejects.

Input    an iterable of str or rows, a mapping of ids to texts, whatever speaks the Arrow C stream, or files (`sources`)
Output   `Documents`: ids, texts and rows as Arrow, and the rejects; or a `Stream` of `Part`, the same of some rows each
Cost     one pass over the texts to check their UTF-8 (some GB/s); rows are looked at one by one only where a check
         fails. A stream has two parts in memory at a time, and 8 bytes a row to find ids that repeat

Rows are counted from 0 for data in memory, from 1 for files. Rows read = accepted + rejected, always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io.checks import NO_ID, REJECTS, Checked, check, nulls, reject_table
from dupdetect.io.duplicate_ids import find_duplicates
from dupdetect.io.identifiers import as_type, workable
from dupdetect.io.originals import COPIED, Originals, places, stamp_of
from dupdetect.io.paths import AS_NAMED, ReadAs
from dupdetect.io.read_ahead import one_ahead
from dupdetect.io.readers import Faults, Piece, Place, Reject
from dupdetect.io.rejected import repeated_id, said
from dupdetect.io.schema import Columns, conform, stacked
from dupdetect.io.seen import NUMBERED, Seen
from dupdetect.io.selection import filtered
from dupdetect.io.sources import Source, open_source
from dupdetect.io.streams import MAX_TEXT
from dupdetect.io.text_column import with_text
from dupdetect.io.texts_again import FilesAgain, can_be_read_again

PART_BYTES = 64 << 20

#: Share of `PART_BYTES` that is enough for a part: pieces are put together until there is as much, and what is as large
#: itself, such as a row group of a table in memory, is not copied.
ENOUGH = 0.25

#: No further columns.
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, eq=False, repr=False)
class Documents:
    """
    n documents, in the order of the input.

    Attributes
    ----------
    table : pyarrow.Table
        The n accepted rows, every input column.
    ids : pyarrow.ChunkedArray
        n ids, unique, without nulls. Integers, strings or whatever type the input had.
    texts : pyarrow.ChunkedArray of large_string
        n texts, valid UTF-8, without nulls.
    rejects : pyarrow.Table
        ``file`` (string, null for data in memory), ``row`` (int64), ``reason`` (string), in input order.
    inputs : list of str
        The files, or the type of the object in memory.
    """

    table: pa.Table
    ids: pa.ChunkedArray
    texts: pa.ChunkedArray
    rejects: pa.Table
    inputs: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Documents({len(self)} accepted, {self.rejects.num_rows} rejected)"


@dataclass(frozen=True, eq=False)
class Part:
    """
    n rows of an input that follow one another and can be used.

    Attributes
    ----------
    table : pyarrow.Table
        The rows, every column. Parts may differ in columns and types: `conform` gives them those of `Stream.schema`.
    texts : pyarrow.LargeStringArray
        n texts, valid UTF-8, without nulls.
    file : int32[n]
        The number of each row's file, among `Stream.files`.
    row : int64[n]
        Its number there.
    rejects : pyarrow.Table
        Of `REJECTS`: the rows among them that cannot be used.
    note : dict
        Where to go on, as JSON.
    """

    table: pa.Table
    texts: pa.Array
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    rejects: pa.Table
    note: dict[str, Any]

    def __len__(self) -> int:
        return len(self.row)


def collect(
    data: Any,
    *,
    text: str = "text",
    id: str | None = None,
    id_prefix: str | None = None,
    strict: bool = False,
    max_text: int = MAX_TEXT,
    how: ReadAs = AS_NAMED,
) -> Documents:
    """
    Read all documents of an input.

    Parameters
    ----------
    data : iterable of str, of mappings or of (id, text); mapping, Arrow stream, str, Path or list of Path
        Texts; rows; ids and texts; a table (pandas, polars, pyarrow, duckdb, datasets); or files: a path, folder
        or glob, or the URL of such (s3://, gs://, hf://, https://); several of them as a list of `Path`;
        ``Path("-")`` for JSON Lines on standard input.
    text : str
        The column of texts.
    id : str, optional
        The column of ids. By default the column ``id`` if there is one, else the row number (data in memory,
        int64), ``"file:row"`` (files) or the relative path (text files). "none": numbers, though there is such a
        column.
    id_prefix : {"file"}, optional
        What goes before each id of a column: "file", for ids that are unique in each file only (``"file:id"``).
    strict : bool
        Whether a row that cannot be used is an error. By default it is a row of `Documents.rejects`.
    max_text : int
        Bytes that a text, or a line or record of a file, may have: a row with more cannot be used.
    how : ReadAs
        What is said of files: their format, encoding and delimiter.

    Returns
    -------
    Documents

    Raises
    ------
    InputError
        The data are of a type, or the files in a state, that cannot be read; a column is missing or no text;
        with `strict`, a row cannot be used.
    """
    reader = stream(data, text=text, id=id, id_prefix=id_prefix, strict=strict, max_text=max_text, how=how)
    parts = list(reader)
    table = stacked([part.table for part in parts], reader.schema)
    texts = pa.chunked_array([part.texts for part in parts], pa.large_string())
    file = np.concatenate([np.empty(0, np.int32), *(part.file for part in parts)])
    row = np.concatenate([np.empty(0, np.int64), *(part.row for part in parts)])
    ids = reader.ids(table, file, row)
    ids = ids if reader.id_type is None else as_type(ids, reader.id_type)
    late, rejects = reader.late(ids, file, row)
    if len(late):
        keep = np.ones(len(row), np.bool_)
        keep[late] = False
        table, ids, texts = filtered(table, keep), *(column.filter(pa.array(keep)) for column in (ids, texts))
    return Documents(table, ids, texts, reader.rejects([*(part.rejects for part in parts), rejects]), reader.inputs)


def stream(
    data: Any,
    *,
    text: str = "text",
    id: str | None = None,
    id_prefix: str | None = None,
    strict: bool = False,
    part_bytes: int = PART_BYTES,
    max_text: int = MAX_TEXT,
    how: ReadAs = AS_NAMED,
    after: Mapping[str, Any] | None = None,
    needed: Mapping[str, str] = NOTHING,
) -> Stream:
    """
    Read the documents of an input part by part.

    Parameters
    ----------
    data, text, id, id_prefix, strict, max_text, how
        As for `collect`.
    part_bytes : int
        Bytes of rows in a part, about: between half and one and a half as many, unless one row has more.
    after : mapping, optional
        The `Part.note` of a part: begin after it. Data and parameters must be as they were.
    needed : mapping of str to str
        Further columns that every file must have, and what reads each, for messages.

    Returns
    -------
    Stream

    Raises
    ------
    InputError
        The data are of a type that cannot be read, or files are not there; further errors come as it is read.
    """
    if id_prefix not in (None, "file"):
        raise InputError(f"id_prefix is {id_prefix!r}: expected 'file', or nothing")
    source = open_source(data, text, "id" if id in (None, NUMBERED) else str(id), part_bytes, max_text, how.checked())
    if id_prefix and source.files == [None]:
        raise InputError(
            f"a {type(data).__name__} is of no files, whose names could go before ids: leave id_prefix out"
        )
    return Stream(
        source, text, id, strict, part_bytes, max_text, after, id_prefix is not None, needed, how.listed is not None
    )


class Stream:
    """
    The parts of an input, to be iterated over once, and what only all of them tell.

    Attributes
    ----------
    inputs : list of str
        The files, or the type of the object in memory.
    files : list of str or None
        The name of each file; [None] for data in memory.
    once : bool
        Whether there are pipes among them, which cannot be read again.
    """

    def __init__(
        self, source: Source, text: str, id: str | None, strict: bool, part_bytes: int, max_text: int,
        after: Mapping[str, Any] | None, prefixed: bool = False, needed: Mapping[str, str] = NOTHING,
        listed: bool = False,
    ) -> None:  # fmt: skip
        self.inputs = source.inputs
        self.files = source.files
        self.once = source.once
        self._source = source
        self._stamps = [stamp_of(file) for file in source.found]
        self._text = text
        self._strict = strict
        self._size, self._max_text = part_bytes, max_text
        self._seen = Seen(text, id, needed)
        self._prefixed, self._listed = prefixed, listed
        self._start: Place = (0, None)
        if after is not None:
            self._seen.restore(after)
            self._start = after["next"][0], after["next"][1]

    def __iter__(self) -> Iterator[Part]:
        parts = self._parts()
        return one_ahead(parts) if self._source.patient else parts

    @property
    def id(self) -> str | None:
        """The column of ids, None if rows are numbered. Known for sure after the last part, like all that follows."""
        return self._seen.id

    @property
    def schema(self) -> pa.Schema:
        """That of all rows together; `conform` puts tables into it.

        Raises
        ------
        InputError
            Files that say what types they have do not agree in a column that is read; others are then text.
        """
        return self._seen.columns.schema(inferred=self._seen.inferred, agreed=self._seen.read)

    def ids(self, table: pa.Table, file: NDArray[np.int32], row: NDArray[np.int64]) -> pa.ChunkedArray:
        """
        The ids of rows.

        Parameters
        ----------
        table : pyarrow.Table
            n rows of a part; of its columns that of ids is enough.
        file, row : int32[n], int64[n]
            Of the same rows.

        Returns
        -------
        pyarrow.ChunkedArray
            n ids of the type that all have. Null where `late` says so.
        """
        if self.id is None:
            return self._numbers(file, row)
        column = conform(table.select({self.id} & set(table.column_names)), pa.schema([self.schema.field(self.id)]))
        ids = workable(column[self.id] if len(row) else pa.chunked_array([], column.schema.field(0).type))
        if self._prefixed:
            return self._after_files(ids, file)
        return ids.cast(pa.string()) if pa.types.is_null(ids.type) else ids  # no row had an id, thus none is left

    def originals(self, file: NDArray[np.int32], row: NDArray[np.int64]) -> Originals | None:
        """Return rows as they stand in their files; None of data in memory, and of files that are not copied."""
        found = self._source.found
        if not found or any(file.format not in COPIED for file in found):
            return None
        return Originals(found, file, row, self._stamps, places(found, self._source.named), self._max_text)

    def texts_again(self) -> FilesAgain | None:
        """Return the files of whose rows texts can be read again; None if there is one that cannot."""
        found = self._source.found
        if not found or not all(map(can_be_read_again, found)):
            return None
        return FilesAgain(found, self._stamps, self._text)

    @property
    def id_type(self) -> pa.DataType | None:
        """The type of ids in the input; None if they are made of something else."""
        return None if self.id is None or self._prefixed else self.schema.field(self.id).type

    def _numbers(self, file: NDArray[np.int32], row: NDArray[np.int64]) -> pa.ChunkedArray:
        numbers = pa.chunked_array([pa.array(row)])
        return numbers if self.files == [None] or not self.files else self._after_files(numbers, file)

    def _after_files(self, ids: pa.ChunkedArray, file: NDArray[np.int32]) -> pa.ChunkedArray:
        """Put the names of their files before ids; nulls stay."""
        files = pa.array(self.files, pa.string()).take(pa.array(file))
        try:
            texts = ids.cast(pa.string()).combine_chunks()
        except pa.ArrowException:
            raise InputError(f"column {self.id!r} is {ids.type}, before which no name of a file can go") from None
        return pa.chunked_array([pc.binary_join_element_wise(files, texts, ":")], pa.string())

    def late(
        self, ids: pa.ChunkedArray, file: NDArray[np.int32], row: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], pa.Table]:
        """
        Find rows that turn out to be no documents: their ids repeat others, or are null.

        Parameters
        ----------
        ids : pyarrow.ChunkedArray
            The ids of all n rows of all parts.
        file, row : int32[n], int64[n]
            Of all rows.

        Returns
        -------
        int64[m]
            The positions of such rows, ascending.
        pyarrow.Table
            Of `REJECTS`: m rows, in the same order.

        Raises
        ------
        InputError
            There are such rows, and the stream is strict.
        """
        reasons: Faults = {}
        if self.id is not None:
            again, first = find_duplicates(ids)
            values = ids.take(pa.array(again)).to_pylist()
            for position, earlier, value in zip(again.tolist(), first.tolist(), values, strict=True):
                where = f"row {row[earlier]}"
                if file[earlier] != file[position]:
                    where = f"{self.files[file[earlier]]}:{row[earlier]}"
                reasons[position] = repeated_id(self.id, value, where)
            reasons |= dict.fromkeys(nulls(ids), NO_ID.format(self.id))
        late = sorted(reasons)
        rejects = reject_table([Reject(self.files[file[at]], int(row[at]), reasons[at]) for at in late])
        self._refuse(self.rejects([rejects]))
        return np.array(late, np.int64), rejects

    def rejects(self, tables: Sequence[pa.Table]) -> pa.Table:
        """Put tables of rejects below one another, in the order of the input."""
        table = pa.concat_tables([REJECTS.empty_table(), *tables])
        files = pa.array(self.files, pa.string())
        order = np.lexsort((table["row"].to_numpy(), pc.index_in(table["file"], value_set=files).to_numpy()))
        return table.take(pa.array(order)).combine_chunks()

    def _refuse(self, rejects: pa.Table) -> None:
        if self._strict:
            refuse_rejects(rejects)

    def _parts(self) -> Iterator[Part]:
        waiting: list[Checked] = []
        columns = Columns()
        for piece in self._pieces():
            if not columns.add(piece.table.schema, piece.name):  # put together they would not be what they are
                if _has_any(waiting):  # of a file without rows nothing would be gone on from
                    yield self._part(waiting)
                waiting, columns = [], Columns()
                columns.add(piece.table.schema, piece.name)
            self._seen.see(piece)
            if piece.table.num_columns or piece.rejects:
                waiting.append(check(piece, self._text, self._seen.named, self.files, self._max_text, self._listed))
            if sum(checked.size for checked in waiting) >= ENOUGH * self._size:
                yield self._part(waiting)
                waiting, columns = [], Columns()
        if _has_any(waiting):
            yield self._part(waiting)

    def _pieces(self) -> Iterator[Piece]:
        for piece in self._source.pieces(self._start):
            yield replace(piece, table=with_text(piece.table, self._text, loose=piece.loose))

    def _part(self, waiting: Sequence[Checked]) -> Part:
        columns = Columns()
        for checked in waiting:
            columns.add(checked.table.schema, checked.piece.name)
        table = stacked([checked.table for checked in waiting], columns.schema(inferred=True))
        table, texts = _one_array(
            table, self._text, [chunk for checked in waiting for chunk in checked.texts.chunks if len(chunk)]
        )
        rejects = self.rejects([reject_table([reject for checked in waiting for reject in checked.rejects])])
        self._refuse(rejects)
        file = np.concatenate([checked.piece.files[checked.positions] for checked in waiting])
        row = np.concatenate([checked.piece.rows[checked.positions] for checked in waiting])
        return Part(table, texts, file, row, rejects, {"next": waiting[-1].piece.end, **self._seen.note()})


def _has_any(waiting: Sequence[Checked]) -> bool:
    return any(len(checked.table) or checked.rejects for checked in waiting)


def refuse_rejects(rejects: pa.Table) -> None:
    """Raise an error that names the first of the rejects, if there are any."""
    if rejects.num_rows:
        raise InputError(_first(rejects))


def _first(rejects: pa.Table) -> str:
    more = f" ({len(rejects) - 1} more rows like it or otherwise bad)" if len(rejects) > 1 else ""
    return f"{said(rejects, 1)[0]}{more}; mend the row, or read without strict to have it rejected"


def _one_array(table: pa.Table, text: str, chunks: list[pa.Array]) -> tuple[pa.Table, pa.Array]:
    """Put texts end to end; strings of the table are then the same bytes."""
    if len(chunks) == 1:
        return table, chunks[0]
    if not chunks:
        return table, pa.array([], pa.large_string())
    column = table.schema.field(text)
    wide = pa.types.is_large_string(column.type)
    if not wide and not (pa.types.is_string(column.type) and sum(chunk.nbytes for chunk in chunks) < 2**31):
        return table, pa.concat_arrays(chunks)
    joined = pa.concat_arrays(table[text].chunks)
    table = table.set_column(table.column_names.index(text), column, joined)
    return table, joined if wide else joined.cast(pa.large_string())
