"""The ASGI client of the tests: one connection as plain data, and the server's end of it."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel

from tests.brief import Brief

__all__ = ["Ask", "Client", "Header", "Message", "Visit", "ask"]

Message = dict[str, Any]
Header = tuple[bytes, bytes]


@dataclass(frozen=True, repr=False)
class Ask(Brief):
    """One connection: what the server would put in the scope, and what the client sends and does.

    Attributes:
        body: the pieces of the body, a message each.
        messages: the texts that arrive on a websocket.
        without: keys the scope lacks.
        extra: keys and values the scope has beside or instead of the usual ones.
        leaves: the client disconnects after its body instead of waiting for the answer.
        fails: the number of the message whose `send` raises OSError, as those after it do.
        incoming: what `receive` gives, in place of what is made of the body or the texts.
        spec: the server's version of the ASGI specification.
        stays: the client waits for its answer, and leaves when it has it. Who receives more from
            one that does not, gets an error instead of waiting for ever.
        cut: the client is gone before the end of its body.
        leaves_at: the client is gone once it has had so many messages.
        leaves_when: the client is gone once this has happened in the application.
        slow: `receive` and `send` of the server suspend, if only for a moment.
        stuck: on stock, the request never ends by itself.
    """

    path: str
    method: str = "GET"
    type: str = "http"
    host: str | None = "a.example"
    headers: tuple[Header, ...] = ()
    query: bytes = b""
    body: tuple[bytes, ...] = (b"",)
    messages: tuple[str, ...] = ("hi",)
    without: tuple[str, ...] = ()
    extra: tuple[tuple[str, Any], ...] = ()
    leaves: bool = False
    fails: int | None = None
    incoming: tuple[Message, ...] | None = None
    spec: str = "2.3"
    stays: bool = False
    cut: bool = False
    leaves_at: int | None = None
    leaves_when: str = "it never leaves"
    slow: bool = False
    stuck: bool = False

    def scope(self) -> dict[str, Any]:
        """A scope of its own for each run."""
        host = [] if self.host is None else [(b"host", self.host.encode("latin-1", "replace"))]
        scope: dict[str, Any] = {
            "type": self.type,
            "asgi": {"version": "3.0", "spec_version": self.spec},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 5000),
            "scheme": "ws" if self.type == "websocket" else "http",
            "method": self.method,
            "root_path": "",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query,
            "headers": [*host, *self.headers],
        }
        if self.type == "lifespan":
            scope = {"type": "lifespan", "asgi": scope["asgi"]}
        if self.type == "websocket":
            del scope["method"]
            scope["subprotocols"] = []
        scope.update(copy.deepcopy(dict(self.extra)))
        for key in self.without:
            scope.pop(key, None)
        return scope

    def arriving(self) -> Iterator[Message]:
        """The messages that `receive` gives before the client leaves."""
        if self.incoming is not None:
            yield from copy.deepcopy(self.incoming)
        elif self.type == "lifespan":
            yield {"type": "lifespan.startup"}
            yield {"type": "lifespan.shutdown"}
        elif self.type == "websocket":
            yield {"type": "websocket.connect"}
            for text in self.messages:
                yield {"type": "websocket.receive", "text": text}
            yield {"type": "websocket.disconnect", "code": 1000}
        else:
            last = len(self.body) - 1
            for number, piece in enumerate(self.body):
                yield {
                    "type": "http.request",
                    "body": piece,
                    "more_body": self.cut or number < last,
                }


@dataclass(frozen=True, repr=False)
class Visit(Ask):
    """A connection whose client stays until it has its answer, as clients of a server do."""

    stays: bool = True


class Client:
    """The server's end of one connection: its `receive` and `send`.

    Attributes:
        sent: the messages of the answer, as they were when they were sent.
        pieces: how many messages of the body were received.
        gone: an event: the client has left, or has had all of its answer.
    """

    def __init__(self, ask: Ask, gone: anyio.Event | None = None) -> None:
        self.ask = ask
        self.sent: list[Any] = []
        self.pieces = 0
        self.pending = deque(ask.arriving())
        self.gone = anyio.Event() if gone is None else gone
        if ask.leaves or ask.cut:
            self.gone.set()

    async def receive(self) -> Message:
        """Give the next message; a disconnect once there is no other and the client has left.

        Raises:
            RuntimeError: the client neither sends more nor stays.
        """
        if self.ask.slow:
            await anyio.lowlevel.checkpoint()
        if self.pending:
            message = self.pending.popleft()
            self.pieces += message["type"] == "http.request"
            return message
        if not self.gone.is_set():
            if not self.may_wait():
                raise RuntimeError("nothing more will arrive")
            await self.gone.wait()
        return {"type": "http.disconnect"}

    def may_wait(self) -> bool:
        """Whether `receive` waits for the client to leave."""
        return self.ask.stays

    async def send(self, message: Any) -> None:
        """Take a message of the answer.

        Raises:
            OSError: it is one whose sending is to fail.
        """
        kind = message["type"]
        if self.ask.fails is not None and len(self.sent) >= self.ask.fails:
            raise OSError("the connection is gone")
        self.sent.append(self.kept(message))
        if isinstance(message.get("headers"), list):
            # A server may do this; it must not show in anybody else's answer.
            message["headers"].append((b"x-poison", b"1"))
        ends = kind.endswith(".body") and not message.get("more_body", False)
        if ends or kind == "http.response.pathsend" or len(self.sent) == self.ask.leaves_at:
            self.gone.set()
        self.has_sent(ends)
        if self.ask.slow:
            await anyio.lowlevel.checkpoint()

    def has_sent(self, ends: bool) -> None:
        """Called after each message; `ends` says that the answer is complete."""

    def kept(self, message: Any) -> Any:
        """What is kept of a message."""
        return copy.deepcopy(dict(message))

    @property
    def status(self) -> int:
        """The status of the answer."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        """The body of the answer, whatever messages it came in."""
        return b"".join(message.get("body", b"") for message in self.sent)


async def ask(app: Any, question: Ask) -> Client:
    """Put one question to an application; return the client, which has the answer.

    Raises:
        Exception: what the application has raised.
    """
    client = Client(question)
    await app(question.scope(), client.receive, client.send)
    return client
