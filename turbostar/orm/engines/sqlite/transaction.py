"""A transaction on SQLite: the sole use of the writer, or of a reader, from first statement to end.

What is put into a worker's inbox is done in that order. So a commit or rollback need not be waited
for before the next transaction is let in, and statements of several tasks need no lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from turbostar.orm.engines.faults import ended_transaction, failed_transaction
from turbostar.orm.engines.interface import Decode, DecodeNamed, Parts, Statement, Step
from turbostar.orm.engines.quoting import quoted
from turbostar.orm.engines.sqlite import work
from turbostar.orm.engines.sqlite.lanes import Readers, Writer
from turbostar.orm.engines.sqlite.rows import ROWS_AT_ONCE, copy_by
from turbostar.orm.engines.sqlite.worker import Worker
from turbostar.orm.engines.streaming import PartsWithin
from turbostar.orm.engines.waiting import Steadfast, carried_through
from turbostar.orm.errors import DatabaseClosed

__all__ = ["SqliteTransaction"]


class SqliteTransaction:
    """See `turbostar.orm.engines.interface.Transaction`."""

    __slots__ = (
        "_after",
        "_begin",
        "_failed",
        "_lane",
        "_loop",
        "_starting",
        "_worker",
        "committed",
        "open",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        lane: Writer | Readers,
        begin: tuple[str, ...],
        after: tuple[str, ...] = (),
    ) -> None:
        self._loop = loop
        self._lane = lane
        self._begin = begin
        self._after = after
        self._worker: Worker | None = None
        self._failed: BaseException | None = None  # why nothing but a rollback is possible
        self._starting: asyncio.Lock | None = None
        self.open = True
        self.committed = False

    async def fetch(self, statement: Statement, parameters: Sequence[Any], decode: Decode) -> Any:
        return await self._do(work.fetch, statement, parameters, decode)

    async def fetch_named(
        self, statement: Statement, parameters: Sequence[Any], decode: DecodeNamed
    ) -> Any:
        return await self._do(work.fetch_named, statement, parameters, decode)

    async def execute(self, statement: Statement, parameters: Sequence[Any]) -> int:
        touched: int = await self._do(work.execute, statement, parameters, None)
        return touched

    async def execute_many(
        self,
        statement: Statement,
        rows: Iterable[Sequence[Any]],
        decode: Decode | None = None,
    ) -> Any:
        returned: list[Any] = []
        iterator = iter(rows)
        while chunk := list(itertools.islice(iterator, ROWS_AT_ONCE)):
            part = await self._do(work.many_within, statement, chunk, decode)
            if part is not None:
                returned += part
        return None if decode is None else decode(returned)

    async def copy_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> int:
        return await copy_by(self, table, columns, rows)

    async def unit(self, steps: Sequence[Step]) -> list[Any]:
        results: list[Any] = await self._do(work.unit_within, steps, None, None)
        return results

    def stream(
        self, statement: Statement, parameters: Sequence[Any], chunk: int, decode: Decode
    ) -> Parts:
        async def open_cursor() -> Any:
            return await self._do(work.open_cursor, statement, parameters, None)

        async def read(cursor: Any) -> list[Any] | None:
            rows: list[Any] | None = await self._do(work.next_rows, cursor, chunk, decode)
            return rows

        def close(cursor: Any) -> None:
            if self.open:
                self._put(work.close_cursor, cursor, None, None)

        return PartsWithin(open_cursor, read, close)

    async def savepoint(self, name: str) -> None:
        await self._do(work.savepoint, f"SAVEPOINT {quoted(name)}", None, None)

    async def release(self, name: str) -> None:
        await self._do(work.savepoint, f"RELEASE {quoted(name)}", None, None)

    async def rollback_to(self, name: str) -> None:
        if not self.open or self._worker is None:
            raise ended_transaction()
        done = self._put(work.roll_back_to, quoted(name), None, None)
        try:
            await carried_through(done, then=self._mend)
        except Exception as error:
            self._failed = error
            raise

    def _mend(self) -> None:
        self._failed = None

    async def commit(self) -> None:
        if not self.open:
            raise ended_transaction()
        if self._failed is not None:
            await self.rollback()
            raise failed_transaction(self._failed) from self._failed
        done = self._end(work.commit_whole)
        if done is not None:
            await carried_through(done, then=self._tell_committed)
        else:
            self.committed = True  # of nothing

    def _tell_committed(self) -> None:
        self.committed = True

    async def rollback(self) -> None:
        if self.open:
            done = self._end(work.roll_back)
            if done is not None:
                with contextlib.suppress(DatabaseClosed):  # closing has rolled it back
                    await carried_through(done)

    def _end(self, how: work.Work) -> Steadfast | None:
        """Puts the last piece of work into the inbox, and gives the worker back behind it."""
        self.open = False
        worker = self._worker
        if worker is None:
            return None
        done = self._put(how, None, None, None)
        for sql in self._after:
            self._put(work.script, sql, None, None)
        self._lane.give_back(worker)
        return done

    def _put(self, what: work.Work, one: Any, two: Any, three: Any) -> Steadfast:
        """Work that is done even when nobody waits for it."""
        assert self._worker is not None
        future = Steadfast(loop=self._loop)
        self._worker.put((future, what, one, two, three))
        return future

    async def _do(self, what: work.Work, one: Any, two: Any, three: Any) -> Any:
        """A statement, unless the transaction is over or has failed."""
        if not self.open:
            raise ended_transaction()
        if self._failed is not None:
            raise failed_transaction(self._failed) from self._failed
        future = self._loop.create_future()
        try:
            worker = self._worker
            if worker is None:
                worker = self._lane.lease_now() if self._starting is None else None
                if worker is None:
                    worker = await self._wait_for_worker()
                if worker is not None:
                    self._worker = worker
                    worker.put((future, work.begin_then, self._begin, what, (one, two, three)))
                    return await future
                worker = self._worker  # another task has begun meanwhile
                assert worker is not None
            worker.put((future, work.within, what, (one, two, three), None))
            return await future
        except BaseException as error:
            self._failed = error
            raise

    async def _wait_for_worker(self) -> Worker | None:
        """A lease in its turn; None if another task of this transaction has begun it."""
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._worker is not None:
                return None
            worker = await self._lane.lease()
            if not self.open:
                self._lane.give_back(worker)
                raise ended_transaction()
            return worker
