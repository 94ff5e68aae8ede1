"""Fifty writers and readers at once: sums hold, nothing is lost, no database is ever locked."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import Any

import pytest

from tests.orm.engines.kit import KITS, count, rows, run, statement
from tests.orm.engines.test_conformance import at_rest
from turbostar.orm.database import Database

pytestmark = pytest.mark.anyio

ACCOUNTS = 10
EACH = 100
WRITERS = 50
ROUNDS = 6


async def bank(db: Database) -> None:
    auto_id = KITS[db.kind].auto_id
    await run(
        db,
        "CREATE TABLE accounts (id integer PRIMARY KEY, balance integer NOT NULL,"
        " CONSTRAINT no_debts CHECK (balance >= 0))",
    )
    await run(db, f"CREATE TABLE moves (id {auto_id}, source integer, target integer, sum integer)")
    await run(db, "CREATE TABLE counters (id integer PRIMARY KEY, n integer NOT NULL)")
    await run(db, "INSERT INTO counters VALUES (1, 0)")
    opened = [(n, EACH) for n in range(ACCOUNTS)]
    insert = statement(db, "INSERT INTO accounts VALUES ($1, $2)")
    await db.engine.execute_many(insert, opened)


class Teller:
    """Moves money about, and knows what it has moved."""

    def __init__(self, db: Database, seed: int) -> None:
        self.db = db
        self.random = random.Random(seed)
        self.moved = 0
        self.refused = 0

    async def work(self) -> None:
        for _ in range(ROUNDS):
            source, target = self.random.sample(range(ACCOUNTS), 2)
            try:
                await self.move(source, target, self.random.randint(1, 60))
            except Refused:
                self.refused += 1
            else:
                self.moved += 1
            await run(self.db, "UPDATE counters SET n = n + 1 WHERE id = 1")

    async def move(self, source: int, target: int, amount: int) -> None:
        db = self.db

        @db.transaction(retry=50)
        async def transfers() -> None:
            on = db.executor()
            lock = " FOR UPDATE" if db.kind == "postgresql" else ""
            query = "SELECT id, balance FROM accounts WHERE id IN ($1, $2) ORDER BY id" + lock
            balance = dict(await rows(db, query, source, target, on=on))[source]
            await asyncio.sleep(0)
            left = max(0, balance - amount)
            await run(db, "UPDATE accounts SET balance = $1 WHERE id = $2", left, source, on=on)
            async with db.transaction():
                await run(
                    db,
                    "UPDATE accounts SET balance = balance + $1 WHERE id = $2",
                    amount,
                    target,
                    on=on,
                )
                await run(
                    db,
                    "INSERT INTO moves (source, target, sum) VALUES ($1, $2, $3)",
                    source,
                    target,
                    amount,
                    on=on,
                )
            if balance < amount:
                raise Refused

        await transfers()


class Refused(Exception):
    """There is not so much in the account; all that was done is undone."""


async def audits(db: Database, ended: asyncio.Event) -> int:
    """Sums up again and again; gives how often."""
    times = 0
    while not ended.is_set():
        assert await rows(db, "SELECT sum(balance) FROM accounts") == [(ACCOUNTS * EACH,)]
        async with db.transaction(isolation="repeatable read", read_only=True):
            on = db.executor()
            first = await rows(db, "SELECT id, balance FROM accounts ORDER BY id", on=on)
            await asyncio.sleep(0.001)
            second = await rows(db, "SELECT id, balance FROM accounts ORDER BY id", on=on)
            assert first == second
            assert sum(balance for _, balance in first) == ACCOUNTS * EACH
        query = statement(db, "SELECT balance FROM accounts")
        total = 0
        async with aclosing(db.engine.stream(query, (), 3, list)) as parts:  # type: ignore[type-var]
            async for part in parts:
                total += sum(row[0] for row in part)
        assert total == ACCOUNTS * EACH
        times += 1
        await asyncio.sleep(0)
    return times


async def test_money_is_neither_made_nor_lost(db: Database) -> None:
    await bank(db)
    tellers = [Teller(db, seed) for seed in range(WRITERS)]
    ended = asyncio.Event()
    auditing = [asyncio.create_task(audits(db, ended)) for _ in range(5)]
    async with asyncio.timeout(200):
        await asyncio.gather(*[teller.work() for teller in tellers])
        ended.set()
        audited = await asyncio.gather(*auditing)
    assert min(audited) > 0
    moved = sum(teller.moved for teller in tellers)
    assert moved + sum(teller.refused for teller in tellers) == WRITERS * ROUNDS
    assert await count(db, "moves") == moved
    assert await rows(db, "SELECT n FROM counters") == [(WRITERS * ROUNDS,)]
    await balances_follow_from_moves(db)
    assert await at_rest(db)


async def balances_follow_from_moves(db: Database) -> None:
    expected = dict.fromkeys(range(ACCOUNTS), EACH)
    for source, target, amount in await rows(db, "SELECT source, target, sum FROM moves"):
        expected[source] -= amount
        expected[target] += amount
    assert dict(await rows(db, "SELECT id, balance FROM accounts")) == expected


async def test_tellers_who_are_called_away(db: Database) -> None:
    """The same, while half of them are cancelled at random and begin again."""
    await bank(db)
    dice = random.Random(7)
    tellers = [Teller(db, seed) for seed in range(30)]

    async def disturbed(teller: Teller) -> None:
        for _ in range(8):
            task = asyncio.create_task(teller.work())
            await asyncio.wait([task], timeout=dice.random() / 20)
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async with asyncio.timeout(200):
        await asyncio.gather(*[disturbed(teller) for teller in tellers])
    assert await at_rest(db)
    assert await rows(db, "SELECT sum(balance) FROM accounts") == [(ACCOUNTS * EACH,)]
    assert await count(db, "moves") >= sum(teller.moved for teller in tellers)
    await balances_follow_from_moves(db)


async def test_numbers_are_given_once(db: Database) -> None:
    """Single statements of many at once, each a unit of its own."""
    await bank(db)
    sql = "UPDATE counters SET n = n + 1 WHERE id = 1 RETURNING n"
    query = statement(db, sql)

    async def draws(times: int) -> list[int]:
        return [await db.engine.fetch(query, (), lambda found: found[0][0]) for _ in range(times)]

    drawn = await asyncio.gather(*[draws(20) for _ in range(50)])
    assert sorted(number for some in drawn for number in some) == list(range(1, 1001))
    assert await at_rest(db)


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_two_databases_on_one_file(db: Database, url: str) -> None:
    """Both write at once, and nobody hears of a locked database."""
    await bank(db)
    async with Database(url, pool_size=10) as other:

        async def adds(which: Database, number: int) -> None:
            if number % 2:
                await run(which, "UPDATE counters SET n = n + 1")
                return
            async with which.transaction():
                on = which.executor()
                [(n,)] = await rows(which, "SELECT n FROM counters", on=on)
                await run(which, "UPDATE counters SET n = $1", n + 1, on=on)

        works: list[Any] = [adds(which, n) for n in range(100) for which in (db, other)]
        await asyncio.gather(*works)
        assert await rows(other, "SELECT n FROM counters") == [(200,)]
    assert await at_rest(db)


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_database_in_memory(kind: str) -> None:
    """It has one connection for all, and the same promises."""
    async with Database("sqlite:///:memory:") as db:
        await bank(db)
        tellers = [Teller(db, seed) for seed in range(20)]
        ended = asyncio.Event()
        auditing = asyncio.create_task(audits(db, ended))
        await asyncio.gather(*[teller.work() for teller in tellers])
        ended.set()
        assert await auditing > 0
        await balances_follow_from_moves(db)
        assert await at_rest(db)
