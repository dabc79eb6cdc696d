"""
Files to tables.

Input    paths of files, folders and globs, or "-" for JSON Lines on standard input
Output   one `Piece` a file (text files: one for many): its rows as a table, their numbers, its rejects
Cost     that of pyarrow's readers; a block of JSON Lines that holds a bad line is read again line by line

A row that cannot be read is a reject and reading goes on; a file that cannot be read is an `InputError`.
Rows are counted from 1. For JSON Lines and CSV that is the line an editor shows (where the record starts), in
Parquet and Arrow files the row, in a text file always 1.
"""

from __future__ import annotations

import glob
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
import pyarrow.json
import pyarrow.parquet
from numpy.typing import NDArray

from dupdetect.errors import InputError

BLOCK_BYTES = 32 << 20  # JSON Lines are cut into blocks of about this size: what a bad line makes us read twice
PARSE_BYTES = 4 << 20  # and parsed in parallel in parts of this size (1 to 8 MB are equally fast)
CSV_BYTES = 16 << 20
LARGEST_BLOCK = 2**31 - 1  # of pyarrow's readers
TEXT_FILES_AT_ONCE = 1024

FORMATS = {
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".jsonl": "JSON Lines",
    ".ndjson": "JSON Lines",
    ".json": "JSON Lines",
    ".csv": "CSV",
    ".tsv": "CSV",
    ".arrow": "Arrow",
    ".arrows": "Arrow",
    ".ipc": "Arrow",
    ".feather": "Arrow",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}


class Reject(NamedTuple):
    """A row that could not be used: its file (None: data in memory), its number, and why."""

    file: str | None
    row: int
    reason: str


@dataclass(frozen=True, eq=False)
class Piece:
    """
    The rows of one file, of several text files, or of one object in memory.

    Attributes
    ----------
    table : pyarrow.Table
        The n rows that could be read, every column.
    rows : int64[n]
        Their row numbers.
    files : sequence of str or None
        Their file: one for all, or one a row.
    rejects : list of Reject
        The rows that could not be read.
    faults : dict of int to str
        What is already known to be wrong with rows of the table, by position.
    inferred : bool
        Column types were guessed from values (JSON, CSV) and may give way to text; else they were declared.
    """

    table: pa.Table
    rows: NDArray[np.int64]
    files: Sequence[str | None]
    rejects: list[Reject] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    inferred: bool = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.files[0] or "the data"

    def file_of(self, position: int) -> str | None:
        """The file of the row at a position of the table."""
        return self.files[position] if len(self.files) > 1 else self.files[0]


class Found(NamedTuple):
    """A file to read."""

    path: str
    format: str  # a value of FORMATS, or "text"
    compression: str | None
    name: str  # the id of a text file


# ---- which files ----


def find(sources: Iterable[str | Path]) -> list[Found]:
    """
    Resolve files, folders and globs to files, in the order given, each folder and glob in order of name.

    Files in folders whose names start with "." or "_" are passed over. A folder holds tables or text files,
    not both.

    Raises
    ------
    InputError
        A path does not exist, a glob matches nothing, a folder holds no files or both kinds.
    """
    paths = [os.fspath(source) for source in sources]
    found: list[Found] = []
    for source in paths:
        if source == "-":
            found.append(Found("-", "JSON Lines", None, "-"))
            continue
        for path in _matches(source):
            if Path(path).is_dir():
                found += _in_folder(path, prefix="" if len(paths) == 1 and path == source else path)
            else:
                found.append(_recognise(path, path))
    if not found:
        raise InputError("no input files were given: expected a file, a folder, a glob, or - for standard input")
    return found


def _matches(source: str) -> list[str]:
    if os.path.exists(source):  # noqa: PTH110 - a str that is no path at all (too long, with NUL) is False here
        return [source]
    if glob.has_magic(source):
        matched = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        # "**" also matches the folders whose files it matches: those would count twice.
        matched = [path for path in matched if Path(path).is_file()] or matched
        if matched:
            return matched
        raise InputError(f"no file matches {_short(source)!r}: expected a glob that matches at least one file")
    raise InputError(
        f"{_short(source)!r} does not exist: expected a file, folder or glob (texts themselves go in a list)"
    )


def _short(source: str) -> str:
    return source if len(source) <= 200 else source[:200] + "…"


def _in_folder(folder: str, prefix: str) -> list[Found]:
    found = []
    for parent, folders, names in os.walk(folder, onerror=_unreadable_folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")):
                path = os.path.join(parent, name)  # noqa: PTH118 - the path as given, not normalised
                relative = Path(path).relative_to(folder)
                found.append(_recognise(path, (Path(prefix) / relative).as_posix()))
    texts = [file.path for file in found if file.format == "text"]
    tables = [file.path for file in found if file.format != "text"]
    if not found:
        raise InputError(f"{folder!r} holds no files: expected text files, or tables such as *.parquet or *.jsonl")
    if texts and tables:
        raise InputError(
            f"{folder!r} holds tables ({label(tables[0])}) and text files ({label(texts[0])}): "
            f"expected one kind; choose with a glob such as '{folder}/**/*{Path(tables[0]).suffix}'"
        )
    return found


def _unreadable_folder(error: OSError) -> None:
    raise InputError(f"{error.filename!r} cannot be read ({error.strerror}): check its permissions") from error


def _recognise(path: str, name: str) -> Found:
    pure = Path(path)
    compression = COMPRESSIONS.get(pure.suffix.lower())
    stem = pure.with_suffix("") if compression else pure
    return Found(path, FORMATS.get(stem.suffix.lower(), "text"), compression, label(name))


def label(path: str) -> str:
    """Spell a path in valid Unicode: file names may be any bytes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


# ---- reading them ----


def read(found: Iterable[Found], *, text: str = "text", id: str = "id") -> Iterator[Piece]:
    """
    Read files, one piece each; neighbouring text files come together.

    Parameters
    ----------
    found : iterable of Found
        From `find`.
    text, id : str
        The columns of texts and ids: their values are never taken for a date or a number. Names of
        the columns made of text files. Whether a table has them is for the caller to check.

    Yields
    ------
    Piece

    Raises
    ------
    InputError
        A file cannot be read or is not what its name says.
    """
    waiting: list[Found] = []
    for file in found:
        if file.format == "text":
            waiting.append(file)
            if len(waiting) < TEXT_FILES_AT_ONCE:
                continue
        if waiting:
            yield _read_texts(waiting, text, id)
            waiting = []
        if file.format != "text":
            with _reported(file):
                yield _READERS[file.format](file, text, id)
    if waiting:
        yield _read_texts(waiting, text, id)


@contextmanager
def _reported(file: Found) -> Iterator[None]:
    """Turn whatever a reader raises into one sentence with the file's name."""
    expected = f"expected {file.format}" + (f" compressed with {file.compression}" if file.compression else "")
    where = label(file.path)
    try:
        yield
    except InputError:
        raise
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        raise InputError(f"{where}: cannot be opened ({error.strerror}), {expected}; check the path") from error
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        message = _sentence(error)
        message = message.replace("Truncated compressed stream", "the compressed data end too early")
        raise InputError(f"{where}: cannot be read ({message}), {expected}; is the file complete?") from error


def _sentence(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse a table in which two columns have one name."""
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else None
    if twice:
        raise InputError(f"{where}: column {twice[0]!r} occurs twice, expected distinct names; rename one")


def _open(file: Found) -> Any:
    """A stream of the file's (decompressed) bytes, with `read`."""
    if file.path == "-":
        return pa.PythonFile(sys.stdin.buffer, mode="r")
    raw = pa.OSFile(os.fsencode(file.path))
    return raw if file.compression is None else pa.CompressedInputStream(raw, file.compression)


def _random_access(file: Found) -> Any:
    """The file for readers that jump about in it: mapped into memory, or decompressed."""
    if Path(file.path).stat().st_size == 0:
        raise InputError(f"{label(file.path)}: the file is empty, expected {file.format}; was it written completely?")
    if file.compression is None:
        return pa.memory_map(os.fsencode(file.path))
    with _open(file) as stream:
        return pa.BufferReader(stream.read())


def _from_one(table: pa.Table, file: Found) -> Piece:
    check_names(table.column_names, label(file.path))
    return Piece(table, np.arange(1, table.num_rows + 1), [label(file.path)])


def _read_parquet(file: Found, _text: str, _id: str) -> Piece:
    return _from_one(pyarrow.parquet.ParquetFile(_random_access(file)).read(), file)


def _read_arrow(file: Found, _text: str, _id: str) -> Piece:
    source = _random_access(file)
    magic = source.read(6)
    source.seek(0)
    open_ = pyarrow.ipc.open_file if magic == b"ARROW1" else pyarrow.ipc.open_stream
    table = open_(source).read_all()
    table.validate()  # its offsets come from outside
    return _from_one(table, file)


def _read_texts(files: list[Found], text: str, id: str) -> Piece:
    contents = []
    for file in files:
        with _reported(file), _open(file) as stream:
            contents.append(stream.read().removeprefix(_BOM))
    texts = pa.array(contents, pa.large_binary()).view(pa.large_string())  # not checked yet: documents does
    names = [file.name for file in files]
    table = pa.table({id: names, text: texts})
    return Piece(table, np.ones(len(files), np.int64), [label(file.path) for file in files], inferred=True)


# ---- CSV ----


def _read_csv(file: Found, text: str, id: str) -> Piece:
    try:
        table, bad = _parse_csv(file, text, id, CSV_BYTES)
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return Piece(pa.table({}), np.empty(0, np.int64), [label(file.path)], inferred=True)
        if "straddling" not in str(error):
            raise
        table, bad = _parse_csv(file, text, id, LARGEST_BLOCK)  # a record larger than a block
    check_names(table.column_names, label(file.path))
    lines, bad_lines = _csv_lines(table, bad)
    table, lines = _without_blank(table, lines)
    for name in {text, id} & set(table.column_names):
        place = table.column_names.index(name)
        column = pc.fill_null(table[name], "") if name == text else _numbers_if_plain(table[name])
        table = table.set_column(place, name, column)
    rejects = [
        Reject(
            label(file.path),
            line,
            f"the row has {row.actual_columns} columns, expected {row.expected_columns}",
        )
        for line, row in zip(bad_lines, bad, strict=True)
    ]
    return Piece(table, lines, [label(file.path)], rejects=rejects, inferred=True)


def _parse_csv(file: Found, text: str, id: str, block_bytes: int) -> tuple[pa.Table, list[Any]]:
    bad: list[Any] = []

    def skip(row: Any) -> str:
        bad.append(row)
        return "skip"

    with _open(file) as stream:
        table = pyarrow.csv.read_csv(
            stream,
            # Only without threads do rows have numbers; it is as fast but for conversion.
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=block_bytes),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="\t" if ".tsv" in Path(file.path).suffixes[-2:] else ",",
                newlines_in_values=True,
                ignore_empty_lines=False,  # they count as lines
                invalid_row_handler=skip,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False,  # one bad value is no reason to give the file up
                column_types={text: pa.string(), id: pa.string()},
                null_values=["", "NA", "NaN", "null"],
                strings_can_be_null=False,
            ),
        )
    return table, bad


def _csv_lines(table: pa.Table, bad: list[Any]) -> tuple[NDArray[np.int64], list[int]]:
    """The line where each good and each bad record starts. Quoted values may span several."""
    total = table.num_rows + len(bad)
    heights = np.ones(total, np.int64)
    is_bad = np.zeros(total, bool)
    for row in bad:
        is_bad[row.number - 2] = True  # records are counted from 1, the header is the first
        heights[row.number - 2] += row.text.count("\n")
    for column in table.columns:
        if pa.types.is_string(column.type):
            heights[~is_bad] += pc.count_substring(column, "\n").to_numpy()
    starts = 2 + np.cumsum(heights) - heights
    return starts[~is_bad], starts[is_bad].tolist()


def _without_blank(table: pa.Table, lines: NDArray[np.int64]) -> tuple[pa.Table, NDArray[np.int64]]:
    """Drop records without a single value: blank lines, which are not rows."""
    blank = np.ones(table.num_rows, bool)
    for column in table.columns:
        empty = pc.equal(column, "") if pa.types.is_string(column.type) else column.is_null()
        blank &= empty.to_numpy()
    if not blank.any() or not table.num_columns:
        return table, lines
    return table.filter(pa.array(~blank)), lines[~blank]


def _numbers_if_plain(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """CSV has no types: ids are integers where nothing is lost by it ("007" stays text), null where empty."""
    ids = pc.if_else(pc.equal(ids, ""), None, ids)
    try:
        plain = pc.all(pc.match_substring_regex(ids, r"^(0|-?[1-9][0-9]{0,17})$")).as_py()
    except pa.ArrowInvalid:  # invalid UTF-8
        return ids
    return ids.cast(pa.int64()) if plain else ids


# ---- JSON Lines ----

_BLANKS = b" \t\r\n"
_BLANK_LINE = re.compile(rb"^[ \t\r]*$", re.MULTILINE)
_BOM = b"\xef\xbb\xbf"
_KINDS = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


def _read_json_lines(file: Found, text: str, _id: str) -> Piece:
    name = label(file.path)
    reader = _JsonLines(name, text)
    with _open(file) as stream:
        try:
            for block in _whole_lines(stream):
                if reader.line == 1 and file.path.lower().endswith(".json") and block.lstrip().startswith(b"["):
                    raise InputError(
                        f"{name}: the file is one JSON array, expected JSON Lines, one object a line; "
                        f"convert it with: jq -c '.[]' {name}"
                    )
                reader.add(block)
        except OSError as error:
            raise OSError(f"{_sentence(error)}, after line {reader.line - 1}") from error
    table = unify(reader.tables, [name] * len(reader.tables), inferred=True)
    rows = np.concatenate([np.empty(0, np.int64), *reader.rows])
    return Piece(table, rows, [name], rejects=reader.rejects, inferred=True)


def _whole_lines(stream: Any) -> Iterator[bytes]:
    """Cut a stream into blocks that end with a line; a line longer than a block comes whole."""
    begun: list[bytes] = []
    first = True
    while block := stream.read(BLOCK_BYTES):
        if first:
            block, first = block.removeprefix(_BOM), False
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*begun, block[:end]])
            begun = []
        begun.append(block[end:])
    rest = b"".join(begun)
    if rest:
        yield rest


class _JsonLines:
    """Parses blocks of lines, and remembers rows, rejects and the types found."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.line = 1  # the next one
        self.tables: list[pa.Table] = []
        self.rows: list[NDArray[np.int64]] = []
        self.rejects: list[Reject] = []
        self.strings: dict[str, pa.Field] = {}  # columns that pyarrow would take for dates

    def add(self, block: bytes) -> None:
        lines, blank = _count_lines(block)
        table = self._try(block)
        # Blank lines are no rows, and a line may hold two objects: then line by line.
        if table is None or table.num_rows != lines or blank or not self._text_is_text(table):
            self._add_line_by_line(block)
        else:
            self._keep(table, np.arange(self.line, self.line + lines))
        self.line += lines

    def _keep(self, table: pa.Table, rows: NDArray[np.int64]) -> None:
        if not table.num_columns:  # objects without members: rows all the same
            table = pa.table({self.text: pa.nulls(table.num_rows)})
        self.tables.append(table)
        self.rows.append(rows)

    def _text_is_text(self, table: pa.Table) -> bool:
        if self.text not in table.column_names:
            return True
        type_ = table.schema.field(self.text).type
        return bool(pa.types.is_string(type_) or pa.types.is_null(type_))

    def _try(self, block: bytes) -> pa.Table | None:
        """Parse a block; None if it cannot be."""
        try:
            table = self._parse(block)
            dates = [_without_dates(column) for column in table.schema if _has_date(column.type)]
            if not dates:
                return table
            self.strings.update({column.name: column for column in dates})
            return self._parse(block)
        except (pa.ArrowException, OverflowError):
            return None

    def _parse(self, block: bytes) -> pa.Table:
        try:
            return self._parse_in_parts(block, PARSE_BYTES)
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error):
                raise
            return self._parse_in_parts(block, len(block) + 1)  # a line is longer than a part

    def _parse_in_parts(self, block: bytes, part_bytes: int) -> pa.Table:
        known = pa.schema(list(self.strings.values())) if self.strings else None
        table = pyarrow.json.read_json(
            pa.BufferReader(block),
            read_options=pyarrow.json.ReadOptions(block_size=part_bytes),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=known),
        )
        table.validate()  # of lists of nothing but nulls, pyarrow makes arrays too short (seen in 26.0)
        return table

    def _add_line_by_line(self, block: bytes) -> None:
        good: list[tuple[int, dict[str, Any]]] = []
        for number, line in enumerate(block.split(b"\n"), self.line):
            if not line.strip():
                continue
            value = self._load(line)
            if isinstance(value, str):
                self.rejects.append(Reject(self.file, number, value))
            else:
                good.append((number, value))
        self._add_objects(good)

    def _load(self, line: bytes) -> dict[str, Any] | str:
        """Parse a line, or say what is wrong with it."""
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
            return f"the line is not JSON that can be read ({_sentence(error)})"
        if not isinstance(value, dict):
            return f"the line is a JSON {_kind(value)}, expected an object"
        text = value.get(self.text)
        if text is not None and not isinstance(text, str):
            return f"column {self.text!r} is a JSON {_kind(text)}, expected a string"
        return value

    def _add_objects(self, rows: list[tuple[int, dict[str, Any]]]) -> None:
        """Make tables of rows that are good one by one: values of several kinds in a column become text."""
        if not rows:
            return
        for mixed in (_mixed_columns(rows, self.strings), _nested_columns(rows)):
            for _, row in rows:
                for name in mixed & row.keys():
                    row[name] = as_json(row[name])
            table = self._try(b"\n".join(json.dumps(row, ensure_ascii=False).encode() for _, row in rows))
            if table is not None and table.num_rows == len(rows):
                self._keep(table, np.array([number for number, _ in rows], np.int64))
                return
        if len(rows) > 1:
            half = len(rows) // 2
            self._add_objects(rows[:half])
            self._add_objects(rows[half:])
        else:
            self.rejects.append(Reject(self.file, rows[0][0], "the line is JSON that cannot be put into a table"))


def _count_lines(block: bytes) -> tuple[int, bool]:
    """The number of lines in a block, and whether some are blank."""
    codes = np.frombuffer(block, np.uint8)
    starts = np.append(0, np.flatnonzero(codes == ord("\n")) + 1)
    starts = starts[starts < len(codes)]
    blank = np.isin(codes[starts], list(_BLANKS)).any() and _BLANK_LINE.search(block)
    return len(starts), bool(blank)


def as_json(value: Any) -> str | None:
    """Text for a value of a column of mixed kinds: strings as they are, others in JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")


def _mixed_columns(rows: list[tuple[int, dict[str, Any]]], strings: dict[str, pa.Field]) -> set[str]:
    kinds: dict[str, set[str]] = {name: {"string"} for name, f in strings.items() if pa.types.is_string(f.type)}
    for _, row in rows:
        for name, value in row.items():
            if value is not None:
                kinds.setdefault(name, set()).add(_kind(value))
    return {name for name, found in kinds.items() if len(found) > 1}


def _nested_columns(rows: list[tuple[int, dict[str, Any]]]) -> set[str]:
    return {name for _, row in rows for name, value in row.items() if isinstance(value, list | dict)}


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


_READERS: dict[str, Callable[[Found, str, str], Piece]] = {
    "Parquet": _read_parquet,
    "JSON Lines": _read_json_lines,
    "CSV": _read_csv,
    "Arrow": _read_arrow,
}


# ---- one table of many ----


def unify(tables: Sequence[pa.Table], names: Sequence[str], *, inferred: bool) -> pa.Table:
    """
    Put tables below one another; a column that one lacks is null there, narrower numbers become wider.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
    names : sequence of str
        What to call each in a message.
    inferred : bool
        Types were guessed: where they disagree the column becomes text. Else that is an error.

    Raises
    ------
    InputError
        A column has types that do not go together.
    """
    tables, names = _without_empty(tables, names)
    if not tables:
        return pa.table({})
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        tables = [_plain(table) for table in tables]
    for name in dict.fromkeys(name for table in tables for name in table.column_names):
        clash = _clash(tables, names, name)
        if clash and not inferred:
            raise InputError(f"column {name!r} is {clash}: expected one type; convert one, or leave the column out")
        if clash:
            tables = [_with_text(table, name) for table in tables]
    return pa.concat_tables(tables, promote_options="permissive")


def _without_empty(tables: Sequence[pa.Table], names: Sequence[str]) -> tuple[list[pa.Table], list[str]]:
    """Leave out tables that have neither rows nor columns."""
    held = [(table, name) for table, name in zip(tables, names, strict=True) if table.num_columns]
    return [table for table, _ in held], [name for _, name in held]


def _plain(table: pa.Table) -> pa.Table:
    """Undo dictionaries and views, which do not mix with plain columns of the same values."""
    columns = {name: plain_column(table[name]) for name in table.column_names}
    return pa.table(columns) if columns else table


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decode a dictionary or a view to the plain type of its values."""
    type_ = column.type
    if pa.types.is_dictionary(type_):
        column = column.cast(type_.value_type)
        type_ = column.type
    # Views came to pyarrow late, and many of its functions do not take them.
    if str(type_) == "string_view":
        return column.cast(pa.large_string())
    if str(type_) == "binary_view":
        return column.cast(pa.large_binary())
    return column


def _clash(tables: Sequence[pa.Table], names: Sequence[str], column: str) -> str:
    """Name two types of a column that do not go together, or nothing."""
    seen: tuple[str, pa.Schema] | None = None
    for table, name in zip(tables, names, strict=True):
        if column not in table.column_names:
            continue
        schema = pa.schema([pa.field(column, table.schema.field(column).type)])
        if seen is None:
            seen = name, schema
            continue
        try:
            seen = seen[0], pa.unify_schemas([seen[1], schema], promote_options="permissive")
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            return f"{seen[1].field(0).type} in {seen[0]} and {schema.field(0).type} in {name}"
    return ""


def _with_text(table: pa.Table, name: str) -> pa.Table:
    if name not in table.column_names:
        return table
    return table.set_column(table.column_names.index(name), name, _to_text(table[name]))


def _to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([as_json(value) for value in column.to_pylist()], pa.large_string())])
    return column.cast(pa.large_string())


def batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut an iterable into lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
