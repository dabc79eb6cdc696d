"""
URLs such as s3://, gs://, hf:// and https:// to files, and folders to URLs.

Input    a URL, or a folder on the disk
Output   the files that the URL means, or their bytes; the folder's files, there
Cost     that of the network; of Parquet only the ranges that are read are fetched

`fsspec` knows the protocols, and asks the package for each: s3fs, gcsfs, huggingface_hub and others. Credentials and
endpoints are theirs: environment variables and files, as for their other users.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dupdetect.errors import InputError, OutputError

if TYPE_CHECKING:
    from dupdetect.errors import DupdetectError

#: Packages of protocols whose name says little.
PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "hf": "huggingface_hub",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "http": "aiohttp",
    "https": "aiohttp",
    "sftp": "paramiko",
    "ssh": "paramiko",
}

#: Bytes that are fetched at once of a file that is read from end to end.
BLOCK_BYTES = 8 << 20

# `Path` makes one slash of two.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//?)(.*)", re.DOTALL)


def as_url(path: str) -> str | None:
    """
    Tell URLs from paths.

    >>> as_url("s3://bucket/a.parquet"), as_url(str(Path("s3://bucket/a.parquet"))), as_url("a.parquet")
    ('s3://bucket/a.parquet', 's3://bucket/a.parquet', None)
    """
    match = _URL.fullmatch(path)
    if not match or (match[2] == "/" and Path(path).exists()):
        return None
    return f"{match[1].lower()}://{match[3]}"


def files(url: str) -> tuple[list[str], str | None]:
    """
    List the files that a URL means.

    Returns
    -------
    list of str
        Their URLs. Of a folder, all in it, in the order in which those of a folder on the disk come.
    str or None
        The folder's URL, if it is one.

    Raises
    ------
    InputError
        There are none, or they cannot be listed.
    """
    with _reported(url, InputError, "cannot be read"):
        system, path = _system(url, InputError)
        if system.isfile(path):
            return [url], None
        if re.search(r"[*?\[]", path):
            found = [name for name in sorted(system.glob(path)) if system.isfile(name)]
            if found:
                return [system.unstrip_protocol(name) for name in found], None
            raise InputError(f"no file matches {url!r}: expected a glob that matches at least one file")
        names = [name for name in system.find(path) if _is_shown(name.removeprefix(path))]
        if names or system.isdir(path):
            return [system.unstrip_protocol(name) for name in sorted(names, key=_order)], system.unstrip_protocol(path)
        raise InputError(f"{url!r} does not exist: expected a file, folder or glob; check its name")


def _is_shown(name: str) -> bool:
    return not any(part.startswith((".", "_")) for part in name.strip("/").split("/"))


def _order(name: str) -> list[tuple[bool, str]]:
    *folders, file = name.split("/")
    return [*((True, folder) for folder in folders), (False, file)]


def open_stream(url: str) -> Any:
    """Open a file to be read from end to end."""
    system, path = _system(url, InputError)
    return system.open(path, "rb", block_size=BLOCK_BYTES)


def open_ranges(url: str) -> Any:
    """Open a file of which only some ranges will be read."""
    system, path = _system(url, InputError)
    return system.open(path, "rb", cache_type="none")


def stamp(url: str) -> tuple[int, str]:
    """Return the size of a file, and what changes whenever it does."""
    with _reported(url, InputError, "cannot be read"):
        system, path = _system(url, InputError)
        info = system.info(path)
        return int(info["size"] or 0), str(info.get("ETag") or info.get("LastModified") or info.get("mtime") or "")


def check_folder(url: str, mark: str, *, overwrite: bool) -> None:
    """
    Refuse a folder that `upload` would refuse.

    Raises
    ------
    OutputError
        It holds files already, and may not be replaced, or does not hold `mark`.
    """
    with _reported(url, OutputError, "cannot be written"):
        system, path = _system(url, OutputError)
        system.invalidate_cache()
        if system.isfile(path):
            raise OutputError(f"{url}: exists and is no folder, expected a new folder; name another")
        if not system.isdir(path) or not system.find(path):
            return
        if not overwrite:
            raise OutputError(
                f"{url}: exists already; name another folder, or overwrite it (overwrite=True, --overwrite)"
            )
        if not system.isfile(f"{path}/{mark}"):
            raise OutputError(f"{url}: holds no {mark}, so it is no earlier output and stays; name another folder")


def upload(folder: Path, url: str, mark: str) -> None:
    """
    Put the files of a folder where a URL says; `mark` goes last, so that a folder that has it is whole.

    Raises
    ------
    OutputError
        That is not possible. What was put there is taken away again.
    """
    with _reported(url, OutputError, "cannot be written"):
        system, path = _system(url, OutputError)
        earlier = system.find(path) if system.isdir(path) else []
        files = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
        names = sorted(files, key=lambda name: (name == mark, name))
        put: list[str] = []
        try:
            if f"{path}/{mark}" in earlier:
                system.rm_file(f"{path}/{mark}")  # from here on it is not whole
            for name in names:
                put.append(f"{path}/{name}")
                if "/" in name:
                    system.makedirs(put[-1].rpartition("/")[0], exist_ok=True)
                system.put_file(str(folder / name), put[-1])
        except BaseException:  # Ctrl-C too
            for name in put:
                with suppress(Exception):
                    system.rm_file(name)
            raise
        for name in set(earlier) - {f"{path}/{name}" for name in names} - {f"{path}/{mark}"}:
            system.rm_file(name)
        system.invalidate_cache()


def _system(url: str, error: type[DupdetectError]) -> tuple[Any, str]:
    """Return the file system of a URL and the path there."""
    protocol = url.split(":", 1)[0]
    try:
        from fsspec.core import url_to_fs
    except ImportError as lacking:
        raise error(f"{url}: needs fsspec, which is not installed; install dupdetect[remote]") from lacking
    try:
        system, path = url_to_fs(url)
    except ImportError as lacking:
        package = PACKAGES.get(protocol)
        needed = f"the package {package}: pip install {package}" if package else f"a package ({lacking})"
        raise error(f"{url}: {protocol}:// needs {needed}") from lacking
    except ValueError as unknown:
        if "rotocol not known" not in str(unknown):
            raise
        raise error(
            f"{url}: there is no protocol {protocol!r}; expected s3, gs, hf, https or another of fsspec"
        ) from None
    return system, path.rstrip("/")


@contextmanager
def _reported(url: str, error_type: type[DupdetectError], what: str) -> Iterator[None]:
    """Turn whatever a protocol's package raises into one sentence."""
    try:
        yield
    except (InputError, OutputError):
        raise
    except Exception as error:  # they have errors of their own, of no common type
        why = f"{what} ({reason(error)}); check the address, the network and your permissions"
        raise error_type(f"{url}: {why}") from error


def reason(error: BaseException) -> str:
    """What an error of a protocol's package says, in one line."""
    if isinstance(error, PermissionError):
        return f"access denied: {error}" if str(error) else "access denied"
    said = str(error).strip().splitlines()
    return said[0].rstrip(".") if said else type(error).__name__
