"""An id to the document of a run that has it, or to what became of its row.

Input    a run, and an id of any type, or as it is printed
Output   the row of the document, or an error that names ids that are near; why a row was rejected; digest documents
Cost     a pass over the ids
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.io.tables import comparable, comparable_value
from dupdetect.results.run import Run

#: Ids that a message names.
NEAR = 5


def find_row(run: Run, id: Any) -> int:
    """Return the row of a document of a run.

    Raises
    ------
    InputError
        There is none; the error names ids that are near.
    """
    text = comparable_value(id)
    row = pc.index(run.ids, pa.scalar(text, pa.large_string())).as_py()
    if row >= 0:
        return int(row)
    for first in rejects_of(run, id):
        raise InputError(f"{id!r} was rejected ({first['file']}:{first['row']}: {first['reason']}), and is no document")
    near = ", ".join(map(repr, _near(run, text))) or "none"
    raise InputError(f"{run.name} has no document {id!r}; ids near it are {near}: give one of the table clusters")


def _near(run: Run, id: str) -> list[str]:
    """Return ids that hold this one or part of it, or stand beside it in order."""
    holding = run.ids.filter(pc.match_substring(run.ids, id, ignore_case=True)) if id else run.ids
    ordered = sorted(run.ids.to_pylist())
    place = bisect_left(ordered, id)
    found = [*holding.slice(0, NEAR).to_pylist(), *ordered[max(place - 2, 0) : place + 3]]
    return list(dict.fromkeys(found))[:NEAR]


def rejects_of(run: Run, id: Any) -> list[dict[str, Any]]:
    """Return the rows that were rejected for having this id, or that this names by file and row."""
    rows = run.rejects.to_pylist()
    names = f"repeats the id {id!r} "
    return [row for row in rows if names in str(row["reason"]) or f"{row['file']}:{row['row']}" == str(id)]


def digests_of(run: Run, row: int, canonical: int) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return the canonicals that a digest document holds, and the digest documents that hold its own canonical."""
    ids, clusters = comparable(run.digests["id"], "digests"), comparable(run.digests["cluster"], "digests")
    holds = run.digests.filter(pc.equal(ids, run.ids[row])).drop_columns(["id"]).to_pylist()
    holders = run.digests.filter(pc.and_(pc.equal(clusters, run.ids[canonical]), pc.not_equal(ids, run.ids[row])))
    return holds, holders["id"].to_pylist()
