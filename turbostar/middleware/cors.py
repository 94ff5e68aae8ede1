"""``starlette.middleware.cors`` with a CORSMiddleware that works on raw headers."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import starlette.middleware.cors as stock
from starlette.types import Message, Receive, Scope, Send

from turbostar._accelerations import accelerated
from turbostar._cors import headers_for, is_plain, origin_of, preflight
from turbostar._dispatch import respond_plainly
from turbostar._headers import RawHeaders
from turbostar._mirror import mirror
from turbostar._passing import Passage, with_headers
from turbostar._stages import Rest, below, register_stage, with_sender

if TYPE_CHECKING:
    from starlette.middleware.cors import (
        ALL_METHODS as ALL_METHODS,
        SAFELISTED_HEADERS as SAFELISTED_HEADERS,
    )

_stock_call = stock.CORSMiddleware.__call__


class _Sender:
    """The ``send`` of what is below: it adds to the headers of the answer.

    A bound method of an object costs less to make and to call than a closure or a callable object.
    """

    __slots__ = ("_cors", "_given", "_headers", "_origin", "_send")

    def __init__(
        self, cors: Any, given: Any, headers: RawHeaders, origin: str | None, send: Send
    ) -> None:
        self._cors = cors
        self._given = given
        self._headers = headers
        self._origin = origin
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = self._headers
            # Whoever changes the request's headers in place changes who the answer is for.
            origin = self._origin if headers == self._given else origin_of(headers)
            message["headers"] = headers_for(self._cors, message.get("headers", ()), origin)
        return self._send(message)


# Tracers name their spans after the function that sends: after Starlette's.
_Sender.send.__qualname__ = stock.CORSMiddleware.send.__qualname__


async def cors_call(self: stock.CORSMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await self.app(scope, receive, send)
        return
    if not is_plain(self):
        await _stock_call(self, scope, receive, send)
        return
    method, given = scope["method"], scope["headers"]
    headers = scope["headers"] = list(given)
    if method == "OPTIONS":
        response = preflight(self, headers)
        if response is not None:
            await response(scope, receive, send)
            return
    origin = origin_of(headers)
    await self.app(scope, receive, _Sender(self, given, headers, origin, send).send)


async def cors_respond(
    self: stock.CORSMiddleware, scope: Scope, receive: Receive, passage: Passage
) -> Any:
    if not is_plain(self):
        return Rest(self)
    given = scope["headers"]
    headers = scope["headers"] = list(given)
    if scope["method"] == "OPTIONS":
        response = preflight(self, headers)
        if response is not None:
            return response if type(response).__call__ is respond_plainly else Rest(response)
    origin = origin_of(headers)
    inner = await below(self.app, scope, receive, passage)
    if type(inner) is Rest:
        return with_sender(inner.app, _Sender, self, given, headers, origin)
    if inner is None:
        return None
    origin = origin if headers == given else origin_of(headers)
    return with_headers(inner, headers_for(self, inner.raw_headers, origin))


register_stage(cors_call, cors_respond)


@accelerated
class CORSMiddleware(stock.CORSMiddleware):
    """Answers preflight requests, and adds the headers that let other origins read answers."""


mirror(__name__, "CORSMiddleware")
