"""A PostgreSQL of our own for tests: on loopback, in a temporary folder, by a user without rights."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

LOG = "server.log"


@cache
def programs() -> Path | None:
    """Return the folder of the server's programs, the latest version; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    there = shutil.which("initdb")
    return found[-1].parent if found else Path(there).parent if there else None


def _run(*command: str | Path, folder: Path) -> None:
    """Run a program; of root, as the user that the package made, for the server runs as no root."""
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*user, *map(str, command)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@cache
def server() -> str:
    """Start a server; return its address, to which a database's name is added."""
    where = programs()
    if where is None:
        pytest.skip("postgresql is not installed")
    folder = Path(tempfile.mkdtemp(prefix="dupdetect-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    _run(where / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", folder=folder)
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c full_page_writes=off -c max_connections=60"
    _run(where / "pg_ctl", "-D", data, "-l", folder / LOG, "-o", options, "-w", "start", folder=folder)

    def end() -> None:
        _run(where / "pg_ctl", "-D", data, "-m", "immediate", "stop", folder=folder)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return f"postgresql://tester@127.0.0.1:{port}/"


_NUMBERS = iter(range(10**6))


def database() -> str:
    """Return the address of a new, empty database."""
    import psycopg

    name = f"index_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server() + "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server() + name


def dropped(address: str) -> None:
    """Drop a database."""
    import psycopg

    with psycopg.connect(server() + "postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {address.rpartition('/')[2]} WITH (FORCE)")
