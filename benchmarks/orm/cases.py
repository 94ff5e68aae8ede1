"""What is measured, and what the right answer to it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.orm.places import count_and_clear
from benchmarks.orm.rows import BULK, COLUMNS, KEY, STORED, expected, plain, row, row_of_six
from benchmarks.orm.sides.side import Side

CONCURRENT = 50


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that every side does: `make` gives the function that is timed."""

    about: str
    make: Callable[[Side], Callable[[], Any]]
    check: Callable[[Side, Any], Awaitable[None]]
    waits: bool = True  # the function is awaited
    per: int = 1  # the time is divided by this
    writes: bool = False
    engines: tuple[str, ...] = ("sqlite", "postgresql")
    targets: tuple[tuple[str, float], ...] = ()  # engine, least ratio best ORM / turbostar


def _same(found: Any, wanted: Any, side: Side) -> None:
    if found != wanted:
        raise AssertionError(f"{side.name} answers {found!r}, and not {wanted!r}")


async def _one_row(side: Side, answer: Any) -> None:
    _same(plain(answer), expected(KEY), side)


async def _hundred_rows(side: Side, answer: Any) -> None:
    _same([plain(each) for each in answer], _stored(), side)


async def _json(side: Side, answer: Any) -> None:
    _same([plain(each) for each in json.loads(answer)], _stored(), side)


async def _many_gets(side: Side, answer: Any) -> None:
    _same([plain(each) for each in answer], [expected(key) for key in _keys()], side)


async def _inserted(side: Side, answer: Any) -> None:
    assert isinstance(answer, int), f"{side.name} tells no key: {answer!r}"
    _same(await count_and_clear(side.place), 1, side)


async def _inserted_many(side: Side, answer: Any) -> None:
    _same(await count_and_clear(side.place), BULK, side)
    if answer is not None:  # Tortoise cannot tell
        assert len(set(answer)) == BULK, f"{side.name} tells {len(set(answer))} keys"
        assert sorted(answer) == list(answer), f"{side.name} tells keys in another order"


async def _built(side: Side, answer: Any) -> None:
    statement, parameters = answer
    words = statement.upper()
    for word in ("WHERE", "AND", "ORDER BY", "LIMIT"):
        assert word in words, f"{side.name} builds {statement}"
    given = list(parameters.values()) if isinstance(parameters, dict) else list(parameters)
    assert 18 in given, f"{side.name} has the parameters {given}"
    assert 20 in given or "LIMIT 20" in words, f"{side.name} builds {statement}, {given}"
    assert "*" not in words or "FROM" in words


async def _constructed(side: Side, answer: Any) -> None:
    for name, value in row_of_six().items():
        _same(getattr(answer, name), value, side)
    assert answer.note is None, f"{side.name} makes an object with the note {answer.note!r}"


def _stored() -> list[tuple[Any, ...]]:
    return [expected(number) for number in range(1, STORED + 1)]


def _keys() -> list[int]:
    return [number * 7 % STORED + 1 for number in range(CONCURRENT)]


def _get(side: Side) -> Callable[[], Any]:
    return lambda: side.get(KEY)


def _insert(side: Side) -> Callable[[], Any]:
    values = row(KEY)
    return lambda: side.insert(values)


def _bulk(side: Side) -> Callable[[], Any]:
    many = [row(number) for number in range(BULK)]
    return lambda: side.bulk(many)


def _gets(side: Side) -> Callable[[], Any]:
    keys = _keys()
    return lambda: asyncio.gather(*[side.get(key) for key in keys])


def _build(side: Side) -> Callable[[], Any]:
    side.build(18)
    return lambda: side.build(18)


def _construct(side: Side) -> Callable[[], Any]:
    values = row_of_six()
    return lambda: side.construct(values)


def _decode(side: Side) -> Callable[[], Any]:
    rows = [side.stored(dict(zip(COLUMNS, values, strict=True))) for values in _stored()]
    return lambda: side.decode(rows)


CASES = {
    "get": Case("get by key", _get, _one_row, targets=(("sqlite", 4), ("postgresql", 2))),
    "rows": Case(
        "100 rows x 8 columns to objects",
        lambda side: side.rows,
        _hundred_rows,
        targets=(("sqlite", 3), ("postgresql", 2)),
    ),
    "insert": Case(
        "insert of a row, its id returned",
        _insert,
        _inserted,
        writes=True,
        targets=(("sqlite", 1.8), ("postgresql", 2)),
    ),
    "bulk": Case(
        "insert of 1,000 rows, their ids returned",
        _bulk,
        _inserted_many,
        writes=True,
        targets=(("sqlite", 4), ("postgresql", 2)),
    ),
    "build": Case(
        "2 filters + order + limit to SQL, repeated shape",
        _build,
        _built,
        waits=False,
        engines=("sqlite",),
        targets=(("sqlite", 20),),
    ),
    "construct": Case(
        "Model(...) of 6 fields", _construct, _constructed, waits=False, engines=("sqlite",)
    ),
    "decode": Case(
        "a row of 8 columns to an object, of 100",
        _decode,
        _hundred_rows,
        waits=False,
        per=STORED,
        engines=("sqlite",),
    ),
    "json": Case(
        "100 objects x 8 columns to JSON, the library's own serializer",
        lambda side: side.json,
        _json,
        targets=(("sqlite", 4),),
    ),
    "json_short": Case(
        "the same by its shortest way, be it without objects", lambda side: side.json_short, _json
    ),
    "gets": Case(
        "50 concurrent gets, per get",
        _gets,
        _many_gets,
        per=CONCURRENT,
        targets=(("sqlite", 6),),
    ),
}
