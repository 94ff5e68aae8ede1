"""The steps that are taken on a database and on plain dicts, in any order that hypothesis finds."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from tests.orm.oracle.conditions import CONDITIONS, NAMES, SIZES, WEIGHTS
from tests.orm.oracle.models import MODELS, Shelf, Thing
from tests.orm.oracle.plain import Row
from tests.orm.oracle.reading import NOWHERE, Reading, of_shelf, of_thing
from turbostar.orm import (
    Database,
    ForeignKeyViolation,
    UniqueViolation,
)

VALUES = st.fixed_dictionaries(
    {
        "name": NAMES,
        "size": st.none() | SIZES,
        "weight": WEIGHTS,
        "data": st.dictionaries(NAMES, st.none() | st.booleans() | SIZES | NAMES, max_size=2),
    }
)
SMALL = 2**40


class Machine(Reading):
    """One task's work: it writes, in transactions and without."""

    shelf_keys, thing_keys = Reading.shelf_keys, Reading.thing_keys

    @initialize(target=thing_keys, sizes=st.lists(st.none() | SIZES, max_size=5))
    def few(self, sizes: list[int | None]) -> Any:
        """A few rows to begin with."""

        async def begin() -> list[int]:
            await Thing.all().delete()
            await Shelf.all().delete()
            return await Thing.insert_many(rows)

        rows: list[Row] = [
            {"name": f"thing {number}", "size": size, "weight": float(number), "data": {}}
            for number, size in enumerate(sizes)
        ]
        keys = self.driver.do(begin)
        for key, row in zip(keys, rows, strict=True):
            self.plain.put_thing(key, {**row, "shelf": None})
        return multiple(*keys)

    def teardown(self) -> None:
        while self.open:
            self.end_of_transaction(keep=False)
        self.driver.stop()

    async def safely(self, action: Any) -> Any:
        """In a transaction, what may fail is done within a savepoint: PostgreSQL needs that."""
        if not self.open:
            return await action()
        async with self.database.transaction():
            return await action()

    # Writing

    @rule(target=shelf_keys, label=NAMES)
    def create_shelf(self, label: str) -> Any:
        try:
            shelf = self.driver.do(lambda: self.safely(lambda: Shelf.create(label=label)))
        except UniqueViolation as exc:
            found = exc.table, tuple(exc.columns)
            assert found == ("oracle_shelves", ("label",))
            assert not self.plain.may_be_shelf(label)
            return multiple()
        assert self.plain.may_be_shelf(label)
        self.plain.shelves[shelf.id] = {"id": shelf.id, "label": label}
        return shelf.id

    @rule(target=thing_keys, values=VALUES, shelf=st.none() | shelf_keys | st.just(NOWHERE))
    def create_thing(self, values: Row, shelf: int | None) -> Any:
        row = {**values, "shelf": shelf}

        async def create() -> Thing:
            return await Thing.create(**values, shelf_id=shelf)

        try:
            thing = self.driver.do(lambda: self.safely(create))
        except (UniqueViolation, ForeignKeyViolation) as exc:
            found = exc.table
            assert found == "oracle_things"
            assert not self.plain.may_be_thing(row)
            return multiple()
        assert self.plain.may_be_thing(row)
        self.plain.put_thing(thing.id, row)
        return thing.id

    @rule(key=thing_keys, name=st.none() | NAMES, size=st.none() | SIZES)
    def change_and_save(self, key: int, name: str | None, size: int | None) -> None:
        """Only what was changed is written."""
        row = self.plain.things.get(key)
        if row is None:
            return
        changed = {**row, "size": size} if name is None else {**row, "name": name, "size": size}

        async def change() -> None:
            thing = await Thing.get(key)
            if name is not None:
                thing.name = name
            thing.size = size
            await thing.save()

        try:
            self.driver.do(lambda: self.safely(change))
        except UniqueViolation:
            assert not self.plain.may_be_thing(changed, own=key)
            return
        assert self.plain.may_be_thing(changed, own=key)
        self.plain.things[key] = changed

    @rule(condition=CONDITIONS, by=st.integers(-3, 3))
    def add_to_size(self, condition: Any, by: int) -> None:
        """An update that the database computes, of the rows that it chooses."""
        chosen = [
            row
            for row in self.things_that(condition)
            if row["size"] is not None and abs(row["size"]) < SMALL
        ]

        async def update() -> int:
            small = Thing.size.between(-SMALL + 1, SMALL - 1)
            return await Thing.filter(condition.expression(), small).update(size=Thing.size + by)

        assert self.driver.do(update) == len(chosen)
        for row in chosen:
            row["size"] += by

    @rule(condition=CONDITIONS)
    def delete_by_query(self, condition: Any) -> None:
        chosen = {row["id"] for row in self.things_that(condition)}
        assert self.driver.do(lambda: Thing.filter(condition.expression()).delete()) == len(chosen)
        for key in chosen:
            del self.plain.things[key]

    @rule(key=thing_keys)
    def delete_object(self, key: int) -> None:
        if key not in self.plain.things:
            return

        async def delete() -> None:
            await (await Thing.get(key)).delete()

        self.driver.do(delete)
        del self.plain.things[key]

    @rule(key=shelf_keys)
    def delete_shelf(self, key: int) -> None:
        """What stands on it goes, too."""
        there = key in self.plain.shelves
        assert self.driver.do(lambda: Shelf.filter(Shelf.id == key).delete()) == there
        if there:
            self.plain.delete_shelves({key})

    @rule(target=thing_keys, rows=st.lists(VALUES, max_size=6, unique_by=lambda row: row["name"]))
    def insert_many_or_update(self, rows: list[Row]) -> Any:
        """An upsert by name; the keys come back in the order of the rows."""
        keys = self.driver.do(
            lambda: Thing.insert_many([dict(row) for row in rows], on_conflict=Thing.name)
        )
        assert len(keys) == len(rows)
        known = {row["name"]: key for key, row in self.plain.things.items()}
        for key, row in zip(keys, rows, strict=True):
            old = known.get(row["name"])
            assert key == old or (old is None and key not in self.plain.things)
            shelf = self.plain.things[key]["shelf"] if old is not None else None
            self.plain.put_thing(key, {**row, "shelf": shelf})
        return multiple(*keys)

    @rule(target=shelf_keys, label=NAMES)
    def get_or_create(self, label: str) -> int:
        shelf, made = self.driver.do(lambda: Shelf.get_or_create(label=label))
        assert made == self.plain.may_be_shelf(label)
        assert shelf.label == label
        if made:
            self.plain.shelves[shelf.id] = of_shelf(shelf)
        assert self.plain.shelves[shelf.id] == of_shelf(shelf)
        return int(shelf.id)

    # Transactions

    @precondition(lambda self: len(self.open) < 4)
    @rule()
    def begin(self) -> None:
        """The outermost is a transaction, those within are savepoints."""
        manager = self.database.transaction()
        self.driver.do(manager.__aenter__)
        self.open.append(manager)
        self.plain.begin()

    @precondition(lambda self: self.open)
    @rule(keep=st.booleans())
    def end_of_transaction(self, keep: bool) -> None:
        manager = self.open.pop()
        if keep:
            self.driver.do(lambda: manager.__aexit__(None, None, None))
            self.plain.commit()
            return
        stop = ValueError("undo")
        taken = self.driver.do(lambda: manager.__aexit__(ValueError, stop, None))
        assert not taken, "the exception must go on its way"
        self.plain.rollback()

    @precondition(lambda self: not self.open)
    @rule(
        target=thing_keys,
        rows=st.lists(VALUES, min_size=1, max_size=3, unique_by=lambda row: row["name"]),
        ends=st.lists(st.booleans(), min_size=3, max_size=3),
    )
    def blocks(self, rows: list[Row], ends: list[bool]) -> Any:
        """Block within block, each with a row of its own; then some are kept, some undone."""
        keys = []
        for row in rows:
            self.begin()
            keys += self.insert_many_or_update([row]).values
        for _, keep in zip(rows, ends, strict=False):
            self.end_of_transaction(keep)
        return multiple(*keys)

    @invariant()
    def others_see_what_is_committed(self) -> None:
        """Another connection reads the rows from before the outermost transaction."""
        shelves, things = self.plain.committed()

        async def seen() -> tuple[list[Shelf], list[Thing]]:
            return (
                await Shelf.all().using(self.other).order(Shelf.id),
                await Thing.all().using(self.other).order(Thing.id),
            )

        found = self.runner.run(seen())
        assert [of_shelf(shelf) for shelf in found[0]] == self.by_key(shelves)
        assert [of_thing(thing) for thing in found[1]] == self.by_key(things)


async def opened(url: str) -> tuple[Database, Database]:
    """Two databases of one place, with the tables made anew."""
    database, other = Database(url, pool_size=2), Database(url, pool_size=2)
    await database.start()
    await other.start()
    for model in MODELS:
        database.bind(model)
    await database.drop_all(*MODELS)
    await database.create_all(*MODELS)
    return database, other
