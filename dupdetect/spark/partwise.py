"""Matches to clusters, a part of the documents at a time: where they are too many to be held by one process.

Input    what was found; whoever holds the matches, and lets parts of them be clustered (`Parts`)
Output   who represents whom, and the counts of it; tables are wherever they were made
Cost     a pass over the matches of unfinished parts for each answer: some ten to twenty

A part is several components of the graph of matches and of deferred pairs, or one that is larger than parts are meant
to be; what is more than a task takes, the driver clusters, as long as it may hold as many matches. Nothing that
clustering does crosses components, but for three things, which are done here for all parts at once. Documents are
ranked by the policy. Canonicals are searched anew by hot keys, in rounds that all parts make together; a match across
two components makes them one, and all is divided into parts anew. And where one part has found more in a round,
deferred pairs wait in all of them, as they do in one process. So the result is the same, whatever the parts are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from dupdetect._storage.memory import shown
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import missing, packed, union, unpack, without
from dupdetect.spark.parts import Answers, Finished, Part, Wanted, cluster_part, renamed

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Matcher
    from dupdetect.matching.pairs import Pairs
    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.decide import Search
    from dupdetect.pipeline.rules import Plain
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

#: Matches in a part, about, unless one component has more: 35 MB of them.
PART_MATCHES = 250_000

#: Bytes that whoever clusters holds of a match.
MATCH_BYTES = 140

#: Matches of a part that a task takes, at the most: the driver clusters larger ones itself, while it may hold as many.
TASK_MATCHES = 4_000_000

#: The part of texts that have no match: the driver clusters it, too.
REST = 0

_LOG = logging.getLogger(__name__)


class Linked(NamedTuple):
    """Texts that have matches or deferred pairs.

    Attributes
    ----------
    texts, component : int64[m]
        Their numbers, and the least number of a text that each hangs together with.
    matches : int64[m]
        In how many matches each is the lesser text.
    """

    texts: Int
    component: Int
    matches: Int


class Parts(Protocol):
    """Whoever holds the matches, and lets parts of them be clustered: executors, for one."""

    def linked(self) -> Linked:
        """Return the components."""

    def divide(self, part_of: Int, parts: Iterator[tuple[int, Part]]) -> None:
        """Put the matches of texts into parts, by the part of each text."""

    def matches(self, number: int) -> Overlaps:
        """Return the matches of a part, in order."""

    def cluster(self, answers: Mapping[int, Answers]) -> dict[int, Wanted | Finished]:
        """Cluster the parts that are named, each given its answers, and keep the tables of those that are finished."""


class Outcome(NamedTuple):
    """What came of all parts.

    Attributes
    ----------
    canonical : bool[new documents]
    counts : dict
        As `Finished.counts` has them.
    here : list of Finished
        Parts that the driver clustered; tables of others are wherever these were clustered.
    """

    canonical: Bool
    counts: dict[str, Any]
    here: list[Finished]


class Given(NamedTuple):
    """What is clustered, but for the matches.

    Attributes
    ----------
    corpus : Corpus
    table : pyarrow.Table
        As `Part.table`, of all documents.
    search : Search
    deferred : uint64[...]
        Pairs that were not compared.
    verifier : Matcher
    rules : Plain
    settings : Settings
    """

    corpus: Corpus
    table: pa.Table
    search: Search
    deferred: Pairs
    verifier: Matcher
    rules: Plain
    settings: Settings


class Partwise:
    """Clusters in parts.

    Parameters
    ----------
    given : Given
    parts : Parts
    most : int
        Matches that the driver may hold.
    """

    def __init__(self, given: Given, parts: Parts, most: int) -> None:
        self._given, self._parts, self._most = given, parts, most
        self._asked = np.empty(0, np.uint64)
        self._matches = self._counted = nothing()
        self._again: list[tuple[Pairs, Pairs]] = []
        self._more: list[bool] = []
        self._ranks: Int | None = None

    def outcome(self) -> Outcome:
        """Cluster all parts."""
        linked, n = self._parts.linked(), len(self._given.search.limits.documents)
        self._component, self._weight = np.arange(n), np.zeros(n)
        self._component[linked.texts], self._weight[linked.texts] = linked.component, linked.matches
        self._divide()
        canonical = np.ones(self._given.corpus.new, np.bool_)
        here: list[Finished] = []
        counts: dict[str, Any] = {}
        while self._pending:
            said = self._said()
            for part, one in said.items():
                if isinstance(one, Finished):
                    self._pending.remove(part)
                    documents = self._documents[part]
                    canonical[documents[documents < self._given.corpus.new]] = one.canonical
                    counts = summed(counts, one.counts)
                    here += [one] if part in self._here else []
            self._answer({part: one for part, one in said.items() if isinstance(one, Wanted)})
        return Outcome(canonical, counts, here)

    def _divide(self) -> None:
        """Divide texts into parts: components one after the other, as many as fit; the rest has no matches."""
        component, text_of = self._component, self._given.search.text_of
        weight = np.bincount(component, self._weight, len(component))
        several = np.flatnonzero(np.bincount(component, minlength=len(component)) > 1)
        large = weight[several] > PART_MATCHES
        ends = np.cumsum(np.where(large, 0, weight[several]))
        of_several = (np.maximum(ends - 1, 0) // PART_MATCHES).astype(np.int64)
        of_several[large] = of_several.max(initial=0) + 1 + np.arange(np.count_nonzero(large))
        part = np.full(len(component), REST)
        part[several] = REST + 1 + np.unique(of_several, return_inverse=True)[1]
        self._part_of = part[component]
        count = int(self._part_of.max(initial=REST)) + 1
        self._texts = _grouped(self._part_of, count)
        self._documents = _grouped(np.append(self._part_of, REST)[text_of], count)
        self._pending = set(range(count))
        sizes = np.bincount(self._part_of, self._weight, count).astype(np.int64)
        here = np.flatnonzero((sizes > TASK_MATCHES) & (np.arange(count) != REST))
        here = here[np.cumsum(sizes[here]) <= self._most].tolist()
        _LOG.info(
            "%d components of matches in %d parts; the largest part has %d matches, which take about %s where it is "
            "clustered; the driver clusters %d parts",
            len(several),
            count - 1,
            sizes.max(),
            shown(MATCH_BYTES * int(sizes.max())),
            len(here),
        )
        sampled, deferred = (self._within(each) for each in (self._given.search.found.sampled, self._given.deferred))
        made = ((number, self._part(number, sampled, deferred)) for number in range(REST + 1, count))
        self._parts.divide(self._part_of, made)
        self._here = {REST: (self._part(REST, sampled, deferred), nothing())}
        for number in here:
            own = self._part(number, sampled, deferred)
            self._here[number] = own, renamed(self._parts.matches(number), own.texts)

    def _part(self, number: int, sampled: _Within, deferred: _Within) -> Part:
        corpus, table, search = self._given[:3]
        texts, documents = self._texts[number], self._documents[number]
        text_of = search.text_of[documents]
        new = int(np.searchsorted(documents, corpus.new))
        return Part(
            texts=texts,
            table=table.take(documents).combine_chunks(),
            new=new,
            words=corpus.words[documents],
            digests=corpus.digests[documents],
            again=None if corpus.again is None else corpus.again[documents[:new]],
            text_of=np.where(text_of < 0, -1, np.searchsorted(texts, text_of)),
            limits=search.limits.some(texts),
            grouping=None if search.grouping is None else search.grouping.some(texts),
            apart=None if search.apart is None else search.apart[documents],
            is_sampled=search.found.is_sampled,
            sampled=sampled.of(number),
            deferred=deferred.of(number),
        )

    def _said(self) -> dict[int, Wanted | Finished]:
        """Let all that are not finished be clustered with what is known by now."""
        asked, matches, counted = map(self._within, (self._asked, self._matches.pairs, self._counted.pairs))
        again = [tuple(map(self._within, each)) for each in self._again]

        def answers(number: int) -> Answers:
            ranks = None if self._ranks is None else self._ranks[self._documents[number]]
            found = [(pairs.of(number), sampled.of(number)) for pairs, sampled in again]
            known, overlaps = self._matches.where(matches.at(number)), self._counted.where(counted.at(number))
            texts = self._texts[number]
            return Answers(ranks, found, self._more, asked.of(number), renamed(known, texts), renamed(overlaps, texts))

        others = sorted(self._pending - self._here.keys())
        said = self._parts.cluster({number: answers(number) for number in others}) if others else {}
        for number in sorted(self._pending & self._here.keys()):
            said[number] = cluster_part(*self._here[number], answers(number), self._given.settings)
        return said

    def _within(self, pairs: Pairs) -> _Within:
        return _Within(pairs, self._part_of, self._texts)

    def _answer(self, wanted: Mapping[int, Wanted]) -> None:
        """Find out what parts want to know, and what one that was divided anew has to catch up with before the others.

        All make a search together, and say together whether any has more: who waits for others asks again.
        """
        by_what: dict[str, dict[int, Wanted]] = {}
        for part, one in wanted.items():
            by_what.setdefault(one.what, {})[part] = one
        if "ranks" in by_what:
            self._rank(by_what["ranks"])
        if wanted and all(one.what == "among" for one in wanted.values()):
            self._search(wanted)
        if "overlaps" in by_what:
            pairs = union(*(one.values for one in by_what["overlaps"].values()))
            self._counted |= self._given.verifier.overlaps(pairs)
        more = False
        if "pairs" in by_what:
            more = self._compare(union(*(one.values for one in by_what["pairs"].values())))
        if {one.turn for one in wanted.values()} == {len(self._more)}:
            self._more.append(more or any(one.found for one in wanted.values()))

    def _compare(self, pairs: Pairs) -> bool:
        """Compare pairs, unless they have been compared before; whether there are more matches now."""
        pairs = without(pairs, self._asked)
        self._asked = union(self._asked, pairs)
        found, deferred = self._given.search.found.pairs, self._given.deferred
        unknown = missing(pairs, found) | ~missing(pairs, deferred)  # others are known to be no matches
        more = self._given.verifier.matches(pairs[unknown])
        self._matches |= more
        self._weight += np.bincount(more.a, minlength=len(self._weight))
        return len(more.pairs) > 0

    def _rank(self, wanted: Mapping[int, Wanted]) -> None:
        corpus, _, search, _, _, rules, settings = self._given
        clean = np.zeros(len(search.limits.documents))
        for part, one in wanted.items():
            clean[self._texts[part]] = one.values
        self._ranks = rules.rank(corpus, settings, search.text_of, clean, search.limits)

    def _search(self, wanted: Mapping[int, Wanted]) -> None:
        """Search anew by hot keys among the canonicals of all parts; join components that have a match across."""
        search = self._given.search
        active = np.zeros(len(search.limits.documents), np.bool_)
        for part, one in wanted.items():
            active[self._texts[part]] = one.values
        again = search.found.among(active)
        pairs, sampled = (search.limits.pairs(each) for each in (again.pairs, again.sampled))
        self._again.append((pairs, sampled))
        across = pairs if search.grouping is None else search.grouping.joinable(pairs)
        a, b = unpack(across)
        if self._compare(across[self._part_of[a] != self._part_of[b]]):
            self._component = joined(self._component, self._matches.pairs)
            self._divide()


class _Within:
    """The pairs of which both texts are of one part, by part.

    Parameters
    ----------
    pairs : uint64[n]
    part_of : int64[texts]
    texts : list of int64[...]
        Those of each part.
    """

    def __init__(self, pairs: Pairs, part_of: Int, texts: list[Int]) -> None:
        self._pairs, self._texts = pairs, texts
        a, b = unpack(pairs)
        inside = np.flatnonzero(part_of[a] == part_of[b])
        parts = part_of[a[inside]]
        order = np.argsort(parts, kind="stable")
        self._order, self._bounds = inside[order], np.searchsorted(parts[order], np.arange(len(texts) + 1))

    def at(self, number: int) -> Int:
        """Return the places of those of a part."""
        return self._order[self._bounds[number] : self._bounds[number + 1]]

    def of(self, number: int) -> Pairs:
        """Return those of a part, by the numbers of texts in it."""
        texts = self._texts[number]
        return packed(*(np.searchsorted(texts, side) for side in unpack(self._pairs[self.at(number)])))


def nothing() -> Overlaps:
    """Return the matches among no pairs."""
    none = np.empty(0, np.int32)
    return Overlaps(np.empty(0, np.uint64), none, none, none, None, None, np.empty(0, np.uint8))


def joined(component: Int, pairs: Pairs) -> Int:
    """Return the component of each text, when there are more matches: the least number of a text in it."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(component)
    a, b = (np.concatenate(sides) for sides in zip(unpack(pairs), (np.arange(n), component), strict=True))
    label = connected_components(coo_matrix((np.ones(len(a), np.bool_), (a, b)), (n, n)), directed=False)[1]
    least = np.full(n, n)
    np.minimum.at(least, label, np.arange(n))
    return np.asarray(least[label])


def summed(counts: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return counts of two parts together; of rounds, which all make together, there are as many as one has made."""
    whole = dict(counts)
    for name, value in more.items():
        if isinstance(value, Mapping):
            whole[name] = summed(whole.get(name, {}), value)
        else:
            whole[name] = max(whole.get(name, 0), value) if name == "rounds" else whole.get(name, 0) + value
    return whole


def _grouped(part_of: Int, parts: int) -> list[Int]:
    """Return what is in each part, ascending."""
    order = np.argsort(part_of, kind="stable")
    return np.split(order, np.searchsorted(part_of[order], np.arange(1, parts)))
