"""Which member represents a cluster.

Input    clusters of distinct texts, the documents that have each text, a policy
Output   the chosen text of each cluster and the chosen document of each text
Cost     O(n log n), and at most `TRIES` verifications a document

Of its policy's order a cluster takes the first member that every other member matches, so that the choice changes
who represents a cluster but never who is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dupdetect.clustering.clusters import FIRST, yielding
from dupdetect.clustering.dates import as_seconds
from dupdetect.errors import InputError, SettingsError
from dupdetect.io.moments import as_python
from dupdetect.io.schema import as_json, names_shown, plain_column
from dupdetect.matching.pairs import missing, pack
from dupdetect.matching.removal import REMOVABLE_A, REMOVABLE_B, is_decided

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect.io.rows import Rows
    from dupdetect.matching.overlaps import Matcher, Overlaps
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Members of a cluster that are tried before its cleanest represents it after all.
TRIES = 8

#: Policies that let those who represented others before go on to do so.
STANDING = ("cleanest", "longest", "first")

#: Policies whose column is one of dates.
DATED = ("earliest", "latest")


class Rankable(NamedTuple):
    """What n documents are ranked by.

    Attributes
    ----------
    rows : Rows
        Their rows, for the policies that read a column.
    ids : pyarrow.ChunkedArray
        Break the last ties.
    words : int64[n]
        Length of each document.
    clean : float64[n]
        Cleanness of each document's text.
    tied : bool[n]
        Whose ties are to be broken by id: to sort all ids would cost more than the rest.
    standing : bool[n], optional
        Documents that represented others before: they go before all others where the policy is one of `STANDING`, else
        before those that it ties them with.
    last : bool[n], optional
        Documents that go behind all others.
    are_all : bool
        Whether there are no others: a callable that gives none of them a key has forgotten to return one.
    """

    rows: Rows
    ids: pa.ChunkedArray
    words: Int
    clean: Share
    tied: Bool
    standing: Bool | None = None
    last: Bool | None = None
    are_all: bool = True


def rank(settings: Settings, documents: Rankable) -> Int:
    """Rank documents by the canonical policy.

    Parameters
    ----------
    settings : Settings
    documents : Rankable

    Returns
    -------
    int64[n]
        0 for whoever goes first.

    Raises
    ------
    InputError
        The column that the policy reads is not there, or cannot be ordered.
    """
    rows, ids, words, clean, tied, standing, last, are_all = documents
    by_id = np.zeros(len(words), np.int64)
    chosen = np.flatnonzero(tied)
    if len(chosen):
        by_id[chosen[_sorted(ids.take(chosen))]] = np.arange(len(chosen))
    first = _first_key(settings, rows, words, are_all)
    keys: list[NDArray[Any]] = [by_id, -clean, first]
    if standing is not None:
        keys.insert(3 if settings.canonical in STANDING else 2, ~standing)
    if settings.prefer is not None:
        keys.append(_by_preference(settings, rows))
    if last is not None:
        keys.append(last)
    order = np.lexsort(keys)
    ranks = np.empty(len(words), np.int64)
    ranks[order] = np.arange(len(words))
    return ranks


def _first_key(settings: Settings, rows: Rows, words: Int, are_all: bool) -> Int:
    """Return what the policy itself orders by, as integers; ties are equal."""
    if callable(settings.canonical):
        return _by_callable(settings.canonical, rows, are_all)
    if settings.column is not None:
        return _by_column(settings, rows)
    if settings.canonical == "longest":
        return -words
    if settings.canonical == "first":
        return np.arange(len(words))
    return np.zeros(len(words), np.int64)


def _by_preference(settings: Settings, rows: Rows) -> Int:
    """Return the place of each document's value among those that are preferred; others are last."""
    import pyarrow as pa
    import pyarrow.compute as pc

    assert isinstance(settings.prefer, tuple), "checked"
    name, values = settings.prefer
    if not rows.has(name):
        raise InputError(
            f"prefer reads column {name!r}, but the columns are {names_shown(rows.column_names)}; name one of these"
        )
    column = plain_column(rows.column(name))
    if not pa.types.is_string(column.type):
        column = pa.chunked_array([pa.array([as_json(value) for value in as_python(column)], pa.string())])
    places = pc.index_in(column, value_set=pa.array(values, pa.string()))
    return places.fill_null(len(values)).to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _by_column(settings: Settings, rows: Rows) -> Int:
    import pyarrow as pa
    import pyarrow.compute as pc

    name = settings.column or ""
    if not rows.has(name):
        raise InputError(
            f"canonical={settings.canonical!r} reads column {name!r}, but the columns are "
            f"{names_shown(rows.column_names)}; name one of these as canonical_column"
        )
    column = plain_column(rows.column(name))
    if settings.canonical in DATED and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = as_seconds(column, name, settings.date_format)
    elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _as_numbers(column)
    order = "descending" if settings.canonical == "latest" else "ascending"
    try:
        ranks = pc.rank(column, sort_keys=order, tiebreaker="dense")  # nulls at the end
    except pa.ArrowNotImplementedError:
        raise InputError(
            f"canonical={settings.canonical!r} reads column {name!r}, which is {column.type} and has no order; "
            "expected numbers, strings or dates"
        ) from None
    return ranks.to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def _as_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers where all that is written are such, as CSV has them; what is empty is null in any case."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.if_else(pc.equal(column, ""), None, column)
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        return column


def _by_callable(key: Any, rows: Rows, are_all: bool) -> Int:
    keys = [key(row) for table in rows for row in table.to_pylist()]
    if are_all and keys and all(value is None for value in keys):
        raise SettingsError("canonical gave None for each document; expected a key: does the function return one?")
    try:
        # NaN is neither less nor more than anything, nor is None: as in a column, they go last.
        distinct = sorted({value for value in keys if value is not None and value == value})
    except (TypeError, ValueError) as error:  # arrays of numpy have no truth value
        raise SettingsError(
            f"canonical gave keys that cannot be ordered ({error}); expected hashable keys that compare with each other"
        ) from None
    places = {value: place for place, value in enumerate(distinct)}
    return np.array([places.get(value, len(places)) for value in keys], np.int64)


def _sorted(ids: pa.ChunkedArray) -> Int:
    import pyarrow.compute as pc

    return pc.sort_indices(ids).to_numpy().astype(np.int64)  # type: ignore[no-any-return]


def cleanest(clean: Share, last: Bool | None = None) -> Int:
    """Rank texts by cleanness, some of them `last`; ties go to the shorter text, which has the lesser number."""
    ranks = np.empty(len(clean), np.int64)
    behind = np.zeros(len(clean)) if last is None else last
    ranks[np.lexsort((-clean, behind, clean < FIRST))] = np.arange(len(clean))
    return ranks


def of_least_id(ids: pa.ChunkedArray, groups: Int, documents: Int, later: Bool | None = None) -> Int:
    """Return a document of each text: that of the least id. Copies may differ in their lines, and one tells of these.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray
        n ids.
    groups : int64[n]
        The text that each document has; -1 of those that have none.
    documents : int64[texts]
        Any document of each text: to sort all ids would cost more than the rest.
    later : bool[n], optional
        Documents that go behind all others.
    """
    import pyarrow as pa

    copied = np.flatnonzero((np.bincount(groups + 1)[groups + 1] > 1) & (groups >= 0))
    if len(copied) == 0:
        return documents
    order = copied[_sorted(ids.take(pa.array(copied)))]
    if later is not None:
        order = order[np.argsort(later[order], kind="stable")]
    chosen = documents.copy()
    chosen[groups[order][::-1]] = order[::-1]
    return chosen


def least(ranks: Int, groups: Int, n: int) -> Int:
    """Return the document of the least rank in each of n groups, int64[n]; documents of group -1 are in none."""
    order = np.argsort(ranks)
    order = order[groups[order] >= 0]
    best = np.empty(n, np.int64)
    best[groups[order][::-1]] = order[::-1]
    return best


def elect(
    settings: Settings, clusters: Int, ranks: Int, clean: Share, matches: Overlaps, verifier: Matcher
) -> tuple[Int, Overlaps]:
    """Let each cluster be represented as the policy has it.

    Of the cleanest text, others that should be represented by one of their cluster go last; where values of a column
    are preferred, `ranks` say all. Parameters and results are otherwise those of `choose`.

    Parameters
    ----------
    settings : Settings
    clean : float64[n]
        Cleanness of each text, or `FIRST` and more for those that go before all others.
    """
    if settings.canonical == "cleanest" and settings.prefer is None:
        ranks = cleanest(clean, yielding(clusters, matches))
    return choose(clusters, ranks, matches, verifier)


def choose(clusters: Int, ranks: Int, matches: Overlaps, verifier: Matcher) -> tuple[Int, Overlaps]:
    """Let each cluster be represented by the first of its members that every other matches, and that can stand for it.

    Parameters
    ----------
    clusters : int64[n]
        The cleanest member, a match of all others, for each of n texts.
    ranks : int64[n]
        The policy's order of texts.
    matches : Overlaps
        What is verified so far.
    verifier : Matcher

    Returns
    -------
    int64[n]
        The chosen member.
    Overlaps
        `matches`, with the verified pairs that the choice rests on.
    """
    everyone = np.arange(len(clusters))
    place, sizes = _places(clusters, ranks)
    # These are by cluster, that is, by its cleanest member: who represents it, and whether that may still change.
    chosen, undecided = everyone.copy(), sizes > 1
    for attempt in range(TRIES):
        trial = everyone.copy()
        at_turn = np.flatnonzero(place == attempt)
        trial[clusters[at_turn]] = at_turn
        undecided &= trial != everyone
        members = np.flatnonzero(undecided[clusters] & (trial[clusters] != everyone))
        if len(members) == 0:
            break
        pairs = pack(members, trial[clusters[members]])
        matches = matches | verifier.matches(pairs[missing(pairs, matches.pairs)])
        agreed = matches.where(~missing(matches.pairs, pairs))
        standing = trial[clusters[agreed.a]] == agreed.a
        agreed = agreed.where(np.where(standing, is_decided(agreed, REMOVABLE_B), is_decided(agreed, REMOVABLE_A)))
        votes = np.bincount(clusters[agreed.a], minlength=len(clusters))
        elected = undecided & (votes == sizes - 1)
        chosen[elected] = trial[elected]
        undecided &= ~elected
    return chosen[clusters], matches


def _places(clusters: Int, ranks: Int) -> tuple[Int, Int]:
    """Return each text's place in its cluster's order, and the size of each cluster, by its cleanest member."""
    n = len(clusters)
    order = np.lexsort((ranks, clusters))
    sizes = np.bincount(clusters, minlength=n)
    starts = np.cumsum(sizes) - sizes
    place = np.empty(n, np.int64)
    place[order] = np.arange(n) - starts[clusters[order]]
    return place, sizes
