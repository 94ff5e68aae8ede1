"""Route tables: the last of many, none of many, the wrong method, and mounts in mounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.asgi import ASGIApp, ClientRequest, Work
from benchmarks.cases import Case, Step
from benchmarks.sides import Side

__all__ = ["CASES", "STEPS", "route_table"]


def route_table(web: Side, routes: int) -> ASGIApp:
    """An application of groups of four routes, the shape of Starlette's own routing benchmark.

    Each group has a static path, two with an integer, and one with two parameters; the routes
    have names ``list0``, ``item0``, ``parts0``, ``part0`` and so on.
    """

    async def endpoint(request: Any) -> Any:
        return web.PlainTextResponse("ok")

    table = []
    for group in range(routes // 4):
        path = f"/resources{group}"
        for name, rest, methods in (
            ("list", "", ["GET", "POST"]),
            ("item", "/{id:int}", ["GET", "PUT", "DELETE"]),
            ("parts", "/{id:int}/items", ["GET", "POST"]),
            ("part", "/{id:int}/items/{item}", ["GET"]),
        ):
            table.append(web.Route(path + rest, endpoint, methods=methods, name=f"{name}{group}"))
    return web.application(routes=table)


def _table_of_120(web: Side) -> ASGIApp:
    return route_table(web, 120)


def _table_of_400(web: Side) -> ASGIApp:
    return route_table(web, 400)


def _item(web: Side) -> Any:
    async def endpoint(request: Any) -> Any:
        return web.JSONResponse({"id": request.path_params["id"]})

    return web.Route("/items/{id:int}", endpoint)


def _parameter(web: Side) -> ASGIApp:
    return web.application(routes=[_item(web)])


def _mounts(web: Side) -> ASGIApp:
    routes = [_item(web)]
    for path in ("/shop", "/v1", "/api"):
        routes = [web.Mount(path, routes=routes)]
    return web.application(routes=routes)


def _writing(attribute: str, value: Callable[[Any], Any]) -> Callable[[Side], ASGIApp]:
    """400 routes; the endpoint of the last writes an attribute of its route in each request."""

    def build(web: Side) -> ASGIApp:
        async def endpoint(request: Any) -> Any:
            route = request.scope["route"]
            setattr(route, attribute, value(route))
            return web.PlainTextResponse("ok")

        app: Any = route_table(web, 400)
        app.router.routes.append(web.Route("/last/{id:int}", endpoint))
        return app  # type: ignore[no-any-return]

    return build


def _one_more(route: Any) -> int:
    return getattr(route, "hits", 0) + 1


def _same_endpoint(route: Any) -> Any:
    return route.endpoint


CASES = [
    Case(
        name="/items/{id:int}",
        build=_parameter,
        request=ClientRequest(path="/items/4711"),
        target=4.0,
    ),
    Case(
        name="120 routes, last parameterised",
        build=_table_of_120,
        request=ClientRequest(path="/resources29/123/items/first"),
        target=15,
    ),
    Case(
        name="400 routes, last static",
        build=_table_of_400,
        request=ClientRequest(path="/resources99"),
        target=70,
    ),
    Case(
        name="400 routes, last parameterised",
        build=_table_of_400,
        request=ClientRequest(path="/resources99/123/items/first"),
        target=40,
    ),
    Case(
        name="400 routes, miss (404)",
        build=_table_of_400,
        request=ClientRequest(path="/no/such/path"),
        status=404,
        target=60,
    ),
    Case(
        name="120 routes, 405",
        build=_table_of_120,
        request=ClientRequest(method="DELETE", path="/resources29"),
        status=405,
        target=12,
    ),
    Case(
        name="3 nested Mounts, parameter",
        build=_mounts,
        request=ClientRequest(path="/api/v1/shop/items/4711"),
        target=5,
    ),
    Case(
        name="400 routes, a counter written in each request",
        build=_writing("hits", _one_more),
        request=ClientRequest(path="/last/4711"),
        target=30,
    ),
    Case(
        name="400 routes, endpoint assigned in each request",
        build=_writing("endpoint", _same_endpoint),
        request=ClientRequest(path="/last/4711"),
        target=15,
    ),
]


def _naming(name: str, maker: Callable[[Side, Any], Any]) -> Step:
    """The path, or the URL, of the last of 400 names."""

    def build(web: Side) -> tuple[Work, object]:
        make = maker(web, route_table(web, 400))

        def work(times: int) -> None:
            for _ in range(times):
                make("part99", id=123, item="first")

        return work, [str(make(f"part{group}", id=123, item="first")) for group in (0, 57, 99)]

    return Step(name=f"{name} among 400 names", build=build, target=150)


def _url_path_for(web: Side, app: Any) -> Any:
    return app.url_path_for


def _url_for(web: Side, app: Any) -> Any:
    return web.Request({**ClientRequest().scopes()(), "app": app}).url_for


STEPS = [_naming("url_path_for", _url_path_for), _naming("Request.url_for", _url_for)]
