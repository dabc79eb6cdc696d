"""Which files belong to an output: those in its folder, and those that its run has read.

Input    an output's manifest
Output   files that may be read without anybody having named them
Cost     a hash of each file

An output may come from a stranger, and what is made of it (a report) may go to one. What its manifest names, or a link
in its folder leads to, may be any file of this machine. So such a file is read only if it is what the manifest says by
its checksum: whoever wrote that knows what is in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dupdetect._storage.checksums import checksum
from dupdetect.errors import InputError
from dupdetect.io.archives import on_disk


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
