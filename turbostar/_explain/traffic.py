"""Which routes some requests would take, and whether those are on the fast path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.routing import Host, Match, Mount

from turbostar._attach.kill_switch import DISABLED
from turbostar._explain.places import app_of, application_of, describe
from turbostar._explain.reasons import routing_reason
from turbostar._explain.routes import RouteReport

__all__ = ["Taken", "taken"]


@dataclass(frozen=True)
class Taken:
    """What would answer a request.

    Attributes:
        route: its path as `turbostar routes` lists it, or why there is none.
        fast: whether it, and all that is above it, is on the fast path.
    """

    route: str
    fast: bool


def taken(app: Any, routes: Iterable[RouteReport], scope: Mapping[str, Any]) -> Taken:
    """Find what would answer a request, without running it.

    Only `matches()` of the routes is called, in the order in which Starlette would.

    Args:
        app: the application.
        routes: what was found out about its routes.
        scope: of the request, as a server makes it.
    """
    known = {id(report.place.route): report for report in routes}
    holder, fast, path = application_of(app), not DISABLED, ""
    current = dict(scope)
    while holder is not None:
        router = getattr(holder, "router", holder)
        try:
            route, below = _matching(router, current)
        except Exception as exc:  # as it would while serving
            return Taken(f"none, for matching it raises {type(exc).__name__}", False)
        fast = fast and routing_reason(router) is None
        if route is None:
            return Taken(path or "no route", fast)
        report = known.get(id(route))
        fast = fast and report is not None and report.fast
        path = report.place.path if report is not None else describe(route)
        if not isinstance(route, (Mount, Host)):
            break
        current.update(below)
        holder = application_of(app_of(route))
    return Taken(path, fast)


def _matching(router: Any, scope: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The route that Starlette would choose: the first full match, else the first partial one."""
    partial: tuple[Any, Mapping[str, Any]] = (None, {})
    for route in getattr(router, "routes", ()):
        match, below = route.matches(dict(scope))
        if match is Match.FULL:
            return route, below
        if match is Match.PARTIAL and partial[0] is None:
            partial = (route, below)
    return partial
