"""``python -m examples.library [URL]``: a month at the desk, on SQLite or elsewhere."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from examples.library import desk
from examples.library.models import MODELS, Loan, Reader
from turbostar.orm import Database

TODAY = date(2026, 5, 6)


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


async def month(db: Database) -> None:
    """Books come, are lent, come back, or do not."""
    await desk.add_book(db, "Good Omens", ["Pratchett", "Gaiman"], 1990, ["A1", "A2"])
    await desk.add_book(db, "Mort", ["Pratchett"], 1987, ["A1"])
    ada = await Reader.create(email="ada@example.org", name="Ada")
    bob = await Reader.create(email="bob@example.org", name="Bob", invited_by_id=ada.id)

    first = await desk.lend(db, ada, "Mort", TODAY)
    await desk.lend(db, bob, "Good Omens", TODAY)
    try:
        await desk.lend(db, bob, "Mort", TODAY)
    except desk.Refused as exc:
        tell(f"refused: {exc}")
    await desk.give_back(first, TODAY + timedelta(days=3))
    await desk.lend(db, bob, "Mort", TODAY + timedelta(days=4))

    for late in await desk.overdue(TODAY + timedelta(days=30)):
        tell(f"overdue: {late.name} has {late.title}, due on {late.due}")
    for row in await desk.most_read():
        tell(f"lent {row['loans']} times: {row['title']}")
    with db.expect(max_queries=3):
        loans = await Loan.filter(Loan.reader_id == bob.id).order(Loan.id).load(Loan.copy.book)
    tell(f"Bob had: {', '.join(loan.copy.book.title for loan in loans)}")
    tell((await desk.catalogue()).decode())


async def main(url: str) -> None:
    """On tables of its own, which are made and dropped."""
    async with Database(url) as db:
        await db.create_all(*MODELS)
        try:
            await month(db)
        finally:
            await db.drop_all(*MODELS)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(main(f"sqlite:///{Path(folder) / 'library.db'}"))
