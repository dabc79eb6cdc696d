"""The tables of a run to its output folder, all or none.

Input    Arrow tables and a manifest
Output   a folder that holds them, as Parquet, JSON Lines or CSV
Cost     that of `io.writers`

Everything is written into a hidden folder beside the output, which takes the output's name at the very end.
On an error, a full disk or Ctrl-C it is removed.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dupdetect._storage.atomic import Replacement, check_writable, reported
from dupdetect._storage.checksums import checksum
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.errors import OutputError
from dupdetect.io import remote
from dupdetect.io.archives import on_disk
from dupdetect.io.remote import as_url, upload
from dupdetect.io.writers import WRITERS, plain, write_table

#: What a run says of itself, by which a folder is known as an output; and the sketches of what was kept, if wanted.
MANIFEST, SKETCHES = "manifest.json", "sketches.parquet"

#: Tables that have their own format: rows that nobody could read, and numbers that only programs read.
FORMATS = {"rejects": "jsonl", "boilerplate": "parquet"}


def write_folder(
    folder: str | os.PathLike[str],
    tables: Mapping[str, Any],
    manifest: Mapping[str, Any],
    files: Mapping[str, Callable[[Path], None]] | None = None,
    *,
    format: str = "parquet",
    formats: Mapping[str, str] = FORMATS,
    overwrite: bool = False,
    within: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """
    Write tables and a manifest as a new folder.

    Parameters
    ----------
    folder : path or URL
        Must not exist, unless it is empty or `overwrite` is given. Parents are made. Behind a URL all files are put one
        after the other, and the manifest last: a folder that has one is whole.
    tables : mapping of str to pyarrow.Table, or to iterables of such that have a `schema`
        By file name without suffix. Those of `FORMATS` have their own format. Of iterables, a table or two are in
        memory at a time.
    manifest : mapping
        For ``manifest.json``. Its timings, if it has some, are told how long the tables took.
    files : mapping of str to callable, optional
        Further files, by name; each is called with the path to write.
    format : {"parquet", "jsonl", "csv"}
    formats : mapping of str to str
        The formats of single tables, beside those of `FORMATS`.
    overwrite : bool
        Replace a folder that an earlier call wrote (it holds a ``manifest.json``).
    within : callable
        Returns a context in which the files are written: an error of it is one of writing.

    Raises
    ------
    OutputError
        The folder exists, is not permitted, the disk is full. Nothing is left behind, and a folder that
        was to be replaced is as it was.
    """
    if format not in WRITERS:
        raise OutputError(f"there is no format {format!r}: expected {', '.join(WRITERS)}")
    formats = {**dict.fromkeys(tables, format), **FORMATS, **formats}
    check_folder(folder, overwrite=overwrite)
    check_apart(folder, manifest.get("inputs", ()))
    url = as_url(os.fspath(folder))
    if url is None:
        with Replacement(folder, folder=True) as beside:
            with within():
                _fill(beside, tables, manifest, files or {}, formats)
            check_folder(folder, overwrite=overwrite)  # a long time has passed
        return
    with temporary_folder("dupdetect", Path(tempfile.gettempdir())) as made:
        with reported(made), within():
            _fill(made, tables, manifest, files or {}, formats)
        upload(made, url, MANIFEST)


def _fill(
    folder: Path,
    tables: Mapping[str, Any],
    manifest: Mapping[str, Any],
    files: Mapping[str, Callable[[Path], None]],
    formats: Mapping[str, str],
) -> None:
    start = time.perf_counter()
    for name, table in tables.items():
        write_table(table, folder / f"{name}.{formats[name]}", formats[name])
    for name, write in files.items():
        write(folder / name)
    if "timings" in manifest:
        manifest["timings"]["write"] = round(time.perf_counter() - start, 6)
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {**manifest, "files": {path.relative_to(folder).as_posix(): checksum(path) for path in written}}
    text = json.dumps(manifest, indent=2, ensure_ascii=False, default=plain)
    # Bytes of a name that are no UTF-8 become escapes, of which JSON makes these bytes again.
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def check_kept(kept: str | None) -> None:
    """Refuse a format that rows which stay cannot be written in.

    Raises
    ------
    OutputError
    """
    if kept not in (None, "none", *WRITERS):
        raise OutputError(f"kept is {kept!r}; expected {', '.join(WRITERS)}, none, or nothing: as they came")


def check_folder(folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """
    Refuse a folder that `write_folder` would refuse, before the work is done.

    Raises
    ------
    OutputError
        It exists and may not be replaced.
    """
    url = as_url(os.fspath(folder))
    if url is not None:
        remote.check_folder(url, MANIFEST, overwrite=overwrite)
        return
    target = Path(folder)
    check_writable(target, folder=True)
    with reported(target):
        if not os.path.lexists(target):
            return
        if not target.is_dir() or target.is_symlink():
            # Such as /dev/stdout, and what a shell has for >(command).
            is_stream = target.exists() and not (target.is_file() or target.is_dir())
            another = "name another; - is standard output" if is_stream else "name another"
            raise OutputError(f"{target}: exists and is no folder, expected a new folder; {another}")
        if not any(target.iterdir()):
            return
        if not overwrite:
            raise OutputError(
                f"{target}: exists already; name another folder, or overwrite it (overwrite=True, --overwrite)"
            )
        if not (target / MANIFEST).is_file():
            raise OutputError(
                f"{target}: holds no {MANIFEST}, so it is no earlier output and stays; name another folder"
            )


def check_apart(place: str | os.PathLike[str], inputs: Iterable[Any]) -> None:
    """
    Refuse a file that is an input, or a folder that holds one: what is replaced would be gone.

    Parameters
    ----------
    place : path
        Where the output will be written.
    inputs : iterable of str
        Files as the manifest names them.

    Raises
    ------
    OutputError
    """
    target = os.path.realpath(place)
    for name in map(str, inputs):
        try:
            path = os.path.realpath(on_disk(name))
        except ValueError:  # the manifest has names as people read them, and a locale may not have their letters
            continue
        if path == target or path.startswith(target + os.sep):
            raise OutputError(f"{os.fspath(place)}: {name} is an input, and would be replaced; name another place")
