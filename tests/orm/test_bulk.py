"""Many rows at once: ids in order, all or none, conflicts, and as many rows as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from turbostar.orm import (
    Col,
    Database,
    Model,
    OrmError,
    QueryError,
    UniqueViolation,
    WrongValue,
    col,
    count,
    excluded,
    pk,
)
from turbostar.orm.declarations import Missing

pytestmark = pytest.mark.anyio


class Item(Model, table="items"):
    id: Col[int] = pk()
    name: Col[str] = col(unique=True)
    size: Col[int] = 0
    note: Col[str | None] = None
    tags: Col[list[str]] = []


class Plain(Model, table="plain"):
    id: Col[int] = pk()
    name: Col[str] = col(unique=True)
    size: Col[int] = 0
    origin: Col[str] = col(server_default="'db'")


MODELS = (Item, Plain)


@pytest.fixture(autouse=True)
async def tables(db: Database) -> None:
    await db.create_all(*MODELS)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    """With and without an array, which keeps PostgreSQL from taking columns whole."""
    return request.param


async def test_ids_come_back_in_order(model: Any) -> None:
    """Of dicts and of objects, which have their rows from then on."""
    assert await model.insert_many([{"name": f"n{n}"} for n in range(5)]) == [1, 2, 3, 4, 5]
    objects = [model(name=f"o{n}", size=n) for n in range(3)]
    assert await model.insert_many(objects) == [6, 7, 8]
    assert [each.id for each in objects] == [6, 7, 8]
    assert not objects[0].is_new
    assert await model.filter(model.id > 5).order("id") == objects
    assert await model.insert_many([]) == []
    mixed = await model.insert_many([{"name": "x", "id": 50}, {"name": "y"}])
    assert mixed[0] == 50
    assert (await model.get(name="y")).id == mixed[1]


async def test_many_rows_and_a_generator(model: Any) -> None:
    """More rows than one statement takes, from a generator, an async one, without ids."""

    def rows(first: int, last: int) -> Iterator[dict[str, Any]]:
        for number in range(first, last):
            yield {"name": f"n{number}", "size": number}

    async def slowly() -> AsyncIterator[dict[str, Any]]:
        for row in rows(30_000, 30_010):
            yield row

    ids = await model.insert_many(rows(0, 12_003))
    assert ids == list(range(1, 12_004))
    assert (await model.get(9_000)).size == 8_999
    assert await model.insert_many(rows(20_000, 26_000), ids=False) == 6_000
    assert len(await model.insert_many(slowly())) == 10
    assert await model.count() == 18_013
    last = await model.filter(name="n25999").one()
    assert (last.size, last.id) == (25_999, 18_003)
    with pytest.raises(UniqueViolation):
        await model.insert_many(rows(25_999, 26_005), ids=False)
    assert await model.count() == 18_013


async def test_all_or_none(model: Any) -> None:
    """A row that breaks a constraint, or has a wrong value, leaves nothing of the others."""
    rows = [{"name": f"n{n % 7_000}"} for n in range(7_001)]
    with pytest.raises(UniqueViolation):
        await model.insert_many(rows)
    assert await model.count() == 0
    with pytest.raises(WrongValue, match=r"\.size takes an int, not 'x'"):
        await model.insert_many([{"name": "a"}, {"name": "b", "size": "x"}])
    with pytest.raises(Missing, match="name"):
        await model.insert_many([{"size": 1}])
    with pytest.raises(QueryError, match=r"takes objects of .* or dicts"):
        await model.insert_many([1])
    assert await model.count() == 0


async def test_conflicts(model: Any) -> None:
    """A row that is there: updated, in part or by expressions, or left; ids in the rows' order."""
    await model.insert_many([{"name": "a", "size": 1}, {"name": "b", "size": 2}])
    rows = [{"name": "c", "size": 30}, {"name": "a", "size": 10}]
    ids = await model.insert_many(rows, on_conflict=model.name)
    assert ids[1] == 1
    assert (await model.get(1)).size == 10
    new = [{"name": "d", "size": 4}, {"name": "a", "size": 99}]
    ids = await model.insert_many(new, on_conflict="name", update=())
    assert ids[1] is None
    assert (await model.get(1)).size == 10
    changes = {"size": model.size + excluded(model.size)}
    await model.insert_many([{"name": "a", "size": 5}], on_conflict="name", update=changes)
    assert (await model.get(1)).size == 15
    made = await model.upsert(name="a", size=7, on_conflict="name")
    assert (made.id, made.size) == (1, 7)
    left = await model.upsert(name="a", size=8, on_conflict="name", update=())
    assert (left.id, left.size) == (1, 7)


async def test_update_many(db: Database, model: Any) -> None:
    """What was changed of each object, or the fields that are named."""
    await model.insert_many([{"name": f"n{n}"} for n in range(4)])
    objects = await model.all().order("id")
    for each in objects[:2]:
        each.size = each.id * 10
    objects[2].name = "renamed"
    assert await model.update_many(objects) == 3
    assert objects[0].changed == frozenset()
    found = await model.all().order("id").values_list("name", "size")
    assert found == [("n0", 10), ("n1", 20), ("renamed", 0), ("n3", 0)]
    assert await model.update_many(objects) == 0
    objects[3].size = 1
    objects[3].name = "n0"
    with pytest.raises(UniqueViolation):
        await model.update_many(objects)
    assert objects[3].changed == {"size", "name"}
    with pytest.raises(OrmError, match="insert it first"):
        await model.update_many([model(name="x")], "size")


async def test_get_or_create_in_a_race(db: Database, model: Any) -> None:
    """Many at once make one row, and all get it."""
    found = await asyncio.gather(
        *(model.get_or_create({"size": n}, name="only") for n in range(10))
    )
    assert {each.id for each, _ in found} == {found[0][0].id}
    assert sum(made for _, made in found) == 1
    assert await model.aggregate(n=count()) == {"n": 1}
    again, made = await model.update_or_create({"size": 77}, name="only")
    assert (again.size, made) == (77, False)
    other, made = await model.update_or_create({"size": 5}, name="other")
    assert (other.size, made) == (5, True)
    async with db.transaction():
        await model.get_or_create(name="inside")
        assert await model.count() == 3


async def test_what_a_row_does_not_name_stays() -> None:
    """On conflict a dict updates the columns that it has, an object all of them."""
    await Plain.create(name="a", size=3, origin="here")
    await Plain.insert_many([{"name": "a"}], on_conflict="name")
    assert (await Plain.get(name="a")).size == 3
    rows = [{"name": "a", "origin": "there"}, {"name": "b", "size": 5}, {"name": "a", "size": 4}]
    first, other, again = await Plain.insert_many(rows, on_conflict=Plain.name)
    assert first == again == 1 != other
    found = await Plain.get(name="a")
    assert (found.size, found.origin) == (4, "there")
    await Plain.upsert(on_conflict="name", name="a", origin="nowhere")
    found = await Plain.upsert(on_conflict="name", name="a")
    assert (found.id, found.size, found.origin) == (1, 4, "nowhere")
    await Plain.insert_many([Plain(name="a", origin="object")], on_conflict="name")
    found = await Plain.get(name="a")
    assert (found.size, found.origin) == (0, "object")
