"""Puts the shop together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.config import Config
from starlette.datastructures import Secret
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Host, Mount
from starlette.staticfiles import StaticFiles

from . import accounts, admin, api, cart, live, media, pages, partners
from .catalogue import Catalogue
from .data import build_accounts, build_sales
from .errors import exception_handlers
from .middleware import CacheControlMiddleware, RequestIdMiddleware, SecurityHeadersMiddleware
from .rendering import HERE
from .stores import OrderBook, Outbox, Recent

config = Config()
SECRET_KEY = Secret(config("SHOP_SECRET_KEY", default="only for trying the shop out"))

ALLOWED_HOSTS = [
    "testserver",
    "localhost",
    "127.0.0.1",
    "[::1]",
    "shop.example",
    "*.shop.example",
    "www.shop.test",
]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
    """Open the shop: all handlers find their data in `request.state`."""
    catalogue = Catalogue()
    app.state.opened = True
    yield {
        "catalogue": catalogue,
        "accounts": build_accounts(),
        "sales": build_sales(catalogue.products),
        "orders": OrderBook(catalogue),
        "outbox": Outbox(),
        "uploads": Recent(32),
        "drafts": Recent(32),
        "chat_members": {},
    }
    app.state.opened = False


routes = [
    Host("api.shop.example", app=api.router, name="api-host"),
    Host("{partner}.partners.shop.example", app=partners.router, name="partners"),
    *pages.routes,
    Mount("/cart", routes=cart.routes, name="cart"),
    Mount("/account", routes=accounts.routes, name="account"),
    Mount("/api", app=api.router, name="api"),
    Mount("/media", routes=media.routes, name="media", max_body_size=media.MAX_UPLOAD),
    Mount(
        "/admin",
        routes=admin.routes,
        name="admin",
        middleware=[Middleware(CacheControlMiddleware, value="no-store")],
    ),
    Mount("/live", routes=live.routes, name="live"),
    Mount("/static", app=StaticFiles(directory=HERE / "static"), name="static"),
    Mount("/help", app=StaticFiles(directory=HERE / "help", html=True), name="help"),
]

middleware = [
    Middleware(TrustedHostMiddleware, allowed_hosts=ALLOWED_HOSTS),
    Middleware(SecurityHeadersMiddleware, frame_options="SAMEORIGIN"),
    Middleware(
        CORSMiddleware,
        allow_origins=["https://front.shop.example", "https://app.shop.example"],
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "X-Request-ID"],
        expose_headers=["X-Request-ID", "ETag"],
        allow_credentials=True,
        max_age=3600,
    ),
    Middleware(GZipMiddleware, minimum_size=1000, compresslevel=6),
    Middleware(RequestIdMiddleware),
    # Without an age, so that a recorded cookie stays good.
    Middleware(SessionMiddleware, secret_key=SECRET_KEY, max_age=None),
    Middleware(
        AuthenticationMiddleware,
        backend=accounts.ShopBackend(),
        on_error=accounts.authentication_failed,
    ),
]

app = Starlette(
    routes=routes,
    middleware=middleware,
    exception_handlers=exception_handlers,
    lifespan=lifespan,
)
