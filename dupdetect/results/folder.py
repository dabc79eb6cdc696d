"""
Tables to files, all or none.

Input    Arrow tables and a manifest
Output   a folder that holds them, as Parquet, JSON Lines or CSV
Cost     that of pyarrow's writers; JSON Lines are written row by row

Everything is written into a hidden folder beside the output, which takes the output's name at the very end.
On an error, a full disk or Ctrl-C it is removed.
"""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from dupdetect.errors import OutputError
from dupdetect.io import remote
from dupdetect.io.read_ahead import one_ahead
from dupdetect.io.remote import as_url, upload

if TYPE_CHECKING:
    from numpy.typing import NDArray

MANIFEST = "manifest.json"

#: Tables that have their own format: rows that nobody could read, and numbers that only programs read.
FORMATS = {"rejects": "jsonl", "boilerplate": "parquet"}

ROWS_AT_ONCE = 8192
ROW_GROUP_BYTES = 64 << 20

#: Types of columns of which rows have different sizes; of others that have, few are large.
VARIABLE = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())

#: Mean length from which strings are not looked up in a dictionary: they are texts, and few have equals.
LONG = 64


class Tables(Protocol):
    """A table in parts, that need not be in memory together."""

    schema: pa.Schema

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the parts, in that schema."""


Table: TypeAlias = "pa.Table | Tables"


def write_folder(
    folder: str | os.PathLike[str],
    tables: Mapping[str, Any],
    manifest: Mapping[str, Any],
    files: Mapping[str, Callable[[Path], None]] | None = None,
    *,
    format: str = "parquet",
    overwrite: bool = False,
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
    overwrite : bool
        Replace a folder that an earlier call wrote (it holds a ``manifest.json``).

    Raises
    ------
    OutputError
        The folder exists, is not permitted, the disk is full. Nothing is left behind, and a folder that
        was to be replaced is as it was.
    """
    if format not in _WRITERS:
        raise OutputError(f"there is no format {format!r}: expected {', '.join(_WRITERS)}")
    check_folder(folder, overwrite=overwrite)
    url = as_url(os.fspath(folder))
    if url is None:
        with _replacing(Path(folder), overwrite=overwrite) as temporary, _reported(Path(folder)):
            _fill(temporary, tables, manifest, files or {}, format)
        return
    with tempfile.TemporaryDirectory(prefix="dupdetect-") as beside:
        with _reported(Path(beside)):
            _fill(Path(beside), tables, manifest, files or {}, format)
        upload(Path(beside), url, MANIFEST)


def _fill(
    folder: Path,
    tables: Mapping[str, Any],
    manifest: Mapping[str, Any],
    files: Mapping[str, Callable[[Path], None]],
    format: str,
) -> None:
    start = time.perf_counter()
    for name, table in tables.items():
        suffix = FORMATS.get(name, format)
        write_table(table, folder / f"{name}.{suffix}", suffix)
    for name, write in files.items():
        write(folder / name)
    if "timings" in manifest:
        manifest["timings"]["write"] = round(time.perf_counter() - start, 6)
    text = json.dumps(manifest, indent=2, ensure_ascii=False, default=_plain)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


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
    with _reported(target):
        if not os.path.lexists(target):
            return
        if not target.is_dir() or target.is_symlink():
            raise OutputError(f"{target}: exists and is no folder, expected a new folder; name another")
        if not any(target.iterdir()):
            return
        if not overwrite:
            raise OutputError(f"{target}: exists already; name another folder, or overwrite it")
        if not (target / MANIFEST).is_file():
            raise OutputError(
                f"{target}: holds no {MANIFEST}, so it is no earlier output and stays; name another folder"
            )


def write_table(table: Table, path: Path, format: str) -> None:
    """
    Write one table to one file.

    Parameters
    ----------
    table : pyarrow.Table, or an iterable of such with a `schema`
    path : Path
    format : {"parquet", "jsonl", "csv"}
        Nested values are JSON in CSV; bytes that are no UTF-8 are base64 in CSV and JSON Lines.

    Raises
    ------
    OSError
    """
    _WRITERS[format](table, path)


@contextmanager
def _reported(target: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise OutputError(
            f"{target}: cannot be written ({reason}), nothing was left behind; choose another place"
        ) from error


@contextmanager
def _replacing(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a folder that becomes `target` if all goes well and vanishes if not."""
    parent = target.absolute().parent
    # Beside the target, thus on its disk; parents are only made once there is something to put there.
    existing = next(folder for folder in (parent, *parent.parents) if folder.is_dir())
    with _reported(target):
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".part", dir=existing))
    try:
        yield temporary
        with _reported(target):
            temporary.chmod(0o777 & ~_umask())  # mkdtemp's folders are private
            parent.mkdir(parents=True, exist_ok=True)
            check_folder(target, overwrite=overwrite)  # a long time has passed
            _swap(temporary, target)
    except BaseException:  # Ctrl-C too
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _swap(temporary: Path, target: Path) -> None:
    if not target.exists():
        temporary.rename(target)
        return
    old = temporary.with_suffix(".old")
    target.rename(old)
    try:
        temporary.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# ---- formats ----


def _write_parquet(table: Table, path: Path) -> None:
    groups = _groups(table)
    first = next(groups, table.schema.empty_table())
    with (
        path.open("wb") as file,
        pyarrow.parquet.ParquetWriter(
            file, table.schema, compression="zstd", compression_level=1, use_dictionary=_repeating(first)
        ) as writer,
    ):
        for group in chain([first], groups):
            writer.write_table(group, row_group_size=max(1, group.num_rows))


def _groups(table: Table) -> Iterator[pa.Table]:
    """Yield tables for row groups that are about equally large; the next is read while one is written.

    Where a group ends depends on the rows alone, and not on the parts they come in: the same rows make the same file.
    """
    for _, slices in groupby(_numbered(one_ahead(_parts(table))), key=itemgetter(0)):
        yield pa.concat_tables([rows for _, rows in slices]).combine_chunks()


def _numbered(parts: Iterable[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    """Yield parts cut where a row group ends, with the number of their group."""
    before = 0
    for part in parts:
        ends = before + np.cumsum(_row_bytes(part))
        groups = ends // ROW_GROUP_BYTES
        bounds = [0, *(np.flatnonzero(np.diff(groups)) + 1).tolist(), part.num_rows]
        for first, last in pairwise(bounds):
            yield int(groups[first]), part.slice(first, last - first)
        before = int(ends[-1])


def _row_bytes(table: pa.Table) -> NDArray[np.int64]:
    """Return about how many bytes each row has."""
    sizes = np.full(table.num_rows, 8 * table.num_columns, np.int64)
    for column in table.columns:
        if column.type in VARIABLE:
            sizes += pc.fill_null(pc.binary_length(column), 0).to_numpy()
    return sizes


def _parts(table: Table) -> Iterator[pa.Table]:
    for part in [table] if isinstance(table, pa.Table) else table:
        if part.num_rows:
            yield part


def _repeating(table: pa.Table) -> list[str]:
    """The columns that a dictionary may shorten: all but long strings."""
    return [
        field.name
        for field in table.schema
        if not (_is_string(field.type) and table[field.name].nbytes > LONG * table.num_rows)
    ]


def _is_string(type_: pa.DataType) -> bool:
    return any(kind in str(type_) for kind in ("string", "binary")) and not pa.types.is_nested(type_)


def _write_jsonl(table: Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for part in _parts(table):
            for batch in part.to_batches(max_chunksize=ROWS_AT_ONCE):
                file.writelines(_json(row) + "\n" for row in batch.to_pylist())


def _write_csv(table: Table, path: Path) -> None:
    with path.open("wb") as file, pyarrow.csv.CSVWriter(file, _as_csv(table.schema.empty_table()).schema) as writer:
        for part in _parts(table):
            writer.write_table(_as_csv(part))


_WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "parquet": _write_parquet,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}


def _as_csv(table: pa.Table) -> pa.Table:
    return pa.table({name: _csv_column(table[name]) for name in table.column_names})


def _csv_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return _csv_column(column.cast(type_.value_type))
    if pa.types.is_nested(type_):
        values = [None if value is None else _json(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.large_string())])
    if str(type_) == "string_view":
        return column.cast(pa.large_string())
    if "binary" in str(type_):
        values = [None if value is None else _plain(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.large_string())])
    return column


def _json(value: Any) -> str:
    try:
        return _encoder.encode(value)
    except ValueError:  # JSON has neither NaN nor infinity
        return _encoder.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    """Spell a value that JSON does not know."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):  # numpy's numbers
        return value.item()
    return str(value)


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain)
