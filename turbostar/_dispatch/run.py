"""From a chosen route to its answer: routes that are answered as Starlette answers them."""

from __future__ import annotations

from typing import Any

from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from turbostar._dispatch.class_endpoints import answer_by_class
from turbostar._dispatch.default_answers import miss
from turbostar._dispatch.errors import NO_HANDLERS, Handlers, recover
from turbostar._http.tracked_send import TrackedSend
from turbostar._routing.entries import Entry, Kind

__all__ = ["CLASS", "ENDPOINT", "MISS", "NOT_ALLOWED", "SESSION", "run"]

ENDPOINT, SESSION, CLASS, ASGI, HANDLE, NOT_ALLOWED, MISS, STOCK = Kind

_stock_router_app = Router.app


async def run(entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
    """Hand the request to the chosen route."""
    kind = entry.kind
    if kind is CLASS:
        await answer_by_class(entry, scope, receive, send)
    elif kind is ASGI:
        await entry.app(scope, receive, send)
    elif kind is HANDLE or kind is NOT_ALLOWED:
        await entry.route.handle(scope, receive, send)
    elif kind is MISS:
        await miss(entry.route, scope, receive, send)
    elif kind is STOCK:
        await _stock_router_app(entry.route, scope, receive, send)
    else:
        await _answer(entry, scope, receive, send)


async def _answer(entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by an endpoint, with the exception handlers that are in the scope.

    Stands for the application that ``request_response`` or ``websocket_session`` makes.
    """
    handlers: Handlers = scope.get("starlette.exception_handlers", NO_HANDLERS)
    conn: Any = entry.make_request(scope, receive, send)
    tracked = TrackedSend(send)
    try:
        if entry.kind is SESSION:
            await entry.endpoint(conn)
        else:
            response = await entry.endpoint(conn)
            await response(scope, receive, tracked.send)
    except Exception as exc:
        await recover(exc, conn, handlers, tracked.started, scope, receive, tracked.send)
