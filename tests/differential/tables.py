"""Descriptions of applications, as plain data, and the hypothesis strategies that draw them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import settings, strategies as st

from tests.brief import Brief

T = TypeVar("T")
_below = [st.integers(0, max(size - 1, 0)) for size in range(400)]


def examples(share: float) -> settings:
    """A share of what the hypothesis profile generates, so that the whole stays quick."""
    return settings(max_examples=max(1, int(share * settings.default.max_examples)))


class Choices:
    """Draws from fixed pools. Composed strategies took four times as long as all that is tested."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def of(self, pool: Sequence[T]) -> T:
        """One of the pool; failing examples shrink towards its beginning."""
        return pool[self.draw(_below[len(pool)])]

    def number(self, least: int, most: int) -> int:
        return least + self.draw(_below[most - least + 1])

    def seldom(self, one_in: int) -> bool:
        return self.draw(_below[one_in]) == one_in - 1

    def rarely(self, pool: Sequence[T], otherwise: T, one_in: int = 8) -> T:
        """Mostly `otherwise`."""
        return self.of(pool) if self.seldom(one_in) else otherwise

    def some(self, pool: Sequence[T], least: int, most: int) -> tuple[T, ...]:
        return tuple(self.of(pool) for _ in range(self.number(least, most)))


@dataclass(frozen=True, repr=False)
class R(Brief):
    """A Route. `endpoint` and `flavour` (of the subclass) name entries of the builders' tables."""

    path: str
    endpoint: str = "async"
    methods: tuple[str, ...] | None = None
    name: str | None = None
    middleware: tuple[str, ...] = ()
    max_body_size: int | None = None
    flavour: str = "plain"


@dataclass(frozen=True, repr=False)
class W(Brief):
    """A WebSocketRoute."""

    path: str
    endpoint: str = "ws_echo"
    name: str | None = None
    middleware: tuple[str, ...] = ()
    flavour: str = "plain"


@dataclass(frozen=True, repr=False)
class M(Brief):
    """A Mount: of `routes` if these are given, else of `app`."""

    path: str
    app: Any = None
    routes: tuple[Any, ...] | None = None
    name: str | None = None
    middleware: tuple[str, ...] = ()
    max_body_size: int | None = None
    flavour: str = "plain"


@dataclass(frozen=True, repr=False)
class H(Brief):
    """A Host."""

    host: str
    app: Any = "asgi"
    name: str | None = None
    flavour: str = "plain"


@dataclass(frozen=True, repr=False)
class B(Brief):
    """A subclass of BaseRoute that matches by prefix, without a pattern."""

    prefix: str


@dataclass(frozen=True, repr=False)
class RouterOf(Brief):
    """A Router."""

    routes: tuple[Any, ...] = ()
    redirect_slashes: bool = True
    default: str | None = None
    middleware: tuple[str, ...] = ()
    max_body_size: int | None = None
    lifespan: str | None = None
    flavour: str = "plain"


@dataclass(frozen=True, repr=False)
class AppOf(Brief):
    """A Starlette application around a router."""

    router: RouterOf = RouterOf()
    debug: bool = False
    middleware: tuple[str, ...] = ()
    handlers: tuple[tuple[Any, str], ...] = ()
    max_body_size: int | None = None
    lifespan: str | None = None
    flavour: str = "plain"


# A bare `{}` is a parameter of the default kind. The pool is small, so that patterns overlap.
SEGMENTS = (
    *("a", "b", "ab", "users", "a", "b", "x-y", "a.b", "a+b", "(a)", "[b]", "a|b", "$", "^a", "a*"),
    *("é", "a%20b", "a%2Fb", "%61", "a b", "", "{", "}", "{1}", "\\d", "a\n", "A", "42"),
    *("{}", "{}", "{}", "{:str}", "{:int}", "{:int}", "{:float}", "{:path}", "{:uuid}"),
    *("a{}", "{}b", "a{}b", "{}-{}", "{}.{:int}", "{}.{}", "{:int}{}", "é{}", "{}+", "{:path}.b"),
    *("{:slashy}", "{:picky}", "{:maybe}", "{:either}", "{:nocase}", "{:lines}", "{:groups}"),
    *("a{:maybe}", "{:int}-{:picky}"),
)
HOSTS = (
    *("a.example", "A.example", "{}.example", "{:int}.example", "{}-{:picky}.example", "[::1]"),
    *("example.org:8000", "é.example", "{:path}"),
)
HOLE = re.compile(r"\{(:[a-z]+)?\}")
PARAMETERS = "abcdefgh"


def numbered(template: str) -> str:
    """Name the parameters of a template by their position: `/{}/{:int}` is `/{a}/{b:int}`."""
    names = iter(PARAMETERS)
    return HOLE.sub(lambda hole: "{" + next(names) + (hole.group(1) or "") + "}", template)


PLAIN_SEGMENTS = ("a", "b", "ab", "{}", "{:int}", "{:path}", "a{}")
PREFIXES = (
    *("/a", "/a", "/b", "/{a}", "/{a:int}", "", "/", "/a/b", "/a/{a}", "/é", "/{a:path}", "/a//"),
    *("/{a}-{b}", "/{a:picky}", "/a\n", "/{a:lines}"),
)
METHODS = (
    *(None, None, None, ("GET",), ("POST",), ("PUT", "DELETE"), ("get", "Post"), ()),
    *(("HEAD",), ("QUERY",), ("GET", "GET"), ("OPTIONS", "PATCH")),
)
NAMES = (None, None, "one", "two", "one", "a:b", "")
MOUNT_NAMES = (None, "m", "n", "m", "")
COMMON_ENDPOINTS = ("async", "async", "async", "async", "json", "plain", "poison", "partial")
RARE_ENDPOINTS = (
    *("sync", "method", "class", "class_sync", "raw_class", "raw_instance", "raw_partial"),
    *("raise_http", "raise_boom", "touches", "raw_function", "redirect", "reused"),
)
WS_ENDPOINTS = ("ws_echo", "ws_echo", "ws_close", "ws_class", "ws_raw", "ws_raise_http", "ws_deny")
FLAVOURS = (
    *("sub", "matches", "picky", "partial", "extra", "handle", "url", "touch"),
    *("own_matches", "own_handle", "own_url"),
)
MIDDLEWARE = ("pure", "pure", "path", "copy", "short", "headers")
LIMITS = (3, 0, 100)
APPS = ("asgi", "asgi", "asgi_object", "files")
ROUTER_FLAVOURS = ("sub", "app", "call", "not_found")
APP_FLAVOURS = ("sub", "call", "build", "own_build")
HANDLED = (404, 405, 418, 500, 422, 413, "HTTPException", "Boom", "SubBoom", "Exception")
HANDLERS = ("async", "async", "callable", "none", "asgi", "raises", "reraises", "turns", "sync")
MOUNTED = ("routes", "routes", "routes", "router", "app", "asgi")


def path(choose: Choices) -> str:
    """A route's path, at times ending in a slash."""
    count = choose.of((1, 1, 2, 2, 3))
    drawn = [choose.of(SEGMENTS if choose.seldom(3) else PLAIN_SEGMENTS) for _ in range(count)]
    return numbered("/" + "/".join(drawn) + choose.rarely(("/", "//"), "", 5))


def wrapped(choose: Choices) -> tuple[str, ...]:
    return choose.some(MIDDLEWARE, 1, 2) if choose.seldom(10) else ()


def route(choose: Choices) -> R:
    rare = choose.seldom(5)
    return R(
        path(choose),
        choose.of(RARE_ENDPOINTS if rare else COMMON_ENDPOINTS),
        choose.of(METHODS),
        choose.of(NAMES),
        wrapped(choose) if rare else (),
        choose.rarely(LIMITS, None) if rare else None,
        choose.rarely(FLAVOURS, "plain"),
    )


def websocket_route(choose: Choices) -> W:
    endpoint, name = choose.of(WS_ENDPOINTS), choose.of(NAMES)
    return W(path(choose), endpoint, name, wrapped(choose), choose.rarely(FLAVOURS, "plain"))


def prefix(choose: Choices) -> str:
    """A Mount's path."""
    return numbered("/" + choose.of(SEGMENTS)) if choose.seldom(4) else choose.of(PREFIXES)


def nested(choose: Choices, kind: str, depth: int) -> Any:
    """An application below a Mount or Host."""
    if kind == "asgi" or depth == 0:
        return choose.of(APPS)
    return router(choose, depth - 1) if kind == "router" else application(choose, depth - 1)


def mount(choose: Choices, depth: int) -> M:
    kind = choose.of(MOUNTED)
    plain = not choose.seldom(4)
    return M(
        prefix(choose),
        None if kind == "routes" else nested(choose, kind, depth),
        table(choose, depth - 1) if kind == "routes" else None,
        choose.of(MOUNT_NAMES),
        () if plain else wrapped(choose),
        None if plain else choose.rarely(LIMITS, None),
        "plain" if plain else choose.rarely(FLAVOURS, "plain", 3),
    )


def host(choose: Choices, depth: int) -> H:
    app = nested(choose, choose.of(MOUNTED[3:]), depth)
    name, flavour = choose.of(MOUNT_NAMES), choose.rarely(FLAVOURS, "plain")
    return H(numbered(choose.of(HOSTS)), app, name, flavour)


def item(choose: Choices, depth: int) -> Any:
    """One entry of a route table."""
    kind = choose.number(0, 13)
    if kind < 8 or (kind < 11 and depth <= 0):
        return route(choose)
    if kind < 11:
        return mount(choose, depth)
    if kind == 11:
        return websocket_route(choose)
    return host(choose, max(depth, 0)) if kind == 12 else B(choose.of(("/a", "/b/", "/é", "/")))


def table(choose: Choices, depth: int, most: int = 5) -> tuple[Any, ...]:
    size = min(choose.of((2, 3, 1, 4, 5, 0)), most)
    return tuple(item(choose, depth) for _ in range(size))


def router(choose: Choices, depth: int = 2) -> RouterOf:
    plain = not choose.seldom(3)
    return RouterOf(
        table(choose, depth),
        plain or not choose.seldom(2),
        None if plain else choose.rarely(APPS, None, 3),
        () if plain else wrapped(choose),
        None if plain else choose.rarely(LIMITS, None),
        None,
        "plain" if plain else choose.rarely(ROUTER_FLAVOURS, "plain", 3),
    )


def handlers(choose: Choices) -> tuple[tuple[Any, str], ...]:
    return tuple((choose.of(HANDLED), choose.of(HANDLERS)) for _ in range(choose.number(1, 3)))


def application(choose: Choices, depth: int = 2) -> AppOf:
    plain = not choose.seldom(3)
    return AppOf(
        router(choose, depth),
        not plain and choose.seldom(4),
        () if plain else wrapped(choose),
        () if plain else handlers(choose),
        None if plain else choose.rarely(LIMITS, None),
        None,
        "plain" if plain else choose.rarely(APP_FLAVOURS, "plain", 4),
    )


def top(choose: Choices, depth: int = 2) -> Any:
    """What a server would be given: mostly an application, at times a bare router."""
    return router(choose, depth) if choose.seldom(4) else application(choose, depth)


def walk(described: Any, prefix: str = "", names: str = "") -> list[tuple[str, str, Any]]:
    """All entries with the path templates and names under which they are reached."""
    if isinstance(described, AppOf):
        return walk(described.router, prefix, names)
    found: list[tuple[str, str, Any]] = []
    for item in getattr(described, "routes", None) or ():
        path = prefix + (getattr(item, "path", None) or getattr(item, "prefix", ""))
        name = names + (getattr(item, "name", None) or "")
        found.append((path, name, item))
        child = item if isinstance(item, M) and item.routes is not None else None
        if child is None and isinstance(item, M | H):
            child = item.app
        if child is not None:
            inner = prefix + item.path.rstrip("/") if isinstance(item, M) else prefix
            below = names + f"{item.name}:" if item.name is not None else names
            found += walk(child, inner, below)
    return found
