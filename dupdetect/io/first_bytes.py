"""What the first bytes of a file say that it is, where its name says something else.

Input    a file that is to be read
Output   nothing, or an error that names both
Cost     sixteen bytes of the file; of pipes, archives and files that are far away JSON Lines and CSV are looked at
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from dupdetect.errors import InputError
from dupdetect.io.remote import as_url

if TYPE_CHECKING:
    from dupdetect.io.paths import Found

#: How files begin, and the ending that says so. Text may begin with letters alone: where these are few, more is asked.
_BEGINS = {
    "gzip": (rb"\x1f\x8b\x08", ".gz"),
    "zstd": (rb"\x28\xb5\x2f\xfd", ".zst"),
    "bz2": (rb"BZh[1-9]1AY&SY", ".bz2"),
    "xz": (rb"\xfd7zXZ\x00", ".xz"),
    "lz4": (rb"\x04\x22\x4d\x18", ".lz4"),
    "Parquet": (rb"PAR1[\x00-\x08\x0e-\x1f]", ".parquet"),
    "Arrow": (rb"ARROW1\x00", ".arrow"),
    "Feather of version 1": (rb"FEA1\x00", ""),
    "a zip archive": (rb"PK\x03\x04", ".zip"),
    "a database of SQLite": (rb"SQLite format 3\x00", ""),
}

#: Formats of which the table above knows how all files begin, or that no text can be; and those that are text.
_BINARY, _TEXT = ("Parquet", "Arrow", "ORC"), ("JSON Lines", "CSV", "lines")

#: What is compressed, and the command that unpacks it.
_COMPRESSED = {"gzip": "zcat", "zstd": "zstdcat", "bz2": "bzcat", "xz": "xzcat", "lz4": "lz4cat"}

#: Bytes that are looked at.
LOOKED_AT = 16

_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")


def check_first_bytes(file: Found, where: str) -> None:
    """Refuse a file whose first bytes say that it is another thing than it would be read as.

    Parameters
    ----------
    file : Found
    where : str
        What messages call it.

    Raises
    ------
    InputError
    """
    if file.piped or file.member is not None or as_url(file.path) or file.format not in (*_BINARY, *_TEXT):
        return
    with Path(file.path).open("rb") as opened:
        first = opened.read(LOOKED_AT)
    found = _begins(first)
    expected = file.compression or (file.format if file.format in _BINARY else None)
    if found is None and expected is not None and _PRINTABLE.fullmatch(first) and not first.startswith(b"ORC"):
        found = "plain text"
    if found is None or found == expected:
        return
    read_as = f"{file.format} compressed with {file.compression}" if file.compression else file.format
    raise InputError(f"{where}: its first bytes say that it is {found}, expected {read_as}; {_remedy(file, found)}")


def check_beginning(first: bytes, where: str, expected: str) -> None:
    """Refuse what was not looked at before it was read, such as a pipe, if it is another thing.

    Parameters
    ----------
    first : bytes
        With what it begins.
    where : str
        What messages call it.
    expected : str
        The format that it is read as.

    Raises
    ------
    InputError
    """
    found = _begins(first)
    if found is None:
        return
    remedy = f"write it as {expected}"
    if found in _BINARY:
        remedy = f"say what it is (input_format, --input-format {found.lower()})"
    elif found in _COMPRESSED:
        remedy = f"unpack it on the way, as in: {_COMPRESSED[found]} FILE | dupdetect dedup - ..."
    raise InputError(f"{where}: its first bytes say that it is {found}, expected {expected}; {remedy}")


def _begins(first: bytes) -> str | None:
    return next((name for name, (begin, _) in _BEGINS.items() if re.match(begin, first)), None)


def _remedy(file: Found, found: str) -> str:
    path = Path(file.path)
    plain = path.stem if file.compression else path.name
    if found == "plain text":
        return f"name it {plain}" if file.compression else "say what it is (input_format, --input-format jsonl or csv)"
    ending, stem = _BEGINS[found][1], Path(plain).stem
    if found in _COMPRESSED:
        packed = f"name it {plain}{ending}" if file.format in _TEXT else None
        return packed or f"unpack it, or name it for what it holds, such as {stem}.jsonl{ending}"
    if found in _BINARY:
        return f"name it {stem}{ending}, or say what it is (input_format, --input-format {found.lower()})"
    return f"name it {stem}{ending}" if ending else "write its table as CSV or Parquet first"
