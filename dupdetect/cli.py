"""
The command `dupdetect`: the library's `dedup` and `compare` for files, with exit codes a script can trust.

Takes   the command line
Gives   files written whole or not at all, words for people, and an exit code: 0 done, 1 failed, 2 wrong usage
        or settings, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM)
Cost    only click and the settings are imported before there is work to do
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

import dupdetect
from dupdetect.errors import DupdetectError, InputError, OutputError
from dupdetect.progress import progress_bars
from dupdetect.scorecards import Card, audit_cards, evaluation_cards, print_cards, write_page
from dupdetect.settings import POLICIES, POLICY_COLUMNS, UNITS, Settings
from dupdetect.summary import print_summary, printable

_Command = TypeVar("_Command", bound=Callable[..., Any])

DONE, FAILED, INTERRUPTED, TERMINATED = 0, 1, 130, 143  # 2 (usage, settings) comes with the error

# --- settings as options ------------------------------------------------------------------------------------


def bands_x_rows(value: str) -> tuple[int, int]:
    """Read ``16x8``: 16 bands of 8 rows. The name is what --help shows as the option's value."""
    bands, _, rows = value.lower().partition("x")
    if not (bands.isdecimal() and rows.isdecimal()):
        raise click.BadParameter(f"{value!r} is not bands x rows; write for example 16x8.")
    return int(bands), int(rows)


# What the default's own type does not say.
_TYPES: dict[str, Any] = {
    "unit": click.Choice(UNITS),
    "bands": bands_x_rows,
    "canonical": click.Choice(POLICIES),
    "canonical_column": str,
}

_HELP = {
    "shingle_size": "Units in a shingle.",
    "unit": "What shingles are made of and what is counted; characters suit noisy texts, such as OCR.",
    "num_perm": "Length of a signature.",
    "seed": "Seed of the signatures' permutations.",
    "threshold": "Least Jaccard similarity of near duplicates, above 0 and up to 1.",
    "containment": "Least share of the smaller text inside the larger, above 0 and up to 1.",
    "least": "Shingles that a text needs for another to contain it; shorter ones are quotations.",
    "bands": "Bands and rows of the candidate search, such as 16x8.  [default: chosen for the threshold]",
    "window": "Shared runs of WINDOW + SHINGLE_SIZE - 1 units are always noticed; smaller costs more.",
    "shared": "Share of the smaller text's fingerprints that makes a pair worth verifying.",
    "frequent": "Documents from which on a key is too frequent to compare all of them with all.",
    "templates": "Let text that comes with pages, such as menus and teasers, weigh next to nothing (of words only).",
    "canonical": "Which member stands for its cluster.",
    "canonical_column": "Column that 'earliest' or 'priority' reads; the least value wins.  [default: "
    + ", ".join(f"'{column}' for {policy}" for policy, column in POLICY_COLUMNS.items())
    + "]",
}


def _setting_options(*names: str) -> Callable[[_Command], _Command]:
    """Add an option for each named setting (all, if none is named), its default being that of `Settings`."""

    def add(command: _Command) -> _Command:
        for field in reversed(dataclasses.fields(Settings)):
            if field.init and (not names or field.name in names):
                command = _option_of(field)(command)
        return click.option(
            "--settings",
            "settings_file",
            metavar="FILE",
            help="Settings file (TOML), as `tune` writes it; options given here win over it.",
        )(command)

    return add


def _settings(file: str | None, options: dict[str, Any]) -> Settings:
    """Make settings of the options; where there is a file, of that and the options that were really given."""
    if file is None:
        return Settings(**options)
    context = click.get_current_context()
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    if given.get("canonical") is not None:
        given.setdefault("canonical_column", None)  # the file's belongs to the file's policy
    return Settings.load(file).replace(**given)


def _option_of(field: dataclasses.Field[Any]) -> Callable[[_Command], _Command]:
    default = field.default
    flag = "--" + field.name.replace("_", "-")
    return click.option(
        f"{flag}/--no-{flag[2:]}" if isinstance(default, bool) else flag,
        field.name,
        type=_TYPES.get(field.name, type(default)),
        default=default,
        show_default=default is not None,
        help=_HELP.get(field.name),
    )


_SETTINGS = frozenset(field.name for field in dataclasses.fields(Settings))


# --- the commands -------------------------------------------------------------------------------------------


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(dupdetect.__version__, prog_name="dupdetect")
def command() -> None:
    """Find the copies in a collection of texts: exact, lightly edited, and syndicated inside other pages."""


_DEDUP_EXAMPLES = """
\b
Examples:
  dupdetect dedup news.parquet -o out
  dupdetect dedup 'crawl/*.jsonl.zst' --text body --id url -o out
  dupdetect dedup pages/ -o out --format csv             a folder of text files
  zcat dump.jsonl.gz | dupdetect dedup - -o out          JSON Lines on standard input
  dupdetect dedup news.parquet -o out --canonical earliest --canonical-column published
"""


@command.command(epilog=_DEDUP_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="Folder to write; it must not exist yet.")
@click.option("--text", default="text", show_default=True, help="Column that holds the texts.")
@click.option("--id", help="Column that holds the ids.  [default: 'id' if there is one, else file and row]")
@click.option(
    "--format",
    type=click.Choice(["parquet", "jsonl", "csv"]),
    default="parquet",
    show_default=True,
    help="Format of the tables.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT, if an earlier run wrote it.")
@click.option("--strict", is_flag=True, help="Stop at the first row that cannot be used, instead of rejecting it.")
@click.option("--workers", type=click.IntRange(min=1), help="Cores to use.  [default: all]")
@click.option("-q", "--quiet", is_flag=True, help="Neither progress bars nor a summary.")
@click.option("-v", "--verbose", is_flag=True, help="Also show settings, timings and caps.")
@_setting_options()
def dedup(
    inputs: tuple[str, ...],
    output: str,
    text: str,
    id: str | None,
    format: str,
    overwrite: bool,
    strict: bool,
    workers: int | None,
    quiet: bool,
    verbose: bool,
    settings_file: str | None,
    **options: Any,
) -> None:
    """
    Find the copies among the documents of INPUT and write clusters, matches and what to keep to OUT.

    INPUT is a Parquet, JSON Lines, CSV or Arrow IPC file, a folder of text files, a glob, or - for JSON Lines
    on standard input. JSON Lines and CSV may be compressed (.gz, .zst).
    """
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose contradict each other; give one of them.")
    from dupdetect.writing import check_folder

    start = time.perf_counter()
    settings = _settings(settings_file, options)
    folder = Path(output)
    check_folder(folder, overwrite=overwrite)  # now, not at the end: nobody should wait for that
    with progress_bars(wanted=not quiet) as progress:
        result = dupdetect.dedup(
            [Path(name) for name in inputs],
            text=text,
            id=id,
            settings=settings,
            workers=workers,
            strict=strict,
            progress=progress,
        )
        if progress:
            progress("write", 0, 1)
        result.write(folder, format=format, overwrite=overwrite)
    if not quiet:
        print_summary(result, folder, seconds=time.perf_counter() - start, text=text, verbose=verbose)


_COMPARE_EXAMPLES = """
\b
Examples:
  dupdetect compare article.txt page.txt
  dupdetect compare article.txt page.txt --json
  curl -s https://example.org/story.txt | dupdetect compare article.txt -
"""


@command.command(epilog=_COMPARE_EXAMPLES)
@click.argument("a")
@click.argument("b")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
@_setting_options("shingle_size", "unit", "threshold", "containment", "least", "templates")
def compare(a: str, b: str, as_json: bool, settings_file: str | None, **options: Any) -> None:
    """Relate two text files A and B (UTF-8); - is standard input."""
    if a == b == "-":
        raise click.UsageError("A and B cannot both be standard input; give at least one as a file.")
    settings = _settings(settings_file, options)
    comparison = dupdetect.compare(_text_of(a), _text_of(b), settings=settings)
    numbers = {
        "relation": comparison.relation,
        "jaccard": comparison.jaccard,
        "containment_a": comparison.containment_a,
        "containment_b": comparison.containment_b,
        "score": comparison.score,
        "framed": comparison.framed,
    }
    if as_json:
        click.echo(json.dumps({"a": a, "b": b, **numbers}))
        return
    names = printable(a), printable(b)
    click.echo(_RELATIONS[comparison.relation].format(*names))
    click.echo(f"  score         {comparison.score:.3f}{_FRAMED if comparison.framed else ''}")
    click.echo(f"  Jaccard       {comparison.jaccard:.3f}")
    click.echo(f"  containment   {comparison.containment_a:.3f} of {names[0]} is in {names[1]}")
    click.echo(f"                {comparison.containment_b:.3f} of {names[1]} is in {names[0]}")


_FRAMED = " (both have text of their own between what they share: judged as near duplicates)"

_RELATIONS = {
    "identical": "{0} and {1} have the same words.",
    "near_duplicate": "{0} and {1} are near duplicates.",
    "contains": "{0} contains {1}.",
    "contained": "{0} is contained in {1}.",
    None: "{0} and {1} are no copies of each other.",
}


_EVALUATE_EXAMPLES = """
\b
Examples:
  dupdetect evaluate out --truth truth.csv
  dupdetect evaluate out --truth articles.csv --column article --html evaluation.html
  dupdetect evaluate other-tool.csv --truth pairs.csv --json        columns id, cluster and a, b
"""


@command.command(epilog=_EVALUATE_EXAMPLES)
@click.argument("clusters")
@click.option("--truth", required=True, help="File of what is true: columns id and cluster, or a, b (and label).")
@click.option("--column", default="cluster", show_default=True, help="Column of the truth's clusters.")
@click.option("--ignore", help="File of pairs not to score: of true clusters; of documents, if the truth is of pairs.")
@click.option("--listed", type=click.IntRange(min=0), default=20, show_default=True, help="Mistakes to list of a kind.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--html", metavar="FILE", help="Also write a page that shows the same.")
def evaluate(
    clusters: str, truth: str, column: str, ignore: str | None, listed: int, as_json: bool, html: str | None
) -> None:
    """Hold CLUSTERS, an output folder or a file of ids and clusters, against a truth."""
    evaluation = dupdetect.evaluate(clusters, truth, ignore=ignore, column=column, listed=listed)
    _show(f"{clusters} against {truth}", evaluation.as_dict(), evaluation_cards(evaluation), as_json, html)


_AUDIT_EXAMPLES = """
\b
Examples:
  dupdetect audit out news.parquet
  dupdetect audit out 'crawl/*.jsonl.zst' --text body --id url --sample 5000
"""


@command.command(epilog=_AUDIT_EXAMPLES)
@click.argument("out")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--text", default="text", show_default=True, help="Column that holds the texts.")
@click.option("--id", help="Column that holds the ids.  [default: 'id' if there is one, else file and row]")
@click.option(
    "--sample", type=click.IntRange(min=1), default=1000, show_default=True, help="Documents compared with all others."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Cores to use.  [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--html", metavar="FILE", help="Also write a page that shows the same.")
def audit(out: str, inputs: tuple[str, ...], as_json: bool, html: str | None, **options: Any) -> None:
    """
    Estimate which share of the matches in INPUT the run that wrote OUT found.

    No truth is needed: a random sample of documents is compared with all others, exactly.
    """
    audited = dupdetect.audit(out, [Path(name) for name in inputs], **options)
    _show(f"Audit of {out}", audited.as_dict(), audit_cards(audited), as_json, html)


def _show(
    title: str, values: dict[str, Any], cards: tuple[str, list[Card], list[str]], as_json: bool, html: str | None
) -> None:
    if html is not None:
        write_page(Path(html), title, *cards)
    if as_json:
        click.echo(json.dumps(values, default=str))
    else:
        print_cards(*cards)


def _text_of(name: str) -> str:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: byte {error.start} is not UTF-8 ({error.reason}); convert the file to UTF-8."
        ) from None


_TUNE_EXAMPLES = """
\b
Examples:
  dupdetect tune news.parquet --truth pairs.csv -o settings.toml
  dupdetect tune news.parquet --truth pairs.csv -o settings.toml --positive copied --positive revised
  dupdetect tune news.parquet --truth clusters.csv -o settings.toml --precision 0.99 --curve curve.png
  dupdetect dedup news.parquet --settings settings.toml -o out
"""


def _whole_numbers(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Read ``1,2,3``."""
    if value is None:
        return None
    if not all(part.strip().isdecimal() for part in value.split(",")):
        raise click.BadParameter(f"{value!r} is no list of whole numbers; write for example 1,2,3,5.")
    return tuple(int(part) for part in value.split(","))


@command.command(epilog=_TUNE_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--truth", required=True, metavar="PAIRS", help="Table of pairs (a, b, label) or clusters (id, cluster).")
@click.option("-o", "--output", metavar="FILE", help="Settings file (TOML) to write; it must not exist yet.")
@click.option("--overwrite", is_flag=True, help="Replace FILE.")
@click.option("--curve", metavar="PICTURE", help="Draw the precision/recall curve (.png, .svg, .pdf).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--text", default="text", show_default=True, help="Column that holds the texts.")
@click.option("--id", help="Column that holds the ids.  [default: 'id' if there is one, else file and row]")
@click.option("--column", default="cluster", show_default=True, help="Column of PAIRS that holds clusters.")
@click.option("--positive", multiple=True, metavar="LABEL", help="Label that means a copy; may be repeated.")
@click.option(
    "--shingle-sizes", callback=_whole_numbers, metavar="SIZES", help="Shingle sizes to try, such as 1,2,3,5."
)
@click.option("--beta", type=float, default=1.0, show_default=True, help="Weight of recall in the F-measure maximised.")
@click.option("--precision", type=float, help="Find as much as this precision allows, instead of the best F-measure.")
@click.option(
    "--found", type=float, default=0.99, show_default=True, help="Share of the copies that bands and window must find."
)
@click.option("--workers", type=click.IntRange(min=1), help="Cores to use.  [default: all]")
@_setting_options("unit", "num_perm", "seed", "least", "window", "shared", "frequent", "templates")
def tune(
    inputs: tuple[str, ...],
    truth: str,
    output: str | None,
    overwrite: bool,
    curve: str | None,
    as_json: bool,
    settings_file: str | None,
    shingle_sizes: tuple[int, ...] | None,
    **options: Any,
) -> None:
    """
    Fit shingle size, thresholds, bands and window to pairs of INPUT that are known to be copies or not.

    PAIRS is a table (Parquet, JSON Lines, CSV, Arrow IPC) with the columns a, b (ids) and label (1 or 0, true or
    false), or with the columns id and cluster. Other settings stay as they are given.
    """
    from dupdetect.curves import require_matplotlib
    from dupdetect.tuned import print_tuning

    if output and not overwrite and Path(output).exists():
        raise OutputError(f"{output}: the file exists; choose another name, or give --overwrite")
    if curve:
        require_matplotlib(curve)
    settings = _settings(settings_file, {name: options.pop(name) for name in _SETTINGS & options.keys()})
    if shingle_sizes:
        options["shingle_sizes"] = shingle_sizes
    tuning = dupdetect.tune([Path(name) for name in inputs], Path(truth), settings=settings, **options)
    if output:
        tuning.save(output)
    if curve:
        tuning.picture(curve)
    if as_json:
        click.echo(json.dumps(tuning.as_dict()))
        return
    print_tuning(tuning)
    if output:
        click.echo(f"Written to {printable(output)}; use it with: dupdetect dedup --settings {printable(output)} ...")


# --- running and ending -------------------------------------------------------------------------------------


class _Terminated(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt, no `except Exception` may stop it on its way up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Parameters
    ----------
    arguments
        What follows the command's name; None takes them from the command line.

    Returns
    -------
    int
        The exit code: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted, 143 terminated.
    """
    _replace_what_cannot_be_encoded()
    try:
        with _unwinding_on_sigterm(), _plain_warnings():
            code = command.main(arguments, prog_name="dupdetect", standalone_mode=False)
            sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except (Exception, KeyboardInterrupt, _Terminated) as error:
        return _ended_by(error)


def _ended_by(error: BaseException) -> int:
    """Say in a sentence why the run ended and give its exit code; what nobody foresaw keeps its traceback."""
    if isinstance(error, click.ClickException):
        return _say_usage(error)
    if isinstance(error, click.Abort):  # what click makes of these two
        error = error.__cause__ if isinstance(error.__cause__, EOFError) else KeyboardInterrupt()
    if isinstance(error, KeyboardInterrupt):
        return _say("interrupted; nothing was left half-written", INTERRUPTED)
    if isinstance(error, _Terminated):
        return _say("terminated; nothing was left half-written", TERMINATED)
    if isinstance(error, BrokenPipeError):
        _discard_stdout()  # who read our output has gone, and that is no news to them
        return FAILED
    if isinstance(error, DupdetectError):
        return _say(str(error), error.exit_code)
    if isinstance(error, MemoryError):
        return _say("out of memory; give fewer documents at a time or use a larger machine", FAILED)
    if isinstance(error, EOFError):
        return _say(f"the input ended too early ({error}); is it complete?", FAILED)
    if isinstance(error, OSError):
        _discard_stdout()  # it may be the one that failed, and would fail again when Python closes it
        where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        return _say(f"{where}{error.strerror or error}", FAILED)
    raise error


def _say(sentence: str, code: int) -> int:
    print(f"dupdetect: {printable(sentence)}", file=sys.stderr)  # noqa: T201
    return code


def _say_usage(error: click.ClickException) -> int:
    import io

    message = io.StringIO()
    error.show(message)
    print(printable(message.getvalue()), end="", file=sys.stderr)  # noqa: T201
    return error.exit_code


def _replace_what_cannot_be_encoded() -> None:
    """Show characters that the terminal's encoding lacks as escapes, rather than fail at the summary."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _discard_stdout() -> None:
    """Send what is still buffered to nowhere, as the `signal` module's documentation advises."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Print warnings as a sentence, without the line of source that raised them."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        _say(f"note: {message}", DONE)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextmanager
def _unwinding_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that whatever cleans up after itself can."""

    def unwind(*_: Any) -> None:
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set a handler
        return
    earlier = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


if __name__ == "__main__":
    sys.exit(main())
