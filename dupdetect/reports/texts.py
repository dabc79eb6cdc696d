"""Read what a page shows of the texts of a run.

Input    a run, what its page lists, and its texts: those of its input, or of the documents that were kept
Output   `Texts`: how each listed text begins, where documents came from, and the texts whose pairs are shown
Cost     one pass over the texts, a part of them in memory at a time
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import DupdetectError, InputError
from dupdetect.io.documents import stream
from dupdetect.io.identifiers import as_type, folder_of, within
from dupdetect.io.lists import joined_lists
from dupdetect.io.schema import names_shown
from dupdetect.io.tables import comparable
from dupdetect.results.read_again import as_read, columns
from dupdetect.results.run import Run
from dupdetect.text.escape import escape_for_page, one_line
from dupdetect.text.given_words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from dupdetect.reports.listing import Listing

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

#: Pairs of texts that a page shows, and bytes that the openings of texts may take of it.
PAIRS, OPENING_BYTES = 1_000, 5_000_000

#: Characters of an opening.
OPENING = 240

#: Columns that say where a document came from, the first of them that there is.
SOURCES = ("source", "domain", "site", "host", "publisher", "url", "uri", "link")


class Source(NamedTuple):
    """Where documents came from, and how many of them were removed."""

    name: str
    documents: int
    removed: int


@dataclass(eq=False)
class Texts:
    """What a page shows of texts.

    Attributes
    ----------
    openings : list of str
        How each listed document's text begins; empty where it was removed, or is not known.
    whole : dict of int to str
        The texts of documents whose pairs are shown, by row.
    sources : list of Source
        Those of which most was removed first.
    by : str
        What says where a document came from; empty if nothing does.
    read : int
        Documents whose texts were found.
    note : str
        What is not shown, and why; empty if all is.
    """

    openings: list[str]
    whole: dict[int, str] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    by: str = ""
    read: int = 0
    note: str = ""


# ---- which texts there are ----


class Part(NamedTuple):
    """Some documents: their rows in the run (-1: not of it), their texts, and a table of their columns."""

    rows: Int
    texts: pa.ChunkedArray | pa.Array
    table: pa.Table


def of_input(run: Run, data: Any, text: str, id: str | None) -> Iterator[Part]:
    """Yield the documents of a run's input, as `dedup` took it.

    Raises
    ------
    InputError
        It cannot be read, or the run knows none of its documents.
    """
    reader = stream(data, **as_read(run, text, id))
    seen, first, folder = np.zeros(len(run), np.bool_), None, None
    for part in reader:
        found = reader.ids(part.table, part.file, part.row)
        found = found if reader.id_type is None else as_type(found, reader.id_type)
        ids = comparable(found, "ids of the input")
        if folder is None:
            folder = folder_of(ids, run.ids)
        rows = np.asarray(pc.index_in(within(ids, folder), value_set=run.ids).fill_null(-1), np.int64)
        rows[rows >= 0] = np.where(seen[rows[rows >= 0]], -1, rows[rows >= 0])  # an id that is there again: a reject
        seen[rows[rows >= 0]] = True
        first = first or next(iter(ids.slice(0, 1).to_pylist()), None)
        yield Part(rows, shown_texts(run, part.texts), part.table)
    if first is not None and not seen.any():
        known = repr(run.ids[0].as_py()) if len(run) else "none"
        raise InputError(
            f"no document of the input ({first!r} is the first) is in the output ({known}); give the input that the "
            "run was made of, and the same --text and --id"
        )


def of_kept(run: Run, text: str) -> Iterator[Part]:
    """Yield the documents that a run kept: the canonicals, in their order."""
    for ids, texts, table in run.kept(text):
        yield Part(np.asarray(pc.index_in(ids, value_set=run.ids), np.int64), shown_texts(run, texts), table)


def of_earlier(run: Run, text: str) -> Iterator[Part]:
    """Yield the earlier documents that a run names, from the outputs that it was held against, where these are."""
    wanted = run.ids.slice(run.new)
    for before in run.runs_before if len(wanted) else []:
        with suppress(DupdetectError):
            for ids, texts, table in before.kept(text):
                place = pc.index_in(ids, value_set=wanted).fill_null(-1).to_numpy()
                yield Part(np.where(place < 0, -1, run.new + place), shown_texts(before, texts), table)


def shown_texts(run: Run, texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return texts as a reader has them; of lists of words, these with a blank between them."""
    if not run.read_as.listed:
        return texts
    if not pa.types.is_large_string(texts.type):  # as a result in memory has them
        texts = joined_lists(texts)[0]
    return pa.chunked_array([pa.array(map(shown, texts.to_pylist()), pa.large_string())])


# ---- one pass over them ----


def read_texts(run: Run, listing: Listing, data: Any, *, text: str | None, id: str | None, by: str | None) -> Texts:
    """Read what a page shows of the texts, those of the input if they are there.

    Parameters
    ----------
    run : Run
    listing : Listing
    data, text, id
        The run's input, as `dedup` took it; None for what the manifest names.
    by : str, optional
        The column that says where a document came from; by default the first of `SOURCES` that there is, or else
        what the ids tell.
    """
    text, id = columns(run, text, id)
    if data is not None:
        return _gathered(run, listing, chain(of_input(run, data, text, id), of_earlier(run, text)), by)
    reason = "the run's input was not given, and is not there as it was"
    if run.inputs:
        try:
            return _gathered(run, listing, chain(of_input(run, run.inputs, text, id), of_earlier(run, text)), by)
        except DupdetectError as error:
            reason = f"the run's input cannot be read as it was ({error})"
    texts = _gathered(run, listing, chain(of_kept(run, text), of_earlier(run, text)), by)
    texts.note = f"Texts of removed documents are not shown: {reason}."
    return texts


def _gathered(run: Run, listing: Listing, parts: Iterable[Part], by: str | None) -> Texts:
    kept = run.stays[listing.rows]
    length = min(OPENING, OPENING_BYTES // max(1, int(kept.sum())))
    place = np.full(len(run), -1, np.int64)
    place[listing.rows[kept]] = np.flatnonzero(kept)
    wanted = np.zeros(len(run), np.bool_)
    wanted[pairs(listing).ravel()] = True
    texts, counts = Texts([""] * len(listing)), list[pa.Table]()
    for part in parts:
        known = np.flatnonzero(part.rows >= 0)
        rows = part.rows[known]
        texts.read += len(rows)
        if by is None:
            by = next((name for name in SOURCES if name in part.table.column_names), "")
        if by:
            counts.append(_counted(run, rows, _column(part.table, by).take(pa.array(known))))
        listed = place[rows] >= 0
        _fill(texts, part.texts.take(pa.array(known[listed])), place[rows[listed]], length)
        whole = part.texts.take(pa.array(known[wanted[rows]])).to_pylist()
        texts.whole.update(zip(rows[wanted[rows]].tolist(), whole, strict=True))
    texts.sources, texts.by = _sources(run, counts, by or "")
    return texts


def _fill(texts: Texts, column: pa.ChunkedArray, places: Int, length: int) -> None:
    starts = pc.utf8_slice_codeunits(column, 0, 4 * length).to_pylist()
    for place, start in zip(places.tolist(), starts, strict=True):
        texts.openings[place] = one_line(start, length)


def pairs(listing: Listing, most: int = PAIRS) -> Int:
    """Choose the pairs of a canonical and a member to show: the first member of each cluster, then the second.

    Returns
    -------
    int64[p, 2]
        Rows of the run. A canonical alone is paired with itself.
    """
    listed = np.arange(len(listing))
    members = np.flatnonzero(listing.of != listed)
    turn = members - listing.of[members]  # members follow their canonical
    chosen = members[np.argsort(turn, kind="stable")][:most]
    return np.stack([listing.rows[listing.of[chosen]], listing.rows[chosen]], axis=1)


# ---- where documents came from ----


def _column(table: pa.Table, by: str) -> pa.ChunkedArray:
    if by not in table.column_names:
        shown = names_shown(table.column_names)
        raise InputError(f"there is no column {by!r}; the columns are {shown}: name one of these")
    return table[by]


def _counted(run: Run, rows: Int, column: pa.ChunkedArray) -> pa.Table:
    """Count documents, and those removed, by where they came from."""
    names = _hosts(comparable(column, "sources").fill_null("none"))
    removed = pa.array((~run.stays[rows]).astype(np.int64))
    return _summed(pa.table([names, pa.repeat(1, len(rows)), removed], names=Source._fields))


def _summed(table: pa.Table) -> pa.Table:
    summed = table.group_by("name").aggregate([("documents", "sum"), ("removed", "sum")])
    return summed.select(["name", "documents_sum", "removed_sum"]).rename_columns(Source._fields)


def _sources(run: Run, counts: list[pa.Table], by: str) -> tuple[list[Source], str]:
    """Return the sources, those of which most was removed first, and what told them."""
    if not by and len(run):
        by, counts = "id", [_counted(run, np.arange(len(run)), _folders(run.ids))]
        if not 1 < counts[0].num_rows <= len(run) / 2:  # ids that say nothing of where they are from
            return [], ""
    if not counts:
        return [], by
    order = [("removed", "descending"), ("documents", "descending"), ("name", "ascending")]
    rows = _summed(pa.concat_tables(counts)).sort_by(order).to_pylist()
    return [Source(escape_for_page(row["name"]), row["documents"], row["removed"]) for row in rows], by


def _hosts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Leave of addresses the host, and other names as they are."""
    host = pc.extract_regex(column, r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?P<host>[^/?#:]+)")
    return pc.coalesce(pc.struct_field(host, "host"), column)


def _folders(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Leave of ids the host, the folder or the file: what stands before the row, or the last slash."""
    hosts = _hosts(ids)
    folder = pc.extract_regex(hosts, r"^(?P<folder>.+?)(?::\d+|/[^/]*)$")
    return pc.coalesce(pc.struct_field(folder, "folder"), hosts)
