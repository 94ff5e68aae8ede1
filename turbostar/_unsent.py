"""Unsent responses of the innermost part: the endpoint and the handlers of exceptions around it.

What cannot be had as a response, or not without sending, becomes a `Rest`: the same work as an
application that sends, with the two layers of exception handlers around it that stock has.
"""

from __future__ import annotations

from typing import Any

from starlette._utils import is_async_callable
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from turbostar._bytecode import leaves_sending_to_us
from turbostar._dispatch import (
    MISS,
    NOT_ALLOWED,
    Handlers,
    default_answer,
    handler_of,
    handling,
    http_response,
    is_default,
    recover,
)
from turbostar._entry import Entry
from turbostar._sending import TrackedSend
from turbostar._stages import Rest

__all__ = ["response_to", "rest", "run_background", "unsent_default"]


def unsent_default(entry: Entry, scope: Scope, handlers: Handlers) -> Response | None:
    """The redirect, 404 or 405 that nobody has a say in; None for anything else."""
    if entry.kind is not MISS and entry.kind is not NOT_ALLOWED:
        return None
    default = default_answer(entry, scope, handlers)
    if default is None:
        return None
    response = Response.__new__(Response)
    response.status_code, response.raw_headers, response.body = default
    response.background = None
    return response


async def response_to(exc: Exception, conn: Any, handlers: Handlers) -> Any:
    """Return the response of an exception's handler, or a `Rest`; raise it again if it has none."""
    handler: Any = handler_of(exc, handlers)
    if handler is None:
        raise exc
    if is_default(handler):
        response: Any = http_response(exc)
    elif not leaves_sending_to_us(handler):
        return rest(_raising(exc), conn, handlers)
    elif is_async_callable(handler):
        response = await handler(conn, exc)
    else:
        response = await handling.run_in_threadpool(handler, conn, exc)
    exc.__traceback__ = None
    return response if response is not None else Rest(_nothing)


def rest(act: ASGIApp, conn: Any, handlers: Handlers) -> Rest:
    """What is left to do, inside the layers of exception handlers that it stands in on stock.

    Args:
        act: what to do.
        conn: the request of the innermost layer; None where the route has none.
        handlers: of exceptions, by class and by status.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tracked = TrackedSend(send)
        try:
            if conn is None:
                await act(scope, receive, tracked)
                return
            conn._send = tracked
            inner = TrackedSend(tracked)
            try:
                await act(scope, receive, inner)
            except Exception as exc:
                await recover(exc, conn, handlers, inner.started, scope, receive, inner)
        except Exception as exc:
            outer = Request(scope, receive, send)
            await recover(exc, outer, handlers, tracked.started, scope, receive, tracked)

    return Rest(app)


async def run_background(
    response: Any, conn: Any, handlers: Handlers, scope: Scope, receive: Receive
) -> None:
    """Run the background task of a response that has been sent."""

    async def act(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start"})
        await response.background()

    await rest(act, conn, handlers).app(scope, receive, _unheard)


def _raising(exc: Exception) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise exc

    return app


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends nothing, as a handler that returns None does."""


async def _unheard(message: Any) -> None:
    """The ``send`` of an application whose response has been sent."""
