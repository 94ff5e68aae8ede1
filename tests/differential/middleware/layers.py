"""Pure ASGI middleware that wraps `send`, `receive`, both or neither."""

from __future__ import annotations

from typing import Any

import anyio

from tests.differential.endpoints import Boom
from tests.differential.part import Part, layer
from tests.differential.world import World


@layer
async def neither(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, send)


@layer
async def sends(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def sending(message: Any) -> None:
        world.tell(who, "sending", message["type"], list(message), message.get("more_body"))
        await send(message)
        if message.get("more_body", True):
            # A stream may be cancelled as soon as its end is sent, or not.
            world.tell(who, "sent")

    await app(scope, receive, sending)


@layer
async def receives(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def receiving() -> Any:
        message = await receive()
        world.tell(who, "received", message["type"], message.get("body"))
        return message

    await app(scope, receiving, send)


@layer
async def both(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def receiving() -> Any:
        return dict(await receive())

    async def sending(message: Any) -> None:
        await send(dict(message))

    await app(scope, receiving, sending)


@layer
async def marks(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Adds to the very list that it is sent."""

    async def sending(message: Any) -> None:
        if isinstance(message.get("headers"), list):
            message["headers"].append((b"x-mark", who.encode()))
        await send(message)

    await app(scope, receive, sending)


@layer
async def exchanges(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Sends other messages than it is sent."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message.get("headers", ()) if name != b"x"]
            headers = [pair for pair in headers if pair[0] != b"content-length"]
            message = {**message, "status": 299, "headers": headers}
        elif message["type"] == "http.response.body":
            message = {**message, "body": bytes(message.get("body", b"")).upper()}
        await send(message)

    await app(scope, receive, sending)


@layer
async def collects(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Sends only when it has had all."""
    kept: list[Any] = []

    async def sending(message: Any) -> None:
        kept.append(message)
        if message["type"].endswith("body") and not message.get("more_body", False):
            world.tell(who, "has had all")
            for one in kept:
                await send(one)

    await app(scope, receive, sending)


@layer
async def copies(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """What is set in the scope below does not come back."""
    await app({**scope, "copied": who}, receive, send)
    world.tell(who, list(scope))


@layer
async def pausing(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    async def receiving() -> Any:
        await anyio.lowlevel.checkpoint()
        return await receive()

    async def sending(message: Any) -> None:
        await anyio.lowlevel.checkpoint()
        await send(message)

    await app(scope, receiving, sending)
    await anyio.lowlevel.checkpoint()


@layer
async def in_task(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Runs what is below in a task of its own."""
    async with anyio.create_task_group() as group:
        group.start_soon(app, scope, receive, send)


@layer
async def in_scope(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    with anyio.CancelScope() as cancelling:
        await app(scope, receive, send)
    world.tell(who, cancelling.cancel_called)


@layer
async def answers_some(
    world: World, who: str, app: Any, scope: Any, receive: Any, send: Any
) -> None:
    if scope.get("query_string") == b"short":
        await world.ns.PlainTextResponse("short", 299)(scope, receive, send)
    else:
        await app(scope, receive, send)


@layer
async def swallows(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    try:
        await app(scope, receive, send)
    except Exception as exc:
        world.tell(who, "swallowed", exc)


@layer
async def raises_late(
    world: World, who: str, app: Any, scope: Any, receive: Any, send: Any
) -> None:
    await app(scope, receive, send)
    if scope.get("query_string") == b"late":
        raise Boom("after the answer")


@layer
async def reads_body(world: World, who: str, app: Any, scope: Any, receive: Any, send: Any) -> None:
    """Takes the first message of the body, and gives it to whoever asks first."""
    kept = [await receive()] if scope["type"] == "http" else []

    async def receiving() -> Any:
        return kept.pop() if kept else await receive()

    await app(scope, receiving, send)


def _function(world: World, who: str) -> Any:
    def make(app: Any) -> Any:
        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            world.tell(who, scope["type"], list(scope))
            await app(scope, receive, send)

        return middleware

    return world.ns.Middleware(make)


a_function = Part("a_function", _function, kind="layer")


def _transparent(world: World, who: str) -> Any:
    """A factory that makes nothing: what is below is as if it were not there."""
    return world.ns.Middleware(lambda app: app)


transparent = Part("transparent", _transparent, kind="layer")

#: They let pass all that comes, in its order.
GENTLE = (
    *(neither, sends, receives, both, marks, exchanges, copies, pausing, in_scope, a_function),
    *(transparent, answers_some),
)
LAYERS = (*GENTLE, collects, in_task, swallows, raises_late, reads_body)
