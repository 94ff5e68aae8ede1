"""The pool of connections to PostgreSQL by itself: what tests from outside hardly bring about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from turbostar.orm.engines.options import locate
from turbostar.orm.engines.postgresql import pool as postgresql_pool
from turbostar.orm.engines.postgresql.pool import Pool

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("kind", ["postgresql"])]


@pytest.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    where = locate(url, {"max_overflow": 1, "pool_timeout": 5.0})
    found = Pool(where, asyncio.get_running_loop(), 1)
    await found.warm(1)
    yield found
    await found.close(5)
    assert found.count == 0


async def test_the_last_one_given_back_is_used_first(pool: Pool) -> None:
    first, second = await pool.take(), await pool.take()
    pool.give_back(first)
    pool.give_back(second)
    assert await pool.take() is second
    pool.give_back(second)


async def test_one_that_died_in_use_is_not_kept(pool: Pool) -> None:
    link = await pool.take()
    link.connection.terminate()
    await asyncio.sleep(0)
    pool.give_back(link)
    assert (pool.count, pool.idle) == (0, [])
    other = await pool.take()
    assert other is not link
    pool.give_back(other)


async def test_one_that_died_in_use_leaves_its_place_at_once(pool: Pool) -> None:
    """Its user may be a stream that nobody reads any more, and that is not collected yet."""
    links = [await pool.take(), await pool.take()]
    for link in links:
        link.connection.terminate()
    await asyncio.sleep(0)
    assert (pool.count, pool.in_use) == (0, 0)
    pool.give_back(await pool.take())
    for link in links:
        pool.give_back(link)
    assert (pool.count, pool.in_use) == (1, 0)


async def test_one_that_died_makes_room_for_who_waits(pool: Pool) -> None:
    links = [await pool.take(), await pool.take()]
    waiting = [asyncio.create_task(pool.take()) for _ in range(2)]
    await asyncio.sleep(0)
    for link in links:
        pool.discard(link)
    for link in await asyncio.gather(*waiting):
        await link.connection.execute("SELECT 1")
        pool.give_back(link)


async def test_more_than_are_kept_are_closed(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turbostar.orm.engines.postgresql.pool._IDLE", 0.01)
    links = [await pool.take(), await pool.take()]
    for link in links:
        pool.give_back(link)
    assert pool.count == 2
    await asyncio.sleep(0.1)
    assert pool.count == 1
    assert pool.idle == [links[1]]


async def test_a_transaction_left_open_is_ended(pool: Pool) -> None:
    link = await pool.take()
    await link.connection.execute("BEGIN")
    pool.recover(link)
    assert pool.in_use == 1, "until it is in order"
    assert await pool.take() is link
    assert not link.connection.is_in_transaction()
    pool.give_back(link)


async def test_a_burst_does_not_open_what_it_does_not_need(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that soon comes free is waited for; when none does, there is one more."""
    monkeypatch.setattr(postgresql_pool, "_SOON", 0.5)  # as busy machines take for the burst

    async def uses(seconds: float) -> None:
        link = await pool.take()
        await asyncio.sleep(seconds)
        pool.give_back(link)

    await asyncio.gather(*[uses(0) for _ in range(20)])
    assert pool.count == 1
    await asyncio.gather(*[uses(1.5) for _ in range(2)])
    assert pool.count == 2


async def test_a_burst_on_an_empty_pool_opens_no_more_than_it_may(url: str) -> None:
    """All ask in one turn of the loop, as after the server has cut every connection."""
    where = locate(url, {"max_overflow": 1, "pool_timeout": 5.0})
    pool = Pool(where, asyncio.get_running_loop(), 2)
    most = 0

    async def uses() -> None:
        nonlocal most
        link = await pool.take()
        most = max(most, len(pool.all))
        await asyncio.sleep(0.01)
        pool.give_back(link)

    for _ in range(2):
        await asyncio.gather(*[uses() for _ in range(20)])
        assert 2 <= most <= 3
        for link in list(pool.all):
            link.connection.terminate()
        await asyncio.sleep(0)
    await pool.close(5)
    assert pool.count == 0
