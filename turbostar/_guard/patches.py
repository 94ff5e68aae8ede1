"""Who else replaces Starlette's functions: tracers and monitors, before or after us, at any time.

The fast path bypasses many of Starlette's functions. Where one of them has been replaced, that
part must take the stock path, for the replacement to see what it would see on stock. So each
request asks `unchanged`, one comparison for each of the functions; what was compiled before a
change becomes stale then, and `can_fuse` says whether requests may still run in one coroutine.
"""

from __future__ import annotations

import threading
from typing import Any

import starlette._exception_handler as handling
import starlette.middleware.exceptions
import starlette.routing
from starlette.applications import Starlette
from starlette.convertors import PathConvertor
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.websockets import WebSocket

from turbostar._guard.classes import are_same, namespace
from turbostar._guard.compiled import all_changed
from turbostar._guard.sources import is_known, trusts
from turbostar._guard.swapped import refresh, swapped

__all__ = [
    "can_fuse",
    "can_route",
    "gives_way",
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
_websocket = _namespace(WebSocket, "__init__")


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
            (vars(routing), "Request"),
            (vars(exceptions), "Request"),
            # What only websockets, mounts and class endpoints rely on.
            (vars(Mount), "matches"),
            (vars(Mount), "handle"),
            (vars(WebSocketRoute), "matches"),
            (vars(WebSocketRoute), "handle"),
            (vars(HTTPEndpoint), "dispatch"),
            (vars(routing), "WebSocket"),
            (vars(exceptions), "WebSocket"),
            (_websocket, "__init__"),
            (vars(PathConvertor), "convert"),
        )
    ]


_seen = _now()
(
    _route_path,
    _routing_wrap,
    _exceptions_wrap,
    _starlette_call,
    _server_call,
    _exception_call,
    _router_call,
    _request_init,
    _route_matches,
    _route_handle,
    _request_class,
    _layers_request_class,
    _mount_matches,
    _mount_handle,
    _socket_matches,
    _socket_handle,
    _endpoint_dispatch,
    _socket_class,
    _layers_socket_class,
    _socket_init,
    _path_convert,
) = _seen


def unchanged() -> bool:
    """Whether what every HTTP request relies on has not been replaced since `look_again`."""
    # fast: written out, a tenth of a small request; a loop takes thrice as long (JSON, 1 route)
    if (
        routing.get_route_path is _route_path
        and routing.wrap_app_handling_exceptions is _routing_wrap
        and exceptions.wrap_app_handling_exceptions is _exceptions_wrap
        and _starlette["__call__"] is _starlette_call
        and _server["__call__"] is _server_call
        and _exception["__call__"] is _exception_call
        and _router["__call__"] is _router_call
        and _request["__init__"] is _request_init
        and Route.matches is _route_matches
        and Route.handle is _route_handle
        and routing.Request is _request_class
        and exceptions.Request is _layers_request_class
    ):
        return True
    return are_same(_seen, _now())


def others_unchanged() -> bool:
    """The same for what only websockets, mounts and class endpoints rely on."""
    if (
        Mount.matches is _mount_matches
        and Mount.handle is _mount_handle
        and WebSocketRoute.matches is _socket_matches
        and WebSocketRoute.handle is _socket_handle
        and HTTPEndpoint.dispatch is _endpoint_dispatch
        and routing.WebSocket is _socket_class
        and exceptions.WebSocket is _layers_socket_class
        and _websocket["__init__"] is _socket_init
        and PathConvertor.convert is _path_convert
    ):
        return True
    return are_same(_seen, _now())


_own_route_path = routing.get_route_path
_own_request, _own_socket = Request, WebSocket
_own_convert = PathConvertor.convert
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
        look_again()
        _seen_closely = found


def look_again() -> list[tuple[type, str]]:
    """Take what is there now, let import-swapped classes follow it, and compile all anew.

    What was seen is told last: a request in another thread that finds it told finds nothing that
    was compiled before.

    Returns:
        The methods that import-swapped classes now inherit from Starlette's, and did not before.
    """
    global _looks, _seen
    global _route_path, _routing_wrap, _exceptions_wrap, _starlette_call
    global _server_call, _exception_call, _router_call, _request_init
    global _route_matches, _route_handle, _request_class, _layers_request_class
    global _mount_matches, _mount_handle, _socket_matches, _socket_handle
    global _endpoint_dispatch, _socket_class, _layers_socket_class, _socket_init, _path_convert
    with _lock:
        now = _now()
        _looks = object()
        left = refresh()
        all_changed()
        (
            _route_path,
            _routing_wrap,
            _exceptions_wrap,
            _starlette_call,
            _server_call,
            _exception_call,
            _router_call,
            _request_init,
            _route_matches,
            _route_handle,
            _request_class,
            _layers_request_class,
            _mount_matches,
            _mount_handle,
            _socket_matches,
            _socket_handle,
            _endpoint_dispatch,
            _socket_class,
            _layers_socket_class,
            _socket_init,
            _path_convert,
        ) = _seen = now
    return left


def gives_way(instance: Any, name: str) -> bool:
    """Let import-swapped classes follow; say whether an instance inherits a method from now on.

    To be asked by a method of ours that finds another than itself and Starlette's in Starlette's
    class. If it is called by that, or for an instance of Starlette's class, nothing gives way.
    """
    global _seen_closely
    _seen_closely = _closely()
    return any(found == name and cls in type(instance).__mro__ for cls, found in look_again())


def can_route() -> bool:
    """Whether routes may be looked up, and not asked in turn."""
    return routing.get_route_path is _own_route_path and PathConvertor.convert is _own_convert


def can_fuse() -> bool:
    """Whether an endpoint and the layers around it may run without their wrappers."""
    global _fusable
    looks = _looks  # before anything is read: another thread may look again meanwhile
    known, answer = _fusable
    if known is not looks:
        answer = (
            routing.get_route_path is _own_route_path
            and routing.wrap_app_handling_exceptions is _wrap
            and exceptions.wrap_app_handling_exceptions is _wrap
            and routing.Request is _own_request
            and routing.WebSocket is _own_socket
            and exceptions.Request is _own_request
            and exceptions.WebSocket is _own_socket
            and is_known(Request.__init__, Request, "__init__")
            and is_known(WebSocket.__init__, WebSocket, "__init__")
            and HTTPConnection.__init__ is _connection_init
            and trusts("starlette._exception_handler:wrap_app_handling_exceptions")
            and trusts("starlette.requests:HTTPConnection.__init__")
        )
        _fusable = (looks, answer)
    return answer


_lock = threading.RLock()
_looks = object()  # another one for each look
_fusable: tuple[object, bool] = (None, False)  # the look that it is the answer for
