"""Clusters and a truth to how right they are.

Input    the clusters of a run, and what is known to be true: the cluster of each document, or pairs of documents
Output   `Evaluation`: precision and recall of pairs, B-cubed, adjusted Rand index; by relation and size; what is wrong
Cost     O(n log n) for n documents or pairs: pairs within clusters are counted, never listed

Of N documents that a found cluster and a true one have in common, N * (N - 1) / 2 pairs are right. So counts of the
documents by (found, true) cluster, the contingency table, are all that is needed, and they are at most n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.evaluation.labels import yes_or_no
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
from dupdetect.results.run import clusters_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]

#: Worst clusters and missed pairs listed; totals are exact however many there are.
LISTED = 20

#: Members of a wrong cluster shown, each of another truth.
EXAMPLES = 5

#: Cluster sizes that are counted together: from each to the next.
SIZES = (2, 3, 5, 10, 100, 1_000, 10_000)

#: How scikit-learn gets here, which the adjusted Rand index is taken from.
INSTALL = "pip install 'dupdetect[evaluate]'"

_WRONG, _RIGHT, _UNSCORED = 0, 1, 2


def evaluate(
    clusters: Any, truth: Any, *, ignore: Any = None, column: str = "cluster", listed: int = LISTED
) -> Evaluation:
    """Hold clusters against a truth.

    Parameters
    ----------
    clusters : Result, table, mapping, str or Path
        What `dedup` returned, the folder it wrote, its table of clusters (or any of ``id`` and ``cluster``) or the
        file of it, or a mapping of ids to clusters.
    truth : table, mapping, str or Path
        Of clusters: ``id`` and ``cluster`` (or another `column`), a row a document. Or of pairs: ``a`` and ``b``,
        a row for each true pair, and all others are wrong; with a column ``label`` (yes or no), pairs that are not
        listed are not scored. Files are CSV, JSON Lines, Parquet or Arrow IPC.
    ignore : table, str or Path, optional
        Pairs not to score, in its first two columns: of true clusters, or of documents where the truth is of pairs.
    column : str
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

    Examples
    --------
    >>> found = {"a": "a", "b": "a", "c": "a", "d": "d"}
    >>> evaluate(found, {"a": 1, "b": 1, "c": 2, "d": 2}).pairs
    PairScore(right=1, found=3, true=2)
    """
    found = clusters_of(clusters)
    known = _truth_table(truth, column)
    if column in known.column_names:
        return _against_clusters(found, known, column, ignore, listed)
    return _against_pairs(found, known, ignore, listed)


def _truth_table(truth: Any, column: str) -> pa.Table:
    table = as_table(truth, "truth", ("id", column))
    if column in table.column_names:
        require(table, ("id", column), "truth")
        return table
    if not {"a", "b"} <= set(table.column_names):
        listed = ", ".join(map(repr, table.column_names)) or "none"
        raise InputError(
            f"the truth has neither the columns 'id' and {column!r} nor 'a' and 'b'; there are {listed}: name the one "
            "that says which documents belong together"
        )
    table = as_table(truth, "truth", ("a", "b"))  # once more: now it is known which columns hold ids
    require(table, ("a", "b", "label") if "label" in table.column_names else ("a", "b"), "truth")
    return table


# ---- documents that both know ----


class _Found(NamedTuple):
    """The scored documents: their rows' ids, as they are and as text, and the number of each one's cluster."""

    rows: pa.Table
    ids: pa.ChunkedArray
    cluster: Int

    @property
    def sizes(self) -> Int:
        return np.bincount(self.cluster)

    def id(self, document: int) -> Any:
        return self.rows["id"][int(document)].as_py()


def _scored(found: pa.Table, known: pa.ChunkedArray) -> tuple[_Found, Int, dict[str, Any]]:
    """Return the documents whose ids are known, where each stands there, and what is only in one of the two."""
    ids = comparable(found["id"], "ids of the clusters")
    _refuse_repeated(ids, "clusters")
    place = pc.index_in(ids, value_set=known)
    both = place.is_valid()
    absent = pc.invert(pc.is_in(known, value_set=ids))
    only = {
        "only_in_clusters": len(ids) - pc.sum(both).as_py() if len(ids) else 0,
        "only_in_truth": pc.sum(absent).as_py() or 0,
        "examples_only_in_clusters": found["id"].filter(pc.invert(both)).slice(0, EXAMPLES).to_pylist(),
        "examples_only_in_truth": known.filter(absent).slice(0, EXAMPLES).to_pylist(),
    }
    rows = found.filter(both)
    if not rows.num_rows and (len(ids) or len(known)):
        raise InputError(
            f"no id is in both the clusters ({_some(ids)}) and the truth ({_some(known)}); is it the truth of these "
            "documents?"
        )
    cluster = _numbers(comparable(rows["cluster"], "clusters"))
    return _Found(rows, ids.filter(both), cluster), np.asarray(place.drop_null(), np.int64), only


def _some(ids: pa.ChunkedArray) -> str:
    shown = ", ".join(map(repr, ids.slice(0, 3).to_pylist()))
    return f"{shown}, ..." if len(ids) > 3 else shown or "there are none"


def _refuse_repeated(ids: pa.ChunkedArray, name: str) -> None:
    counts = ids.value_counts() if not isinstance(ids, pa.ChunkedArray) else ids.combine_chunks().value_counts()
    if len(counts) == len(ids):
        return
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))[0]["values"].as_py()
    raise InputError(f"the document {repeated!r} is in the {name} more than once; expected a row a document")


def _numbers(labels: pa.ChunkedArray) -> Int:
    """Number labels from 0 in order of appearance."""
    return np.asarray(labels.combine_chunks().dictionary_encode().indices, np.int64)


# ---- the truth is of clusters ----


def _against_clusters(found: pa.Table, known: pa.Table, column: str, ignore: Any, listed: int) -> Evaluation:
    known_ids = comparable(known["id"], "ids of the truth")
    _refuse_repeated(known_ids, "truth")
    labels = comparable(known[column], "clusters of the truth")
    scored, place, only = _scored(found, known_ids)
    labels = labels.take(pa.array(place))
    true = _numbers(labels)
    table = _contingency(scored.cluster, true)
    apart = _apart(table, _ignored(ignore, pc.unique(labels)))
    tally = _tally(scored, true, table, apart)
    rand, notes = _adjusted_rand(scored.cluster, true)
    sizes, true_sizes = scored.sizes, np.bincount(true)
    entry_sizes = sizes[table.found] - apart.beside
    n = max(len(true), 1)
    bcubed = BCubed(
        float((table.documents * (table.documents / np.maximum(entry_sizes, 1))).sum() / n) if len(true) else 1.0,
        float((table.documents * (table.documents / true_sizes[table.true])).sum() / n) if len(true) else 1.0,
    )
    judge = _Clusters(true, apart.pairs)
    return Evaluation(
        len(true),
        tally.score,
        bcubed,
        rand,
        _by_relation(scored, judge),
        _by_size(sizes, tally.pairs, tally.right, true_sizes, _within(true_sizes), tally.true_right),
        _worst(scored, tally, table, listed),
        _missed(scored, table, listed),
        int((tally.pairs > tally.right).sum()),
        int(_within(sizes).sum() - tally.pairs.sum()),
        **only,
        notes=notes,
    )


class _Contingency(NamedTuple):
    """Documents by (found, true) cluster: entries in order of both, the first of each's documents, and how many."""

    found: Int
    true: Int
    first: Int
    documents: Int


def _contingency(found: Int, true: Int) -> _Contingency:
    wide = int(true.max(initial=0)) + 1
    keys, first, count = np.unique(found * wide + true, return_index=True, return_counts=True)
    return _Contingency(keys // wide, keys % wide, first, count)


def _within(counts: Int) -> Int:
    """Return the number of pairs among so many."""
    return counts * (counts - 1) // 2


class _Apart(NamedTuple):
    """What is not scored: pairs of true clusters, packed; such pairs in each found cluster; beside each entry."""

    pairs: Int
    within: Int
    beside: Int


def _ignored(ignore: Any, labels: pa.Array) -> Int:
    """Return the pairs to ignore, as packed numbers (`_pack`) of labels; those of unknown labels are of no concern."""
    if ignore is None:
        return np.empty(0, np.int64)
    table = as_table(ignore, "pairs to ignore", ("a", "b"))
    if table.num_columns < 2:
        raise InputError(f"the pairs to ignore have {table.num_columns} columns; expected two at least")
    names = ("a", "b") if {"a", "b"} <= set(table.column_names) else tuple(table.column_names[:2])
    table = as_table(ignore, "pairs to ignore", names)
    sides = [pc.index_in(comparable(table[name], "pairs to ignore"), value_set=labels) for name in names]
    both = pc.and_(sides[0].is_valid(), sides[1].is_valid())
    a, b = (np.asarray(side.filter(both), np.int64) for side in sides)
    return np.unique(_pack(a[a != b], b[a != b]))


def _pack(a: Int, b: Int) -> Int:
    """Return pairs of numbers below 2**31, either order, as one number each."""
    return np.minimum(a, b) << 32 | np.maximum(a, b)


def _apart(table: _Contingency, ignored: Int) -> _Apart:
    """Count the pairs of documents that stand in one found cluster and in two true ones to be ignored."""
    within = np.zeros(int(table.found.max(initial=-1)) + 1, np.int64)
    beside = np.zeros(len(table.found), np.int64)
    by_true = np.argsort(table.true, kind="stable")  # in each true cluster in order of the found ones
    starts = np.searchsorted(table.true[by_true], np.arange(int(table.true.max(initial=-1)) + 2))
    for pair in ignored.tolist():
        x, y = (by_true[starts[label] : starts[label + 1]] for label in (pair >> 32, pair & 0xFFFFFFFF))
        common, at_x, at_y = np.intersect1d(table.found[x], table.found[y], assume_unique=True, return_indices=True)
        x, y = x[at_x], y[at_y]
        within[common] += table.documents[x] * table.documents[y]
        beside[x] += table.documents[y]
        beside[y] += table.documents[x]
    return _Apart(ignored, within, beside)


class _Tally(NamedTuple):
    """Pairs of each found cluster, scored and right; of each true cluster, found; and all of them."""

    pairs: Int
    right: Int
    true_right: Int
    score: PairScore


def _tally(scored: _Found, true: Int, table: _Contingency, apart: _Apart) -> _Tally:
    pairs = _within(scored.sizes) - apart.within
    right, true_right = _sums(table.found, _within(table.documents)), _sums(table.true, _within(table.documents))
    total = int(_within(np.bincount(true)).sum())
    return _Tally(pairs, right, true_right, PairScore(int(right.sum()), int(pairs.sum()), total))


def _sums(groups: Int, values: Int) -> Int:
    """Sum values by group, exactly."""
    sums = np.zeros(int(groups.max(initial=-1)) + 1, np.int64)
    np.add.at(sums, groups, values)
    return sums


def _adjusted_rand(found: Int, true: Int) -> tuple[float | None, list[str]]:
    try:
        from sklearn.metrics import adjusted_rand_score
    except ImportError:
        return None, [f"the adjusted Rand index needs scikit-learn; install it with: {INSTALL}"]
    return float(adjusted_rand_score(true, found)), []


def _worst(scored: _Found, tally: _Tally, table: _Contingency, listed: int) -> list[WrongCluster]:
    """List the found clusters with most wrong pairs, with a document of each of their largest truths."""
    false = tally.pairs - tally.right
    worst = []
    for cluster in _most(false, listed):
        entries = np.arange(*np.searchsorted(table.found, [cluster, cluster + 1]))
        largest = entries[np.lexsort((table.first[entries], -table.documents[entries]))][:EXAMPLES]
        worst.append(_wrong(scored, tally, cluster, table.first[largest]))
    return worst


def _wrong(scored: _Found, tally: _Tally, cluster: int, members: Int) -> WrongCluster:
    name = scored.rows["cluster"][int(members[0])].as_py()
    size, pairs, right = (int(values[cluster]) for values in (scored.sizes, tally.pairs, tally.right))
    return WrongCluster(name, size, pairs, pairs - right, [scored.id(member) for member in members])


def _most(values: Int, count: int) -> list[int]:
    """Return where the largest values stand, those above 0, largest first."""
    chosen = np.flatnonzero(values)
    return chosen[np.lexsort((chosen, -values[chosen]))][:count].tolist()  # type: ignore[no-any-return]


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


def _against_pairs(found: pa.Table, known: pa.Table, ignore: Any, listed: int) -> Evaluation:
    sides = [comparable(known[side], "ids of the truth") for side in ("a", "b")]
    labelled = "label" in known.column_names
    mentioned = pc.unique(pa.chunked_array([*sides[0].chunks, *sides[1].chunks], pa.large_string()))
    _, _, only = _scored(found, pa.chunked_array([mentioned]))
    if not labelled:  # a document that no pair names has no copy
        only |= {"only_in_clusters": 0, "examples_only_in_clusters": []}
    ids = comparable(found["id"], "ids of the clusters")
    scored = _Found(found, ids, _numbers(comparable(found["cluster"], "clusters")))
    truth, unknown = _pairs_known(known, sides, ids, labelled)
    truth = truth.without(_ignored(ignore, ids.combine_chunks()))
    tally = _tally_pairs(scored, truth)
    missed = truth.true[~truth.together(truth.true, scored.cluster)]
    return Evaluation(
        found.num_rows - only["only_in_clusters"],
        tally.score,
        None,
        None,
        _by_relation(scored, truth),
        _by_size(scored.sizes, tally.pairs, tally.right),
        _worst_of_pairs(scored, tally, truth, listed),
        [MissedPairs(scored.id(pair >> 32), scored.id(pair & 0xFFFFFFFF), 1) for pair in missed[:listed].tolist()],
        int((tally.pairs > tally.right).sum()),
        int(_within(scored.sizes).sum() - tally.pairs.sum()),
        **only,
        unknown_true_pairs=unknown,
        notes=_of_themselves(sides),
    )


def _of_themselves(sides: list[pa.ChunkedArray]) -> list[str]:
    count = pc.sum(pc.equal(*sides)).as_py() or 0
    return [f"left out: {count:,} pairs of a document with itself"] if count else []


class _Judge(Protocol):
    """Says of pairs of documents whether they belong together."""

    def judge(self, a: Int, b: Int) -> NDArray[np.int8]: ...


class _Clusters(NamedTuple):
    """The true cluster of each document, and the pairs of those that are not scored."""

    labels: Int
    ignored: Int

    def judge(self, a: Int, b: Int) -> NDArray[np.int8]:
        """Return `_RIGHT`, `_WRONG` or `_UNSCORED` for each pair."""
        x, y = self.labels[a], self.labels[b]
        unscored = np.isin(_pack(x, y), self.ignored)
        return np.select([x == y, unscored], [_RIGHT, _UNSCORED], _WRONG).astype(np.int8)


class _Pairs(NamedTuple):
    """Packed pairs of documents: true, false, not to be scored; `others` is what all other pairs are."""

    true: Int
    false: Int
    ignored: Int
    others: int

    def judge(self, a: Int, b: Int) -> NDArray[np.int8]:
        """Return `_RIGHT`, `_WRONG` or `_UNSCORED` for each pair."""
        pairs = _pack(a, b)
        known = [np.isin(pairs, listed) for listed in (self.true, self.false, self.ignored)]
        return np.select(known, [_RIGHT, _WRONG, _UNSCORED], self.others).astype(np.int8)

    def without(self, ignored: Int) -> _Pairs:
        """Return the same with some pairs not to be scored."""
        return _Pairs(np.setdiff1d(self.true, ignored), np.setdiff1d(self.false, ignored), ignored, self.others)

    @staticmethod
    def together(pairs: Int, cluster: Int) -> NDArray[np.bool_]:
        """Say which pairs are of one found cluster."""
        return cluster[pairs >> 32] == cluster[pairs & 0xFFFFFFFF]  # type: ignore[no-any-return]


def _pairs_known(
    known: pa.Table, sides: list[pa.ChunkedArray], ids: pa.ChunkedArray, labelled: bool
) -> tuple[_Pairs, int]:
    """Return the pairs whose documents are both in the clusters, and how many true ones are not."""
    places = [pc.index_in(side, value_set=ids) for side in sides]
    both = np.asarray(pc.and_(places[0].is_valid(), places[1].is_valid()))
    a, b = (np.asarray(pc.fill_null(place, 0), np.int64) for place in places)
    true = np.asarray(yes_or_no(known["label"])) if labelled else np.ones(len(both), np.bool_)
    pairs, other = _pack(a, b), a != b
    right, wrong = np.unique(pairs[both & other & true]), np.unique(pairs[both & other & ~true])
    twice = np.intersect1d(right, wrong)
    if len(twice):
        x, y = (ids[int(side)].as_py() for side in (twice[0] >> 32, twice[0] & 0xFFFFFFFF))
        raise InputError(f"the truth labels the pair {x!r}, {y!r} both ways; decide for one")
    empty = np.empty(0, np.int64)
    return _Pairs(right, wrong, empty, _UNSCORED if labelled else _WRONG), int((true & ~both).sum())


def _tally_pairs(scored: _Found, truth: _Pairs) -> _Tally:
    cluster, sizes = scored.cluster, scored.sizes

    def count(pairs: Int) -> Int:
        met = pairs[truth.together(pairs, cluster)]
        return np.bincount(cluster[met >> 32], minlength=len(sizes))

    right = count(truth.true)
    pairs = right + count(truth.false) if truth.others == _UNSCORED else _within(sizes) - count(truth.ignored)
    return _Tally(pairs, right, right, PairScore(int(right.sum()), int(pairs.sum()), len(truth.true)))


def _worst_of_pairs(scored: _Found, tally: _Tally, truth: _Pairs, listed: int) -> list[WrongCluster]:
    order = np.argsort(scored.cluster, kind="stable")
    starts = np.searchsorted(scored.cluster[order], np.arange(len(scored.sizes) + 1))
    named = scored.cluster[truth.false >> 32]
    worst = []
    for cluster in _most(tally.pairs - tally.right, listed):
        false = truth.false[named == cluster]
        false = false[truth.together(false, scored.cluster)]
        wrong = np.unique(np.concatenate([false >> 32, false & 0xFFFFFFFF]))
        members = wrong if len(wrong) else order[starts[cluster] : starts[cluster + 1]]
        worst.append(_wrong(scored, tally, cluster, members[:EXAMPLES]))
    return worst


# ---- by relation and by size ----


def _by_relation(scored: _Found, truth: _Judge) -> list[RelationScore]:
    """Judge each duplicate with its canonical."""
    if "relation" not in scored.rows.column_names:
        return []
    relation = pc.fill_null(scored.rows["relation"].cast(pa.large_string()), "")
    canonical = pc.index_in(comparable(scored.rows["cluster"], "clusters"), value_set=scored.ids)
    linked = np.flatnonzero(pc.and_(pc.not_equal(relation, ""), canonical.is_valid()))
    verdict = truth.judge(linked, np.asarray(pc.fill_null(canonical, 0), np.int64)[linked])
    names = np.asarray(relation.take(pa.array(linked)).to_pylist(), object)
    scores = []
    for name in sorted(set(names.tolist())):
        of_it = verdict[names == name]
        scores.append(RelationScore(name, int((of_it != _UNSCORED).sum()), int((of_it == _RIGHT).sum())))
    return scores


def _by_size(
    sizes: Int,
    pairs: Int,
    right: Int,
    true_sizes: Int | None = None,
    true_pairs: Int | None = None,
    true_right: Int | None = None,
) -> list[SizeScore]:
    """Sum clusters of about one size."""

    def sums(of: Int | None, *values: Int | None) -> list[list[Any]]:
        if of is None:
            return [[None] * (1 + len(values))] * len(SIZES)
        place = np.searchsorted(SIZES, of, side="right")
        columns = [np.ones(len(of), np.int64), *values]
        return np.array([_sums_of(place, v) for v in columns if v is not None]).T.tolist()  # type: ignore[no-any-return]

    rows = zip(SIZES, (*(s - 1 for s in SIZES[1:]), None), sums(sizes, pairs, right), strict=True)
    truths = sums(true_sizes, true_pairs, true_right)
    scores = [SizeScore(least, most, *row, *true) for (least, most, row), true in zip(rows, truths, strict=True)]
    return [score for score in scores if score.clusters or score.true_clusters]


def _sums_of(place: Int, values: Int) -> Int:
    sums = np.zeros(len(SIZES) + 1, np.int64)
    np.add.at(sums, place, values)
    return sums[1:]  # those of one document have no pairs
