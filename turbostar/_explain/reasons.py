"""Why something is not on the fast path, and what to change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MethodType
from typing import Any

import starlette.middleware.exceptions as exceptions
import starlette.routing as stock
from starlette.requests import HTTPConnection, Request
from starlette.routing import Router

from turbostar._attach.kill_switch import DISABLED, VARIABLE
from turbostar._explain.places import author_of, chain_to, describe, name_of
from turbostar._guard.classes import computes
from turbostar._guard.patches import can_fuse, can_route
from turbostar._guard.sources import is_known
from turbostar._guard.table import TABLE
from turbostar._routing.entries import COMPUTED, plain_router
from turbostar._routing.watched import RouteList, watched_setattr

__all__ = [
    "FASTAPI",
    "IF_NEEDLESS",
    "OFF",
    "UNLOAD",
    "Reason",
    "definer_of",
    "is_fastapi",
    "list_notes",
    "method_reason",
    "ours",
    "own_middleware",
    "replaced_functions",
    "router_reasons",
    "routing_reason",
    "unfused_reason",
    "watch_reason",
]


@dataclass(frozen=True)
class Reason:
    """Why something is not on the fast path, or costs more there than it need.

    Attributes:
        cause: what it is.
        change: what to do about it; empty if there is nothing to be done.
        topic: the heading of docs/doctor.md under which it is explained.
        where: the module that would have to change, if it is a certain one.
    """

    cause: str
    change: str = ""
    topic: str = "stack"
    where: str = ""


OFF = Reason(
    f"{VARIABLE} is set: all of it is stock Starlette", f"unset {VARIABLE}", "switched-off"
)


FASTAPI = Reason(
    "FastAPI's route: FastAPI's own code matches it and runs its handler",
    "nothing to do; middleware, requests and responses, and what is mounted, gain all the same",
    "fastapi",
)


UNLOAD = "unload what replaces it, if it is not needed"


IF_NEEDLESS = "remove the override if it is not needed"


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
        cause = f"its {name}() was replaced, on this object, by {by}"
        return Reason(cause, IF_NEEDLESS, "overridden", by.partition(":")[0])
    found = getattr(type(owner), name)
    if is_known(found, base, name):
        return None
    definer = definer_of(type(owner), name)
    if definer is not base and not definer.__module__.startswith("turbostar."):
        cause = f"class {describe(definer)} overrides {name}()"
        return Reason(cause, IF_NEEDLESS, "overridden", definer.__module__)
    target = f"{base.__module__}.{base.__qualname__}.{name}"
    if author_of(found) == base.__module__:
        cause = f"{target} is not of a source that turbostar knows"
        return Reason(cause, "upgrade turbostar", "unknown-source")
    return Reason(
        f"{target} has been replaced by {author_of(found)}, and must not be bypassed",
        UNLOAD,
        "replaced",
    )


def watch_reason(watched: Any, base: type) -> Reason | None:
    """Why turbostar is not told when an attribute of a route or router is replaced."""
    cls: Any = type(watched)
    if cls.__setattr__ is watched_setattr:
        return None
    unseen = "turbostar cannot see its attributes change"
    definer = definer_of(cls, "__setattr__")
    if definer is not object:
        cause = f"class {describe(definer)} overrides __setattr__(): {unseen}"
        return Reason(cause, IF_NEEDLESS, "overridden", definer.__module__)
    where = "in an app that swapped imports"
    if cls is base:
        return Reason(
            f"this {cls.__name__} is starlette.routing.{cls.__name__} {where}: {unseen}",
            f"import {cls.__name__} from turbostar.routing or call turbostar.install()",
            "swapped-imports",
        )
    return Reason(
        f"class {describe(cls)} derives from starlette.routing.{base.__name__} {where}: {unseen}",
        f"derive it from turbostar.routing.{base.__name__} or call turbostar.install()",
        "swapped-imports",
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
    return Reason(f"{cause}, and must not be bypassed", UNLOAD, "replaced")


def is_fastapi(cls: type) -> bool:
    """Whether a class is one of FastAPI's own."""
    return cls.__module__.partition(".")[0] == "fastapi"


def routing_reason(router: Any) -> Reason | None:
    """Why a router's routes are not looked up in a table of ours."""
    cls = type(router)
    if not can_route():
        return unfused_reason()
    if not isinstance(router, Router):
        cause = f"{describe(cls)} is not a Router: it chooses among its routes by itself"
        return Reason(cause, topic="routers", where=cls.__module__)
    if computes(cls, Router, COMPUTED):
        cause = f"{describe(cls)} computes what its routes are: they are asked as on stock"
        return Reason(cause, topic="routers", where=cls.__module__)
    if "app" not in vars(router) and vars(definer_of(cls, "app"))["app"] is ours(
        "starlette.routing:Router.app"
    ):
        return None
    if is_fastapi(definer_of(cls, "app")):
        return FASTAPI
    return (
        method_reason(router, Router, "app")
        or watch_reason(router, Router)
        or Reason(f"{describe(cls)} has an app() that turbostar does not know", topic="routers")
    )


def router_reasons(router: Any) -> Iterator[Reason]:
    """Yield why calling a router is more than choosing one of its routes; nothing if it is not."""
    if plain_router(router) is not None:
        return
    found = routing_reason(router)
    if found is None and isinstance(router, Router):
        found = watch_reason(router, Router) or method_reason(router, Router, "__call__")
        stack = router.middleware_stack
        if found is None and not (type(stack) is MethodType and stack.__self__ is router):
            names = chain_to(stack, lambda layer: layer is router)[:-1]
            found = own_middleware(names)
    unknown = "turbostar does not know this router: it is called as on stock"
    yield found or Reason(unknown, topic="routers")


def own_middleware(layers: Iterable[Any]) -> Reason:
    """The middleware that belongs to a route, mount or router is called."""
    cause = f"its own middleware is called: {', '.join(map(name_of, layers))}"
    return Reason(cause, topic="own-middleware")


def list_notes(router: Any) -> Iterator[Reason]:
    """Yield what is to be said of a router's list of routes."""
    routes = getattr(router, "routes", None)
    if not DISABLED and routing_reason(router) is None and type(routes) is not RouteList:
        yield Reason(
            f"the list router.routes was replaced by a plain {type(routes).__name__}: it is "
            "compared on every request",
            "mutate app.router.routes in place, as in routes[:] = [...]",
            "lists",
        )
