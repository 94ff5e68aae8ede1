"""Whole applications: endpoints, exceptions, handlers, middleware and lifespan, as by stock."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.asgi import Ask
from tests.differential.modes import Mode
from tests.differential.part import ENDPOINTS
from tests.differential.requests import PARAMETER, Lookup
from tests.differential.scene import Scene, check
from tests.differential.tables import (
    HANDLERS,
    MIDDLEWARE,
    AppOf,
    Choices,
    H,
    M,
    R,
    RouterOf,
    W,
    examples,
    walk,
)

# What holds a request is left to the tests of interleaving and cancellation.
HTTP = sorted(set(ENDPOINTS) - {"hold", "hold_body", "forever", "stream_endless"})
HTTP = [name for name in HTTP if not name.startswith("ws_")]
WEBSOCKET = sorted(name for name in ENDPOINTS if name.startswith("ws_"))
RAISING = sorted(name for name in HTTP if name.startswith("raise_"))
CAUGHT: tuple[tuple[Any, ...], ...] = (
    *((418,), (404, 405), (500,), (204, 413), ("HTTPException",), ("Exception",)),
    *((418, "HTTPException"), ("Boom", "SubBoom"), ("SubBoom", "Boom"), ("Boom", 500)),
    *(("ValueError", "Exception"), ("RuntimeError", "Boom"), (500, "Exception")),
)
LAYERS = (*MIDDLEWARE, "raising", "raising", "base")
BODIES = ((b"",), (b"abc",), (b"ab", b"cd"), (b"",) * 3, (b'{"a":1}',), (b"a=1&b=%20",))
SPECS = ("2.0", "2.3", "2.4", "2.1")
# Without trio these run as well, on the loops that there are.
BACKENDS = (None, None, None, "asyncio", "trio" if find_spec("trio") else "asyncio")
VARIANTS: tuple[dict[str, Any], ...] = (
    *({}, {}, {}, {}, {}, {"method": "HEAD"}, {"method": "POST"}, {"leaves": True}, {"fails": 0}),
    *({"fails": 1}, {"query": b"early"}, {"query": b"late"}, {"query": b"a=1"}),
    {"headers": ((b"accept", b"text/html"),)},
    {"headers": ((b"content-type", b"application/x-www-form-urlencoded"),)},
    {"headers": ((b"content-length", b"4"), (b"range", b"bytes=0-3"))},
    {"extra": (("state", {"n": 1}), ("root_path", "/root"))},
)


def handlers(choose: Choices) -> tuple[tuple[Any, str], ...]:
    if not choose.seldom(2):
        return ()
    return tuple((key, choose.of(HANDLERS)) for key in choose.of(CAUGHT))


def endpoint(choose: Choices) -> str:
    return choose.of(RAISING if choose.seldom(2) else HTTP)


def some_routes(choose: Choices) -> tuple[R, ...]:
    return tuple(
        R(
            f"/{number}",
            endpoint(choose),
            middleware=(choose.of(LAYERS),) if choose.seldom(8) else (),
            max_body_size=choose.rarely((3, 0), None, 10),
        )
        for number in range(choose.number(1, 3))
    )


def application(choose: Choices, below: tuple[Any, ...]) -> AppOf:
    return AppOf(
        RouterOf(some_routes(choose) + below),
        debug=choose.seldom(8),
        middleware=choose.some(LAYERS, 1, 2) if choose.seldom(3) else (),
        handlers=handlers(choose),
        max_body_size=choose.rarely((3, 1000), None, 8),
    )


def below(choose: Choices) -> tuple[Any, ...]:
    """What an application may hold beside plain routes."""
    match choose.number(0, 7):
        case 1:
            return (M("/sub", application(choose, ())),)
        case 2:
            return (M("/sub", None, some_routes(choose)),)
        case 3:
            return (M("/sub", RouterOf(some_routes(choose), middleware=(choose.of(LAYERS),))),)
        case 4:
            return (H("a.example", application(choose, ())),)
        case 5:
            inner = M("/{b}", application(choose, (M("/deep", None, some_routes(choose)),)))
            return (M("/sub/{a:int}", None, (inner,)),)
    return ()


@st.composite
def served(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    app = application(choose, below(choose))
    known = [template for template, _, described in walk(app) if isinstance(described, R)]
    steps = []
    for _ in range(choose.number(1, 5)):
        given = dict(choose.of(VARIANTS))
        extra = (*given.pop("extra", ()), ("asgi", {"spec_version": choose.of(SPECS)}))
        path = PARAMETER.sub("7", choose.of(known)) + choose.rarely(("/", "/none"), "", 10)
        steps.append(Ask(path, body=choose.of(BODIES), extra=extra, **given))
    backend = choose.of(BACKENDS)
    if backend == "trio" and "'base'" in repr(app):
        backend = None  # it is Starlette's own there, and what its tasks do first is by chance
    return Scene(app, tuple(steps), backend=backend)


@given(scene=served())
def test_requests_are_served_as_by_stock(mode: Mode, scene: Scene) -> None:
    """Endpoints of all kinds under handlers, middleware, limits, sub-applications and debug."""
    check(mode, scene)


@pytest.mark.parametrize("name", HTTP)
def test_each_endpoint_is_served_as_by_stock(mode: Mode, name: str) -> None:
    """Every kind of endpoint, in an application without anything else, by every variant."""
    check_endpoint(mode, name)


def check_endpoint(mode: Mode, name: str) -> None:
    table = (R("/0", name, methods=("GET", "POST")), M("/m/{a}", None, (R("/0", name),)))
    for variant in VARIANTS:
        asks = tuple(Ask(path, **variant) for path in ("/0", "/0", "/m/x/0"))
        check(mode, Scene(AppOf(RouterOf(table)), asks))


@pytest.mark.parametrize("name", [*RAISING, "async_generator", "returns_none", "generator"])
def test_each_exception_is_handled_as_by_stock(mode: Mode, name: str) -> None:
    """By status before class, by the nearest class, by 500 or Exception, or not at all."""
    check_exception(mode, name)


def check_exception(mode: Mode, name: str) -> None:
    table = RouterOf((R("/0", name), M("/sub", AppOf(RouterOf((R("/0", name),))))))
    steps = (Ask("/0"), Ask("/sub/0"), Ask("/none"), Ask("/0", method="PUT"))
    for caught in CAUGHT:
        for kind in dict.fromkeys(HANDLERS):
            check(mode, Scene(AppOf(table, handlers=tuple((key, kind) for key in caught)), steps))


@st.composite
def sessions(draw: st.DrawFn) -> Scene:
    choose = Choices(draw)
    sockets = tuple(
        W(f"/{number}", choose.of(WEBSOCKET), middleware=(choose.of(LAYERS),) * choose.seldom(5))
        for number in range(choose.number(1, 2))
    )
    table = (*sockets, R("/0", endpoint(choose))) if choose.seldom(2) else (R("/1"), *sockets)
    app = AppOf(
        RouterOf((*table, M("/sub", None, sockets))),
        debug=choose.seldom(8),
        middleware=choose.some(LAYERS, 1, 2) if choose.seldom(4) else (),
        handlers=handlers(choose),
    )
    asks = []
    for _ in range(choose.number(1, 4)):
        path = choose.of(("", "", "/sub")) + choose.of(("/0", "/1", "/0/", "/none"))
        extra = (("extensions", {"websocket.http.response": {}}),) if choose.seldom(2) else ()
        messages = choose.of((("hi",), (), ("a", "b")))
        fails = choose.rarely((0, 1), None, 8)
        asks.append(Ask(path, type="websocket", messages=messages, extra=extra, fails=fails))
    return Scene(
        app if choose.number(0, 4) else app.router, tuple(asks), backend=choose.of(BACKENDS)
    )


@given(scene=sessions())
@examples(1 / 2)
def test_websockets_are_served_as_by_stock(mode: Mode, scene: Scene) -> None:
    """Accept, echo, close, denial and exceptions of all kinds, handled or not."""
    check(mode, scene)


LIFESPANS = (
    *(None, "plain", "state", "fails early", "fails late", "generator", "async generator"),
)


@pytest.mark.filterwarnings("ignore:.*function lifespans are deprecated")
@pytest.mark.parametrize("state", [True, False], ids=["state", "no state"])
@pytest.mark.parametrize("kind", LIFESPANS)
def test_lifespan_is_as_by_stock(mode: Mode, kind: str | None, state: bool) -> None:
    """Startup, shutdown, failures of both, and the state, with requests before and after."""
    extra = (("state", {}),) if state else ()
    lifespan = Ask("", type="lifespan", extra=extra)
    table = (R("/0"), M("/sub", AppOf(RouterOf((R("/0"),)), lifespan="plain")))
    steps = (lifespan, Ask("/0"), Ask("/sub/0"), lifespan, Lookup("async"))
    check(mode, Scene(AppOf(RouterOf(table), lifespan=kind), steps))
    check(mode, Scene(AppOf(RouterOf(table), middleware=("pure", "base"), lifespan=kind), steps))
    check(mode, Scene(RouterOf(table, lifespan=kind), steps))
