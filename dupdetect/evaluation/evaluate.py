"""Score clusters against a truth.

Input    the clusters of a run, and what is known to be true: the cluster of each document, or pairs of documents
Output   `Evaluation`: precision and recall of pairs, B-cubed, adjusted Rand index; by relation and size; what is wrong
Cost     O(n log n) for n documents or pairs: pairs within clusters are counted, never listed

Of N documents that a found cluster and a true one have in common, N * (N - 1) / 2 pairs are right. So counts of the
documents by (found, true) cluster, the contingency table, are all that is needed, and they are at most n.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.evaluation.labels import rows_as_table, yes_or_no
from dupdetect.evaluation.options import check_whole
from dupdetect.evaluation.scores import (
    BCubed,
    Evaluation,
    MissedPairs,
    PairScore,
    RelationScore,
    SizeScore,
    WrongCluster,
)
from dupdetect.io.tables import as_table, comparable, require
from dupdetect.matching.pairs import pack, packed, unpack
from dupdetect.results.run import clusters_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]
    Judge = Callable[[Int, Int], NDArray[np.int8]]

#: Worst clusters and missed pairs listed; totals are exact however many there are.
LISTED = 20

#: Members of a wrong cluster shown, each of another truth; ids that are given as examples.
EXAMPLES = 5

#: Cluster sizes that are counted together: from each to the next.
SIZES = (2, 3, 5, 10, 100, 1_000, 10_000)

#: What a pair is.
WRONG, RIGHT, UNSCORED = 0, 1, 2


def evaluate(
    clusters: Any, truth: Any, *, ignore: Any = None, cluster_column: str = "cluster", listed: int = LISTED
) -> Evaluation:
    """Score clusters against a truth.

    Parameters
    ----------
    clusters : Result, table, mapping, str or Path
        What `dedup` returned, the folder it wrote, its table of clusters (or any of ``id`` and ``cluster``) or the
        file of it, or a mapping of ids to clusters.
    truth : table, mapping, iterable of (a, b, label), str or Path
        Of clusters: ``id`` and ``cluster`` (or `cluster_column`), a row a document. Or of pairs: ``a`` and ``b``,
        a row for each true pair, and all others are wrong; with a column ``label`` (yes or no), pairs that are not
        listed are not scored. Files are CSV, JSON Lines, Parquet or Arrow IPC.
    ignore : table, str or Path, optional
        Pairs not to score, in its first two columns: of true clusters, or of documents where the truth is of pairs.
    cluster_column : str
        The column of the truth that says which documents belong together.
    listed : int
        Worst clusters and missed pairs to list.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        Something cannot be read, lacks a column or a value, names a document twice, or no document is in both.
    SettingsError
        `listed` is no whole number from 0 on.

    Examples
    --------
    >>> found = {"a": "a", "b": "a", "c": "a", "d": "d"}
    >>> evaluate(found, {"a": 1, "b": 1, "c": 2, "d": 2}).pairs
    PairScore(right=1, found=3, true=2)
    """
    check_whole("listed", listed, 0)
    found = clusters_of(clusters)
    known = _truth_table(truth, cluster_column)
    if cluster_column in known.column_names:
        return _against_clusters(found, known, cluster_column, ignore, listed)
    return _against_pairs(found, known, ignore, listed)


def _truth_table(truth: Any, column: str) -> pa.Table:
    truth = rows_as_table(truth)
    table = as_table(truth, "truth", ("id", column))
    if column in table.column_names:
        require(table, ("id", column), "truth")
        return table
    if not {"a", "b"} <= set(table.column_names):
        listed = ", ".join(map(repr, table.column_names)) or "none"
        raise InputError(
            f"the truth has neither the columns 'id' and {column!r} nor 'a' and 'b'; there are {listed}: name the one "
            "that says which documents belong together, as cluster_column (--cluster-column)"
        )
    table = as_table(truth, "truth", ("a", "b"))  # once more: now it is known which columns are ids
    require(table, ("a", "b", "label") if "label" in table.column_names else ("a", "b"), "truth")
    return table


# ---- documents that both know ----


class _Found(NamedTuple):
    """Scored documents: their rows, ids as text, the number of each one's cluster, and the sizes of these."""

    rows: pa.Table
    ids: pa.ChunkedArray
    cluster: Int
    sizes: Int

    @classmethod
    def of(cls, rows: pa.Table, ids: pa.ChunkedArray) -> _Found:
        cluster = _numbers(comparable(rows["cluster"], "clusters"))
        return cls(rows, ids, cluster, np.bincount(cluster))

    def id(self, document: int) -> Any:
        return self.rows["id"][int(document)].as_py()


def _scored(found: pa.Table, known: pa.ChunkedArray) -> tuple[_Found, Int, dict[str, Any]]:
    """Return the documents whose ids are known, where each stands there, and what is only in one of the two."""
    ids = comparable(found["id"], "ids of the clusters")
    _refuse_repeated(ids, "clusters")
    place = pc.index_in(ids, value_set=known)
    lone, absent = pc.invert(place.is_valid()), pc.invert(pc.is_in(known, value_set=ids))
    if place.null_count == len(ids) and (len(ids) or len(known)):
        raise InputError(
            f"no id is in both the clusters ({_some(ids)}) and the truth ({_some(known)}); is it the truth of these "
            "documents?"
        )
    only = {
        "only_in_clusters": place.null_count,
        "only_in_truth": pc.sum(absent).as_py() or 0,
        "examples_only_in_clusters": found["id"].filter(lone).slice(0, EXAMPLES).to_pylist(),
        "examples_only_in_truth": known.filter(absent).slice(0, EXAMPLES).to_pylist(),
    }
    both = place.is_valid()
    return _Found.of(found.filter(both), ids.filter(both)), np.asarray(place.drop_null(), np.int64), only


def _some(ids: pa.ChunkedArray) -> str:
    shown = ", ".join(map(repr, ids.slice(0, 3).to_pylist()))
    return f"{shown}, ..." if len(ids) > 3 else shown or "there are none"


def _refuse_repeated(ids: pa.ChunkedArray, name: str) -> None:
    counts = ids.value_counts()
    if len(counts) < len(ids):
        repeated = counts.filter(pc.greater(counts.field("counts"), 1))[0]["values"].as_py()
        raise InputError(f"the document {repeated!r} is in the {name} more than once; expected a row a document")


def _numbers(labels: pa.ChunkedArray) -> Int:
    """Number labels from 0 in order of appearance."""
    return np.asarray(labels.combine_chunks().dictionary_encode().indices, np.int64)


def _within(counts: Int) -> Int:
    """Return the number of pairs among so many."""
    return counts * (counts - 1) // 2


def _sums(groups: Int, values: Int, number: int) -> Int:
    """Sum values by group, exactly: int64[number]."""
    sums = np.zeros(number, np.int64)
    np.add.at(sums, groups, values)
    return sums


def _ignored(ignore: Any, labels: pa.Array) -> Pairs:
    """Return the pairs to ignore, packed, as numbers of labels; those of unknown labels are of no concern."""
    if ignore is None:
        return np.empty(0, np.uint64)
    table = as_table(ignore, "pairs to ignore", ("a", "b"))
    if table.num_columns < 2:
        raise InputError(f"the pairs to ignore have {table.num_columns} columns; expected two at least")
    names = ("a", "b") if {"a", "b"} <= set(table.column_names) else tuple(table.column_names[:2])
    table = as_table(ignore, "pairs to ignore", names)
    sides = [pc.index_in(comparable(table[name], "pairs to ignore"), value_set=labels) for name in names]
    both = pc.and_(sides[0].is_valid(), sides[1].is_valid())
    a, b = (np.asarray(side.filter(both), np.int64) for side in sides)
    return pack(a[a != b], b[a != b])


class _Tally(NamedTuple):
    """Pairs of each found cluster, scored and right."""

    pairs: Int
    right: Int

    def wrong(self, scored: _Found, cluster: int, members: Int) -> WrongCluster:
        name = scored.rows["cluster"][int(members[0])].as_py()
        pairs, right = int(self.pairs[cluster]), int(self.right[cluster])
        return WrongCluster(
            name, int(scored.sizes[cluster]), pairs, pairs - right, [scored.id(member) for member in members]
        )

    def about(self, scored: _Found) -> dict[str, Any]:
        """Return what `Evaluation` says of wrong and unscored pairs."""
        return {
            "wrong_clusters": int((self.pairs > self.right).sum()),
            "unscored_pairs": int(_within(scored.sizes).sum() - self.pairs.sum()),
        }


def _most(values: Int, count: int) -> list[int]:
    """Return where the largest values stand, those above 0, largest first."""
    chosen = np.flatnonzero(values)
    return chosen[np.lexsort((chosen, -values[chosen]))][:count].tolist()  # type: ignore[no-any-return]


# ---- the truth is of clusters ----


class _Contingency(NamedTuple):
    """Documents by (found, true) cluster: entries in order of both, the first of each's documents, and how many."""

    found: Int
    true: Int
    first: Int
    documents: Int

    @classmethod
    def of(cls, found: Int, true: Int) -> _Contingency:
        wide = int(true.max(initial=0)) + 1
        keys, first, count = np.unique(found * wide + true, return_index=True, return_counts=True)
        return cls(keys // wide, keys % wide, first, count)


def _against_clusters(found: pa.Table, known: pa.Table, column: str, ignore: Any, listed: int) -> Evaluation:
    known_ids = comparable(known["id"], "ids of the truth")
    _refuse_repeated(known_ids, "truth")
    scored, place, only = _scored(found, known_ids)
    labels = comparable(known[column], "clusters of the truth").take(pa.array(place))
    true = _numbers(labels)
    sizes, true_sizes = scored.sizes, np.bincount(true)
    table = _Contingency.of(scored.cluster, true)
    ignored = _ignored(ignore, pc.unique(labels))
    within, beside = _apart(table, ignored, len(sizes))
    both = _within(table.documents)
    tally = _Tally(_within(sizes) - within, _sums(table.found, both, len(sizes)))
    true_right = _sums(table.true, both, len(true_sizes))

    def judge(a: Int, b: Int) -> NDArray[np.int8]:
        unscored = np.isin(packed(true[a], true[b]), ignored)
        return np.select([true[a] == true[b], unscored], [RIGHT, UNSCORED], WRONG).astype(np.int8)

    def mean(of: Int) -> float:
        return float((table.documents * (table.documents / np.maximum(of, 1))).sum() / len(true)) if len(true) else 1.0

    rand, notes = _adjusted_rand(scored.cluster, true)
    return Evaluation(
        documents=len(true),
        pairs=PairScore(int(tally.right.sum()), int(tally.pairs.sum()), int(_within(true_sizes).sum())),
        bcubed=BCubed(mean(sizes[table.found] - beside), mean(true_sizes[table.true])),
        adjusted_rand=rand,
        relations=_by_relation(scored, judge),
        sizes=_by_size((sizes, *tally), (true_sizes, _within(true_sizes), true_right)),
        worst=_worst(scored, tally, table, listed),
        missed=_missed(scored, table, listed),
        **tally.about(scored),
        **only,
        notes=notes,
    )


def _apart(table: _Contingency, ignored: Pairs, clusters: int) -> tuple[Int, Int]:
    """Count pairs of documents in one found cluster, and in two true ones that are to be ignored.

    Returns
    -------
    within : int64[clusters]
        In each found cluster.
    beside : int64[entries]
        Documents that are so beside each one of an entry of the table.
    """
    within, beside = np.zeros(clusters, np.int64), np.zeros(len(table.found), np.int64)
    by_true = np.argsort(table.true, kind="stable")  # in each true cluster in order of the found ones
    starts = np.searchsorted(table.true[by_true], np.arange(int(table.true.max(initial=-1)) + 2))
    for labels in zip(*(side.tolist() for side in unpack(ignored)), strict=True):
        x, y = (by_true[starts[label] : starts[label + 1]] for label in labels)
        common, at_x, at_y = np.intersect1d(table.found[x], table.found[y], assume_unique=True, return_indices=True)
        x, y = x[at_x], y[at_y]
        within[common] += table.documents[x] * table.documents[y]
        beside[x] += table.documents[y]
        beside[y] += table.documents[x]
    return within, beside


def _adjusted_rand(found: Int, true: Int) -> tuple[float | None, list[str]]:
    try:
        from sklearn.metrics import adjusted_rand_score
    except ImportError:
        return None, ["the adjusted Rand index needs scikit-learn: python -m pip install 'dupdetect[evaluate]'"]
    return float(adjusted_rand_score(true, found)), []


def _worst(scored: _Found, tally: _Tally, table: _Contingency, listed: int) -> list[WrongCluster]:
    """List the found clusters with most wrong pairs, with a document of each of their largest truths."""
    worst = []
    for cluster in _most(tally.pairs - tally.right, listed):
        entries = np.arange(*np.searchsorted(table.found, [cluster, cluster + 1]))
        largest = entries[np.lexsort((table.first[entries], -table.documents[entries]))][:EXAMPLES]
        worst.append(tally.wrong(scored, cluster, table.first[largest]))
    return worst


def _missed(scored: _Found, table: _Contingency, listed: int) -> list[MissedPairs]:
    """List the parts of true clusters that were found apart from their largest part."""
    order = np.lexsort((table.first, -table.documents, table.true))
    true, count, first = table.true[order], table.documents[order], table.first[order]
    starts = np.searchsorted(true, true)  # where each entry's true cluster, and so its largest part, begins
    before = np.cumsum(count) - count
    missed = count * (before - before[starts])
    return [
        MissedPairs(scored.id(first[starts[part]]), scored.id(first[part]), int(missed[part]))
        for part in _most(missed, listed)
    ]


# ---- the truth is of pairs ----


class _Pairs(NamedTuple):
    """Packed pairs of documents: true, false, to be ignored; and whether pairs that are in neither are wrong."""

    true: Pairs
    false: Pairs
    ignored: Pairs
    complete: bool

    def judge(self, a: Int, b: Int) -> NDArray[np.int8]:
        known = [np.isin(packed(a, b), listed) for listed in self[:3]]
        return np.select(known, [RIGHT, WRONG, UNSCORED], WRONG if self.complete else UNSCORED).astype(np.int8)


def _against_pairs(found: pa.Table, known: pa.Table, ignore: Any, listed: int) -> Evaluation:
    sides = [comparable(known[side], "ids of the truth") for side in ("a", "b")]
    labelled = "label" in known.column_names
    mentioned = pc.unique(pa.chunked_array([*sides[0].chunks, *sides[1].chunks], pa.large_string()))
    _, _, only = _scored(found, pa.chunked_array([mentioned]))
    if not labelled:  # a document that no pair names has no copy
        only |= {"only_in_clusters": 0, "examples_only_in_clusters": []}
    scored = _Found.of(found, comparable(found["id"], "ids of the clusters"))
    ignored = _ignored(ignore, scored.ids.combine_chunks())
    truth, unknown = _pairs_known(known, sides, scored.ids, ignored)

    def together(pairs: Pairs) -> Pairs:
        a, b = unpack(pairs)
        return pairs[scored.cluster[a] == scored.cluster[b]]  # type: ignore[no-any-return]

    def count(pairs: Pairs) -> Int:
        return np.bincount(scored.cluster[unpack(together(pairs))[0]], minlength=len(scored.sizes))

    right, false = count(truth.true), together(truth.false)
    tally = _Tally(right + count(false) if labelled else _within(scored.sizes) - count(ignored), right)
    missed = np.setdiff1d(truth.true, together(truth.true))[:listed]
    itself = pc.sum(pc.equal(*sides)).as_py() or 0
    return Evaluation(
        documents=found.num_rows - only["only_in_clusters"],
        pairs=PairScore(int(right.sum()), int(tally.pairs.sum()), len(truth.true)),
        bcubed=None,
        adjusted_rand=None,
        relations=_by_relation(scored, truth.judge),
        sizes=_by_size((scored.sizes, *tally)),
        worst=_worst_of_pairs(scored, tally, false, listed),
        missed=[MissedPairs(scored.id(a), scored.id(b), 1) for a, b in zip(*unpack(missed), strict=True)],
        **tally.about(scored),
        **only,
        unknown_true_pairs=unknown,
        notes=[f"left out: {itself:,} pairs of a document with itself"] if itself else [],
    )


def _pairs_known(
    known: pa.Table, sides: list[pa.ChunkedArray], ids: pa.ChunkedArray, ignored: Pairs
) -> tuple[_Pairs, int]:
    """Return the pairs whose documents are both in the clusters, and how many true ones are not."""
    labelled = "label" in known.column_names
    places = [pc.index_in(side, value_set=ids) for side in sides]
    both = np.asarray(pc.and_(places[0].is_valid(), places[1].is_valid()))
    a, b = (np.asarray(pc.fill_null(place, 0), np.int64) for place in places)
    true = np.asarray(yes_or_no(known["label"])) if labelled else np.ones(len(both), np.bool_)
    pairs, proper = packed(a, b), both & (a != b)
    right, wrong = pairs[proper & true], pairs[proper & ~true]
    twice = np.intersect1d(right, wrong)
    if len(twice):
        x, y = (ids[int(side)].as_py() for side in unpack(twice[0]))
        raise InputError(f"the truth labels the pair {x!r}, {y!r} both ways; decide for one")
    judged = np.setdiff1d(right, ignored), np.setdiff1d(wrong, ignored)
    return _Pairs(*judged, ignored, not labelled), int((true & ~both).sum())


def _worst_of_pairs(scored: _Found, tally: _Tally, false: Pairs, listed: int) -> list[WrongCluster]:
    """List the found clusters with most wrong pairs, with documents of such pairs where these are listed."""
    order = np.argsort(scored.cluster, kind="stable")
    starts = np.searchsorted(scored.cluster[order], np.arange(len(scored.sizes) + 1))
    named = scored.cluster[unpack(false)[0]]
    worst = []
    for cluster in _most(tally.pairs - tally.right, listed):
        wrong = np.unique(unpack(false[named == cluster]))
        members = wrong if len(wrong) else order[starts[cluster] : starts[cluster + 1]]
        worst.append(tally.wrong(scored, cluster, members[:EXAMPLES]))
    return worst


# ---- by relation and by size ----


def _by_relation(scored: _Found, judge: Judge) -> list[RelationScore]:
    """Judge each duplicate with its canonical."""
    if "relation" not in scored.rows.column_names:
        return []
    relation = pc.fill_null(comparable(scored.rows["relation"], "relations"), "")
    canonical = pc.index_in(comparable(scored.rows["cluster"], "clusters"), value_set=scored.ids)
    linked = np.flatnonzero(pc.and_(pc.not_equal(relation, ""), canonical.is_valid()))
    verdict = judge(linked, np.asarray(pc.fill_null(canonical, 0), np.int64)[linked])
    names = np.asarray(relation.take(pa.array(linked)).to_pylist(), object)
    by_name = {name: verdict[names == name] for name in sorted(set(names.tolist()))}
    return [RelationScore(name, int((v != UNSCORED).sum()), int((v == RIGHT).sum())) for name, v in by_name.items()]


def _by_size(found: tuple[Int, Int, Int], true: tuple[Int, Int, Int] | None = None) -> list[SizeScore]:
    """Sum clusters of about one size: how many, and two values of each."""

    def sums(counts: tuple[Int, Int, Int] | None) -> list[list[int | None]]:
        if counts is None:
            return [[None] * 3] * len(SIZES)
        place = np.searchsorted(SIZES, counts[0], side="right")
        columns = (np.ones_like(counts[0]), *counts[1:])
        rows = np.transpose([_sums(place, column, len(SIZES) + 1) for column in columns])[1:]  # a pair takes two
        return rows.tolist()  # type: ignore[no-any-return]

    ranges = zip(SIZES, (*(size - 1 for size in SIZES[1:]), None), strict=True)
    rows: Any = zip(ranges, sums(found), sums(true), strict=True)
    scores = [SizeScore(*sizes, *counts, *true_counts) for sizes, counts, true_counts in rows]
    return [score for score in scores if score.clusters or score.true_clusters]
