"""What Starlette answers where nobody else has a say: redirects, 404, 405 and HTTPExceptions."""

from __future__ import annotations

from types import MethodType
from typing import Any

import starlette.middleware.exceptions
import starlette.routing
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from turbostar._dispatch.errors import (
    Handlers,
    handling,
    http_response,
    is_default,
    starlettes_own,
)
from turbostar._guard.classes import namespace
from turbostar._guard.sources import trusts
from turbostar._http.responses import (
    PLAIN_TEXT,
    length_header,
    plain_text_init,
    redirect_init,
    response_init_headers,
    response_render,
)
from turbostar._routing.choose import is_matched, may_match
from turbostar._routing.entries import Entry, Kind
from turbostar._stages.protocol import Answer

__all__ = ["default_answer", "default_error", "miss", "respond_plainly"]

exceptions: Any = starlette.middleware.exceptions
late: Any = starlette.routing  # for names that are looked up when they are used, as stock does

respond_plainly = starlettes_own(Response, "__call__")
_response_init = starlettes_own(Response, "__init__")
_init_headers = starlettes_own(Response, "init_headers")
_render = starlettes_own(Response, "render")
_redirect_init = starlettes_own(RedirectResponse, "__init__")
_exception_init = starlettes_own(HTTPException, "__init__")
_not_found = starlettes_own(Router, "not_found")
_lookup = (
    handling._lookup_exception_handler
    if trusts("starlette._exception_handler:_lookup_exception_handler")
    else object()
)
_plain_text = namespace(PlainTextResponse)
_NOT_FOUND = b"Not Found"
_NOT_ALLOWED = b"Method Not Allowed"


async def miss(router: Router, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a path that no route matches: redirect to its twin, or the router's default."""
    url = redirect_of(router, scope)
    if url is None:
        await router.default(scope, receive, send)
    else:
        await late.RedirectResponse(url=url)(scope, receive, send)


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
        and PlainTextResponse.media_type == "text/plain"
        and PlainTextResponse.render is render
        and PlainTextResponse.init_headers is init_headers
    )


def _are_redirects_plain() -> bool:
    """Whether a redirect is sent by Starlette's own method, and nothing follows it."""
    init: Any = RedirectResponse.__init__
    return (
        late.RedirectResponse is RedirectResponse
        and RedirectResponse.__call__ is respond_plainly
        and (init is _redirect_init or init is redirect_init)
    )


def _are_errors_plain(handlers: Handlers) -> bool:
    """Whether Starlette's own handler answers an HTTPException, unless by its status."""
    return (
        is_default(handlers[0].get(HTTPException))
        and late.HTTPException is HTTPException
        and HTTPException.__init__ is _exception_init
        and exceptions.PlainTextResponse is PlainTextResponse
        and handling._lookup_exception_handler is _lookup
        and _are_responses_plain()
    )


def default_answer(entry: Entry, scope: Scope, handlers: Handlers) -> Answer | None:
    """The redirect, 404 or 405 that Starlette answers where nobody has a say in it."""
    router = entry.route
    _, status_handlers = handlers
    if not _are_errors_plain(handlers):
        return None
    if entry.kind is Kind.NOT_ALLOWED:
        if 405 in status_handlers:
            return None
        allow = ", ".join(entry.route.methods).encode("latin-1")
        lines = [(b"allow", allow), (b"content-length", b"18"), PLAIN_TEXT]
        return Answer(405, lines, _NOT_ALLOWED)
    if (
        404 in status_handlers
        or type(router.default) is not MethodType
        or router.default.__func__ is not _not_found
        or not _are_redirects_plain()
    ):
        return None
    url = redirect_of(router, scope)
    if url is not None:
        redirect = late.RedirectResponse(url=url)
        return Answer(redirect.status_code, redirect.raw_headers, bytes(redirect.body))
    return Answer(404, [(b"content-length", b"9"), PLAIN_TEXT], _NOT_FOUND)


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
        return Answer(status, response.raw_headers, bytes(response.body))
    body = exc.detail.encode()
    return Answer(status, [length_header(len(body)), PLAIN_TEXT], body)


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
        return str(late.URL(scope=redirect))
    return None
