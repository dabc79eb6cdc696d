"""
CSV to tables.

Input    a file of comma-separated (.tsv: tab-separated) records, the first of which names the columns
Output   a table for each block of records, with the lines they start at; a reject for each record of another width;
         or the records as bytes, numbered alike
Cost     that of pyarrow's reader

All values are text, as they are written: CSV has no types, and 007 is not 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io.first_bytes import check_beginning
from dupdetect.io.latin import LatinQuotes, NotUtf8, Utf8Quotes, as_latin, from_latin
from dupdetect.io.paths import Found
from dupdetect.io.quotes import ClosedQuotes
from dupdetect.io.schema import check_names
from dupdetect.io.streams import MAX_TEXT, Records

#: Files are read in blocks of this size, or where a record is larger, of the next; the last is the reader's largest.
BLOCK_BYTES = (16 << 20, 256 << 20, 2**31 - 1)


def delimiter_of(file: Found) -> str:
    """Return what separates the values of a file: what was said, or a tab where its name ends so, or a comma."""
    return file.delimiter or ("\t" if ".tsv" in Path(file.path.lower()).suffixes[-2:] else ",")


class Block(NamedTuple):
    """Records of a file: those that are rows, and what is wrong with others."""

    table: pa.Table
    lines: NDArray[np.int64]
    rejects: list[tuple[int, str]]


def read_blocks(open_: Callable[[], Any], name: str, delimiter: str, id: str, most: int = MAX_TEXT) -> Iterator[Block]:
    """
    Read CSV.

    Parameters
    ----------
    open_ : callable
        Opens the file, binary, at its beginning.
    name : str
        What messages call it.
    delimiter : str
    id : str
        The column in which an empty value is none.
    most : int
        Bytes that a record may have.

    Yields
    ------
    Block

    Raises
    ------
    InputError
        Two columns have one name.
    pyarrow.ArrowException, OSError
        It cannot be read.
    """
    csv = _Csv(lambda reader: reader(open_(), name, delimiter, most), name, delimiter, id)
    for size in BLOCK_BYTES:
        try:
            try:
                yield from csv.read(size)
            except NotUtf8:
                csv.latin = True
                yield from csv.read(size)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error) and size != BLOCK_BYTES[-1]:
                continue  # a record is larger than a block
            if "Empty CSV file" not in str(error):
                raise
        return


class _Csv:
    """A file, and how far it has been read."""

    def __init__(self, open_: Callable[[type[ClosedQuotes]], ClosedQuotes], name: str, delimiter: str, id: str) -> None:
        self.latin = False  # whether its bytes are characters: set once some of them are found to be no UTF-8
        self._opened = open_
        self._unclosed: list[tuple[int, str]] = []  # the records that `ClosedQuotes` has left out
        self._empty: list[NDArray[np.int64]] = []  # the lines of empty values that it has found, not read yet
        self._told = 0  # the line of the last of them that was told
        self._name = name
        self._delimiter = delimiter
        self._id = id
        self._columns = pa.table({})  # without rows
        self._record = 1  # the last one that was read; the header is the first
        self._line = 2  # where the next one starts

    def _open(self) -> ClosedQuotes:
        return self._opened(LatinQuotes if self.latin else Utf8Quotes)

    def read(self, size: int) -> Iterator[Block]:
        """Go on, in blocks of some size."""
        with self._open() as stream:
            head = stream.read(min(size, BLOCK_BYTES[0]))
            check_beginning(stream.header, self._name, "CSV")
            behind = stream.read(1)  # which also tells whether the last bytes are half a character
            header = as_latin(stream.header) if self.latin else stream.header
            self._line = max(self._line, _lines_of(stream.header) + 1)
            if not header.strip(b"\r\n"):
                self._check_blank(head[len(header) :] + behind, stream)
            names = _names(header, self._delimiter)
            self._unclosed, self._empty = stream.rejects, stream.empty
        check_names(names, self._name)
        bad: list[Any] = []
        good, shown = 0, False
        for read in self._tables(names, None if behind else head, size, bad):
            table = from_latin(read) if self.latin else read
            records = _numbers(good, table.num_rows, bad)
            good += table.num_rows
            self._columns = table.slice(0, 0)
            if len(records):
                block = self._block(table, records, [row for row in bad if row.number < records[-1]])
                shown |= block.table.num_rows > 0
                yield block
        rest = self._block(pa.table({}), np.empty(0, np.int64), bad, last=True)
        yield rest if shown else rest._replace(table=self._columns)

    def _check_blank(self, rest: bytes, stream: ClosedQuotes) -> None:
        """Refuse a blank header with anything behind it: of such a file the reader says that it is empty."""
        while rest or (rest := stream.read(BLOCK_BYTES[0])):
            if rest.strip():
                raise InputError(
                    f"{self._name}: the first line is blank, expected the names of columns; take out what is above them"
                )
            rest = b""

    def _tables(self, names: list[str], whole: bytes | None, size: int, bad: list[Any]) -> Iterator[pa.Table]:
        options = self._options(names, size, bad.append)
        if whole is not None:
            yield pyarrow.csv.read_csv(pa.BufferReader(whole), **options)
            return
        with self._open() as stream, pyarrow.csv.open_csv(stream, **options) as reader:
            self._unclosed, self._empty = stream.rejects, stream.empty
            yield reader.schema.empty_table()
            for batch in reader:
                yield pa.Table.from_batches([batch])

    def _options(self, names: list[str], size: int, skipped: Callable[[Any], None]) -> dict[str, Any]:
        def skip(row: Any) -> str:
            skipped(row)
            return "skip"

        return {
            # Only without threads do rows have numbers; it is as fast but for conversion.
            "read_options": pyarrow.csv.ReadOptions(use_threads=False, block_size=size),
            "parse_options": pyarrow.csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,  # they count as lines
                invalid_row_handler=skip,
            ),
            "convert_options": pyarrow.csv.ConvertOptions(
                check_utf8=False,  # one bad value is no reason to give the file up
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        }

    def _block(self, table: pa.Table, records: NDArray[np.int64], bad: list[Any], *, last: bool = False) -> Block:
        """Put lines to records, and take those that were read before away."""
        new = records > self._record
        wrong = [row for row in bad if self._record < row.number]
        if not new.all():
            table, records = table.filter(pa.array(new)), records[new]
        lines, wrong_lines = self._lines(table, records, wrong)
        table, lines = _without_blank(table, lines, self._empty_until(self._line))
        rejects = [
            (line, f"the row has {row.actual_columns} columns, expected {row.expected_columns}")
            for line, row in zip(wrong_lines, wrong, strict=True)
        ]
        # What is read ahead is told later, so that a block depends on nothing but the file.
        told = [(line, reason) for line, reason in self._unclosed if self._told < line and (last or line < self._line)]
        rejects += told
        self._told = told[-1][0] if told else self._told
        return Block(self._as_written(table) if len(table) else pa.table({}), lines, sorted(rejects))

    def _lines(
        self, table: pa.Table, records: NDArray[np.int64], wrong: list[Any]
    ) -> tuple[NDArray[np.int64], list[int]]:
        """The line where each good and each bad record starts. Quoted values may span several."""
        numbers = np.concatenate([records, np.array([row.number for row in wrong], np.int64)])
        heights = np.ones(len(numbers), np.int64)
        heights[len(records) :] += np.array([row.text.count("\n") for row in wrong], np.int64)
        for column in table.columns:
            heights[: len(records)] += pc.count_substring(column, "\n").to_numpy()
        order = np.argsort(numbers, kind="stable")
        lines = np.empty(len(numbers), np.int64)
        lines[order] = self._line + np.cumsum(heights[order]) - heights[order]
        self._line += int(heights.sum())
        self._record = int(numbers.max(initial=self._record))
        return lines[: len(records)], lines[len(records) :].tolist()

    def _empty_until(self, line: int) -> list[NDArray[np.int64]]:
        """Return where empty values are up to a line, and forget those that are before it.

        The stream is read ahead in a thread, which may append to the list meanwhile.
        """
        found = []
        while self._empty and self._empty[0][-1] < line:
            found.append(self._empty.pop(0))
        return found + self._empty[:1]

    def _as_written(self, table: pa.Table) -> pa.Table:
        if self._id in table.column_names:
            ids = table[self._id]
            ids = pc.if_else(pc.equal(ids, ""), None, ids)
            table = table.set_column(table.column_names.index(self._id), self._id, ids)
        return table


def _names(header: bytes, delimiter: str) -> list[str]:
    """Return the names of columns."""
    options = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    return pyarrow.csv.read_csv(pa.BufferReader(header), parse_options=options).column_names  # type: ignore[no-any-return]


def records(open_: Callable[[], Any], name: str, delimiter: str, most: int = MAX_TEXT) -> Iterator[Records]:
    """Yield the bytes of a file's records, numbered by the lines where they start, the header by 0.

    Parameters are those of `read_blocks`. Records that never end, or are too long, are left out.
    """
    line = 1
    with ClosedQuotes(open_(), name, delimiter, most) as stream:
        for number, (data, ends) in enumerate(stream.records()):
            if number == 0:
                line += _lines_of(data)
                yield Records(data, ends, np.zeros(1, np.int64))
                continue
            feeds = np.searchsorted(np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")), ends)
            lone = np.frombuffer(data, np.uint8)[ends - 1] != ord("\n")  # ends with a carriage return, or nothing
            rows = line + np.append(0, feeds + np.cumsum(lone))
            yield Records(data, ends, rows[:-1])
            line = int(rows[-1])


def _lines_of(header: bytes) -> int:
    """Return how many lines the names of columns take: quoted ones may span several."""
    return max(1, header.count(b"\n"))


def _numbers(before: int, count: int, bad: list[Any]) -> NDArray[np.int64]:
    """Number records that follow some good ones: they have the numbers that no bad one has."""
    good = np.arange(before, before + count)
    passed = np.array([row.number - 2 - place for place, row in enumerate(bad)], np.int64)
    return good + 2 + np.searchsorted(passed, good, side="right")


def _without_blank(
    table: pa.Table, lines: NDArray[np.int64], empty: list[NDArray[np.int64]]
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Drop records without a single value unless their lines are `empty` values: blank lines, which are not rows."""
    blank = np.ones(table.num_rows, bool)
    for column in table.columns:
        blank &= pc.equal(column, "").to_numpy()
    if not blank.any() or not table.num_columns:
        return table, lines
    if empty:
        blank &= ~np.isin(lines, np.concatenate(empty))
    return table.filter(pa.array(~blank)), lines[~blank]
