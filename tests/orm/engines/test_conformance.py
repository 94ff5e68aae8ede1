"""What an engine promises by ``turbostar.orm.engines.interface``, one test for each promise."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.orm.engines.kit import KITS, count, people, prepare, rows, run, statement
from turbostar.orm.database import Database
from turbostar.orm.engines.interface import Engine, Statement, Transaction, all_rows
from turbostar.orm.errors import (
    DatabaseClosed,
    OrmError,
    PoolTimeout,
    QueryError,
    ReadOnly,
    StatementTimeout,
    TransactionError,
    UniqueViolation,
    WrongLoop,
    WrongValue,
)

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO people (name, age) VALUES ($1, $2)"
RETURNING = INSERT + " RETURNING id, name"


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops, for an engine's threads and sockets are theirs to look after."""
    if request.param:
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
async def engine(db: Database) -> AsyncIterator[Engine]:
    await prepare(db)
    yield db.engine
    assert await at_rest(db), f"{db.in_use} connections are still out"


async def at_rest(db: Database) -> bool:
    """Whether everything is given back, after what is being looked after has been."""
    for _ in range(400):
        if db.in_use == 0:
            return True
        await asyncio.sleep(0.005)
    return False


async def test_fetch_gives_what_decode_makes_of_the_rows(db: Database, engine: Engine) -> None:
    await people(db, 3)
    query = statement(db, "SELECT name, age FROM people WHERE age > $1 ORDER BY age")
    assert await engine.fetch(query, (1,), lambda found: [row[0] for row in found]) == ["p2", "p3"]
    assert await engine.fetch(query, (9,), len) == 0


async def test_rows_are_sequences_by_position(db: Database, engine: Engine) -> None:
    await people(db, 1)
    [(name, age)] = await engine.fetch(statement(db, "SELECT name, age FROM people"), (), all_rows)
    assert (name, age) == ("p1", 1)


async def test_an_insert_may_return_rows(db: Database, engine: Engine) -> None:
    assert await rows(db, RETURNING, "a", 1) == [(1, "a")]
    assert await count(db) == 1


async def test_fetch_named_tells_the_columns(db: Database, engine: Engine) -> None:
    await people(db, 1)
    query = statement(db, "SELECT age AS years, name FROM people WHERE age < $1")
    pairs = await engine.fetch_named(query, (5,), lambda names, found: (names, len(found)))
    assert pairs == (["years", "name"], 1)


async def test_fetch_named_of_no_rows_has_their_names(db: Database, engine: Engine) -> None:
    query = statement(db, "SELECT name FROM people WHERE age = $1")
    assert await engine.fetch_named(query, (5,), lambda *both: both) == (["name"], [])


async def test_fetch_named_of_what_returns_nothing(db: Database, engine: Engine) -> None:
    both = await engine.fetch_named(statement(db, INSERT), ("a", 1), lambda *both: both)
    assert both == ([], [])


async def test_execute_counts_rows(db: Database, engine: Engine) -> None:
    await people(db, 3)
    assert await run(db, "UPDATE people SET balance = $1 WHERE age > $2", 5, 1) == 2
    assert await run(db, "DELETE FROM people WHERE age > $1", 9) == 0
    assert await run(db, "DELETE FROM people") == 3
    assert await run(db, "CREATE TABLE other (id integer)") == 0


async def test_execute_of_what_returns_rows_counts_them(db: Database, engine: Engine) -> None:
    await people(db, 3)
    assert await run(db, "UPDATE people SET balance = $1 RETURNING id", 5) == 3
    assert await rows(db, "SELECT sum(balance) FROM people") == [(15,)]


async def test_execute_many_writes_each_row(db: Database, engine: Engine) -> None:
    made = ((f"n{n}", n) for n in range(2500))
    assert await engine.execute_many(statement(db, INSERT), made) is None
    assert await count(db) == 2500


async def test_execute_many_returns_rows_in_order(db: Database, engine: Engine) -> None:
    made = [(f"n{n}", n) for n in range(2500)]
    found = await engine.execute_many(statement(db, RETURNING), made, all_rows)
    assert [tuple(row) for row in found] == [(n + 1, f"n{n}") for n in range(2500)]


@pytest.mark.parametrize("decode", [None, len])
@pytest.mark.parametrize("bad", [3, 2400])
async def test_execute_many_is_all_or_nothing(
    db: Database, engine: Engine, bad: int, decode: Any
) -> None:
    made = [(f"n{n}", -1 if n == bad else n) for n in range(2500)]
    text = RETURNING if decode else INSERT
    with pytest.raises(Exception, match="people_age"):
        await engine.execute_many(statement(db, text), made, decode)
    assert await count(db) == 0


async def test_what_yields_rows_may_fail(db: Database, engine: Engine) -> None:
    """Its own exception comes out, and nothing was written."""

    def made() -> Iterator[tuple[str, int]]:
        yield from ((f"n{n}", n) for n in range(1500))
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        await engine.execute_many(statement(db, INSERT), made())
    assert await at_rest(db)
    assert await count(db) == 0


async def test_unit_gives_each_steps_result(db: Database, engine: Engine) -> None:
    results = await engine.unit(
        [
            (statement(db, INSERT), ("a", 1), None),
            (statement(db, RETURNING), ("b", 2), all_rows),
            (statement(db, "SELECT count(*) FROM people"), (), lambda found: found[0][0]),
        ]
    )
    assert results[0] == 1
    assert [tuple(row) for row in results[1]] == [(2, "b")]
    assert results[2] == 2


async def test_unit_is_all_or_nothing(db: Database, engine: Engine) -> None:
    with pytest.raises(UniqueViolation):
        await engine.unit([(statement(db, INSERT), ("a", 1), None)] * 2)
    assert await count(db) == 0


async def test_unit_of_reads(db: Database, engine: Engine) -> None:
    await people(db, 2)
    query = statement(db, "SELECT count(*) FROM people WHERE age >= $1")
    assert await engine.unit([(query, (age,), lambda found: found[0][0]) for age in (1, 2)]) == [
        2,
        1,
    ]


async def test_stream_yields_chunks(db: Database, engine: Engine) -> None:
    await people(db, 25)
    query = statement(db, "SELECT age FROM people WHERE age > $1 ORDER BY age")
    parts = [
        part
        async for part in engine.stream(query, (2,), 10, lambda found: [row[0] for row in found])
    ]
    assert [len(part) for part in parts] == [10, 10, 3]
    assert [age for part in parts for age in part] == list(range(3, 26))


async def test_a_stream_sees_one_moment(db: Database, engine: Engine) -> None:
    await people(db, 30)
    seen = 0
    async for part in engine.stream(statement(db, "SELECT age FROM people"), (), 10, len):
        seen += part
        await run(db, "DELETE FROM people")
    assert seen == 30


async def test_a_stream_left_in_the_middle_gives_all_back(db: Database, engine: Engine) -> None:
    await people(db, 30)
    stream = engine.stream(statement(db, "SELECT age FROM people"), (), 10, len)
    async with aclosing(stream):  # type: ignore[type-var]
        async for _ in stream:
            break
    assert await at_rest(db)


async def test_a_million_rows_go_through_in_constant_memory(db: Database, engine: Engine) -> None:
    """Of 80,000 here, which if they were kept would take 8 MB and more."""
    await run(db, "CREATE TABLE bulk (id integer, text text)")
    made = ((n, f"text number {n} of many") for n in range(60_000))
    tracemalloc.start()
    try:
        assert await engine.copy_rows("bulk", ["id", "text"], made) == 60_000
        await engine.execute_many(
            statement(db, "INSERT INTO bulk VALUES ($1, $2)"),
            ((n, f"text number {n} of many") for n in range(20_000)),
        )
        seen = 0
        query = statement(db, "SELECT id, text FROM bulk")
        async for part in engine.stream(query, (), 500, len):
            seen += part
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == 80_000
    assert peak < 2_500_000


async def test_copy_rows_is_all_or_nothing(db: Database, engine: Engine) -> None:
    made = ((n, f"n{n}", -1 if n == 1500 else n) for n in range(2000))
    with pytest.raises(Exception, match="people_age"):
        await engine.copy_rows("people", ["id", "name", "age"], made)
    assert await count(db) == 0


async def test_copy_rows_within_a_transaction(db: Database, engine: Engine) -> None:
    transaction = await engine.begin()
    assert await transaction.copy_rows("people", ["name"], [("a",), ("b",)]) == 2
    await transaction.rollback()
    assert await count(db) == 0


async def test_names_are_quoted(db: Database, engine: Engine) -> None:
    await run(db, 'CREATE TABLE "odd "" name; --" ("a "" b" integer)')
    await engine.copy_rows('odd " name; --', ['a " b'], [(1,), (2,)])
    assert await count(db, '"odd "" name; --"') == 2


async def test_a_transaction_is_seen_when_it_is_committed(db: Database, engine: Engine) -> None:
    transaction = await engine.begin()
    assert transaction.open
    await run(db, INSERT, "a", 1, on=transaction)
    assert await count(db, on=transaction) == 1
    assert await count(db) == 0
    await transaction.commit()
    assert transaction.committed
    assert not transaction.open
    assert await count(db) == 1


async def test_a_rollback_undoes_all(db: Database, engine: Engine) -> None:
    transaction = await engine.begin()
    await run(db, INSERT, "a", 1, on=transaction)
    await transaction.rollback()
    assert not transaction.committed
    assert await count(db) == 0


async def test_a_transaction_without_statements(db: Database, engine: Engine) -> None:
    for end in ("commit", "rollback"):
        transaction = await engine.begin()
        assert db.in_use == 0, "it takes a connection before it needs one"
        await getattr(transaction, end)()
        assert not transaction.open


async def test_an_ended_transaction_says_so(db: Database, engine: Engine) -> None:
    for end in ("commit", "rollback"):
        transaction = await engine.begin()
        await run(db, INSERT, end, 1, on=transaction)
        await getattr(transaction, end)()
        with pytest.raises(TransactionError, match="has ended"):
            await count(db, on=transaction)
        with pytest.raises(TransactionError, match="has ended"):
            await transaction.commit()
        await transaction.rollback()  # which may always be said


async def test_savepoints(db: Database, engine: Engine) -> None:
    transaction = await engine.begin()
    await run(db, INSERT, "a", 1, on=transaction)
    await transaction.savepoint("one")
    await run(db, INSERT, "b", 1, on=transaction)
    await transaction.savepoint("two")
    await run(db, INSERT, "c", 1, on=transaction)
    await transaction.rollback_to("two")
    await transaction.release("one")
    await transaction.commit()
    assert await rows(db, "SELECT name FROM people ORDER BY name") == [("a",), ("b",)]


async def test_a_failed_transaction_can_only_be_rolled_back(db: Database, engine: Engine) -> None:
    transaction = await engine.begin()
    await run(db, INSERT, "a", 1, on=transaction)
    with pytest.raises(UniqueViolation):
        await run(db, INSERT, "a", 1, on=transaction)
    with pytest.raises(TransactionError, match="UniqueViolation") as caught:
        await count(db, on=transaction)
    assert isinstance(caught.value.__cause__, UniqueViolation)
    with pytest.raises(TransactionError, match="can only be rolled back"):
        await transaction.commit()
    assert not transaction.committed
    assert await count(db) == 0


async def test_a_failure_may_be_undone_to_a_savepoint(db: Database, engine: Engine) -> None:
    transaction = await engine.begin()
    await run(db, INSERT, "a", 1, on=transaction)
    await transaction.savepoint("here")
    with pytest.raises(UniqueViolation):
        await run(db, INSERT, "a", 1, on=transaction)
    await transaction.rollback_to("here")
    await run(db, INSERT, "b", 1, on=transaction)
    await transaction.commit()
    assert await count(db) == 2


async def test_one_transaction_of_several_tasks(db: Database, engine: Engine) -> None:
    """Their statements are run one after the other."""
    transaction = await engine.begin()
    await asyncio.gather(*[run(db, INSERT, f"n{n}", n, on=transaction) for n in range(20)])
    await transaction.commit()
    assert await count(db) == 20


async def test_a_read_only_transaction_refuses_writes(db: Database, engine: Engine) -> None:
    await people(db, 2)
    transaction = await engine.begin(read_only=True)
    assert await count(db, on=transaction) == 2
    with pytest.raises(ReadOnly):
        await run(db, INSERT, "a", 1, on=transaction)
    await transaction.rollback()
    await run(db, INSERT, "a", 1)  # and others are not touched by it
    assert await count(db) == 3


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_an_isolated_transaction_sees_one_moment(
    db: Database, engine: Engine, isolation: Any
) -> None:
    await people(db, 2)
    transaction = await engine.begin(isolation=isolation, read_only=True)
    assert await count(db, on=transaction) == 2
    await run(db, INSERT, "a", 1)
    assert await count(db, on=transaction) == 2
    await transaction.rollback()
    assert await count(db) == 3


async def test_a_transaction_streams(db: Database, engine: Engine) -> None:
    transaction = await engine.begin()
    made = [(f"n{n}", n) for n in range(30)]
    await transaction.execute_many(statement(db, INSERT), made)
    query = statement(db, "SELECT age FROM people")
    parts = []
    async for part in transaction.stream(query, (), 10, len):
        parts.append(part)
        await run(db, INSERT, f"more {len(parts)}", 1, on=transaction)
    assert sum(parts) >= 30
    await transaction.commit()
    assert await count(db) == 30 + len(parts)


async def test_a_commit_waits_for_other_tasks(db: Database, engine: Engine) -> None:
    """And if one of their statements fails, it does not take place."""
    await people(db, 1)
    for name, committed in (("p1", False), ("other", True)):
        transaction = await engine.begin()
        await run(db, INSERT, "mine", 1, on=transaction)
        other = asyncio.create_task(run(db, INSERT, name, 1, on=transaction))
        await asyncio.sleep(0)  # it is under way
        if committed:
            await transaction.commit()
            assert await other == 1
        else:
            with pytest.raises(TransactionError, match="UniqueViolation"):
                await transaction.commit()
            with pytest.raises(UniqueViolation):
                await other
        assert transaction.committed is committed
        assert await count(db) == (3 if committed else 1)


async def test_a_transaction_that_got_no_connection(url: str) -> None:
    """It has failed, and says so when it is committed."""
    async with Database(url, pool_size=1, max_overflow=0, pool_timeout=0.05, warm=1) as db:
        await prepare(db)
        holder, other = await db.engine.begin(), await db.engine.begin()
        await run(db, INSERT, "a", 1, on=holder)
        with pytest.raises(PoolTimeout):
            await run(db, INSERT, "b", 1, on=other)
        with pytest.raises(TransactionError, match="PoolTimeout"):
            await other.commit()
        assert not other.committed
        await holder.rollback()
        assert await at_rest(db)


async def test_deferred_faults_come_with_the_commit(db: Database, engine: Engine) -> None:
    await run(
        db,
        "CREATE TABLE late (id integer PRIMARY KEY, at integer,"
        " CONSTRAINT late_at FOREIGN KEY (at) REFERENCES late (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    transaction = await engine.begin()
    await run(db, "INSERT INTO late VALUES (1, 7)", on=transaction)
    with pytest.raises(Exception, match="late_at") as caught:
        await transaction.commit()
    assert (caught.value.table, caught.value.columns) == ("late", ("at",))  # type: ignore[attr-defined]
    assert not transaction.committed
    assert await count(db, "late") == 0


async def test_a_query_that_makes_no_sense(db: Database, engine: Engine) -> None:
    for sql in ("SELECT nothing FROM people", "SELECT * FROM nowhere", "SELEKT 1"):
        with pytest.raises(QueryError) as caught:
            await engine.fetch(Statement(sql, False, True), (), all_rows)
        assert caught.value.statement == sql


async def test_the_wrong_number_of_values(db: Database, engine: Engine) -> None:
    with pytest.raises(QueryError):
        await engine.fetch(
            statement(db, "SELECT name FROM people WHERE age = $1"), (1, 2), all_rows
        )


async def test_values_that_cannot_be(db: Database, engine: Engine) -> None:
    for value in (object(), 2**70):
        with pytest.raises(WrongValue):
            await rows(db, "SELECT name FROM people WHERE age = $1", value)


async def test_a_decoder_may_fail(db: Database, engine: Engine) -> None:
    """Its own exception comes out, and the connection goes back."""
    query = statement(db, "SELECT count(*) FROM people")

    def fails(_: list[Any]) -> None:
        raise LookupError("not this")

    for _ in range(20):
        with pytest.raises(LookupError, match="not this"):
            await engine.fetch(query, (), fails)
        with pytest.raises(LookupError, match="not this"):
            await engine.unit([(query, (), fails)] * 2)
    assert await at_rest(db)


async def test_a_changed_table_needs_no_restart(db: Database, engine: Engine) -> None:
    """A prepared statement of an older shape is prepared anew."""
    await people(db, 1)
    query = statement(db, "SELECT * FROM people")
    assert len((await engine.fetch(query, (), all_rows))[0]) == 5
    await run(db, "ALTER TABLE people ADD COLUMN more integer")
    assert len((await engine.fetch(query, (), all_rows))[0]) == 6


async def test_a_statement_takes_too_long(url: str) -> None:
    async with Database(url, statement_timeout=0.2, pool_size=2, warm=1) as db:
        slow = statement(db, KITS[db.kind].slow)
        begin = asyncio.get_running_loop().time()
        with pytest.raises(StatementTimeout, match="statement_timeout"):
            await db.engine.fetch(slow, (60.0,), all_rows)
        assert asyncio.get_running_loop().time() - begin < 10
        assert await rows(db, "SELECT 1") == [(1,)]
        assert await at_rest(db)


async def test_a_transaction_whose_statement_takes_too_long(url: str) -> None:
    async with Database(url, statement_timeout=0.2, pool_size=2, warm=1) as db:
        transaction = await db.engine.begin()
        with pytest.raises(StatementTimeout):
            await transaction.fetch(statement(db, KITS[db.kind].slow), (60.0,), all_rows)
        with pytest.raises(TransactionError):
            await transaction.commit()
        assert await at_rest(db)


async def test_a_fast_query_does_not_wait_for_a_slow_one(db: Database, engine: Engine) -> None:
    slow = [
        asyncio.create_task(engine.fetch(statement(db, KITS[db.kind].slow), (60.0,), all_rows))
        for _ in range(2)
    ]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        for _ in range(20):
            assert await count(db) == 0
    for task in slow:
        assert not task.done()
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    assert await at_rest(db)


async def test_cancelled_work_frees_its_connection(db: Database, engine: Engine) -> None:
    """A query that nobody waits for any more is stopped, in the database, too."""
    slow = statement(db, KITS[db.kind].slow)
    tasks = [asyncio.create_task(engine.fetch(slow, (600.0,), all_rows)) for _ in range(3)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in done)
    assert await at_rest(db)
    assert await count(db) == 0


async def test_another_loop_is_refused(db: Database, engine: Engine) -> None:
    async def elsewhere() -> None:
        with pytest.raises(WrongLoop):
            await engine.fetch(statement(db, "SELECT 1"), (), all_rows)
        with pytest.raises(WrongLoop):
            await engine.begin()

    await asyncio.to_thread(asyncio.run, elsewhere())


async def test_closing_waits_for_work(db: Database, engine: Engine) -> None:
    writes = [asyncio.create_task(run(db, INSERT, f"n{n}", n)) for n in range(20)]
    transaction = await engine.begin()
    await run(db, INSERT, "t", 1, on=transaction)

    async def ends() -> None:
        await asyncio.sleep(0.05)
        await run(db, INSERT, "u", 1, on=transaction)
        await transaction.commit()

    await asyncio.gather(ends(), engine.close(), *writes)
    with pytest.raises(DatabaseClosed):
        await count(db)
    await engine.start()
    assert await count(db) == 22


async def test_closing_cuts_what_does_not_end(db: Database, engine: Engine) -> None:
    slow = statement(db, KITS[db.kind].slow)
    task = asyncio.create_task(engine.fetch(slow, (600.0,), all_rows))
    transaction: Transaction = await engine.begin()
    await run(db, INSERT, "never committed", 1, on=transaction)
    await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        await engine.close(timeout=0.1)
    with pytest.raises(OrmError):
        await asyncio.wait_for(task, 10)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(run(db, INSERT, "late", 1, on=transaction), 10)
    await asyncio.wait_for(transaction.rollback(), 10)
    await engine.start()
    assert await count(db) == 0
