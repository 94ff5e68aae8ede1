"""Every look-up of every kind of column, and trees of them, choose the rows that Python would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given

from tests.orm.oracle.conditions import CONDITIONS, TEXTS, Leaf
from tests.orm.oracle.machine import opened
from tests.orm.oracle.models import Shelf, Thing
from tests.orm.oracle.plain import Row
from turbostar.orm import Database, Query

SIZES = [None, -(2**63), -1, 0, 1, 2, 3, 2**63 - 1]
WEIGHTS = [-1.25, 0.0, 0.5, 3.0, 1e300]


@dataclass
class Stored:
    """Rows that are in a database and in dicts."""

    runner: asyncio.Runner
    things: dict[int, Row]
    shelves: dict[int, Row]

    def ids(self, query: Query[Any]) -> list[int]:
        async def found() -> Any:
            return await query.order("id").values_list("id", flat=True)

        return list(self.runner.run(found()))

    def check(self, condition: Any, keyword: dict[str, Any] | None = None) -> None:
        """By `filter` and by `exclude`, as an expression and by keywords."""
        true = [
            key for key, row in self.things.items() if condition.truth(row, self.shelves) is True
        ]
        rest = [key for key in self.things if key not in true]
        assert self.ids(Thing.filter(condition.expression())) == true, condition
        assert self.ids(Thing.exclude(condition.expression())) == rest, condition
        if keyword is not None:
            assert self.ids(Thing.filter(**keyword)) == true, keyword
            assert self.ids(Thing.exclude(**keyword)) == rest, keyword


@pytest.fixture
def stored(url: str) -> Iterator[Stored]:
    """Each text as a name; sizes and weights in turns; some on shelves, some on none."""
    with asyncio.Runner() as runner:
        database, other = runner.run(opened(url))

        async def fill() -> Stored:
            await Shelf.insert_many([{"label": text} for text in TEXTS])
            labels = await Shelf.order("id").values_list("id", flat=True)
            rows = [
                {
                    "name": text,
                    "size": SIZES[number % len(SIZES)],
                    "weight": WEIGHTS[number % len(WEIGHTS)],
                    "shelf_id": None if number % 3 == 0 else labels[-number],
                }
                for number, text in enumerate([*TEXTS, *(f"more {n}" for n in range(10))])
                if number < len(TEXTS) or number % 3 == 0
            ]
            keys = await Thing.insert_many(rows)
            things = {
                key: {**row, "shelf": row["shelf_id"]} for key, row in zip(keys, rows, strict=True)
            }
            shelves = {
                key: {"id": key, "label": text} for key, text in zip(labels, TEXTS, strict=True)
            }
            return Stored(runner, things, shelves)

        try:
            yield runner.run(fill())
        finally:
            runner.run(closed(database, other))


async def closed(*databases: Database) -> None:
    for database in databases:
        await database.close()


def every_leaf() -> Iterator[Leaf]:
    for field in ("name", "shelf.label"):
        for word in ("eq", "ne", "contains", "startswith", "endswith"):
            yield from (Leaf(field, word, text) for text in TEXTS)
        yield from (Leaf(field, "in", texts) for texts in ([], ["a"], ["a", "", "%", "x"]))
    for field, values in (("size", SIZES[1:]), ("weight", WEIGHTS)):
        for word in ("eq", "ne", "lt", "lte", "gt", "gte"):
            yield from (Leaf(field, word, value) for value in values)
        yield from (Leaf(field, "between", (low, high)) for low in values for high in values)
        yield from (Leaf(field, "in", some) for some in ([], values[:1], values[2:], values))
    for field in ("name", "size", "weight", "shelf.label"):
        yield from (Leaf(field, "isnull", answer) for answer in (True, False))


def test_every_lookup_of_every_value(stored: Stored) -> None:
    """One by one."""
    leaves = list(every_leaf())
    assert len(leaves) > 250
    chosen = set()
    for leaf in leaves:
        stored.check(leaf, leaf.keyword())
        chosen.add(tuple(stored.ids(Thing.filter(leaf.expression()))))
    assert len(chosen) > 60, "the rows tell too few of them apart"


def test_trees_of_conditions(stored: Stored) -> None:
    """And, or, not, of any depth."""

    @given(condition=CONDITIONS)
    def check(condition: Any) -> None:
        stored.check(condition)

    check()
