"""Transactions as an application writes them, on both engines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from turbostar.orm.database import Database
from turbostar.orm.errors import (
    DatabaseError,
    ReadOnly,
    SerializationFailure,
    TransactionError,
    UniqueViolation,
)

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO notes (id) VALUES ($1)"


async def notes(db: Database) -> list[int]:
    return [row["id"] for row in await db.sql("SELECT id FROM notes ORDER BY id")]


async def make(db: Database) -> None:
    await db.execute("CREATE TABLE notes (id integer PRIMARY KEY)")


async def test_a_block_takes_effect_at_its_end(db: Database) -> None:
    await make(db)
    assert not db.in_transaction
    async with db.transaction() as scope:
        assert db.in_transaction
        assert scope.open
        await db.execute(INSERT, 1)
        assert await notes(db) == [1]
        with db.outside_transaction():
            assert not db.in_transaction
            assert await notes(db) == []
    assert not db.in_transaction
    assert not scope.open
    assert await notes(db) == [1]
    assert db.in_use == 0


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt, asyncio.CancelledError])
async def test_whatever_leaves_a_block_undoes_it(db: Database, error: type[BaseException]) -> None:
    await make(db)

    async def leaves() -> None:
        async with db.transaction():
            await db.execute(INSERT, 1)
            raise error

    with pytest.raises(error):
        await leaves()
    assert await notes(db) == []
    assert db.in_use == 0


async def test_nested_blocks_are_undone_by_themselves(db: Database) -> None:
    await make(db)

    async def fails(number: int) -> None:
        async with db.transaction():
            await db.execute(INSERT, number)
            async with db.transaction():
                await db.execute(INSERT, number + 1)
            raise LookupError

    async with db.transaction():
        await db.execute(INSERT, 1)
        with pytest.raises(LookupError):
            await fails(2)
        async with db.transaction():
            await db.execute(INSERT, 4)
            with pytest.raises(LookupError):
                await fails(5)
        with contextlib.suppress(UniqueViolation):
            async with db.transaction():
                await db.execute(INSERT, 4)
        await db.execute(INSERT, 7)
    assert await notes(db) == [1, 4, 7]


async def test_nested_blocks_go_with_the_outer(db: Database) -> None:
    await make(db)

    async def outer() -> None:
        async with db.transaction():
            async with db.transaction():
                await db.execute(INSERT, 1)
            raise LookupError

    with pytest.raises(LookupError):
        await outer()
    assert await notes(db) == []


async def test_an_error_that_is_caught_within_keeps_it_from_being_committed(db: Database) -> None:
    """On both engines, and the message says what to do."""
    await make(db)

    async def catches() -> None:
        async with db.transaction():
            await db.execute(INSERT, 1)
            with pytest.raises(UniqueViolation):
                await db.execute(INSERT, 1)

    with pytest.raises(TransactionError, match=r"nested `async with db.transaction\(\)`"):
        await catches()
    assert await notes(db) == []
    assert db.in_use == 0


async def test_hooks_run_after_the_commit(db: Database) -> None:
    await make(db)
    seen: list[Any] = []

    async def asynchronous() -> None:
        seen.append(("async", db.in_transaction, await notes(db)))

    async with db.transaction():
        await db.execute(INSERT, 1)
        await db.on_commit(asynchronous)
        async with db.transaction():
            await db.on_commit(lambda: seen.append("nested"))
        with contextlib.suppress(LookupError):
            async with db.transaction():
                await db.on_commit(lambda: seen.append("never"))
                raise LookupError
        assert seen == []
    assert seen == [("async", False, [1]), "nested"]


async def test_hooks_of_what_is_rolled_back_do_not_run(db: Database) -> None:
    await make(db)
    seen: list[str] = []
    with contextlib.suppress(LookupError):
        async with db.transaction():
            await db.on_commit(lambda: seen.append("never"))
            raise LookupError
    assert seen == []


async def test_a_hook_outside_runs_at_once(db: Database) -> None:
    seen: list[str] = []

    async def hook() -> None:
        seen.append("now")

    await db.on_commit(hook)
    assert seen == ["now"]


async def test_hooks_that_fail_do_not_keep_others_from_running(db: Database) -> None:
    await make(db)
    seen: list[str] = []

    def fails() -> None:
        raise LookupError("a hook")

    async def commits(times: int) -> None:
        async with db.transaction():
            await db.execute(INSERT, times)
            for _ in range(times):
                await db.on_commit(fails)
            await db.on_commit(lambda: seen.append("last"))

    with pytest.raises(LookupError, match="a hook"):
        await commits(1)
    with pytest.raises(ExceptionGroup, match="the commit stands") as caught:
        await commits(2)
    assert len(caught.value.exceptions) == 2
    assert seen == ["last", "last"]
    assert await notes(db) == [1, 2]


async def test_tasks_share_the_transaction_they_are_started_in(db: Database) -> None:
    await make(db)
    async with db.transaction():
        await asyncio.gather(*[db.execute(INSERT, n) for n in range(10)])
        with db.outside_transaction():
            assert await notes(db) == []
    assert await notes(db) == list(range(10))


async def test_a_task_that_outlives_its_transaction(db: Database) -> None:
    """It is told so; in `outside_transaction` it would have been started on its own."""
    await make(db)
    go = asyncio.Event()

    async def late() -> list[int]:
        await go.wait()
        return await notes(db)

    async with db.transaction():
        bound = asyncio.create_task(late())
        with db.outside_transaction():
            free = asyncio.create_task(late())
        await db.execute(INSERT, 1)
    go.set()
    with pytest.raises(TransactionError, match="lives longer"):
        await bound
    assert await free == [1]


async def test_nested_blocks_of_two_tasks_do_not_overlap(db: Database) -> None:
    await make(db)

    async def nested(number: int) -> None:
        async with db.transaction():
            await db.execute(INSERT, number)
            await asyncio.sleep(0.01)

    async with db.transaction():
        results = await asyncio.gather(nested(1), nested(2), return_exceptions=True)
        assert [type(result) for result in results].count(TransactionError) == 1
        await db.execute(INSERT, 3)
    assert await notes(db) in ([1, 3], [2, 3])


async def test_transactions_of_two_tasks_are_apart(db: Database) -> None:
    await make(db)

    async def writes(number: int) -> None:
        async with db.transaction():
            await db.execute(INSERT, number)
            await asyncio.sleep(0)
            if number % 2:
                raise LookupError

    results = await asyncio.gather(*[writes(n) for n in range(10)], return_exceptions=True)
    assert [isinstance(result, LookupError) for result in results] == [False, True] * 5
    assert await notes(db) == [0, 2, 4, 6, 8]
    assert db.in_use == 0


async def test_two_databases_at_once(db: Database) -> None:
    """A transaction of one is none of the other."""
    await make(db)
    async with Database("sqlite://") as other:
        await make(other)
        with contextlib.suppress(LookupError):
            async with db.transaction():
                await db.execute(INSERT, 1)
                assert not other.in_transaction
                await other.execute(INSERT, 2)
                raise LookupError
        assert await notes(db) == []
        assert await notes(other) == [2]


async def test_read_only(db: Database) -> None:
    await make(db)
    await db.execute(INSERT, 1)

    async def writes() -> None:
        async with db.transaction(read_only=True):
            assert await notes(db) == [1]
            async with db.transaction(read_only=True):
                await db.execute(INSERT, 2)

    with pytest.raises(ReadOnly):
        await writes()
    assert await notes(db) == [1]
    async with db.transaction():
        with pytest.raises(TransactionError, match="read-only"):
            await db.transaction(read_only=True).__aenter__()
        with pytest.raises(TransactionError, match="serializable"):
            await db.transaction(isolation="serializable").__aenter__()


async def test_a_function_may_be_a_transaction(db: Database) -> None:
    await make(db)

    @db.transaction()
    async def adds(number: int, *, fail: bool = False) -> int:
        """Adds a note."""
        await db.execute(INSERT, number)
        if fail:
            raise LookupError
        return number * 2

    assert await adds(1) == 2
    with pytest.raises(LookupError):
        await adds(2, fail=True)
    async with db.transaction():
        assert await adds(3) == 6
        with pytest.raises(LookupError):
            await adds(4, fail=True)
    assert await notes(db) == [1, 3]
    assert adds.__name__ == "adds"
    assert adds.__doc__ == "Adds a note."


def failures(times: int) -> Iterator[DatabaseError]:
    for _ in range(times):
        yield SerializationFailure("not in this order")


@pytest.mark.parametrize(("fails", "tries"), [(2, 3), (9, 4)])
async def test_a_function_is_run_again(db: Database, fails: int, tries: int) -> None:
    await make(db)
    left = failures(fails)
    seen: list[int] = []

    @db.transaction(retry=3)
    async def adds() -> None:
        seen.append(len(seen))
        await db.execute(INSERT, 1)
        for error in left:
            raise error

    if tries <= 3:
        await adds()
        assert await notes(db) == [1]
    else:
        with pytest.raises(SerializationFailure):
            await adds()
        assert await notes(db) == []
    assert len(seen) == tries


async def test_only_what_may_go_well_is_run_again(db: Database) -> None:
    await make(db)
    seen: list[int] = []

    @db.transaction(retry=3)
    async def adds() -> None:
        seen.append(1)
        await db.execute(INSERT, 1)
        await db.execute(INSERT, 1)

    with pytest.raises(UniqueViolation):
        await adds()
    assert seen == [1]


async def test_within_another_only_the_outermost_is_run_again(db: Database) -> None:
    await make(db)
    left = failures(1)
    seen: list[str] = []

    @db.transaction(retry=3)
    async def inner() -> None:
        seen.append("inner")
        for error in left:
            raise error

    @db.transaction(retry=3)
    async def outer() -> None:
        seen.append("outer")
        await inner()

    await outer()
    assert seen == ["outer", "inner", "outer", "inner"]


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_conflicts_are_solved_by_repetition(db: Database) -> None:
    """Ten that each read a sum and write it, serializable: each counts."""
    await db.execute("CREATE TABLE sums (id integer PRIMARY KEY, n integer)")
    await db.execute("INSERT INTO sums VALUES (1, 0)")

    @db.transaction(isolation="serializable", retry=50)
    async def adds() -> None:
        [row] = await db.sql("SELECT n FROM sums WHERE id = 1")
        await asyncio.sleep(0)
        await db.execute("UPDATE sums SET n = $1 WHERE id = 1", row["n"] + 1)

    await asyncio.gather(*[adds() for _ in range(10)])
    assert await db.sql("SELECT n FROM sums") == [{"n": 10}]
    assert db.in_use == 0


async def test_wrong_uses_are_told(db: Database) -> None:
    with pytest.raises(TransactionError, match="decorate an async function"):
        await db.transaction(retry=2).__aenter__()
    with pytest.raises(TransactionError, match="no async function"):
        db.transaction()(lambda: None)  # type: ignore[arg-type, return-value]
    scope = db.transaction()
    async with scope:
        with pytest.raises(TransactionError, match="entered once"):
            await scope.__aenter__()
    with pytest.raises(TransactionError, match="not open"):
        scope.on_commit(lambda: None)


async def test_a_cancelled_hook_keeps_none_from_the_others(db: Database) -> None:
    """The commit stands, whoever goes away: the mail after the slow one is sent all the same."""
    await make(db)
    began, told = asyncio.Event(), []

    async def slow() -> None:
        began.set()
        await asyncio.Event().wait()

    async def work() -> None:
        async with db.transaction():
            await db.execute(INSERT, 1)
            await db.on_commit(slow)
            await db.on_commit(lambda: told.append("second"))

    task = asyncio.create_task(work())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["second"]
    assert await notes(db) == [1]
