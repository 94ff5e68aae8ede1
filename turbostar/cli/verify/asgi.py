"""A client and a server in one: puts recorded requests to an ASGI application, in process.

The scopes and the rules for messages are those that an application meets behind uvicorn.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from turbostar.cli.recorded import Close, RecordedRequest, SendText
from turbostar.cli.verify.answers import Answer

__all__ = ["ask"]

Message = MutableMapping[str, Any]
Scope = dict[str, Any]
App = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_SERVER = ("127.0.0.1", 8000)
_CLIENT = ("127.0.0.1", 50000)
_FIELDS = (
    "type",
    "text",
    "bytes",
    "code",
    "reason",
    "subprotocol",
    "status",
    "headers",
    "body",
    "more_body",
)
# How long an application that was told to stop may take to do so.
_CANCEL_SECONDS = 1.0
# A WebSocket client disconnects once the application has sent nothing for this long.
_QUIET_SECONDS = 0.02
_QUIET_ROUNDS = 25


async def ask(
    app: App, request: RecordedRequest, *, cookie: str | None, state: dict[str, Any], timeout: float
) -> Answer:
    """Put one request to the application and wait until it has returned, `timeout` seconds at most.

    `cookie` is the `cookie` header to send, `state` what the lifespan has left.
    """
    exchange: _Http | _WebSocket
    exchange = _Http(request) if request.websocket is None else _WebSocket(request)
    scope = exchange.scope(cookie)
    scope["state"] = state.copy()
    task = asyncio.create_task(_call(app, scope, exchange))
    done, _ = await asyncio.wait({task}, timeout=timeout)
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCEL_SECONDS)
        return exchange.answer(None, timed_out=True)
    return exchange.answer(task.result(), timed_out=False)


async def _call(app: App, scope: Scope, exchange: _Http | _WebSocket) -> BaseException | None:
    try:
        await app(scope, exchange.receive, exchange.send)
    except BaseException as exc:
        return exc
    return None


def _description(exc: BaseException | None) -> str | None:
    if exc is None:
        return None
    kind = type(exc)
    text = f"{kind.__module__}.{kind.__qualname__}: {exc}"
    if isinstance(exc, BaseExceptionGroup):
        text += f" [{', '.join(str(_description(inner)) for inner in exc.exceptions)}]"
    return text


def _scope(request: RecordedRequest, kind: str, spec_version: str, scheme: str) -> Scope:
    raw_path, _, query = request.path.partition("#")[0].partition("?")
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "server": _SERVER,
        "client": _CLIENT,
        "scheme": scheme,
        "root_path": "",
        "path": urllib.parse.unquote(raw_path),
        "raw_path": raw_path.encode("ascii"),
        "query_string": query.encode("ascii"),
    }


def _lowered(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in headers]


class _Http:
    """One HTTP request and the messages that answer it."""

    def __init__(self, request: RecordedRequest) -> None:
        self._request = request
        self._pieces = request.body_pieces()
        self._delivered = 0
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._body_messages = 0
        self._missing: int | None = None  # bytes that content-length still promises
        self._complete = asyncio.Event()
        self._gone = False

    def scope(self, cookie: str | None) -> Scope:
        scope = _scope(self._request, "http", "2.3", "http")
        scope["method"] = self._request.method
        scope["headers"] = _lowered(self._request.wire_headers(cookie=cookie))
        return scope

    async def receive(self) -> Message:
        if self._delivered == len(self._pieces) and not self._gone:
            await self._complete.wait()
        if self._gone or self._complete.is_set():
            return {"type": "http.disconnect"}
        piece = self._pieces[self._delivered]
        self._delivered += 1
        last = self._delivered == len(self._pieces)
        self._gone = last and self._request.disconnect
        return {"type": "http.request", "body": piece, "more_body": not last}

    async def send(self, message: Message) -> None:
        if self._gone:
            return
        kind = message["type"]
        if self._complete.is_set():
            raise RuntimeError(f"{kind!r} was sent after the response had been completed")
        if self._status is None:
            if kind != "http.response.start":
                raise RuntimeError(f"{kind!r} was sent before 'http.response.start'")
            self._start(message)
        elif kind != "http.response.body":
            raise RuntimeError(f"{kind!r} was sent instead of 'http.response.body'")
        else:
            self._add(message.get("body", b""), message.get("more_body", False))

    def _start(self, message: Message) -> None:
        headers = [
            (bytes(name).lower(), bytes(value)) for name, value in message.get("headers", [])
        ]
        promised = [int(value) for name, value in headers if name == b"content-length"]
        chunked = (b"transfer-encoding", b"chunked") in headers
        self._missing = promised[0] if promised and not chunked else None
        self._headers, self._status = headers, int(message["status"])

    def _add(self, body: bytes, more_body: bool) -> None:
        self._body_messages += 1
        if self._request.method == "HEAD":
            self._missing = None
        else:
            if self._missing is not None:
                self._missing -= len(body)
                if self._missing < 0:
                    raise RuntimeError("the response is longer than its content-length")
            self._body += body
        if not more_body:
            if self._missing:
                raise RuntimeError("the response is shorter than its content-length")
            self._complete.set()

    def answer(self, exc: BaseException | None, *, timed_out: bool) -> Answer:
        if self._status is None and not self._gone and not timed_out:
            self._server_error()
        return Answer(
            status=self._status,
            headers=tuple(self._headers),
            body=bytes(self._body),
            body_messages=self._body_messages,
            complete=self._complete.is_set(),
            exception=_description(exc),
            timed_out=timed_out,
        )

    def _server_error(self) -> None:
        """What a client gets from the server when the application has sent nothing."""
        self._status = 500
        self._headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"21"),
            (b"connection", b"close"),
        ]
        if self._request.method != "HEAD":
            self._body += b"Internal Server Error"
        self._complete.set()


class _WebSocket:
    """One WebSocket session."""

    def __init__(self, request: RecordedRequest) -> None:
        self._request = request
        self._inbox = list(request.websocket or ())
        self._sent: list[dict[str, Any]] = []
        self._connected = False
        self._answered = asyncio.Event()  # accepted or refused
        self._refusing = False  # with a response of its own
        self._closed: Message | None = None  # by the application
        self._disconnects = 0
        self._never = asyncio.Event()

    def scope(self, cookie: str | None) -> Scope:
        scope = _scope(self._request, "websocket", "2.4", "ws")
        headers = _lowered(self._request.wire_headers(cookie=cookie))
        headers += [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-key", b"dHVyYm9zdGFyIHZlcmlmeQ=="),
            (b"sec-websocket-version", b"13"),
        ]
        protocols = list(self._request.subprotocols)
        if protocols:
            headers.append((b"sec-websocket-protocol", ", ".join(protocols).encode("ascii")))
        scope["headers"] = headers
        scope["subprotocols"] = protocols
        scope["extensions"] = {"websocket.http.response": {}}
        return scope

    async def receive(self) -> Message:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        await self._answered.wait()
        if self._closed is None and self._inbox and not isinstance(self._inbox[0], Close):
            message = self._inbox.pop(0)
            if isinstance(message, SendText):
                return {"type": "websocket.receive", "text": message.text}
            assert not isinstance(message, Close)
            return {"type": "websocket.receive", "bytes": message.data}
        return await self._disconnect()

    async def _disconnect(self) -> Message:
        """The end of the connection, told twice as servers do; after that nothing comes."""
        if self._closed is None and not self._disconnects:
            await self._quiet()
        self._disconnects += 1
        if self._disconnects > 2:
            await self._never.wait()
        if self._disconnects > 1:
            return {"type": "websocket.disconnect", "code": 1005}
        if self._closed is not None:
            return self._closed
        code = self._inbox[0].code if self._inbox and isinstance(self._inbox[0], Close) else 1000
        return {"type": "websocket.disconnect", "code": code, "reason": ""}

    async def _quiet(self) -> None:
        """Let the application send what it has begun to send."""
        for _ in range(_QUIET_ROUNDS):
            before = len(self._sent)
            await asyncio.sleep(_QUIET_SECONDS)
            if len(self._sent) == before or self._closed is not None:
                return

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if self._disconnects:
            raise OSError("the client has closed the connection")
        if self._closed is not None:
            raise RuntimeError(f"{kind!r} was sent after the connection had been closed")
        if kind not in self._allowed():
            raise RuntimeError(f"{kind!r} was sent instead of one of {self._allowed()}")
        self._sent.append(_plain(message))
        if kind == "websocket.http.response.start":
            self._refusing = True
            return
        if kind == "websocket.close":
            code = message.get("code", 1000) if self._answered.is_set() else 1006
            reason = message.get("reason") or ""
            self._closed = {"type": "websocket.disconnect", "code": code, "reason": reason}
        elif kind == "websocket.http.response.body":
            if message.get("more_body", False):
                return
            self._closed = {"type": "websocket.disconnect", "code": 1006}
        self._answered.set()

    def _allowed(self) -> tuple[str, ...]:
        if self._answered.is_set():
            return ("websocket.send", "websocket.close")
        if self._refusing:
            return ("websocket.http.response.body",)
        return ("websocket.accept", "websocket.close", "websocket.http.response.start")

    def answer(self, exc: BaseException | None, *, timed_out: bool) -> Answer:
        return Answer(
            sent=tuple(self._sent),
            complete=self._closed is not None,
            exception=_description(exc),
            timed_out=timed_out,
        )


def _plain(message: Message) -> dict[str, Any]:
    """The message as its receiver understands it: what says nothing is left out."""
    plain = {key: message[key] for key in _FIELDS if message.get(key) is not None}
    if message["type"] == "websocket.close":
        plain.setdefault("code", 1000)
        plain.setdefault("reason", "")
    if "headers" in plain:
        plain["headers"] = [[bytes(name), bytes(value)] for name, value in plain["headers"]]
        if not plain["headers"]:
            del plain["headers"]
    return plain
