"""Recorded requests: the lines of a request file and what they mean."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import urllib.parse
from typing import Any

import msgspec

from turbostar.cli.errors import UserError

__all__ = [
    "DEFAULT_HOST",
    "ClientMessage",
    "Close",
    "RecordedRequest",
    "SendBytes",
    "SendText",
    "read_requests",
]

# The `host` of requests that have none. Answers may repeat it (redirects), so whoever compares
# answers with each other sends the same one, whatever port is really used.
DEFAULT_HOST = "127.0.0.1:8000"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_TARGET = re.compile(r"/[!-~]*\Z")
_CLOSE_CODES = range(1000, 5000)


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


class RecordedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, or one WebSocket session, to replay.

    `headers` are in sending order and hold neither `host`, `content-length` nor the cookies of
    `jar`: `wire_headers` adds those. `path` is the request target as on the wire.
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


class _Line(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One line of a request file, as written."""

    path: str
    name: str | None = None
    method: str | None = None
    headers: list[tuple[str, str]] = []
    body: str | None = None
    body_base64: str | None = None
    json: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # null is a value
    form: list[tuple[str, str]] | None = None
    repeat: int = 1
    chunks: int = 1
    websocket: list[dict[str, Any]] | None = None
    subprotocols: list[str] = []
    disconnect: bool = False
    jar: str | None = None
    mix: str = "all"
    bench: bool = True


def read_requests(path: pathlib.Path) -> list[RecordedRequest]:
    """Read a file of recorded requests: JSON Lines, one request a line, blank lines skipped.

    Raises:
        UserError: the file cannot be read, holds no request, or has a line that is none; the
            message names the line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise UserError(
            f"{path}: {exc.strerror or exc}; give a readable file to --requests"
        ) from exc
    requests = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            requests.append(_request(msgspec.json.decode(line, type=_Line)))
        except (msgspec.DecodeError, ValueError, RecursionError) as exc:
            raise UserError(f"{path}:{number}: {exc}; correct or delete this line") from exc
    if not requests:
        raise UserError(f"{path}: holds no request; write one JSON object a line")
    return requests


def _request(line: _Line) -> RecordedRequest:
    _check_syntax(line)
    if line.websocket is not None:
        return _websocket(line)
    if line.subprotocols:
        raise ValueError("`subprotocols` go only with `websocket`")
    method = "GET" if line.method is None else line.method
    if not _TOKEN.match(method):
        raise ValueError(f"`method` {method!r} is not an HTTP method")
    body, content_type = _body(line)
    headers = list(line.headers)
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", content_type))
    if line.chunks > max(len(body), 1):
        raise ValueError(f"`chunks` is {line.chunks}, more than the {len(body)} bytes of the body")
    return RecordedRequest(
        name=line.name or f"{method} {line.path}",
        method=method,
        path=line.path,
        headers=tuple(headers),
        body=body,
        chunks=line.chunks,
        disconnect=line.disconnect,
        jar=line.jar,
        mix=line.mix,
        bench=line.bench,
    )


def _check_syntax(line: _Line) -> None:
    if not _TARGET.match(line.path):
        raise ValueError(
            f"`path` {line.path!r} must start with '/' and hold only visible ASCII characters "
            "(percent-encode the others)"
        )
    for name, value in line.headers:
        if not _TOKEN.match(name):
            raise ValueError(f"{name!r} is not the name of a header")
        if not value.isascii() and not _is_latin1(value):
            raise ValueError(f"the value of header {name!r} is not latin-1")
        if any(char in value for char in "\r\n\0"):
            raise ValueError(f"the value of header {name!r} holds a line break or NUL")
    for field, number in (("chunks", line.chunks), ("repeat", line.repeat)):
        if number < 1:
            raise ValueError(f"`{field}` must be at least 1")


def _is_latin1(text: str) -> bool:
    return max(map(ord, text), default=0) < 256


def _body(line: _Line) -> tuple[bytes, str | None]:
    """The body as sent, and the content-type that its field implies."""
    given = [
        field
        for field, present in (
            ("body", line.body is not None),
            ("body_base64", line.body_base64 is not None),
            ("json", line.json is not msgspec.UNSET),
            ("form", line.form is not None),
        )
        if present
    ]
    if len(given) > 1:
        raise ValueError(f"`{given[0]}` and `{given[1]}` exclude each other")
    if not given and line.repeat != 1:
        raise ValueError("`repeat` needs a body")
    body, content_type = b"", None
    if line.body is not None:
        body = line.body.encode()
    elif line.body_base64 is not None:
        body = _base64("body_base64", line.body_base64)
    elif isinstance(line.json, msgspec.Raw):
        # The standard library keeps integers of any size.
        value = json.loads(bytes(line.json))
        body = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
        content_type = "application/json"
    elif line.form is not None:
        body = urllib.parse.urlencode(line.form).encode()
        content_type = "application/x-www-form-urlencoded"
    return body * line.repeat, content_type


def _base64(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as exc:
        raise ValueError(f"`{field}` is not base64 ({exc})") from exc


def _websocket(line: _Line) -> RecordedRequest:
    body, _ = _body(line)
    if line.method is not None or body or line.chunks != 1 or line.disconnect:
        raise ValueError("`websocket` excludes `method`, a body, `chunks` and `disconnect`")
    for protocol in line.subprotocols:
        if not _TOKEN.match(protocol):
            raise ValueError(f"{protocol!r} is not the name of a subprotocol")
    messages = tuple(_client_message(message) for message in line.websocket or ())
    if any(isinstance(message, Close) for message in messages[:-1]):
        raise ValueError("no message can follow a `close`")
    return RecordedRequest(
        name=line.name or f"WEBSOCKET {line.path}",
        path=line.path,
        headers=tuple(line.headers),
        websocket=messages,
        subprotocols=tuple(line.subprotocols),
        jar=line.jar,
        mix=line.mix,
        bench=line.bench,
    )


def _client_message(message: dict[str, Any]) -> ClientMessage:
    match message:
        case {"text": str(text), **others} if not others:
            return SendText(text)
        case {"bytes_base64": str(text), **others} if not others:
            return SendBytes(_base64("bytes_base64", text))
        case {"close": int(code), **others} if not others and code in _CLOSE_CODES:
            return Close(code)
    raise ValueError(
        f"{message!r} is none of the messages "
        '{"text": str}, {"bytes_base64": str}, {"close": 1000 to 4999}'
    )
