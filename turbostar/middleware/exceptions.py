"""``starlette.middleware.exceptions`` with an ExceptionMiddleware that runs its router itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import starlette.middleware.exceptions as stock
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._accelerations import accelerated
from turbostar._dispatch import (
    ENDPOINT,
    recover,
    respond_plainly,
    run,
)
from turbostar._entry import plain_router
from turbostar._fused import answer_request, answer_websocket
from turbostar._mirror import mirror
from turbostar._patches import can_fuse
from turbostar._sending import TrackedSend
from turbostar._stages import Rest, register_stage, unsendable
from turbostar._table import choose
from turbostar._unsent import response_to, rest, run_background, unsent_default
from turbostar._watch import current_era

if TYPE_CHECKING:
    from turbostar._passing import Passage

_stock_call = stock.ExceptionMiddleware.__call__

ATTRIBUTE = "_turbostar_router"

NOTHING: tuple[Any, Any, Any] = (None, None, None)


async def exception_middleware_call(
    self: stock.ExceptionMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    kind = scope["type"]
    if kind not in ("http", "websocket") or not can_fuse():
        await _stock_call(self, scope, receive, send)
        return
    app: Any = self.app
    if not _is_over_plain_router(self, app):
        await _call_layer(self, scope, receive, send)
    elif kind == "http":
        await answer_request(None, self, app, scope, receive, send)
    else:
        await answer_websocket(self, app, scope, receive, send)


async def _call_layer(
    self: stock.ExceptionMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    handlers = scope["starlette.exception_handlers"] = (
        self._exception_handlers,
        self._status_handlers,
    )
    tracked = TrackedSend(send)
    try:
        await self.app(scope, receive, tracked)
    except Exception as exc:
        conn: Any = (Request if scope["type"] == "http" else WebSocket)(scope, receive, send)
        await recover(exc, conn, handlers, tracked.started, scope, receive, tracked)


def _is_over_plain_router(middleware: stock.ExceptionMiddleware, app: Any) -> bool:
    """Whether the application below is a router whose routes may be chosen from here."""
    seen, plain, era = middleware.__dict__.get(ATTRIBUTE, NOTHING)
    if seen is not app or era.is_over:
        plain, era = plain_router(app), current_era()
        middleware.__dict__[ATTRIBUTE] = app, plain, era
    return plain is not None and plain.stack is app.middleware_stack


async def exception_middleware_respond(
    self: stock.ExceptionMiddleware, scope: Scope, receive: Receive, passage: Passage
) -> Any:
    """Return the response of the endpoint unsent, or what is left to do to have one sent."""
    app: Any = self.app
    if not can_fuse() or not _is_over_plain_router(self, app):
        return Rest(self)
    handlers = scope["starlette.exception_handlers"] = (
        self._exception_handlers,
        self._status_handlers,
    )
    conn: Any = None
    try:
        entry = choose(app, scope)
        if entry.kind is ENDPOINT:
            conn = entry.request_class(scope, receive, unsendable)
            if not entry.passable:
                return rest(partial(_serve, entry.endpoint, conn), conn, handlers)
            try:
                response = await entry.endpoint(conn)
            except Exception as exc:
                response = await response_to(exc, conn, handlers)
        else:
            response = unsent_default(entry, scope, handlers)
            if response is None:
                return rest(partial(run, entry), None, handlers)
    except Exception as exc:
        conn = Request(scope, receive, unsendable)
        response = await response_to(exc, conn, handlers)
    cls: Any = type(response)
    if cls.__call__ is respond_plainly:
        if response.background is not None:
            later = partial(run_background, response, conn, handlers, scope, receive)
            passage.finish_later(later)
        return response
    return response if cls is Rest else rest(response, conn, handlers)


async def _serve(endpoint: Any, conn: Any, scope: Scope, receive: Receive, send: Send) -> None:
    response = await endpoint(conn)
    await response(scope, receive, send)


register_stage(exception_middleware_call, exception_middleware_respond)


@accelerated
class ExceptionMiddleware(stock.ExceptionMiddleware):
    """Answers exceptions by their handlers; runs the router and the endpoint in one coroutine."""


mirror(__name__, "ExceptionMiddleware")
