"""``starlette.middleware.base`` with a BaseHTTPMiddleware that shares its task where it can."""

from __future__ import annotations

from asyncio import current_task
from functools import partial
from typing import TYPE_CHECKING, Any

import starlette.middleware.base as stock
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request as StockRequest
from starlette.responses import Response as StockResponse
from starlette.types import Message, Receive, Scope, Send

from turbostar._accelerations import accelerated, is_known
from turbostar._bytecode import awaits_next_once, calls_next_plainly
from turbostar._dispatch import respond_plainly
from turbostar._handoff import Handoff
from turbostar._mirror import mirror
from turbostar._passing import Passage, source_of
from turbostar._patches import can_fuse, look_again, unchanged
from turbostar._sending import TrackedSend
from turbostar._stages import Rest, Stage, register_stage, stage_of, unsendable
from turbostar._watch import Era, current_era
from turbostar.requests import Request

if TYPE_CHECKING:
    from starlette.middleware.base import (
        AsyncContentStream as AsyncContentStream,
        BodyStreamGenerator as BodyStreamGenerator,
        DispatchFunction as DispatchFunction,
        RequestResponseEndpoint as RequestResponseEndpoint,
        T as T,
    )

ATTRIBUTE = "_turbostar_plan"

#: So many may share a task, for each takes three frames of the stack; on stock each has its own.
MAX_SHARING = 64

_stock_call = stock.BaseHTTPMiddleware.__call__
_stock_receive = stock._CachedRequest.wrapped_receive
_stream = stock._CachedRequest.stream


class _CachedRequest(stock._CachedRequest, Request):
    """What ``dispatch`` gets: a request whose body the application below may read as well."""

    # Of the class, which makes an instance cheaper to build.
    _stream_consumed = False
    _is_disconnected = False
    _form = None
    _wrapped_rcv_disconnected = False
    _wrapped_rcv_consumed = False

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send

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


#: What Starlette's middleware is made of, and is gone without here.
PARTS: tuple[tuple[Any, str], ...] = (
    (stock._CachedRequest, "__init__"),
    (stock._CachedRequest, "wrapped_receive"),
    (StockRequest, "stream"),
    (StockResponse, "init_headers"),
    (StockResponse, "headers"),
    (Headers, "__init__"),
    (MutableHeaders, "__setitem__"),
    (stock._StreamingResponse, "__init__"),
    (stock._StreamingResponse, "__call__"),
)


def _is_stock() -> bool:
    """Whether what Starlette's middleware is made of is all its own; found out once in an era."""
    global _found
    era = current_era()
    if _found[0] is not era:
        _found = (
            era,
            can_fuse() and all(is_known(getattr(cls, name), cls, name) for cls, name in PARTS),
        )
    return _found[1]


_found: tuple[Any, bool] = (None, False)


class Plan:
    """What was found out about a middleware and the application below it."""

    __slots__ = ("app", "call", "dispatch", "era", "is_plain", "is_stock", "stage")

    def __init__(self, middleware: stock.BaseHTTPMiddleware, dispatch: Any) -> None:
        self.era: Era = current_era()
        self.app: Any = middleware.app
        self.call: Any = type(self.app).__call__
        self.dispatch: Any = dispatch
        #: Whether it runs as on Starlette, with a task group and a stream.
        self.is_stock = not (_is_stock() and awaits_next_once(dispatch))
        #: Whether its own task may be that of what is above and below it.
        self.is_plain = not self.is_stock and calls_next_plainly(dispatch)
        #: How to get the response of the application below in this task.
        self.stage: Stage | None = stage_of(self.app) if self.is_plain else None


def _plan_of(middleware: stock.BaseHTTPMiddleware, dispatch: Any) -> Plan:
    plan: Plan | None = middleware.__dict__.get(ATTRIBUTE)
    if (
        plan is None
        or plan.app is not middleware.app
        or plan.era.is_over
        or plan.dispatch is not dispatch
        or plan.call is not type(plan.app).__call__
    ):
        plan = middleware.__dict__[ATTRIBUTE] = Plan(middleware, dispatch)
    return plan


async def base_http_call(
    self: stock.BaseHTTPMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] != "http":
        await self.app(scope, receive, send)
        return
    if "app" not in scope and not unchanged():
        look_again()
    try:
        task = current_task()
    except RuntimeError:
        task = None  # on trio
    dispatch: Any = self.__dict__.get("dispatch_func")  # who computes it is asked once, by stock
    if task is None or dispatch is None or (plan := _plan_of(self, dispatch)).is_stock:
        await _stock_call(self, scope, receive, send)
        return
    request = _CachedRequest(scope, receive, send)
    passage = Passage(plan.app, plan.stage, request, send, task)
    passage.is_plain = plan.is_plain
    error: Exception | None = None
    try:
        response = await dispatch(request, passage.call_next)
        source = source_of(response)
        if source is None:
            await response(scope, request.wrapped_receive, send)
        else:
            if type(send) is TrackedSend:
                send.started = True  # so that the other messages need not be looked at
                send = send.send
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status_code,
                    "headers": response.raw_headers,
                }
            )
            if type(source) is Handoff:
                await source.forward(send, is_last=passage.below is None)
            else:
                if source.body:
                    await send(
                        {"type": "http.response.body", "body": source.body, "more_body": True}
                    )
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            if response.background:
                await response.background()
        if passage.is_open:
            error = await passage.settle()
        passage.sent = True
    except BaseException as exc:
        outcome = await passage.abort(exc)
        if outcome is not None:
            raise outcome  # noqa: B904
    if error is not None:
        raise error


async def base_http_respond(
    self: stock.BaseHTTPMiddleware, scope: Scope, receive: Receive, outer: Passage
) -> Any:
    dispatch: Any = self.__dict__.get("dispatch_func")
    depth = outer.depth + 1
    if dispatch is None or depth == MAX_SHARING or not (plan := _plan_of(self, dispatch)).is_plain:
        return Rest(self)
    request = _CachedRequest(scope, receive, unsendable)
    passage = Passage(plan.app, plan.stage, request, outer.send, outer.task)
    passage.depth = depth
    try:
        response = await dispatch(request, passage.call_next)
        if passage.cancelled is not None:
            await passage.settle()
            return None
    except BaseException as exc:
        outcome = await passage.abort(exc)
        if outcome is not None:
            raise outcome  # noqa: B904
        return None
    if source_of(response) is not None or type(response).__call__ is respond_plainly:
        if passage.is_open or response.background is not None:
            outer.finish_below(passage, response.background)
        return response

    return Rest(partial(_send_on, passage, response))


async def _send_on(
    passage: Passage, response: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a response that sends for itself, and let what is below come to its end."""
    try:
        await response(scope, passage.request.wrapped_receive, send)
        error = await passage.settle()
    except BaseException as exc:
        outcome = await passage.abort(exc)
        if outcome is not None:
            raise outcome  # noqa: B904
        return
    if error is not None:
        raise error


@accelerated
class BaseHTTPMiddleware(stock.BaseHTTPMiddleware):
    """Starlette's middleware with ``dispatch``, in the task of what lies below it if it can be."""


register_stage(base_http_call, base_http_respond)

mirror(__name__, "BaseHTTPMiddleware")
