"""Which hosts ``TrustedHostMiddleware`` lets pass, and where it and others redirect to."""

from __future__ import annotations

from typing import Any

import starlette.middleware.httpsredirect
import starlette.middleware.trustedhost as stock
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from turbostar._guard.requirements import Requirements
from turbostar._http.raw_headers import READ, RawHeaders, names_in
from turbostar._http.tracked_send import hand_through, is_followed
from turbostar._stages.protocol import register

__all__ = [
    "is_plain",
    "redirect_to_https",
    "refusal",
    "trusted_host_call",
]

# What is made of these globals is looked up late, as Starlette does.
https: Any = starlette.middleware.httpsredirect
trustedhost: Any = stock

_stock_call = TrustedHostMiddleware.__call__
_SECURE = {"http": "https", "ws": "wss"}

_REQUIRED = Requirements(
    TrustedHostMiddleware,
    others=READ,
    names=(
        *names_in(stock, "Headers"),
        (stock, "parse_host_header", "starlette._utils:parse_host_header"),
    ),
)
#: Host headers that are valid, and the hosts in them, in lower case.
_known: dict[bytes, str] = {}
#: So many of them are remembered, for anybody may send more; and none that is longer.
_MANY = 512
_LONG = 255


def is_plain(trusted: Any) -> bool:
    """Whether nothing of what is bypassed here was overridden or replaced."""
    return _REQUIRED.are_met(trusted)


def _host_of(headers: RawHeaders) -> str | None:
    """The host that a request is for; None if it does not say, or nothing valid."""
    for name, value in headers:
        if name == b"host":
            return _known.get(value) or _parsed(value)
    return None


def _parsed(value: bytes) -> str | None:
    parsed = trustedhost.parse_host_header(value.decode("latin-1"))
    if parsed is None:
        return None
    host: str = parsed.host.lower()
    if len(value) <= _LONG:
        if len(_known) >= _MANY:
            _known.clear()
        _known[bytes(value)] = host
    return host


def refusal(trusted: Any, scope: Scope) -> Response | None:
    """What a request for another host than those allowed is answered with; None to let it pass."""
    headers = scope["headers"] = list(scope["headers"])
    host = _host_of(headers)
    if host is None:
        return _refused(trustedhost)
    is_without_www = False
    for pattern in trusted.allowed_hosts:
        if host == pattern or (pattern.startswith("*") and host.endswith(pattern[1:])):
            return None
        if pattern == "www." + host:
            is_without_www = True
    if is_without_www and trusted.www_redirect:
        url = trustedhost.URL(scope=scope)
        target = str(url.replace(netloc="www." + url.netloc))
        redirect: Response = trustedhost.RedirectResponse(url=target)
        return redirect
    return _refused(trustedhost)


def _refused(module: Any) -> Response:
    response: Response = module.PlainTextResponse("Invalid host header", status_code=400)
    return response


def redirect_to_https(scope: Scope) -> Response:
    """What a request over a connection without TLS is answered with."""
    url = https.URL(scope=scope)
    if not url.netloc:
        return _refused(https)
    scheme = _SECURE[url.scheme]
    netloc = url.hostname if url.port in (80, 443) else url.netloc
    secure = url.replace(scheme=scheme, netloc=netloc)
    redirect: Response = https.RedirectResponse(secure, status_code=307)
    return redirect


async def trusted_host_call(
    self: TrustedHostMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stand in for ``TrustedHostMiddleware.__call__``; fall back where a part was replaced."""
    if not self.allow_any and scope["type"] in ("http", "websocket"):
        if not is_plain(self):
            is_followed(send)
            await _stock_call(self, scope, receive, send)
            return
        response = refusal(self, scope)
        if response is not None:
            await response(scope, receive, send)
            return
    app = self.app  # may be a property of a subclass: read once, as by Starlette
    await app(scope, receive, hand_through(send, app))


register(trusted_host_call)
