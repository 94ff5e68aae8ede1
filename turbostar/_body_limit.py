"""How ``RequestBodyLimitMiddleware`` counts the bytes of a request."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import starlette.middleware.body_limit as stock
from starlette.middleware.body_limit import RequestBodyLimitMiddleware, RequestBodyLimitResponder
from starlette.types import Message, Receive, Scope, Send

from turbostar._checked import Requirements
from turbostar._headers import READ, names_in

__all__ = ["Limit", "is_plain"]

_MODULE = "starlette.middleware.body_limit"
_METHODS = ("__call__", "receive_with_limit", "send_with_limit")

_module: Any = stock  # its globals are looked up late, as Starlette does
_receive = RequestBodyLimitResponder.receive_with_limit
_send = RequestBodyLimitResponder.send_with_limit

_REQUIRED = Requirements(
    RequestBodyLimitMiddleware,
    others=(*READ, *((RequestBodyLimitResponder, name) for name in _METHODS)),
    names=(
        *names_in(stock, "Headers"),
        (stock, "RequestBodyLimitResponder", f"{_MODULE}:RequestBodyLimitResponder"),
        (stock, "_get_content_length", f"{_MODULE}:_get_content_length"),
    ),
)


def is_plain(middleware: Any) -> bool:
    """Whether nothing of what is gone without here was overridden or replaced."""
    return (
        _REQUIRED.are_met(middleware)
        and RequestBodyLimitResponder.receive_with_limit is _receive
        and RequestBodyLimitResponder.send_with_limit is _send
    )


def _content_length(scope: Scope) -> int | None:
    headers = scope["headers"] = list(scope["headers"])
    for name, value in headers:
        if name == b"content-length":
            try:
                return int(value.decode("latin-1"))
            except ValueError:
                return None
    return None


class Limit:
    """The limit of one request.

    Attributes:
        responder: Starlette's own, in which middleware further below finds it and may change it.
    """

    __slots__ = ("_receive", "_send", "responder")

    def __init__(self, middleware: Any, scope: Scope, receive: Receive, send: Send) -> None:
        responder: Any = stock.RequestBodyLimitResponder(middleware.app, middleware.max_body_size)
        responder._scope = scope
        responder._receive = self._receive = receive
        responder._send = self._send = send
        responder.content_length = _content_length(scope)
        self.responder = responder

    async def receive(self) -> Message:
        """The ``receive`` of what is below."""
        responder = self.responder
        length = responder.content_length
        if length is not None and length > responder.max_body_size:
            raise _module._RequestBodyTooLarge
        message = await self._receive()
        if message["type"] == "http.request":
            responder.total_size += len(message.get("body", b""))
            if responder.total_size > responder.max_body_size:
                raise _module._RequestBodyTooLarge
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """The ``send`` of what is below."""
        if message["type"] == "http.response.start":
            responder = self.responder
            responder.response_started = True
            length = responder.content_length
            if length is not None and length > responder.max_body_size:
                return self._refuse()
        return self._send(message)

    async def _refuse(self) -> None:
        responder = self.responder
        response = _module.PlainTextResponse("Content Too Large", status_code=413)
        await response(responder.scope, responder.receive, responder.send)
        raise _module._RequestBodyLimitResponseSent


# Tracers name their spans after the functions that send and receive: after Starlette's.
Limit.send.__name__ = _send.__name__
Limit.send.__qualname__ = _send.__qualname__
Limit.receive.__name__ = _receive.__name__
Limit.receive.__qualname__ = _receive.__qualname__
