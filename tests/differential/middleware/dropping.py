"""Dispatch functions that answer in another way than what is below them, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.exceptions import HTTPException

from tests.differential.endpoints import Boom
from tests.differential.part import dispatch
from tests.differential.world import World


@dispatch
async def failing_background(world: World, who: str, request: Any, call_next: Any) -> Any:
    async def after() -> None:
        raise Boom("in the middleware's own task")

    response = await call_next(request)
    response.background = world.ns.BackgroundTask(after)
    return response


@dispatch
async def drops(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Answers something else, and what `call_next` gave is never asked for its body."""
    response = await call_next(request)
    return world.ns.PlainTextResponse(f"instead of {response.status_code}", 203)


@dispatch
async def drops_after_reading(world: World, who: str, request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    pieces = [piece async for piece in response.body_iterator]
    world.tell(who, pieces, [type(piece).__name__ for piece in pieces])
    body = b"".join(bytes(piece) for piece in pieces if not isinstance(piece, dict))
    headers = {"x-read": str(len(body))}
    return world.ns.Response(body.upper(), response.status_code, headers)


@dispatch
async def answers(world: World, who: str, request: Any, call_next: Any) -> Any:
    return world.ns.PlainTextResponse("by the middleware", headers={"x-by": who})


@dispatch
async def answers_twice(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Of two requests in a row, one never reaches the endpoint."""
    world.kept["count"] = world.kept.get("count", 0) + 1
    if world.kept["count"] % 2:
        return world.ns.PlainTextResponse("short")
    return await call_next(request)


@dispatch
async def replaces_body(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Another iterator; what was there is never asked."""

    class Pieces:
        def __init__(self) -> None:
            self.left = [b"a", b"", b"b"]

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    response = await call_next(request)
    response.body_iterator = Pieces()
    return response


@dispatch
async def replaces_body_by_list(world: World, who: str, request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    response.body_iterator = [b"a"]
    return response


@dispatch
async def replaces_body_by_text(world: World, who: str, request: Any, call_next: Any) -> Any:
    async def texts() -> AsyncIterator[Any]:
        yield "text"
        yield memoryview(b"view")
        yield {"type": "http.response.body", "body": b"message", "more_body": True}

    response = await call_next(request)
    response.body_iterator = texts()
    return response


@dispatch
async def reads_and_returns(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Reads the body to its end, and returns the response it was of."""
    response = await call_next(request)
    world.tell(who, [piece async for piece in response.body_iterator])
    world.tell(who, [piece async for piece in response.body_iterator])
    return response


@dispatch
async def reads_one_piece(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Takes one piece and returns the response with the rest."""
    response = await call_next(request)
    async for piece in response.body_iterator:
        world.tell(who, piece)
        break
    return response


@dispatch
async def closes_body(world: World, who: str, request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    await response.body_iterator.aclose()
    return response


@dispatch
async def closes_body_later(world: World, who: str, request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    world.tell(who, await anext(response.body_iterator, "none"))
    await response.body_iterator.aclose()
    world.tell(who, await anext(response.body_iterator, "none"))
    return world.ns.PlainTextResponse("closed")


@dispatch
async def returns_asgi(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Any ASGI callable will do for a response."""
    response = await call_next(request)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        world.tell(who, scope is request.scope, send is request._send)
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await response(scope, receive, send)

    return application


@dispatch
async def returns_subclass(world: World, who: str, request: Any, call_next: Any) -> Any:
    class Own(world.ns.Response):  # type: ignore[misc, name-defined]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            world.tell(who, "own call")
            await super().__call__(scope, receive, send)
            world.tell(who, "own call is over")

    response = await call_next(request)
    return Own(b"own", response.status_code, dict(response.headers))


@dispatch
async def returns_none(world: World, who: str, request: Any, call_next: Any) -> Any:
    await call_next(request)


@dispatch
async def returns_tuple(world: World, who: str, request: Any, call_next: Any) -> Any:
    return await call_next(request), 200


@dispatch
async def returns_other_kinds(world: World, who: str, request: Any, call_next: Any) -> Any:
    """A response that streams, in the place of whatever it was."""

    async def content() -> AsyncIterator[bytes]:
        world.tell(who, "streams")
        yield b"streamed"

    await call_next(request)
    return world.ns.StreamingResponse(content(), headers={"x-streamed": "1"})


@dispatch
async def raises_before(world: World, who: str, request: Any, call_next: Any) -> Any:
    raise Boom("before")


@dispatch
async def raises_after(world: World, who: str, request: Any, call_next: Any) -> Any:
    await call_next(request)
    raise Boom("after")


@dispatch
async def raises_http_before(world: World, who: str, request: Any, call_next: Any) -> Any:
    raise HTTPException(403, "not you")


@dispatch
async def raises_http_after(world: World, who: str, request: Any, call_next: Any) -> Any:
    await call_next(request)
    raise HTTPException(403, "not that")


@dispatch
async def swallows_and_calls_again(world: World, who: str, request: Any, call_next: Any) -> Any:
    with contextlib.suppress(Exception):
        return await call_next(request)
    return await call_next(request)


@dispatch
async def changes_path(world: World, who: str, request: Any, call_next: Any) -> Any:
    request.scope["path"] = "/nowhere"
    response = await call_next(request)
    world.tell(who, str(request.url), request.scope["path"])
    return response
