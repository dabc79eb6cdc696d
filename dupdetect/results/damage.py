"""What is damaged in an output folder, said in one sentence.

Input    files of an output, and what was read of them
Output   the manifest; an `InputError` for what cannot be what a run has written
Cost     a pass over a manifest, and over the relations of a table
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.matching.overlaps import RELATIONS
from dupdetect.results.folder import MANIFEST

#: What a manifest holds: objects and, in some of these, texts; and lists of texts (or of nothing).
_OBJECTS = ("settings", "counts", "caps", "timings", "versions", "memory", "against", "bands", "kept")
_TEXTS = ("read_as", "columns", "versions", "files")
_LISTS = {"": ("inputs", "input_checksums"), "against": ("outputs", "plans"), "kept": ("files",)}
_CALLED: dict[type, str] = {dict: "object", list: "list", str: "text"}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of an output folder.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"), parse_constant=_finite, parse_float=_finite)
    except (FileNotFoundError, NotADirectoryError):
        what = "is a file" if folder.is_file() else "there is no such file"
        where = folder if folder.is_file() else path
        raise InputError(f"{where}: {what}; expected the output folder of dedup") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: the file is damaged (it cannot be read as JSON: {error}); run dedup again") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{path}: the file holds a {type(manifest).__name__}, expected an object; run dedup again")
    _check_types(path, manifest)
    return manifest


def _finite(number: str) -> float:
    """Read a number of JSON; Python takes NaN and Infinity too, which nothing then writes again."""
    value = float(number)
    if not isfinite(value):
        raise ValueError(f"{number} is no number of JSON")
    return value


def _check_types(path: Path, manifest: dict[str, Any]) -> None:
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


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Say in one sentence what keeps a file of an output from being read."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: the file is damaged or missing ({reason}); write the output anew") from error
