"""An index in place of a run's output: what `explain` and `report` are given.

Input    an `Index`, the path of one, or its address
Output   the index, open
Cost     none
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from dupdetect.errors import InputError
from dupdetect.index.index import Index
from dupdetect.results.run import Run
from dupdetect.settings import Settings

#: How a file of SQLite begins.
_MARK = b"SQLite format 3\0"


@contextmanager
def index_of(out: Any) -> Iterator[Index | None]:
    """Give the index that is meant, open; None if it is something else."""
    if isinstance(out, Index):
        yield out
    elif isinstance(out, str | os.PathLike) and _is_index(out):
        with Index(out, read_only=True) as index:
            yield index
    else:
        yield None


def what_is_around(out: Any, id: Any, data: Any) -> tuple[Any, Any]:
    """Return in place of an index what a run over the documents that are connected with one found, and its input."""
    with index_of(out) as index:
        if index is None:
            return out, data
        for each in (id, *(index.typed([id]) if isinstance(id, str) else ())):
            if each in index:
                return index.around(each)
    raise InputError(f"the index has no document {id!r}; give the id of one that it has")


def what_decides(out: Any) -> tuple[Settings, NDArray[np.uint64]]:
    """Return the settings of a run or an index, and the shingles that are boilerplate there."""
    with index_of(out) as index:
        if index is None:
            run = Run(out)
            return run.settings, run.boilerplate_shingles
        table = index.boilerplate()
        return index.settings, np.sort(table["shingle"].filter(pc.greater(table["margin"], 0)).to_numpy())


def _is_index(out: str | os.PathLike[str]) -> bool:
    if isinstance(out, str) and out.startswith(("postgresql://", "postgres://")):
        return True
    path = Path(out)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MARK)) == _MARK
