"""PostgreSQL as an engine: one pool, and a connection for each unit of work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from turbostar.orm.engines.faults import closed, wrong_loop
from turbostar.orm.engines.interface import Decode, Isolation, Parts, Statement, Step
from turbostar.orm.engines.options import Where
from turbostar.orm.engines.postgresql import running
from turbostar.orm.engines.postgresql.faults import lost, typed
from turbostar.orm.engines.postgresql.pool import Link, Pool
from turbostar.orm.engines.postgresql.statements import Statements
from turbostar.orm.engines.postgresql.transaction import PostgresqlTransaction
from turbostar.orm.engines.streaming import PartsAlone

__all__ = ["PostgresqlEngine"]

_CONNECTIONS = 10


class PostgresqlEngine(Statements):
    """See `turbostar.orm.engines.interface.Engine`."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self._closed = False
        # The loop it is open on, None while it is not: one look at each use tells all.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._entering: asyncio.Lock | None = None
        self._pool: Pool
        self._ping = where.options.pool_pre_ping

    def __repr__(self) -> str:
        return f"<PostgresqlEngine {self.where.shown}>"

    @property
    def dialect(self) -> Any:
        from turbostar.orm.compiler.postgresql import DIALECT

        return DIALECT

    @property
    def in_use(self) -> int:
        return 0 if self._loop is None else self._pool.in_use

    async def start(self) -> None:
        self._closed = False
        await self._enter()

    async def check(self) -> None:
        await self.execute(_SIGN_OF_LIFE, ())

    async def fetch(self, statement: Statement, parameters: Sequence[Any], decode: Decode) -> Any:
        loop = self._loop
        if loop is None or asyncio.get_running_loop() is not loop:
            await self._enter()
        pool = self._pool
        idle = pool.idle
        link = idle.pop() if idle and not self._ping else await pool.take()
        try:
            if statement.cacheable:
                rows = await link.connection.fetch(statement.sql, *parameters)
            else:
                rows = await running.fetch(link, statement, parameters)
        except BaseException as error:
            fault = _fault(pool, link, error, statement.sql)
            if fault is error:
                raise
            raise fault from error
        pool.give_back(link)
        return decode(rows)

    async def copy_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> int:
        text = self.where.options.text_timestamps
        count: int = await self._do(f"COPY {table}", running.copy_rows, table, columns, rows, text)
        return count

    async def unit(self, steps: Sequence[Step]) -> list[Any]:
        if len(steps) > 1 and any(statement.writes for statement, _, _ in steps):
            transaction = await self.begin()
            try:
                results = await transaction.unit(steps)
                await transaction.commit()
            finally:
                await transaction.rollback()
            return results
        sql = "; ".join(statement.sql for statement, _, _ in steps)
        alone: list[Any] = await self._do(sql, running.steps_of, steps)
        return alone

    def stream(
        self, statement: Statement, parameters: Sequence[Any], chunk: int, decode: Decode
    ) -> Parts:
        return PartsAlone(self, statement, parameters, chunk, decode)

    async def begin(
        self, *, isolation: Isolation | None = None, read_only: bool = False
    ) -> PostgresqlTransaction:
        loop = self._loop
        if loop is None or asyncio.get_running_loop() is not loop:
            await self._enter()
        begin = "BEGIN"
        if isolation is not None:
            begin += f" ISOLATION LEVEL {_ISOLATION[isolation]}"
        if read_only:
            begin += " READ ONLY"
        return PostgresqlTransaction(self._pool, begin)

    async def close(self, timeout: float = 10.0) -> None:
        loop = self._loop
        if loop is not None and loop.is_closed():
            self._pool.abandon()
        elif loop is not None:
            if loop is not asyncio.get_running_loop():
                raise wrong_loop(self.where.shown)
            self._closed, self._loop = True, None  # nothing new gets in
            await self._pool.close(timeout)
        self._closed, self._loop, self._entering = True, None, None

    async def _do(self, sql: str, run: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """A unit of work on a connection that is taken for it."""
        loop = self._loop
        if loop is None or asyncio.get_running_loop() is not loop:
            await self._enter()
        pool = self._pool
        link = await pool.take()
        try:
            result = await run(link, *arguments)
        except BaseException as error:
            fault = _fault(pool, link, error, sql)
            if fault is error:
                raise
            raise fault from error
        pool.give_back(link)
        return result

    async def _enter(self) -> None:
        """Opens it on this loop, if that has not happened."""
        loop = asyncio.get_running_loop()
        if self._closed:
            raise closed(self.where.shown)
        if self._loop is not None:
            if self._loop is loop:
                return
            if not self._loop.is_closed():
                raise wrong_loop(self.where.shown)
            self._pool.abandon()
            self._loop = self._entering = None  # that loop is gone, and its connections with it
        if self._entering is None:
            self._entering = asyncio.Lock()
        async with self._entering:
            if self._loop is None:
                options = self.where.options
                size = _CONNECTIONS if options.pool_size is None else options.pool_size
                pool = Pool(self.where, loop, size)
                try:
                    await pool.warm(size if options.warm is None else options.warm)
                except BaseException:
                    pool.leave()
                    raise
                self._pool, self._loop = pool, loop


def _fault(pool: Pool, link: Link, error: BaseException, sql: str) -> BaseException:
    """What to raise for a unit of work that has failed; its connection is looked after."""
    connection = link.connection
    if not isinstance(error, Exception):  # cancelled: asyncpg has asked the server to stop
        pool.recover(link)
        return error
    gone = connection.is_closed()
    fault = typed(error, sql, closed=gone)
    if gone or isinstance(error, TimeoutError) or connection.is_in_transaction():
        pool.recover(link)
    elif lost(error, gone):
        pool.discard(link)
    else:
        pool.give_back(link)
    return fault


_ISOLATION: dict[Isolation, str] = {
    "read committed": "READ COMMITTED",
    "repeatable read": "REPEATABLE READ",
    "serializable": "SERIALIZABLE",
}
_SIGN_OF_LIFE = Statement("SELECT 1", False, True)
