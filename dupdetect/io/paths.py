"""
Paths to the files they mean.

Input    paths of files, folders and globs, or URLs of such, or "-" for JSON Lines on standard input
Output   `Found`: each file with its format and its compression, by its name alone or as is said
Cost     a walk through the folders
"""

from __future__ import annotations

import codecs
import fnmatch
import glob
import operator
import os
import re
import stat
import warnings
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from dupdetect.errors import InputError, SettingsError
from dupdetect.io import archives
from dupdetect.io.remote import as_url, files

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
    ".orc": "ORC",
    ".warc": "WARC",
}
#: Endings of files that are one text each: documents, and programs.
_TEXTS = """
.txt .text .md .markdown .rst .xml .tex .log .eml .srt .vtt .adoc .org .yaml .yml .toml .ini .cfg
.py .pyi .pyx .ipynb .c .h .cc .cpp .cxx .hpp .cs .java .kt .scala .go .rs .js .jsx .mjs .ts .tsx .vue .css .scss .php
.rb .pl .lua .r .jl .m .swift .sh .bash .zsh .ps1 .bat .sql .hs .ml .ex .exs .erl .clj .dart .f90 .asm .s .cmake
.gradle .proto .tf .svg
"""
TEXTS = frozenset(_TEXTS.split())

#: Endings of pages, of which the text is read that a reader sees.
PAGES = frozenset((".html", ".htm", ".xhtml"))

#: Formats of files that are one text each.
ONE_TEXT = ("text", "HTML", "main HTML")

#: What `input_format` may say: the format, and where it differs from that of CSV, the delimiter.
NAMED = {
    "parquet": ("Parquet", None),
    "jsonl": ("JSON Lines", None),
    "csv": ("CSV", None),
    "tsv": ("CSV", "\t"),
    "arrow": ("Arrow", None),
    "orc": ("ORC", None),
    "lines": ("lines", None),
    "text": ("text", None),
    "html": ("HTML", None),
    "html-main": ("main HTML", None),
    "warc": ("WARC", None),
    "warc-main": ("main WARC", None),
}

#: How a tab may be written where a shell makes it hard to type one.
_TABS = {"tab": "\t", "\\t": "\t"}

#: Names of standard input, and of pipes that a shell makes for the output of a command: JSON Lines, as for "-".
STANDARD_INPUT = re.compile(r"-|/dev/stdin|/(dev|proc/self)/fd/0")
PIPED = re.compile(r"/(dev|proc/self)/fd/[0-9]+")
UNKNOWN = "unknown"
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz", ".lz4": "lz4"}


class ReadAs(NamedTuple):
    """How files are to be read, where their names do not say it.

    Attributes
    ----------
    format : str, optional
        One of `NAMED`.
    encoding : str, optional
        Of JSON Lines, CSV and text files; UTF-8 if none is given.
    delimiter : str, optional
        Of CSV: a character.
    listed : str, optional
        The name of what cut texts into words, where they are lists of these, in files or in memory.
    """

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    listed: str | None = None

    def checked(self) -> ReadAs:
        """Return this, if it can be.

        Raises
        ------
        SettingsError
            There is no such format or encoding, or a delimiter is no single character of ASCII.
        """
        if self.format is not None and self.format not in NAMED:
            raise SettingsError(f"input_format is {self.format!r}; expected {', '.join(NAMED)}")
        if self.encoding is not None:
            try:
                text = codecs.lookup(self.encoding)._is_text_encoding
                if text:
                    codecs.getincrementaldecoder(self.encoding)("surrogateescape").decode(b"", final=True)
            except (LookupError, UnicodeError):  # there is none, or one of names alone, such as punycode
                text = False
            if not text:
                raise SettingsError(
                    f"encoding is {self.encoding!r}, which is not known; expected one such as utf-8, cp1252 or utf-16"
                )
        delimiter = _TABS.get(self.delimiter or "", self.delimiter)
        if delimiter is not None and not (len(delimiter) == 1 and delimiter.isascii() and delimiter not in '"\r\n'):
            raise SettingsError(
                f"delimiter is {delimiter!r}; expected one character of ASCII, such as ';', and no quote, or 'tab'"
            )
        return self._replace(delimiter=delimiter)


AS_NAMED = ReadAs()


class Found(NamedTuple):
    """A file to read."""

    path: str
    format: str  # a value of FORMATS, or "text"
    compression: str | None
    name: str  # the id of a text file
    piped: bool = False  # it can be read once, from its beginning to its end
    encoding: str | None = None
    delimiter: str | None = None  # of CSV, if it was said
    listed: bool = False  # its texts are lists of words
    copy: Any = None  # of a pipe, or a member of an archive: what was read of it (`streams.PipeCopy`)
    member: archives.Member | None = None  # of an archive; its path is that of the archive, and its own behind it
    fault: str | None = None  # why it is not read
    given: str | None = None  # what was named, where that is an archive


def find(sources: Iterable[str | Path], how: ReadAs = AS_NAMED) -> list[Found]:
    """
    Resolve files, folders, globs and URLs to files, in the order given, each folder and glob in order of name.

    Archives are as folders of their members. Files in folders whose names start with "." or "_" are passed over. What
    is no file is, too, with a warning: pipes, sockets, devices, links to folders. A pipe is read where it is named. A
    folder has tables or text files, not both.

    Raises
    ------
    InputError
        A path does not exist, or is a device or a socket; a glob matches nothing; a folder has no files, or tables and
        text files; a file's name does not say what it is, and nobody else does.
    """
    return [_as_said(file, how) for file in _found(sources, how)]


def _as_said(file: Found, how: ReadAs) -> Found:
    format, delimiter = NAMED[how.format] if how.format else (file.format, None)
    if format == UNKNOWN:
        raise InputError(
            f"{label(file.path)}: its name does not say what it is; expected one that ends with {', '.join(FORMATS)} "
            f"({', '.join(COMPRESSIONS)} may follow), for a file that is one text with .txt, .md, .html or such, "
            "or for an archive of these with .tar, .tar.gz or .zip; "
            "leave others out with a glob such as 'scans/**/*.txt', "
            f"or say what all files are with input_format (--input-format {', '.join(NAMED)})"
        )
    if format.endswith(("HTML", "WARC")):
        from dupdetect.io.web import check_installed  # heavy

        check_installed(label(file.path))
    return file._replace(
        format=format, encoding=how.encoding, delimiter=how.delimiter or delimiter, listed=how.listed is not None
    )


def _found(sources: Iterable[str | Path], how: ReadAs) -> list[Found]:
    paths = [os.fspath(source) for source in sources]
    found: list[Found] = []
    for source in paths:
        if STANDARD_INPUT.fullmatch(source):
            found.append(Found("-", "JSON Lines", None, "-", piped=True))
            continue
        url = as_url(source)
        if url is not None:
            found += _behind(url, how, alone=len(paths) == 1)
            continue
        inside = None if os.path.exists(source) else archives.split(source)  # noqa: PTH110 - as in _matches
        if inside is not None:
            found += _in_archive(inside[0], source, how, inside[1])
            continue
        for path in _matches(source):
            if Path(path).is_dir():
                found += _in_folder(path, how, prefix="" if len(paths) == 1 and path == source else path)
            elif archives.ending_of(path):
                found += _in_archive(path, path, how)
            else:
                found.append(_named(path))
    if not found:
        raise InputError("no input files were given: expected a file, a folder, a glob, or - for standard input")
    return found


def _behind(url: str, how: ReadAs, *, alone: bool) -> list[Found]:
    paths, folder = files(url)
    packed = next((path for path in paths if archives.ending_of(path.split("?")[0])), None)
    if packed is not None:
        raise InputError(f"{packed}: is an archive, which is read from a disk alone; download it, or unpack it there")
    if folder is None:
        return [_recognise(path, path) for path in paths]
    within = len(folder.rstrip("/")) + 1
    return _one_kind(folder, [_recognise(path, path[within:] if alone else path) for path in paths], how)


def _matches(source: str) -> list[str]:
    if os.path.exists(source):  # noqa: PTH110 - a str that is no path at all (too long, with NUL) is False here
        return [source]
    if glob.has_magic(source):
        matched = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        # "**" also matches the folders whose files it matches: those would count twice.
        folders = [path for path in matched if Path(path).is_dir()]
        matched = _files_among([path for path in matched if path not in set(folders)], source) or folders
        if matched:
            return matched
        raise InputError(f"no file matches {_short(source)!r}: expected a glob that matches at least one file")
    raise InputError(
        f"{_short(source)!r} does not exist: expected a file, folder or glob (texts themselves go in a list)"
    )


def holding(paths: list[Path], how: ReadAs) -> list[Path]:
    """Return the files that hold documents: of those without a byte the texts alone, each of which is an empty one."""
    empty = {path for path in paths if not path.stat().st_size}
    if not empty:
        return paths
    texts = {Path(file.path) for file in find(list(map(str, paths)), how) if file.format in ONE_TEXT}
    return [path for path in paths if path not in empty or path in texts]


def _short(source: str) -> str:
    return source if len(source) <= 200 else source[:200] + "…"


def _named(path: str) -> Found:
    """Recognise what was named: a file, or a pipe."""
    what = _other_than_file(path)
    if what not in (None, "a pipe"):
        raise InputError(f"{_short(path)!r} is {what}: expected a file, folder, glob or pipe")
    file = _recognise(path, path)
    if what is None:
        return file
    if PIPED.fullmatch(path):
        file = file._replace(format="JSON Lines")
    return file._replace(piped=True)


def _other_than_file(path: str) -> str | None:
    """Say what a path is that is no file; None if it is one, or cannot be looked at."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a str may be no path at all
    except (OSError, ValueError):  # whoever opens it says why
        return None
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _files_among(paths: list[str], where: str) -> list[str]:
    """Return those that are files; warn of the others."""
    others = {path: what for path in paths if (what := _other_than_file(path))}
    if others:
        first, what = next(iter(others.items()))
        more = f", and {len(others) - 1} more of the kind" if len(others) > 1 else ""
        warnings.warn(
            f"{_short(where)}: passed over {label(first)}, which is {what} and no file{more}; what is to be read of it "
            "must be named",
            stacklevel=2,
        )
    return [path for path in paths if path not in others]


def _in_folder(folder: str, how: ReadAs, prefix: str) -> list[Found]:
    paths, links = [], []
    for parent, folders, names in os.walk(folder, onerror=_unreadable_folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        links += [path for name in folders if Path(path := os.path.join(parent, name)).is_symlink()]  # noqa: PTH118
        # The path as given, not normalised.
        paths += [os.path.join(parent, name) for name in sorted(names) if not name.startswith((".", "_"))]  # noqa: PTH118
    found = _files_among([*links, *paths], folder)
    named: list[Found] = []
    for path in found:
        name = (Path(prefix) / Path(path).relative_to(folder)).as_posix()
        named += _members(path, name, path) if archives.ending_of(path) else [_recognise(path, name)]
    return _one_kind(folder, named, how)


def _in_archive(path: str, given: str, how: ReadAs, within: str | None = None) -> list[Found]:
    """Recognise the members of an archive that was named; `within`: those that this means, as in a folder."""
    what = _other_than_file(path)
    if what is not None:
        raise InputError(f"{_short(path)!r} is {what}: expected an archive that is a file")
    return _one_kind(path, _members(path, path, given, within), how)


def _members(path: str, name: str, given: str, within: str | None = None) -> list[Found]:
    found = []
    for member in archives.open_archive(path, label(path)).members():
        if archives.is_hidden(member.name) or (within is not None and not _is_within(member.name, within)):
            continue
        whole = f"{path}/{member.name}"
        if member.fault is not None:
            file = Found(whole, "text", None, label(whole), fault=member.fault)
        elif archives.ending_of(member.name):
            raise InputError(
                f"{label(whole)}: is an archive in an archive, which is not read; unpack {label(path)}, or name "
                f"what is meant: '{label(path)}/**/*.txt'"
            )
        else:
            file = _recognise(whole, f"{name}/{member.name}")
        found.append(file._replace(member=member, given=given))
    if within is not None and not found:
        raise InputError(
            f"no file in {label(path)} is meant by {_short(within)!r}: expected the name of a member, of a folder in "
            "the archive, or a glob"
        )
    return found


def _is_within(name: str, within: str) -> bool:
    """Tell whether a member is what is meant: by its name, its folder, or a glob."""
    parts = [part for part in within.split("/") if part not in ("", ".")]
    shown = label(name)
    meant = "/".join(parts)
    return shown == label(meant) or shown.startswith(f"{label(meant)}/") or _is_like(shown.split("/"), parts)


def _is_like(parts: list[str], pattern: list[str]) -> bool:
    """Match a path with a glob, in which ``**`` is any number of folders."""
    # Of each number of parts, from the end on, whether what was seen of the pattern is like them.
    like = [not at for at in range(len(parts) + 1)]
    for glob_ in reversed(pattern):
        if glob_ == "**":
            like = list(accumulate(like, operator.or_))
        else:
            like = [False, *(
                rest and fnmatch.fnmatchcase(part, glob_) for part, rest in zip(reversed(parts), like, strict=False)
            )]  # fmt: skip
    return like[-1]


def _one_kind(folder: str, found: list[Found], how: ReadAs) -> list[Found]:
    texts = [file.path for file in found if file.format in ONE_TEXT and file.fault is None]
    tables = [file.path for file in found if file.format in FORMATS.values()]
    if not found:
        raise InputError(f"{folder!r} holds no files: expected text files, or tables such as *.parquet or *.jsonl")
    if texts and tables and how.format is None:
        raise InputError(
            f"{folder!r} holds tables ({label(tables[0])}) and text files ({label(texts[0])}): "
            f"expected one kind; choose with a glob such as '{folder}/**/*{Path(tables[0]).suffix}'"
        )
    return found


def _unreadable_folder(error: OSError) -> None:
    raise InputError(f"{error.filename!r} cannot be read ({error.strerror}): check its permissions") from error


def _recognise(path: str, name: str) -> Found:
    pure = Path(path.split("?")[0] if path.startswith("http") else path)
    compression = COMPRESSIONS.get(pure.suffix.lower())
    stem = pure.with_suffix("") if compression else pure
    ending = stem.suffix.lower()
    one = "HTML" if ending in PAGES else "text" if ending in TEXTS else UNKNOWN
    return Found(path, FORMATS.get(ending, one), compression, label(name))


def partition_of(path: str) -> dict[str, str | None]:
    """Return the columns that the names of a file's folders stand for, as Hive has them: ``lang=en/part-0.parquet``.

    >>> partition_of("crawl/lang=en/day=2024-01-01/part-0.parquet")
    {'lang': 'en', 'day': '2024-01-01'}
    """
    parts = (part.partition("=") for part in label(path).split("/")[:-1])
    return {
        name: None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
        for name, equals, value in parts
        if name.isidentifier() and equals and value
    }


def label(path: str) -> str:
    """Spell a path in valid Unicode: file names may be any bytes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
