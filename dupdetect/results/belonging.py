"""Which files belong to an output: those in its folder, and those that its run has read.

Input    an output's manifest
Output   files that may be read without anybody having named them
Cost     a hash of each file

An output may come from a stranger, and what is made of it (a report) may go to one. What its manifest names, or a link
in its folder leads to, may be any file of this machine. So such a file is read only if it is what the manifest says by
its checksum: whoever wrote that knows what is in the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dupdetect._storage.checksums import checksum
from dupdetect.errors import InputError
from dupdetect.io.archives import on_disk
from dupdetect.matching.overlaps import RELATIONS


def as_they_were(names: Sequence[Any], checksums: Sequence[Any]) -> bool:
    """Tell whether files are what a manifest says, each by its checksum."""
    if not names or len(names) != len(checksums) or not all(isinstance(value, str) for value in checksums):
        return False
    return all(checksum(on_disk(str(name))) == value for name, value in zip(names, checksums, strict=True))


def of_folder(folder: Path, path: Path, checksums: dict[str, Any]) -> Path:
    """Return a file of an output folder.

    Parameters
    ----------
    folder, path : Path
    checksums : dict
        What the manifest says of the folder's files, by their names there.

    Raises
    ------
    InputError
        It is a link that leads out of the folder, to something else than the run has written.
    """
    if folder.resolve() in path.resolve().parents:
        return path
    said = checksums.get(path.relative_to(folder).as_posix())
    if said is not None and said == checksum(path):
        return path
    raise InputError(
        f"{path}: is a link to {path.resolve()}, which is not what the run has written; an output is read from its own "
        "folder: copy the file there if it is yours"
    )


# ---- what is damaged ----

#: What a manifest holds: objects and, in some of these, texts; and lists of texts (or of nothing).
_OBJECTS = ("settings", "counts", "caps", "timings", "versions", "memory", "against", "bands", "kept")
_TEXTS = ("read_as", "columns", "versions", "files")
_LISTS = {"": ("inputs", "input_checksums"), "against": ("outputs", "plans"), "kept": ("files",)}
_CALLED: dict[type, str] = {dict: "object", list: "list", str: "text"}


def check_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Refuse a manifest whose parts are not of the types that they have.

    Raises
    ------
    InputError
        It is damaged.
    """
    for name in (*_OBJECTS, *_TEXTS):
        _expect(path, name, manifest.get(name), dict)
    _expect(path, "counts.relations", (manifest.get("counts") or {}).get("relations"), dict)
    for name in _TEXTS:
        for value in (manifest.get(name) or {}).values():
            _expect(path, name, value, str)
    for part, names in _LISTS.items():
        holder = (manifest.get(part) or {}) if part else manifest
        for name in names:
            _expect(path, name, holder.get(name), list)
            for value in holder.get(name) or []:
                _expect(path, name, value, str)
                if "\0" in (value or ""):
                    raise InputError(f"{path}: {name!r} has what no file can be named, it is damaged; run dedup again")


def _expect(path: Path, name: str, value: Any, type_: type) -> None:
    if value is not None and not isinstance(value, type_):
        raise InputError(f"{path}: {name!r} is no {_CALLED[type_]}, the file is damaged; run dedup again")
    try:
        os.fsencode(value if isinstance(value, str) else "")
    except UnicodeError:
        raise InputError(f"{path}: {name!r} is no text, the file is damaged; run dedup again") from None


def check_relations(table: pa.Table, where: str) -> None:
    """Refuse a table with relations that are none."""
    others = table["relation"].drop_null().unique()
    others = others.filter(pc.invert(pc.is_in(others, value_set=pa.array(RELATIONS, pa.string()))))
    if len(others):
        raise InputError(f"{where}: {others[0].as_py()!r} is no relation, the table is damaged; run dedup again")
