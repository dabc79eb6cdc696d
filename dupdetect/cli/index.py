"""`dupdetect index`: documents into an index, and what they are copies of."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from dupdetect.cli.given_text import lines_of_standard_input, text_of
from dupdetect.cli.options import (
    ONE_OUTPUT,
    SETTINGS,
    chosen_settings,
    id_option,
    input_of_run_option,
    inputs_argument,
    json_option,
    log_options,
    max_text_option,
    overwrite_option,
    quiet_option,
    read_as_options,
    setting_options,
    strict_option,
    text_option,
    workers_option,
)
from dupdetect.cli.progress import progress_shown
from dupdetect.cli.writing import check_no_input, input_files
from dupdetect.errors import OutputError
from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    import pyarrow as pa

    from dupdetect.cli.json_log import Log
    from dupdetect.index.answers import Seen
    from dupdetect.index.index import Index
    from dupdetect.io.paths import Found
    from dupdetect.results.single import NewRows

_EXAMPLES = """
\b
Examples:
  dupdetect index add news.dupindex tonight.jsonl.zst --text body --id url --new-only - | next-step
  dupdetect index query news.dupindex article.txt --json
  dupdetect index expire news.dupindex --before 2026-01-01
  dupdetect index load news.dupindex out          the output of dedup --sketches
  dupdetect index add postgresql://user@host/news tonight.parquet
"""

index_argument = click.argument("where", metavar="INDEX")


@click.group(epilog=_EXAMPLES)
def index() -> None:
    """Keep documents in a durable index, and ask it whether it has them already.

    INDEX is a file, which `add` and `load` create, or the address of a PostgreSQL database.
    """
    from dupdetect._storage.memory import keep_no_large_blocks

    keep_no_large_blocks()


def _opened(where: str, **options: Any) -> Index:
    from dupdetect.index.index import Index

    return Index(where, **options)


def _opened_as_it_is(where: str) -> Index:
    """Open an index for writing that must be there: of a name that was mistyped none is made."""
    if "://" not in where and not os.path.lexists(where):
        _opened(where, read_only=True).close()  # says that it is not
    return _opened(where)


def _check_places(where: str, **written: str | None) -> None:
    """Refuse files to be written that are the index, or one another."""
    files = {} if "://" in where else {os.path.realpath(where + end): "the index" for end in ("", "-wal", "-shm")}
    for option, name in written.items():
        if name is None:
            continue
        place = name if name == "-" else os.path.realpath(name)
        if place in files:
            raise OutputError(f"{name}: this is {files[place]}, which would be lost; name another place")
        files[place] = f"what --{option.replace('_', '-')} names"


def _shown(where: str) -> str:
    """Return what an index is called where others may read it: without a password."""
    from dupdetect.index.postgres import shown

    return shown(where)


@index.command()
@index_argument
@inputs_argument
@text_option
@id_option
@click.option("--metadata", metavar="COLUMN", multiple=True, help="Column to keep as metadata; may be repeated.")
@click.option("--expires", metavar="COLUMN", help="Column that says when a document expires.")
@click.option(
    "--new-only",
    metavar="FILE",
    help="Write the rows of new documents, as they came, to FILE (.jsonl, .csv), which is replaced; - for output.",
)
@click.option("--rejects", metavar="FILE", help="Write the rows that could not be used as JSON Lines to FILE.")
@click.option("--no-texts", is_flag=True, help="Create an index that leaves texts out: matches are then estimates.")
@read_as_options
@strict_option
@max_text_option
@workers_option
@quiet_option
@log_options
@setting_options()
@click.pass_obj
def add(
    log: Log,
    /,
    where: str,
    inputs: tuple[str, ...],
    new_only: str | None,
    rejects: str | None,
    no_texts: bool,
    quiet: bool,
    workers: int | None,
    settings_file: str | None,
    **options: Any,
) -> None:
    """Add the documents of INPUT to INDEX, and write those that are new.

    A document is new if none that was in INDEX before is in its cluster, and it represents that. Settings are those of
    INDEX; options for them are for one that is created.
    """
    log.write("start", command="index add", inputs=inputs, output=_shown(where))
    _check_places(where, new_only=new_only, rejects=rejects)
    settings = _settings(settings_file, {name: options.pop(name) for name in SETTINGS})
    counted = {"documents": 0, "new": 0, "rejected": 0}
    wrong: list[pa.Table] = []
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    paths = [Path(name) for name in inputs]
    found = input_files(paths, given)  # before an index is created that would stay empty
    with (
        _opened(where, settings=settings, workers=workers, texts=False if no_texts else None) as held,
        _new_rows(new_only, found, given) as new,
        _written(rejects, found) as bad,
        progress_shown(not quiet, log.tell if log else None) as progress,
    ):

        def reject(table: pa.Table) -> None:
            wrong.append(table)
            _write_rows(bad, table)

        for told, rows in held.add_in_batches(paths, rejected=reject, progress=progress, **given):
            counted["documents"] += told.num_rows
            counted["new"] += told["is_new"].to_pylist().count(True)
            if new is not None:
                new.write(rows.table, told["is_new"], rows.originals)
        if new is not None:
            new.end()
    if wrong:
        counted["rejected"] = sum(table.num_rows for table in wrong)
        _warn(wrong, counted["documents"] + counted["rejected"])
    log.found(counts=counted)
    if not quiet:
        parts = ", ".join(f"{count:,} {name}" for name, count in counted.items())
        click.echo(f"{escape_for_terminal(_shown(where))}: {parts}", err=new_only == "-")


def _warn(rejects: list[pa.Table], rows: int) -> None:
    import pyarrow as pa

    from dupdetect.io.rejected import warn_of_rejects

    warn_of_rejects(pa.concat_tables(rejects), rows)


def _settings(file: str | None, options: dict[str, Any]) -> Any:
    """Return the settings that were really given, None if there were none."""
    context = click.get_current_context()
    given = any(context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT for name in options)
    return chosen_settings(file, options) if given or file is not None else None


@contextmanager
def _new_rows(name: str | None, found: list[Found], options: dict[str, Any]) -> Iterator[NewRows | None]:
    """Open what rows of new documents go to; refuse what they cannot go to before anything is added."""
    if name is None:
        yield None
        return
    from dupdetect.io.compression import compressed
    from dupdetect.results.single import NewRows, Target, check_copied

    target = Target.of(name)
    if target is None:
        raise click.BadParameter(
            f"{name!r} does not end like a file of rows; name it .jsonl, .jsonl.zst or .csv, or - for standard output"
        )
    columns = options.get("id") or "id", options.get("text") or "text"
    check_copied(target, found)
    if name == "-":
        yield NewRows(target, sys.stdout.buffer, *columns)
        return
    check_no_input(name, found)
    target.check(overwrite=True)
    with compressed(Path(name), target.compression) as stream:
        yield NewRows(target, stream, *columns)


def _written(name: str | None, found: list[Found]) -> Any:
    """Open a file that rejects are written to, and that is none of the inputs; - is standard output."""
    from dupdetect._storage.atomic import check_writable

    if name is None:
        return nullcontext(None)
    if name == "-":
        return nullcontext(sys.stdout)
    check_no_input(name, found)
    check_writable(name)
    return Path(name).open("w", encoding="utf-8")


def _write_rows(file: TextIO | None, table: pa.Table) -> None:
    from dupdetect.io.identifiers import written
    from dupdetect.io.writers import plain

    if file is not None:
        for row in written(table).to_pylist():
            file.write(json.dumps(row, ensure_ascii=False, default=plain) + "\n")


@index.command()
@index_argument
@click.argument("file", metavar="FILE")
@json_option
def query(where: str, file: str, as_json: bool) -> None:
    """Say what the text in FILE is a copy of; - reads standard input."""
    text = text_of(file)
    with _opened(where, read_only=True) as held:
        seen = held.query(text)
        spelled = held.spelled([seen.cluster, *(match.id for match in seen.matches)])
    seen = replace(
        seen,
        cluster=spelled[0],
        matches=[match._replace(id=id) for match, id in zip(seen.matches, spelled[1:], strict=True)],
    )
    if as_json:
        matches = [match._asdict() for match in seen.matches]
        click.echo(json.dumps({"is_new": seen.is_new, "cluster": seen.cluster, "matches": matches}))
        return
    for line in _lines(seen):
        click.echo(escape_for_terminal(line))


def _lines(seen: Seen) -> list[str]:
    if not seen.matches:
        return ["new: nothing like it is there"]
    first = f"of the cluster {seen.cluster}" if seen.cluster is not None else "new, but like others"
    return [
        first,
        *(
            f"  {match.relation:<15} {match.id}  score {match.score:.3f}, Jaccard {match.jaccard:.3f}, "
            f"{match.containment_a:.3f} of it there, {match.containment_b:.3f} of that here"
            for match in seen.matches
        ),
    ]


@index.command()
@index_argument
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def remove(where: str, ids: tuple[str, ...]) -> None:
    """Remove documents by their ids; - reads them from standard input, one a line."""
    given = lines_of_standard_input() if ids == ("-",) else list(ids)
    with _opened_as_it_is(where) as held:
        removed = held.remove(held.typed(given))
    click.echo(f"{removed:,} of {len(given):,} documents removed")


def _moment(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no date; write for example 2026-01-31T12:00:00+00:00.") from None


@index.command()
@index_argument
@click.option("--before", metavar="DATE", callback=_moment, help="ISO 8601, UTC unless it says else.  [default: now]")
def expire(where: str, before: datetime | None) -> None:
    """Remove the documents that expire before DATE."""
    with _opened_as_it_is(where) as held:
        click.echo(f"{held.expire(before):,} documents removed")


@index.command()
@index_argument
@click.option(
    "-o", "--output", **ONE_OUTPUT, metavar="FILE", required=True, help="File to write: .parquet, .jsonl or .csv."
)
@click.option("--pairs-only", is_flag=True, help="Write the verified pairs alone, the table matches.")
def clusters(where: str, output: str, pairs_only: bool) -> None:
    """Write the table of clusters: a row for each document."""
    from dupdetect._storage.atomic import Replacement, check_writable
    from dupdetect.io.identifiers import written
    from dupdetect.io.writers import WRITERS, write_table

    _check_places(where, output=output)
    path = Path(output)
    format = path.suffix.removeprefix(".")
    if format not in WRITERS:
        raise click.BadParameter(f"{output!r} ends like no table; write it as .parquet, .jsonl or .csv.")
    check_writable(path)
    with _opened(where, read_only=True) as held:
        table = held.matches() if pairs_only else held.clusters()
    with Replacement(path) as beside:
        write_table(table if format == "parquet" else written(table), beside, format)
    click.echo(f"{table.num_rows:,} rows in {escape_for_terminal(output)}")


@index.command()
@index_argument
@json_option
def stats(where: str, as_json: bool) -> None:
    """Say how much INDEX holds."""
    with _opened(where, read_only=True) as held:
        found = held.stats()
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        click.echo(f"{name.replace('_', ' '):<21} {value:>15,}")


@index.command()
@index_argument
@quiet_option
@log_options
@click.pass_obj
def verify(log: Log, /, where: str, quiet: bool) -> int:
    """Hold everything in INDEX against everything else; ends with 1 if anything is wrong."""
    with _opened(where, read_only=True) as held, progress_shown(not quiet, log.tell if log else None) as progress:
        faults = held.verify(progress)
    log.found(counts={"faults": len(faults)})
    for fault in faults:
        click.echo(escape_for_terminal(fault))
    if not faults and not quiet:
        click.echo(f"{escape_for_terminal(_shown(where))}: sound")
    return 1 if faults else 0


@index.command()
@index_argument
@click.option(
    "-o", "--output", **ONE_OUTPUT, metavar="OUT", required=True, help="Folder to write; it must not exist yet."
)
@overwrite_option
def export(where: str, output: str, overwrite: bool) -> None:
    """Write what INDEX holds to OUT, as `dedup --sketches` writes a run: clusters, matches, kept rows, sketches."""
    from dupdetect.results.single import check_folder_name

    check_folder_name(output)
    with _opened(where, read_only=True) as held:
        held.export(output, overwrite=overwrite)
    click.echo(f"written to {escape_for_terminal(output)}")


@index.command()
@index_argument
@click.argument("out", metavar="OUT")
@input_of_run_option
@click.option("--metadata", metavar="COLUMN", multiple=True, help="Column to keep as metadata; may be repeated.")
@workers_option
@quiet_option
@log_options
@setting_options()
@click.pass_obj
def load(
    log: Log,
    /,
    where: str,
    out: str,
    inputs: list[Path] | None,
    metadata: tuple[str, ...],
    workers: int | None,
    quiet: bool,
    settings_file: str | None,
    **options: Any,
) -> None:
    """Add the documents of a run, from the folder OUT that `dedup --sketches` wrote, and what it says is boilerplate.

    All of them, if the files that the run read are as they were; else those that it kept. Into an empty INDEX goes what
    the run found, too.
    """
    from dupdetect.results.damage import read_manifest
    from dupdetect.results.run import find_table

    settings = _settings(settings_file, options)
    read_manifest(Path(out))  # if there is none, or no table, no index is created
    find_table(Path(out), "clusters")
    with (
        _opened(where, settings=settings, workers=workers) as held,
        progress_shown(not quiet, log.tell if log else None) as progress,
    ):
        loaded = held.load(out, inputs, metadata=metadata or None, progress=progress)
    log.found(counts={"documents": loaded})
    if not quiet:
        click.echo(f"{escape_for_terminal(_shown(where))}: {loaded:,} documents loaded")


@index.command()
@index_argument
def learn(where: str) -> None:
    """Learn from the documents of INDEX what is boilerplate, and judge all of them by that."""
    with _opened_as_it_is(where) as held:
        click.echo(f"{held.learn_boilerplate():,} shingles are boilerplate")


@index.command()
@index_argument
def vacuum(where: str) -> None:
    """Put the keys of INDEX in order, and give room back."""
    with _opened_as_it_is(where) as held:
        before = held.stats()["bytes"]
        held.vacuum()
        click.echo(f"{before / 1e6:,.1f} MB before, {held.stats()['bytes'] / 1e6:,.1f} MB now")
