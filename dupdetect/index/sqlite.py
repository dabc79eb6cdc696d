"""An index in one file of SQLite, with a write-ahead log: one writer, many readers.

Input    a path
Output   `SqliteStore`
Cost     a connection for each thread that asks
"""

from __future__ import annotations

import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from dupdetect.errors import DupdetectError, InputError, OutputError
from dupdetect.index.schema import NAMES, statements
from dupdetect.index.stores import RESTORE, Row, Session, Store

#: Bytes of a page of SQLite, and of its cache.
PAGE_BYTES, CACHE_BYTES = 16384, 40 << 20

#: Pages in the write-ahead log before they go to the file, and bytes that it keeps afterwards.
CHECKPOINT_PAGES, LOG_BYTES = 4000, 64 << 20

#: Share of the pages that may be free, and pages that are given back at a time, by moving others into their place.
FREE_SHARE, FREE_PAGES = 0.03, 256

#: Values that one statement looks for; fewer are filled up to the next of these numbers, so that statements are few.
AT_ONCE = (1, 4, 16, 64, 256)


class SqliteSession(Session):
    """A transaction of SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:  # noqa: D102
        return self._connection.execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:  # noqa: D102
        return self._connection.execute(statement, values).rowcount

    def find(self, select: str, column: str, values: Sequence[Any]) -> list[Row]:  # noqa: D102
        found: list[Row] = []
        for first in range(0, len(values), AT_ONCE[-1]):
            some = values[first : first + AT_ONCE[-1]]
            room = AT_ONCE[bisect_left(AT_ONCE, len(some))]
            filled = [*some, *[some[-1]] * (room - len(some))]
            found += self._connection.execute(_looking(select, column, room), filled).fetchall()
        return found

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:  # noqa: D102
        given = list(rows)
        if given:
            values = ",".join("?" * len(columns))
            self._connection.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({values})", given)


@lru_cache(maxsize=256)
def _looking(select: str, column: str, room: int) -> str:
    return f"{select} WHERE {column} IN ({','.join('?' * room)})"


class SqliteStore(Store):
    """An index in one file.

    Parameters
    ----------
    path : path
        Created if it is not there, unless it is only read.
    read_only : bool
    wait : float
        Seconds to wait for another writer.
    """

    engine = "sqlite"
    _reads, _writes = ("BEGIN",), ("BEGIN IMMEDIATE",)

    def __init__(self, path: Path, *, read_only: bool, wait: float) -> None:
        super().__init__(str(path), read_only=read_only, wait=wait)
        self.path, self._writing = path, threading.Lock()
        if not _is_there(path):
            if read_only:
                raise InputError(f"{path}: there is no such index; `dupdetect index add` and `Index` create one")
            if not path.absolute().parent.is_dir():
                raise OutputError(
                    f"{path}: the index cannot be created, for its folder is not there; create that first"
                )
        elif path.is_dir():
            raise InputError(f"{path}: this is a folder; expected the file of an index")
        elif not path.is_file():
            raise InputError(f"{path}: this is a device or a pipe; expected the file of an index")

    def _connect(self) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode={'ro' if self.read_only else 'rwc'}"
        connection = sqlite3.connect(
            address, uri=True, timeout=self._wait, isolation_level=None, check_same_thread=False
        )
        try:
            if not self.read_only:
                if self.path.stat().st_size == 0:  # a new one; of others these would want the lock
                    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
                connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            # Bytes are made pages of the size that is known by now; of one that is not, four times as many were kept.
            connection.execute("PRAGMA schema_version").fetchone()
            connection.execute(f"PRAGMA cache_size = {-CACHE_BYTES // 1024}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _session(self, connection: sqlite3.Connection) -> Session:
        return SqliteSession(connection)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let the threads of this process take turns: SQLite lets whoever waits wait in steps that grow."""
        if not self._writing.acquire(timeout=self._wait):
            raise self._held_by_another()
        try:
            yield
        finally:
            self._writing.release()

    def after_fork(self) -> None:  # noqa: D102
        super().after_fork()
        self._writing = threading.Lock()  # the thread that held it is not here

    def create(self) -> None:  # noqa: D102
        with self.read() as session:
            tables = {name for (name,) in session.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "settings" in tables or (not tables and self.read_only):
            if tables and not tables.issuperset(NAMES):
                raise InputError(f"{self.name}: tables of the index are missing; restore the file from a copy")
            if not tables:
                raise InputError(f"{self.name}: this file holds no index")
            return
        if tables:
            raise InputError(f"{self.name}: this database holds other tables, and no index; name another file")
        with self.write() as session:
            if not session.rows("SELECT name FROM sqlite_master WHERE name = 'settings'"):
                for statement in statements(self.engine):
                    session.run(statement)

    def shrink(self) -> None:  # noqa: D102
        with self._said("written"):
            connection = self._connection()
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def give_back(self) -> None:  # noqa: D102
        connection = self._connection()
        with self._writing, suppress(sqlite3.Error):  # another process may write: the room stays for what comes
            pages, free = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
            )
            while free > max(FREE_PAGES, pages * FREE_SHARE):
                # `execute` would take one step, which is one page.
                connection.executescript(f"PRAGMA incremental_vacuum({FREE_PAGES});")
                free -= FREE_PAGES

    def size(self) -> int:  # noqa: D102
        with self._said("read"):
            connection = self._connection()
            pages, each = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
            return int(pages * each)

    def damage(self) -> list[str]:  # noqa: D102
        with self._said("read"):
            connection = self._connection()
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            keys = connection.execute("PRAGMA foreign_key_check").fetchmany(20)
            found += [f"{name} has a value of another type" for name in NAMES if _has_other_types(connection, name)]
            return found + [
                f"row {row} of {table} refers to a row of {other} that is not there" for table, row, other, _ in keys
            ]

    @contextmanager
    def _said(self, done: str) -> Iterator[None]:
        """Say in one sentence what keeps the file from being read or written."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._error_of(error, done) from error
        except Exception as error:
            if isinstance(error, DupdetectError) or self._is_whole():
                raise
            raise _damaged(self.name, f"{type(error).__name__}: {' '.join(str(error).split())}") from error

    def _is_whole(self) -> bool:
        """Tell whether SQLite finds the file in order; asked where what was read of it makes no sense."""
        try:
            connection = self._connection()
            whole = [row[0] for row in connection.execute("PRAGMA quick_check(1)")] == ["ok"]
            return whole and not any(_has_other_types(connection, table) for table in NAMES)
        except sqlite3.Error:
            return False

    def _error_of(self, error: sqlite3.Error, done: str) -> DupdetectError:
        """Return what an error of SQLite means."""
        # What a column holds that should be text, and is not, goes without: it may be any bytes.
        name, reason = self.name, " ".join(str(error).partition(" with text ")[0].split())
        if "locked" in reason or "busy" in reason:
            return self._held_by_another()
        if "full" in reason:
            return OutputError(f"{name}: the disk is full; what was committed before is there, make room and go on")
        if "readonly" in reason or "read-only" in reason:
            return OutputError(f"{name}: the file, or its folder, may not be written; what it holds is as it was")
        if "not a database" in reason:
            return InputError(f"{name}: this is no index; expected a file that `Index` or `dupdetect index` created")
        if "malformed" in reason or "disk I/O error" in reason or "Could not decode" in reason:
            return _damaged(name, reason)
        if "unable to open" in reason:
            return InputError(f"{name}: the file cannot be opened; look at its permissions and those of its folder")
        error_type = InputError if done == "read" else OutputError
        return error_type(f"{name}: the index cannot be {done} ({reason})")


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:  # a name that is too long, has a NUL in it, or is in a folder of others
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)!r}: no file of this name can be looked for ({reason})") from None
    return True


def _has_other_types(connection: sqlite3.Connection, table: str) -> bool:
    """Tell whether a value is not of the type of its column: SQLite takes any, so that a bit may change it unseen."""
    columns = [(name, type_.lower()) for _, name, type_, *_ in connection.execute(f"PRAGMA table_info({table})")]
    wrong = " OR ".join(f"typeof({name}) NOT IN ('{type_}', 'null')" for name, type_ in columns)
    return connection.execute(f"SELECT 1 FROM {table} WHERE {wrong} LIMIT 1").fetchone() is not None


def _damaged(name: str, reason: str) -> InputError:
    return InputError(f"{name}: the file is damaged ({reason}); {RESTORE}")
