"""SQLite as an engine: its threads, who of them does what, and its beginning and end."""

from __future__ import annotations

import asyncio
import itertools
import threading
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from turbostar.orm.engines.faults import closed, wrong_loop
from turbostar.orm.engines.interface import Decode, DecodeNamed, Isolation, Parts, Statement, Step
from turbostar.orm.engines.options import Where
from turbostar.orm.engines.sqlite import work
from turbostar.orm.engines.sqlite.lanes import Readers, Writer, in_use
from turbostar.orm.engines.sqlite.outbox import Outbox
from turbostar.orm.engines.sqlite.rows import ROWS_AT_ONCE, copy_by
from turbostar.orm.engines.sqlite.transaction import SqliteTransaction
from turbostar.orm.engines.sqlite.worker import Worker
from turbostar.orm.engines.streaming import PartsAlone

__all__ = ["SqliteEngine"]

_READERS = 4
# Seconds: between two looks whether all work is done, and for a thread to end.
_LOOK_AGAIN = 0.005
_PATIENCE = 1.0


class SqliteEngine:
    """See `turbostar.orm.engines.interface.Engine`."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self._memory = where.target == ":memory:"
        self._closed = False
        # The loop it is open on, None while it is not: one look at each use tells all.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._entering: asyncio.Lock | None = None
        self._outbox: Outbox
        self._writer: Writer
        self._readers: Readers | Writer
        self._workers: list[Worker] = []

    def __repr__(self) -> str:
        return f"<SqliteEngine {self.where.shown}>"

    @property
    def dialect(self) -> Any:
        from turbostar.orm.compiler.sqlite import DIALECT

        return DIALECT

    @property
    def in_use(self) -> int:
        return in_use(self._workers)

    async def start(self) -> None:
        self._closed = False
        await self._enter()

    async def check(self) -> None:
        await self._do(False, work.ask, None, None, None)

    async def fetch(self, statement: Statement, parameters: Sequence[Any], decode: Decode) -> Any:
        loop = self._loop
        if loop is None or asyncio.get_running_loop() is not loop:
            loop = await self._enter()
        future = loop.create_future()
        lane = self._writer if statement.writes else self._readers
        lane.put((future, work.fetch, statement, parameters, decode))
        return await future

    async def fetch_named(
        self, statement: Statement, parameters: Sequence[Any], decode: DecodeNamed
    ) -> Any:
        return await self._do(statement.writes, work.fetch_named, statement, parameters, decode)

    async def execute(self, statement: Statement, parameters: Sequence[Any]) -> int:
        loop = self._loop
        if loop is None or asyncio.get_running_loop() is not loop:
            loop = await self._enter()
        future = loop.create_future()
        lane = self._writer if statement.writes else self._readers
        lane.put((future, work.execute, statement, parameters, None))
        touched: int = await future
        return touched

    async def execute_many(
        self,
        statement: Statement,
        rows: Iterable[Sequence[Any]],
        decode: Decode | None = None,
    ) -> Any:
        iterator = iter(rows)
        first = list(itertools.islice(iterator, ROWS_AT_ONCE))
        if len(first) < ROWS_AT_ONCE:
            return await self._do(True, work.execute_many, statement, first, decode)
        transaction = await self.begin()
        try:
            result = await transaction.execute_many(
                statement, itertools.chain(first, iterator), decode
            )
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        return result

    async def unit(self, steps: Sequence[Step]) -> list[Any]:
        writes = any(statement.writes for statement, _, _ in steps)
        results: list[Any] = await self._do(writes, work.unit, steps, writes, None)
        return results

    def stream(
        self, statement: Statement, parameters: Sequence[Any], chunk: int, decode: Decode
    ) -> Parts:
        return PartsAlone(self, statement, parameters, chunk, decode)

    async def begin(
        self, *, isolation: Isolation | None = None, read_only: bool = False
    ) -> SqliteTransaction:
        """Each transaction on SQLite is serializable, so that `isolation` has nothing to change."""
        loop = self._loop
        if loop is None or asyncio.get_running_loop() is not loop:
            loop = await self._enter()
        if not read_only:
            return SqliteTransaction(loop, self._writer, ("BEGIN IMMEDIATE",))
        if self._memory:
            return SqliteTransaction(
                loop,
                self._writer,
                ("PRAGMA query_only = ON", "BEGIN"),
                ("PRAGMA query_only = OFF",),
            )
        return SqliteTransaction(loop, self._readers, ("BEGIN",))

    async def copy_rows(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> int:
        return await copy_by(self, table, columns, rows)

    async def _do(self, writes: bool, what: work.Work, one: Any, two: Any, three: Any) -> Any:
        loop = self._loop
        if loop is None or asyncio.get_running_loop() is not loop:
            loop = await self._enter()
        future = loop.create_future()
        (self._writer if writes else self._readers).put((future, what, one, two, three))
        return await future

    async def _enter(self) -> asyncio.AbstractEventLoop:
        """Opens it on this loop, if that has not happened."""
        loop = asyncio.get_running_loop()
        if self._closed:
            raise closed(self.where.shown)
        if self._loop is not None:
            if self._loop is loop:
                return loop
            if not self._loop.is_closed():
                raise wrong_loop(self.where.shown)
            self._abandon()  # that loop is gone, and with it all who waited
        if self._entering is None:
            self._entering = asyncio.Lock()
        async with self._entering:
            if self._loop is not loop:
                await self._open(loop)
        return loop

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        outbox = Outbox(loop)
        workers: list[Worker] = []
        most = self.where.options.pool_size or _READERS
        timeout = self.where.options.pool_timeout

        def reader() -> Worker:
            name = f"turbostar reader {len(workers)}"
            workers.append(Worker(name, self.where, outbox, reads_only=True))
            return workers[-1]

        try:
            writing = Worker("turbostar writer", self.where, outbox, reads_only=False)
            workers.append(writing)
            await _answer(loop, writing)  # it makes the file, and sets WAL
            writer = Writer(writing, timeout)
            readers: Readers | Writer = writer
            if not self._memory:
                readers = Readers(reader(), reader, most, timeout)
                await _answer(loop, readers.primary)
        except BaseException:
            shut(workers, outbox)
            raise
        self._outbox, self._workers = outbox, workers
        self._writer, self._readers = writer, readers
        self._finalizer = weakref.finalize(self, shut, workers, outbox)
        self._loop = loop

    async def close(self, timeout: float = 10.0) -> None:
        self._closed = True
        loop, self._loop = self._loop, None  # nothing new gets in
        if loop is None or loop.is_closed():
            self._abandon()
            return
        if loop is not asyncio.get_running_loop():
            self._loop, self._closed = loop, False
            raise wrong_loop(self.where.shown)
        workers, deadline = self._workers, loop.time() + timeout
        while in_use(workers) and loop.time() < deadline:
            await asyncio.sleep(_LOOK_AGAIN)
        ended = [_cut(worker, self.where.shown, loop) for worker in workers]
        for lane in (self._writer, self._readers):
            lane.refuse(closed(self.where.shown))
        await asyncio.wait(ended, timeout=max(1.0, timeout))
        self._abandon()

    def _abandon(self) -> None:
        """Ends the threads without waiting for anything they do."""
        self._loop = None
        self._entering = None
        workers, self._workers = self._workers, []
        if workers:
            self._finalizer.detach()
            shut(workers, self._outbox)


async def _answer(loop: asyncio.AbstractEventLoop, worker: Worker) -> None:
    """Waits for a new worker to have opened its connection; raises why it could not."""
    future = loop.create_future()
    worker.put((future, work.ask, None, None, None))
    await future


def _cut(worker: Worker, shown: str, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Stops what a worker does, and refuses what it has not begun. Done when its thread ends."""
    ended: asyncio.Future[None] = loop.create_future()
    waiting = worker.take_waiting()
    worker.cut = True
    worker.ended = ended
    worker.refuse(waiting, closed(shown))
    worker.stop()
    return ended


def shut(workers: list[Worker], outbox: Outbox) -> None:
    """Ends threads, from wherever this is called, and the outbox with the last of them."""
    for worker in workers:
        worker.cut = True
        worker.stop()
    for worker in workers:
        if worker.thread is not threading.current_thread():
            worker.thread.join(_PATIENCE)
    if not any(worker.thread.is_alive() for worker in workers):
        outbox.close()  # else somebody may still ring
