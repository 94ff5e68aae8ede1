"""``starlette.middleware.exceptions`` with an ExceptionMiddleware that runs its router itself."""

from __future__ import annotations

from typing import Any

import starlette.middleware.exceptions as stock
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._accelerations import accelerated
from turbostar._dispatch import ENDPOINT, SESSION, TrackedSend, answer, recover, run
from turbostar._mirror import mirror
from turbostar._patches import can_fuse
from turbostar._table import choose, plain_router
from turbostar._watch import current_era

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
    handlers = scope["starlette.exception_handlers"] = (
        self._exception_handlers,
        self._status_handlers,
    )
    tracked = TrackedSend(send)
    try:
        app: Any = self.app
        seen, plain, era = self.__dict__.get(ATTRIBUTE, NOTHING)
        if seen is not app or era.is_over:
            plain, era = plain_router(app), current_era()
            self.__dict__[ATTRIBUTE] = app, plain, era
        if plain is None or plain.stack is not app.middleware_stack:
            await app(scope, receive, tracked)
            return
        entry = choose(app, scope)
        if entry.kind > SESSION:
            await run(entry, scope, receive, tracked)
            return
        conn = entry.request_class(scope, receive, tracked)
        inner = TrackedSend(tracked)
        try:
            response = await entry.endpoint(conn)
            if entry.kind is ENDPOINT:
                await answer(response, scope, receive, inner)
        except Exception as exc:
            await recover(exc, conn, handlers, inner.started, scope, receive, inner)
    except Exception as exc:
        outer: Any = (Request if kind == "http" else WebSocket)(scope, receive, send)
        await recover(exc, outer, handlers, tracked.started, scope, receive, tracked)


@accelerated
class ExceptionMiddleware(stock.ExceptionMiddleware):
    """Answers exceptions by their handlers; runs the router and the endpoint in one coroutine."""


mirror(__name__, "ExceptionMiddleware")
