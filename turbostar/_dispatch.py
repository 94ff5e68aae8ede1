"""From a chosen route to its answer: what stands between the router and the endpoint.

The slow half of the hot path: exceptions, redirects, routes that are ASGI applications. Starlette
nests a coroutine and a wrapper of ``send`` for each layer that may have to know whether the
response has started; here one object knows it.
"""

from __future__ import annotations

import copy
from types import MethodType
from typing import Any

import starlette._exception_handler
from starlette._utils import get_route_path, is_async_callable
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Router
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._accelerations import is_known, trusts
from turbostar._classes import namespace
from turbostar._endpoint import respond
from turbostar._entry import Entry, Kind
from turbostar._responses import (
    length_header,
    plain_text_init,
    response_init_headers,
    response_render,
)
from turbostar._sending import TrackedSend
from turbostar._table import is_matched, may_match

__all__ = [
    "CLASS",
    "ENDPOINT",
    "MISS",
    "NOT_ALLOWED",
    "SESSION",
    "Handlers",
    "default_answer",
    "default_error",
    "handler_of",
    "handling",
    "http_response",
    "is_default",
    "recover",
    "recover_outermost",
    "respond_plainly",
    "run",
]

handling: Any = starlette._exception_handler  # its functions are looked up late, as stock does

ENDPOINT, SESSION, CLASS, ASGI, HANDLE, NOT_ALLOWED, MISS, STOCK = Kind


def _own(base: type, name: str) -> Any:
    """Starlette's function, or if somebody has replaced it, what nothing is identical with."""
    function = getattr(base, name)
    return function if is_known(function, base, name) else object()


respond_plainly = _own(Response, "__call__")
_response_init = _own(Response, "__init__")
_init_headers = _own(Response, "init_headers")
_render = _own(Response, "render")
_default_http_exception = _own(ExceptionMiddleware, "http_exception")
_not_found = _own(Router, "not_found")
_stock_router_app = Router.app
_lookup = (
    handling._lookup_exception_handler
    if trusts("starlette._exception_handler:_lookup_exception_handler")
    else object()
)
_plain_text = namespace(PlainTextResponse)
_NOT_FOUND = b"Not Found"
_NOT_ALLOWED = b"Method Not Allowed"
_PLAIN_TEXT = (b"content-type", b"text/plain; charset=utf-8")

Handlers = tuple[Any, Any]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
NO_HANDLERS: Handlers = ({}, {})


async def _serve(entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by an endpoint, with the exception handlers that are in the scope.

    Stands for the application that ``request_response`` or ``websocket_session`` makes.
    """
    handlers: Handlers = scope.get("starlette.exception_handlers", NO_HANDLERS)
    conn = entry.request_class(scope, receive, send)
    tracked = TrackedSend(send)
    try:
        if entry.kind is SESSION:
            await entry.endpoint(conn)
        else:
            await _send(await entry.endpoint(conn), scope, receive, tracked)
    except Exception as exc:
        await recover(exc, conn, handlers, tracked.started, scope, receive, tracked)


async def _send(response: Any, scope: Scope, receive: Receive, tracked: TrackedSend) -> None:
    """Send a response, and run its background tasks."""
    if type(response).__call__ is not respond_plainly or scope["type"] != "http":
        await response(scope, receive, tracked)
        return
    tracked.started = True
    send = tracked.send
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "http.response.body", "body": response.body})
    if response.background is not None:
        await response.background()


async def run(entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
    """Hand the request to the chosen route."""
    kind = entry.kind
    if kind is CLASS:
        endpoint = entry.app(scope, receive, send)
        response = await respond(endpoint, entry.request_class(scope, receive, send))
        await response(scope, receive, send)
    elif kind is ASGI:
        await entry.app(scope, receive, send)
    elif kind is HANDLE or kind is NOT_ALLOWED:
        await entry.route.handle(scope, receive, send)
    elif kind is MISS:
        await miss(entry.route, scope, receive, send)
    elif kind is STOCK:
        await _stock_router_app(entry.route, scope, receive, send)
    else:
        await _serve(entry, scope, receive, send)


async def miss(router: Router, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a path that no route matches: redirect to its twin, or the router's default."""
    url = redirect_of(router, scope)
    if url is None:
        await router.default(scope, receive, send)
    else:
        await RedirectResponse(url=url)(scope, receive, send)


def _are_responses_plain() -> bool:
    """Whether responses are made and sent by Starlette's own methods, or by ours for them."""
    init_headers, render = Response.init_headers, Response.render
    text = _plain_text.get("__init__")
    return (
        Response.__call__ is respond_plainly
        and Response.__init__ is _response_init
        and (init_headers is _init_headers or init_headers is response_init_headers)
        and (render is _render or render is response_render)
        and (text is None or text is plain_text_init)
        and PlainTextResponse.__call__ is respond_plainly
        and PlainTextResponse.charset == "utf-8"
    )


def is_default(handler: Any) -> bool:
    """Whether a handler is what ExceptionMiddleware itself does with an HTTPException."""
    return type(handler) is MethodType and handler.__func__ is _default_http_exception


def _are_errors_plain(handlers: Handlers) -> bool:
    """Whether Starlette's own handler answers an HTTPException, unless by its status."""
    return (
        is_default(handlers[0].get(HTTPException))
        and handling._lookup_exception_handler is _lookup
        and _are_responses_plain()
    )


def default_answer(entry: Entry, scope: Scope, handlers: Handlers) -> Answer | None:
    """The redirect, 404 or 405 that Starlette answers where nobody has a say in it."""
    router = entry.route
    _, status_handlers = handlers
    if not _are_errors_plain(handlers):
        return None
    if entry.kind is NOT_ALLOWED:
        if 405 in status_handlers:
            return None
        allow = ", ".join(entry.route.methods).encode("latin-1")
        return 405, [(b"allow", allow), (b"content-length", b"18"), _PLAIN_TEXT], _NOT_ALLOWED
    if (
        404 in status_handlers
        or type(router.default) is not MethodType
        or router.default.__func__ is not _not_found
    ):
        return None
    url = redirect_of(router, scope)
    if url is not None:
        redirect = RedirectResponse(url=url)
        return redirect.status_code, redirect.raw_headers, bytes(redirect.body)
    return 404, [(b"content-length", b"9"), _PLAIN_TEXT], _NOT_FOUND


def default_error(exc: Exception, handlers: Handlers) -> Answer | None:
    """What Starlette answers to an HTTPException that nobody else handles; None to any other."""
    _, status_handlers = handlers
    if (
        type(exc) is not HTTPException
        or exc.status_code in status_handlers
        or not _are_errors_plain(handlers)
    ):
        return None
    status = exc.status_code
    if (
        exc.headers is not None
        or type(exc.detail) is not str
        or status < 200
        or status in (204, 304)
    ):
        response = http_response(exc)
        return status, response.raw_headers, bytes(response.body)
    body = exc.detail.encode()
    return status, [length_header(len(body)), _PLAIN_TEXT], body


def redirect_of(router: Router, scope: Scope) -> str | None:
    """The URL with a slash more or less at its end, if a route matches that; else None."""
    path = get_route_path(scope) if scope.get("root_path") else scope["path"]
    if not router.redirect_slashes or path == "/" or scope["type"] != "http":
        return None
    # Most misses are settled here: a look-up, and no copy of the scope.
    if not may_match(router, path.rstrip("/") if path.endswith("/") else path + "/"):
        return None
    redirect = dict(scope)
    if path.endswith("/"):
        redirect["path"] = redirect["path"].rstrip("/")
    else:
        redirect["path"] += "/"
    if is_matched(router, redirect, get_route_path(redirect)):
        return str(URL(scope=redirect))
    return None


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
    elif is_async_callable(handler):
        response = await handler(conn, exc)
    else:
        response = await handling.run_in_threadpool(handler, conn, exc)
    if response is not None:
        await response(scope, receive, send)
    exc.__traceback__ = None  # an exception raised again and again would collect them


def handler_of(exc: Exception, handlers: Handlers) -> Any:
    """The handler of an exception: of its status, or else of its class; None if it has none."""
    exception_handlers, status_handlers = handlers
    handler = status_handlers.get(exc.status_code) if isinstance(exc, HTTPException) else None
    if handler is None:
        handler = handling._lookup_exception_handler(exception_handlers, exc)
    return handler


def http_response(exc: Any) -> Response:
    """What the default handler of HTTPException answers, without awaiting it."""
    if exc.status_code in {204, 304}:
        return Response(status_code=exc.status_code, headers=exc.headers)
    return PlainTextResponse(exc.detail, status_code=exc.status_code, headers=exc.headers)


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
