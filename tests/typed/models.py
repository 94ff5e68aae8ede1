"""Models and queries as people write them: type checkers see the types of columns and rows."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

import msgspec

from turbostar.orm import (
    Col,
    Column,
    Condition,
    Database,
    Many,
    Model,
    OptionalRef,
    Ref,
    col,
    fk,
    pk,
    reverse,
)


class Org(Model, table="orgs"):
    id: Col[int] = pk()
    name: Col[str] = col(unique=True)
    users: Many[User] = reverse("org")


class User(Model, table="users"):
    id: Col[int] = pk()
    email: Col[str] = col(unique=True)
    age: Col[int | None] = col(default=None)
    joined: Col[datetime] = col(default_factory=datetime.now)
    org_id: Col[int]
    org: Ref[Org] = fk(on_delete="cascade")
    boss: OptionalRef[User] = fk()


class Lite(msgspec.Struct):
    id: int
    email: str


db = Database("sqlite:///:memory:", pool_size=2, pragmas={"cache_size": -64_000})


async def main() -> None:
    user = await User.get(1)
    assert_type(user, User)
    assert_type(user.id, int)
    assert_type(user.email, str)
    assert_type(user.age, int | None)
    assert_type(user.joined, datetime)
    assert_type(user.org, Org)
    assert_type(user.boss, User | None)
    assert_type(User.email, Column[str])
    assert_type(User.age, Column[int | None])
    assert_type(User.email == "x", Condition)
    assert_type(User.org.name == "x", Condition)
    query = User.filter(User.id >= 18, User.org.name == "x").order(-User.id).limit(20)
    assert_type(await query, list[User])
    assert_type(await query.load(User.org), list[User])
    assert_type(await query.first(), User | None)
    assert_type(await query.count(), int)
    assert_type(await query.exists(), bool)
    assert_type(await User.filter(age__gte=18).order("-id"), list[User])
    assert_type(await User.create(email="x", org_id=1), User)
    assert_type(await User.get_or_create(email="x"), tuple[User, bool])
    assert_type(await User.filter(User.id == 1).update(email="y"), int)
    assert_type(await User.filter(User.id == 1).delete(), int)
    async for each in User.stream(chunk=500):
        assert_type(each, User)
    org = await Org.get(1)
    assert_type(org.users, list[User])
    assert_type(await db.sql("select id, email from users", into=Lite), list[Lite])
    assert_type(await User.filter().into(Lite), list[Lite])
    user.age = None
    user.email = "z"
    async with db.transaction():
        await user.save()
    made = User(email="x", org_id=3)
    await made.save()


async def wrong() -> None:
    # What is wrong is found.
    User(mail="x", org_id=3)
    (await User.get(1)).age = "old"
    (await User.get(1)).nothing  # noqa: B018
    User.filter(User.email + 1 == 2, User.nothing == 3)
