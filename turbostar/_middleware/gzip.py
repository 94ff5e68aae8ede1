"""How ``GZipMiddleware`` compresses answers, without a responder of its own for each request."""

from __future__ import annotations

import zlib
from typing import Any

import anyio.to_thread
import starlette.middleware.gzip as stock
from starlette.middleware.gzip import GZipMiddleware, GZipResponder, IdentityResponder
from starlette.types import Message, Receive, Scope, Send

from turbostar._guard.requirements import ATTRIBUTE, Requirements
from turbostar._http.raw_headers import CHANGED, RawHeaders, add_vary, names_in, remove, replace
from turbostar._http.tracked_send import send_answer
from turbostar._stages.protocol import Answer, Stage, hand_down, register

__all__ = ["Compression", "accepts_gzip", "gzip_call", "is_plain"]

_IDENTITY = ("__init__", "__call__", "send_with_compression", "apply_compression")
_MODULE = "starlette.middleware.gzip"
#: What all answers say whose body may be compressed.
VARY = (b"vary", b"Accept-Encoding")
#: So many content types are remembered: some hold a boundary, and are all different.
_MANY = 256

_stock_call = GZipMiddleware.__call__
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
    """Whether nothing of what is bypassed here was overridden or replaced."""
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


class Compression(Stage):
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
        self.forward = send
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

    async def send(self, message: Message) -> None:
        """The ``send`` of what is below."""
        kind = message["type"]
        if kind == "http.response.start":
            # Held back until the first of the body says what becomes of the headers.
            self._start = message
            message.setdefault("headers", [])
            self.look(message)
            if self.is_left:
                await self.forward(message)
        elif kind == "http.response.body":
            if self.is_left:
                await self.forward(message)
            elif self._is_begun:
                await self._send_rest(message)
            else:
                self._is_begun = True
                await self._send_first(message)
        elif kind == "http.response.pathsend":
            await (self.forward(message) if self.is_left else self._send_both(message))
        elif kind in ("http.response.early_hint", "http.response.trailers"):
            await self.forward(message)

    async def respond(self, answer: Answer) -> None:
        """Compress a body that is one message; a stream is compressed message by message."""
        if answer.in_pieces or self._start:
            await super().respond(answer)
            return
        self._start = answer.start()
        self.look(self._start)
        body = answer.body
        if not self.is_left and len(body) >= self.minimum_size:
            self._is_begun = True
            answer.body = compressed = await self.compress(body, False)
            add_vary(answer.headers, VARY)
            if compressed != body:
                mark(answer.headers, compressed)
        await send_answer(self.forward, answer)

    async def _send_both(self, message: Message) -> None:
        await self.forward(self._start)
        await self.forward(message)

    async def _send_first(self, message: Message) -> None:
        body, more_body = message.get("body", b""), message.get("more_body", False)
        if len(body) < self.minimum_size and not more_body:
            await self._send_both(message)
            return
        compressed = await self.compress(body, more_body)
        start = self._start
        headers = start["headers"]
        add_vary(headers, VARY)
        if compressed != message["body"]:
            mark(headers, None if more_body or start.get("trailers", False) else compressed)
            message["body"] = compressed
        await self._send_both(message)

    async def _send_rest(self, message: Message) -> None:
        body, more_body = message.get("body", b""), message.get("more_body", False)
        message["body"] = await self.compress(body, more_body)
        await self.forward(message)

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


async def gzip_call(self: GZipMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
    """Stand in for ``GZipMiddleware.__call__``; fall back to it where a part was replaced."""
    if scope["type"] != "http":
        await self.app(scope, receive, send)
        return
    if not is_plain(self):
        await _stock_call(self, scope, receive, send)
        return
    headers = scope["headers"] = list(scope["headers"])
    is_accepted = accepts_gzip(headers)
    app = self.app  # may be a property of a subclass: read once, as by Starlette
    await app(scope, receive, hand_down(Compression(self, is_accepted, send), app))


register(gzip_call)
