"""Orders as JSON, and the payment provider's webhook."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator

from starlette.authentication import requires
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .errors import NotFound, OutOfStock
from .payloads import OrderRequest, parse_order
from .stores import Order, make_order

ORDER_STEPS = ("received", "paid", "packed", "sent")


def priced(request: Request, wanted: OrderRequest, customer: str) -> Order:
    """The order with prices; raises NotFound and OutOfStock."""
    catalogue = request.state.catalogue
    for product_id, quantity in wanted.quantities.items():
        stock = catalogue.product(product_id).stock
        if quantity > stock:
            raise OutOfStock(product_id, quantity, stock)
    return make_order(catalogue, customer, wanted.quantities, wanted.note, wanted.metadata)


async def quote(request: Request) -> Response:
    wanted = parse_order(await request.json())
    return JSONResponse(priced(request, wanted, "nobody").as_json())


class Orders(HTTPEndpoint):
    """The orders of the user."""

    @requires("authenticated")
    async def get(self, request: Request) -> Response:
        orders = request.state.orders.of_customer(request.user.identity)
        return JSONResponse({"items": [order.as_json() for order in orders]})

    @requires("authenticated")
    async def post(self, request: Request) -> Response:
        order = priced(request, parse_order(await request.json()), request.user.identity)
        request.state.orders.add(order)
        return JSONResponse(
            order.as_json(),
            status_code=201,
            headers={"location": str(request.url_for("api:v1:order", order_id=order.id).path)},
            background=BackgroundTask(
                request.state.outbox.write, order.customer, f"Order {order.id}"
            ),
        )


class OrderDetail(HTTPEndpoint):
    """One order of the user."""

    @requires("authenticated")
    def get(self, request: Request) -> Response:
        return JSONResponse(own_order(request).as_json())

    @requires("authenticated")
    async def delete(self, request: Request) -> Response:
        order = own_order(request)
        mail = BackgroundTask(request.state.outbox.write_later, "service", f"Cancel {order.id}")
        content = {"id": str(order.id), "status": "cancellation requested"}
        return JSONResponse(content, status_code=202, background=mail)


def own_order(request: Request) -> Order:
    """The order in the path, if it is the user's; raises NotFound."""
    order: Order = request.state.orders.order(request.path_params["order_id"])
    if order.customer != request.user.identity:
        raise NotFound("order", str(order.id))
    return order


@requires("authenticated")
async def order_events(request: Request) -> Response:
    order = own_order(request)

    async def events() -> AsyncIterator[str]:
        for number, step in enumerate(ORDER_STEPS, start=1):
            yield f"id: {number}\nevent: {step}\ndata: {order.total}\n\n"

    headers = {"cache-control": "no-store"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


class PaymentWebhook:
    """Takes the payment provider's signed messages; an ASGI app of its own, for any method."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        signature = hmac.new(self.secret, request.method.encode(), hashlib.sha256)
        size = 0
        async for chunk in request.stream():
            signature.update(chunk)
            size += len(chunk)
        given = request.headers.get("x-signature", "").encode("latin-1")
        if not hmac.compare_digest(signature.hexdigest().encode(), given):
            raise HTTPException(400, "The signature does not fit the message.")
        await JSONResponse({"accepted": size})(scope, receive, send)


routes = [
    Route("/quote", quote, methods=["POST"], name="quote", max_body_size=256 * 1024),
    Route("/orders", Orders, name="orders", max_body_size=16 * 1024),
    Route("/orders/{order_id:uuid}", OrderDetail, name="order"),
    Route("/orders/{order_id:uuid}/events", order_events, name="order-events"),
    Route("/webhooks/payment", PaymentWebhook(b"not so secret"), name="payment"),
]
