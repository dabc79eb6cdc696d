"""The stages of `dedup`, one by one, for whoever wants to stop in between or has pairs of their own.

Input    texts and tables; documents are named by their row, from 0
Output   tables: candidate pairs, matches, clusters
Cost     that of the same stage in `dedup`, in memory

`sketch` (`dupdetect.sketches.build`) comes before these. They are the functions that `dedup` composes, with nothing
between but a change from tables to arrays: no files, no memory budget, no earlier runs. `dedup` differs in that it
cleans texts first (`dupdetect.text.clean`), and in that it also compares pairs that are not in a table where a decision
rests on them: of a hot key's documents, of what digest documents contain, of members that could represent a cluster.
And it alone compares by columns: here `within`, `between` and `per` are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect._storage.arrays import Storage
from dupdetect._storage.context import Context, check_workers
from dupdetect.clustering import canonical, clusters, digests
from dupdetect.clustering.canonical import Rankable
from dupdetect.errors import InputError
from dupdetect.io.rows import Rows
from dupdetect.io.schema import names_shown
from dupdetect.matching import candidates as search
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.grouping import check_grouped
from dupdetect.matching.overlaps import IDENTICAL, Overlaps, Weights, relation_names, turned
from dupdetect.matching.pairs import missing, pack, packed, proper, unpack
from dupdetect.matching.removal import turned_verdicts
from dupdetect.matching.verify import verify_candidates
from dupdetect.pipeline.rules import tied_by_policy
from dupdetect.settings import GivenSettings, Settings, SettingsKeywords
from dupdetect.sketches.build import given_texts
from dupdetect.sketches.sketches import check_sketches, sketch_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from dupdetect.matching.pairs import Pairs
    from dupdetect.sketches.sketches import Sketches

    Int = NDArray[np.int64]

#: Columns of matches that clusters are made of, beside the pair: counts of shingles, and their weights.
COUNTS = ("shared", "size_a", "size_b")
WEIGHTS = Weights._fields


def find_candidates(sketches: Sketches, *, workers: int | None = None) -> pa.Table:
    """Find the pairs of documents that are worth verifying.

    Parameters
    ----------
    sketches : Sketches
        Of n documents, from `sketch` or `read_sketches`. Their settings say what a candidate is.
    workers : int, optional
        Threads; by default one for each processor. The result does not depend on it.

    Returns
    -------
    pyarrow.Table
        ``a``, ``b`` (int64): rows of the documents, a < b, ordered; and ``sampled`` (bool): whether the pair has a key
        in common that very many documents have, and stands for pairs that are not listed. Documents with the same words
        are each a pair with the first of them, and this one has the candidates of all.

    Examples
    --------
    >>> from dupdetect import sketch
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> find_candidates(sketch([story, "Nothing like it.", story.upper()])).to_pylist()
    [{'a': 0, 'b': 2, 'sampled': False}]
    """
    text_of, rows = _collapsed(sketches)
    found = search.find(sketches.take(rows), workers=check_workers(workers))
    a, b = (rows[side] for side in unpack(found.pairs))
    copies = np.flatnonzero(text_of >= 0)
    copies = copies[rows[text_of[copies]] != copies]
    sampled = np.concatenate([~missing(found.pairs, found.sampled), np.zeros(len(copies), np.bool_)])
    a, b = np.concatenate([a, rows[text_of[copies]]]), np.concatenate([b, copies])
    pairs = packed(a, b)
    order = np.argsort(pairs)
    a, b = unpack(pairs[order])
    return pa.table({"a": a, "b": b, "sampled": sampled[order]})


def verify(
    candidates: pa.Table,
    texts: Iterable[str] | Any,
    *,
    settings: GivenSettings = None,
    workers: int | None = None,
    **overrides: Unpack[SettingsKeywords],
) -> pa.Table:
    """Verify pairs of documents on their texts.

    Parameters
    ----------
    candidates : pyarrow.Table
        Pairs of rows ``a`` and ``b``, integers: from `find_candidates`, or pairs of your own. All of them vote on what
        is boilerplate.
    texts : iterable of str, or an Arrow array of strings
        Of all documents.
    settings : Settings or mapping, optional
        Default settings if left out.
    workers : int, optional
        Threads; by default one for each processor. The result does not depend on it.
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    pyarrow.Table
        The pairs that are copies, ordered: ``a``, ``b`` (int64, a < b), ``relation`` of a to b, ``score`` (what was
        compared with the threshold), ``jaccard``, ``containment_a`` and ``containment_b`` (share of a inside b, of b
        inside a; in [0, 1], exact and unweighted), ``boilerplate`` (share of what they share that counts as such), and
        what `cluster` works on: ``shared``, ``size_a``, ``size_b`` (distinct shingles), words by what they are
        (`matching.overlaps.Weights`), and ``verdict`` (which of the two may be removed); 0 where words are the same.

    Raises
    ------
    InputError
        A column is missing, a row is of no document, or a text cannot be used.
    SettingsError
        A setting is unknown or out of its range; or is `within`, `between` or `per`, which need the documents' columns.

    Examples
    --------
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> pairs = pa.table({"a": [0, 0], "b": [1, 2]})
    >>> matches = verify(pairs, [story, story + " It opens in May.", "Nothing like it."], threshold=0.7)
    >>> matches.select(["a", "b", "relation"]).to_pylist()
    [{'a': 0, 'b': 1, 'relation': 'near_duplicate'}]
    """
    context = Context(Settings.of(settings, **overrides), check_workers(workers), Storage())
    check_grouped(context.settings, None)
    _check_table(candidates, "candidates")
    given = given_texts(texts, context.settings)
    sketches = sketch_texts(given, context.settings, workers=context.workers)
    text_of, rows = _collapsed(sketches)
    a, b = (_column(candidates, name, len(text_of)) for name in ("a", "b"))
    a, b = unpack(proper(pack(a, b)))
    with_words = (text_of[a] >= 0) & (text_of[b] >= 0)
    a, b = a[with_words], b[with_words]
    x, y = text_of[a], text_of[b]
    pairs = proper(pack(x, y))
    found = search.Candidates(pairs, pairs[:0], 0, (), context)
    matches = verify_candidates(found, PairCounter(given, rows, context)).matches
    listed = (x == y) | ~missing(packed(x, y), matches.pairs)
    return _matches_table(a[listed], b[listed], matches, text_of, context.settings)


def cluster(matches: pa.Table, sketches: Sketches) -> pa.Table:
    """Cluster documents by their matches.

    Parameters
    ----------
    matches : pyarrow.Table
        From `verify`.
    sketches : Sketches
        Of all n documents: they say which have the same words, and which is the shorter.

    Returns
    -------
    pyarrow.Table
        n rows, in the order of the documents: ``cluster`` (int64), the row of the document that represents it;
        ``canonical`` (bool), whether that is itself; and ``digest`` (bool), whether it contains several others and is a
        copy of none. Every document matches the one that represents it.

    Raises
    ------
    InputError
        A column is missing or not as `verify` made it, or a row is of no document.

    Examples
    --------
    >>> from dupdetect import sketch
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> texts = [story, "Nothing like it.", story.upper()]
    >>> sketches = sketch(texts)
    >>> cluster(verify(find_candidates(sketches), texts), sketches)["cluster"].to_pylist()
    [0, 1, 0]
    """
    text_of, rows = _collapsed(sketches)
    found = _overlaps(matches, text_of)
    clean = clusters.cleanness(len(rows), found)
    chosen, is_digest = digests.part_digests(clusters.cluster(clean, found), clean, found, _Known(found))
    return _clusters_table(text_of, rows, chosen, is_digest)


def choose_canonicals(
    found: pa.Table,
    matches: pa.Table,
    sketches: Sketches,
    documents: pa.Table | None = None,
    *,
    settings: GivenSettings = None,
    **overrides: Unpack[SettingsKeywords],
) -> pa.Table:
    """Choose which document represents each cluster.

    Parameters
    ----------
    found : pyarrow.Table
        Clusters, from `cluster`.
    matches : pyarrow.Table
        From `verify`: a document represents a cluster only if it matches every other one of it.
    sketches : Sketches
        Of all n documents.
    documents : pyarrow.Table, optional
        n rows, with the column that the policy reads, and ``id``, which breaks ties; by default the number of the row.
    settings : Settings or mapping, optional
        ``canonical`` and ``canonical_column`` say by which policy. By default those of the sketches.
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    pyarrow.Table
        As `cluster` has it: the same clusters, represented by others.

    Raises
    ------
    InputError
        A column is missing, or cannot be ordered; or there is not a row for each document.
    SettingsError
        As for `verify`.

    Examples
    --------
    >>> from dupdetect import sketch
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> texts = [story, "Nothing like it.", story.upper()]
    >>> sketches = sketch(texts)
    >>> matches = verify(find_candidates(sketches), texts)
    >>> dates = pa.table({"date": ["2024-05-02", "2024-05-02", "2024-05-01"]})
    >>> clusters = cluster(matches, sketches)
    >>> choose_canonicals(clusters, matches, sketches, dates, canonical="earliest")["cluster"].to_pylist()
    [2, 1, 2]
    """
    text_of, rows = _collapsed(sketches)
    chosen = Settings.of(settings or sketches.settings, **overrides)
    check_grouped(chosen, None)
    known = _overlaps(matches, text_of)
    clean = clusters.cleanness(len(rows), known)
    table = pa.table({"id": np.arange(len(text_of))}) if documents is None else documents
    for name, given in (("documents", table), ("clusters", found)):
        _check_table(given, name)
        if given.num_rows != len(text_of):
            raise InputError(f"{given.num_rows} {name} were given for {len(text_of)} sketches; give a row for each")
    if "digest" not in found.column_names:
        raise InputError("there is no column 'digest' of clusters; give a table as `cluster` returns it")
    ids = table["id"] if "id" in table.column_names else pa.chunked_array([pa.array(np.arange(len(text_of)))])
    tied, clean_of = tied_by_policy(chosen, text_of), np.append(clean, 1.0)[text_of]
    ranks = canonical.rank(chosen, Rankable(Rows.of(table), ids, sketches.words, clean_of, tied))
    document_of = canonical.least(ranks, text_of, len(rows))
    grouped = text_of[_column(found, "cluster", len(text_of))[rows]]
    elected, _ = canonical.elect(chosen, grouped, ranks[document_of], clean, known, _Known(known))
    return _clusters_table(text_of, document_of, elected, found["digest"].to_numpy()[rows])


class _Known:
    """What is known of pairs: those that are not among the matches share nothing.

    Parameters
    ----------
    matches : Overlaps
    """

    def __init__(self, matches: Overlaps) -> None:
        self._matches = matches

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Return what each pair shares."""
        unknown = pairs[missing(pairs, self._matches.pairs)]
        nothing, some = np.zeros(len(unknown), np.int64), np.ones(len(unknown), np.int64)
        return self.matches(pairs) | Overlaps(unknown, nothing, some, some)

    def matches(self, pairs: Pairs) -> Overlaps:
        """Return the pairs that are known to be copies."""
        return self._matches.where(~missing(self._matches.pairs, pairs))


def _collapsed(sketches: Sketches) -> tuple[Int, Int]:
    """Return the text that each document has, -1 without words, and the first document of each text."""
    check_sketches(sketches)
    check_grouped(sketches.settings, None)
    text_of, rows = clusters.collapse(sketches.words, sketches.digests)
    return text_of, canonical.least(np.arange(len(text_of)), text_of, len(rows))


def _check_table(given: Any, name: str) -> None:
    if not isinstance(given, pa.Table):
        raise InputError(f"{name}: a {type(given).__name__} was given; expected a pyarrow.Table")


def _column(table: pa.Table, name: str, n: int) -> Int:
    """Return a column of rows of n documents, checked."""
    if name not in table.column_names:
        columns = names_shown(table.column_names)
        raise InputError(f"there is no column {name!r} of rows of documents; the columns are {columns}")
    column = table[name]
    if not pa.types.is_integer(column.type) or column.null_count:
        raise InputError(f"column {name!r} is {column.type} with {column.null_count} nulls; expected rows of documents")
    values = column.to_numpy().astype(np.int64)
    if len(values) and not 0 <= values.min() <= values.max() < n:
        raise InputError(f"column {name!r} has rows from {values.min()} to {values.max()}; expected 0 to {n - 1}")
    return values  # type: ignore[no-any-return]


def _matches_table(a: Int, b: Int, matches: Overlaps, text_of: Int, settings: Settings) -> pa.Table:
    """Return the table of pairs of documents, of the same text or of matching ones."""
    x, y = text_of[a], text_of[b]
    other = np.flatnonzero(x != y)
    found = matches.where(np.searchsorted(matches.pairs, packed(x[other], y[other])))
    weights, turn = found.weights, x[other] > y[other]  # matches are of the lesser text to the greater

    def column(values: NDArray[Any], opposite: NDArray[Any], of_same: float = 1.0) -> NDArray[Any]:
        whole = np.full(len(a), of_same, values.dtype)
        whole[other] = np.where(turn, opposite, values)
        return whole

    (relations, scores), verdicts = found.judged(settings), found.verdicts
    assert verdicts is not None, "matches are decided"
    return pa.table(
        {
            "a": a,
            "b": b,
            "relation": relation_names(column(relations, turned(relations), IDENTICAL)),
            "score": column(scores, scores),
            "jaccard": column(found.jaccard, found.jaccard),
            "containment_a": column(found.containment_a, found.containment_b),
            "containment_b": column(found.containment_b, found.containment_a),
            "boilerplate": column(weights.boilerplate, weights.boilerplate, 0.0),
            "shared": column(found.shared, found.shared, 0),
            "size_a": column(found.size_a, found.size_b, 0),
            "size_b": column(found.size_b, found.size_a, 0),
            **{name: column(*_both(weights, name), 0) for name in WEIGHTS},
            "verdict": column(verdicts, turned_verdicts(verdicts), 0),
        }
    )


def _both(weights: Weights, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a column of weights for pairs as they are, and turned."""
    opposite = {"a": "b", "b": "a"}
    base, _, side = name.rpartition("_")
    turned_name = f"{base}_{opposite[side]}" if side in opposite else name
    return getattr(weights, name), getattr(weights, turned_name)


def _overlaps(matches: pa.Table, text_of: Int) -> Overlaps:
    """Return the matches of different texts in a table of matches of documents."""
    _check_table(matches, "matches")
    for name in (*COUNTS, *WEIGHTS, "verdict"):
        if name not in matches.column_names:
            raise InputError(f"there is no column {name!r} of matches; give a table as `verify` returns it")
        type_, nulls = matches[name].type, matches[name].null_count
        if nulls or pa.types.is_nested(type_) or not (pa.types.is_boolean(type_) or pa.types.is_primitive(type_)):
            raise InputError(
                f"column {name!r} of matches is {type_} with {nulls} nulls; give a table as `verify` returns it"
            )
    x, y = (text_of[_column(matches, name, len(text_of))] for name in ("a", "b"))
    pairs, first = np.unique(packed(x, y), return_index=True)
    first = first[x[first] != y[first]]
    turn = x[first] > y[first]
    shared, size_a, size_b, verdicts = (matches[name].to_numpy()[first] for name in (*COUNTS, "verdict"))
    given = Weights(*(matches[name].to_numpy()[first] for name in WEIGHTS))
    weights = Weights(*(np.where(turn, other, mine) for mine, other in (_both(given, name) for name in WEIGHTS)))
    sizes = np.where(turn, size_b, size_a), np.where(turn, size_a, size_b)
    decided = np.where(turn, turned_verdicts(verdicts), verdicts)
    return Overlaps(proper(pairs), shared, *sizes, weights, None, decided)


def _clusters_table(text_of: Int, document_of: Int, chosen: Int, is_digest: NDArray[np.bool_]) -> pa.Table:
    """Return the table of clusters of documents, given the text that represents each text's cluster."""
    rows = np.arange(len(text_of))
    canonicals = np.where(text_of >= 0, np.append(document_of[chosen], -1)[text_of], rows)
    digest = np.append(is_digest, False)[text_of]
    return pa.table({"cluster": canonicals, "canonical": canonicals == rows, "digest": digest})
