"""What people write by mistake, or as another ORM has it: an error that says so, and no answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.orm.blog import MODELS, Post, Profile, User
from turbostar.orm import (
    Col,
    Database,
    Model,
    OptionalRef,
    QueryError,
    Ref,
    WrongValue,
    avg,
    col,
    count,
    date_part,
    fk,
    lag,
    max,
    pk,
    rank,
    sum,
    trunc,
)

pytestmark = pytest.mark.anyio


class Firm(Model, table="mistake_firms"):
    id: Col[int] = pk()
    name: Col[str] = col(default="")


class Clerk(Model, table="mistake_clerks"):
    id: Col[int] = pk()
    age: Col[int | None] = col(default=None)
    firm_id: Col[int]
    firm: Ref[Firm] = fk()
    boss_id: Col[int | None]
    boss: OptionalRef[Clerk] = fk()


@pytest.fixture
async def firm(db: Database) -> Firm:
    db.bind(Firm, Clerk)
    await db.create_all(Firm, Clerk)
    return await Firm.create(name="a")


@pytest.mark.parametrize("aggregate", [count, sum, avg, max])
def test_aggregates_of_a_text_are_refused(aggregate: Any) -> None:
    """It would be a value, the same for each row: `count("age")` all rows, `max("age")` "age"."""
    with pytest.raises(QueryError, match=r"takes a column, such as User\.age, not the text 'age'"):
        aggregate("age")


async def test_count_of_a_star_counts_rows(firm: Firm) -> None:
    """As SQL and Django have it."""
    await Clerk.create(firm=firm)
    assert await Clerk.all().aggregate(n=count("*")) == {"n": 1}


async def test_the_object_of_another_model_is_refused(firm: Firm) -> None:
    """Its key would be taken for one of the relation's table."""
    clerk = await Clerk.create(firm=firm)
    with pytest.raises(WrongValue, match=r"Clerk\.firm takes an object of Firm, not one of Clerk"):
        await Clerk.create(firm=clerk)
    with pytest.raises(WrongValue, match=r"not one of int; a key goes to Clerk\.firm_id"):
        await Clerk.create(firm=firm.id)
    with pytest.raises(WrongValue, match=r"Clerk\.firm takes"):
        await Clerk.insert_many([{"firm": clerk}])
    assert await Clerk.all().count() == 1


async def test_a_declared_key_that_may_be_null_is_given_by_its_object(firm: Firm) -> None:
    """As one that may not, and as one that is not declared."""
    boss = await Clerk.create(firm=firm, boss=None)
    assert (boss.boss_id, (await Clerk.get(boss.id)).boss_id) == (None, None)
    clerk = await Clerk.create(firm=firm, boss=boss)
    assert (clerk.boss_id, (await Clerk.get(clerk.id)).boss_id) == (boss.id, boss.id)


async def test_isnull_takes_a_truth_value(firm: Firm) -> None:
    """The text "false", as a query string has it, would be true."""
    with pytest.raises(QueryError, match="isnull takes True or False, not 'false'"):
        Clerk.filter(age__isnull="false")
    await Clerk.create(firm=firm, age=1)
    assert await Clerk.filter(age__isnull=False).count() == 1


def test_windows_and_parts_of_dates_say_what_they_take() -> None:
    """Names in place of columns, and arguments the wrong way round."""
    with pytest.raises(QueryError, match=r"a window takes columns, such as -User\.age, not '-age'"):
        rank().over(order="-age")
    with pytest.raises(QueryError, match="a window takes columns"):
        lag("age")
    with pytest.raises(QueryError, match="there is no part"):
        date_part(Clerk.age, "year")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="trunc takes year"):
        trunc(Clerk.age, "day")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("objects", r"Clerk\.filter"),
        ("select_related", "joined=True"),
        ("DoesNotExist", "NotFound"),
        ("nothing", "(?<='nothing')$"),
    ],
)
def test_names_of_other_orms_are_told_by_ours(name: str, instead: str) -> None:
    """On a model; and a name that nobody has is told without one."""
    with pytest.raises(AttributeError, match=f"'Clerk' has no attribute '{name}'.*{instead}"):
        getattr(Clerk, name)
    assert not hasattr(Clerk, name)


def test_names_of_other_orms_on_a_query() -> None:
    """As on a model."""
    with pytest.raises(AttributeError, match=r"'last'; turn the order round"):
        Clerk.all().last()


async def test_a_query_that_was_not_awaited_is_no_list() -> None:
    """It has no rows, and says how to get them."""
    query: Any = Clerk.filter(age=1)
    with pytest.raises(TypeError, match=r"say \(await query\)\[0\]"):
        query[0]
    with pytest.raises(TypeError, match="before it is awaited"):
        list(query)
    with pytest.raises(TypeError, match=r"query\.stream\(\)"):
        async for _ in query:
            pass


def test_after_comes_before_limit() -> None:
    """A page is what comes after the last one, and of that so many rows."""
    with pytest.raises(QueryError, match=r"query\.after\(last\)\.limit\(20\)"):
        Clerk.order("id").limit(2).after(1)


def test_an_object_without_a_row_is_in_no_relation() -> None:
    """It has no key that could be asked for."""
    with pytest.raises(QueryError, match=r"Clerk\.firm: Firm is not saved, and has no key yet"):
        Clerk.filter(firm=Firm())


async def test_a_relation_and_its_key_agree(firm: Firm) -> None:
    """One of both would be taken, and nobody would know which."""
    other = await Firm.create(name="b")
    clerk = await Clerk.create(firm=firm, firm_id=firm.id)
    fault = r"Clerk\.firm and Clerk\.firm_id are given, and contradict each other: give one of them"
    with pytest.raises(QueryError, match=fault):
        await Clerk.create(firm=firm, firm_id=other.id)
    with pytest.raises(QueryError, match=fault):
        await Clerk.create(firm=Firm(), firm_id=other.id)
    with pytest.raises(QueryError, match=fault):
        await Clerk.insert_many([{"firm": firm}, {"firm": firm, "firm_id": other.id}])
    with pytest.raises(QueryError, match=fault):
        await Clerk.get_or_create({"firm_id": other.id}, firm=firm, age=99)
    with pytest.raises(QueryError, match=fault):
        await clerk.update(firm=firm, firm_id=other.id)
    with pytest.raises(QueryError, match=fault):
        await Clerk.filter().update(firm=firm, firm_id=other.id)
    with pytest.raises(QueryError, match=r"Clerk\.boss and Clerk\.boss_id"):
        await Clerk.create(firm=firm, boss=None, boss_id=clerk.id)
    assert await Clerk.filter().values_list("firm_id") == [(firm.id,)]


async def test_what_another_table_holds_is_not_given(db: Database) -> None:
    await db.create_all(*MODELS)
    ann = await User.create(email="ann@x", age=30)
    post = await Post.create(title="one", author=ann)
    posts = r"User\.posts is not in the table users: set Post\.author of each Post"
    tags = r"Post\.tags is not in the table posts: .* say await obj\.link\(Post\.tags, \.\.\.\)"
    with pytest.raises(QueryError, match=posts):
        await User.create(email="bob@x", age=17, posts=[post])
    with pytest.raises(QueryError, match=posts):
        await User.insert_many([{"email": "bob@x", "age": 17, "posts": [post]}])
    with pytest.raises(QueryError, match=posts):
        await ann.update(posts=[])
    with pytest.raises(QueryError, match=posts):
        await User.filter().update(posts=[])
    with pytest.raises(QueryError, match=r"User\.profile .*: set Profile\.user of each Profile"):
        await User.create(email="bob@x", age=17, profile=Profile(bio="x"))
    with pytest.raises(QueryError, match=tags):
        await Post.create(title="two", author=ann, tags=[])
    assert await User.count() == await Post.count() == 1
