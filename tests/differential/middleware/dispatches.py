"""Dispatch functions: what a middleware does before, with and after `call_next`."""

from __future__ import annotations

import contextlib
import inspect
import pickle
from collections.abc import AsyncIterator
from typing import Any

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tests.differential.endpoints import attempt
from tests.differential.middleware.dropping import (
    answers,
    answers_twice,
    changes_path,
    closes_body,
    closes_body_later,
    drops,
    drops_after_reading,
    failing_background,
    raises_after,
    raises_before,
    raises_http_after,
    raises_http_before,
    reads_and_returns,
    reads_one_piece,
    replaces_body,
    replaces_body_by_list,
    replaces_body_by_text,
    returns_asgi,
    returns_none,
    returns_other_kinds,
    returns_subclass,
    returns_tuple,
    swallows_and_calls_again,
)
from tests.differential.part import dispatch
from tests.differential.world import World


@dispatch
async def header(world: World, who: str, request: Any, call_next: Any) -> Any:
    response = await call_next(request)
    world.tell(who, "after", response.status_code)
    response.headers["x-" + who.replace(" ", "-")] = "1"
    return response


@dispatch
async def untouched(world: World, who: str, request: Any, call_next: Any) -> Any:
    return await call_next(request)


@dispatch
async def looks(world: World, who: str, request: Any, call_next: Any) -> Any:
    """All that can be seen of the request, of `call_next` and of what it returns."""
    world.tell(who, type(request).__name__, isinstance(request, Request), request.method)
    world.tell(who, inspect.iscoroutinefunction(call_next), callable(call_next))
    world.tell(who, list(request.scope), str(request.url), dict(request.headers))
    response = await call_next(request)
    world.tell(who, list(request.scope), response.status_code, list(response.raw_headers))
    world.tell(who, type(response).__name__, isinstance(response, Response))
    world.tell(who, type(response).__mro__[1].__name__, response.charset)
    for name in ("body", "body_iterator", "info", "path", "render"):
        world.tell(who, name, hasattr(response, name))
    public = sorted(name for name in vars(response) if not name.startswith("_"))
    world.tell(who, response.background, response.media_type, public)
    world.tell(who, response.headers is response.headers)
    world.tell(who, pickle.loads(pickle.dumps(response.headers)).items())
    world.tell(who, getattr(response, "info", None), type(response.raw_headers).__name__)
    world.tell(who, type(response.body_iterator).__name__)
    return response


@dispatch
async def changes(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Whatever a response lets one change."""
    response = await call_next(request)
    response.status_code += 1
    response.media_type = "text/changed"
    response.set_cookie("k", "v", httponly=True)
    response.set_cookie("k2", max_age=7, samesite=None)
    response.raw_headers.append((b"X-Raw", b"1"))
    response.headers["x-set"] = "1"
    response.headers.append("x-set", "2")
    response.headers.setdefault("vary", "X-B")
    response.headers.add_vary_header("X-C")
    if "content-length" in response.headers:
        del response.headers["content-length"]
    world.tell(who, response.headers.items())
    return response


@dispatch
async def new_headers(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Other lists of headers, one by one."""
    response = await call_next(request)
    old, response.raw_headers = response.raw_headers, [(b"x-new", b"1")]
    response.headers["x-newer"] = "1"
    response.init_headers({"x-newest": "1"})
    response.raw_headers.extend(old)
    world.tell(who, response.headers.items(), response.raw_headers)
    return response


@dispatch
async def background(world: World, who: str, request: Any, call_next: Any) -> Any:
    async def after(text: str) -> None:
        world.tell(who, text, response.headers.items())

    response = await call_next(request)
    response.background = world.ns.BackgroundTask(after, "own task")
    return response


@dispatch
async def drops_for_stream(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Streams on what it is given, through an iterator of its own."""

    async def on() -> AsyncIterator[Any]:
        async for piece in response.body_iterator:
            world.tell(f"{who} stream", piece)
            if not isinstance(piece, dict):
                yield bytes(piece) + b"|"

    response = await call_next(request)
    headers = {key: value for key, value in response.headers.items() if key != "content-length"}
    return world.ns.StreamingResponse(on(), response.status_code, headers)


@dispatch
async def wraps_body(world: World, who: str, request: Any, call_next: Any) -> Any:
    async def wrapped(inner: Any) -> AsyncIterator[Any]:
        yield b"<"
        async for piece in inner:
            world.tell(f"{who} stream", type(piece).__name__, piece)
            yield piece
        yield b">"

    response = await call_next(request)
    response.body_iterator = wrapped(response.body_iterator)
    response.headers["content-length"] = "0"
    return response


@dispatch
async def calls_response(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Sends the response itself, and returns one that sends nothing."""

    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        world.tell(who, "nothing more")

    async def sending(message: Any) -> None:
        world.tell(f"{who} stream", "sends", message["type"])
        await request._send(message)

    response = await call_next(request)
    await response(request.scope, request.receive, sending)
    return nothing


@dispatch
async def swallows(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        return await call_next(request)
    except Exception as exc:
        world.tell(who, "swallowed", exc)
    return world.ns.PlainTextResponse("swallowed", 500)


@dispatch
async def translates(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        return await call_next(request)
    except Exception as exc:
        raise HTTPException(502, "translated") from exc


@dispatch
async def fails_while_handling(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        return await call_next(request)
    except Exception:
        raise LookupError("while handling")  # noqa: B904


@dispatch
async def raises_again(world: World, who: str, request: Any, call_next: Any) -> Any:
    try:
        return await call_next(request)
    except Exception as exc:
        world.tell(who, "again", exc)
        raise exc


@dispatch
async def finally_(world: World, who: str, request: Any, call_next: Any) -> Any:
    with contextlib.ExitStack() as stack:
        stack.callback(world.tell, who, "cleaned up")
        try:
            return await call_next(request)
        finally:
            world.tell(who, "finally", attempt(lambda: request.scope["path"]))


@dispatch
async def in_context(world: World, who: str, request: Any, call_next: Any) -> Any:
    @contextlib.asynccontextmanager
    async def context() -> AsyncIterator[None]:
        world.tell(who, "enter")
        try:
            yield
        except Exception as exc:
            world.tell(who, "seen", exc)
            raise
        else:
            world.tell(who, "well")
        finally:
            world.tell(who, "exit")

    async with context():
        return await call_next(request)


@dispatch
async def in_helper(world: World, who: str, request: Any, call_next: Any) -> Any:
    """`call_next` is handed on, and its coroutine awaited later than it was made."""

    async def helper(call: Any) -> Any:
        coroutine = call(request=request)
        world.tell(who, "made", inspect.iscoroutine(coroutine))
        await anyio.lowlevel.checkpoint()
        world.tell(who, "awaited")
        return await coroutine

    return await helper(call_next)


@dispatch
async def wrong_argument(world: World, who: str, request: Any, call_next: Any) -> Any:
    """What `call_next` is given makes no difference."""
    other = world.ns.Request({**request.scope, "path": "/elsewhere"})
    responses = await call_next(other)
    world.tell(who, request.scope["path"], attempt(lambda: call_next()))
    return responses


@dispatch
async def call_with_none(world: World, who: str, request: Any, call_next: Any) -> Any:
    return await call_next(None)


@dispatch
async def changes_scope(world: World, who: str, request: Any, call_next: Any) -> Any:
    """Both see the same scope, before and after."""
    request.scope["given"] = who
    request.state.given = who
    request.scope["headers"] = [*request.scope["headers"], (b"x-given", b"1")]
    response = await call_next(request)
    world.tell(who, request.scope.get("written"), request.scope.get("state"))
    response.headers["x-written"] = str(getattr(request.state, "written", None))
    return response


@dispatch
async def sends_itself(world: World, who: str, request: Any, call_next: Any) -> Any:
    """A hint of its own, before that of the endpoint."""
    await request._send({"type": "http.response.early_hint", "links": [who.encode()]})
    return await call_next(request)


@dispatch
async def pauses(world: World, who: str, request: Any, call_next: Any) -> Any:
    await anyio.lowlevel.checkpoint()
    response = await call_next(request)
    await anyio.lowlevel.checkpoint()
    return response


#: They hand on what they are given, changed or not.
PASSING = (
    *(header, untouched, looks, changes, new_headers, background, wraps_body, drops_for_stream),
    *(finally_, in_context, in_helper, wrong_argument, call_with_none, changes_scope, pauses),
    *(calls_response, sends_itself, translates, fails_while_handling, raises_again, swallows),
)
#: They answer in another way, or not at all.
DROPPING = (
    *(drops, drops_after_reading, answers, answers_twice, returns_subclass, returns_none),
    *(returns_tuple, returns_other_kinds, replaces_body, replaces_body_by_list),
    *(replaces_body_by_text, reads_and_returns, reads_one_piece, closes_body, closes_body_later),
    *(returns_asgi, raises_before, raises_after, raises_http_before, raises_http_after),
    *(failing_background, changes_path, swallows_and_calls_again),
)
#: They leave part of the body unread, so how much of a stream is produced is not certain.
STOPPING = (
    *(drops, answers, answers_twice, returns_subclass, returns_none, returns_tuple),
    *(returns_other_kinds, replaces_body, replaces_body_by_list, replaces_body_by_text),
    *(reads_one_piece, closes_body, closes_body_later, raises_after, raises_http_after),
)
DISPATCHES = (*PASSING, *DROPPING)
