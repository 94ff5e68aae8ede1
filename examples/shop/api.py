"""The JSON API, served below /api and on a host of its own."""

from __future__ import annotations

from starlette.authentication import requires
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from . import orders_api, products_api, reports


async def ping(request: Request) -> Response:
    return JSONResponse({"hello": "world"})


@requires("authenticated")
async def me(request: Request) -> Response:
    return JSONResponse(
        {
            "username": request.user.identity,
            "name": request.user.display_name,
            "scopes": request.auth.scopes,
        }
    )


router = Router(
    [
        Mount(
            "/v1",
            name="v1",
            routes=[
                Route("/ping", ping, name="ping"),
                Route("/me", me, name="me"),
                Route("/categories", products_api.categories, name="categories"),
                Mount("/products", routes=products_api.routes, name="products"),
                Mount("/reports", routes=reports.routes, name="reports"),
                *orders_api.routes,
            ],
        )
    ]
)
