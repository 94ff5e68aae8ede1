"""A request as bytes together with the answer that it must get."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from turbostar.cli.bench.answers import Answer
from turbostar.cli.recorded import RecordedRequest

__all__ = [
    "ALWAYS_IGNORED",
    "HOST",
    "Exchange",
    "Expected",
    "difference",
    "expect",
    "wire_pieces",
]

# Both servers are asked under one name, whatever port they listen on, so that absolute
# addresses in their answers are equal.
HOST = "testserver"
ALWAYS_IGNORED = frozenset({b"date", b"set-cookie"})


class Expected(msgspec.Struct, frozen=True):
    """What a right answer has: its status, and the parts that do not vary from run to run."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    """Sorted, without those of `ignored`."""
    body: bytes | None
    """None: it varies, so only the status is compared."""
    ignored: frozenset[bytes]


class Exchange(msgspec.Struct, frozen=True):
    """One request of the load, ready to be written, and its answer."""

    name: str
    pieces: tuple[bytes, ...]
    """Written one after the other."""
    to_head: bool
    expected: Expected


def wire_pieces(request: RecordedRequest, cookie: str | None) -> tuple[bytes, ...]:
    """The bytes of the request in the pieces in which they are to be written."""
    headers = request.wire_headers(host=HOST, cookie=cookie)
    head = f"{request.method} {request.path} HTTP/1.1\r\n".encode("latin-1")
    head += b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"
    pieces = request.body_pieces()
    if any(name.lower() == b"transfer-encoding" for name, _ in headers):
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece]
        pieces = [*pieces[:-1], b"".join(pieces[-1:]) + b"0\r\n\r\n"]
    return (head + pieces[0], *pieces[1:])


def expect(answer: Answer, ignored: Collection[bytes]) -> Expected:
    """The expectation that `answer` sets, without the headers of the given names."""
    names = ALWAYS_IGNORED.union(ignored)
    return Expected(answer.status, _headers(answer, names), answer.body, names)


def difference(expected: Expected, answer: Answer) -> str | None:
    """What is wrong with `answer`, in a few words, or None."""
    if answer.status != expected.status:
        return f"status {answer.status} instead of {expected.status}"
    if expected.body is None:
        return None
    # The body first: a content-length that differs says less.
    if answer.body != expected.body:
        return _body_difference(expected.body, answer.body)
    headers = _headers(answer, expected.ignored)
    if headers != expected.headers:
        return _header_difference(expected.headers, headers)
    return None


def _headers(answer: Answer, ignored: frozenset[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(sorted(header for header in answer.headers if header[0] not in ignored))


def _header_difference(
    expected: tuple[tuple[bytes, bytes], ...], found: tuple[tuple[bytes, bytes], ...]
) -> str:
    missing = [header for header in expected if header not in found]
    extra = [header for header in found if header not in expected]
    parts = []
    if missing:
        parts.append("without " + ", ".join(_shown(*header) for header in missing))
    if extra:
        parts.append("with " + ", ".join(_shown(*header) for header in extra))
    return "headers: " + (" and ".join(parts) or "one is sent a different number of times")


def _shown(name: bytes, value: bytes) -> str:
    return f"{name.decode('latin-1')}: {value[:80].decode('latin-1')}"


def _body_difference(expected: bytes, found: bytes) -> str:
    shorter = min(len(expected), len(found))
    at = next((i for i in range(shorter) if expected[i] != found[i]), shorter)
    start = max(0, at - 20)
    return (
        f"body ({len(found)} bytes instead of {len(expected)}), from byte {at}: "
        f"{found[start : at + 30]!r} instead of {expected[start : at + 30]!r}"
    )
