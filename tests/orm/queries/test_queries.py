"""Queries mean the same on both engines, in both forms, and never change."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.orm.blog import Comment, Org, Post, Tag, User, fill
from turbostar.orm import (
    Database,
    LockNotAvailable,
    MultipleFound,
    NotFound,
    QueryError,
    WrongValue,
    avg,
    case,
    coalesce,
    count,
    cte,
    date_part,
    exists,
    length,
    lower,
    max as max_of,
    outer,
    row_number,
    scalar,
    sum as sum_of,
    trunc,
    when,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def blog(db: Database) -> None:
    await fill(db)


async def emails(query: Any) -> list[str]:
    return [user.email[:3] for user in await query.order("id")]


BOTH_FORMS: list[tuple[Any, dict[str, Any], list[str]]] = [
    (lambda: User.age >= 18, {"age__gte": 18}, ["ann", "cyd", "dan"]),
    (lambda: User.age == 30, {"age": 30}, ["ann", "dan"]),
    (lambda: User.age != 30, {"age__ne": 30}, ["bob", "cyd"]),
    (lambda: User.age.in_([17, 45]), {"age__in": [17, 45]}, ["bob", "cyd"]),
    (lambda: User.age.not_in([17, 45]), {"age__not_in": [17, 45]}, ["ann", "dan"]),
    (lambda: User.age.in_([]), {"age__in": []}, []),
    (lambda: User.age.between(18, 40), {"age__range": (18, 40)}, ["ann", "dan"]),
    (lambda: User.note == None, {"note": None}, ["bob", "cyd", "dan"]),  # noqa: E711
    (lambda: User.note != None, {"note__isnull": False}, ["ann"]),  # noqa: E711
    (lambda: User.note.in_(["first", None]), {"note__in": ["first", None]},
     ["ann", "bob", "cyd", "dan"]),
    (lambda: User.email.like("_n%"), {"email__like": "_n%"}, ["ann"]),
    (lambda: User.email.like("A%"), {"email__like": "A%"}, []),
    (lambda: User.email.ilike("A%"), {"email__ilike": "A%"}, ["ann"]),
    (lambda: User.email.contains("n@"), {"email__contains": "n@"}, ["ann", "dan"]),
    (lambda: User.email.contains("%"), {"email__contains": "%"}, []),
    (lambda: User.email.startswith("bo"), {"email__startswith": "bo"}, ["bob"]),
    (lambda: User.email.endswith("n@x"), {"email__endswith": "n@x"}, ["ann", "dan"]),
    (lambda: User.email.iexact("ANN@X"), {"email__iexact": "ANN@X"}, ["ann"]),
    (lambda: User.active == False, {"active": False}, ["cyd"]),  # noqa: E712
    (lambda: User.org.name == "north", {"org__name": "north"}, ["ann", "bob"]),
    (lambda: User.org.id == 2, {"org__id": 2}, ["cyd"]),
    (lambda: User.org == None, {"org": None}, ["dan"]),  # noqa: E711
    (lambda: User.posts.likes > 4, {"posts__likes__gt": 4}, ["ann", "cyd"]),
    (lambda: User.posts.tags.name == "red", {"posts__tags__name": "red"}, ["ann", "cyd"]),
    (lambda: User.profile.bio.like("of c%"), {"profile__bio__like": "of c%"}, ["cyd"]),
    (lambda: date_part("year", User.created) > 2000, {"created__year__gt": 2000},
     ["ann", "bob", "cyd", "dan"]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "lookup", "expected"), BOTH_FORMS)
async def test_both_forms_find_the_same(
    condition: Any, lookup: dict[str, Any], expected: list[str]
) -> None:
    """A condition and its keyword form select the same rows."""
    assert await emails(User.filter(condition())) == expected
    assert await emails(User.filter(**lookup)) == expected


@pytest.mark.parametrize(("condition", "lookup", "expected"), BOTH_FORMS)
async def test_exclude_gives_exactly_the_others(
    condition: Any, lookup: dict[str, Any], expected: list[str]
) -> None:
    """What filter leaves out is what exclude gives, NULLs too."""
    others = [name for name in ("ann", "bob", "cyd", "dan") if name not in expected]
    assert await emails(User.exclude(**lookup)) == others


async def test_and_or_not() -> None:
    """Conditions combine, and parentheses are where they must be."""
    young, org = User.age < 18, User.org_id == 1
    assert await emails(User.filter(young | (User.age > 40))) == ["bob", "cyd"]
    assert await emails(User.filter((young | (User.age > 40)) & org)) == ["bob"]
    assert await emails(User.filter(young | ((User.age > 40) & org))) == ["bob"]
    assert await emails(User.filter(~(young | (User.age > 40)))) == ["ann", "dan"]
    assert await emails(User.filter(~young, ~org)) == ["cyd"]  # NOT NULL is NULL for dan


async def test_conditions_of_one_call_are_about_one_related_row() -> None:
    """Two conditions on posts: in one call of the same post, in two of any."""
    one = User.filter(User.posts.title == "one", User.posts.likes == 1)
    two = User.filter(User.posts.title == "one").filter(User.posts.likes == 1)
    assert await emails(one) == []
    assert await emails(two) == ["ann"]


async def test_queries_do_not_change() -> None:
    """Each method gives another query."""
    base = User.filter(User.age > 18)
    base.filter(User.age > 40).limit(1)
    base.order("-id")
    assert await emails(base) == ["ann", "cyd", "dan"]


async def test_order_limit_offset() -> None:
    """Orders with several columns, NULLs first, and windows of rows."""
    found = await User.order("-age", User.email.desc())
    assert [user.email[:3] for user in found] == ["cyd", "dan", "ann", "bob"]
    nulls = await User.order(User.note, "id")
    assert [user.email[:3] for user in nulls] == ["bob", "cyd", "dan", "ann"]
    last = await User.order(User.note.asc().nulls_last(), "id").limit(1)
    assert last[0].email == "ann@x"
    assert [u.id for u in await User.order("id").limit(2).offset(1)] == [2, 3]
    assert [u.id for u in await User.order("id").offset(3)] == [4]
    by_org = await User.filter(User.org != None).order(User.org.name.desc(), "id")  # noqa: E711
    assert [user.id for user in by_org] == [3, 1, 2]


async def test_keyset_pagination() -> None:
    """Pages follow each other without gap or repetition, in mixed orders."""
    query = Post.order("-likes", "id").limit(2)
    seen: list[int] = []
    page = await query
    while page:
        seen += [post.id for post in page]
        page = await Post.order("-likes", "id").after(page[-1]).limit(2)
    assert seen == [post.id for post in await Post.order("-likes", "id")]
    assert [p.id for p in await Post.order("-likes", "-id").after(9, 5)] == [4, 1, 2, 3]
    with pytest.raises(QueryError, match="after takes an object or 2 values"):
        Post.order("-likes", "-id").after(9)


async def test_one_first_and_the_errors() -> None:
    """get, first, one: one row, or an error that says what was asked."""
    assert (await User.get(1)).email == "ann@x"
    assert (await User.get(User.email == "bob@x")).id == 2
    assert (await User.filter(age__lt=18).one()).id == 2
    assert await User.get_or_none(99) is None
    assert await User.filter(User.id == 99).first() is None
    first = await User.first()
    assert first is not None
    assert first.id == 1
    with pytest.raises(NotFound, match="there is no User for 99"):
        await User.get(99)
    with pytest.raises(NotFound, match="no row of User matches"):
        await User.filter(User.id == 99).one()
    with pytest.raises(MultipleFound, match="several rows of User"):
        await User.get(age=30)
    with pytest.raises(QueryError, match=r"User\.get takes a key, conditions or look-ups"):
        await User.get()
    with pytest.raises(QueryError, match="takes its key"):
        await User.get(1, 2)


async def test_counting() -> None:
    """count and exists, also over limits, distinct and groups."""
    assert await User.count() == 4
    assert await User.filter(User.age == 30).count() == 2
    assert await User.order("id").limit(3).count() == 3
    assert await User.values(User.age).distinct().count() == 3
    assert await User.group(User.age).aggregate(n=count()).count() == 3
    assert await User.filter(User.age == 30).exists() is True
    assert await User.exists(age=31) is False


async def test_columns_instead_of_objects() -> None:
    """values, values_list and into."""

    class Lite(msgspec.Struct):
        id: int
        email: str
        upper: str = "none"

    class Counted(msgspec.Struct):
        age: int
        n: int

    query = User.filter(User.id == 1)
    assert await query.values(User.id, User.org.name, shout=lower(User.email)) == [
        {"id": 1, "org__name": "north", "shout": "ann@x"}
    ]
    assert await query.values("email", "org__name", "org") == [
        {"email": "ann@x", "org__name": "north", "org": 1}
    ]
    assert await query.values_list("id", User.active) == [(1, True)]
    assert await User.order("id").values_list("id", flat=True) == [1, 2, 3, 4]
    assert await query.into(Lite) == [Lite(1, "ann@x")]
    counted = User.group(User.age).aggregate(n=count()).order("age").into(Counted)
    assert await counted == [Counted(17, 1), Counted(30, 2), Counted(45, 1)]


async def test_only_and_defer() -> None:
    """What is not read is UNSET, and left out of JSON."""
    (user,) = await User.filter(User.id == 1).only(User.email)
    assert msgspec.json.encode(user) == b'{"id":1,"email":"ann@x"}'
    (user,) = await User.filter(User.id == 1).defer("created", "note", "org", "active")
    assert msgspec.json.encode(user) == b'{"id":1,"email":"ann@x","age":30}'


async def test_aggregates_and_groups() -> None:
    """Aggregates over all rows and over groups, filtered, distinct, having."""
    whole = await User.aggregate(n=count(), s=sum_of(User.age), a=avg(User.age), m=max_of(User.age))
    assert whole == {"n": 4, "s": 122, "a": 30.5, "m": 45}
    assert type(whole["s"]) is int
    ages = await User.aggregate(d=count(User.age, distinct=True), notes=count(User.note))
    assert ages == {"d": 3, "notes": 1}
    young = await User.aggregate(n=count().filter(User.age < 31))
    assert young == {"n": 3}
    groups = User.group(User.org).aggregate(n=count(), s=sum_of(User.age)).order("org_id")
    assert await groups == [
        {"org": None, "n": 1, "s": 30},
        {"org": 1, "n": 2, "s": 47},
        {"org": 2, "n": 1, "s": 45},
    ]
    big = User.group(User.org.name).having(count() > 1).aggregate(n=count())
    assert await big == [{"org__name": "north", "n": 2}]
    posts = User.group(User.email).aggregate(n=count(User.posts.id)).order("email")
    assert [row["n"] for row in await posts] == [2, 1, 2, 0]


async def test_what_is_computed_has_a_name_in_groups() -> None:
    groups = User.group(User.active, year=trunc("year", User.created)).aggregate(n=count())
    rows = await groups.order("-n", "year")
    assert [(row["active"], row["n"]) for row in rows] == [(True, 3), (False, 1)]
    assert all(row["year"] == dt.datetime(row["year"].year, 1, 1, tzinfo=dt.UTC) for row in rows)
    tens = User.group(ten=User.age - User.age % 10).having(count() > 1).aggregate(n=count())
    assert await tens.order("ten") == [{"ten": 30, "n": 2}]
    with pytest.raises(QueryError, match="two columns are called 'n'"):
        User.group(n=User.age).aggregate(n=count())


async def test_expressions() -> None:
    """Arithmetic, functions, cases and windows."""
    row = (
        await User.filter(User.id == 1).values(
            more=User.age + 1,
            twice=User.age * 2,
            sizes=length(User.email) + 10,
            text=User.email.concat("!", 5),
            kind=case(when(User.age < 18, "minor"), default="adult"),
            org=coalesce(User.org.name, "none"),
            left=100 - User.age,
        )
    )[0]
    assert row == {
        "more": 31, "twice": 60, "sizes": 15, "text": "ann@x!5", "kind": "adult", "org": "north",
        "left": 70,
    }  # fmt: skip
    numbered = User.order("id").values_list(
        User.id, sum_of(User.age).over(partition=User.org_id, order=User.id)
    )
    assert await numbered == [(1, 30), (2, 47), (3, 45), (4, 30)]
    window = Post.values(
        Post.id, n=row_number_over()
    ).order("id")  # fmt: skip
    assert [row["n"] for row in await window] == [1, 2, 1, 1, 2]


def row_number_over() -> Any:
    from turbostar.orm import window

    return window(row_number(), partition=Post.author_id, order=Post.id)


async def test_dates() -> None:
    """Differences of moments, and moments moved."""
    day = dt.timedelta(days=1)
    row = (await User.filter(User.id == 1).values(User.created, later=User.created + day))[0]
    assert abs(row["later"] - row["created"] - day) < dt.timedelta(milliseconds=2)
    assert await User.filter(User.created > dt.datetime.now(dt.UTC) - day).count() == 4
    assert await User.filter(User.created < dt.datetime.now(dt.UTC) - day).count() == 0


async def test_subqueries() -> None:
    """Queries in conditions and columns, correlated by naming the outer model's columns."""
    authors = Post.filter(Post.likes > 4).values_list(Post.author_id)
    assert await emails(User.filter(User.id.in_(authors))) == ["ann", "cyd"]
    having = exists(Post.filter(Post.author_id == User.id, Post.likes > 4))
    assert await emails(User.filter(having)) == ["ann", "cyd"]
    assert await emails(User.filter(~having)) == ["bob", "dan"]
    most = Post.filter(Post.author_id == User.id).order("-likes").limit(1).values_list(Post.likes)
    rows = await User.order("id").values_list(User.id, scalar(most))
    assert rows == [(1, 5), (2, 0), (3, 9), (4, None)]
    older = exists(User.filter(User.age > outer(User.age)))
    assert await emails(User.exclude(older)) == ["cyd"]
    top = User.filter(User.age == scalar(User.values_list(max_of(User.age))))
    assert await emails(top) == ["cyd"]


async def test_unions() -> None:
    """Rows of several queries, with an order and a limit over all."""
    young, old = User.filter(User.age < 18), User.filter(User.age > 40)
    assert [u.id for u in await young.union(old).order("-id")] == [3, 2]
    assert await young.union(old).count() == 2
    every = User.values_list(User.age).union(User.values_list(User.age), all=True)
    assert len(await every) == 8
    assert len(await User.values_list(User.age).union(User.values_list(User.age))) == 3
    limited = User.order("id").limit(1).union(User.order("-id").limit(1)).order("id")
    assert [u.id for u in await limited] == [1, 4]
    assert [u.id for u in await User.all().except_(old, young).order("id")] == [1, 4]
    both = User.filter(User.age >= 30).intersect(User.filter(User.org_id == 1))
    assert [u.id for u in await both] == [1]
    with pytest.raises(QueryError, match="filter after limit, offset or union"):
        young.union(old).filter(User.id == 1)


async def test_common_table_expressions() -> None:
    """A named subquery joined, and a recursive one."""
    likes = cte("likes", Post.group(Post.author_id).aggregate(n=sum_of(Post.likes)))
    rich = User.join(likes, likes.author_id == User.id).filter(likes.n > 5)
    assert await rich.order("id").values_list(User.id, likes.n) == [
        (1, 6),
        (3, 18),
    ]
    assert [user.id for user in await rich.order("id")] == [1, 3]
    numbers = cte(
        "numbers",
        User.filter(User.id == 1).values(n=User.id),
        recursive=lambda numbers: User.join(numbers, User.id == numbers.n + 1).values(n=User.id),
    )
    assert await User.join(numbers, numbers.n == User.id).count() == 4


async def test_updates_and_deletes_by_query() -> None:
    """In one statement, with expressions, through relations and limits; counts come back."""
    assert await User.filter(User.id == 1).update(age=User.age + 1, note=None) == 1
    user = await User.get(1)
    assert (user.age, user.note) == (31, None)
    assert await User.filter(User.org.name == "north").update(note="n") == 2
    assert await User.order("-id").limit(1).update(note="last") == 1
    assert (await User.get(4)).note == "last"
    assert await User.filter(User.id == 4).update(org=await Org.get(2)) == 1
    assert (await User.get(4)).org_id == 2
    best = Post.filter(Post.author_id == User.id).values_list(max_of(Post.likes))
    assert await User.filter(User.id == 3).update(age=scalar(best)) == 1
    assert (await User.get(3)).age == 9
    assert await Comment.filter(Comment.post.title == "one").delete() == 2
    assert await Comment.all().delete() == 2
    with pytest.raises(QueryError, match="update takes at least one column"):
        User.all().update()
    with pytest.raises(QueryError, match="User has no field 'agee'; did you mean 'age'"):
        User.all().update(agee=3)


async def test_streams() -> None:
    """Rows one by one, in chunks, with what is to be loaded."""
    seen = [user.id async for user in User.all().order("id").stream(chunk=3)]
    assert seen == [1, 2, 3, 4]
    loaded = [len(u.posts) async for u in User.load(User.posts).order("id").stream(chunk=2)]
    assert loaded == [2, 1, 2, 0]


async def test_faults_are_named() -> None:
    """Each wrong use says what is wrong, and what would be right."""
    with pytest.raises(QueryError, match="User has no field 'emial'; did you mean 'email'"):
        User.filter(emial="x")
    with pytest.raises(QueryError, match="no look-up 'foo'"):
        User.filter(age__foo=1)
    with pytest.raises(QueryError, match="filter got False, which is no condition"):
        User.filter(False)
    with pytest.raises(QueryError, match="no truth value in Python"):
        User.filter(User.age > 3 and User.age < 5)
    with pytest.raises(QueryError, match="limit takes a number of rows"):
        User.limit(-1)
    with pytest.raises(QueryError, match=r"Org.name is not in a query of User"):
        await User.filter(Org.name == "x")
    with pytest.raises(WrongValue, match=r"User\.age takes an int, not 'x' \(str\)"):
        await User.filter(User.age > "x")  # type: ignore[operator]
    with pytest.raises(WrongValue, match="a datetime with a zone"):
        await User.filter(User.created > dt.datetime(2020, 1, 1))
    with pytest.raises(AttributeError, match="no method or scope 'fliter'"):
        _ = User.all().fliter


@pytest.mark.parametrize(
    ("options", "ids", "others"),
    [
        ([1, None], [1, 2, 4], [3]),
        ([None], [4], [1, 2, 3]),
        ([1], [1, 2], [3]),
        ([], [], [1, 2, 3, 4]),
    ],
)
async def test_none_in_a_list(options: list[Any], ids: list[int], others: list[int]) -> None:
    """None stands for NULL, however the list is given; without it NULL is in no answer."""
    for path in (User.org, User.org_id, User.org.id):
        assert [user.id for user in await User.filter(path.in_(options)).order("id")] == ids
        assert [user.id for user in await User.filter(path.not_in(options)).order("id")] == others
    for key in ("org__in", "org_id__in", "org__id__in"):
        assert [user.id for user in await User.filter(**{key: options}).order("id")] == ids
        found = await User.filter(**{key.replace("__in", "__not_in"): options}).order("id")
        assert [user.id for user in found] == others
        rest = [number for number in (1, 2, 3, 4) if number not in ids]
        assert [user.id for user in await User.exclude(**{key: options}).order("id")] == rest


async def test_none_in_a_list_of_a_relation_to_many() -> None:
    """It stands for no object at all."""
    assert await User.filter(posts__in=[3, None]).order("id").values_list("id", flat=True) == [2, 4]
    assert await User.filter(User.posts.not_in([3, None])).order("id").count() == 2
    assert await User.filter(profile__in=[None]).order("id").values_list("id", flat=True) == [2, 4]


async def test_what_a_query_shows() -> None:
    """sql, plan and explain."""
    query = User.filter(User.age > 3).limit(1)
    text, parameters = query.sql()
    assert parameters == (3, 1)
    assert '"users"."age" > ' in text
    assert "def decode(rows):" in query.plan().source
    assert "users" in (await query.explain()).lower()
    assert repr(query) == "<Query User.filter(User.age > 3).limit(1)>"


async def test_distinct_on(kind: str) -> None:
    """The first row of each value; PostgreSQL has it."""
    query = User.order("age", "-id").distinct(User.age)
    if kind == "sqlite":
        with pytest.raises(QueryError, match="needs PostgreSQL"):
            await query
    else:
        assert [user.id for user in await query] == [2, 4, 3]
        assert await query.count() == 3


async def test_names_of_results_order_them() -> None:
    """A name given to an expression is one to order by."""
    groups = User.group(User.age).aggregate(n=count()).order("-n", "age")
    assert [row["age"] for row in await groups] == [30, 17, 45]
    rows = User.values(User.id, old=User.age > 20, red=User.posts.tags.name == "red")
    assert [(r["id"], r["old"], r["red"]) for r in await rows.order("-old", "id")] == [
        (1, True, True), (3, True, True), (4, True, False), (2, False, False),
    ]  # fmt: skip


async def test_row_locks(db: Database, kind: str) -> None:
    """Another transaction's rows are skipped, or refused at once; SQLite has one writer anyway."""
    async with db.transaction():
        assert (await User.get(1, lock="update")).id == 1
        if kind == "sqlite":
            assert await User.filter(User.id == 1).lock("skip_locked").count() == 1
            return

        async def other() -> list[int]:
            with db.outside_transaction():
                free = await User.all().order("id").lock(skip_locked=True)
                with pytest.raises(LockNotAvailable):
                    await User.get(1, lock="nowait")
            return [user.id for user in free]

        assert await other() == [2, 3, 4]
    with pytest.raises(QueryError, match="there is no lock 'hard'"):
        User.all().lock("hard")


async def test_distinct_tags() -> None:
    """distinct, over a relation to many."""
    names = await Tag.filter(Tag.posts.author.email == "ann@x").order("name")
    assert [tag.name for tag in names] == ["blue", "red"]
    joined = Post.values_list(Post.tags.name).distinct().order(Post.tags.name)
    assert await joined == [(None,), ("blue",), ("red",)]


async def test_a_stream_that_is_left_is_closed_once(db: Database) -> None:
    """Also if a cycle holds it, so that Python finds all that it is made of at once."""
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    class Holder:
        rows: Any
        itself: Any

    async def emails() -> AsyncIterator[str]:
        async for user in User.all().order("id").stream(chunk=1):
            yield user.email

    for _ in range(3):
        holder = Holder()
        holder.itself, holder.rows = holder, emails()
        await anext(holder.rows)
        assert db.in_use == 1
        del holder
        gc.collect()
        await asyncio.sleep(0.1)
        assert db.in_use == 0
    assert told == []
