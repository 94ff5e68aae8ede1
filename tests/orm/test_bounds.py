"""What is kept of queries is bounded, however many forms they have."""

from __future__ import annotations

import gc
import linecache
from typing import Any

import pytest

from turbostar.orm import Col, Database, Model, pk
from turbostar.orm.expressions import nodes
from turbostar.orm.lookups import KEPT as LOOKUPS
from turbostar.orm.shapes import KEPT as SHAPES, Shape

pytestmark = pytest.mark.anyio


class Bag(Model, table="bags"):
    id: Col[int] = pk()
    data: Col[dict[str, Any]]


async def test_keys_of_json_from_requests_do_not_pile_up() -> None:
    """Each is a form of its own: look-ups, forms, shapes and sources are forgotten in time."""
    db = Database("sqlite:///:memory:")
    await db.start()
    db.bind(Bag)
    await db.create_all(Bag)
    kept = Bag.filter(data__kept=1)
    lines = len(linecache.cache)
    for number in range(2 * SHAPES):
        query = Bag.filter(**{f"data__key{number}": number}).order("id").limit(3)
        if number % 20 == 0:
            assert await query == []
    assert len(Bag.__turbostar_lookups__) <= LOOKUPS
    assert len(nodes._made) <= nodes.KEPT
    gc.collect()
    shapes = [each for each in gc.get_objects() if isinstance(each, Shape)]
    assert len(shapes) <= SHAPES + 1_000
    assert len(linecache.cache) - lines < 50
    assert await kept == [], "a query that is kept goes on"
    await db.close()
