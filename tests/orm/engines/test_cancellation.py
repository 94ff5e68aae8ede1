"""Cancelled at each of its awaits in turn, work leaves nothing checked out and no half of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Generator
from contextlib import aclosing
from typing import Any, TypeAlias

import pytest

from tests.orm.engines.kit import KITS, count, prepare, rows, run, statement
from tests.orm.engines.test_conformance import INSERT, RETURNING, at_rest
from turbostar.orm.database import Database
from turbostar.orm.engines.interface import all_rows
from turbostar.orm.errors import PoolTimeout

pytestmark = pytest.mark.anyio

Work: TypeAlias = Callable[[Database], Coroutine[Any, Any, Any]]


class CancelledAt:
    """Awaits a coroutine, and has its task cancelled while it waits for the `number`th time."""

    def __init__(self, work: Coroutine[Any, Any, Any], number: int) -> None:
        self.work = work
        self.number = number
        self.reached = False

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.work.__await__()
        value: Any = None
        error: BaseException | None = None
        seen = 0
        while True:
            try:
                waits_for = steps.send(value) if error is None else steps.throw(error)
            except StopIteration as stop:
                return stop.value
            seen += 1
            if seen == self.number:
                self.reached = True
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().call_soon(task.cancel)
            value, error = None, None
            try:
                value = yield waits_for
            except BaseException as caught:
                error = caught


async def cancelled_at(number: int, work: Coroutine[Any, Any, Any]) -> tuple[bool, bool]:
    """Whether it was reached, and whether the work has come to its end nevertheless."""
    awaited = CancelledAt(work, number)

    async def waits() -> Any:
        return await awaited

    task = asyncio.create_task(waits())
    try:
        async with asyncio.timeout(20):
            await asyncio.wait([task])
    finally:
        task.cancel()
    if task.cancelled():
        return awaited.reached, False
    task.result()
    return awaited.reached, True


async def fetches(db: Database) -> None:
    await rows(db, "SELECT name FROM people")


async def inserts(db: Database) -> None:
    await rows(db, RETURNING, "both", 1)


async def inserts_many(db: Database) -> None:
    made = ((f"m{n}", n) for n in range(1200))
    await db.engine.execute_many(statement(db, INSERT), made)


async def inserts_many_returning(db: Database) -> None:
    made = [(f"m{n}", n) for n in range(1200)]
    await db.engine.execute_many(statement(db, RETURNING), made, len)


async def copies(db: Database) -> None:
    await db.engine.copy_rows("people", ["name", "age"], [(f"m{n}", n) for n in range(1200)])


async def is_a_unit(db: Database) -> None:
    await db.engine.unit([(statement(db, INSERT), (f"m{n}", 1), None) for n in range(3)])


async def streams(db: Database) -> None:
    query = statement(db, "SELECT name FROM people")
    async with aclosing(db.engine.stream(query, (), 2, all_rows)) as parts:  # type: ignore[type-var]
        async for _ in parts:
            pass


async def transacts(db: Database) -> None:
    async with db.transaction():
        on = db.executor()
        await run(db, INSERT, "m1", 1, on=on)
        async with db.transaction():
            await run(db, INSERT, "m2", 1, on=on)
        await rows(db, "SELECT name FROM people", on=on)
        await run(db, INSERT, "m3", 1, on=on)


async def fails_in_a_transaction(db: Database) -> None:
    with contextlib.suppress(LookupError):
        async with db.transaction():
            on = db.executor()
            await run(db, INSERT, "m1", 1, on=on)
            raise LookupError


async def gathers_in_a_transaction(db: Database) -> None:
    async with db.transaction():
        on = db.executor()
        await asyncio.gather(*[run(db, INSERT, f"m{n}", 1, on=on) for n in range(3)])


async def waits_for_another(db: Database) -> None:
    holder = await db.engine.begin()

    async def ends() -> None:
        await asyncio.sleep(0.02)
        await holder.rollback()

    ending = asyncio.create_task(ends())
    try:
        await run(db, "UPDATE people SET age = 1", on=holder)
        await run(db, "UPDATE people SET age = 2")
    finally:
        await asyncio.shield(ending)


# What each does, and how many people it makes if it comes to its end.
WORKS: list[tuple[Work, int]] = [
    (fetches, 0),
    (inserts, 1),
    (inserts_many, 1200),
    (inserts_many_returning, 1200),
    (copies, 1200),
    (is_a_unit, 3),
    (streams, 0),
    (transacts, 3),
    (fails_in_a_transaction, 0),
    (gathers_in_a_transaction, 3),
    (waits_for_another, 0),
]


@pytest.mark.parametrize(("work", "makes"), WORKS, ids=[work.__name__ for work, _ in WORKS])
async def test_cancelled_at_each_await(db: Database, work: Work, makes: int) -> None:
    """All of it has happened, or nothing; and the next who comes finds everything in order."""
    await prepare(db)
    before = 5
    for number in range(1, 200):
        await run(db, "DELETE FROM people")
        for n in range(before):
            await run(db, INSERT, f"before {n}", n)
        reached, finished = await cancelled_at(number, work(db))
        assert await at_rest(db), f"{db.in_use} connections are out after await {number}"
        found = await count(db)
        if finished:
            assert found == before + makes
        else:
            assert found in (before, before + makes), f"half of it, after await {number}"
        async with asyncio.timeout(10):
            transaction = await db.engine.begin()
            await run(db, INSERT, "after", 1, on=transaction)
            await transaction.commit()
        if not reached:
            break
    else:
        pytest.fail("it has no end")
    assert finished, "the last time nothing was cancelled"


async def test_cancelled_while_it_waits_for_a_connection(url: str) -> None:
    """The place in the queue is free again, and whoever holds the connection is not disturbed."""
    async with Database(url, pool_size=1, max_overflow=0, warm=1, pool_timeout=20) as db:
        await prepare(db)
        for number in range(1, 50):
            holder = await db.engine.begin()
            await run(db, INSERT, f"h{number}", 1, on=holder)
            waiting = asyncio.create_task(cancelled_at(number, inserts(db)))
            behind = asyncio.create_task(run(db, INSERT, f"b{number}", 1))
            await asyncio.sleep(0.005)
            await holder.commit()
            assert await behind == 1
            reached, _ = await waiting
            assert await at_rest(db)
            await run(db, "DELETE FROM people")
            if not reached:
                break
        else:
            pytest.fail("it has no end")


async def test_cancelled_in_the_moment_it_gets_its_connection(url: str) -> None:
    """The connection goes on to the next."""
    async with Database(url, pool_size=1, max_overflow=0, warm=1, pool_timeout=5) as db:
        await prepare(db)
        for number in range(30):
            holder = await db.engine.begin()
            await run(db, INSERT, f"h{number}", 1, on=holder)

            async def waits(name: str) -> None:
                transaction = await db.engine.begin()
                try:
                    await run(db, INSERT, name, 1, on=transaction)
                    await transaction.commit()
                finally:
                    await transaction.rollback()

            unlucky = asyncio.create_task(waits(f"u{number}"))
            behind = asyncio.create_task(waits(f"b{number}"))
            await asyncio.sleep(0.001)
            committing = asyncio.create_task(holder.commit())
            for _ in range(number % 3):
                await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(unlucky.cancel)
            await asyncio.wait([unlucky, behind, committing])
            await behind
            assert await at_rest(db)


async def test_who_comes_before_one_that_is_cancelled_is_told(db: Database) -> None:
    """The work behind it is skipped, and its own result comes nevertheless."""
    await prepare(db)
    slow = KITS[db.kind].slow
    for sql in (f"INSERT INTO people (name, age) SELECT 'slow', 1 FROM ({slow}) AS s", slow):
        first = asyncio.create_task(run(db, sql, 0.05))
        behind = [asyncio.create_task(run(db, sql, 0.05)) for _ in range(8)]
        await asyncio.sleep(0.001)
        for task in behind:
            task.cancel()
        async with asyncio.timeout(10):
            await first
        await asyncio.wait(behind)
        await run(db, "DELETE FROM people")
        assert await at_rest(db)


async def test_cancelled_while_it_opens(url: str) -> None:
    """The next use opens it."""
    for number in range(1, 200):
        db = Database(url, pool_size=2)
        reached, _ = await cancelled_at(number, rows(db, "SELECT 1"))
        assert await rows(db, "SELECT 1") == [(1,)]
        assert await at_rest(db)
        await db.close()
        if not reached:
            break
    else:
        pytest.fail("it has no end")


async def test_a_commit_that_is_cancelled_is_carried_to_its_end(db: Database) -> None:
    """And says so by `committed`, so that hooks run."""
    await prepare(db)
    for number in range(1, 20):
        transaction = await db.engine.begin()
        await run(db, INSERT, f"c{number}", 1, on=transaction)
        reached, _ = await cancelled_at(number, transaction.commit())
        assert transaction.committed
        assert await count(db) == number
        if not reached:
            break
    assert await at_rest(db)


async def test_timeouts_of_many(db: Database) -> None:
    """Of a hundred whose patience ends at any moment, each has done all or nothing."""
    await prepare(db)

    async def pair(number: int) -> bool:
        try:
            async with asyncio.timeout(number % 20 / 500):
                async with db.transaction():
                    await run(db, INSERT, f"left {number}", number, on=db.executor())
                    await run(db, INSERT, f"right {number}", number, on=db.executor())
        except (TimeoutError, PoolTimeout):
            return False
        return True

    done = await asyncio.gather(*[pair(number) for number in range(100)])
    assert await at_rest(db)
    made = await rows(db, "SELECT age, count(*) FROM people GROUP BY age")
    assert all(number == 2 for _, number in made)
    assert {age for age, _ in made} >= {n for n, finished in enumerate(done) if finished}
