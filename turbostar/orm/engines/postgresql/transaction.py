"""A transaction on PostgreSQL: a connection, from its first statement to its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from turbostar.orm.engines.faults import closed, ended_transaction, failed_transaction
from turbostar.orm.engines.interface import Decode, Parts, Statement, Step
from turbostar.orm.engines.postgresql import running
from turbostar.orm.engines.postgresql.faults import typed
from turbostar.orm.engines.postgresql.pool import Link, Pool
from turbostar.orm.engines.postgresql.statements import Statements
from turbostar.orm.engines.quoting import quoted
from turbostar.orm.engines.streaming import PartsWithin
from turbostar.orm.engines.waiting import carried_through

__all__ = ["PostgresqlTransaction"]


class PostgresqlTransaction(Statements):
    """See `turbostar.orm.engines.interface.Transaction`."""

    __slots__ = ("_begin", "_busy", "_failed", "_link", "_pool", "_turns", "committed", "open")

    def __init__(self, pool: Pool, begin: str) -> None:
        self._pool = pool
        self._begin = begin
        self._link: Link | None = None
        self._failed: BaseException | None = None  # why nothing but a rollback is possible
        self._busy = False  # one statement is under way; the others wait for their turn
        self._turns: deque[asyncio.Future[None]] = deque()
        self.open = True
        self.committed = False

    async def fetch(self, statement: Statement, parameters: Sequence[Any], decode: Decode) -> Any:
        link = await self._turn()
        try:
            rows = await running.fetch(link, statement, parameters)
        except BaseException as error:
            fault = self._fault(error, statement.sql)
            if fault is error:
                raise
            raise fault from error
        finally:
            self._next()
        return decode(rows)

    async def copy_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> int:
        text = self._pool.where.options.text_timestamps
        count: int = await self._do(f"COPY {table}", running.copy_rows, table, columns, rows, text)
        return count

    async def unit(self, steps: Sequence[Step]) -> list[Any]:
        sql = "; ".join(statement.sql for statement, _, _ in steps)
        results: list[Any] = await self._do(sql, running.steps_of, steps)
        return results

    def stream(
        self, statement: Statement, parameters: Sequence[Any], chunk: int, decode: Decode
    ) -> Parts:
        async def open_cursor() -> Any:
            return await self._do(statement.sql, _cursor, statement, parameters)

        async def read(cursor: Any) -> list[Any] | None:
            rows = await self._do(statement.sql, _next_rows, cursor, chunk)
            return [decode(rows)] if rows else None

        return PartsWithin(open_cursor, read)

    async def savepoint(self, name: str) -> None:
        await self._do("SAVEPOINT", _script, f"SAVEPOINT {quoted(name)}")

    async def release(self, name: str) -> None:
        await self._do("RELEASE", _script, f"RELEASE SAVEPOINT {quoted(name)}")

    async def rollback_to(self, name: str) -> None:
        if not self.open or self._link is None:
            raise ended_transaction()
        await carried_through(self._pool.spawn(self._back_to(self._link, quoted(name))))

    async def _back_to(self, link: Link, name: str) -> None:
        await self._wait_for_turn()
        try:
            await link.connection.execute(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
        except BaseException as error:
            fault = self._fault(error, "ROLLBACK TO")
            if fault is error:
                raise
            raise fault from error
        finally:
            self._next()
        self._failed = None

    async def commit(self) -> None:
        if not self.open:
            raise ended_transaction()
        self.open = False
        if self._link is not None:
            # A task of its own, for a COMMIT that is cancelled half-way tells nobody how it ended.
            await carried_through(self._pool.spawn(self._commit(self._link)))
        elif self._failed is not None:
            raise failed_transaction(self._failed) from self._failed
        else:
            self.committed = True  # of nothing

    async def _commit(self, link: Link) -> None:
        await self._wait_for_turn()
        pool = self._pool
        self._require_open(link)
        if self._failed is not None:
            await pool.roll_back(link)
            raise failed_transaction(self._failed) from self._failed
        try:
            status = await link.connection.execute("COMMIT")
        except BaseException as error:
            pool.recover(link)
            if isinstance(error, Exception):
                raise typed(error, "COMMIT", closed=link.connection.is_closed()) from error
            raise
        self._link = None
        pool.give_back(link)
        if status != "COMMIT":
            raise failed_transaction(RuntimeError(status))
        self.committed = True

    async def rollback(self) -> None:
        if not self.open:
            return
        self.open = False
        link = self._link
        if link is not None:
            await carried_through(self._pool.spawn(self._roll_back(link)))

    async def _roll_back(self, link: Link) -> None:
        await self._wait_for_turn()
        self._link = None
        await self._pool.roll_back(link)

    async def _do(self, sql: str, run: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """A statement, in its turn."""
        link = await self._turn()
        try:
            return await run(link, *arguments)
        except BaseException as error:
            fault = self._fault(error, sql)
            if fault is error:
                raise
            raise fault from error
        finally:
            self._next()

    async def _turn(self) -> Link:
        """The connection, for one statement; the first takes it, and begins."""
        self._require_whole()
        if self._busy:
            await self._wait_for_turn()
            try:
                self._require_whole()
            except BaseException:
                self._next()
                raise
        else:
            self._busy = True
        link = self._link
        if link is not None:
            return link
        try:
            link = self._link = await self._pool.take()
            await link.connection.execute(self._begin)
        except BaseException as error:
            fault = self._fault(error, self._begin)
            self._next()
            if fault is error:
                raise
            raise fault from error
        return link

    async def _wait_for_turn(self) -> None:
        if not self._busy:
            self._busy = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._next()  # it came in the same moment
            raise

    def _next(self) -> None:
        turns = self._turns
        while turns:
            turn = turns.popleft()
            if not turn.done():
                turn.set_result(None)  # and busy it stays
                return
        self._busy = False

    def _require_whole(self) -> None:
        if not self.open:
            raise ended_transaction()
        if self._link is not None:
            self._require_open(self._link)
        if self._failed is not None:
            raise failed_transaction(self._failed) from self._failed

    def _require_open(self, link: Link) -> None:
        """Nothing runs, and nothing is committed, once closing the database has cut it."""
        if link.dead and self._pool.closing:
            raise closed(self._pool.where.shown)

    def _fault(self, error: BaseException, sql: str) -> BaseException:
        """What to raise for a statement that has failed, and the transaction with it."""
        link = self._link
        if isinstance(error, Exception):
            closed = link is not None and link.connection.is_closed()
            error = typed(error, sql, closed=closed)
        self._failed = error
        return error


async def _script(link: Link, sql: str) -> None:
    await link.connection.execute(sql)


async def _cursor(link: Link, statement: Statement, parameters: Sequence[Any]) -> Any:
    return await link.connection.cursor(statement.sql, *parameters)


async def _next_rows(link: Link, cursor: Any, chunk: int) -> list[Any]:
    rows: list[Any] = await cursor.fetch(chunk)
    return rows
