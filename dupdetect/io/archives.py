"""Archives to the files in them: tar, compressed or not, and zip.

Input    the path of an archive
Output   its members: their names, sizes, and streams of their bytes; what is wrong with those that are not read
Cost     a pass over a tar for the list, over the directory of a zip; a compressed tar is decompressed once more
         whenever a member is read that lies before the last one. In memory: a block, and the list of the members

No link of an archive is followed, and nothing is written. Whether an archive is whole is looked at when its members
are listed: `tarfile` takes whatever is no header for the end, and so would lose the rest in silence.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import stat
import tarfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dupdetect.errors import InputError
from dupdetect.io.compression import decompressed

#: Endings of archives, and how those of tar are compressed.
TAR = {
    ".tar": None,
    **dict.fromkeys((".tar.gz", ".tgz"), "gzip"),
    **dict.fromkeys((".tar.bz2", ".tbz2", ".tbz"), "bz2"),
    **dict.fromkeys((".tar.xz", ".txz"), "xz"),
    **dict.fromkeys((".tar.zst", ".tzst"), "zstd"),
    ".tar.lz4": "lz4",
}
ENDINGS = (*TAR, ".zip")

BLOCK_BYTES = 1 << 20

#: Bytes of a file's name that file systems take, and of what stands before each member of a zip, at the least.
LONGEST_NAME, LOCAL_HEADER = 255, 30

#: Bytes of a member's name, and folders in it: half of what a path may have, as it is put into a folder; and few enough
#: for what makes them, one in the other.
LONGEST_PATH, DEEPEST = 2048, 256

#: Flags of a member of a zip: it is encrypted, in one way or another.
_ENCRYPTED = 0x1 | 0x40 | 0x2000

#: What a zip may be made by: a system whose paths have backslashes; one that says which members are links.
_WINDOWS, _UNIX = 0, 3

#: Ways to compress a member, by their numbers, of which none is read: `zipfile` unpacks some of them into memory.
_METHODS = {9: "deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma", 93: "zstd", 95: "xz", 98: "ppmd"}

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_MODES = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
_TAR_TYPES = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a link to another member",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
}
#: Members that describe the next one, and are read whole, and how long they may be.
_DESCRIPTIONS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
                 tarfile.GNUTYPE_LONGLINK)  # fmt: skip
LONGEST_DESCRIPTION = 1 << 20

_HEADER_ERRORS = (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError, tarfile.SubsequentHeaderError)  # type: ignore[attr-defined]


def ending_of(path: str) -> str | None:
    """Return how the name of an archive ends; None of another file.

    >>> ending_of("scans.TAR.gz"), ending_of("scans.txt.gz")
    ('.tar.gz', None)
    """
    return next((ending for ending in ENDINGS if path.lower().endswith(ending)), None)


def split(path: str) -> tuple[str, str] | None:
    """Divide a path that goes on in an archive: that of the archive, which is there, and the rest; None of another."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        archive = "/".join(parts[:count])
        if ending_of(archive) and os.path.isfile(archive):  # noqa: PTH113 - a str that is no path at all is False here
            return archive, "/".join(parts[count:])
    return None


def on_disk(path: str) -> Path:
    """Return the file that holds what a path means: the archive of one that goes on in it."""
    divided = None if os.path.exists(path) else split(path)  # noqa: PTH110 - as above
    return Path(path if divided is None else divided[0])


@dataclass(frozen=True, eq=False)
class Member:
    """A file in an archive.

    Attributes
    ----------
    archive : Archive
    name : str
        Its path in the archive; bytes that are no UTF-8 as lone surrogates, as in names of files.
    size : int
    place : int
        Where its bytes begin in a tar; its number in the directory of a zip.
    fault : str, optional
        Why it is not read.
    """

    archive: Archive
    name: str
    size: int
    place: int
    fault: str | None = None

    def open(self) -> Any:
        """Return a stream of its bytes."""
        return self.archive.open(self)

    @property
    def has_ranges(self) -> bool:
        """Whether its stream can go to any place at no cost."""
        return self.archive.ending == ".tar"


def open_archive(path: str, name: str) -> Archive:
    """Return an archive; `name` is what messages call it."""
    return (_Zip if ending_of(path) == ".zip" else _Tar)(path, name)


class Archive:
    """An archive, opened when it is first read, and one for all its members.

    Parameters
    ----------
    path, name : str
    """

    def __init__(self, path: str, name: str) -> None:
        self.path, self.name, self.ending = path, name, str(ending_of(path))
        self._lock = threading.RLock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it is, and not the open file."""
        return type(self), (self.path, self.name)

    def members(self) -> list[Member]:
        """List the files in it, in their order; what can only be left aside has a fault.

        Raises
        ------
        InputError
            It cannot be read, is cut short or damaged.
        """
        with self._reported():
            return _told_apart(list(self._listed()))

    def open(self, member: Member) -> Any:
        """Return a stream of the bytes of a member."""
        raise NotImplementedError

    def _listed(self) -> Iterator[Member]:
        raise NotImplementedError

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except (PermissionError, FileNotFoundError) as error:
            why = error.strerror or _sentence(error)
            raise InputError(f"{self.name}: cannot be opened ({why}); check the path") from error
        except _ERRORS as error:
            raise self._damaged(_sentence(error)) from error

    def _damaged(self, what: str) -> InputError:
        return InputError(
            f"{self.name}: cannot be read ({what}), expected an archive ({self.ending}); is the file complete? What "
            "can be unpacked of it may be given as a folder"
        )


#: What is raised for data that are damaged.
_ERRORS = (
    *(OSError, EOFError, RuntimeError, NotImplementedError, ValueError, OverflowError, UnicodeError),
    *(zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile),
)


def _sentence(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return said[0].rstrip(".") if said else "the data end too early" if isinstance(error, EOFError) else repr(error)


def _told_apart(members: list[Member]) -> list[Member]:
    """Find faults of names: of those that a folder could not hold, and of all but the last of equal ones."""
    last = {member.name: at for at, member in enumerate(members)}
    folders = {
        name[:at] for name in last if not _fault_of(name) for at, letter in enumerate(name)
        if letter == "/" and name[:at] in last
    }  # fmt: skip
    found = []
    for at, member in enumerate(members):
        fault = member.fault or _fault_of(member.name)
        if fault is None and last[member.name] != at:
            fault = "the archive has a later member of the same name, which is read instead"
        if fault is None and member.name in folders:
            fault = "the archive has other members for which this one would be a folder"
        found.append(member if fault is None else replace(member, fault=fault))
    return found


def _fault_of(name: str) -> str | None:
    parts = name.split("/")
    if name.startswith("/") or _DRIVE.match(name):
        return "the member's name is absolute, expected one within the archive; unpack it, and give the file"
    if ".." in parts:
        return "the member's name goes out of the archive (..); unpack it, and give the file"
    if not name:
        return "the member has no name, expected one that a file can have"
    if "\0" in name or any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        return f"the member's name is none that a file can have (a part of more than {LONGEST_NAME} bytes, or NUL)"
    if len(os.fsencode(name)) > LONGEST_PATH or len(parts) > DEEPEST:
        return f"the member's name is longer than {LONGEST_PATH:,} bytes, or has more than {DEEPEST} folders"
    return None


def _plain(name: str) -> str:
    """Return a name without parts that say nothing: ``./a//b`` is ``a/b``; of one that is too long both ends."""
    if len(name) > LONGEST_PATH + LONGEST_NAME:  # some bytes of a compressed tar may be a name of a megabyte
        name = name[:LONGEST_PATH] + name[-LONGEST_NAME:]
    root = "/" if name.startswith("/") else ""
    return root + "/".join(part for part in name.split("/") if part not in ("", "."))


def is_hidden(name: str) -> bool:
    """Tell whether a member is one of those that are passed over in folders, too: a part of its name begins so."""
    return any(part.startswith((".", "_")) and part != ".." for part in name.split("/"))


# ---- tar ----


class _Header(tarfile.TarInfo):
    """A header that is damaged or missing is an error, and not the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        """Read a header."""
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.EmptyHeaderError:  # type: ignore[attr-defined]
            raise tarfile.ReadError("it ends without the mark that tells its end") from None
        except _HEADER_ERRORS as error:
            raise tarfile.ReadError(f"where a member should begin: {error}") from None
        if header.size < 0 or (header.type in _DESCRIPTIONS and header.size > LONGEST_DESCRIPTION):
            raise tarfile.ReadError("a member's header says that it has a size that it cannot have")
        return header


class _Forward:
    """A stream that can be gone on in, and not back."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._at = stream, 0

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes, or all that there are."""
        parts, left = [], size
        while left and (part := bytes(self._stream.read(left if left > 0 else BLOCK_BYTES))):
            parts.append(part)
            left -= len(part) if size > 0 else 0
        data = b"".join(parts)
        self._at += len(data)
        return data

    def tell(self) -> int:
        """Return how much was read."""
        return self._at

    def seek(self, place: int) -> None:
        """Read until a place."""
        while self._at < place and self.read(min(BLOCK_BYTES, place - self._at)):
            pass


class _Tar(Archive):
    """A tar. Of a compressed one the stream that was read last is gone on in."""

    _stream: Any = None

    def _listed(self) -> Iterator[Member]:
        with self._opened() as raw:
            stream: Any = raw if self.ending == ".tar" else _Forward(raw)
            tar: Any = tarfile.TarFile(
                fileobj=stream, tarinfo=_Header, encoding="utf-8", errors="surrogateescape", errorlevel=2
            )
            while (member := tar.next()) is not None:
                tar.members = []  # it would keep them all
                if not member.isdir():
                    yield Member(self, _plain(member.name), member.size, member.offset_data, _fault_of_type(member))
            stream.seek(tar.offset)
            while block := stream.read(BLOCK_BYTES):
                if block.strip(b"\0") and any(_is_header(block[at : at + 512]) for at in range(0, len(block), 512)):
                    raise tarfile.ReadError("members follow the mark that tells its end, as of another archive")

    def open(self, member: Member) -> Any:
        """Return a stream of the bytes of a member."""
        return _Slice(self, member)

    def read(self, place: int, size: int) -> bytes:
        """Return that many bytes from a place on."""
        with self._lock:
            if self._stream is None or (self.ending != ".tar" and self._stream.tell() > place):
                raw = self._opened()
                self._stream = raw if self.ending == ".tar" else _Forward(raw)
            if self._stream.tell() != place:
                self._stream.seek(place)
            return bytes(self._stream.read(size))

    def _opened(self) -> Any:
        compression = TAR[self.ending]
        import pyarrow as pa  # heavy

        raw = pa.OSFile(os.fsencode(self.path))
        return raw if compression is None else decompressed(raw, compression)


def _fault_of_type(member: tarfile.TarInfo) -> str | None:
    what = _TAR_TYPES.get(member.type)
    if what is not None:
        return f"the member is {what}, expected a file"
    if member.issparse():
        return "the member is a file with holes, of which the archive has pieces; unpack it, and give the file"
    return None if member.isreg() else "the member is of an unknown type, expected a file"


def _is_header(block: bytes) -> bool:
    if not block.strip(b"\0"):
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class _Slice(io.RawIOBase):
    """The bytes of a member of a tar."""

    def __init__(self, tar: _Tar, member: Member) -> None:
        self._tar, self._member, self._at = tar, member, 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be gone on at any place; if the tar is compressed, what is before that is unpacked again."""
        return True

    def tell(self) -> int:
        """Return where it is."""
        return self._at

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        self._at = place + (0, self._at, self._member.size)[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return that many bytes, or all that are left."""
        left = max(0, self._member.size - self._at)
        size = left if size is None or size < 0 else min(size, left)
        data = self._tar.read(self._member.place + self._at, size) if size else b""
        if len(data) < size:
            raise EOFError("the archive ends within the member")
        self._at += size
        return data


# ---- zip ----


class _Zip(Archive):
    """A zip. Members are found by its directory, which is at its end."""

    _file: zipfile.ZipFile | None = None

    def _listed(self) -> Iterator[Member]:
        directory = self._directory()
        self._check_places(directory)
        for place, entry in enumerate(directory):
            if not entry.is_dir():
                yield Member(self, _plain(_name_of(entry)), entry.file_size, place, _fault_of_entry(entry))

    def _directory(self) -> list[zipfile.ZipInfo]:
        with self._lock:
            if self._file is None:
                self._file = zipfile.ZipFile(self.path)
                weakref.finalize(self, self._file.close)  # in cycles, nobody knows what is collected first
            return self._file.infolist()

    def _check_places(self, directory: list[zipfile.ZipInfo]) -> None:
        """Refuse members that lie in one another, as in bombs, and others before them that are not listed."""
        spans = sorted((entry.header_offset, entry.compress_size) for entry in directory)
        end = 0
        for begin, size in spans:
            if begin < end:
                raise zipfile.BadZipFile("members lie in one another")
            end = begin + LOCAL_HEADER + size
        with Path(self.path).open("rb") as raw:
            said = zipfile._EndRecData(raw)[4]  # type: ignore[attr-defined]  # how many there are; nobody else tells
            if (said - len(directory)) % 65536:  # writers of old count no further
                raise zipfile.BadZipFile(f"its directory has {len(directory):,} members of {said:,}")
            raw.seek(0)
            if (not spans or spans[0][0] > 0) and raw.read(4) == b"PK\x03\x04":
                raise zipfile.BadZipFile("it begins with members that its directory does not list")

    def open(self, member: Member) -> Any:
        """Return a stream of the bytes of a member."""
        with self._lock:
            entry = self._directory()[member.place]
            with _damage():
                return _Unpacked(zipfile.ZipFile.open(self._file, entry))  # type: ignore[arg-type]


class _Unpacked(io.RawIOBase):
    """A stream of the bytes of a member of a zip, whose errors are those of files."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be gone on at any place; what is before that is unpacked once more."""
        return True

    def tell(self) -> int:
        """Return where it is."""
        return int(self._stream.tell())

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        with _damage():
            return int(self._stream.seek(place, whence))

    def read(self, size: int | None = -1) -> bytes:
        """Return that many bytes, or all that are left."""
        with _damage():
            return bytes(self._stream.read(size))

    def close(self) -> None:
        """Close the stream, too; the archive stays open."""
        if not self.closed:
            self._stream.close()
        super().close()


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, UnicodeError) as error:
        raise OSError(_sentence(error)) from error


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name of a member; one that is not said to be UTF-8 is bytes, of whatever encoding its maker had."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeEncodeError):  # a field beside it has the name in Unicode
            name = name.encode("cp437").decode("utf-8", "surrogateescape")
    return name.replace("\\", "/") if entry.create_system == _WINDOWS else name


def _fault_of_entry(entry: zipfile.ZipInfo) -> str | None:
    what = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
    if what not in (0, stat.S_IFREG):
        return f"the member is {_MODES.get(what, 'a device')}, expected a file"
    if entry.flag_bits & _ENCRYPTED:
        return "the member is encrypted; unpack it with its password, and give the file"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _METHODS.get(entry.compress_type, f"method {entry.compress_type}")
        return f"the member is compressed with {method}, expected deflate; unpack it, and give the file"
    return None
