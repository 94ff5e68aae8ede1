"""What stands in for ``ExceptionMiddleware``: it runs the router below it by itself."""

from __future__ import annotations

from typing import Any

import starlette.middleware.exceptions as stock
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._dispatch.errors import recover
from turbostar._dispatch.fused import answer_request, answer_websocket
from turbostar._guard.compiled import Compiled
from turbostar._guard.patches import can_fuse
from turbostar._http.tracked_send import TrackedSend, hand_through
from turbostar._routing.entries import plain_router
from turbostar._stages.protocol import register

__all__ = ["exception_middleware_call"]

_stock_call = stock.ExceptionMiddleware.__call__

ATTRIBUTE = "_turbostar_below"


class Below(Compiled):
    """What was found out about the application below an ExceptionMiddleware."""

    __slots__ = ("app", "router")

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app = app
        self.router = plain_router(app)


async def exception_middleware_call(
    self: stock.ExceptionMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stand in for ``ExceptionMiddleware.__call__``; fall back to it where it was patched."""
    kind = scope["type"]
    if kind not in ("http", "websocket") or not can_fuse():
        await _stock_call(self, scope, receive, send)
        return
    app: Any = self.app  # may be a property of a subclass: read once, as by Starlette
    if not _is_over_plain_router(self, app):
        await _call_layer(self, app, scope, receive, send)
    elif kind == "http":
        await answer_request(None, self, app, scope, receive, send)
    else:
        await answer_websocket(self, app, scope, receive, send)


async def _call_layer(
    self: stock.ExceptionMiddleware, app: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    handlers = scope["starlette.exception_handlers"] = (
        self._exception_handlers,
        self._status_handlers,
    )
    conn: Any = (Request if scope["type"] == "http" else WebSocket)(scope, receive, send)
    tracked = TrackedSend(send)
    try:
        await app(scope, receive, hand_through(tracked.send, app))
    except Exception as exc:
        await recover(exc, conn, handlers, tracked.started, scope, receive, tracked.send)


def _is_over_plain_router(middleware: stock.ExceptionMiddleware, app: Any) -> bool:
    """Whether the application below is a router whose routes may be chosen from here."""
    below: Below | None = middleware.__dict__.get(ATTRIBUTE)
    if below is None or below.is_stale or below.app is not app:
        below = middleware.__dict__[ATTRIBUTE] = Below(app)
    router = below.router
    if router is not None and (
        type(app) is not router.cls or (router.is_foreign and not router.is_called_as_ever())
    ):
        below = middleware.__dict__[ATTRIBUTE] = Below(app)
        router = below.router
    return router is not None and router.stack is app.middleware_stack


register(exception_middleware_call)
