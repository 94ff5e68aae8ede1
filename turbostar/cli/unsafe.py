"""Which requests may change something, and saying so before they are sent."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence

from turbostar.cli.recorded import RecordedRequest

__all__ = ["SAFE_METHODS", "count_and_methods", "may_change", "times", "unsafe_note"]

# What an application is to answer without changing anything (RFC 9110, 9.2.1). TRACE is safe, too,
# but no route has it.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_USUAL = ("POST", "PUT", "PATCH", "DELETE")  # the order in which they are told
_WORDS = {1: "once", 2: "twice", 3: "three times", 4: "four times"}


def may_change(requests: Iterable[RecordedRequest]) -> list[RecordedRequest]:
    """Those of the requests whose method says that they may change something."""
    return [one for one in requests if one.websocket is None and one.method not in SAFE_METHODS]


def count_and_methods(requests: Sequence[RecordedRequest], kind: str = "") -> str:
    """For instance "12 POST, PUT and DELETE requests"; `kind` is put before the methods."""
    methods = sorted({one.method for one in requests}, key=_place)
    listed = " and ".join(filter(None, [", ".join(methods[:-1]), methods[-1]]))
    return f"{len(requests)} {kind}{listed} request{'s' if len(requests) > 1 else ''}"


def _place(method: str) -> tuple[int, str]:
    return (_USUAL.index(method) if method in _USUAL else len(_USUAL), method)


def times(number: int) -> str:
    """How often, in words."""
    return _WORDS.get(number, f"{number} times")


def unsafe_note(requests: Iterable[RecordedRequest], how_often: str, kind: str = "") -> str | None:
    """The line to show before requests are sent, or None if all of them are safe.

    `how_often` says how many times each of them is sent; `kind` is put before the methods.
    """
    unsafe = may_change(requests)
    if not unsafe:
        return None
    return f"sends {count_and_methods(unsafe, kind)}{_numbers(unsafe)}, {how_often}"


def _numbers(requests: Sequence[RecordedRequest]) -> str:
    """How many there are of each method, where that is not plain."""
    counts = collections.Counter(one.method for one in requests)
    if len(counts) == 1 or len(counts) == len(requests):
        return ""
    numbers = [f"{counts[method]:,} {method}" for method in sorted(counts, key=_place)]
    return f" ({', '.join(numbers)})"
