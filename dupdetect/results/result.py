"""
What `dedup` returns.

Input    the tables of a run
Output   the same, as attributes, as groups of ids, as a folder
Cost     attributes: none; `groups`: a sort of the clusters of two and more; `write`: that of `folder`
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from dupdetect._storage.workspace import Workspace
    from dupdetect.io.rows import Rows


@dataclass(frozen=True)
class Cluster:
    """
    Documents that are one text.

    Attributes
    ----------
    canonical : id
        The document that represents them.
    members : list of ids
        All of them: the canonical first, the others in order of id.
    """

    canonical: Any
    members: list[Any]

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.members)

    def _repr_html_(self) -> str:
        from dupdetect.results.notebook import cluster_html

        return cluster_html(self)


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """
    The copies in a collection.

    Attributes
    ----------
    clusters : pyarrow.Table
        One row a document: ``id``, ``cluster`` (the canonical's id), ``canonical`` (bool),
        ``relation`` to the canonical (string), ``score``, ``jaccard``, ``containment`` (float64, in
        [0, 1]), ``lost`` (int64: words that are neither in the canonical nor boilerplate) and ``lost_share`` (float64:
        what share of the document's content these are); the last six are null for canonicals.
    matches : pyarrow.Table
        One row a verified pair: ``a``, ``b`` (ids), ``relation`` of a to b, ``score``, ``jaccard``,
        ``containment_a`` (share of a inside b), ``containment_b``, ``boilerplate`` (share of the shared text
        that is boilerplate).
    digests : pyarrow.Table
        What documents of several different texts hold, such as round-ups: one row for each such document and each
        canonical in it. ``id`` (the document), ``cluster`` (the canonical's id), ``containment`` (share of the
        canonical inside the document), ``share`` (share of the document that the canonical accounts for).
    rows : Rows
        The input rows that stay, every column, in input order, a part of them at a time; `kept` is all of them.
    rejects : pyarrow.Table
        ``file``, ``row``, ``reason`` for each row that could not be used.
    boilerplate : pyarrow.Table
        What the corpus said is boilerplate: one row a shingle that was voted on, ``shingle`` (uint64, its hash, the
        lowest bits cleared; ordered) and ``margin`` (int32, the weight of the votes for boilerplate less those
        against); boilerplate where it is positive. `audit` judges by it.
    manifest : dict
        Settings and their fingerprint, versions, inputs, counts, timings in seconds, caps reached, memory in bytes.
    workspace : Workspace, optional
        Where the run worked.
    superseded : pyarrow.Table, optional
        Of a run against earlier ones: earlier canonicals that a new document stands for now, by a policy that
        reads a column or is a function. Columns as of `clusters`.
    sketcher : callable, optional
        Writes the sketches of `rows` to a file.
    """

    clusters: pa.Table
    matches: pa.Table
    digests: pa.Table
    rows: Rows
    rejects: pa.Table
    boilerplate: pa.Table
    manifest: dict[str, Any]
    workspace: Workspace | None = None
    superseded: pa.Table | None = None
    sketcher: Callable[[Path], None] | None = None

    def __post_init__(self) -> None:
        if self.workspace is not None:
            weakref.finalize(self, self.workspace.close)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the tables; the files of a run that did not fit in memory stay with this object."""
        return {**{name: value for name, value in vars(self).items() if name != "kept"}, "workspace": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    @cached_property
    def kept(self) -> pa.Table:
        """The input rows that stay, every column, in input order."""
        return self.rows.table()

    def close(self) -> None:
        """Remove the files of a run that did not fit in memory; `rows` and `kept` are then gone, if not yet read."""
        if self.workspace is not None:
            self.workspace.close(remove=True)

    def groups(self) -> list[Cluster]:
        """
        Clusters of two and more.

        Returns
        -------
        list of Cluster
            The largest first; of equally large ones that with the smallest canonical id.
        """
        import pyarrow.compute as pc

        from dupdetect.results.notebook import Clusters

        table = self.clusters.select(["id", "cluster", "canonical"])
        sizes = table.group_by("cluster").aggregate([("id", "count")])
        sizes = sizes.filter(pc.greater(sizes["id_count"], 1))
        place = pc.index_in(table["cluster"], value_set=sizes["cluster"])
        table = table.append_column("size", sizes["id_count"].take(place)).filter(place.is_valid())
        order = [
            ("size", "descending"),
            ("cluster", "ascending"),
            ("canonical", "descending"),
            ("id", "ascending"),
        ]
        table = table.sort_by(order)
        rows = zip(table["cluster"].to_pylist(), table["id"].to_pylist(), strict=True)
        grouped = groupby(rows, itemgetter(0))
        return Clusters(Cluster(canonical, [id for _, id in members]) for canonical, members in grouped)

    def write(self, folder: str | os.PathLike[str], *, format: str = "parquet", overwrite: bool = False) -> None:
        """
        Write all tables and the manifest as a new folder; if that fails, nothing is left behind.

        Parameters
        ----------
        folder : path
            Must not exist, or be empty.
        format : {"parquet", "jsonl", "csv"}
            Of the tables; rejects are always JSON Lines, boilerplate always Parquet.
        overwrite : bool
            Replace a folder that was written by this method.

        Raises
        ------
        OutputError
            The folder exists, is not permitted, or the disk is full.
        """
        from dupdetect.results.folder import write_folder

        tables = {
            "clusters": self.clusters,
            "matches": self.matches,
            "digests": self.digests,
            "kept": self.rows,
            "rejects": self.rejects,
            "boilerplate": self.boilerplate,
        }
        if "against" in self.manifest:
            tables["superseded"] = self.superseded
        files = {} if self.sketcher is None else {"sketches.parquet": self.sketcher}
        write_folder(folder, tables, self.manifest, files, format=format, overwrite=overwrite)

    def _repr_html_(self) -> str:
        from dupdetect.results.notebook import result_html

        return result_html(self)

    def __repr__(self) -> str:
        documents, kept = self.clusters.num_rows, self.rows.num_rows
        return (
            f"Result({documents} documents: {kept} kept, {documents - kept} duplicates; "
            f"{self.matches.num_rows} matches, {self.rejects.num_rows} rejects)"
        )
