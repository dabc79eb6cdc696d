"""Bringing the write-ahead log of SQLite into the file, on a thread of its own: that waits for the disk.

Input    how to connect; after each commit, how many rows it changed
Output   a log that stays short
Cost     what a checkpoint takes, beside the writer; at its end writers wait, for a few pages

SQLite itself would do so within a commit: one add of some hundreds would take a hundred times as long as the others.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress

#: Rows that are changed between two checkpoints: some 300 documents, which are 3,000 pages in the log.
ROWS = 2000

#: Checkpoints beside the writer, each of what came during the one before, until so little is left that it may wait.
PASSES = 2


class Checkpoints:
    """The checkpoints of one file.

    Parameters
    ----------
    connect : callable
        Opens a connection to it.
    writing : Lock
        What the writers of this process hold.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], writing: threading.Lock) -> None:
        self._connect, self._writing = connect, writing
        self._lock, self._rows = threading.Lock(), 0
        self._thread: threading.Thread | None = None

    def committed(self, rows: int) -> None:
        """Count the rows that a commit has changed, and begin a checkpoint if they are many since the last."""
        with self._lock:
            self._rows += rows
            if self._rows < ROWS or (self._thread is not None and self._thread.is_alive()):
                return
            self._rows = 0
            self._thread = threading.Thread(target=self._run, name="checkpoint of an index")
            with suppress(RuntimeError):  # no thread can be had: the writer does it, once its log is long
                self._thread.start()

    def wait(self) -> None:
        """Wait until what was begun is done."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join()

    def _run(self) -> None:
        # What keeps it from being done is told by the writer, whom it will keep from writing.
        with suppress(sqlite3.Error, OSError), closing(self._connect()) as connection:
            for _ in range(PASSES):
                _checkpoint(connection)
            with self._writing:  # a log begins anew only when all of it is in the file
                _checkpoint(connection)


def _checkpoint(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
