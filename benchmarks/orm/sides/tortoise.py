"""Tortoise ORM."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.orm.places import POOL
from benchmarks.orm.rows import COLUMNS, STORED, row
from benchmarks.orm.sides.side import Side


class Tortoise(Side):
    """Tortoise, with a connection that lasts."""

    name = "Tortoise"
    packages = ("tortoise-orm",)
    differs = "bulk_create returns no ids; no cache of statements, so `build` is in each query"

    async def start(self) -> None:
        from tortoise import Tortoise as Library
        from tortoise.backends.base.executor import EXECUTOR_CACHE

        from benchmarks.orm.sides import tortoise_models

        if self.place.engine == "sqlite":
            address = self.place.url.replace(":///", "://") + "?journal_mode=WAL&synchronous=NORMAL"
        else:
            address = f"{self.place.with_scheme('asyncpg://')}?minsize={POOL}&maxsize={POOL}"
        EXECUTOR_CACHE.clear()  # it knows engines by the name of the connection alone
        self.context = await Library.init(
            db_url=address,
            modules={"models": [tortoise_models.__name__]},
            _enable_global_fallback=True,
        )
        await Library.generate_schemas()
        self.item, self.write = tortoise_models.Item, tortoise_models.Write
        await self.item.bulk_create([self.item(**row(number)) for number in range(1, STORED + 1)])
        self.schema = self._schema()

    def _schema(self) -> Any:
        from tortoise.contrib.pydantic import pydantic_queryset_creator

        return pydantic_queryset_creator(self.item)

    async def stop(self) -> None:
        await self.context.close_connections()

    async def get(self, key: int) -> Any:
        return await self.item.get(id=key)

    async def rows(self) -> list[Any]:
        return await self.item.all().order_by("id").limit(STORED)

    async def insert(self, values: dict[str, Any]) -> int:
        return (await self.write.create(**values)).id

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        await self.write.bulk_create([self.write(**values) for values in many])
        return None

    def build(self, age: int) -> tuple[str, Any]:
        query = self.item.filter(age__gte=age, active=True).order_by("-id").limit(20)
        query._choose_db_if_not_chosen()
        query._make_query()
        return query.query.get_parameterized_sql()

    def construct(self, values: dict[str, Any]) -> Any:
        return self.item(**values)

    def decode(self, stored: list[Any]) -> list[Any]:
        make = self.item._init_from_db
        return [make(**each) for each in stored]

    def stored(self, values: dict[str, Any]) -> Any:
        return {**values, "active": int(values["active"]), "created": str(values["created"])}

    async def json(self) -> bytes:
        query = self.item.all().order_by("id").limit(STORED)
        return (await self.schema.from_queryset(query)).model_dump_json().encode()

    async def json_short(self) -> bytes:
        return msgspec.json.encode(
            await self.item.all().order_by("id").limit(STORED).values(*COLUMNS)
        )
