"""Whether the answers of an application can show anything at all."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Protocol

from turbostar.cli.recorded import RecordedRequest
from turbostar.cli.verify.answers import Answer

__all__ = ["all_failed", "failed", "proves_nothing", "refused"]

# Answers of routing, which an application gives whether or not its handlers work.
_NOT_ROUTED = {404, 405}
_ROUTING = {*_NOT_ROUTED, *range(300, 400)}
_REFUSALS = {401, 403}


class Answered(Protocol):
    """A request and what stock answered it."""

    @property
    def request(self) -> RecordedRequest:
        """What was asked."""

    @property
    def stock(self) -> Answer:
        """What stock answered."""


def failed(answer: Answer) -> bool:
    """Whether this is the answer of an application that failed: 5xx, an exception, or none."""
    if answer.timed_out and answer.status is None and not answer.sent:
        return True
    if answer.status is None:  # a WebSocket session, or a client that went away
        return answer.exception is not None
    return answer.status >= 500


def refused(answer: Answer) -> bool:
    """Whether the client was turned away before what it asked for: 401, 403, or not accepted."""
    if answer.sent:
        first = answer.sent[0]
        return first["type"] != "websocket.accept" and first.get("status", 403) in _REFUSALS
    return answer.status in _REFUSALS


def all_failed(checks: Sequence[Answered], *, derived: bool) -> str | None:
    """How the application failed, if it failed to answer any request, or None.

    Derived requests include some that routing answers alone; these do not count.
    """
    counted = checks
    if derived:
        counted = [one for one in checks if one.stock.status not in _ROUTING] or checks
    if not all(failed(one.stock) for one in counted):
        return None
    which = "request" if len(counted) == len(checks) else "request that reaches a handler"
    if all(one.stock.timed_out for one in counted):
        return f"no {which} was answered in time, on stock Starlette either"
    causes = [one.stock.exception for one in counted if one.stock.exception]
    cause = f" ({max(set(causes), key=causes.count)})" if causes else ""
    return f"every {which} failed on stock Starlette itself{cause}"


def proves_nothing(checks: Sequence[Answered], *, derived: bool) -> str | None:
    """Why these answers do not show that the handlers answer alike, or None."""
    if (failure := all_failed(checks, derived=derived)) is not None:
        return failure
    broken = sum(failed(one.stock) for one in checks)
    turned_away = sum(refused(one.stock) for one in checks)
    routed = sum(_answered_by_routing(one) for one in checks)
    if broken + turned_away + routed < len(checks):
        return None
    counts = (
        (broken, "failed"),
        (turned_away, "refused (401, 403)"),
        (routed, "answered as routing alone answers (404, 405, redirects to the same path)"),
    )
    found = ", ".join(f"{count} {what}" for count, what in counts if count)
    return f"none of {len(checks)} requests shows what a handler answers: {found}"


def _answered_by_routing(check: Answered) -> bool:
    """Whether a router, or a redirect to HTTPS, may have answered, and no handler."""
    answer = check.stock
    if answer.status in _NOT_ROUTED:
        return True
    location = dict(answer.headers).get(b"location")
    if location is None or answer.status not in _ROUTING:
        return False
    target = urllib.parse.urlsplit(location.decode("latin-1")).path
    return target.rstrip("/") == check.request.path.partition("?")[0].rstrip("/")
