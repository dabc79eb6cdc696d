"""A part of the documents, clustered on its own by the function that clusters all of them.

Input    documents of which no match leads to others, their matches, and what was answered so far
Output   the tables of a result; or what is wanted, which only whoever knows all parts can say
Cost     that of clustering the part, once for each answer

Clustering compares further pairs as it goes, ranks documents, and searches anew by hot keys, which reach across parts.
Whatever it needs that nobody has answered yet ends the attempt with a `Wanted`; with the answer it is made again from
the beginning, and comes to the same place, for it depends on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pyarrow as pa

from dupdetect.io.checks import REJECTS
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import missing, packed, unpack, without
from dupdetect.matching.verify import Verified
from dupdetect.pipeline import tables
from dupdetect.pipeline.decide import Search, clustered
from dupdetect.pipeline.manifest import counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.matching.candidates import Candidates
    from dupdetect.matching.grouping import Grouping
    from dupdetect.matching.pairs import Pairs
    from dupdetect.pipeline.rules import Limits
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]


class Wanted(NamedTuple):
    """What clustering a part needs to go on.

    Attributes
    ----------
    what : str
        "ranks" of documents, given how clean texts are; a search "among" active texts; which "pairs" are matches, what
        "overlaps" there are; or whether any part has "more".
    values : array
        What is given, of each text; or pairs, by the numbers of texts in the whole run.
    turn : int, optional
        While parts go on together: how often they have asked whether any has more.
    found : bool
        Then, too: whether this part has more, as far as it knows.
    """

    what: str
    values: NDArray[Any]
    turn: int | None = None
    found: bool = False


class Answers(NamedTuple):
    """What was answered so far; pairs are by the numbers of texts in the part.

    Attributes
    ----------
    ranks : int64[documents], optional
    again : list of (uint64[...], uint64[...])
        Of each search by hot keys: pairs, and those of them that stand for others.
    more : list of bool
        Whether any part had more, as often as that was asked.
    asked : uint64[n]
        Pairs that were compared.
    matches : Overlaps
        Those of them that are matches.
    counted : Overlaps
        Pairs that were counted.
    """

    ranks: Int | None
    again: list[tuple[Pairs, Pairs]]
    more: list[bool]
    asked: Pairs
    matches: Overlaps
    counted: Overlaps


@dataclass(frozen=True, eq=False)
class Part:
    """Some documents, with all that share a match with them: what `Corpus` has, and a `Search`.

    Attributes
    ----------
    texts : int64[m]
        The numbers of the part's texts in the whole run, ascending.
    table : pyarrow.Table
        A row for each of its n documents, in the order of the run: ``id``, ``file``, ``row``.
    new : int
        How many of them are new: the first ones.
    words, digests, again
        As `Corpus` has them.
    text_of : int64[n]
    limits : Limits
    grouping : Grouping, optional
    apart : uint64[n, 2], optional
    is_sampled : bool
        Whether any pair stands for others, in whichever part.
    sampled, deferred : uint64[...]
        Pairs of the part that came from hot keys, and that were not compared.
    """

    texts: Int
    table: pa.Table
    new: int
    words: Int
    digests: NDArray[np.uint64]
    again: Bool | None
    text_of: Int
    limits: Limits
    grouping: Grouping | None
    apart: NDArray[np.uint64] | None
    is_sampled: bool
    sampled: Pairs
    deferred: Pairs

    def __len__(self) -> int:
        return len(self.text_of)

    @property
    def ids(self) -> pa.ChunkedArray:
        """The documents' ids."""
        return self.table["id"]

    @property
    def rejects(self) -> pa.Table:
        """Rejects are of no part."""
        return REJECTS.empty_table()


class Finished(NamedTuple):
    """What came of a part.

    Attributes
    ----------
    canonical : bool[new]
        Whether each new document represents others, or itself.
    counts : dict
        As `manifest.counts` has them, and ``unlisted_pairs``, ``superseded`` and ``rounds``.
    tables : dict of str to pyarrow.Table
    """

    canonical: Bool
    counts: dict[str, Any]
    tables: dict[str, pa.Table]


def cluster_part(part: Part, matches: Overlaps, answers: Answers, settings: Settings) -> Wanted | Finished:
    """Cluster a part.

    Parameters
    ----------
    part : Part
    matches : Overlaps
        Of its texts, by their numbers in the part.
    answers : Answers
    settings : Settings
    """
    found = _Found(part, matches, answers)
    verified = Verified(matches, part.deferred, Boilerplate.none())
    search = Search(part.text_of, cast("Candidates", found), part.limits, part.grouping, part.apart)
    try:
        decision, rounds = clustered(part, search, verified, _Known(answers, found), _Ranks(answers), settings)
    except _Unknown as error:
        wanted = error.wanted
        if wanted.what in ("pairs", "overlaps"):
            return wanted._replace(values=packed(*(part.texts[side] for side in unpack(wanted.values))))
        return wanted
    made, superseded = tables.clusters_tables(part, decision, settings)
    listed, unlisted = tables.matches_table(part, decision, settings)
    nothing = pa.table({"margin": np.empty(0, np.int32)})
    counted = counts(part, decision, {"clusters": made, "matches": listed, "boilerplate": nothing})
    for name in part.table.column_names[1:]:
        made = made.append_column(name, part.table[name].slice(0, part.new))
    found_tables = {
        "clusters": made,
        "matches": listed,
        "digests": tables.digests_table(part, decision, settings),
        "superseded": superseded,
    }
    more = {"unlisted_pairs": unlisted, "superseded": superseded.num_rows, "rounds": rounds}
    return Finished(made["canonical"].to_numpy(), {**counted, **more}, found_tables)


def renamed(found: Overlaps, texts: Int) -> Overlaps:
    """Return what is known of pairs by the numbers that their texts have among some, which are ascending."""
    return replace(found, pairs=packed(*(np.searchsorted(texts, side) for side in unpack(found.pairs))))


class _Unknown(Exception):  # noqa: N818 - it is no error, and never seen outside
    """Ends an attempt."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted.what)
        self.wanted = wanted


class _Found:
    """What was found to be worth comparing in a part, and by further searches, which all parts make together."""

    def __init__(self, part: Part, matches: Overlaps, answers: Answers) -> None:
        self.pairs, self.sampled = matches.pairs, part.sampled
        self.is_sampled = part.is_sampled
        self._answers, self._searches, self._asked, self._failed = answers, 0, 0, 0
        self._over = False

    @property
    def turn(self) -> int | None:
        """How often it was asked whether any part has more; None when that is over."""
        return self._asked if self.is_sampled and not self._over else None

    def among(self, active: Bool) -> _Found:
        """Return what a search among the active texts of all parts found."""
        self._failed = 0
        if self._searches == len(self._answers.again):
            raise _Unknown(Wanted("among", active))
        found = _Found.__new__(_Found)
        found.pairs, found.sampled = self._answers.again[self._searches]
        self._searches += 1
        return found

    def has_more(self, more: Overlaps) -> bool:
        """Whether any part has found more matches."""
        if self._asked == len(self._answers.more):
            raise _Unknown(Wanted("more", np.empty(0, np.uint64), self._asked, len(more.pairs) > 0))
        has = self._answers.more[self._asked]
        self._asked += 1
        self._failed += not has
        self._over = self._failed == 2
        return has


class _Known:
    """What is known of pairs by now."""

    def __init__(self, answers: Answers, found: _Found) -> None:
        self._answers, self._found = answers, found

    def matches(self, pairs: Pairs) -> Overlaps:
        """Return the pairs that are matches."""
        known = self._answers.matches
        known = known.where(~missing(known.pairs, pairs))
        unknown = without(pairs, self._answers.asked)
        if len(unknown):
            raise _Unknown(Wanted("pairs", unknown, self._found.turn, len(known.pairs) > 0))
        return known

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Return what each pair shares."""
        counted = self._answers.counted
        unknown = without(pairs, counted.pairs)
        if len(unknown):
            raise _Unknown(Wanted("overlaps", unknown))
        return counted.where(~missing(counted.pairs, pairs))


class _Ranks:
    """The order of documents, which the policy gives to those of all parts together."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def rank(self, corpus: Any, settings: Settings, text_of: Int, clean: Share, limits: Limits) -> Int:  # noqa: ARG002
        """Return it, if it is known."""
        if self._answers.ranks is None:
            raise _Unknown(Wanted("ranks", clean))
        return self._answers.ranks
