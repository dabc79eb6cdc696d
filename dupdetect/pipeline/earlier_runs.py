"""Earlier outputs: documents that are decided already, for new ones to be compared with.

Input    folders that `Result.write` wrote, or results in memory, and the keys, ids and words of the new documents
Output   `Related`: those of the earlier canonicals that have something in common with a new document, with their
         sketches; later, the texts of those that are candidates
Cost     a pass over the earlier sketches; of texts none is read but those that are asked for

An output has the rows of its canonicals in ``kept``, and their ids in ``clusters.parquet``. If it was
written with its sketches (``sketches.parquet``), no earlier text is sketched again; else all are, with a warning.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect._storage.context import Context
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.errors import InputError, MismatchError
from dupdetect.io.identifiers import workable
from dupdetect.io.schema import names_shown
from dupdetect.pipeline.related import KeySet, Related, RelatedFinder
from dupdetect.results.damage import damage_named
from dupdetect.results.folder import MANIFEST, SKETCHES
from dupdetect.results.output import Output
from dupdetect.results.result import Result
from dupdetect.results.run import Run
from dupdetect.sketches.build import sketch_rows, texts_of
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.sketches.files import SketchFile
from dupdetect.sketches.table import checksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import Storage
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Sketches

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]

EXPECTED = "expected the output of an earlier run, a Result, or a list of such"

#: What a run may be compared with.
Given: TypeAlias = str | os.PathLike[str] | Result


class Earlier:
    """Earlier outputs.

    Parameters
    ----------
    given : path, Result or iterable of these
        Folders that `Result.write` wrote, or folders of such folders. An output that was made against others goes
        with these. A `Result` is written to a temporary folder.
    settings : Settings
        Of the new run; sketches must have been made with the same.
    text : str
        The column of texts, of outputs that do not say which it is.
    workers : int
    replaces : path, optional
        The output that the new run is to replace: neither it nor what was made against it is one of the earlier ones.

    Attributes
    ----------
    folders : list of Path
    temporary : set of Path
        Those of them that are of results in memory.
    id_type : pyarrow.DataType
    documents : int
        How many documents they keep.

    Raises
    ------
    InputError
        A folder is no output, or damaged, or its tables are not Parquet.
    MismatchError
        Its sketches were made with other settings, or its words by another tokenizer.
    """

    def __init__(
        self,
        given: Given | Iterable[Given],
        settings: Settings,
        *,
        text: str = "text",
        workers: int = 1,
        replaces: str | os.PathLike[str] | None = None,
    ) -> None:
        self._settings, self._workers = settings, workers
        self._stack = ExitStack()
        self._work: Path | None = None
        self.temporary: set[Path] = set()
        with self._stack:  # where an output cannot be used, nothing is left of the others
            several = [given] if isinstance(given, str | os.PathLike | Result) else given
            if not isinstance(several, Iterable):
                raise InputError(f"against is {given!r}; {EXPECTED}")
            self.folders = find_outputs([self._written(each) for each in several], replaces)
            self._outputs = [Output(folder, text) for folder in self.folders]
            self._sketches = [self._opened(output) for output in self._outputs]  # None until they are made
            self.id_type = pa.null()
            for output in self._outputs:
                self.id_type = common_type(
                    self.id_type, output.id_type, f"ids of {self.folders[0]} and {output.folder}"
                )
            self._superseded = self._ids([output.run.superseded for output in self._outputs])
            self.documents = sum(output.documents for output in self._outputs) - len(self._superseded.unique())
            self._stack = self._stack.pop_all()

    @property
    def files(self) -> list[str]:
        """The files that decide what is found."""
        names = (MANIFEST, "clusters.parquet", SKETCHES)
        return [
            str(path) for output in self._outputs for path in (*(output.folder / name for name in names), *output.kept)
        ]

    @property
    def plans(self) -> dict[Path, str | None]:
        """The folders that were given, and the checksum of the plan that each was made by."""
        given = (output for output in self._outputs if output.folder not in self.temporary)
        return {output.folder: output.run.plan for output in given}

    @property
    def bytes(self) -> int:
        """How many bytes their sketches have, or about."""
        paths = ((output.folder / SKETCHES, output) for output in self._outputs)
        return sum(sketches.stat().st_size if sketches.is_file() else output.bytes for sketches, output in paths)

    def _written(self, given: Given) -> str | os.PathLike[str]:
        """Return the folder that is given, or that of a result, written for this run."""
        if isinstance(given, str | os.PathLike):
            if not os.fspath(given):  # as of a variable that is not set: it would be the current folder
                raise InputError(f"against has an empty name; {EXPECTED}")
            return given
        if not isinstance(given, Result):
            raise InputError(f"against holds a {type(given).__name__}; {EXPECTED}")
        folder = self._made() / f"result-{len(self.temporary)}"
        given.write(folder)
        self.temporary.add(folder)
        return folder

    def _made(self) -> Path:
        """Return a folder of our own."""
        if self._work is None:
            self._work = self._stack.enter_context(temporary_folder("dupdetect", Path(tempfile.gettempdir())))
        return self._work

    def _opened(self, output: Output) -> SketchFile | None:
        """Open the sketches of an output, if it has any."""
        # Not by the run's settings: a manifest that has changed is told when a run that resumes compares its plans.
        said = output.run.manifest.get("settings")
        made, wanted = said.get("words") if isinstance(said, dict) else None, self._settings.as_dict()["words"]
        if made != wanted or output.run.read_as.listed != self._settings.listed:
            raise MismatchError(
                f"{output.where}: the words of this output were made by {_maker(made, output.run.read_as.listed)}, and "
                f"here they are by {_maker(wanted, self._settings.listed)}; give the same as words, or other outputs"
            )
        path = output.folder / SKETCHES
        if not path.is_file():
            return None
        file = self._stack.enter_context(SketchFile(path, self._settings))
        if len(file) != output.documents:
            raise _not_of(path, f"they are of {len(file):,} documents, and {output.documents:,} were kept")
        return file

    @cached_property
    def boilerplate(self) -> tuple[Hashes, NDArray[np.int32]]:
        """What the outputs say is boilerplate: shingles (uint64[n], sorted, distinct) and their margins (int32[n])."""
        tables = [output.run.boilerplate for output in self._outputs]
        empty = pa.table({"shingle": pa.array([], pa.uint64()), "margin": pa.array([], pa.int32())})
        found = pa.concat_tables([empty, *(table for table in tables if table is not None)])
        found = found.group_by("shingle").aggregate([("margin", "sum")]).sort_by("shingle")
        return found["shingle"].to_numpy(), found["margin_sum"].to_numpy().astype(np.int32)

    def related(
        self, keys: KeySet, ids: pa.ChunkedArray, storage: Storage, told: Callable[[int], None] = lambda _: None
    ) -> Related:
        """Find the documents that have one of the keys, or one of the ids.

        Parameters
        ----------
        keys : KeySet
            Band keys and fingerprints of the new documents.
        ids : pyarrow.ChunkedArray
            Of the new documents.
        storage : Storage
            Where what is known of them stands.
        told : callable
            Told how many documents have been looked at.
        """
        found = RelatedFinder(keys, self._settings.hot_key_documents, storage)
        new_type = ids.type if len(ids) else pa.null()
        type_ = common_type(self.id_type, new_type, "ids of earlier and of new documents")
        type_ = pa.string() if pa.types.is_null(type_) else type_
        digests = self._ids([output.run.digests for output in self._outputs])
        ids, digests, superseded = (as_type(each, type_) for each in (ids, digests, self._superseded))
        seen = 0
        for number, output in enumerate(self._outputs):
            first, canonicals = 0, output.ids()
            for claimed, sketches in self._parts(number):
                own = canonicals.next(len(sketches))
                if claimed.type != own.type or checksum(pa.chunked_array([claimed])) != checksum(own):  # NaN is an id
                    raise _not_of(output.folder / SKETCHES, "their ids are not those of the documents kept there")
                own = own.cast(type_)
                valid = ~_is_in(own, superseded)
                found.add(own, sketches, (number, first), valid, _is_in(own, ids) & valid, _is_in(own, digests))
                first += len(sketches)
                told(seen + first)
            seen += first
        return found.related(type_)

    def texts(self, related: Related, chosen: Int) -> Iterator[pa.LargeStringArray]:
        """Read the texts of the chosen ones of related documents (int64[n], ascending), cleaned, in parts."""
        for number, output in enumerate(self._outputs):
            of_output = related.row[chosen[related.output[chosen] == number]]
            for table in output.rows(of_output, [output.text], self._workers):
                with damage_named(output.where):
                    texts = texts_of(table, output.text, self._settings)
                yield clean_texts(texts, self._settings.words, workers=self._workers)

    def rows(self, related: Related, chosen: Int, columns: Sequence[str] | None) -> pa.Table:
        """Read rows of the chosen ones of related documents (int64[n], ascending): these columns, or all.

        Raises
        ------
        InputError
            An output has no such column, or other types than the others.
        """
        tables: list[pa.Table] = []
        for number, output in enumerate(self._outputs):
            lacking = [name for name in columns or () if not output.has(name)]
            if lacking:
                raise InputError(
                    f"{output.where}: there is no column {lacking[0]!r}, by which documents are compared or "
                    f"canonicals chosen; the columns are {names_shown(output.columns)}"
                )
            tables += output.rows(related.row[chosen[related.output[chosen] == number]], columns, self._workers)
        try:
            return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})
        except pa.ArrowException as error:
            folders = ", ".join(map(str, self.folders))
            raise InputError(f"{folders}: the columns of these outputs differ in their types ({error})") from error

    def close(self) -> None:
        """Close the files, and remove those that were made."""
        self._stack.close()

    def __enter__(self) -> Earlier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ids(self, tables: list[pa.Table]) -> pa.ChunkedArray:
        """Return the ids in a table of all outputs."""
        found = [workable(table["id"]).cast(self.id_type) for table in tables if table.num_rows]
        return pa.chunked_array([chunk for ids in found for chunk in ids.chunks], self.id_type)

    def _parts(self, number: int) -> Iterator[tuple[pa.Array, Sketches]]:
        """Yield the ids and sketches of an output, sketching its texts if nobody has."""
        file = self._sketches[number]
        if file is None:
            file = self._sketches[number] = self._sketched(number)
        yield from file.parts(signatures=False)

    def _sketched(self, number: int) -> SketchFile:
        """Sketch the texts of an output into a file of our own."""
        output = self._outputs[number]
        if output.folder not in self.temporary:
            warnings.warn(
                f"{output.folder}: there is no {SKETCHES}, so {output.documents:,} texts are sketched again; "
                "`dedup --sketches` writes one",
                stacklevel=2,
            )
        path = self._made() / f"{number}.parquet"
        tables, ids = output.texts(), output.ids().next(output.documents)
        sketch_rows(tables, ids, output.text, Context(self._settings, self._workers), path)
        return self._stack.enter_context(SketchFile(path, self._settings))


# ---- folders and ids ----


def find_outputs(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], replaces: str | os.PathLike[str] | None = None
) -> list[Path]:
    """Return the outputs that are named, or stand in folders that are named: in order of their names there, each once.

    A folder that holds nothing yet has no outputs, which is said in a warning; so has the folder, not made yet, in
    which the output to be written will stand. Hidden folders are looked past: they hold work that is not finished.

    Parameters
    ----------
    paths : path or iterable of paths
    replaces : path, optional
        The output that will be written: it is left out, and so is all that was made against it, which came after it.

    Raises
    ------
    InputError
        A folder is none, or holds files but no output.
    """
    target = None if replaces is None else Path(replaces).resolve()
    given = [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]
    found: dict[Path, Path] = {}
    for path in given:
        if (path / MANIFEST).is_file():
            inside = [path]
        elif path.is_dir():
            inside = sorted(each.parent for each in path.glob(f"[!.]*/{MANIFEST}"))
        elif target is not None and target.parent == path.resolve() and not path.exists():
            inside = []
        else:
            what = "is a file" if path.is_file() else "there is no such folder"
            raise InputError(
                f"{path}: {what}; expected the output of an earlier run (of an index: what `index export` writes)"
            )
        if not inside:
            others = sorted(each for each in path.glob("[!.]*") if each.resolve() != target)
            if others:
                raise InputError(
                    f"{path}: neither it nor a folder in it holds a {MANIFEST}; expected an earlier output"
                )
            warnings.warn(f"{path}: there is no earlier output yet, so there is nothing to compare with", stacklevel=2)
        found |= {each.resolve(): each for each in inside if each.resolve() not in found}
    return list(found.values() if target is None else _before(found, target).values())


def _before(found: dict[Path, Path], target: Path) -> dict[Path, Path]:
    """Leave out the output that is to be replaced, and those that were made against it or against such ones."""
    made_against = {
        place: {_moved(path, folder) for path in Run(folder).outputs_before}
        for place, folder in found.items()
        if place != target
    }
    gone, more = {target}, True
    while more:
        later = {place for place, others in made_against.items() if others & gone} - gone
        more = bool(later)
        gone |= later
    if len(gone) > 1:
        names = ", ".join(str(found[place]) for place in found if place in gone - {target})
        warnings.warn(
            f"{names}: made against {target.name}, which is to be replaced, so nothing is compared with it; run it "
            "again afterwards",
            stacklevel=3,
        )
    return {place: folder for place, folder in found.items() if place not in gone}


def _moved(path: Path, folder: Path) -> Path:
    """Return where an output stands that another names: as it says, or if they were moved together, beside it."""
    return (path if path.exists() else folder.parent / path.name).resolve()


def common_type(first: pa.DataType, second: pa.DataType, names: str) -> pa.DataType:
    """Return a type that ids of two types can have without becoming others.

    Raises
    ------
    InputError
        There is none: one is of strings and one of numbers, or they are of others.
    """
    if first == second or pa.types.is_null(second):
        return first
    if pa.types.is_null(first):
        return second
    if _is_text(first) and _is_text(second):
        return pa.large_string()
    for alike in _ALIKE:
        if alike(first) and alike(second):
            with suppress(pa.ArrowException):  # such as times with a zone and without
                schemas = [pa.schema([("id", type_)]) for type_ in (first, second)]
                return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    raise InputError(
        f"{names} are {first} and {second}, so that they cannot be told apart: cast one column of ids to the type "
        "of the other, or give id_prefix='file' (--id-prefix file) to every run of files, which makes strings of them"
    )


_ALIKE: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_integer,
    pa.types.is_timestamp,
    pa.types.is_time,
    pa.types.is_date,
    pa.types.is_duration,
    pa.types.is_decimal,
    lambda type_: "binary" in str(type_),
)


def as_type(ids: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Return ids as a `common_type`; no ids can be of any."""
    return ids.cast(type_) if len(ids) else pa.chunked_array([], type_)


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _is_in(ids: pa.ChunkedArray, others: pa.Array | pa.ChunkedArray) -> Bool:
    """Mark the ids that are among others."""
    if len(others) == 0 or len(ids) == 0:
        return np.zeros(len(ids), np.bool_)
    return np.asarray(pc.is_in(ids, value_set=others).to_numpy())


def _maker(name: str | None, listed: str | None) -> str:
    return "dupdetect" if name is None else f"{name}, as lists" if listed else name


def _not_of(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path}: these sketches are of other documents ({reason}); remove the file, or write the output anew"
    )
