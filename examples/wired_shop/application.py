"""The web application: handlers ask for what they need."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from turbostar.di import Body, Inject, Query

from .services import Orders, Products
from .wiring import di


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What a client sends to order something."""

    customer: str
    product: int
    count: int = 1


class Filter(msgspec.Struct):
    """What a client may ask of the products."""

    below: int | None = None


async def products(products: Inject[Products], filter: Query[Filter]) -> Response:
    below = filter.below
    found = [each for each in products.all() if below is None or each["price"] < below]
    return JSONResponse(found)


async def product(product_id: int, products: Inject[Products]) -> Response:
    found = products.get(product_id)
    if found is None:
        raise HTTPException(404, f"no product {product_id}")
    return JSONResponse(found)


async def orders(customer: str, orders: Inject[Orders]) -> Response:
    return JSONResponse(orders.of(customer))


async def order(
    order: Body[NewOrder], orders: Inject[Orders], products: Inject[Products]
) -> Response:
    orders.add(order.customer, order.product, order.count)
    if products.get(order.product) is None:
        raise HTTPException(409, f"no product {order.product}")  # and what was added is rolled back
    return JSONResponse({"ordered": order.count}, 201)


app = Starlette(
    routes=[
        Route("/products", products),
        Route("/products/{product_id:int}", product),
        Route("/orders", order, methods=["POST"]),
        Route("/orders/{customer}", orders),
    ],
    lifespan=di.lifespan,
)
di.install(app, max_body_size=10_000)
