"""Comparing an accelerated answer with what stock answered, in all of its runs."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from turbostar.cli.verify.answers import Answer

__all__ = ["Comparison", "Difference", "compare"]

# Headers that follow from the body: where it varies, they may vary too.
_OF_BODY = {b"content-length", b"etag", b"content-md5", b"digest", b"content-digest"}

_LARGEST = 1 << 26  # bytes that are unpacked

Headers = tuple[tuple[bytes, bytes], ...]


class Difference(msgspec.Struct, frozen=True):
    """A part of an answer that is not as on stock.

    `part` is one of status, headers, body, completion, websocket, exception, timeout, lifespan.
    """

    part: str
    stock: Any
    accelerated: Any


class Comparison(msgspec.Struct, frozen=True):
    """What came of comparing one answer; `volatile` names the parts that vary on stock itself."""

    differences: tuple[Difference, ...]
    volatile: tuple[str, ...]
    notes: tuple[str, ...]


def compare(stock: Sequence[Answer], other: Answer, ignored: frozenset[bytes]) -> Comparison:
    """Compare an accelerated answer with the answers of several stock runs to the same request.

    What stock itself answers differently from run to run cannot be compared: of that, only the
    shape is (header names, the type and the unvarying parts of a JSON or text body). Headers named
    in `ignored` (lower case) are left out.
    """
    found = _Parts()
    first, both_hang = stock[0], stock[0].timed_out and other.timed_out
    found.compare("timeout", [answer.timed_out for answer in stock], other.timed_out)
    found.compare("status", [answer.status for answer in stock], other.status)
    _compare_headers(found, stock, other, ignored)
    if both_hang:
        # How much of an endless answer came in time is chance.
        if not _same_beginning(first.body, other.body):
            found.differ("body", first.body, other.body)
        if not _same_beginning(first.sent, other.sent):
            found.differ("websocket", list(first.sent), list(other.sent))
    else:
        _compare_bodies(found, stock, other)
        found.compare("completion", [answer.complete for answer in stock], other.complete)
        found.compare("websocket", [list(answer.sent) for answer in stock], list(other.sent))
    if not agrees([_kind_and_text(answer) for answer in stock], _kind_and_text(other)):
        found.differ("exception", first.exception, other.exception)
    elif any(answer.exception != first.exception for answer in stock):
        found.volatile.append("exception")
    notes = []
    if other.body_messages not in {answer.body_messages for answer in stock}:
        notes.append(
            f"body sent in {other.body_messages} messages, on stock in {first.body_messages}"
        )
    return Comparison(tuple(found.differences), tuple(found.volatile), tuple(notes))


class _Parts:
    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self.volatile: list[str] = []

    def compare(self, part: str, stock: Sequence[Any], other: Any) -> None:
        if any(value != stock[0] for value in stock):
            self.volatile.append(part)
        if not agrees(stock, other):
            self.differ(part, stock[0], other)

    def differ(self, part: str, stock: Any, other: Any) -> None:
        self.differences.append(Difference(part, stock, other))


def _compare_bodies(found: _Parts, stock: Sequence[Answer], other: Answer) -> None:
    """The bytes; of compressed bodies that vary, what they hold."""
    bodies = [answer.body for answer in stock]
    if all(body == bodies[0] for body in bodies):
        found.compare("body", bodies, other.body)
        return
    found.volatile.append("body")
    if not agrees([_unpacked(answer) for answer in stock], _unpacked(other)):
        found.differ("body", bodies[0], other.body)


def _unpacked(answer: Answer) -> bytes:
    """The body without its compression by gzip or deflate; as it is if that is none."""
    encodings = [value for name, value in answer.headers if name == b"content-encoding"]
    if encodings not in ([b"gzip"], [b"deflate"]):
        return answer.body
    unpacking = zlib.decompressobj(wbits=47)  # either of them, as its first bytes say
    try:
        return unpacking.decompress(answer.body, _LARGEST)
    except zlib.error:
        return answer.body


def _compare_headers(
    found: _Parts, stock: Sequence[Answer], other: Answer, ignored: frozenset[bytes]
) -> None:
    masked = set(ignored)
    sides = [_without(answer.headers, ignored) for answer in stock]
    side = _without(other.headers, ignored)
    if any(answer.body != stock[0].body for answer in stock):
        masked |= _OF_BODY
    names = [[name for name, _ in headers] for headers in sides]
    if any(headers != sides[0] for headers in sides):
        found.volatile.append("headers")
    if [name for name, _ in side] not in names:
        found.differ("headers", sides[0], side)
        return
    if any(row != names[0] for row in names):
        return  # stock varies in the headers themselves, and this is one of its ways
    for number, (name, value) in enumerate(side):
        values = [headers[number][1] for headers in sides]
        if name not in masked and value != values[0] and len(set(values)) == 1:
            found.differ("headers", sides[0], side)
            return


def _without(headers: Headers, ignored: frozenset[bytes]) -> Headers:
    return tuple((name, value) for name, value in headers if name not in ignored)


def _same_beginning(one: Sequence[Any], other: Sequence[Any]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _kind_and_text(answer: Answer) -> list[str] | None:
    """The exception in two parts, of which the text may vary and the type may not."""
    return None if answer.exception is None else list(answer.exception.partition(": "))


def agrees(stock: Sequence[Any], other: Any) -> bool:
    """Whether a value is what stock gave, but for what varies between the values stock gave."""
    first = stock[0]
    if all(_identical(value, first) for value in stock):
        return _identical(other, first)
    if isinstance(other, dict) and all(isinstance(value, dict) for value in stock):
        if any(list(value) != list(first) for value in stock):
            return True
        return list(other) == list(first) and all(
            agrees([value[key] for value in stock], other[key]) for key in first
        )
    if isinstance(other, list) and all(isinstance(value, list) for value in stock):
        if any(len(value) != len(first) for value in stock):
            return True
        return len(other) == len(first) and all(
            agrees([value[index] for value in stock], item) for index, item in enumerate(other)
        )
    if type(other) not in {type(value) for value in stock}:
        return False
    if isinstance(other, str | bytes):
        return _texts_agree(stock, other)
    return True


def _identical(one: Any, other: Any) -> bool:
    if isinstance(one, dict | list):
        return repr(one) == repr(other)  # also tells 1 from True, and the order of keys
    return type(one) is type(other) and bool(one == other)


def _texts_agree(stock: Sequence[Any], other: str | bytes) -> bool:
    """Compare texts that vary: as JSON if they are, else by those lines that do not vary."""
    if not all(isinstance(value, str | bytes) for value in stock):
        return True
    parsed = [_json_container(value) for value in (*stock, other)]
    if all(value is not None for value in parsed[:-1]):
        return parsed[-1] is not None and agrees(parsed[:-1], parsed[-1])
    rows = [value.splitlines() for value in stock]
    if len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return True
    lines = other.splitlines()
    return len(lines) == len(rows[0]) and all(
        line == rows[0][number] or len({row[number] for row in rows}) > 1
        for number, line in enumerate(lines)
    )


def _json_container(text: str | bytes) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None
