"""HTTP/1.1 answers out of a byte stream, for a client that never pipelines."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Answer", "AnswerError", "AnswerParser"]

_MAX_HEAD = 1 << 20
_HEX = frozenset(b"0123456789abcdefABCDEF")


class AnswerError(Exception):
    """The bytes are not one whole HTTP/1.1 answer."""


class Answer(NamedTuple):
    """One answer: header names in lower case, in sending order; the body without framing."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    keep_alive: bool
    framed: bool
    """The answer says itself where it ends, without closing the connection."""


class AnswerParser:
    """Takes the bytes of one answer in pieces of any size.

    Interim answers (1xx) are skipped. `to_head` says that the request was a HEAD, whose answer
    has no body whatever its headers say.
    """

    def __init__(self, *, to_head: bool = False) -> None:
        self._to_head = to_head
        self._buffer = bytearray()
        self._status = 0
        self._headers: tuple[tuple[bytes, bytes], ...] = ()
        self._keep_alive = True
        self._length: int | None = 0
        self._chunked = False
        self._body: bytearray | None = None  # None until the head is complete

    @property
    def leftover(self) -> bytes:
        """The bytes that came after the answer."""
        return bytes(self._buffer)

    @property
    def started(self) -> bool:
        """Whether any byte of the answer has arrived."""
        return bool(self._status or self._buffer)

    def feed(self, data: bytes) -> Answer | None:
        """Take the next bytes; return the answer once it is complete.

        Raises:
            AnswerError: the bytes are not HTTP/1.1.
        """
        self._buffer += data
        while self._body is None:
            if not self._read_head():
                return None
        if self._chunked:
            return self._answer() if self._read_chunks() else None
        if self._length is None:
            self._body += self._buffer
            self._buffer.clear()
            return None
        if len(self._buffer) < self._length:
            return None
        self._body += self._buffer[: self._length]
        del self._buffer[: self._length]
        return self._answer()

    def end(self) -> Answer:
        """The connection was closed: return the answer if that is what ends it.

        Raises:
            AnswerError: the answer is incomplete.
        """
        if self._body is not None and self._length is None and not self._chunked:
            return self._answer()
        if self._body is not None:
            raise AnswerError("the connection was closed in the middle of the body")
        if self.started:
            raise AnswerError("the connection was closed in the middle of the headers")
        raise AnswerError("the connection was closed without an answer")

    def _answer(self) -> Answer:
        assert self._body is not None
        framed = self._length is not None or self._chunked
        return Answer(
            self._status, self._headers, bytes(self._body), self._keep_alive and framed, framed
        )

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise AnswerError(f"the headers are longer than {_MAX_HEAD} bytes")
            if self._buffer and not b"HTTP/1.".startswith(self._buffer[:7]):
                raise AnswerError(f"not an HTTP/1.1 answer: {bytes(self._buffer[:40])!r}")
            return False
        lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        self._status, self._keep_alive = _status_line(lines[0])
        if 100 <= self._status < 200:
            if self._status == 101:
                raise AnswerError("the server switched protocols, which was not asked for")
            return bool(self._buffer) and self._read_head()
        self._headers = tuple(_header(line) for line in lines[1:])
        self._body = bytearray()
        self._read_framing()
        return True

    def _read_framing(self) -> None:
        lengths: set[bytes] = set()
        for name, value in self._headers:
            if name == b"content-length":
                lengths.add(value)
            elif name == b"transfer-encoding":
                self._chunked = value.lower() == b"chunked"
                if not self._chunked:
                    raise AnswerError(f"unknown transfer-encoding {value!r}")
            elif name == b"connection":
                tokens = [token.strip() for token in value.lower().split(b",")]
                if b"close" in tokens:
                    self._keep_alive = False
                elif b"keep-alive" in tokens:
                    self._keep_alive = True
        if self._to_head or self._status in (204, 304):
            self._chunked, self._length = False, 0
        elif self._chunked or not lengths:
            self._length = None
        else:
            self._length = _content_length(lengths)

    def _read_chunks(self) -> bool:
        assert self._body is not None
        position = 0
        while True:
            end = self._buffer.find(b"\r\n", position)
            if end < 0:
                break
            size = _chunk_size(bytes(self._buffer[position:end]))
            if size == 0:
                trailer_end = self._end_of_trailers(end)
                if trailer_end < 0:
                    break
                del self._buffer[:trailer_end]
                return True
            start, stop = end + 2, end + 2 + size
            if len(self._buffer) < stop + 2:
                break
            if self._buffer[stop : stop + 2] != b"\r\n":
                raise AnswerError("a chunk of the body does not end where it says")
            self._body += self._buffer[start:stop]
            position = stop + 2
        del self._buffer[:position]
        return False

    def _end_of_trailers(self, end: int) -> int:
        """Where the last chunk, whose size line ends at `end`, ends with its trailers, or -1."""
        if self._buffer[end + 2 : end + 4] == b"\r\n":
            return end + 4
        found = self._buffer.find(b"\r\n\r\n", end)
        return -1 if found < 0 else found + 4


def _status_line(line: bytes) -> tuple[int, bool]:
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(code) != 3 or not code.isdigit():
        raise AnswerError(f"not an HTTP/1.1 answer: {line[:40]!r}")
    return int(code), version == b"HTTP/1.1"


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name != name.strip():
        raise AnswerError(f"not a header: {line[:80]!r}")
    return name.lower(), value.strip(b" \t")


def _content_length(values: set[bytes]) -> int:
    if len(values) > 1 or not (value := values.pop()).isdigit():
        raise AnswerError("the content-length is no number, or there are several")
    return int(value)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or not _HEX.issuperset(digits):
        raise AnswerError(f"not the size of a chunk: {line[:40]!r}")
    return int(digits, 16)
