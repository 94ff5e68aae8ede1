"""The requests that `benchmarks.server` sends, and which application of each side gets them."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.cases.dispatch import ECHO
from turbostar.cli.recorded import RecordedRequest

__all__ = ["SHAPES", "Shape"]

_HEADERS = (
    ("user-agent", "turbostar-benchmark"),
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
)
_PLAIN = {"raw": "raw", "stock": "stock", "turbostar": "turbostar"}


class Shape(NamedTuple):
    """One request; side to the factory in `benchmarks.served`; limits of turbostar / side."""

    key: str
    request: RecordedRequest
    applications: dict[str, str]
    limits: dict[str, float]


def _request(path: str, method: str = "GET", body: bytes = b"") -> RecordedRequest:
    headers = (*_HEADERS, ("content-type", "application/json")) if body else _HEADERS
    return RecordedRequest(name=path, path=path, method=method, headers=headers, body=body)


SHAPES = (
    Shape("json", _request("/"), _PLAIN, {"raw": 1.10, "stock": 0.65}),
    Shape("item", _request("/items/4711"), _PLAIN, {}),
    Shape("last-of-120", _request("/v1/resources29/123/items/first"), _PLAIN, {}),
    Shape("echo", _request("/echo", "POST", ECHO.request.body), _PLAIN, {}),
    Shape(
        "middleware",
        _request("/"),
        {"raw": "raw", "stock": "stock_middleware", "turbostar": "turbostar_middleware"},
        {"stock": 0.20},
    ),
)
