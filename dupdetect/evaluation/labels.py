"""Read a truth as labelled pairs of documents.

Input    documents, and either pairs (a, b, label) or clusters (id, cluster)
Output   `Labelled`: pairs of rows, whether each is a copy, how many pairs it stands for, what was left out
Cost     reading the truth; with clusters, sketching the documents once for each shingle size

Clusters say of every pair whether it is one, and most pairs have nothing in common. So negatives are the hard ones:
candidates of a liberal search that lie in different clusters. Where there are too many, some are drawn, and each
stands for as many as it was drawn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError
from dupdetect.io.tables import as_table, comparable, require
from dupdetect.matching import candidates
from dupdetect.matching.pairs import pack, packed, union, unpack, without
from dupdetect.sketches.sketches import sketch_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.io.documents import Documents
    from dupdetect.matching.pairs import Pairs
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]

#: Rows of a band of the liberal search, with as many bands as fit: of pairs with Jaccard 0.3, 42 bands
#: of 3 rows find two thirds, of those with 0.5 nearly all.
LIBERAL_ROWS = 3

#: Its window and share of fingerprints, for what is contained.
LIBERAL_WINDOW, LIBERAL_SHARE = 8, 0.1

#: Examples named in a note.
EXAMPLES = 3

_YES = ("true", "1", "1.0", "yes", "y", "same", "duplicate", "match")
_NO = ("false", "0", "0.0", "no", "n", "different", "distinct", "none")


@dataclass(frozen=True, eq=False)
class Labelled:
    """n pairs of documents, each either a copy or not.

    Attributes
    ----------
    pairs : uint64[n]
        Rows of the documents, packed (`pairs.pack`): sorted, distinct.
    copy : bool[n]
    weight : float64[n]
        How many pairs each stands for, at least 1.
    notes : list of str
        What was left out.
    """

    pairs: Pairs
    copy: NDArray[np.bool_]
    weight: NDArray[np.float64]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.pairs)


def read(
    source: Any, documents: Documents, settings: Settings, *, column: str, positive: Sequence[str],
    sizes: Sequence[int], sample: int, workers: int,
) -> Labelled:  # fmt: skip
    """Read a truth and find its documents.

    Parameters
    ----------
    source : path, Arrow stream, mapping or iterable of (a, b, label)
        A table has columns a, b, label, or id and that of clusters; a mapping goes from id to cluster.
    documents : Documents
    settings : Settings
        Of the search for negatives; used with clusters only.
    column : str
        Of the clusters.
    positive : sequence of str
        Labels that mean a copy, all others meaning none; without any, labels must say yes or no.
    sizes : sequence of int
        Shingle sizes to search with.
    sample : int
        Most copies, and most other pairs, with clusters.
    workers : int

    Raises
    ------
    InputError
        The truth cannot be read, names none of the documents, contradicts itself, or has copies only, or none.
    """
    table = _table(source, column)
    if column in table.column_names and "label" not in table.column_names:
        require(table, ("id", column), "truth")
        table = table.select(["id", column]).rename_columns(["id", "cluster"])
        labelled = _of_clusters(table, documents, settings, sizes, sample, workers)
    else:
        labelled = _of_pairs(table, documents, positive)
    copies = int(labelled.copy.sum())
    if copies in (0, len(labelled)):
        there, lacking = ("copies", "pairs that are none") if copies else ("pairs that are none", "copies")
        raise InputError(
            f"of the truth's pairs {len(labelled)} are of these documents, {there if len(labelled) else 'nothing'} "
            f"among them only; expected both: add {lacking}"
        )
    return labelled


def _table(source: Any, column: str) -> pa.Table:
    source = rows_as_table(source)
    columns = ("id", column) if isinstance(source, Mapping) else ("a", "b")
    table = as_table(source, "truth", columns)
    if column in table.column_names and "label" not in table.column_names:
        return as_table(source, "truth", ("id", column))  # ids like 007 are no numbers
    return table


def rows_as_table(source: Any) -> Any:
    """Return a truth that is an iterable of rows, (a, b, label) or mappings, as a table; any other as it is."""
    is_table = isinstance(source, str | bytes | Mapping) or hasattr(source, "__arrow_c_stream__")
    return _of_rows(list(source)) if isinstance(source, Iterable) and not is_table else source


def _of_rows(rows: list[Any]) -> pa.Table:
    try:
        if all(isinstance(row, Mapping) for row in rows):
            return pa.Table.from_pylist(rows)
        a, b, label = zip(*((a, b, label) for a, b, label in rows), strict=True) if rows else ((), (), ())
        return pa.table({"a": _column(a), "b": _column(b), "label": _column(label)})
    except (TypeError, ValueError, pa.ArrowException):
        raise InputError("the truth has rows that are no triples; expected (a, b, label), the label 1 or 0") from None


def _column(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError):
        return pa.array(list(map(str, values)))  # 7 and "7" name one document


# ---- pairs ----


def _of_pairs(table: pa.Table, documents: Documents, positive: Sequence[str]) -> Labelled:
    require(table, ("a", "b", "label"), "truth")
    notes: list[str] = []
    copy = _copies(table["label"], positive)
    a, b = (_rows(table[name], documents) for name in ("a", "b"))
    known = (a >= 0) & (b >= 0)
    if not known.all():
        missing = pa.chunked_array([*_text(table["a"]).filter(pa.array(a < 0)).chunks,
                                    *_text(table["b"]).filter(pa.array(b < 0)).chunks])  # fmt: skip
        notes.append(_unknown(missing, int((~known).sum()), len(known), "pairs"))
    proper = known & (a != b)
    if alike := int((known & (a == b)).sum()):
        notes.append(f"{alike} pairs of a document with itself were left out")
    return _distinct(a[proper], b[proper], copy[proper], notes, documents)


def _copies(labels: pa.ChunkedArray, positive: Sequence[str]) -> NDArray[np.bool_]:
    if not positive:
        return _as_bool(yes_or_no(labels))
    said = _text(labels)
    found = set(pc.unique(said).to_pylist())
    if missing := [label for label in positive if label not in found]:
        raise InputError(
            f"no pair of the truth is labelled {missing[0]!r}; there are {', '.join(map(repr, sorted(found)))}"
        )
    return _as_bool(pc.is_in(said, value_set=pa.array(positive, pa.large_string())))


def _distinct(a: Int, b: Int, copy: NDArray[np.bool_], notes: list[str], documents: Documents) -> Labelled:
    """Keep each pair once; (a, b) is (b, a)."""
    pairs, first, back = np.unique(packed(a, b), return_index=True, return_inverse=True)
    clash = copy != copy[first][back]
    if clash.any():
        row = int(np.flatnonzero(clash)[0])
        names = documents.ids[int(a[row])].as_py(), documents.ids[int(b[row])].as_py()
        raise InputError(f"the truth labels the pair {names[0]!r}, {names[1]!r} both a copy and none; keep one of them")
    if len(a) > len(pairs):
        notes.append(f"{len(a) - len(pairs)} pairs are listed more than once; each counts once")
    return Labelled(pairs, copy[first], np.ones(len(pairs)), notes)


def _rows(ids: pa.ChunkedArray, documents: Documents) -> Int:
    """Return the row of the document that each id names, -1 where there is none."""
    known = _text(documents.ids).combine_chunks()
    rows = pc.fill_null(pc.index_in(_text(ids), value_set=known), -1)
    return rows.to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return comparable(column, "ids")


def _as_bool(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    return column.to_numpy(zero_copy_only=False).astype(np.bool_)  # type: ignore[no-any-return]


def _unknown(missing: pa.ChunkedArray, left_out: int, total: int, what: str) -> str:
    names = ", ".join(map(repr, pc.unique(missing).to_pylist()[:EXAMPLES]))
    if left_out == total:
        raise InputError(f"the truth names none of these documents (its ids are such as {names}); is it of other data?")
    return f"{left_out} of {total} {what} of the truth name ids that no document has (such as {names}); left out"


# ---- clusters ----


def _of_clusters(
    table: pa.Table, documents: Documents, settings: Settings, sizes: Sequence[int], sample: int, workers: int
) -> Labelled:
    notes: list[str] = []
    rows = _rows(table["id"], documents)
    if (rows < 0).any():
        missing = _text(table["id"]).filter(pa.array(rows < 0))
        notes.append(_unknown(missing, int((rows < 0).sum()), len(rows), "rows"))
    cluster_of = np.full(len(documents), -1, np.int64)
    numbers = _text(table["cluster"]).combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    cluster_of[rows[rows >= 0]] = numbers[rows >= 0]
    if len(np.unique(rows[rows >= 0])) < (rows >= 0).sum():
        raise InputError("the truth names a document twice; expected one row for each id")
    if unjudged := int((cluster_of < 0).sum()):
        notes.append(f"{unjudged} of {len(documents)} documents have no cluster in the truth and were left out")
    random = np.random.default_rng(settings.seed)
    same, same_weight, total = within(cluster_of, sample, random)
    if total > len(same):
        notes.append(f"{len(same)} of {total} pairs within clusters were drawn")
    other, other_weight = _hard(documents, cluster_of, settings, sizes, sample, workers, random)
    if (other_weight > 1).any():
        notes.append(f"{len(other)} of {round(other_weight.sum())} hard pairs of different clusters were drawn")
    pairs = np.concatenate([same, other])
    order = np.argsort(pairs)
    copy = np.arange(len(pairs)) < len(same)
    return Labelled(pairs[order], copy[order], np.concatenate([same_weight, other_weight])[order], notes)


def within(cluster_of: Int, most: int, random: np.random.Generator) -> tuple[Pairs, NDArray[np.float64], int]:
    """Return pairs of documents of one cluster: up to so many, how many each stands for, and how many there are.

    Parameters
    ----------
    cluster_of : int64[documents]
        -1: none.
    most : int
    random : numpy.random.Generator
    """
    members = np.argsort(cluster_of, kind="stable")
    members = members[np.searchsorted(cluster_of[members], 0) :]
    _, starts, sizes = np.unique(cluster_of[members], return_index=True, return_counts=True)
    ends = np.cumsum(sizes * (sizes - 1) // 2)
    total = int(ends[-1]) if len(ends) else 0
    # Pair number p of a cluster is its members i > j with p = i (i - 1) / 2 + j.
    drawn = np.arange(total) if total <= most else np.unique(random.integers(0, total, most))
    cluster = np.searchsorted(ends, drawn, side="right")
    number = drawn - (ends - sizes * (sizes - 1) // 2)[cluster]
    i = ((1 + np.sqrt(1 + 8 * number)) // 2).astype(np.int64)
    i -= i * (i - 1) // 2 > number  # the root may be rounded up
    j = number - i * (i - 1) // 2
    pairs = pack(members[starts[cluster] + i], members[starts[cluster] + j])
    return pairs, np.full(len(pairs), total / max(len(pairs), 1)), total


def _hard(
    documents: Documents, cluster_of: Int, settings: Settings, sizes: Sequence[int], sample: int, workers: int,
    random: np.random.Generator,
) -> tuple[Pairs, NDArray[np.float64]]:  # fmt: skip
    """Search for pairs of different clusters that have something in common, the longest shingles first.

    Each shingle size adds what the larger ones did not find: the hardest pairs are drawn from few, the easy from many.
    """
    texts = documents.texts.combine_chunks()
    quota = max(sample // len(sizes), 1)
    seen = np.empty(0, np.uint64)
    drawn, weights = [seen], [np.empty(0)]
    for size in sorted(sizes, reverse=True):
        pairs = without(_similar(texts, cluster_of, settings.replace(shingle_size=size), workers), seen)
        a, b = unpack(pairs)
        pairs = pairs[cluster_of[a] != cluster_of[b]]
        seen = union(seen, pairs)
        chosen = pairs if len(pairs) <= quota else pairs[np.sort(random.choice(len(pairs), quota, replace=False))]
        drawn.append(chosen)
        weights.append(np.full(len(chosen), len(pairs) / max(len(chosen), 1)))
    return np.concatenate(drawn), np.concatenate(weights)


def _similar(texts: pa.Array, cluster_of: Int, settings: Settings, workers: int) -> Pairs:
    """Return the candidates of a liberal search among the documents that have a cluster and words."""
    rows = min(LIBERAL_ROWS, settings.num_perm)
    liberal = settings.replace(
        bands=(settings.num_perm // rows, rows),
        window=min(LIBERAL_WINDOW, settings.window),
        min_shared_fingerprints=min(LIBERAL_SHARE, settings.min_shared_fingerprints),
    )
    sketches = sketch_texts(texts, liberal, workers=workers)
    usable = np.flatnonzero((sketches.words > 0) & (cluster_of >= 0))
    order = usable[np.argsort(sketches.words[usable], kind="stable")]
    a, b = unpack(candidates.find(sketches.take(order), workers=workers).pairs)
    return pack(order[a], order[b])


def yes_or_no(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return labels of pairs as booleans.

    >>> yes_or_no(pa.chunked_array([["yes", "0", "Same"]])).to_pylist()
    [True, False, True]
    """
    said = pc.utf8_lower(comparable(column, "labels"))
    true = pc.is_in(said, value_set=pa.array(_YES, pa.large_string()))
    known = pc.or_(true, pc.is_in(said, value_set=pa.array(_NO, pa.large_string())))
    if not pc.all(known, min_count=0).as_py():
        value = said.filter(pc.invert(known))[0].as_py()
        raise InputError(f"a pair is labelled {value!r}; expected 1 or 0, true or false, yes or no")
    return true
