"""What was decided, to the tables of a result.

Input    the corpus and a `Decision`: the text that each document has, the matches and the canonical of each text
Output   the tables `clusters`, `matches`, `digests`, `kept` and `boilerplate`
Cost     O(n), and a sort of the matches
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.io.identifiers import ID_COLUMNS, as_type
from dupdetect.matching.overlaps import IDENTICAL, NONE, RELATIONS, relation_names, turned
from dupdetect.matching.pairs import missing, packed, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.clustering.digests import Contents
    from dupdetect.io.originals import Originals
    from dupdetect.io.rows import Rows
    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]


class Listed(Protocol):
    """The documents that a table is of: a `Corpus`, or what an index holds."""

    @property
    def ids(self) -> pa.ChunkedArray: ...  # noqa: D102
    @property
    def new(self) -> int: ...  # noqa: D102
    @property
    def again(self) -> NDArray[np.bool_] | None: ...  # noqa: D102
    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Decision:
    """What was found among n documents with m distinct texts.

    Attributes
    ----------
    text_of : int64[n]
        The text that each document has, -1 for a document without words.
    ranks : int64[n]
        The order of documents by the canonical policy, 0 first.
    document_of : int64[m]
        The document that represents each text: the first of those that have it.
    canonical : int64[m]
        The text that represents each text's cluster.
    matches : Overlaps
        Of texts.
    is_digest : bool[m]
        The texts that contain several others.
    contents : Contents
        What these contain.
    boilerplate : Boilerplate
        What they say of their shingles.
    same : int64[m], optional
        Equal for texts of the same words that may not be one (`matching.grouping`); else no two texts have the same.
    wordless : int64[n], optional
        The document that represents each document without words; the others represent themselves.
    """

    text_of: Int
    ranks: Int
    document_of: Int
    canonical: Int
    matches: Overlaps
    is_digest: NDArray[np.bool_]
    contents: Contents
    boilerplate: Boilerplate
    same: Int | None = None
    wordless: Int | None = None

    def relations(self, settings: Settings) -> NDArray[np.int8]:
        """Return the relation of the first to the second of each match, codes of `RELATIONS`."""
        found = self.matches.relations(settings)
        if self.same is None:
            return found
        alike = self.same[self.matches.a] == self.same[self.matches.b]
        return np.where(alike, IDENTICAL, found).astype(np.int8)

    @property
    def canonical_documents(self) -> Int:
        """The document that represents each document: int64[n]."""
        represented = np.arange(len(self.text_of)) if self.wordless is None else self.wordless.copy()
        with_words = np.flatnonzero(self.text_of >= 0)
        represented[with_words] = self.document_of[self.canonical][self.text_of[with_words]]
        return represented

    @property
    def digest_documents(self) -> Int:
        """The digest documents that contain the canonical of a cluster, in input order."""
        holds = np.zeros(len(self.is_digest) + 1, bool)
        holds[self.contents.digest] = True
        return np.flatnonzero(holds[self.text_of])


def clusters_tables(corpus: Listed, decision: Decision, settings: Settings) -> tuple[pa.Table, pa.Table]:
    """Return the tables `clusters`, a row for each new document in input order, and `superseded`."""
    table = clusters_table(corpus, decision, settings)
    superseded = np.zeros(len(corpus), np.bool_)
    superseded[corpus.new :] = decision.canonical_documents[corpus.new :] < corpus.new
    return table.slice(0, corpus.new), table.filter(pa.array(superseded))


def with_ids(table: pa.Table, type_: pa.DataType | None) -> pa.Table:
    """Return a table with its ids in the type that they have in the input."""
    for name in ID_COLUMNS if type_ is not None else ():
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, as_type(table[name], type_))
    return table


def clusters_table(corpus: Listed, decision: Decision, settings: Settings) -> pa.Table:
    """Return a row for each document."""
    n = len(corpus)
    canonical = decision.canonical_documents
    is_canonical = canonical == np.arange(n)
    text, represented = decision.text_of, decision.text_of[canonical]
    relation = np.where(is_canonical, NONE, IDENTICAL)
    score, jaccard, containment = np.ones(n), np.ones(n), np.ones(n)
    lost, lost_share = np.zeros(n, np.int64), np.zeros(n)

    changed = np.flatnonzero(text != represented)
    chosen = np.searchsorted(decision.matches.pairs, packed(text[changed], represented[changed]))
    match = decision.matches.where(chosen)
    # Matches relate the lesser text to the greater; here it is the document to its canonical.
    towards, lesser = decision.relations(settings)[chosen], text[changed] < represented[changed]
    relation[changed] = np.where(lesser, towards, turned(towards))
    score[changed], jaccard[changed] = match.scores(settings), match.jaccard
    containment[changed] = match.containment
    lost[changed] = np.where(lesser, match.weights.lost_a, match.weights.lost_b)
    lost_share[changed] = np.where(lesser, *match.shares_lost)
    return pa.table(
        {
            "id": corpus.ids,
            "cluster": corpus.ids.take(pa.array(canonical)),
            "canonical": is_canonical,
            "relation": relation_names(relation),
            "score": pa.array(score, mask=is_canonical),
            "jaccard": pa.array(jaccard, mask=is_canonical),
            "containment": pa.array(containment, mask=is_canonical),
            "lost": pa.array(lost, mask=is_canonical),
            "lost_share": pa.array(lost_share, mask=is_canonical),
        }
    )


def with_origins(clusters: pa.Table, corpus: Corpus) -> pa.Table:
    """Add to a row for each new document where it was read: ``file``, null for data in memory, and ``row``."""
    file, row = corpus.origins()
    return clusters.append_column("file", file).append_column("row", row)


def matches_table(corpus: Listed, decision: Decision, settings: Settings) -> tuple[pa.Table, int]:
    """Return the table `matches`, ordered by its ids, and how many pairs are not listed in it.

    One of each pair is new.

    A match of two texts is one of every two documents that have them, and so is a text that several documents have.
    Where these are more than `Settings.hot_key_documents`, one document stands for all of its text; but a document and
    its canonical always have their row.
    """
    matches = decision.matches
    bounds, members = _members(decision)
    within, same_unlisted = _pairs_within(bounds, members, settings.hot_key_documents)
    copies = np.flatnonzero((decision.text_of < 0) & (decision.canonical_documents != np.arange(len(corpus))))
    wordless = decision.canonical_documents[copies], copies
    same = _with_new(corpus, tuple(map(np.concatenate, zip(within, wordless, strict=True))))
    (a, b, match), unlisted = _pairs_between(bounds, members, decision, settings.hot_key_documents)
    a, b, match = _with_new(corpus, (a, b, match))
    relation = np.concatenate([np.full(len(same[0]), IDENTICAL), decision.relations(settings)[match]])

    def shares(values: NDArray[np.float64], of_same: float = 1.0) -> NDArray[np.float64]:
        return np.concatenate([np.full(len(same[0]), of_same), values[match]])

    table = pa.table(
        {
            "a": corpus.ids.take(pa.array(np.concatenate([same[0], a]))),
            "b": corpus.ids.take(pa.array(np.concatenate([same[1], b]))),
            "relation": relation_names(relation),
            "score": shares(matches.scores(settings)),
            "jaccard": shares(matches.jaccard),
            "containment_a": shares(matches.containment_a),
            "containment_b": shares(matches.containment_b),
            "boilerplate": shares(matches.weights.boilerplate, 0.0),
        }
    )
    table = table.sort_by([("a", "ascending"), ("b", "ascending")]).combine_chunks()
    return table, same_unlisted + unlisted


def _with_new(corpus: Listed, rows: tuple[Int, ...]) -> tuple[Int, ...]:
    """Return the rows whose first or second document is new, without those of documents that are there already."""
    chosen = np.minimum(rows[0], rows[1]) < corpus.new
    if corpus.again is not None:
        again = np.append(corpus.again, np.zeros(len(corpus) - corpus.new, np.bool_))
        chosen &= ~(again[rows[0]] | again[rows[1]])
    return rows if chosen.all() else tuple(column[chosen] for column in rows)


def _members(decision: Decision) -> tuple[Int, Int]:
    """Return the documents that have each text, a row each, in order of rank: whoever represents it first."""
    texts = len(decision.document_of)
    documents = np.flatnonzero(decision.text_of >= 0)
    text = decision.text_of[documents]
    order = np.lexsort((decision.ranks[documents], text))
    return np.append(0, np.cumsum(np.bincount(text, minlength=texts))), documents[order]


def _pairs_within(bounds: Int, members: Int, most: int) -> tuple[tuple[Int, Int], int]:
    """Return the pairs of documents that have the same text: all of them, or the first with each other."""
    sizes = np.diff(bounds)
    few = (sizes > 1) & (sizes <= most)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(members)) - bounds[rows]
    reach = np.where(few[rows], place, np.minimum(place, 1))  # how many before it a document is paired with
    b = np.repeat(members, reach)
    step = np.arange(len(b)) - np.repeat(np.cumsum(reach) - reach, reach)
    a = members[np.repeat(bounds[rows], reach) + step]
    return (a, b), int((sizes * (sizes - 1) // 2).sum()) - len(b)


def _pairs_between(bounds: Int, members: Int, decision: Decision, most: int) -> tuple[tuple[Int, Int, Int], int]:
    """Return the pairs of documents that have matching texts, and the match of each.

    Where they are too many, these are the first of both; if one of the texts is the other's canonical, its first with
    all of the other.
    """
    x, y = decision.matches.a, decision.matches.b
    sizes = np.diff(bounds)
    total = sizes[x] * sizes[y]
    all_of_x = (total <= most) | (decision.canonical[x] == y)
    all_of_y = (total <= most) | (decision.canonical[y] == x)
    wide = np.where(all_of_y, sizes[y], 1)
    count = np.where(all_of_x, sizes[x], 1) * wide
    match = np.repeat(np.arange(len(x)), count)
    step = np.arange(len(match)) - np.repeat(np.cumsum(count) - count, count)
    a = members[bounds[x[match]] + step // wide[match]]
    b = members[bounds[y[match]] + step % wide[match]]
    return (a, b, match), int(total.sum()) - len(match)


def digests_table(corpus: Listed, decision: Decision, settings: Settings) -> pa.Table:
    """Return the table `digests`: a row for each digest document and each canonical in it.

    It is ordered by id, then by share, the most first. Where more than `Settings.hot_key_documents` documents have the
    text of one, the document that represents the text stands for all.
    """
    contents = decision.contents
    digest = decision.digest_documents
    text = decision.text_of[digest]
    few = np.bincount(text, minlength=len(decision.is_digest)) <= settings.hot_key_documents
    listed = few[text] | (decision.document_of[text] == digest)
    digest, text = digest[listed], text[listed]
    first = np.searchsorted(contents.digest, text)
    count = np.searchsorted(contents.digest, text, side="right") - first
    row = spread(first, count)
    digest, contained, row = _with_new(
        corpus, (np.repeat(digest, count), decision.document_of[contents.canonical[row]], row)
    )
    table = pa.table(
        {
            "id": corpus.ids.take(pa.array(digest)),
            "cluster": corpus.ids.take(pa.array(contained)),
            "containment": contents.containment[row],
            "share": contents.share[row],
        }
    )
    order = [("id", "ascending"), ("share", "descending"), ("cluster", "ascending")]
    return table.sort_by(order).combine_chunks()


def kept_rows(corpus: Corpus, decision: Decision) -> Rows:
    """Return the table `kept`: the rows of the canonicals, every column, in input order."""
    return corpus.rows.take(_stays(corpus, decision))


def kept_originals(corpus: Corpus, decision: Decision) -> Originals | None:
    """Return the same rows as they stand in their files; None of data in memory."""
    originals = corpus.originals
    return None if originals is None else originals.take(corpus.places[: corpus.new][_stays(corpus, decision)])


def _stays(corpus: Corpus, decision: Decision) -> NDArray[np.bool_]:
    return np.equal(decision.canonical_documents[: corpus.new], np.arange(corpus.new))


def boilerplate_table(boilerplate: Boilerplate, known: Boilerplate) -> pa.Table:
    """Return the table `boilerplate`: a row for each shingle that was voted on, in order.

    The votes that were known before are not counted.
    """
    margin = boilerplate.margin.copy()
    margin[np.searchsorted(boilerplate.shingles, known.shingles)] -= known.margin
    voted = missing(boilerplate.shingles, known.shingles) | (margin != 0)
    return pa.table({"shingle": boilerplate.shingles[voted], "margin": margin[voted]})


def relation_counts(clusters: pa.Table) -> dict[str, int]:
    """Count the duplicates by their relation to their canonical."""
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(clusters["relation"]).to_pylist()}
    return {name: counts.get(name, 0) for name in RELATIONS[1:]}
