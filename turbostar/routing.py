"""``starlette.routing`` with a router that looks its routes up, and need not ask each in turn."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import starlette.routing as stock
from starlette._utils import is_async_callable
from starlette.datastructures import URLPath
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._accelerations import accelerated
from turbostar._dispatch import run
from turbostar._endpoint import is_made_by_starlette, register
from turbostar._mirror import mirror
from turbostar._names import first_path
from turbostar._patches import look_again, look_closely, unchanged
from turbostar._table import choose, names_of
from turbostar._watch import RouteList
from turbostar.requests import Request

if TYPE_CHECKING:
    from starlette.routing import (
        PARAM_FORMAT_REGEX as PARAM_FORMAT_REGEX,
        PARAM_REGEX as PARAM_REGEX,
        Match as Match,
        NoMatchFound as NoMatchFound,
        compile_path as compile_path,
        get_name as get_name,
        replace_params as replace_params,
        websocket_session as websocket_session,
    )


late: Any = stock  # for names that are looked up when they are used, as stock does


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """Turn an endpoint, ``func(request) -> response``, sync or async, into an ASGI application."""
    call: Any = func
    if not is_async_callable(func):
        call = functools.partial(late.run_in_threadpool, func)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request: Request = Request(scope, receive, send)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await (await call(request))(scope, receive, send)

        wrapped = late.wrap_app_handling_exceptions(answer, request)
        await wrapped(scope, receive, send)

    return app


register(request_response(lambda request: Response()), "call", Request)
_stock_request_response = stock.request_response if is_made_by_starlette() else None
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
    if type(self.routes) is list:
        self.routes = RouteList(self.routes)


async def router_app(self: stock.Router, scope: Scope, receive: Receive, send: Send) -> None:
    if not unchanged():
        look_again()
    if scope["type"] in ("http", "websocket"):
        await run(choose(self, scope), scope, receive, send)
    else:
        await _stock_router_app(self, scope, receive, send)


def router_url_path_for(self: stock.Router, name: str, /, **path_params: Any) -> URLPath:
    names = names_of(self) if isinstance(name, str) else None
    if names is None:
        return _stock_url_path_for(self, name, **path_params)
    return first_path(names, name, path_params)


@accelerated
class Route(stock.Route):
    """A route whose endpoint, where it is a function, receives turbostar's Request."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        def innermost(app: ASGIApp) -> ASGIApp:
            # Who has replaced Starlette's request_response (to trace endpoints) keeps their say.
            if app is endpoint or stock.request_response is not _stock_request_response:
                return app
            return request_response(endpoint)

        super().__init__(
            path,
            endpoint,
            methods=methods,
            name=name,
            include_in_schema=include_in_schema,
            middleware=[*(middleware or ()), (innermost, (), {})],  # type: ignore[list-item]
            max_body_size=max_body_size,
        )


@accelerated
class WebSocketRoute(stock.WebSocketRoute):
    """Starlette's route for websockets, watched for changes."""


@accelerated
class Mount(stock.Mount):
    """A mount whose routes, where it is given routes, are in turbostar's router."""

    def __init__(
        self,
        path: str,
        app: ASGIApp | None = None,
        routes: Sequence[BaseRoute] | None = None,
        name: str | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        if app is None and routes is not None:
            app = Router(routes)
        super().__init__(
            path, app, routes, name, middleware=middleware, max_body_size=max_body_size
        )


@accelerated
class Host(stock.Host):
    """Starlette's route by host name, watched for changes."""


@accelerated
class Router(stock.Router):
    """A router that leads a path to the few routes which can match it."""

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        self.routes.append(Mount(path, app=app, name=name))

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        self.routes.append(Host(host, app=app, name=name))

    def add_route(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        self.routes.append(
            Route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema)
        )

    def add_websocket_route(
        self, path: str, endpoint: Callable[[WebSocket], Awaitable[None]], name: str | None = None
    ) -> None:
        self.routes.append(WebSocketRoute(path, endpoint, name=name))


mirror(__name__, "Host", "Mount", "Route", "Router", "WebSocketRoute", "request_response")
