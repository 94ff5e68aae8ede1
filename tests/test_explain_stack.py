"""`explain` tells of each layer of the stack how it runs, and why."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
import starlette.middleware.base
import starlette.middleware.cors
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

import turbostar
import turbostar.applications
import turbostar.middleware.base
import turbostar.middleware.cors
from tests.test_explain import (
    Called,
    Choosing,
    Hiding,
    Passing,
    asgi,
    by_closure,
    causes,
    changes,
    endpoint,
    layers,
)
from tests.test_explain_tasks import Base
from turbostar._explain.report import explain
from turbostar._guard.table import TABLE


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    turbostar.install()
    yield
    turbostar.uninstall()


def test_fused_stack() -> None:
    """Without middleware all of the stack is fused."""
    report = explain(Starlette(routes=[Route("/", endpoint)]))
    assert report.summary == "1 of 1 routes on the fast path; stack: fused"
    names = ["Starlette", "ServerErrorMiddleware", "ExceptionMiddleware", "Router"]
    assert [layer.name for layer in report.layers] == names
    assert all(layer.fused for layer in report.layers)


class OwnCORS(CORSMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


class OtherCORS(CORSMiddleware):
    def allow_explicit_origin(self, *arguments: Any) -> None:
        pass


class Unknown(Passing):
    __module__ = "starlette.middleware.unknown"


# Each middleware


@pytest.mark.parametrize(
    ("middleware", "name", "state"),
    [
        (Middleware(Passing), "Passing", "foreign ASGI"),
        (Middleware(by_closure), "closure", "foreign ASGI"),
        (Middleware(Unknown), "Unknown", "stock"),
        (Middleware(Base), "Base", "whole responses"),
        (
            Middleware(BaseHTTPMiddleware, dispatch=Base.dispatch),
            "Base.dispatch",
            "whole responses",
        ),
    ],
)
def test_states(middleware: Middleware, name: str, state: str) -> None:
    """What a middleware is, is told, and both parts around it are fused."""
    report = explain(Starlette(middleware=[middleware]))
    layer = layers(report)[name]
    assert (layer.state, layer.fused) == (state, False)
    assert report.stack.startswith("fused from ExceptionMiddleware down")
    fused = [layer.name for layer in report.layers if layer.fused]
    assert fused == ["Starlette", "ServerErrorMiddleware", "ExceptionMiddleware", "Router"]
    assert not any(layer.reasons for layer in report.layers)


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (AuthenticationMiddleware, {"backend": None}),
        (CORSMiddleware, {}),
        (GZipMiddleware, {}),
        (HTTPSRedirectMiddleware, {}),
        (RequestBodyLimitMiddleware, {"max_body_size": 1}),
        (SessionMiddleware, {"secret_key": "k"}),
        (TrustedHostMiddleware, {}),
    ],
)
def test_own_middleware(cls: Any, arguments: dict[str, Any]) -> None:
    """Starlette's own middleware is accelerated if the table of accelerations has it."""
    rows = [entry for entry in TABLE if entry.owner is cls and entry.name == "__call__"]
    layer = explain(Starlette(middleware=[Middleware(cls, **arguments)])).layers[2]
    assert (layer.name, layer.state) == (cls.__name__, "accelerated" if rows else "stock")
    assert not layer.reasons


def test_dispatch_functions() -> None:
    """A middleware that is but a function is named after it."""

    async def dispatch(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    report = explain(Starlette(middleware=[Middleware(BaseHTTPMiddleware, dispatch=dispatch)]))
    assert layers(report)["dispatch"].defined.startswith("tests.test_explain_stack:")
    assert layers(report)["dispatch"].state == "whole responses"


@pytest.mark.parametrize(
    ("middleware", "state", "cause"),
    [
        (OwnCORS, "foreign ASGI", "class tests.test_explain_stack:OwnCORS overrides __call__()"),
        (OtherCORS, "stock", "a method that it bypasses was overridden or replaced: Starlett"),
    ],
)
def test_overridden_middleware(middleware: Any, state: str, cause: str) -> None:
    """A subclass of an accelerated middleware keeps its say, and that is told."""
    layer = explain(Starlette(middleware=[Middleware(middleware)])).layers[2]
    assert layer.state == state
    assert cause in causes(layer)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (BaseHTTPMiddleware, "__call__"),
        (CORSMiddleware, "__call__"),
        (starlette.middleware.base._CachedRequest, "wrapped_receive"),
        (starlette.middleware.base._StreamingResponse, "__call__"),
        (Request, "__init__"),
    ],
)
def test_replaced_middleware(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Who replaced a part of a middleware is told."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def traced(*arguments: Any) -> Any:
        return original(*arguments)

    monkeypatch.setattr(owner, name, traced)
    middleware = CORSMiddleware if owner is CORSMiddleware else Base
    layer = explain(Starlette(middleware=[Middleware(middleware)])).layers[2]
    assert layer.state == ("foreign ASGI" if owner is CORSMiddleware else "stock")
    assert f"{owner.__qualname__}.{name} has been replaced by {__name__}" in causes(layer)


def test_swapped_imports() -> None:
    """In an app that swapped imports, middleware that it did not swap is told."""
    turbostar.uninstall()
    app = turbostar.applications.Starlette(
        middleware=[Middleware(Base), Middleware(CORSMiddleware)]
    )
    base, cors = explain(app).layers[2:4]
    assert (base.state, cors.state) == ("stock", "stock")
    assert "it derives from starlette.middleware.base.BaseHTTPMiddleware" in causes(base)
    assert "import BaseHTTPMiddleware from turbostar.middleware.base or" in changes(base)
    assert "it is starlette.middleware.cors.CORSMiddleware in an app that swapped" in causes(cors)
    app = turbostar.applications.Starlette(
        middleware=[
            Middleware(turbostar.middleware.cors.CORSMiddleware),
            Middleware(turbostar.middleware.base.BaseHTTPMiddleware, dispatch=no_method),
        ]
    )
    assert [layer.state for layer in explain(app).layers[2:4]] == ["accelerated", "whole responses"]


async def no_method(request: Request, call_next: Any) -> Any:
    return await call_next(request)


# The stack as a whole


def test_middleware_that_hides_what_it_calls() -> None:
    """Where the stack cannot be followed, nothing is claimed of it."""
    report = explain(Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Hiding)]))
    assert report.stack == "stock"
    assert "cannot be seen" in causes(report.layers[0])
    assert report.routes[0].fast


def test_overridden_layers() -> None:
    """Overridden methods of the application and of both error middleware are told."""

    class Application(Starlette):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)

    class Errors(ServerErrorMiddleware):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)

    class Exceptions(ExceptionMiddleware):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)

    app: Any = Application()
    report = explain(app)
    assert report.stack == "fused"
    assert "overrides __call__(): the fused path begins where" in causes(report.layers[0])
    app = Starlette()
    app.build_middleware_stack = lambda: Errors(Exceptions(app.router))
    report = explain(app)
    assert report.stack == "stock"
    found = layers(report)
    assert "it calls its middleware stack" in causes(found["Starlette"])
    assert "its build_middleware_stack() was replaced" in causes(found["Starlette"])
    assert "Errors overrides __call__()" in causes(found["Errors"])
    assert "Exceptions overrides __call__()" in causes(found["Exceptions"])
    assert "no layer above it is fused with it" in causes(found["Router"])
    app = Starlette()
    app.build_middleware_stack = lambda: ServerErrorMiddleware(Exceptions(app.router))
    report = explain(app)
    assert report.stack == "fused as far as ServerErrorMiddleware"
    assert not causes(layers(report)["ServerErrorMiddleware"])
    app = Starlette()
    app.build_middleware_stack = lambda: ServerErrorMiddleware(
        ExceptionMiddleware(Passing(app.router))
    )
    found = layers(explain(app))
    assert "Passing stands between it and Router" in causes(found["ExceptionMiddleware"])


def test_replaced_call_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who replaced Starlette's __call__ is told."""
    original: Any = Starlette.__call__

    async def traced(self: Starlette, scope: Scope, receive: Receive, send: Send) -> None:
        await original(self, scope, receive, send)

    monkeypatch.setattr(Starlette, "__call__", traced)
    found = layers(explain(Starlette()))
    expected = f"Starlette.__call__ is that of {__name__}: it is called first"
    assert expected in causes(found["Starlette"])
    assert "Starlette, above it, calls it as on stock" in causes(found["ServerErrorMiddleware"])


@pytest.mark.parametrize(
    ("router", "cause"),
    [
        (Choosing(), "Choosing overrides app()"),
        (Called(), "Called overrides __call__()"),
        (Router(middleware=[Middleware(Passing)]), "its own middleware is called: Passing"),
    ],
)
def test_routers_that_are_not_plain(router: Router, cause: str) -> None:
    """A router that does more than choose a route keeps the stack from being fused."""
    app = Starlette()
    app.router = router
    report = explain(app)
    assert report.stack == "fused as far as ServerErrorMiddleware"
    assert cause in causes(report.layers[-1])
    assert "below it, cannot be fused" in causes(layers(report)["ExceptionMiddleware"])


def test_applications_within() -> None:
    """The application that a foreign ASGI app wraps is found; a router alone has no stack."""
    report = explain(Passing(by_closure(Starlette(routes=[Route("/", endpoint)]))))
    assert [layer.name for layer in report.layers[:3]] == ["Passing", "closure", "Starlette"]
    assert "Passing is called before the application" in causes(report.layers[0])
    assert report.summary == "1 of 1 routes on the fast path; stack: fused"
    report = explain(Router([Route("/", endpoint)]))
    assert report.summary == "1 of 1 routes on the fast path; stack: no Starlette application"
    report = explain(asgi)
    assert report.summary == "0 of 0 routes on the fast path; stack: no Starlette application"


def test_explaining_answers_no_request_and_builds_the_stack_once() -> None:
    """The stack that is built is the one that requests will pass."""
    app = Starlette(middleware=[Middleware(Passing)])
    explain(app)
    stack = app.middleware_stack
    assert stack is not None
    explain(app)
    assert app.middleware_stack is stack
