"""A run, read back: from the `Result` it returned, or from the folder it wrote.

Input    a `Result`, or an output folder in any of its formats
Output   `Run`: the run's settings, its tables, and where each of its documents stands
Cost     a table is read when it is first asked for; where documents stand costs O(n); no text is looked at

This is the only reader of outputs: `audit`, `evaluate`, `explain`, `report` and runs against earlier ones use it, and
so agree on what is missing, damaged or of an earlier version.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import DupdetectError, InputError
from dupdetect.io.checks import REJECTS
from dupdetect.io.documents import stream
from dupdetect.io.paths import AS_NAMED, ReadAs, holding
from dupdetect.io.seen import NUMBERED
from dupdetect.io.streams import LARGEST_TEXT
from dupdetect.io.tables import as_table, comparable, require, with_empty
from dupdetect.matching.overlaps import NONE, RELATIONS
from dupdetect.results.belonging import as_they_were, of_folder
from dupdetect.results.damage import check_relations, read_manifest
from dupdetect.results.folder import MANIFEST
from dupdetect.results.result import KEPT, Result
from dupdetect.settings import POLICIES, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Where an output folder may keep a table.
SUFFIXES = (".parquet", ".jsonl", ".csv")

_CLUSTERS: dict[str, pa.DataType | None] = {
    **dict.fromkeys(("id", "cluster")),
    "canonical": pa.bool_(),
    "relation": pa.string(),
    **dict.fromkeys(("score", "jaccard", "containment"), pa.float64()),
    "lost": pa.int64(),
    "lost_share": pa.float64(),
}

#: The columns of each table; None: ids, of whatever type they are.
COLUMNS: dict[str, dict[str, pa.DataType | None]] = {
    "clusters": _CLUSTERS,
    "superseded": _CLUSTERS,
    "matches": {
        **dict.fromkeys(("a", "b")),
        "relation": pa.string(),
        **dict.fromkeys(("score", "jaccard", "containment_a", "containment_b", "boilerplate"), pa.float64()),
    },
    "digests": {**dict.fromkeys(("id", "cluster")), **dict.fromkeys(("containment", "share"), pa.float64())},
    "boilerplate": {"shingle": pa.uint64(), "margin": pa.int32()},
    "rejects": {field.name: field.type for field in REJECTS},
}


class Run:
    """What a run found among n documents.

    Parameters
    ----------
    out : Result, str or Path
        What `dedup` returned, or the folder that it wrote.

    Attributes
    ----------
    out : Result or Path
    name : str
        What to call it.
    manifest : dict

    Raises
    ------
    InputError
        It is neither, or the folder has no manifest. A table that is missing, damaged or lacks a column raises it
        when it is first asked for.
    """

    def __init__(self, out: Any) -> None:
        self.out: Result | Path
        if isinstance(out, Result):
            self.out, self.name, self.manifest = out, "result", out.manifest
        elif isinstance(out, str | os.PathLike):
            if not os.fspath(out):  # as of a variable that is not set: it would be the current folder
                raise InputError("an empty name was given for the output; expected a Result or the folder of one")
            self.out = Path(out)
            self.name, self.manifest = self.out.resolve().name, read_manifest(self.out)
        else:
            raise InputError(f"a {type(out).__name__} was given for the output; expected a Result or the folder of one")

    # ---- what the manifest says ----

    @property
    def where(self) -> str:
        """What messages call the manifest."""
        return "the result" if isinstance(self.out, Result) else str(self.out / MANIFEST)

    @cached_property
    def settings(self) -> Settings:
        """The settings of the run.

        One that the run's version did not have is what it did without: no boilerplate. A callable that chose the
        canonicals is not known any more, nor needed.
        """
        values = {"boilerplate": False, **self._section("settings")}
        if len(values) == 1:
            raise InputError(f"{self.where}: the manifest has no settings; expected that of a run: run dedup again")
        if values.get("canonical") not in POLICIES:
            values.pop("canonical", None)
        try:
            return Settings().replace(**values)
        except DupdetectError as error:
            raise InputError(f"{self.where}: the settings are not of this version ({error}); run dedup again") from None

    @property
    def text_column(self) -> str | None:
        """The column of texts in the input and in what was kept, if the manifest names it."""
        return self._named("text")

    @property
    def id_column(self) -> str | None:
        """The column of ids, None where rows were numbered; "none" where they were though there was a column."""
        return self._named("id")

    @property
    def id_prefix(self) -> str | None:
        """What went before ids: "file", or nothing."""
        return self._named("id_prefix")

    @property
    def plan(self) -> str | None:
        """A checksum of all that decides what the run found."""
        plan = self.manifest.get("plan")
        return plan if isinstance(plan, str) else None

    @property
    def files(self) -> dict[str, Any]:
        """The files of the folder beside the manifest, and their checksums."""
        return self._section("files")

    @property
    def read_as(self) -> ReadAs:
        """How the files of the input were read."""
        said = self._section("read_as")
        return ReadAs(*(said.get(name) for name in ReadAs._fields))

    @cached_property
    def inputs(self) -> list[Path]:
        """The files of the input, if all of them are still there and as the run read them; else none.

        A stranger's output may name any file: only the checksum tells that it was read.
        """
        names, sums = (self._list(self.manifest, name) for name in ("inputs", "input_checksums"))
        return [Path(str(name)) for name in names] if as_they_were(names, sums) else []

    @property
    def outputs_before(self) -> list[Path]:
        """The earlier outputs that the run was compared with."""
        return [Path(str(name)) for name in self._list(self._section("against"), "outputs")]

    @cached_property
    def runs_before(self) -> list[Run]:
        """Those of the earlier outputs that are still there, made by the plan that they had then."""
        plans = self._list(self._section("against"), "plans")
        found = []
        for folder, plan in zip(self.outputs_before, plans, strict=False):
            with suppress(InputError):
                if isinstance(plan, str) and (run := Run(folder)).plan == plan:
                    found.append(run)
        return found

    def _named(self, column: str) -> str | None:
        name = self._section("columns").get(column)
        return name if isinstance(name, str) else None

    def _section(self, name: str) -> dict[str, Any]:
        values = self.manifest.get(name)
        if not isinstance(values, dict | None):
            raise InputError(f"{self.where}: {name!r} is no object, the file is damaged; run dedup again")
        return values or {}

    def _list(self, values: dict[str, Any], name: str) -> list[Any]:
        found = values.get(name)
        if not isinstance(found, list | None):
            raise InputError(f"{self.where}: {name!r} is no list, the file is damaged; run dedup again")
        return found or []

    # ---- its tables ----

    def table(self, name: str) -> pa.Table:
        """Return one of the tables of `COLUMNS`, its columns as they are listed there."""
        if isinstance(self.out, Result):
            return _conformed(getattr(self.out, name), name, f"the {name}")
        path = find_table(self.out, name)
        if path.suffix == ".jsonl" and not path.stat().st_size:  # no rows of JSON Lines have no columns
            return _none(name)
        return _conformed(as_table(path, name, list(COLUMNS[name]), empty=True), name, str(path))

    @cached_property
    def clusters(self) -> pa.Table:
        """The table `clusters`, and below it a row for each earlier document that the run names and that stayed."""
        return self._with_earlier(self.own) if self._section("against") else self.own

    @cached_property
    def own(self) -> pa.Table:
        """The table `clusters` as it was written: a row for each document of the run itself."""
        return self.table("clusters")

    @property
    def new(self) -> int:
        """How many documents the run itself had: the first ones of `clusters`."""
        return self.own.num_rows  # type: ignore[no-any-return]

    @cached_property
    def matches(self) -> pa.Table:
        """The table `matches`."""
        return self.table("matches")

    @cached_property
    def digests(self) -> pa.Table:
        """The table `digests`; empty if the folder has none."""
        return self._optional("digests")

    @cached_property
    def superseded(self) -> pa.Table:
        """The table `superseded`; empty if the run has none."""
        return self._optional("superseded")

    @cached_property
    def rejects(self) -> pa.Table:
        """The table `rejects`; empty if the folder has none."""
        return self._optional("rejects")

    def kept(self, text: str = "text") -> Iterator[tuple[pa.ChunkedArray, pa.ChunkedArray, pa.Table]]:
        """Yield the documents that the run kept, some at a time: their ids as text, their texts, and their rows.

        Parameters
        ----------
        text : str
            The column of texts, where the manifest does not name it.

        Raises
        ------
        InputError
            The rows cannot be read, or there is no such column.
        """
        ids, first = comparable(self.own["id"].filter(self.own["canonical"]), "ids"), 0
        for texts, table in self._kept(self.text_column or text):
            yield ids.slice(first, len(table)), texts, table
            first += len(table)

    def _kept(self, text: str) -> Iterator[tuple[pa.ChunkedArray, pa.Table]]:
        if isinstance(self.out, Result):
            if text in self.out.rows.column_names:
                yield from ((table[text], table) for table in self.out.rows)
            return
        paths = self.kept_files
        if paths:
            reader = stream(paths, text=text, id=NUMBERED, max_text=LARGEST_TEXT, how=self.kept_as)
            yield from ((part.texts, with_empty(part.table, self.id_column)) for part in reader)

    @property
    def kept_as(self) -> ReadAs:
        """How the files of what was kept are to be read."""
        return self.read_as if self._section(KEPT).get("copied") else AS_NAMED._replace(listed=self.read_as.listed)

    @property
    def kept_files(self) -> list[Path]:
        """The files of what was kept, in the order of the documents; without those that hold none.

        Raises
        ------
        InputError
            Nothing was written, or a file is missing.
        """
        assert isinstance(self.out, Path)  # a result has rows
        if KEPT not in self.manifest:
            paths = [find_table(self.out, KEPT)]
        else:
            names = [str(name) for name in self._list(self._section(KEPT), "files")]
            paths = [of_folder(self.out, self.out / name.lstrip("/"), self.files) for name in names]
        lost = next((path for path in paths if not os.path.isfile(path)), None)  # noqa: PTH113 - takes any name
        if lost is not None or (not paths and self._section("counts").get("kept")):
            raise InputError(
                f"{lost or self.out}: the rows that were kept are not in this folder; write the output anew, with them"
            )
        return holding(paths, self.kept_as)

    def _optional(self, name: str) -> pa.Table:
        if isinstance(self.out, Result):
            there = getattr(self.out, name) is not None
        else:
            there = any((self.out / (name + suffix)).is_file() for suffix in SUFFIXES)
        return self.table(name) if there else _none(name)

    @cached_property
    def boilerplate(self) -> pa.Table | None:
        """The table `boilerplate`; None if the folder has none."""
        if isinstance(self.out, Path) and not (self.out / "boilerplate.parquet").is_file():
            return None
        return self.table("boilerplate")

    @cached_property
    def boilerplate_shingles(self) -> NDArray[np.uint64]:
        """The shingles that are boilerplate, ordered: uint64[t]; none, if that is not known."""
        if self.boilerplate is None:
            return np.empty(0, np.uint64)
        return np.sort(self.boilerplate["shingle"].filter(pc.greater(self.boilerplate["margin"], 0)).to_numpy())

    def _with_earlier(self, clusters: pa.Table) -> pa.Table:
        pairs = [table[name] for table in (self.digests, self.matches) for name in table.column_names[:2]]
        named = [clusters["cluster"], *pairs]
        chunks = [chunk for column in named for chunk in comparable(column, "clusters").chunks]
        others = pa.chunked_array(chunks, pa.large_string()).unique()
        others = others.filter(pc.invert(pc.is_in(others, value_set=comparable(clusters["id"], "ids"))))
        given = {"id": others, "cluster": others, "canonical": pa.repeat(True, len(others))}
        columns = [
            given[field.name].cast(field.type) if field.name in given else pa.nulls(len(others), field.type)
            for field in clusters.schema
        ]
        return pa.concat_tables([clusters, pa.table(columns, schema=clusters.schema)])

    # ---- where each document stands ----

    def __len__(self) -> int:
        return self.clusters.num_rows  # type: ignore[no-any-return]

    @cached_property
    def ids(self) -> pa.ChunkedArray:
        """The id of each document, as large_string."""
        return comparable(self.clusters["id"], "ids of the clusters")

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
        """The relation of each to its canonical, a number of `RELATIONS`: int8[n]."""
        codes = pc.index_in(self.clusters["relation"], value_set=pa.array(RELATIONS, pa.string()))
        return np.where(self.stays, NONE, np.asarray(codes.fill_null(0), np.int8)).astype(np.int8)

    def shares(self, name: str) -> Float:
        """Return one of the columns of numbers, such as ``score``; nan for canonicals: float64[n]."""
        return np.asarray(self.clusters[name].to_numpy(), np.float64)

    @cached_property
    def margin(self) -> Float:
        """By how much each one's score exceeds its threshold; infinite where words are equal: float64[n]."""
        near, inside = self.settings.threshold, self.settings.containment
        least = np.array([np.nan, -np.inf, near, inside, inside, near])[self.relation]
        return np.where(self.stays, np.inf, self.shares("score") - least)

    @cached_property
    def least_margin(self) -> Float:
        """The least margin among those that each document represents: float64[n]."""
        least = np.full(len(self), np.inf)
        np.fmin.at(least, self.canonical, self.margin)
        return least

    def largest(self) -> Int:
        """Return the rows of the canonicals of clusters of two and more, the largest first."""
        rows = np.flatnonzero(self.sizes > 1)
        return rows[np.argsort(-self.sizes[rows], kind="stable")]

    def doubtful(self) -> Int:
        """Return the rows of the canonicals of clusters of two and more, the one nearest to its threshold first."""
        rows = np.flatnonzero(self.sizes > 1)
        return rows[np.argsort(self.least_margin[rows], kind="stable")]


def _none(name: str) -> pa.Table:
    return pa.table({column: pa.array([], type_ or pa.string()) for column, type_ in COLUMNS[name].items()})


def _conformed(table: pa.Table, name: str, where: str) -> pa.Table:
    """Give the columns of a table the types that they have by contract."""
    lacking = [column for column in COLUMNS[name] if column not in table.column_names]
    if lacking:
        listed = ", ".join(map(repr, table.column_names)) or "none"
        raise InputError(f"{where}: there is no column {lacking[0]!r}; the columns are {listed}: run dedup again")
    columns = {}
    for column, type_ in COLUMNS[name].items():
        try:
            columns[column] = table[column] if type_ is None else _without_empty(table[column]).cast(type_)
        except pa.ArrowException as error:  # noqa: PERF203
            raise InputError(
                f"{where}: column {column!r} is {table[column].type}, expected {type_} ({error}); run dedup again"
            ) from None
    found = pa.table(columns)
    if "relation" in columns:
        check_relations(found, where)
    require(found, [column for column, type_ in COLUMNS[name].items() if type_ is None], name)
    return found


def _without_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Make empty strings null: CSV has no nulls."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.if_else(pc.equal(column, ""), None, column)


def find_table(folder: Path, name: str) -> Path:
    """Return the file of a table in an output folder.

    Raises
    ------
    InputError
        There is none.
    """
    for suffix in SUFFIXES:
        path = folder / (name + suffix)
        if path.is_file():
            return path if not path.is_symlink() else of_folder(folder, path, read_manifest(folder).get("files") or {})
    why = f"there is no {name}.parquet, .jsonl or .csv in this folder, expected the output folder of dedup"
    if (folder / f"{name}.parquet").is_dir():
        why = "Spark wrote it, as folders of parts; write it anew with result.to_result().write(...)"
    raise InputError(f"{folder}: {why}")


def clusters_of(source: Any) -> pa.Table:
    """Return clusters (columns ``id`` and ``cluster``) of a `Result`, an output folder, a table, a mapping or a file.

    Raises
    ------
    InputError
        They cannot be read, a column is missing, or a row has no value in it.
    """
    if isinstance(source, Result):
        return source.clusters
    if isinstance(source, str | os.PathLike) and Path(source).is_dir():
        source = find_table(Path(source), "clusters")
    table = as_table(source, "clusters", ("id", "cluster"))
    require(table, ("id", "cluster"), "clusters")
    return table
