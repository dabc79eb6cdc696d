"""Say why a document of a run is where it is.

Input    the output of a run, the id of one of its documents; its texts, if they can be found
Output   `Explanation`: its canonical and the match with it, the runners-up, what would have had to differ, passages
Cost     a read of the tables; of texts those up to the last that is needed, or all to find the nearest of one without
         a match, if the input is given
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import DupdetectError, InputError
from dupdetect.io.tables import comparable
from dupdetect.matching.compare import Comparison, compare
from dupdetect.reports import reasons
from dupdetect.reports.explanation import Explanation, Likeness
from dupdetect.reports.lookup import digests_of, find_row, rejects_of
from dupdetect.reports.marked_texts import Marker
from dupdetect.reports.of_index import what_is_around
from dupdetect.reports.texts import Part, of_earlier, of_input, of_kept
from dupdetect.results.read_again import columns
from dupdetect.results.run import Run
from dupdetect.sketches.cleaning import clean_texts
from dupdetect.sketches.sketches import shingle_sets
from dupdetect.text.clean import clean
from dupdetect.text.escape import one_line

#: Runners-up that are told, and ids that an error names.
MOST = 10

#: Excerpts of what is lost, and characters of each.
EXCERPTS, EXCERPT = 5, 200

_TURNED = {"contains": "contained", "contained": "contains"}


def explain(
    out: Any, id: Any, data: Any = None, *, text: str | None = None, id_column: str | None = None
) -> Explanation:
    """Explain why a document of a run was removed or kept.

    Parameters
    ----------
    out : Result, Index, str or Path
        What `dedup` returned, or the folder that it wrote; or an index, or the path or address of one.
    id : id
        The document's; a number or a string, as the run had it or as text.
    data : optional
        The run's input, as `dedup` took it. Without it texts are those that were kept, and those of the input that the
        manifest names, if they are still what the run read.
    text, id_column : str, optional
        The columns of `data`; by default as the run had them.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        The output cannot be read, or has no such document.

    Examples
    --------
    >>> from dupdetect import dedup
    >>> story = "The harbour was closed on Monday after an inspection found cracks in two of its walls."
    >>> found = explain(dedup({"a": story, "b": "Nothing like it.", "c": story.upper()}), "c")
    >>> found.why
    "'c' was removed: it has the same words as 'a', which was kept."
    """
    out, data = what_is_around(out, id, data)
    run = Run(out)
    row = find_row(run, id)
    likenesses, canonical = _likenesses(run, row), int(run.canonical[row])
    match, comparison = _best(run, row, likenesses, _Source(data, *columns(run, text, id_column)))
    holds, held_by = digests_of(run, row, canonical)
    again = canonical == row and not run.clusters["canonical"][row].as_py()  # an earlier document of its id stands
    explanation = Explanation(
        id=run.clusters["id"][row].as_py(),
        cluster=run.clusters["cluster"][row].as_py(),
        kept=canonical == row and not again,
        size=int(run.sizes[canonical]),
        relation=run.clusters["relation"][row].as_py(),
        match=match,
        others=[each for each in likenesses if match is None or each.id != match.id][:MOST],
        matches=len(likenesses),
        holds=holds,
        held_by=held_by,
        rejects=rejects_of(run, run.clusters["id"][row].as_py()),
        lost=run.clusters["lost"][row].as_py(),
        lost_share=run.clusters["lost_share"][row].as_py(),
        lost_text=None if canonical == row else _lost(run, row, comparison),
        comparison=comparison,
    )
    of = reasons.of_repeated if again else reasons.of_kept if explanation.kept else reasons.of_removed
    why, otherwise = of(run, explanation)
    if data is not None or run.inputs:  # it was looked for
        otherwise = otherwise.replace(reasons.UNKNOWN, reasons.NOTHING)
    return replace(explanation, why=why, otherwise=otherwise)


def _best(run: Run, row: int, likenesses: list[Likeness], source: _Source) -> tuple[Likeness | None, Comparison | None]:
    """Return how a document is related to its canonical, or a canonical to what is most like it."""
    canonical = int(run.canonical[row])
    key = run.ids[canonical].as_py()
    match = next((each for each in likenesses if canonical == row or str(each.id) == key), None)
    other = canonical if match is None else find_row(run, match.id)
    texts = find_texts(run, source, [row, other])
    if other == row and (source.data is not None or run.inputs) and row in texts:
        other = _nearest(run, row, texts, source)
    comparison = None
    if other != row and row in texts and other in texts:
        comparison = compare(texts[row], texts[other], settings=run.settings)
    if match is None and (comparison is not None or other == canonical != row):
        match = _unlisted(run, row, other, comparison)
    return match, comparison


def _lost(run: Run, row: int, comparison: Comparison | None) -> list[str] | None:
    """Return excerpts of what is lost with a document, given how it compares with its canonical."""
    words = run.clusters["lost"][row].as_py()
    if not words or comparison is None:
        return None if words else []
    a, b, _ = comparison.compared
    found = Marker(run.settings, run.boilerplate_shingles).lost(a, b, words)
    return [one_line(text, EXCERPT) for text in found[:EXCERPTS]]


def _likenesses(run: Run, row: int) -> list[Likeness]:
    """Return the matches of a document, the highest score first."""
    key = pa.scalar(run.ids[row].as_py(), pa.large_string())
    table = run.matches
    if table.num_rows == 0:
        return []
    first, second = (comparable(table[side], "ids") for side in "ab")
    found = []
    for side, mask in (("a", pc.equal(first, key)), ("b", pc.equal(second, key))):
        other = "b" if side == "a" else "a"
        own = table.filter(mask)
        for match, cluster in zip(own.to_pylist(), _clusters_of(run, own[other]), strict=True):
            relation = match["relation"]
            found.append(
                Likeness(
                    match[other],
                    cluster,
                    relation if side == "a" else _TURNED.get(relation, relation),
                    match["score"],
                    match["jaccard"],
                    match[f"containment_{side}"],
                    match[f"containment_{other}"],
                    match["boilerplate"] or 0.0,
                )
            )
    return sorted(found, key=lambda each: (-each.score, -each.jaccard, str(each.id)))


def _clusters_of(run: Run, ids: pa.ChunkedArray) -> list[Any]:
    """Return the clusters that documents are in, looked up together: a canonical may have very many matches."""
    rows = pc.index_in(comparable(ids, "ids"), value_set=run.ids)
    for id in ids.filter(rows.is_null()).slice(0, 1).to_pylist():
        find_row(run, id)  # says that there is none
    return run.clusters["cluster"].take(rows).to_pylist()  # type: ignore[no-any-return]


def _unlisted(run: Run, row: int, other: int, comparison: Comparison | None) -> Likeness:
    """Return the likeness to a document that no match is listed with.

    To its canonical, for of very many copies only some are listed; or to one that is no match, by the two texts alone.
    """
    id, cluster = (run.clusters[name][other].as_py() for name in ("id", "cluster"))
    inside = around = float(run.shares("containment")[row])
    if comparison is not None:
        inside, around = comparison.containment_a, comparison.containment_b
    if other == run.canonical[row] or comparison is None:
        score, jaccard = (float(run.shares(name)[row]) for name in ("score", "jaccard"))
        return Likeness(id, id, run.clusters["relation"][row].as_py(), score, jaccard, inside, around, 0.0)
    return Likeness(id, cluster, None, comparison.score, comparison.jaccard, inside, around, 0.0)


# ---- texts ----


class _Source(NamedTuple):
    """Where texts are: a run's input (None for what its manifest names), and its columns."""

    data: Any
    text: str
    id: str | None

    def parts(self, run: Run) -> list[Iterator[Part]]:
        """Return what is to be looked through."""
        if self.data is not None:
            return [of_input(run, self.data, self.text, self.id), of_earlier(run, self.text)]
        known = [of_kept(run, self.text), of_earlier(run, self.text)]
        return [*known, of_input(run, run.inputs, self.text, self.id)] if run.inputs else known


def find_texts(run: Run, source: _Source, rows: list[int]) -> dict[int, str]:
    """Find the texts of documents, by row; those that cannot be found are left out."""
    found: dict[int, str] = {}
    for parts in source.parts(run):
        # What the manifest names may be another file by now: then without.
        with nullcontext() if source.data is not None else suppress(DupdetectError):
            _look_through(parts, set(rows), found)
    return found


def _look_through(parts: Iterator[Part], rows: set[int], found: dict[int, str]) -> None:
    while not rows <= found.keys() and (part := next(parts, None)) is not None:
        for row in rows - found.keys():
            place = np.flatnonzero(part.rows == row)
            if len(place):
                found[row] = part.texts[int(place[0])].as_py()


def _nearest(run: Run, row: int, texts: dict[int, str], source: _Source) -> int:
    """Find the document that shares most with one, weighed by what is asked of a match; keep its text.

    Where none shares anything, it is itself.
    """
    settings = run.settings
    mine = shingle_sets(pa.array([clean(texts[row])], pa.large_string()), np.arange(1), settings).values
    best, nearest = 0.0, row
    for part in chain(*source.parts(run)):
        column = clean_texts(pa.chunked_array([part.texts]) if isinstance(part.texts, pa.Array) else part.texts)
        sets = shingle_sets(column, np.arange(len(column)), settings)
        shared = np.diff(np.append(0, np.cumsum(np.isin(sets.values, mine)))[sets.offsets])
        smaller = np.minimum(sets.lengths, len(mine))
        jaccard = shared / np.maximum(sets.lengths + len(mine) - shared, 1)
        inside = np.where(smaller >= settings.min_shingles, shared / np.maximum(smaller, 1), 0.0)
        value = np.maximum(jaccard / settings.threshold, inside / settings.containment)
        value[(part.rows == row) | (part.rows < 0)] = 0.0
        place = int(np.argmax(value)) if len(value) else 0
        if len(value) and value[place] > best:
            best, nearest = float(value[place]), int(part.rows[place])
            texts[nearest] = part.texts[place].as_py()
    return nearest


def texts_of(
    run: Run, ids: Sequence[Any], data: Any = None, *, text: str | None = None, id_column: str | None = None
) -> list[str]:
    """Return the texts of documents of a run; parameters as for `explain`.

    Raises
    ------
    InputError
        There is no such document, or no text of it.
    """
    rows = [find_row(run, id) for id in ids]
    found = find_texts(run, _Source(data, *columns(run, text, id_column)), rows)
    for id, row in zip(ids, rows, strict=True):
        if row not in found:
            where = "the run did not keep it" if data is None else "it is not in the input that was given"
            raise InputError(f"the text of {id!r} was not found: {where}; give the input that the run was made of")
    return [found[row] for row in rows]
