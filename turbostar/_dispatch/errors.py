"""From an exception to its answer: by its handler, or by ServerErrorMiddleware."""

from __future__ import annotations

import copy
from types import MethodType
from typing import Any

import starlette._exception_handler
import starlette.middleware.exceptions
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._guard.sources import is_known

__all__ = [
    "NO_HANDLERS",
    "Handlers",
    "handler_of",
    "handling",
    "http_response",
    "is_default",
    "recover",
    "recover_outermost",
    "starlettes_own",
]

late: Any = starlette.middleware.exceptions
handling: Any = starlette._exception_handler  # its functions are looked up late, as stock does

Handlers = tuple[Any, Any]
NO_HANDLERS: Handlers = ({}, {})


def starlettes_own(base: type, name: str) -> Any:
    """Starlette's function, or if somebody has replaced it, what nothing is identical with."""
    function = getattr(base, name)
    return function if is_known(function, base, name) else object()


_default_http_exception = starlettes_own(ExceptionMiddleware, "http_exception")


def is_default(handler: Any) -> bool:
    """Whether a handler is what ExceptionMiddleware itself does with an HTTPException."""
    return (
        type(handler) is MethodType
        and handler.__func__ is _default_http_exception
        and late.HTTPException is HTTPException
    )


async def recover(
    exc: Exception,
    conn: Request | WebSocket,
    handlers: Handlers,
    started: bool,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer an exception by its handler; raise it again if it has none."""
    handler = handler_of(exc, handlers)
    if handler is None:
        raise exc
    if started:
        raise RuntimeError("Caught handled exception, but response already started.") from exc
    if is_default(handler):
        response: Any = http_response(exc)
    elif handling.is_async_callable(handler):
        response = await handler(conn, exc)
    else:
        response = await handling.run_in_threadpool(handler, conn, exc)
    if response is not None:
        await response(scope, receive, send)
    exc.__traceback__ = None  # an exception raised again and again would collect them


def handler_of(exc: Any, handlers: Handlers) -> Any:
    """The handler of an exception: of its status, or else of its class; None if it has none."""
    exception_handlers, status_handlers = handlers
    is_http = isinstance(exc, handling.HTTPException)
    handler = status_handlers.get(exc.status_code) if is_http else None
    if handler is None:
        handler = handling._lookup_exception_handler(exception_handlers, exc)
    return handler


def http_response(exc: Any) -> Response:
    """What the default handler of HTTPException answers, without awaiting it."""
    status = exc.status_code
    if status in {204, 304}:
        response: Response = late.Response(status_code=status, headers=exc.headers)
    else:
        response = late.PlainTextResponse(exc.detail, status_code=status, headers=exc.headers)
    return response


async def recover_outermost(
    server: ServerErrorMiddleware,
    exc: Exception,
    started: bool,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Let Starlette's own ServerErrorMiddleware answer an exception, and raise it again."""
    announced = False

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if started:
            await send({"type": "http.response.start"})
        raise exc

    async def after_announcement(message: Message) -> None:
        # The response has started without the middleware's knowledge: tell it, and nobody else.
        nonlocal announced
        if started and not announced:
            announced = True
        else:
            await send(message)

    twin = copy.copy(server)
    twin.__dict__["app"] = app
    await ServerErrorMiddleware.__call__(twin, scope, receive, after_announcement)
