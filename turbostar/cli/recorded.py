"""Recorded requests, and what can be sent of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from turbostar.cli.values import Save

__all__ = [
    "DEFAULT_HOST",
    "TOKEN",
    "BodyKind",
    "ClientMessage",
    "Close",
    "RecordedRequest",
    "SendBytes",
    "SendText",
    "check_headers",
    "check_target",
]

# The `host` of requests that have none. Answers may repeat it (redirects), so whoever compares
# answers with each other sends the same one, whatever port is really used.
DEFAULT_HOST = "127.0.0.1:8000"

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
"""The name of a header, a method or a subprotocol."""
_TARGET = re.compile(r"/[!-~]*\Z")


class SendText(msgspec.Struct, frozen=True, tag=True):
    """The client of a WebSocket sends this text message."""

    text: str


class SendBytes(msgspec.Struct, frozen=True, tag=True):
    """The client of a WebSocket sends this binary message."""

    data: bytes


class Close(msgspec.Struct, frozen=True, tag=True):
    """The client of a WebSocket closes it with this code."""

    code: int = 1000


ClientMessage = SendText | SendBytes | Close

# How a value is written into a body.
BodyKind = Literal["text", "bytes", "json", "form"]


class RecordedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, or one WebSocket session, to replay.

    `headers` are in sending order and hold neither `host`, `content-length` nor the cookies of
    `jar`: `wire_headers` adds those. `path` is the request target as on the wire. `uses` names
    the values that stand in the request as `{{name}}` until it is sent.
    """

    name: str
    method: str = "GET"
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    chunks: int = 1
    websocket: tuple[ClientMessage, ...] | None = None
    subprotocols: tuple[str, ...] = ()
    disconnect: bool = False
    jar: str | None = None
    mix: str = "all"
    bench: bool = True
    saves: tuple[Save, ...] = ()
    uses: tuple[str, ...] = ()
    body_is: BodyKind = "text"

    def wire_headers(
        self, *, host: str = DEFAULT_HOST, cookie: str | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The headers as sent: `host` first if absent, the recorded ones, then what is missing.

        `cookie` (the jar's) is added unless the request has a `cookie` header of its own.
        """
        present = {name.lower() for name, _ in self.headers}
        sent = [] if "host" in present else [("host", host)]
        sent += self.headers
        if self.body and not present & {"content-length", "transfer-encoding"}:
            sent.append(("content-length", str(len(self.body))))
        if cookie and "cookie" not in present:
            sent.append(("cookie", cookie))
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent]

    def body_pieces(self) -> list[bytes]:
        """The body cut into `chunks` pieces, none of them empty unless the body is."""
        size, larger = divmod(len(self.body), self.chunks)
        pieces, start = [], 0
        for number in range(self.chunks):
            end = start + size + (number < larger)
            pieces.append(self.body[start:end])
            start = end
        return pieces


def check_target(path: str) -> None:
    """Raise ValueError unless this is a request target as on the wire."""
    if not _TARGET.match(path):
        raise ValueError(
            f"`path` {path!r} must start with '/' and hold only visible ASCII characters "
            "(percent-encode the others)"
        )


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise ValueError unless these headers can be sent."""
    for name, value in headers:
        if not TOKEN.match(name):
            raise ValueError(f"{name!r} is not the name of a header")
        if not value.isascii() and not _is_latin1(value):
            raise ValueError(f"the value of header {name!r} is not latin-1")
        if any(char in value for char in "\r\n\0"):
            raise ValueError(f"the value of header {name!r} holds a line break or NUL")


def _is_latin1(text: str) -> bool:
    return max(map(ord, text), default=0) < 256
