"""The one coroutine that stands for Starlette's own layers, from the outermost to the endpoint.

Starlette nests ServerErrorMiddleware, ExceptionMiddleware, the router, the route and a wrapper
around the endpoint, each with a coroutine and most with a wrapper of ``send`` of their own. Where
all of them are its own, what they do for a request is done here in one go.
"""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from types import MethodType
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._dispatch.class_endpoints import answer_by_class
from turbostar._dispatch.default_answers import default_answer, default_error, respond_plainly
from turbostar._dispatch.errors import Handlers, recover, recover_outermost
from turbostar._dispatch.run import CLASS, ENDPOINT, MISS, NOT_ALLOWED, SESSION, run
from turbostar._guard.patches import look_again, others_unchanged
from turbostar._http.own_send import hand_over, responds
from turbostar._http.tracked_send import (
    TrackedSend,
    is_followed,
    send_answer,
    send_parts,
    send_response,
    untracked,
)
from turbostar._routing.choose import choose
from turbostar._routing.entries import Entry
from turbostar._stages.protocol import Answer, Stage

__all__ = ["THROUGH", "answer_request", "answer_websocket", "recover_by_layers", "respond"]

DEFAULT = frozenset({MISS, NOT_ALLOWED})
#: Whose ``send`` may take more than messages.
THROUGH = (Stage, TrackedSend)


async def answer_request(
    server: Any,
    exceptions: Any,
    router: Any,
    scope: Scope,
    receive: Receive,
    send: Send,
    chosen: Entry | None = None,
) -> None:
    """Answer an HTTP request.

    Args:
        server: the ServerErrorMiddleware; None if it stands further up, for what is raised here.
        exceptions: the ExceptionMiddleware.
        router: the router below it, which nothing stands before.
        scope: the request's, which is updated as on Starlette.
        chosen: the route, where that has been chosen already.
    """
    handlers = (exceptions._exception_handlers, exceptions._status_handlers)
    scope["starlette.exception_handlers"] = handlers
    tracked = TrackedSend(send)
    tracked_send = tracked.send
    inner: TrackedSend | None = None
    refusal: Answer | None = None
    background: Any = None
    started = False
    # A `try` for each layer that stock has, for an exception to meet them one after the other.
    try:
        try:
            entry = choose(router, scope, "http") if chosen is None else chosen
            if entry.kind is not ENDPOINT:
                refusal = default_answer(entry, scope, handlers) if entry.kind in DEFAULT else None
                if refusal is None or refusal.status < 400:
                    redirect, refusal = refusal, None
                    await _hand_over(entry, redirect, scope, receive, send, tracked_send)
            else:
                request = entry.make_request(scope, receive, tracked_send)
                try:
                    response = await entry.endpoint(request)
                    if type(response).__call__ is not respond_plainly:
                        inner = TrackedSend(tracked_send)
                        await response(scope, receive, inner.send)
                    elif type(send) is MethodType and isinstance(send.__self__, THROUGH):
                        status, headers = response.status_code, response.raw_headers
                        started = tracked.started = True
                        await send_parts(response, status, headers, untracked(send))
                    else:
                        # fast: a coroutine less than send_parts (JSON, 1 route)
                        status, headers = response.status_code, response.raw_headers
                        started = tracked.started = True
                        body = response.__dict__.get("body") if responds else None
                        if body is None or not hand_over(send, status, headers, body):
                            start = {"type": "http.response.start", "status": status}
                            start["headers"] = headers
                            await send(start)
                            # Read now, for whoever was sent the start may have changed it.
                            await send({"type": "http.response.body", "body": response.body})
                        background = response.background
                    if background is not None:
                        await background()
                except Exception as exc:
                    started = started if inner is None else inner.started
                    await _recover(exc, request, handlers, started, scope, receive, tracked_send)
        except Exception as exc:
            outer = Request(scope, receive, send if server is None else tracked_send)
            await recover(exc, outer, handlers, tracked.started, scope, receive, tracked_send)
        if refusal is not None:
            await _refuse(refusal, tracked_send)
    except Exception as exc:
        if server is None:
            raise
        await recover_outermost(server, exc, tracked.started, scope, receive, send)


def respond(response: Any, scope: Scope, receive: Receive, send: Send) -> Any:
    """Send a response; in one go if it is plain, and nobody wants to see its messages."""
    if type(response).__call__ is respond_plainly:
        return send_response(response, send)
    return response(scope, receive, send)


def _hand_over(
    entry: Entry,
    redirect: Answer | None,
    scope: Scope,
    receive: Receive,
    send: Send,
    tracked_send: Send,
) -> Coroutine[Any, Any, None]:
    """Let a route that is no endpoint answer, with the ``send`` that tracks what is sent."""
    if redirect is not None:
        return send_answer(tracked_send, redirect)
    if entry.kind is CLASS:
        return answer_by_class(entry, scope, receive, tracked_send)
    is_followed(send)
    return run(entry, scope, receive, tracked_send)


async def _refuse(answer: Answer, send: Send) -> None:
    """Send a 404 or 405 as Starlette does: while the exception for it is being handled."""
    handled = sys.exception()
    try:
        await send_answer(send, answer)
    except BaseException as exc:  # to be cancelled there as well
        _say_what_was_handled(exc, handled, answer)
        raise
    finally:
        handled = None


def _say_what_was_handled(exc: Any, handled: BaseException | None, answer: Answer) -> None:
    """Chain what sending an answer has raised to the exception that it is, on Starlette, for.

    That one is chained to what the caller was handling already.
    """
    while exc.__context__ is not None and exc.__context__ is not handled:
        exc = exc.__context__
    allow = [value.decode("latin-1") for name, value in answer.headers if name == b"allow"]
    answered = HTTPException(answer.status, headers={"Allow": allow[0]} if allow else None)
    answered.__context__ = handled
    exc.__context__ = answered


async def _recover(
    exc: Exception,
    request: Any,
    handlers: Handlers,
    started: bool,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer what an endpoint, or the sending of its response, has raised."""
    answer = None if started else default_error(exc, handlers)
    if answer is None:
        inner = TrackedSend(send)
        await recover(exc, request, handlers, started, scope, receive, inner.send)
    else:
        await send_answer(send, answer)
        exc.__traceback__ = None


async def recover_by_layers(
    exc: Exception,
    server: Any,
    handlers: Handlers,
    request: Any,
    inner: TrackedSend | None,
    tracked: TrackedSend,
    scope: Scope,
    receive: Receive,
) -> None:
    """Let an exception meet one layer after the other, from the endpoint's outwards.

    To be called while it is being handled, for those that follow to be chained to it.

    Args:
        exc: what was raised, where `answer_request` would have met it.
        server: the ServerErrorMiddleware.
        request: what the endpoint was called with; None if none was chosen.
        inner: tells whether the endpoint's response was started; None if it was not reached.
        tracked: tells whether any response was; holds the ``send`` of the server.
    """
    send = tracked.send
    started = inner is not None and inner.started
    try:
        try:
            if request is None:
                raise exc
            answer = None if started else default_error(exc, handlers)
            if answer is None:
                inner = TrackedSend(send)
                await recover(exc, request, handlers, started, scope, receive, inner.send)
            else:
                await send_answer(send, answer)
                exc.__traceback__ = None
        except Exception as raised:
            outer = Request(scope, receive, send)
            await recover(raised, outer, handlers, tracked.started, scope, receive, send)
    except Exception as raised:
        await recover_outermost(server, raised, tracked.started, scope, receive, tracked.forward)


async def answer_websocket(
    exceptions: Any, router: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    """The same for a websocket, which ServerErrorMiddleware has nothing to do with."""
    if not others_unchanged():
        look_again()
        await exceptions(scope, receive, send)
        return
    handlers = (exceptions._exception_handlers, exceptions._status_handlers)
    scope["starlette.exception_handlers"] = handlers
    tracked = TrackedSend(send)
    try:
        entry = choose(router, scope)
        if entry.kind is not SESSION:
            await run(entry, scope, receive, tracked.send)
            return
        session = entry.make_request(scope, receive, tracked.send)
        try:
            await entry.endpoint(session)
        except Exception as exc:
            inner = TrackedSend(tracked.send)
            await recover(exc, session, handlers, False, scope, receive, inner.send)
    except Exception as exc:
        outer = WebSocket(scope, receive, send)
        await recover(exc, outer, handlers, tracked.started, scope, receive, tracked.send)
