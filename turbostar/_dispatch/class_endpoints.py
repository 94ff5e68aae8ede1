"""Class endpoints: subclasses of HTTPEndpoint that leave the dispatching to it."""

from __future__ import annotations

from inspect import CO_COROUTINE
from types import FunctionType, MethodType
from typing import Any

import starlette.endpoints as stock
from starlette.requests import Request as _StockRequest
from starlette.types import Receive, Scope, Send

from turbostar._dispatch.default_answers import respond_plainly
from turbostar._guard.classes import namespace
from turbostar._guard.patches import gives_way
from turbostar._http.tracked_send import send_response
from turbostar._routing.entries import Entry

__all__ = ["answer_by_class", "http_endpoint_dispatch", "http_endpoint_init"]

late: Any = stock  # for names that are looked up when they are used, as stock does
_http_endpoint = namespace(stock.HTTPEndpoint)
_stock_init = stock.HTTPEndpoint.__init__
_is_async_callable = late.is_async_callable


async def answer_by_class(entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
    """Await an instance of a class endpoint; its response is sent in one go where it may be.

    Awaited as Starlette does where the class has got methods of its own since it was looked into.
    """
    cls = entry.app
    init, start, dispatch = entry.endpoint
    endpoint = cls(scope, receive, send)
    if (
        type(endpoint) is not cls
        or cls.dispatch is not dispatch
        or cls.__await__ is not start
        or cls.__init__ is not init
    ):
        await endpoint
        return
    response = await _respond(endpoint)
    if type(response).__call__ is respond_plainly and endpoint.send is send:
        await send_response(response, send)
    else:
        await response(endpoint.scope, endpoint.receive, endpoint.send)


_METHODS = tuple(
    (method, method.lower())
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
)


def http_endpoint_init(
    self: stock.HTTPEndpoint, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stand in for ``HTTPEndpoint.__init__``: with the names of methods in lower case already.

    Gives way to what has replaced it.
    """
    init = _http_endpoint["__init__"]
    is_known = init is _stock_init or init is http_endpoint_init
    if not is_known and gives_way(self, "__init__"):
        init(self, scope, receive, send)
        return
    assert scope["type"] == "http"
    self.scope = scope
    self.receive = receive
    self.send = send
    self._allowed_methods = [
        method
        for method, name in _METHODS
        if getattr(self, name, None) is not None
        or (method == "HEAD" and getattr(self, "get", None) is not None)
    ]


async def http_endpoint_dispatch(self: stock.HTTPEndpoint) -> None:
    """Stand in for ``HTTPEndpoint.dispatch``, with turbostar's Request in swapped classes."""
    response = await _respond(self)
    await response(self.scope, self.receive, self.send)


async def _respond(endpoint: Any) -> Any:
    """Return the response of the method that the request asks for."""
    make = late.Request
    if make is _StockRequest:  # else somebody has replaced it, and has the say
        make = getattr(type(endpoint), "_turbostar_request", make)
    request = make(endpoint.scope, receive=endpoint.receive, send=endpoint.send)
    method = request.method
    name = "get" if method == "HEAD" and not hasattr(endpoint, "head") else method.lower()
    if method in endpoint._allowed_methods:
        handler = getattr(endpoint, name)
    else:
        handler = endpoint.method_not_allowed
    is_usual = late.is_async_callable is _is_async_callable
    if is_usual and type(handler) is MethodType and type(handler.__func__) is FunctionType:
        is_async = handler.__func__.__code__.co_flags & CO_COROUTINE
    else:
        is_async = 0
    if is_async or late.is_async_callable(handler):
        return await handler(request)
    return await late.run_in_threadpool(handler, request)
