"""What stands in for methods and properties of ``Request``."""

from __future__ import annotations

from contextlib import aclosing
from types import MethodType
from typing import Any, TypeVar

import starlette.requests as stock
from starlette.datastructures import URL, Headers, QueryParams
from starlette.types import Message, Receive, Scope, Send

from turbostar._guard.classes import is_next, namespace
from turbostar._guard.patches import gives_way
from turbostar._http.json_codec import decodes_as_ever, loads
from turbostar._http.query import query_params
from turbostar._http.request_headers import headers_of
from turbostar._http.urls import url_of_path, url_of_scope

__all__ = [
    "own",
    "request_base_url",
    "request_body",
    "request_headers",
    "request_init",
    "request_json",
    "request_query_params",
    "request_url",
    "request_url_for",
]

C = TypeVar("C", bound=type)

late: Any = stock  # for names that are looked up when they are used, as stock does

_StockRequest = stock.Request
#: Classes that add nothing to Starlette's.
_own: set[type] = {_StockRequest}


def own(cls: C) -> C:
    """Class decorator: an import-swapped class, which adds nothing to its stock base."""
    _own.add(cls)
    return cls


_stock_init = stock.Request.__init__
_stream = stock.Request.stream

_connection = namespace(stock.HTTPConnection)
_request = namespace(stock.Request)
_stock_json = _request["json"]
_stock_body = _request["body"]
_stock_headers = _connection["headers"]
_stock_query_params = _connection["query_params"]
_stock_url = _connection["url"]
_stock_base_url = _connection["base_url"]
_stock_url_for = _connection["url_for"]

# Where Request stands among the bases of a class, counted from the last.
_REQUEST = -len(stock.HTTPConnection.__mro__) - 1


def _is_mixed(cls: type) -> bool:
    """Whether a subclass of Request has another base, with a say in what HTTPConnection defines."""
    return cls.__mro__[_REQUEST] is not _StockRequest and not is_next(
        cls, _StockRequest, stock.HTTPConnection
    )


def request_init(
    self: stock.Request,
    scope: Scope,
    receive: Receive = stock.empty_receive,
    send: Send = stock.empty_send,
) -> None:
    """Stand in for ``Request.__init__``; fall back to it for a class with another base."""
    cls = type(self)
    if cls not in _own and _is_mixed(cls):
        _stock_init(self, scope, receive, send)
        return
    assert scope["type"] == "http"
    self.scope = scope
    self._receive = receive
    self._send = send
    self._stream_consumed = False
    self._is_disconnected = False
    self._form = None


# What follows stands in Request, which inherits it on Starlette. So each looks first whether the
# method that would be inherited is Starlette's own still, and no other base comes before it.


@property  # type: ignore[misc]
def request_headers(self: stock.Request) -> Headers:
    """Stand in for the ``headers`` that Request inherits, unless those have been changed."""
    cls = type(self)
    if (
        _connection["headers"] is not _stock_headers
        or (cls not in _own and _is_mixed(cls))
        or late.Headers is not Headers
    ):
        return super(_StockRequest, self).headers
    if not hasattr(self, "_headers"):
        headers = headers_of(self.scope)
        self._headers = Headers(scope=self.scope) if headers is None else headers
    return self._headers


@property  # type: ignore[misc]
def request_query_params(self: stock.Request) -> QueryParams:
    """Stand in for the inherited ``query_params``, unless those have been changed."""
    cls = type(self)
    if (
        _connection["query_params"] is not _stock_query_params
        or (cls not in _own and _is_mixed(cls))
        or late.QueryParams is not QueryParams
    ):
        return super(_StockRequest, self).query_params
    if not hasattr(self, "_query_params"):
        query = self.scope["query_string"]
        params = query_params(query)
        self._query_params = QueryParams(query) if params is None else params
    return self._query_params


@property  # type: ignore[misc]
def request_url(self: stock.Request) -> URL:
    """Stand in for the inherited ``url``, unless that has been changed or the host is odd."""
    cls = type(self)
    if (
        _connection["url"] is not _stock_url
        or (cls not in _own and _is_mixed(cls))
        or late.URL is not URL
    ):
        return super(_StockRequest, self).url
    if not hasattr(self, "_url"):
        scope = self.scope
        url = url_of_scope(scope, scope["path"], scope.get("query_string", b""))
        self._url = URL(scope=scope) if url is None else url
    return self._url


@property  # type: ignore[misc]
def request_base_url(self: stock.Request) -> URL:
    """Stand in for the inherited ``base_url``, as `request_url` does for ``url``."""
    cls = type(self)
    if (
        _connection["base_url"] is not _stock_base_url
        or (cls not in _own and _is_mixed(cls))
        or late.URL is not URL
    ):
        return super(_StockRequest, self).base_url
    if not hasattr(self, "_base_url"):
        scope = self.scope
        path = scope.get("app_root_path", scope.get("root_path", ""))
        if not path.endswith("/"):
            path += "/"
        url = url_of_scope(scope, path, b"")
        if url is None:
            return super(_StockRequest, self).base_url
        self._base_url = url
    return self._base_url


def request_url_for(self: stock.Request, name: str, /, **path_params: Any) -> URL:
    """Stand in for the inherited ``url_for``; fall back to it where nothing knows the routes."""
    cls = type(self)
    provider = self.scope.get("router") or self.scope.get("app")
    if (
        provider is None
        or _connection["url_for"] is not _stock_url_for
        or (cls not in _own and _is_mixed(cls))
    ):
        return super(_StockRequest, self).url_for(name, **path_params)
    path = provider.url_path_for(name, **path_params)
    base_url = self.base_url
    url = url_of_path(path, base_url)
    return path.make_absolute_url(base_url=base_url) if url is None else url


async def request_body(self: stock.Request) -> bytes:
    """Stand in for ``Request.body``, without the asynchronous generator of ``stream``.

    Gives way to what has replaced it; iterates over ``stream`` where that is not Starlette's own.
    """
    method = _request["body"]
    is_known = method is _stock_body or method is request_body
    if not is_known and gives_way(self, "body"):
        replaced: bytes = await method(self)
        return replaced
    if hasattr(self, "_body"):
        return self._body
    stream: Any = self.stream
    if (
        type(stream) is not MethodType
        or stream.__func__ is not _stream
        or stream.__self__ is not self
    ):
        async with aclosing(stream()) as chunks:
            self._body = b"".join([chunk async for chunk in chunks])
        return self._body
    # The stream without its asynchronous generator: most often one message is all.
    if self._stream_consumed:
        raise RuntimeError("Stream consumed")
    message = await self._receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body = message.get("body", b"")
        self._stream_consumed = True
        self._body = body if type(body) is bytes else b"".join([body] if body else [])
    else:
        self._body = await _read_on(self, message)
    return self._body


async def _read_on(self: stock.Request, message: Message) -> bytes:
    """Collect the body message by message, from the first one on."""
    chunks = []
    while True:
        kind = message["type"]
        if kind == "http.request":
            chunk = message.get("body", b"")
            if not message.get("more_body", False):
                self._stream_consumed = True
            if chunk:
                chunks.append(chunk)
        elif kind == "http.disconnect":
            self._is_disconnected = True
            raise stock.ClientDisconnect()
        if self._stream_consumed:
            return b"".join(chunks)
        message = await self._receive()


async def request_json(self: stock.Request) -> Any:
    """Stand in for ``Request.json``; gives way to what has replaced it, or ``json``."""
    method = _request["json"]
    is_known = method is _stock_json or method is request_json
    if not is_known and gives_way(self, "json"):
        return await method(self)
    if not hasattr(self, "_json"):
        body = await self.body()
        self._json = loads(body) if decodes_as_ever(late) else late.json.loads(body)
    return self._json
