"""Many tasks at once: each has its own answer, and nothing is seen half done."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator

import pytest

from turbostar.orm import CheckViolation, Col, Database, Model, col, count, pk, sum

pytestmark = pytest.mark.anyio

ACCOUNTS = 10
EACH = 100


class Account(Model, table="accounts"):
    id: Col[int] = pk(auto=False)
    balance: Col[int] = col(check="balance >= 0")
    changes: Col[int] = 0


class Entry(Model, table="entries"):
    id: Col[int] = pk()
    source: Col[int]
    target: Col[int]
    amount: Col[int]


@pytest.fixture
async def bank(db: Database) -> AsyncIterator[Database]:
    db.bind(Account, Entry)
    await db.create_all(Account, Entry)
    await Account.insert_many([{"id": key, "balance": EACH} for key in range(ACCOUNTS)])
    yield db
    assert db.in_use == 0


async def test_fifty_gets_have_their_own_rows(bank: Database) -> None:
    """In whatever order they come back."""
    keys = [number % ACCOUNTS for number in range(50)]
    for _ in range(5):
        found = await asyncio.gather(*[Account.get(key) for key in keys])
        assert [account.id for account in found] == keys
        assert len({id(account) for account in found}) == len(keys)


async def test_fifty_updates_are_all_counted(bank: Database) -> None:
    """None is lost, for the database does the sum."""
    await asyncio.gather(
        *[Account.filter(Account.id == 1).update(changes=Account.changes + 1) for _ in range(50)]
    )
    assert (await Account.get(1)).changes == 50


async def test_fifty_inserts_have_fifty_keys(bank: Database) -> None:
    """And each object knows its own."""
    made = await asyncio.gather(
        *[Entry.create(source=number, target=0, amount=0) for number in range(50)]
    )
    assert len({entry.id for entry in made}) == 50
    for entry in made:
        assert (await Entry.get(entry.id)).source == entry.source


async def test_money_is_neither_made_nor_lost(bank: Database) -> None:
    """25 tasks transfer, 25 look: every look finds the whole sum, and the entries fit."""
    chance = random.Random(517)
    refused = 0

    async def transfer() -> None:
        nonlocal refused
        for _ in range(8):
            source, target = chance.sample(range(ACCOUNTS), 2)
            amount = chance.randint(1, EACH)
            try:
                async with bank.transaction():
                    for key, change in sorted([(source, -amount), (target, amount)]):
                        await Account.filter(Account.id == key).update(
                            balance=Account.balance + change, changes=Account.changes + 1
                        )
                    await Entry.create(source=source, target=target, amount=amount)
                    await asyncio.sleep(0)
            except CheckViolation:
                refused += 1

    async def look() -> None:
        for _ in range(8):
            found = await Account.filter().aggregate(n=count(), all=sum(Account.balance))
            assert found == {"n": ACCOUNTS, "all": ACCOUNTS * EACH}
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(25):
            tasks.create_task(transfer())
            tasks.create_task(look())

    entries = await Entry.filter()
    assert len(entries) == 25 * 8 - refused
    assert 0 < refused < 25 * 8
    for account in await Account.filter():
        came = [entry.amount for entry in entries if entry.target == account.id]
        went = [entry.amount for entry in entries if entry.source == account.id]
        total = EACH
        for amount in came:
            total += amount
        for amount in went:
            total -= amount
        assert account.balance == total
        assert account.changes == len(came) + len(went)


async def test_cancelled_tasks_leave_nothing_behind(bank: Database) -> None:
    """Whatever they did: no connection is out, no transaction open, no transfer half done."""

    async def transfer() -> None:
        for step in itertools.cycle((1, -1)):
            async with bank.transaction():
                await Account.filter(Account.id == 0).update(balance=Account.balance - step)
                await Account.filter(Account.id == 1).update(balance=Account.balance + step)

    for wait in range(15):
        tasks = [asyncio.create_task(transfer()) for _ in range(5)]
        await asyncio.sleep(0.001 * wait)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
        for _ in range(200):
            if bank.in_use == 0:
                break
            await asyncio.sleep(0.01)
        assert bank.in_use == 0
        both = Account.filter(Account.id < 2)
        assert await both.aggregate(all=sum(Account.balance)) == {"all": 2 * EACH}
    await Account.filter(Account.id == 0).update(balance=3)
    assert (await Account.get(0)).balance == 3
