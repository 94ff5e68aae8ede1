"""How ``RequestBodyLimitMiddleware`` counts the bytes of a request."""

from __future__ import annotations

from typing import Any

import starlette.middleware.body_limit as stock
from starlette.middleware.body_limit import RequestBodyLimitMiddleware, RequestBodyLimitResponder
from starlette.types import Message, Receive, Scope, Send

from turbostar._guard.requirements import Requirements
from turbostar._http.raw_headers import READ, names_in
from turbostar._http.tracked_send import send_answer
from turbostar._stages.protocol import Answer, Stage, hand_down

__all__ = ["Limit", "body_limit_call", "is_plain"]

_MODULE = "starlette.middleware.body_limit"
_METHODS = ("__call__", "receive_with_limit", "send_with_limit")

_module: Any = stock  # its globals are looked up late, as Starlette does
_ABSENT: Any = object()
_stock_call = RequestBodyLimitMiddleware.__call__
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
    """Whether nothing of what is bypassed here was overridden or replaced."""
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


class Limit(Stage):
    """The limit of one request.

    Attributes:
        responder: Starlette's own, in which middleware further below finds it and may change it.
    """

    def __init__(
        self, app: Any, max_body_size: int, scope: Scope, receive: Receive, send: Send
    ) -> None:
        responder: Any = stock.RequestBodyLimitResponder(app, max_body_size)
        responder._scope = scope
        responder._receive = self._receive = receive
        responder._send = self.forward = send
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

    async def send(self, message: Message) -> None:
        """The ``send`` of what is below."""
        if message["type"] == "http.response.start":
            await self._begin()
        await self.forward(message)

    async def respond(self, answer: Answer) -> None:
        """Hand a complete response up, unless the request was too large: that is refused instead.

        Raises:
            _RequestBodyLimitResponseSent: 413 was sent in its place, as by Starlette's ``send``.
        """
        await self._begin()
        await send_answer(self.forward, answer)

    async def _begin(self) -> None:
        responder = self.responder
        responder.response_started = True
        length = responder.content_length
        if length is not None and length > responder.max_body_size:
            await self._refuse()

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


async def body_limit_call(
    self: RequestBodyLimitMiddleware, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stand in for ``RequestBodyLimitMiddleware.__call__``; fall back where a part was replaced."""
    if scope["type"] != "http":
        return await self.app(scope, receive, send)
    if not is_plain(self):
        return await _stock_call(self, scope, receive, send)
    size_key, limit_key = stock.MAX_BODY_SIZE_SCOPE_KEY, stock._BODY_LIMIT_RESPONDER_SCOPE_KEY
    # Either may be a property of a subclass: read once, as by Starlette.
    app, max_body_size = self.app, self.max_body_size
    previous = scope.get(size_key, _ABSENT)
    scope[size_key] = max_body_size
    outer: Any = scope.get(limit_key)
    if outer is not None:
        # The limit nearest to the endpoint is in force, also for what was received already.
        outer.max_body_size = max_body_size
        if outer.total_size > max_body_size:
            raise _module._RequestBodyTooLarge
        return await app(scope, receive, send)
    limit = Limit(app, max_body_size, scope, receive, send)
    scope[limit_key] = limit.responder
    try:
        await app(scope, limit.receive, hand_down(limit, app))
    except _module._RequestBodyTooLarge:
        if limit.responder.response_started:
            raise
        await _module.PlainTextResponse("Content Too Large", 413)(scope, receive, send)
    except _module._RequestBodyLimitResponseSent:
        pass
    finally:
        scope.pop(limit_key, None)
        if previous is _ABSENT:
            scope.pop(size_key, None)
        else:
            scope[size_key] = previous
