"""What endpoints look at in a request: headers, query parameters, URLs, state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.asgi import ASGIApp, ClientRequest, Work
from benchmarks.cases import Case, Step
from benchmarks.sides import Side

__all__ = ["CASES", "STEPS"]


def _headers(request: Any) -> list[Any]:
    headers = request.headers
    return [headers["host"], headers.get("accept"), request.headers.get("authorization")]


def _query_params(request: Any) -> list[Any]:
    return [request.query_params["page"], request.query_params.get("per_page")]


def _state(request: Any) -> list[Any]:
    request.state.user = 1
    return [request.state.user]


def _url(request: Any) -> list[Any]:
    return [str(request.url)]


def _base_url(request: Any) -> list[Any]:
    return [str(request.base_url)]


def _url_for(request: Any) -> list[Any]:
    return [str(request.url_for("items"))]


_REQUEST = ClientRequest(path="/items", query=b"page=2&per_page=50")


def _application(read: Callable[[Any], list[Any]]) -> Callable[[Side], ASGIApp]:
    def build(web: Side) -> ASGIApp:
        async def endpoint(request: Any) -> Any:
            return web.JSONResponse({"read": read(request)})

        return web.application(routes=[web.Route("/items", endpoint, name="items")])

    return build


def _everything(request: Any) -> list[Any]:
    return _headers(request) + _query_params(request) + _url(request)


CASES = [
    Case(
        name="JSON of 3 headers, 2 query parameters, url",
        build=_application(_everything),
        request=_REQUEST,
        target=2.5,
    ),
    Case(
        name="JSON of request.url_for, 1 route",
        build=_application(_url_for),
        request=_REQUEST,
        target=2.5,
    ),
]


def _scopes_alone() -> Work:
    scopes = _REQUEST.scopes()

    def work(times: int) -> None:
        for _ in range(times):
            scopes()

    return work


def _reading(name: str, read: Callable[[Any], list[Any]], target: float) -> Step:
    """A new Request, and what is read of it, without an application."""

    def build(web: Side) -> tuple[Work, object]:
        request, scopes = web.Request, _REQUEST.scopes()

        def work(times: int) -> None:
            for _ in range(times):
                read(request(scopes()))

        return work, read(request(scopes()))

    return Step(name=f"Request, read {name}", build=build, target=target, overhead=_scopes_alone)


STEPS = [
    _reading("3 headers", _headers, 1.3),
    _reading("2 query parameters", _query_params, 2),
    _reading("state, set and get", _state, 1),
    _reading("url", _url, 3),
    _reading("base_url", _base_url, 3),
]
