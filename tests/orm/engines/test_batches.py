"""Writes that SQLite takes in one transaction have the results that they have alone."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.orm.engines.kit import KITS, count, prepare, rows, run, statement
from tests.orm.engines.test_conformance import INSERT, RETURNING, at_rest
from turbostar.orm.database import Database
from turbostar.orm.engines.interface import all_rows
from turbostar.orm.engines.sqlite import batches
from turbostar.orm.errors import (
    ForeignKeyViolation,
    IntegrityError,
    LockNotAvailable,
    StatementTimeout,
    UniqueViolation,
)

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("kind", ["sqlite"])]


@pytest.fixture(autouse=True)
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were run in each transaction."""
    seen: list[int] = []
    run_batch = batches.run_batch

    def observed(session: Any, jobs: list[Any]) -> list[batches.Told]:
        seen.append(len(jobs))
        return run_batch(session, jobs)

    monkeypatch.setattr("turbostar.orm.engines.sqlite.worker.run_batch", observed)
    return seen


async def together(*works: Any) -> list[Any]:
    """Their results or errors, when all wait for the writer at the same time."""
    return await asyncio.gather(*works, return_exceptions=True)


async def test_each_has_its_own_result(db: Database, sizes: list[int]) -> None:
    await prepare(db)
    query = statement(db, RETURNING)
    found = await together(
        *[db.engine.fetch(query, (f"n{n}", n), lambda got: got[0][1]) for n in range(100)],
        run(db, "UPDATE people SET balance = 1 WHERE age < $1", 10),
    )
    assert found == [*[f"n{n}" for n in range(100)], 10]
    assert max(sizes) > 1, "they were to be run together"
    assert await count(db) == 100
    assert await at_rest(db)


async def test_one_that_fails_fails_alone(db: Database, sizes: list[int]) -> None:
    await prepare(db)
    values: list[tuple[str | None, int]] = [("a", 1), ("a", 1), (None, 1), ("b", -1), ("c", 1)]
    found = await together(*[run(db, INSERT, *each) for each in values])
    assert [type(each).__name__ for each in found] == [
        "int",
        "UniqueViolation",
        "NotNullViolation",
        "CheckViolation",
        "int",
    ]
    assert await rows(db, "SELECT name FROM people ORDER BY name") == [("a",), ("c",)]
    posts = "INSERT INTO posts (author) VALUES ($1)"
    found = await together(*[run(db, posts, author) for author in (1, 99, 1)])
    assert isinstance(found[1], ForeignKeyViolation)
    assert found[1].constraint == "posts_author"
    assert await count(db, "posts") == 2
    assert max(sizes) > 1


async def test_a_decoder_that_fails_fails_alone(db: Database, sizes: list[int]) -> None:
    await prepare(db)

    def fails(_: list[Any]) -> None:
        raise LookupError

    query = statement(db, RETURNING)
    decoders = [len, fails, len]
    found = await together(
        *[db.engine.fetch(query, (f"n{n}", n), decode) for n, decode in enumerate(decoders)]
    )
    assert [type(each).__name__ for each in found] == ["int", "LookupError", "int"]
    assert await count(db) == 3
    assert max(sizes) > 1


async def test_what_rolls_all_back_harms_nobody_else(db: Database, sizes: list[int]) -> None:
    """A trigger may roll the whole transaction back, with what others have written in it."""
    await prepare(db)
    await run(
        db,
        "CREATE TRIGGER no_x BEFORE INSERT ON people WHEN NEW.name = 'x'"
        " BEGIN SELECT RAISE(ROLLBACK, 'no x here'); END",
    )
    names = ["a", "b", "x", "c", "x", "d"]
    found = await together(*[run(db, INSERT, name, n) for n, name in enumerate(names)])
    assert [isinstance(each, IntegrityError) for each in found] == [name == "x" for name in names]
    assert await rows(db, "SELECT name FROM people ORDER BY name") == [(n,) for n in "abcd"]
    assert max(sizes) > 1


async def test_a_deferred_key_sees_nobody_elses_rows(db: Database) -> None:
    """Alone, the first of these two breaks it; so it does beside the second."""
    await run(
        db,
        "CREATE TABLE late (id integer PRIMARY KEY, at integer,"
        " CONSTRAINT late_at FOREIGN KEY (at) REFERENCES late (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    insert = "INSERT INTO late VALUES ($1, $2)"
    first, second = await together(run(db, insert, 1, 2), run(db, insert, 2, None))
    assert isinstance(first, ForeignKeyViolation)
    assert second == 1
    assert await rows(db, "SELECT id FROM late") == [(2,)]


async def test_a_commit_that_fails_is_taken_apart(
    db: Database, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(db)
    commit = batches.work.commit
    refused: list[int] = []

    def refuses(session: Any, *_: Any) -> None:
        if not refused:
            refused.append(1)
            batches.work.roll_back(session)
            raise LockNotAvailable("not now")
        commit(session)

    monkeypatch.setattr(batches.work, "commit", refuses)
    found = await together(*[run(db, INSERT, f"n{n}", n) for n in range(5)])
    assert found == [1] * 5
    assert refused
    assert await count(db) == 5


async def test_those_who_have_gone_are_left_out(db: Database) -> None:
    await prepare(db)
    tasks = [asyncio.create_task(run(db, INSERT, f"n{n}", n)) for n in range(40)]
    await asyncio.sleep(0)
    for task in tasks[1::2]:
        task.cancel()
    found = await together(*tasks)
    assert found[::2] == [1] * 20
    assert await at_rest(db)
    there = {age for (age,) in await rows(db, "SELECT age FROM people")}
    assert set(range(0, 40, 2)) <= there


async def test_one_that_takes_too_long_undoes_only_itself(url: str, sizes: list[int]) -> None:
    async with Database(url, statement_timeout=0.2) as db:
        await prepare(db)
        slow = f"INSERT INTO people (name, age) SELECT 'slow', 1 FROM ({KITS[db.kind].slow}) AS s"
        found = await together(
            run(db, INSERT, "a", 1), run(db, slow, 60.0), run(db, INSERT, "b", 2)
        )
        assert (found[0], type(found[1]), found[2]) == (1, StatementTimeout, 1)
        assert await rows(db, "SELECT name FROM people ORDER BY name") == [("a",), ("b",)]
        assert max(sizes) > 1


async def test_a_file_that_is_locked(url: str, tmp_path: Path) -> None:
    """All are told, after one and the same wait."""
    async with Database(url, busy_timeout=0.2) as db:
        await prepare(db)
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(10):
            found = await together(*[run(db, INSERT, f"n{n}", n) for n in range(30)])
        assert {type(each) for each in found} == {LockNotAvailable}
        other.execute("COMMIT")
        other.close()
        assert await count(db) == 0


async def test_what_is_no_single_write_is_run_by_itself(db: Database) -> None:
    """VACUUM and PRAGMA cannot be run in a transaction, and several statements have their own."""
    await prepare(db)
    found = await together(
        run(db, INSERT, "a", 1),
        run(db, "VACUUM"),
        run(db, INSERT, "b", 2),
        db.engine.unit([(statement(db, INSERT), (name, 3), None) for name in "cd"]),
        db.engine.execute_many(statement(db, INSERT), [("e", 1), ("f", 1)]),
        db.engine.unit([(statement(db, INSERT), ("g", 3), None)] * 2),
        run(db, INSERT, "h", 2),
    )
    assert isinstance(found[5], UniqueViolation)
    assert [each for each in found if isinstance(each, Exception)] == [found[5]]
    assert await db.engine.fetch(statement(db, "SELECT count(*) FROM people"), (), all_rows) == [
        (7,)
    ]
