"""What is said of rows that are rejected: how many, which is the first and why, and what may be given to have them.

Input    a table of rejects (`checks.REJECTS`)
Output   a warning, or parts of a message
Cost     a pass over the reasons
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

#: Whose id a new row repeats, as `repeated_id` is told, where documents were decided by an earlier run.
EARLIER_DOCUMENT = "an earlier document"

#: Share of the rows from which on rows of more or fewer columns hint at another delimiter.
MANY = 0.1

#: Reasons that are shown where all rows are rejects.
REASONS = 3

_PREFIX = "id_prefix='file' (--id-prefix file) if ids are unique in each file"


def repeated_id(name: str | None, value: Any, where: str) -> str:
    """Say of a row that it has the id of another one."""
    return f"column {name!r} repeats the id {value!r} of {where}"


def said(rejects: pa.Table, count: int) -> list[str]:
    """Return where the first `count` rejects stand, and their reasons."""
    return [f"{place(row)}: {row['reason']}" for row in rejects.slice(0, count).to_pylist()]


def place(reject: dict[str, Any]) -> str:
    """Say where a row stands: in its file, or in an object in memory."""
    return f"{reject['file']}:{reject['row']}" if reject["file"] else f"row {reject['row']}"


def warn_of_rejects(rejects: pa.Table, rows: int, *, stacklevel: int = 3) -> None:
    """Warn that of so many rows some are rejected, if there are any.

    Parameters
    ----------
    rejects : pyarrow.Table
    rows : int
        All that were read, the rejects among them.
    stacklevel : int
        Of the warning.
    """
    count = rejects.num_rows
    if not count:
        return
    which = "is rejected," if count == 1 else "are rejected, the first of them"
    remedies = ", or ".join(remedies_of(rejects, rows))
    warnings.warn(
        f"{count:,} of {rows:,} rows {which} {said(rejects, 1)[0]}"
        f"{': give ' if remedies else ''}{remedies}; with strict this is an error",
        stacklevel=stacklevel,
    )


def nothing_usable(rejects: pa.Table) -> str:
    """Return what is said of an input whose rows are rejects, all of them."""
    reasons, rows = said(rejects, REASONS), rejects.num_rows
    given = remedies_of(rejects, rows)
    remedy = f"give {', or '.join(given)}" if given else "name other columns"
    if pc.all(pc.match_substring(rejects["reason"], "the line is not valid JSON")).as_py():
        remedy = "say what it is instead of JSON Lines (input_format='csv', --input-format csv or such)"
    if ".json:1: the line is not valid JSON" in reasons[0]:
        remedy = "if it is one object over many lines, convert it with: jq -c . FILE"
    return f"no row could be used: all {rows:,} were rejected ({'; '.join(reasons)}); mend the rows, or {remedy}"


def remedies_of(rejects: pa.Table, rows: int) -> list[str]:
    """Return what may be given to have rows that were rejected, in Python and to the command.

    Parameters
    ----------
    rejects : pyarrow.Table
    rows : int
        All that were read.
    """
    return list(dict.fromkeys(_remedies(rejects, rows)))


def _remedies(rejects: pa.Table, rows: int) -> Iterator[str]:
    reasons, in_files = rejects["reason"], rejects["file"].null_count < rejects.num_rows

    def with_(words: str) -> int:
        return int(pc.sum(pc.match_substring(reasons, words)).as_py() or 0)

    if with_("not valid UTF-8") or with_("not valid in its encoding"):
        yield "how the file is encoded (encoding='cp1252', --encoding cp1252, utf-16 or such)"
    if with_("(max_text)"):
        yield "more room for a text (max_text='1GB', --max-text 1GB)"
    if with_(" columns, expected ") > MANY * rows:
        yield "what separates the values (delimiter=';', --delimiter ';' or such)"
    earlier, repeated = with_(f" of {EARLIER_DOCUMENT}"), with_(" repeats the id ")
    if repeated and in_files:
        yield _PREFIX
    if earlier:
        yield "ids that no earlier document has"
    if repeated > earlier:
        yield "id='none' (--id none) to have rows numbered"
