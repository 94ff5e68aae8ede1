"""Piccolo."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import urlsplit

import msgspec

from benchmarks.orm.places import POOL, Place
from benchmarks.orm.rows import STORED, row
from benchmarks.orm.sides.side import Side


class Tuned(sqlite3.Connection):
    """A connection with the setting that every side has; Piccolo opens one for each query."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA synchronous = NORMAL")


def engine_for(place: Place) -> Any:
    if place.engine == "sqlite":
        from piccolo.engine.sqlite import SQLiteEngine

        return SQLiteEngine(path=place.name, factory=Tuned, timeout=30)
    from piccolo.engine.postgres import PostgresEngine

    parts = urlsplit(place.url)
    config = {
        "host": parts.hostname,
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
        "database": place.name,
    }
    return PostgresEngine(config=config, extensions=())


class Piccolo(Side):
    """Piccolo, with its pool on PostgreSQL."""

    name = "Piccolo"
    packages = ("piccolo",)
    differs = "opens a connection to SQLite for each query; no cache of statements"

    async def start(self) -> None:
        from piccolo.columns import (
            BigSerial,
            Boolean,
            DoublePrecision,
            Integer,
            Text,
            Timestamptz,
        )
        from piccolo.table import Table
        from piccolo.utils.pydantic import create_pydantic_model

        self.engine = engine_for(self.place)
        if self.place.engine == "postgresql":
            await self.engine.start_connection_pool(min_size=POOL, max_size=POOL)

        def table(name: str) -> Any:
            class Columns(Table, tablename=name, db=self.engine):
                id = BigSerial(primary_key=True)
                name = Text()
                email = Text()
                age = Integer()
                score = DoublePrecision()
                active = Boolean()
                created = Timestamptz()
                note = Text(null=True, default=None)

            return Columns

        self.item, self.write = table("items"), table("writes")
        for each in (self.item, self.write):
            await each.create_table()
        await self.item.insert(*[self.item(**row(number)) for number in range(1, STORED + 1)])
        self.schema = create_pydantic_model(self.item, include_default_columns=True)

    async def stop(self) -> None:
        if self.place.engine == "postgresql":
            await self.engine.close_connection_pool()

    async def get(self, key: int) -> Any:
        return await self.item.objects().get(self.item.id == key)

    async def rows(self) -> list[Any]:
        return await self.item.objects().order_by(self.item.id).limit(STORED)

    async def insert(self, values: dict[str, Any]) -> int:
        made = self.write(**values)
        await made.save()
        return made.id

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        keys = await self.write.insert(*[self.write(**values) for values in many])
        return [each["id"] for each in keys]

    def build(self, age: int) -> tuple[str, Any]:
        item = self.item
        query = (
            item.objects()
            .where(item.age >= age, item.active.eq(True))
            .order_by(item.id, ascending=False)
            .limit(20)
        )
        return query.querystrings[0].compile_string(engine_type=self.engine.engine_type)

    def construct(self, values: dict[str, Any]) -> Any:
        return self.item(**values)

    def decode(self, stored: list[Any]) -> list[Any]:
        make = self.item
        return [make(**each, _exists_in_db=True) for each in stored]

    async def json(self) -> bytes:
        made = [self.schema(**each.to_dict()) for each in await self.rows()]
        return b"[" + b",".join([each.model_dump_json().encode() for each in made]) + b"]"

    async def json_short(self) -> bytes:
        return msgspec.json.encode(await self.item.select().order_by(self.item.id).limit(STORED))
