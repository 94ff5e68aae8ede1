"""What `turbostar doctor` adds to a report: advice, links, the share of requests; and its JSON."""

from __future__ import annotations

import collections
import dataclasses
import urllib.parse
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from turbostar._explain.places import package_not_owned
from turbostar._explain.reasons import Reason
from turbostar._explain.report import Report
from turbostar._explain.traffic import Taken, taken
from turbostar.cli.recorded import RecordedRequest

__all__ = ["FASTAPI_IN_SHORT", "Advice", "Traffic", "as_data"]

_PAGE = "doctor.md"
_PLACE = ("path", "methods", "name", "kind", "endpoint", "depth")

FASTAPI_IN_SHORT = (
    "FastAPI: its handlers are its own, and count as not on the fast path; what gains is "
    "middleware, requests and responses, and mounted Starlette applications"
)


class Advice:
    """What the reader can do about a reason, and where it is explained."""

    def __init__(self, own: Collection[str], documentation: str) -> None:
        """`own` are the packages of the application itself; `documentation` is where that is."""
        self._own = own
        self._documentation = documentation

    def change(self, reason: Reason) -> str:
        """What to change; nothing in a package that is not the reader's."""
        package = package_not_owned(reason.where, self._own)
        return reason.change if package is None else f"in {package}: nothing to do"

    def link(self, reason: Reason) -> str:
        """Where it is explained: an address, or a page of the documentation."""
        base = "docs" if " " in self._documentation else self._documentation.rstrip("/")
        return f"{base}/{_PAGE}#{reason.topic}"


class Traffic(NamedTuple):
    """Recorded requests, and what would answer each of them."""

    requests: Sequence[RecordedRequest]
    taken: Sequence[Taken]

    @classmethod
    def of(cls, app: Any, report: Report, requests: Sequence[RecordedRequest]) -> Traffic:
        """Find out which routes the requests would take; none is sent."""
        found = [taken(app, report.routes, _scope(request)) for request in requests]
        return cls(requests, found)

    @property
    def summary(self) -> str:
        """The share of requests that take the fast path, in one line."""
        fast, total = sum(one.fast for one in self.taken), len(self.taken)
        return f"{fast} of {total} recorded requests take the fast path ({100 * fast // total} %)"

    def slow_routes(self) -> dict[str, int]:
        """The routes of the other requests, and how many each has; the most first."""
        counted = collections.Counter(one.route for one in self.taken if not one.fast)
        return dict(counted.most_common())


def _scope(request: RecordedRequest) -> dict[str, Any]:
    path, _, query = request.path.partition("?")
    return {
        "type": "http" if request.websocket is None else "websocket",
        "method": request.method,
        "scheme": "http" if request.websocket is None else "ws",
        "path": urllib.parse.unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.wire_headers()],
    }


def as_data(report: Report, advice: Advice, traffic: Traffic | None) -> dict[str, Any]:
    """The report as JSON has it."""

    def reasons(found: Iterable[Reason]) -> list[dict[str, str]]:
        return [
            {"cause": one.cause, "change": advice.change(one), "link": advice.link(one)}
            for one in found
        ]

    data = {
        "summary": report.summary,
        "mode": report.mode,
        "stack": report.stack,
        "accelerations": [dataclasses.asdict(standing) for standing in report.standings],
        "replaced": [dataclasses.asdict(patch) for patch in report.patches],
        "layers": [
            {
                **{name: getattr(layer, name) for name in ("name", "defined", "state", "task")},
                "fused": layer.fused,
                "reasons": reasons(layer.reasons),
                "notes": reasons(layer.notes),
            }
            for layer in report.layers
        ],
        "routes": [
            {
                **{name: value for name, value in route.place._asdict().items() if name in _PLACE},
                **{name: getattr(route, name) for name in ("fast", "matched", "run")},
                "reasons": reasons(route.reasons),
                "notes": reasons(route.notes),
            }
            for route in report.routes
        ],
        "handlers": [dataclasses.asdict(handler) for handler in report.handlers],
    }
    if traffic is not None:
        data["requests"] = [
            {"name": request.name, "route": one.route, "fast": one.fast}
            for request, one in zip(traffic.requests, traffic.taken, strict=True)
        ]
    return data
