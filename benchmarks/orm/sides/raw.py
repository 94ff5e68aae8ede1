"""The drivers by hand: what an ORM could at best come near to."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from benchmarks.orm.places import POOL, POSTGRESQL_TABLE, SQLITE_TABLE
from benchmarks.orm.rows import COLUMNS, STORED, as_driver_takes_it, row
from benchmarks.orm.sides.side import Side

NAMES = ", ".join(COLUMNS[1:])
BY_KEY = f"SELECT id, {NAMES} FROM items WHERE id = "
HUNDRED = f"SELECT id, {NAMES} FROM items ORDER BY id LIMIT "
MARKS = ", ".join("?" * 7)
NUMBERED = ", ".join(f"${number}" for number in range(1, 8))
INSERT = f"INSERT INTO {{}} ({NAMES}) VALUES "


def _insertion(many: list[dict[str, Any]]) -> tuple[str, list[Any]]:
    """One statement that writes all these rows, and its parameters for SQLite's driver."""
    given: list[Any] = []
    for values in many:
        given += as_driver_takes_it(values)
    marks = ", ".join([f"({MARKS})"] * len(many))
    return INSERT.format("writes") + marks + " RETURNING id", given


def _as_json(rows: list[Any]) -> bytes:
    return msgspec.json.encode([dict(zip(COLUMNS, each, strict=True)) for each in rows])


class RawSqlite(Side):
    """``sqlite3`` in the event loop, which stands still meanwhile: the floor of everything."""

    name = "sqlite3"
    engines = ("sqlite",)
    is_orm = False
    differs = "blocks the event loop; gives tuples with dates as text"

    async def start(self) -> None:
        self.connection = sqlite3.connect(self.place.name, isolation_level=None)
        self.connection.execute("PRAGMA synchronous = NORMAL")
        for table in ("items", "writes"):
            self.connection.execute(SQLITE_TABLE.format(table))
        self.connection.executemany(
            INSERT.format("items") + f"({MARKS})",
            [as_driver_takes_it(row(number)) for number in range(1, STORED + 1)],
        )

    async def stop(self) -> None:
        self.connection.close()

    async def get(self, key: int) -> Any:
        return self.connection.execute(BY_KEY + "?", (key,)).fetchone()

    async def rows(self) -> list[Any]:
        return self.connection.execute(HUNDRED + "?", (STORED,)).fetchall()

    async def insert(self, values: dict[str, Any]) -> int:
        cursor = self.connection.execute(
            INSERT.format("writes") + f"({MARKS})", as_driver_takes_it(values)
        )
        return cursor.lastrowid or 0

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        statement, given = _insertion(many)
        return [key for (key,) in self.connection.execute(statement, given)]

    async def json(self) -> bytes:
        return _as_json(await self.rows())

    json_short = json


class Aiosqlite(Side):
    """The driver that the peers use: one thread for each connection, one hop for each call."""

    name = "aiosqlite"
    engines = ("sqlite",)
    is_orm = False
    packages = ("aiosqlite",)
    differs = "gives tuples with dates as text"

    async def start(self) -> None:
        import aiosqlite

        self.connection = await aiosqlite.connect(self.place.name, isolation_level=None)
        await self.connection.execute("PRAGMA synchronous = NORMAL")
        for table in ("items", "writes"):
            await self.connection.execute(SQLITE_TABLE.format(table))
        await self.connection.executemany(
            INSERT.format("items") + f"({MARKS})",
            [as_driver_takes_it(row(number)) for number in range(1, STORED + 1)],
        )

    async def stop(self) -> None:
        await self.connection.close()

    async def get(self, key: int) -> Any:
        async with self.connection.execute(BY_KEY + "?", (key,)) as cursor:
            return await cursor.fetchone()

    async def rows(self) -> list[Any]:
        return list(await self.connection.execute_fetchall(HUNDRED + "?", (STORED,)))

    async def insert(self, values: dict[str, Any]) -> int:
        statement = INSERT.format("writes") + f"({MARKS})"
        async with self.connection.execute(statement, as_driver_takes_it(values)) as cursor:
            return cursor.lastrowid or 0

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        statement, given = _insertion(many)
        return [key for (key,) in await self.connection.execute_fetchall(statement, given)]

    async def json(self) -> bytes:
        return _as_json(await self.rows())

    json_short = json


class Asyncpg(Side):
    """asyncpg's own pool as it is, whose release resets the session by a query."""

    name = "asyncpg"
    engines = ("postgresql",)
    is_orm = False
    packages = ("asyncpg",)
    differs = "gives Records"
    resets = True

    async def start(self) -> None:
        import asyncpg

        class Untouched(asyncpg.Connection):
            def get_reset_query(self) -> str:
                return ""

        self.pool = await asyncpg.create_pool(
            self.place.url,
            min_size=POOL,
            max_size=POOL,
            connection_class=asyncpg.Connection if self.resets else Untouched,
        )
        for table in ("items", "writes"):
            await self.pool.execute(POSTGRESQL_TABLE.format(table))
        await self.pool.executemany(
            INSERT.format("items") + f"({NUMBERED})",
            [tuple(row(number).values()) for number in range(1, STORED + 1)],
        )

    async def stop(self) -> None:
        await self.pool.close()

    async def get(self, key: int) -> Any:
        async with self.pool.acquire() as connection:
            return await connection.fetchrow(BY_KEY + "$1", key)

    async def rows(self) -> list[Any]:
        async with self.pool.acquire() as connection:
            return await connection.fetch(HUNDRED + "$1", STORED)

    async def insert(self, values: dict[str, Any]) -> int:
        async with self.pool.acquire() as connection:
            return await connection.fetchval(
                INSERT.format("writes") + f"({NUMBERED}) RETURNING id", *values.values()
            )

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        columns = list(zip(*(values.values() for values in many), strict=True))
        async with self.pool.acquire() as connection:
            found = await connection.fetch(
                INSERT.format("writes").replace("VALUES ", "")
                + "SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::float8[], "
                "$5::bool[], $6::timestamptz[], $7::text[]) RETURNING id",
                *columns,
            )
        return [key for (key,) in found]

    async def json(self) -> bytes:
        return msgspec.json.encode([dict(each) for each in await self.rows()])

    json_short = json


class AsyncpgWithoutReset(Asyncpg):
    """The same pool with its reset query switched off: the least that PostgreSQL takes."""

    name = "asyncpg, no reset"
    packages = ()
    differs = "gives Records; leaves what a session has set to the next one"
    resets = False
