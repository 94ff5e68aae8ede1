"""Where a side keeps its tables: a SQLite file or a PostgreSQL database of its own."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SERVER = os.environ.get("TURBOSTAR_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
POOL = 4  # connections of every pool to PostgreSQL

SQLITE_TABLE = """CREATE TABLE {} (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT NOT NULL,
    age INTEGER NOT NULL, score REAL NOT NULL, active INTEGER NOT NULL, created TEXT NOT NULL,
    note TEXT)"""
POSTGRESQL_TABLE = """CREATE TABLE {} (
    id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL,
    score DOUBLE PRECISION NOT NULL, active BOOLEAN NOT NULL, created TIMESTAMPTZ NOT NULL,
    note TEXT)"""


@dataclass(frozen=True, slots=True)
class Place:
    """One side's own database: ``engine`` is sqlite or postgresql; ``name`` a path or a name."""

    engine: str
    name: str

    @property
    def url(self) -> str:
        if self.engine == "sqlite":
            return f"sqlite:///{self.name}"
        return urlunsplit(urlsplit(SERVER)._replace(path=f"/{self.name}"))

    def with_scheme(self, scheme: str) -> str:
        """The address, in the way of a library that names the driver in it."""
        return scheme + self.url.partition("://")[2]


async def make(engine: str, side: str) -> Place:
    """A database that is empty, with the same settings for every side.

    What a disk takes is not what is compared: files are in memory where the system has a place for
    that, and PostgreSQL does not wait for its disk when a transaction ends.
    """
    word = "".join(letter for letter in side if letter.isalnum())
    if engine == "sqlite":
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        path = Path(tempfile.mkdtemp(prefix="orm-bench-", dir=memory)) / f"{word}.db"
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        return Place(engine, str(path))
    import asyncpg

    name = f"turbostar_bench_{os.getpid()}_{word.lower()}"
    server = await asyncpg.connect(SERVER)
    try:
        await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await server.execute(f'CREATE DATABASE "{name}"')
        await server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    finally:
        await server.close()
    return Place(engine, name)


async def remove(place: Place) -> None:
    """The database goes."""
    if place.engine == "sqlite":
        for path in Path(place.name).parent.iterdir():
            path.unlink()
        Path(place.name).parent.rmdir()
        return
    import asyncpg

    server = await asyncpg.connect(SERVER)
    try:
        await server.execute(f'DROP DATABASE IF EXISTS "{place.name}" WITH (FORCE)')
    finally:
        await server.close()


async def count_and_clear(place: Place) -> int:
    """How many rows were written to the table of writes, which is emptied."""
    if place.engine == "sqlite":
        connection = sqlite3.connect(place.name, timeout=30)
        try:
            (number,) = connection.execute("SELECT count(*) FROM writes").fetchone()
            with connection:
                connection.execute("DELETE FROM writes")
        finally:
            connection.close()
        return int(number)
    import asyncpg

    connection = await asyncpg.connect(place.url)
    try:
        number = await connection.fetchval("SELECT count(*) FROM writes")
        await connection.execute("TRUNCATE writes")
    finally:
        await connection.close()
    return int(number)
