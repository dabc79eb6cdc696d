"""What is done with an index as a whole: runs go in and come out, it is looked over, and kept in order.

Input    an index; outputs of runs
Output   the same index; results, folders, faults
Cost     a pass over all that is there, unless a method says otherwise
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect._compiled.dispatch import expect_many_calls
from dupdetect._storage.memory import give_back
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.errors import InputError
from dupdetect.index import batches, checks, exchange, runs
from dupdetect.index.changes import Batch, Change
from dupdetect.io.identifiers import as_spelled, shown
from dupdetect.results.folder import check_folder
from dupdetect.results.output import Output

if TYPE_CHECKING:
    from dupdetect.index.grouping import Regrouped
    from dupdetect.index.holdings import Holdings
    from dupdetect.index.stores import Session, Store
    from dupdetect.pipeline.timing import Progress
    from dupdetect.results.result import Result


class Upkeep:
    """An open index, as a whole."""

    _store: Store
    _holdings: Holdings

    def __len__(self) -> int:
        with self._store.read() as session:
            return session.state.documents

    # ---- changes ----

    def _changed(self, session: Session, batch: Batch) -> tuple[Change, list[int], Regrouped | None]:
        change = Change(session, self._holdings)
        numbers = change.add(batch)
        regrouped = change.settle()
        self._holdings.keep_id_type(session)
        return change, numbers, regrouped

    def _tidy(self, change: Change) -> None:
        """Merge segments of keys, if there are too many."""
        if not change.is_due:
            return
        with self._store.read() as session:
            due = self._holdings.keys.due(session)
        while due:
            with self._store.write() as session:
                due = self._holdings.keys.due(session)  # another process may have done it
                if due:
                    self._holdings.keys.merge(session, due)
                due = self._holdings.keys.due(session)
            self._store.give_back()
        give_back()  # of what merging took, allocators would keep the most

    # ---- runs ----

    def result(self, work: str | os.PathLike[str] | None = None) -> Result:
        """Return what the index holds as `dedup` would: for `report`, `audit`, `Result.write`.

        Of an index that leaves texts out, kept rows have none.

        Parameters
        ----------
        work : path, optional
            A folder that the kept rows stand in while the result is used; by default they are in memory.
        """
        with self._store.read() as session:
            return exchange.result(session, self._holdings, None, None if work is None else os.fspath(work))

    def documents(self) -> pa.RecordBatchReader:
        """Return the ids and texts of all documents, in the order in which they were added, some at a time.

        What is added or removed meanwhile is among them or not.
        """
        self._need_texts("and has none to give")
        return exchange.documents(self._store, self._holdings)

    def typed(self, ids: Iterable[str]) -> list[Any]:
        """Return ids that were written out, as `spelled` has them, as the index has them."""
        given = list(ids)
        try:
            return as_spelled(given, self._holdings.identifiers.given or pa.string()).to_pylist()  # type: ignore[no-any-return]
        except (ValueError, ArithmeticError, pa.ArrowException):
            own = self._holdings.identifiers.given
            raise InputError(
                f"the index has ids that are {own}, and {given[0]!r} is none; give ids as they are there"
            ) from None

    def spelled(self, ids: Iterable[Any]) -> list[Any]:
        """Return ids of the index, or None, as they are printed: strings and integers as they are, others as text."""
        return shown(pa.chunked_array([pa.array(list(ids), self._holdings.identifiers.shown)]))

    def boilerplate(self) -> pa.Table:
        """Return what is known of shingles, as `Result.boilerplate`."""
        with self._store.read() as session:
            return exchange.boilerplate(session)

    def load(
        self,
        out: str | os.PathLike[str],
        inputs: Any = None,
        *,
        metadata: str | Iterable[str] | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Add the documents of a run, from the folder that ``dedup --sketches`` wrote; return how many they are.

        Into an empty index of the same settings goes what the run found, too, in one transaction: `clusters` is then as
        the run's. Otherwise its documents are added as `add_many` adds them, what it says is boilerplate is added to
        what is known, and what was there before is verified anew.

        Parameters
        ----------
        out : path
        inputs : any, optional
            What the run read, as `dedup` took it. By default the files that the run names, if they are as they were;
            else only what it kept is added: of the others no text is in its output.
        metadata : str or iterable of str, optional
            Columns to keep; by default those that choose canonicals, if any.
        progress : callable, optional
            Called with (stage, done, total).
        """
        expect_many_calls()
        output = Output(Path(out), "text")
        found = runs.documents_of(self._holdings, output, inputs, batches.columns_kept(self._holdings, metadata))
        with self._store.write() as session:
            is_alike = output.run.settings.fingerprint == self._holdings.settings.fingerprint
            if is_alike and session.state.documents == 0:
                return self._loaded(session, output, found, progress)
            table = output.run.boilerplate
            changed = self._holdings.settings.weighs and table is not None and exchange.add_boilerplate(session, table)
            if changed:
                exchange.verify_all(session, self._holdings)
        total = 0
        for batch in found:
            with self._store.write() as session:
                change, *_ = self._changed(session, batch)
            self._tidy(change)
            total += len(batch.ids)
            if progress is not None:
                progress("load", total, output.run.new)
        return total

    def _loaded(self, session: Session, output: Output, found: Iterator[Batch], progress: Progress | None) -> int:
        """Add all documents of a run to an empty index, and what it found."""
        holdings, run, numbers = self._holdings, output.run, []
        if holdings.weighs and run.boilerplate is not None:
            exchange.add_boilerplate(session, run.boilerplate)
        for batch in found:
            change = Change(session, holdings)
            numbers += change.add(batch)
            change.keep_keys()
            while change.is_due and (due := holdings.keys.due(session)):
                holdings.keys.merge(session, due)
            if progress is not None:
                progress("load", len(numbers), run.new)
        holdings.keep_id_type(session)
        places = np.full(len(run), -1, np.int64)
        places[: run.new][slice(None) if len(numbers) == run.new else run.stays[: run.new]] = numbers
        runs.keep_findings(session, holdings, run, places)
        return len(numbers)

    def export(self, out: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write what the index holds as the output of ``dedup --sketches``: clusters, matches, kept rows, sketches."""
        check_folder(out, overwrite=overwrite)  # now, and not when all is put together
        with temporary_folder("dupdetect", Path(tempfile.gettempdir())) as work:
            self.result(work).write(out, overwrite=overwrite)

    def learn_boilerplate(self) -> int:
        """Learn from the documents that are there what is boilerplate, as `dedup` does, and verify all anew.

        Returns
        -------
        int
            How many shingles are boilerplate. What was known before is forgotten.
        """
        self._need_texts("from which boilerplate is learned")
        with self._store.read() as session:
            table = exchange.learned(session, self._holdings)
        with self._store.write() as session:
            session.run("DELETE FROM boilerplate")
            exchange.note_boilerplate(session)
            exchange.add_boilerplate(session, table)
            exchange.verify_all(session, self._holdings)
        return int((table["margin"].to_numpy() > 0).sum())

    def _need_texts(self, why: str) -> None:
        if not self._holdings.keeps_texts:
            raise InputError(f"{self._store.name}: this index leaves texts out, {why}")

    # ---- the index itself ----

    def verify(self, progress: Progress | None = None) -> list[str]:
        """Hold all tables against one another and the texts; return a sentence for each fault, none if it is sound."""
        found = self._store.damage()
        if found:
            return found
        total = len(self)
        with self._store.read() as session:
            return checks.faults(
                session, self._holdings, lambda done: None if progress is None else progress("verify", done, total)
            )

    def stats(self) -> dict[str, Any]:
        """Return how much there is: documents, texts, clusters, matches, keys, bytes."""
        with self._store.read() as session:
            counted = {
                name: session.row(statement)[0]
                for name, statement in (
                    ("documents", "SELECT documents FROM state"),
                    ("texts", "SELECT count(*) FROM texts"),
                    ("clusters", "SELECT count(*) FROM texts WHERE canonical = text"),
                    ("matches", "SELECT count(*) FROM matches"),
                    ("boilerplate_shingles", "SELECT count(*) FROM boilerplate WHERE margin > 0"),
                    ("expiring", "SELECT count(*) FROM documents WHERE expires IS NOT NULL"),
                    ("segments", "SELECT count(*) FROM segments"),
                    ("text_bytes", "SELECT coalesce(sum(length(content)), 0) FROM bodies"),
                )
            }
            empty = session.row("SELECT count(*) FROM documents WHERE text IS NULL")[0]
        counted["clusters"] += empty
        return {**counted, "bytes": self._store.size()}

    def vacuum(self) -> None:
        """Merge all keys, drop those of removed documents, and give room back: it takes as long as a copy."""
        with self._store.write() as session:
            due = self._holdings.keys.due(session, all_of_them=True)
            if due:
                self._holdings.keys.merge(session, due)
        self._store.shrink()
