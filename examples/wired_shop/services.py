"""What the shop is made of. Nothing here knows of the container."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

SCHEMA = """
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INTEGER NOT NULL);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer TEXT NOT NULL, product INTEGER NOT NULL REFERENCES products,
    count INTEGER NOT NULL, ordered TEXT NOT NULL
);
INSERT INTO products VALUES (1, 'Teapot', 2450), (2, 'Kettle', 3900), (3, 'Cup', 650);
INSERT INTO orders VALUES (1, 'grace', 1, 2, '2026-01-02T03:04:05');
"""


@dataclass(frozen=True)
class Settings:
    """What one would read from the environment."""

    database: str = "file:wired_shop?mode=memory&cache=shared"
    connections: int = 4


class Clock:
    """The time; tests replace it."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)


class Pool:
    """Connections to one database, opened once."""

    def __init__(self, settings: Settings) -> None:
        self._all = [
            sqlite3.connect(settings.database, uri=True, check_same_thread=False)
            for _ in range(settings.connections)
        ]
        self._free: asyncio.Queue[sqlite3.Connection] = asyncio.Queue()
        for connection in self._all:
            self._free.put_nowait(connection)
        self._all[0].executescript(SCHEMA)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[sqlite3.Connection]:
        """One of them, for as long as a unit of work takes."""
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)

    def close(self) -> None:
        for connection in self._all:
            connection.close()


class UnitOfWork:
    """One transaction: all that a request writes, or none of it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def rows(self, statement: str, *values: Any) -> list[Any]:
        return self.connection.execute(statement, values).fetchall()


class Products:
    """The repository of products."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def all(self) -> list[dict[str, Any]]:
        rows = self._work.rows("SELECT id, name, price FROM products ORDER BY id")
        return [{"id": each[0], "name": each[1], "price": each[2]} for each in rows]

    def get(self, product: int) -> dict[str, Any] | None:
        return next((each for each in self.all() if each["id"] == product), None)


class Orders:
    """The repository of orders."""

    def __init__(self, work: UnitOfWork, clock: Clock) -> None:
        self._work, self._clock = work, clock

    def of(self, customer: str) -> list[dict[str, Any]]:
        rows = self._work.rows(
            "SELECT id, product, count, ordered FROM orders WHERE customer = ? ORDER BY id",
            customer,
        )
        names = ("id", "product", "count", "ordered")
        return [dict(zip(names, each, strict=True)) for each in rows]

    def add(self, customer: str, product: int, count: int) -> None:
        self._work.rows(
            "INSERT INTO orders (customer, product, count, ordered) VALUES (?, ?, ?, ?)",
            customer,
            product,
            count,
            self._clock.now().isoformat(),
        )
