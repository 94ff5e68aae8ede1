"""How each route is matched and run, and if it is not on the fast path, why and what to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import FunctionType, MethodType
from typing import Any

from starlette._utils import is_async_callable
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from turbostar._attach.kill_switch import DISABLED
from turbostar._explain.places import Place, author_of, chain_to, describe, name_of
from turbostar._explain.reasons import (
    FASTAPI,
    IF_NEEDLESS,
    OFF,
    UNLOAD,
    Reason,
    definer_of,
    is_fastapi,
    list_notes,
    method_reason,
    own_middleware,
    replaced_functions,
    router_reasons,
    routing_reason,
    unfused_reason,
    watch_reason,
)
from turbostar._guard.sources import is_known
from turbostar._routing.endpoints import endpoint_of, is_class_endpoint
from turbostar._routing.entries import Entry, Kind, Test, entry_of

__all__ = ["RouteReport", "explain_route"]


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


def explain_route(place: Place) -> RouteReport:
    """Explain one route, as it is now.

    Args:
        place: the route where it stands.
    """
    route = place.route
    if DISABLED:
        return RouteReport(place, _ASKED, "as on stock", (OFF,))
    undecided = routing_reason(place.router)
    if undecided is not None:
        return RouteReport(place, _ASKED, f"by {name_of(place.router)}", (undecided,))
    entry = entry_of(route)
    reasons = [*_match_reasons(route, entry), *_run_reasons(route, entry)]
    if not reasons and (entry.test is Test.ASKED or entry.kind is Kind.HANDLE):
        unknown = "turbostar does not know this route: it is treated as on stock"
        reasons = [Reason(unknown, topic="route-classes")]
    notes = [*_notes(route, entry)]
    return RouteReport(
        place, _MATCHED[entry.test], _run(route, entry), tuple(reasons), tuple(notes)
    )


# What is asked of methods and classes


# Routers


# Matching


def _match_reasons(route: Any, entry: Entry) -> Iterator[Reason]:
    cls = type(route)
    base = next((base for base in _BASES if isinstance(route, base)), None)
    asked = "it is asked for every request that reaches it"
    if is_fastapi(cls):
        yield FASTAPI
    elif base is None:
        yield Reason(
            f"class {describe(cls)} is none of Route, WebSocketRoute, Mount and Host: {asked}",
            "derive it from the one it is most like, without overriding matches()",
            "route-classes",
            cls.__module__,
        )
    elif (unseen := watch_reason(route, base)) is not None:
        yield unseen
    elif base is Host:
        yield Reason(
            f"a Host matches by a header: {asked}",
            "nothing to do; what is below it is looked up",
            "hosts",
        )
    elif (found := method_reason(route, base, "matches")) is not None:
        yield replace(found, cause=f"{found.cause}: {asked}")
    elif entry.shape is None:
        yield Reason(
            "its path_regex, or a convertor, is not what its path says: the pattern is tried on "
            "every path",
            "write the pattern as a convertor, register_url_convertor(), before routes are made",
            "patterns",
        )


def _run_reasons(route: Any, entry: Entry) -> Iterator[Reason]:
    base = next((base for base in _BASES if isinstance(route, base)), None)
    if base is None or is_fastapi(type(route)) or watch_reason(route, base) is not None:
        return
    found = method_reason(route, base, "handle")
    if found is not None:
        yield replace(found, cause=f"{found.cause}: it is called, as on stock")
    elif entry.kind is Kind.ASGI and (endpoint_of(route.app) or is_class_endpoint(route.app)):
        cause = "turbostar runs this endpoint as on stock"
        yield unfused_reason() or Reason(cause, topic="endpoints")
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
            UNLOAD,
            "replaced",
        )
    elif isinstance(route.app, FunctionType):
        yield Reason(
            f"its app, made by {author_of(route.app)}, calls the endpoint",
            "leave route.app as Route makes it, if that is possible",
            "endpoints",
            author_of(route.app),
        )


def _notes(route: Any, entry: Entry) -> Iterator[Reason]:
    shape = entry.shape
    is_leaf = isinstance(route, (Route, WebSocketRoute))
    if is_leaf and shape is not None and shape.slashes is None:
        under = f"every path under {shape.prefix}/" if shape.prefix else "every path"
        yield Reason(
            f"convertor regex may match '/': its pattern is tried on {under}",
            "use {name} or {name:str} if the value holds no slash",
            "patterns",
        )
    if is_leaf and entry.kind is Kind.ASGI:
        layers = chain_to(route.app, lambda app: endpoint_of(app) is not None)[:-1]
        if layers:
            yield own_middleware(layers)
        yield from _class_notes(route.app)
    if isinstance(route, (Mount, Host)):
        yield from _mount_notes(route, entry)


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
            cause = f"{by}: the class is called, as on stock"
            yield Reason(cause, IF_NEEDLESS, "overridden", definer.__module__)


def _mount_notes(route: Any, entry: Entry) -> Iterator[Reason]:
    app: Any = getattr(route, "_base_app", route.app)
    layers = chain_to(route.app, lambda found: found is app)[:-1]
    if layers:
        yield own_middleware(layers)
    if isinstance(app, Starlette):
        cause = "an application with a middleware stack of its own"
        yield Reason(cause, topic="own-middleware")
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
