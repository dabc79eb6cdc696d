"""The output of a run to what a report tells of it.

Input    what `dedup` returned, or the folder it wrote
Output   `Run`: its tables, and where each document stands; `Listing`: the documents that a page has room for
Cost     O(n), and a sort of the documents; no text is looked at
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.io.documents import REJECTS
from dupdetect.io.paths import find
from dupdetect.io.readers import read
from dupdetect.matching.verify import NONE, RELATIONS
from dupdetect.results.result import Result
from dupdetect.results.tables_of import as_table, comparable, in_folder, of_run, require
from dupdetect.settings import POLICIES, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]

#: Documents that a page lists, and of one cluster. A list of 100,000 is searched within a tenth of a second.
DOCUMENTS, MEMBERS = 100_000, 1_000


NO_BRIDGES = pa.table({name: pa.array([], pa.string()) for name in ("id", "cluster", "containment", "share")})


@dataclass(frozen=True, eq=False)
class Run:
    """What a run found among n documents.

    Attributes
    ----------
    name : str
        What to call it.
    manifest : dict
    clusters, digests, rejects : pyarrow.Table
    boilerplate : uint64[t]
        The shingles that are boilerplate, ordered.
    ids : pyarrow.ChunkedArray of large_string
        n of them.
    earlier : int
        How many of the documents, the last ones, are of earlier outputs that the run was held against: those that its
        tables name.
    """

    name: str
    manifest: dict[str, Any]
    clusters: pa.Table
    digests: pa.Table
    rejects: pa.Table
    boilerplate: Hashes
    ids: pa.ChunkedArray
    earlier: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def new(self) -> int:
        """How many documents the run itself had."""
        return len(self) - self.earlier

    @cached_property
    def settings(self) -> Settings:
        """Its settings; a callable that chose the canonicals is not known any more, nor needed."""
        values = dict(self.manifest.get("settings") or {})
        if values.get("canonical") not in POLICIES:
            values.pop("canonical", None)
        return Settings().replace(**values)

    @cached_property
    def canonical(self) -> Int:
        """The row of the document that represents each: int64[n]."""
        column = comparable(self.clusters["cluster"], "clusters")
        rows = pc.index_in(column, value_set=self.ids)
        if rows.null_count:
            row = pc.index(rows.is_null(), True).as_py()
            raise InputError(
                f"{self.name}: the cluster {column[row].as_py()!r} is no document of this output; run dedup again"
            )
        return np.asarray(rows, np.int64)

    @cached_property
    def stays(self) -> Bool:
        """Whether each document represents its cluster, and thus is kept: bool[n]."""
        return np.equal(self.canonical, np.arange(len(self)))

    @cached_property
    def sizes(self) -> Int:
        """How many documents each represents, itself among them; 0 for those that are removed: int64[n]."""
        return np.bincount(self.canonical, minlength=len(self))

    @cached_property
    def relation(self) -> NDArray[np.int8]:
        """The relation of each to its canonical, a number of `verify.RELATIONS`: int8[n]."""
        codes = pc.index_in(self.clusters["relation"].cast(pa.string()), value_set=pa.array(RELATIONS, pa.string()))
        return np.where(self.stays, NONE, np.asarray(codes.fill_null(0), np.int8)).astype(np.int8)

    def shares(self, name: str) -> Float:
        """Return ``score``, ``jaccard`` or ``containment`` of each; nan for canonicals: float64[n]."""
        return np.asarray(self.clusters[name].cast(pa.float64()).to_numpy(), np.float64)

    @cached_property
    def margin(self) -> Float:
        """By how much each one's score exceeds what it was held against; infinite where words are equal: float64[n]."""
        near, inside = self.settings.threshold, self.settings.containment
        least = np.array([np.nan, -np.inf, near, inside, inside])[self.relation]
        return np.where(self.stays, np.inf, self.shares("score") - least)

    @cached_property
    def least_margin(self) -> Float:
        """The least margin among those that each document represents: float64[n]."""
        least = np.full(len(self), np.inf)
        np.minimum.at(least, self.canonical, self.margin)
        return least

    def largest(self) -> Int:
        """Return the rows of the canonicals of clusters of two and more, the largest first."""
        rows = np.flatnonzero(self.sizes > 1)
        return rows[np.argsort(-self.sizes[rows], kind="stable")]

    def doubtful(self) -> Int:
        """Return the rows of the canonicals of clusters of two and more, the one nearest to its threshold first."""
        rows = np.flatnonzero(self.sizes > 1)
        return rows[np.argsort(self.least_margin[rows], kind="stable")]


def load(out: Any) -> Run:
    """Read the output of a run.

    Parameters
    ----------
    out : Result, str or Path

    Raises
    ------
    InputError
        A file is missing, or cannot be read.
    """
    if isinstance(out, Result):
        name, manifest, rejects, boilerplate = "result", out.manifest, out.rejects, out.boilerplate
        digests = out.digests
    elif isinstance(out, str | os.PathLike):
        folder = Path(out)
        name, manifest = folder.resolve().name, _manifest(folder)
        digests, rejects = _optional(folder, "digests"), _rejects(folder)
        path = folder / "boilerplate.parquet"
        boilerplate = as_table(path, "boilerplate", ("shingle", "margin")) if path.is_file() else None
    else:
        raise InputError(f"a {type(out).__name__} was given for the output; expected a Result or the folder of one")
    clusters = of_run(out, "clusters")
    require(clusters, ("id", "cluster"), "clusters")
    for column in ("relation", "score", "jaccard", "containment"):
        require(clusters.slice(0, 0), (column,), "clusters")
    n = clusters.num_rows
    if manifest.get("against"):
        clusters = _with_earlier(clusters, digests)
    ids = comparable(clusters["id"], "ids")
    return Run(name, manifest, clusters, digests, rejects, _boilerplate(boilerplate), ids, clusters.num_rows - n)


def _with_earlier(clusters: pa.Table, digests: pa.Table) -> pa.Table:
    """Add a row for each earlier document that is named, and stayed."""
    named = [clusters["cluster"], digests["id"], digests["cluster"]]
    chunks = [chunk for column in named for chunk in comparable(column, "clusters").chunks]
    others = pa.chunked_array(chunks, pa.large_string()).unique()
    others = others.filter(pc.invert(pc.is_in(others, value_set=comparable(clusters["id"], "ids"))))
    given = {"id": others, "cluster": others, "canonical": pa.repeat(True, len(others))}
    columns = [
        given[field.name].cast(field.type) if field.name in given else pa.nulls(len(others), field.type)
        for field in clusters.schema
    ]
    return pa.concat_tables([clusters, pa.table(columns, schema=clusters.schema)])


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: there is no such file; expected the output folder of dedup") from None
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); run dedup again") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{path}: holds a {type(manifest).__name__}, expected an object; run dedup again")
    return manifest


def _optional(folder: Path, name: str) -> pa.Table:
    """Read a table that outputs of earlier versions may lack."""
    try:
        path = in_folder(folder, name)
    except InputError:
        return NO_BRIDGES
    table = as_table(path, name, ("id", "cluster"))
    return table if table.num_rows else NO_BRIDGES  # no rows of JSON Lines have no columns


def _rejects(folder: Path) -> pa.Table:
    path = folder / "rejects.jsonl"
    if not path.is_file() or not path.stat().st_size:
        return REJECTS.empty_table()
    pieces = read(find([path]), text="reason", id="row")
    return pa.concat_tables([piece.table for piece in pieces], promote_options="permissive")


def _boilerplate(table: pa.Table | None) -> Hashes:
    if table is None or not table.num_rows:
        return np.empty(0, np.uint64)
    return np.sort(np.asarray(table["shingle"].filter(pc.greater(table["margin"], 0)), np.uint64))


@dataclass(frozen=True, eq=False)
class Listing:
    """The documents that a page lists.

    Attributes
    ----------
    rows : int64[m]
        Which they are: a cluster's canonical, then its members, the most doubtful first; then those without copies.
    of : int64[m]
        Where the canonical of each stands in `rows`.
    """

    rows: Int
    of: Int

    @classmethod
    def choose(cls, run: Run, most: int = DOCUMENTS, members: int = MEMBERS) -> Listing:
        """List clusters, in turn the largest and the most doubtful ones, then documents that have no copies."""
        turn = np.full(len(run), len(run), np.int64)  # of the cluster that a document represents
        both = [row for row in chain.from_iterable(zip_longest(run.largest(), run.doubtful())) if row is not None]
        np.minimum.at(turn, np.array(both, np.int64), np.arange(len(both)))
        turn[run.sizes == 1] = len(both) + 1
        margin = np.where(run.stays, -np.inf, run.margin)
        order = np.lexsort((np.arange(len(run)), margin, run.canonical, turn[run.canonical]))
        canonical = run.canonical[order]
        first = np.flatnonzero(np.append(True, canonical[1:] != canonical[:-1])[: len(order)])
        place = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
        rows = order[place < members][:most]
        where = np.empty(len(run), np.int64)
        where[rows] = np.arange(len(rows))
        return cls(rows, where[run.canonical[rows]])

    def __len__(self) -> int:
        return len(self.rows)


def sizes_of(run: Run) -> list[tuple[str, int, int]]:
    """Count clusters of two and more by their size.

    Returns
    -------
    list of (str, int, int)
        Sizes 2, 3, 4, 5 to 8, 9 to 16 and so on: their name, how many clusters and how many documents they are.
    """
    sizes = run.sizes[run.sizes > 1]
    counted = []
    for low, high in _powers(int(sizes.max(initial=1))):
        inside = sizes[(sizes >= low) & (sizes <= high)]
        counted.append((f"{low:,}" if low == high else f"{low:,}–{high:,}", len(inside), int(inside.sum())))
    return counted


def _powers(largest: int) -> Iterator[tuple[int, int]]:
    for size in (2, 3, 4):
        if size <= largest:
            yield size, size
    low = 4
    while low < largest:
        yield low + 1, 2 * low
        low *= 2
