"""Decisions to tables.

Input    the documents, the text that each has, the matches and the canonical of each text
Output   the tables `clusters`, `matches` and `kept`
Cost     O(n), and a sort of the matches
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.verify import CONTAINED, CONTAINS, IDENTICAL, NONE, RELATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.documents import Documents
    from dupdetect.settings import Settings
    from dupdetect.verify import Overlaps

    Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Decision:
    """What was found among n documents with m distinct texts.

    Attributes
    ----------
    text_of : int64[n]
        The text that each document has, -1 for a document without words.
    document_of : int64[m]
        The document that represents each text.
    canonical : int64[m]
        The text that represents each text's cluster.
    matches : Overlaps
        Of texts.
    """

    text_of: Int
    document_of: Int
    canonical: Int
    matches: Overlaps

    @property
    def canonical_documents(self) -> Int:
        """The document that represents each document: int64[n]."""
        represented = self.document_of[self.canonical]
        return np.where(self.text_of >= 0, represented[self.text_of], np.arange(len(self.text_of)))


def clusters_table(documents: Documents, decision: Decision, settings: Settings) -> pa.Table:
    """Return the table `clusters`: a row for each document, in input order."""
    n = len(documents)
    own, canonical = np.arange(n), decision.canonical_documents
    is_canonical = canonical == own
    text, represented = decision.text_of, decision.text_of[canonical]
    at = _find(decision.matches, text, represented)
    matches = decision.matches.where(at)
    towards = matches.relations(settings)
    # Relations are of the lesser text to the greater; here they are wanted of the document to its canonical.
    relation = np.where(text == represented, IDENTICAL, np.where(text < represented, towards, _turned(towards)))
    same = text == represented
    shares = [np.where(same, 1.0, share) for share in (matches.scores(settings), matches.jaccard, matches.containment)]
    return pa.table(
        {
            "id": documents.ids,
            "cluster": documents.ids.take(pa.array(canonical)),
            "canonical": is_canonical,
            "relation": _relation_names(np.where(is_canonical, NONE, relation)),
            **{
                name: pa.array(share, mask=is_canonical)
                for name, share in zip(("score", "jaccard", "containment"), shares, strict=True)
            },
        }
    )


def matches_table(documents: Documents, decision: Decision, settings: Settings) -> pa.Table:
    """Return the table `matches`: a row for each pair, ordered by its ids; of documents with the same words, a row
    for each with the one that represents them.
    """
    matches = decision.matches
    copies = np.flatnonzero(decision.text_of >= 0)
    copies = copies[decision.document_of[decision.text_of[copies]] != copies]
    ones = np.ones(len(copies))
    zeros = np.zeros(len(copies) + len(matches.pairs))
    a = np.concatenate([decision.document_of[decision.text_of[copies]], decision.document_of[matches.a]])
    b = np.concatenate([copies, decision.document_of[matches.b]])
    relation = np.concatenate([np.full(len(copies), IDENTICAL), matches.relations(settings)])
    table = pa.table(
        {
            "a": documents.ids.take(pa.array(a)),
            "b": documents.ids.take(pa.array(b)),
            "relation": _relation_names(relation),
            "score": np.concatenate([ones, matches.scores(settings)]),
            "jaccard": np.concatenate([ones, matches.jaccard]),
            "containment_a": np.concatenate([ones, matches.containment_a]),
            "containment_b": np.concatenate([ones, matches.containment_b]),
            "template": zeros,
        }
    )
    return table.sort_by([("a", "ascending"), ("b", "ascending")]).combine_chunks()


def kept_table(documents: Documents, decision: Decision) -> pa.Table:
    """Return the table `kept`: the rows of the canonicals, every column, in input order."""
    keep = decision.canonical_documents == np.arange(len(documents))
    return documents.table.filter(pa.array(keep))


def _find(matches: Overlaps, a: Int, b: Int) -> Int:
    """Return where each pair stands in `matches`; anywhere for pairs that do not."""
    if len(matches.pairs) == 0:
        return np.empty(0, np.int64)
    low, high = np.minimum(a, b), np.maximum(a, b)
    wanted = low.astype(np.uint64) << np.uint64(32) | high.astype(np.uint64)
    return np.minimum(np.searchsorted(matches.pairs, wanted), len(matches.pairs) - 1)


def _turned(relation: NDArray[np.int8]) -> NDArray[np.int8]:
    """Turn relations of a to b into relations of b to a."""
    return np.select([relation == CONTAINS, relation == CONTAINED], [CONTAINED, CONTAINS], relation).astype(np.int8)


def _relation_names(codes: NDArray[np.int8]) -> pa.Array:
    names = pa.array([None, *RELATIONS[1:]], pa.string())
    return names.take(pa.array(codes))


def relation_counts(clusters: pa.Table) -> dict[str, int]:
    """Count the duplicates by their relation to their canonical."""
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(clusters["relation"]).to_pylist()}
    return {name: counts.get(name, 0) for name in RELATIONS[1:]}
