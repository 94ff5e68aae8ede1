"""The cart. It lives in the visitor's session and nowhere else."""

from __future__ import annotations

from starlette.authentication import requires
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .errors import InvalidFields, NotFound, OutOfStock
from .payloads import is_count, query_number
from .rendering import templates
from .stores import make_order, price_lines

MAX_PRODUCTS = 20


def quantities(request: Request) -> dict[int, int]:
    """The cart by product id (in the session, JSON makes strings of the keys)."""
    return {int(key): count for key, count in request.session.get("cart", {}).items()}


def keep(request: Request, cart: dict[int, int]) -> None:
    """Write the cart back to the session."""
    request.session["cart"] = {str(key): count for key, count in cart.items()}


async def show_cart(request: Request) -> Response:
    lines = price_lines(request.state.catalogue, quantities(request))
    context = {"lines": lines, "total": sum(line["total"] for line in lines)}
    return templates.TemplateResponse(request, "cart.html", context)


async def add_item(request: Request) -> Response:
    form = await request.form()
    product_id = query_number(str(form.get("product_id", "")), 0, 1, 10**6)
    count = query_number(str(form.get("count", "1")), 1, 1, 99)
    product = request.state.catalogue.product(product_id)
    if count > product.stock:
        raise OutOfStock(product.id, count, product.stock)
    cart = quantities(request)
    cart[product.id] = count
    if len(cart) > MAX_PRODUCTS:
        raise InvalidFields({"product_id": f"a cart holds {MAX_PRODUCTS} products"})
    keep(request, cart)
    return RedirectResponse(request.url_for("cart:show"), status_code=303)


class CartItem(HTTPEndpoint):
    """One line of the cart."""

    async def patch(self, request: Request) -> Response:
        cart, product_id = self.cart_with_item(request)
        data = await request.json()
        count = data.get("count") if isinstance(data, dict) else None
        if not is_count(count, 1, 99):
            raise InvalidFields({"count": "must be a whole number from 1 to 99"})
        cart[product_id] = count
        keep(request, cart)
        return JSONResponse({"product_id": product_id, "count": count})

    async def delete(self, request: Request) -> Response:
        cart, product_id = self.cart_with_item(request)
        del cart[product_id]
        keep(request, cart)
        return Response(status_code=204)

    @staticmethod
    def cart_with_item(request: Request) -> tuple[dict[int, int], int]:
        cart, product_id = quantities(request), request.path_params["product_id"]
        if product_id not in cart:
            raise NotFound("item", str(product_id))
        return cart, product_id


@requires("authenticated", redirect="account:login")
async def check_out(request: Request) -> Response:
    cart = quantities(request)
    if not cart:
        return RedirectResponse(request.url_for("cart:show"), status_code=303)
    order = make_order(request.state.catalogue, request.user.identity, cart)
    request.state.orders.add(order)
    del request.session["cart"]
    return RedirectResponse(
        request.url_for("account:order", order_id=order.id),
        status_code=303,
        background=BackgroundTask(request.state.outbox.write, order.customer, f"Order {order.id}"),
    )


routes = [
    Route("/", show_cart, name="show"),
    Route("/items", add_item, methods=["POST"], name="add"),
    Route("/items/{product_id:int}", CartItem, name="item"),
    Route("/checkout", check_out, methods=["POST"], name="checkout"),
]
