"""What `repr` shows of conditions, expressions and queries: what one would write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.orm.blog import Comment, Post, User, fill
from turbostar.orm import (
    Database,
    Expression,
    MultipleFound,
    NotFound,
    avg,
    case,
    coalesce,
    count,
    cte,
    date_part,
    excluded,
    exists,
    lag,
    outer,
    raw,
    round,
    row_number,
    scalar,
    string_agg,
    trunc,
    when,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (User.age, "User.age"),
        (User.age >= 18, "User.age >= 18"),
        (User.age != 18, "User.age != 18"),
        (User.note == None, "User.note.is_null()"),  # noqa: E711
        (User.org.name == "x", "User.org.name == 'x'"),
        (User.org == 3, "User.org_id == 3"),
        ((User.age > 1) & (User.age < 5), "(User.age > 1) & (User.age < 5)"),
        (
            (User.age > 1) & (User.age < 5) | ~User.note.is_not_null(),
            "((User.age > 1) & (User.age < 5)) | ~(User.note.is_not_null())",
        ),
        (User.note.startswith("a_"), r"User.note.like('a\\_%')"),
        (User.note.ilike(User.email), "User.note.ilike(User.email)"),
        (User.age.between(1, 2), "User.age.between(1, 2)"),
        (User.age.is_distinct_from(3), "User.age.is_distinct_from(3)"),
        (User.age.in_([1, None]), "User.age.in_([1]) | User.age.is_null()"),
        (User.age.in_([User.id, 4]), "User.age.in_([User.id, 4])"),
        (
            User.id.in_(Post.filter(Post.likes > 3).values_list("author_id")),
            "User.id.in_(Post.filter(Post.likes > 3).values_list(author_id=Post.author_id))",
        ),
        (
            exists(Post.filter(Post.author_id == outer(User.id), Post.likes > 5)),
            "exists(Post.filter(Post.author_id == outer(User.id), Post.likes > 5))",
        ),
        (scalar(Post.filter(likes=3).limit(1)), "scalar(Post.filter(Post.likes == 3).limit(1))"),
        (-User.age, "-User.age"),
        (User.age.desc().nulls_last(), "User.age.desc().nulls_last()"),
        ((User.age + 1) * 2, "(User.age + 1) * 2"),
        (User.email + "x", "User.email + 'x'"),
        (count(), "count()"),
        (count(User.age, distinct=True).filter(User.age > 3),
         "count(User.age, distinct=True).filter(User.age > 3)"),
        (string_agg(User.email, ";"), "string_agg(User.email, ';')"),
        (row_number().over(partition=User.org, order=-User.age),
         "row_number().over(partition=[User.org_id], order=[-User.age])"),
        (lag(User.age, 2), "lag(User.age, 2)"),
        (case(when(User.age < 18, "minor"), default="adult"),
         "case(when(User.age < 18, 'minor'), default='adult')"),
        (coalesce(User.note, "-"), "coalesce(User.note, '-')"),
        (round(avg(User.age), 2), "round(avg(User.age), 2)"),
        (date_part("year", User.created), "date_part('year', User.created)"),
        (trunc("month", User.created), "trunc('month', User.created)"),
        (raw("x + {}", 3), "raw('x + {}', 3)"),
        (excluded(User.age), "excluded(User.age)"),
        (User.email == "x" * 200, f"User.email == '{'x' * 76}..."),
    ],
)  # fmt: skip
def test_expressions(expression: Expression[Any], text: str) -> None:
    assert repr(expression) == text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (User.all(), "User.all()"),
        (
            User.filter(User.age >= 18, org__name="x").order("-age", User.id).limit(5).offset(2),
            "User.filter(User.age >= 18, User.org.name == 'x')"
            ".order(-User.age, User.id).limit(5).offset(2)",
        ),
        (User.exclude(age=3), "User.filter(not (User.age == 3))"),
        (
            User.filter(age=1).union(User.filter(age=2), all=True).order("age").limit(3),
            "User.filter(User.age == 1).union(User.filter(User.age == 2), all=True)"
            ".order(User.age).limit(3)",
        ),
        (User.values("id", n=User.age + 1), "User.all().values(id=User.id, n=User.age + 1)"),
        (
            User.group(User.org).having(count() > 1).aggregate(n=count()),
            "User.all().group(org=User.org_id).having(count() > 1).aggregate(n=count())",
        ),
        (
            User.only("email").load(User.org, joined=True).distinct().lock("update"),
            "User.all().only(User.id, User.email).load(User.org, joined=True).distinct()"
            ".lock('update')",
        ),
        (
            User.filter(id=3).join(cte("old", User.filter(age=9)), User.id == 3),
            "User.filter(User.id == 3).join(old)",
        ),
    ],
)
def test_queries(query: Any, text: str) -> None:
    assert repr(query) == f"<Query {text}>"


async def test_what_was_not_found_once(db: Database) -> None:
    """The model and the conditions, and not the statement."""
    await fill(db)
    with pytest.raises(MultipleFound) as several:
        await User.get(User.age >= 18, active=True)
    assert str(several.value) == (
        "several rows of User match User.age >= 18, User.active == True where one was asked for"
    )
    with pytest.raises(MultipleFound) as any_of_them:
        await Comment.all().one()
    assert str(any_of_them.value) == "several rows of Comment match where one was asked for"
    with pytest.raises(NotFound) as none:
        await User.filter(User.email.startswith("z")).one()
    assert str(none.value) == "no row of User matches User.email.like('z%')"
