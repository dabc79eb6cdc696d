"""Where `dupdetect dedup` writes to: a folder, one file, or standard output.

Input    the options that say so
Output   `Writing`, which refuses what cannot be before the work is done, and writes when it is
Cost     that of the tables
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dupdetect.errors import OutputError

if TYPE_CHECKING:
    from dupdetect.io.paths import Found, ReadAs
    from dupdetect.results.result import Result
    from dupdetect.results.single import Target

#: Options that say what a folder holds, and mean nothing of one file.
OF_FOLDERS = {"kept": "--kept", "sketches": "--sketches"}


def input_files(paths: list[Path], options: dict[str, Any]) -> list[Found]:
    """Return the files of an input, before it is read; what is passed over the run itself will say."""
    from dupdetect.io.paths import find

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return find(paths, read_as(options))


def read_as(options: dict[str, Any]) -> ReadAs:
    """Return how options say that files are to be read."""
    from dupdetect.io.paths import ReadAs

    return ReadAs(*(options.get(name) for name in ("input_format", "encoding", "delimiter"))).checked()


def check_no_input(place: str | Path, found: list[Found]) -> None:
    """Refuse a place to write to that is one of the files of an input."""
    from dupdetect.results.folder import check_apart

    check_apart(place, (file.given or file.path for file in found if not file.piped))


def check_not_within(folder: Path, work: Path) -> None:
    """Refuse an output in the work folder, or a work folder in the output: one of them is removed or replaced."""
    out, at = folder.absolute().resolve(), work.absolute().resolve()
    if out == at or out in at.parents or at in out.parents:
        raise OutputError(f"{folder}: the output and the work folder {work} are in one another; name another of them")


@dataclass
class Writing:
    """What is written, and where.

    Attributes
    ----------
    path : Path
    target : Target, optional
        One file, or standard output; None: a folder.
    format, kept : str
        Of the tables of a folder, and of the rows that stay.
    overwrite, annotated : bool
    columns : list of str, optional
    pairs : bool
        Write the table of matches, and nothing else.
    """

    path: Path
    target: Target | None
    format: str
    kept: str | None
    overwrite: bool
    annotated: bool
    columns: list[str] | None
    pairs: bool

    @classmethod
    def of(cls, output: str | None, options: dict[str, Any]) -> Writing:
        """Take what says where to write out of the options."""
        from dupdetect.results.single import Target, check_folder_name

        columns = options.pop("columns")
        writing = cls(
            Path(output or ""),
            None if output is None else Target.of(output),
            options.pop("format"),
            options.pop("kept"),
            options.pop("overwrite"),
            options.pop("annotate"),
            None if columns is None else [name for name in columns.split(",") if name],
            options.pop("pairs_only"),
        )
        if writing.columns == []:
            raise click.UsageError("--columns names no column; write for example --columns id,text.")
        if output is not None and writing.target is None:
            check_folder_name(output)
        return writing

    @property
    def is_stream(self) -> bool:
        """Whether it is standard output."""
        return self.target is not None and self.target.path == "-"

    def check(self, options: dict[str, Any]) -> None:
        """Refuse what cannot be, now and not at the end: nobody should wait for that."""
        from dupdetect.results.folder import check_folder

        if self.pairs and (self.annotated or self.columns or self.kept or options["sketches"]):
            raise click.UsageError(
                "--pairs-only writes no rows; leave out --annotate, --columns, --kept and --sketches."
            )
        if options["sample"] is not None and (options["resume"] or options["against"]):
            raise click.UsageError("--sample reads the first rows alone; leave out --resume and --against.")
        if self.target is None:
            check_folder(self.path, overwrite=self.overwrite)
            return
        meant = [flag for name, flag in OF_FOLDERS.items() if options.get(name) or getattr(self, name, None)]
        context = click.get_current_context(silent=True)
        if context and context.get_parameter_source("format") is click.core.ParameterSource.COMMANDLINE:
            meant.append("--format")  # of tables, of which there are none; the file's is that of its name
        if meant:
            raise click.UsageError(f"{meant[0]} is of an output folder; {self.path} is one file. Name a folder.")
        if self.is_stream and options["resume"] and not options["work"]:
            raise click.UsageError("--resume with -o - needs a folder for the work: give --work.")
        self.target.check(overwrite=self.overwrite)

    def write(self, result: Result) -> None:
        """Write the folder, the file or the stream."""
        if self.target is None and self.pairs:
            from dupdetect.results.folder import write_folder

            tables = {"matches": result.matches, "rejects": result.rejects}
            write_folder(self.path, tables, result.manifest, format=self.format, overwrite=self.overwrite)
            return
        if self.target is None:
            written = {"annotated": self.annotated, "kept": self.kept, "columns": self.columns}
            given: dict[str, Any] = {name: value for name, value in written.items() if value}
            result.write(self.path, format=self.format, overwrite=self.overwrite, **given)
            return
        from dupdetect.results.single import write_single

        what = "pairs" if self.pairs else "annotated" if self.annotated else "kept"
        write_single(result, self.target, what=what, columns=self.columns, overwrite=self.overwrite)


def check_inputs(writing: Writing, paths: list[Path], options: dict[str, Any]) -> None:
    """Refuse inputs that would be replaced, and columns that they do not have, if their first rows tell.

    Those of JSON Lines may come later. And those of Arrow files that Parquet cannot hold, if that is to be written.
    """
    columns, target = writing.columns, writing.target
    as_parquet = writing.kept == "parquet" or (target is not None and target.format == "parquet")
    if columns is None and not as_parquet and not writing.overwrite:
        return
    import pyarrow as pa

    from dupdetect.io.documents import collect
    from dupdetect.io.readers import schema_of
    from dupdetect.io.rows import Rows
    from dupdetect.io.sample import First
    from dupdetect.io.writers import check_parquet

    found = input_files(paths, options)
    if not writing.is_stream:
        check_no_input(writing.path, found)
    if columns is None and not as_parquet:
        return
    if as_parquet:
        for schema in (schema_of(file) for file in found if file.format == "Arrow" and not file.piped):
            check_parquet(pa.schema([field for field in schema if columns is None or field.name in columns]))
    if columns is None or any(file.piped or file.format == "JSON Lines" for file in found):
        return
    first = collect(First(paths, 1), text=options["text"], id=options["id"], how=read_as(options))
    Rows.of(first.table).select(columns)


def first_rows(paths: list[Path], sample: int | None) -> Any:
    """Return what is to be read: all, or the first rows."""
    from dupdetect.io.sample import First

    return paths if sample is None else First(paths, sample)
