"""create_all and drop_all on real databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from turbostar.orm import (
    Col,
    Database,
    Index,
    Model,
    OptionalRef,
    QueryError,
    Ref,
    UniqueViolation,
    col,
    fk,
    pk,
    table as tables,
)

pytestmark = pytest.mark.anyio


class Author(Model, table="authors"):
    id: Col[int] = pk()
    name: Col[str]
    best_id: Col[int | None] = col(default=None)
    best: OptionalRef[Book] = fk(on_delete="set null")


class Book(Model, table="books", indexes=(Index("title", where="sold", unique=True),)):
    id: Col[int] = pk()
    title: Col[str] = col(name='Name of "book"')
    sold: Col[bool] = False
    author_id: Col[int]
    author: Ref[Author] = fk(on_delete="cascade")

    @classmethod
    def filter(cls, *conditions: Any, **lookups: Any) -> Any:
        """A model may have a filter of its own."""
        return super().filter(*conditions, **lookups).order("id")


async def test_tables_that_refer_to_each_other(db: Database) -> None:
    """Made in either order, made twice, dropped, dropped twice, and made again."""
    for _ in range(2):
        await db.create_all(Author, Book)
    author = await Author.create(name="a")
    book = await Book.create(title="b", author=author)
    await author.update(best=book)
    (found,) = await Author.load("best.author")
    assert found.best is not None
    assert found.best.author.name == "a"
    await book.delete()
    assert (await Author.get(1)).best_id is None
    for _ in range(2):
        await db.drop_all(Author, Book)
    with pytest.raises(QueryError):
        await Author.count()
    await db.create_all(Book, Author)
    assert await Author.count() == 0


async def test_a_partial_unique_index(db: Database) -> None:
    """It holds for the rows that it is about; columns may be called anything."""
    await db.create_all(Author, Book)
    await Author.create(name="a")
    await Book.insert_many([{"title": "x", "author_id": 1} for _ in range(2)])
    await Book.create(title="x", author_id=1, sold=True)
    with pytest.raises(UniqueViolation):
        await Book.create(title="x", author_id=1, sold=True)
    assert [book.id for book in await Book.filter(title="x")] == [1, 2, 3]
    assert "order by" in Book.filter(title="x").sql()[0]


async def test_workers_that_start_at_once(url: str) -> None:
    """Each of them makes the tables, in an empty database; all succeed."""
    workers = [Database(url, pool_size=1) for _ in range(6)]
    try:
        for worker in workers:
            await worker.start()
        for _ in range(4):
            await asyncio.gather(*(worker.create_all(Author, Book) for worker in workers))
            await asyncio.gather(*(worker.drop_all(Author, Book) for worker in workers))
    finally:
        for worker in workers:
            await worker.close()


async def test_all_or_none(db: Database, kind: str) -> None:
    """A statement that fails leaves no table behind."""

    class Good(Model, table="good"):
        id: Col[int] = pk()

    class Bad(Model, table="bad"):
        id: Col[int] = pk()
        odd: Col[int] = col(check="nonsense(odd) >")

    try:
        with pytest.raises(QueryError):
            await db.create_all(Good, Bad)
        with pytest.raises(QueryError):
            await Good.count()
    finally:
        tables._models.pop("Bad")  # or create_all without models, in other tests, would meet it
