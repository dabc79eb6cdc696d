"""Rows to those that can be used, and what is wrong with the others.

Input    a `readers.Piece`: rows of a file or of an object in memory
Output   `Checked`: its usable rows and their texts, and a `Reject` for each other row: a null text or id, invalid UTF-8
Cost     a pass over all strings (some GB/s); rows are looked at one by one only where a column fails

An input is refused, and not a row of it, where a column has a type of which no value can be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io.lists import is_list, joined_lists
from dupdetect.io.readers import Faults, Piece, Reject
from dupdetect.io.records import utf8_fault
from dupdetect.io.schema import plain_column
from dupdetect.io.selection import filtered, size_of
from dupdetect.io.streams import MAX_TEXT

REJECTS = pa.schema([("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())])

#: Bytes that a reject takes in memory, about.
REJECT_BYTES = 256

#: Rows among which a row of invalid UTF-8 is looked for one by one.
SEARCHED_AT_ONCE = 1024

NO_ID = "column {!r} is null, expected an id"
#: What is said of bytes that were not decoded; of others the place would be that after decoding, which nobody can see.
_NOT_UTF8, NOT_VALID = re.compile(r"not valid UTF-8 \(byte [^)]*\)"), "not valid in its encoding, {}"
NO_TEXT = "column {!r} is null, expected a string"


@dataclass(frozen=True, eq=False)
class Checked:
    """The n rows of a piece that can be used.

    Attributes
    ----------
    piece : Piece
    table : pyarrow.Table
    texts : pyarrow.ChunkedArray of large_string
    positions : int64[n]
        Which rows of the piece they are.
    rejects : list of Reject
        The others.
    size : int
        Bytes of all rows of the piece, and of its rejects.
    """

    piece: Piece
    table: pa.Table
    texts: pa.ChunkedArray
    positions: NDArray[np.int64]
    rejects: list[Reject]
    size: int


def check(
    piece: Piece, text: str, id: str | None, files: Sequence[str | None], max_text: int = MAX_TEXT, listed: bool = False
) -> Checked:
    """Divide the rows of a piece.

    Parameters
    ----------
    piece : Piece
    text, id : str
        The columns of texts and ids, where it has them; None: no column is one of ids.
    files : sequence of str or None
        The names of files, by their numbers.
    max_text : int
        Bytes that a text may have.
    listed : bool
        Whether texts are lists of words, and not strings.

    Raises
    ------
    InputError
        The column of texts is of another type, or damaged.
    """
    table, positions = piece.table, np.arange(piece.table.num_rows)
    size = size_of(table) + REJECT_BYTES * len(piece.rejects)
    texts, nulls_among = _texts(piece, text, listed)
    faults = _too_long(texts, text, max_text) | _faults(table, texts, text, id, piece) | nulls_among | piece.faults
    if faults:
        keep = np.ones(table.num_rows, bool)
        keep[list(faults)] = False
        positions = positions[keep]
        table, texts = filtered(table, keep), texts.filter(pa.array(keep))
    rejects = [Reject(files[piece.files[at]], int(piece.rows[at]), reason) for at, reason in faults.items()]
    return Checked(piece, table, texts, positions, [_said_of(piece, each) for each in piece.rejects + rejects], size)


def _said_of(piece: Piece, reject: Reject) -> Reject:
    """Name the encoding that bytes mean nothing in: they were let through as no UTF-8 (`encodings.Decoded`)."""
    if piece.encoding is None:
        return reject
    return reject._replace(reason=_NOT_UTF8.sub(NOT_VALID.format(piece.encoding), reject.reason))


def reject_table(rejects: list[Reject]) -> pa.Table:
    """Return rejects as a table of `REJECTS`."""
    return pa.table([list(column) for column in zip(*rejects, strict=True)] or [[], [], []], schema=REJECTS)


def nulls(column: pa.ChunkedArray) -> list[int]:
    """Return the places of nulls; they may be values of a dictionary, too."""
    if pa.types.is_dictionary(column.type) and any(chunk.dictionary.null_count for chunk in column.chunks):
        column = plain_column(column)
    return np.flatnonzero(column.is_null().to_numpy()).tolist() if column.null_count else []


def _texts(piece: Piece, name: str, listed: bool) -> tuple[pa.ChunkedArray, Faults]:
    """Return the column of texts, as large_string, and faults of lists of words."""
    if not listed or name not in piece.table.column_names:
        return _strings(piece, name), {}
    column = piece.table[name]
    if pa.types.is_null(column.type):
        return column.cast(pa.large_string()), {}
    if not is_list(column.type):
        raise InputError(
            f"{piece.name}: column {name!r} is {column.type}, expected lists of words, for words is a name; to have "
            "strings cut, let words be a callable"
        )
    try:
        texts, wrong = joined_lists(column)
    except pa.ArrowInvalid as error:
        raise InputError(f"{piece.name}: column {name!r} is damaged ({error}): write the file anew") from error
    return texts, dict.fromkeys(wrong.tolist(), f"column {name!r} has a null among its words, expected none")


def _strings(piece: Piece, name: str) -> pa.ChunkedArray:
    """Return the column of strings, or bytes that may be strings, as large_string; not checked yet."""
    if name not in piece.table.column_names:  # other rows of the file have it, or the piece has rejects alone
        rows = piece.table.num_rows
        return pa.chunked_array([pa.nulls(rows, pa.large_string())] if rows else [], pa.large_string())
    column = plain_column(piece.table[name])
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        wide = column.cast(pa.large_binary())
        return pa.chunked_array([chunk.view(pa.large_string()) for chunk in wide.chunks], pa.large_string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_null(column.type):
        return column.cast(pa.large_string())
    type_ = piece.table.schema.field(name).type
    remedy = "say by words='NAME' what cut them into words, or join them" if is_list(type_) else "convert it"
    raise InputError(f"{piece.name}: column {name!r} is {type_}, expected string; name another column or {remedy}")


def _faults(table: pa.Table, texts: pa.ChunkedArray, text: str, id: str | None, piece: Piece) -> Faults:
    """Say what is wrong with which rows: nulls and invalid UTF-8."""
    faults: Faults = {}
    for name in table.column_names:
        column = texts if name == text else table[name]
        if name == id:
            faults |= dict.fromkeys(nulls(column), NO_ID.format(name))
        faults |= _invalid(column, name, piece)
    return faults | dict.fromkeys(nulls(texts), NO_TEXT.format(text))


def _too_long(texts: pa.ChunkedArray, name: str, most: int) -> Faults:
    lengths = pc.fill_null(pc.binary_length(texts), 0)
    if not len(texts) or pc.max(lengths).as_py() <= most:
        return {}
    return {
        int(at): f"column {name!r} has {lengths[at].as_py():,} bytes, expected at most {most:,} (max_text)"
        for at in np.flatnonzero(lengths.to_numpy() > most)
    }


def _invalid(column: pa.ChunkedArray, name: str, piece: Piece) -> Faults:
    """Find rows whose strings are not UTF-8: Parquet and Arrow files promise it, and nobody checks."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        column = plain_column(column)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise InputError(f"{piece.name}: column {name!r} is damaged ({error}): write the file anew") from error
        return dict(_search(column, name))
    return {}


def _search(column: pa.ChunkedArray, name: str) -> Iterator[tuple[int, str]]:
    for start in range(0, len(column), SEARCHED_AT_ONCE):
        part = column.slice(start, SEARCHED_AT_ONCE)
        try:
            part.validate(full=True)
        except pa.ArrowInvalid:
            for row, raw in enumerate(part.cast(pa.large_binary()).to_pylist(), start):
                fault = raw is not None and utf8_fault(raw, name)
                if fault:
                    yield row, fault
