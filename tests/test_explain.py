"""`explain` tells what is on the fast path, and gives the true reason for what is not."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest
import starlette.middleware.exceptions
import starlette.routing
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

import turbostar
import turbostar.applications
import turbostar.routing
from turbostar._explain import (
    middleware as _explain_middleware,
    reasons as _explain_reasons,
    report as _explain,
    routes as _explain_routes,
    stack as _explain_stack,
)
from turbostar._explain.report import Layer, Report, explain
from turbostar._explain.routes import RouteReport


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    turbostar.install()
    yield
    turbostar.uninstall()


async def endpoint(request: Any) -> Response:
    return PlainTextResponse("")


def in_thread(request: Request) -> Response:
    return PlainTextResponse("")


async def session(websocket: Any) -> None:
    await websocket.close()


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("")(scope, receive, send)


class Passing:
    """A foreign ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def by_closure(app: ASGIApp) -> ASGIApp:
    async def closure(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return closure


class Hiding:
    """A middleware that keeps the next app where nobody finds it."""

    __slots__ = ("next",)

    def __init__(self, app: ASGIApp) -> None:
        self.next = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.next(scope, receive, send)


class Asked(Route):
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope)


class Handling(Route):
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().handle(scope, receive, send)


class Assigning(Route):
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)


class Foreign(BaseRoute):
    path = "/foreign"


class Choosing(Router):
    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().app(scope, receive, send)


class Called(Router):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


class Dispatching(HTTPEndpoint):
    async def dispatch(self) -> None:
        await super().dispatch()


class Plain(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("")


def explained(*routes: BaseRoute) -> list[RouteReport]:
    return list(explain(Starlette(routes=routes)).routes)


def causes(explained: RouteReport | Layer) -> str:
    return " | ".join(reason.cause for reason in (*explained.reasons, *explained.notes))


def changes(explained: RouteReport | Layer) -> str:
    return " | ".join(reason.change for reason in (*explained.reasons, *explained.notes))


def layers(report: Report) -> dict[str, Layer]:
    return {layer.name: layer for layer in report.layers}


# Routes


@pytest.mark.parametrize(
    ("route", "matched", "run"),
    [
        (Route("/a", endpoint), "literal look-up", "fused endpoint"),
        (Route("/a/{b}", in_thread), "index + regex", "fused, in a thread"),
        (Route("/{a}/{b:int}", functools.partial(endpoint)), "index + regex", "fused endpoint"),
        (Route("/a", Plain), "literal look-up", "fused class endpoint"),
        (Route("/a", Passing(asgi)), "literal look-up", "app Passing"),
        (WebSocketRoute("/a", session), "literal look-up", "fused endpoint"),
        (WebSocketRoute("/a", WebSocketEndpoint), "literal look-up", "class endpoint"),
        (Mount("/a", routes=[]), "prefix", "its routes, fused"),
        (Mount("/a/{b}", routes=[]), "index + regex", "its routes, fused"),
        (Mount("/a", asgi), "prefix", "app asgi"),
    ],
)
def test_routes_on_the_fast_path(route: BaseRoute, matched: str, run: str) -> None:
    """How a route is matched and run is told, and nothing is held against it."""
    (report,) = explained(route)
    assert (report.matched, report.run, report.fast) == (matched, run, True)
    assert not report.reasons


def with_own(name: str) -> Route:
    route = Route("/", endpoint)
    setattr(route, name, getattr(Route("/", endpoint), name))
    return route


def with_regex() -> Route:
    route = Route("/a/{b}", endpoint)
    route.path_regex = re.compile("^/a/(?P<b>x+)$")
    return route


def with_app() -> Route:
    route = Route("/", endpoint)
    route.app = asgi
    return route


@pytest.mark.parametrize(
    ("route", "cause", "change"),
    [
        (Asked("/", endpoint), "Asked overrides matches(): it is asked for every", "remove the"),
        (Handling("/", endpoint), "Handling overrides handle(): it is called", "remove the"),
        (Assigning("/", endpoint), "Assigning overrides __setattr__()", "remove the override"),
        (Foreign(), "Foreign is none of Route, WebSocketRoute, Mount and Host", "derive it"),
        (Host("a.org", Router()), "a Host matches by a header", "nothing"),
        (with_own("matches"), "its matches() was replaced, on this object, by star", "remove"),
        (with_own("handle"), "its handle() was replaced, on this object, by star", "remove"),
        (with_regex(), "its path_regex, or a convertor, is not what its path says", "register"),
        (with_app(), "its app, made by tests.test_explain, calls the endpoint", "leave route.app"),
    ],
)
def test_routes_off_the_fast_path(route: BaseRoute, cause: str, change: str) -> None:
    """What keeps a route off the fast path is told, and what to change."""
    (report,) = explained(route)
    assert not report.fast
    assert cause in causes(report)
    assert change in changes(report)


@pytest.mark.parametrize(
    ("route", "note"),
    [
        (Route("/a/{b:path}", endpoint), "'/': its pattern is tried on every path under /a/"),
        (Route("/{b:path}", endpoint), "'/': its pattern is tried on every path"),
        (Route("/", endpoint, middleware=[Middleware(Passing)]), "own middleware is called: Pass"),
        (Route("/", endpoint, max_body_size=1), "is called: RequestBodyLimitMiddleware"),
        (Route("/", Dispatching), "Dispatching overrides dispatch(): the class is called"),
        (Mount("/a", routes=[], middleware=[Middleware(Passing)]), "is called: Passing"),
        (Mount("/a", Starlette()), "an application with a middleware stack of its own"),
        (Mount("/a", Router(middleware=[Middleware(Passing)])), "is called: Passing"),
        (Mount("/a", Choosing()), "class tests.test_explain:Choosing overrides app()"),
        (Mount("/a", Called()), "class tests.test_explain:Called overrides __call__()"),
    ],
)
def test_notes_on_routes(route: BaseRoute, note: str) -> None:
    """What costs a route on the fast path more than it need is told."""
    (report,) = explained(route)
    assert report.fast
    assert note in causes(report)


def test_patched_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stock method that somebody wrapped is named with the module that did it."""
    original = Route.matches

    @functools.wraps(original)
    def traced(self: Route, scope: Scope) -> tuple[Match, Scope]:
        return original(self, scope)

    monkeypatch.setattr(Route, "matches", traced)
    report = explain(Starlette(routes=[Route("/", endpoint)]))
    expected = "starlette.routing.Route.matches has been replaced by tests.test_explain"
    assert expected in causes(report.routes[0])
    (patch,) = report.patches
    assert (patch.target, patch.by) == ("starlette.routing:Route.matches", __name__)


def test_replaced_request_response(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who replaced the maker of endpoints is told, of each route that it made."""
    original = starlette.routing.request_response

    def traced(func: Any) -> ASGIApp:
        return by_closure(original(func))

    def opaque(func: Any) -> ASGIApp:
        return asgi

    monkeypatch.setattr(starlette.routing, "request_response", opaque)
    report = explain(Starlette(routes=[Route("/", endpoint)]))
    expected = "request_response has been replaced by tests.test_explain"
    assert expected in causes(report.routes[0])
    assert [patch.target for patch in report.patches] == ["starlette.routing:request_response"]
    monkeypatch.setattr(starlette.routing, "request_response", traced)
    (route,) = explained(Route("/", endpoint))
    assert "its own middleware is called: closure" in causes(route)


@pytest.mark.parametrize(
    ("module", "name", "fast"),
    [
        (starlette.routing, "get_route_path", [False, False]),
        (starlette.routing, "wrap_app_handling_exceptions", [False, True]),
        (starlette.middleware.exceptions, "wrap_app_handling_exceptions", [False, True]),
        (HTTPConnection, "__init__", [False, True]),
        (Request, "__init__", [False, True]),
    ],
)
def test_replaced_functions(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, fast: list[bool]
) -> None:
    """A function around endpoints that somebody replaced keeps all of them from being fused."""
    original = getattr(module, name)

    def traced(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    monkeypatch.setattr(module, name, traced)
    app = Starlette(routes=[Route("/", endpoint), Mount("/a", routes=[])])
    report = explain(app)
    assert report.stack == "stock"
    assert [route.fast for route in report.routes] == fast
    expected = f"{name} has been replaced by tests.test_explain, and must not be bypassed"
    assert expected in causes(report.routes[0])
    assert expected in causes(layers(report)["ServerErrorMiddleware"])
    listed = [patch.target for patch in report.patches]
    listed += [standing.target for standing in report.standings if not standing.in_force]
    assert any(target.endswith(name) for target in listed)
    monkeypatch.undo()
    assert explain(app).stack == "fused"


def test_routers_that_choose_by_themselves() -> None:
    """Routes of a router that is not looked up in are off the fast path, its mounts' are not."""
    app = Starlette()
    app.router = Choosing([Route("/a", endpoint), Mount("/b", Router([Route("/c", endpoint)]))])
    report = explain(app)
    assert [route.fast for route in report.routes] == [False, False, True]
    assert "class tests.test_explain:Choosing overrides app()" in causes(report.routes[0])
    assert report.routes[0].matched == "asked each time"
    assert report.summary == (
        "1 of 3 routes on the fast path; stack: fused as far as ServerErrorMiddleware"
    )


def test_fastapi_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """What FastAPI dispatches itself is told so, and no change is suggested."""
    monkeypatch.setattr(Choosing, "__module__", "fastapi.routing")
    monkeypatch.setattr(Asked, "__module__", "fastapi.routing")
    app = Starlette()
    app.router = Choosing([Asked("/a", endpoint)])
    (route,) = explain(app).routes
    assert causes(route) == "FastAPI's route: FastAPI's own code matches it and runs its handler"
    (route,) = explained(Asked("/a", endpoint))
    assert "FastAPI's route: FastAPI's own code matches it" in causes(route)


def test_routers_that_compute_their_routes() -> None:
    """Routes that a router's class computes are asked in turn, and that is said."""

    class Computing(Router):
        @property
        def routes(self) -> list[BaseRoute]:  # type: ignore[override]
            return [Route("/b", endpoint)]

        @routes.setter
        def routes(self, value: list[BaseRoute]) -> None:
            assert value == []

    _, route = explained(Mount("/a", Computing()))
    assert route.place.path == "/a/b"
    assert "Computing computes what its routes are: they are asked as on stock" in causes(route)


def test_foreign_holders_of_routes() -> None:
    """Routes below an object that is no router are listed, and it is named."""

    class Holder:
        routes = [Route("/b", endpoint)]

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await asgi(scope, receive, send)

    mount, route = explained(Mount("/a", Holder()))
    assert mount.run == "app Holder"
    assert route.place.path == "/a/b"
    assert "Holder is not a Router: it chooses among its routes by itself" in causes(route)


# Lists


def test_plain_lists() -> None:
    """A list that is not watched is told of, at the router and at a mount of one."""
    inner = Router()
    inner.routes = [Route("/b", endpoint)]
    app = Starlette(routes=[Mount("/a", inner)])
    report = explain(app)
    assert "the list router.routes was replaced by a plain list" in causes(report.routes[0])
    assert not causes(layers(report)["Router"])
    app.router.routes = [*app.router.routes]
    report = explain(app)
    assert "compared on every request" in causes(layers(report)["Router"])
    assert "mutate app.router.routes in place" in changes(layers(report)["Router"])
    assert report.stack == "fused"


# Swapped imports


def test_swapped_imports() -> None:
    """In an app that swapped imports, what it did not swap is told; with install() it is well."""

    class Derived(Route):
        pass

    routes: list[BaseRoute] = [
        turbostar.routing.Route("/", endpoint),
        Route("/stock", endpoint),
        Derived("/derived", endpoint),
    ]
    routes.append(turbostar.routing.Mount("/router", Router([Route("/below", endpoint)])))
    turbostar.uninstall()
    app = turbostar.applications.Starlette(routes=routes)
    report = explain(app)
    own, plain, derived, mount, below = report.routes
    assert (report.mode, report.stack, own.fast) == ("swapped", "fused", True)
    assert "this Route is starlette.routing.Route in an app that swapped" in causes(plain)
    assert changes(plain) == "import Route from turbostar.routing or call turbostar.install()"
    assert "Derived derives from starlette.routing.Route in an app that swapped" in causes(derived)
    assert "derive it from turbostar.routing.Route or call" in changes(derived)
    assert "this Router is starlette.routing.Router in an app that swapped" in causes(mount)
    assert "this Router is starlette.routing.Router in an app that swapped" in causes(below)
    assert all(standing.in_force for standing in report.standings if "Route" in standing.target)
    turbostar.install()
    report = explain(app)
    assert (report.mode, [route.fast for route in report.routes]) == ("installed", [True] * 5)


def test_kill_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the kill switch all is stock, for one reason."""
    for module in (
        _explain,
        _explain_middleware,
        _explain_reasons,
        _explain_routes,
        _explain_stack,
    ):
        monkeypatch.setattr(module, "DISABLED", True)
    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Passing)])
    report = explain(Passing(app))
    assert report.summary == "0 of 1 routes on the fast path; stack: stock"
    assert report.mode == "stock"
    assert "unset TURBOSTAR_DISABLE" in changes(report.routes[0])
    assert {layer.state for layer in report.layers} == {"stock"}
    assert "TURBOSTAR_DISABLE is set" in causes(layers(report)["Passing"])
    assert not any(standing.in_force for standing in report.standings)


# The table of accelerations


def test_accelerations_in_force() -> None:
    """All of the table is in force once installed, and no bypassed method has been replaced."""
    report = explain(Starlette())
    assert all(standing.in_force for standing in report.standings)
    assert report.patches == ()
    assert report.mode == "installed"


def test_refused_accelerations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was patched over our function is told with the module that did it."""

    async def body(self: Request) -> bytes:
        return b""

    monkeypatch.setattr(Request, "body", body)
    refused = [found for found in explain(Starlette()).standings if not found.in_force]
    assert [(found.target, found.reason) for found in refused] == [
        ("starlette.requests:Request.body", "has been replaced by tests.test_explain")
    ]


def test_without_install() -> None:
    """An app of stock classes without install() is stock."""
    turbostar.uninstall()
    report = explain(Starlette(routes=[Route("/", endpoint)]))
    assert (report.mode, report.stack) == ("stock", "stock")
