"""What partner shops see, each on a host name of its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router


async def welcome(request: Request) -> Response:
    return PlainTextResponse(f"Hello, {request.path_params['partner']}!")


async def offer(request: Request) -> Response:
    product = request.state.catalogue.product(request.path_params["product_id"])
    return JSONResponse(
        {
            "partner": request.path_params["partner"],
            "sku": product.sku,
            "price": round(product.price * 0.9, 2),
            "self": str(request.url),
        }
    )


router = Router(
    [
        Route("/", welcome, name="welcome"),
        Route("/offers/{product_id:int}", offer, name="offer"),
    ]
)
