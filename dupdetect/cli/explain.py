"""`dupdetect explain`: why a document is where it is; for people, or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import dupdetect
from dupdetect.cli.options import json_option, run_input_options
from dupdetect.cli.viewing import show_texts, view_options
from dupdetect.results.losses import unit_of_loss
from dupdetect.text.escape import escape_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dupdetect.reports.explanation import Explanation, Likeness
    from dupdetect.settings import Settings

_EXPLAIN_EXAMPLES = """
\b
Examples:
  dupdetect explain out news:4711
  dupdetect explain out https://example.org/story --input 'crawl/*.jsonl.zst' --view side
  dupdetect explain out 17 --json
"""


@click.command(epilog=_EXPLAIN_EXAMPLES)
@click.argument("out")
@click.argument("id")
@run_input_options
@view_options
@json_option
def explain(
    out: str,
    id: str,
    inputs: list[Path] | None,
    text_column: str | None,
    id_column: str | None,
    view: str,
    full: bool,
    as_json: bool,
) -> None:
    """Say why the run that wrote OUT removed or kept the document ID.

    Its canonical, the match with it and what they share, the runners-up, and what would have had to differ. With
    --input the nearest document is looked for even where it is no match.
    """
    explanation = dupdetect.explain(out, id, inputs, text=text_column, id_column=id_column)
    if as_json:
        click.echo(json.dumps(explanation.as_dict(), default=str))
        return
    from dupdetect.reports.of_index import what_decides

    settings, boilerplate = what_decides(out)
    for line in _lines(explanation, settings):
        click.echo(escape_for_terminal(line))
    if explanation.comparison is not None and explanation.match is not None:
        names = str(explanation.id), str(explanation.match.id)
        show_texts(explanation.comparison, names, settings, boilerplate, view, full)


def _lines(explanation: Explanation, settings: Settings) -> Iterator[str]:
    yield explanation.why
    if explanation.otherwise:
        yield explanation.otherwise
    yield ""
    yield f"  cluster       {explanation.cluster}, {_count(explanation.size, 'document')}"
    if explanation.match is not None:
        yield f"  match         {_likeness(explanation.match, explanation.cluster)}"
    for number, other in enumerate(explanation.others):
        yield f"  {'' if number else 'runners-up':<13} {_likeness(other, explanation.cluster)}"
    if (more := explanation.matches - len(explanation.others) - (explanation.match is not None)) > 0:
        yield f"                and {_count(more, 'more match', 'more matches')}"
    yield from _lost(explanation, settings)
    for held in explanation.holds:
        yield f"  holds         {held['cluster']}: {held['containment']:.3f} of it, {held['share']:.3f} of this"
    if explanation.held_by:
        yield f"  held by       {', '.join(map(str, explanation.held_by))}"
    for reject in explanation.rejects:
        yield f"  rejected      {reject['file']}:{reject['row']}: {reject['reason']}"
    if explanation.match is None:
        return
    if explanation.passages is None:
        yield "  passages      not known: a text was not found; give the run's input with --input"
    else:
        unit = "word" if explanation.comparison is None else explanation.comparison.compared.unit
        words = sum(passage.words for passage in explanation.passages)
        yield f"  passages      {_count(len(explanation.passages), 'passage')} with {_count(words, unit)}"


def _lost(explanation: Explanation, settings: Settings) -> Iterator[str]:
    if not explanation.lost:
        return
    words = _count(explanation.lost, unit_of_loss(settings.as_dict()).removesuffix("s"))
    share = explanation.lost_share or 0.0
    yield f"  lost          {words} in neither its canonical nor boilerplate, {share:.1%} of its content"
    for excerpt in explanation.lost_text or ():
        yield f"                “{excerpt}”"


def _likeness(match: Likeness, cluster: Any) -> str:
    said = [
        f"{match.id}: {_RELATIONS[match.relation]}",
        f"score {match.score:.3f}",
        f"Jaccard {match.jaccard:.3f}",
        f"{match.inside:.3f} of this in it, {match.around:.3f} of it in this",
    ]
    if match.boilerplate:
        said.append(f"{match.boilerplate:.0%} boilerplate")
    if match.cluster not in (match.id, cluster):
        said.append(f"of the cluster of {match.cluster}")
    return ", ".join(said)


_RELATIONS = {
    "identical": "the same words",
    "near_duplicate": "a near duplicate",
    "contains": "contained in this",
    "contained": "contains this",
    "syndicated": "the same but for what comes with their pages",
    None: "no match",
}


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
