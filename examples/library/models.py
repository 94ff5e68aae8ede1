"""What a library knows, as tables."""

from __future__ import annotations

from datetime import date

from turbostar.orm import (
    Check,
    Col,
    Index,
    Many,
    Model,
    OptionalRef,
    Ref,
    col,
    fk,
    many,
    pk,
    reverse,
)


class Author(Model, table="authors"):
    id: Col[int] = pk()
    name: Col[str] = col(unique=True)
    books: Many[Book] = reverse("authors")


class Book(Model, table="books"):
    id: Col[int] = pk()
    title: Col[str] = col(index=True)
    year: Col[int | None] = col(default=None)
    authors: Many[Author] = many()
    copies: Many[Copy] = reverse("book")


class Copy(Model, table="copies"):
    id: Col[int] = pk()
    shelf: Col[str]
    book_id: Col[int]
    book: Ref[Book] = fk(on_delete="cascade")
    loans: Many[Loan] = reverse("copy")


class Reader(Model, table="readers"):
    id: Col[int] = pk()
    email: Col[str] = col(unique=True)
    name: Col[str]
    invited_by_id: Col[int | None] = col(default=None)
    invited_by: OptionalRef[Reader] = fk(on_delete="set null")
    loans: Many[Loan] = reverse("reader")


class Loan(
    Model,
    table="loans",
    # A copy is lent to one reader at a time: the database itself sees to it.
    indexes=(Index("copy_id", where="returned IS NULL", unique=True, name="one_loan_of_a_copy"),),
    constraints=(Check("returned IS NULL OR returned >= lent", name="returned_after_lent"),),
):
    id: Col[int] = pk()
    lent: Col[date]
    due: Col[date]
    returned: Col[date | None] = col(default=None)
    copy_id: Col[int]
    copy: Ref[Copy] = fk(on_delete="restrict")
    reader_id: Col[int]
    reader: Ref[Reader] = fk(on_delete="cascade")


MODELS = (Author, Book, Copy, Reader, Loan)
