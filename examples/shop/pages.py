"""The pages a visitor sees before buying anything."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from .data import CATEGORIES
from .errors import NotFound
from .payloads import query_number
from .rendering import templates

CAMPAIGNS = {
    "spring": "/category/tea?campaign=spring",
    "spring/sale": "/under/20?campaign=spring sale",
    "été": "/category/sweets",
}


async def home(request: Request) -> Response:
    context = {
        "categories": [(slug, title) for slug, (_, title, _) in CATEGORIES.items()],
        "products": request.state.catalogue.products[:12],
    }
    return templates.TemplateResponse(request, "home.html", context)


def category(request: Request) -> Response:
    slug = request.path_params["slug"]
    products = request.state.catalogue.in_category(slug)
    context = {"title": CATEGORIES[slug][1], "products": products}
    return templates.TemplateResponse(request, "products.html", context)


async def product(request: Request) -> Response:
    found = request.state.catalogue.product_by_sku(request.path_params["sku"])
    context = {"product": found, "reviews": request.state.catalogue.reviews(found.id)}
    return templates.TemplateResponse(request, "product.html", context)


def search(request: Request) -> Response:
    query = request.query_params.get("q", "")
    limit = query_number(request.query_params.get("limit"), 10, 1, 50)
    products = request.state.catalogue.search(query, limit)
    context = {"title": f"Search: {query}", "products": products}
    return templates.TemplateResponse(request, "products.html", context)


async def under(request: Request) -> Response:
    price = request.path_params["price"]
    products = request.state.catalogue.cheaper_than(price)[:10]
    context = {"title": f"Under {price:.2f}", "products": products}
    return templates.TemplateResponse(request, "products.html", context)


async def campaign(request: Request) -> Response:
    target = request.path_params["target"]
    if target not in CAMPAIGNS:
        raise NotFound("campaign", target)
    return RedirectResponse(CAMPAIGNS[target], status_code=301)


async def old_product(request: Request) -> Response:
    found = request.state.catalogue.product(request.path_params["product_id"])
    return RedirectResponse(request.url_for("product", sku=found.sku), status_code=308)


async def contact_form(request: Request) -> Response:
    return templates.TemplateResponse(request, "contact.html")


async def contact_sent(request: Request) -> Response:
    async with request.form(max_fields=10) as form:
        email, message = str(form.get("email", "")), str(form.get("message", ""))
    if "@" not in email or not message.strip():
        context = {"email": email, "problem": "We need your address and your message."}
        return templates.TemplateResponse(request, "contact.html", context, status_code=422)
    mail = BackgroundTask(request.state.outbox.write, "service", f"{email}: {message[:40]}")
    thanks = HTMLResponse("<h1>Thank you, we shall answer soon.</h1>", background=mail)
    thanks.headers.append("x-topic", "contact")
    return thanks


def sitemap(request: Request) -> Response:
    urls = [
        request.url_for("product", sku=found.sku) for found in request.state.catalogue.products[:25]
    ]

    def lines() -> Iterator[str]:
        yield '<?xml version="1.0" encoding="UTF-8"?>\n<urlset>\n'
        for start in range(0, len(urls), 5):
            yield "".join(f"<url><loc>{url}</loc></url>\n" for url in urls[start : start + 5])
        yield "</urlset>\n"

    return StreamingResponse(lines(), media_type="application/xml")


def healthy(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


routes = [
    Route("/", home, name="home"),
    Route("/category/{slug}", category, name="category"),
    Route("/product/{sku:sku}", product, name="product"),
    Route("/products/{product_id:int}", old_product),
    Route("/search", search, name="search"),
    Route("/under/{price:float}", under, name="under"),
    Route("/go/{target:path}", campaign),
    Route("/contact", contact_form, name="contact"),
    Route("/contact", contact_sent, methods=["POST"], max_body_size=64 * 1024),
    Route("/sitemap.xml", sitemap),
    Route("/healthz", healthy, include_in_schema=False),
]
