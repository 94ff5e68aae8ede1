"""Endpoints: what a route's app was made of."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import starlette.routing as stock
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.websockets import WebSocket

from turbostar._guard.sources import is_known, trusts

__all__ = [
    "DISPATCHING",
    "endpoint_of",
    "is_class_endpoint",
    "is_made_by_starlette",
    "maker_of",
    "register",
]

#: The methods of HTTPEndpoint by which a class endpoint is dispatched.
DISPATCHING = ("__init__", "__await__", "dispatch")


def _probe(request: Any) -> Any:
    """Stands for an endpoint, to see what becomes of one."""


# Of the code that `request_response` and `websocket_session` make, the name of the variable that
# holds the function, and the class of request that it is called with.
_MAKERS: dict[Any, tuple[str, Any]] = {}


def register(made: Any, variable: str, request_class: Any) -> None:
    """Recognise apps that have the code of `made`, and whose endpoint is in `variable`."""
    if type(made) is FunctionType and variable in made.__code__.co_freevars:
        _MAKERS[made.__code__] = (variable, request_class)


def endpoint_of(app: Any) -> tuple[Any, Any] | None:
    """Return what the app awaits for a response, and with what class of request; or None."""
    if type(app) is not FunctionType or app.__code__ not in _MAKERS:
        return None
    variable, request_class = _MAKERS[app.__code__]
    assert app.__closure__ is not None
    cell = app.__closure__[app.__code__.co_freevars.index(variable)]
    return cell.cell_contents, request_class


def is_class_endpoint(app: Any) -> bool:
    """Whether the app is a subclass of HTTPEndpoint that leaves the dispatching to it."""
    return (
        isinstance(app, type)
        and issubclass(app, HTTPEndpoint)
        and all(is_known(getattr(app, name), HTTPEndpoint, name) for name in DISPATCHING)
    )


def is_made_by_starlette() -> bool:
    """Whether Starlette's own `request_response`, of a known source, makes apps of endpoints."""
    maker = stock.request_response
    return (
        type(maker) is FunctionType
        and maker.__globals__ is vars(stock)
        and maker.__name__ == "request_response"
        and trusts("starlette.routing:request_response")
    )


if is_made_by_starlette():
    register(stock.request_response(_probe), "f", Request)
if trusts("starlette.routing:websocket_session"):
    register(stock.websocket_session(_probe), "func", WebSocket)


def maker_of(cls: Any) -> Any:
    """Return what makes a request of a class: the class, or a function that does no more.

    fast: a class whose metaclass is not `type` takes twice as long to call (JSON, 1 route)
    """
    is_usual = cls.__new__ is object.__new__ and is_known(cls.__init__, Request, "__init__")
    if not issubclass(cls, Request) or not is_usual:
        return cls
    new: Any = object.__new__

    def make(scope: Any, receive: Any, send: Any) -> Any:
        request = new(cls)
        request.scope = scope
        request._receive = receive
        request._send = send
        request._stream_consumed = False
        request._is_disconnected = False
        request._form = None
        return request

    return make
