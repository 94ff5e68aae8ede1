"""Values that no database can hold are `WrongValue` on both, whatever went before."""

from __future__ import annotations

from typing import Any

import pytest

from turbostar.orm import Col, Database, Model, QueryError, WrongValue, col

pytestmark = pytest.mark.anyio


class Pair(Model, table="ranged_pairs"):
    number: Col[int] = col(primary_key=True)
    word: Col[str] = col(primary_key=True)


@pytest.mark.parametrize("values", [{"number": 2**63}, {"number": -(2**70)}, {"word": "\ud800"}])
async def test_out_of_range_after_another_fault(db: Database, values: dict[str, Any]) -> None:
    """SQLite's driver tells of the last fault of all instead, once its statement is known."""
    db.bind(Pair)
    await db.create_all(Pair)
    await Pair.create(number=1, word="a")
    for word in ("b", "c"):
        await Pair.create(number=1, word=word)
        with pytest.raises(QueryError):
            await db.sql("selec 1")
        with pytest.raises(WrongValue):
            await Pair.create(**{"number": 2, "word": "b"} | values)
        with pytest.raises(WrongValue):
            await Pair.filter(**values).count()
        with pytest.raises(WrongValue):
            await Pair.insert_many([{"number": 3, "word": "c"} | values])
        with pytest.raises(WrongValue):
            await Pair.insert_many([{"number": 4, "word": "d"} | values], ids=False)
    assert await Pair.filter().count() == 3
