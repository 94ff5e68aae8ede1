"""How ``SessionMiddleware`` reads a session from its cookie, and writes it back.

The session is read when the request begins, as on Starlette, and not when it is first asked for: a
dictionary that fills itself could be told from one (by C code such as ``json``'s or ``msgspec``'s,
by its type, and by when it raises).
"""

from __future__ import annotations

import http.cookies
from binascii import a2b_base64, b2a_base64
from typing import Any

import starlette.middleware.sessions as stock
import starlette.requests
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from turbostar._guard.requirements import ATTRIBUTE, Requirements
from turbostar._http.json_codec import decodes_as_ever, loads
from turbostar._http.raw_headers import CHANGED, RawHeaders, add_vary, names_in
from turbostar._http.tracked_send import send_answer
from turbostar._middleware.signing import Keys
from turbostar._stages.protocol import Answer, Stage, hand_down, register

__all__ = ["close_session", "is_plain", "open_session", "session_call"]

_stock_call = SessionMiddleware.__call__
_VARY = (b"vary", b"Cookie")
# What is made of these globals is looked up late, as Starlette does.
_cookies: Any = http.cookies
_requests: Any = starlette.requests
_module: Any = stock

_REQUIRED = Requirements(
    SessionMiddleware,
    others=(*CHANGED, *((HTTPConnection, name) for name in ("__init__", "headers", "cookies"))),
    names=(
        *names_in(stock, "MutableHeaders"),
        *names_in(starlette.requests, "Headers"),
        (stock, "HTTPConnection", "starlette.requests:HTTPConnection"),
        (starlette.requests, "cookie_parser", "starlette.requests:cookie_parser"),
    ),
)


def is_plain(sessions: Any) -> bool:
    """Whether nothing of what is bypassed here was overridden or replaced."""
    return _REQUIRED.are_met(sessions)


def _keys(sessions: Any) -> Keys:
    signer, checked = sessions.signer, sessions.__dict__[ATTRIBUTE]
    keys: Keys | None = checked.memo
    if keys is None or not keys.are_of(signer):
        keys = checked.memo = Keys(signer)
    return keys


def _cookie(headers: RawHeaders, wanted: str) -> str | None:
    """The value of a cookie: the last of that name."""
    found = None
    for name, value in headers:
        if name != b"cookie":
            continue
        line = value.decode("latin-1")
        if not isinstance(wanted, str) or not wanted:
            found = _requests.cookie_parser(line).get(wanted, found)
        elif wanted in line:
            for cookie in line.split(";"):
                if wanted in cookie:
                    key, equals, quoted = cookie.partition("=")
                    if equals and key.strip() == wanted:
                        quoted = quoted.strip()
                        found = _cookies._unquote(quoted) if quoted[:1] == '"' else quoted
    return found


def open_session(sessions: Any, scope: Scope) -> bool:
    """Put the session of a request into its scope; say whether it came with the request."""
    headers = scope["headers"] = list(scope["headers"])
    cookie = _cookie(headers, sessions.session_cookie)
    if cookie is not None:
        try:
            payload = _keys(sessions).payload(cookie.encode(), sessions.max_age)
            data = a2b_base64(payload)
            decoded = loads(data) if decodes_as_ever(_module) else _module.json.loads(data)
            scope["session"] = _module.Session(decoded)
            return True
        except _module.BadSignature:
            pass
    scope["session"] = _module.Session()
    return False


def close_session(sessions: Any, scope: Scope, raw_headers: Any, came: bool) -> RawHeaders:
    """The headers of an answer, with what keeps the session: a new list.

    Args:
        came: what `open_session` said.
    """
    session = scope["session"]
    headers: RawHeaders = list(raw_headers)
    if session.accessed:
        add_vary(headers, _VARY)
    if session.modified and session:
        payload = b2a_base64(_module.json.dumps(session).encode(), newline=False)
        value = _keys(sessions).sign(payload).decode()
        age = "" if sessions.max_age is None else f"Max-Age={sessions.max_age}; "
    elif session.modified and came:
        value = "null"
        age = "expires=Thu, 01 Jan 1970 00:00:00 GMT; "
    else:
        return headers
    attributes = f"path={sessions.path}; {age}{sessions.security_flags}"
    line = f"{sessions.session_cookie}={value}; {attributes}"
    headers.append((b"set-cookie", line.encode("latin-1")))
    return headers


class _Cookie(Stage):
    """The stage of one request: it writes the session into the headers of the answer."""

    def __init__(self, sessions: Any, scope: Scope, came: bool, send: Send) -> None:
        self._sessions = sessions
        self._scope = scope
        self._came = came
        self.forward = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            message["headers"] = close_session(self._sessions, self._scope, given, self._came)
        await self.forward(message)

    async def respond(self, answer: Answer) -> None:
        answer.headers = close_session(self._sessions, self._scope, answer.headers, self._came)
        await send_answer(self.forward, answer)


# Tracers name their spans after the function that sends: after Starlette's.
_Cookie.send.__name__ = "send_wrapper"
_Cookie.send.__qualname__ = f"{_stock_call.__qualname__}.<locals>.send_wrapper"


async def session_call(self: SessionMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
    """Stand in for ``SessionMiddleware.__call__``; fall back to it where a part was replaced."""
    if scope["type"] not in ("http", "websocket"):
        await self.app(scope, receive, send)
        return
    if not is_plain(self):
        await _stock_call(self, scope, receive, send)
        return
    came = open_session(self, scope)
    app = self.app  # may be a property of a subclass: read once, as by Starlette
    await app(scope, receive, hand_down(_Cookie(self, scope, came, send), app))


register(session_call)
