"""What counts and weighs pairs for the stages of a run on Spark.

Input    the pairs that the stages ask about
Output   what `PairCounter` and `Weigher` say of them
Cost     a job for each question; for questions about few documents, their texts come to the driver, once

Of few documents (`FEW`) the driver fetches the texts, once, and answers itself. Else candidates stand in bundles, made
once, as are their shingles: a question about documents of one bundle moves no text. Whatever few pairs are in question,
all bundles would be read for it, and clustering asks some twenty times of the same few documents: where these have
little text (`FETCHED`), the driver fetches it, for which all texts are read once, keeps it, and answers itself. For
pairs across bundles, which come up where a component was cut and clusters are compared anew, new bundles are made.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect._storage.context import Context
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import Overlaps, Weights
from dupdetect.matching.pairs import documents_of, missing, packed, unpack
from dupdetect.matching.removal import decided
from dupdetect.matching.shingle_rows import whole_cuts
from dupdetect.matching.tally import summed
from dupdetect.spark.bundling import Bundles, bundled
from dupdetect.spark.counting import (
    ANSWERS,
    BUNDLES,
    VOTES,
    CompressedTexts,
    Question,
    answer,
    answer_bundles,
    cells,
    match_columns,
    pack_bundles,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import Column, DataFrame

    from dupdetect.matching.boilerplate import Boilerplate
    from dupdetect.matching.pairs import Pairs
    from dupdetect.settings import Settings
    from dupdetect.spark.work import Work

    Int = NDArray[np.int64]
    Byte = NDArray[np.uint8]
    Arrays = dict[str, NDArray[Any]]

#: Bytes of texts that the driver asks of at a time, at the most; questions about more go to executors.
FETCHED = 64 << 20

#: Bytes of texts that the driver fetches at a time, at the most: each time all texts are read.
AT_ONCE = 256 << 20

#: Bytes of the texts of all documents that have candidates, which the driver fetches if they are no more, and no more
#: than a part of the memory of its machine: it takes some four times as much. Executors take one and a half times as
#: many seconds of the processors for the whole run.
FEW, PART_OF_MEMORY = 1 << 30, 24

#: Bytes of questions, and of documents to be placed, that are sent to all executors at a time.
SENT = 32 << 20

#: Bundles that are named where they are read, at the most; of more, the first and the last.
LISTED = 10


class TextStore:
    """The texts of n documents, as they were sketched.

    Parameters
    ----------
    sketched : DataFrame
        ``part``, ``place`` and ``text``.
    part, place : int64[n]
        Where each stands.
    sizes : int64[n]
        Bytes of each.
    """

    def __init__(self, sketched: DataFrame, part: Int, place: Int, sizes: Int) -> None:
        self._sketched, self.part, self.place, self.sizes = sketched, part, place, sizes
        self._held: dict[int, Any] = {}

    def fetch(self, documents: Int) -> CompressedTexts:
        """Bring texts to the driver, and keep them compressed; of others as many as `AT_ONCE` allows."""
        new = np.array([one for one in documents.tolist() if one not in self._held], np.int64)
        if len(new) and self.sizes[[*self._held, *new.tolist()]].sum() > AT_ONCE:
            self._held = {one: self._held[one] for one in documents.tolist() if one in self._held}
        for first, last in whole_cuts(self.sizes[new], AT_ONCE):
            self._held.update(self._fetched(new[first:last]))
        return CompressedTexts(self._held[one] for one in documents.tolist())

    @property
    def lengths(self) -> Int:
        """Bytes of each, as whoever makes rows of texts asks for them."""
        return self.sizes

    def some(self, documents: Int, workers: int = 1) -> pa.LargeStringArray:
        """Return some of the texts: those that are not on the driver come there."""
        return self.fetch(documents).some(np.arange(len(documents)), workers)

    def fetch_once(self, documents: Int) -> CompressedTexts:
        """Bring texts to the driver, which will not ask for them again."""
        held = self._fetched(documents)
        return CompressedTexts(held.pop(one) for one in documents.tolist())

    def _fetched(self, documents: Int) -> dict[int, Any]:
        if len(documents) == 0:
            return {}
        found = self.at(documents, {"document": documents}).select("document", "text").toArrow()
        held: dict[int, Any] = {}
        for batch in found.to_batches():
            held.update(zip(batch.column("document").to_pylist(), cells(batch.column("text")), strict=True))
        return held

    def at(self, documents: Int, columns: Mapping[str, Int]) -> DataFrame:
        """Return the texts of documents, with further columns; they are found without being shuffled."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        here = {"part": self.part[documents], "place": self.place[documents], **columns}
        wanted = F.broadcast(self._sketched.sparkSession.createDataFrame(pa.table(here)))
        return self._sketched.select("part", "place", "text").join(wanted, ["part", "place"])

    def runs(self, documents: Int) -> Iterator[Int]:
        """Yield the places of documents, in runs that are not too many to be sent to all executors."""
        most = SENT // 32
        order = np.lexsort((self.place[documents], self.part[documents]))
        for start in range(0, len(order), most):
            yield order[start : start + most]


class _Named:
    """Documents of a counter have other numbers among all texts of the run: `_names`, ascending."""

    _names: Int

    def named(self, pairs: Pairs) -> Pairs:
        """Return the pairs by the numbers of their documents among all texts."""
        return packed(*(self._names[side] for side in unpack(pairs)))


class DriverCounter(_Named, PairCounter):
    """Counts what pairs of n documents share, on the driver.

    Parameters
    ----------
    store : TextStore
        Their texts.
    names : int64[n]
        Their numbers among all texts of the run, ascending.
    asked : int64[...]
        The documents that pairs can be of, ascending: their texts are fetched.
    context : Context
    """

    def __init__(self, store: TextStore, names: Int, asked: Int, context: Context) -> None:
        rows = np.zeros(len(names), np.int64)
        rows[asked] = np.arange(len(asked))
        super().__init__(store.fetch_once(asked), rows, context)
        self._names = names


class SparkCounter(_Named):
    """Counts what pairs of n documents share.

    Parameters
    ----------
    store : TextStore
        Their texts.
    names : int64[n]
        Their numbers among all texts of the run, ascending.
    candidates : uint64[...]
        Pairs that stand in bundles.
    settings : Settings
    work : Work

    Attributes
    ----------
    context : Context
    """

    def __init__(self, store: TextStore, names: Int, candidates: Pairs, settings: Settings, work: Work) -> None:
        self.context = Context(settings, 1)
        self._store, self._names, self._candidates, self._work = store, names, candidates, work
        self._bundles = bundled(candidates, store.sizes)
        #: Of each document a bundle that it is in: the only one, as a rule; -1 if it is in none.
        self._home = np.full(len(names), -1)
        self._home[self._bundles.document] = self._bundles.bundle
        self._placed = work.stage("bundles", lambda: self._place(self._bundles))
        self._more = 0
        self._here = self._without_rows()

    @property
    def n(self) -> int:
        """How many documents there are."""
        return len(self._names)

    def expect(self, pairs: Pairs) -> None:
        """Be told of all pairs that will be counted: their texts are where they are counted."""

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares."""
        return self._counted("overlaps", pairs)

    def sharing(self, pairs: Pairs) -> Overlaps:
        """Count, and read, the pairs that share enough to be judged."""
        return self._counted("sharing", pairs)

    def patterns(self, found: Overlaps) -> Byte:
        """Return in which pattern each pair shares what it shares."""
        assert found.patterns is not None, "pairs that are judged have been read"
        return found.patterns

    def filled_forms(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Mark which pairs of documents of one wording, all that there are, are filled forms.

        A bundle answers if all pairs of both documents are in it, for these say which the third documents are. The
        driver answers of the others: some pairs at a time, beside all others that their documents are in.
        """
        (a, b), sizes = unpack(pairs), self._store.sizes
        marks, question = np.zeros(len(pairs), np.bool_), Question("filled_forms", self.context.settings)
        bundle, places = self._bundle_of(pairs), np.arange(len(pairs))
        for at, found in self._ask_bundles(question, {"pairs": pairs}, bundle, self._placed, places):
            marks[at] = found["filled"]
        cut = np.flatnonzero(_across(pairs, bundle, self.n))
        self._store.fetch(documents_of(_beside(pairs, cut, self.n), self.n))  # of all of them at once
        for first, last in whole_cuts(sizes[a[cut]] + sizes[b[cut]], FETCHED):
            some = cut[first:last]
            beside = _beside(pairs, some, self.n)
            marks[some] = self._answered(question, {"pairs": beside})["filled"][np.searchsorted(beside, pairs[some])]
        return marks

    def tally(self, found: Overlaps, among: NDArray[np.uint64] | None = None) -> tuple[Any, Any]:
        """Count the pairs that share each shingle, or each of those in a table."""
        parts = self.ask(Question("tally", self.context.settings, among), known_of(found))
        shingles = [np.empty(0, np.uint64), *(each["shingles"] for _, each in parts)]
        return summed(
            np.concatenate(shingles), np.concatenate([np.empty(0, np.int32), *(e["votes"] for _, e in parts)])
        )

    def _counted(self, ask: str, pairs: Pairs) -> Overlaps:
        parts = self.ask(Question(ask, self.context.settings), {"pairs": pairs})
        at = np.concatenate([np.empty(0, np.int64), *(places[found["at"]] for places, found in parts)])
        order = np.argsort(at)
        shared, size_a, size_b = (_joined(parts, name, np.int32)[order] for name in ("shared", "size_a", "size_b"))
        read = ask == "sharing" and self.context.settings.weighs
        patterns = _joined(parts, "patterns", np.uint8)[order] if read else None
        return Overlaps(pairs[at[order]], shared, size_a, size_b, None, patterns)

    def ask(self, question: Question, known: Arrays) -> list[tuple[Int, Arrays]]:
        """Ask about pairs, given what is known of each: answers, and the places of the pairs that each is of.

        The answers to a tally are of all pairs together.
        """
        pairs = known["pairs"]
        if len(pairs) and self._are_few(documents_of(pairs, self.n)):
            return [(np.arange(len(pairs)), self._answered(question, known))]
        bundle = self._bundle_of(pairs)
        at, others = np.flatnonzero(bundle >= 0), np.flatnonzero(bundle < 0)
        answers = []
        if len(at):
            answers += self._ask_bundles(question, _some(known, at), bundle[at], self._placed, at)
        if len(others):
            answers += self._ask_others(question, _some(known, others), others)
        return answers

    def _bundle_of(self, pairs: Pairs) -> Int:
        """Return the bundle that answers for each pair: -1 if none has both documents."""
        a, b = (self._home[side] for side in unpack(pairs))
        bundle = np.where(a == b, a, -1)
        candidates = np.flatnonzero(~missing(pairs, self._candidates))
        bundle[candidates] = self._bundles.of_pair[np.searchsorted(self._candidates, pairs[candidates])]
        return bundle

    def _ask_others(self, question: Question, known: Arrays, at: Int) -> list[tuple[Int, Arrays]]:
        """Ask about pairs of documents that no bundle has together."""
        if self._are_few(documents_of(known["pairs"], self.n)):
            return [(at, self._answered(question, known))]
        bundles = bundled(known["pairs"], self._store.sizes)
        self._more += 1
        placed = self._work.stage(f"bundles-{self._more}", lambda: self._place(bundles))
        return self._ask_bundles(question, known, bundles.of_pair, placed, at)

    def _are_few(self, documents: Int) -> bool:
        """Whether the driver asks these documents itself."""
        return bool(self._store.sizes[documents].sum() <= FETCHED)

    def _answered(self, question: Question, known: Arrays) -> Arrays:
        """Answer of pairs on the driver: rows of shingles that it has made are there still, unless they are many."""
        rows = self._here.shingles
        if int(rows.lengths.sum(dtype=np.int64)) * 8 > AT_ONCE:
            self._here = self._without_rows()
        documents = documents_of(known["pairs"], self.n)
        self._store.fetch(documents[self._here.shingles.lengths[documents] == 0])  # at once, and not block by block
        return answer(question, np.arange(self.n), self._here, known)

    def _without_rows(self) -> PairCounter:
        """Return what counts on the driver, and has read no text yet."""
        return PairCounter(self._store, np.arange(self.n), self.context)

    def _place(self, bundles: Bundles) -> DataFrame:
        """Put texts into bundles: the one time that they are shuffled."""
        count = max(1, min(len(np.unique(bundles.bundle)), 4096))
        frames = []
        for run in self._store.runs(bundles.document):
            columns = {"bundle": bundles.bundle[run], "document": bundles.document[run]}
            frames.append(self._store.at(bundles.document[run], columns).select("bundle", "document", "text"))
        if not frames:
            return self._work.session.spark.createDataFrame([], BUNDLES)
        whole = frames[0]
        for frame in frames[1:]:
            whole = whole.union(frame)
        spread = whole.repartition(count, "bundle").sortWithinPartitions("bundle", "document")
        return spread.mapInArrow(pack_bundles(self.context.settings), BUNDLES)

    def _ask_bundles(
        self, question: Question, known: Arrays, of_pair: Int, placed: DataFrame, at: Int
    ) -> list[tuple[Int, Arrays]]:
        """Send each bundle what is known of its pairs, and collect the answers."""
        answers: list[tuple[Int, Arrays]] = []
        for places in _runs(known, of_pair):
            sent = {bundle: pickle.dumps(_some(known, own)) for bundle, own in places.items()}
            answers += self._asked(question, placed, sent, {bundle: at[own] for bundle, own in places.items()})
        return answers

    def written(self, question: Question, known: Arrays, rows: str) -> DataFrame:
        """Ask about candidates, and leave the answers, in such rows, where they are written."""
        of_pair = self._bundle_of(known["pairs"])
        frames = [self._work.session.spark.createDataFrame([], rows)]
        for run, places in enumerate(_runs(known, of_pair)):
            answered = answer_bundles(question, {each: pickle.dumps(_some(known, own)) for each, own in places.items()})
            made = self._placed.where(_are_of(sorted(places))).mapInArrow(answered, rows)
            frames.append(self._work.stage(f"{question.ask}-{run}", partial(_same, made)))
        return reduce(lambda one, more: one.union(more), frames)

    def _asked(
        self, question: Question, placed: DataFrame, sent: dict[int, bytes], at: dict[int, Int]
    ) -> list[tuple[Int, Arrays]]:
        answered = answer_bundles(question, sent)
        asked = placed.where(_are_of(sorted(sent)))
        with self._work.session.stage(question.ask):
            if question.ask == "tally":
                return [(np.empty(0, np.int64), _votes(asked.mapInArrow(answered, VOTES)))]
            rows = asked.mapInArrow(answered, ANSWERS).toArrow().to_pylist()
        return [(at[row["bundle"]], pickle.loads(row["answer"])) for row in rows]


def _same(frame: DataFrame) -> DataFrame:
    return frame


def _runs(known: Arrays, of_pair: Int) -> Iterator[dict[int, Int]]:
    """Yield the places of the pairs of each bundle, of as many bundles as may be sent to all executors at a time."""
    order = np.argsort(of_pair, kind="stable")
    bundles, starts = np.unique(of_pair[order], return_index=True)
    bounds = np.append(starts, len(order))
    each = sum(values.dtype.itemsize for values in known.values())
    ends = np.cumsum(np.diff(bounds) * each)
    for run in np.unique(ends // SENT).tolist():
        some = np.flatnonzero(ends // SENT == run).tolist()
        yield {int(bundles[place]): order[bounds[place] : bounds[place + 1]] for place in some}


def _are_of(bundles: list[int]) -> Column:
    """Say which rows are read: files of bundles that are not asked are left out."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    if len(bundles) <= LISTED:
        return F.col("bundle").isin(bundles)
    return F.col("bundle").between(bundles[0], bundles[-1])


def _votes(votes: DataFrame) -> Arrays:
    """Sum up the votes that bundles counted."""
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    found = votes.groupBy("shingle").agg(F.sum("votes").alias("votes")).toArrow()
    return {
        "shingles": found["shingle"].to_numpy().view(np.uint64),
        "votes": found["votes"].to_numpy().astype(np.int32),
    }


class SparkWeigher:
    """Weighs pairs; made of the counter and of what is known of shingles, as `Weigher` is.

    Parameters
    ----------
    counter : SparkCounter
    boilerplate : Boilerplate
    """

    def __init__(self, counter: SparkCounter, boilerplate: Boilerplate) -> None:
        self._counter, self._boilerplate = counter, boilerplate
        self._trimmed = boilerplate.trimmed().voted_by(np.empty(0, np.uint64), np.empty(0, np.int32))

    def weigh(self, found: Overlaps) -> Overlaps:
        """Weigh pairs that share enough to be judged."""
        settings = self._counter.context.settings
        if not settings.weighs or len(found.pairs) == 0:
            return found
        question = Question("weigh", settings, None, self._trimmed)
        parts = self._counter.ask(question, self._known(found))
        order = np.argsort(np.concatenate([places for places, _ in parts]))
        names = (*Weights._fields, "patterns")
        *weights, patterns = (np.concatenate([answer[name] for _, answer in parts])[order] for name in names)
        return Overlaps(found.pairs, found.shared, found.size_a, found.size_b, Weights(*weights), patterns)

    def matches(self, found: Overlaps) -> Overlaps:
        """Return the pairs that are copies, weighed."""
        return decided(self.weigh(found), self._counter.context.settings)

    def written_matches(self, found: Overlaps) -> DataFrame:
        """Weigh candidates that share enough to be judged, and leave the matches among them where they are written."""
        settings = self._counter.context.settings
        question = Question("matches", settings, None, self._trimmed)
        return self._counter.written(question, self._known(found), match_columns(settings))

    def _known(self, found: Overlaps) -> Arrays:
        return known_of(found) | {"votes": self._boilerplate.votes_of(found.pairs)}


def _across(pairs: Pairs, bundle: Int, n: int) -> NDArray[np.bool_]:
    """Mark pairs of documents that have pairs in several bundles."""
    (a, b), first, last = unpack(pairs), np.full(n, np.iinfo(np.int64).max), np.full(n, -1)
    for side in (a, b):
        np.minimum.at(first, side, bundle)
        np.maximum.at(last, side, bundle)
    several = first < last
    return np.asarray(several[a] | several[b])


def _beside(pairs: Pairs, some: Int, n: int) -> Pairs:
    """Return the pairs that the documents of some of them are in."""
    (a, b), there = unpack(pairs), np.zeros(n, np.bool_)
    there[a[some]] = there[b[some]] = True
    return pairs[there[a] | there[b]]


def known_of(found: Overlaps) -> Arrays:
    """Return what is known of pairs that share enough to be judged."""
    known: Arrays = {name: getattr(found, name) for name in ("pairs", "shared", "size_a", "size_b")}
    return known if found.patterns is None else known | {"patterns": found.patterns}


def _joined(parts: list[tuple[Int, Arrays]], name: str, type_: type) -> NDArray[Any]:
    return np.concatenate([np.empty(0, type_), *(found[name] for _, found in parts)])


def _some(known: Arrays, at: Int) -> Arrays:
    return {name: values[at] for name, values in known.items()}
