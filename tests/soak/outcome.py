"""What became of a request, in a form in which two of them can be compared."""

from __future__ import annotations

import dataclasses
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import itsdangerous

from tests.soak.application import SECRET
from tests.soak.flight import Flight

__all__ = ["LOST", "Difference", "Outcome", "compare", "counted", "outcome_of"]

LOST = "LOST"

_SESSION = b"session="
_START, _BODY = "http.response.start", "http.response.body"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the client got of an answer, what came out of the application, and what it did.

    How a body was cut into messages does not count, and a compressed one counts as what it
    decompresses to.

    Attributes:
        answer: all messages but those of the body, in their order.
        body: as far as the client got it.
        complete: whether it got all of it.
        raised: the exception, with those of a group.
        events: what happened in the application, and how often.
        faults: what must not be on either side.
    """

    number: int
    answer: tuple[str, ...] = ()
    body: bytes = b""
    complete: bool = False
    raised: str = ""
    events: tuple[tuple[str, int], ...] = ()
    faults: tuple[str, ...] = ()


def outcome_of(flight: Flight, faults: Sequence[str]) -> Outcome:
    """Settle what became of a request; `faults` are what is known to be wrong with it."""
    raw = b"".join(m.get("body", b"") for m in flight.sent if m["type"] == _BODY)
    body, found, answer = raw, list(faults), []
    for message in flight.sent:
        if message["type"] == _BODY:
            continue
        told = dict(message)
        if message["type"] == _START:
            headers = [(bytes(name), bytes(value)) for name, value in message["headers"]]
            if (b"content-encoding", b"gzip") in headers:
                body = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(raw)
            told["headers"] = [_settled(header, len(raw), flight) for header in headers]
            found += _strays(headers, flight.plan.number)
        answer.append(repr(told))
    return Outcome(
        number=flight.plan.number,
        answer=tuple(answer),
        body=body,
        complete=flight.is_complete,
        raised=_told(flight.raised),
        events=tuple(sorted(flight.events.items())),
        faults=tuple(found),
    )


def _settled(header: tuple[bytes, bytes], length: int, flight: Flight) -> tuple[bytes, bytes]:
    """A header without what differs from one moment, or one compressor, to the next."""
    name, value = header
    if name == b"content-length" and flight.is_complete and value == b"%d" % length:
        return name, b"as sent"
    if name == b"set-cookie" and value.startswith(_SESSION):
        signed, _, rest = value.removeprefix(_SESSION).partition(b";")
        if signed != b"null":
            signed = itsdangerous.TimestampSigner(SECRET).unsign(signed)
        return name, _SESSION + signed + b";" + rest
    if name == b"allow":  # made of a set, whose order is that of the process
        return name, b", ".join(sorted(value.split(b", ")))
    return header


def _strays(headers: Sequence[tuple[bytes, bytes]], number: int) -> list[str]:
    """An answer to somebody else's request."""
    ids = [value for name, value in headers if name == b"x-id" and value != b"%d" % number]
    return [f"got the answer to request {value.decode()}" for value in ids]


def _told(exc: BaseException | None) -> str:
    """Type and message; those of a cancellation hold addresses, so the type alone."""
    if exc is None:
        return ""
    told = type(exc).__name__
    if not told.startswith("Cancelled"):
        told += f": {exc}"
    if isinstance(exc, BaseExceptionGroup):
        told += f" [{', '.join(map(_told, exc.exceptions))}]"
    return told


@dataclass(frozen=True)
class Difference:
    """One thing that two outcomes of the same request do not share; or a fault of either."""

    number: int
    what: str
    stock: Any
    other: Any


def compare(stock: Sequence[Outcome], other: Sequence[Outcome]) -> list[Difference]:
    """Everything in which the outcomes of the same requests differ, and all faults."""
    found = []
    names = [field.name for field in dataclasses.fields(Outcome) if field.name != "number"]
    for one, two in zip(stock, other, strict=True):
        for name in names:
            first, second = getattr(one, name), getattr(two, name)
            if first != second or (name == "faults" and first):
                found.append(Difference(one.number, name, first, second))
    return found


def counted(differences: Sequence[Difference]) -> dict[str, int]:
    """How many requests were lost, how many run more often than on stock, how many else differ."""
    requests: dict[int, str] = {}
    for difference in differences:
        sort = "otherwise wrong"
        if difference.what == "faults" and any(one.startswith(LOST) for one in difference.other):
            sort = "lost"
        elif difference.what == "events" and _runs(difference.other) > _runs(difference.stock):
            sort = "repeated"
        if requests.get(difference.number) in (None, "otherwise wrong"):
            requests[difference.number] = sort
    found = Counter(requests.values())
    return {sort: found[sort] for sort in ("lost", "repeated", "otherwise wrong")}


def _runs(events: Sequence[tuple[str, int]]) -> int:
    """How often the endpoint ran."""
    return dict(events).get("endpoint", 0)
