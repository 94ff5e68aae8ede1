"""``starlette.requests`` with a Request that decodes JSON by msgspec."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import starlette.requests as stock
from starlette.requests import StateT
from starlette.types import Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._json import loads
from turbostar._mirror import mirror

if TYPE_CHECKING:
    from starlette.requests import (
        SERVER_PUSH_HEADERS_TO_COPY as SERVER_PUSH_HEADERS_TO_COPY,
        ClientDisconnect as ClientDisconnect,
        HTTPConnection as HTTPConnection,
        cookie_parser as cookie_parser,
        empty_receive as empty_receive,
        empty_send as empty_send,
    )


def request_init(
    self: stock.Request,
    scope: Scope,
    receive: Receive = stock.empty_receive,
    send: Send = stock.empty_send,
) -> None:
    assert scope["type"] == "http"
    self.scope = scope
    self._receive = receive
    self._send = send
    self._stream_consumed = False
    self._is_disconnected = False
    self._form = None


_stream = stock.Request.stream


async def request_body(self: stock.Request) -> bytes:
    if not hasattr(self, "_body"):
        if type(self).stream is _stream and "stream" not in vars(self):
            self._body = await _read(self)
        else:
            async with aclosing(self.stream()) as stream:
                self._body = b"".join([chunk async for chunk in stream])
    return self._body


async def _read(self: stock.Request) -> bytes:
    """Collect the body message by message: the stream without its asynchronous generator."""
    if self._stream_consumed:
        raise RuntimeError("Stream consumed")
    chunks = []
    while not self._stream_consumed:
        message = await self._receive()
        kind = message["type"]
        if kind == "http.request":
            chunks.append(message.get("body", b""))
            self._stream_consumed = not message.get("more_body", False)
        elif kind == "http.disconnect":
            self._is_disconnected = True
            raise stock.ClientDisconnect()
    return b"".join(chunks)


async def request_json(self: stock.Request) -> Any:
    if not hasattr(self, "_json"):
        self._json = loads(await self.body())
    return self._json


@accelerated
class Request(stock.Request[StateT]):
    """An HTTP request that decodes JSON by msgspec, with the standard library's answers."""


mirror(__name__, "Request")
