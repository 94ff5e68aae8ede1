"""A database's beginning and end, plain SQL, and counting, on both engines."""

from __future__ import annotations

import asyncio
import datetime
import gc
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import pytest

from turbostar.orm import Col, Model, Transaction, binding, col, pk
from turbostar.orm.database import Database
from turbostar.orm.errors import (
    DatabaseClosed,
    OrmError,
    QueryError,
    TooManyQueries,
    UniqueViolation,
    WrongValue,
)
from turbostar.orm.raw import statement_for

pytestmark = pytest.mark.anyio


class Person(msgspec.Struct):
    name: str
    id: int
    born: datetime.date | None = None


class Named(TypedDict):
    name: str


class Place(msgspec.Struct):
    street: str


class Held(Model, table="held"):
    id: Col[int] = pk()
    place: Col[Place]
    words: Col[dict[str, int]] = col(default_factory=dict, name="words_of")
    day: Col[datetime.date | None] = col(default=None)
    id_of: Col[uuid.UUID] = col(default_factory=uuid.uuid4)


async def people(db: Database) -> None:
    await db.execute("CREATE TABLE people (id integer PRIMARY KEY, name text, born date)")
    await db.execute("INSERT INTO people VALUES ($1, $2, NULL), ($3, $2, NULL)", 1, "a", 2)


@pytest.mark.parametrize(
    ("url", "told"),
    [(None, "is the variable set"), (Path("app.db"), "text"), (b"sqlite://", "text")],
)
def test_a_url_that_is_no_text(url: Any, told: str) -> None:
    """As of a variable that is not set."""
    with pytest.raises(OrmError, match=told):
        Database(url)


async def test_a_transaction_by_its_public_name(db: Database) -> None:
    async with db.transaction() as found:
        assert isinstance(found, Transaction)


async def test_plain_sql_gives_dicts(db: Database) -> None:
    await people(db)
    found = await db.sql("SELECT id, name AS called FROM people WHERE id > $1", 1)
    assert found == [{"id": 2, "called": "a"}]


async def test_plain_sql_into_types(db: Database) -> None:
    """Whatever the order of the columns, and with the types that the fields have."""
    await people(db)
    born = datetime.date(2000, 2, 29)
    await db.execute("UPDATE people SET born = $1 WHERE id = $2", born, 2)
    found = await db.sql("SELECT id, born, name FROM people ORDER BY id", into=Person)
    assert found == [Person("a", 1), Person("a", 2, born)]
    assert await db.sql("SELECT name FROM people WHERE id = $1", 1, into=Named) == [{"name": "a"}]


async def test_plain_sql_into_a_model(db: Database) -> None:
    """Its objects are those that `get` gives: decoded, and saved by UPDATE."""
    await db.create_all(Held)
    await Held.create(place=Place("x"), words={"a": 1}, day=datetime.date(2000, 2, 29))
    [found] = await db.sql("SELECT * FROM held", into=Held)
    assert found == await Held.get(1)
    assert (found.place, found.words) == (Place("x"), {"a": 1})
    assert not found.is_new
    assert not found.changed
    found.words = {"b": 2}
    await found.save()
    assert await Held.filter().values_list("words", flat=True) == [{"b": 2}]


async def test_plain_sql_into_a_part_of_a_model(db: Database) -> None:
    """As after `only`; what the model does not have is left out."""
    await db.create_all(Held)
    await Held.create(place=Place("x"))
    [found] = await db.sql("SELECT 1 AS more, words_of AS words, id FROM held", into=Held)
    assert (found.id, found.words) == (1, {})
    assert found.place == msgspec.UNSET  # type: ignore[comparison-overlap]
    assert await db.sql("SELECT * FROM held WHERE id > 1", into=Held) == []


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ("place", "needs its key: select id, too"),
        ("*, 7 AS id", "two columns of the rows are called id"),
        ("id, 'no' AS place", "do not fit Held.place: Input data"),
        ("id, CAST(NULL AS text) AS place", "do not fit Held.place: it is NULL"),
        ("id, 'x' AS day", "do not fit Held.day: "),
    ],
)
async def test_rows_that_do_not_fit_a_model(db: Database, columns: str, fault: str) -> None:
    await db.create_all(Held)
    await Held.create(place=Place("x"))
    with pytest.raises(QueryError, match=fault):
        await db.sql(f"SELECT {columns} FROM held", into=Held)


async def test_rows_that_do_not_fit(db: Database) -> None:
    await people(db)
    with pytest.raises(QueryError, match=r"do not fit Person: .*`name`"):
        await db.sql("SELECT id FROM people", into=Person)


async def test_a_value_may_be_used_twice_and_out_of_order(db: Database) -> None:
    found = await db.sql("SELECT $2 || $1 || $2 AS text", "b", "a")
    assert found == [{"text": "aba"}]


def test_sqlite_gets_placeholders_without_numbers() -> None:
    """Python 3.12.0 to 3.12.3 warn of numbered ones whose values come in a sequence."""
    statement, places = statement_for("sqlite", "SELECT $2, ?1, '$3', $2")
    assert (statement.sql, places) == ("SELECT ?, ?, '$3', ?", (2, 1, 2))


@pytest.mark.parametrize("values", [("a",), ("a", "b", "c")])
async def test_as_many_values_as_placeholders(db: Database, values: tuple[str, ...]) -> None:
    with pytest.raises(QueryError, match=r"2 arguments|up to \$2, and \d values came"):
        await db.sql("SELECT $1 || $2 AS text", *values)


@pytest.mark.parametrize("several", [[1], (1,), {1}, {"age": 1}])
async def test_values_come_one_by_one(db: Database, several: Any) -> None:
    """A list in the place of one value is no value that all rows are less than."""
    await people(db)
    for run in (db.sql, db.execute):
        with pytest.raises(WrongValue, match=r"\$1.*: pass values one by one, as in db\.sql"):
            await run("SELECT name FROM people WHERE id < $1", several)


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_list_is_an_array_where_one_belongs(db: Database) -> None:
    await people(db)
    sql = "SELECT name FROM people WHERE id = ANY($1::int[]) AND id < $2"
    assert await db.sql(sql, [2, 3], 9) == [{"name": "a"}]
    for values in (([2, 3], "x"), ([2, "x"], 9)):
        with pytest.raises(WrongValue) as refused:
            await db.sql(sql, *values)
        assert "one by one" not in str(refused.value)


async def test_placeholders_are_no_text(db: Database) -> None:
    """Dollars in quotes and comments stay as they are."""
    found = await db.sql("SELECT '$1' AS \"$2\", $1 AS n /* $3 */ -- $4", "x")
    assert found == [{"$2": "$1", "n": "x"}]


async def test_execute_counts(db: Database) -> None:
    await people(db)
    assert await db.execute("UPDATE people SET name = $1", "b") == 2
    assert await db.execute("DELETE FROM people WHERE id = $1", 9) == 0


async def test_plain_sql_that_writes_and_returns(db: Database) -> None:
    await people(db)
    sql = "INSERT INTO people (id, name) VALUES ($1, $2) RETURNING id"
    assert await db.sql(sql, 3, "c") == [{"id": 3}]
    assert await db.sql(f"WITH old AS (SELECT 1) {sql}", 4, "d") == [{"id": 4}]
    assert len(await db.sql("SELECT id FROM people")) == 4


@pytest.mark.parametrize(
    ("text", "writes", "session"),
    [
        ("SELECT 1", False, False),
        ("  -- a comment\n /* and one */ select 1", False, False),
        ("(SELECT 1)", False, False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False, False),
        ("WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a", True, False),
        ("UPDATE a SET b = 1", True, False),
        ("INSERT INTO a VALUES (1) ON CONFLICT (b) DO UPDATE SET c = 1", True, False),
        ("SET search_path = x", True, True),
        ("SET SESSION x TO 1", True, True),
        ("SET LOCAL x TO 1", True, False),
        ("SELECT set_config('a', 'b', false)", True, True),
        ("SELECT pg_advisory_lock(1)", True, True),
        ("CREATE TEMP TABLE a (b integer)", True, True),
        ("LISTEN a", True, True),
    ],
)
def test_what_a_statement_is_taken_for(text: str, writes: bool, session: bool) -> None:
    found = statement_for("postgresql", text).statement
    assert (found.writes, found.session) == (writes, session)


async def test_expect(db: Database) -> None:
    await people(db)
    with db.expect(max_queries=2) as seen:
        await db.sql("SELECT 1")
        await db.sql("SELECT 2")
    assert seen.count == 2

    async def asks_twice() -> None:
        with db.expect(max_queries=1):
            await db.sql("SELECT 1 AS a")
            await db.sql("SELECT 2 AS b")

    with pytest.raises(TooManyQueries, match=r"2 statements where at most 1.*\n.*SELECT 1 AS a"):
        await asks_twice()


async def test_expect_counts_in_transactions_and_tasks(db: Database) -> None:
    await people(db)
    with db.expect(max_queries=9) as outer:
        async with db.transaction():
            await db.sql("SELECT 1")
            with db.expect(max_queries=3) as inner:
                async with db.transaction():
                    await asyncio.gather(*[db.sql("SELECT 1") for _ in range(3)])
                assert inner.count == 3
        with db.outside_transaction():
            await db.sql("SELECT 1")
    assert outer.count == 5
    await db.sql("SELECT 1")
    assert outer.count == 5


async def test_expect_cannot_be_hushed_up(db: Database) -> None:
    async def swallows() -> None:
        with db.expect(max_queries=0):
            try:
                await db.sql("SELECT 1")
            except TooManyQueries:
                return

    with pytest.raises(TooManyQueries):
        await swallows()


async def test_closed_and_opened_again(db: Database) -> None:
    await people(db)
    assert await db.healthy()
    await db.close()
    await db.close()
    assert not await db.healthy()
    with pytest.raises(DatabaseClosed, match="start"):
        await db.sql("SELECT 1")
    with pytest.raises(DatabaseClosed):
        async with db.transaction():
            pass
    await db.start()
    await db.start()
    assert len(await db.sql("SELECT id FROM people")) == 2


@pytest.mark.parametrize("bound", [False, True])
async def test_models_of_a_closed_database(db: Database, bound: bool) -> None:
    """The same error as of the database itself, whether it was the only one or theirs."""
    await db.create_all(Held)
    if bound:
        db.bind(Held)
    held = await Held.create(place=Place("x"))
    await db.close()

    async def streamed() -> None:
        async for _ in Held.filter().stream():
            pass

    try:
        for use in (
            lambda: Held.get(1),
            lambda: Held.filter(),
            lambda: Held.create(place=Place("y")),
            lambda: Held(place=Place("y")).save(),
            lambda: Held.insert_many([{"place": Place("y")}]),
            lambda: Held.filter().delete(),
            held.delete,
            held.refresh,
            streamed,
            lambda: db.execute("DELETE FROM held"),
            db.check,
            lambda: db.create_all(Held),
        ):
            with pytest.raises(DatabaseClosed, match="start"):
                await use()
        await db.start()
        assert await Held.count() == 1
    finally:
        binding.bind(Held, None)


async def test_a_transaction_of_a_closed_database(db: Database) -> None:
    """What comes after the close, the commit too, is told of it."""
    await db.create_all(Held)
    transaction = db.transaction()
    await transaction.__aenter__()
    held = await Held.create(place=Place("x"))
    await db.close(timeout=0)
    with pytest.raises(DatabaseClosed):
        await held.refresh(using=db)
    with pytest.raises(DatabaseClosed):
        await transaction.__aexit__(None, None, None)
    await db.start()
    assert await Held.count() == 0


async def test_many_open_it_at_once(url: str) -> None:
    db = Database(url, pool_size=2)
    found = await asyncio.gather(*[db.sql("SELECT 1 AS n") for _ in range(20)])
    assert found == [[{"n": 1}]] * 20
    assert db.in_use == 0
    await db.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_one_loop_after_the_other(url: str) -> None:
    """As scripts and tests do that call asyncio.run twice, and never close."""
    db = Database(url, pool_size=2)

    async def asks() -> None:
        async with db.transaction():
            assert await db.sql("SELECT 1 AS n") == [{"n": 1}]

    for _ in range(3):
        asyncio.run(asks())
    asyncio.run(db.close())
    gc.collect()  # asyncpg warns of connections that their loop has left open


@pytest.mark.parametrize("kind", ["sqlite"])
def test_threads_end_with_their_database(url: str) -> None:
    """Even if nobody closes it."""

    before = set(threading.enumerate())

    async def asks(db: Database) -> set[threading.Thread]:
        await db.sql("SELECT 1")
        return set(threading.enumerate()) - before

    assert len(asyncio.run(asks(Database(url, pool_size=2)))) == 2
    gc.collect()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_changed_session_is_reset(url: str) -> None:
    async with Database(url, pool_size=1, max_overflow=0) as db:
        await db.execute("SET application_name = 'changed'")
        await db.sql("SELECT pg_advisory_lock(42)")
        await db.execute("CREATE TEMP TABLE mine (id integer)")
        [row] = await db.sql("SHOW application_name")
        assert row["application_name"] != "changed"
        assert await db.sql("SELECT 1 AS n FROM pg_locks WHERE locktype = 'advisory'") == []
        with pytest.raises(QueryError):
            await db.sql("SELECT * FROM mine")


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_session_that_is_as_it_was_is_not_reset(url: str) -> None:
    """The last that the server has heard of it is the statement itself."""
    async with Database(url, pool_size=1, max_overflow=0) as db, Database(url, warm=1) as other:
        [row] = await db.sql("SELECT pg_backend_pid() AS pid")
        query = "SELECT query FROM pg_stat_activity WHERE pid = $1"
        assert "pg_backend_pid" in (await other.sql(query, row["pid"]))[0]["query"]
        async with db.transaction():
            await db.sql("SELECT 1")
        assert (await other.sql(query, row["pid"]))[0]["query"] == "COMMIT"


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_connections_are_there_before_they_are_needed(url: str) -> None:
    count = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
    async with Database(url, pool_size=1) as other:
        [before] = await other.sql(count)
        for options, opened in (({"pool_size": 4}, 4), ({"pool_size": 4, "warm": 2}, 2)):
            async with Database(url, **options):
                [after] = await other.sql(count)
                assert after["n"] - before["n"] == opened
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_an_open_transaction_in_plain_sql_is_ended(url: str) -> None:
    async with Database(url, pool_size=1, max_overflow=0) as db:
        await db.execute("CREATE TABLE left_open (id integer)")
        await db.execute("BEGIN; INSERT INTO left_open VALUES (1)")
        assert await db.sql("SELECT * FROM left_open") == []


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_through_pgbouncer(url: str) -> None:
    """No statement is kept on the server, and no session state asked for."""
    async with Database(url, pgbouncer=True, pool_size=1, max_overflow=0) as db:
        await people(db)
        for n in range(3):
            assert len(await db.sql("SELECT id FROM people WHERE id > $1", n)) == max(0, 2 - n)
        assert await db.sql("SELECT name FROM pg_prepared_statements") == []
    async with Database(url, pool_size=1, max_overflow=0) as db:
        await db.sql("SELECT id FROM people WHERE id > $1", 1)
        kept = await db.sql("SELECT statement FROM pg_prepared_statements")
        assert any("people" in row["statement"] for row in kept)


@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("text", [True, False])
async def test_timestamps(url: str, text: bool) -> None:
    """The same values, as text or in the binary format."""
    utc = datetime.UTC
    moments = [
        datetime.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=utc),
        datetime.datetime(1, 1, 2, tzinfo=utc),
        datetime.datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=utc),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=utc),
    ]
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    async with Database(url, text_timestamps=text, pool_size=1) as db:
        for moment in moments:
            sql = "SELECT $1::timestamptz AS a, $2::timestamp AS b, $3::timestamptz[] AS c"
            naive = moment.replace(tzinfo=None)
            [row] = await db.sql(sql, moment, naive, [moment, None])
            assert row == {"a": moment, "b": naive, "c": [moment, None]}
            assert row["a"].tzinfo is not None
        there = datetime.datetime(2024, 1, 1, 12, tzinfo=zone)
        [row] = await db.sql("SELECT $1::timestamptz AS a", there)
        assert row["a"] == there
        assert row["a"].utcoffset() == datetime.timedelta(0)
        await db.execute("CREATE TABLE moments (a timestamptz, b timestamp)")
        many = [(moment, moment.replace(tzinfo=None)) for moment in moments]
        await db.engine.copy_rows("moments", ["a", "b"], many)
        found = await db.sql("SELECT a, b FROM moments")
        assert [(row["a"], row["b"]) for row in found] == many
        await db.execute("DROP TABLE moments")


def test_the_driver_is_named_where_it_is_missing() -> None:
    code = (
        "import sys; sys.modules['asyncpg'] = None\n"
        "from turbostar.orm.database import Database\n"
        "try: Database('postgresql://x/y')\n"
        "except ImportError as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert "DriverMissing" in done.stdout
    assert "pip install 'turbostar[postgres]'" in done.stdout


def test_sqlite_needs_no_other_driver() -> None:
    code = (
        "import sys\n"
        "from turbostar.orm.database import Database\n"
        "Database('sqlite://')\n"
        "assert 'asyncpg' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path.cwd())


async def test_options_may_stand_in_the_url(url: str) -> None:
    mark = "&" if "?" in url else "?"
    db = Database(f"{url}{mark}pool_size=3&statement_timeout=2.5", statement_timeout=1.5)
    assert db.engine.where.options.pool_size == 3
    assert db.engine.where.options.statement_timeout == 1.5
    assert await db.sql("SELECT 1 AS n") == [{"n": 1}]
    await db.close()


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_pragmas_of_each_connection(url: str) -> None:
    pragmas = {"cache_size": -1234, "temp_store": "memory"}
    async with Database(url, pragmas=pragmas, synchronous="full") as db:
        for writes in (False, True):
            async with db.transaction(read_only=not writes):
                assert await db.sql("PRAGMA cache_size") == [{"cache_size": -1234}]
                assert await db.sql("PRAGMA temp_store") == [{"temp_store": 2}]
                assert await db.sql("PRAGMA synchronous") == [{"synchronous": 2}]
    for wrong in ({"a; b": 1}, {"a": "1; DROP TABLE x"}, {"a": 1.5}):
        with pytest.raises(OrmError, match="pragmas"):
            Database(url, pragmas=wrong)


async def test_unique_violations_in_plain_sql(db: Database) -> None:
    await people(db)
    with pytest.raises(UniqueViolation) as caught:
        await db.execute("INSERT INTO people (id) VALUES ($1)", 1)
    assert caught.value.columns == ("id",)
