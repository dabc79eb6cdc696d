"""From a frame of texts to clusters, on Spark: the same stages as `dupdetect.dedup`, and the same result.

Input    a DataFrame of Spark, settings, a folder that all executors reach
Output   `SparkResult`
Cost     three passes over the frame: sketches, texts of candidates, rows that stay

Executors sketch texts, search for candidates and verify them. The driver clusters, by the functions that a run on one
machine calls, or where there are too many matches for it executors do (`decision`). It holds what is known of documents
that share something with another, and of no others. What is few comes to the driver sooner: sketches (`on_driver.FEW`),
and texts of candidates (`counter.FEW`). What is finished stands in the work folder, and a run that resumes takes it
from there.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import add, or_
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect._storage.context import Context, check_workers
from dupdetect._storage.memory import machine
from dupdetect._storage.workspace import Workspace
from dupdetect.clustering.clusters import blank
from dupdetect.errors import InputError, SettingsError
from dupdetect.io.checks import REJECTS
from dupdetect.io.documents import refuse_rejects
from dupdetect.io.rejected import repeated_id, warn_of_rejects
from dupdetect.io.remote import as_url
from dupdetect.io.rows import Rows
from dupdetect.io.streams import MAX_TEXT, check_max_text
from dupdetect.matching.candidates import Candidates, of_shared
from dupdetect.matching.grouping import Grouping
from dupdetect.matching.pairs import packed, unpack
from dupdetect.pipeline import request as requests
from dupdetect.pipeline.corpus import Corpus, check_usable
from dupdetect.pipeline.decide import Engine, Search
from dupdetect.pipeline.incremental import AgainstEarlier
from dupdetect.pipeline.manifest import check_unchanged, identity, made_with, versions
from dupdetect.pipeline.rules import Plain
from dupdetect.pipeline.timing import Clock
from dupdetect.results.folder import check_apart
from dupdetect.settings import GROUPING, Settings
from dupdetect.sketches.cleaning import refuse_words
from dupdetect.spark import candidates, counter, on_driver, texts
from dupdetect.spark.counter import DriverCounter, SparkCounter, SparkWeigher, TextStore
from dupdetect.spark.decision import Decided, decided_of
from dupdetect.spark.earlier import identities, with_results
from dupdetect.spark.on_driver import joined, keys_of
from dupdetect.spark.records import RecordFiles
from dupdetect.spark.result import SparkResult, frames
from dupdetect.spark.session import Session
from dupdetect.spark.sketching import NAMED_TWICE, Request, digests_of, read_by, request_of, shown, signed, sketched
from dupdetect.spark.work import Work, check_work
from dupdetect.text.shingles import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame
    from typing_extensions import Unpack

    from dupdetect.pipeline.earlier_runs import Given
    from dupdetect.pipeline.timing import Progress
    from dupdetect.settings import GivenSettings, SettingsKeywords

    Int = NDArray[np.int64]


def dedup(
    frame: DataFrame | RecordFiles,
    *,
    work: str,
    text: str = "text",
    id: str | None = None,
    id_prefix: str | None = None,
    settings: GivenSettings = None,
    strict: bool = False,
    max_text: int | str = MAX_TEXT,
    resume: bool = False,
    against: Given | Iterable[Given] | None = None,
    known_boilerplate: pa.Table | None = None,
    progress: Progress | None = None,
    **overrides: Unpack[SettingsKeywords],
) -> SparkResult:
    """Find the copies in a frame of Spark: what `dupdetect.dedup` finds in the same rows.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        Of a classic session or of Spark Connect. It is evaluated twice, and must give the same rows both times.
        Or what `dupdetect.spark.files.read_files` gives.
    work : str
        A folder that the executors can write to, such as ``s3a://bucket/run-7``: what is finished stands there, and
        the result. Remove it when the result has been written elsewhere.
    text : str
        The column of texts.
    id : str, optional
        The column of ids. By default "id" if there is one, else rows are numbered; "none": they are in any case.
    id_prefix : {"file"}, optional
        What goes before each id: "file", for ids that are unique in each file only; of what `read_files` gives.
    settings : Settings or mapping, optional
        Default settings if left out, and for what a mapping does not name.
    strict : bool
        Whether a row that cannot be used is an error. By default it becomes a row of `SparkResult.rejects`.
    max_text : int or str
        Bytes that a text may have: a row with more cannot be used.
    resume : bool
        Go on with what an interrupted run of the same has left in `work`. Of a frame that reads no files of this
        machine only the columns can be compared: that its rows are the same is for you to know.
    against : path, Result or iterable of these, optional
        Outputs of earlier runs, as `dupdetect.dedup` takes them, and those that `SparkResult.write` wrote, which may
        be URLs. The driver reads them, what Spark wrote whole, and holds the sketches of all new documents, some 600
        bytes each.
    known_boilerplate : pyarrow.Table, optional
        As for `dupdetect.dedup`.
    progress : callable, optional
        Called with (stage, done, total).
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    SparkResult

    Raises
    ------
    InputError
        A column is missing or cannot be used, or there are rows and none of them can be used.
    SettingsError
        A setting is unknown or out of its range.
    MismatchError
        `resume`, but what is in `work` was begun with another frame or other settings.
    """
    chosen = Settings.of(settings, **overrides)
    refuse_words(chosen, "Spark")
    check_work(work)
    given = frame if isinstance(frame, RecordFiles) else None
    frame = frame.frame if isinstance(frame, RecordFiles) else frame
    request = request_of(frame, chosen, text, id, check_max_text(max_text))
    request = _of_files(request, given, id_prefix)
    if against is not None and callable(chosen.canonical):
        raise SettingsError(
            "canonical is a callable, which cannot be asked about earlier documents on Spark; name a policy"
        )
    if known_boilerplate is not None and against is not None:
        raise SettingsError("known_boilerplate cannot be given together with against, whose outputs say it")
    session = Session(frame.sparkSession)
    with session.options(), _rules(session, known_boilerplate, against, chosen, text) as rules:
        names = [shown(name) for name in request.files or sorted(frame.inputFiles())]
        # What Spark reaches behind a URL, the driver may not.
        inputs = [{"name": name} if given is None and as_url(name) else identity(name) for name in names]
        check_apart(work, names)
        plan = _plan(frame, request) | {"inputs": inputs, "against": identities(rules)}
        if (known := rules.known).is_settled:
            plan["known_boilerplate"] = [digest(each.astype(np.uint64)) for each in (known.shingles, known.margin)]
        run = _Run(frame, request, Work(session, work, plan, resume=resume), Clock(progress), rules)
        run.records = given
        result = run.result(strict)
        check_unchanged(plan)
        return result


def _of_files(request: Request, given: RecordFiles | None, id_prefix: str | None) -> Request:
    """Return the request with what is known of files."""
    request = request if given is None else request._replace(files=given.names)
    if id_prefix not in (None, "file"):
        raise InputError(f"id_prefix is {id_prefix!r}: expected 'file', or nothing")
    if id_prefix and request.files is None:
        raise InputError("the frame: its rows are of no files, whose names could go before ids: leave id_prefix out")
    return request._replace(prefixed=id_prefix is not None and request.id is not None)


def _rules(
    session: Session, known: pa.Table | None, against: Given | Iterable[Given] | None, settings: Settings, text: str
) -> Plain:
    """Return the rules of a run over documents of its own alone, or over these and earlier ones."""
    if against is None:
        return Plain(known)
    return AgainstEarlier.of(with_results(session.spark, against), settings, text, check_workers(None))


def _plan(frame: DataFrame, request: Request) -> dict[str, Any]:
    """Return all that decides what stands in the work folder."""
    return {
        "versions": versions(),
        "settings": request.settings.as_dict(),
        "text": request.text,
        "id": request.id,
        "max_text": request.max_text,
        "columns": [field.simpleString() for field in frame.schema.fields],
        "prefixed": request.prefixed,
    }


#: What the column is called that holds what a callable policy said of each row.
VALUE = "dupdetect_value"


class Involved(NamedTuple):
    """The documents that share something with another one, as the driver knows them, in the order of the input.

    Attributes
    ----------
    corpus : Corpus
        Of n documents.
    text_of : int64[n]
        The text that each has, among m texts.
    names : int64[m]
        The numbers of the texts among all, ascending.
    table : pyarrow.Table
        Where each document stands.
    grouping : Grouping, optional
        Of the documents.
    """

    corpus: Corpus
    text_of: Int
    names: Int
    table: pa.Table
    grouping: Grouping | None = None

    @property
    def first(self) -> Int:
        """The document of each text whose text speaks for it: int64[m]."""
        first = np.flatnonzero(self.table["first"].to_numpy())
        return first[np.argsort(self.text_of[first])]


class _Run:
    """One run, stage after stage.

    Parameters
    ----------
    frame : DataFrame
    request : Request
    work : Work
    clock : Clock
    rules : Plain
    """

    def __init__(self, frame: DataFrame, request: Request, work: Work, clock: Clock, rules: Plain) -> None:
        self.frame, self.request, self.work, self.clock = frame, request, work, clock
        self.session, self.rules = work.session, rules
        self.repeated, self.rejects = pa.table({}), REJECTS.empty_table()
        self.documents = self.empty = 0
        self.few, self.known = False, pa.table({})
        self.records: RecordFiles | None = None

    def result(self, strict: bool) -> SparkResult:
        """Carry it out."""
        stage, self.strict = self.clock.stage, strict
        with stage("sign", 0):
            self.sketched = self.work.stage("sketched", lambda: sketched(self.frame, self.request))
            self._count()
        if not self.documents:
            check_usable(self._corpus(self.sketched.limit(0).toArrow()))
        if self.few:
            involved, search, store = self._on_driver()
        else:
            with stage("candidates", self.documents):
                involved, search, store = self._on_executors()
        warn_of_rejects(self.rejects, self.documents + self.rejects.num_rows)
        engine, rules, run = self._engine(involved, search, store)
        decided = decided_of(involved.corpus, search, engine, rules, run, self.work)
        with stage("tables", self.documents):
            return self._result(involved, decided)

    def _engine(
        self, involved: Involved, search: Search, store: TextStore
    ) -> tuple[Engine, Plain, requests.RunContext]:
        """Say who verifies, by which rules, and where."""
        asked = search.found.documents()
        if store.sizes[asked].sum(dtype=np.int64) > min(counter.FEW, machine() // counter.PART_OF_MEMORY):
            found = SparkCounter(store, involved.names, search.found.pairs, self.request.settings, self.work)
            return Engine(found, SparkWeigher), self.rules, self._context(self.work)
        run = self._context(Workspace(None, None, False, {}))
        return Engine(DriverCounter(store, involved.names, asked, run.context)), self.rules, run

    def _context(self, workspace: Any) -> requests.RunContext:
        """Return what the stages on the driver work with."""
        asked = requests.Request(None, self.request.text, self.request.id, self.strict, self.request.max_text)
        workers = check_workers(None)
        return requests.RunContext(asked, _by_value(self.request.settings), workers, workspace, self.clock, {})

    def _on_executors(self) -> tuple[Involved, Search, TextStore]:
        """Search for candidates among the documents of the frame, on executors."""
        gone, settings = self.repeated, self.request.settings
        count, apart = texts.partitions(self.session, self.documents), None
        if grouped(settings):
            numbered = self.request.id is None and self.request.files is None
            apart = texts.KeptApart(settings, self.starts, numbered)
        ordered = self.work.stage("texts", lambda: texts.ordered(self.sketched, gone, count, apart))
        numbers = texts.numbers_of(ordered)
        salts = [None] if apart is None else list(texts.SALTS)[: 1 if settings.per is None else 2]
        found = [candidates.search(ordered, numbers, settings, self.work, salt) for salt in salts]
        involved = self._involved(ordered, numbers, found)
        return involved, self._search(found, involved), self._store(involved)

    def _on_driver(self) -> tuple[Involved, Search, TextStore]:
        """Search for candidates among the documents of the frame, and earlier ones if there are any, on the driver."""
        table = self.known.filter(self.known["reason"].is_null()).drop_columns(["reason"])
        again = set(zip(*(self.repeated[name].to_pylist() for name in ("part", "place")), strict=True))
        if again:
            own = zip(*(table[name].to_pylist() for name in ("part", "place")), strict=True)
            table = table.filter(pa.array([place not in again for place in own], pa.bool_()))
        (bands, _), (fingerprints, each) = (keys_of(table, name) for name in candidates.SOURCES)
        corpus = replace(self._corpus(table), bands=[bands], fingerprints=[fingerprints], fingerprints_each=each)
        context = self._context(Workspace(None, None, False, {}))
        corpus, search, store = joined(corpus, table, self.rules, context, (self.work, self.sketched))
        kept = np.isin(np.arange(table.num_rows), corpus.places[: corpus.new])
        places = ["part", "place"]
        rejected = table.filter(pa.array(~kept)).select(places)
        self.repeated = pa.concat_tables([self.repeated.select(places), rejected])
        self.rejects, self.documents = corpus.rejects, corpus.new
        self.empty = int((blank(corpus.digests) & (corpus.words == 0))[: corpus.new].sum())
        names = np.arange(len(store.sizes))
        return Involved(corpus, search.text_of, names, table.filter(pa.array(kept))), search, store

    def _count(self) -> None:
        """Count rows, and find those that cannot be used."""
        import pyspark.sql.functions as F  # noqa: N812 - as everybody does

        high, low = signed(np.array(digest(np.empty(0, np.uint64)), np.uint64)).tolist()
        good = F.col("reason").isNull()
        empty = (F.col("words") == 0) & (F.col("high") == high) & (F.col("low") == low)
        columns = [F.count(F.lit(1)).alias("rows"), F.count_if(good).alias("good"), F.count_if(empty).alias("empty")]
        columns.append(F.sum(reduce(add, map(F.length, candidates.SOURCES))).alias("bytes"))
        columns.append((F.max("place") + 1).alias("own"))
        each = self.sketched.groupBy("part").agg(*columns).toArrow().sort_by("part")
        parts, rows = each["part"].to_numpy(), each["rows"].to_numpy()
        twice = np.flatnonzero(rows > each["own"].to_numpy())
        if len(twice) and self.request.files is not None:
            raise InputError(NAMED_TWICE.format(shown(self.request.files[int(parts[twice[0]])])))
        self.starts = np.zeros(int(parts.max(initial=-1)) + 1, np.int64)
        self.starts[parts] = np.cumsum(rows) - rows
        sketches = int(each["bytes"].fill_null(0).to_numpy().sum())
        self.few = isinstance(self.rules, AgainstEarlier) or sketches <= on_driver.FEW
        if self.few:
            self.known = self.sketched.drop("text").toArrow().sort_by(texts.INPUT).combine_chunks()
        self.repeated, self.rejects = self._rejected()
        self.documents = int(each["good"].to_numpy().sum()) - self.repeated.num_rows
        self.empty = int(each["empty"].to_numpy().sum()) - _empty(self.repeated)

    def _rejected(self) -> tuple[pa.Table, pa.Table]:
        """Return the rows whose ids repeat others, and all rejects with their reasons."""
        named = ("part", "place", "words", "high", "low", "file", "row", "reason")
        if self.few:
            wrong = self.known.filter(self.known["reason"].is_valid()).select(named)
        else:
            wrong = self.sketched.where("reason is not null").select(*named).toArrow()
        again = wrong.schema.empty_table()
        files, rows = [wrong["file"]], [self._rows(wrong)]
        reasons = wrong["reason"].to_pylist()
        if self.request.id is not None:
            few = self.known.filter(self.known["reason"].is_null()) if self.few else None
            again, first = texts.repeated(texts.doubtful(self.sketched, self.session) if few is None else few)
            reasons += self._repeats(again, first)
            files.append(again["file"])
            rows.append(self._rows(again))
        chunks = [chunk for column in files for chunk in column.cast(pa.string()).chunks]
        columns = [pa.chunked_array(chunks, pa.string()), np.concatenate(rows), reasons]
        table = pa.table(columns, names=REJECTS.names).cast(REJECTS)
        table = table.sort_by([("file", "ascending"), ("row", "ascending")])
        if self.strict:
            refuse_rejects(table)
        return again, table

    def _repeats(self, again: pa.Table, first: Int) -> list[str]:
        """Say of rows, given where the first of their ids stand, that they repeat an id."""
        reasons, files = [], self.request.files
        for value, part, (other, place) in zip(
            again["id"].to_pylist(), again["part"].to_pylist(), first.tolist(), strict=True
        ):
            where = f"row {self.starts[other] + place}"
            if files is not None:
                where = f"row {place + 1}" if part == other else f"{shown(files[other])}:{place + 1}"
            assert self.request.id is not None, "rows that are numbered repeat nothing"
            reasons.append(repeated_id(self.request.id, value, where))
        return reasons

    def _rows(self, table: pa.Table) -> Int:
        """Return the numbers of rows, given where they stand."""
        own = self.starts[table["part"].to_numpy()] + table["place"].to_numpy()
        given = table["row"]
        return own if given.null_count else np.asarray(given.to_numpy())

    def _involved(self, ordered: DataFrame, numbers: texts.Numbers, found: Sequence[candidates.Found]) -> Involved:
        """Bring the documents that share something with another to the driver."""
        copied = ordered.where("not first").select("range", "index").distinct()
        copies = copied.toArrow()
        of_copies = numbers.starts[copies["range"].to_numpy()] + copies["index"].to_numpy()
        members = [each for one in found for _, each in one.hot]
        paired = [side for one in found for side in unpack(one.pairs)]
        names = np.unique(np.concatenate([*paired, *members, of_copies]))
        wordless = texts.copies_without_words(self.sketched, self.repeated)
        table = texts.documents_of(ordered, numbers, names).drop("range", "index").toArrow()
        table = pa.concat_tables([table, wordless.select(table.column_names).cast(table.schema)])
        table = table.sort_by(texts.INPUT)
        number = table["number"]
        text_of = np.where(number.is_null(), -1, np.searchsorted(names, number.fill_null(0).to_numpy()))
        corpus, grouping = self._corpus(table), None
        if grouped(self.request.settings):
            grouping = Grouping.of(self.request.settings, partial(self.rules.hashed, corpus), corpus.ids)
            assert grouping is not None, "something is kept apart"
            # Documents with words came with the digests that keep them apart; those are turned back as they were made.
            turned, with_words = grouping.parted(corpus.digests), (text_of >= 0)[:, None]
            corpus = replace(corpus, digests=np.where(with_words, turned, corpus.digests))
        return Involved(corpus, text_of, names, table, grouping)

    def _corpus(self, table: pa.Table) -> Corpus:
        n, id, empty = table.num_rows, self.request.id, np.empty(0, np.int64)
        rows = self._rows(table)
        read = {VALUE if column is None else column: name for name, column in reversed(read_by(self.request.settings))}
        files = table["file"].combine_chunks().dictionary_encode()
        return Corpus(
            rows=Rows.of(pa.table({column: table[name] for column, name in read.items()})),
            ids=pa.chunked_array([pa.array(rows)]) if id is None and self.request.files is None else table["id"],
            places=np.arange(n),
            words=table["words"].to_numpy(),
            digests=digests_of(table),
            texts=pa.chunked_array([], pa.large_string()),
            bands=[],
            fingerprints=[],
            fingerprints_each=empty,
            rejects=self.rejects,
            inputs=list(map(shown, self.request.files or sorted(self.frame.inputFiles()))) or ["DataFrame"],
            id=id,
            files=[*files.dictionary.to_pylist(), None],
            file=files.indices.fill_null(len(files.dictionary)).to_numpy().astype(np.int32),
            row=rows,
        )

    def _store(self, involved: Involved) -> TextStore:
        """Say where the text stands that speaks for each text: that of the document of the least id."""
        part, place, sizes = (involved.table[name].to_numpy()[involved.first] for name in ("part", "place", "bytes"))
        return TextStore(self.sketched, part, place, sizes)

    def _search(self, found: Sequence[candidates.Found], involved: Involved) -> Search:
        """Put together what executors found."""
        settings, (corpus, text_of, names, _, grouping) = self.request.settings, involved
        of_texts = None if grouping is None else grouping.of_texts(involved.first, corpus.digests)
        sides, searches = None if of_texts is None else of_texts.between, []
        for one in found:
            few = packed(*(np.searchsorted(names, side) for side in unpack(one.pairs)))
            hot = [(sizes, np.searchsorted(names, members)) for sizes, members in one.hot]
            shares, context = (0.0, settings.min_shared_fingerprints), Context(settings, 1)
            searches.append(of_shared(few, hot, shares, len(names), context, sides))
        together: Candidates = reduce(or_, searches)
        together = together if of_texts is None else together.where(of_texts.comparable)
        limits = self.rules.comparable(corpus, text_of, np.arange(len(names)), together)
        apart = None if grouping is None else grouping.parted(corpus.digests)
        return Search(text_of, limits.candidates(together), limits, of_texts, apart)

    def _result(self, involved: Involved, decided: Decided) -> SparkResult:
        corpus, settings = involved.corpus, self.request.settings
        alone = self.documents - corpus.new
        counted = dict(decided.counts)
        counted |= {name: counted[name] + alone for name in ("documents", "clusters", "kept")}
        counted["empty"] = self.empty
        said = {
            **made_with(settings),
            "inputs": corpus.inputs,
            "columns": self.request.columns,
            "timings": self.clock.seconds,
            "counts": counted,
            "caps": decided.caps,
            "spark": {
                "version": self.session.spark.version,
                "shuffled_bytes": self.session.shuffled,
                "resumed_stages": self.work.resumed,
            },
            **self.rules.said(corpus, decided.superseded),
        }
        ending = None if self.records is None else (self.records.ending, self.records.compression)
        return SparkResult(**frames(self, involved.table, decided), manifest=said, records=ending)


def grouped(settings: Settings) -> bool:
    """Whether columns say which documents may be compared."""
    return any(getattr(settings, name) is not None for name in GROUPING)


def _empty(documents: pa.Table) -> int:
    """Count documents without a text."""
    return int((blank(digests_of(documents)) & (documents["words"].to_numpy() == 0)).sum())


def _by_value(settings: Settings) -> Settings:
    """Let a callable policy be replaced by what it said of each row, on the executors."""
    if not callable(settings.canonical):
        return settings
    return settings.replace(canonical=lambda row: pickle.loads(row[VALUE]))
