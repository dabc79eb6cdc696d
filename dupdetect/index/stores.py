"""Where an index stands: transactions of a database, and what keeps them from working, in a sentence.

Input    a path (`dupdetect.index.sqlite`), or the address of a database (`dupdetect.index.postgres`)
Output   `Store`, whose `read` and `write` give a `Session` each: one transaction
Cost     opening a connection for each thread, once

All that is above this module asks sessions, and knows nothing of engines.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeAlias

from dupdetect.errors import InputError, OutputError

Row: TypeAlias = tuple[Any, ...]

#: What to do about an index that is damaged.
RESTORE = "restore it from a copy, or build it anew from what `dupdetect index export` wrote"


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
    is_closed : bool
    """

    engine: str
    #: What begins a transaction that reads, and one that changes something.
    _reads: tuple[str, ...]
    _writes: tuple[str, ...]

    def __init__(self, name: str, *, read_only: bool, wait: float) -> None:
        self.name, self.read_only, self._wait = name, read_only, wait
        self._local = threading.local()
        #: Connections, each with the thread that it is of; and those of the process that this one was forked from.
        self._open: list[tuple[threading.Thread, Any]] = []
        self._inherited: list[Any] = []
        self._opening, self.is_closed = threading.Lock(), False

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
            if self.is_closed:
                raise InputError(f"{self.name}: the index was closed; open it again")
            connection = self._local.connection = self._connect()
            with self._opening:
                self._close_of_threads_that_ended()
                self._open.append((threading.current_thread(), connection))
        return connection

    def _close_of_threads_that_ended(self) -> None:
        """Close what nobody will use again: a server may start a thread for each question."""
        for thread, connection in self._open:
            if not thread.is_alive():
                with suppress(Exception):
                    connection.close()
        self._open = [(thread, connection) for thread, connection in self._open if thread.is_alive()]

    def after_fork(self) -> None:
        """Go on with connections of its own in a child, whose parent goes on with those that are open.

        They are not closed either: that would end them for the parent, or tell the database so.
        """
        self._inherited += [connection for _, connection in self._open]
        self._open, self._local, self._opening = [], threading.local(), threading.Lock()

    def close(self) -> None:
        """Close all connections; there will be no others."""
        with self._opening:
            self.is_closed = True
            for _, connection in self._open:
                with suppress(Exception):
                    connection.close()
            self._open.clear()
        self._local = threading.local()

    def _held_by_another(self) -> OutputError:
        return OutputError(
            f"{self.name}: another writer has held the index for {self._wait:g} s; wait for it to end, or end it"
        )
