"""
What `dedup` returns.

Input    the tables of a run
Output   the same, as attributes, as groups of ids, as a folder
Cost     attributes: none; `groups`: a sort of the clusters of two and more; `write`: that of `folder`
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dupdetect.errors import DupdetectError, InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from dupdetect._storage.workspace import Workspace
    from dupdetect.io.identifiers import Written
    from dupdetect.io.originals import Originals
    from dupdetect.io.rows import Rows
    from dupdetect.results.annotated import Annotated


#: Tables of ids.
IDENTIFIED = ("clusters", "matches", "digests", "superseded")

#: The table of rows that stay, and their files in an output folder.
KEPT = "kept"


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
        what share of the document's content these are); the last six are null for canonicals. ``file`` (null for data
        in memory) and ``row``: where it was read.
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
    documents : Rows, optional
        The rows of all documents, in the order of `clusters`, of which `rows` are some.
    originals : Originals, optional
        `rows` as they stand in the files of the input, from which `write` copies them.
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
    documents: Rows | None = None
    originals: Originals | None = None

    def __post_init__(self) -> None:
        if self.workspace is not None:
            weakref.finalize(self, self.workspace.close)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the tables; the files of a run that did not fit in memory stay with this object."""
        state = {**{field.name: getattr(self, field.name) for field in fields(self)}, "workspace": None}
        if self.originals is not None and any(file.piped for file in self.originals.found):
            state["originals"] = None  # what came through a pipe stays here, too
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    @cached_property
    def kept(self) -> pa.Table:
        """The input rows that stay, every column, in input order."""
        return self.kept_rows().table()

    @cached_property
    def removed(self) -> pa.Table:
        """The input rows that do not stay, every column, in input order."""
        import numpy as np

        return self._given(self._documents).take(~np.asarray(self.clusters["canonical"].to_numpy(), np.bool_)).table()

    @cached_property
    def annotated(self) -> pa.Table:
        """Every input row, with what was found of it, in input order.

        Columns ``cluster``, ``canonical``, ``relation`` and ``score`` as in `clusters`, and ``copies``, how many other
        documents the cluster has; ``id``, ``file`` and ``row`` too, where the input has no ids; ``sources``, how many
        values the cluster has of the column that `Settings.between` or `prefer` names. Where the input has a column of
        such a name, that stays, and "dupdetect_" goes before ours.
        """
        return self.annotated_rows().table()

    def to_dataset(self) -> Any:
        """Return `kept` as a `datasets.Dataset`, which then need not be in memory twice.

        Of a `DatasetDict` it is one again, of the splits that were given: what stays of each.

        Raises
        ------
        DupdetectError
            `datasets` is not installed.
        """
        try:
            from datasets import Dataset, DatasetDict
            from datasets.table import InMemoryTable
        except ImportError:
            raise DupdetectError("datasets is not installed: python -m pip install datasets") from None
        import pyarrow.compute as pc

        if "splits" not in self.manifest:
            return Dataset(InMemoryTable(self.kept))
        split = self.clusters["file"].filter(self.clusters["canonical"])
        tables = {name: self.kept.filter(pc.equal(split, name)) for name in self.manifest["splits"]}
        return DatasetDict({name: Dataset(InMemoryTable(table)) for name, table in tables.items()})

    def kept_rows(self, columns: Sequence[str] | None = None) -> Rows:
        """Return the rows that stay, some at a time: these columns, or all."""
        return self._given(self.rows) if columns is None else self.rows.select(columns)

    def annotated_rows(self, columns: Sequence[str] | None = None) -> Annotated:
        """Return what `annotated` is, some rows at a time: these columns of the input, or all, and what is added."""
        from dupdetect.results.annotated import Annotated

        named = self.manifest["columns"]
        own = named["id"] in self._documents.column_names and "id_prefix" not in named
        settings = self.manifest["settings"]
        preferred = next(iter(settings.get("prefer") or ()), None)
        source = settings.get("between") or preferred
        return Annotated(self._given(self._documents), self.clusters, columns, numbered=not own, source=source)

    def _given(self, rows: Rows) -> Rows:
        """Return rows without a column of texts that the input did not have: one made of others."""
        from dupdetect.io.text_column import is_made

        name = self.manifest.get("columns", {}).get("text")
        if name is None or not is_made(name, rows.schema):
            return rows
        return rows.select([column for column in rows.column_names if column != name])

    def as_written(self, rows: Rows | Annotated, format: str) -> Rows | Annotated | Written:
        """Return rows of documents as a format is to have them: ids in JSON Lines and CSV as the tables have them."""
        from dupdetect.io.identifiers import Written

        if format == "parquet":
            return rows
        named = self.manifest.get("columns", {})
        ids = {named.get("id"), *getattr(rows, "ids", ())}
        return Written(rows, [name for name in rows.schema.names if name in ids], named.get("text"))

    @property
    def _documents(self) -> Rows:
        if self.documents is None:
            raise InputError("this result has no rows of all documents; expected what dedup returned")
        return self.documents

    def close(self) -> None:
        """Remove the files of a run that did not fit in memory; rows that were not yet read are then gone."""
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

        from dupdetect.io.identifiers import as_type, workable_columns
        from dupdetect.results.notebook import Clusters

        table = workable_columns(self.clusters.select(["id", "cluster", "canonical"]), "id", "cluster")
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
        named = (as_type(table[name], self.clusters.schema.field(name).type) for name in ("cluster", "id"))
        rows = zip(*(column.to_pylist() for column in named), strict=True)
        grouped = groupby(rows, itemgetter(0))
        return Clusters(Cluster(canonical, [id for _, id in members]) for canonical, members in grouped)

    def write(
        self,
        folder: str | os.PathLike[str],
        *,
        format: str = "parquet",
        kept: str | None = None,
        overwrite: bool = False,
        annotated: bool = False,
        columns: Sequence[str] | None = None,
    ) -> None:
        """
        Write all tables and the manifest as a new folder; if that fails, nothing is left behind.

        Parameters
        ----------
        folder : path
            Must not exist, or be empty.
        format : {"parquet", "jsonl", "csv"}
            Of the tables; rejects are always JSON Lines, boilerplate always Parquet.
        kept : {"parquet", "jsonl", "csv", "none"}, optional
            Of the rows that stay. By default those of files are copied from there as they came: in the format and
            compression of the files, records of JSON Lines and CSV byte for byte, rows of Parquet and Arrow with their
            own types and metadata; of one file as ``kept`` with its ending, of several or a folder as a folder ``kept``
            that mirrors it. Those of data in memory are written in `format`. "none": they are not written.
        overwrite : bool
            Replace a folder that was written by this method.
        annotated : bool
            Write the table `annotated`, too.
        columns : sequence of str, optional
            Of the input: those that `kept` and `annotated` have; `kept` is then not copied, but written in `format`.
            By default all.

        Raises
        ------
        OutputError
            The folder exists, is not permitted, or the disk is full.
        InputError
            A file of the input has changed since it was read, so that its rows cannot be copied.
        """
        from dupdetect.io.identifiers import written
        from dupdetect.results.folder import SKETCHES, check_kept, write_folder

        check_kept(kept)
        tables: dict[str, Any] = {
            "clusters": self.clusters,
            "matches": self.matches,
            "digests": self.digests,
            "kept": self.kept_rows(columns),
            "rejects": self.rejects,
            "boilerplate": self.boilerplate,
        }
        copied = self.originals if kept is None and columns is None else None
        if copied is not None or kept == "none":
            del tables["kept"]
        if "against" in self.manifest:
            tables["superseded"] = self.superseded
        if annotated:
            tables["annotated"] = self.annotated_rows(columns)
        files = {} if self.sketcher is None else {SKETCHES: self.sketcher}
        within = nullcontext if self.workspace is None else self.workspace.checked
        if copied is not None:
            files[KEPT] = lambda path: copied.write(path.parent, self.rows)
        names = [] if kept == "none" else [f"{KEPT}.{kept or format}"] if copied is None else copied.files
        if format != "parquet":
            tables |= {name: written(tables[name]) for name in IDENTIFIED if tables.get(name) is not None}
        for name, form in (("kept", kept or format), ("annotated", format)):
            if name in tables:
                tables[name] = self.as_written(tables[name], form)
        how = {"copied": copied is not None, "format": kept, "columns": None if columns is None else list(columns)}
        said = {**self.manifest, KEPT: {"files": names, **how}}
        formats = {} if kept is None else {KEPT: kept}
        write_folder(folder, tables, said, files, format=format, formats=formats, overwrite=overwrite, within=within)

    def _repr_html_(self) -> str:
        from dupdetect.results.notebook import result_html

        return result_html(self)

    def __repr__(self) -> str:
        documents, kept = self.clusters.num_rows, self.rows.num_rows
        return (
            f"Result({documents} documents: {kept} kept, {documents - kept} duplicates; "
            f"{self.matches.num_rows} matches, {self.rejects.num_rows} rejects)"
        )
