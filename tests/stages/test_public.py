"""`turbostar.stages`: a middleware of somebody else's through which whole responses go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import starlette.applications
import starlette.middleware.base
import starlette.routing
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

import turbostar.applications
import turbostar.middleware.base
import turbostar.responses
import turbostar.routing
from tests.asgi import Ask, Client
from turbostar._stages.channel import Channel
from turbostar.stages import StageMiddleware

LINE = (b"x-version", b"7")


class Version(StageMiddleware):
    """The example of docs/middleware.md."""

    def before(self, scope: Any) -> Any:
        return PlainTextResponse("7") if scope["path"] == "/version" else None

    def after(self, scope: Any, status: int, headers: Any) -> Any:
        return [*headers, LINE] if status < 500 else headers


class SameOnStarlette(starlette.middleware.base.BaseHTTPMiddleware):
    """The same as it would be written on Starlette."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        if request.url.path == "/version":
            return PlainTextResponse("7")
        response = await call_next(request)
        if response.status_code < 500:
            response.headers["x-version"] = "7"
        return response


async def home(request: Any) -> Any:
    return PlainTextResponse("home", background=BackgroundTask(request.scope["log"].append, "bg"))


async def stream(request: Any) -> Any:
    return StreamingResponse(iter([b"a", b"b"]))


async def down(request: Any) -> Any:
    return PlainTextResponse("down", 503)


PATHS = {"/": home, "/stream": stream, "/down": down}


def add_header(base: Any) -> Any:
    """A BaseHTTPMiddleware that adds a header of its own."""

    class Adds(base):  # type: ignore[misc]
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["x-own"] = "1"
            return response

    return Adds


def application(namespace: Any, base: Any, *middleware: Any) -> Any:
    routes = [namespace.routing.Route(path, endpoint) for path, endpoint in PATHS.items()]
    stack = [Middleware(add_header(base)) if cls is None else Middleware(cls) for cls in middleware]
    return namespace.applications.Starlette(routes=routes, middleware=stack)


def answer(app: Any, path: str) -> tuple[Any, bytes, list[str]]:
    """The status, headers and body of an answer, and what was logged."""
    log: list[str] = []
    asked = Ask(path, host=None, spec="2.4", stays=True)
    scope = {**asked.scope(), "log": log}
    client = Client(asked)
    asyncio.run(app(scope, client.receive, client.send))
    return (client.status, sorted(client.sent[0]["headers"])), client.body, log


@pytest.mark.parametrize("path", [*PATHS, "/version", "/missing"])
@pytest.mark.parametrize("stack", [(1,), (0, 1), (1, 0), (0, 1, 0), (0, 1, 1, 0)])
def test_it_does_what_it_would_do_on_starlette(stack: tuple[int, ...], path: str) -> None:
    """In every place among BaseHTTPMiddleware it answers as one of these would on Starlette."""
    theirs = [SameOnStarlette if one else None for one in stack]
    ours = [Version if one else None for one in stack]
    base = starlette.middleware.base.BaseHTTPMiddleware
    expected = answer(application(starlette, base, *theirs), path)
    if stack == (0, 1, 1, 0):
        # The stage adds its line each time, where the other sets it.
        status, headers = expected[0]
        expected = ((status, [line for line in headers if line != LINE]), *expected[1:])
    for namespace, cls in (
        (starlette, base),
        (turbostar, turbostar.middleware.base.BaseHTTPMiddleware),
    ):
        found = answer(application(namespace, cls, *ours), path)
        if stack == (0, 1, 1, 0):
            status, headers = found[0]
            found = ((status, [line for line in headers if line != LINE]), *found[1:])
        assert found == expected, namespace


def test_complete_responses_go_through_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two BaseHTTPMiddleware no message is sent for a response that is complete."""
    taken: list[Any] = []
    respond = Channel.respond

    async def noting(self: Channel, given: Any) -> None:
        taken.append(given.status)
        await respond(self, given)

    monkeypatch.setattr(Channel, "respond", noting)
    base = turbostar.middleware.base.BaseHTTPMiddleware
    app = application(turbostar, base, None, Version, None)
    assert answer(app, "/down")[0][0] == 503
    assert taken == [503, 503]


def test_the_parts_of_the_page_are_public() -> None:
    """What docs/middleware.md names is there, with a docstring."""
    import turbostar.stages as stages

    for name in stages.__all__:
        assert hasattr(stages, name)
        assert name == "RawHeaders" or getattr(stages, name).__doc__
    assert issubclass(Version, StageMiddleware)
    assert Starlette(routes=[Route("/", home)], middleware=[Middleware(Version)]) is not None
