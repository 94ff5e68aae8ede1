"""One typed exception for each fault, with the same names on every engine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.orm import servers
from tests.orm.engines.kit import prepare, rows, run
from tests.orm.engines.test_conformance import at_rest
from turbostar.orm.database import Database
from turbostar.orm.engines.options import Options, OptionsGiven
from turbostar.orm.errors import (
    CannotConnect,
    CheckViolation,
    DatabaseMissing,
    Deadlock,
    ForeignKeyViolation,
    IntegrityError,
    LockNotAvailable,
    NotNullViolation,
    OrmError,
    PoolTimeout,
    SerializationFailure,
    UniqueViolation,
    WrongPassword,
    WrongValue,
)

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO people (id, name, email, age) VALUES ($1, $2, $3, $4)"
POST = "INSERT INTO posts (id, author, parent) VALUES ($1, $2, $3)"

# What is run after one person (1, a, a@x, 1) with one post (1), and what it must raise.
BROKEN: list[
    tuple[str, tuple[Any, ...], type[IntegrityError], tuple[str, str, tuple[str, ...]]]
] = [
    (INSERT, (2, "b", "a@x", 1), UniqueViolation, ("people", "people_email", ("email",))),
    (INSERT, (1, "b", "b@x", 1), UniqueViolation, ("people", "people_pkey", ("id",))),
    (
        INSERT,
        (2, "a", "b@x", 1),
        UniqueViolation,
        ("people", "people_name_age_key", ("name", "age")),
    ),
    (INSERT, (2, "b", "b@x", -1), CheckViolation, ("people", "people_age", ())),
    (INSERT, (2, None, "b@x", 1), NotNullViolation, ("people", "", ("name",))),
    (POST, (2, 9, None), ForeignKeyViolation, ("posts", "posts_author", ("author",))),
    (POST, (2, 1, 9), ForeignKeyViolation, ("posts", "posts_parent_fkey", ("parent",))),
    (
        "UPDATE posts SET author = $1",
        (9,),
        ForeignKeyViolation,
        ("posts", "posts_author", ("author",)),
    ),
    ("DELETE FROM people", (), ForeignKeyViolation, ("posts", "posts_author", ("id",))),
    (
        'DELETE FROM "odd parent" WHERE c = $1 RETURNING c',
        ("a",),
        ForeignKeyViolation,
        ("kept", "kept_at", ("a b",)),
    ),
    (
        'DELETE FROM "odd parent"',
        (),
        ForeignKeyViolation,
        ("kept", "kept_at", ("a b",)),
    ),
    (
        'INSERT INTO "odd name" VALUES ($1, $2)',
        (1, "a"),
        UniqueViolation,
        ("odd name", "odd, unique", ("a b", "c")),
    ),
    (
        "INSERT INTO lowered VALUES ($1)",
        ("A",),
        UniqueViolation,
        ("lowered", "lowered_name", ()),
    ),
]


async def filled(db: Database) -> None:
    await prepare(db)
    await run(
        db,
        'CREATE TABLE "odd name" ("a b" integer, c text,'
        ' CONSTRAINT "odd, unique" UNIQUE ("a b", c))',
    )
    await run(db, 'INSERT INTO "odd name" VALUES ($1, $2)', 1, "a")
    await run(db, 'CREATE TABLE "odd parent" ("a b" integer PRIMARY KEY, c text)')
    await run(db, 'INSERT INTO "odd parent" VALUES ($1, $2)', 1, "a")
    for table in ("empty", "kept"):
        await run(
            db,
            f"CREATE TABLE {table} (at integer, CONSTRAINT {table}_at"
            ' FOREIGN KEY (at) REFERENCES "odd parent" ("a b") ON DELETE RESTRICT)',
        )
    await run(db, "INSERT INTO kept VALUES (1)")
    await run(db, "CREATE TABLE lowered (name text)")
    await run(db, "CREATE UNIQUE INDEX lowered_name ON lowered (lower(name))")
    await run(db, "INSERT INTO lowered VALUES ($1)", "a")
    await run(db, INSERT, 1, "a", "a@x", 1)
    await run(db, POST, 1, 1, None)


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
async def test_a_broken_constraint_is_named(db: Database, inside: bool) -> None:
    """With its table and columns, and nothing is left of the row."""
    await filled(db)
    for sql, values, kind, named in BROKEN:
        transaction = await db.engine.begin() if inside else None
        with pytest.raises(kind) as caught:
            await run(db, sql, *values, on=transaction)
        error = caught.value
        assert (error.table, error.constraint, error.columns) == named, sql
        assert error.code
        assert error.statement.split()[0] == sql.split()[0]
        assert error.__cause__ is not None
        assert named[0] in str(error)
        if transaction is not None:
            await transaction.rollback()
    assert await rows(db, "SELECT id, name, age FROM people") == [(1, "a", 1)]
    assert await rows(db, "SELECT id, author, parent FROM posts") == [(1, 1, None)]
    assert await at_rest(db)


async def test_one_row_of_many_is_named(db: Database) -> None:
    """In the middle of `execute_many` and after other rows of the transaction."""
    await filled(db)
    from tests.orm.engines.kit import statement

    many = [(n, 9 if n == 30 else 1, None) for n in range(2, 50)]
    with pytest.raises(ForeignKeyViolation) as caught:
        await db.engine.execute_many(statement(db, POST), many)
    assert (caught.value.constraint, caught.value.columns) == ("posts_author", ("author",))
    assert await rows(db, "SELECT count(*) FROM posts") == [(1,)]


async def test_errors_tell_no_values(db: Database) -> None:
    """Neither a message nor a statement has what a user has typed in."""
    await filled(db)
    secret = "hunter2@example.org"
    await run(db, INSERT, 7, "x", secret, 1)
    with pytest.raises(UniqueViolation) as caught:
        await run(db, INSERT, 8, "y", secret, 1)
    assert secret not in str(caught.value)
    assert secret not in caught.value.statement
    with pytest.raises(WrongValue) as wrong:
        await run(db, INSERT, {secret}, "y", secret, 1)
    assert secret not in str(wrong.value)


async def test_a_full_pool(url: str) -> None:
    async with Database(url, pool_size=1, max_overflow=0, pool_timeout=0.1, warm=1) as db:
        await run(db, "CREATE TABLE full_pool (id integer)")
        holder = await db.engine.begin()
        await run(db, "INSERT INTO full_pool VALUES (1)", on=holder)
        with pytest.raises(PoolTimeout, match="pool_timeout"):
            await run(db, "INSERT INTO full_pool VALUES (2)")
        second = await db.engine.begin()
        with pytest.raises(PoolTimeout):
            await run(db, "INSERT INTO full_pool VALUES (3)", on=second)
        await second.rollback()
        await holder.commit()
        await run(db, "INSERT INTO full_pool VALUES (4)")
        assert await rows(db, "SELECT id FROM full_pool ORDER BY id") == [(1,), (4,)]
        assert await at_rest(db)
        await run(db, "DROP TABLE full_pool")


async def test_waiters_for_a_full_pool_come_in_turn(url: str) -> None:
    async with Database(url, pool_size=1, max_overflow=0, warm=1) as db:
        await run(db, "CREATE TABLE turns (id integer)")
        holder = await db.engine.begin()
        await run(db, "INSERT INTO turns VALUES (0)", on=holder)
        order: list[int] = []

        async def writes(number: int) -> None:
            transaction = await db.engine.begin()
            await run(db, "INSERT INTO turns VALUES ($1)", number, on=transaction)
            order.append(number)
            await transaction.commit()

        tasks = []
        for number in range(1, 8):
            tasks.append(asyncio.create_task(writes(number)))
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        tasks[2].cancel()
        await holder.commit()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == [1, 2, 4, 5, 6, 7]
        assert await at_rest(db)
        await run(db, "DROP TABLE turns")


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_deadlock(db: Database) -> None:
    """One of two that wait for each other is told, and can run again."""
    await filled(db)
    await run(db, INSERT, 2, "b", "b@x", 1)
    one, two = await db.engine.begin(), await db.engine.begin()
    update = "UPDATE people SET balance = $1 WHERE id = $2"
    await run(db, update, 1, 1, on=one)
    await run(db, update, 2, 2, on=two)
    results = await asyncio.gather(
        run(db, update, 1, 2, on=one), run(db, update, 2, 1, on=two), return_exceptions=True
    )
    [error] = [result for result in results if not isinstance(result, int)]
    assert isinstance(error, Deadlock)
    assert error.retryable
    await one.rollback()
    await two.rollback()
    assert await at_rest(db)


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_transactions_that_cannot_be_put_in_an_order(db: Database) -> None:
    await filled(db)
    one = await db.engine.begin(isolation="serializable")
    two = await db.engine.begin(isolation="serializable")
    for transaction in (one, two):
        [(total,)] = await rows(db, "SELECT sum(balance) FROM people", on=transaction)
    update = "UPDATE people SET balance = balance + 1"
    await run(db, update, on=one)
    await one.commit()
    with pytest.raises(SerializationFailure) as caught:
        await run(db, update, on=two)
    assert caught.value.retryable
    await two.rollback()
    assert total == 0


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_lock_that_is_not_waited_for(db: Database) -> None:
    await filled(db)
    one = await db.engine.begin()
    await rows(db, "SELECT id FROM people FOR UPDATE", on=one)
    with pytest.raises(LockNotAvailable):
        await rows(db, "SELECT id FROM people FOR UPDATE NOWAIT")
    assert await rows(db, "SELECT id FROM people FOR UPDATE SKIP LOCKED") == []
    await one.rollback()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_database_that_is_not_there(kind: str, postgres_database: str) -> None:
    for url, kind in (
        (servers.postgres_url("no_such_database"), DatabaseMissing),
        ("postgresql://postgres@127.0.0.1:1/test", CannotConnect),
        ("postgresql://postgres@no-such-host.invalid/test", CannotConnect),
    ):
        db = Database(url, pool_size=1, connect_timeout=5)
        for _ in range(2):
            with pytest.raises(kind):
                await rows(db, "SELECT 1")
        assert not await db.healthy()
        assert db.in_use == 0
        await db.close()


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_wrong_user(db: Database) -> None:
    await run(db, "DROP ROLE IF EXISTS turbostar_nologin")
    await run(db, "CREATE ROLE turbostar_nologin NOLOGIN")
    where = db.engine.where.target.replace("postgres@", "turbostar_nologin:secret@")
    other = Database(where, pool_size=1)
    with pytest.raises(WrongPassword) as caught:
        await other.start()
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(other)
    await other.close()
    await run(db, "DROP ROLE turbostar_nologin")


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_file_that_cannot_be(kind: str, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database at all, but long enough to look at" * 50)
    for url, fault in (
        (f"sqlite:///{tmp_path}/no/such/folder.db", DatabaseMissing),
        (f"sqlite:///{tmp_path}/none.db?mode=ro", DatabaseMissing),
        (f"sqlite:///{tmp_path}/none.db?mode=rw", DatabaseMissing),
        (f"sqlite:///{tmp_path}/text.db", CannotConnect),
        (f"sqlite:///{tmp_path}", CannotConnect),
    ):
        db = Database(url, pool_size=2)
        for _ in range(2):
            with pytest.raises(fault):
                await rows(db, "SELECT 1")
        with pytest.raises(fault):
            await db.start()
        assert not await db.healthy()
        await db.close()


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_file_locked_by_another_process(db: Database, tmp_path: Path) -> None:
    """After busy_timeout it is a typed exception, which may be tried again."""
    import sqlite3

    await filled(db)
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with Database(
        db.engine.where.target.join(["sqlite:///", ""]), busy_timeout=0.1
    ) as impatient:
        with pytest.raises(LockNotAvailable, match="busy_timeout") as caught:
            await run(impatient, "DELETE FROM posts")
        assert caught.value.retryable
        assert await rows(impatient, "SELECT count(*) FROM posts") == [(1,)]
        other.execute("COMMIT")
        assert await run(impatient, "DELETE FROM posts") == 1
    other.close()


def test_wrong_urls() -> None:
    for url, text in (
        ("mysql://x/y", "begins with sqlite://"),
        ("sqlite:///a.db?mode=odd", "mode=odd"),
        ("sqlite:///a.db?pool_size=many", "pool_size"),
        ("nonsense", "begins with"),
    ):
        with pytest.raises(OrmError, match=text):
            Database(url)
    with pytest.raises(OrmError, match="poolsize"):
        Database("sqlite:///a.db", poolsize=3)


def test_options_are_known_to_type_checkers() -> None:
    """As arguments: by the same names as those that are read, in the same order."""
    assert [*OptionsGiven.__annotations__] == [*Options.__struct_fields__]
