"""An ASGI application that hands everything to another one, and records what was asked."""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from turbostar.cli.record.exchange import Exchange
from turbostar.cli.record.lines import Recording
from turbostar.cli.recorded import Close, SendBytes, SendText
from turbostar.cli.verify.lifespan import last_line

__all__ = ["Recorder"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LARGEST = 1 << 20  # bytes of an answer that are kept, to be searched for values
_NO_CODES = {1005, 1006}  # what a server says when the client has given no code


class Recorder:
    """Stands before an application; each request and WebSocket session becomes a line."""

    def __init__(self, app: Any, recording: Recording) -> None:
        self._app = app
        self._recording = recording
        self.shutdown_failure: str | None = None
        """How the lifespan failed at the end."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _lifespan(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        started = False

        async def listen(message: Message) -> None:
            nonlocal started
            started |= message["type"] == "lifespan.startup.complete"
            if message["type"] == "lifespan.shutdown.failed":
                self.shutdown_failure = last_line(message.get("message", ""))
            await send(message)

        try:
            await self._app(scope, receive, listen)
        except Exception as exc:
            if started and self.shutdown_failure is None:
                self.shutdown_failure = f"{type(exc).__name__}: {exc}"
            raise

    async def _http(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        # Read to its end first: the application may answer without having read it.
        messages = [await receive()]
        while messages[-1]["type"] == "http.request" and messages[-1].get("more_body", False):
            messages.append(await receive())
        whole = messages[-1]["type"] == "http.request"
        exchange = _exchange(scope)
        exchange.body = b"".join(message.get("body", b"") for message in messages)

        async def receive_again() -> Message:
            return messages.pop(0) if messages else await receive()

        async def listen(message: Message) -> None:
            nonlocal whole
            if whole and _ends_answer(exchange, message):
                # Before the client has all of it, for its next request may come at once.
                whole = False
                self._recording.add(exchange)
            await send(message)

        try:
            await self._app(scope, receive_again, listen)
        finally:
            if whole:
                self._recording.add(exchange)

    async def _websocket(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        exchange = _exchange(scope)
        sent = exchange.websocket = []
        exchange.subprotocols = list(scope.get("subprotocols", ()))

        async def listen() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                text, data = message.get("text"), message.get("bytes")
                sent.append(SendBytes(data or b"") if text is None else SendText(text))
            elif message["type"] == "websocket.disconnect":
                code = message.get("code", 1000)
                if 1000 <= code < 5000 and code not in _NO_CODES:
                    sent.append(Close(code))
            return message

        try:
            await self._app(scope, listen, send)
        finally:
            # Servers tell the end twice to who asks twice.
            ends = [number for number, one in enumerate(sent) if isinstance(one, Close)]
            del sent[ends[0] + 1 if ends else len(sent) :]
            self._recording.add(exchange)


def _exchange(scope: dict[str, Any]) -> Exchange:
    path = scope.get("raw_path") or urllib.parse.quote(scope["path"]).encode()
    query = scope.get("query_string", b"")
    target = path.decode("latin-1") + ("?" + query.decode("latin-1") if query else "")
    return Exchange(
        method=scope.get("method", "GET"),
        target=urllib.parse.quote(target, safe="/%:@!$&'()*+,;=~-._?[]{}|\\^`\"<>#"),
        headers=_texts(scope["headers"]),
    )


def _ends_answer(exchange: Exchange, message: Message) -> bool:
    """Note what this message tells of the answer; whether it is the last one."""
    if message["type"] == "http.response.start":
        exchange.answer_headers = _texts(message.get("headers", ()))
    if message["type"] != "http.response.body":
        return False
    if len(exchange.answer_body) <= _LARGEST:
        exchange.answer_body += message.get("body", b"")
    return not message.get("more_body", False)


def _texts(headers: Any) -> list[tuple[str, str]]:
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
