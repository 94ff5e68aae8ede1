"""The text of statements: the same form on both dialects, values apart, names quoted."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tests.orm.blog import Org, Post, User
from turbostar.orm import (
    Check,
    Col,
    Database,
    Index,
    Many,
    Model,
    ModelError,
    OptionalRef,
    Ref,
    col,
    count,
    fk,
    many,
    pk,
    reverse,
    table as tables,
)
from turbostar.orm.compiler.postgresql import DIALECT as POSTGRESQL
from turbostar.orm.compiler.sqlite import DIALECT as SQLITE
from turbostar.orm.plans import plan_for
from turbostar.orm.schema import create_statements, drop_statements
from turbostar.orm.shapes import KEPT
from turbostar.orm.writes import writes_of


def sql(query: Any, dialect: Any = SQLITE) -> str:
    text: str = plan_for(query.shape, dialect, "rows").statement.sql
    return text


def where(query: Any, dialect: Any = SQLITE) -> str:
    return sql(query, dialect).partition(" where ")[2]


CONDITIONS: list[tuple[Any, str, str]] = [
    (User.age >= 18, '"users"."age" >= ?', '"users"."age" >= $1'),
    (User.age.in_([1, 2]), '"users"."age" in (select value from json_each(?))',
     '"users"."age" = any(cast($1 as bigint[]))'),
    (User.email.ilike("a"), "lower(\"users\".\"email\") like lower(?) escape '\\'",
     '"users"."email" ilike $1'),
    (User.age + 1 > 2, '("users"."age" + ?) > ?', '("users"."age" + $1) > $2'),
    (User.age == User.id, '"users"."age" = "users"."id"', '"users"."age" = "users"."id"'),
    (User.org.id == 3, '"users"."org_id" = ?', '"users"."org_id" = $1'),
    (User.note == None, '"users"."note" is null', '"users"."note" is null'),  # noqa: E711
    (~(User.age > 1), 'not ("users"."age" > ?)', 'not ("users"."age" > $1)'),
    (User.posts.title == "x",
     'exists (select 1 from "posts" where "posts"."author_id" = "users"."id" '
     'and "posts"."title" = ?)',
     'exists (select 1 from "posts" where "posts"."author_id" = "users"."id" '
     'and "posts"."title" = $1)'),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "sqlite", "postgresql"), CONDITIONS)
def test_conditions(condition: Any, sqlite: str, postgresql: str) -> None:
    """Conditions as text on both dialects."""
    assert where(User.filter(condition)) == sqlite
    assert where(User.filter(condition), POSTGRESQL) == postgresql


def test_joins_follow_nullability() -> None:
    """A foreign key that may be NULL is an outer join; each path is joined once."""
    text = sql(Post.filter(Post.author.org.name == "x", Post.author.age > 1))
    assert text.count(" join ") == 2
    assert ' join "users" on ' in text
    assert ' left join "orgs" on ' in text
    assert 'left join "users"' not in text


def test_values_are_placed_in_the_order_of_the_text() -> None:
    """A limit given before a filter's value comes after it in the statement."""
    query = User.group(User.age).having(count() > 7).aggregate(n=count()).limit(5)
    plan = plan_for(query.shape, SQLITE, "rows")
    assert plan.bind(query.bound) == (7, 5)
    again = User.limit(3).limit(4)
    assert plan_for(again.shape, SQLITE, "rows").bind(again.bound) == (4,)


def test_names_are_quoted() -> None:
    """Whatever a model calls its table and columns cannot end a quotation."""

    class Evil(Model, table='x"; drop table users; --'):
        id: Col[int] = pk(name='i"d')
        word: Col[str] = col(name="select")

    text = sql(Evil.filter(Evil.word == "a").order(Evil.id))
    assert text == (
        'select "x""; drop table users; --"."i""d", "x""; drop table users; --"."select" '
        'from "x""; drop table users; --" where "x""; drop table users; --"."select" = ? '
        'order by "x""; drop table users; --"."i""d"'
    )
    with pytest.raises(ModelError, match="is no name of a table"):

        class Worse(Model, table="a\0b"):
            id: Col[int] = pk()


def test_equal_forms_share_a_plan() -> None:
    """The same query with other values is the same shape; another form is another."""
    one = User.filter(User.age > 1, User.email == "a").order(-User.id).limit(3)
    two = User.filter(User.age > 2, User.email == "b").order(-User.id).limit(4)
    assert one.shape is two.shape
    assert User.filter(age__gt=5, email="x").order("-id").limit(1).shape is one.shape
    assert User.filter(User.age > 1.5).shape is not User.filter(User.age > 1).shape
    assert User.filter(User.age.in_([1])).shape is User.filter(User.age.in_([1, 2, 3])).shape


def test_shapes_are_bounded() -> None:
    """However many forms there are, so many are kept; those cut off still work."""
    base = User.filter(User.age > 0)
    for number in range(KEPT + 100):
        base.values(**{f"n{number}": User.id})
    kept = len(base.shape.steps)
    assert kept < KEPT
    gc.collect()
    assert sql(base) == sql(User.filter(User.age > 1))


def test_statements_of_single_rows() -> None:
    """Insert leaves out what has no value, and asks for it back."""
    db = Database("sqlite:///:memory:")
    db.bind(Org)
    try:
        assert Org.__turbostar_sql__ == {
            "get": 'select "id", "name" from "orgs" where "id" = ?',
            "insert": 'insert into "orgs" ("name") values (?) returning "id"',
            "delete": 'delete from "orgs" where "id" = ?',
            "update": 'update "orgs" set "name" = ? where "id" = ?',
        }
    finally:
        from turbostar.orm import binding

        binding.bind(Org, None)
        binding.unregister(db)
    writes = writes_of(User, POSTGRESQL)
    plan, returned = writes.insert(0b0100001)
    assert [field.name for field in returned] == ["id", "created"]
    assert plan.statement.sql == (
        'insert into "users" ("email", "age", "note", "active", "org_id") '
        'values ($1, $2, $3, $4, $5) returning "id", "created"'
    )
    assert plan.bind((0, "e", 1, None, True, 0, 7)) == ("e", 1, None, True, 7)


class Left(Model, table="lefts", schema="s"):
    id: Col[int] = pk()
    right: OptionalRef[Right] = fk()


class Right(
    Model,
    table="rights",
    schema="s",
    indexes=(Index("name", "-size", where="size > 0"),),
    constraints=(Check("size < 10"),),
):
    id: Col[int] = pk()
    name: Col[str] = col(length=20, index="gin")
    size: Col[int] = col(type="smallint", default=1)
    made: Col[str] = col(server_default="'x'")
    left: Ref[Left] = fk(on_delete="cascade")
    others: Many[Right] = many(table="right_others")
    more: Many[Right] = reverse("others")


def test_create_and_drop() -> None:
    """Tables in the order of their references; late keys where two refer to each other."""
    texts = create_statements(POSTGRESQL, [Left, Right])
    assert [text.partition("(")[0].strip() for text in texts] == [
        'create schema if not exists "s"',
        'create table if not exists "s"."rights"',
        'create index if not exists "rights_name_idx" on "s"."rights" using gin',
        'create index if not exists "rights_left_id_idx" on "s"."rights"',
        'create index if not exists "rights_name_size_idx" on "s"."rights"',
        'create table if not exists "s"."lefts"',
        'create index if not exists "lefts_right_id_idx" on "s"."lefts"',
        'create table if not exists "s"."right_others"',
        'create index if not exists "right_others_to_right_id_idx" on "s"."right_others"',
        'do $late$ begin alter table "s"."rights" add constraint "rights_left_id_fkey" foreign key',
    ]
    texts = texts[1:]
    assert '"size" smallint not null' in texts[0]
    assert '"name" varchar(20) not null' in texts[0]
    assert "\"made\" text default ('x') not null" in texts[0]
    assert 'constraint "rights_check0" check (size < 10)' in texts[0]
    assert texts[3].endswith('("name", "size" desc) where size > 0')
    assert drop_statements(POSTGRESQL, [Left, Right])[-1] == (
        'drop table if exists "s"."rights" cascade'
    )
    lite = create_statements(SQLITE, [User, Org])
    assert '"id" integer primary key autoincrement' in lite[0]
    assert (
        "\"created\" text default (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')) not null"
        in (lite[1])
    )


def test_defaults_that_cannot_stand_in_create_table() -> None:
    """A default is text, an expression, or an error that says so."""

    class Odd(Model, table="odd", constraints=(Check(lambda m: m.bad == b"x"),)):
        id: Col[int] = pk()
        bad: Col[bytes]

    try:
        with pytest.raises(ModelError, match="cannot stand in CREATE TABLE"):
            create_statements(SQLITE, [Odd])
    finally:
        tables._models.pop("Odd")  # or create_all without models, in other tests, would meet it
