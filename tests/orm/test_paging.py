"""Pages by the last row seen: together they are all rows, each once, NULLs and equals included."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from turbostar.orm import Col, Database, Model, QueryError, col, pk

pytestmark = pytest.mark.anyio


class Score(Model, table="paged_scores"):
    id: Col[int] = pk()
    game: Col[str]
    word: Col[str] = col(unique=True)
    points: Col[int | None] = col(default=None)


ORDERS: dict[str, tuple[Any, ...]] = {
    "up": ("points", "id"),
    "down": ("-points", "-id"),
    "up, nulls last": (Score.points.asc().nulls_last(), "-id"),
    "down, nulls first": (Score.points.desc().nulls_first(), "id"),
    "three ways": ("-points", "game", "-id"),
    "game first": ("game", Score.points.desc().nulls_first(), "id"),
    "the key": ("id",),
    "the key, down": ("-id",),
    "what is unique": ("-word",),
    "the key between": ("game", "-id"),
}


@pytest.fixture
async def scores(db: Database) -> Database:
    db.bind(Score)
    await db.create_all(Score)
    points = [None, 3, 1, None, 2, 3, 1, None, 5]
    games = itertools.cycle("ab")
    await Score.insert_many(
        [
            {"game": next(games), "word": f"w{number}", "points": each}
            for number, each in enumerate(points)
        ]
    )
    return db


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("order", ORDERS)
async def test_pages_are_all_rows_in_order(scores: Database, order: str, size: int) -> None:
    """By the last object, and by its values where the order ends in the key."""
    query = Score.order(*ORDERS[order])
    page = await query.limit(size)
    seen = [*page]
    while page:
        page = await query.after(page[-1]).limit(size)
        seen += page
    assert len(seen) == 9
    assert seen == await query


async def test_values_in_place_of_an_object(scores: Database) -> None:
    """Those of the order's columns, and the key."""
    query = Score.order("-points", "id")
    assert [each.points for each in await query.after(3, 2)] == [3, 2, 1, 1, None, None, None]
    assert [each.id for each in await query.after(None, 4)] == [8]


async def test_what_cannot_be_paged_says_so(scores: Database) -> None:
    """Too few values, orders that rows share, computed ones, and a limit that was said before."""
    with pytest.raises(QueryError, match=r"Score\.points, Score\.id"):
        Score.order("points", "id").after(3)
    with pytest.raises(QueryError, match=r"add the key, Score\.id"):
        Score.order("points", "game").after(3, "a")
    with pytest.raises(QueryError, match="computed"):
        Score.order(Score.points + 1).after(3, 1)
    with pytest.raises(QueryError, match="limit"):
        Score.order("points", "id").limit(3).after(3, 1)
    for order in ("id", "-id"):
        with pytest.raises(QueryError, match=r"Score\.id is never NULL"):
            Score.order(order).after(None)
