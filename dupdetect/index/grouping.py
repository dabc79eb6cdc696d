"""Clusters of what an index holds: those that a change touches are made anew, by the stages, and no others.

Input    texts that were added or lost a match, the matches and documents that are stored
Output   the tables `texts` (which text represents each, and which document that) and `matches`
Cost     that of the connected components of matches that the texts are in

A cluster lies within a component of matches, and nothing that decides it looks beyond: clustering components one by one
and clustering all of them is the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._storage.context import Context
from dupdetect.clustering import canonical, clusters, digests
from dupdetect.clustering.canonical import Rankable
from dupdetect.errors import InputError
from dupdetect.index.evidence import BY_CHOICE, BY_HOT_KEY, COLUMNS, Texts, stored, to_rows
from dupdetect.io.rows import Rows
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.candidates import Candidates
from dupdetect.matching.pairs import distinct, missing, pack
from dupdetect.matching.verify import Verified
from dupdetect.pipeline.rules import tied_by_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from dupdetect.clustering.digests import Contents
    from dupdetect.index.bodies import Raw
    from dupdetect.index.evidence import Stored
    from dupdetect.index.holdings import Holdings
    from dupdetect.index.identifiers import Identifiers
    from dupdetect.index.stores import Row, Session
    from dupdetect.matching.overlaps import Matcher, Overlaps
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]
    Share = NDArray[np.float64]

#: What most policies read of documents.
_NO_COLUMNS = pa.table({})

#: The ids that nobody looks at where there are no ties.
_NO_IDS = pa.chunked_array([], pa.string())


@dataclass(frozen=True, eq=False)
class Documents:
    """Documents that have some texts, in the order in which they were added.

    Attributes
    ----------
    numbers, text_of : int64[n]
        Their numbers, and the place of the text that each has.
    stored_ids : list of str
        As the index stores them; None for a document that is asked about and not in the index.
    metadata : list of dict
    identifiers : Identifiers
    """

    numbers: Int
    text_of: Int
    stored_ids: list[str | None]
    metadata: list[dict[str, Any]]
    identifiers: Identifiers

    @cached_property
    def ids(self) -> pa.ChunkedArray:
        """Ids that can be ordered."""
        return self.identifiers.decoded(self.stored_ids)


@dataclass(frozen=True, eq=False)
class Grouped:
    """What was decided of n texts.

    Attributes
    ----------
    canonical : int64[n]
        The text that represents the cluster of each, by its place.
    document : int64[n]
        The number of the document that represents each.
    is_digest : bool[n]
    linked : Overlaps
        Matches that were found while clusters were made, where hot keys left pairs out.
    chosen : Overlaps
        Matches that were found while canonicals were chosen.
    contents : Contents, optional
        What digest documents contain, if that was asked for.
    """

    canonical: Int
    document: Int
    is_digest: Bool
    linked: Overlaps
    chosen: Overlaps
    contents: Contents | None = None


def group(
    settings: Settings,
    texts: Texts,
    documents: Documents,
    matches: Stored,
    verifier: Matcher,
    *,
    with_contents: bool = False,
) -> Grouped:
    """Cluster texts by all of their matches, and choose who represents them: the stages of `dedup`."""
    n, known = len(texts), matches.found
    clean = clusters.cleanness(n, known)
    order = clusters.settle(clean, clusters.sampled_matches(known, matches.sampled))
    found, comparable = _Linked(known.pairs, matches.sampled, 0, (), Context(settings, 1)), clusters.Comparable(n)
    verified = Verified(known, known.pairs[:0], Boilerplate.none())
    clustered = clusters.cluster_matches(found, verified, order, verifier, comparable)
    parted, is_digest = digests.part_digests(clustered.canonical, order, clustered.matches, verifier)
    ranks = ranked(settings, texts, documents, clean)
    document_of = canonical.least(ranks, documents.text_of, n)
    chosen, elected = canonical.elect(settings, parted, ranks[document_of], clean, clustered.matches, verifier)
    elected = clusters.match_chosen(found, chosen, clustered, elected, verifier, comparable)
    contents = digests.contents(is_digest, parted, chosen, elected, verifier) if with_contents else None
    linked = clustered.matches.where(missing(clustered.matches.pairs, known.pairs))
    more = elected.where(missing(elected.pairs, clustered.matches.pairs))
    return Grouped(chosen, documents.numbers[document_of], is_digest, linked, more, contents)


class _Linked(Candidates):
    """Pairs that were verified before. Where hot keys gave some, canonicals are compared with one another, if few."""

    def among(self, active: Bool) -> Candidates:
        places = np.flatnonzero(active)
        if len(places) > self._context.settings.hot_key_documents:
            places = places[:0]
        a, b = np.triu_indices(len(places), 1)
        return _Linked(distinct(pack(places[a], places[b])), self.pairs[:0], 0, (), self._context)


def ranked(settings: Settings, texts: Texts, documents: Documents, clean: Share) -> Int:
    """Rank documents by the canonical policy, given how clean the texts are."""
    tied, clean_of = tied_by_policy(settings, documents.text_of), np.append(clean, 1.0)[documents.text_of]
    rows = Rows.of(_policy_columns(settings, documents))
    words = np.append(texts.words, 0)[documents.text_of]
    ids = documents.ids if tied.any() else _NO_IDS
    return canonical.rank(settings, Rankable(rows, ids, words, clean_of, tied, are_all=False))


def _policy_columns(settings: Settings, documents: Documents) -> pa.Table:
    """Return what a policy reads of documents: their metadata."""
    if callable(settings.canonical):
        keys = sorted({key for row in documents.metadata for key in row} - {"id"})
        columns = {key: [row.get(key) for row in documents.metadata] for key in keys}
        return pa.table({"id": documents.ids, **{key: _column(key, values) for key, values in columns.items()}})
    if not settings.ranking_columns:
        return _NO_COLUMNS
    columns = {name: [row.get(name) for row in documents.metadata] for name in settings.ranking_columns}
    return pa.table({name: _column(name, values) for name, values in columns.items()})


def _column(name: str, values: list[Any]) -> pa.Array:
    try:
        column = pa.array(values)
        return column.cast(pa.string()) if pa.types.is_null(column.type) else column
    except pa.ArrowException:
        types = sorted({type(value).__name__ for value in values if value is not None})
        raise InputError(
            f"the metadata {name!r} of documents that match are of several types ({', '.join(types)}), and have no "
            "order; give all documents metadata of one type"
        ) from None


def component(session: Session, touched: Iterable[int]) -> tuple[set[int], list[Row]]:
    """Return the texts that are connected with some by matches, and these: (a, b, origin, evidence)."""
    seen, matches = set(touched), {}
    frontier = sorted(seen)
    while frontier:
        reached: set[int] = set()
        for column in ("a", "b"):
            for row in session.find("SELECT a, b, origin, evidence FROM matches", column, frontier):
                matches[row[0], row[1]] = row
                reached |= {row[0], row[1]}
        frontier = sorted(reached - seen)
        seen |= reached
    return seen, list(matches.values())


def first_added(session: Session, canonicals: Sequence[int]) -> dict[int, int]:
    """Return the text that was added first, of each cluster; clusters are given by the texts that represent them."""
    found = {text: text for text in canonicals}
    # Of texts that represent themselves, which most do, no index is kept.
    others = "SELECT canonical, text FROM (SELECT canonical, text FROM texts WHERE canonical <> text) AS others"
    for cluster, text in session.find(others, "canonical", canonicals):
        found[cluster] = min(text, found[cluster])
    return found


def read_texts(session: Session, numbers: Sequence[int]) -> Texts:
    """Return texts, those that are there, in the order of the stages."""
    return Texts.of(list(set(session.find("SELECT text, words, digest FROM texts", "text", numbers))))


def read_documents(session: Session, texts: Texts, identifiers: Identifiers) -> Documents:
    """Return the documents that have texts."""
    rows = session.find("SELECT number, text, id, metadata FROM documents", "text", texts.numbers.tolist())
    rows = sorted({row[0]: row for row in rows}.values())
    return Documents(
        np.array([row[0] for row in rows], np.int64),
        texts.places([row[1] for row in rows]),
        [row[2] for row in rows],
        [{} if row[3] is None else json.loads(row[3]) for row in rows],
        identifiers,
    )


def still_represented(session: Session, texts: Iterable[int], holdings: Holdings) -> set[int]:
    """Return which of texts that more documents have than before are represented by the same one.

    Of the documents that have a text, clusters know that one alone. Where a policy reads what documents bring with them
    none is returned: whether all of a cluster can be ordered by it is seen when that is made anew.
    """
    settings = holdings.settings
    numbers = [] if callable(settings.canonical) or settings.ranking_columns else sorted(texts)
    rows = set(session.find("SELECT text, words, digest, document FROM texts", "text", numbers))
    if not rows:
        return set()
    found, before = Texts.of(list(rows)), {row[0]: row[3] for row in rows}
    documents = read_documents(session, found, holdings.identifiers)
    ranks = ranked(settings, found, documents, np.zeros(len(found)))  # one text is as clean as itself
    after = documents.numbers[canonical.least(ranks, documents.text_of, len(found))].tolist()
    return {text for text, document in zip(found.numbers.tolist(), after, strict=True) if before[text] == document}


class Regrouped(NamedTuple):
    """Texts that were clustered anew: all that matches connect with some.

    Attributes
    ----------
    texts : Texts
    documents : Documents
    rows : list of (int, int, int, bytes)
        Their matches.
    grouped : Grouped
    """

    texts: Texts
    documents: Documents
    rows: list[Row]
    grouped: Grouped


def regroup(session: Session, touched: Iterable[int], holdings: Holdings, new: Mapping[int, Raw]) -> Regrouped | None:
    """Cluster anew what is connected with the texts that were touched, and store what changed.

    Parameters
    ----------
    session : Session
    touched : iterable of int
        Texts; some may be gone.
    holdings : Holdings
    new : mapping of int to bytes
        Texts that are at hand, by their numbers.

    Returns
    -------
    Regrouped, optional
        None if no text is left.
    """
    numbers, rows = component(session, touched)
    select = "SELECT text, words, digest, canonical, document, is_digest FROM texts"
    found = set(session.find(select, "text", sorted(numbers)))
    if not found:
        return None
    texts, before = Texts.of(list(found)), {row[0]: row[3:] for row in found}
    documents = read_documents(session, texts, holdings.identifiers)
    known = stored(rows, texts, weighed=holdings.weighs)
    grouped = group(holdings.settings, texts, documents, known, holdings.verifier(session, texts, new))
    for a, b, origin, _ in rows:
        if origin == BY_CHOICE:
            session.run("DELETE FROM matches WHERE a = ? AND b = ?", (a, b))
    linked, chosen = to_rows(grouped.linked, texts, BY_HOT_KEY), to_rows(grouped.chosen, texts, BY_CHOICE)
    session.insert("matches", COLUMNS, linked + chosen)
    columns = texts.numbers[grouped.canonical], grouped.document, grouped.is_digest.astype(np.int64)
    after = zip(texts.numbers.tolist(), *(column.tolist() for column in columns), strict=True)
    for number, represented, document, is_digest in after:
        if before[number] != (represented, document, is_digest):
            session.run(
                "UPDATE texts SET canonical = ?, document = ?, is_digest = ? WHERE text = ?",
                (represented, document, is_digest, number),
            )
    there = [row for row in rows if row[2] != BY_CHOICE]
    return Regrouped(texts, documents, there + linked + chosen, grouped)
