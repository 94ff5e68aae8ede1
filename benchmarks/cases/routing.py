"""Route tables: the last of many, none of many, the wrong method, and mounts in mounts."""

from __future__ import annotations

from typing import Any

from benchmarks.asgi import ASGIApp, ClientRequest
from benchmarks.cases import Case
from benchmarks.sides import Side

__all__ = ["CASES", "route_table"]


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
]
