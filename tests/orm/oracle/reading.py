"""What is read of a database must be what plain dicts hold."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from tests.orm.oracle.conditions import CONDITIONS, LEAVES, Leaf
from tests.orm.oracle.driver import Driver
from tests.orm.oracle.models import Shelf, Thing
from tests.orm.oracle.plain import PlainDatabase, Row
from turbostar.orm import Database, NotFound, count, max as max_of, sum as sum_of

NOWHERE = 999_999_999


def of_shelf(shelf: Shelf) -> Row:
    return {"id": shelf.id, "label": shelf.label}


def of_thing(thing: Thing) -> Row:
    return {
        "id": thing.id,
        "name": thing.name,
        "size": thing.size,
        "weight": thing.weight,
        "data": thing.data,
        "shelf": thing.shelf_id,
    }


class Reading(RuleBasedStateMachine):
    """Queries of one task. `runner` and the databases are set by the test."""

    runner: ClassVar[asyncio.Runner]
    database: ClassVar[Database]
    other: ClassVar[Database]  # sees what is committed

    shelf_keys = Bundle("shelf_keys")
    thing_keys = Bundle("thing_keys")

    def __init__(self) -> None:
        super().__init__()
        self.plain = PlainDatabase()
        self.driver = Driver(self.runner)
        self.open: list[contextlib.AbstractAsyncContextManager[Any]] = []

    def things_that(self, condition: Any) -> list[Row]:
        """The rows for which it is true, by their keys."""
        return [
            row
            for _, row in sorted(self.plain.things.items())
            if condition.truth(row, self.plain.shelves) is True
        ]

    @rule(key=thing_keys | st.just(NOWHERE))
    def get(self, key: int) -> None:
        try:
            thing = self.driver.do(lambda: Thing.get(key))
        except NotFound:
            assert key not in self.plain.things
        else:
            assert of_thing(thing) == self.plain.things[key]

    @rule(
        condition=CONDITIONS,
        downwards=st.booleans(),
        limit=st.none() | st.integers(0, 3),
        offset=st.integers(0, 2),
    )
    def query(self, condition: Any, downwards: bool, limit: int | None, offset: int) -> None:
        wanted = self.things_that(condition)[:: -1 if downwards else 1]
        query = Thing.filter(condition.expression()).order(-Thing.id if downwards else Thing.id)
        assert self.driver.do(query.count) == len(wanted)
        assert self.driver.do(query.exists) == bool(wanted)
        last = None if limit is None else offset + limit
        query = query.offset(offset) if limit is None else query.limit(limit).offset(offset)

        async def rows() -> list[Thing]:
            return await query

        assert [of_thing(thing) for thing in self.driver.do(rows)] == wanted[offset:last]

    @rule(leaf=LEAVES, other=LEAVES, without=LEAVES)
    def keywords(self, leaf: Leaf, other: Leaf, without: Leaf) -> None:
        """The keyword form finds what the form with expressions finds."""
        wanted = [
            row
            for row in self.things_that(leaf)
            if other.truth(row, self.plain.shelves) is True
            and without.truth(row, self.plain.shelves) is not True
        ]
        query = Thing.filter(**leaf.keyword()).filter(**other.keyword())

        async def rows() -> list[Thing]:
            return await query.exclude(**without.keyword()).order("id")

        assert [of_thing(thing) for thing in self.driver.do(rows)] == wanted

    @rule(condition=CONDITIONS)
    def groups(self, condition: Any) -> None:
        """Number, sum and highest of each shelf."""
        wanted: dict[int | None, list[Row]] = {}
        for row in self.things_that(condition):
            wanted.setdefault(row["shelf"], []).append(row)

        async def rows() -> Any:
            query = Thing.filter(condition.expression()).group(Thing.shelf_id)
            return await query.aggregate(n=count(), w=sum_of(Thing.weight), s=max_of(Thing.size))

        found = {row["shelf_id"]: (row["n"], row["w"], row["s"]) for row in self.driver.do(rows)}
        assert found.keys() == wanted.keys()
        for key, members in wanted.items():
            number, weight, size = found[key]
            sizes = [row["size"] for row in members if row["size"] is not None]
            assert number == len(members)
            assert abs(weight - sum(row["weight"] for row in members)) <= abs(weight) * 1e-9
            assert size == max(sizes, default=None)

    @rule(key=thing_keys)
    def refreshed(self, key: int) -> None:
        """What another statement wrote is seen after `refresh`, and what was changed is gone."""
        if key not in self.plain.things:
            return

        async def refresh() -> Thing:
            thing = await Thing.get(key)
            thing.weight = -99.0
            await thing.refresh()
            return thing

        assert of_thing(self.driver.do(refresh)) == self.plain.things[key]

    @rule()
    def loaded(self) -> None:
        """Shelves with all that stands on them, and things with their shelf."""

        async def rows() -> tuple[list[Shelf], list[Thing]]:
            shelves = await Shelf.all().order(Shelf.id).load(Shelf.things)
            return shelves, await Thing.all().order(Thing.id).load(Thing.shelf)

        shelves, things = self.driver.do(rows)
        assert [of_shelf(shelf) for shelf in shelves] == self.by_key(self.plain.shelves)
        for shelf in shelves:
            standing = [row for row in self.plain.things.values() if row["shelf"] == shelf.id]
            found = sorted((of_thing(thing) for thing in shelf.things), key=lambda row: row["id"])
            assert found == sorted(standing, key=lambda row: row["id"])
        assert [of_thing(thing) for thing in things] == self.by_key(self.plain.things)
        for thing in things:
            owner = thing.shelf and of_shelf(thing.shelf)
            assert owner == self.plain.shelves.get(thing.shelf_id)

    @staticmethod
    def by_key(table: dict[int, Row]) -> list[Row]:
        return [row for _, row in sorted(table.items())]
