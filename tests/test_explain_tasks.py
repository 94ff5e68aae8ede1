"""`explain` tells which layers and endpoints share a task, and why others do not."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import turbostar
from tests.test_explain import (
    Choosing,
    Handling,
    Passing,
    Plain,
    asgi,
    by_closure,
    causes,
    changes,
    endpoint,
    in_thread,
    layers,
    session,
)
from turbostar._explain import Report, explain


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    turbostar.install()
    yield
    turbostar.uninstall()


class Base(BaseHTTPMiddleware):
    """One that is as plain as can be."""

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        note(self)
        response: Response = await call_next(request)
        return response


class InWith(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Response:
        note(self)
        async with asyncio.timeout(None):
            response: Response = await call_next(request)
        return response


class Overriding(BaseHTTPMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        note(self)
        response: Response = await call_next(request)
        return response


class Noting:
    """A foreign ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        note(self)
        await self.app(scope, receive, send)


noted: list[tuple[Any, Any]] = []


def note(where: Any) -> None:
    """Note which task runs a middleware or an endpoint."""
    noted.append((where, asyncio.current_task()))


async def reading(request: Request) -> Response:
    note(reading)
    return PlainTextResponse(request.url.path)


async def handing_on(request: Request) -> Response:
    note(handing_on)
    return await endpoint(request)


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        note(Endpoint)
        return PlainTextResponse("")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_tasks_are_those_that_run(count: int) -> None:
    """Each layer and endpoint runs in the task that is told, in every order of middleware."""
    routes = [Route("/0", reading), Route("/1", handing_on), Route("/2", Endpoint)]
    kinds = (Base, InWith, Overriding, Noting, CORSMiddleware)
    for stack in itertools.product(kinds, repeat=count):
        app = Starlette(routes=routes, middleware=[Middleware(kind) for kind in stack])
        report = explain(app)
        told = [layer.task for layer in report.layers]
        for route, place in zip(report.routes, ("/0", "/1", "/2"), strict=True):
            found = tasks_of(app, place)
            expected = [
                (layer, task)
                for layer, task in zip(layers_of(app), told[1:], strict=True)
                if type(layer) in kinds and type(layer) is not CORSMiddleware
            ]
            own = "in a task of its own under BaseHTTPMiddleware" in causes(route)
            expected.append((route.place.route.endpoint, told[-1] + own))
            assert found == expected, (stack, place)


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (CORSMiddleware, {"allow_origins": ["*"]}),
        (GZipMiddleware, {"minimum_size": 1}),
        (HTTPSRedirectMiddleware, {}),
        (SessionMiddleware, {"secret_key": "k"}),
        (TrustedHostMiddleware, {"allowed_hosts": ["a.example"]}),
    ],
)
def test_own_middleware_passes_responses_up(cls: Any, options: dict[str, Any]) -> None:
    """Between and below middleware with `dispatch`, Starlette's own needs no task."""
    for stack, tasks in (([Base, cls], 2), ([Base, cls, Base], 3), ([Base, cls, cls, Base], 3)):
        middleware = [Middleware(kind, **(options if kind is cls else {})) for kind in stack]
        app = Starlette(routes=[Route("/", reading)], middleware=middleware)
        headers = [(b"host", b"a.example"), (b"accept-encoding", b"gzip")]
        found = tasks_of(app, "/", headers, scheme="https")
        assert {task for _, task in found} == {1}, stack
        assert f"1 task (on stock {tasks})" in explain(app).stack


def tasks_of(app: Any, path: str, headers: Any = (), scheme: str = "http") -> list[tuple[Any, int]]:
    """What ran for a request, and the numbers of the tasks in the order of their appearance."""
    noted.clear()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", 200) == 200

    async def run() -> None:
        note(None)
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b""}
        scope |= {"headers": [*headers], "scheme": scheme}
        await app(scope, receive, send)

    asyncio.run(run())
    numbers: dict[Any, int] = {}
    found = [(where, numbers.setdefault(task, len(numbers) + 1)) for where, task in noted]
    noted.clear()
    return found[1:]


def layers_of(app: Starlette) -> list[Any]:
    found: list[Any] = [app.middleware_stack]
    while found[-1] is not app.router:
        found.append(found[-1].app)
    return found


def explained(*stack: Any, routes: list[BaseRoute] | None = None, **more: Any) -> Report:
    return explain(Starlette(routes=routes, middleware=[Middleware(cls) for cls in stack], **more))


@pytest.mark.parametrize(
    ("stack", "summary"),
    [
        ([Base], "fused from ExceptionMiddleware down, 1 task (on stock 2)"),
        ([Base, CORSMiddleware, Base], "fused from ExceptionMiddleware down, 1 task (on stock 3)"),
        ([Base, Passing, Base], "fused from ExceptionMiddleware down, 2 tasks (on stock 3)"),
        ([InWith, Base], "fused from ExceptionMiddleware down, 2 tasks (on stock 3)"),
        ([Passing], "fused from ExceptionMiddleware down"),
    ],
)
def test_summary(stack: list[Any], summary: str) -> None:
    """The summary counts the tasks, if there is a BaseHTTPMiddleware."""
    assert explained(*stack).stack == summary


@pytest.mark.parametrize(
    ("stack", "cause", "change"),
    [
        (
            [Base, Noting],
            "Noting, below Base, sends its responses itself: it runs in a task of its own",
            "put Base below it, nearer to the routes, if the order may change",
        ),
        (
            [Base, CORSMiddleware, Noting],
            "CORSMiddleware, below Base, stands over what sends its responses itself: it runs in",
            "",
        ),
        (
            [Base, by_closure],
            "closure, below Base, sends its responses itself",
            "put Base below it",
        ),
        ([Base, InWith], "InWith, below Base, cannot share a task", ""),
        ([Base, Overriding], "Overriding, below Base, overrides __call__()", ""),
        (
            [InWith],
            "InWith.dispatch uses call_next in or after a `with` block (line {line}): what is "
            "below it runs in a task of its own",
            "move a block that ends before it into a function; one around it belongs into pure",
        ),
    ],
)
def test_where_a_stack_is_split(stack: list[Any], cause: str, change: str) -> None:
    """A middleware that does not share its task has a reason."""
    line = InWith.dispatch.__code__.co_firstlineno + 3
    layer = explained(*stack).layers[2]
    assert layer.state == "new task below"
    assert cause.format(line=line) in causes(layer)
    assert change in changes(layer)


def test_around_an_application() -> None:
    """A BaseHTTPMiddleware that an application is wrapped in is split from it."""
    report = explain(Base(Starlette(middleware=[Middleware(Base)])))
    assert [layer.task for layer in report.layers] == [1, 2, 2, 2, 2, 2]
    assert "Starlette, below Base, is an application by itself" in causes(report.layers[0])
    assert "give Base to it, as in app.add_middleware()" in changes(report.layers[0])


def test_exception_middleware_that_is_not_fused() -> None:
    """A router that is not plain splits the stack above it."""
    app = Starlette(middleware=[Middleware(Base)])
    app.router = Choosing()
    layer = explain(app).layers[2]
    assert "ExceptionMiddleware, below Base, is not fused" in causes(layer)


def test_exception_handlers() -> None:
    """A handler that does more than read its request is told, where it matters."""

    async def plain(request: Request, exc: Exception) -> Response:
        return PlainTextResponse(request.url.path)

    async def other(request: Request, exc: Exception) -> Response:
        return await endpoint(request)

    handlers: Any = {404: plain, KeyError: other}
    layer = layers(explained(Base, exception_handlers=handlers))["ExceptionMiddleware"]
    (found,) = layer.notes
    assert found.cause.startswith(f"the exception handler {__name__}:")
    assert "other hands its request on: it runs in a task of its own" in found.cause
    layer = layers(explained(InWith, exception_handlers=handlers))["ExceptionMiddleware"]
    assert layer.notes == ()


# Routes below a BaseHTTPMiddleware

OWN = "it runs in a task of its own under BaseHTTPMiddleware"


def sending(request: Any) -> Any:
    request._send({})


def changing(request: Any) -> Any:
    request.path_params = {}


def in_closure(request: Any) -> Any:
    return (lambda: request.url)()


def with_locals(request: Any) -> Any:
    return locals()


@functools.wraps(endpoint)
async def decorated(*arguments: Any) -> Any:
    return await endpoint(*arguments)


async def depending(inner: Any, request: Any) -> Any:
    return await inner(request)


class Controller:
    async def show(self, request: Request) -> Response:
        return self.page

    @staticmethod
    async def plain(request: Request) -> Response:
        return PlainTextResponse("")


@pytest.mark.parametrize(
    ("found", "cause", "change"),
    [
        (reading, "", ""),
        (in_thread, "", ""),
        (Controller.plain, "", ""),
        (handing_on, "its endpoint hands its request on", "hand on what was read"),
        (sending, "its endpoint reads request._send", "use what is public"),
        (changing, "its endpoint changes request.path_params", "use what is public"),
        (in_closure, "its endpoint uses request in a function within it", "hand on what was read"),
        (with_locals, "its endpoint uses locals", "do without locals"),
        (decorated, "its endpoint takes its arguments by `*args`, as decorators do", "let the"),
        (Controller().show, "", ""),
        (
            Endpoint({"type": "http"}, None, None).get,
            "its endpoint is a method of a class endpoint, which holds the means of sending",
            "make",
        ),
        (functools.partial(endpoint), "its endpoint is not a plain function", "give a function"),
        (functools.partial(depending, reading), "its endpoint is not a plain function", "give a"),
        (Plain, "it is a class endpoint", "make it a function"),
        (Passing(asgi), "it is called as an ASGI application", ""),
    ],
)
def test_endpoints(found: Any, cause: str, change: str) -> None:
    """Why an endpoint does not share the task of the middleware is told, and what to change."""
    (report,) = explained(Base, routes=[Route("/", found)]).routes
    assert report.fast
    assert causes(report) == (f"{cause}: {OWN}" if cause else "")
    assert change in changes(report)
    for stack in ([], [Passing], [InWith]):
        (report,) = explained(*stack, routes=[Route("/", found)]).routes
        assert OWN not in causes(report)


def test_routes_within() -> None:
    """Routes of routers that are walked down into are told; those of other applications not."""
    router = Router([Route("/b", handing_on)])
    routes: list[BaseRoute] = [
        Mount("/a", router),
        Mount("/again", router),
        Mount("/app", Starlette(routes=[Route("/b", handing_on)])),
        Handling("/handled", endpoint),
        Host("a.org", Router([Route("/b", handing_on)])),
        WebSocketRoute("/ws", session),
    ]
    report = explained(Base, routes=routes)
    told = [route.place.path for route in report.routes if OWN in causes(route)]
    assert told == ["/a/b", "/again/b", "/app", "/handled", "a.org"]
