"""The requests that `benchmarks.server` sends, and which application of each side gets them."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.cases.dispatch import ECHO
from benchmarks.served import MEBIBYTE
from turbostar.cli.recorded import RecordedRequest

__all__ = ["SHAPES", "Pair", "Shape"]

_HEADERS = (
    ("user-agent", "turbostar-benchmark"),
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
)
_OURS = "@turbostar.server"  # behind an application: it is served by turbostar's protocol class
_PLAIN = {"raw": "raw", "stock": "stock", "turbostar": "turbostar"}
_ON_BOTH = {**_PLAIN, "raw, ours": f"raw{_OURS}", "turbostar, ours": f"turbostar{_OURS}"}

Pair = tuple[str, str]


class Shape(NamedTuple):
    """One request; side to the application that gets it; limits of one side's CPU / another's.

    An application is the name of a factory in `benchmarks.served`, on uvicorn's own protocol class
    for httptools or, with ``@turbostar.server`` behind it, on turbostar's.
    """

    key: str
    request: RecordedRequest
    applications: dict[str, str]
    limits: dict[Pair, float]

    @property
    def reference(self) -> str:
        """The side that says what is right."""
        return "stock" if "stock" in self.applications else next(iter(self.applications))


def _request(path: str, method: str = "GET", body: bytes = b"") -> RecordedRequest:
    headers = (*_HEADERS, ("content-type", "application/json")) if body else _HEADERS
    return RecordedRequest(name=path, path=path, method=method, headers=headers, body=body)


SHAPES = (
    Shape(
        "json",
        _request("/"),
        _ON_BOTH,
        {
            ("turbostar", "raw"): 1.10,
            ("turbostar", "stock"): 0.65,
            ("raw, ours", "raw"): 0.62,
            ("turbostar, ours", "raw"): 0.65,
            ("turbostar, ours", "stock"): 0.38,
        },
    ),
    Shape("item", _request("/items/4711"), _ON_BOTH, {}),
    Shape(
        "last-of-120",
        _request("/v1/resources29/123/items/first"),
        _ON_BOTH,
        {("turbostar, ours", "stock"): 0.16},
    ),
    Shape(
        "echo",
        _request("/echo", "POST", ECHO.request.body),
        _ON_BOTH,
        {("turbostar, ours", "stock"): 0.40},
    ),
    Shape(
        "middleware",
        _request("/"),
        {
            "raw": "raw",
            "stock": "stock_middleware",
            "turbostar": "turbostar_middleware",
            "turbostar, ours": f"turbostar_middleware{_OURS}",
        },
        {("turbostar", "stock"): 0.25, ("turbostar, ours", "stock"): 0.13},
    ),
    Shape(
        "fastapi",
        _request("/"),
        {"fastapi": "fastapi", "fastapi, ours": f"fastapi{_OURS}"},
        {("fastapi, ours", "fastapi"): 0.88},
    ),
    Shape(
        "upload",
        _request("/upload", "POST", b"x" * MEBIBYTE),
        {"raw": "raw", "raw, ours": f"raw{_OURS}"},
        {("raw, ours", "raw"): 1.0},
    ),
    Shape(
        "download",
        _request("/download"),
        {"raw": "raw", "raw, ours": f"raw{_OURS}"},
        {("raw, ours", "raw"): 1.0},
    ),
)
