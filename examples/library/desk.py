"""What is done at the desk: each function is one piece of work."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from examples.library.models import Author, Book, Copy, Loan, Reader
from turbostar.orm import Database, UniqueViolation, count

LOAN = timedelta(days=28)
MOST = 3


class Refused(Exception):
    """The reader does not get the copy, and why."""


class Overdue(msgspec.Struct):
    """A line of the list of overdue loans."""

    name: str
    title: str
    due: date


async def add_book(
    db: Database, title: str, authors: list[str], year: int | None, shelves: list[str]
) -> Book:
    """A book, its authors as far as they are new, and a copy for each shelf."""
    async with db.transaction():
        book = await Book.create(title=title, year=year)
        known = [(await Author.get_or_create(name=name))[0] for name in authors]
        await book.link(Book.authors, *known)
        await Copy.insert_many([{"shelf": shelf, "book_id": book.id} for shelf in shelves])
    return book


async def lend(db: Database, reader: Reader, title: str, today: date) -> Loan:
    """The first free copy of a book of that title."""
    async with db.transaction():
        open_loans = Loan.filter(Loan.reader_id == reader.id, Loan.returned == None)  # noqa: E711
        if await open_loans.count() >= MOST:
            raise Refused(f"{reader.name} has {MOST} books already")
        lent = Loan.filter(Loan.returned == None).values_list(Loan.copy_id)  # noqa: E711
        free = Copy.filter(Copy.book.title == title, Copy.id.not_in(lent)).order(Copy.id)
        copy = await free.first()
        if copy is None:
            raise Refused(f"no copy of {title} is free")
        try:
            return await Loan.create(
                lent=today, due=today + LOAN, copy_id=copy.id, reader_id=reader.id
            )
        except UniqueViolation as exc:  # somebody at another desk was quicker
            raise Refused(f"copy {copy.id} of {title} has just been lent") from exc


async def give_back(loan: Loan, today: date) -> None:
    """The copy is free again."""
    loan.returned = today
    await loan.save()


async def overdue(today: date) -> list[Overdue]:
    """Who has kept what too long, longest first."""
    late = Loan.filter(Loan.returned == None, Loan.due < today).order(Loan.due, Loan.id)  # noqa: E711
    return await late.values(name=Loan.reader.name, title=Loan.copy.book.title, due=Loan.due).into(
        Overdue
    )


async def catalogue() -> bytes:
    """All books with their authors and copies, as JSON."""
    books = await Book.filter().order(Book.title).load(Book.authors, Book.copies)
    return msgspec.json.encode(books)


async def most_read(limit: int = 3) -> list[dict[str, object]]:
    """The titles that were lent most often."""
    title = Loan.copy.book.title
    titles = Loan.group(title).aggregate(title=title, loans=count())
    return await titles.order(-count(), title).limit(limit)
