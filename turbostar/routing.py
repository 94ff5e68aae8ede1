"""``starlette.routing`` with a router that looks its routes up, and need not ask each in turn."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import starlette.routing as stock
from starlette.middleware import Middleware
from starlette.requests import Request as _StockRequest
from starlette.responses import Response
from starlette.routing import BaseRoute as BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from turbostar._attach.mirror import mirror
from turbostar._attach.twins import Twin
from turbostar._guard.swapped import accelerated
from turbostar._routing.endpoints import endpoint_of, is_made_by_starlette, register
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
_stock_classes = {
    name: getattr(stock, name) for name in ("Host", "Mount", "Route", "Router", "WebSocketRoute")
}


def _in_force(name: str, ours: Any) -> Any:
    """Return our class, or what somebody has put in the place of Starlette's in its module."""
    now = getattr(late, name)
    return ours if now is _stock_classes[name] else now


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """Turn an endpoint, ``func(request) -> response``, sync or async, into an ASGI application."""
    call: Any = func
    if not late.is_async_callable(func):
        call = functools.partial(late.run_in_threadpool, func)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Who has replaced Starlette's class has the say, as there.
        make = Request if late.Request is _StockRequest else late.Request
        request: Request = make(scope, receive, send)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await (await call(request))(scope, receive, send)

        wrapped = late.wrap_app_handling_exceptions(answer, request)
        await wrapped(scope, receive, send)

    return app


register(request_response(lambda request: Response()), "call", Request)
_stock_request_response = stock.request_response if is_made_by_starlette() else None
if TYPE_CHECKING:
    # To a type checker they are Starlette's own: what takes one takes the other.
    from starlette.routing import (
        Host as Host,
        Mount as Mount,
        Route as Route,
        Router as Router,
        WebSocketRoute as WebSocketRoute,
    )
else:

    @accelerated
    class Route(stock.Route, metaclass=Twin):
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
                # What was stored is served: a tracer may pass another endpoint to Starlette.
                stored = self.__dict__.get("endpoint", endpoint)
                # Who has replaced Starlette's request_response, to trace endpoints, has the say.
                if app is stored or stock.request_response is not _stock_request_response:
                    return app
                return request_response(stored)

            is_wrapped = bool(middleware) or max_body_size is not None
            within: Any = [(innermost, (), {})] if is_wrapped else []
            super().__init__(
                path,
                endpoint,
                methods=methods,
                name=name,
                include_in_schema=include_in_schema,
                middleware=[*(middleware or ()), *within],
                max_body_size=max_body_size,
            )
            # Not as an attribute, which may be a property of the user's, or a subclass be told of.
            app = self.__dict__.get("app")
            if not is_wrapped and endpoint_of(app) is not None:
                self.__dict__["app"] = innermost(app)

    @accelerated
    class WebSocketRoute(stock.WebSocketRoute, metaclass=Twin):
        """Starlette's route for websockets, watched for changes."""

    @accelerated
    class Mount(stock.Mount, metaclass=Twin):
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
                app = _in_force("Router", Router)(routes=routes)
            super().__init__(
                path, app, routes, name, middleware=middleware, max_body_size=max_body_size
            )

    @accelerated
    class Host(stock.Host, metaclass=Twin):
        """Starlette's route by host name, watched for changes."""

    @accelerated
    class Router(stock.Router, metaclass=Twin):
        """A router that leads a path to the few routes which can match it."""

        def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
            self.routes.append(_in_force("Mount", Mount)(path, app=app, name=name))

        def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
            self.routes.append(_in_force("Host", Host)(host, app=app, name=name))

        def add_route(
            self,
            path: str,
            endpoint: Callable[[Request], Awaitable[Response] | Response],
            methods: Collection[str] | None = None,
            name: str | None = None,
            include_in_schema: bool = True,
        ) -> None:
            route = _in_force("Route", Route)(
                path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema
            )
            self.routes.append(route)

        def add_websocket_route(
            self,
            path: str,
            endpoint: Callable[[WebSocket], Awaitable[None]],
            name: str | None = None,
        ) -> None:
            make = _in_force("WebSocketRoute", WebSocketRoute)
            self.routes.append(make(path, endpoint, name=name))


mirror(__name__, "Host", "Mount", "Route", "Router", "WebSocketRoute", "request_response")
