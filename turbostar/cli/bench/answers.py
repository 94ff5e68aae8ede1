"""HTTP/1.1 answers out of a byte stream, for a client that never pipelines."""

from __future__ import annotations

from typing import NamedTuple

import httptools

__all__ = ["Answer", "AnswerError", "AnswerParser"]


class AnswerError(Exception):
    """The bytes are not one whole HTTP/1.1 answer."""


class Answer(NamedTuple):
    """One answer: header names in lower case, in sending order; the body without framing."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    keep_alive: bool


class AnswerParser:
    """Takes the bytes of one answer in pieces of any size; the methods `on_...` are httptools's.

    Interim answers (1xx) are skipped. `to_head` says that the request was a HEAD, whose answer
    has no body whatever its headers say.
    """

    def __init__(self, *, to_head: bool = False) -> None:
        self._to_head = to_head
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._has_head = False
        self._answer: Answer | None = None
        self.started = False
        """Whether any byte of the answer has arrived."""

    def feed(self, data: bytes) -> Answer | None:
        """Take the next bytes; return the answer once it is complete.

        Raises:
            AnswerError: the bytes are not HTTP/1.1, or more than the answer.
        """
        self.started = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            if isinstance(exc.__context__, AnswerError):
                raise exc.__context__ from None
            if self._answer is not None:
                raise AnswerError(f"bytes after the answer: {data[-40:]!r}") from exc
            raise AnswerError(f"not an HTTP/1.1 answer ({exc}): {data[:40]!r}") from exc
        return self._answer

    def end(self) -> Answer:
        """The connection was closed: return the answer if that is what ends it.

        Raises:
            AnswerError: the answer is incomplete.
        """
        if not self.started:
            raise AnswerError("the connection was closed without an answer")
        if not self._has_head:
            raise AnswerError("the connection was closed in the middle of the headers")
        if any(name in (b"content-length", b"transfer-encoding") for name, _ in self._headers):
            raise AnswerError("the connection was closed in the middle of the body")
        return self._made(keep_alive=False)

    def on_message_begin(self) -> None:
        """A status line begins."""
        if self._answer is not None:
            raise AnswerError("bytes after the answer: another answer")
        self._headers.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has come, or after the body a trailer."""
        if not self._has_head:
            self._headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """All headers have come."""
        status = self._parser.get_status_code()
        if status == 101:
            raise AnswerError("the server switched protocols, which was not asked for")
        self._has_head = status >= 200
        if self._has_head and self._to_head:
            # The parser would take the length in a HEAD's answer for that of a body to come.
            closes = (b"connection", b"close") in [(name, v.lower()) for name, v in self._headers]
            self._answer = self._made(
                keep_alive=not closes and self._parser.get_http_version() == "1.1"
            )

    def on_body(self, data: bytes) -> None:
        """A part of the body has come."""
        if self._answer is not None:
            raise AnswerError(f"bytes after the answer: {data[:40]!r}")
        self._body.append(data)

    def on_message_complete(self) -> None:
        """The answer is complete, or an interim one."""
        if self._has_head and self._answer is None:
            self._answer = self._made(keep_alive=self._parser.should_keep_alive())

    def _made(self, *, keep_alive: bool) -> Answer:
        status = self._parser.get_status_code()
        return Answer(status, tuple(self._headers), b"".join(self._body), keep_alive)
