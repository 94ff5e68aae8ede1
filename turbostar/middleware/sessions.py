"""``starlette.middleware.sessions`` with a SessionMiddleware that derives its keys once."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import starlette.middleware.sessions as stock
from starlette.types import Message, Receive, Scope, Send

from turbostar import _sessions
from turbostar._accelerations import accelerated
from turbostar._mirror import mirror
from turbostar._passing import Passage, with_headers
from turbostar._stages import Rest, below, register_stage, with_sender

if TYPE_CHECKING:
    from starlette.middleware.sessions import Session as Session

_stock_call = stock.SessionMiddleware.__call__


class _Sender:
    """The ``send`` of what is below: it writes the session into the headers of the answer."""

    __slots__ = ("_came", "_scope", "_send", "_sessions")

    def __init__(self, sessions: Any, scope: Scope, came: bool, send: Send) -> None:
        self._sessions = sessions
        self._scope = scope
        self._came = came
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            message["headers"] = _sessions.close_session(
                self._sessions, self._scope, given, self._came
            )
        return self._send(message)


# Tracers name their spans after the function that sends: after Starlette's.
_Sender.send.__name__ = "send_wrapper"
_Sender.send.__qualname__ = f"{_stock_call.__qualname__}.<locals>.send_wrapper"


async def session_call(
    self: stock.SessionMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["type"] not in ("http", "websocket"):
        await self.app(scope, receive, send)
        return
    if not _sessions.is_plain(self):
        await _stock_call(self, scope, receive, send)
        return
    came = _sessions.open_session(self, scope)
    await self.app(scope, receive, _Sender(self, scope, came, send).send)


async def session_respond(
    self: stock.SessionMiddleware, scope: Scope, receive: Receive, passage: Passage
) -> Any:
    if not _sessions.is_plain(self):
        return Rest(self)
    came = _sessions.open_session(self, scope)
    inner = await below(self.app, scope, receive, passage)
    if type(inner) is Rest:
        return with_sender(inner.app, _Sender, self, scope, came)
    if inner is None:
        return None
    return with_headers(inner, _sessions.close_session(self, scope, inner.raw_headers, came))


register_stage(session_call, session_respond)


@accelerated
class SessionMiddleware(stock.SessionMiddleware):
    """Keeps a session in a signed cookie."""


mirror(__name__, "SessionMiddleware")
