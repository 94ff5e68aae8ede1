"""Values in JSON: any key, any kind of value, the same on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from turbostar.orm import Col, Database, Model, QueryError, pk, row_number

pytestmark = pytest.mark.anyio


class Box(Model, table="json_boxes"):
    id: Col[int] = pk()
    data: Col[Any]


@pytest.fixture
async def boxes(db: Database) -> Database:
    db.bind(Box)
    await db.create_all(Box)
    return db


KEYS = [
    "a", "", " ", "a.b", "$", "#", "[0]", "'", '"', "\\", '\\"', "\n", "\t", "ä", "💧", "0", "-1",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, -5, 2**53, 1.5, "", "a", "true", "null", '"', "'", "\\", "1", "ä\n",
    [], [1], {}, {"b": None},
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
async def test_every_value_is_found_under_every_key(boxes: Database, key: str) -> None:
    """At the top and deeper, and what is missing is NULL."""
    made = [await Box.create(data={key: value, "deep": [{key: value}]}) for value in VALUES]
    await Box.create(data={"other": 1})
    found = await Box.order("id").values_list(Box.data[key], Box.data["deep"][0][key])
    assert [tuple(row) for row in found] == [*((value, value) for value in VALUES), (None, None)]
    for box, value in zip(made, VALUES, strict=True):
        if value is None:
            continue  # == None asks for NULL
        for path in (Box.data[key], Box.data["deep"][0][key], Box.data["deep"][-1][key]):
            same = [
                each.id
                for each, other in zip(made, VALUES, strict=True)
                if other == value and type(other) is type(value)
            ]
            ids = await Box.filter(path == value).order("id").values_list("id", flat=True)
            assert ids == same, (path, value)
            assert box.id in ids


async def test_values_have_the_type_that_is_asked_for(boxes: Database) -> None:
    """Numbers are compared as numbers, text as text."""
    await Box.insert_many([{"data": {"n": n, "t": str(n), "f": n / 2}} for n in (9, 10, 100)])
    number, text = Box.data["n"].as_type(int), Box.data["t"].as_type(str)
    assert await Box.filter(number > 9).order(number).values_list(number, flat=True) == [10, 100]
    assert await Box.filter(text == "10").values_list(text, flat=True) == ["10"]
    assert await Box.filter(Box.data["f"].as_type(float) < 5).count() == 1
    assert await Box.filter(data__n=10).count() == 1


@pytest.mark.parametrize("key", ["a\x00", True, 1.5, None, ("a",)])
async def test_what_is_no_key_is_refused(boxes: Database, key: Any) -> None:
    """Text without NUL, and whole numbers; nothing else reaches the statement."""
    with pytest.raises(QueryError, match="keys"):
        Box.data[key]


async def test_window_functions_take_their_window(boxes: Database) -> None:
    """``row_number().over(...)``."""
    await Box.insert_many([{"data": n} for n in (3, 1, 2)])
    place = row_number().over(order=-Box.id)
    assert await Box.order("id").values_list(place, flat=True) == [3, 2, 1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=4),
        inner, max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip


def test_json_comes_back_as_it_went(url: str) -> None:
    """Whatever msgspec can write, apart from NUL, which PostgreSQL has not."""
    import asyncio

    with asyncio.Runner() as runner:
        db = Database(url, pool_size=2)

        async def begin() -> None:
            await db.start()
            await db.drop_all(Box)
            await db.create_all(Box)

        runner.run(begin())

        @settings(max_examples=settings.default.max_examples // 2)
        @given(value=JSON)
        def check(value: Any) -> None:
            async def play() -> None:
                db.bind(Box)
                box = await Box.create(data={"x": value})
                assert (await Box.get(box.id)).data == {"x": value}
                [found] = await Box.filter(Box.id == box.id).values_list(Box.data["x"], flat=True)
                assert found == value
                if value is not None:
                    assert await Box.filter(Box.id == box.id, Box.data["x"] == value).exists()

            runner.run(play())

        try:
            check()
        finally:
            runner.run(db.close())
