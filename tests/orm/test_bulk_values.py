"""Values of every kind come out of `insert_many` as they come out of `create`."""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from decimal import Decimal
from typing import Any

import pytest

from turbostar.orm import Col, Database, Model, WrongValue, col, pk

pytestmark = pytest.mark.anyio


class Colour(enum.Enum):
    RED = "red"
    ODD = 'o"d, {d}'


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2**40


class Name(str):
    """A subclass of a builtin type."""


class Value(Model, table="bulk_values"):
    id: Col[int] = pk()
    whole: Col[int | None] = None
    real: Col[float | None] = None
    text: Col[str | None] = None
    raw: Col[bytes | None] = None
    flag: Col[bool | None] = None
    number: Col[Decimal | None] = None
    moment: Col[dt.datetime | None] = None
    day: Col[dt.date | None] = None
    hour: Col[dt.time | None] = None
    span: Col[dt.timedelta | None] = None
    key: Col[uuid.UUID | None] = None
    colour: Col[Colour | None] = None
    level: Col[Level | None] = None
    data: Col[dict[str, Any] | None] = None
    short: Col[str | None] = col(default=None, length=5)
    cents: Col[Decimal | None] = col(default=None, precision=12, scale=2)


def _zone(**offset: int) -> dt.timezone:
    return dt.timezone(dt.timedelta(**offset))


VALUES: dict[str, list[Any]] = {
    "whole": [0, -1, 2**63 - 1, -(2**63), True, Level.HIGH],
    "real": [0.1, -0.0, 1e308, 5e-324, 1 / 3, 3, math.inf, -math.inf],
    "text": ["", " a\tb\n", "it's", 'q"q', "\\N", "{1,2}", "NULL", "null", "ü€😀\u2028", "\\u0041",
             Name("sub"), "x" * 100_000],
    "raw": [b"", b"\0\xff", b"\\x41", bytearray(b"ab"), bytes(range(256))],
    "flag": [True, False],
    "number": [Decimal("1.50"), Decimal("-0.001"), Decimal("1E+3"), Decimal("12345678901234"), 7],
    "moment": [
        dt.datetime(2026, 1, 2, 3, 4, 5, 678_901, dt.UTC),
        dt.datetime(1, 1, 2, tzinfo=dt.UTC),
        dt.datetime(9999, 12, 30, 23, 59, 59, 999_999, dt.UTC),
        dt.datetime(1969, 7, 20, 20, 17, tzinfo=_zone(hours=-5)),
        dt.datetime(1900, 1, 1, tzinfo=_zone(minutes=19, seconds=32)),
    ],
    "day": [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2024, 2, 29)],
    "hour": [dt.time(0), dt.time(23, 59, 59, 999_999), dt.time(12, 30)],
    "span": [
        dt.timedelta(0),
        dt.timedelta(microseconds=-1),
        dt.timedelta(days=-3, hours=5),
        dt.timedelta(days=400, seconds=86_399, microseconds=7),
    ],
    "key": [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)],
    "colour": [*Colour],
    "level": [*Level],
    "data": [{}, {"a": [1, None, "x\"y", {"b": 1.5}]}, {"ü": "\\"}],
    "short": ["abc"],
    "cents": [Decimal("1.25"), Decimal("-9999999999.99")],
}  # fmt: skip
CASES = [pytest.param(name, values, id=name) for name, values in VALUES.items()]


@pytest.fixture(autouse=True)
async def table(db: Database) -> None:
    await db.create_all(Value)


@pytest.mark.parametrize(("name", "values"), CASES)
async def test_many_are_stored_as_one_is(name: str, values: list[Any]) -> None:
    """With NULLs between them; what is compared is what the database gives back."""
    given_values = [each for value in values for each in (value, None)]
    singly = [(await Value.create(**{name: value})).id for value in given_values]
    together = await Value.insert_many([{name: value} for value in given_values])
    found = {row.id: getattr(row, name) for row in await Value.all()}
    one, many = [found[id] for id in singly], [found[id] for id in together]
    assert list(map(repr, many)) == list(map(repr, one))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 2**63), ("whole", 2**64), ("whole", "1"), ("whole", 1.0), ("real", "1"),
        ("text", "\ud800"), ("text", 1), ("text", b"a"), ("raw", "a"), ("flag", 1),
        ("number", 1.5), ("moment", dt.datetime(2026, 1, 1)), ("day", dt.datetime(2026, 1, 1)),
        ("hour", "12:00"), ("span", 5), ("key", str(uuid.UUID(int=1))), ("colour", "blue"),
        ("level", 3), ("data", {"a": object()}),
    ],
)  # fmt: skip
async def test_what_one_refuses_many_refuse(name: str, value: Any) -> None:
    """By the same exception, and none of the rows is there afterwards."""
    with pytest.raises(WrongValue):
        await Value.create(**{name: value})
    with pytest.raises(WrongValue):
        await Value.insert_many([{name: None}, {name: value}])
    assert await Value.all().count() == 0


class Typed(Model, table="bulk_typed"):
    id: Col[int] = pk()
    local: Col[dt.datetime | None] = col(default=None, type="timestamp")
    small: Col[int] = col(default=0, type="smallint")
    name: Col[str] = "a"


async def test_a_type_that_the_model_names(db: Database) -> None:
    """The driver knows what such a column takes: a moment with a zone is not one of them."""
    await db.create_all(Typed)
    await Typed.insert_many([{"small": 3, "name": "x"}, {"small": 4, "name": "y"}])
    assert [(row.small, row.name) for row in await Typed.order("id")] == [(3, "x"), (4, "y")]
    row = {"local": dt.datetime(2026, 1, 1, tzinfo=_zone(hours=3))}
    try:
        await Typed.create(**row)
    except WrongValue:
        with pytest.raises(WrongValue):
            await Typed.insert_many([row, row])
    else:
        await Typed.insert_many([row, row])
        assert len({each.local for each in await Typed.filter(local__isnull=False)}) == 1
