"""
JSON Lines to tables.

Input    a stream of lines, one JSON object each
Output   a table for each block of lines, with the lines it came from; a reject for each line that is no object
Cost     that of pyarrow's reader; a block with a bad line is read again line by line
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.json
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.io.first_bytes import check_beginning
from dupdetect.io.lists import is_list
from dupdetect.io.schema import INEXACT, as_json, packed, unify, unpacked
from dupdetect.io.streams import MAX_TEXT, Records, sentence

BLOCK_BYTES = 32 << 20  # lines are cut into blocks of about this size: what a bad line makes us read twice
PARSE_BYTES = 4 << 20  # and parsed in parallel in parts of this size (1 to 8 MB are equally fast)
BOM = b"\xef\xbb\xbf"

DEEPEST = 40  # objects and arrays in one another that a line may have: Parquet and Arrow files hold as many

SHORTEST = 8  # bytes that a line has on average, at the least, if most lines are rows
CROWDED_BYTES = 1 << 20  # of blocks of shorter lines this much is looked at together

_WIDE = re.compile(rb"[:,\[\s]-?[0-9]{16,}(?=[\s,\]}])")  # integers that may be as large, or strings that hold such
_BLANKS = b" \t\r\n"
_OBJECT_IN_ARRAY = re.compile(rb"\[\s*\{(?!.*\]$)", re.DOTALL)  # which does not end in this line
_TOO_LONG = "the line has more than {:,} bytes (max_text)"
_IS_BLANK = np.isin(np.arange(256), list(_BLANKS))
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)  # or what begins as one
_JSON_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


class Block(NamedTuple):
    """The lines of a block: those that are rows, and what is wrong with others."""

    table: pa.Table
    lines: NDArray[np.int64]
    rejects: list[tuple[int, str]]
    end: Any  # where the next block begins, as JSON


def read_blocks(
    stream: Any, name: str, text: str, start: Any = None, most: int = MAX_TEXT, *, listed: bool = False
) -> Iterator[Block]:
    """
    Read JSON Lines.

    Parameters
    ----------
    stream : file
        Binary; read from its beginning.
    name : str
        What messages call it.
    text : str
        The column whose values must be strings; or, if they are `listed`, lists of strings or of whole numbers.
    start : JSON value, optional
        A `Block.end`: begin there.
    most : int
        Bytes that a line may have.

    Yields
    ------
    Block

    Raises
    ------
    InputError
        It is one JSON array.
    OSError
        It cannot be read.
    """
    at, line, dates = start or (0, 1, None)
    reader = _Reader(
        (text, listed), most, line, {} if dates is None else {field.name: field for field in unpacked(dates)}
    )
    try:
        _pass_over(stream, at)
        for block, passed_over in whole_lines(stream, most):
            if line == 1:
                check_beginning(block, name, "JSON Lines")
            if line == 1 and _is_array(block.removeprefix(BOM).strip(), name):
                raise InputError(
                    f"{name}: the file is one JSON array, expected JSON Lines, one object a line; "
                    f"convert it with: jq -c '.[]' {name}"
                )
            at += len(block) + passed_over
            table, lines, rejects = reader.read(block.removeprefix(BOM) if line == 1 else block)
            if passed_over:
                rejects = [*rejects, (reader.line, _TOO_LONG.format(most))]
                reader.line += 1
            line = reader.line
            yield Block(table, lines, rejects, [at, line, packed(list(reader.strings.values()))])
    except OSError as error:
        raise OSError(f"{sentence(error)}, after line {reader.line - 1}") from error


def records(stream: Any, most: int = MAX_TEXT) -> Iterator[Records]:
    """Yield the bytes of a file's lines, with their numbers; those of its byte order mark by 0.

    Lines of more than `most` bytes are left out.
    """
    line = 1
    for block, passed_over in whole_lines(stream, most):
        if line == 1 and block.startswith(BOM):
            yield Records(BOM, np.array([len(BOM)]), np.zeros(1, np.int64))
            block = block.removeprefix(BOM)
        ends = np.minimum(_bounds(block)[1] + 1, len(block))
        yield Records(block, ends, line + np.arange(len(ends)))
        line += len(ends) + bool(passed_over)


def _pass_over(stream: Any, length: int) -> None:
    if length and stream.seekable():
        stream.seek(length)
        return
    while length:
        length -= len(stream.read(min(length, BLOCK_BYTES)))


def whole_lines(stream: Any, most: int) -> Iterator[tuple[bytes, int]]:
    """Cut a stream into blocks that end with a line; a line longer than a block comes whole.

    A line of more than `most` bytes is passed over: how many bytes of it follow a block is yielded with that. Where a
    block ends depends on nothing before it.
    """
    rest = ahead = b""  # of a line that is not whole; what follows a line that was passed over
    while more := ahead + stream.read(BLOCK_BYTES - len(rest) - len(ahead)):
        ahead = b""
        begun, length = [rest], len(rest)
        while more and b"\n" not in more and length + len(more) <= most:
            begun.append(more)
            length += len(more)
            more = stream.read(BLOCK_BYTES)
        first = more.find(b"\n") + 1 or len(more) + 1
        if length + first - 1 > most:
            passed_over, ahead = _end_of_line(stream, length, more)
            rest = b""
            yield b"", passed_over
            continue
        end = more.rfind(b"\n") + 1
        yield b"".join([*begun, more[:end]]), 0
        rest = more[end:]
    if rest:
        yield rest, 0


def _end_of_line(stream: Any, length: int, more: bytes) -> tuple[int, bytes]:
    """Pass over the rest of a line; return how long it is and what was read of the next."""
    while more:
        end = more.find(b"\n") + 1
        if end:
            return length + end, more[end:]
        length += len(more)
        more = stream.read(BLOCK_BYTES)
    return length, b""


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and any(all(type(word) is kind for word in value) for kind in (str, int))


def _is_array(block: bytes, name: str) -> bool:
    """Whether a file that begins so is one JSON array, and not a first line that is one among others."""
    if not block.startswith(b"["):
        return False
    first = block.partition(b"\n")[0].rstrip()
    whole = first == block and b"{" in block  # of numbers it is a row that is rejected
    return name.lower().endswith(".json") or whole or first == b"[" or bool(_OBJECT_IN_ARRAY.match(first))


class _Reader:
    """Parses blocks of lines, and remembers the types found."""

    def __init__(self, text: tuple[str, bool], most: int, line: int, strings: dict[str, pa.Field]) -> None:
        (self.text, self.listed), self.most = text, most
        self.line = line  # the next one
        self.strings = strings  # columns that pyarrow would take for dates
        self.tables: list[pa.Table] = []
        self.rows: list[NDArray[np.int64]] = []
        self.rejects: list[tuple[int, str]] = []

    def read(self, block: bytes) -> tuple[pa.Table, NDArray[np.int64], list[tuple[int, str]]]:
        self.tables, self.rows, self.rejects = [], [], []
        self.add(block)
        table = self.tables[0] if len(self.tables) == 1 else unify(self.tables, [""] * len(self.tables), inferred=True)
        return table, np.concatenate([np.empty(0, np.int64), *self.rows]), self.rejects

    def add(self, block: bytes) -> None:
        """Read lines; where most can only be blank, a few at a time, so that their places take little memory."""
        crowded = SHORTEST * block.count(b"\n") > len(block)
        begin = 0
        while begin < len(block):
            end = block.find(b"\n", begin + CROWDED_BYTES) + 1 if crowded else 0
            self._add(block[begin : end or len(block)])
            begin = end or len(block)

    def _add(self, block: bytes) -> None:
        count = block.count(b"\n") + (not block.endswith(b"\n"))
        if not block.strip(_BLANKS):
            self.line += count
            return
        block, numbers = _without_blank(block, self.line)
        self.line += count
        block, numbers, long = _without_long(block, numbers, self.most)
        self.rejects += [(number, _TOO_LONG.format(self.most)) for number in long.tolist()]
        if not len(numbers):
            return
        table = self._try(block) if _is_plain(block) else None
        # A line may have two objects: then line by line, too.
        if (
            table is None
            or table.num_rows != len(numbers)
            or not self._text_is_text(table)
            or _may_round(table.schema, block)
        ):
            self._add_line_by_line(block, numbers)
        else:
            self._keep(table, numbers)

    def _keep(self, table: pa.Table, rows: NDArray[np.int64]) -> None:
        if not table.num_columns:  # objects without members: rows all the same
            table = pa.table({self.text: pa.nulls(table.num_rows)})
        self.tables.append(table)
        self.rows.append(rows)

    def _text_is_text(self, table: pa.Table) -> bool:
        if self.text not in table.column_names:
            return True
        type_ = table.schema.field(self.text).type
        return bool(pa.types.is_null(type_) or (is_list(type_) if self.listed else pa.types.is_string(type_)))

    def _try(self, block: bytes, texts: Iterable[str] = (), names: Iterable[str] = ()) -> pa.Table | None:
        """Parse a block, in which some columns are known to be text; None if it cannot be.

        Columns are in the order of `names`, or else in that of the block: the parser has those first that are known.
        """
        known = self.strings | {name: pa.field(name, pa.string()) for name in texts}
        try:
            table = self._parse(block, known)
            order = list(dict.fromkeys([*names, *table.column_names]))
            dates = [_without_dates(column) for column in table.schema if _has_date(column.type)]
            if dates:
                self.strings.update({column.name: column for column in dates})
                table = self._parse(block, known | self.strings)
            return table.select(order)
        except (pa.ArrowException, OverflowError):
            return None

    def _parse(self, block: bytes, known: dict[str, pa.Field]) -> pa.Table:
        try:
            return _parse_in_parts(block, PARSE_BYTES, known)
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error):
                raise
            return _parse_in_parts(block, len(block) + 1, known)  # a line is longer than a part

    def _add_line_by_line(self, block: bytes, numbers: NDArray[np.int64]) -> None:
        good: list[tuple[int, dict[str, Any]]] = []
        for number, line in zip(numbers.tolist(), block.split(b"\n"), strict=False):  # what follows the last is empty
            value = self._load(line)
            if isinstance(value, str):
                self.rejects.append((number, value))
            else:
                good.append((number, value))
        self._add_objects(good)

    def _load(self, line: bytes) -> dict[str, Any] | str:
        """Parse a line, or say what is wrong with it."""
        if line.count(b"[") + line.count(b"{") > DEEPEST and _depth(line) > DEEPEST:
            return f"the line is JSON nested more than {DEEPEST} deep"
        try:
            value = json.loads(line.decode())
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeDecodeError as error:
            return f"the line is not valid UTF-8 (byte {error.start})"
        except UnicodeEncodeError as error:
            code = ord(error.object[error.start])
            return f"the line holds a lone surrogate (U+{code:04X}), expected valid Unicode"
        except json.JSONDecodeError as error:
            return f"the line is not valid JSON ({error.msg}, column {error.colno})"
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, deepest nesting
            return f"the line is not JSON that can be read ({sentence(error)})"
        if not isinstance(value, dict):
            return f"the line is a JSON {_json_type(value)}, expected an object"
        text = value.get(self.text)
        if text is not None and not (_is_list(text) if self.listed else isinstance(text, str)):
            expected = "an array of words, all strings or all integers" if self.listed else "a string"
            return f"column {self.text!r} is a JSON {_json_type(text)}, expected {expected}"
        return value

    def _add_objects(self, rows: list[tuple[int, dict[str, Any]]]) -> None:
        """Make tables of rows that are good one by one: values of several JSON types in a column become text."""
        if not rows:
            return
        texts: set[str] = set()
        names = dict.fromkeys(name for _, row in rows for name in row)
        every = names.keys() - {self.text}  # such as numbers that no type holds
        for mixed in (_mixed_columns(rows, self.strings) | _wide_columns(rows), _nested_columns(rows), every):
            for _, row in rows:
                for name in mixed & row.keys():
                    row[name] = as_json(row[name])
            texts |= mixed
            table = self._try(b"\n".join(json.dumps(row, ensure_ascii=False).encode() for _, row in rows), texts, names)
            if table is not None and table.num_rows == len(rows):
                self._keep(table, np.array([number for number, _ in rows], np.int64))
                return
        if len(rows) > 1:
            half = len(rows) // 2
            self._add_objects(rows[:half])
            self._add_objects(rows[half:])
        else:
            self.rejects.append((rows[0][0], "the line is JSON that cannot be put into a table"))


def _parse_in_parts(block: bytes, part_bytes: int, known: dict[str, pa.Field]) -> pa.Table:
    schema = pa.schema(list(known.values())) if known else None
    table = pyarrow.json.read_json(
        pa.BufferReader(block),
        read_options=pyarrow.json.ReadOptions(block_size=part_bytes),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema),
    )
    table.validate()  # of lists of nothing but nulls, pyarrow makes arrays too short (seen in 26.0)
    return table


def _bounds(block: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Return where each line of a block starts and ends, and the block's bytes."""
    codes = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(codes == ord("\n"))
    if len(codes) and codes[-1] != ord("\n"):
        ends = np.append(ends, len(codes))
    return np.append(0, ends[:-1] + 1)[: len(ends)], ends, codes


def _without_blank(block: bytes, line: int) -> tuple[bytes, NDArray[np.int64]]:
    """Take blank lines, which are no rows, out of a block; number the others, the first of all being `line`."""
    starts, ends, codes = _bounds(block)
    numbers = line + np.arange(len(starts))
    perhaps = _IS_BLANK[codes[np.minimum(starts, len(codes) - 1)]]
    if not perhaps.any():
        return block, numbers
    written = np.append(0, np.cumsum(~_IS_BLANK[codes], dtype=np.int64))
    full = written[ends] > written[starts]
    if full.all():
        return block, numbers
    lengths = np.diff(np.append(starts, len(codes)))
    return codes[np.repeat(full, lengths)].tobytes(), numbers[full]


def _without_long(
    block: bytes, numbers: NDArray[np.int64], most: int
) -> tuple[bytes, NDArray[np.int64], NDArray[np.int64]]:
    """Take lines of more bytes than they may have out of a block; return their numbers, too."""
    if len(block) <= most:
        return block, numbers, numbers[:0]
    starts, ends, codes = _bounds(block)
    good = ends - starts <= most
    if good.all():
        return block, numbers, numbers[:0]
    lengths = np.diff(np.append(starts, len(codes)))
    return codes[np.repeat(good, lengths)].tobytes(), numbers[good], numbers[~good]


def _is_plain(block: bytes) -> bool:
    """Tell whether each line of a block may be parsed together with the others.

    That is one that begins and ends as an object does, so that whatever opens in it ends there, or is an error; and
    that is not nested too deep: parsers call themselves, and would end the process.
    """
    starts, ends, codes = _bounds(block)
    last = ends - 1
    last = last - (codes[last] == ord("\r"))
    odd = np.flatnonzero((codes[starts] != ord("{")) | (codes[last] != ord("}")) | (last < starts))
    for line in odd.tolist():
        bare = block[starts[line] : ends[line]].strip(_BLANKS)
        if not (bare.startswith(b"{") and bare.endswith(b"}")):
            return False
    if block.count(b"{") + block.count(b"[") <= len(ends) + DEEPEST:  # each line has one
        return True
    openings = np.flatnonzero(codes | 0x20 == ord("{"))  # [ and {
    bounds = np.searchsorted(openings, np.append(starts, len(codes)))
    many = np.flatnonzero(np.diff(bounds) > DEEPEST)
    return all(_depth(block[starts[line] : ends[line]]) <= DEEPEST for line in many.tolist())


def _depth(line: bytes) -> int:
    """Return how deep objects and arrays of a line are in one another, at the most."""
    codes = np.frombuffer(_STRING.sub(b"", line), np.uint8) | 0x20
    steps = (codes == ord("{")).astype(np.int32) - (codes == ord("}"))
    return int(np.cumsum(steps).max(initial=0))


def _json_type(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "null")


def _mixed_columns(rows: list[tuple[int, dict[str, Any]]], strings: dict[str, pa.Field]) -> set[str]:
    types: dict[str, set[str]] = {name: {"string"} for name, f in strings.items() if pa.types.is_string(f.type)}
    for _, row in rows:
        for name, value in row.items():
            if value is not None:
                types.setdefault(name, set()).add(_json_type(value))
    return {name for name, found in types.items() if len(found) > 1}


def _nested_columns(rows: list[tuple[int, dict[str, Any]]]) -> set[str]:
    return {name for _, row in rows for name, value in row.items() if isinstance(value, list | dict)}


def _may_round(schema: pa.Schema, block: bytes) -> bool:
    """Whether large integers may have become floating-point numbers, of which several are one."""
    return any(_has_float(field.type) for field in schema) and _WIDE.search(block) is not None


def _has_float(type_: pa.DataType) -> bool:
    return pa.types.is_floating(type_) or any(_has_float(field.type) for field in _children(type_))


def _wide_columns(rows: list[tuple[int, dict[str, Any]]]) -> set[str]:
    """Return the columns of large integers that no column of integers holds: those beyond 64 bits, or beside floats."""
    large: set[str] = set()
    floats: set[str] = set()
    for _, row in rows:
        for name, value in row.items():
            for number in _numbers_in(value):
                if isinstance(number, float):
                    floats.add(name)
                elif abs(number) >= 1 << 63:
                    large.add(name)
                    floats.add(name)
                elif abs(number) >= INEXACT:
                    large.add(name)
    return large & floats


def _numbers_in(value: Any) -> Iterator[int | float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _numbers_in(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def _has_date(type_: pa.DataType) -> bool:
    return pa.types.is_timestamp(type_) or any(_has_date(f.type) for f in _children(type_))


def _children(type_: pa.DataType) -> list[pa.Field]:
    return [type_.field(i) for i in range(type_.num_fields)]


def _without_dates(column: pa.Field) -> pa.Field:
    """JSON has no dates: what looks like one is a string, and is to stay as it was written."""

    def plain(type_: pa.DataType) -> pa.DataType:
        if pa.types.is_timestamp(type_):
            return pa.string()
        if pa.types.is_struct(type_):
            return pa.struct([_without_dates(f) for f in _children(type_)])
        if pa.types.is_list(type_):
            return pa.list_(_without_dates(type_.value_field))
        return type_

    return column.with_type(plain(column.type))
