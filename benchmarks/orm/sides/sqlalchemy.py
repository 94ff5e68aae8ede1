"""SQLAlchemy's ORM on asyncio."""

from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.orm.places import POOL
from benchmarks.orm.rows import COLUMNS, STORED, row
from benchmarks.orm.sides.side import Side


class SqlAlchemy(Side):
    """SQLAlchemy, with a session for each unit of work."""

    name = "SQLAlchemy"
    packages = ("SQLAlchemy",)
    differs = (
        "a session for each case, as one for each request; dates of SQLite have no zone; "
        "`build` uses its cache of statements; the serializer is pydantic's, from attributes"
    )

    async def start(self) -> None:
        from sqlalchemy import event
        from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

        from benchmarks.orm.sides import sqlalchemy_models as models

        if self.place.engine == "sqlite":
            engine = create_async_engine(self.place.with_scheme("sqlite+aiosqlite://"))

            @event.listens_for(engine.sync_engine, "connect")
            def tune(connection: Any, record: Any) -> None:
                connection.execute("PRAGMA synchronous = NORMAL")

        else:
            engine = create_async_engine(
                self.place.with_scheme("postgresql+asyncpg://"), pool_size=POOL, max_overflow=0
            )
        self.engine = engine
        self.sessions = async_sessionmaker(engine, expire_on_commit=False)
        self.item, self.write = models.Item, models.Write
        self.cache: dict[Any, Any] = {}
        self.schema = models.serializer()
        async with engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)
        async with self.sessions() as session:
            session.add_all([self.item(**row(number)) for number in range(1, STORED + 1)])
            await session.commit()

    async def stop(self) -> None:
        await self.engine.dispose()

    async def get(self, key: int) -> Any:
        async with self.sessions() as session:
            return await session.get(self.item, key)

    async def rows(self) -> list[Any]:
        from sqlalchemy import select

        async with self.sessions() as session:
            return list(
                await session.scalars(select(self.item).order_by(self.item.id).limit(STORED))
            )

    async def insert(self, values: dict[str, Any]) -> int:
        async with self.sessions() as session:
            made = self.write(**values)
            session.add(made)
            await session.commit()
            return made.id

    async def bulk(self, many: list[dict[str, Any]]) -> list[int] | None:
        # Quicker here than `insert(...).returning(...)` through the session, on both engines.
        async with self.sessions() as session:
            made = [self.write(**values) for values in many]
            session.add_all(made)
            await session.commit()
            return [each.id for each in made]

    def build(self, age: int) -> tuple[str, Any]:
        from sqlalchemy import select

        item = self.item
        query = (
            select(item).where(item.age >= age, item.active.is_(True)).order_by(-item.id).limit(20)
        )
        compiled, extracted, _, _ = query._compile_w_cache(
            self.engine.dialect, compiled_cache=self.cache, column_keys=[]
        )
        return compiled.string, compiled.construct_params(extracted_parameters=extracted)

    def construct(self, values: dict[str, Any]) -> Any:
        return self.item(**values)

    async def json(self) -> bytes:
        return self.schema.dump_json(self.schema.validate_python(await self.rows()))

    async def json_short(self) -> bytes:
        from sqlalchemy import select

        table = self.item.__table__
        async with self.sessions() as session:
            found = await session.execute(
                select(*(table.c[name] for name in COLUMNS)).order_by(table.c.id).limit(STORED)
            )
            return msgspec.json.encode([dict(each) for each in found.mappings()])
