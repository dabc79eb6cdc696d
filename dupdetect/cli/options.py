"""Options that several commands take: the settings, where texts and their ids are, memory, the JSON log.

Input    the settings' own names, types and defaults
Output   decorators that add click options, and `Settings` made of what was given
Cost     none
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dupdetect._storage import memory
from dupdetect.cli.json_log import Log
from dupdetect.errors import SettingsError
from dupdetect.io.paths import NAMED
from dupdetect.settings import POLICIES, POLICY_COLUMNS, UNITS, Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


def named(_context: click.Context, _argument: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a name that is empty, as of a variable that is not set: it would be the current folder."""
    if "" in names:
        raise click.BadParameter("one has an empty name; give a file or a folder ('.' is the current one).")
    return names


inputs_argument = click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, callback=named)
inputs_of_run_argument = click.argument("inputs", metavar="[INPUT]...", nargs=-1, callback=named)


def _text(_context: click.Context, _option: click.Parameter, names: tuple[str, ...]) -> str | None:
    from dupdetect.io.text_column import text_name

    return text_name(names) if names else None


_TEXT = (
    "Column of INPUT that holds the texts, or a field in a nested one: content.body. Several, each with --text, are "
    "joined.  [default: {}]"
)
_ID = "Column of INPUT that holds the ids; none: file and row are.  [default: {}]"
_AS_IT_WAS = "as the run had it"
text_option = click.option(
    "--text", metavar="COLUMN", multiple=True, default=("text",), callback=_text, help=_TEXT.format("text")
)
id_option = click.option("--id", metavar="COLUMN", help=_ID.format("'id' if there is one, else file and row"))
text_of_run_option = click.option(
    "--text", "text_column", metavar="COLUMN", multiple=True, callback=_text, help=_TEXT.format(_AS_IT_WAS)
)
id_of_run_option = click.option("--id", "id_column", metavar="COLUMN", help=_ID.format(_AS_IT_WAS))
sampling_seed_option = click.option(
    "--sampling-seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of what is looked at, of all that could be.",
)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace what is there: a file, or the folder of an earlier run."
)
truth_option = click.option(
    "--truth", required=True, metavar="FILE", help="What is true: columns id and cluster, or a, b and label."
)
cluster_column_option = click.option(
    "--cluster-column",
    metavar="COLUMN",
    default="cluster",
    show_default=True,
    help="Column of the truth that holds clusters.",
)
strict_option = click.option(
    "--strict", is_flag=True, help="Stop at the first row that cannot be used, instead of rejecting it."
)


def read_as_options(command: _Command) -> _Command:
    """Add --input-format, --encoding and --delimiter: what names of files do not say."""
    form = click.Choice(list(NAMED))
    command = click.option(
        "--delimiter", metavar="CHAR", help="What separates the values of CSV: a character, or tab.  [default: ,]"
    )(command)
    encoding = "Encoding of JSON Lines, CSV and text files, such as cp1252.  [default: utf-8]"
    command = click.option("--encoding", metavar="NAME", help=encoding)(command)
    what = "What all files of INPUT are.  [default: as their names end]"
    lines = "Each line of the files is a text; the same as --input-format lines."
    command = click.option("--lines", "input_format", flag_value="lines", help=lines)(command)
    return click.option("--input-format", type=form, help=what)(command)


def _one_output(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> str | None:
    """Refuse two places to write to, of which the last alone would be written."""
    if len(given) > 1:
        raise click.UsageError(
            f"-o is given {len(given)} times ({', '.join(given)}), and a run writes to one place: give one of them."
        )
    return given[0] if given else None


#: What options of an output have in common.
ONE_OUTPUT: dict[str, Any] = {"multiple": True, "callback": _one_output}

quiet_option = click.option("-q", "--quiet", is_flag=True, help="Neither progress bars nor a summary.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words or tables.")
workers_option = click.option("--workers", type=click.IntRange(min=1), help="Cores to use.  [default: all]")


def _memory(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else memory.size(value)
    except SettingsError as error:
        raise click.BadParameter(f"{error}.") from None


max_text_option = click.option(
    "--max-text",
    metavar="SIZE",
    callback=_memory,
    help="Most bytes of a text, or of a line or record of a file; a row with more is rejected.  [default: 256MB]",
)
memory_option = click.option(
    "--memory",
    metavar="SIZE",
    callback=_memory,
    help="Most memory to use, such as 2GB, 800MiB or 60% of the machine's.  [default: a share of what is free]",
)


def _open_log(context: click.Context, _option: click.Parameter, value: str | bool | None) -> None:
    log = context.ensure_object(Log)
    if value and not (value is True and log):  # a file wins over standard error
        log.open(None if value is True else str(value))


def log_options(command: _Command) -> _Command:
    """Add --log-json and --log-file; the command finds its `Log` as click's object, open if either was given."""
    # Eager, so that what is wrong with the other options is a line too.
    kept: dict[str, Any] = {"is_eager": True, "expose_value": False, "callback": _open_log}
    json = "Instead of bars and notes, one JSON object a line on standard error: stages, progress, notes, errors, end."
    file = "Append what --log-json writes to FILE; notes and errors go to standard error as well."
    command = click.option("--log-file", metavar="FILE", help=file, **kept)(command)
    return click.option("--log-json", is_flag=True, help=json, **kept)(command)


def run_input_options(command: _Command) -> _Command:
    """Add --input, --text and --id: where the texts are that a run read and did not keep; all None if not given."""
    return input_of_run_option(id_of_run_option(text_of_run_option(command)))


def _paths(context: click.Context, option: click.Parameter, names: tuple[str, ...]) -> list[Path] | None:
    return [Path(name) for name in named(context, option, names)] or None


input_of_run_option = click.option(
    "--input",
    "inputs",
    metavar="INPUT",
    multiple=True,
    callback=_paths,
    help="What the run read; may be repeated.  [default: what it read, if that is still there as it was]",
)


def bands_x_rows(value: str) -> tuple[int, int]:
    """Read ``16x8``: 16 bands of 8 rows. The name is what --help shows as the option's value."""
    bands, _, rows = value.lower().partition("x")
    if not (bands.isdecimal() and rows.isdecimal()):
        raise click.BadParameter(f"{value!r} is not bands x rows; write for example 16x8.")
    return int(bands), int(rows)


def preferred(value: str) -> tuple[str, tuple[str, ...]]:
    """Read ``source=a,b``: a column, and its values, the best first."""
    column, _, values = value.partition("=")
    if not column or not values:
        raise click.BadParameter(f"{value!r} is no column with values, the best first; write for example source=a,b.")
    return column, tuple(values.split(","))


def given_words(value: str) -> str:
    """Refuse --words: what cuts texts into words is a callable, or its lists are what Python has."""
    raise click.BadParameter(f"{value!r} cannot be used here; in Python, use dupdetect.dedup(..., words=...).")


# What the default's own type does not say.
_TYPES: dict[str, Any] = {
    "unit": click.Choice(UNITS),
    "bands": bands_x_rows,
    "canonical": click.Choice(POLICIES),
    "canonical_column": str,
    "date_format": str,
    "prefer": preferred,
    **dict.fromkeys(("within", "between", "per"), str),
    "words": given_words,
}

_HELP = {
    "shingle_size": "Units in a shingle.",
    "unit": "What shingles are made of and what is counted; characters serve noisy texts, such as OCR, and short ones.",
    "num_perm": "Length of a signature.",
    "seed": "Seed of the signatures' permutations.",
    "threshold": "Least Jaccard similarity of near duplicates, above 0 and up to 1.",
    "containment": "Least share of the content of a text inside a larger one, above 0 and up to 1.",
    "max_lost": "Share of content beyond 100 words that may be lost with a text, from 0 on and below 1.",
    "min_shingles": "Shingles that a text needs for another to contain it; shorter ones are quotations.",
    "bands": "Bands and rows of the candidate search, such as 16x8.  [default: chosen for the threshold]",
    "window": "Shared runs of WINDOW + SHINGLE_SIZE - 1 units are always noticed; smaller costs more.",
    "min_shared_fingerprints": "Least share of the smaller text's fingerprints that makes a pair worth verifying.",
    "hot_key_documents": "Documents of one key from which on they are compared with a few of them, not all with all.",
    "boilerplate": "Let text that comes with pages, such as menus and teasers, weigh next to nothing (of words only).",
    "canonical": "Which member stands for its cluster.",
    "date_format": "How dates are written that 'earliest' and 'latest' read, such as %m/%d/%Y.  [default: ISO 8601, "
    "RFC 2822 or seconds since 1970]",
    "canonical_column": "Column that 'earliest', 'latest' or 'priority' reads; the least value wins, of 'latest' the "
    "greatest.  [default: " + ", ".join(f"'{column}' for {policy}" for policy, column in POLICY_COLUMNS.items()) + "]",
    "prefer": "Whose document stands for its cluster, by the values of a column, the best first: source=a,b,c.",
    "within": "Compare only documents that have the same value in this column, such as a domain.",
    "between": "Compare only documents that have different values in this column, such as a source.",
    "words": "Not here: a tokenizer of your own, or lists of words, are for dupdetect.dedup in Python.",
    "per": "Compare all, and let one document stay for each value of this column in each cluster.",
}


def setting_options(*names: str) -> Callable[[_Command], _Command]:
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


def chosen_settings(file: str | None, options: dict[str, Any]) -> Settings:
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
    from dupdetect.sketches.cleaning import refuse_words  # heavy

    loaded = Settings.load(file)
    refuse_words(loaded, f"the command line (--settings {file})")
    return loaded.replace(**given)


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


SETTINGS = frozenset(field.name for field in dataclasses.fields(Settings))
