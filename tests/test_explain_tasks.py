"""`explain` tells in which task each layer runs, and where responses come up as messages."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import turbostar
from tests.asgi import Visit, ask
from tests.test_explain import (
    causes,
    changes,
    endpoint,
    layers,
)
from turbostar._explain.report import explain


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
            expected.append((route.place.route.endpoint, told[-1]))
            assert found == expected, (stack, place)


def states(*stack: Any) -> list[str]:
    """How the BaseHTTPMiddleware of a stack get their responses."""
    app = Starlette(routes=[Route("/", reading)], middleware=[Middleware(cls) for cls in stack])
    return [
        layer.state
        for layer in explain(app).layers
        if layer.state in ("whole responses", "messages", "stock")
    ]


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ([Base], ["whole responses"]),
        ([Base, InWith, Base], ["whole responses"] * 3),
        ([Base, CORSMiddleware, Base], ["whole responses"] * 2),
        ([Base, Noting], ["messages"]),
        ([Base, Noting, Base], ["messages", "whole responses"]),
        ([Noting, Base], ["whole responses"]),
        ([Base, Overriding], ["messages", "whole responses"]),
        ([Base, Base, Noting], ["whole responses", "messages"]),
    ],
)
def test_where_responses_come_up_whole(stack: list[Any], expected: list[str]) -> None:
    """They do through Starlette's own, and as far as nobody else may do something afterwards."""
    assert states(*stack) == expected


@pytest.mark.parametrize(
    ("stack", "cause", "change"),
    [
        ([Base, Noting], "Noting, below Base, may do something after it was answered", "nearer"),
        ([Base, Overriding], "Overriding, below Base, overrides __call__()", ""),
        ([Base, CORSMiddleware, Noting], "CORSMiddleware, below Base, stands over what sends", ""),
    ],
)
def test_a_reason_is_told(stack: list[Any], cause: str, change: str) -> None:
    """Where responses come up as messages, why, and what to change if anything can be."""
    report = explain(Starlette(middleware=[Middleware(cls) for cls in stack]))
    layer = layers(report)["Base"]
    assert layer.state == "messages"
    assert cause in causes(layer)
    assert change in changes(layer)


def tasks_of(app: Any, path: str, headers: Any = (), scheme: str = "http") -> list[tuple[Any, int]]:
    """What ran for a request, and the numbers of the tasks in the order of their appearance."""
    noted.clear()

    async def run() -> None:
        note(None)
        asked = Visit(path, host=None, headers=tuple(headers), extra=(("scheme", scheme),))
        assert (await ask(app, asked)).status == 200

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
