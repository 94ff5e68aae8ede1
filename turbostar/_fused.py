"""The one coroutine that stands for Starlette's own layers, from the outermost to the endpoint.

Starlette nests ServerErrorMiddleware, ExceptionMiddleware, the router, the route and a wrapper
around the endpoint, each with a coroutine and most with a wrapper of ``send`` of their own. Where
all of them are its own, what they do for a request is done here in one go.
"""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._dispatch import (
    CLASS,
    ENDPOINT,
    MISS,
    NOT_ALLOWED,
    SESSION,
    default_answer,
    default_error,
    recover,
    recover_outermost,
    respond_plainly,
    run,
)
from turbostar._endpoint import respond
from turbostar._sending import TrackedSend
from turbostar._table import choose

__all__ = ["answer_request", "answer_websocket"]

DEFAULT = frozenset({MISS, NOT_ALLOWED})


async def answer_request(
    server: Any, exceptions: Any, router: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer an HTTP request.

    Args:
        server: the ServerErrorMiddleware; None if it stands further up, for what is raised here.
        exceptions: the ExceptionMiddleware.
        router: the router below it, which nothing stands before.
        scope: the request's, which is updated as on Starlette.
        receive: the server's, or that of the middleware above.
        send: likewise.
    """
    handlers = (exceptions._exception_handlers, exceptions._status_handlers)
    scope["starlette.exception_handlers"] = handlers
    tracked: Any = None  # made for whoever may send by themselves
    request: Any = None
    background: Any = None
    default: Any = None
    started = False
    status = 0
    direct = send
    # A `try` for each layer that stock has, for an exception to meet them one after the other.
    try:
        try:
            try:
                entry = choose(router, scope)
                kind = entry.kind
                if entry.passable:
                    request = entry.request_class(scope, receive, send)
                    response = await entry.endpoint(request)
                elif kind is ENDPOINT or kind is CLASS:
                    tracked = TrackedSend(send)
                    conn = entry.request_class(scope, receive, tracked)
                    if kind is ENDPOINT:
                        request = conn
                        response = await entry.endpoint(conn)
                    else:
                        response = await respond(entry.app(scope, receive, tracked), conn)
                else:
                    tracked = TrackedSend(send)
                    response = None
                    if kind in DEFAULT:
                        default = default_answer(entry, scope, handlers)
                    if default is None:
                        await run(entry, scope, receive, tracked)
                        return
                    status, headers, body = default
                if default is None:
                    if type(response).__call__ is not respond_plainly:
                        if tracked is None:
                            tracked = request._send = TrackedSend(send)
                        inner = TrackedSend(tracked)
                        try:
                            await response(scope, receive, inner)
                        finally:
                            started = inner.started
                        return
                    status, headers = response.status_code, response.raw_headers
                    body, background = response.body, response.background
                started = True
                if tracked is not None:
                    tracked.started = True
                if type(send) is TrackedSend:
                    send.started = True
                    direct = send.send
                await direct({"type": "http.response.start", "status": status, "headers": headers})
                await direct({"type": "http.response.body", "body": body})
                if background is not None:
                    await background()
            except Exception as exc:
                if request is None:
                    if default is not None and status >= 400 and exc.__context__ is None:
                        # Starlette sends these while it handles an exception that was raised.
                        exc.__context__ = HTTPException(status)
                    raise
                default = None if started else default_error(exc, handlers)
                if default is None:
                    if tracked is None:
                        tracked = request._send = TrackedSend(send)
                        tracked.started = started
                    inner = TrackedSend(tracked)
                    await recover(exc, request, handlers, started, scope, receive, inner)
                    return
                status, headers, body = default
                started = True
                if tracked is not None:
                    tracked.started = True
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                exc.__traceback__ = None
        except Exception as exc:
            if tracked is None:
                tracked = TrackedSend(send)
                tracked.started = started
            outer: Any = Request(scope, receive, send if server is None else tracked)
            await recover(exc, outer, handlers, tracked.started, scope, receive, tracked)
    except Exception as exc:
        if server is None:
            raise
        await recover_outermost(server, exc, tracked.started, scope, receive, send)


async def answer_websocket(
    exceptions: Any, router: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    """The same for a websocket, which ServerErrorMiddleware has nothing to do with."""
    handlers = (exceptions._exception_handlers, exceptions._status_handlers)
    scope["starlette.exception_handlers"] = handlers
    tracked = TrackedSend(send)
    try:
        entry = choose(router, scope)
        if entry.kind is not SESSION:
            await run(entry, scope, receive, tracked)
            return
        session = entry.request_class(scope, receive, tracked)
        try:
            await entry.endpoint(session)
        except Exception as exc:
            inner = TrackedSend(tracked)
            await recover(exc, session, handlers, False, scope, receive, inner)
    except Exception as exc:
        outer = WebSocket(scope, receive, send)
        await recover(exc, outer, handlers, tracked.started, scope, receive, tracked)
