"""Heads of responses: lines that are checked once and kept, and what a head says of its body."""

from __future__ import annotations

import http
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

__all__ = [
    "END",
    "LINES",
    "USUAL",
    "Head",
    "LengthLine",
    "error_response",
    "head",
    "plain_line",
    "tokens",
]

Header = tuple[bytes, bytes]

#: What ends a line, and a head.
END = b"\r\n"
# What uvicorn refuses: whatever would end the header, or be taken for another part of it.
_NOT_IN_NAMES = re.compile(rb"[\x00-\x20\x7f\"(),:;<=>@[\\\]{}]")
_NOT_IN_VALUES = re.compile(rb"[^\t\x20-\x7e\x80-\xff]")
_CHUNKED = b"transfer-encoding: chunked\r\n"
_CLOSE = b"connection: close\r\n"
_EVENTS = b"text/event-stream"
# Longer values are seldom sent twice, and would fill the memory.
_KEPT_LENGTH = 256
_KEPT_LINES = 2048


class LengthLine(bytes):
    """The line of a Content-Length; `size` is what it says."""

    size: int


#: The lines of headers that have been sent before; cleared when there are too many.
LINES: dict[Any, bytes] = {}


def is_bodiless(status: int) -> bool:
    """Whether a response has no body, whatever its headers say."""
    return status < 200 or status in (204, 304)


def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


#: The first line by status code.
STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}
#: The same of those whose responses have a body.
USUAL = {code: line for code, line in STATUS_LINES.items() if not is_bodiless(code)}


class Head(NamedTuple):
    """The head of a response, and how its body is sent.

    Attributes:
        data: the bytes of it, the empty line included.
        length: how many bytes of body it announces; None where they are not counted.
        is_chunked: whether the body is sent in chunks.
        is_bodiless: whether a response of this status has no body, whatever its headers say.
        closes: whether the connection ends with this response.
        is_urgent: whether it is sent before there is any body.
    """

    data: bytes
    length: int | None
    is_chunked: bool
    is_bodiless: bool
    closes: bool
    is_urgent: bool


def plain_line(header: Any) -> bytes | None:
    """Check a header that decides nothing but, perhaps, a length, and keep its line.

    Returns None for all others, and for what is wrong.
    """
    try:
        name, value = header
        if type(name) is not bytes or type(value) is not bytes:
            return None
        line = _line(name, value)
        name = name.lower()
        if name == b"content-length":
            line = LengthLine(line)
            line.size = int(value.decode())
    except (RuntimeError, TypeError, ValueError):
        return None
    if name in (b"connection", b"transfer-encoding") or _is_events(name, value):
        return None
    if len(value) <= _KEPT_LENGTH and type(header) is tuple and name != b"set-cookie":
        if len(LINES) >= _KEPT_LINES:
            LINES.clear()
        LINES[header] = line
    return line


def _line(name: bytes, value: bytes) -> bytes:
    """A header on the wire.

    Raises:
        RuntimeError: a character that would end the header, or be taken for another part of it.
    """
    if _NOT_IN_NAMES.search(name) or not name:
        raise RuntimeError("Invalid HTTP header name.")
    if _NOT_IN_VALUES.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    return b"".join((name.lower(), b": ", value, END))


def _is_events(name: bytes, value: bytes) -> bool:
    return name == b"content-type" and value.lower().startswith(_EVENTS)


def head(
    status: int,
    headers: Iterable[Header],
    *,
    has_body: bool = True,
    may_chunk: bool = True,
    closes: bool = False,
) -> Head:
    """The head of a response.

    Args:
        status: the status code.
        headers: those of the server before those of the application.
        has_body: False for the answer to a HEAD, which has none whatever its headers say.
        may_chunk: False for a client of HTTP/1.0, for which a body ends with the connection.
        closes: whether the connection ends with this response in any case.

    Raises:
        KeyError: there is no such status code.
        RuntimeError: a header is wrong.
    """
    lines = [STATUS_LINES[status]]
    has_none = is_bodiless(status)
    lengths: set[int] = set()
    is_chunked = is_close_told = is_urgent = False
    for name, value in headers:
        line = _line(name, value)
        name = name.lower()
        if name == b"content-length":
            lengths.add(int(value.decode()))
            line = LengthLine(line)
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            is_chunked = True
            if has_none or not may_chunk:
                continue
        elif name == b"connection":
            is_close_told = is_close_told or b"close" in tokens(value)
        elif _is_events(name, value):
            is_urgent = True
        lines.append(line)
    if len(lengths) > 1:
        raise RuntimeError("Response has more than one Content-Length.")
    if is_chunked:
        # Of two ways to tell where the body ends, a client may believe the other one.
        lines = [line for line in lines if type(line) is not LengthLine]
    elif not lengths and (has_none or not has_body):
        lengths.add(0)
    is_untold = not (is_chunked or lengths)
    length = None if is_chunked or is_untold else lengths.pop()
    closes = closes or is_close_told or (length is None and not may_chunk)
    if closes and not is_close_told:
        lines.append(_CLOSE)
    if is_untold and may_chunk:
        lines.append(_CHUNKED)
    lines.append(END)
    is_chunked = length is None and may_chunk and not has_none
    return Head(b"".join(lines), length, is_chunked, has_none, closes, is_urgent)


def tokens(value: bytes) -> list[bytes]:
    """The members of a header that is a list, in lower case."""
    return [token.strip() for token in value.lower().split(b",")]


def error_response(status: int, text: str, headers: Iterable[Header]) -> bytes:
    """A whole response of the server itself, which ends the connection."""
    own = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"connection", b"close"),
    ]
    return head(status, [*headers, *own]).data + text.encode("ascii")
