"""What stands in for methods of ``Router``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import starlette.routing as stock
from starlette.datastructures import URLPath
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from turbostar._dispatch.run import run
from turbostar._guard.classes import namespace
from turbostar._guard.patches import gives_way, look_again, look_closely, unchanged
from turbostar._routing.choose import choose
from turbostar._routing.names import first_path
from turbostar._routing.table import names_of
from turbostar._routing.watched import RouteList

__all__ = ["router_app", "router_init", "router_url_path_for"]

_router = namespace(stock.Router)
_stock_router_init = stock.Router.__init__
_stock_router_app = stock.Router.app
_stock_url_path_for = stock.Router.url_path_for


def router_init(
    self: stock.Router,
    routes: Sequence[BaseRoute] | None = None,
    redirect_slashes: bool = True,
    default: ASGIApp | None = None,
    lifespan: Lifespan[Any] | None = None,
    *,
    middleware: Sequence[Middleware] | None = None,
    max_body_size: int | None = None,
) -> None:
    """Stand in for ``Router.__init__``: with a list of routes that tells of its changes."""
    init = _router["__init__"]
    is_known = init is _stock_router_init or init is router_init
    if not is_known and gives_way(self, "__init__"):
        given = {
            "routes": routes,
            "default": default,
            "lifespan": lifespan,
            "middleware": middleware,
            "max_body_size": max_body_size,
        }
        named: dict[str, Any] = {name: it for name, it in given.items() if it is not None}
        if redirect_slashes is not True:
            named["redirect_slashes"] = redirect_slashes
        init(self, **named)
        return
    look_closely()
    _stock_router_init(
        self,
        routes,
        redirect_slashes,
        default,
        lifespan,
        middleware=middleware,
        max_body_size=max_body_size,
    )
    # Not by setting an attribute, which a subclass may be told of, or refuse.
    if type(self.__dict__.get("routes")) is list:
        self.__dict__["routes"] = RouteList(self.__dict__["routes"])


async def router_app(self: stock.Router, scope: Scope, receive: Receive, send: Send) -> None:
    """Stand in for ``Router.app``; lifespan is its own."""
    if not unchanged():
        look_again()
    if scope["type"] in ("http", "websocket"):
        await run(choose(self, scope), scope, receive, send)
    else:
        await _stock_router_app(self, scope, receive, send)


def router_url_path_for(self: stock.Router, name: str, /, **path_params: Any) -> URLPath:
    """Stand in for ``Router.url_path_for``; fall back to it while routes change all the time."""
    names = names_of(self) if isinstance(name, str) else None
    if names is None:
        return _stock_url_path_for(self, name, **path_params)
    return first_path(names, name, path_params)
