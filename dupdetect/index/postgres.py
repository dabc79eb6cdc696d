"""An index in PostgreSQL, which several machines share: the same tables, the same statements.

Input    the address of a database, ``postgresql://user@host/name``
Output   `PostgresStore`
Cost     a round trip for each statement; many rows go in by ``COPY``

Writers take turns: a transaction that changes something holds a lock of the database until it ends, so that two that
add the same text at once end in one cluster. Readers see what was committed when they began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dupdetect.errors import DupdetectError, InputError, OutputError
from dupdetect.index.schema import NAMES, statements
from dupdetect.index.stores import Row, Session, Store

if TYPE_CHECKING:
    import psycopg

#: The lock that writers hold, by its number.
LOCK = 0x64757064

#: Rows from which on they are copied in.
COPIED = 16

_TYPES = {int: "bigint", str: "text", bytes: "bytea"}


class PostgresSession(Session):
    """A transaction of PostgreSQL."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._cursor = connection.cursor(binary=True)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:  # noqa: D102
        return self._cursor.execute(_translated(statement), values or None).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:  # noqa: D102
        return self._cursor.execute(_translated(statement), values or None).rowcount

    def find(self, select: str, column: str, values: Sequence[Any]) -> list[Row]:  # noqa: D102
        if not values:
            return []
        type_ = _TYPES[type(values[0])]
        return self._cursor.execute(f"{select} WHERE {column} = ANY(%s::{type_}[])", (list(values),)).fetchall()

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:  # noqa: D102
        given = list(rows)
        names = ", ".join(columns)
        if len(given) < COPIED:
            holes = ", ".join(["%s"] * len(columns))
            for row in given:
                self._cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({holes})", row)
            return
        with self._cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in given:
                copy.write_row(row)

    def delete(self, table: str, column: str, values: Sequence[Any]) -> None:  # noqa: D102
        if values:
            type_ = _TYPES[type(values[0])]
            self._cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s::{type_}[])", (list(values),))


class PostgresStore(Store):
    """An index in a database.

    Parameters
    ----------
    address : str
        ``postgresql://...``; the database is there, its tables are created.
    read_only : bool
    wait : float
        Seconds to wait for another writer, and for the server.
    """

    engine = "postgresql"
    _reads = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
    _writes = ("BEGIN", f"SELECT pg_advisory_xact_lock({LOCK})")

    def __init__(self, address: str, *, read_only: bool, wait: float) -> None:
        try:
            import psycopg
        except ImportError:
            raise InputError(
                f"{shown(address)}: an index in PostgreSQL needs psycopg; install dupdetect[postgres]"
            ) from None
        super().__init__(shown(address), read_only=read_only, wait=wait)
        self._psycopg, self._address = psycopg, address

    def _connect(self) -> psycopg.Connection[Any]:
        connection = self._psycopg.connect(self._address, autocommit=True, connect_timeout=max(2, int(self._wait)))
        connection.execute(f"SET lock_timeout = {max(1, int(self._wait * 1000))}")  # of 0 it would wait for ever
        return connection

    def _is_ended(self, connection: psycopg.Connection[Any]) -> bool:
        return connection.closed

    def _session(self, connection: psycopg.Connection[Any]) -> Session:
        return PostgresSession(connection)

    def create(self) -> None:  # noqa: D102
        with self.read() as session:
            tables = self._tables(session)
        if tables.issuperset(NAMES):
            return
        if tables & set(NAMES):
            raise InputError(f"{self.name}: the database holds other tables of the same names; name another database")
        if self.read_only:
            raise InputError(f"{self.name}: this database holds no index")
        with self.write() as session:
            if not self._tables(session).issuperset(NAMES):
                for statement in statements(self.engine):
                    session.run(statement)

    def _tables(self, session: Session) -> set[str]:
        rows = session.rows(
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        return {name for (name,) in rows}

    def shrink(self) -> None:  # noqa: D102
        with self._said("written"):
            self._connection().execute(f"VACUUM ANALYZE {', '.join(NAMES)}")

    def size(self) -> int:  # noqa: D102
        with self.read() as session:
            return sum(int(session.row(f"SELECT pg_total_relation_size('{name}')")[0]) for name in NAMES)

    def damage(self) -> list[str]:  # noqa: D102
        return []  # of its own files PostgreSQL keeps checksums itself, if it was set up so

    @contextmanager
    def _said(self, done: str) -> Iterator[None]:
        try:
            yield
        except self._psycopg.Error as error:
            raise self._error_of(error, done) from error

    def _error_of(self, error: psycopg.Error, done: str) -> DupdetectError:
        """Return what an error of PostgreSQL means."""
        errors, reason = self._psycopg.errors, (str(error).splitlines() or [type(error).__name__])[0]
        if isinstance(error, errors.LockNotAvailable):
            return self._held_by_another()
        if isinstance(error, errors.DiskFull):
            return OutputError(f"{self.name}: the server's disk is full; what was committed before is there")
        if isinstance(error, errors.InsufficientPrivilege):
            return OutputError(f"{self.name}: the user may not do that ({reason}); grant it, or use another user")
        if isinstance(error, self._psycopg.OperationalError):
            return InputError(
                f"{self.name}: the database cannot be reached ({reason}); look whether it runs and takes this user"
            )
        error_type = InputError if done == "read" else OutputError
        return error_type(f"{self.name}: the index cannot be {done} ({reason})")


@lru_cache(maxsize=256)
def _translated(statement: str) -> str:
    return statement.replace("?", "%s")


def shown(address: str) -> str:
    """Return an address without its password; the name of a file as it is."""
    if "://" not in address:
        return address
    scheme, _, rest = address.partition("://")
    server, slash, name = rest.partition("/")  # a password may have any other sign, in front or behind a question mark
    user, at, host = server.rpartition("@")
    user = user.partition(":")[0].partition("?")[0]
    return f"{scheme}://{user}{at}{host.partition('?')[0]}{slash}{name.partition('?')[0]}"
