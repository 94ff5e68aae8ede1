"""Connections that are cut under load: typed errors, a pool that recovers, and no half of anything.

Sessions are killed by the server's own command, the line is cut in mid-statement, and a server of
our own is killed and restarted.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest

from tests.orm.engines.kit import rows, run
from tests.orm.engines.proxy import Proxy
from tests.orm.engines.server import Server
from tests.orm.engines.test_conformance import at_rest
from turbostar.orm.database import Database
from turbostar.orm.errors import (
    CannotConnect,
    ConnectionLost,
    DatabaseError,
    PoolTimeout,
    StatementTimeout,
    TransactionError,
)

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("kind", ["postgresql"])]

FAULTS = (ConnectionLost, CannotConnect, PoolTimeout)


class Load:
    """Writers that know what they were told of each row: committed, not, or nothing."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.numbers = itertools.count(1)
        self.committed: set[int] = set()
        self.rolled_back: set[int] = set()
        self.unknown: set[int] = set()
        self.faults: list[DatabaseError] = []
        self.ended = asyncio.Event()

    async def prepare(self) -> None:
        await run(self.db, "CREATE TABLE pairs (id integer, side text, UNIQUE (id, side))")

    async def writes(self) -> None:
        """Pairs of rows: now in a transaction, now by one statement."""
        while not self.ended.is_set():
            number = next(self.numbers)
            await (self._alone(number) if number % 3 == 0 else self._pair(number))
            await asyncio.sleep(0)

    async def _alone(self, number: int) -> None:
        try:
            await run(self.db, "INSERT INTO pairs VALUES ($1, 'left'), ($1, 'right')", number)
        except FAULTS as error:
            self.faults.append(error)
            self.unknown.add(number)
        else:
            self.committed.add(number)

    async def _pair(self, number: int) -> None:
        transaction = await self.db.engine.begin()
        try:
            for side in ("left", "right"):
                await run(
                    self.db, "INSERT INTO pairs VALUES ($1, $2)", number, side, on=transaction
                )
        except FAULTS as error:
            self.faults.append(error)
            self.rolled_back.add(number)
            await transaction.rollback()
            return
        try:
            await transaction.commit()
        except FAULTS as error:
            self.faults.append(error)
            self.unknown.add(number)
        else:
            self.committed.add(number)
        finally:
            await transaction.rollback()

    async def reads(self) -> None:
        while not self.ended.is_set():
            try:
                found = await rows(
                    self.db, "SELECT count(*) FILTER (WHERE side = 'left'), count(*) FROM pairs"
                )
            except FAULTS as error:
                self.faults.append(error)
            else:
                left, both = found[0]
                assert both == 2 * left, "a half of a pair is seen"
            await asyncio.sleep(0.001)

    def count(self, kind: type[DatabaseError]) -> int:
        return sum(isinstance(fault, kind) for fault in self.faults)

    async def holds(self) -> None:
        """What it was told is true, and the pool is as good as new."""
        for _ in range(100):
            try:
                await self.db.check()
                break
            except FAULTS:
                await asyncio.sleep(0.05)
        assert await at_rest(self.db), f"{self.db.in_use} connections are still out"
        sides = await rows(self.db, "SELECT id, count(*) FROM pairs GROUP BY id")
        assert all(number == 2 for _, number in sides), "half of a pair is there"
        there = {number for number, _ in sides}
        assert self.committed <= there, "a committed row is gone"
        assert not self.rolled_back & there, "a row that was not committed is there"
        assert there <= self.committed | self.unknown
        await asyncio.gather(*[self.db.check() for _ in range(30)])
        assert await at_rest(self.db)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    from tests.orm import servers

    parts = urlsplit(servers.postgres_url())
    async with Proxy(parts.hostname or "127.0.0.1", parts.port or 5432) as found:
        yield found


def through(url: str, proxy: Proxy) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return parts._replace(netloc=f"{user}127.0.0.1:{proxy.port}").geturl()


async def until(met: Callable[[], bool]) -> None:
    """Waits for what comes sooner or later, by how busy the machine is."""
    async with asyncio.timeout(40):
        while not met():
            await asyncio.sleep(0.01)


async def under_load(load: Load, writers: int = 30) -> list[asyncio.Task[None]]:
    await load.prepare()
    tasks = [asyncio.create_task(load.writes()) for _ in range(writers)]
    tasks += [asyncio.create_task(load.reads()) for _ in range(writers // 3)]
    await until(lambda: len(load.committed) > 20)
    return tasks


async def ends(load: Load, tasks: list[asyncio.Task[None]]) -> None:
    load.ended.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks)


async def test_sessions_killed_by_the_server(db: Database, url: str) -> None:
    load = Load(db)
    tasks = await under_load(load)
    async with Database(url, pool_size=1, warm=1) as other:
        killed = 0
        while killed < 30 or len(load.committed) < 100:
            found = await rows(
                other,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            killed += len(found)
            await asyncio.sleep(0.1)
    await ends(load, tasks)
    assert load.faults
    assert all(isinstance(fault, ConnectionLost) for fault in load.faults)
    await load.holds()


async def test_the_line_is_cut_in_mid_statement(url: str, proxy: Proxy) -> None:
    async with Database(through(url, proxy), pool_size=5, max_overflow=5, warm=1) as db:
        load = Load(db)
        tasks = await under_load(load)
        for number in range(12):
            cuts, known = proxy.cuts, len(load.committed)
            if number % 4 == 3:
                proxy.cut()
            else:
                proxy.answers_left = 7 * number  # the next is not heard of, or a later one
            await until(lambda: proxy.cuts > cuts and len(load.committed) > known + 5)  # noqa: B023
        await ends(load, tasks)
        assert len(load.faults) >= 12
        await load.holds()


async def test_a_server_that_is_away_for_a_while(url: str, proxy: Proxy) -> None:
    async with Database(
        through(url, proxy), pool_size=5, max_overflow=0, pool_timeout=5, warm=5
    ) as db:
        load = Load(db)
        tasks = await under_load(load, writers=12)
        for _ in range(3):
            refused = load.count(CannotConnect)
            proxy.open = False
            proxy.cut()
            await until(lambda: load.count(CannotConnect) > refused + 5)  # noqa: B023
            assert not await db.healthy()
            known = len(load.committed)
            proxy.open = True
            await until(lambda: len(load.committed) > known + 5)  # noqa: B023
        await ends(load, tasks)
        await load.holds()


async def test_each_statement_of_a_transaction_cut(url: str, proxy: Proxy) -> None:
    """Before the commit nothing is there; only of the commit itself nobody knows."""
    async with Database(through(url, proxy), pool_size=1, max_overflow=0) as db:
        load = Load(db)
        await load.prepare()
        for answers in range(12):
            proxy.answers_left = answers
            await load._pair(answers)
            proxy.answers_left = None
            await load.holds()
        assert load.committed
        assert load.rolled_back
        assert load.unknown


async def test_a_nested_block_whose_line_is_cut(url: str, proxy: Proxy) -> None:
    """The error that comes out of the blocks is the first one, and typed."""
    async with Database(through(url, proxy), pool_size=1, warm=1) as db:
        await run(db, "CREATE TABLE nested (id integer)")

        async def nested() -> None:
            async with db.transaction():
                await run(db, "INSERT INTO nested VALUES (1)", on=db.executor())
                async with db.transaction():
                    proxy.cut()
                    await run(db, "INSERT INTO nested VALUES (2)", on=db.executor())

        async def makes_light_of_it() -> None:
            async with db.transaction():
                await run(db, "INSERT INTO nested VALUES (1)", on=db.executor())
                proxy.cut()
                with contextlib.suppress(ConnectionLost):
                    await run(db, "INSERT INTO nested VALUES (2)", on=db.executor())

        with pytest.raises(ConnectionLost):
            await nested()
        assert await rows(db, "SELECT * FROM nested") == []
        with pytest.raises(TransactionError):
            await makes_light_of_it()
        assert await at_rest(db)
        assert await rows(db, "SELECT * FROM nested") == []


async def test_a_line_on_which_nothing_comes_through(
    url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where even the server's limit is not heard of, ours ends the statement."""
    monkeypatch.setattr("turbostar.orm.engines.postgresql.driver._LATER", 0.1)
    monkeypatch.setattr("turbostar.orm.engines.postgresql.pool._TO_ORDER", 0.3)
    async with Database(
        through(url, proxy), pool_size=3, max_overflow=0, warm=3, statement_timeout=0.2
    ) as db:
        await run(db, "CREATE TABLE stalled (id integer)")
        transaction = await db.engine.begin()
        await run(db, "INSERT INTO stalled VALUES (1)", on=transaction)
        proxy.passing.clear()
        async with asyncio.timeout(20):
            for _ in range(2):
                with pytest.raises(StatementTimeout):
                    await rows(db, "SELECT 1")
            with pytest.raises(StatementTimeout):
                await run(db, "INSERT INTO stalled VALUES (2)", on=transaction)
            await transaction.rollback()
        assert await at_rest(db)
        proxy.passing.set()
        assert await rows(db, "SELECT count(*) FROM stalled") == [(0,)]
        assert await at_rest(db)


async def test_idle_connections_that_are_cut_are_replaced(url: str, proxy: Proxy) -> None:
    """Unnoticed by who comes next, once the loop has heard of it; with pre-ping, in any case."""
    for ping in (False, True):
        async with Database(through(url, proxy), pool_size=4, warm=4, pool_pre_ping=ping) as db:
            for _ in range(3):
                await asyncio.gather(*[db.check() for _ in range(8)])
                proxy.cut()
                if not ping:
                    await asyncio.sleep(0.05)
                await db.check()
            assert await at_rest(db)


async def test_connections_of_age_are_replaced(url: str) -> None:
    async with Database(url, pool_size=1, warm=1, pool_recycle=0.05) as db:
        pids = set()
        for _ in range(3):
            pids |= set(await rows(db, "SELECT pg_backend_pid()"))
            await asyncio.sleep(0.1)
            await db.check()
        assert len(pids) == 3
        assert await at_rest(db)


async def test_the_server_is_killed_and_restarted(kind: str) -> None:
    with Server() as server:
        async with Database(server.url, pool_size=8, max_overflow=8, connect_timeout=5) as db:
            load = Load(db)
            tasks = await under_load(load, writers=15)
            for how in ("immediate", "fast"):
                refused, lost = load.count(CannotConnect), load.count(ConnectionLost)
                await asyncio.to_thread(server.stop, how)
                await until(lambda: load.count(CannotConnect) > refused)  # noqa: B023
                assert load.count(ConnectionLost) > lost
                assert not await db.healthy()
                known = len(load.committed)
                await asyncio.to_thread(server.start)
                await until(lambda: len(load.committed) > known + 20)  # noqa: B023
            await ends(load, tasks)
            await load.holds()
