"""What the engines would do differently if they were left alone, and what neither should do."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from turbostar.orm import (
    Col,
    Database,
    Many,
    Model,
    QueryError,
    Ref,
    WrongValue,
    avg,
    col,
    count,
    excluded,
    fk,
    max as max_of,
    pk,
    reverse,
    sum as sum_of,
    upper,
)

pytestmark = pytest.mark.anyio


class Grade(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Shelf(Model, table="shelves"):
    id: Col[int] = pk()
    name: Col[str]
    books: Many[Book] = reverse("shelf")


class Book(Model, table="books"):
    id: Col[int] = pk()
    shelf_id: Col[int]
    shelf: Ref[Shelf] = fk()
    pages: Col[int]


class Thing(Model, table="things"):
    id: Col[int] = pk()
    code: Col[str | None] = col(unique=True, default=None)
    count: Col[int] = col(default=0)
    rate: Col[float | None] = col(default=None)
    price: Col[Decimal | None] = col(default=None)
    at: Col[dt.datetime | None] = col(default=None)
    time: Col[dt.time | None] = col(default=None)
    took: Col[dt.timedelta | None] = col(default=None)
    grade: Col[Grade] = col(default=Grade.LOW)
    data: Col[dict[str, Any]] = col(default_factory=dict)


@pytest.fixture(autouse=True)
async def tables(db: Database) -> None:
    await db.create_all(Shelf, Book, Thing)


async def test_a_column_of_ints_takes_no_float(db: Database) -> None:
    """SQLite would keep 2.5 in it."""
    thing = await Thing.create(count=1)
    with pytest.raises(WrongValue, match=r"Thing\.count takes an int, not 2\.5"):
        await Thing.filter().update(count=2.5)
    await Thing.filter().update(count=Thing.count * 2.6)
    await thing.refresh()
    assert thing.count == 3
    assert type(thing.count) is int
    await Thing.filter().update(rate=1.25, grade=Grade.HIGH)
    await Thing.filter().update(count=Thing.rate, grade=Thing.grade - 1)
    await thing.refresh()
    assert (thing.count, thing.grade) == (1, Grade.LOW)
    rows = [{"code": "a", "count": 5}]
    await Thing.insert_many(rows, on_conflict=Thing.code)
    half = {"count": excluded(Thing.rate)}
    await Thing.insert_many([{"code": "a", "rate": 7.4}], on_conflict=Thing.code, update=half)
    assert await Thing.filter(code="a").values_list("count", flat=True) == [7]


async def test_text_is_joined_by_plus(db: Database) -> None:
    """SQLite would make a number of it: 0."""
    await Thing.create(code="a")
    assert await Thing.filter(Thing.code + "b" == "ab").count() == 1
    await Thing.filter().update(code="<" + Thing.code + ">")
    assert await Thing.values_list("code", flat=True) == ["<a>"]
    for wrong in (
        lambda: Thing.code - "a",
        lambda: Thing.count + Thing.code,
        lambda: Thing.data["n"] + 1,
    ):
        with pytest.raises(QueryError, match=r"has no '[-+]'"):
            wrong()


async def test_columns_beside_aggregates_are_grouped_by(db: Database) -> None:
    """SQLite would give those of some row."""
    await Shelf.insert_many([{"name": "a"}, {"name": "b"}])
    await Book.insert_many([{"shelf_id": 1 + n % 2, "pages": n} for n in range(5)])
    for query in (
        Book.values("id", n=count()),
        Book.values("id", n=count() + 1),
        Book.group(Book.shelf).aggregate(pages=Book.pages + 1, n=count()),
        Book.group(Book.pages % 2).aggregate(other=Book.pages % 2, n=count()),
        Book.group(Book.shelf).having(Book.pages > 1).aggregate(n=count()),
        Shelf.values("name", n=count(Shelf.books.id)),
    ):
        with pytest.raises(QueryError, match=r"is beside an aggregate: group by it"):
            await query
    assert await Book.values(n=count(), most=max_of(Book.pages)) == [{"n": 5, "most": 4}]
    by_key = Shelf.group(Shelf.id).aggregate(name=Shelf.name, n=count(Shelf.books.id)).order("id")
    assert await by_key == [{"id": 1, "name": "a", "n": 3}, {"id": 2, "name": "b", "n": 2}]
    doubled = Book.group(("double", Book.pages + Book.pages)).having(count() > 0)
    found = await doubled.aggregate(more=Book.pages + Book.pages + 1, n=count()).order("double")
    assert [row["more"] for row in found] == [1, 3, 5, 7, 9]
    running = Book.order("id").values("id", so_far=sum_of(Book.pages).over(order=Book.id))
    assert [row["so_far"] for row in await running] == [0, 1, 3, 6, 10]


async def test_the_same_key_twice_in_one_insert(db: Database) -> None:
    """PostgreSQL would refuse a second update of a row in one statement."""
    codes = ["a", "b", "a", None, "a", None, "b"]
    rows = [{"code": code, "count": n} for n, code in enumerate(codes)]
    ids = await Thing.insert_many(rows, on_conflict=Thing.code)
    found = await Thing.order("id").values_list("id", "code", "count")
    assert sorted(row[1:] for row in found if row[1]) == [("a", 4), ("b", 6)]
    by_id = {row[0]: row[1:] for row in found}
    assert [by_id[each] for each in ids] == [
        ("a", 4), ("b", 6), ("a", 4), (None, 3), ("a", 4), (None, 5), ("b", 6)
    ]  # fmt: skip
    more = {"count": Thing.count + excluded(Thing.count)}
    rows = [{"code": "a", "count": n} for n in (10, 20)]
    await Thing.insert_many(rows, on_conflict=Thing.code, update=more)
    assert (await Thing.get(code="a")).count == 34


@pytest.mark.parametrize(
    "values",
    [
        {"at": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5)))},
        {"at": dt.datetime(9999, 12, 31, 23, tzinfo=dt.timezone(dt.timedelta(hours=-5)))},
        {"time": dt.time(1, tzinfo=dt.UTC)},
        {"rate": 10**400},
    ],
)
async def test_values_that_would_not_come_back_as_they_were(
    db: Database, values: dict[str, Any]
) -> None:
    """A moment before the year 1, a zone that is dropped, an OverflowError."""
    thing = await Thing.create()
    with pytest.raises(WrongValue, match=r"^Thing\.\w+ takes a"):
        await Thing.create(**values)
    with pytest.raises(WrongValue):
        await Thing.insert_many([values])
    with pytest.raises(WrongValue):
        await Thing.filter(**values).count()
    with pytest.raises(WrongValue):
        await thing.update(**values)
    assert await Thing.filter().count() == 1


async def test_moments_at_both_ends_of_time(db: Database) -> None:
    zone = dt.timezone(dt.timedelta(hours=5))
    moments = [
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        dt.datetime(1, 1, 1, 5, tzinfo=zone),
        dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
    ]
    for moment in moments:
        thing = await Thing.create(at=moment)
        assert (await Thing.get(thing.id)).at == moment
    await Thing.filter().delete()
    await Thing.insert_many([{"at": moment} for moment in moments], ids=False)
    assert await Thing.order("id").values_list("at", flat=True) == moments
    assert await Thing.filter(Thing.at >= moments[2]).count() == 1


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_sqlite_takes_no_nan(db: Database) -> None:
    """It would keep NULL in its place."""
    thing = await Thing.create(rate=float("inf"))
    with pytest.raises(WrongValue, match="SQLite keeps no NaN"):
        await Thing.create(rate=float("nan"))
    with pytest.raises(WrongValue, match="SQLite keeps no NaN"):
        await Thing.insert_many([{"rate": float("nan")}])
    assert (await Thing.get(thing.id)).rate == float("inf")


async def test_the_mean_of_times_taken(db: Database) -> None:
    hours = [dt.timedelta(hours=n) for n in (1, 2, 6)]
    await Thing.insert_many([{"took": each} for each in hours])
    found = await Thing.filter().aggregate(mean=avg(Thing.took), all=sum_of(Thing.took))
    assert found == {"mean": dt.timedelta(hours=3), "all": dt.timedelta(hours=9)}


@pytest.mark.parametrize("options", [5, "abc", b"abc", None])
async def test_in_takes_several_values(db: Database, options: Any) -> None:
    with pytest.raises(QueryError, match=r"in_ takes several values, or a query, not"):
        Thing.code.in_(options)


async def test_a_key_of_none_is_given_by_the_database(db: Database) -> None:
    """As other ORMs have it; SQLite would number it, and the object would not know."""
    shelf = await Shelf.create(id=None, name="a")
    ids = await Shelf.insert_many([Shelf(id=None, name="b"), {"id": None, "name": "c"}])  # type: ignore[arg-type]
    assert [shelf.id, *ids] == await Shelf.order("name").values_list("id", flat=True)
    await shelf.update(name="z")
    assert (await Shelf.get(shelf.id)).name == "z"


async def test_nothing_to_exclude(db: Database) -> None:
    """As of a list of conditions that has come out empty."""
    await Thing.create()
    assert await Thing.exclude().count() == 1
    assert await Thing.filter().exclude().count() == 1


async def test_distinct_rows_are_ordered_by_what_they_tell(db: Database) -> None:
    """SQLite would order by the value of some row of those that are one."""
    await Shelf.insert_many([{"name": name} for name in "bab"])
    names = Shelf.values("name").distinct()
    assert await names.order("-name") == [{"name": "b"}, {"name": "a"}]
    raised = Shelf.values("name", up=upper(Shelf.name)).distinct().order(upper(Shelf.name))
    assert [row["up"] for row in await raised] == ["A", "B"]
    assert [each.id for each in await Shelf.all().distinct().order("name", "-id")] == [2, 3, 1]
    sized = Shelf.group(Shelf.name).aggregate(n=count()).distinct().order("-n", "name")
    assert [row["n"] for row in await sized] == [2, 1]
    await Book.create(shelf_id=1, pages=3)
    joined = Book.load(Book.shelf, joined=True).distinct().order(Book.shelf.name)
    assert [book.shelf.name for book in await joined] == ["b"]
    for query in (
        names.order("id"),
        Shelf.only("name").distinct().order(upper(Shelf.name)),
        Book.all().distinct().order(Book.shelf.name),
    ):
        with pytest.raises(QueryError, match="distinct rows cannot be ordered by"):
            await query


async def test_many_conditions_in_a_row(db: Database) -> None:
    """SQLite takes no tree that is deeper than 1,000."""
    await Shelf.insert_many([{"name": str(n)} for n in range(5)])
    one_of = Shelf.id == 2
    for number in range(3, 3_000):
        one_of |= Shelf.id == number
    assert await Shelf.filter(one_of).count() == 4
    assert await Shelf.exclude(one_of).values_list("name", flat=True) == ["0"]
    none_of = Shelf.id != 2
    for number in range(3, 3_000):
        none_of &= Shelf.id != number
    assert await Shelf.filter(none_of).values_list("name", flat=True) == ["0"]


class Bill(Model, table="bills"):
    id: Col[int] = pk()
    due: Col[Decimal] = col(precision=6, scale=2)
    paid: Col[Decimal] = col(scale=1, default=Decimal(0))
    whole: Col[Decimal] = col(precision=4, default=Decimal(0))


async def test_decimals_of_a_scale(db: Database) -> None:
    """Rounded when they are written, half up; what is compared with them is not."""
    await db.create_all(Bill)
    rows = [
        {"due": Decimal("1.005"), "paid": Decimal("0.25"), "whole": Decimal("2.5")},
        {"due": Decimal("-1.005"), "paid": Decimal("0.249"), "whole": Decimal("-2.5")},
    ]
    bill = await Bill.create(**rows[0])
    await Bill.insert_many(rows[1:])
    found = await Bill.order("id").values_list("due", "paid", "whole")
    assert [tuple(map(str, row)) for row in found] == [
        ("1.01", "0.3", "3"), ("-1.01", "0.2", "-3")
    ]  # fmt: skip
    assert await Bill.filter(Bill.due > Decimal("1.005")).count() == 1
    assert await Bill.filter(Bill.due == Decimal("1.006")).count() == 0
    assert await Bill.filter(Bill.due.in_([Decimal("1.006"), Decimal("-1.01")])).count() == 1
    assert await Bill.filter(Bill.due.between(Decimal("1.006"), Decimal("1.02"))).count() == 1
    await Bill.filter(id=bill.id).update(due=Decimal("7.125"), paid=Decimal("7.15"))
    await Bill.filter(id=bill.id).update(whole=Bill.due * 3)
    await bill.refresh()
    assert (str(bill.due), str(bill.paid), str(bill.whole)) == ("7.13", "7.2", "21")
    for values in (
        {"due": Decimal(10_000)},
        {"due": Decimal("9999.995")},
        {"whole": 10_000},
        {"due": Decimal("1e2000")},
    ):
        with pytest.raises(WrongValue):
            await Bill.create(**{"due": 1, **values})
        with pytest.raises(WrongValue):
            await Bill.filter().update(**values)
    total = await Bill.filter().aggregate(all=sum_of(Bill.due))
    assert total == {"all": Decimal("6.12")}


async def test_numbers_in_json_are_compared_by_value(db: Database) -> None:
    """As text 10.0 is not 10, and 1e22 is written in two ways."""
    for value in (10, 10.0, 1e22, 1e-7, -3, "10", True, None, [10], 0.1):
        await Thing.create(data={"n": value, 'a"b': {"n": value}})
    await Thing.create()
    for value, expected in [(10, 2), (10.0, 2), (1e22, 1), (1e-7, 1), (0.1, 1), (1, 0), (-3.0, 1)]:
        assert await Thing.filter(Thing.data["n"] == value).count() == expected
        assert await Thing.filter(Thing.data['a"b']["n"] == value).count() == expected
        assert await Thing.filter(data__n=value).count() == expected
        assert await Thing.filter(Thing.data["n"] != value).count() == 10 - expected
        assert await Thing.exclude(Thing.data["n"] == value).count() == 11 - expected
    assert await Thing.filter(Thing.data["n"].in_([10, "10", 1e22])).count() == 4
    assert await Thing.filter(Thing.data["n"] == "10").count() == 1
    assert await Thing.filter(Thing.data["n"] == True).count() == 1  # noqa: E712


class Theme(msgspec.Struct):
    name: str
    size: int = 1


class Styled(Model, table="styled"):
    id: Col[int] = pk()
    theme: Col[Theme | None] = None
    tags: Col[dict[str, int]] = {}


async def test_json_that_could_not_be_read_is_not_written(db: Database) -> None:
    """A column of a Struct takes what is one when it is read; a dict may say the same."""
    await db.create_all(Styled)
    await Styled.create(theme={"name": "dark"}, tags={"a": 1})
    for values in ({"theme": {"size": 2}}, {"theme": Theme(5)}, {"tags": {"a": "b"}}, {"tags": []}):
        with pytest.raises(WrongValue, match="Styled"):
            await Styled.create(**values)
        with pytest.raises(WrongValue, match="Styled"):
            await Styled.all().update(**values)
        with pytest.raises(WrongValue, match="Styled"):
            await Styled.insert_many([values, values])
    assert (await Styled.get(1)).theme == Theme("dark")
    assert await Styled.all().count() == 1
