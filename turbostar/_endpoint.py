"""Endpoints: what a route's app was made of, and the dispatching of class endpoints."""

from __future__ import annotations

from inspect import CO_COROUTINE
from types import FunctionType, MethodType
from typing import Any

import starlette.routing as stock
from starlette._utils import is_async_callable
from starlette.concurrency import run_in_threadpool
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._accelerations import is_known, trusts

__all__ = ["endpoint_of", "is_class_endpoint", "register", "request_class_of", "respond"]


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
        and all(
            is_known(getattr(app, name), HTTPEndpoint, name)
            for name in ("__init__", "__await__", "dispatch")
        )
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


_METHODS = {
    method: method.lower()
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
}


class AllowedMethods:
    """`_allowed_methods`, worked out when it is asked for and not for every request."""

    def __get__(self, endpoint: Any, owner: Any = None) -> Any:
        if endpoint is None:
            return self
        allowed = endpoint.__dict__["_allowed_methods"] = [
            method
            for method, name in _METHODS.items()
            if getattr(endpoint, name, None) is not None
            or (method == "HEAD" and getattr(endpoint, "get", None) is not None)
        ]
        return allowed


ALLOWED_METHODS = AllowedMethods()


def http_endpoint_init(self: HTTPEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    self.scope = scope
    self.receive = receive
    self.send = send


async def http_endpoint_dispatch(self: HTTPEndpoint) -> None:
    request = request_class_of(type(self))(self.scope, self.receive, self.send)
    response = await respond(self, request)
    await response(self.scope, self.receive, self.send)


def request_class_of(cls: Any) -> Any:
    """The class of request that a class endpoint gets: of the library it was imported from."""
    return getattr(cls, "_turbostar_request", Request)


async def respond(endpoint: Any, request: Any) -> Any:
    """Return the response of the method of a class endpoint that the request asks for."""
    method = request.method
    name = _METHODS.get(method)
    if name is None or method == "HEAD" or "_allowed_methods" in endpoint.__dict__:
        # A method apart, or somebody has looked at the list and may have changed it.
        if method in endpoint._allowed_methods:
            head = method == "HEAD" and not hasattr(endpoint, "head")
            handler = getattr(endpoint, "get" if head else method.lower())
        else:
            handler = endpoint.method_not_allowed
    else:
        handler = getattr(endpoint, name, None)
        if handler is None:
            handler = endpoint.method_not_allowed
    if type(handler) is MethodType and type(handler.__func__) is FunctionType:
        is_async = handler.__func__.__code__.co_flags & CO_COROUTINE
    else:
        is_async = 0
    if is_async or is_async_callable(handler):
        return await handler(request)
    return await run_in_threadpool(handler, request)
