"""`dupdetect compare`: how two texts are related, and what they share; for people, or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import dupdetect
from dupdetect.cli.given_text import text_of
from dupdetect.cli.options import chosen_settings, json_option, run_input_options, setting_options
from dupdetect.cli.viewing import show_texts, view_options
from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from dupdetect.matching.compare import Comparison
    from dupdetect.settings import Settings

_COMPARE_EXAMPLES = """
\b
Examples:
  dupdetect compare article.txt page.txt
  dupdetect compare article.txt page.txt --json
  curl -s https://example.org/story.txt | dupdetect compare article.txt -
  dupdetect compare --literal "The ferry was late again." "Again the ferry was late."
  dupdetect compare --in out news:17 news:4711 --view side
"""


class _Given(NamedTuple):
    """Two texts, the settings to compare them with, and the shingles that are known to be boilerplate."""

    a: str
    b: str
    settings: Settings
    boilerplate: Any = None


@click.command(epilog=_COMPARE_EXAMPLES)
@click.argument("a")
@click.argument("b")
@click.option("--literal", is_flag=True, help="A and B are the texts themselves.")
@click.option("--in", "folder", metavar="OUT", help="A and B are ids of documents of the run that wrote OUT.")
@run_input_options
@view_options
@json_option
@setting_options("shingle_size", "unit", "threshold", "containment", "max_lost", "min_shingles", "boilerplate")
def compare(
    a: str,
    b: str,
    literal: bool,
    folder: str | None,
    inputs: list[Path] | None,
    text_column: str | None,
    id_column: str | None,
    view: str,
    full: bool,
    as_json: bool,
    settings_file: str | None,
    **options: Any,
) -> None:
    """Relate two texts A and B, and show what they share.

    A and B are text files (UTF-8), - is standard input; with --literal they are texts, with --in ids.
    """
    if folder is not None:
        if literal:
            raise click.UsageError(
                "--in and --literal contradict each other: A and B are ids or texts; give one of them."
            )
        given = _of_run(folder, a, b, (inputs, text_column, id_column), (settings_file, options))
    elif inputs or text_column or id_column:
        raise click.UsageError("--input, --text and --id say where documents of --in are; give --in OUT too.")
    else:
        given = _of_names(a, b, literal, chosen_settings(settings_file, options))
    comparison = dupdetect.compare(given.a, given.b, settings=given.settings)
    if as_json:
        click.echo(json.dumps({"a": a, "b": b, **comparison.as_dict()}))
        return
    names = ("A", "B") if literal else (a, b)
    _print_figures(comparison, (escape_for_terminal(names[0]), escape_for_terminal(names[1])), given.settings)
    show_texts(comparison, names, given.settings, given.boilerplate, view, full)


def _print_figures(comparison: Comparison, names: tuple[str, str], settings: Settings) -> None:
    from dupdetect.reports.reasons import not_contained

    passages = comparison.passages
    shared = sum(passage.words for passage in passages)
    said = _RELATIONS[comparison.relation].format(*names)
    if comparison.relation is None:
        share = max(comparison.containment_a, comparison.containment_b)
        said += not_contained(share, comparison.score, settings)
    click.echo(said)
    click.echo(f"  score         {comparison.score:.3f}{_STRANGERS if comparison.strangers else ''}")
    click.echo(f"  Jaccard       {comparison.jaccard:.3f}")
    click.echo(f"  containment   {comparison.containment_a:.3f} of {names[0]} is in {names[1]}")
    click.echo(f"                {comparison.containment_b:.3f} of {names[1]} is in {names[0]}")
    if comparison.relation is not None:
        click.echo(f"  removable     {_REMOVABLE[comparison.removable].format(*names)}")
    click.echo(
        f"  passages      {f'{len(passages):,} with {shared:,} {comparison.compared.unit}s' if passages else 'none'}"
    )


_STRANGERS = " (each has much text of its own beside what they share: its content must be alike, too)"

_REMOVABLE: dict[tuple[str, ...], str] = {
    (): "neither: more of each would be lost than may be (max_lost)",
    ("a",): "{0}",
    ("b",): "{1}",
    ("a", "b"): "either for the other",
}

_RELATIONS = {
    "identical": "{0} and {1} have the same words.",
    "near_duplicate": "{0} and {1} are near duplicates.",
    "contains": "{0} contains {1}.",
    "contained": "{0} is contained in {1}.",
    "syndicated": "{0} and {1} are the same but for what comes with their pages.",
    None: "{0} and {1} are no copies of each other.",
}


_HINT = "with --literal, A and B are texts, with --in OUT they are ids"


def _of_names(a: str, b: str, literal: bool, settings: Settings) -> _Given:
    if literal:
        return _Given(a, b, settings)
    if a == b == "-":
        raise click.UsageError("A and B cannot both be standard input; give at least one as a file.")
    return _Given(text_of(a, _HINT), text_of(b, _HINT), settings)


def _of_run(
    folder: str,
    a: str,
    b: str,
    source: tuple[list[Path] | None, str | None, str | None],
    chosen: tuple[str | None, dict[str, Any]],
) -> _Given:
    """Find the texts of two documents of a run; it is compared as the run did, but for the options that were given."""
    from dupdetect.reports.explain import texts_of
    from dupdetect.results.run import Run

    run = Run(folder)
    data, column, id_column = source
    text_a, text_b = texts_of(run, [a, b], data, text=column, id_column=id_column)
    file, options = chosen
    context = click.get_current_context()
    default = click.core.ParameterSource.DEFAULT
    given = {name: value for name, value in options.items() if context.get_parameter_source(name) is not default}
    settings = run.settings.replace(**given) if file is None else chosen_settings(file, options)
    return _Given(text_a, text_b, settings, run.boilerplate_shingles)
