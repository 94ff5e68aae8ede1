"""Decoders: positional, readable, exact; and what they cost an object."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from tests.orm.blog import Comment, Post, User
from turbostar.orm.compiler.postgresql import DIALECT as POSTGRESQL
from turbostar.orm.compiler.sqlite import DIALECT as SQLITE
from turbostar.orm.plans import plan_for
from turbostar.orm.rows import decoder_of


def test_rows_become_objects_by_position() -> None:
    """Columns are decoded as their types need, in the model's order; relations are UNSET."""
    decode = plan_for(User.all().shape, SQLITE, "rows").decode
    row = (1, "a@b", 3, None, 0, "2026-01-02 03:04:05.000006+00:00", None)
    (user,) = decode([row])
    assert type(user) is User
    assert (user.id, user.email, user.active, user.note) == (1, "a@b", False, None)
    assert user.created.isoformat() == "2026-01-02T03:04:05.000006+00:00"
    assert not user.is_new
    assert user.__dict__ == {}
    assert msgspec.structs.astuple(user).count(UNSET) == 4  # three relations, and it has a row


def test_a_driver_that_gives_types_needs_no_decoding() -> None:
    """On PostgreSQL a row goes into the object as it is."""
    source = decoder_of(User.all().shape, POSTGRESQL).__turbostar_source__  # type: ignore[attr-defined]
    assert source == (
        "def decode(rows):\n"
        "    return [\n"
        "        Model0(UNSET, v0, v1, v2, v3, v4, v5, v6, UNSET, UNSET, UNSET)\n"
        "        for v0, v1, v2, v3, v4, v5, v6 in rows\n"
        "    ]\n"
    )


def test_joined_rows_nest() -> None:
    """An object of a joined relation is made where its key is there, else None."""
    decode = plan_for(
        Comment.load("post.author", "writer", joined=True).shape, POSTGRESQL, "rows"
    ).decode
    post, author = (5, "t", 0, 7), (7, "a", 1, None, True, "now", None)
    (one, two) = decode(
        [
            (1, "c", 5, 7, *post, *author, *author),
            (2, "d", 5, None, *post, *author, *([None] * 7)),
        ]
    )
    assert (one.post.id, one.post.author.id, one.writer.id) == (5, 7, 7)
    assert two.writer is None
    assert two.post.author.email == "a"


def test_tracebacks_show_the_generated_line() -> None:
    """What fails in generated code is seen there."""
    decode = plan_for(User.all().shape, SQLITE, "rows").decode
    with pytest.raises(ValueError, match="Invalid isoformat") as failed:
        decode([(1, "a", 3, None, 1, "no date", None)])
    shown = "".join(traceback.format_exception(failed.value))
    assert "Model0(UNSET, v0, v1" in shown
    assert "<turbostar.orm rows of User" in shown


def test_constants_never_stand_in_the_source() -> None:
    """Names from outside go into generated code as literals."""
    evil = "x'] + __import__('os').system('false') + ['"
    query = Post.values(**{evil: Post.id})
    assert plan_for(query.shape, POSTGRESQL, "rows").decode([(3,)]) == [{evil: 3}]


def test_two_threads_may_compile_at_once() -> None:
    """Making a plan in two threads gives plans that do the same."""

    async def both() -> list[Any]:
        def made() -> Any:
            query = User.filter(User.age > 1).order(User.email)
            return plan_for(query.shape, SQLITE, "rows").statement.sql

        return await asyncio.gather(*(asyncio.to_thread(made) for _ in range(20)))

    assert len(set(asyncio.run(both()))) == 1
