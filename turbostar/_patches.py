"""Who else replaces Starlette's functions: tracers and monitors, before or after us, at any time.

The fast path goes without many of Starlette's functions. Where one of them has been replaced, that
part must take the stock path, for the replacement to see what it would see on stock. So each
request asks `unchanged`, one comparison for each of the functions; what was compiled before a
change ends with its era, and `can_fuse` says whether requests may still run in one coroutine.
"""

from __future__ import annotations

from typing import Any

import starlette._exception_handler as handling
import starlette.middleware.exceptions
import starlette.routing
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router, WebSocketRoute

from turbostar._accelerations import is_known, refresh, swapped, trusts
from turbostar._classes import are_same, namespace
from turbostar._watch import end_era

__all__ = [
    "can_fuse",
    "can_route",
    "look_again",
    "look_closely",
    "others_unchanged",
    "unchanged",
]


routing: Any = starlette.routing
exceptions: Any = starlette.middleware.exceptions


def _namespace(cls: type, name: str) -> Any:
    # OpenTelemetry puts a subclass of its own in the place of Starlette's class.
    return namespace(next(base for base in cls.__mro__ if name in vars(base)))


_starlette = _namespace(Starlette, "__call__")
_server = _namespace(ServerErrorMiddleware, "__call__")
_exception = _namespace(ExceptionMiddleware, "__call__")
_router = _namespace(Router, "__call__")
_request = _namespace(Request, "__init__")


def _now() -> list[Any]:
    """The functions as they stand in their classes: some tools' wrappers bind anew at each look."""
    return [
        namespace.get(name)
        for namespace, name in (
            (vars(routing), "get_route_path"),
            (vars(routing), "wrap_app_handling_exceptions"),
            (vars(exceptions), "wrap_app_handling_exceptions"),
            (_starlette, "__call__"),
            (_server, "__call__"),
            (_exception, "__call__"),
            (_router, "__call__"),
            (_request, "__init__"),
            (vars(Route), "matches"),
            (vars(Route), "handle"),
            (vars(Mount), "matches"),
            (vars(Mount), "handle"),
            (vars(WebSocketRoute), "matches"),
            (vars(WebSocketRoute), "handle"),
            (vars(HTTPEndpoint), "dispatch"),
        )
    ]


_seen = _now()
_a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l, _m, _n, _o = _seen


def unchanged() -> bool:
    """Whether what every HTTP request relies on has not been replaced since `look_again`.

    Written out, and as short as can be: it is a tenth of the cost of a small request, and as an
    expression to return it would be a fifth more of that.
    """
    if (
        routing.get_route_path is _a
        and routing.wrap_app_handling_exceptions is _b
        and exceptions.wrap_app_handling_exceptions is _c
        and _starlette["__call__"] is _d
        and _server["__call__"] is _e
        and _exception["__call__"] is _f
        and _router["__call__"] is _g
        and _request["__init__"] is _h
        and Route.matches is _i
        and Route.handle is _j
    ):
        return True
    return are_same(_seen, _now())


def others_unchanged() -> bool:
    """The same for what only websockets, mounts and class endpoints rely on."""
    if (
        Mount.matches is _k
        and Mount.handle is _l
        and WebSocketRoute.matches is _m
        and WebSocketRoute.handle is _n
        and HTTPEndpoint.dispatch is _o
    ):
        return True
    return are_same(_seen, _now())


_route_path = routing.get_route_path
_wrap = handling.wrap_app_handling_exceptions
_connection_init = HTTPConnection.__init__


def _closely() -> list[Any]:
    return [
        vars(owner).get(name)
        for owner, name in (
            (HTTPConnection, "__init__"),
            (JSONResponse, "render"),
            (JSONResponse, "__init__"),
            (Request, "body"),
            (Request, "json"),
            (Response, "__init__"),
            (Router, "app"),
            (Router, "url_path_for"),
        )
    ] + [vars(entry.owner).get(entry.name) for entry in swapped()]


_seen_closely = _closely()


def look_closely() -> None:
    """Look as well, when something is built, at what is not looked at in each request."""
    global _seen_closely
    found = _closely()
    if not are_same(_seen_closely, found):
        _seen_closely = found
        look_again()


def look_again() -> list[tuple[type, str]]:
    """Take what is there now, let import-swapped classes follow it, and end the era.

    Returns:
        The methods that import-swapped classes now inherit from Starlette's, and did not before.
    """
    global _fusable, _seen, _a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l, _m, _n, _o
    _seen = _now()
    _a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l, _m, _n, _o = _seen
    _fusable = None
    left = refresh()
    end_era()
    return left


def can_route() -> bool:
    """Whether routes may be looked up, and not asked in turn."""
    return _a is _route_path


def can_fuse() -> bool:
    """Whether an endpoint and the layers around it may run without their wrappers."""
    global _fusable
    if _fusable is None:
        _fusable = (
            _a is _route_path
            and _b is _wrap
            and _c is _wrap
            and is_known(Request.__init__, Request, "__init__")
            and HTTPConnection.__init__ is _connection_init
            and trusts("starlette._exception_handler:wrap_app_handling_exceptions")
            and trusts("starlette.requests:HTTPConnection.__init__")
        )
    return _fusable


_fusable: bool | None = None  # worked out once in an era
