"""Endpoints and dispatch functions that read the request's body, in all ways."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from tests.differential.part import dispatch, endpoint
from tests.differential.world import World


async def stream(world: World, who: str, request: Any) -> bytes:
    parts = []
    async with aclosing(request.stream()) as pieces:
        async for piece in pieces:
            world.tell(who, "piece", piece)
            parts.append(piece)
    return b"".join(parts)


async def part_of_stream(world: World, who: str, request: Any) -> bytes:
    async with aclosing(request.stream()) as pieces:
        async for piece in pieces:
            world.tell(who, "piece", piece)
            return piece
    return b"none"


async def by_hand(world: World, who: str, request: Any) -> bytes:
    body = b""
    while True:
        message = await request.receive()
        world.tell(who, dict(message))
        if message["type"] == "http.disconnect":
            return b"gone"
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def body(world: World, who: str, request: Any) -> bytes:
    return await request.body()


async def body_twice(world: World, who: str, request: Any) -> bytes:
    first = await request.body()
    world.tell(who, first is await request.body())
    return first


async def body_then_stream(world: World, who: str, request: Any) -> bytes:
    return await request.body() + b"|" + await stream(world, who, request)


async def stream_then_body(world: World, who: str, request: Any) -> bytes:
    return await stream(world, who, request) + b"|" + await request.body()


async def json(world: World, who: str, request: Any) -> bytes:
    return repr((await request.json(), await request.json())).encode()


async def form(world: World, who: str, request: Any) -> bytes:
    async with request.form() as data:
        return repr(data.multi_items()).encode()


async def json_then_form(world: World, who: str, request: Any) -> bytes:
    try:
        return await json(world, who, request)
    except ValueError as exc:
        world.tell(who, type(exc).__name__)
    return await form(world, who, request)


async def another_request(world: World, who: str, request: Any) -> bytes:
    """By an object of one's own, as helpers do that are given scope and receive."""
    return await world.ns.Request(request.scope, request.receive).body()


async def disconnected(world: World, who: str, request: Any) -> bytes:
    return str(await request.is_disconnected()).encode()


async def disconnected_then_body(world: World, who: str, request: Any) -> bytes:
    first = await request.is_disconnected()
    found = await request.body()
    return found + str((first, await request.is_disconnected())).encode()


async def body_then_disconnected(world: World, who: str, request: Any) -> bytes:
    found = await request.body()
    return found + str((await request.is_disconnected(), await request.is_disconnected())).encode()


WAYS = (
    *(body, body_twice, stream, part_of_stream, by_hand, body_then_stream, stream_then_body),
    *(json, form, json_then_form, another_request, disconnected, disconnected_then_body),
    body_then_disconnected,
)


def reads(way: Any) -> Any:
    """An endpoint that answers what it has read."""

    async def answer(world: World, request: Any) -> Any:
        return world.ns.Response(await way(world, "endpoint", request))

    answer.__name__ = f"reads_{way.__name__}"
    return endpoint(answer)


def before(way: Any) -> Any:
    """A dispatch function that reads before it calls on."""

    async def first(world: World, who: str, request: Any, call_next: Any) -> Any:
        world.tell(who, "read", await way(world, who, request))
        response = await call_next(request)
        response.headers["x-read"] = str(hasattr(request, "_body"))
        return response

    first.__name__ = f"before_{way.__name__}"
    return dispatch(first)


def after(way: Any) -> Any:
    """A dispatch function that reads when what is below is done."""

    async def last(world: World, who: str, request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        world.tell(who, "read", await way(world, who, request))
        return response

    last.__name__ = f"after_{way.__name__}"
    return dispatch(last)


def caught(way: Any) -> Any:
    """Reads, and goes on whatever comes of it."""

    async def attempt(world: World, who: str, request: Any, call_next: Any) -> Any:
        try:
            world.tell(who, "read", await way(world, who, request))
        except Exception as exc:
            world.tell(who, exc)
        return await call_next(request)

    attempt.__name__ = f"caught_{way.__name__}"
    return dispatch(attempt)


READS = tuple(map(reads, WAYS))
BEFORE = tuple(map(before, WAYS))
AFTER = tuple(map(after, WAYS))
CAUGHT = tuple(map(caught, WAYS))
