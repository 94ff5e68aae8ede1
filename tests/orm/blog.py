"""Models that several tests use: a blog."""

from __future__ import annotations

import datetime as dt

from turbostar.orm import (
    Col,
    Database,
    Many,
    Model,
    One,
    OptionalRef,
    Ref,
    col,
    fk,
    many,
    now,
    one,
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
    age: Col[int]
    note: Col[str | None] = None
    active: Col[bool] = True
    created: Col[dt.datetime] = col(default=now())
    org_id: Col[int | None] = None
    org: OptionalRef[Org] = fk(on_delete="cascade")
    posts: Many[Post] = reverse("author")
    profile: One[Profile] = reverse("user")


class Profile(Model, table="profiles"):
    id: Col[int] = pk()
    bio: Col[str]
    user_id: Col[int]
    user: Ref[User] = one(on_delete="cascade")


class Post(Model, table="posts"):
    id: Col[int] = pk()
    title: Col[str]
    likes: Col[int] = 0
    author_id: Col[int]
    author: Ref[User] = fk(on_delete="cascade")
    tags: Many[Tag] = many()
    comments: Many[Comment] = reverse("post")


class Tag(Model, table="tags"):
    id: Col[int] = pk()
    name: Col[str] = col(unique=True)
    posts: Many[Post] = reverse("tags")


class Comment(Model, table="comments"):
    id: Col[int] = pk()
    text: Col[str]
    post_id: Col[int]
    post: Ref[Post] = fk(on_delete="cascade")
    writer_id: Col[int | None] = None
    writer: OptionalRef[User] = fk()


MODELS = (Org, User, Profile, Post, Tag, Comment)


async def fill(db: Database) -> None:
    """Two organisations, four users, five posts, three tags, four comments."""
    await db.create_all(*MODELS)
    await Org.insert_many([{"name": "north"}, {"name": "south"}])
    await User.insert_many(
        [
            {"email": "ann@x", "age": 30, "org_id": 1, "note": "first"},
            {"email": "bob@x", "age": 17, "org_id": 1},
            {"email": "cyd@x", "age": 45, "org_id": 2, "active": False},
            {"email": "dan@x", "age": 30},
        ]
    )
    await Profile.insert_many([{"bio": "of ann", "user_id": 1}, {"bio": "of cyd", "user_id": 3}])
    await Post.insert_many(
        [
            {"title": "one", "author_id": 1, "likes": 5},
            {"title": "two", "author_id": 1, "likes": 1},
            {"title": "three", "author_id": 2},
            {"title": "four", "author_id": 3, "likes": 9},
            {"title": "five", "author_id": 3, "likes": 9},
        ]
    )
    await Tag.insert_many([{"name": "red"}, {"name": "blue"}, {"name": "unused"}])
    posts, tags = await Post.order("id"), await Tag.order("id")
    await posts[0].link(Post.tags, tags[0], tags[1])
    await posts[3].link(Post.tags, tags[0])
    await Comment.insert_many(
        [
            {"text": "nice", "post_id": 1, "writer_id": 2},
            {"text": "bad", "post_id": 1, "writer_id": 3},
            {"text": "ok", "post_id": 4, "writer_id": 1},
            {"text": "anonymous", "post_id": 4},
        ]
    )
