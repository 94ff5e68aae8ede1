"""turbostar.orm."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.orm.places import POOL
from benchmarks.orm.rows import STORED, row
from benchmarks.orm.sides.side import Side


class Turbostar(Side):
    """turbostar.orm, each case as its guide writes it."""

    name = "turbostar"
    packages = ("msgspec",)

    async def start(self) -> None:
        from benchmarks.orm.sides import turbostar_models as models
        from turbostar.orm import Database
        from turbostar.orm.rows import row_decoder

        if self.place.engine == "sqlite":
            self.database = Database(self.place.url)
        else:
            self.database = Database(self.place.url, pool_size=POOL, max_overflow=0)
        await self.database.start()
        self.item, self.write = models.Item, models.Write
        self.database.bind(self.item)
        self.database.bind(self.write)
        await self.database.create_all(self.item, self.write)
        self.decoder = row_decoder(self.item.__turbostar_table__, self.database.dialect)
        await self.item.insert_many([row(number) for number in range(1, STORED + 1)])

    async def stop(self) -> None:
        await self.database.close()

    async def get(self, key: int) -> Any:
        return await self.item.get(key)

    async def rows(self) -> list[Any]:
        return await self.item.order(self.item.id).limit(STORED)

    async def insert(self, values: dict[str, Any]) -> int:
        return (await self.write.create(**values)).id

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        return await self.write.insert_many(many)

    def build(self, age: int) -> tuple[str, Any]:
        item = self.item
        return item.filter(item.age >= age, item.active == True).order(-item.id).limit(20).sql()  # noqa: E712

    def construct(self, values: dict[str, Any]) -> Any:
        return self.item(**values)

    def decode(self, stored: list[Any]) -> list[Any]:
        return self.decoder(stored)

    def stored(self, values: dict[str, Any]) -> Any:
        encode = self.database.dialect.encode
        return tuple(encode(value) for value in values.values())

    async def json(self) -> bytes:
        return msgspec.json.encode(await self.rows())

    json_short = json
