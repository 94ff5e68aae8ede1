"""What stands in for ``BaseHTTPMiddleware``: a task for each ``call_next``, and no stream.

As on Starlette, but for what carries the response up: see `turbostar._stages.call_next`.
"""

from __future__ import annotations

from asyncio import Task, current_task
from typing import Any

import starlette.middleware.base as stock
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request as StockRequest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from turbostar._guard.compiled import Compiled
from turbostar._guard.patches import can_fuse, look_again, unchanged
from turbostar._guard.sources import is_known
from turbostar._stages.call_next import Calls
from turbostar._stages.protocol import register
from turbostar._stages.scopes import is_known as can_join
from turbostar.requests import Request

__all__ = ["PARTS", "base_http_call", "is_unpatched"]

_stock_call = stock.BaseHTTPMiddleware.__call__
_stock_receive = stock._CachedRequest.wrapped_receive
_stream = stock._CachedRequest.stream
_StockCachedRequest = stock._CachedRequest
_StockStreamingResponse = stock._StreamingResponse
late: Any = stock  # for names that are looked up when they are used, as stock does
_stock_task_group = late.create_collapsing_task_group


class _CachedRequest(stock._CachedRequest, Request):
    """What ``dispatch`` gets: a request whose body the application below may read as well."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        # Of the instance, as on Starlette: a request class of others may take its __dict__ over.
        self._stream_consumed = False
        self._is_disconnected = False
        self._form = None
        self._wrapped_rcv_disconnected = False
        self._wrapped_rcv_consumed = False

    async def wrapped_receive(self) -> Message:
        """Receive, for the application below: what is left of the body, then a disconnect."""
        if self._wrapped_rcv_disconnected:
            return {"type": "http.disconnect"}
        if self._wrapped_rcv_consumed:
            if not self._is_disconnected:
                message = await self.receive()
                if message["type"] != "http.disconnect":
                    raise RuntimeError(f"Unexpected message received: {message['type']}")
                self._wrapped_rcv_disconnected = True
                return message
        elif getattr(self, "_body", None) is not None:
            self._wrapped_rcv_consumed = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        elif self._stream_consumed:
            self._wrapped_rcv_consumed = True
            return {"type": "http.request", "body": b"", "more_body": False}
        elif type(self).stream is not _stream or "stream" in vars(self):
            return await _stock_receive(self)
        else:
            chunk = b""
            while not chunk and not self._stream_consumed:
                message = await self._receive()
                kind = message["type"]
                if kind == "http.request":
                    chunk = message.get("body", b"")
                    self._stream_consumed = not message.get("more_body", False)
                elif kind == "http.disconnect":
                    self._is_disconnected = True
                    break
            if not self._is_disconnected:
                self._wrapped_rcv_consumed = done = self._stream_consumed
                return {"type": "http.request", "body": chunk, "more_body": not done}
        self._wrapped_rcv_disconnected = True
        return {"type": "http.disconnect"}


#: What Starlette's middleware is made of, and is bypassed here.
PARTS: tuple[tuple[Any, str], ...] = (
    (stock._CachedRequest, "__init__"),
    (stock._CachedRequest, "wrapped_receive"),
    (StockRequest, "stream"),
    (Response, "init_headers"),
    (Response, "headers"),
    (Headers, "__init__"),
    (MutableHeaders, "__setitem__"),
    (stock._StreamingResponse, "__init__"),
    (stock._StreamingResponse, "__call__"),
)


class _Parts(Compiled):
    """Whether all of these are Starlette's own."""

    __slots__ = ("are_own",)

    def __init__(self) -> None:
        super().__init__()
        self.are_own = can_fuse() and all(
            is_known(getattr(cls, name), cls, name) for cls, name in PARTS
        )


def is_unpatched() -> bool:
    """Whether what Starlette's middleware is made of is all its own."""
    global _parts
    if _parts is None or _parts.is_stale:
        _parts = _Parts()
    return (
        _parts.are_own
        and late._CachedRequest is _StockCachedRequest
        and late._StreamingResponse is _StockStreamingResponse
        and late.create_collapsing_task_group is _stock_task_group
    )


_parts: _Parts | None = None


def _host() -> Task[Any] | None:
    """The current task, if it can be waited in for others; None on trio."""
    try:
        task = current_task()
    except RuntimeError:
        return None
    return task if can_join() else None


async def base_http_call(
    self: stock.BaseHTTPMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stand in for ``BaseHTTPMiddleware.__call__``.

    Falls back to it on trio, where anyio keeps account of its scopes in a way that is not known,
    and where somebody has replaced a part that is bypassed here.
    """
    if scope["type"] != "http":
        await self.app(scope, receive, send)
        return
    if "app" not in scope and not unchanged():
        look_again()
    host = _host() if is_unpatched() else None
    if host is None:
        await _stock_call(self, scope, receive, send)
        return
    request = _CachedRequest(scope, receive, send)
    calls = Calls(self, request, scope, send)
    calls.begin(host)
    try:
        try:
            response = await self.dispatch_func(request, calls.call_next())
            answer = calls.untouched(response)
            if answer is None:
                calls.enter_group()
                await response(scope, request.wrapped_receive, send)
            else:
                await calls.send_on(answer)
                if response.background:
                    calls.is_just_taken = False  # no more: it may take its turns
                    await response.background()
            calls.close()
        except BaseException as exc:
            try:
                await calls.give_up(exc)
            finally:
                calls.release()
        else:
            # fast: a coroutine less (3 BaseHTTPMiddleware)
            if not calls.has_finished():
                await calls.finish()
    except BaseExceptionGroup as group:
        if len(group.exceptions) != 1:
            raise
        error = group.exceptions[0]
        context = None if error.__suppress_context__ else error.__context__
        raise error from error.__cause__ or context
    finally:
        calls.body = None  # it holds the calls, and they what streams into it
    if calls.error is not None and not calls.is_raised:
        raise calls.error


register(base_http_call)
