"""Endpoints that fail: before, during and after their answer; or return what is no response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import anyio
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import ClientDisconnect

from tests.differential.endpoints import Boom, SubBoom, SubHTTP, tell
from tests.differential.observed import Loud
from tests.differential.part import ENDPOINTS, Part, asgi, endpoint, named_endpoint

if TYPE_CHECKING:
    from tests.differential.world import World


def _raising(name: str, make: Callable[[], BaseException]) -> Part:
    async def fail(world: World, who: str, request: Any) -> Any:
        tell(world, who, request)
        raise make()

    fail.__name__ = name
    return endpoint(fail)


http = _raising("http", lambda: HTTPException(418, "teapot", {"X-Tea": "green"}))
http_204 = _raising("http_204", lambda: HTTPException(204, headers={"a": "b"}))
http_404 = _raising("http_404", lambda: HTTPException(404))
http_500 = _raising("http_500", lambda: HTTPException(500, "as bad as it gets"))
sub_http = _raising("sub_http", lambda: SubHTTP(405, "mine"))
boom = _raising("boom", lambda: Boom("boom"))
sub_boom = _raising("sub_boom", lambda: SubBoom("sub"))
value = _raising("value", lambda: ValueError("value"))
key_error = _raising("key_error", lambda: KeyError("key"))
os_error = _raising("os_error", lambda: OSError("disk"))
timeout_error = _raising("timeout_error", lambda: TimeoutError("out of time"))
stop = _raising("stop", lambda: StopAsyncIteration("no more"))
group = _raising("group", lambda: ExceptionGroup("one", [Boom("member")]))
groups = _raising("groups", lambda: ExceptionGroup("two", [Boom("a"), KeyError("b")]))
disconnected = _raising("disconnected", lambda: ClientDisconnect())
end_of_stream = _raising("end_of_stream", lambda: anyio.EndOfStream())
broken_resource = _raising("broken_resource", lambda: anyio.BrokenResourceError())
loud = _raising("loud", lambda: Loud("loud"))
ws = _raising("ws", lambda: WebSocketException(1008, "policy"))


@endpoint(name="raise_chained")
async def chained(world: World, who: str, request: Any) -> Any:
    tell(world, who, request)
    try:
        raise KeyError("first")
    except KeyError as exc:
        raise Boom("second") from exc


for _part in (http, http_204, http_404, sub_http, boom, sub_boom, value, loud, ws):
    ENDPOINTS[f"raise_{_part.name}"] = _part


@named_endpoint("raise_shared")
def _(world: World, label: str) -> Any:
    shared = HTTPException(418, "the same each time")

    async def fail(request: Any) -> Any:
        world.log.append(("traceback before", shared.__traceback__ is not None))
        raise shared

    return fail


@named_endpoint("raise_sync", waits=True)
def _(world: World, label: str) -> Any:
    def fail(request: Any) -> Any:
        tell(world, label, request)
        raise Boom("in a thread")

    return fail


@named_endpoint("raise_late")
def _(world: World, label: str) -> Any:
    class Late(world.ns.Response):  # type: ignore[misc, name-defined]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise Boom("after the start")

    async def late(request: Any) -> Any:
        return Late()

    return late


@endpoint(name="raise_late_http")
async def late(world: World, request: Any) -> Any:
    await world.ns.PlainTextResponse("done")(request.scope, request.receive, request._send)
    raise HTTPException(418)


@endpoint(name="returns_text")
async def text(world: World, request: Any) -> Any:
    return "text"


@endpoint(name="returns_class")
async def forgotten(world: World, request: Any) -> Any:
    return world.ns.Response


@named_endpoint("generator", waits=True)
def _(world: World, label: str) -> Any:
    def generator(request: Any) -> Iterator[str]:
        yield "never"

    return generator


@named_endpoint("async_generator", waits=True)
def _(world: World, label: str) -> Any:
    async def generator(request: Any) -> AsyncIterator[str]:
        yield "never"

    return generator


@named_endpoint("no_parameter")
def _(world: World, label: str) -> Any:
    async def lonely() -> Any:
        return world.ns.Response()

    return lonely


@endpoint
async def with_context(world: World, request: Any) -> Any:
    try:
        raise KeyError("context")
    except KeyError:
        raise Boom("while handling")  # noqa: B904


@endpoint
async def from_none(world: World, request: Any) -> Any:
    try:
        raise KeyError("hidden")
    except KeyError:
        raise Boom("alone") from None


@endpoint
async def with_long_chain(world: World, request: Any) -> Any:
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904
    except ValueError as exc:
        raise HTTPException(500, "third") from exc


@endpoint
async def with_notes(world: World, request: Any) -> Any:
    exc = Boom("noted")
    exc.add_note("a note")
    raise exc


@endpoint
async def after_start(world: World, request: Any) -> Any:
    await request._send({"type": "http.response.start", "status": 200, "headers": []})
    raise Boom("after the start")


@endpoint
async def http_after_start(world: World, request: Any) -> Any:
    await request._send({"type": "http.response.start", "status": 200, "headers": []})
    raise HTTPException(418)


@asgi
async def mid_body(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    raise Boom("amid the body")


@asgi
async def after_body(world: World, scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"all"})
    raise Boom("after the body")


@endpoint
async def http_after_body(world: World, request: Any) -> Any:
    response = world.ns.PlainTextResponse("all")
    await response(request.scope, request.receive, request._send)
    raise HTTPException(418)


def _in_background(name: str, make: Callable[[], BaseException]) -> Part:
    async def answer(world: World, request: Any) -> Any:
        async def tell(text: str) -> None:
            world.tell("background", text)

        async def fail() -> None:
            await tell("fails")
            raise make()

        tasks = world.ns.BackgroundTasks()
        tasks.add_task(tell, "first")
        tasks.add_task(fail)
        tasks.add_task(tell, "never")
        return world.ns.PlainTextResponse("answered", background=tasks)

    answer.__name__ = name
    return endpoint(answer)


background_boom = _in_background("background_boom", lambda: Boom("in the background"))
background_http = _in_background("background_http", lambda: HTTPException(418))
background_key = _in_background("background_key", lambda: KeyError("in the background"))


def _in_stream(name: str, pieces: int, make: Callable[[], BaseException]) -> Part:
    async def answer(world: World, request: Any) -> Any:
        async def content() -> AsyncIterator[bytes]:
            for number in range(pieces):
                yield b"%d" % number
            raise make()

        return world.ns.StreamingResponse(content())

    answer.__name__ = name
    return endpoint(answer, streams=True, fails=True)


stream_boom = _in_stream("stream_boom", 0, lambda: Boom("before the first"))
stream_boom_later = _in_stream("stream_boom_later", 2, lambda: Boom("amid"))
stream_http = _in_stream("stream_http", 1, lambda: HTTPException(418))
stream_os_error = _in_stream("stream_os_error", 1, lambda: OSError("in the stream"))


@endpoint
async def failing_response(world: World, request: Any) -> Any:
    """The error is in the answer, where the endpoint cannot catch it."""

    class Failing(world.ns.Response):  # type: ignore[misc, name-defined]
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            raise Boom("in the response")

    return Failing()


def _shared(world: World, who: str) -> Any:
    shared = Boom("the same each time")

    async def fail(request: Any) -> Any:
        world.tell(who, shared.__traceback__ is not None)
        raise shared

    return fail


shared = Part("shared", _shared, kind="endpoint")

RAISING = (
    *(http, http_404, http_500, sub_http, boom, sub_boom, key_error, os_error, timeout_error),
    *(stop, group, groups, disconnected, end_of_stream, broken_resource, shared),
    *(chained, with_context, from_none, with_long_chain, with_notes, failing_response),
)
#: Those whose answer has begun.
LATE = (
    *(after_start, http_after_start, mid_body, after_body, http_after_body),
    *(background_boom, background_http, background_key),
    *(stream_boom, stream_boom_later, stream_http, stream_os_error),
)
