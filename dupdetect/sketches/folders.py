"""A sketch table that Spark wrote, read back.

Input    a folder of Parquet files, as `dupdetect.spark.sketch` writes it
Output   the ids and the `Sketches` of all documents
Cost     that of reading the files; in memory all of them

The columns are those of a sketch file (`dupdetect.sketches.files`), as far as Spark has their types: hashes are signed,
the same bits, and lists have no fixed length. What they were made with stands in the metadata of the column ``digest``,
in every file. Damage is noticed by the checksums of Parquet's pages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect.errors import InputError
from dupdetect.settings import Settings
from dupdetect.sketches.sketches import Ragged, Sketches
from dupdetect.sketches.table import check_settings, end_to_end, no_sketches

if TYPE_CHECKING:
    import pyarrow as pa

#: Where a column's metadata have the description, and where Spark keeps the metadata of columns.
KEY, SPARK_KEY = "dupdetect.sketches", b"org.apache.spark.sql.parquet.row.metadata"


def description(settings: Settings, signatures: bool) -> str:
    """Return what is to be said of sketches, as JSON."""
    made = settings.sketching | {"bands": list(settings.banding)}
    return json.dumps({"settings": made, "signatures": signatures}, sort_keys=True)


def read_folder(folder: Path, settings: Settings | None = None) -> tuple[pa.ChunkedArray, Sketches]:
    """Read all files of a folder, in order of their names.

    Parameters
    ----------
    folder : Path
    settings : Settings, optional
        Those of the run that the sketches are for. Left out, they are those of the files.

    Raises
    ------
    InputError
        The folder holds no sketches, or damaged ones.
    MismatchError
        The sketches were made with other settings.
    """
    import pyarrow as pa

    read = [_read(path) for path in sorted(folder.glob("[!._]*.parquet"))]
    if not read or any(said != read[0][0] for said, _ in read):
        raise InputError(f"{folder}: holds no Parquet files of sketches, of one run; expected what Spark wrote as such")
    said = read[0][0]
    chosen = _settings(said, settings, folder)
    parts = [_sketches(table, chosen, said["signatures"]) for _, table in read]
    ids = [chunk for _, table in read for chunk in table["id"].chunks]
    return pa.chunked_array(ids), end_to_end([no_sketches(chosen, said["signatures"]), *parts])


def _read(path: Path) -> tuple[dict[str, Any], pa.Table]:
    """Return what a file says of itself, and its rows."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            return _said(file.metadata.metadata or {}), file.read().combine_chunks()
    except (OSError, pa.ArrowException, ValueError, LookupError, TypeError, StopIteration) as error:
        raise InputError(f"{path}: these are no sketches, or damaged ({error}); sketch the texts anew") from error


def _said(metadata: dict[bytes, bytes]) -> dict[str, Any]:
    fields = json.loads(metadata[SPARK_KEY])["fields"]
    said: dict[str, Any] = json.loads(next(f["metadata"][KEY] for f in fields if f["name"] == "digest"))
    return said


def _settings(said: dict[str, Any], wanted: Settings | None, folder: Path) -> Settings:
    made = Settings(**{**said["settings"], "bands": tuple(said["settings"]["bands"])})
    if wanted is None:
        return made
    check_settings(f"{folder}: the sketches", made, wanted, bands=True)
    return wanted


def _sketches(table: pa.Table, settings: Settings, signatures: bool) -> Sketches:
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    lengths = columns["fingerprints"].value_lengths().to_numpy()
    offsets = np.append(0, np.cumsum(lengths, dtype=np.int64))

    def values(name: str, type_: type) -> Any:
        return np.array(columns[name].flatten().to_numpy()).view(type_)

    return Sketches(
        settings,
        columns["words"].to_numpy(),
        np.frombuffer(b"".join(columns["digest"].to_pylist()), "<u8").astype(np.uint64).reshape(-1, 2),
        values("band_keys", np.uint64).reshape(-1, settings.banding[0]),
        Ragged(offsets, values("fingerprints", np.uint64)),
        values("signature", np.uint32).reshape(-1, settings.num_perm) if signatures else None,
    )
