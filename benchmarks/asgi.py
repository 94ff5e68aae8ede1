"""An ASGI server reduced to its end of the three-argument call, for timing in process.

Every request gets what uvicorn would give it: a fresh scope with fresh headers, and `receive` and
`send` that are bound coroutine methods. Beyond that the driver does nothing, and what it does do is
measured with an empty application (`empty_app`) and subtracted. That of the tests, `tests.asgi`,
records and copies all that it is sent, which would take longer than many an application.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BROWSER_HEADERS",
    "ASGIApp",
    "Client",
    "ClientRequest",
    "Message",
    "Suspended",
    "Work",
    "WrongAnswer",
    "ask",
    "driven",
    "driven_on_loop",
    "empty_app",
    "settled",
]

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]
Header = tuple[bytes, bytes]
Work = Callable[[int], None]

BROWSER_HEADERS: tuple[Header, ...] = (
    (b"host", b"shop.example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
)


class Suspended(Exception):
    """An application waited for something where the case says that it does not."""


class WrongAnswer(Exception):
    """An application answered otherwise than before, or than the other side."""


async def empty_app(scope: Scope, receive: Receive, send: Send) -> None:
    """What is left of a request when no application does anything."""


@dataclass(frozen=True, kw_only=True)
class ClientRequest:
    """One request, or with `websocket` one session, that a client sends again and again."""

    path: str = "/"
    method: str = "GET"
    query: bytes = b""
    headers: tuple[Header, ...] = BROWSER_HEADERS
    body: bytes = b""
    scheme: str = "http"
    websocket: tuple[Message, ...] = field(default=())
    """What `receive` gives, from connect to disconnect."""

    def with_headers(self, *headers: tuple[str, str]) -> tuple[Header, ...]:
        """This request's headers and some more."""
        return (*self.headers, *((name.encode(), value.encode()) for name, value in headers))

    def scopes(self) -> Callable[[], Scope]:
        """Return what makes the scope of each request, as uvicorn would; nothing is shared."""
        path, raw_path, query = self.path, self.path.encode(), self.query
        method, headers = self.method, self.headers
        scheme = self.scheme
        client, server = ("203.0.113.7", 50412), ("198.51.100.4", 443)

        def http() -> Scope:
            return {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": "1.1",
                "server": server,
                "client": client,
                "scheme": scheme,
                "root_path": "",
                "headers": [*headers],
                "state": {},
                "method": method,
                "path": path,
                "raw_path": raw_path,
                "query_string": query,
            }

        def websocket() -> Scope:
            return {
                "type": "websocket",
                "asgi": {"version": "3.0", "spec_version": "2.4"},
                "http_version": "1.1",
                "scheme": "ws",
                "server": server,
                "client": client,
                "root_path": "",
                "path": path,
                "raw_path": raw_path,
                "query_string": query,
                "headers": [*headers],
                "subprotocols": [],
                "state": {},
                "extensions": {"websocket.http.response": {}},
            }

        return websocket if self.websocket else http


class Client:
    """The far end of one request at a time: gives it, and keeps the last message of the answer."""

    __slots__ = ("body", "last", "position", "session", "unread")

    def __init__(self, request: ClientRequest) -> None:
        self.body = request.body
        self.session = request.websocket
        self.last: Message | None = None
        self.begin()

    def begin(self) -> None:
        """Start the next request."""
        self.unread = True
        self.position = 0

    async def receive(self) -> Message:
        """Give the body in one message; or the next message of the session."""
        if self.session:
            message = self.session[self.position]
            self.position += 1
            return {**message}
        if self.unread:
            self.unread = False
            return {"type": "http.request", "body": self.body, "more_body": False}
        return await self.disconnected()

    async def disconnected(self) -> Message:
        """Wait for the client to go away, which without a loop nobody can."""
        raise Suspended("the application waits for a disconnect; drive this case on a loop")

    async def send(self, message: Message) -> None:
        """Take a message of the answer."""
        self.last = message


class LoopClient(Client):
    """A client whose request ends for `receive` when the answer is complete, as on uvicorn."""

    __slots__ = ("answered", "ended")

    def begin(self) -> None:
        """Start the next request."""
        super().begin()
        self.answered = False
        self.ended: asyncio.Event | None = None

    async def disconnected(self) -> Message:
        """Wait until the answer is complete."""
        if not self.answered:
            self.ended = asyncio.Event()
            await self.ended.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message of the answer."""
        self.last = message
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.answered = True
            if self.ended is not None:
                self.ended.set()


class Recorder(LoopClient):
    """A client that keeps the whole answer."""

    __slots__ = ("messages",)

    def __init__(self, request: ClientRequest) -> None:
        super().__init__(request)
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        """Take a message of the answer, as it is now."""
        kept = {**message}
        if "headers" in kept:
            kept["headers"] = [*kept["headers"]]
        self.messages.append(kept)
        await super().send(message)


async def ask(app: ASGIApp, request: ClientRequest) -> list[Message]:
    """Ask once; return the messages of the answer."""
    recorder = Recorder(request)
    await app(request.scopes()(), recorder.receive, recorder.send)
    return recorder.messages


def settled(messages: Sequence[Message]) -> list[Any]:
    """What a client can tell of an answer: how the body was cut into messages is not part of it.

    A compressed body counts as what it decompresses to, whatever its length.
    """
    body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
    others = [dict(m) for m in messages if m["type"] != "http.response.body"]
    if not others or others[0]["type"] != "http.response.start":
        return [*others, body]
    headers = [(bytes(name), bytes(value)) for name, value in others[0]["headers"]]
    if (b"content-encoding", b"gzip") in headers:
        body = zlib.decompress(body, 16 + zlib.MAX_WBITS)
        headers = [header for header in headers if header[0] != b"content-length"]
    others[0]["headers"] = headers
    return [*others, body]


def driven(app: ASGIApp, request: ClientRequest, last: Message | None) -> Work:
    """Return what asks `app` a number of times without a loop; `last` ends every right answer.

    Raises (from the work):
        Suspended: the application waits for something.
        WrongAnswer: the answer to the final request of a batch ended with another message.
    """
    client = Client(request)
    make_scope = request.scopes()
    begin, receive, send = client.begin, client.receive, client.send

    def work(times: int) -> None:
        client.last = None
        for _ in range(times):
            begin()
            coroutine = app(make_scope(), receive, send)
            try:
                coroutine.send(None)
            except StopIteration:
                continue
            coroutine.close()
            raise Suspended("the application waits for something; drive this case on a loop")
        _check(client.last, last)

    return work


def driven_on_loop(
    app: ASGIApp, request: ClientRequest, last: Message | None, runner: asyncio.Runner
) -> Work:
    """Return what asks `app` a number of times in one task on the loop of `runner`."""
    client = LoopClient(request)
    make_scope = request.scopes()
    begin, receive, send = client.begin, client.receive, client.send

    async def asking(times: int) -> None:
        for _ in range(times):
            begin()
            await app(make_scope(), receive, send)

    def work(times: int) -> None:
        client.last = None
        runner.run(asking(times))
        _check(client.last, last)

    return work


def _check(found: Message | None, expected: Message | None) -> None:
    if found != expected:
        raise WrongAnswer(f"an answer ended with {found!r} instead of {expected!r}")
