"""How ``GZipMiddleware`` compresses answers, without a responder of its own for each request."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable
from typing import Any

import anyio.to_thread
import starlette.middleware.gzip as stock
from starlette.middleware.gzip import GZipMiddleware, GZipResponder, IdentityResponder
from starlette.types import Message, Send

from turbostar._checked import ATTRIBUTE, Requirements
from turbostar._headers import CHANGED, RawHeaders, add_vary, names_in, remove, replace

__all__ = ["VARY", "Compression", "accepts_gzip", "is_plain", "mark"]

_IDENTITY = ("__init__", "__call__", "send_with_compression", "apply_compression")
_MODULE = "starlette.middleware.gzip"
#: What all answers say whose body may be compressed.
VARY = (b"vary", b"Accept-Encoding")
#: So many content types are remembered: some hold a boundary, and are all different.
_MANY = 256

_identity_send = IdentityResponder.send_with_compression
_identity_apply = IdentityResponder.apply_compression
_gzip_send = GZipResponder.send_with_compression
_gzip_apply = GZipResponder.apply_compression

_REQUIRED = Requirements(
    GZipMiddleware,
    others=(
        *CHANGED,
        *((IdentityResponder, name) for name in _IDENTITY),
        *((GZipResponder, name) for name in (*_IDENTITY, "_compress_body", "compressor")),
    ),
    names=(
        *names_in(stock, "Headers", "MutableHeaders"),
        (stock, "IdentityResponder", f"{_MODULE}:IdentityResponder"),
        (stock, "GZipResponder", f"{_MODULE}:GZipResponder"),
        (stock, "_normalize_content_types", f"{_MODULE}:_normalize_content_types"),
    ),
)


def is_plain(gzip: Any) -> bool:
    """Whether nothing of what is gone without here was overridden or replaced."""
    return (
        _REQUIRED.are_met(gzip)
        and IdentityResponder.send_with_compression is _identity_send
        and IdentityResponder.apply_compression is _identity_apply
        and GZipResponder.send_with_compression is _gzip_send
        and GZipResponder.apply_compression is _gzip_apply
    )


def accepts_gzip(headers: RawHeaders) -> bool:
    """Whether a request that has these headers takes a compressed answer."""
    for name, value in headers:
        if name == b"accept-encoding":
            # `in` costs five times as much: it tries an integer first.
            return value.find(b"gzip") >= 0
    return False


class _Excluded:
    """The content types that are not compressed.

    Attributes:
        given: what they were made of.
        known: of content types that were asked for, whether they are excluded.
    """

    __slots__ = ("_names", "given", "known")

    def __init__(self, given: Any) -> None:
        self.given = given
        self.known: dict[bytes, bool] = {}
        self._names = frozenset(name.partition(";")[0].strip().lower() for name in given)

    def has(self, content_type: bytes) -> bool:
        """Whether answers of that content type are left as they are."""
        media_type = content_type.decode("latin-1").partition(";")[0].strip().lower()
        names = self._names
        found = (
            media_type in names
            or media_type.partition("/")[0] + "/*" in names
            or (media_type.startswith("application/grpc+") and "application/grpc" in names)
        )
        if len(self.known) >= _MANY:
            self.known.clear()
        self.known[bytes(content_type)] = found
        return found


def _excluded(gzip: Any) -> _Excluded:
    given = gzip.exclude_content_types
    checked = gzip.__dict__[ATTRIBUTE]
    found: _Excluded | None = checked.memo
    # Another sequence than a tuple may be changed in place.
    if found is None or found.given is not given or type(given) is not tuple:
        found = checked.memo = _Excluded(given)
    return found


class Compression:
    """The answer to one request, on its way through a GZipMiddleware that is plain.

    Attributes:
        accepted: whether the request takes a compressed answer.
        is_left: whether the answer goes as it is; known when its headers were looked at.
    """

    is_left = False
    _is_begun = False
    _compressor: Any = None

    def __init__(self, gzip: Any, accepted: bool, send: Send) -> None:
        self.accepted = accepted
        self.minimum_size = gzip.minimum_size
        self._excluded = _excluded(gzip)
        self._send = send
        self._start: Message = {}
        if accepted:
            self._level = gzip.compresslevel
            self._thread_minimum_size = gzip.thread_minimum_size

    def look(self, start: Message) -> None:
        """Look at the start of an answer, whether its body may be compressed."""
        content_type = b""
        encoded = found = False
        for name, value in start["headers"]:
            if name == b"content-type":
                if not found:
                    content_type, found = value, True
            elif name == b"content-encoding":
                encoded = True
        self.is_left = encoded
        is_partial = start["status"] == 206
        excluded = self._excluded
        is_excluded = excluded.known.get(content_type) if type(content_type) is bytes else None
        if is_excluded is None:
            is_excluded = excluded.has(content_type)
        self.is_left = encoded or is_partial or is_excluded

    def send(self, message: Message) -> Awaitable[None]:
        """The ``send`` of what is below."""
        kind = message["type"]
        if kind == "http.response.start":
            # Held back until the first of the body says what becomes of the headers.
            self._start = message
            message.setdefault("headers", [])
            self.look(message)
            return self._send(message) if self.is_left else _nothing()
        if kind == "http.response.body":
            if self.is_left:
                return self._send(message)
            if self._is_begun:
                return self._send_rest(message)
            self._is_begun = True
            body = message.get("body", b"")
            more_body = message.get("more_body", False)
            if len(body) < self.minimum_size and not more_body:
                return self._send_both(message)
            return self._send_first(message, body, more_body)
        if kind == "http.response.pathsend":
            return self._send(message) if self.is_left else self._send_both(message)
        if kind in ("http.response.early_hint", "http.response.trailers"):
            return self._send(message)
        return _nothing()

    async def _send_both(self, message: Message) -> None:
        await self._send(self._start)
        await self._send(message)

    async def _send_first(self, message: Message, body: bytes, more_body: bool) -> None:
        start = self._start
        compressed = await self.compress(body, more_body)
        headers = start["headers"]
        add_vary(headers, VARY)
        if compressed != message["body"]:
            mark(headers, None if more_body or start.get("trailers", False) else compressed)
            message["body"] = compressed
        await self._send(start)
        await self._send(message)

    async def _send_rest(self, message: Message) -> None:
        body, more_body = message.get("body", b""), message.get("more_body", False)
        message["body"] = await self.compress(body, more_body)
        await self._send(message)

    async def compress(self, body: bytes, more_body: bool) -> bytes:
        """Compress the next piece of the body, if the request takes that; else return it."""
        if not self.accepted:
            return body
        if len(body) >= self._thread_minimum_size:
            limiter = stock._get_gzip_capacity_limiter()
            return await anyio.to_thread.run_sync(self._run, body, more_body, limiter=limiter)
        return self._run(body, more_body)

    def _run(self, body: bytes, more_body: bool) -> bytes:
        compressor = self._compressor
        if compressor is None:
            window = 16 + zlib.MAX_WBITS  # 16: with the header and trailer of gzip
            self._compressor = compressor = zlib.compressobj(self._level, zlib.DEFLATED, window)
        end = zlib.Z_SYNC_FLUSH if more_body else zlib.Z_FINISH
        compressed: bytes = compressor.compress(body) + compressor.flush(end)
        return compressed


def mark(headers: RawHeaders, body: bytes | None) -> None:
    """Say in the headers that the body is compressed; None if its length is not known."""
    replace(headers, b"content-encoding", b"gzip")
    if body is None:
        remove(headers, b"content-length")
    else:
        replace(headers, b"content-length", b"%d" % len(body))


# Tracers name their spans after the function that sends: after Starlette's.
Compression.send.__name__ = _identity_send.__name__
Compression.send.__qualname__ = _identity_send.__qualname__


async def _nothing() -> None:
    """Sends nothing, for now or at all."""
