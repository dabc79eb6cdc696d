"""What an index answers of one document: what it is a copy of, and what is kept of it.

Input    a transaction, and a document that is there or a text that is not
Output   `Seen`
Cost     a few look-ups; of a text that is not there, what adding it would cost but for the writing
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect.clustering.clusters import blank
from dupdetect.errors import InputError
from dupdetect.index.bodies import read_bodies
from dupdetect.index.changes import sketched
from dupdetect.index.estimates import SignatureVerifier, count_of_shingles
from dupdetect.index.evidence import Stored, Texts, of_rows, renumbered, stored
from dupdetect.index.grouping import Documents, component, first_added, group, read_documents, read_texts
from dupdetect.index.searching import Compared, New, search
from dupdetect.matching.overlaps import IDENTICAL, RELATIONS, turned
from dupdetect.matching.pairs import documents_of, missing, union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.index.changes import Batch
    from dupdetect.index.grouping import Regrouped
    from dupdetect.index.holdings import Holdings
    from dupdetect.index.stores import Session
    from dupdetect.matching.overlaps import Matcher, Overlaps

    Int = NDArray[np.int64]

_OF_CLUSTER = "FROM texts t JOIN texts c ON c.text = t.canonical JOIN documents d ON d.number = c.document"
_REPRESENTED, _CANONICAL = f"SELECT d.id {_OF_CLUSTER}", f"SELECT c.text, d.id {_OF_CLUSTER}"


class Match(NamedTuple):
    """A document that another was compared with and is a copy of.

    Attributes
    ----------
    id : any
    relation : str
        Of the document that was asked about to this one: ``identical``, ``near_duplicate``, ``syndicated``,
        ``contains`` or ``contained``.
    score : float
        What was held against the threshold.
    jaccard : float
        Exact and unweighted, like the containments.
    containment_a, containment_b : float
        Share of the document that was asked about inside this one, and of this one inside that.
    boilerplate : float
        Share of what they have in common that is boilerplate.
    """

    id: Any
    relation: str
    score: float
    jaccard: float
    containment_a: float
    containment_b: float
    boilerplate: float


@dataclass(frozen=True)
class Seen:
    """What a document is a copy of.

    Attributes
    ----------
    id : any
        None for a text that was only asked about.
    is_new : bool
        Whether no document that was there before is in its cluster.
    cluster : any
        The id of the document that represents its cluster. Of a text that was only asked about: None if there is
        nothing else in it.
    matches : list of Match
        The highest score first.
    """

    id: Any
    is_new: bool
    cluster: Any
    matches: list[Match]

    def __bool__(self) -> bool:
        """Whether something like it was there before."""
        return not self.is_new


def seen(session: Session, holdings: Holdings, number: int, regrouped: Regrouped | None, *, is_there: bool) -> Seen:
    """Say what a document that was added is a copy of.

    Parameters
    ----------
    session : Session
    holdings : Holdings
    number : int
    regrouped : Regrouped, optional
        What was clustered anew, if anything was: the document may be among it.
    is_there : bool
        Whether it was there before, with the same text.
    """
    if regrouped is not None and number in regrouped.documents.numbers:
        return _seen_in(regrouped, holdings, number)
    ((id, text),) = session.rows("SELECT id, text FROM documents WHERE number = ?", (number,))
    (own,) = holdings.identifiers.values([id])
    if text is None:
        return Seen(own, not is_there, own, [])
    documents, found = _listed(session, holdings, text)
    copies = [id for each, id in documents if each != number]
    ((canonical, id),) = session.rows(f"{_CANONICAL} WHERE t.text = ?", (text,))
    is_new = not is_there and documents[0][0] == number and first_added(session, [canonical])[canonical] == text
    (cluster,) = holdings.identifiers.values([id])
    return Seen(own, is_new, cluster, _named(holdings, [*map(_identical, copies), *found]))


def _seen_in(regrouped: Regrouped, holdings: Holdings, number: int) -> Seen:
    """Say what a document that has just come is a copy of, by what was clustered anew for it: nothing is read."""
    texts, documents, grouped = regrouped.texts, regrouped.documents, regrouped.grouped
    of_text: dict[int, list[tuple[int, str]]] = {}
    for each, place, id in zip(
        documents.numbers.tolist(), documents.text_of.tolist(), documents.stored_ids, strict=True
    ):
        of_text.setdefault(int(texts.numbers[place]), []).append((each, str(id)))
    at = int(documents.text_of[np.searchsorted(documents.numbers, number)])
    text, represented = int(texts.numbers[at]), int(grouped.canonical[at])
    rows = [(a, b, evidence) for a, b, _, evidence in regrouped.rows if text in (a, b)]
    found = []
    if rows:
        found = _matches_of(holdings, of_rows(rows, texts, weighed=holdings.weighs), texts, text, of_text)
    (own,) = [id for each, id in of_text[text] if each == number]
    copies = [id for each, id in of_text[text] if each != number]
    first = int(texts.numbers[grouped.canonical == represented].min())
    is_new = of_text[text][0][0] == number and first == text
    document = np.searchsorted(documents.numbers, grouped.document[represented])
    named = holdings.identifiers.values([own, str(documents.stored_ids[int(document)])])
    return Seen(named[0], is_new, named[1], _named(holdings, [*map(_identical, copies), *found]))


def _listed(session: Session, holdings: Holdings, text: int) -> tuple[list[tuple[int, str]], list[Match]]:
    """Return the documents that have a text, and the matches of it with others; ids as they are stored."""
    rows = [row for column in ("a", "b") for row in session.find("SELECT a, b, evidence FROM matches", column, [text])]
    others = sorted({row[0] for row in rows} | {row[1] for row in rows} | {text})
    documents = _documents_of(session, others)
    if not rows:
        return documents[text], []
    texts = read_texts(session, others)
    found = of_rows(rows, texts, weighed=holdings.weighs)
    return documents[text], _matches_of(holdings, found, texts, text, documents)


def asked(session: Session, holdings: Holdings, batch: Batch) -> Seen:
    """Say what a text is a copy of that is in no document yet."""
    if not batch.sketches.words[0] and blank(batch.sketches.digests)[0]:
        return Seen(None, True, None, [])
    (new,) = sketched(batch.sketches, [-1])
    there = session.rows("SELECT text FROM texts WHERE digest = ?", (new.digest,))
    if there:
        documents, listed = _listed(session, holdings, there[0][0])
        copies = [_identical(id) for _, id in documents]
        return Seen(None, False, _cluster(session, holdings, there[0][0]), _named(holdings, copies + listed))
    compared = search(session, holdings.keys, [new], holdings.context)
    if len(compared.pairs) == 0:
        return Seen(None, True, None, [])
    found = _verifier(session, holdings, compared.texts, batch).matches(compared.pairs)
    if len(found.pairs) == 0:
        return Seen(None, True, None, [])
    near = [
        number
        for number in compared.texts.numbers[documents_of(found.pairs, len(compared.texts))].tolist()
        if number >= 0
    ]
    cluster = _joined(session, holdings, new, compared, found, near, batch)
    listed = _matches_of(holdings, found, compared.texts, -1, _documents_of(session, near))
    return Seen(None, cluster is None, cluster, _named(holdings, listed))


def _joined(
    session: Session,
    holdings: Holdings,
    new: New,
    compared: Compared,
    found: Overlaps,
    near: list[int],
    batch: Batch,
) -> Any:
    """Return the cluster that a text would be in, given its matches with texts that are `near`; None if it is alone."""
    named = compared.texts.numbers
    numbers, rows = component(session, near)
    texts = Texts.of([new, *set(session.find("SELECT text, words, digest FROM texts", "text", sorted(numbers)))])
    place_of = {number: place for place, number in enumerate(texts.numbers.tolist())}
    # Of candidates that are no matches, no place is looked at.
    own = renumbered(found, np.array([place_of.get(number, 0) for number in named.tolist()], np.int64))
    old = stored(rows, texts, weighed=holdings.weighs)
    sampled = union(old.sampled, own.pairs[~missing(found.pairs, compared.sampled)])
    known = Stored(own | old.found, sampled, old.chosen)
    documents = _with_asked(read_documents(session, texts, holdings.identifiers), place_of[-1])
    verifier = _verifier(session, holdings, texts, batch)
    grouped = group(holdings.settings, texts, documents, known, verifier)
    with_it = texts.numbers[(grouped.canonical == grouped.canonical[place_of[-1]]) & (texts.numbers >= 0)]
    return _cluster(session, holdings, int(with_it[0])) if len(with_it) else None


def _verifier(session: Session, holdings: Holdings, texts: Texts, batch: Batch) -> Matcher:
    """Return what verifies pairs of texts that are there with the one that is asked about, whose number is -1."""
    if holdings.keeps_texts:
        return holdings.verifier(session, texts, {-1: batch.texts[0]})
    assert batch.sketches.signatures is not None, "texts are left out"
    shingles = count_of_shingles(int(batch.sketches.words[0]), holdings.settings)
    new = {-1: (batch.sketches.signatures[0].astype("<u4").tobytes(), shingles)}
    return SignatureVerifier(session, texts, holdings.settings, new)


def _with_asked(documents: Documents, place: int) -> Documents:
    """Put the document that is asked about, given the place of its text, behind those that are there."""
    text_of = np.append(documents.text_of, place)
    ids, metadata = [*documents.stored_ids, None], [*documents.metadata, {}]
    return Documents(np.append(documents.numbers, -1), text_of, ids, metadata, documents.identifiers)


def _matches_of(
    holdings: Holdings, found: Overlaps, texts: Texts, text: int, documents: dict[int, list[tuple[int, str]]]
) -> list[Match]:
    """Return the matches of one text, a row for each document that has the other; ids as they are stored."""
    settings, place = holdings.settings, int(np.flatnonzero(texts.numbers == text)[0])
    mine = found.where((found.a == place) | (found.b == place))
    first = mine.a == place
    decided, scores = mine.judged(settings)
    relations = np.where(first, decided, turned(decided))
    inside = np.where(first, mine.containment_a, mine.containment_b)
    around = np.where(first, mine.containment_b, mine.containment_a)
    columns = (scores, mine.jaccard, inside, around, mine.weights.boilerplate)
    others = texts.numbers[np.where(first, mine.b, mine.a)].tolist()
    rows = zip(others, relations.tolist(), *(column.tolist() for column in columns), strict=True)
    return [Match(id, RELATIONS[relation], *shares) for other, relation, *shares in rows for _, id in documents[other]]


def _identical(id: str) -> Match:
    return Match(id, RELATIONS[IDENTICAL], 1.0, 1.0, 1.0, 1.0, 0.0)


def _named(holdings: Holdings, found: list[Match]) -> list[Match]:
    """Give matches their ids as they came, and put the highest score first."""
    if not found:
        return found
    ids = holdings.identifiers.values([match.id for match in found])
    named = [match._replace(id=id) for match, id in zip(found, ids, strict=True)]
    return sorted(named, key=lambda match: -match.score)


def _documents_of(session: Session, texts: list[int]) -> dict[int, list[tuple[int, str]]]:
    """Return the documents that have each text, in order: their numbers, and ids as they are stored."""
    found: dict[int, list[tuple[int, str]]] = {text: [] for text in texts}
    for text, number, id in sorted(set(session.find("SELECT text, number, id FROM documents", "text", texts))):
        found[text].append((number, id))
    return found


def text_of(session: Session, number: int) -> int | None:
    """Return the text that a document has."""
    found: int | None = session.row("SELECT text FROM documents WHERE number = ?", (number,))[0]
    return found


def _ids(session: Session, holdings: Holdings, numbers: list[int]) -> list[Any]:
    """Return the ids of documents, in the order of their numbers given."""
    found: dict[int, str] = dict(session.find("SELECT number, id FROM documents", "number", numbers))
    return holdings.identifiers.values([found[number] for number in numbers])


def _cluster(session: Session, holdings: Holdings, text: int) -> Any:
    """Return the id of the document that represents a text's cluster."""
    ((id,),) = session.rows(f"{_REPRESENTED} WHERE t.text = ?", (text,))
    return holdings.identifiers.values([id])[0]


def cluster_of(session: Session, holdings: Holdings, number: int) -> Any:
    """Return the id of the document that represents a document's cluster."""
    text = text_of(session, number)
    return _ids(session, holdings, [number])[0] if text is None else _cluster(session, holdings, text)


def text_as_added(session: Session, holdings: Holdings, number: int) -> str:
    """Return the text of a document."""
    if not holdings.keeps_texts:
        raise InputError(f"{holdings.store.name}: this index leaves texts out; build one that keeps them")
    return read_bodies(session, [number])[number].decode()


def metadata(session: Session, number: int) -> dict[str, Any]:
    """Return the metadata of a document."""
    (stored,) = session.row("SELECT metadata FROM documents WHERE number = ?", (number,))
    return {} if stored is None else dict(json.loads(stored))
