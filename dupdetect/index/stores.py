"""Where an index stands: transactions of a database, and what keeps them from working, in a sentence.

Input    a path (SQLite), or the address of a database (`dupdetect.index.postgres`)
Output   `Store`, whose `read` and `write` give a `Session` each: one transaction
Cost     opening a connection for each thread, once

All that is above this module asks sessions, and knows nothing of engines.
"""

from __future__ import annotations

import sqlite3
import threading
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

from dupdetect.errors import DupdetectError, InputError, OutputError
from dupdetect.index.schema import NAMES, statements

Row: TypeAlias = tuple[Any, ...]

#: Bytes of a page of SQLite, and of its cache.
PAGE_BYTES, CACHE_BYTES = 16384, 40 << 20

#: Pages in the write-ahead log before they go to the file, and bytes that it keeps afterwards.
CHECKPOINT_PAGES, LOG_BYTES = 4000, 64 << 20

#: Share of the pages that may be free, and pages that are given back at a time, by moving others into their place.
FREE_SHARE, FREE_PAGES = 0.03, 256

#: Values that one statement looks for; fewer are filled up to the next of these numbers, so that statements are few.
AT_ONCE = (1, 4, 16, 64, 256)


@dataclass
class State:
    """The row of the table `state`: its columns, but for the key."""

    document: int
    text: int
    segment: int
    logged: int
    layout: int
    boilerplate: int
    documents: int


_STATE = tuple(column.name for column in fields(State))
_READ_STATE = f"SELECT {', '.join(_STATE)} FROM state"
_WRITE_STATE = f"UPDATE state SET {', '.join(f'{name} = ?' for name in _STATE)}"
_values = attrgetter(*_STATE)


class Session(ABC):
    """One transaction. Statements have ``?`` where values go, whatever the engine."""

    _state: State | None = None
    _as_read: Row = ()

    @property
    def state(self) -> State:
        """The row of the table `state`, read once; what is changed of it is written when the transaction ends."""
        if self._state is None:
            self._as_read = self.row(_READ_STATE)
            self._state = State(*self._as_read)
        return self._state

    def keep_state(self) -> None:
        """Write what was changed of the state."""
        if self._state is not None and (values := _values(self._state)) != self._as_read:
            self.run(_WRITE_STATE, values)
            self._as_read = values

    @abstractmethod
    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows that a statement gives."""

    @abstractmethod
    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that gives no rows; return how many it changed."""

    @abstractmethod
    def find(self, select: str, column: str, values: Sequence[Any]) -> list[Row]:
        """Return the rows of ``select`` whose column is one of the values, in any order."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert rows."""

    def row(self, statement: str, values: Sequence[Any] = ()) -> Row:
        """Return the only row of a statement."""
        return self.rows(statement, values)[0]

    def delete(self, table: str, column: str, values: Sequence[Any]) -> None:
        """Delete the rows whose column is one of the values."""
        for value in values:
            self.run(f"DELETE FROM {table} WHERE {column} = ?", (value,))


class Store(ABC):
    """A database that holds an index; each thread has a connection of its own.

    Parameters
    ----------
    name : str
        What messages call it.
    read_only : bool
    wait : float
        Seconds to wait for another writer.

    Attributes
    ----------
    engine : str
        One of `schema.TYPES`.
    """

    engine: str
    #: What begins a transaction that reads, and one that changes something.
    _reads: tuple[str, ...]
    _writes: tuple[str, ...]

    def __init__(self, name: str, *, read_only: bool, wait: float) -> None:
        self.name, self.read_only, self._wait = name, read_only, wait
        self._local = threading.local()
        self._open: list[Any] = []
        self._opening = threading.Lock()

    # ---- what an engine has of its own ----

    @abstractmethod
    def _connect(self) -> Any:
        """Return a new connection."""

    @abstractmethod
    def _session(self, connection: Any) -> Session:
        """Return what statements are given to, within a transaction."""

    @abstractmethod
    @contextmanager
    def _said(self, done: str) -> Iterator[None]:
        """Say in one sentence what keeps the database from being read or written."""

    @abstractmethod
    def create(self) -> None:
        """Create the tables, if there are none."""

    @abstractmethod
    def shrink(self) -> None:
        """Give room that is not used any more back."""

    def give_back(self) -> None:
        """Give back some of the room that is not used any more, where that is much; for now, nothing."""
        return

    @abstractmethod
    def size(self) -> int:
        """Return how many bytes it takes."""

    @abstractmethod
    def damage(self) -> list[str]:
        """Return what the engine itself finds wrong."""

    def _is_ended(self, connection: Any) -> bool:  # noqa: ARG002
        """Tell whether the other side has ended a connection."""
        return False

    def _turn(self) -> AbstractContextManager[Any]:
        """Wait for other writers, where the engine itself does not."""
        return nullcontext()

    # ---- transactions ----

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Read what was committed before: all that is read belongs together."""
        with self._said("read"), self._transaction(self._reads, "ROLLBACK") as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Change something, and commit it at the end; one writer at a time, others wait."""
        if self.read_only:
            raise OutputError(f"{self.name}: the index was opened to be read only; open it without read_only")
        with self._turn(), self._said("written"), self._transaction(self._writes, "COMMIT") as session:
            yield session
            session.keep_state()

    @contextmanager
    def _transaction(self, begin: tuple[str, ...], end: str) -> Iterator[Session]:
        connection = self._connection()
        try:
            for statement in begin:
                connection.execute(statement)
            yield self._session(connection)
            connection.execute(end)
        except BaseException:
            with suppress(Exception):  # what went wrong first is what is told
                connection.execute("ROLLBACK")
            raise

    def _connection(self) -> Any:
        """Return the connection of this thread; a new one if the last has ended."""
        connection = getattr(self._local, "connection", None)
        if connection is None or self._is_ended(connection):
            connection = self._local.connection = self._connect()
            with self._opening:
                self._open.append(connection)
        return connection

    def close(self) -> None:
        """Close all connections."""
        with self._opening:
            for connection in self._open:
                with suppress(Exception):
                    connection.close()
            self._open.clear()
        self._local = threading.local()

    def _held_by_another(self) -> OutputError:
        return OutputError(
            f"{self.name}: another writer has held the index for {self._wait:g} s; wait for it to end, or end it"
        )


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
    return InputError(
        f"{name}: the file is damaged ({reason}); restore it from a copy, or build it anew from what `dupdetect "
        "index export` wrote"
    )
