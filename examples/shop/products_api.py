"""Products and their reviews as JSON."""

from __future__ import annotations

import zlib
from decimal import ROUND_HALF_UP, Decimal

from starlette.background import BackgroundTasks
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from .data import CATEGORIES, RATES, Product
from .errors import NotFound
from .payloads import parse_review, query_number
from .rendering import AmountJSONResponse


async def list_products(request: Request) -> Response:
    query, catalogue = request.query_params, request.state.catalogue
    page = query_number(query.get("page"), 1, 1, 10_000)
    limit = query_number(query.get("limit"), 24, 1, 100)
    category = query.get("category")
    products = catalogue.in_category(category) if category else catalogue.products
    shown = products[(page - 1) * limit : page * limit]
    return JSONResponse(
        {
            "page": page,
            "pages": -(-len(products) // limit),
            "total": len(products),
            "items": [product.as_json() for product in shown],
        }
    )


def product_by_sku(request: Request) -> Response:
    return JSONResponse(
        request.state.catalogue.product_by_sku(request.path_params["sku"]).as_json()
    )


def etag(product: Product) -> str:
    """The entity tag of a product's JSON."""
    return f'"{zlib.crc32(repr(product).encode()):08x}"'


class ProductDetail(HTTPEndpoint):
    """One product; clients may ask whether their copy is still good."""

    async def get(self, request: Request) -> Response:
        product = request.state.catalogue.product(request.path_params["product_id"])
        headers = {"etag": etag(product), "cache-control": "max-age=60"}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return JSONResponse(product.as_json(), headers=headers)

    def options(self, request: Request) -> Response:
        return Response(status_code=204, headers={"allow": "GET, HEAD, OPTIONS"})


class Reviews(HTTPEndpoint):
    """The reviews of one product; new ones are read by the staff first."""

    async def get(self, request: Request) -> Response:
        reviews = request.state.catalogue.reviews(request.path_params["product_id"])
        return JSONResponse({"items": [review.as_json() for review in reviews]})

    async def post(self, request: Request) -> Response:
        product = request.state.catalogue.product(request.path_params["product_id"])
        stars, text = parse_review(await request.json())
        ticket = f"{zlib.crc32(f'{product.id} {stars} {text}'.encode()):08x}"
        tasks = BackgroundTasks()
        tasks.add_task(request.state.outbox.write, "moderator", f"Review {ticket}")
        tasks.add_task(request.state.outbox.write_later, "statistics", f"{stars} stars")
        content = {"ticket": ticket, "product_id": product.id, "stars": stars, "text": text}
        return JSONResponse(content, status_code=202, background=tasks)


async def review(request: Request) -> Response:
    product_id, review_id = request.path_params["product_id"], request.path_params["review_id"]
    for found in request.state.catalogue.reviews(product_id):
        if found.id == review_id:
            return JSONResponse(found.as_json())
    raise NotFound("review", str(review_id))


def price(request: Request) -> Response:
    product = request.state.catalogue.product(request.path_params["product_id"])
    currency = request.path_params["currency"]
    if currency not in RATES:
        raise NotFound("currency", currency)
    amount = Decimal(str(product.price)) * Decimal(RATES[currency])
    return AmountJSONResponse(
        {"currency": currency, "amount": amount.quantize(Decimal("0.01"), ROUND_HALF_UP)}
    )


def categories(request: Request) -> Response:
    return JSONResponse(
        [{"slug": slug, "title": title} for slug, (_, title, _) in CATEGORIES.items()]
    )


routes = [
    Route("/", list_products, name="list"),
    Route("/by-sku/{sku:sku}", product_by_sku, name="by-sku"),
    Mount(
        "/{product_id:int}",
        routes=[
            Route("/", ProductDetail, name="detail"),
            Route("/price/{currency}", price, name="price"),
            Route("/reviews", Reviews, name="reviews"),
            Route("/reviews/{review_id:int}", review, name="review"),
        ],
    ),
]
