"""The library that uses turbostar.orm: a month at its desk, on both engines."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from examples.library import desk
from examples.library.__main__ import TODAY, main, month
from examples.library.models import MODELS, Copy, Loan, Reader
from tests.orm.conftest import kind, postgres_database, url
from turbostar.orm import CheckViolation, Database

__all__ = ["kind", "postgres_database", "url"]  # fixtures


def test_the_program_tells_of_its_month(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What was lent, refused, and is overdue; and the tables are gone afterwards."""
    asyncio.run(main(url))
    *told, catalogue = capsys.readouterr().out.splitlines()
    assert told == [
        "refused: no copy of Mort is free",
        "overdue: Bob has Good Omens, due on 2026-06-03",
        "lent 2 times: Mort",
        "lent 1 times: Good Omens",
        "Bob had: Good Omens, Mort",
    ]
    books = json.loads(catalogue)
    assert [book["title"] for book in books] == ["Good Omens", "Mort"]
    assert sorted(author["name"] for author in books[0]["authors"]) == ["Gaiman", "Pratchett"]
    assert [copy["shelf"] for copy in books[0]["copies"]] == ["A1", "A2"]
    asyncio.run(main(url))


def test_two_desks_lend_a_copy_once(tmp_path: Path) -> None:
    """Ten readers want the only copy; the others are refused, and nothing is left half done."""

    async def play() -> None:
        async with Database(f"sqlite:///{tmp_path / 'library.db'}") as db:
            db.bind(*MODELS)
            await db.create_all(*MODELS)
            await month(db)
            await Loan.filter().delete()
            readers = [
                await Reader.create(email=f"{n}@example.org", name=str(n)) for n in range(10)
            ]
            answers = await asyncio.gather(
                *[desk.lend(db, reader, "Mort", TODAY) for reader in readers],
                return_exceptions=True,
            )
            assert sum(isinstance(answer, Loan) for answer in answers) == 1
            assert sum(isinstance(answer, desk.Refused) for answer in answers) == 9
            assert await Loan.filter().count() == 1
            assert await Copy.filter().count() == 3

    asyncio.run(play())


def test_a_copy_comes_back_after_it_went(url: str) -> None:
    """A check of the database's, which the error names."""

    async def play() -> None:
        async with Database(url) as db:
            db.bind(*MODELS)
            await db.create_all(*MODELS)
            try:
                await month(db)
                loan = await Loan.filter(Loan.returned == None).order("id").first()  # noqa: E711
                assert loan is not None
                with pytest.raises(CheckViolation) as caught:
                    await desk.give_back(loan, date(2026, 1, 1) - timedelta(days=1))
                assert caught.value.constraint == "returned_after_lent"
            finally:
                await db.drop_all(*MODELS)

    asyncio.run(play())
