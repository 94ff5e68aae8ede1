"""How each route is matched and run, and if it is not on the fast path, why and what to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import starlette.middleware.exceptions as exceptions
import starlette.routing as stock
from starlette._utils import is_async_callable
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import HTTPConnection, Request
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from turbostar._accelerations import TABLE, is_known
from turbostar._bytecode import objection_to_endpoint
from turbostar._endpoint import endpoint_of, is_class_endpoint
from turbostar._entry import Entry, Kind, Test, entry_of, plain_router
from turbostar._patches import can_fuse, can_route
from turbostar._switch import DISABLED, VARIABLE
from turbostar._walk import Place, author_of, chain_to, describe, name_of
from turbostar._watch import RouteList, watched_setattr

__all__ = [
    "OFF",
    "Reason",
    "RouteReport",
    "definer_of",
    "explain_route",
    "list_notes",
    "method_reason",
    "ours",
    "replaced_functions",
    "router_reasons",
    "unfused_reason",
]


@dataclass(frozen=True)
class Reason:
    """Why something is not on the fast path, or costs more there than it need.

    Attributes:
        cause: what it is.
        change: what to do about it; empty if there is nothing to be done.
    """

    cause: str
    change: str = ""


@dataclass(frozen=True)
class RouteReport:
    """One route, how it is matched and run, why it is not on the fast path, and other notes."""

    place: Place
    matched: str
    run: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()

    @property
    def fast(self) -> bool:
        """Whether it is on the fast path."""
        return not self.reasons


OFF = Reason(f"{VARIABLE} is set: all of it is stock Starlette", f"unset {VARIABLE}")
_UNLOAD = "unload what replaces it, if it is not needed"
_IF_NEEDLESS = "remove the override if it is not needed"
_ASKED = "asked each time"
_MATCHED = {
    Test.LITERAL: "literal look-up",
    Test.SINGLE: "index + regex",
    Test.REGEX: "index + regex",
    Test.PREFIX: "prefix",
    Test.MOUNT: "index + regex",
    Test.ASKED: _ASKED,
}
_BASES = (Route, WebSocketRoute, Mount, Host)


def explain_route(place: Place, passes_up: bool = False) -> RouteReport:
    """Explain one route, as it is now.

    Args:
        place: the route where it stands.
        passes_up: whether a BaseHTTPMiddleware would await its endpoint in its own task.
    """
    route = place.route
    if DISABLED:
        return RouteReport(place, _ASKED, "as on stock", (OFF,))
    undecided = _routing_reason(place.router)
    if undecided is not None:
        return RouteReport(place, _ASKED, f"by {name_of(place.router)}", (undecided,))
    entry = entry_of(route)
    reasons = [*_match_reasons(route, entry), *_run_reasons(route, entry)]
    if not reasons and (entry.test is Test.ASKED or entry.kind is Kind.HANDLE):
        reasons = [Reason("turbostar does not know this route: it is treated as on stock")]
    notes = [*_notes(route, entry), *(_task_notes(route, entry) if passes_up else ())]
    return RouteReport(
        place, _MATCHED[entry.test], _run(route, entry), tuple(reasons), tuple(notes)
    )


# What is asked of methods and classes


def ours(target: str) -> Any:
    """Our function for a stock attribute, ``starlette.module:Class.name``."""
    return next(entry.replacement for entry in TABLE if entry.target == target)


def definer_of(cls: type, name: str) -> type:
    """The class in which `cls` finds an attribute."""
    return next(base for base in cls.__mro__ if name in vars(base))


def method_reason(owner: Any, base: type, name: str) -> Reason | None:
    """Why a method of an object is not the one of `base` that the fast path stands for."""
    if name in vars(owner) and not name.startswith("__"):
        by = describe(vars(owner)[name])
        return Reason(f"its {name}() was replaced, on this object, by {by}", _IF_NEEDLESS)
    found = getattr(type(owner), name)
    if is_known(found, base, name):
        return None
    definer = definer_of(type(owner), name)
    if definer is not base and not definer.__module__.startswith("turbostar."):
        return Reason(f"class {describe(definer)} overrides {name}()", _IF_NEEDLESS)
    target = f"{base.__module__}.{base.__qualname__}.{name}"
    if author_of(found) == base.__module__:
        return Reason(f"{target} is not of a source that turbostar knows", "upgrade turbostar")
    return Reason(
        f"{target} has been replaced by {author_of(found)}, and must not be bypassed",
        _UNLOAD,
    )


def _watch_reason(watched: Any, base: type) -> Reason | None:
    """Why turbostar is not told when an attribute of a route or router is replaced."""
    cls: Any = type(watched)
    if cls.__setattr__ is watched_setattr:
        return None
    unseen = "turbostar cannot see its attributes change"
    definer = definer_of(cls, "__setattr__")
    if definer is not object:
        return Reason(f"class {describe(definer)} overrides __setattr__(): {unseen}", _IF_NEEDLESS)
    where = "in an app that swapped imports"
    if cls is base:
        return Reason(
            f"this {cls.__name__} is starlette.routing.{cls.__name__} {where}: {unseen}",
            f"import {cls.__name__} from turbostar.routing or call turbostar.install()",
        )
    return Reason(
        f"class {describe(cls)} derives from starlette.routing.{base.__name__} {where}: {unseen}",
        f"derive it from turbostar.routing.{base.__name__} or call turbostar.install()",
    )


def replaced_functions() -> dict[str, str]:
    """Functions of Starlette's, not in the table, that are another's now, and whose."""
    found = {}
    for module, path, function in (
        ("routing", "request_response", stock.request_response),
        ("routing", "get_route_path", vars(stock)["get_route_path"]),
        ("routing", _WRAP, vars(stock)[_WRAP]),
        ("middleware.exceptions", _WRAP, vars(exceptions)[_WRAP]),
        ("requests", "HTTPConnection.__init__", HTTPConnection.__init__),
        ("requests", "Request.__init__", Request.__init__),
    ):
        if not author_of(function).startswith(("starlette.", "turbostar.")):
            found[f"starlette.{module}:{path}"] = author_of(function)
    return found


_WRAP = "wrap_app_handling_exceptions"


def unfused_reason() -> Reason | None:
    """Why no endpoint at all may run without the wrappers that stock puts around it."""
    if can_fuse():
        return None
    targets = [
        f"{target.replace(':', '.')} has been replaced by {author}"
        for target, author in replaced_functions().items()
        if not target.endswith("request_response")
    ]
    cause = ", ".join(targets) or "a function of Starlette's is not one that turbostar knows"
    return Reason(f"{cause}, and must not be bypassed", _UNLOAD)


def _is_fastapi(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "fastapi"


# Routers


def _routing_reason(router: Any) -> Reason | None:
    """Why a router's routes are not looked up in a table of ours."""
    cls = type(router)
    if not can_route():
        return unfused_reason()
    if not isinstance(router, Router):
        return Reason(f"{describe(cls)} is not a Router: it chooses among its routes by itself")
    if "app" not in vars(router) and vars(definer_of(cls, "app"))["app"] is ours(
        "starlette.routing:Router.app"
    ):
        return None
    if _is_fastapi(definer_of(cls, "app")):
        return Reason(
            "FastAPI's route: dispatched by FastAPI's own app",
            "nothing; requests and responses are accelerated all the same",
        )
    return (
        method_reason(router, Router, "app")
        or _watch_reason(router, Router)
        or Reason(f"{describe(cls)} has an app() that turbostar does not know")
    )


def router_reasons(router: Any) -> Iterator[Reason]:
    """Yield why calling a router is more than choosing one of its routes; nothing if it is not."""
    if plain_router(router) is not None:
        return
    found = _routing_reason(router)
    if found is None and isinstance(router, Router):
        found = _watch_reason(router, Router) or method_reason(router, Router, "__call__")
        stack = router.middleware_stack
        if found is None and not (type(stack) is MethodType and stack.__self__ is router):
            names = chain_to(stack, lambda layer: layer is router)[:-1]
            found = Reason(f"its own middleware is called: {', '.join(map(name_of, names))}")
    yield found or Reason("turbostar does not know this router: it is called as on stock")


def list_notes(router: Any) -> Iterator[Reason]:
    """Yield what is to be said of a router's list of routes."""
    routes = getattr(router, "routes", None)
    if not DISABLED and _routing_reason(router) is None and type(routes) is not RouteList:
        yield Reason(
            f"the list router.routes was replaced by a plain {type(routes).__name__}: it is "
            "compared on every request",
            "mutate app.router.routes in place, as in routes[:] = [...]",
        )


# Matching


def _match_reasons(route: Any, entry: Entry) -> Iterator[Reason]:
    cls = type(route)
    base = next((base for base in _BASES if isinstance(route, base)), None)
    asked = "it is asked for every request that reaches it"
    if _is_fastapi(cls):
        yield Reason(
            "FastAPI's route: matched and handled by FastAPI's own code",
            "nothing; requests and responses are accelerated all the same",
        )
    elif base is None:
        yield Reason(
            f"class {describe(cls)} is none of Route, WebSocketRoute, Mount and Host: {asked}",
            "derive it from the one it is most like, without overriding matches()",
        )
    elif (unseen := _watch_reason(route, base)) is not None:
        yield unseen
    elif base is Host:
        yield Reason(
            f"a Host matches by a header: {asked}", "nothing; what is below it is looked up"
        )
    elif (found := method_reason(route, base, "matches")) is not None:
        yield Reason(f"{found.cause}: {asked}", found.change)
    elif entry.shape is None:
        yield Reason(
            "its path_regex, or a convertor, is not what its path says: the pattern is tried on "
            "every path",
            "write the pattern as a convertor, register_url_convertor(), before routes are made",
        )


def _run_reasons(route: Any, entry: Entry) -> Iterator[Reason]:
    base = next((base for base in _BASES if isinstance(route, base)), None)
    if base is None or _is_fastapi(type(route)) or _watch_reason(route, base) is not None:
        return
    found = method_reason(route, base, "handle")
    if found is not None:
        yield Reason(f"{found.cause}: it is called, as on stock", found.change)
    elif entry.kind is Kind.ASGI and (endpoint_of(route.app) or is_class_endpoint(route.app)):
        yield unfused_reason() or Reason("turbostar runs this endpoint as on stock")
    elif base is Route and entry.kind is Kind.ASGI and _is_function(route.endpoint):
        yield from _made_reasons(route)


def _is_function(endpoint: Any) -> bool:
    while hasattr(endpoint, "func"):
        endpoint = endpoint.func
    return isinstance(endpoint, (FunctionType, MethodType))


def _made_reasons(route: Any) -> Iterator[Reason]:
    if chain_to(route.app, lambda app: endpoint_of(app) is not None):
        return  # beneath middleware of the route's own
    by = replaced_functions().get("starlette.routing:request_response")
    if by is not None:
        yield Reason(
            f"starlette.routing.request_response has been replaced by {by}: its app calls the "
            "endpoint",
            _UNLOAD,
        )
    elif isinstance(route.app, FunctionType):
        yield Reason(
            f"its app, made by {author_of(route.app)}, calls the endpoint",
            "leave route.app as Route makes it, if that is possible",
        )


def _notes(route: Any, entry: Entry) -> Iterator[Reason]:
    shape = entry.shape
    is_leaf = isinstance(route, (Route, WebSocketRoute))
    if is_leaf and shape is not None and shape.slashes is None:
        under = f"every path under {shape.prefix}/" if shape.prefix else "every path"
        yield Reason(
            f"convertor regex may match '/': its pattern is tried on {under}",
            "use {name} or {name:str} if the value holds no slash",
        )
    if is_leaf and entry.kind is Kind.ASGI:
        layers = chain_to(route.app, lambda app: endpoint_of(app) is not None)[:-1]
        if layers:
            yield Reason(f"its own middleware is called: {', '.join(map(name_of, layers))}")
        yield from _class_notes(route.app)
    if isinstance(route, (Mount, Host)):
        yield from _mount_notes(route, entry)


def _task_notes(route: Any, entry: Entry) -> Iterator[Reason]:
    """Yield why the endpoint does not share the task of the BaseHTTPMiddleware above it."""
    own = "it runs in a task of its own under BaseHTTPMiddleware"
    if entry.child is not None or isinstance(route, WebSocketRoute):
        return  # told of each of its routes; of no concern to BaseHTTPMiddleware
    if entry.kind is Kind.ENDPOINT and not entry.passable:
        objection = objection_to_endpoint(entry.endpoint)
        if objection is not None:
            yield Reason(f"its endpoint {objection.cause}: {own}", objection.change)
    elif entry.kind is Kind.CLASS:
        yield Reason(f"it is a class endpoint: {own}", "make it a function, if that matters")
    elif entry.kind is not Kind.ENDPOINT:
        yield Reason(f"it is called as an ASGI application: {own}")


def _class_notes(endpoint: Any) -> Iterator[Reason]:
    """Yield why a class endpoint is called as an app, and not its methods at once."""
    if not isinstance(endpoint, type) or not issubclass(endpoint, HTTPEndpoint):
        return
    for name in ("__init__", "__await__", "dispatch"):
        if not is_known(getattr(endpoint, name), HTTPEndpoint, name):
            definer = definer_of(endpoint, name)
            by = f"class {describe(definer)} overrides {name}()"
            if definer is HTTPEndpoint:
                by = f"HTTPEndpoint.{name} is that of {author_of(vars(definer)[name])}"
            yield Reason(f"{by}: the class is called, as on stock", _IF_NEEDLESS)


def _mount_notes(route: Any, entry: Entry) -> Iterator[Reason]:
    app: Any = getattr(route, "_base_app", route.app)
    layers = chain_to(route.app, lambda found: found is app)[:-1]
    if layers:
        yield Reason(f"its own middleware is called: {', '.join(map(name_of, layers))}")
    if isinstance(app, Starlette):
        yield Reason("an application with a middleware stack of its own")
        yield from list_notes(app.router)
    elif isinstance(app, Router):
        if entry.child is None and not layers:
            yield from router_reasons(app)
        yield from list_notes(app)


# Running


def _run(route: Any, entry: Entry) -> str:
    if entry.kind is Kind.HANDLE:
        return "its handle()"
    if entry.kind is Kind.CLASS:
        return "fused class endpoint"
    if entry.kind in (Kind.ENDPOINT, Kind.SESSION):
        return "fused endpoint" if is_async_callable(route.endpoint) else "fused, in a thread"
    if isinstance(route, Mount):
        return "its routes, fused" if entry.child is not None else f"app {name_of(route.app)}"
    if isinstance(route.endpoint, type):
        return "class endpoint"
    return f"app {name_of(route.app)}"
