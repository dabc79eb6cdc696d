"""The texts of a run to what a page shows of them.

Input    a run, what its page lists, and its texts: those of its input, or of the documents that were kept
Output   `Texts`: how each listed text begins, where documents came from, and pairs of texts, marked
Cost     one pass over the texts, a part of them in memory at a time; 5 ms for each pair of 5 KB

Of a text that two documents share, each part says where it stands in the other (`dupdetect.passages`); what of it is
template, the run has said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.cleaning import clean
from dupdetect.documents import collect
from dupdetect.errors import DupdetectError, InputError
from dupdetect.passages import align
from dupdetect.result import Result
from dupdetect.settings import POLICIES, Settings
from dupdetect.sketches import marked_shingles
from dupdetect.spans import find_spans
from dupdetect.truth import comparable, in_folder
from dupdetect.visible import opening, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from dupdetect.findings import Listing, Run

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

#: Pairs of texts that a page shows, and bytes that these and the openings of texts may take of it.
PAIRS, PAIR_BYTES, OPENING_BYTES = 400, 7_000_000, 5_000_000

#: Characters of a text that a page looks at; of an opening; and of a part of a text from which on its middle is folded.
MOST, OPENING, FOLD = 60_000, 240, 2_400

#: Columns that say where a document came from, the first of them that there is.
SOURCES = ("source", "domain", "site", "host", "publisher", "url", "uri", "link")

#: What a part of a text is: the sum of these.
SHARED, TEMPLATE, FOLDED, CHANGED = 1, 2, 4, 8


class Source(NamedTuple):
    """Where documents came from, and how many of them were removed."""

    name: str
    documents: int
    removed: int


class Pair(NamedTuple):
    """Two texts, or one alone, in parts.

    Attributes
    ----------
    a, b : list of (int, int, str)
        For each part what it is (the sum of `SHARED` and so on), the number of its passage or -1, and its text; of what
        is folded, how many characters that are.
    passages : list of (int, float, float)
        Words, similarity and share of template of each.
    """

    a: list[tuple[int, int, str]]
    b: list[tuple[int, int, str]]
    passages: list[tuple[int, float, float]]


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
    """Some documents: their rows in the run (-1: not of it), and a table of their columns."""

    rows: Int
    texts: pa.ChunkedArray
    table: pa.Table


def parts(run: Run, out: Any, data: Any, text: str, id: str | None) -> tuple[Iterator[Part], str]:
    """Return the documents of a run's input, or else those that it kept, and what there is to say of that.

    Parameters
    ----------
    run : Run
    out : Result, str or Path
        What the run is the output of.
    data, text, id
        The run's input, as `dedup` takes it; None for what the manifest names, if it is still there.
    """
    if data is not None:
        return _of_input(run, data, text, id), ""
    inputs = [Path(name) for name in run.manifest.get("inputs", [])]
    if not isinstance(out, Result) and inputs and all(path.is_file() for path in inputs):
        try:
            return _of_input(run, inputs, text, id), ""
        except DupdetectError as error:
            reason = f"the run's input cannot be read any more ({error})"
    else:
        reason = "the run's input was not given, and is not where it was"
    return _of_kept(run, out, text), f"Texts of removed documents are not shown: {reason}."


def _of_input(run: Run, data: Any, text: str, id: str | None) -> Iterator[Part]:
    documents = collect(data, text=text, id=id)
    ids = comparable(pa.chunked_array(documents.ids.chunks, documents.ids.type), "ids of the input")
    return iter([Part(_rows(run, ids), documents.texts, documents.table)])


def _rows(run: Run, ids: pa.ChunkedArray) -> Int:
    """Return the rows of documents in a run; of text files, whose names are known from another folder too."""
    rows = pc.index_in(ids, value_set=run.ids)
    if len(ids) and len(run) and rows.null_count == len(rows):
        name, known = ids[0].as_py(), run.ids[0].as_py()
        if name.endswith(known):
            bare = pc.utf8_slice_codeunits(ids, len(name) - len(known))
            rows = pc.index_in(bare, value_set=run.ids)
    if len(ids) and rows.null_count == len(rows):
        raise InputError(
            f"no document of the input ({ids[0].as_py()!r} is the first) is in the output ({_first(run)!r}); give the "
            "input that the run was made of, and the same --text and --id"
        )
    return np.asarray(rows.fill_null(-1), np.int64)


def _first(run: Run) -> Any:
    return run.ids[0].as_py() if len(run) else "which is empty"


def _of_kept(run: Run, out: Any, text: str) -> Iterator[Part]:
    """Yield the rows that were kept: the canonicals, in their order."""
    rows = np.flatnonzero(run.stays)
    if isinstance(out, Result):
        table = out.kept
    else:
        documents = collect(in_folder(Path(out), "kept"), text=text) if len(rows) else None
        table = documents.table if documents else pa.table({})
    if table.num_rows == len(rows) and text in table.column_names:
        yield Part(rows, table[text], table)


# ---- one pass over them ----


def gather(run: Run, listing: Listing, parts: Iterable[Part], by: str | None) -> Texts:
    """Read what a page shows of the texts.

    Parameters
    ----------
    run : Run
    listing : Listing
    parts : iterable of Part
    by : str, optional
        The column that says where a document came from; by default the first of `SOURCES` that there is, or else
        what the ids tell.
    """
    kept = run.stays[listing.rows]
    length = min(OPENING, OPENING_BYTES // max(1, int(kept.sum())))
    place = np.full(len(run), -1, np.int64)
    place[listing.rows[kept]] = np.flatnonzero(kept)
    wanted = np.zeros(len(run), np.bool_)
    wanted[pairs(listing).ravel()] = True
    texts, origins = Texts([""] * len(listing)), _Origins(run, by)
    for part in parts:
        known = np.flatnonzero(part.rows >= 0)
        rows = part.rows[known]
        texts.read += len(rows)
        origins.add(rows, part.table, known)
        _fill(texts, part.texts.take(pa.array(known[place[rows] >= 0])), place[rows[place[rows] >= 0]], length)
        chosen = wanted[rows]
        whole = part.texts.take(pa.array(known[chosen])).to_pylist()
        texts.whole.update(zip(rows[chosen].tolist(), whole, strict=True))
    texts.sources, texts.by = origins.counted()
    return texts


def _fill(texts: Texts, column: pa.ChunkedArray, places: Int, length: int) -> None:
    starts = pc.utf8_slice_codeunits(column, 0, 4 * length).to_pylist()
    for place, start in zip(places.tolist(), starts, strict=True):
        texts.openings[place] = opening(start, length)


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


class _Origins:
    """Counts documents, and those removed, by where they came from."""

    def __init__(self, run: Run, by: str | None) -> None:
        self._run, self._by = run, by
        self._documents: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()

    def add(self, rows: Int, table: pa.Table, known: Int) -> None:
        """Count some documents; `known` are those of the table that the run has."""
        if self._by is None:
            self._by = next((name for name in SOURCES if name in table.column_names), "")
        if self._by and self._by not in table.column_names:
            listed = ", ".join(map(repr, table.column_names))
            raise InputError(f"there is no column {self._by!r}; the columns are {listed}: name one of these")
        if not self._by:
            return
        column = table[self._by].take(pa.array(known))
        self._count(column, rows)

    def _count(self, column: pa.ChunkedArray, rows: Int) -> None:
        names = _hosts(comparable(column, "sources").fill_null("none")).combine_chunks().dictionary_encode()
        codes = np.asarray(names.indices, np.int64)
        removed = ~self._run.stays[rows]
        documents = np.bincount(codes, minlength=len(names.dictionary))
        taken = np.bincount(codes, weights=removed, minlength=len(names.dictionary)).astype(np.int64)
        listed = names.dictionary.to_pylist()
        self._documents.update(dict(zip(listed, documents.tolist(), strict=True)))
        self._removed.update(dict(zip(listed, taken.tolist(), strict=True)))

    def counted(self) -> tuple[list[Source], str]:
        """Return the sources, those of which most was removed first, and what told them."""
        told = self._by or ""
        if not told and len(self._run):
            self._count(_folders(self._run.ids), np.arange(len(self._run)))
            told = "id"
            if not 1 < len(self._documents) <= len(self._run) / 2:  # ids that say nothing of where they are from
                return [], ""
        found = [Source(shown(name), count, self._removed[name]) for name, count in self._documents.items()]
        return sorted(found, key=lambda source: (-source.removed, -source.documents, source.name)), told


def _hosts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Leave of addresses the host, and other names as they are."""
    host = pc.extract_regex(column, r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?P<host>[^/?#:]+)")
    return pc.coalesce(pc.struct_field(host, "host"), column)


def _folders(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Leave of ids the host, the folder or the file: what stands before the row, or the last slash."""
    hosts = _hosts(ids)
    folder = pc.extract_regex(hosts, r"^(?P<folder>.+?)(?::\d+|/[^/]*)$")
    return pc.coalesce(pc.struct_field(folder, "folder"), hosts)


# ---- pairs of texts, marked ----


class Marker:
    """Marks in texts what two share, and what is template.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        values = dict(run.manifest.get("settings") or {})
        if values.get("canonical") not in POLICIES:
            values.pop("canonical", None)
        self._settings = Settings().replace(**values)
        self._template = run.template

    def pair(self, a: str, b: str) -> Pair:
        """Mark two texts."""
        (a, more_a), (b, more_b) = _cut(a), _cut(b)
        aligned = sorted(align(a, b, self._settings.unit), key=lambda found: found.passage.a_start)
        passages = [found.passage for found in aligned]
        in_a = [_Run(p.a_start, p.a_end, found.equal[:, :2]) for p, found in zip(passages, aligned, strict=True)]
        in_b = [_Run(p.b_start, p.b_end, found.equal[:, 2:]) for p, found in zip(passages, aligned, strict=True)]
        return Pair(
            _parts(a, in_a, self._templates(a)) + more_a,
            _parts(b, in_b, self._templates(b)) + more_b,
            [(p.words, round(p.similarity, 3), round(p.template, 3)) for p in passages],
        )

    def alone(self, a: str) -> Pair:
        """Mark what is template in one text."""
        a, more = _cut(a)
        return Pair(_parts(a, [], self._templates(a)) + more, [], [])

    def _templates(self, text: str) -> list[tuple[int, int]]:
        """Find what is template in a text: where it begins and ends."""
        if not len(self._template) or not self._settings.weighs:
            return []
        spans, size = find_spans(text), self._settings.shingle_size
        if not len(spans.starts):
            return []
        column = pa.chunked_array([[clean(text)]], pa.large_string())
        hashes = marked_shingles(column, np.arange(1), self._settings).values & ~np.uint64(1)
        known = self._template[np.minimum(np.searchsorted(self._template, hashes), len(self._template) - 1)] == hashes
        count = np.zeros(len(spans.starts) + 1, np.int64)
        first = np.flatnonzero(known)
        np.add.at(count, first, 1)
        np.add.at(count, np.minimum(first + size, len(spans.starts)), -1)
        inside = np.concatenate([[0], np.cumsum(count[:-1]) > 0, [0]])
        edges = np.flatnonzero(np.diff(inside))
        return list(zip(spans.starts[edges[::2]].tolist(), spans.ends[edges[1::2] - 1].tolist(), strict=True))


def _cut(text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the beginning of a text, and how much more there is of it."""
    text = text.replace("\r\n", "\n")
    return text[:MOST], [(FOLDED, -1, f"{len(text) - MOST:,}")] if len(text) > MOST else []


class _Run(NamedTuple):
    """A passage in one of its texts: where it begins and ends, and where what is equal does (int64[n, 2])."""

    start: int
    end: int
    equal: Int


def _parts(text: str, passages: list[_Run], templates: list[tuple[int, int]]) -> list[tuple[int, int, str]]:
    """Cut a text where anything begins or ends. Where passages overlap, the first has what both have."""
    number = np.full(len(text) + 1, -1, np.int32)
    kind = np.zeros(len(text) + 1, np.int32)
    for place in reversed(range(len(passages))):
        start, end, equal = passages[place]
        number[start:end], kind[start:end] = place, SHARED
        for first, last in zip(equal[:-1, 1].tolist(), equal[1:, 0].tolist(), strict=True):
            if any(map(str.isalnum, text[first:last])):  # and not just what stands between words
                kind[first:last] |= CHANGED
    for start, end in templates:
        kind[start:end] |= TEMPLATE
    number[-1] = -2
    cuts = [0, *(np.flatnonzero((np.diff(number) != 0) | (np.diff(kind) != 0)) + 1).tolist()]
    found: list[tuple[int, int, str]] = []
    for start, end in pairwise(cuts):
        found += _folded(int(kind[start]), int(number[start]), text[start:end])
    return found


def _folded(kind: int, number: int, text: str) -> list[tuple[int, int, str]]:
    """Fold the middle of a long part."""
    if len(text) <= FOLD:
        return [(kind, number, shown(text))]
    half = FOLD // 3
    middle = f"{len(text) - 2 * half:,}"
    return [
        (kind, number, shown(text[:half])),
        (kind | FOLDED, number, middle),
        (kind, number, shown(text[-half:])),
    ]
