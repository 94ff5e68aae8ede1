"""What an object knows of its row when a save is undone, or is not all that is going on."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import msgspec
import pytest

from turbostar.orm import (
    Col,
    Database,
    Model,
    NotFound,
    OptionalRef,
    OrmError,
    QueryError,
    SerializationFailure,
    UniqueViolation,
    col,
    fk,
    pk,
)

pytestmark = pytest.mark.anyio


class Owner(Model, table="owners"):
    id: Col[int] = pk()
    name: Col[str]


class Item(Model, table="items"):
    id: Col[int] = pk()
    code: Col[str] = col(unique=True)
    count: Col[int] = col(default=0)
    twice: Col[int] = col(generated="count * 2")
    edits: Col[int] = col(default=0, on_update=lambda: 7)
    owner_id: Col[int | None] = col(default=None)
    owner: OptionalRef[Owner] = fk()


class Place(Model, table="places"):
    x: Col[int] = col(primary_key=True)
    y: Col[int] = col(primary_key=True)
    name: Col[str] = col(default="")


class Undo(Exception):
    """Leaves a block."""


class Everything(Model, table="everything"):
    """All of it has a default."""

    id: Col[int] = pk()
    number: Col[int] = col(default=0)

    @property
    def double(self) -> int:
        return self.number * 2

    @double.setter
    def double(self, value: int) -> None:
        self.number = value // 2

    @property
    def half(self) -> float:
        return self.number / 2


@pytest.fixture(autouse=True)
async def tables(db: Database) -> None:
    await db.create_all(Owner, Item, Place, Everything)


async def undone(db: Database, work: Any, *, nested: bool = False) -> None:
    """Some work in a transaction that is rolled back."""
    if nested:
        async with db.transaction():
            await undone(db, work)
        return

    async def leaves() -> None:
        async with db.transaction():
            await work()
            raise Undo

    with pytest.raises(Undo):
        await leaves()


@pytest.mark.parametrize("nested", [False, True])
async def test_an_insert_that_was_undone_is_made_again(db: Database, nested: bool) -> None:
    """Else the next save would write nothing, and say nothing."""
    item, listed = Item(code="a"), Item(code="b")

    async def work() -> None:
        await item.save()
        item.count = 3
        await item.save()
        await Item.insert_many([listed])

    await undone(db, work, nested=nested)
    assert item.is_new
    assert listed.is_new
    assert await Item.filter().count() == 0
    await item.save()
    await listed.save()
    rows = await Item.order("code")
    assert [(row.code, row.count) for row in rows] == [("a", 3), ("b", 0)]
    assert [row.id for row in rows] == [item.id, listed.id]


@pytest.mark.parametrize("nested", [False, True])
async def test_changes_that_were_undone_are_still_to_be_saved(db: Database, nested: bool) -> None:
    item, listed = await Item.create(code="a"), await Item.create(code="b")

    async def work() -> None:
        item.count = listed.count = 5
        await item.save()
        await Item.update_many([listed])
        assert not item.changed

    await undone(db, work, nested=nested)
    assert "count" in item.changed
    assert "count" in listed.changed
    assert (await Item.get(item.id)).count == 0
    await item.save()
    await listed.save()
    assert await Item.order("id").values_list("count", flat=True) == [5, 5]


async def test_a_computed_change_that_was_undone_is_computed_again(db: Database) -> None:
    item = await Item.create(code="a", count=1)
    await undone(db, lambda: item.update(count=Item.count + 1))
    await Item.filter().update(count=10)
    await item.save()
    assert item.count == 11
    assert (await Item.get(item.id)).count == 11


async def test_a_delete_that_was_undone_can_be_made_again(db: Database) -> None:
    item = await Item.create(code="a")
    item.count = 4
    await undone(db, item.delete)
    assert not item.is_new
    await item.save()
    assert (await Item.get(item.id)).count == 4
    await item.delete()
    assert await Item.filter().count() == 0


async def test_a_key_that_was_not_changed_after_all(db: Database) -> None:
    place = await Place.create(x=1, y=2)

    async def work() -> None:
        place.y = 3
        await place.save()
        place.name = "here"
        await place.save()

    await undone(db, work)
    await place.save()
    assert await Place.filter().values_list("x", "y", "name") == [(1, 3, "here")]


async def test_an_inner_block_that_ends_well_is_undone_with_the_outer(db: Database) -> None:
    item, inner = await Item.create(code="a"), Item(code="b")

    async def work() -> None:
        item.count = 1
        await item.save()
        async with db.transaction():
            item.code = "z"
            await item.save()
            await inner.save()

    await undone(db, work)
    assert inner.is_new
    assert {"count", "code"} <= item.changed
    await item.save()
    found = await Item.get(item.id)
    assert (found.code, found.count) == ("z", 1)


async def test_what_is_kept_stays_saved(db: Database) -> None:
    item = Item(code="a")
    async with db.transaction():
        await item.save()
        other = Item(code="a")
        with pytest.raises(UniqueViolation):
            async with db.transaction():
                await other.save()
    assert not item.is_new
    assert not item.changed
    assert other.is_new


async def test_a_function_that_is_run_again_saves_again(db: Database) -> None:
    """With objects made before it, as from a request."""
    item, calls = Item(code="a"), 0

    @db.transaction(retry=2)
    async def work() -> None:
        nonlocal calls
        calls += 1
        await item.save()
        if calls < 3:
            raise SerializationFailure("once more")

    await work()
    assert calls == 3
    assert (await Item.get(item.id)).code == "a"


async def test_a_transaction_keeps_no_object_alive(db: Database) -> None:
    async with db.transaction() as scope:
        for number in range(3_000):
            await Item.create(code=str(number))
        gc.collect()
        alive = sum(type(each) is Item for each in gc.get_objects())
        remembered = len(scope.written._found)
    assert alive < 100
    assert remembered < 2_500


async def test_what_is_set_during_a_save_is_saved_by_the_next(db: Database) -> None:
    item = await Item.create(code="a")
    item.count = 5
    saving = asyncio.ensure_future(item.save())
    await asyncio.sleep(0)  # it is under way
    item.code, item.count = "b", 6
    await saving
    assert {"code", "count"} <= item.changed
    await item.save()
    found = await Item.get(item.id)
    assert (found.code, found.count) == ("b", 6)


class Timed(Model, table="timed"):
    id: Col[int] = pk()
    code: Col[str] = col(default="")
    day: Col[str] = col(server_default="'today'")
    size: Col[int] = col(default=0)
    twice: Col[int] = col(generated="size * 2")


@pytest.mark.parametrize("many", [False, True])
async def test_what_is_set_during_an_insert_is_saved_by_the_next(db: Database, many: bool) -> None:
    """Also in place of what the database has filled in."""
    await db.create_all(Timed)
    first, other = Timed(code="a"), Timed(code="b")

    async def change() -> None:
        await asyncio.sleep(0)
        assert first.is_new
        first.day = "tomorrow"
        first.size = 4

    insert = Timed.insert_many([first, other]) if many else first.save()
    await asyncio.gather(insert, change())
    assert (first.day, first.size, first.twice) == ("tomorrow", 4, 0)
    assert first.changed == {"day", "size"}
    assert not other.changed
    found = await Timed.get(first.id)
    assert (found.code, found.day, found.size) == ("a", "today", 0)
    await first.save()
    assert not first.changed
    assert await Timed.get(first.id) == first
    assert first.twice == 8


async def test_a_key_that_is_set_during_an_insert_changes_it(db: Database) -> None:
    await db.create_all(Timed)
    made = Timed(code="a")

    async def change() -> None:
        await asyncio.sleep(0)
        made.id = 70

    await asyncio.gather(made.save(), change())
    assert await Timed.filter().values_list("id", flat=True) == [1]
    await made.save()
    assert await Timed.filter().values_list("id", flat=True) == [70]


async def test_update_many_forgets_only_what_it_has_written(db: Database) -> None:
    item, place = await Item.create(code="a"), await Place.create(x=1, y=1)
    item.count, item.code = 4, "z"
    place.y, place.name = 9, "there"
    assert await Item.update_many([item], Item.count) == 1
    assert await Place.update_many([place], Place.name) == 1
    assert item.changed == {"code"}
    await item.save()
    await place.save()
    found = await Item.get(item.id)
    assert (found.code, found.count, found.edits) == ("z", 4, 7)
    assert await Place.filter().values_list("x", "y", "name") == [(1, 9, "there")]


async def test_update_many_of_rows_that_are_gone(db: Database) -> None:
    """All or none: as save does, it tells what it could not write."""
    items = [await Item.create(code=code) for code in "abc"]
    await Item.filter(code="b").delete()
    for number, item in enumerate(items):
        item.count = number + 1
    with pytest.raises(NotFound, match="the rows of 1 of these 3 Item are no longer there"):
        await Item.update_many(items)
    assert await Item.order("id").values_list("count", flat=True) == [0, 0]
    assert all("count" in item.changed for item in items)
    assert await Item.update_many([items[0], items[2]]) == 2
    assert [items[0].twice, items[2].twice] == [2, 6]
    assert await Item.order("id").values_list("count", "twice") == [(1, 2), (3, 6)]


async def test_generated_columns_follow_a_computed_change(db: Database) -> None:
    item = await Item.create(code="a", count=2)
    await item.update(count=Item.count + 1)
    assert (item.count, item.twice) == (3, 6)


async def test_a_key_may_be_computed(db: Database) -> None:
    place = await Place.create(x=1, y=2)
    await place.update(y=Place.y + 40, name=Place.name.concat("!"))
    assert (place.y, place.name) == (42, "!")
    await place.update(x=7)
    assert await Place.filter() == [Place(x=7, y=42, name="!")]
    with pytest.raises(NotFound):
        await Place.get(1, 42)


async def test_a_relation_that_gets_its_key_later(db: Database) -> None:
    item = await Item.create(code="a")
    item.owner = Owner(name="late")
    await item.owner.save()
    await item.save()
    assert item.owner_id == item.owner.id
    assert (await Item.get(item.id)).owner_id == item.owner.id


async def test_values_by_position(db: Database) -> None:
    """The first place is that of a mark of ours."""
    with pytest.raises(TypeError, match="Everything takes its values by name, not by position"):
        await Everything(5, 6).save()  # type: ignore[misc]


async def test_properties_may_be_set(db: Database) -> None:
    thing = Everything()
    thing.double = 8
    assert thing.number == 4
    with pytest.raises(AttributeError, match="has no field 'half'"):
        thing.half = 2  # type: ignore[misc]


async def test_get_or_create_takes_fields(db: Database) -> None:
    with pytest.raises(QueryError, match="Owner has no field 'name__iexact'"):
        await Owner.get_or_create(name__iexact="ada")


async def test_names_and_values(db: Database) -> None:
    """`dict` has what JSON has, and FastAPI's encoder asks for it."""
    from fastapi.encoders import jsonable_encoder

    await db.create_all(Owner, Item)
    item = await Item.create(code="a", owner=await Owner.create(name="o"))
    whole = {"id": 1, "code": "a", "count": 0, "twice": 0, "edits": 0, "owner_id": 1}
    assert dict(item) == {**whole, "owner": item.owner}
    assert jsonable_encoder(item) == {**whole, "owner": {"id": 1, "name": "o"}}
    assert jsonable_encoder([await Item.get(1)]) == [whole]
    (part,) = await Item.filter().only("code")
    assert dict(part) == json.loads(msgspec.json.encode(part))
    with pytest.raises(OrmError):
        await Item.insert_many(item)
