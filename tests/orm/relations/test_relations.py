"""Relations: loading in all ways, links, peers, and the error of what was not loaded."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from tests.orm.blog import Comment, Org, Post, Profile, Tag, User, fill
from turbostar.orm import (
    Col,
    Database,
    ForeignKeyViolation,
    Many,
    Model,
    ModelError,
    NotLoaded,
    OptionalRef,
    QueryError,
    Ref,
    UniqueViolation,
    col,
    fk,
    many,
    pk,
    reverse,
    table,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def blog(db: Database) -> None:
    await fill(db)


async def test_what_was_not_loaded_says_so() -> None:
    """Touching it is a clear error, and JSON leaves it out."""
    user = await User.get(1)
    with pytest.raises(NotLoaded, match=r"User.posts was not loaded; say .load\(User.posts\)"):
        _ = user.posts
    with pytest.raises(NotLoaded, match=r"User.org was not loaded"):
        _ = user.org
    assert set(msgspec.json.decode(msgspec.json.encode(user))) == {
        "id", "email", "age", "note", "active", "created", "org_id",
    }  # fmt: skip


async def test_load_takes_one_query_for_each_relation(db: Database) -> None:
    """To one, to many, one to one and many to many, nested, whatever the number of rows."""
    with db.expect(max_queries=9) as counter:
        users = await User.order("id").load(
            User.org, User.profile, User.posts.tags, "posts.comments.writer"
        )
    assert counter.count == 8  # users, orgs, profiles, posts, between, tags, comments, writers
    ann, bob, cyd, dan = users
    assert ann.org is not None
    assert ann.org.name == "north"
    assert dan.org is None
    assert bob.profile is None
    assert cyd.profile is not None
    assert cyd.profile.bio == "of cyd"
    assert [post.title for post in ann.posts] == ["one", "two"]
    assert dan.posts == []
    assert [tag.name for tag in ann.posts[0].tags] == ["red", "blue"]
    assert [c.text for c in ann.posts[0].comments] == ["nice", "bad"]
    writer = cyd.posts[0].comments[0].writer
    assert writer is not None
    assert writer.email == "ann@x"
    assert cyd.posts[0].comments[1].writer is None
    encoded = msgspec.json.decode(msgspec.json.encode(ann))
    assert encoded["posts"][0]["tags"][1] == {"id": 2, "name": "blue"}


async def test_joined_load_takes_one_query(db: Database) -> None:
    """Relations to one, also of relations, and the way back of a one to one."""
    with db.expect(max_queries=1):
        comments = await Comment.order("id").load("post.author.org", Comment.writer, joined=True)
    assert [c.post.author.email for c in comments] == ["ann@x", "ann@x", "cyd@x", "cyd@x"]
    assert comments[0].post.author.org is not None
    assert comments[0].post.author.org.name == "north"
    assert comments[3].writer is None
    with db.expect(max_queries=1):
        users = await User.order("id").load(User.profile, joined=True)
    assert [u.profile and u.profile.bio for u in users] == ["of ann", None, "of cyd", None]
    with pytest.raises(QueryError, match=r"User.posts is to many"):
        User.load(User.posts, joined=True)


async def test_part_of_a_relation() -> None:
    """A filter and an order of what is loaded."""
    some = User.posts.filter(Post.likes > 1).order("-id")
    users = await User.order("id").load(some)
    assert [[post.title for post in user.posts] for user in users] == [
        ["one"], [], ["five", "four"], [],
    ]  # fmt: skip
    with pytest.raises(QueryError, match="a limit would be one for all"):
        await User.load(User.posts.limit(1))
    only = await User.filter(User.id == 1).load(User.posts.only(Post.title))
    assert [post.title for post in only[0].posts] == ["one", "two"]


async def test_fetch_and_peers(db: Database) -> None:
    """fetch loads for one object; for all of a result at once, if its query said peers."""
    user = await User.get(1)
    await user.fetch(User.posts, User.org)
    assert len(user.posts) == 2
    users = await User.order("id").peers()
    with db.expect(max_queries=2) as counter:
        for each in users:
            await each.fetch(User.posts.comments)
    assert counter.count == 2
    assert [len(each.posts) for each in users] == [2, 1, 2, 0]
    assert len(users[0].posts[0].comments) == 2
    plain = await User.order("id")
    with db.expect(max_queries=4) as counter:
        for each in plain:
            await each.fetch(User.posts)
    assert counter.count == 4


async def test_setting_a_relation_sets_its_key() -> None:
    """On construction at the insert, on an instance at once."""
    south = await Org.get(2)
    user = await User.create(email="eve@x", age=1, org=south)
    assert user.org_id == 2
    assert user.org is south
    user.org = None
    assert user.org_id is None
    assert user.changed == {"org_id"}
    await user.save()
    assert (await User.get(user.id)).org_id is None
    with pytest.raises(TypeError, match=r"User.org takes a Org"):
        user.org = user  # type: ignore[assignment]
    unsaved = Org(name="new")
    from turbostar.orm import OrmError

    with pytest.raises(OrmError, match="save it first"):
        await User.create(email="fay@x", age=1, org=unsaved)


async def test_links() -> None:
    """Many to many: link twice is once, unlink takes away, all or some."""
    post, (red, blue, unused) = await Post.get(2), await Tag.order("id")
    await post.link(Post.tags, red, unused)
    await post.link(Post.tags, red, blue.id)
    await post.fetch(Post.tags)
    assert [tag.name for tag in post.tags] == ["red", "blue", "unused"]
    await post.unlink(Post.tags, blue)
    await post.fetch(Post.tags)
    assert [tag.name for tag in post.tags] == ["red", "unused"]
    await post.unlink(Post.tags)
    assert await Tag.filter(Tag.posts == post).count() == 0
    await red.link(Tag.posts, post)
    assert await Post.filter(Post.tags == red).order("id").values_list("id", flat=True) == [1, 2, 4]
    with pytest.raises(QueryError, match=r"Post.comments is not many to many"):
        await post.link(Post.comments, red)


async def test_conditions_on_relations() -> None:
    """By object, key, list of objects, existence."""
    ann = await User.get(1)
    assert await Post.filter(Post.author == ann).count() == 2
    assert await Post.filter(author=ann).count() == 2
    assert await Post.filter(author=1).count() == 2
    assert await Post.filter(author__in=[ann, 2]).count() == 3
    assert await User.filter(User.profile != None).count() == 2  # noqa: E711
    assert await User.filter(User.profile == None).count() == 2  # noqa: E711
    assert await User.filter(User.posts == None).count() == 1  # noqa: E711
    assert await User.exclude(User.posts.likes > 4).order("id").values_list("id", flat=True) == [
        2,
        4,
    ]
    assert await Post.filter(Post.tags.name == "red", Post.author.org.name == "south").count() == 1


async def test_actions_of_foreign_keys() -> None:
    """on_delete is the database's."""
    await User.filter(User.id == 1).update(note="x")
    with pytest.raises(ForeignKeyViolation):
        await Post.create(title="x", author_id=99)
    with pytest.raises(ForeignKeyViolation):
        await User.filter(User.id == 3).delete()  # a comment on a post that stays names its writer
    await Comment.all().delete()
    assert await User.filter(User.id == 3).delete() == 1
    assert await Post.filter(Post.author_id == 3).count() == 0
    with pytest.raises(UniqueViolation):
        await Profile.create(bio="second", user_id=1)


class Person(Model, table="people"):
    id: Col[int] = pk()
    name: Col[str]
    boss_id: Col[int | None] = None
    boss: OptionalRef[Person] = fk(on_delete="set null")
    team: Many[Person] = reverse("boss")
    groups: Many[Group] = many(through="Membership")


class Group(Model, table="groups"):
    id: Col[int] = pk()
    name: Col[str]
    people: Many[Person] = reverse("groups")


class Membership(Model, table="memberships"):
    id: Col[int] = pk()
    person_id: Col[int]
    person: Ref[Person] = fk(on_delete="cascade")
    group_id: Col[int]
    group: Ref[Group] = fk(on_delete="cascade")
    role: Col[str] = "member"


async def test_relations_to_itself_and_through_a_model(db: Database) -> None:
    """A tree in one table; a table between with columns of its own."""
    await db.create_all(Person, Group, Membership)
    top = await Person.create(name="top")
    mid = await Person.create(name="mid", boss=top)
    await Person.create(name="low", boss=mid)
    (found,) = await Person.filter(Person.boss == None).load("team.team")  # noqa: E711
    assert found.team[0].team[0].name == "low"
    assert await Person.filter(Person.boss.boss.name == "top").values_list("name", flat=True) == [
        "low"
    ]
    assert await Person.filter(Person.team.team.name == "low").count() == 1
    chief = await Group.create(name="chiefs")
    await Membership.create(person=top, group=chief, role="chair")
    (loaded,) = await Group.load(Group.people)
    assert loaded.people == [top]
    assert await Person.filter(Person.groups.name == "chiefs").count() == 1
    await Person.filter(Person.id == mid.id).delete()
    assert (await Person.get(name="low")).boss_id is None


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The models of the test are not known after it, so that no other create_all meets them."""
    yield
    table._models.pop("Lost")


@pytest.mark.usefixtures("forgotten")
async def test_wrong_relations_are_explained() -> None:
    """An unknown model, an unknown foreign key, the wrong one."""

    class Lost(Model, table="lost"):
        id: Col[int] = pk()
        away: Ref[Nowhere] = fk()  # type: ignore[name-defined]  # noqa: F821
        posts: Many[Post] = reverse("auhtor")
        comments: Many[Comment] = reverse("post")

    with pytest.raises(ModelError, match=r"Lost.away: there is no model 'Nowhere'"):
        _ = Lost.away.id
    with pytest.raises(ModelError, match="Post has no foreign key 'auhtor'; it has author"):
        Lost.filter(Lost.posts.title == "x").sql()
    with pytest.raises(ModelError, match="leads to Post, not to Lost"):
        Lost.filter(Lost.comments.text == "x").sql()
    with pytest.raises(ModelError, match=r"many\(\) is annotated with Many"):

        class Wrong(Model, table="wrong"):
            id: Col[int] = pk()
            posts: Ref[Post] = many()

    with pytest.raises(QueryError, match="Post has no field 'titel'; did you mean 'title'"):
        _ = User.posts.titel


class Course(Model, table="courses"):
    id: Col[int] = pk()
    name: Col[str]


class Student(Model, table="students"):
    id: Col[int] = pk()
    courses: Many[Course] = many(through="Enrolment")


class Enrolment(Model, table="enrolments"):
    """Nothing keeps the same pair from being there twice."""

    id: Col[int] = pk()
    grade: Col[int | None] = col(default=None)
    student_id: Col[int]
    student: Ref[Student] = fk(on_delete="cascade")
    course_id: Col[int]
    course: Ref[Course] = fk(on_delete="cascade")


async def test_links_through_a_model_without_a_key_of_both(db: Database) -> None:
    """There is no constraint to tell of a conflict; what is linked already stays all the same."""
    await db.create_all(Course, Student, Enrolment)
    student = await Student.create()
    art, maths = await Course.create(name="art"), await Course.create(name="maths")
    await Enrolment.create(student=student, course=art, grade=1)
    await student.link(Student.courses, art, maths, maths, maths.id)
    await student.link(Student.courses, maths)
    rows = await Enrolment.order("id").values_list("course_id", "grade")
    assert rows == [(art.id, 1), (maths.id, None)]
    await student.fetch(Student.courses)
    assert sorted(course.name for course in student.courses) == ["art", "maths"]
    await student.unlink(Student.courses, art)
    assert await Enrolment.filter().count() == 1


class Seat(Model, table="seats"):
    row: Col[int] = col(primary_key=True)
    number: Col[int] = col(primary_key=True)


class Ticket(Model, table="tickets"):
    id: Col[int] = pk()
    row: Col[int]
    number: Col[int]
    seat: Ref[Seat] = fk(column=("row", "number"))


async def test_in_of_a_key_of_two(db: Database) -> None:
    """One of no objects is none, too: it must not be left out of what is deleted."""
    await db.create_all(Seat, Ticket)
    seats = [await Seat.create(row=1, number=n) for n in (1, 2)]
    for seat in seats:
        await Ticket.create(seat=seat)
    assert await Ticket.filter(Ticket.seat.in_([])).count() == 0
    assert await Ticket.filter(Ticket.seat.in_([])).delete() == 0
    assert await Ticket.exclude(Ticket.seat.in_([])).count() == 2
    assert await Ticket.filter(Ticket.seat.in_([seats[1], (3, 3)])).count() == 1
    with pytest.raises(QueryError, match="has a key of 2 columns"):
        Ticket.seat.in_(Seat.all())
    with pytest.raises(QueryError, match="in_ takes several values"):
        Ticket.seat.in_(5)


async def test_a_name_that_is_not_there_may_be_asked_for() -> None:
    """As tracebacks and debuggers do, of whatever stands in a frame."""
    assert not hasattr(Ticket.seat, "colour")
    with pytest.raises(QueryError, match="Seat has no field 'colour'"):
        _ = Ticket.seat.colour
