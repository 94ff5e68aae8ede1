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
    response = await _responding(endpoint, entry.make_request)
    if type(response).__call__ is respond_plainly and endpoint.send is send:
        await send_response(response, send)
    else:
        await response(endpoint.scope, endpoint.receive, endpoint.send)


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
    # fast: written out, half of what a comprehension takes (HTTPEndpoint class)
    allowed = []
    if getattr(self, "get", None) is not None:
        allowed.append("GET")
    if getattr(self, "head", None) is not None or getattr(self, "get", None) is not None:
        allowed.append("HEAD")
    if getattr(self, "post", None) is not None:
        allowed.append("POST")
    if getattr(self, "put", None) is not None:
        allowed.append("PUT")
    if getattr(self, "patch", None) is not None:
        allowed.append("PATCH")
    if getattr(self, "delete", None) is not None:
        allowed.append("DELETE")
    if getattr(self, "options", None) is not None:
        allowed.append("OPTIONS")
    if getattr(self, "query", None) is not None:
        allowed.append("QUERY")
    self._allowed_methods = allowed


async def http_endpoint_dispatch(self: stock.HTTPEndpoint) -> None:
    """Stand in for ``HTTPEndpoint.dispatch``, with turbostar's Request in swapped classes."""
    response = await _responding(self)
    await response(self.scope, self.receive, self.send)


def _responding(endpoint: Any, make_request: Any = None) -> Any:
    """Call the method that the request asks for; return what is to be awaited for the response.

    Args:
        make_request: what makes the request, where that is known.
    """
    make = late.Request
    if make is _StockRequest:  # else somebody has replaced it, and has the say
        make = make_request or getattr(type(endpoint), "_turbostar_request", make)
    request = make(endpoint.scope, receive=endpoint.receive, send=endpoint.send)
    method = request.method
    name = "get" if method == "HEAD" and not hasattr(endpoint, "head") else method.lower()
    if method in endpoint._allowed_methods:
        handler = getattr(endpoint, name)
    else:
        handler = endpoint.method_not_allowed
    is_async = 0
    if late.is_async_callable is _is_async_callable and type(handler) is MethodType:
        function = handler.__func__
        if type(function) is FunctionType:
            is_async = function.__code__.co_flags & CO_COROUTINE
    if is_async or late.is_async_callable(handler):
        return handler(request)
    return late.run_in_threadpool(handler, request)
