"""What an index holds, as the tables of a run.

Input    a transaction
Output   the tables `clusters` and `matches`, and a whole `Result`, of all documents or of some
Cost     a pass over the documents and matches in question; some 300 bytes of memory for each of them
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect.clustering.clusters import cleanness
from dupdetect.clustering.digests import Contents
from dupdetect.index.answers import text_of
from dupdetect.index.evidence import Texts, of_rows, stored
from dupdetect.index.grouping import Documents, component, first_added, group, ranked, read_documents, read_texts
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.overlaps import Overlaps
from dupdetect.pipeline import tables
from dupdetect.pipeline.tables import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dupdetect.index.holdings import Holdings
    from dupdetect.index.stores import Row, Session

    Int = NDArray[np.int64]

#: Rows that are read at a time.
ROWS = 1 << 16

_DOCUMENTS = "SELECT number, text, id FROM documents"
_TEXTS = "SELECT text, words, digest, document, canonical, is_digest FROM texts"
_MATCHES = "SELECT a, b, origin, evidence FROM matches"


class Held(NamedTuple):
    """Documents that an index holds, as `tables.Listed` has it; those that represent others may stand behind."""

    ids: pa.ChunkedArray
    numbers: Int
    text_of: Int
    again: None = None

    @property
    def new(self) -> int:
        """All of them."""
        return len(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def paged(session: Session, select: str, key: str) -> Iterator[list[Row]]:
    """Yield the rows of a table in order of a number, which is the first column, some at a time."""
    last = -1
    while rows := session.rows(f"{select} WHERE {key} > ? ORDER BY {key} LIMIT {ROWS}", (last,)):
        yield rows
        last = rows[-1][0]


def _all_matches(session: Session) -> Iterator[list[Row]]:
    last = (-1, -1)
    while rows := session.rows(
        f"{_MATCHES} WHERE a > ? OR (a = ? AND b > ?) ORDER BY a, b LIMIT {ROWS}", (last[0], *last)
    ):
        yield rows
        last = rows[-1][:2]


class _Columns(NamedTuple):
    """What is stored of some texts and documents: `text_of` tells texts without words, too."""

    held: Held
    stored_ids: list[str | None]
    texts: Texts
    text_of: Int
    canonical: Int
    document: Int
    is_digest: NDArray[np.bool_]


def _columns(holdings: Holdings, documents: list[Row], texts: list[Row]) -> _Columns:
    """Put rows into arrays: texts in the order of the stages."""
    ordered = Texts.of(texts)
    place = ordered.places([row[0] for row in texts])
    stored = np.zeros((len(texts), 3), np.int64)
    stored[place] = np.array([row[3:] for row in texts], np.int64).reshape(-1, 3)
    numbers = np.array([row[0] for row in documents], np.int64)
    text_of = np.full(len(documents), -1, np.int64)
    not_blank = np.array([place for place, row in enumerate(documents) if row[1] is not None], np.int64)
    text_of[not_blank] = ordered.places([documents[place][1] for place in not_blank.tolist()])
    has_words = np.append(ordered.words > 0, False)[text_of]
    ids = [row[2] for row in documents]
    held = Held(holdings.identifiers.decoded(ids), numbers, np.where(has_words, text_of, -1))
    order = np.argsort(numbers)
    document = order[np.minimum(np.searchsorted(numbers, stored[:, 0], sorter=order), len(order) - 1)]
    return _Columns(held, ids, ordered, text_of, ordered.places(stored[:, 1]), document, stored[:, 2] != 0)


def _everything(session: Session, holdings: Holdings) -> tuple[_Columns, Overlaps, Overlaps]:
    """Return all documents and texts, the matches found by keys, and those found while canonicals were chosen."""
    documents = [row for rows in paged(session, _DOCUMENTS, "number") for row in rows]
    texts = [row for rows in paged(session, _TEXTS, "text") for row in rows]
    matches = [row for rows in _all_matches(session) for row in rows]
    columns = _columns(holdings, documents, texts)
    known = stored(matches, columns.texts, weighed=holdings.weighs)
    return columns, known.found, known.chosen


def _decision(
    columns: _Columns, matches: Overlaps, ranks: Int, contents: Contents | None, boilerplate: Any
) -> Decision:
    text_of, wordless = columns.text_of, np.arange(len(columns.held))
    copies = np.flatnonzero((text_of >= 0) & (columns.held.text_of < 0))
    wordless[copies] = columns.document[text_of[copies]]
    return Decision(
        columns.held.text_of,
        ranks,
        columns.document,
        columns.canonical,
        matches,
        columns.is_digest,
        contents,  # type: ignore[arg-type]
        boilerplate,
        wordless=wordless,
    )


def clusters(session: Session, holdings: Holdings) -> pa.Table:
    """Return a row for each document, in the order in which they were added."""
    columns, found, chosen = _everything(session, holdings)
    decision = _decision(columns, found | chosen, columns.held.numbers, None, None)
    return as_given(tables.clusters_table(columns.held, decision, holdings.settings), holdings)


def as_given(table: pa.Table, holdings: Holdings) -> pa.Table:
    """Return a table with its ids in the type that they came in."""
    return tables.with_ids(table, holdings.identifiers.given)


def matches(session: Session, holdings: Holdings) -> pa.Table:
    """Return a row for each pair that matches."""
    columns, found, chosen = _everything(session, holdings)
    ranks = _ranks(session, holdings, columns, found)
    decision = _decision(columns, found | chosen, ranks, None, None)
    return as_given(tables.matches_table(columns.held, decision, holdings.settings)[0], holdings)


def _ranks(session: Session, holdings: Holdings, columns: _Columns, found: Overlaps) -> Int:
    """Rank all documents, as a run over them would."""
    held, texts = columns.held, columns.texts
    metadata: list[dict[str, Any]] = [{}] * len(held)
    if callable(holdings.settings.canonical) or holdings.settings.ranking_columns:
        read = read_documents(session, texts, holdings.identifiers)
        by_number = dict(zip(read.numbers.tolist(), read.metadata, strict=True))
        metadata = [by_number.get(number, {}) for number in held.numbers.tolist()]
    documents = Documents(held.numbers, held.text_of, columns.stored_ids, metadata, holdings.identifiers)
    return ranked(holdings.settings, texts, documents, cleanness(len(texts), found))


class First(NamedTuple):
    """From which numbers on documents and texts are new."""

    document: int
    text: int


def added(session: Session, holdings: Holdings, numbers: list[int], first: First) -> pa.Table:
    """Return the rows of documents that were added, or were there already."""
    wanted = np.array(numbers, np.int64)
    documents = session.find(_DOCUMENTS, "number", np.unique(wanted).tolist())
    texts = {row[0]: row for row in session.find(_TEXTS, "text", sorted({row[1] for row in documents} - {None}))}
    lacking = sorted({row[4] for row in texts.values()} - texts.keys())
    texts |= {row[0]: row for row in session.find(_TEXTS, "text", lacking)}
    representing = {texts[row[4]][3] for row in texts.values()} - {row[0] for row in documents}
    everyone = sorted({*documents, *session.find(_DOCUMENTS, "number", sorted(representing))})
    columns = _columns(holdings, everyone, [*texts.values()])
    decision = _decision(columns, _with_canonical(session, holdings, columns), columns.held.numbers, None, None)
    table = tables.clusters_table(columns.held, decision, holdings.settings)
    place = np.searchsorted(columns.held.numbers, wanted)
    is_new = _are_new(session, columns, decision, first, np.unique(place))
    counts = np.zeros(len(wanted), np.bool_)  # of an id that came twice, the last row: the others are in no document
    counts[len(wanted) - 1 - np.unique(wanted[::-1], return_index=True)[1]] = True
    table = table.take(pa.array(place)).append_column("is_new", pa.array(is_new[place] & counts))
    return as_given(table.select(list(ADDED.names)), holdings)


#: The columns of what was added, but for the ids, whose type is the index's.
ADDED = pa.schema(
    [
        ("id", pa.string()),
        ("is_new", pa.bool_()),
        ("cluster", pa.string()),
        ("relation", pa.string()),
        *((name, pa.float64()) for name in ("score", "jaccard", "containment")),
    ]
)


def _with_canonical(session: Session, holdings: Holdings, columns: _Columns) -> Overlaps:
    """Return the matches of texts with the texts that represent them."""
    numbers, canonical = columns.texts.numbers, columns.texts.numbers[columns.canonical]
    wanted = {(x, y) for x, y in zip(numbers.tolist(), canonical.tolist(), strict=True) if x != y}
    copies = sorted({x for x, _ in wanted})
    rows = {
        row[:2]: (row[0], row[1], row[3])
        for column in ("a", "b")
        for row in session.find(_MATCHES, column, copies)
        if (row[0], row[1]) in wanted or (row[1], row[0]) in wanted
    }
    return of_rows([*rows.values()], columns.texts, weighed=holdings.weighs)


def _are_new(session: Session, columns: _Columns, decision: Decision, first: First, mine: Int) -> NDArray[np.bool_]:
    """Mark the documents that represent a cluster of new texts alone."""
    canonical = decision.canonical_documents
    is_new = np.zeros(len(canonical), np.bool_)
    is_new[mine] = (canonical[mine] == mine) & (columns.held.numbers[mine] >= first.document)
    rows = np.flatnonzero(is_new & (columns.text_of >= 0))
    numbers = columns.texts.numbers[columns.canonical[columns.text_of[rows]]]
    oldest = first_added(session, np.unique(numbers).tolist())
    is_new[rows] = np.array([oldest[number] >= first.text for number in numbers.tolist()], np.bool_)
    return is_new


def nothing_added(holdings: Holdings) -> pa.Table:
    """Return the table of what was added where nothing was."""
    type_ = holdings.identifiers.shown
    return pa.schema(
        [(field.name, type_ if field.name in ("id", "cluster") else field.type) for field in ADDED]
    ).empty_table()


def contents(session: Session, holdings: Holdings, columns: _Columns) -> Contents | None:
    """Say what digest documents contain: their components are clustered again, to see by what they were judged."""
    digest = columns.texts.numbers[columns.is_digest].tolist()
    if not digest:
        return None
    numbers, rows = component(session, digest)
    texts = read_texts(session, sorted(numbers))
    within = stored(rows, texts, weighed=holdings.weighs)
    verifier = holdings.verifier(session, texts, {})
    documents = read_documents(session, texts, holdings.identifiers)
    grouped = group(holdings.settings, texts, documents, within, verifier, with_contents=True)
    assert grouped.contents is not None, "they were asked for"
    place = columns.texts.places(texts.numbers)
    return type(grouped.contents)(
        place[grouped.contents.digest],
        place[grouped.contents.canonical],
        grouped.contents.containment,
        grouped.contents.share,
    )


def listed(session: Session, holdings: Holdings, number: int | None) -> tuple[Held, Decision]:
    """Return all documents, or those that are connected with one, and what was decided of them."""
    columns, found, chosen = _everything(session, holdings) if number is None else _around(session, holdings, number)
    contained = contents(session, holdings, columns)
    none = np.empty(0, np.int64)
    if contained is None:
        contained = Contents(none, none, none.astype(np.float64), none.astype(np.float64))
    ranks = _ranks(session, holdings, columns, found)
    return columns.held, _decision(columns, found | chosen, ranks, contained, Boilerplate.none())


def _around(session: Session, holdings: Holdings, number: int) -> tuple[_Columns, Overlaps, Overlaps]:
    """Return what `_everything` does, of the documents that are connected with one."""
    text = text_of(session, number)
    numbers, rows = component(session, [] if text is None else [text])
    documents = session.find(_DOCUMENTS, "text", sorted(numbers)) or session.find(_DOCUMENTS, "number", [number])
    texts = session.find(_TEXTS, "text", sorted(numbers))
    columns = _columns(holdings, sorted(set(documents)), sorted(set(texts)))
    known = stored(rows, columns.texts, weighed=holdings.weighs)
    return columns, known.found, known.chosen
