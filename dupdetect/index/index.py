"""The index that users open: documents in, and what they are copies of.

Input    a path or the address of a database; documents, one at a time or many
Output   `Seen` and tables
Cost     see docs/benchmarks.md; each call is a transaction, a call with many documents one for each batch
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dupdetect._compiled.dispatch import expect_many_calls
from dupdetect._storage.context import check_workers
from dupdetect._storage.memory import give_back
from dupdetect.errors import InputError, SettingsError
from dupdetect.index import answers, batches, exchange, listing
from dupdetect.index.answers import Seen
from dupdetect.index.changes import Change
from dupdetect.index.holdings import Holdings
from dupdetect.index.sqlite import SqliteStore
from dupdetect.index.upkeep import Upkeep
from dupdetect.settings import GivenSettings, Settings
from dupdetect.sketches.cleaning import refuse_words

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from dupdetect.index.batches import Reading
    from dupdetect.index.stores import Session, Store
    from dupdetect.pipeline.timing import Progress
    from dupdetect.results.result import Result
    from dupdetect.settings import SettingsKeywords

#: Calls with one document after which there will be many more of them: the compiled code is then loaded.
FEW_CALLS = 8

#: Seconds to wait for another writer, and the most: databases count milliseconds in 31 bits.
WAIT, MOST_WAIT = 30.0, 2_000_000.0


#: What is open: a child of this process goes on with it, by connections of its own.
_OPEN: weakref.WeakSet[Index] = weakref.WeakSet()


class Index(Upkeep):
    """A durable index: documents that are there, and whether another is a copy of one of them.

    Parameters
    ----------
    where : path or str
        A file (SQLite), created if it is not there; or ``postgresql://...``, a database that several machines share.
    settings : Settings or mapping, optional
        What decides a match. An index that is there has its own, and refuses others.
    texts : bool, optional
        Whether texts are kept. Without them an index is smaller, but matches are estimates, from signatures alone.
        By default they are, or as the index that is there has it.
    workers : int, optional
        Threads for many documents; by default one for each processor.
    read_only : bool
        Whether nothing is to be written; what is not there is then an error.
    wait : float
        Seconds to wait for another writer.
    **overrides
        Single settings, as `Settings` names them.

    Raises
    ------
    MismatchError
        The index was made with other settings.
    InputError
        It cannot be read, is damaged, no index, or of a later version.
    OutputError
        It cannot be created.

    Notes
    -----
    After any history of adds, replacements, removals and expiries, clusters are those of `dedup` of the documents that
    are left, with the same settings and the same table of boilerplate (``known_boilerplate``), where no key is hot.
    One writer at a time, in one process or several; others wait. Readers are never in the way, and see whole
    transactions. An index may be used by several threads, and by a
    process that was forked from the one that opened it.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> with Index(f"{folder.name}/news.dupindex") as index:
    ...     index.add("url-1", story).is_new, index.add("url-2", story.upper()).cluster, index.query("Another.").is_new
    (True, 'url-1', True)
    >>> folder.cleanup()
    """

    def __init__(
        self,
        where: str | os.PathLike[str],
        settings: GivenSettings = None,
        *,
        texts: bool | None = None,
        workers: int | None = None,
        read_only: bool = False,
        wait: float = WAIT,
        **overrides: Unpack[SettingsKeywords],
    ) -> None:
        wanted = Settings.of(settings, **overrides) if settings is not None or overrides else None
        if wanted is not None:
            refuse_words(wanted, "an index")
        threads, wait = check_workers(workers), _checked_wait(wait)
        self._store = _opened(where, read_only=read_only, wait=wait)
        try:
            self._store.create()
            self._holdings = Holdings(self._store, wanted, threads, texts)
        except BaseException:
            self._store.close()
            raise
        self._calls = count()
        _OPEN.add(self)

    @property
    def settings(self) -> Settings:
        """What decides a match."""
        return self._holdings.settings

    # ---- documents that come ----

    def add(
        self,
        id: Any,
        text: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        expires: datetime | float | None = None,
    ) -> Seen:
        """Add a document, and say what it is a copy of.

        Parameters
        ----------
        id : any
            Of one type in all of an index. With the same text nothing is done; with another, that replaces the former.
        text : str
        metadata : mapping, optional
            Whatever can be JSON, numbers of numpy too; dates, times, decimals and UUIDs become text. A policy that
            reads a column reads it here.
        expires : datetime or float, optional
            When `expire` is to remove it: a moment (UTC if it names no zone), or seconds since 1970.

        Returns
        -------
        Seen

        Raises
        ------
        InputError
            The id is of another type than those before, the text is none, or the metadata cannot be JSON.
        OutputError
            The index cannot be written, or another writer holds it for too long.
        """
        self._expect()
        if id is None:
            raise InputError("the id is None; give every document an id, or ask with `query`")
        batch = batches.one(self._holdings, id, text, metadata, expires)
        with self._store.write() as session:
            before = session.state.document
            change, (number,), regrouped = self._changed(session, batch)
            if number >= before and change.is_alone:
                seen = Seen(self._holdings.identifiers.values(batch.ids)[0], True, id, [])
            else:
                seen = answers.seen(session, self._holdings, number, regrouped, is_there=number < before)
        self._tidy(change)
        return seen

    def add_many(self, data: Any, *, progress: Progress | None = None, **reading: Unpack[Reading]) -> pa.Table:
        """Add many documents, in batches: each is a transaction.

        Parameters
        ----------
        data, text, id, id_prefix, strict, max_text, input_format, encoding, delimiter
            As `dedup` takes them. An id that comes again replaces what it was.
        metadata : str or iterable of str, optional
            Columns to keep as metadata; by default those that choose canonicals, if any.
        expires : str, optional
            The column that says when a document expires: dates, or seconds since 1970.
        rejected : callable, optional
            Given the rows that cannot be used, ``file``, ``row`` and ``reason``; by default a warning counts them.
        progress : callable, optional
            Called with (stage, done, total).

        Returns
        -------
        pyarrow.Table
            A row for each document in the order of the input: ``id``, ``is_new`` (it represents a cluster in which no
            document was before; of an id that comes twice in a batch, the last row alone), ``cluster``, ``relation``
            to its canonical, ``score``, ``jaccard``, ``containment``; as things were when its batch was committed.
        """
        parts = []
        for table, rows in self.add_in_batches(data, progress=progress, **reading):
            del rows  # which would stay in memory until the next ones have come
            parts.append(table)
        return pa.concat_tables(parts) if parts else listing.nothing_added(self._holdings)

    def add_in_batches(
        self, data: Any, *, progress: Progress | None = None, **reading: Unpack[Reading]
    ) -> Iterator[tuple[pa.Table, batches.Came]]:
        """Add many documents, and yield after each batch what `add_many` returns of it, and its rows as they came.

        Parameters are those of `add_many`; of the rows there is a table, and where they stand in their files.
        """
        expect_many_calls()
        done = 0
        for batch, rows in batches.of_stream(self._holdings, data, reading):
            with self._store.write() as session:
                first = listing.First(session.state.document, session.state.text)
                change, numbers = self._changed(session, batch)[:2]
                table = listing.added(session, self._holdings, numbers, first)
            self._tidy(change)
            done += len(batch.ids)
            if progress is not None:
                progress("add", done, 0)
            yield table, rows
            del batch, rows, change, table  # while the next is waited for, the one behind that is made
        give_back()
        if progress is not None:
            progress("add", done, done)

    # ---- documents that go ----

    def remove(self, ids: Any) -> int:
        """Remove documents by their ids, or one by its id, and repair the clusters they were in.

        Returns
        -------
        int
            How many were there.
        """
        given = [ids] if isinstance(ids, str | bytes) or not isinstance(ids, Iterable) else list(ids)
        total = 0
        with self._store.read() as session:
            encoded = self._looked_for(session, given)
        for first in range(0, len(encoded), batches.DOCUMENTS):
            some = encoded[first : first + batches.DOCUMENTS]
            with self._store.write() as session:
                numbers = [row[0] for row in session.find("SELECT number FROM documents", "id", some)]
                change = self._removed(session, numbers)
            self._tidy(change)
            total += len(numbers)
        return total

    def expire(self, before: datetime | float | None = None) -> int:
        """Remove the documents that expire before a moment, by default now; return how many they were."""
        limit = batches.moment(before if before is not None else datetime.now().astimezone())
        total, more = 0, True
        while more:
            with self._store.write() as session:
                rows = session.rows(
                    "SELECT number FROM documents WHERE expires < ? ORDER BY expires LIMIT ?",
                    (limit, batches.DOCUMENTS),
                )
                change = self._removed(session, [row[0] for row in rows])
            self._tidy(change)
            total += len(rows)
            more = len(rows) == batches.DOCUMENTS
        return total

    def _removed(self, session: Session, numbers: list[int]) -> Change:
        change = Change(session, self._holdings)
        change.remove(numbers)
        change.settle()
        return change

    # ---- questions ----

    def query(self, text: str) -> Seen:
        """Say what a text is a copy of; nothing is stored.

        Returns
        -------
        Seen
            As `add` would return it.
        """
        self._expect()
        batch = batches.one(self._holdings, None, text, None, None)
        with self._store.read() as session:
            return answers.asked(session, self._holdings, batch)

    def clusters(self) -> pa.Table:
        """Return a row for each document, in the order in which they were added, with the columns of `Result.clusters`.

        But for ``file`` and ``row``: an index does not know where documents were read.
        """
        with self._store.read() as session:
            return listing.clusters(session, self._holdings)

    def matches(self) -> pa.Table:
        """Return a row for each pair that matches; columns as of `Result.matches`."""
        with self._store.read() as session:
            return listing.matches(session, self._holdings)

    def cluster_of(self, id: Any) -> Any:
        """Return the id of the document that represents the cluster of one; KeyError if it is not there."""
        with self._store.read() as session:
            return answers.cluster_of(session, self._holdings, self._number(session, id))

    def text(self, id: Any) -> str:
        """Return the text of a document, as it was added; KeyError if it is not there."""
        with self._store.read() as session:
            return answers.text_as_added(session, self._holdings, self._number(session, id))

    def metadata(self, id: Any) -> dict[str, Any]:
        """Return the metadata of a document; KeyError if it is not there."""
        with self._store.read() as session:
            return answers.metadata(session, self._number(session, id))

    def explain(self, id: Any) -> Any:
        """Say why a document is in its cluster, as `dupdetect.explain` does; KeyError if it is not there."""
        import dupdetect

        found, texts = self.around(id)
        return dupdetect.explain(found, id, texts)

    def around(self, id: Any) -> tuple[Result, pa.Table | None]:
        """Return the result and the input of a run over the documents that matches connect with one; or KeyError."""
        with self._store.read() as session:
            number = self._number(session, id)
            found = exchange.result(session, self._holdings, number, None)
            return found, exchange.texts_of(session, self._holdings, number) if self._holdings.keeps_texts else None

    def __contains__(self, id: Any) -> bool:
        with self._store.read() as session:
            return self._found(session, id) is not None

    def _found(self, session: Session, id: Any) -> int | None:
        try:
            encoded = self._looked_for(session, [id])
        except InputError:
            return None
        rows = session.find("SELECT number FROM documents", "id", encoded)
        return rows[0][0] if rows else None

    def _looked_for(self, session: Session, ids: list[Any]) -> list[str]:
        """Return ids as they are stored; none, where there is no document yet: what is looked for settles no type."""
        if self._holdings.identifiers.type is None:  # another process may have added the first document
            self._holdings.look_again(session)
        return self._holdings.identifiers.encoded(ids) if ids and self._holdings.identifiers.type is not None else []

    def _number(self, session: Session, id: Any) -> int:
        number = self._found(session, id)
        if number is None:
            raise KeyError(id)
        return number

    def _expect(self) -> None:
        """Have the compiled code loaded once a few single documents have come."""
        if next(self._calls) == FEW_CALLS:
            expect_many_calls()

    def _after_fork(self) -> None:
        self._store.after_fork()
        self._holdings.after_fork()

    def close(self) -> None:
        """Close the index; what was added is there already."""
        self._store.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        held = "closed" if self._store.is_closed else f"{len(self)} documents"
        return f"Index({self._store.name!r}: {held})"


def _after_fork() -> None:
    for index in list(_OPEN):
        index._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _checked_wait(wait: Any) -> float:
    """Refuse what is no number of seconds; what is more than databases can count is as long as they can."""
    if isinstance(wait, bool) or not isinstance(wait, Real) or not float(wait) >= 0:
        raise SettingsError(f"wait is {wait!r}; expected seconds, from 0 on")
    return min(float(wait), MOST_WAIT)


def _opened(where: str | os.PathLike[str], *, read_only: bool, wait: float) -> Store:
    if isinstance(where, str) and where.startswith(("postgresql://", "postgres://")):
        from dupdetect.index.postgres import PostgresStore

        return PostgresStore(where, read_only=read_only, wait=wait)
    if isinstance(where, str) and "://" in where:
        raise InputError(f"{where}: an index is a file, or a database at postgresql://; expected one of them")
    return SqliteStore(Path(where), read_only=read_only, wait=wait)
